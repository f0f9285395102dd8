/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What silence changes: who becomes a suspect and when, what is asked because of that, and that the
 * hops' budgets bear it.
 *
 * The path has five hops of 2 ms one way, so the target is 20 ms away and router 4 is 16 ms away.
 */
#include "base/prng.h"
#include "engine/internal.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

enum {
    DROPPER = 3, /* the router that drops the services of net->seen, once it has seen the TTL */
    BURST = 5,   /* probes to a hop at once, and then one a second */
};

static bool is_dropped(const struct net *net, uint32_t service)
{
    return (net->seen >> service & 1) != 0;
}

static void some_dropped(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl <= DROPPER || !is_dropped(net, net_service_of(tx)))
        net_open_path(net, tx);
}

/* A target with these services and standbys; of them, router 3 drops those of the set. */
static struct net *start_net(const struct engine_config *config, const char *services,
                             uint64_t dropped)
{
    struct net *net = net_new(config);
    net->on_probe = some_dropped;
    net->seen = dropped;
    net_add(net, services);
    engine_start(net->engine, 0);
    return net;
}

static struct engine_config config_of(uint32_t cycles)
{
    struct engine_config config = net_config();
    config.cycles = cycles;
    return config;
}

/* Service 1 becomes a suspect at a time, and not a nanosecond before. */
static void expect_suspect_at(struct net *net, sonde_ns time)
{
    net_run_until(net, time - 1);
    cr_expect_not(net->engine->traces[1].suspect, "before %ld ms", (long)(time / MS));
    net_run_until(net, time);
    cr_expect(net->engine->traces[1].suspect, "at %ld ms", (long)(time / MS));
    engine_stop(net->engine);
    net_free(net);
}

Test(suspect, silence_counts_from_twice_the_longest_round_trip_and_a_little)
{
    struct engine_config config = config_of(3);
    /* the ping's answer took 20 ms: 2 * 20 + 50 */
    expect_suspect_at(start_net(&config, "icmp tcp", 2), 90 * MS);
    /* and a program may think for half a second */
    expect_suspect_at(start_net(&config, "icmp udp", 2), 590 * MS);
    /* only routers answer, the farthest seen is the third, in 12 ms: 3 * 12 + 500 */
    expect_suspect_at(start_net(&config, "icmp tcp", 3), 536 * MS);
}

Test(suspect, where_nothing_answers_silence_counts_from_the_timeout)
{
    struct engine_config config = config_of(5);
    struct net *net = start_net(&config, "icmp tcp", 0);
    net->on_probe = net_silent;
    expect_suspect_at(net, 2 * S);
}

/* The second service answers a nanosecond before it would be a suspect. */
static void just_in_time(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) == 0 || tx->ttl <= DROPPER)
        net_open_path(net, tx);
    else if (tx->ttl == net->config.max_ttl)
        net_reply(net, tx, 90 * MS - 1);
}

Test(suspect, who_answers_in_time_is_none)
{
    struct engine_config config = config_of(3);
    struct net *net = start_net(&config, "icmp tcp +tcp", 0);
    net->on_probe = just_in_time;
    for (sonde_ns time = 0; time <= 3 * S; time += 10 * MS) {
        net_run_until(net, time);
        cr_assert_not(net->engine->traces[1].suspect);
    }
    net_run(net);
    cr_expect_eq(net_count(net, 2, 0, true), 0, "and nothing was begun for it");
    net_free(net);
}

/* Probes to a hop of all services but one. */
static size_t count_others(const struct net *net, uint32_t service, uint8_t ttl)
{
    size_t count = 0;
    for (uint32_t other = 0; other < net->service_count; other++)
        count += other != service ? net_count(net, other, ttl, false) : 0;
    return count;
}

/* Eight services would get five asks at each hop in the first second, and one in each of the next
 * two: without the suspect, no trace is asked twice. */
