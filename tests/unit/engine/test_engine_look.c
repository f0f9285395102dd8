/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What silence changes: who is looked at closer and when, what is asked because of that, and who
 * stands in for comparison.
 *
 * The path has five hops of 2 ms one way, so the target is 20 ms away and router 4 is 16 ms away.
 */
#include "base/prng.h"
#include "base/time.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

enum {
    DROPPER = 3 /* the router that drops the services of net->seen, once it has seen the TTL */
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
static struct net *start_net(const struct engine_plan *plan, const char *services, uint64_t dropped)
{
    struct net *net = net_new(plan);
    net->on_probe = some_dropped;
    net->seen = dropped;
    net_add(net, services);
    engine_start(net->run, 0);
    return net;
}

static struct engine_plan plan_of(uint32_t cycles)
{
    struct engine_plan plan = net_plan();
    plan.cycles = cycles;
    return plan;
}

/* When the first probe of a service left; never: none did. */
static sonde_ns first_sent_ns(const struct net *net, uint32_t service)
{
    sonde_ns first = SONDE_NS_NEVER;
    for (size_t i = 0; i < net->probe_count; i++) {
        if (net->probes[i].service == service)
            first = ns_min(first, net->probes[i].sent_ns);
    }
    return first;
}

/* Service 1 is silent for too long at a time: then what stands by, the last one, is begun. */
static void expect_silent_at(const char *services, uint64_t dropped, sonde_ns time)
{
    struct engine_plan plan = plan_of(3);
    struct net *net = start_net(&plan, services, dropped);
    net_run(net);
    cr_expect_eq(first_sent_ns(net, net->service_count - 1), time, "%s: %ld ms", services,
                 (long)(first_sent_ns(net, net->service_count - 1) / MS));
    net_free(net);
}

Test(look, silence_counts_from_when_a_router_before_the_target_would_have_answered)
{
    /* the ping's answer took 20 ms: 20 and at least 10 more (engine/patience.h) */
    expect_silent_at("icmp tcp +tcp", 1 << 1, 30 * MS);
    /* and a program may think for half a second */
    expect_silent_at("icmp udp +udp", 1 << 1, 530 * MS);
    /* only routers answer: the target may be behind a satellite */
    expect_silent_at("icmp tcp +tcp", 1 << 0 | 1 << 1 | 1 << 2, S);
}

Test(look, where_nothing_answers_silence_counts_from_a_second)
{
    struct engine_plan plan = plan_of(5);
    struct net *net = start_net(&plan, "icmp tcp +tcp", 0);
    net->on_probe = net_silent;
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 2), S);
    net_free(net);
}

/* The second service answers a nanosecond before it would be silent. */
static void just_in_time(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) == 0 || tx->ttl < net->distance)
        net_open_path(net, tx);
    else if (net_is_full(tx))
        net_reply(net, tx, 30 * MS - 1);
}

Test(look, who_answers_in_time_is_not_looked_at)
{
    struct engine_plan plan = plan_of(3);
    struct net *net = start_net(&plan, "icmp tcp +tcp", 0);
    net->on_probe = just_in_time;
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 2), SONDE_NS_NEVER, "and nothing was begun for it");
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
 * two: without the silent one, no trace is asked twice. */
Test(look, it_and_a_control_are_asked_twice_behind_where_it_was_seen)
{
    for (uint32_t silent = 1; silent <= 8; silent++) {
        struct engine_plan plan = plan_of(3);
        const char *services = "icmp tcp tcp tcp tcp tcp tcp tcp tcp";
        struct net *net = start_net(&plan, services, UINT64_C(1) << silent);
        net_run(net);
        for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++) {
            cr_expect_geq(net_count(net, silent, ttl, false), 2, "%u, TTL %u", silent, ttl);
            cr_expect_geq(count_others(net, silent, ttl), 2, "controls, TTL %u", ttl);
        }
        net_free(net);
    }
}

/* Of the budget of five, three are used up before anybody is silent (two are kept), and then it and
 * a control are asked twice: one of these has to wait for the next second. */
