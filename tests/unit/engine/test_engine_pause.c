/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces that are paused and resumed.
 *
 * The path has five hops. Where one takes 1 ms one way, a round trip takes 10 ms; where one takes
 * 60 ms, 600 ms.
 */
#include "base/prng.h"
#include "base/time.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>

static const sonde_ns hops_ns[] = {1000000, 60000000};
enum { PACES = 2 };

static struct net *start_net(uint32_t cycles, sonde_ns hop_ns, const char *services)
{
    struct engine_plan plan = net_plan();
    plan.cycles = cycles;
    struct net *net = net_new(&plan);
    net->open = true; /* while all is paused there is nothing to wait for */
    net->hop_ns = hop_ns;
    net_add(net, services);
    return net;
}

static void pause_service(struct net *net, uint32_t service)
{
    engine_pause(net->run, &(struct engine_place){0, service}, net->now);
}

static void resume_service(struct net *net, uint32_t service)
{
    engine_resume(net->run, &(struct engine_place){0, service}, net->now);
}

static void pause_target(struct net *net)
{
    for (uint32_t i = 0; i < net->service_count; i++)
        pause_service(net, i);
}

static void resume_target(struct net *net)
{
    for (uint32_t i = 0; i < net->service_count; i++)
        resume_service(net, i);
}

/* Probes of a service that left in a stretch of time, its end excluded. */
static size_t sent_in(const struct net *net, uint32_t service, sonde_ns from, sonde_ns to)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        count += probe->service == service && probe->sent_ns >= from && probe->sent_ns < to;
    }
    return count;
}

/* The full-TTL probes of a service left at these times, and all of them were answered. A SYN may
 * have to wait for the answer to the one before, and 20 ms more. */
static void expect_asked(const struct net *net, uint32_t service, const sonde_ns *times,
                         size_t count)
{
    sonde_ns wait = service == 1 ? net_rtt(net) + 20 * MS : 0;
    size_t asked = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != service || !probe->to_target)
            continue;
        cr_assert_lt(asked, count, "service %u is asked at %ld ms, too", service,
                     (long)(probe->sent_ns / MS));
        sonde_ns late = probe->sent_ns - times[asked];
        cr_expect(late >= 0 && late <= wait, "service %u, probe %zu: %ld ms", service, asked,
                  (long)(probe->sent_ns / MS));
        asked++;
    }
    cr_expect_eq(asked, count, "service %u: %zu", service, asked);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
}

/* Cycles begin at 0 and 1 s; the last answers of the second come after the pause began where a
 * round trip takes 600 ms. The other three cycles begin when it is over, an interval apart. */
Test(pause, a_target_goes_on_from_when_it_is_resumed_with_the_cycles_that_it_has_left)
{
    static const sonde_ns ends_ns[] = {2500000000, 10300000000};
    for (size_t i = 0; i < 2 * PACES; i++) {
        sonde_ns end = ends_ns[i / 2];
        const sonde_ns times[] = {0, S, end, end + S, end + 2 * S};
        struct net *net = start_net(5, hops_ns[i % 2], "icmp tcp udp");
        engine_start(net->run, 0);
        net_run_until(net, 1500 * MS);
        uint64_t sent = net->sent;
        pause_target(net);
        net_run_until(net, end);
        cr_expect_eq(net->sent, sent, "nothing is sent");
        cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING);
        resume_target(net);
        net_run(net);
        cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
        for (uint32_t service = 0; service < 3; service++)
            expect_asked(net, service, times, 5);
        net_free(net);
    }
}

/* The third cycle is due at 2 s whether or not the target was paused before. */
Test(pause, a_short_pause_between_two_cycles_changes_nothing)
{
    const sonde_ns times[] = {0, S, 2 * S};
    struct net *net = start_net(3, hops_ns[0], "icmp tcp");
    engine_start(net->run, 0);
    net_run_until(net, 1300 * MS);
    pause_target(net);
    net_run_until(net, 1700 * MS);
    resume_target(net);
    net_run(net);
    expect_asked(net, 0, times, 3);
    expect_asked(net, 1, times, 3);
    net_free(net);
}

