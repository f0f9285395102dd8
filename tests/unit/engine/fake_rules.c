/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a probe on the fake network; see fake_net.h. */
#include "tests/support/answers.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/udp.h"

#include <criterion/criterion.h>

void net_silent(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    (void)tx;
}

sonde_ns net_rtt(const struct net *net)
{
    return 2 * net->distance * net->hop_ns;
}

void net_error(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns, unsigned ttl,
               uint8_t type, uint8_t code)
{
    /* ICMP errors and their counterparts in ICMPv6 */
    static const uint8_t translations[][4] = {
        {ICMP4_TIME_EXCEEDED, 0, ICMP6_TIME_EXCEEDED, 0},
        {ICMP4_UNREACHABLE, 0, ICMP6_UNREACHABLE, 0},
        {ICMP4_UNREACHABLE, 1, ICMP6_UNREACHABLE, 3},
        {ICMP4_UNREACHABLE, 3, ICMP6_UNREACHABLE, 4},
        {ICMP4_UNREACHABLE, 13, ICMP6_UNREACHABLE, 1},
    };
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sonde_addr from = ttl == 0 ? tx->flow->dst : net_router_addr(net, ttl);
    size_t count = net->family == SONDE_FAMILY_IPV6 ? sizeof translations / 4 : 0;
    for (size_t i = 0; i < count; i++) {
        if (translations[i][0] == type && translations[i][1] == code) {
            type = translations[i][2];
            code = translations[i][3];
            break;
        }
    }
    answer_error(&wr, tx, &from, type, code, net->quote_len);
    net_arrive(net, &wr, delay_ns);
}

bool net_is_blind(const struct sonde_tx *tx)
{
    const struct sonde_flow *flow = tx->flow;
    if (flow->protocol == IP_PROTO_SCTP) {
        struct rd rd = rd_init(span_sub(tx->segment, SCTP_CHECKSUM_AT, 4));
        return rd_u32(&rd) != sctp_checksum(tx->segment);
    }
    uint64_t sum = csum_add(0, tx->segment);
    sum += csum_pseudo(&flow->src, &flow->dst, IP_PROTO_TCP, (uint32_t)tx->segment.len);
    return flow->protocol == IP_PROTO_TCP && csum_finish(sum) != 0;
}

bool net_is_full(const struct sonde_tx *tx)
{
    return tx->ttl == ENGINE_FULL_TTL || tx->ttl == ENGINE_FULL_TTL_MAX;
}

bool net_expires(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl >= net->distance)
        return net_is_blind(tx);
    net_error(net, tx, 2 * tx->ttl * net->hop_ns, tx->ttl, ICMP4_TIME_EXCEEDED, 0);
    return true;
}

void net_tcp(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns,
             const struct tcp_header *tcp)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_tcp(&wr, tx, NULL, tcp);
    net_arrive(net, &wr, delay_ns);
}

static void syn_ack(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns)
{
    struct tcp_header syn;
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    const struct tcp_header tcp = {
        .seq = net->serial,
        .ack = syn.seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .options =
            {
                .mss = 1460,
                .has_timestamps = true,
                .ts_value = 1,
                .ts_echo = syn.options.ts_value,
                .window_scale = -1,
            },
    };
    net->serial += 64000; /* the next connection has another; RFC 6528 */
    net_tcp(net, tx, delay_ns, &tcp);
}

/* What a host does with an INIT: an INIT ACK, or an ABORT. */
static void answer_init(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns,
                        uint8_t chunk)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sctp_packet init;
    cr_assert_eq(sctp_decode(tx->segment, &init), 0);
    const struct sctp_packet answer = {
        .tag = init.initiate_tag, .chunk = chunk, .initiate_tag = net->serial++};
    answer_sctp(&wr, tx, NULL, &answer);
    net_arrive(net, &wr, delay_ns);
}

void net_reply(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    if (tx->flow->protocol == IP_PROTO_TCP) {
        syn_ack(net, tx, delay_ns);
        return;
    }
    if (tx->flow->protocol == IP_PROTO_SCTP) {
        answer_init(net, tx, delay_ns, SCTP_INIT_ACK);
        return;
    }
    if (tx->flow->protocol == IP_PROTO_UDP)
        answer_udp(&wr, tx, NULL, span_sub(tx->segment, UDP_HEADER_BYTES, SIZE_MAX));
    else
        answer_echo(&wr, tx, NULL);
    net_arrive(net, &wr, delay_ns);
}

void net_refuse(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns)
{
    if (tx->flow->protocol == IP_PROTO_TCP) {
        struct tcp_header syn;
        cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
        const struct tcp_header rst = {
            .ack = syn.seq + 1,
            .flags = TCP_RST | TCP_ACK,
            .options.window_scale = -1,
        };
        net_tcp(net, tx, delay_ns, &rst);
        return;
    }
    if (tx->flow->protocol == IP_PROTO_SCTP) {
        answer_init(net, tx, delay_ns, SCTP_ABORT);
        return;
    }
    net_error(net, tx, delay_ns, 0, ICMP4_UNREACHABLE, ICMP4_CODE_PORT);
}

void net_open_path(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_reply(net, tx, net_rtt(net));
}
