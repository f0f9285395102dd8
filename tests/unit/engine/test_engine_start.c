/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's limits, its first packets, and a run in which everything answers. */
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct tally *new_tally(void)
{
    struct tally *tally = NULL;
    cr_assert_eq(tally_new(255, &tally), 0);
    return tally;
}

static struct engine *new_engine(void)
{
    struct engine *engine = NULL;
    cr_assert_eq(engine_new(&(struct engine_config){0}, 0, &engine), 0);
    return engine;
}

Test(start, a_plan_out_of_range_is_refused)
{
    struct engine_plan bad[10];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        bad[i] = net_plan();
    bad[0].interval_ns = 0;
    bad[1].interval_ns = -1;
    bad[2].timeout_ns = 0;
    bad[3].timeout_ns = -5;
    bad[4].duration_ns = -1;
    bad[5].first_ttl = 0;
    bad[6].max_ttl = 0;
    bad[7].first_ttl = 31; /* above max_ttl */
    bad[8].gap_limit = 0;
    bad[9].interval_ns = INT64_MIN;
    struct engine *engine = new_engine();
    struct tally *tally = new_tally();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct engine_run *run = NULL;
        cr_expect_eq(engine_add_run(engine, &bad[i], tally, &run), -EINVAL, "plan %zu", i);
        cr_expect_null(run, "plan %zu", i);
    }
    engine_free(engine);
    tally_free(tally);
}

Test(start, the_ends_of_every_range_are_accepted)
{
    struct engine_plan good[3];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        good[i] = net_plan();
    good[0].first_ttl = good[0].max_ttl = good[0].gap_limit = 255;
    good[1].interval_ns = good[1].timeout_ns = good[1].duration_ns = 1;
    good[2].interval_ns = good[2].timeout_ns = good[2].duration_ns = SONDE_NS_NEVER - 1;
    struct engine *engine = new_engine();
    struct tally *tally = new_tally();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct engine_run *run = NULL;
        cr_expect_eq(engine_add_run(engine, &good[i], tally, &run), 0, "plan %zu", i);
    }
    engine_free(engine);
    tally_free(tally);
}

/* A flow of its own for each number. */
static struct sonde_spec numbered_spec(const struct sonde_addr *addr, uint16_t number)
{
    return (struct sonde_spec){
        .flow = {.dst = *addr, .protocol = IP_PROTO_TCP, .src_port = number, .dst_port = 443},
        .format = {.size_bytes = 64},
    };
}

Test(start, what_does_not_fit_is_refused)
{
    struct engine_plan plan = net_plan();
    struct tally *tally = new_tally();
    struct engine *engine = new_engine();
    struct engine_run *run = NULL;
    struct sonde_addr addr;
    cr_assert_eq(engine_add_run(engine, &plan, tally, &run), 0);
    cr_assert_eq(sonde_addr_parse("198.51.100.7", &addr), 0);
    cr_expect_eq(engine_add_target(run, &addr, 68), -ENOSPC, "67 for one target");
    cr_assert_eq(engine_add_target(run, &addr, 67), 0);
    for (uint16_t i = 0; i < 67; i++) {
        struct sonde_spec spec = numbered_spec(&addr, i);
        cr_assert_eq(engine_add_trace(run, &probe_tcp, &spec), 0);
    }
    struct sonde_spec spec = numbered_spec(&addr, 67);
    cr_expect_eq(engine_count_flows(engine, &spec.flow), 67);
    cr_expect_eq(engine_add_trace(run, &probe_tcp, &spec), -ENOSPC, "no more than announced");
    cr_expect_eq(engine_add_standby(run, &probe_tcp, &spec), -ENOSPC, "nor to stand by");
    cr_expect_eq(tally->target_count, 1, "the tally knows it, too");
    cr_expect_eq(tally->targets[0]->service_count, 67);
    engine_free(engine);
    tally_free(tally);
}

