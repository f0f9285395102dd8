/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time that was not measured: this machine slept, the program was held up, or there was no way out.
 * What was in flight then may have been answered while nobody heard it, so it is no loss.
 *
 * The path has five hops and takes 20 ms. What a test says nobody answers is what came while the
 * machine slept.
 */
#include "base/time.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct net *start_net(const char *services)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    struct net *net = net_new(&plan);
    net_add(net, services);
    engine_start(net->run, 0);
    return net;
}

/* What became of the full-TTL probes that left in a stretch of time, its end excluded. */
struct counts {
    size_t sent;
    size_t answered;
    size_t timed;
    size_t unawaited;
    size_t lost;
    size_t unsent;
};

static struct counts count_full(const struct net *net, sonde_ns from, sonde_ns to)
{
    struct counts counts = {0};
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (!probe->to_target || probe->sent_ns < from || probe->sent_ns >= to)
            continue;
        bool none = probe->outcome == SONDE_OUTCOME_NO_REPLY;
        bool unsent = probe->outcome == SONDE_OUTCOME_SEND_ERROR;
        counts.sent++;
        counts.unawaited += probe->unawaited;
        counts.lost += none && !probe->unawaited;
        counts.unsent += unsent;
        counts.answered += !none && !unsent;
        counts.timed += probe->rtt_ns >= 0;
    }
    return counts;
}

/* The cycle at 10 s is in flight when the machine falls asleep for so long on its own clock. */
static struct net *sleep_at_ten(const char *services, sonde_ns slept_ns)
{
    struct net *net = start_net(services);
    net_run_until(net, 9500 * MS);
    net->on_probe = net_silent;
    net_run_until(net, 10005 * MS);
    net->on_probe = net_open_path;
    net->now += slept_ns;
    engine_on_gap(net->engine, net->now, true);
    return net;
}

/* Whether the clock stood still meanwhile, as CLOCK_MONOTONIC does, or went on. */
Test(gap, what_was_in_flight_when_the_machine_slept_is_not_lost)
{
    static const sonde_ns slept[] = {0, 600 * SONDE_NS_PER_S};
    for (size_t i = 0; i < sizeof slept / sizeof *slept; i++) {
        struct net *net = sleep_at_ten("icmp tcp udp", slept[i]);
        sonde_ns woke = net->now;
        net_run_until(net, woke + 10 * S + 500 * MS);
        struct counts then = count_full(net, 10 * S, 10005 * MS);
        cr_expect_eq(then.sent, 3);
        cr_expect_eq(then.unawaited, 3);
        struct counts after = count_full(net, woke, net->now);
        cr_expect_eq(after.sent, after.answered);
        cr_expect(after.sent >= 30 && after.sent <= 33, "%zu: one a second", after.sent);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0, "nor is a hop");
        engine_stop(net->run);
        net_free(net);
    }
}

/* A probe that ended so is no silence: nobody is looked at for it, and no control is begun. The
 * second of two unanswered ones would be one (engine/look.c). */
Test(gap, it_is_no_silence_either)
{
    struct net *net = sleep_at_ten("icmp tcp +tcp", 0);
    net->on_probe = net_silent;
    net_run_until(net, 11005 * MS);
    net->on_probe = net_open_path;
    engine_on_gap(net->engine, net->now, true);
    net_run_until(net, 15500 * MS);
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect_neq(net->probes[i].service, 2, "a control is begun");
    engine_stop(net->run);
    net_free(net);
}

/* A hop that was asked then is asked as if it had not been: what a closer look needs is two probes
 * that say something. */
Test(gap, a_hop_that_was_asked_then_is_asked_again)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = net_silent;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run_until(net, 5 * MS);
    net->on_probe = net_open_path;
    engine_on_gap(net->engine, net->now, true);
    net_run(net);
    for (uint8_t ttl = 1; ttl <= net->distance; ttl++)
        cr_expect_geq(net_count(net, 0, ttl, false), 1, "hop %u", ttl);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
    net_free(net);
}

/* Net of the answers of the cycle at 10 s, which have come when the program goes on. */
static struct net *hold_up_at_ten(const char *services, sonde_ns held_ns, bool is_deaf)
{
    struct net *net = start_net(services);
    net_run_until(net, 10005 * MS);
    net->now += held_ns;
    engine_on_gap(net->engine, net->now, is_deaf);
    return net;
}

