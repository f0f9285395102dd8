/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a run, and a run that is made of them. That the report of both is the same to the
 * byte, tests/sim/replay.py looks at; here is what holds in between. */
#include "run/internal.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* www.example is known after 100 ms, and shares then what is measured for the address beside it. */
static const char network[] = "start 2026-11-22T17:41:15Z\n"
                              "vantage here 192.0.2.1\n"
                              "router r1 10.0.0.1 delay=1ms\n"
                              "host h 203.0.113.10 delay=1ms tcp:443=open tcp:*=closed\n"
                              "path h r1\n"
                              "name 10.0.0.1 router.example\n"
                              "resolve www.example 203.0.113.10 delay=100ms\n";

static const struct sonde_options options = {.plan = {.cycles = 3, .want_records = true}};

/* Add a target with icmp and 443/tcp. */
static int add(struct sonde_run *run, const char *host)
{
    const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                             {.protocol = "tcp", .port = 443}};
    return sonde_run_add(run, host, host, services, 2, NULL);
}

enum { TOLD_MAX = 20 };

/* What is seen of the records of a run. */
struct seen {
    uint64_t count;
    uint32_t of[SONDE_RECORD_TYPE_COUNT];
    enum sonde_record_type last;
    bool is_told[TOLD_MAX]; /* by target: a record said where its services are measured */
};

static void look_at(const struct sonde_record *record, struct seen *seen)
{
    cr_assert_eq(record->n, seen->count, "gaps show");
    seen->count++;
    seen->of[record->type]++;
    seen->last = record->type;
    if (record->n == 0)
        cr_expect_eq(record->type, SONDE_RECORD_RUN_START);
    if (record->type == SONDE_RECORD_TARGET)
        seen->is_told[record->u.target.target] =
            record->u.target.services[1].measured_target != SONDE_RECORD_UNMEASURED;
    if (record->type == SONDE_RECORD_PROBE) {
        cr_expect_eq(seen->of[SONDE_RECORD_BEGIN], 1, "probes leave behind the beginning");
        cr_expect(seen->is_told[record->u.probe.event.target], "its target was told before");
    }
}

/* Take all records that there are. @param replay  Gets them, too; NULL = none does.
 * @return 0; -ENOMEM. */
static int take(struct sonde_run *run, struct sonde_replay *replay, struct seen *seen)
{
    struct sonde_record record;
    struct sonde_error error = {""};
    int r;
    while ((r = sonde_run_next_record(run, &record)) == 0) {
        look_at(&record, seen);
        r = replay != NULL ? sonde_replay_add(replay, &record, &error) : 0;
        cr_assert(r == 0 || r == -ENOMEM, "%s", error.text);
        if (r < 0)
            break;
    }
    return r == 1 ? 0 : r;
}

/* Let a run that has started come to its end. @return 1; a negative errno. */
static int go_on(struct sonde_run *run, struct sonde_replay *replay, struct seen *seen)
{
    int r = 0;
    while (r == 0) {
        r = case_step(run, SONDE_NS_NEVER);
        int taken = take(run, replay, seen);
        r = taken < 0 ? taken : r;
    }
    return r;
}

static int finish(struct sonde_run *run, struct sonde_replay *replay, struct seen *seen)
{
    int r = sonde_run_start(run);
    return r == 0 ? go_on(run, replay, seen) : r;
}

