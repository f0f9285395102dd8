/* SPDX-License-Identifier: BSD-2-Clause */
/* When things happen: giving up, ending, holding back, and clocks that jump. */
#include "tests/unit/engine/fake_net.h"

#include "base/prng.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct net *start_net(const struct engine_plan *plan, const char *services,
                             void (*rule)(struct net *, const struct sonde_tx *))
{
    struct net *net = net_new(plan);
    net->on_probe = rule;
    net_add(net, services);
    engine_start(net->run, 0);
    return net;
}

Test(time, a_probe_that_nobody_answers_is_given_up_after_the_timeout)
{
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 700 * MS;
    plan.cycles = 3;
    struct net *net = start_net(&plan, "icmp tcp udp", net_silent);
    net_run(net);
    cr_expect_gt(net->probe_count, 9);
    for (size_t i = 0; i < net->probe_count; i++) {
        cr_expect_eq(net->probes[i].outcome, SONDE_OUTCOME_NO_REPLY);
        cr_expect_leq(net->probes[i].ended_ns - net->probes[i].sent_ns, 700 * MS);
        if (net->probes[i].cycle < 2) /* the last ones end together */
            cr_expect_eq(net->probes[i].ended_ns - net->probes[i].sent_ns, 700 * MS);
    }
    net_free(net);
}

/* Router 3 is silent. */
static void silent_hop(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl != 3)
        net_open_path(net, tx);
}

Test(time, once_the_target_has_answered_the_end_does_not_wait_for_the_timeout)
{
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 60 * S;
    struct net *net = start_net(&plan, "icmp", silent_hop);
    net_run(net);
    cr_expect_lt(net->now, 2 * S);
    for (size_t i = 0; i < net->probe_count; i++) {
        bool silent = net->probes[i].ttl == 3;
        cr_expect_eq(net->probes[i].outcome == SONDE_OUTCOME_NO_REPLY, silent);
        if (silent) /* a router before the target: 20 ms and at least 10 more (engine/patience.h) */
            cr_expect_geq(net->probes[i].ended_ns - net->probes[i].sent_ns, 30 * MS);
    }
    net_free(net);
}

/* The last router asks for the target's link address three times, a second apart: arp(7). What it
 * then says is about probes that have been given up. */
static void nobody_there(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && net->now < S)
        net_error(net, tx, 3 * S - net->now, net->distance - 1U, 3, 1);
}

Test(time, where_nothing_answers_who_stands_before_it_has_the_time_to_say_so)
{
    struct engine_plan plan = net_plan();
    struct net *net = start_net(&plan, "icmp tcp", nobody_there);
    net_run(net);
    cr_expect_eq(net->now, 3 * S, "its word ends the run");
    unsigned late = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        late += net->probes[i].late;
    cr_expect_gt(late, 0);
    net_free(net);
    /* nobody says so: three questions and some for the way, 3.25 s in all, and nothing is known of
     * the round trip that would come on top */
    net = start_net(&plan, "icmp", net_silent);
    net_run(net);
    cr_expect_eq(net->now, 3250 * MS);
    net_free(net);
}

/* Who stands before the target has asked for it since the first packet came, and speaks of those of
 * udp alone, after 2.9 s: of the last, which left at 2 s, as well. */
static void nobody_there_for_udp(struct net *net, const struct sonde_tx *tx)
{
    if (tx->flow->protocol == IP_PROTO_UDP && net_is_full(tx))
        net_error(net, tx, 2900 * MS - net->now, net->distance - 1U, 3, 1);
}

/* How long it took to find nobody is no round trip, and nothing that the others wait for on top of
 * the 3.25 s. */
Test(time, the_time_in_which_nobody_is_found_is_no_round_trip)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    plan.timeout_ns = S;
    struct net *net = start_net(&plan, "icmp udp", nobody_there_for_udp);
    net_run(net);
    cr_expect_eq(net->now, 3250 * MS, "%ld ms", (long)(net->now / MS));
    net_free(net);
}

