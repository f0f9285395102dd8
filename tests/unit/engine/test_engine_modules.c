/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two modules of one protocol: TCP probes with SYN, as sonde has them, and with ACK, a module of
 * this test alone. Both ask one port of one host at the same time; neither may take the other's
 * answers.
 */
#include "tests/unit/engine/fake_net.h"
#include "wire/csum.h"
#include "wire/udp.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SYNS = 0, ACKS = 1 /* the services */ };

/* An ACK that belongs to no connection. It has a sequence number that names its attempt, and
 * acknowledges one that does. */
static int ack_build(const struct sonde_spec *spec, const struct sonde_format *format,
                     const struct probe_name *name, uint8_t *buf, size_t cap,
                     struct sonde_tx *ret_tx)
{
    const struct sonde_flow *flow = &spec->flow;
    const struct tcp_header tcp = {
        .src_port = flow->src_port,
        .dst_port = flow->dst_port,
        .seq = probe_attempt_number(spec->isn, name->attempt),
        .ack = probe_attempt_number(spec->ts_base, name->attempt),
        .flags = TCP_ACK,
        .options.window_scale = -1,
    };
    struct wr wr = wr_init(buf, cap);
    tcp_encode(&wr, &tcp);
    uint64_t sum = csum_add(0, (struct sonde_span){wr.data, wr.len}) + format->is_blind;
    sum += csum_pseudo(&flow->src, &flow->dst, IP_PROTO_TCP, (uint32_t)wr.len);
    wr_patch_u16(&wr, 16, csum_finish(sum));
    ret_tx->header_len = wr.len;
    return probe_finish(spec, format, name->token, &wr, ret_tx);
}

/* RFC 9293 §3.10.7.1: a reset whose sequence number is what the ACK acknowledged. */
static int ack_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                     struct sonde_match *ret_match)
{
    struct sonde_match match = {.questions = PROBE_ANY_QUESTION};
    struct tcp_header tcp;
    bool is_error = rx->kind == SONDE_RX_ERROR;
    if (tcp_decode(is_error ? rx->quote.segment : rx->segment, &tcp) < 0)
        return SONDE_DISCARD_MALFORMED;
    if (!is_error && tcp.flags != TCP_RST)
        return SONDE_DISCARD_NOT_A_RESULT;
    if (!probe_match_attempt(is_error ? spec->isn : spec->ts_base, tcp.seq, &match))
        return SONDE_DISCARD_BAD_TOKEN;
    match.outcome = is_error ? probe_error_outcome(rx) : SONDE_OUTCOME_CLOSED;
    if (is_error)
        (void)probe_match_id(spec, rx, &match);
    *ret_match = match;
    return 0;
}

static const struct sonde_probe_ops probe_ack = {
    .name = "ack",
    .protocol = IP_PROTO_TCP,
    .has_ports = true,
    .naming = PROBE_NAMING_ATTEMPT,
    .build = ack_build,
    .match = ack_match,
};

/* Likewise of a module whose answers have nothing of their own that would tell whose they are. */
static int bare_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                      struct sonde_match *ret_match)
{
    struct sonde_match match = {.questions = PROBE_ANY_QUESTION};
    struct tcp_header tcp;
    if (rx->kind == SONDE_RX_ERROR)
        return ack_match(spec, rx, ret_match);
    if (tcp_decode(rx->segment, &tcp) < 0 || tcp.flags != TCP_RST)
        return SONDE_DISCARD_NOT_A_RESULT;
    match.outcome = SONDE_OUTCOME_CLOSED;
    *ret_match = match;
    return 0;
}

static const struct sonde_probe_ops probe_bare = {
    .name = "bare",
    .protocol = IP_PROTO_TCP,
    .has_ports = true,
    .naming = PROBE_NAMING_NOTHING,
    .build = ack_build,
    .match = bare_match,
};

static bool is_ack(const struct sonde_tx *tx)
{
    struct tcp_header tcp;
    cr_assert_eq(tcp_decode(tx->segment, &tcp), 0);
    return tcp.flags == TCP_ACK;
}

