/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk along the path: how far it goes, and how it goes easy on the routers. */
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>

/* When every service has met the router at a TTL; never: some did not. */
static sonde_ns met_ns(const struct net *net, uint8_t ttl)
{
    sonde_ns last = 0;
    for (uint32_t service = 0; service < net->service_count; service++) {
        sonde_ns first = SONDE_NS_NEVER;
        for (size_t i = 0; i < net->probe_count; i++) {
            const struct net_probe *probe = &net->probes[i];
            if (probe->service == service && probe->ttl == ttl && probe->ended_ns < first &&
                probe->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
                first = probe->ended_ns;
        }
        last = first > last ? first : last;
    }
    return last;
}

/*
 * At most 5 TTL-limited probes to one router at once and then one a second, all services together,
 * once they know it: in any window the number is at most 5 and one for each second of its length.
 * Routers stand at TTL 1 to @p last, one at each. Where nobody answers, it is so from the
 * beginning, for whoever may be there. What may be more before that: test_engine_budget.c.
 */
static void expect_budget(const struct net *net, unsigned last, bool nobody_answers,
                          const char *what)
{
    for (uint8_t ttl = 1; ttl <= last; ttl++) {
        static sonde_ns times[4096];
        size_t count = 0;
        sonde_ns since = nobody_answers ? 0 : met_ns(net, ttl);
        for (size_t i = 0; i < net->probe_count && count < 4096; i++) {
            if (net->probes[i].ttl == ttl && net->probes[i].sent_ns >= since)
                times[count++] = net->probes[i].sent_ns;
        }
        cr_expect_gt(count, 1, "%s, TTL %u: nothing to judge by", what, ttl);
        for (size_t from = 0; from < count; from++) {
            for (size_t to = from; to < count; to++)
                cr_assert_leq((sonde_ns)(to - from + 1), 5 + (times[to] - times[from]) / S,
                              "%s, TTL %u: %zu in %f s", what, ttl, to - from + 1,
                              (double)(times[to] - times[from]) / 1e9);
        }
    }
}

static const char SIXTEEN[] = "icmp tcp udp tcp udp tcp udp tcp udp tcp udp tcp udp tcp udp tcp";

Test(path, routers_are_asked_five_times_at_once_and_then_once_a_second)
{
    static const struct {
        const char *services;
        void (*rule)(struct net *, const struct sonde_tx *);
        sonde_ns interval_ns;
        uint32_t cycles;
    } cases[] = {
        {"icmp", net_open_path, 100 * SONDE_NS_PER_MS, 100},
        {"icmp", net_silent, 100 * SONDE_NS_PER_MS, 100},
        {"icmp tcp udp", net_open_path, 10 * SONDE_NS_PER_MS, 1000},
        {"icmp tcp udp tcp udp tcp", net_open_path, SONDE_NS_PER_S, 20},
        {SIXTEEN, net_open_path, 1500 * SONDE_NS_PER_MS, 20},
        {SIXTEEN, net_silent, SONDE_NS_PER_S, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_plan plan = net_plan();
        plan.interval_ns = cases[i].interval_ns;
        plan.cycles = cases[i].cycles;
        struct net *net = net_new(&plan);
        net->on_probe = cases[i].rule;
        net_add(net, cases[i].services);
        engine_start(net->run, 0);
        net_run(net);
        bool nobody = cases[i].rule == net_silent;
        expect_budget(net, nobody ? 16 : net->distance - 1U, nobody, cases[i].services);
        net_free(net);
    }
}

Test(path, the_target_is_asked_in_every_cycle_by_every_service_whatever_the_budget)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 50;
    plan.interval_ns = 20 * MS;
    struct net *net = net_new(&plan);
    net_add(net, "icmp tcp udp tcp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = 0; service < 4; service++)
        cr_expect_eq(net_count(net, service, 0, true), 50, "service %u", service);
    net_free(net);
}

Test(path, services_take_turns_at_every_router)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 60;
    struct net *net = net_new(&plan);
    net_add(net, "icmp tcp udp tcp"); /* four, and one probe a second */
    engine_start(net->run, 0);
    net_run(net);
    for (uint8_t ttl = 1; ttl < net->distance; ttl++) {
        size_t least = SIZE_MAX;
        size_t most = 0;
        for (uint32_t service = 0; service < 4; service++) {
            size_t count = net_count(net, service, ttl, false);
            least = count < least ? count : least;
            most = count > most ? count : most;
        }
        cr_expect_geq(least, 10, "TTL %u: 60 seconds for four", ttl);
        cr_expect_leq(most - least, 1, "TTL %u: %zu to %zu", ttl, least, most);
    }
    net_free(net);
}

/* A service that nobody answers for needs its path most: it gets a probe to each of the next four
 * hops, and those two that go ahead to sixteen. */
Test(path, every_hop_is_asked_for_a_silent_service_even_if_that_takes_longer)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = net_silent;
    net_add(net, SIXTEEN);
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = 0; service < 16; service++) {
        for (uint8_t ttl = 1; ttl <= (service < 2 ? 16 : 4); ttl++)
            cr_expect_geq(net_count(net, service, ttl, false), 1, "service %u, TTL %u", service,
                          ttl);
    }
    net_free(net);
}