/* A hop is asked by what a host drops unread. Its silence says nothing, so that a SYN follows when
 * it is given up. The first 16 hops are asked at once, one each 0.25 ms, and the last of TCP is
 * the 17th of these. So two timeouts and 4.25 ms. */
Test(time, where_nothing_answers_tcp_takes_two_timeouts)
{
    struct engine_plan plan = net_plan();
    struct net *net = start_net(&plan, "icmp tcp", net_silent);
    net_run(net);
    cr_expect_eq(net->now, 2 * plan.timeout_ns + 17 * MS / 4);
    net_free(net);
}

/* Run one cycle to a target at so many hops and so long a round trip. */
static struct net *trace_once(const char *services, uint8_t distance, sonde_ns rtt,
                              void (*rule)(struct net *, const struct sonde_tx *))
{
    struct engine_plan plan = net_plan();
    plan.gap_limit = 12;
    plan.timeout_ns = 60 * S;
    struct net *net = net_new(&plan);
    net->distance = distance;
    net->hop_ns = rtt / (2 * distance);
    net->on_probe = rule;
    net_add(net, services);
    engine_start(net->run, 0);
    net_run(net);
    return net;
}

/* How many of the hops before the target answered a service. */
static size_t hops_answered(const struct net *net, uint32_t service)
{
    bool answered[32] = {false};
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != service || probe->outcome != SONDE_OUTCOME_TTL_EXCEEDED)
            continue;
        count += !answered[probe->ttl];
        answered[probe->ttl] = true;
    }
    return count;
}

static const sonde_ns round_trips[] = {0, 50 * MS, 150 * MS};

/* 16 hops are asked ahead, and further ones when answers come from there. The distance of a TCP
 * service that is seen up to the last router is not asked for: its answers have the TTL of the
 * host's, and the run would take a round trip more. */
Test(time, a_path_that_answers_everywhere_takes_little_more_than_a_round_trip)
{
    for (uint8_t distance = 1; distance <= 28; distance++) {
        for (size_t i = 0; i < sizeof round_trips / sizeof *round_trips; i++) {
            sonde_ns percent = distance <= 16 ? 120 : 220;
            struct net *net = trace_once("icmp", distance, round_trips[i], net_open_path);
            cr_expect_leq(net->now, round_trips[i] * percent / 100 + 20 * MS, "%u hops, %ld ms",
                          distance, (long)(round_trips[i] / MS));
            cr_expect_eq(hops_answered(net, 0), distance - 1);
            net_free(net);
            net = trace_once("icmp tcp", distance, round_trips[i], net_open_path);
            cr_expect_leq(net->now, round_trips[i] * percent / 100 + 20 * MS,
                          "with TCP: %u hops, %ld ms", distance, (long)(round_trips[i] / MS));
            cr_expect_eq(hops_answered(net, 0), distance - 1);
            cr_expect_eq(hops_answered(net, 1), distance - 1);
            cr_expect_eq(net_count(net, 1, distance, false), 0, "shown otherwise");
            net_free(net);
        }
    }
}

/* Three routers in the middle are silent. The target's answers arrive with a TTL of 60, which lets
 * it seem to be at 5 (64 less 60, and 1): the first of these does not stand just there. */
static void three_silent(struct net *net, const struct sonde_tx *tx)
{
    int first = net->distance / 2 - 1;
    first += first == 5;
    if (tx->ttl < first || tx->ttl > first + 2)
        net_open_path(net, tx);
}

/* The router in the middle drops TCP, once it has looked at the TTL. */
static void tcp_dropped_half_way(struct net *net, const struct sonde_tx *tx)
{
    if (tx->flow->protocol != IP_PROTO_TCP || tx->ttl <= net->distance / 2)
        net_open_path(net, tx);
}