/* Of the cycles at 2 and 3 s only the one that goes on at 3.5 s is its own yet. */
Test(pause, a_service_misses_cycles_of_its_target_and_is_asked_in_the_present_one)
{
    const sonde_ns all[] = {0, S, 2 * S, 3 * S, 4 * S, 5 * S};
    const sonde_ns some[] = {0, S, 3500 * MS, 4 * S, 5 * S};
    struct net *net = start_net(6, hops_ns[0], "icmp tcp udp");
    engine_start(net->run, 0);
    net_run_until(net, 1500 * MS);
    pause_service(net, 1);
    net_run_until(net, 3500 * MS);
    cr_expect_eq(sent_in(net, 1, 1500 * MS, 3500 * MS), 0);
    resume_service(net, 1);
    net_run(net);
    expect_asked(net, 0, all, 6);
    expect_asked(net, 1, some, 5);
    expect_asked(net, 2, all, 6);
    net_free(net);
}

/* However often it is paused and resumed: at 1.1, 1.2, … 1.9 s. */
Test(pause, a_service_is_asked_once_in_a_cycle)
{
    const sonde_ns times[] = {0, S, 2 * S};
    struct net *net = start_net(3, hops_ns[0], "icmp tcp");
    engine_start(net->run, 0);
    for (int i = 11; i < 20; i++) {
        net_run_until(net, i * 100 * MS);
        pause_service(net, 1);
        net_run_until(net, i * 100 * MS + 50 * MS);
        resume_service(net, 1);
    }
    net_run(net);
    expect_asked(net, 1, times, 3);
    net_free(net);
}

/* It has a minute to wait for its only cycle, which the other service is done with. */
Test(pause, a_run_is_not_complete_while_a_service_is_paused)
{
    struct net *net = start_net(1, hops_ns[0], "icmp tcp");
    pause_service(net, 1);
    engine_start(net->run, 0);
    net_run_until(net, 60 * S);
    cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING);
    cr_expect_not(engine_is_done(net->run, 0));
    cr_expect_eq(sent_in(net, 1, 0, 61 * S), 0);
    resume_service(net, 1);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    const sonde_ns then = 60 * S;
    expect_asked(net, 1, &then, 1);
    net_free(net);
}

Test(pause, a_run_of_which_all_is_paused_can_be_stopped_and_has_its_time)
{
    for (int stops = 0; stops < 2; stops++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 5;
        plan.duration_ns = stops != 0 ? 0 : 30 * S;
        struct net *net = net_new(&plan);
        net->open = true;
        net_add(net, "icmp tcp");
        engine_start(net->run, 0);
        net_run_until(net, 1500 * MS);
        pause_target(net);
        net_run_until(net, 29 * S);
        cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING);
        if (stops != 0)
            engine_stop(net->run);
        net_run_until(net, 31 * S);
        cr_expect_eq(engine_ended(net->run), stops != 0 ? ENGINE_STOPPED : ENGINE_DEADLINE);
        cr_expect_eq(sent_in(net, 0, 1500 * MS, 31 * S), 0);
        resume_target(net); /* what is over stays so */
        net_turn(net);
        cr_expect_eq(sent_in(net, 0, 1500 * MS, 32 * S), 0);
        net_free(net);
    }
}

/* The ping, and those to 16 hops, of which one leaves every quarter of a millisecond. */
Test(pause, what_is_in_flight_is_answered_or_lost_as_ever)
{
    for (int answers = 0; answers < 2; answers++) {
        struct net *net = start_net(0, hops_ns[0], "icmp");
        net->on_probe = answers != 0 ? net_open_path : net_silent;
        engine_start(net->run, 0);
        net_run_until(net, 5 * MS);
        pause_target(net);
        net_run_until(net, 20 * S);
        cr_expect_eq(net->sent, 17, "%u", (unsigned)net->sent);
        cr_expect_eq(net->ended, 17);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), answers != 0 ? 0 : 17);
        cr_expect_eq(net->probes[0].ended_ns, answers != 0 ? 10 * MS : 2 * S, "after a timeout");
        net_free(net);
    }
}

enum { DROPPER = 3 };

static void second_dropped(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl <= DROPPER || net_service_of(tx) != 1)
        net_open_path(net, tx);
}