Test(suspect, it_and_a_control_are_asked_twice_behind_where_it_was_seen)
{
    for (uint32_t silent = 1; silent <= 8; silent++) {
        struct engine_config config = config_of(3);
        config.traces = 9;
        const char *services = "icmp tcp tcp tcp tcp tcp tcp tcp tcp";
        struct net *net = start_net(&config, services, UINT64_C(1) << silent);
        net_run(net);
        for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++) {
            cr_expect_geq(net_count(net, silent, ttl, false), 2, "%u, TTL %u", silent, ttl);
            cr_expect_geq(count_others(net, silent, ttl), 2, "controls, TTL %u", ttl);
        }
        net_free(net);
    }
}

/* The last cycle begins 10 ms after there is a suspect. Of the budget of five, four are used up by
 * then and it takes the fifth, so that its second probe has to wait for the next second. */
Test(suspect, the_last_cycle_waits_for_what_it_needs)
{
    struct engine_config config = config_of(2);
    config.interval_ns = 100 * MS;
    config.traces = 9;
    const char *services = "icmp tcp tcp tcp tcp tcp tcp tcp tcp";
    struct net *net = start_net(&config, services, 1 << 8);
    net_run(net);
    cr_expect_geq(net_count(net, 8, DROPPER + 1, false), 2);
    cr_expect_geq(count_others(net, 8, DROPPER + 1), 2);
    cr_expect_geq(net->now, S);
    net_free(net);
}

Test(suspect, an_answering_trace_of_its_protocol_is_a_control_too)
{
    struct engine_config config = config_of(6);
    struct net *net = start_net(&config, "icmp tcp tcp tcp tcp tcp +tcp", 1 << 1);
    net_run(net);
    for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++) {
        cr_expect_geq(net_count(net, 1, ttl, false), 2, "the suspect, TTL %u", ttl);
        cr_expect_geq(count_others(net, 1, ttl), 2, "controls, TTL %u", ttl);
    }
    cr_expect_eq(net_count(net, 6, 0, true), 0, "so nobody has to stand in");
    net_free(net);
}

/* When the first probe of a service left. */
static sonde_ns first_sent_ns(const struct net *net, uint32_t service)
{
    sonde_ns first = SONDE_NS_NEVER;
    for (size_t i = 0; i < net->probe_count; i++) {
        if (net->probes[i].service == service)
            first = ns_min(first, net->probes[i].sent_ns);
    }
    return first;
}

Test(suspect, a_standby_of_its_protocol_is_begun_if_no_other_trace_answers)
{
    struct engine_config config = config_of(3);
    struct net *net = start_net(&config, "icmp tcp +tcp", 1 << 1);
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 2), 90 * MS, "as soon as there is a suspect: 2 * 20 + 50");
    cr_expect_eq(net_count(net, 2, 0, true), 3, "it is in each cycle");
    for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++)
        cr_expect_geq(net_count(net, 2, ttl, false), 1, "TTL %u", ttl);
    net_free(net);
}

/* The tcp suspect and its control have used up what was kept at every hop. */
Test(suspect, a_standby_asks_the_target_at_once_whatever_the_hops_can_bear)
{
    struct engine_config config = config_of(3);
    struct net *net = start_net(&config, "icmp tcp udp +udp", 1 << 1 | 1 << 2);
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 3), 590 * MS, "as soon as udp is a suspect, too");
    net_free(net);
}

Test(suspect, a_standby_that_is_asked_for_is_probed_like_any_other_from_the_next_cycle_on)
{
    static const struct engine_place standby = {0, 2};
    struct engine_config config = config_of(3);
    struct net *net = start_net(&config, "icmp tcp +tcp", 0);
    cr_expect(engine_begin_standby(net->engine, &standby), "before the first cycle");
    net_run(net);
    cr_expect_eq(net_count(net, 2, 0, true), 3);
    net_free(net);

    net = start_net(&config, "icmp tcp +tcp", 0);
    net_run_until(net, config.interval_ns / 2);
    cr_expect(engine_begin_standby(net->engine, &standby), "in the first");
    cr_expect(engine_begin_standby(net->engine, &standby), "it does not stand by any more");
    net_run(net);
    cr_expect_eq(net_count(net, 2, 0, true), 2);
    cr_expect(engine_begin_standby(net->engine, &standby));
    net_free(net);

    net = start_net(&config, "icmp tcp +tcp", 0);
    net_run(net);
    cr_expect_not(engine_begin_standby(net->engine, &standby), "there is no other cycle");
    net_free(net);
}