/*
 * With R the round trip: a hop is given up after 7/6 R, and what is silent is looked at then, which
 * takes as long. Where all is answered, the distance of the TCP service is confirmed after R, which
 * takes R. Behind the 16 hops that are asked ahead, the answer from the 13th lets the further ones
 * be asked: the nearest such target has 17 hops, so that is after 13/17 R, and their answers take
 * R.
 */
Test(time, silence_on_the_way_costs_two_round_trips_and_a_little)
{
    for (uint8_t distance = 6; distance <= 24; distance++) {
        for (size_t i = 0; i < sizeof round_trips / sizeof *round_trips; i++) {
            sonde_ns rtt = round_trips[i];
            sonde_ns ahead = distance > 16 ? rtt * 13 / 17 : 0;
            struct net *net = trace_once("icmp tcp", distance, rtt, three_silent);
            /* On a LAN the target is looked for where it seems to be first, in vain: two pings of
             * 10 ms, and the next SYN may leave 100 ms after one that is not answered. */
            sonde_ns lan = rtt == 0 ? 120 * MS : 0;
            cr_expect_leq(net->now, ahead + rtt * 22 / 10 + lan + 10 * MS, "%u hops, %ld ms",
                          distance, (long)(rtt / MS));
            cr_expect_geq(net->now, rtt * 7 / 6, "a router may be slower than the target");
            cr_expect_eq(hops_answered(net, 0), distance - 4);
            cr_expect_eq(hops_answered(net, 1), distance - 4);
            net_free(net);
            net = trace_once("icmp tcp", distance, rtt, tcp_dropped_half_way);
            /* the answer of the target itself is waited for 50 ms at least */
            cr_expect_leq(net->now, ahead + rtt * 7 / 3 + 60 * MS, "%u hops, %ld ms", distance,
                          (long)(rtt / MS));
            cr_expect_geq(net->now, rtt * 7 / 3, "both are waited for");
            cr_expect_eq(hops_answered(net, 0), distance - 1);
            cr_expect_eq(hops_answered(net, 1), distance / 2);
            net_free(net);
        }
    }
}

Test(time, what_goes_beyond_the_target_is_bounded_and_not_waited_for)
{
    for (uint8_t distance = 1; distance <= 16; distance++) {
        struct net *net = trace_once("icmp tcp", distance, 150 * MS, net_open_path);
        size_t beyond[2] = {0};
        for (size_t i = 0; i < net->probe_count; i++) {
            const struct net_probe *probe = &net->probes[i];
            beyond[probe->service] += probe->ttl > distance && probe->ttl < 30;
            if (probe->unawaited)
                cr_expect_geq(probe->ttl, distance);
        }
        /* the first window of 16; or the gap limit of 12 behind the last router that answered */
        unsigned bound = distance < 13 ? 16U - distance : 11;
        cr_expect_leq(beyond[0], bound, "%u hops", distance);
        cr_expect_leq(beyond[1], bound, "%u hops", distance);
        net_free(net);
    }
}

/* A resolver has to ask others first. */
static void thinking_server(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_reply(net, tx, net_rtt(net) + (tx->flow->protocol == IP_PROTO_UDP ? 400 * MS : 0));
}

Test(time, a_service_is_given_time_to_think)
{
    struct engine_plan plan = net_plan();
    struct net *net = start_net(&plan, "icmp udp", thinking_server);
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++) {
        if (net->probes[i].to_target && net->probes[i].service == 1)
            cr_expect_eq(net->probes[i].outcome, SONDE_OUTCOME_UDP_REPLY);
    }
    net_free(net);
}

