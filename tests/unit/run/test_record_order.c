/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets come and go, share, pause, and lose answers, before any record is taken or while some
 * wait: what is told then, and in which order. */
#include "run/internal.h"
#include "tests/unit/run/case.h"
#include "tests/unit/run/recorded.h"

#include <criterion/criterion.h>

static const struct sonde_options options = {.plan = {.cycles = 3, .want_records = true}};

Test(record_order, those_who_came_and_went_before_anything_was_told_take_no_room)
{
    struct sonde_run *run = case_run_of(recorded_network, options);
    struct recorded_seen seen = {.count = 0};
    for (int i = 0; i < 60; i++) {
        cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
        cr_assert_eq(sonde_run_remove(run, 0), 0);
    }
    for (int i = 0; i < RECORDED_MAX; i++) /* the queue has room for 16 at first */
        cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    cr_expect_lt(recorded_take_at_most(run, NULL, 100, &seen), 100);
    for (int i = 0; i < RECORDED_MAX; i++)
        cr_expect(seen.is_told[i], "%d", i);
    cr_expect_eq(seen.of[SONDE_RECORD_TARGET], RECORDED_MAX, "each once");
    case_free(run);
}

/* One shares what is measured for another, who is removed before any record is taken, or behind as
 * many as there are. Who shares is told, and the replay has its figures. */
Test(record_order, who_shares_is_told_though_the_one_it_is_measured_for_is_removed)
{
    for (unsigned taken = 0; taken < 5; taken++) {
        struct sonde_run *run = case_run_of(recorded_network, options);
        struct sonde_replay *replay = recorded_replay();
        struct recorded_seen seen = {.count = 0};
        cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
        cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        cr_assert_eq(recorded_take_at_most(run, replay, taken, &seen), taken < 4 ? taken : 4);
        cr_assert_eq(sonde_run_remove(run, 0), 0);
        cr_assert_lt(recorded_take_at_most(run, replay, 100, &seen), 100);
        cr_expect(seen.is_told[1], "%u", taken);
        cr_expect_eq(recorded_go_on(run, replay, &seen), 1);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        cr_expect_gt(now->targets[0].services[1].sent, 0);
        recorded_compare(now, again);
        cr_expect_eq(seen.of[SONDE_RECORD_REMOVED], 1);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
        sonde_replay_free(replay);
        case_free(run);
    }
}

/* What is removed while events of it wait that others report, too. */
enum gone { GONE_TARGET, GONE_SERVICE, GONE_SHARER, GONE_COUNT };

Test(record_order, events_that_others_report_too_are_told_though_their_target_goes)
{
    for (enum gone gone = GONE_TARGET; gone < GONE_COUNT; gone++) {
        struct sonde_run *run = case_run_of(recorded_network, options);
        struct sonde_replay *replay = recorded_replay();
        struct recorded_seen seen = {.count = 0};
        for (int i = 0; i < 3; i++)
            cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        if (gone == GONE_SHARER)
            cr_assert_eq(sonde_run_remove(run, 0), 0); /* events are told of the next one */
        cr_assert_eq(recorded_take(run, replay, &seen), 0);
        for (int i = 0; i < 15; i++)
            cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0); /* of which nothing is taken */
        cr_assert_gt(run->event_count, 0);
        cr_expect_eq(run->events[run->event_first].target, gone == GONE_SHARER);
        cr_assert_eq(sonde_run_pause(run, 2, 1), 0); /* is told behind them */
        cr_assert_eq(sonde_run_resume(run, 2, 1), 0);
        int r = gone == GONE_SERVICE ? sonde_run_remove_service(run, 0, 1)
                                     : sonde_run_remove(run, gone == GONE_SHARER);
        cr_assert_eq(r, 0);
        cr_expect_eq(recorded_go_on(run, replay, &seen), 1);
        recorded_end(run, replay);
    }
}

/* Without records, the program that takes events knows nothing of a target that it has removed. */
Test(record_order, events_are_told_of_another_that_reports_them)
{
    struct sonde_options events = {.plan = {.cycles = 3, .want_events = true}};
    struct sonde_run *run = case_run_of(recorded_network, events);
    struct sonde_event event;
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 15; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    uint32_t count = run->event_count;
    cr_assert_gt(count, 0);
    cr_assert_eq(sonde_run_remove(run, 0), 0);
    cr_expect_eq(run->event_count, count);
    while (sonde_run_pop_event(run, &event) == 0)
        cr_expect_eq(event.target, 1);
    case_free(run);
}