Test(start, a_tally_that_holds_something_already_is_refused)
{
    struct engine_plan plan = net_plan();
    struct tally *tally = new_tally();
    struct engine *engine = new_engine();
    struct engine_run *run = NULL;
    struct sonde_addr addr;
    cr_assert_eq(sonde_addr_parse("198.51.100.7", &addr), 0);
    cr_assert_eq(tally_add_target(tally, &addr, 1), 0);
    cr_expect_eq(engine_add_run(engine, &plan, tally, &run), -EINVAL);
    cr_expect_null(run);
    engine_free(engine);
    tally_free(tally);
}

Test(start, flows_are_counted_by_destination_protocol_and_port)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net_add(net, "icmp tcp tcp udp");
    const struct {
        const char *what;
        struct sonde_flow flow;
        uint32_t count;
    } cases[] = {
        {"icmp", {.protocol = IP_PROTO_ICMP}, 1},
        {"1001/tcp", {.protocol = IP_PROTO_TCP, .dst_port = 1001}, 1},
        {"1001/udp", {.protocol = IP_PROTO_UDP, .dst_port = 1001}, 0},
        {"1003/udp", {.protocol = IP_PROTO_UDP, .dst_port = 1003}, 1},
        {"1009/tcp", {.protocol = IP_PROTO_TCP, .dst_port = 1009}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_flow flow = cases[i].flow;
        flow.dst = net_target_addr(net, 0);
        cr_expect_eq(engine_count_flows(net->engine, &flow), cases[i].count, "%s", cases[i].what);
        flow.dst = net_target_addr(net, 1);
        cr_expect_eq(engine_count_flows(net->engine, &flow), 0, "%s elsewhere", cases[i].what);
    }
    net_free(net);
}

Test(start, all_traces_that_go_where_a_flow_does_are_found)
{
    struct sonde_addr addr = {.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 1}};
    struct engine_plan plan = net_plan();
    struct tally *tally = new_tally();
    struct engine *engine = new_engine();
    struct engine_run *run = NULL;
    cr_assert_eq(engine_add_run(engine, &plan, tally, &run), 0);
    for (uint16_t i = 0; i < 5; i++) { /* two traces of the first target, three of the second */
        struct sonde_spec spec = numbered_spec(&addr, i);
        if (i == 1)
            spec.flow.dst_port++; /* goes elsewhere */
        if (i == 0 || i == 2)
            cr_assert_eq(engine_add_target(run, &addr, i == 0 ? 2 : 3), 0);
        cr_assert_eq(engine_add_trace(run, &probe_tcp, &spec), 0);
    }
    static const struct engine_place expected[] = {{1, 2}, {1, 1}, {1, 0}, {0, 0}};
    const struct sonde_spec spec = numbered_spec(&addr, 0);
    struct engine_place place;
    for (uint32_t nth = 0; nth < 4; nth++) {
        cr_assert(engine_find_flow(run, &spec.flow, nth, &place));
        cr_expect_eq(place.target, expected[nth].target);
        cr_expect_eq(place.trace, expected[nth].trace);
    }
    cr_expect_not(engine_find_flow(run, &spec.flow, 4, &place));
    engine_free(engine);
    tally_free(tally);
}

Test(start, without_a_target_everything_is_done)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    engine_start(net->run, 0);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    cr_expect_eq(engine_deadline_ns(net->engine), SONDE_NS_NEVER);
    net_turn(net);
    cr_expect_eq(net->sent, 0);
    net_free(net);
}

Test(start, a_target_without_services_is_done_at_once)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net_add(net, "");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net->sent, 0);
    cr_expect_eq(net->now, 0);
    net_free(net);
}

/* State first: one round trip later the user knows what is open. */
Test(start, the_first_packets_ask_every_service_at_full_ttl)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net_add(net, "icmp tcp udp tcp");
    engine_start(net->run, 0);
    net_turn(net);
    cr_assert_geq(net->probe_count, 4);
    unsigned services = 0;
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(net->probes[i].ttl, 64, "what hosts send with, whatever max_ttl is");
        cr_expect_eq(net->probes[i].sent_ns, 0);
        services |= 1U << net->probes[i].service;
    }
    cr_expect_eq(services, 0xf, "each service once");
    net_run(net);
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect(net->probes[i].to_target);
    net_free(net);
}