Test(time, a_run_ends_at_its_deadline_whatever_is_under_way)
{
    static const sonde_ns durations[] = {1, 1000000, 10 * SONDE_NS_PER_MS, 1500 * SONDE_NS_PER_MS};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 0;
        plan.duration_ns = durations[i];
        struct net *net = net_new(&plan);
        net->now = 77 * S;
        net_add(net, "icmp tcp");
        engine_start(net->run, net->now);
        net_run(net);
        cr_expect_eq(engine_ended(net->run), ENGINE_DEADLINE);
        cr_expect_eq(net->now, 77 * S + durations[i]);
        cr_expect_eq(engine_deadline_ns(net->engine), SONDE_NS_NEVER);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0, "nothing is said of the rest");
        uint64_t sent = net->sent;
        net->now += 60 * S;
        net_turn(net);
        cr_expect_eq(net->sent, sent);
        net_free(net);
    }
}

Test(time, a_run_that_is_done_before_its_deadline_is_complete)
{
    struct engine_plan plan = net_plan();
    plan.duration_ns = 10 * S;
    struct net *net = start_net(&plan, "icmp", net_open_path);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    engine_stop(net->run);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    net_free(net);
}

Test(time, a_stopped_run_says_nothing_of_what_is_in_flight)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    struct net *net = start_net(&plan, "icmp tcp udp", net_open_path);
    net_run_until(net, 3010 * MS); /* in the middle of a cycle */
    cr_assert_lt(net->ended, net->sent);
    uint64_t sent = net->sent;
    uint64_t events = net->events;
    engine_stop(net->run);
    cr_expect_eq(engine_ended(net->run), ENGINE_STOPPED);
    cr_expect_eq(engine_deadline_ns(net->engine), SONDE_NS_NEVER);
    for (int i = 0; i < 10; i++) {
        net->now += S;
        net_turn(net);
    }
    cr_expect_eq(net->sent, sent);
    cr_expect_eq(net->events, events);
    net_free(net);
}

Test(time, an_endless_run_goes_on)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    struct net *net = start_net(&plan, "icmp", net_open_path);
    net_run_until(net, 500 * S + 500 * MS);
    cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING);
    cr_expect_eq(net_count(net, 0, 0, true), 501); /* at 0, 1, … 500 s */
    cr_expect_eq(net->sent, net->ended);
    net_free(net);
}

Test(time, cycles_do_not_drift_however_late_the_loop_wakes)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 200;
    plan.interval_ns = 100 * MS;
    struct net *net = start_net(&plan, "icmp", net_open_path);
    struct prng prng = {11};
    while (engine_ended(net->run) == ENGINE_RUNNING) {
        net_turn(net);
        sonde_ns wake = engine_deadline_ns(net->engine);
        if (heap_time(&net->queue) < wake)
            wake = heap_time(&net->queue);
        if (wake != SONDE_NS_NEVER && wake > net->now)
            net->now = wake;
        net->now += prng_below(&prng, 5 * 1000 * 1000); /* up to 5 ms late, every time */
    }
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (!probe->to_target)
            continue;
        sonde_ns late = probe->sent_ns - probe->cycle * 100 * MS;
        cr_expect(late >= 0 && late <= 5 * MS, "cycle %u begins %f ms late", probe->cycle,
                  (double)late / 1e6);
    }
    cr_expect_eq(net_count(net, 0, 0, true), 200);
    net_free(net);
}

Test(time, a_host_that_slept_makes_no_cycles_up)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    struct net *net = start_net(&plan, "icmp tcp", net_open_path);
    net_run_until(net, 10500 * MS);
    size_t before = net_count(net, 0, 0, true);
    cr_assert_eq(before, 11);
    net->now += 600 * S; /* suspended for ten minutes */
    sonde_ns woke = net->now;
    net_run_until(net, woke + 4500 * MS);
    /* at most one cycle at once, and then one a second */
    cr_expect_leq(net_count(net, 0, 0, true), before + 6);
    cr_expect_geq(net_count(net, 0, 0, true), before + 4);
    sonde_ns last = -S;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != 0 || !probe->to_target)
            continue;
        if (probe->sent_ns > woke + S)
            cr_expect_eq(probe->sent_ns - last, S, "the rhythm is back");
        last = probe->sent_ns;
    }
    engine_stop(net->run);
    net_free(net);
}