/* Remember when the distance became known, and fail if a probe goes beyond it after that. */
static void watch_distance(struct net *net, const struct sonde_event *event)
{
    bool target = !event->to_target && event->outcome != SONDE_OUTCOME_TTL_EXCEEDED &&
                  event->outcome != SONDE_OUTCOME_NO_REPLY;
    if (target && (net->seen == 0 || event->ttl < net->seen))
        net->seen = event->ttl;
}

static int refuse_to_overshoot(struct net *net, const struct sonde_tx *tx)
{
    cr_expect(net_is_full(tx) || net->seen == 0 || tx->ttl <= net->seen,
              "TTL %u, though the target is at %u", tx->ttl, (unsigned)net->seen);
    return 0;
}

Test(path, nothing_goes_beyond_the_target_once_its_distance_is_known)
{
    static const uint8_t distances[] = {1, 2, 5, 15, 16, 17, 25, 29};
    for (size_t i = 0; i < sizeof distances; i++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 3;
        struct net *net = net_new(&plan);
        net->distance = distances[i];
        net->on_event = watch_distance;
        net->on_send = refuse_to_overshoot;
        net_add(net, "icmp tcp udp");
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(net->seen, distances[i]);
        for (uint8_t ttl = 1; ttl <= distances[i]; ttl++)
            cr_expect_geq(net_count(net, UINT32_MAX, ttl, false), 3, "distance %u, TTL %u",
                          distances[i], ttl);
        net_free(net);
    }
}

Test(path, a_target_on_the_same_link_is_hardly_overshot)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->distance = 1;
    net->hop_ns = 100 * SONDE_NS_PER_US;
    net_add(net, "icmp tcp udp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint8_t ttl = 3; ttl < 30; ttl++)
        cr_expect_eq(net_count(net, UINT32_MAX, ttl, false), 0, "TTL %u", ttl);
    net_free(net);
}

/* Behind router 4 nothing answers; the path, and what lies 3 hops behind it, is asked. */
static void silent_behind(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl <= net->seen)
        (void)net_expires(net, tx);
}