Test(start, every_service_of_every_target_is_asked_at_full_ttl_first)
{
    struct engine_plan plan = net_plan();
    plan.targets = 5;
    struct net *net = net_new(&plan);
    for (int i = 0; i < 5; i++)
        net_add(net, "icmp tcp udp");
    engine_start(net->run, 0);
    net_run(net);
    bool asked[5][3] = {{false}};
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        cr_expect(asked[probe->target][probe->service] || probe->ttl == 64);
        asked[probe->target][probe->service] = true;
    }
    net_free(net);
}

/* The same in each family: who answered, as what, after how long; and it does not take long. */
static void expect_all_answered(enum sonde_family family, size_t quote_len)
{
    static const enum sonde_outcome outcomes[] = {
        SONDE_OUTCOME_ECHO_REPLY,
        SONDE_OUTCOME_OPEN,
        SONDE_OUTCOME_UDP_REPLY,
    };
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->family = family;
    net->quote_len = quote_len;
    net_add(net, "icmp tcp udp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    /* A round trip takes 20 ms. Then the distance is known, an eighth later the target may be asked
     * again, and with the steps of the walk all is there after another. */
    cr_expect_leq(net->now, 20 * MS + 20 * MS / 8 + 20 * MS + 2 * MS);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool hop = probe->ttl < net->distance;
        if (probe->unawaited) {
            cr_expect_geq(probe->ttl, net->distance, "a hop is waited for");
            cr_expect_eq(probe->service, 1, "only a SYN may go ahead so that nothing comes of it");
            continue;
        }
        struct sonde_addr from =
            hop ? net_router_addr(net, probe->ttl) : net_target_addr(net, probe->target);
        cr_expect_eq(probe->outcome, hop ? SONDE_OUTCOME_TTL_EXCEEDED : outcomes[probe->service]);
        cr_expect(sonde_addr_equal(&probe->from, &from));
        cr_expect_not(probe->uncertain);
        cr_expect_eq(probe->rtt_ns, 2 * (hop ? probe->ttl : net->distance) * net->hop_ns);
        cr_expect_eq(probe->cycle, 0);
        cr_expect_eq(probe->late + probe->duplicates, 0);
    }
    for (uint32_t service = 0; service < 3; service++) {
        cr_expect_eq(net_count(net, service, 0, true), 1);
        for (uint8_t ttl = 1; ttl <= net->distance; ttl++) {
            /* in a single cycle a SYN that shows nothing new is not worth a round trip */
            uint64_t expected = service != 1 || ttl < net->distance;
            cr_expect_eq(net_count(net, service, ttl, false), expected, "service %u, TTL %u",
                         service, ttl);
        }
    }
    for (int reason = 0; reason < SONDE_DISCARD_COUNT; reason++)
        cr_expect_eq(net_discard_counts(net).count[reason], 0);
    net_free(net);
}

Test(start, every_hop_and_the_target_answer_over_ipv4)
{
    expect_all_answered(SONDE_FAMILY_IPV4, 8); /* RFC 792 */
    expect_all_answered(SONDE_FAMILY_IPV4, 28);
    expect_all_answered(SONDE_FAMILY_IPV4, SIZE_MAX);
}

Test(start, every_hop_and_the_target_answer_over_ipv6)
{
    expect_all_answered(SONDE_FAMILY_IPV6, SIZE_MAX); /* RFC 4443 §2.4 (c): as much as fits */
}

Test(start, the_start_need_not_be_at_zero)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->now = INT64_C(4000000000) * S; /* 126 years of uptime */
    net_add(net, "icmp tcp");
    engine_start(net->run, net->now);
    sonde_ns start = net->now;
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    cr_expect_lt(net->now, start + 500 * MS);
    net_free(net);
}