static void reset(struct net *net, const struct sonde_tx *tx)
{
    struct tcp_header ack;
    cr_assert_eq(tcp_decode(tx->segment, &ack), 0);
    const struct tcp_header rst = {.seq = ack.ack, .flags = TCP_RST, .options.window_scale = -1};
    net_tcp(net, tx, net_rtt(net), &rst);
}

static const enum sonde_family families[] = {SONDE_FAMILY_IPV4, SONDE_FAMILY_IPV6};

/* What the host does, bit n: it answers service n. */
static void answer(struct net *net, const struct sonde_tx *tx)
{
    bool answers = (net->seen >> net_service_of(tx) & 1) != 0;
    if (net_expires(net, tx) || !answers)
        return;
    if (is_ack(tx))
        reset(net, tx);
    else
        net_reply(net, tx, net_rtt(net));
}

static struct net *new_net(const struct sonde_probe_ops *module, const char *services,
                           enum sonde_family family, uint64_t answered)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 4;
    struct net *net = net_new(&plan);
    net->seen = answered;
    net->one_port = true;
    net->module = module;
    net->family = family;
    net->naming[0] = PROBE_NAMING_NOTHING;
    net->on_probe = answer;
    net_add(net, services);
    return net;
}

/* How many probes of a service ended so at full TTL. */
static size_t count(const struct net *net, uint32_t service, enum sonde_outcome outcome)
{
    size_t found = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        found += probe->ended && !probe->unawaited && probe->service == service &&
                 probe->to_target && probe->outcome == outcome;
    }
    return found;
}

static uint8_t distance(const struct net *net, uint32_t service)
{
    return net->tally->targets[0]->services[service]->reach.dest_ttl;
}

Test(modules, two_of_one_protocol_ask_one_port_side_by_side)
{
    for (size_t i = 0; i < 2; i++) {
        struct net *net = new_net(&probe_ack, "tcp ack", families[i], 1U << SYNS | 1U << ACKS);
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(count(net, SYNS, SONDE_OUTCOME_OPEN), 4);
        cr_expect_eq(count(net, ACKS, SONDE_OUTCOME_CLOSED), 4);
        cr_expect_eq(count(net, SYNS, SONDE_OUTCOME_CLOSED), 0);
        cr_expect_eq(count(net, ACKS, SONDE_OUTCOME_OPEN), 0);
        cr_expect_eq(distance(net, SYNS), 5);
        cr_expect_eq(distance(net, ACKS), 5);
        if (families[i] == SONDE_FAMILY_IPV4) /* over IPv6 no quote of an ACK names the probe */
            cr_expect_eq(net_discards(net), 0);
        net_free(net);
    }
}

/* Each flow has its own source port: that is enough. */
Test(modules, answers_that_say_nothing_are_told_apart_by_their_flow)
{
    for (uint32_t answered = 0; answered < 2; answered++) {
        struct net *net = new_net(&probe_bare, "bare bare", SONDE_FAMILY_IPV4, 1U << answered);
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(count(net, answered, SONDE_OUTCOME_CLOSED), 4, "service %u", answered);
        cr_expect_eq(count(net, 1 - answered, SONDE_OUTCOME_CLOSED), 0, "service %u", answered);
        cr_expect_eq(count(net, 1 - answered, SONDE_OUTCOME_NO_REPLY), 4, "service %u", answered);
        net_free(net);
    }
}

Test(modules, where_one_is_dropped_the_answers_of_the_other_are_not_taken_for_its_own)
{
    for (uint32_t answered = SYNS; answered <= ACKS; answered++) {
        uint32_t dropped = answered == SYNS ? ACKS : SYNS;
        struct net *net = new_net(&probe_ack, "tcp ack", SONDE_FAMILY_IPV4, 1U << answered);
        engine_start(net->run, 0);
        net_run(net);
        enum sonde_outcome outcome = answered == SYNS ? SONDE_OUTCOME_OPEN : SONDE_OUTCOME_CLOSED;
        cr_expect_eq(count(net, answered, outcome), 4, "service %u", answered);
        cr_expect_eq(count(net, dropped, SONDE_OUTCOME_NO_REPLY), 4, "service %u", dropped);
        cr_expect_eq(distance(net, dropped), 0);
        cr_expect_eq(net_discards(net), 0);
        net_free(net);
    }
}