Test(path, the_walk_ends_a_few_silent_hops_behind_the_last_that_answers)
{
    static const struct {
        uint8_t last; /* router that answers */
        uint8_t gap;
        uint8_t end; /* the last TTL asked: last + gap, but no less than a window of 16 */
    } cases[] = {
        {4, 3, 16}, {0, 3, 16}, {15, 3, 18}, {20, 3, 23}, {20, 1, 21}, {4, 20, 24}, {28, 8, 30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_plan plan = net_plan();
        plan.gap_limit = cases[i].gap;
        plan.cycles = 2;
        struct net *net = net_new(&plan);
        net->distance = 40;
        net->on_probe = silent_behind;
        net->seen = cases[i].last;
        net_add(net, "tcp");
        engine_start(net->run, 0);
        net_run(net);
        unsigned end = 0;
        for (size_t k = 0; k < net->probe_count; k++) {
            if (!net->probes[k].to_target && net->probes[k].ttl > end)
                end = net->probes[k].ttl;
        }
        cr_expect_eq(end, cases[i].end, "routers up to %u, gap %u: %u", cases[i].last, cases[i].gap,
                     end);
        net_free(net);
    }
}

Test(path, the_walk_keeps_to_the_given_ttls)
{
    static const struct {
        uint8_t first_ttl;
        uint8_t max_ttl;
    } cases[] = {{1, 1}, {3, 4}, {5, 30}, {30, 30}, {255, 255}, {1, 255}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_plan plan = net_plan();
        plan.first_ttl = cases[i].first_ttl;
        plan.max_ttl = cases[i].max_ttl;
        struct net *net = net_new(&plan);
        net->on_probe = net_silent;
        net_add(net, "icmp tcp");
        engine_start(net->run, 0);
        net_run(net);
        for (size_t k = 0; k < net->probe_count; k++) {
            uint8_t ttl = net->probes[k].ttl;
            if (net->probes[k].to_target)
                cr_expect(ttl == 64 || ttl == 255, "full TTL is %u", ttl);
            else
                cr_expect(ttl >= cases[i].first_ttl && ttl <= cases[i].max_ttl, "TTL %u", ttl);
        }
        cr_expect_geq(net_count(net, 0, cases[i].first_ttl, false), 1, "%u to %u",
                      cases[i].first_ttl, cases[i].max_ttl);
        net_free(net);
    }
}

/* Router 3 lets nothing pass. */
static void refused_at_3(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl < 3)
        (void)net_expires(net, tx);
    else
        net_error(net, tx, 6 * net->hop_ns, 3, ICMP4_UNREACHABLE, 13);
}

Test(path, the_walk_ends_where_it_is_refused)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 20;
    struct net *net = net_new(&plan);
    net->on_probe = refused_at_3;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++) {
        if (net->probes[i].cycle > 0 && !net->probes[i].to_target)
            cr_expect_leq(net->probes[i].ttl, 3);
    }
    /* Router 3 refuses full-TTL probes, too, once a second: that is as often as it may be asked. So
     * what goes to it alone is sent twice, and then in every eighth cycle: the 5th and the 13th. */
    cr_expect_eq(net_count(net, 0, 3, false), 4);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED), 40); /* 2 routers, 20 cycles */
    net_free(net);
}

/* One service is refused at hop 3; the other's path is walked to its end all the same. */
static void refused_for_one(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) == 1)
        refused_at_3(net, tx);
    else
        net_open_path(net, tx);
}

Test(path, a_refusal_of_one_service_does_not_end_the_walk_of_another)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = refused_for_one;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint8_t ttl = 1; ttl <= 5; ttl++)
        cr_expect_eq(net_count(net, 0, ttl, false), 1, "TTL %u", ttl);
    net_free(net);
}

/* Router 4 refuses everything by the code in the low byte of net->seen, and gives six answers at
 * once and then one a second, as Linux does; how many it has given is in the rest of net->seen. */
static void refused_as_rationed(struct net *net, const struct sonde_tx *tx)
{
    bool expires = tx->ttl == 4;
    if (tx->ttl < 4) {
        (void)net_expires(net, tx);
    } else if ((sonde_ns)(net->seen >> 8) < 6 + net->now / S) {
        net->seen += 1 << 8;
        net_error(net, tx, 8 * net->hop_ns, 4, expires ? ICMP4_TIME_EXCEEDED : ICMP4_UNREACHABLE,
                  expires ? 0 : (uint8_t)net->seen);
    }
}

/* Ten at once are more than it gives. So those are asked again of which it said nothing, one a
 * second, and none is left of which it says nothing. */