Test(record, what_comes_first_is_told_first)
{
    struct sonde_run *run = case_run_of(network, options);
    struct seen seen = {.count = 0};
    cr_assert_eq(add(run, "www.example"), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
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

/* Compare what two snapshots say of each service. */
static void compare(const struct sonde_snapshot *now, const struct sonde_snapshot *again)
{
    cr_assert_eq(again->target_count, now->target_count);
    cr_expect_eq(again->own_losses.send, now->own_losses.send);
    cr_expect_eq(again->vantage.sent_clocks[SONDE_CLOCK_SIMULATED],
                 now->vantage.sent_clocks[SONDE_CLOCK_SIMULATED]);
    for (size_t i = 0; i < now->target_count; i++) {
        cr_assert_eq(again->targets[i].service_count, now->targets[i].service_count);
        cr_expect_eq(again->targets[i].paused, now->targets[i].paused);
        for (size_t k = 0; k < now->targets[i].service_count; k++) {
            const struct sonde_service_result *a = &now->targets[i].services[k];
            const struct sonde_service_result *b = &again->targets[i].services[k];
            cr_expect_eq(b->state, a->state);
            cr_expect_eq(b->paused, a->paused);
            cr_expect_eq(b->sent, a->sent);
            cr_expect_eq(b->received, a->received);
            cr_expect_eq(b->rtt.avg_ns, a->rtt.avg_ns);
            cr_expect_str_eq(b->verdict.text, a->verdict.text);
        }
    }
}

/* Something that is done to a run while it is recorded. */
typedef void deed(struct sonde_run *run, unsigned step);

/* Record a run of two targets that share, and compare it with its replay after each step. */
static struct seen compare_at_any_time(const struct sonde_options *chosen, deed *done)
{
    struct sonde_run *run = case_run_of(network, *chosen);
    const struct sonde_replay_options all = {0};
    struct sonde_replay *replay = NULL;
    struct seen seen = {.count = 0};
    cr_assert_eq(sonde_replay_new(&all, &replay), 0);
    cr_expect_null(sonde_replay_run(replay));
    cr_assert_eq(add(run, "www.example"), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    int r = 0;
    for (unsigned step = 0; r == 0; step++) {
        r = case_step(run, SONDE_NS_NEVER);
        if (done != NULL)
            done(run, step);
        cr_assert_eq(take(run, replay, &seen), 0);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        compare(now, again);
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
    const struct seen seen = compare_at_any_time(&options, NULL);
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
    const struct seen seen = compare_at_any_time(&longer, pause_and_reset);
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
        r = add(run, "203.0.113.10"); /* it gets the number 1 again */
    else if (step == 25)
        r = sonde_run_add_service(run, 0, &http, NULL);
    else if (step == 30)
        r = sonde_run_remove_service(run, 0, 1); /* 443/tcp, which the other target has, too */
    else if (step == 40)
        r = sonde_run_remove(run, 0); /* for which it all was measured */
    else if (step == 45)
        r = add(run, "www.example");
    cr_assert_eq(r, 0, "step %u", step);
}

Test(record, what_comes_and_goes_is_in_it)
{
    struct sonde_options longer = options;
    longer.plan.cycles = 10;
    const struct seen seen = compare_at_any_time(&longer, come_and_go);
    cr_expect_eq(seen.of[SONDE_RECORD_REMOVED], 3);
}

Test(record, a_run_that_is_stopped_loses_no_record)
{
    struct sonde_run *run = case_run_of(network, options);
    const struct sonde_replay_options all = {0};
    struct sonde_replay *replay = NULL;
    struct seen seen = {.count = 0};
    cr_assert_eq(sonde_replay_new(&all, &replay), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    sonde_run_stop(run);
    for (int r = 0; r == 0;) /* nothing is taken before the end */
        r = case_step(run, SONDE_NS_NEVER);
    cr_assert_eq(take(run, replay, &seen), 0);
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
    struct sonde_run *run = case_run_of(network, open);
    struct seen seen = {.count = 0};
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
        cr_assert_eq(take(run, NULL, &seen), 0);
    }
    for (int i = 0; i < 5; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0); /* of which nothing is taken */
    cr_assert_eq(sonde_run_remove(run, 1), 0);
    cr_assert_eq(sonde_run_remove(run, 0), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0); /* it has the number of one of them */
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
        cr_assert_eq(take(run, NULL, &seen), 0);
    }
    sonde_run_stop(run);
    for (int r = 0; r == 0;) {
        r = case_step(run, SONDE_NS_NEVER);
        cr_assert_eq(take(run, NULL, &seen), 0);
    }
    cr_expect_eq(seen.last, SONDE_RECORD_RUN_END);
    case_free(run);
}

/* Take all records that there are, at most so many. @param replay  Gets them, too; NULL = none
 * does.
 * @return How many there were. */
static unsigned take_at_most(struct sonde_run *run, struct sonde_replay *replay, unsigned max,
                             struct seen *seen)
{
    struct sonde_record record;
    struct sonde_error error = {""};
    unsigned count = 0;
    while (count < max && sonde_run_next_record(run, &record) == 0) {
        look_at(&record, seen);
        if (replay != NULL)
            cr_assert_eq(sonde_replay_add(replay, &record, &error), 0, "%s", error.text);
        count++;
    }
    return count;
}

Test(record, those_who_came_and_went_before_anything_was_told_take_no_room)
{
    struct sonde_run *run = case_run_of(network, options);
    struct seen seen = {.count = 0};
    for (int i = 0; i < 60; i++) {
        cr_assert_eq(add(run, "203.0.113.10"), 0);
        cr_assert_eq(sonde_run_remove(run, 0), 0);
    }
    for (int i = 0; i < TOLD_MAX; i++)
        cr_assert_eq(add(run, "203.0.113.10"), 0); /* in the room for the first 16, and for more */
    cr_assert_eq(sonde_run_start(run), 0);
    cr_expect_lt(take_at_most(run, NULL, 100, &seen), 100);
    for (int i = 0; i < TOLD_MAX; i++)
        cr_expect(seen.is_told[i], "%d", i);
    cr_expect_eq(seen.of[SONDE_RECORD_TARGET], TOLD_MAX, "each once");
    case_free(run);
}

/* One shares what is measured for another, who is removed before any record is taken, or behind as
 * many as there are. Who shares is told, and the replay has its figures. */
Test(record, who_shares_is_told_though_the_one_it_is_measured_for_is_removed)
{
    for (unsigned taken = 0; taken < 5; taken++) {
        struct sonde_run *run = case_run_of(network, options);
        const struct sonde_replay_options all = {0};
        struct sonde_replay *replay = NULL;
        struct seen seen = {.count = 0};
        cr_assert_eq(sonde_replay_new(&all, &replay), 0);
        cr_assert_eq(add(run, "203.0.113.10"), 0);
        cr_assert_eq(add(run, "203.0.113.10"), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        cr_assert_eq(take_at_most(run, replay, taken, &seen), taken < 4 ? taken : 4);
        cr_assert_eq(sonde_run_remove(run, 0), 0);
        cr_assert_lt(take_at_most(run, replay, 100, &seen), 100);
        cr_expect(seen.is_told[1], "%u", taken);
        cr_expect_eq(go_on(run, replay, &seen), 1);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        cr_expect_gt(now->targets[0].services[1].sent, 0);
        compare(now, again);
        cr_expect_eq(seen.of[SONDE_RECORD_REMOVED], 1);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
        sonde_replay_free(replay);
        case_free(run);
    }
}

/* What is removed while events of it wait that others report, too. */
enum gone { GONE_TARGET, GONE_SERVICE, GONE_SHARER, GONE_COUNT };

Test(record, events_that_others_report_too_are_told_though_their_target_goes)
{
    for (enum gone gone = GONE_TARGET; gone < GONE_COUNT; gone++) {
        struct sonde_run *run = case_run_of(network, options);
        const struct sonde_replay_options all = {0};
        struct sonde_replay *replay = NULL;
        struct seen seen = {.count = 0};
        cr_assert_eq(sonde_replay_new(&all, &replay), 0);
        for (int i = 0; i < 3; i++)
            cr_assert_eq(add(run, "203.0.113.10"), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        if (gone == GONE_SHARER)
            cr_assert_eq(sonde_run_remove(run, 0), 0); /* events are told of the next one */
        cr_assert_eq(take(run, replay, &seen), 0);
        for (int i = 0; i < 15; i++)
            cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0); /* of which nothing is taken */
        cr_assert_gt(run->event_count, 0);
        cr_expect_eq(run->events[run->event_first].target, gone == GONE_SHARER);
        cr_assert_eq(sonde_run_pause(run, 2, 1), 0); /* is told behind them */
        cr_assert_eq(sonde_run_resume(run, 2, 1), 0);
        int r = gone == GONE_SERVICE ? sonde_run_remove_service(run, 0, 1)
                                     : sonde_run_remove(run, gone == GONE_SHARER);
        cr_assert_eq(r, 0);
        cr_expect_eq(go_on(run, replay, &seen), 1);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        compare(now, again);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
        sonde_replay_free(replay);
        case_free(run);
    }
}

/* Without records, the program that takes events knows nothing of a target that it has removed. */
Test(record, events_are_told_of_another_that_reports_them)
{
    struct sonde_options events = {.plan = {.cycles = 3, .want_events = true}};
    struct sonde_run *run = case_run_of(network, events);
    struct sonde_event event;
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
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
Test(record, of_those_who_share_and_are_all_removed_nothing_is_told)
{
    struct sonde_run *run = case_run_of(network, options);
    struct seen seen = {.count = 0};
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    cr_assert_eq(sonde_run_remove(run, 0), 0);
    cr_assert_eq(sonde_run_remove(run, 1), 0);
    cr_expect_lt(take_at_most(run, NULL, 100, &seen), 100);
    cr_expect_eq(seen.of[SONDE_RECORD_TARGET], 0);
    cr_expect_eq(seen.of[SONDE_RECORD_REMOVED], 0);
    case_free(run);
}

/* Before any record is taken: a service is removed; a target is paused, and removed. */
Test(record, what_was_done_before_anything_was_told_is_no_riddle)
{
    for (int whole = 0; whole < 2; whole++) {
        struct sonde_run *run = case_run_of(network, options);
        const struct sonde_replay_options all = {0};
        struct sonde_replay *replay = NULL;
        struct seen seen = {.count = 0};
        cr_assert_eq(sonde_replay_new(&all, &replay), 0);
        cr_assert_eq(add(run, "203.0.113.10"), 0);
        cr_assert_eq(add(run, "10.0.0.1"), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        cr_assert_eq(sonde_run_pause(run, 1, 1), 0);
        int r = whole != 0 ? sonde_run_remove(run, 1) : sonde_run_remove_service(run, 1, 1);
        cr_assert_eq(r, 0);
        if (whole != 0)
            cr_assert_eq(add(run, "203.0.113.10"), 0); /* it gets the number 1 again */
        cr_expect_eq(go_on(run, replay, &seen), 1);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        compare(now, again);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
        sonde_replay_free(replay);
        case_free(run);
    }
}

/* The one who shares has the lower number, and its address later: nothing is taken until figures
 * have begun anew. */
Test(record, who_shares_is_told_whole_before_what_is_done_to_it)
{
    struct sonde_run *run = case_run_of(network, options);
    const struct sonde_replay_options all = {0};
    struct sonde_replay *replay = NULL;
    struct seen seen = {.count = 0};
    cr_assert_eq(sonde_replay_new(&all, &replay), 0);
    cr_assert_eq(add(run, "www.example"), 0);
    cr_assert_eq(add(run, "203.0.113.10"), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    case_pass_until(run->vantage, 1500 * SONDE_NS_PER_MS);
    cr_assert_eq(sonde_run_reset(run, 0, SONDE_ALL), 0);
    cr_expect_eq(go_on(run, replay, &seen), 1);
    struct sonde_snapshot *now = case_snapshot(run);
    struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
    compare(now, again);
    sonde_snapshot_free(now);
    sonde_snapshot_free(again);
    sonde_replay_free(replay);
    case_free(run);
}

static uint64_t one_lost(struct sonde_transport *transport)
{
    (void)transport;
    return 1;
}

/* The queue overflows in the midst of a cycle, and it is noticed at once; figures begin anew before
 * the next cycle, or do not. Where they do, what the queue has lost is no excuse for them any more:
 * the answers take 10 ms, and 1 ms is allowed. */
Test(record, what_was_lost_in_the_queue_is_known_and_when)
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
        const struct sonde_replay_options all = {0};
        struct sonde_replay *replay = NULL;
        struct seen seen = {.count = 0};
        cr_assert_eq(sonde_replay_new(&all, &replay), 0);
        cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), 0);
        cr_assert_eq(sonde_run_start(run), 0);
        case_pass_until(run->vantage, 5 * SONDE_NS_PER_S + 200 * SONDE_NS_PER_MS);
        cr_assert_eq(take(run, replay, &seen), 0);
        struct sonde_transport_ops ops = *run->vantage->transport->ops;
        ops.lost_here = one_lost;
        run->vantage->transport->ops = &ops;
        case_pass_until(run->vantage, 5 * SONDE_NS_PER_S + 400 * SONDE_NS_PER_MS);
        if (anew != 0)
            cr_assert_eq(sonde_run_reset(run, 0, 0), 0);
        cr_expect_eq(go_on(run, replay, &seen), 1);
        struct sonde_snapshot *now = case_snapshot(run);
        struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
        cr_expect_eq(now->targets[0].services[0].verdict.code,
                     anew != 0 ? SONDE_CODE_LATENCY_OVER_LIMIT : SONDE_CODE_OK);
        compare(now, again);
        sonde_snapshot_free(now);
        sonde_snapshot_free(again);
        sonde_replay_free(replay);
        case_free(run);
    }
}

/* Everything once, with memory that runs out. @return 1 if all went well. */
static int record_and_replay(void)
{
    struct sonde_options all = options;
    const struct sonde_replay_options shown = {0};
    struct sonde_run *run = NULL;
    struct sonde_replay *replay = NULL;
    struct sonde_snapshot *snapshot = NULL;
    struct seen seen = {.count = 0};
    all.simulation.scenario = network;
    all.simulation.scenario_bytes = strlen(network);
    all.simulation.virtual_time = true;
    int r = case_new(&all, &run, NULL);
    if (r == 0)
        r = sonde_replay_new(&shown, &replay);
    if (r == 0)
        r = add(run, "www.example");
    if (r == 0)
        r = add(run, "203.0.113.10");
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
