/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes of one flow with different formats, through the engine: each is sent with its own, known
 * by what comes back of it, and recorded with its own. That every record says what left is checked
 * by fake_net.c for all tests; here the formats differ.
 *
 * The engine gives each probe the format of its trace. The tests change that from probe to probe.
 */
#include "engine/state.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>

enum { FORMATS = 4, HEADERS = 28, HEADERS6 = 48 };

static const enum sonde_family families[] = {SONDE_FAMILY_IPV4, SONDE_FAMILY_IPV6};

/* Sizes without a token in the payload, and with one. */
static const struct sonde_format formats[FORMATS] = {
    {.size_bytes = HEADERS, .ecn = 1},
    {.size_bytes = 64, .ecn = 2, .dont_fragment = true},
    {.size_bytes = 120, .ecn = 3},
    {.size_bytes = 41, .ecn = 0, .dont_fragment = true},
};

static void give(struct net *net, size_t at)
{
    net->engine->traces[0]->spec.format = formats[at % FORMATS];
}

/* The probe has the format that is its turn's; the next one has another. */
static void take_turn(struct net *net, const struct sonde_tx *tx)
{
    const struct sonde_format *wanted = &formats[net->seen % FORMATS];
    bool ipv6 = tx->flow->dst.family == SONDE_FAMILY_IPV6;
    size_t least = ipv6 ? HEADERS6 : HEADERS;
    if (tx->flow->protocol != IP_PROTO_TCP)
        cr_expect_eq(packet_size(tx), wanted->size_bytes < least ? least : wanted->size_bytes);
    cr_expect_eq(tx->tos, wanted->ecn);
    cr_expect_eq(tx->dont_fragment, wanted->dont_fragment || ipv6);
    give(net, ++net->seen);
}

static void answer(struct net *net, const struct sonde_tx *tx)
{
    take_turn(net, tx);
    net_open_path(net, tx);
}

static struct net *new_net(enum sonde_family family, const char *service, uint32_t cycles)
{
    struct engine_plan plan = net_plan();
    plan.cycles = cycles;
    struct net *net = net_new(&plan);
    net->family = family;
    net->batch = 1; /* the format of the next probe is chosen after this one has left */
    net->on_probe = answer;
    net->quote_len = 40; /* a whole SYN */
    net_add(net, service);
    give(net, 0);
    engine_start(net->run, 0);
    return net;
}

Test(engine_format, probes_of_one_flow_are_told_apart_and_recorded_each_with_its_own)
{
    static const char *const services[] = {"icmp", "tcp"};
    for (size_t i = 0; i < 4; i++) {
        struct net *net = new_net(families[i % 2], services[i / 2], 12);
        net_run(net);
        cr_expect_eq(net_count(net, 0, 0, true), 12);
        cr_expect_eq(net_outcomes(net, i < 2 ? SONDE_OUTCOME_ECHO_REPLY : SONDE_OUTCOME_OPEN) +
                         net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED) + net_unawaited(net),
                     net->ended, "%s over IPv%d", services[i / 2], (int)families[i % 2]);
        cr_expect_eq(net_discards(net), 0);
        unsigned of[FORMATS] = {0};
        for (size_t k = 0; k < net->probe_count; k++)
            of[net->probes[k].ecn]++; /* each format has another */
        for (size_t k = 0; k < FORMATS; k++)
            cr_expect_gt(of[k], 3, "format %zu", k);
        net_free(net);
    }
}

/* Routers that rewrite what they see: no ECN, and DF the other way round. */
static void rewrite(struct net *net, const struct sonde_tx *tx)
{
    struct sonde_tx arrived = *tx;
    take_turn(net, tx);
    arrived.tos = 0;
    arrived.dont_fragment = !tx->dont_fragment;
    net_open_path(net, &arrived);
}

static unsigned quotes_seen;

static void see_quote(struct net *net, const struct sonde_event *event)
{
    if (!event->has_quoted)
        return;
    quotes_seen++;
    cr_expect_eq(event->outcome, SONDE_OUTCOME_TTL_EXCEEDED);
    cr_expect_eq(event->quoted_ecn, 0);
    cr_expect_eq(event->quoted_dont_fragment,
                 net->family == SONDE_FAMILY_IPV6 || !event->dont_fragment);
}

Test(engine_format, a_quote_that_routers_rewrote_is_its_probes_and_told_as_it_came)
{
    static const char *const services[] = {"icmp", "tcp"};
    for (size_t i = 0; i < 4; i++) {
        struct net *net = new_net(families[i % 2], services[i / 2], 4);
        net->on_probe = rewrite;
        net->on_event = see_quote;
        quotes_seen = 0;
        net_run(net);
        cr_expect_geq(quotes_seen, 4, "routers 1 to 4 are asked at least once");
        cr_expect_eq(quotes_seen, net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED));
        cr_expect_eq(net_discards(net), 0);
        net_free(net);
    }
}

/* The kernel takes nothing at first. Meanwhile other formats are given. */
static int take_later(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    if (net->now >= 20 * MS)
        return 0;
    give(net, 1);
    return -EAGAIN;
}

static void look_at_first(struct net *net, const struct sonde_tx *tx)
{
    if (net->seen++ == 0) {
        cr_expect_geq(net->now, 20 * MS);
        cr_expect_eq(packet_size(tx), 28);
        cr_expect_eq(tx->tos, 1);
        cr_expect_not(tx->dont_fragment);
    }
    net_open_path(net, tx);
}

Test(engine_format, a_probe_that_has_to_wait_keeps_the_format_it_was_chosen_with)
{
    struct net *net = new_net(SONDE_FAMILY_IPV4, "icmp", 1);
    net->on_send = take_later;
    net->on_probe = look_at_first;
    net_run(net);
    cr_expect_gt(net->seen, 1);
    cr_expect_gt(net_outcomes(net, SONDE_OUTCOME_ECHO_REPLY), 0);
    net_free(net);
}

/* QUIC's Initial may not be divided, whatever the format says: RFC 9000 §14. */
Test(engine_format, a_question_may_ask_not_to_be_divided_and_the_record_says_so)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->payload = &payload_quic;
    net->on_probe = net_silent;
    net_add(net, "udp");
    engine_start(net->run, 0);
    net_run_until(net, MS);
    cr_assert_gt(net->probe_count, 0);
    cr_expect(net->probes[0].dont_fragment);
    net_run(net);
    net_free(net);
}