Test(time, what_was_in_flight_while_the_host_slept_is_judged_by_what_arrived)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 2;
    struct net *net = start_net(&plan, "icmp", net_open_path);
    net_turn(net);
    net->now += 600 * S;
    /* the answer has been waiting in the socket, with the kernel's time stamp */
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++) {
        cr_expect(net->probes[i].unawaited || net->probes[i].outcome != SONDE_OUTCOME_NO_REPLY);
        cr_expect_leq(net->probes[i].rtt_ns, net_rtt(net));
    }
    net_free(net);
}

/* Where no rate is asked for, it is 1,000 packets a second, and 128 of them may leave at once: as
 * many may be late before them, and as many early. 600 targets that begin within a second have more
 * to send in it than that. */
Test(time, without_a_rate_it_is_a_polite_one)
{
    struct engine_plan plan = net_plan();
    plan.targets = 600;
    struct net *net = net_new(&plan);
    for (int target = 0; target < 600; target++)
        net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    sonde_ns first = net->probes[0].sent_ns;
    cr_expect_geq(net->probe_count, 1200, "each service once, and some hops");
    for (size_t i = 0; i < net->probe_count; i++)
        cr_assert_leq((sonde_ns)i * MS, net->probes[i].sent_ns - first + 256 * MS, "probe %zu", i);
    net_free(net);
}

Test(time, the_rate_is_never_exceeded)
{
    static const uint32_t rates[] = {1, 10, 100, 1000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct engine_plan plan = net_plan();
        plan.targets = 3;
        struct net *net = net_new_at(&plan, rates[i]);
        for (int target = 0; target < 3; target++)
            net_add(net, "icmp tcp");
        engine_start(net->run, 0);
        net_run(net);
        /* with a credit of 1 ms, the first of a row may be that much late and the last as much
         * early */
        for (size_t from = 0; from < net->probe_count; from++) {
            for (size_t to = from + 1; to < net->probe_count; to++)
                cr_assert_geq(net->probes[to].sent_ns - net->probes[from].sent_ns + 2 * MS,
                              (sonde_ns)(to - from) * S / rates[i], "%u packets a second",
                              rates[i]);
        }
        cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 6);
        net_free(net);
    }
}

/* Ask so many targets behind the same routers every 10 ms, which is more than the rate allows. */
static struct net *run_hurried(uint32_t targets, uint32_t rate_pps, uint32_t cycles)
{
    struct engine_plan plan = net_plan();
    plan.targets = targets;
    plan.cycles = cycles;
    plan.interval_ns = 10 * MS;
    struct net *net = net_new_at(&plan, rate_pps);
    for (uint32_t target = 0; target < targets; target++)
        net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), targets * cycles,
                 "every cycle asks the target");
    return net;
}

/* Each cycle has room for one step of the walk, and there are five hops. */
Test(time, a_run_that_cannot_keep_up_still_sees_the_whole_path)
{
    struct net *net = run_hurried(1, 10, 20);
    for (uint32_t from = 0; from < 20; from += 10) {
        size_t seen[6] = {0};
        for (size_t i = 0; i < net->probe_count; i++) {
            const struct net_probe *probe = &net->probes[i];
            if (!probe->to_target && probe->cycle >= from && probe->cycle < from + 10)
                seen[probe->ttl]++;
        }
        for (unsigned ttl = 1; ttl <= net->distance; ttl++)
            cr_expect_geq(seen[ttl], 1, "cycles from %u, hop %u", from, ttl);
    }
    net_free(net);
}

/* Ten probes at full TTL and ten to hops take 200 ms: 100 cycles take 20 s. Over all targets a
 * router is asked as often as it answers, 5 + 20 times; with one of these left for others, and one
 * in the air. */
