/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often a router is asked for an answer, over everything: five times at once and then once a
 * second. A Linux router gives six at once (xrlim_allow() in net/ipv4/icmp.c): the sixth is asked
 * for only where something is looked at closer.
 *
 * Where answers get lost, or a router never answers, nobody knows who was asked. What is charged is
 * then a place, named by the last router known before it. At TTL t there are t such places, with 0
 * to t - 1 routers known before, each with a budget of its own: so a router may get 1 + t times as
 * many asks at once and then 1 + t a second, no more.
 *
 * All targets are behind the same routers, as they are behind the first hops of any machine: router
 * k stands at TTL k.
 */
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { TTLS = 31, TRACES = 1000 };

/* The routers, and who knows them. A token bucket is kept as the time when it is full again. */
static struct {
    sonde_ns full_ns[TTLS];     /* one for each router */
    sonde_ns all_full_ns[TTLS]; /* and one for it and all places where it may be met */
    bool known[TTLS][TRACES];
    uint32_t unknown[TTLS]; /* traces that do not know it yet */
    unsigned at_once;       /* asks that may be made of each */
    unsigned last;          /* routers stand at TTL 1 to this */
    unsigned tcp_last;      /* and the last that TCP gets to */
    bool lossless;          /* what a router answers arrives */
    uint64_t asks;          /* of all routers */
} routers;

/* Take an ask from a bucket that gets back so many a second, and holds as many seconds' worth as
 * asks may be made at once. */
static void take_ask(sonde_ns *full_ns, sonde_ns now, unsigned rate, bool is_bound, unsigned ttl)
{
    *full_ns = (*full_ns > now ? *full_ns : now) + S / rate;
    if (is_bound)
        cr_assert_leq(*full_ns - now, routers.at_once * S,
                      "router %u, %u a second: %f s at once, at %f s", ttl, rate,
                      (double)(*full_ns - now) / 1e9, (double)now / 1e9);
}

/* What a probe takes from the router where it expires. n times as many asks, n times as often, are
 * the same seconds' worth of asks that are n times smaller. */
static int ask_router(struct net *net, const struct sonde_tx *tx)
{
    unsigned last = tx->flow->protocol == IP_PROTO_TCP ? routers.tcp_last : routers.last;
    unsigned ttl = tx->ttl;
    if (ttl > last)
        return 0;
    take_ask(&routers.full_ns[ttl], net->now, 1, routers.lossless, ttl);
    take_ask(&routers.all_full_ns[ttl], net->now, 1 + ttl, true, ttl);
    routers.asks++;
    return 0;
}

/* A router's answer lets a trace know it. */
static void learn_router(struct net *net, const struct sonde_event *event)
{
    uint32_t trace = event->target * net->service_count + event->service;
    if (event->outcome != SONDE_OUTCOME_TTL_EXCEEDED || event->to_target)
        return;
    cr_assert(event->ttl < TTLS && trace < TRACES);
    routers.unknown[event->ttl] -= !routers.known[event->ttl][trace];
    routers.known[event->ttl][trace] = true;
}

/* Who is silent, by protocol or by number. */
static void open_path(struct net *net, const struct sonde_tx *tx)
{
    net_open_path(net, tx);
}

static void ports_are_silent(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && tx->flow->protocol == IP_PROTO_ICMP)
        net_reply(net, tx, net_rtt(net));
}

/* Router 2 drops TCP, once it has looked at the TTL. */
static void tcp_is_dropped(struct net *net, const struct sonde_tx *tx)
{
    if (tx->flow->protocol != IP_PROTO_TCP || tx->ttl <= 2)
        net_open_path(net, tx);
}

static void host_is_silent(struct net *net, const struct sonde_tx *tx)
{
    (void)net_expires(net, tx);
}

static void third_is_silent(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl != 3)
        net_open_path(net, tx);
}

static void closed(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_refuse(net, tx, net_rtt(net));
}

/* Every other probe is lost, or its answer. */
static void lossy(struct net *net, const struct sonde_tx *tx)
{
    if (++net->seen % 2 == 0)
        net_open_path(net, tx);
}

struct rule {
    const char *what;
    void (*rule)(struct net *net, const struct sonde_tx *tx);
    unsigned at_once; /* six where something is looked at closer */
};

static const struct rule rules[] = {
    {"all is open", open_path, 5},
    {"ports are silent", ports_are_silent, 6},
    {"tcp is dropped", tcp_is_dropped, 6},
    {"the host is silent", host_is_silent, 6},
    {"router 3 is silent", third_is_silent, 5},
    {"ports are closed", closed, 6},
    {"half is lost", lossy, 6},
    {"nobody answers", net_silent, 5},
};
enum { RULES = sizeof rules / sizeof *rules };

struct plan {
    uint32_t targets;
    unsigned ports;
    uint32_t cycles;
    sonde_ns interval_ns;
    sonde_ns hop_ns;
};

static void place_routers(const struct plan *plan, unsigned last, const struct rule *rule)
{
    memset(&routers, 0, sizeof routers);
    routers.at_once = rule->at_once;
    routers.last = rule->rule == net_silent ? TTLS - 1 : last;
    routers.tcp_last = rule->rule == tcp_is_dropped ? 2 : routers.last;
    routers.lossless = rule->rule == open_path || rule->rule == closed;
    for (unsigned ttl = 1; ttl < TTLS; ttl++) /* those that stand by nobody needs */
        routers.unknown[ttl] = plan->targets * (plan->ports + 1);
}

