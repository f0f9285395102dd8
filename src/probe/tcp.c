/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP SYN module: would this port accept a connection? RFC 9293 §3.5, RFC 7323 §3.
 *
 * Every SYN of a trace has the same ports and the same ISN, so that a stateful firewall and a
 * server see one connection attempt and its retransmissions. The token is the timestamp value,
 * which grows from SYN to SYN as a clock would; the SYN-ACK echoes it. A RST, or a server without
 * timestamps, names no probe: the acknowledgment number then proves only the trace.
 *
 * Nothing here answers a SYN-ACK. The kernel does, with a RST, because no socket of ours is
 * connecting: so the server is left with no half-open connection.
 */
#include "wire/tcp.h"
#include "probe/probe.h"
#include "wire/csum.h"

enum {
    CHECKSUM_OFFSET = 16,
    SYN_WINDOW = 64240, /* what Linux offers on Ethernet, as are MSS and window scale */
    SYN_MSS4 = 1460,    /* 1500 less the headers; RFC 9293 §3.7.1 */
    SYN_MSS6 = 1440,
    SYN_WINDOW_SCALE = 7,
};

static int tcp_build(const struct sonde_spec *spec, const struct sonde_format *format,
                     uint32_t token, uint8_t *buf, size_t cap, struct sonde_tx *ret_tx)
{
    const struct sonde_flow *flow = &spec->flow;
    const struct tcp_header tcp = {
        .src_port = flow->src_port,
        .dst_port = flow->dst_port,
        .seq = spec->isn,
        .flags = TCP_SYN,
        .window = SYN_WINDOW,
        .options =
            {
                .mss = flow->dst.family == SONDE_FAMILY_IPV6 ? SYN_MSS6 : SYN_MSS4,
                .sack_permitted = true,
                .has_timestamps = true,
                .ts_value = spec->ts_base + token,
                .window_scale = SYN_WINDOW_SCALE,
            },
    };
    struct wr wr = wr_init(buf, cap);
    tcp_encode(&wr, &tcp);
    uint64_t sum = csum_add(0, (struct sonde_span){wr.data, wr.len});
    sum += csum_pseudo(&flow->src, &flow->dst, IP_PROTO_TCP, (uint32_t)wr.len);
    wr_patch_u16(&wr, CHECKSUM_OFFSET, csum_finish(sum));

    ret_tx->ttl = format->ttl;
    ret_tx->header_len = wr.len;
    return probe_finish(spec, token, &wr, ret_tx);
}

static int answer_match(const struct sonde_spec *spec, const struct tcp_header *tcp,
                        struct sonde_match *match)
{
    if (tcp->dst_port != spec->flow.src_port)
        return SONDE_DISCARD_FOREIGN;
    if (tcp->cut)
        return SONDE_DISCARD_TRUNCATED;
    bool is_rst = (tcp->flags & TCP_RST) != 0;
    bool is_syn_ack = (tcp->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
    if (!is_rst && !is_syn_ack)
        return SONDE_DISCARD_NOT_A_RESULT; /* a challenge ACK, or a SYN of the other side's own */
    /* RFC 9293 §3.10.7.3: in SYN-SENT even a RST is acceptable only if it acknowledges the SYN */
    if ((tcp->flags & TCP_ACK) == 0 || tcp->ack != spec->isn + 1)
        return SONDE_DISCARD_BAD_TOKEN;
    match->outcome = is_rst ? SONDE_OUTCOME_CLOSED : SONDE_OUTCOME_OPEN;
    match->has_serial = !is_rst;
    match->serial = tcp->seq;
    if (!is_rst && tcp->options.has_timestamps && tcp->options.ts_echo != 0) {
        match->has_token = match->has_full_token = true;
        match->token = tcp->options.ts_echo - spec->ts_base;
    }
    return 0;
}

static int error_match(const struct sonde_spec *spec, const struct tcp_header *tcp,
                       const struct sonde_rx *rx, struct sonde_match *match)
{
    /* The ISN is 32 secret bits: with it even a source port that a NAT changed is believed. */
    if (tcp->seq != spec->isn)
        return tcp->src_port == spec->flow.src_port ? SONDE_DISCARD_BAD_TOKEN
                                                    : SONDE_DISCARD_FOREIGN;
    match->outcome = probe_error_outcome(rx);
    if (!tcp->cut && tcp->options.has_timestamps) {
        match->has_token = match->has_full_token = true;
        match->token = tcp->options.ts_value - spec->ts_base;
    } else {
        (void)probe_match_id(spec, rx, match);
    }
    return 0;
}

static int tcp_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                     struct sonde_match *ret_match)
{
    struct sonde_match match = {.questions = PROBE_ANY_QUESTION};
    struct tcp_header tcp;
    bool is_error = rx->kind == SONDE_RX_ERROR;
    if (tcp_decode(is_error ? rx->quote.segment : rx->segment, &tcp) < 0)
        return SONDE_DISCARD_MALFORMED;
    int r = is_error ? error_match(spec, &tcp, rx, &match) : answer_match(spec, &tcp, &match);
    if (r == 0)
        *ret_match = match;
    return r;
}

const struct sonde_probe_ops probe_tcp = {
    .name = "tcp",
    .protocol = IP_PROTO_TCP,
    .has_ports = true,
    .think_ns = 0,
    .build = tcp_build,
    .match = tcp_match,
};
