/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Socket filters: classic BPF programs that keep foreign packets out of the process, so that a
 * flood of them costs neither time nor room in the receive buffer. socket(7), SO_ATTACH_FILTER.
 *
 * The filter is a sieve, not the judge: what it lets in is still matched against every field. A
 * raw IPv4 socket is shown the packet from its IP header on, a raw IPv6 socket from the header
 * behind that on (rawv6_rcv() in the kernel's net/ipv6/raw.c).
 */
#include "io/linux/internal.h"
#include "wire/icmp.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <string.h>

enum {
    PROGRAM_MAX = 1024, /* instructions; the longest program here has fewer than 500 */
    ACCEPT = 0x40000,   /* bytes: the whole packet */
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    uint16_t len;
};

static void emit(struct program *program, uint16_t code, uint8_t if_true, uint8_t if_false,
                 uint32_t operand)
{
    assert(program->len < PROGRAM_MAX);
    program->code[program->len++] = (struct sock_filter){code, if_true, if_false, operand};
}

static void emit_return(struct program *program, uint32_t bytes)
{
    emit(program, BPF_RET | BPF_K, 0, 0, bytes);
}

/* Accept the packet if the accumulator has this value. */
static void emit_accept_if(struct program *program, uint32_t value)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    emit_return(program, ACCEPT);
}

/* Load a 16-bit word behind the IP header: at X for IPv4, at 0 for IPv6. */
static void emit_load16(struct program *program, enum sonde_family family, uint32_t offset)
{
    uint16_t mode = family == SONDE_FAMILY_IPV6 ? BPF_ABS : BPF_IND;
    emit(program, (uint16_t)(BPF_LD | BPF_H | mode), 0, 0, offset);
}

static int attach(int fd, const struct program *program)
{
    struct sock_filter code[PROGRAM_MAX];
    memcpy(code, program->code, sizeof code);
    const struct sock_fprog prog = {.len = program->len, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) < 0 ? -errno : 0;
}

int filter_shut(int fd)
{
    struct program program = {.len = 0};
    emit_return(&program, 0);
    return attach(fd, &program);
}

void filter_add_flow(struct filter_flows *flows, const struct sonde_flow *flow)
{
    if (flow->protocol == IP_PROTO_ICMP) {
        uint32_t i = 0;
        while (i < flows->id_count && flows->ids[i] != flow->src_port)
            i++;
        if (i == HOLDS_MAX)
            flows->any_id = true;
        else if (i == flows->id_count)
            flows->ids[flows->id_count++] = flow->src_port;
    }
    uint32_t i = 0;
    while (i < flows->target_count && !sonde_addr_equal(&flows->targets[i], &flow->dst))
        i++;
    if (i == FILTER_TARGETS_MAX)
        flows->any_target = true;
    else if (i == flows->target_count)
        flows->targets[flows->target_count++] = flow->dst;
}

/* Accept if the accumulator holds an echo identifier of ours. */
static void emit_ids(struct program *program, const struct filter_flows *flows)
{
    if (flows->any_id) {
        emit_return(program, ACCEPT);
        return;
    }
    for (uint32_t i = 0; i < flows->id_count; i++)
        emit_accept_if(program, flows->ids[i]);
}

/* Accept if the accumulator holds a port that we hold for a protocol; 0 = for any. */
static void emit_ports(struct program *program, const struct linux_transport *linux_transport,
                       enum sonde_family family, uint8_t protocol)
{
    for (uint32_t i = 0; i < linux_transport->hold_count; i++) {
        const struct hold *hold = &linux_transport->holds[i];
        if (hold->family == family && (protocol == 0 || hold->protocol == protocol))
            emit_accept_if(program, hold->port);
    }
}