Test(path, a_router_that_rations_its_refusals_has_time_for_each_whatever_its_code)
{
    static const struct {
        uint8_t code; /* RFC 792 and RFC 1812 §5.2.7.1 */
        enum sonde_outcome outcome;
    } cases[] = {
        {13, SONDE_OUTCOME_ADMIN_PROHIBITED},
        {1, SONDE_OUTCOME_HOST_UNREACHABLE},
        {0, SONDE_OUTCOME_NET_UNREACHABLE},
        {2, SONDE_OUTCOME_OTHER_UNREACHABLE}, /* the protocol */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 3;
        struct net *net = net_new(&plan);
        net->on_probe = refused_as_rationed;
        net->seen = cases[i].code;
        net_add(net, "tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp");
        engine_start(net->run, 0);
        net_run(net);
        for (uint32_t service = 0; service < 10; service++) {
            size_t refused = 0;
            for (size_t k = 0; k < net->probe_count; k++)
                refused += net->probes[k].service == service && net->probes[k].to_target &&
                           net->probes[k].outcome == cases[i].outcome;
            cr_expect_gt(refused, 0, "code %u, service %u", cases[i].code, service);
        }
        net_free(net);
    }
}

/* The path as it is after the change; what is learned of it shows in which TTLs are asked. */
static void expect_last_ttl_after_change(uint8_t before, uint8_t after)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 20;
    struct net *net = net_new(&plan);
    net->distance = before;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run_until(net, 4500 * MS); /* five cycles */
    net->distance = after;
    net_run(net);
    unsigned last = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->cycle >= 10 && !probe->to_target && probe->ttl > last)
            last = probe->ttl;
        if (probe->to_target)
            cr_expect(probe->outcome == SONDE_OUTCOME_ECHO_REPLY ||
                      probe->outcome == SONDE_OUTCOME_OPEN);
    }
    cr_expect_eq(last, after, "from %u to %u: asked up to %u", before, after, last);
    net_free(net);
}

Test(path, a_path_that_becomes_shorter_is_followed)
{
    expect_last_ttl_after_change(5, 4);
    expect_last_ttl_after_change(9, 3);
    expect_last_ttl_after_change(2, 1);
}

Test(path, a_path_that_becomes_longer_is_followed)
{
    expect_last_ttl_after_change(4, 5);
    expect_last_ttl_after_change(3, 12);
    expect_last_ttl_after_change(1, 2);
}

/* The target has no answer for TCP. */
static void silent_tcp(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && tx->flow->protocol == IP_PROTO_ICMP)
        net_reply(net, tx, net_rtt(net));
}

/* Only routers tell how long a silent service's path is, and those at TTLs 3 to 8 are gone. Another
 * service knows the new distance. */
Test(path, the_path_of_a_silent_service_that_becomes_shorter_is_followed)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 40;
    struct net *net = net_new(&plan);
    net->on_probe = silent_tcp;
    net->distance = 9;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run_until(net, 4500 * MS);
    net->distance = 3;
    net_run(net);
    unsigned last = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->cycle >= 25 && !probe->to_target && probe->ttl > last)
            last = probe->ttl;
    }
    cr_expect_eq(last, 3, "asked up to %u", last);
    net_free(net);
}

/* Two routers send everything back and forth. */
static void loop_behind_3(struct net *net, const struct sonde_tx *tx)
{
    unsigned router = tx->ttl <= 3 ? tx->ttl : 3 + tx->ttl % 2;
    net_error(net, tx, 2 * tx->ttl * net->hop_ns, router, ICMP4_TIME_EXCEEDED, 0);
}

Test(path, a_loop_is_walked_to_the_largest_ttl_and_no_further)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = loop_behind_3;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint8_t ttl = 1; ttl <= 30; ttl++)
        cr_expect_eq(net_count(net, 0, ttl, false), 1, "TTL %u", ttl);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED), 31);
    net_free(net);
}