/* "icmp" and so many ports, TCP and UDP in turns, with a control that stands by. */
static void write_services(char *words, size_t cap, unsigned ports)
{
    size_t len = (size_t)snprintf(words, cap, "icmp");
    for (unsigned i = 0; i < ports; i++)
        len += (size_t)snprintf(words + len, cap - len, i % 3 == 2 ? " udp" : " tcp");
    (void)snprintf(words + len, cap - len, " +tcp +udp");
}

static uint64_t run_plan(const struct plan *plan, const struct rule *rule)
{
    char words[400];
    struct engine_plan used = net_plan();
    used.targets = plan->targets;
    used.cycles = plan->cycles;
    used.interval_ns = plan->interval_ns;
    struct net *net = net_new(&used);
    place_routers(plan, net->distance - 1U, rule);
    net->forgetful = true;
    net->hop_ns = plan->hop_ns;
    net->on_probe = rule->rule;
    net->on_send = ask_router;
    net->on_event = learn_router;
    write_services(words, sizeof words, plan->ports);
    for (uint32_t i = 0; i < plan->targets; i++)
        net_add(net, words);
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_geq(net->sent, (uint64_t)plan->targets * plan->ports, "%s", rule->what);
    net_free(net);
    return routers.asks;
}

Test(budget_of_all, of_one_target_with_few_services_and_with_many)
{
    static const struct plan plans[] = {
        {1, 1, 4, 1000 * SONDE_NS_PER_MS, 2 * SONDE_NS_PER_MS},
        {1, 2, 100, 10 * SONDE_NS_PER_MS, 2 * SONDE_NS_PER_MS},
        {1, 4, 5, 300 * SONDE_NS_PER_MS, 20 * SONDE_NS_PER_MS},
        {1, 16, 3, 1000 * SONDE_NS_PER_MS, 2 * SONDE_NS_PER_MS},
        {1, 64, 3, 1000 * SONDE_NS_PER_MS, 15 * SONDE_NS_PER_MS},
        {1, 64, 3, 50 * SONDE_NS_PER_MS, 60 * SONDE_NS_PER_MS},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        for (size_t k = 0; k < RULES; k++)
            (void)run_plan(&plans[i], &rules[k]);
    }
}

Test(budget_of_all, of_many_targets_behind_the_same_routers)
{
    static const struct plan plans[] = {
        {2, 1, 3, 1000 * SONDE_NS_PER_MS, 2 * SONDE_NS_PER_MS},
        {5, 3, 3, 500 * SONDE_NS_PER_MS, 10 * SONDE_NS_PER_MS},
        {10, 16, 2, 1000 * SONDE_NS_PER_MS, 30 * SONDE_NS_PER_MS},
        {50, 4, 2, 1000 * SONDE_NS_PER_MS, 50 * SONDE_NS_PER_MS},
        {200, 1, 3, 1000 * SONDE_NS_PER_MS, 2 * SONDE_NS_PER_MS},
        {200, 2, 2, 1000 * SONDE_NS_PER_MS, 25 * SONDE_NS_PER_MS},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        for (size_t k = 0; k < RULES; k++)
            (void)run_plan(&plans[i], &rules[k]);
    }
}

/* With so many cycles that every trace gets to know every router; from then on all is exact. */
Test(budget_of_all, of_routers_that_everybody_knows)
{
    static const struct plan plans[] = {
        {1, 2, 1000, 20 * SONDE_NS_PER_MS, 2 * SONDE_NS_PER_MS},
        {1, 16, 60, 1000 * SONDE_NS_PER_MS, 15 * SONDE_NS_PER_MS},
        {5, 3, 100, 500 * SONDE_NS_PER_MS, 10 * SONDE_NS_PER_MS},
        {20, 1, 100, 1000 * SONDE_NS_PER_MS, 50 * SONDE_NS_PER_MS},
    };
    static const struct rule open = {"all is open", open_path, 5};
    static const struct rule refused = {"ports are closed", closed, 6};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        /* at least 20 s are left, and four routers that give an answer a second */
        cr_expect_geq(run_plan(&plans[i], &open), 4 * 10, "plan %zu", i);
        cr_expect_geq(run_plan(&plans[i], &refused), 4 * 10, "plan %zu", i);
    }
}

/* A router answers once a second, and all cycles are a second apart: who asks first in each must
 * not be the only one who is answered. 40 traces and the six asks at once leave time to spare. */
Test(budget_of_all, of_targets_that_share_a_router_none_goes_without)
{
    static const struct plan plan = {20, 1, 100, 1000 * SONDE_NS_PER_MS, 50 * SONDE_NS_PER_MS};
    static const struct rule open = {"all is open", open_path, 6};
    (void)run_plan(&plan, &open);
    for (unsigned ttl = 1; ttl <= routers.last; ttl++)
        cr_expect_eq(routers.unknown[ttl], 0, "router %u: %u traces", ttl, routers.unknown[ttl]);
}