Test(time, targets_that_cannot_keep_up_see_their_shared_path_as_often_as_it_can_be_asked)
{
    struct net *net = run_hurried(10, 100, 100);
    for (uint8_t ttl = 1; ttl < net->distance; ttl++) {
        size_t asked = net_count(net, UINT32_MAX, ttl, false);
        cr_expect(asked >= 18 && asked <= 25, "hop %u: %zu times", ttl, asked);
    }
    net_free(net);
}

/* The kernel's queue is full for a while, three times. */
static int sometimes_later(struct net *net, const struct sonde_tx *tx)
{
    static const int errors[] = {-EAGAIN, -ENOBUFS, -ENOMEM};
    (void)tx;
    sonde_ns phase = net->now % S;
    return phase < 300 * MS ? errors[net->now / S % 3] : 0;
}

Test(time, later_means_later_and_loses_nothing)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    struct net *net = net_new(&plan);
    net->on_send = sometimes_later;
    net_add(net, "icmp tcp udp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 15);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_SEND_ERROR), 0);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
    for (size_t i = 0; i < net->probe_count; i++) {
        if (net->probes[i].to_target)
            cr_expect_eq(net->probes[i].rtt_ns, net_rtt(net), "timed from when it left");
    }
    net_free(net);
}

/* What takes back an attempt finds the queue full, net->seen times. */
static int release_later(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    if (net->seen == 0)
        return 0;
    net->seen--;
    return -ENOBUFS;
}

static void expect_released(uint64_t full, uint64_t releases)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    struct net *net = net_new(&plan);
    net->on_probe = net_silent;
    net->on_release = release_later;
    net->seen = full;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_count(net, 0, 0, true), 3);
    cr_expect_eq(net->releases, releases, "%lu", (unsigned long)net->releases);
    net_free(net);
}

/* Two of three attempts are begun while the one before is not answered. */
Test(time, an_attempt_is_taken_back_later_if_it_cannot_be_now)
{
    expect_released(0, 2);
    expect_released(1, 2);
    expect_released(5, 2);
}

Test(time, what_cannot_take_an_attempt_back_keeps_no_probe_here_for_ever)
{
    expect_released(UINT64_MAX, 0);
}

/* net->seen counts the refusals; the probe has to be the same each time. */
static int remember_and_refuse(struct net *net, const struct sonde_tx *tx)
{
    static struct sonde_tx first;
    if (net->seen == 0)
        first = *tx;
    cr_expect_eq(tx->handle, first.handle);
    cr_expect_eq(tx->id, first.id, "the same token");
    cr_expect_eq(tx->ttl, first.ttl);
    net->seen++;
    return -ENOBUFS;
}

Test(time, the_same_probe_is_offered_again_less_and_less_often)
{
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 60 * S;
    struct net *net = net_new(&plan);
    net->on_send = remember_and_refuse;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run_until(net, 10 * S);
    cr_expect_eq(net->sent, 0);
    cr_expect_geq(net->seen, 10, "it is not forgotten");
    cr_expect_leq(net->seen, 1000, "and does not keep the machine busy");
    net->on_send = NULL;
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
    net_free(net);
}

/* The second and last probe of the run cannot leave for a while. */
static int last_one_later(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    return net->sent == 1 && net->now < 900 * MS ? -EAGAIN : 0;
}

Test(time, a_run_waits_for_its_last_probe_to_leave)
{
    struct engine_plan plan = net_plan();
    plan.first_ttl = plan.max_ttl = 5;
    struct net *net = net_new(&plan);
    net->on_send = last_one_later;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net->sent, 2);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_ECHO_REPLY), 2);
    net_free(net);
}

static int cannot_be_sent(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    return -(int)net->seen;
}