/* It would be begun after 20 ms: a round trip of 10 ms, and 10 more (engine/patience.h). */
Test(pause, nothing_is_begun_for_a_service_that_was_paused_before_it_is_silent)
{
    struct net *net = start_net(3, hops_ns[0], "icmp tcp +tcp");
    net->on_probe = second_dropped;
    engine_start(net->run, 0);
    net_run_until(net, 19 * MS);
    pause_service(net, 1);
    net_run_until(net, 10 * S);
    cr_expect_eq(sent_in(net, 2, 0, 10 * S), 0);
    resume_service(net, 1);
    net_run(net);
    cr_expect_gt(sent_in(net, 2, 10 * S, 3600 * S), 0, "it is when it goes on");
    net_free(net);
}

Test(pause, a_silent_service_asks_nothing_and_its_control_stands_by)
{
    struct net *net = start_net(0, hops_ns[0], "icmp tcp +tcp");
    net->on_probe = second_dropped;
    engine_start(net->run, 0);
    net_run_until(net, 1500 * MS);
    cr_expect_gt(sent_in(net, 2, 0, 1500 * MS), 0);
    pause_service(net, 1);
    net_run_until(net, 3500 * MS);
    cr_expect_eq(sent_in(net, 1, 1500 * MS, 3500 * MS), 0);
    cr_expect_eq(sent_in(net, 2, 1500 * MS, 3500 * MS), 0);
    cr_expect_gt(sent_in(net, 0, 1500 * MS, 3500 * MS), 0, "the others go on");
    resume_service(net, 1);
    net_run_until(net, 5500 * MS);
    cr_expect_gt(sent_in(net, 1, 3500 * MS, 5500 * MS), 0);
    cr_expect_gt(sent_in(net, 2, 3500 * MS, 5500 * MS), 0);
    engine_stop(net->run);
    net_free(net);
}

/* The best control is of the same protocol: it met the hops before it was paused. What is silent
 * from then on is compared with pings. */
static void second_dropped_later(struct net *net, const struct sonde_tx *tx)
{
    if (net->now < 1500 * MS || tx->ttl <= DROPPER || net_service_of(tx) != 1)
        net_open_path(net, tx);
}

Test(pause, who_is_paused_is_no_control)
{
    struct net *net = start_net(8, hops_ns[0], "icmp tcp tcp");
    net->on_probe = second_dropped_later;
    engine_start(net->run, 0);
    net_run_until(net, 1500 * MS);
    cr_expect_gt(sent_in(net, 2, 0, 1500 * MS), 2);
    pause_service(net, 2);
    net_run_until(net, 9 * S);
    cr_expect_eq(sent_in(net, 2, 1500 * MS, 9 * S), 0);
    size_t controls = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        controls += net->probes[i].service == 0 && net->probes[i].ttl == DROPPER + 1 &&
                    net->probes[i].sent_ns > 3500 * MS;
    cr_expect_geq(controls, 2, "%zu", controls);
    resume_service(net, 2);
    net_run(net);
    net_free(net);
}

/* The first met the hops before it was paused, and nothing else is answered when the second is
 * silent, after 20 ms. */
Test(pause, who_met_a_router_before_it_was_paused_is_no_control_there)
{
    struct net *net = start_net(0, hops_ns[0], "tcp tcp");
    net->on_probe = second_dropped;
    engine_start(net->run, 0);
    net_run_until(net, 19 * MS);
    cr_assert(ttl_set_has(&net->tally->targets[0]->services[0]->reach.expired, DROPPER + 1));
    pause_service(net, 0);
    net_run_until(net, 9 * S);
    cr_expect_eq(sent_in(net, 0, 19 * MS, 9 * S), 0);
    cr_expect_geq(net_count(net, 1, DROPPER + 1, false), 2);
    engine_stop(net->run);
    net_free(net);
}

/* Two runs send the same at the same times, but that the services of one are counted from here. */
static void expect_same(const struct net *a, uint32_t first, const struct net *b)
{
    cr_assert_eq(a->probe_count, b->probe_count, "%zu, %zu", a->probe_count, b->probe_count);
    for (size_t i = 0; i < a->probe_count; i++) {
        cr_assert_eq(a->probes[i].sent_ns, b->probes[i].sent_ns, "probe %zu", i);
        cr_assert_eq(a->probes[i].ttl, b->probes[i].ttl, "probe %zu", i);
        cr_assert_eq(a->probes[i].service, b->probes[i].service + first, "probe %zu", i);
    }
}