/* Schedule the error of a probe's router, which quotes it with another source port. */
static void expire_translated(struct net *net, const struct sonde_tx *tx, uint16_t src_port)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct sonde_tx quoted = *tx;
    cr_assert_leq(tx->segment.len, sizeof bytes);
    memcpy(bytes, tx->segment.data, tx->segment.len);
    bytes[0] = (uint8_t)(src_port >> 8);
    bytes[1] = (uint8_t)src_port;
    quoted.segment = (struct sonde_span){bytes, tx->segment.len};
    net_error(net, &quoted, 2 * tx->ttl * net->hop_ns, tx->ttl, 11, 0);
}

/* A NAT gives each flow the source port of the other one, and translates no quote back. */
static void answer_translated(struct net *net, const struct sonde_tx *tx)
{
    uint32_t other = net_service_of(tx) == SYNS ? ACKS : SYNS;
    if (tx->ttl >= net->distance)
        answer(net, tx);
    else
        expire_translated(net, tx, (uint16_t)(NET_OWN_PORT + other));
}

Test(modules, a_quote_with_the_source_port_of_the_other_goes_to_whose_numbers_it_has)
{
    struct net *net = new_net(&probe_ack, "tcp ack", SONDE_FAMILY_IPV4, 1U << SYNS | 1U << ACKS);
    net->on_probe = answer_translated;
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = SYNS; service <= ACKS; service++) {
        for (uint8_t ttl = 1; ttl < 5; ttl++) {
            struct sonde_addr router = net_router_addr(net, ttl);
            const struct tally_hop *hop = net->tally->targets[0]->services[service]->hops[ttl];
            cr_assert_not_null(hop, "service %u, TTL %u", service, ttl);
            cr_expect_eq(hop->received, hop->sent, "service %u, TTL %u", service, ttl);
            cr_expect_gt(hop->sent, 0, "service %u, TTL %u", service, ttl);
            cr_expect_eq(hop->responder_count, 1);
            cr_expect(sonde_addr_equal(&hop->responders[0].addr, &router));
        }
    }
    cr_expect_eq(net_discards(net), 0);
    net_free(net);
}

/* It quotes another source port, and a cookie (the first bytes behind the header of UDP) that is
 * not that of the service. */
static void quote_another_cookie(struct net *net, const struct sonde_tx *tx)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct sonde_tx quoted = *tx;
    if (tx->ttl >= net->distance)
        return;
    cr_assert_leq(tx->segment.len, sizeof bytes);
    memcpy(bytes, tx->segment.data, tx->segment.len);
    bytes[UDP_HEADER_BYTES] ^= 1;
    quoted.segment = (struct sonde_span){bytes, tx->segment.len};
    expire_translated(net, &quoted, NET_OWN_PORT - 1);
}

Test(modules, a_quote_with_neither_source_port_nor_cookie_of_a_service_is_refused_for_its_cookie)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = quote_another_cookie;
    net_add(net, "udp");
    engine_start(net->run, 0);
    net_run(net);
    size_t quotes = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        quotes += net->probes[i].ttl < net->distance;
    cr_expect_gt(quotes, 0);
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_BAD_TOKEN], quotes);
    cr_expect_eq(net_discards(net), quotes);
    net_free(net);
}

Test(modules, the_shortest_quotes_do_not_mix_them_up)
{
    for (size_t i = 0; i < 2; i++) {
        struct net *net = new_net(&probe_ack, "tcp ack", families[i], 1U << SYNS | 1U << ACKS);
        net->quote_len = 8;
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(count(net, SYNS, SONDE_OUTCOME_OPEN), 4);
        cr_expect_eq(count(net, ACKS, SONDE_OUTCOME_CLOSED), 4);
        cr_expect_eq(distance(net, SYNS), 5);
        cr_expect_eq(distance(net, ACKS), 5);
        net_free(net);
    }
}