/* One shares what is measured for another; both go before anything of them is told. */
Test(record_order, of_those_who_share_and_are_all_removed_nothing_is_told)
{
    struct sonde_run *run = case_run_of(recorded_network, options);
    struct recorded_seen seen = {.count = 0};
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    cr_assert_eq(sonde_run_remove(run, 0), 0);
    cr_assert_eq(sonde_run_remove(run, 1), 0);
    cr_expect_lt(recorded_take_at_most(run, NULL, 100, &seen), 100);
    cr_expect_eq(seen.of[SONDE_RECORD_TARGET], 0);
    cr_expect_eq(seen.of[SONDE_RECORD_REMOVED], 0);
    case_free(run);
}

/* Before any record is taken: a service is removed; a target is paused, and removed. */
Test(record_order, what_was_done_before_anything_was_told_is_no_riddle)
{
    for (int whole = 0; whole < 2; whole++) {
        struct sonde_run *run = case_run_of(recorded_network, options);
        struct sonde_replay *replay = recorded_replay();
        struct recorded_seen seen = {.count = 0};
        cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
        cr_assert_eq(recorded_add(run, "10.0.0.1"), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        cr_assert_eq(sonde_run_pause(run, 1, 1), 0);
        int r = whole != 0 ? sonde_run_remove(run, 1) : sonde_run_remove_service(run, 1, 1);
        cr_assert_eq(r, 0);
        if (whole != 0)
            cr_assert_eq(recorded_add(run, "203.0.113.10"), 0); /* it gets the number 1 again */
        cr_expect_eq(recorded_go_on(run, replay, &seen), 1);
        recorded_end(run, replay);
    }
}

/* The one who shares has the lower number, and its address later: nothing is taken until figures
 * have begun anew. */
Test(record_order, who_shares_is_told_whole_before_what_is_done_to_it)
{
    struct sonde_run *run = case_run_of(recorded_network, options);
    struct sonde_replay *replay = recorded_replay();
    struct recorded_seen seen = {.count = 0};
    cr_assert_eq(recorded_add(run, "www.example"), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    case_pass_until(run->vantage, 1500 * SONDE_NS_PER_MS);
    cr_assert_eq(sonde_run_reset(run, 0, SONDE_ALL), 0);
    cr_expect_eq(recorded_go_on(run, replay, &seen), 1);
    recorded_end(run, replay);
}

static uint64_t one_lost(struct sonde_transport *transport)
{
    (void)transport;
    return 1;
}

/* The queue overflows in the midst of a cycle, and it is noticed at once; figures begin anew before
 * the next cycle, or do not. Where they do, what the queue has lost is no excuse for them any more:
 * the answers take 10 ms, and 1 ms is allowed. */
Test(record_order, what_was_lost_in_the_queue_is_known_and_when)
{
    for (int anew = 0; anew < 2; anew++) {
        const struct sonde_service icmp = {.protocol = "icmp"};
        const struct sonde_options chosen = {
            .plan = {.cycles = 20, .want_records = true},
            .judgement.warn = {.set = true, .rtt_ns = SONDE_NS_PER_MS, .loss_ratio = 1},
        };
        struct sonde_run *run = case_run_of("vantage here 192.0.2.1\n"
                                            "host h 203.0.113.10 delay=10ms\n"
                                            "path h\n",
                                            chosen);
        struct sonde_replay *replay = recorded_replay();
        struct recorded_seen seen = {.count = 0};
        cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        case_pass_until(run->vantage, 5 * SONDE_NS_PER_S + 200 * SONDE_NS_PER_MS);
        cr_assert_eq(recorded_take(run, replay, &seen), 0);
        struct sonde_transport_ops ops = *run->vantage->transport->ops;
        ops.lost_here = one_lost;
        run->vantage->transport->ops = &ops;
        case_pass_until(run->vantage, 5 * SONDE_NS_PER_S + 400 * SONDE_NS_PER_MS);
        if (anew != 0)
            cr_assert_eq(sonde_run_reset(run, 0, 0), 0);
        cr_expect_eq(recorded_go_on(run, replay, &seen), 1);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        cr_expect_eq(now->targets[0].services[0].verdict.code,
                     anew != 0 ? SONDE_CODE_LATENCY_OVER_LIMIT : SONDE_CODE_OK);
        recorded_compare(now, again);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
        sonde_replay_free(replay);
        case_free(run);
    }
}
