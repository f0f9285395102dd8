/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket filters, run by the kernel: a filter sees a datagram on a UNIX socket from its first
 * byte, as it sees a packet on a raw socket. So what passes can be tried without privilege.
 */
#include "io/linux/internal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUR_PORT = 40001,
    OUR_ID = 0x1234,
};

/* A receiver whose socket is one end of a pair, and the end to send from. */
struct sieve {
    struct linux_transport transport;
    struct receiver receiver;
    int other;
};

static void sieve_open(struct sieve *sieve, enum sonde_family family, uint8_t protocol)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
    sieve->receiver = (struct receiver){.fd = fds[0], .family = family, .protocol = protocol};
    sieve->other = fds[1];
    sieve->transport.holds[sieve->transport.hold_count++] =
        (struct hold){.fd = -1, .family = family, .protocol = IP_PROTO_TCP, .port = OUR_PORT};
    sieve->transport.holds[sieve->transport.hold_count++] =
        (struct hold){.fd = -1, .family = family, .protocol = IP_PROTO_UDP, .port = OUR_PORT + 1};
    sieve->transport.holds[sieve->transport.hold_count++] =
        (struct hold){.fd = -1, .family = family, .protocol = IP_PROTO_SCTP, .port = OUR_PORT + 2};
}

static void sieve_close(struct sieve *sieve)
{
    (void)close(sieve->receiver.fd);
    (void)close(sieve->other);
}

static struct sonde_addr target4(uint8_t last)
{
    return (struct sonde_addr){.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, last}};
}

static struct sonde_addr target6(uint8_t last)
{
    return (struct sonde_addr){.family = SONDE_FAMILY_IPV6,
                               .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = last}};
}

static void add_flow(struct sieve *sieve, struct sonde_addr target, uint8_t protocol, uint16_t port)
{
    const struct sonde_flow flow = {.dst = target, .protocol = protocol, .src_port = port};
    filter_add_flow(&sieve->transport.flows, &flow);
}

static bool passes(struct sieve *sieve, const uint8_t *packet, size_t len)
{
    uint8_t buf[512];
    (void)send(sieve->other, packet, len, 0);
    return recv(sieve->receiver.fd, buf, sizeof buf, 0) == (ssize_t)len;
}

/* An IPv4 header of 20 bytes, or 24 with options; only what filters look at is filled in. */
static size_t put_ip4(uint8_t *at, uint8_t protocol, const struct sonde_addr *dst, bool options)
{
    memset(at, 0, 24);
    at[0] = options ? 0x46 : 0x45;
    at[9] = protocol;
    if (dst != NULL)
        memcpy(at + 16, dst->bytes, 4);
    return options ? 24 : 20;
}

static size_t put_ip6(uint8_t *at, uint8_t next, const struct sonde_addr *dst)
{
    memset(at, 0, 40);
    at[0] = 0x60;
    at[6] = next;
    memcpy(at + 24, dst->bytes, 16);
    return 40;
}

static size_t put_ports(uint8_t *at, uint16_t src, uint16_t dst)
{
    const uint8_t bytes[8] = {(uint8_t)(src >> 8), (uint8_t)src, (uint8_t)(dst >> 8), (uint8_t)dst};
    memcpy(at, bytes, sizeof bytes);
    return sizeof bytes;
}

/* Eight bytes of ICMP. */
static size_t put_icmp(uint8_t *at, uint8_t type, uint16_t id)
{
    const uint8_t bytes[8] = {type, 0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id};
    memcpy(at, bytes, sizeof bytes);
    return sizeof bytes;
}

Test(filter, a_shut_socket_lets_nothing_in)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[64] = {0x45};
    sieve_open(sieve, SONDE_FAMILY_IPV4, IP_PROTO_TCP);
    cr_assert(passes(sieve, packet, sizeof packet));
    cr_assert_eq(filter_shut(sieve->receiver.fd), 0);
    cr_expect_not(passes(sieve, packet, sizeof packet));
    sieve_close(sieve);
    free(sieve);
}

