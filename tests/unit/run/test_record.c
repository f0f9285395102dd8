/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a run, and a run that is made of them. That the report of both is the same to the
 * byte, tests/sim/replay.py looks at; here is what holds in between. */
#include "run/internal.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/run/case.h"
#include "tests/unit/run/recorded.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct sonde_options options = {.plan = {.cycles = 3, .want_records = true}};

static int finish(struct sonde_run *run, struct sonde_replay *replay, struct recorded_seen *seen)
{
    int r = sonde_run_start(run);
    return r == 0 ? recorded_go_on(run, replay, seen) : r;
}

Test(record, what_comes_first_is_told_first)
{
    struct sonde_run *run = case_run_of(recorded_network, options);
    struct recorded_seen seen = {.count = 0};
    cr_assert_eq(recorded_add(run, "www.example"), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_expect_eq(finish(run, NULL, &seen), 1);
    cr_expect_eq(seen.last, SONDE_RECORD_RUN_END);
    cr_expect_eq(seen.of[SONDE_RECORD_RUN_START], 1);
    cr_expect_eq(seen.of[SONDE_RECORD_RUN_END], 1);
    cr_expect_eq(seen.of[SONDE_RECORD_NAME], 1);    /* of the router; the host has none */
    cr_expect_eq(seen.of[SONDE_RECORD_VERDICT], 4); /* of two services of two targets */
    cr_expect_eq(seen.of[SONDE_RECORD_CYCLE], 3);   /* of the one that is measured */
    cr_expect(seen.is_told[0] && seen.is_told[1]);
    struct sonde_record record;
    cr_expect_eq(sonde_run_next_record(run, &record), 1, "there is none behind the last");
    case_free(run);
}

/* Something that is done to a run while it is recorded. */
typedef void deed(struct sonde_run *run, unsigned step);

/* Record a run of two targets that share, and compare it with its replay after each step. */
static struct recorded_seen compare_at_any_time(const struct sonde_options *chosen, deed *done)
{
    struct sonde_run *run = case_run_of(recorded_network, *chosen);
    const struct sonde_replay_options all = {0};
    struct sonde_replay *replay = NULL;
    struct recorded_seen seen = {.count = 0};
    cr_assert_eq(sonde_replay_new(&all, &replay), 0);
    cr_expect_null(sonde_replay_run(replay));
    cr_assert_eq(recorded_add(run, "www.example"), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    int r = 0;
    for (unsigned step = 0; r == 0; step++) {
        r = case_step(run, SONDE_NS_NEVER);
        if (done != NULL)
            done(run, step);
        cr_assert_eq(recorded_take(run, replay, &seen), 0);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        recorded_compare(now, again);
        cr_expect_eq(again->status,
                     sonde_replay_has_ended(replay) ? now->status : SONDE_STATUS_INTERRUPTED);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
    }
    cr_expect(sonde_replay_has_ended(replay));
    sonde_replay_free(replay);
    case_free(run);
    return seen;
}

Test(record, a_replay_shows_what_the_run_did_at_any_time)
{
    const struct recorded_seen seen = compare_at_any_time(&options, NULL);
    cr_expect_gt(seen.of[SONDE_RECORD_PROBE], 10);
}

static void pause_and_reset(struct sonde_run *run, unsigned step)
{
    int r = 0;
    if (step == 12)
        r = sonde_run_pause(run, 1, 1);
    else if (step == 15)
        r = sonde_run_reset(run, 1, 1);
    else if (step == 20)
        r = sonde_run_pause(run, SONDE_ALL, SONDE_ALL);
    else if (step == 22)
        r = sonde_run_reset(run, SONDE_ALL, SONDE_ALL);
    else if (step == 23)
        r = sonde_run_resume(run, SONDE_ALL, SONDE_ALL);
    else if (step == 30)
        r = sonde_run_reset(run, 0, SONDE_ALL);
    cr_assert_eq(r, 0);
}

Test(record, pauses_and_new_beginnings_are_in_it)
{
    struct sonde_options longer = options;
    longer.plan.cycles = 10;
    const struct recorded_seen seen = compare_at_any_time(&longer, pause_and_reset);
    cr_expect_eq(seen.of[SONDE_RECORD_PAUSED], 3); /* one of a service, and of each target */
    cr_expect_eq(seen.of[SONDE_RECORD_RESUMED], 2);
    cr_expect_eq(seen.of[SONDE_RECORD_RESET], 5); /* likewise, of the whole run, and of a target */
}

static void come_and_go(struct sonde_run *run, unsigned step)
{
    const struct sonde_service ssh = {.protocol = "tcp", .port = 22};
    const struct sonde_service http = {.protocol = "tcp", .port = 80}; /* which stands by */
    int r = 0;
    if (step == 12)
        r = sonde_run_remove(run, 1);
    else if (step == 16)
        r = sonde_run_add_service(run, 0, &ssh, NULL);
    else if (step == 20)
        r = recorded_add(run, "203.0.113.10"); /* it gets the number 1 again */
    else if (step == 25)
        r = sonde_run_add_service(run, 0, &http, NULL);
    else if (step == 30)
        r = sonde_run_remove_service(run, 0, 1); /* 443/tcp, which the other target has, too */
    else if (step == 40)
        r = sonde_run_remove(run, 0); /* for which it all was measured */
    else if (step == 45)
        r = recorded_add(run, "www.example");
    cr_assert_eq(r, 0, "step %u", step);
}

Test(record, what_comes_and_goes_is_in_it)
{
    struct sonde_options longer = options;
    longer.plan.cycles = 10;
    const struct recorded_seen seen = compare_at_any_time(&longer, come_and_go);
    cr_expect_eq(seen.of[SONDE_RECORD_REMOVED], 3);
}

Test(record, a_run_that_is_stopped_loses_no_record)
{
    struct sonde_run *run = case_run_of(recorded_network, options);
    const struct sonde_replay_options all = {0};
    struct sonde_replay *replay = NULL;
    struct recorded_seen seen = {.count = 0};
    cr_assert_eq(sonde_replay_new(&all, &replay), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    sonde_run_stop(run);
    for (int r = 0; r == 0;) /* nothing is taken before the end */
        r = case_step(run, SONDE_NS_NEVER);
    cr_assert_eq(recorded_take(run, replay, &seen), 0);
    struct sonde_snapshot *now = case_snapshot(run);
    struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
    cr_expect_eq(again->status, SONDE_STATUS_INTERRUPTED);
    cr_expect_eq(again->duration_ns, now->duration_ns);
    cr_expect_eq(again->vantage.sent_clocks[SONDE_CLOCK_SIMULATED],
                 now->vantage.sent_clocks[SONDE_CLOCK_SIMULATED]);
    cr_expect_gt(now->vantage.sent_clocks[SONDE_CLOCK_SIMULATED], 0);
    sonde_snapshot_free(now);
    sonde_snapshot_free(again);
    sonde_replay_free(replay);
    case_free(run);
}

Test(record, what_is_removed_is_told_no_more)
{
    struct sonde_options open = options;
    open.plan.stays_open = true;
    struct sonde_run *run = case_run_of(recorded_network, open);
    struct recorded_seen seen = {.count = 0};
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
        cr_assert_eq(recorded_take(run, NULL, &seen), 0);
    }
    for (int i = 0; i < 5; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0); /* of which nothing is taken */
    cr_assert_eq(sonde_run_remove(run, 1), 0);
    cr_assert_eq(sonde_run_remove(run, 0), 0);
    cr_assert_eq(recorded_add(run, "203.0.113.10"), 0); /* it has the number of one of them */
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
        cr_assert_eq(recorded_take(run, NULL, &seen), 0);
    }
    sonde_run_stop(run);
    for (int r = 0; r == 0;) {
        r = case_step(run, SONDE_NS_NEVER);
        cr_assert_eq(recorded_take(run, NULL, &seen), 0);
    }
    cr_expect_eq(seen.last, SONDE_RECORD_RUN_END);
    case_free(run);
}

/* Everything once, with memory that runs out. @return 1 if all went well. */
static int record_and_replay(void)
{
    struct sonde_options all = options;
    const struct sonde_replay_options shown = {0};
    struct sonde_run *run = NULL;
    struct sonde_replay *replay = NULL;
    struct sonde_snapshot *snapshot = NULL;
    struct recorded_seen seen = {.count = 0};
    all.simulation.scenario = recorded_network;
    all.simulation.scenario_bytes = strlen(recorded_network);
    all.simulation.virtual_time = true;
    int r = case_new(&all, &run, NULL);
    if (r == 0)
        r = sonde_replay_new(&shown, &replay);
    if (r == 0)
        r = recorded_add(run, "www.example");
    if (r == 0)
        r = recorded_add(run, "203.0.113.10");
    if (r == 0)
        r = finish(run, replay, &seen);
    if (r == 1 && sonde_run_snapshot(sonde_replay_run(replay), &snapshot) < 0)
        r = -ENOMEM;
    sonde_snapshot_free(snapshot);
    sonde_replay_free(replay);
    case_free(run);
    return r;
}

Test(record, memory_that_runs_out_ends_the_records_and_nothing_else)
{
    int64_t live = alloc_live();
    uint64_t before = 0;
    bool failed = true;
    while (failed) {
        alloc_fail(before++, 1);
        int r = record_and_replay();
        failed = alloc_heal();
        cr_assert(r == 1 || r == -ENOMEM || r == -EIO, "%d after %lu", r, (unsigned long)before);
        cr_assert_eq(alloc_live(), live, "after %lu: %ld", (unsigned long)before,
                     (long)(alloc_live() - live));
    }
    cr_expect_gt(before, 50);
}