static uint32_t load_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Accept an error whose quote is of a packet to a target. X is the IPv4 header length. */
static void emit_quoted_targets(struct program *program, const struct filter_flows *flows,
                                enum sonde_family family)
{
    for (uint32_t i = 0; i < flows->target_count; i++) {
        const struct sonde_addr *target = &flows->targets[i];
        if (target->family != family)
            continue;
        if (family == SONDE_FAMILY_IPV4) { /* the quoted destination stands at 16 */
            emit(program, BPF_LD | BPF_W | BPF_IND, 0, 0, ICMP_HEADER_BYTES + 16);
            emit_accept_if(program, load_be32(target->bytes));
            continue;
        }
        for (uint32_t word = 0; word < 4; word++) { /* it stands at 24 */
            uint8_t to_next = (uint8_t)(2 * (3 - word) + 1);
            emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, ICMP_HEADER_BYTES + 24 + 4 * word);
            emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, to_next,
                 load_be32(target->bytes + (size_t)4 * word));
        }
        emit_return(program, ACCEPT);
    }
}

/* Accept an error whose quote comes from a port or identifier of ours; for very many targets. */
static void emit_quoted_ports(struct program *program,
                              const struct linux_transport *linux_transport,
                              enum sonde_family family)
{
    uint32_t quote = ICMP_HEADER_BYTES;
    if (family == SONDE_FAMILY_IPV4) { /* X += the quoted header's length */
        emit(program, BPF_LD | BPF_B | BPF_IND, 0, 0, quote);
        emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x0f);
        emit(program, BPF_ALU | BPF_LSH | BPF_K, 0, 0, 2);
        emit(program, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
        emit(program, BPF_MISC | BPF_TAX, 0, 0, 0);
    } else { /* with extension headers it is left to the judge */
        static const uint8_t headers[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMPV6,
                                          IP_PROTO_SCTP};
        emit(program, BPF_LD | BPF_B | BPF_ABS, 0, 0, quote + 6);
        for (size_t i = 0; i < sizeof headers; i++) /* over the other headers and the return */
            emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(sizeof headers - i), 0, headers[i]);
        emit_return(program, ACCEPT);
        quote += IP6_HEADER_BYTES;
    }
    emit_load16(program, family, quote);
    emit_ports(program, linux_transport, family, 0);
    emit_load16(program, family, quote + 4); /* the identifier of an echo request */
    emit_ids(program, &linux_transport->flows);
}

/* What a raw ICMP socket lets in: echo replies to us, and errors about probes of ours. */
static void emit_icmp(struct program *program, const struct linux_transport *linux_transport,
                      enum sonde_family family)
{
    static const uint8_t errors4[] = {ICMP4_UNREACHABLE, ICMP4_TIME_EXCEEDED,
                                      ICMP4_PARAMETER_PROBLEM};
    static const uint8_t errors6[] = {ICMP6_UNREACHABLE, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED,
                                      ICMP6_PARAMETER_PROBLEM};
    bool ipv6 = family == SONDE_FAMILY_IPV6;
    const uint8_t *errors = ipv6 ? errors6 : errors4;
    uint8_t error_count = ipv6 ? sizeof errors6 : sizeof errors4;

    emit(program, (uint16_t)(BPF_LD | BPF_B | (ipv6 ? BPF_ABS : BPF_IND)), 0, 0, 0);
    for (uint8_t i = 0; i < error_count; i++) /* over the other errors and the return */
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(error_count - i + 1), 0, errors[i]);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);
    emit_return(program, 0);

    /* errors come here: over the echo part */
    struct program echo = {.len = 0};
    emit_load16(&echo, family, 4);
    emit_ids(&echo, &linux_transport->flows);
    emit_return(&echo, 0);
    emit(program, BPF_JMP | BPF_JA, 0, 0, echo.len);
    for (uint16_t i = 0; i < echo.len; i++)
        program->code[program->len++] = echo.code[i];

    if (linux_transport->flows.any_target)
        emit_quoted_ports(program, linux_transport, family);
    else
        emit_quoted_targets(program, &linux_transport->flows, family);
    emit_return(program, 0);
}

int filter_open(const struct linux_transport *linux_transport, const struct receiver *receiver)
{
    struct program program = {.len = 0};
    if (receiver->family == SONDE_FAMILY_IPV4) /* X = the IP header's length */
        emit(&program, BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0);
    if (receiver->protocol == IP_PROTO_ICMP) {
        emit_icmp(&program, linux_transport, receiver->family);
    } else {
        emit_load16(&program, receiver->family, 2); /* the destination port */
        emit_ports(&program, linux_transport, receiver->family, receiver->protocol);
        emit_return(&program, 0);
    }
    return attach(receiver->fd, &program);
}