Test(time, what_the_kernel_refuses_is_that_probes_result_and_the_run_goes_on)
{
    static const int errors[] = {EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, EMSGSIZE, EINVAL};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 3;
        struct net *net = net_new(&plan);
        net->on_send = cannot_be_sent;
        net->seen = (uint64_t)errors[i];
        net_add(net, "icmp tcp");
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
        cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 6);
        for (size_t k = 0; k < net->probe_count; k++) {
            cr_expect_eq(net->probes[k].outcome, SONDE_OUTCOME_SEND_ERROR);
            cr_expect_eq(net->probes[k].error, errors[i]);
        }
        net_free(net);
    }
}

static int one_service_blocked(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    return net_service_of(tx) == 1 ? -EPERM : 0;
}

Test(time, a_service_that_is_blocked_here_does_not_disturb_the_others)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    struct net *net = net_new(&plan);
    net->on_send = one_service_blocked;
    net_add(net, "icmp tcp udp");
    engine_start(net->run, 0);
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        cr_expect_eq(probe->outcome == SONDE_OUTCOME_SEND_ERROR, probe->service == 1);
        cr_expect_neq(probe->outcome, SONDE_OUTCOME_NO_REPLY);
    }
    net_free(net);
}

Test(time, cycles_may_be_shorter_than_a_round_trip)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 100;
    plan.interval_ns = 3 * MS; /* the round trip takes 20 */
    struct net *net = start_net(&plan, "icmp tcp udp", net_open_path);
    net_run(net);
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 300);
    sonde_ns last_syn = -S;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool is_dropped = probe->is_blind && probe->ttl >= net->distance;
        cr_expect_eq(probe->unawaited, is_dropped);
        cr_expect(probe->unawaited || probe->outcome != SONDE_OUTCOME_NO_REPLY);
        if (!probe->to_target)
            continue;
        cr_expect(probe->uncertain ? probe->cycle == 0 : probe->rtt_ns == net_rtt(net));
        if (probe->service == 1) { /* SYNs wait for the answer to the one before */
            cr_expect_geq(probe->sent_ns - last_syn, net_rtt(net));
            last_syn = probe->sent_ns;
        }
    }
    net_free(net);
}

/* The second router lets none of it through: resets, and the SYNs beyond net->seen. */
static int refuses_release(struct net *net, const struct sonde_tx *tx)
{
    net_error(net, tx, 2 * MS, 2, 3, 13);
    return 0;
}

static void is_answered_third(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && net_is_full(tx) && net->seen++ == 2)
        net_reply(net, tx, net_rtt(net));
}

/* Six cycles, of which the third is answered. The reset before the second SYN is refused, so none
 * goes before the third. That is answered, and since some were lost its reset, which is the
 * kernel's, is sent once more before the fourth. It is refused, too, and none goes before the last
 * two. */
Test(time, what_is_refused_takes_no_attempt_back_until_the_target_answers)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = net_new(&plan);
    net->on_probe = is_answered_third;
    net->on_release = refuses_release;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_count(net, 0, 0, true), 6);
    cr_expect_eq(net->releases, 1 + 0 + 1 + 0 + 0, "%lu", (unsigned long)net->releases);
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_NOT_A_RESULT], net->releases);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_ADMIN_PROHIBITED), 0);
    net_free(net);
}

/* Answers the first SYN only. */
static void answers_once(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && net->seen++ == 0)
        net_reply(net, tx, net_rtt(net));
}

/* Attempts 0 to 5, of which 0 is answered: one a cycle, and one at the target's distance. The reset
 * for 0 is the kernel's. 1 follows it and takes nothing back; before 2, it is 1 that may be half
 * open, or 0 if its reset was lost; and so on. */
Test(time, of_a_port_that_was_answered_two_attempts_are_taken_back)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    struct net *net = net_new(&plan);
    net->on_probe = answers_once;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_count(net, 0, 0, true), 5);
    cr_expect_eq(net->releases, 0 + 2 + 2 + 2 + 2, "%lu", (unsigned long)net->releases);
    net_free(net);
}