Test(look, the_last_cycle_waits_for_what_it_needs)
{
    struct engine_plan plan = plan_of(2);
    plan.interval_ns = 100 * MS;
    const char *services = "icmp tcp tcp tcp tcp tcp tcp tcp tcp";
    struct net *net = start_net(&plan, services, 1 << 8);
    net_run(net);
    cr_expect_geq(net_count(net, 8, DROPPER + 1, false), 2);
    cr_expect_geq(count_others(net, 8, DROPPER + 1), 2);
    cr_expect_geq(net->now, S);
    net_free(net);
}

Test(look, an_answering_trace_of_its_protocol_is_a_control_too)
{
    struct engine_plan plan = plan_of(6);
    struct net *net = start_net(&plan, "icmp tcp tcp tcp tcp tcp +tcp", 1 << 1);
    net_run(net);
    for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++) {
        cr_expect_geq(net_count(net, 1, ttl, false), 2, "the silent one, TTL %u", ttl);
        cr_expect_geq(count_others(net, 1, ttl), 2, "controls, TTL %u", ttl);
    }
    cr_expect_eq(net_count(net, 6, 0, true), 0, "so nobody has to stand in");
    net_free(net);
}

Test(look, a_standby_of_its_protocol_is_begun_if_no_other_trace_answers)
{
    struct engine_plan plan = plan_of(3);
    struct net *net = start_net(&plan, "icmp tcp +tcp", 1 << 1);
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 2), 30 * MS, "as soon as somebody is silent");
    cr_expect_eq(net_count(net, 2, 0, true), 3, "it is in each cycle");
    for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++)
        cr_expect_geq(net_count(net, 2, ttl, false), 1, "TTL %u", ttl);
    net_free(net);
}

/* The silent tcp service and its control have used up what was kept at every hop. */
Test(look, a_standby_asks_the_target_at_once_whatever_the_hops_can_bear)
{
    struct engine_plan plan = plan_of(3);
    struct net *net = start_net(&plan, "icmp tcp udp +udp", 1 << 1 | 1 << 2);
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 3), 530 * MS, "as soon as udp is silent, too");
    net_free(net);
}

Test(look, a_standby_of_another_protocol_is_not)
{
    struct engine_plan plan = plan_of(3);
    struct net *net = start_net(&plan, "icmp udp +tcp", 1 << 1);
    net_run(net);
    cr_expect_eq(net_count(net, 2, 0, true) + net_count(net, 2, 0, false), 0);
    net_free(net);
}

Test(look, a_healthy_run_begins_no_standby)
{
    for (uint32_t cycles = 1; cycles <= 4; cycles++) {
        struct engine_plan plan = plan_of(cycles);
        struct net *net = start_net(&plan, "icmp tcp udp +tcp", 0);
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

Test(look, what_is_blocked_here_is_none)
{
    struct engine_plan plan = plan_of(3);
    struct net *net = start_net(&plan, "icmp tcp +tcp", 0);
    net->on_send = second_is_blocked;
    net_run(net);
    cr_expect_eq(first_sent_ns(net, 2), SONDE_NS_NEVER);
    net_free(net);
}

/* One cycle, too, is enough to look closer. */
Test(look, in_one_cycle_each_service_is_asked_once_and_silence_is_looked_at)
{
    struct engine_plan plan = plan_of(1);
    struct net *net = start_net(&plan, "icmp tcp udp +tcp", 1 << 1 | 1 << 2);
    net_run(net);
    for (uint32_t service = 0; service < 4; service++)
        cr_expect_eq(net_count(net, service, 0, true), 1, "%u", service);
    for (uint8_t ttl = DROPPER + 1; ttl < net->distance; ttl++) {
        cr_expect_geq(net_count(net, 1, ttl, false), 2, "TTL %u", ttl);
        cr_expect_geq(net_count(net, 2, ttl, false), 2, "TTL %u", ttl);
    }
    net_free(net);
}

/* Was a service asked at this hop, or another that gets as far as the target? And at the target's,
 * was it, or does it get there from the hop before? */
static bool is_shown(const struct net *net, uint32_t service, uint8_t ttl)
{
    if (net_count(net, service, ttl, false) > 0)
        return true;
    if (ttl == net->distance)
        return net_count(net, service, (uint8_t)(ttl - 1), false) > 0;
    return count_others(net, service, ttl) > 0;
}

/* Every service was asked once at every hop up to the target, or others were for it. */
static void expect_all_shown(const struct net *net, uint32_t services, uint32_t own,
                             const char *words, uint64_t seed)
{
    for (uint32_t service = 0; service < services; service++) {
        for (uint8_t ttl = 1; ttl <= net->distance; ttl++) {
            bool is_own = services <= own && ttl < net->distance;
            bool shown =
                is_own ? net_count(net, service, ttl, false) > 0 : is_shown(net, service, ttl);
            cr_expect(shown, "%u: %s, service %u, TTL %u", (unsigned)seed, words, service, ttl);
        }
    }
}

/* Runs of all kinds, in which many and few are dropped. Of the six asks that a hop allows at once,
 * one is spare, and one that is silent takes three: two of its own, and one of a control after
 * them. So three services are each asked at every hop, and of four one may go without; which the
 * others show for it. */
Test(look, no_path_goes_without)
{
    static const char *const services[] = {"icmp", "icmp tcp", "tcp udp tcp", "icmp tcp udp tcp"};
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct prng prng = {seed};
        struct engine_plan plan = plan_of(1 + prng_below(&prng, 5));
        plan.interval_ns = (50 + prng_below(&prng, 1000)) * MS;
        const char *some = services[prng_below(&prng, 4)];
        uint64_t dropped = prng_next(&prng) & prng_next(&prng);
        bool standby = prng_below(&prng, 2) == 1;
        char words[80];
        (void)snprintf(words, sizeof words, "%s%s", some, standby ? " +tcp" : "");
        struct net *net = start_net(&plan, words, dropped);
        net_run(net);
        expect_all_shown(net, net->service_count - standby, 3, words, seed);
        net_free(net);
    }
}

/* Service 1 is dropped by the last router. */
static void drop_service_1(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && net_service_of(tx) != 1)
        net_reply(net, tx, net_rtt(net));
}