Test(suspect, a_standby_of_another_protocol_is_not)
{
    struct engine_config config = config_of(3);
    struct net *net = start_net(&config, "icmp udp +tcp", 1 << 1);
    net_run(net);
    cr_expect_eq(net_count(net, 2, 0, true) + net_count(net, 2, 0, false), 0);
    net_free(net);
}

Test(suspect, a_healthy_run_begins_no_standby)
{
    for (uint32_t cycles = 1; cycles <= 4; cycles++) {
        struct engine_config config = config_of(cycles);
        struct net *net = start_net(&config, "icmp tcp udp +tcp", 0);
        net_run(net);
        cr_expect_eq(net_count(net, 3, 0, true) + net_count(net, 3, 0, false), 0);
        net_free(net);
    }
}

/* What never left this machine is no silence of anybody. */
static int second_is_blocked(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    return net_service_of(tx) == 1 ? -EPERM : 0;
}

Test(suspect, what_is_blocked_here_is_none)
{
    struct engine_config config = config_of(3);
    struct net *net = start_net(&config, "icmp tcp +tcp", 0);
    net->on_send = second_is_blocked;
    net_run(net);
    cr_expect_not(net->engine->traces[1].suspect);
    cr_expect_eq(net_count(net, 2, 0, true), 0);
    net_free(net);
}

Test(suspect, who_asks_for_one_cycle_gets_one)
{
    struct engine_config config = config_of(1);
    struct net *net = start_net(&config, "icmp tcp udp +tcp", 1 << 1 | 1 << 2);
    net_run(net);
    for (uint32_t service = 0; service < 3; service++) {
        cr_expect_not(net->engine->traces[service].suspect);
        cr_expect_eq(net_count(net, service, 0, true), 1);
        for (uint8_t ttl = 1; ttl < config.max_ttl; ttl++)
            cr_expect_leq(net_count(net, service, ttl, false), 1, "%u, TTL %u", service, ttl);
    }
    cr_expect_eq(net_count(net, 3, 0, true) + net_count(net, 3, 0, false), 0);
    net_free(net);
}

/* Nobody becomes a suspect in the last cycle either: its second probe may be on its way. */
Test(suspect, nobody_becomes_one_in_the_last_cycle)
{
    struct engine_config config = config_of(2);
    config.interval_ns = 80 * MS; /* the last cycle begins 10 ms before */
    struct net *net = start_net(&config, "icmp tcp +tcp", 1 << 1);
    net_run(net);
    cr_expect_not(net->engine->traces[1].suspect);
    cr_expect_eq(net_count(net, 2, 0, true), 0);
    net_free(net);
}

/* Probes that went to a hop so far, all services together. */
static size_t count_asked(const struct net *net, uint8_t ttl)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        count += net->probes[i].ttl == ttl;
    return count;
}

Test(suspect, a_part_of_the_burst_is_kept_until_everybody_is_answered)
{
    struct engine_config config = config_of(3);
    const char *services = "icmp tcp tcp tcp tcp tcp tcp";
    struct net *net = start_net(&config, services, 1 << 4);
    net_run_until(net, 89 * MS);
    for (uint8_t ttl = 1; ttl < net->distance; ttl++) /* the controls were answered already */
        cr_expect_eq(count_asked(net, ttl), BURST - 1, "TTL %u", ttl);
    cr_expect_eq(count_asked(net, net->distance), BURST, "full-TTL probes tell of the target");
    net_run_until(net, 100 * MS);
    for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++)
        cr_expect_eq(count_asked(net, ttl), BURST, "TTL %u", ttl);
    engine_stop(net->engine);
    net_free(net);
    net = start_net(&config, services, 0);
    net_run_until(net, 89 * MS);
    for (uint8_t ttl = 1; ttl <= net->distance; ttl++)
        cr_expect_eq(count_asked(net, ttl), BURST, "TTL %u, all answered", ttl);
    engine_stop(net->engine);
    net_free(net);
}

