/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to probes, as packets; see answers.h. */
#include "tests/support/answers.h"

#include "probe/probe.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/udp.h"

#include <criterion/criterion.h>

enum { ICMP_CHECKSUM_OFFSET = 2 };

static bool is_ipv6(const struct sonde_tx *tx)
{
    return tx->flow->dst.family == SONDE_FAMILY_IPV6;
}

static void header_encode(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                          uint8_t protocol, size_t payload_len)
{
    const struct ip_header ip = {
        .src = from != NULL ? *from : tx->flow->dst,
        .dst = tx->flow->src,
        .protocol = protocol == IP_PROTO_ICMP && is_ipv6(tx) ? IP_PROTO_ICMPV6 : protocol,
        .ttl = ANSWER_TTL,
        .id = 4711,
    };
    ip_encode(wr, &ip, payload_len);
}

/* A raw IPv4 socket's messages are checked; ICMPv6 checksums are left to the kernel. */
static void message_encode(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                           struct wr *message)
{
    uint64_t sum = csum_add(0, (struct sonde_span){message->data, message->len});
    wr_patch_u16(message, ICMP_CHECKSUM_OFFSET, csum_finish(sum));
    cr_assert(wr_ok(message));
    header_encode(wr, tx, from, IP_PROTO_ICMP, message->len);
    wr_bytes(wr, message->data, message->len);
    cr_assert(wr_ok(wr));
}

void answer_echo(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from)
{
    uint8_t bytes[PROBE_SIZE_MAX];
    struct wr message = wr_init(bytes, sizeof bytes);
    struct icmp_header request;
    cr_assert_eq(icmp_decode(tx->segment, &request), 0);
    icmp_encode(&message, is_ipv6(tx) ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, 0, request.info);
    wr_bytes(&message, request.body.data, request.body.len);
    message_encode(wr, tx, from, &message);
}

void answer_tcp(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                const struct tcp_header *tcp)
{
    uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    struct wr segment = wr_init(bytes, sizeof bytes);
    struct tcp_header header = *tcp;
    header.src_port = tx->flow->dst_port;
    header.dst_port = tx->flow->src_port;
    tcp_encode(&segment, &header);
    header_encode(wr, tx, from, IP_PROTO_TCP, segment.len);
    wr_bytes(wr, segment.data, segment.len);
    cr_assert(wr_ok(wr));
}

void answer_sctp(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                 const struct sctp_packet *packet)
{
    uint8_t bytes[SCTP_HEADER_BYTES + SCTP_INIT_BYTES];
    struct wr segment = wr_init(bytes, sizeof bytes);
    struct sctp_packet answer = *packet;
    answer.src_port = tx->flow->dst_port;
    answer.dst_port = tx->flow->src_port;
    sctp_encode(&segment, &answer, (struct sonde_span){NULL, 0});
    sctp_patch_checksum(&segment, sctp_checksum((struct sonde_span){segment.data, segment.len}));
    cr_assert(wr_ok(&segment));
    header_encode(wr, tx, from, IP_PROTO_SCTP, segment.len);
    wr_bytes(wr, segment.data, segment.len);
    cr_assert(wr_ok(wr));
}

void answer_udp(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                struct sonde_span payload)
{
    header_encode(wr, tx, from, IP_PROTO_UDP, UDP_HEADER_BYTES + payload.len);
    udp_encode(wr, tx->flow->dst_port, tx->flow->src_port, payload.len);
    wr_bytes(wr, payload.data, payload.len);
    cr_assert(wr_ok(wr));
}

void answer_error(struct wr *wr, const struct sonde_tx *tx, const struct sonde_addr *from,
                  uint8_t type, uint8_t code, size_t quote_len)
{
    uint8_t bytes[ICMP_HEADER_BYTES + PACKET_HEADER_MAX + PROBE_SIZE_MAX];
    struct wr message = wr_init(bytes, sizeof bytes);
    icmp_encode(&message, type, code, 0);
    struct sonde_tx quoted = *tx;
    quoted.ttl = 1; /* as it arrived where it died */
    size_t len = packet_encode(&quoted, message.data + message.len, message.cap - message.len);
    cr_assert_gt(len, 0);
    size_t left_out = tx->segment.len > quote_len ? tx->segment.len - quote_len : 0;
    cr_assert_not_null(wr_reserve(&message, len - left_out));
    message_encode(wr, tx, from, &message);
}

void answer_decode(const struct wr *wr, struct sonde_rx *ret_rx)
{
    int r = packet_decode((struct sonde_span){wr->data, wr->len}, ret_rx);
    cr_assert_eq(r, 0, "the answer is no answer: %s", sonde_discard_name((enum sonde_discard)r));
    ret_rx->stamp.clock = SONDE_CLOCK_SIMULATED;
}