Test(filter, answers_pass_by_their_destination_port)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[64];
    sieve_open(sieve, SONDE_FAMILY_IPV4, IP_PROTO_TCP);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    for (int options = 0; options < 2; options++) {
        size_t at = put_ip4(packet, IP_PROTO_TCP, NULL, options);
        cr_expect(passes(sieve, packet, at + put_ports(packet + at, 443, OUR_PORT)));
        cr_expect_not(passes(sieve, packet, at + put_ports(packet + at, OUR_PORT, 443)));
        cr_expect_not(passes(sieve, packet, at + put_ports(packet + at, 443, OUR_PORT + 1)));
        cr_expect_not(passes(sieve, packet, at + 2)); /* cut before the port */
    }
    sieve_close(sieve);
    free(sieve);
}

Test(filter, ipv6_answers_are_seen_from_the_transport_header_on)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[64];
    sieve_open(sieve, SONDE_FAMILY_IPV6, IP_PROTO_UDP);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    cr_expect(passes(sieve, packet, put_ports(packet, 53, OUR_PORT + 1)));
    cr_expect_not(passes(sieve, packet, put_ports(packet, 53, OUR_PORT)));
    sieve_close(sieve);
    free(sieve);
}

Test(filter, each_protocol_has_ports_of_its_own)
{
    for (size_t i = 0; i < 2; i++) {
        struct sieve *sieve = calloc(1, sizeof *sieve);
        uint8_t packet[64];
        bool ipv6 = i == 1;
        sieve_open(sieve, ipv6 ? SONDE_FAMILY_IPV6 : SONDE_FAMILY_IPV4, IP_PROTO_SCTP);
        cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
        size_t at = ipv6 ? 0 : put_ip4(packet, IP_PROTO_SCTP, NULL, false);
        for (uint16_t port = OUR_PORT; port <= OUR_PORT + 3; port++)
            cr_expect_eq(passes(sieve, packet, at + put_ports(packet + at, 3868, port)),
                         port == OUR_PORT + 2, "port %u", port);
        sieve_close(sieve);
        free(sieve);
    }
}

Test(filter, echo_replies_pass_by_their_identifier)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[64];
    sieve_open(sieve, SONDE_FAMILY_IPV4, IP_PROTO_ICMP);
    add_flow(sieve, target4(10), IP_PROTO_ICMP, OUR_ID);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    size_t at = put_ip4(packet, IP_PROTO_ICMP, NULL, false);
    cr_expect(passes(sieve, packet, at + put_icmp(packet + at, 0, OUR_ID)));
    cr_expect_not(passes(sieve, packet, at + put_icmp(packet + at, 0, OUR_ID + 1)));
    cr_expect_not(passes(sieve, packet, at + put_icmp(packet + at, 8, OUR_ID))); /* a request */
    cr_expect_not(passes(sieve, packet, at + put_icmp(packet + at, 5, OUR_ID))); /* a redirect */
    cr_expect_not(passes(sieve, packet, at + put_icmp(packet + at, 13, OUR_ID)));
    sieve_close(sieve);
    free(sieve);
}

Test(filter, errors_pass_by_the_destination_that_they_quote)
{
    static const struct {
        uint8_t type;
        bool passes;
    } types[] = {{3, true}, {11, true}, {12, true}, {4, false}, {5, false}, {100, false}};
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[128];
    struct sonde_addr ours = target4(32);
    struct sonde_addr other = target4(99);
    sieve_open(sieve, SONDE_FAMILY_IPV4, IP_PROTO_ICMP);
    for (uint8_t i = 1; i <= FILTER_TARGETS_MAX; i++)
        add_flow(sieve, target4(i), IP_PROTO_TCP, OUR_PORT);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t at = put_ip4(packet, IP_PROTO_ICMP, NULL, true);
        at += put_icmp(packet + at, types[i].type, 0);
        size_t quoted = put_ip4(packet + at, IP_PROTO_TCP, &ours, false);
        /* a NAT may have changed the quoted source port: it is not looked at */
        size_t len = at + quoted + put_ports(packet + at + quoted, 5, 443);
        cr_expect_eq(passes(sieve, packet, len), types[i].passes, "type %u", types[i].type);
        (void)put_ip4(packet + at, IP_PROTO_TCP, &other, false);
        cr_expect_not(passes(sieve, packet, len), "type %u", types[i].type);
    }
    sieve_close(sieve);
    free(sieve);
}