/* The kernel has kept what came, and stamped it. */
Test(gap, what_came_while_the_program_was_held_up_counts_with_its_time)
{
    struct net *net = hold_up_at_ten("icmp tcp udp", 30 * S, true);
    sonde_ns woke = net->now;
    net_run_until(net, woke + 5500 * MS);
    struct counts then = count_full(net, 10 * S, 10005 * MS);
    cr_expect(then.sent == 3 && then.answered == 3 && then.timed == 3);
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect_leq(net->probes[i].rtt_ns, net_rtt(net));
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
    engine_stop(net->run);
    net_free(net);
}

/* On a clock that stood still for a minute, an answer that comes 15 ms after it went on seems to
 * have taken 20. */
Test(gap, the_round_trip_of_what_comes_after_a_sleep_is_unknown)
{
    struct net *net = hold_up_at_ten("icmp tcp udp", 0, true);
    net_run_until(net, 15500 * MS);
    struct counts then = count_full(net, 10 * S, 10005 * MS);
    cr_expect(then.sent == 3 && then.answered == 3 && then.timed == 0);
    struct counts after = count_full(net, 11 * S, 15500 * MS);
    cr_expect(after.sent == 15 && after.timed == 15);
    engine_stop(net->run);
    net_free(net);
}

/* Answers that only this program stamps, when it reads them. It was held up for a while that is too
 * short to lose any. A SYN-ACK that is 1.5 s late would be taken for a repetition otherwise. */
Test(gap, what_was_stamped_late_has_no_round_trip)
{
    struct net *net = hold_up_at_ten("icmp tcp udp", 1500 * MS, false);
    sonde_ns woke = net->now;
    net->reads_late = true;
    net_turn(net);
    net->reads_late = false;
    net_run_until(net, woke + 3 * S);
    struct counts then = count_full(net, 10 * S, 10005 * MS);
    cr_expect(then.sent == 3 && then.answered == 3 && then.timed == 0, "%zu %zu %zu", then.sent,
              then.answered, then.timed);
    struct counts after = count_full(net, woke + 100 * MS, net->now - 500 * MS);
    cr_expect_eq(after.timed, after.sent);
    engine_stop(net->run);
    net_free(net);
}

/* The interface goes down in the middle of the cycle at 10 s, for five seconds. */
static int no_way(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    return net->now > 10005 * MS && net->now < 15500 * MS ? -(int)net->seen : 0;
}

static void nothing_comes_back(struct net *net, const struct sonde_tx *tx)
{
    if (net->now < 10 * S || net->now > 15500 * MS)
        net_open_path(net, tx);
}

Test(gap, what_was_in_flight_when_there_was_no_way_out_is_not_lost)
{
    static const int errors[] = {ENETDOWN, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENODEV};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct net *net = start_net("icmp tcp udp");
        net->seen = (uint64_t)errors[i];
        net->on_send = no_way;
        net->on_probe = nothing_comes_back;
        net_run_until(net, 20500 * MS);
        struct counts before = count_full(net, 10 * S, 10005 * MS);
        cr_expect(before.sent == 3 && before.unawaited == 3, "error %d", errors[i]);
        struct counts down = count_full(net, 10005 * MS, 15500 * MS);
        cr_expect(down.sent == 15 && down.unsent == 15, "error %d", errors[i]);
        struct counts after = count_full(net, 15500 * MS, 20500 * MS);
        cr_expect(after.sent == 15 && after.timed == 15, "error %d", errors[i]);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0, "error %d", errors[i]);
        engine_stop(net->run);
        net_free(net);
    }
}

/* A firewall that refuses one service says nothing about the way out. */
static int one_refused(struct net *net, const struct sonde_tx *tx)
{
    return net->now > 10005 * MS && net_service_of(tx) == 1 ? -EPERM : 0;
}

Test(gap, what_is_refused_here_excuses_nothing_else)
{
    struct net *net = start_net("icmp tcp udp");
    net->on_send = one_refused;
    net->on_probe = nothing_comes_back;
    net_run_until(net, 14500 * MS);
    struct counts before = count_full(net, 10 * S, 10005 * MS);
    cr_expect(before.sent == 3 && before.lost == 3);
    engine_stop(net->run);
    net_free(net);
}