/* The ping would go ahead while the others wait for what it shows. A SYN goes ahead, too. */
Test(pause, the_others_are_asked_as_if_who_is_paused_was_not_there)
{
    static const char *const services[][2] = {{"icmp tcp udp udp", "tcp udp udp"},
                                              {"icmp udp udp", "udp udp"}};
    for (size_t i = 0; i < 2 * PACES; i++) {
        struct net *net = start_net(0, hops_ns[i / 2], services[i % 2][0]);
        struct net *without = start_net(0, hops_ns[i / 2], services[i % 2][1]);
        pause_service(net, 0);
        engine_start(net->run, 0);
        engine_start(without->run, 0);
        net_run_until(net, 20 * S);
        net_run_until(without, 20 * S);
        expect_same(net, 1, without);
        engine_stop(net->run);
        engine_stop(without->run);
        net_free(net);
        net_free(without);
    }
}

/* Pause and resume two targets' services at random, with round trips from 10 to 600 ms, of which
 * some are longer than the interval. */
static void pause_at_random(struct net *net, struct prng *prng)
{
    while (engine_ended(net->run) == ENGINE_RUNNING && net->now < 20 * S) {
        const struct engine_place place = {prng_below(prng, 2), prng_below(prng, 3)};
        net_run_until(net, net->now + prng_below(prng, 700) * MS);
        if (prng_below(prng, 2) == 0)
            engine_pause(net->run, &place, net->now);
        else
            engine_resume(net->run, &place, net->now);
    }
    for (uint32_t i = 0; i < 6; i++)
        engine_resume(net->run, &(struct engine_place){i / 3, i % 3}, net->now);
}

Test(pause, at_random_times_it_shows_no_loss_where_there_is_none)
{
    enum { CYCLES = 20 };
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct prng prng = {seed};
        struct engine_plan plan = net_plan();
        plan.targets = 2;
        plan.cycles = CYCLES;
        plan.interval_ns = 300 * MS;
        struct net *net = net_new(&plan);
        net->open = true;
        net->hop_ns = (1 + prng_below(&prng, 60)) * MS;
        net_add(net, "icmp tcp udp");
        net_add(net, "icmp tcp udp");
        engine_start(net->run, 0);
        pause_at_random(net, &prng);
        net_run(net);
        cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0, "seed %u", (unsigned)seed);
        cr_expect_leq(net_count(net, UINT32_MAX, 0, true), 6 * CYCLES);
        cr_expect_eq(net_discards(net), 0, "seed %u", (unsigned)seed);
        net_free(net);
    }
}

/* The second cycle would begin at 1 s and begins at 300 ms, when it is asked for. The third is
 * asked for 1 ms later, and waits until 10 ms are over. The fourth begins an interval after that.
 * Then none is left that could. */
Test(pause, a_cycle_begins_when_it_is_asked_for)
{
    const sonde_ns times[] = {0, 300 * MS, 310 * MS, 1310 * MS};
    struct net *net = start_net(4, hops_ns[0], "icmp");
    engine_start(net->run, 0);
    engine_begin_cycle(net->run, 10 * MS, 0); /* the first is due anyway */
    net_run_until(net, 300 * MS);
    engine_begin_cycle(net->run, 10 * MS, net->now);
    net_run_until(net, 301 * MS);
    engine_begin_cycle(net->run, 10 * MS, net->now);
    net_run_until(net, 1320 * MS);
    engine_begin_cycle(net->run, 10 * MS, net->now);
    net_run(net);
    expect_asked(net, 0, times, 4);
    net_free(net);
}

Test(pause, no_cycle_of_a_paused_target_begins)
{
    const sonde_ns times[] = {0, 1500 * MS};
    struct net *net = start_net(2, hops_ns[0], "icmp");
    engine_start(net->run, 0);
    net_run_until(net, 300 * MS);
    pause_target(net);
    engine_begin_cycle(net->run, 10 * MS, net->now);
    net_run_until(net, 1500 * MS);
    resume_target(net);
    net_run(net);
    expect_asked(net, 0, times, 2);
    net_free(net);
}