Test(look, a_standby_that_is_begun_just_as_a_cycle_begins_is_asked_once_in_it)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 4;
    plan.interval_ns = 30 * MS; /* when service 1 has been silent for too long, a cycle begins */
    struct net *net = net_new(&plan);
    net->on_probe = drop_service_1;
    net_add(net, "icmp tcp +tcp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = 0; service < 3; service++) {
        unsigned asked[4] = {0};
        for (size_t i = 0; i < net->probe_count; i++) {
            if (net->probes[i].service == service && net->probes[i].to_target)
                asked[net->probes[i].cycle]++;
        }
        for (uint32_t cycle = 0; cycle < 4; cycle++) /* it makes up for the first, too */
            cr_expect_eq(asked[cycle], 1, "service %u, cycle %u", service, cycle);
    }
    net_free(net);
}

/* Only the target answers, and only pings. */
static void silent_but_to_pings(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) == 0 && tx->ttl >= net->distance)
        net_reply(net, tx, net_rtt(net));
}

/* There is no router that may have been silent for its ration, so there is nothing to be compared,
 * and no reason to ask anywhere more than twice. */
Test(look, where_no_router_answers_a_silent_port_is_asked_twice_at_each_hop)
{
    struct engine_plan plan = plan_of(1);
    struct net *net = start_net(&plan, "icmp tcp", 0);
    net->on_probe = silent_but_to_pings;
    net_run(net);
    for (uint8_t ttl = 1; ttl < net->distance; ttl++)
        cr_expect_eq(net_count(net, 1, ttl, false), 2, "TTL %u", ttl);
    net_free(net);
}

/* A device behind router 2 answers service 1 in the target's name; for all else, router 3 is there.
 */
static void taken_behind_2(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) != 1 || tx->ttl <= 2)
        net_open_path(net, tx);
    else
        net_reply(net, tx, 6 * net->hop_ns);
}

/* It is asked at hop 3 once, and not by the router answered: then twice more by itself, and never
 * again. What is learned of another service meanwhile does not make that more. */
Test(look, who_is_odd_is_asked_twice_more_where_it_is)
{
    struct engine_plan plan = plan_of(5);
    struct net *net = start_net(&plan, "icmp udp udp", 0);
    net->on_probe = taken_behind_2;
    net_run(net);
    cr_expect_eq(net_count(net, 1, 3, false), 3);
    net_free(net);
}