Test(filter, ipv6_errors_pass_by_the_destination_that_they_quote)
{
    static const struct {
        uint8_t type;
        bool passes;
    } types[] = {{1, true}, {2, true}, {3, true}, {4, true}, {128, false}, {134, false}};
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[128];
    struct sonde_addr ours = target6(2);
    struct sonde_addr other = target6(3);
    sieve_open(sieve, SONDE_FAMILY_IPV6, IP_PROTO_ICMP);
    add_flow(sieve, target6(1), IP_PROTO_ICMP, OUR_ID);
    add_flow(sieve, target6(2), IP_PROTO_ICMP, OUR_ID);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t at = put_icmp(packet, types[i].type, 0);
        size_t quoted = put_ip6(packet + at, IP_PROTO_UDP, &ours);
        size_t len = at + quoted + put_ports(packet + at + quoted, 5, 53);
        cr_expect_eq(passes(sieve, packet, len), types[i].passes, "type %u", types[i].type);
        (void)put_ip6(packet + at, IP_PROTO_UDP, &other);
        cr_expect_not(passes(sieve, packet, len), "type %u", types[i].type);
    }
    cr_expect(passes(sieve, packet, put_icmp(packet, 129, OUR_ID)));
    cr_expect_not(passes(sieve, packet, put_icmp(packet, 129, OUR_ID + 1)));
    sieve_close(sieve);
    free(sieve);
}

Test(filter, with_very_many_targets_errors_pass_by_the_source_that_they_quote)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[128];
    struct sonde_addr any = target4(250);
    sieve_open(sieve, SONDE_FAMILY_IPV4, IP_PROTO_ICMP);
    for (uint8_t i = 1; i <= FILTER_TARGETS_MAX + 1; i++)
        add_flow(sieve, target4(i), IP_PROTO_ICMP, OUR_ID);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    for (int options = 0; options < 2; options++) {
        size_t at = put_ip4(packet, IP_PROTO_ICMP, NULL, false);
        at += put_icmp(packet + at, 11, 0);
        size_t quoted = at + put_ip4(packet + at, IP_PROTO_TCP, &any, options);
        cr_expect(passes(sieve, packet, quoted + put_ports(packet + quoted, OUR_PORT, 443)));
        cr_expect_not(
            passes(sieve, packet, quoted + put_ports(packet + quoted, OUR_PORT + 9, 443)));
        cr_expect(passes(sieve, packet, quoted + put_icmp(packet + quoted, 8, OUR_ID)));
    }
    sieve_close(sieve);
    free(sieve);
}

Test(filter, with_very_many_targets_ipv6_extension_headers_are_left_to_the_decoder)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    uint8_t packet[128];
    struct sonde_addr any = target6(250);
    sieve_open(sieve, SONDE_FAMILY_IPV6, IP_PROTO_ICMP);
    for (uint8_t i = 1; i <= FILTER_TARGETS_MAX + 1; i++)
        add_flow(sieve, target6(i), IP_PROTO_ICMP, OUR_ID);
    cr_assert_eq(filter_open(&sieve->transport, &sieve->receiver), 0);
    size_t at = put_icmp(packet, 3, 0);
    static const uint8_t protocols[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_SCTP, IP_PROTO_ICMPV6};
    size_t quoted = 0;
    for (size_t i = 0; i < sizeof protocols; i++) {
        quoted = at + put_ip6(packet + at, protocols[i], &any);
        cr_expect(passes(sieve, packet, quoted + put_ports(packet + quoted, OUR_PORT, 443)));
        cr_expect_not(passes(sieve, packet, quoted + put_ports(packet + quoted, 7, 443)));
    }
    (void)put_ip6(packet + at, 60, &any); /* destination options come first */
    cr_expect(passes(sieve, packet, quoted + put_ports(packet + quoted, 7, 443)));
    sieve_close(sieve);
    free(sieve);
}
