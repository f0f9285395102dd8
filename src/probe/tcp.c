/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP SYN module: would this port accept a connection? RFC 9293 §3.5, RFC 7323 §3.
 *
 * Every SYN of a trace has the same ports. Those of one attempt have the same ISN, too, so that a
 * stateful firewall and a server see one connection attempt and its retransmissions; the next
 * attempt has a higher one. A SYN-ACK and a RST acknowledge it, and so name the attempt. The token
 * is the timestamp value, which grows from SYN to SYN as a clock would; a SYN-ACK of a server with
 * timestamps echoes it, and so names the probe.
 *
 * A probe that goes ahead while nobody knows how far the target is shall not reach it as a SYN, or
 * a server would have several to one attempt, and nobody could tell which of them it answers. So
 * its checksum is wrong: a router sends it on and quotes it like any other, a host drops it. A
 * firewall may drop it, too; then the hops behind are asked again when the distance is known.
 *
 * Nothing here answers a SYN-ACK. The kernel does, with a RST, because no socket of ours is
 * connecting: so the server is left with no half-open connection. Where no SYN-ACK came, the server
 * may have sent one all the same: before the next attempt, a RST takes the last one back. If that
 * is lost, too, the server still waits for the last handshake to end, and answers the next SYN with
 * an ACK of that (RFC 9293 §3.10.7.4, tcp_check_req() in net/ipv4/tcp_minisocks.c): a reminder, and
 * as good an answer to the SYN that drew it.
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
    RELEASE_TTL = 64,
};

static int finish_segment(const struct sonde_spec *spec, const struct sonde_format *format,
                          uint32_t token, struct wr *wr, struct sonde_tx *ret_tx)
{
    const struct sonde_flow *flow = &spec->flow;
    uint64_t sum = csum_add(0, (struct sonde_span){wr->data, wr->len});
    sum += csum_pseudo(&flow->src, &flow->dst, IP_PROTO_TCP, (uint32_t)wr->len);
    sum += format->is_blind; /* wrong by one: routers do not look at it, hosts drop it unanswered */
    wr_patch_u16(wr, CHECKSUM_OFFSET, csum_finish(sum));
    ret_tx->header_len = wr->len;
    return probe_finish(spec, format, token, wr, ret_tx);
}

static int tcp_build(const struct sonde_spec *spec, const struct sonde_format *format,
                     const struct probe_name *name, uint8_t *buf, size_t cap,
                     struct sonde_tx *ret_tx)
{
    const struct sonde_flow *flow = &spec->flow;
    const struct tcp_header tcp = {
        .src_port = flow->src_port,
        .dst_port = flow->dst_port,
        .seq = probe_attempt_number(spec->isn, name->attempt),
        .flags = TCP_SYN,
        .window = SYN_WINDOW,
        .options =
            {
                .mss = flow->dst.family == SONDE_FAMILY_IPV6 ? SYN_MSS6 : SYN_MSS4,
                .sack_permitted = true,
                .has_timestamps = true,
                .ts_value = spec->ts_base + name->token,
                .window_scale = SYN_WINDOW_SCALE,
            },
    };
    struct wr wr = wr_init(buf, cap);
    tcp_encode(&wr, &tcp);
    return finish_segment(spec, format, name->token, &wr, ret_tx);
}

/* A RST is acceptable to who is waiting for the handshake to end if it has the very number that is
 * expected next: RFC 5961 §3.2. */
static int tcp_release(const struct sonde_spec *spec, uint32_t attempt, uint8_t *buf, size_t cap,
                       struct sonde_tx *ret_tx)
{
    struct sonde_format format = spec->format;
    format.ttl = RELEASE_TTL;
    const struct tcp_header tcp = {
        .src_port = spec->flow.src_port,
        .dst_port = spec->flow.dst_port,
        .seq = probe_attempt_number(spec->isn, attempt) + 1,
        .flags = TCP_RST,
        .options = {.window_scale = -1},
    };
    struct wr wr = wr_init(buf, cap);
    tcp_encode(&wr, &tcp);
    return finish_segment(spec, &format, attempt, &wr, ret_tx);
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
    match->is_reminder = tcp->flags == TCP_ACK;
    if (!is_rst && !is_syn_ack && !match->is_reminder)
        return SONDE_DISCARD_NOT_A_RESULT;
    /* RFC 9293 §3.10.7.3: in SYN-SENT even a RST is acceptable only if it acknowledges the SYN */
    if ((tcp->flags & TCP_ACK) == 0 || !probe_match_attempt(spec->isn, tcp->ack - 1, match))
        return SONDE_DISCARD_BAD_TOKEN;
    match->outcome = is_rst ? SONDE_OUTCOME_CLOSED : SONDE_OUTCOME_OPEN;
    if (is_syn_ack && tcp->options.has_timestamps && tcp->options.ts_echo != 0) {
        match->has_token = match->has_full_token = true;
        match->token = tcp->options.ts_echo - spec->ts_base;
    }
    return 0;
}

static int error_match(const struct sonde_spec *spec, const struct tcp_header *tcp,
                       const struct sonde_rx *rx, struct sonde_match *match)
{
    /* The ISN has 20 secret bits: with them even a source port that a NAT changed is believed. One
     * more has what took an attempt back, which is no probe. */
    match->outcome = probe_error_outcome(rx);
    match->is_release = probe_match_attempt(spec->isn, tcp->seq - 1, match);
    if (match->is_release)
        return 0;
    if (!probe_match_attempt(spec->isn, tcp->seq, match))
        return tcp->src_port == spec->flow.src_port ? SONDE_DISCARD_BAD_TOKEN
                                                    : SONDE_DISCARD_FOREIGN;
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
    .naming = PROBE_NAMING_ATTEMPT,
    .refusal = PROBE_REFUSED_IN_KIND,
    .think_ns = 0,
    .build = tcp_build,
    .release = tcp_release,
    .match = tcp_match,
};