/* At no time more went to a hop than the burst and one for each second since. */
static void expect_budget(const struct net *net, uint8_t ttl)
{
    for (size_t from = 0; from < net->probe_count; from++) {
        int64_t count = 0;
        for (size_t i = from; i < net->probe_count && net->probes[from].ttl == ttl; i++) {
            if (net->probes[i].ttl != ttl)
                continue;
            count++;
            sonde_ns span = net->probes[i].sent_ns - net->probes[from].sent_ns;
            cr_assert_leq(count, BURST + span / S, "TTL %u: %d in %f s", ttl, (int)count,
                          (double)span / 1e9);
        }
    }
}

/* Every trace that was begun was asked once at every hop up to its end. */
static void expect_all_asked(const struct net *net)
{
    for (uint32_t service = 0; service < net->service_count; service++) {
        bool begun = net_count(net, service, 0, true) > 0;
        for (uint8_t ttl = 1; begun && ttl <= net->distance; ttl++)
            cr_expect_geq(net_count(net, service, ttl, false), 1, "service %u, TTL %u", service,
                          ttl);
    }
}

/* Runs of all kinds: with few and many services, of which many and few are dropped. */
Test(suspect, the_budget_of_a_hop_is_kept_and_no_path_goes_without)
{
    static const char *const services[] = {
        "icmp",
        "icmp tcp",
        "tcp udp tcp",
        "icmp tcp udp tcp",
        "icmp tcp tcp tcp udp",
        "icmp tcp udp tcp udp tcp udp tcp tcp tcp tcp tcp tcp",
    };
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct prng prng = {seed};
        struct engine_config config = config_of(1 + prng_below(&prng, 5));
        config.traces = 16;
        config.interval_ns = (50 + prng_below(&prng, 1000)) * MS;
        uint32_t kind = prng_below(&prng, 6);
        uint64_t dropped = prng_next(&prng) & prng_next(&prng);
        bool standby = prng_below(&prng, 2) == 1;
        char words[80];
        (void)snprintf(words, sizeof words, "%s%s", services[kind], standby ? " +tcp" : "");
        struct net *net = start_net(&config, words, dropped);
        net_run(net);
        for (uint8_t ttl = 1; ttl < config.max_ttl; ttl++)
            expect_budget(net, ttl);
        if (net->service_count <= BURST)
            expect_all_asked(net);
        net_free(net);
    }
}

/* Service 1 is dropped by the last router. */
static void drop_service_1(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && net_service_of(tx) != 1)
        net_reply(net, tx, net_rtt(net));
}

Test(suspect, a_standby_that_is_begun_just_as_a_cycle_begins_is_asked_once_in_it)
{
    struct engine_config config = net_config();
    config.cycles = 4;
    /* A round trip takes 2 * 5 * 2 ms. What is silent for two of them and 50 ms is a suspect, and
     * then a cycle begins. */
    config.interval_ns = 2 * 20 * MS + 50 * MS;
    struct net *net = net_new(&config);
    net->on_probe = drop_service_1;
    net_add(net, "icmp tcp +tcp");
    engine_start(net->engine, 0);
    net_run(net);
    cr_expect_eq(net_count(net, 0, 0, true), 4);
    cr_expect_eq(net_count(net, 1, 0, true), 4);
    cr_expect_eq(net_count(net, 2, 0, true), 3); /* in all but the first */
    net_free(net);
}
