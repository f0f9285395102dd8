/* SPDX-License-Identifier: BSD-2-Clause */
/* See recorded.h. */
#include "tests/unit/run/recorded.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>

const char recorded_network[] = "start 2026-11-22T17:41:15Z\n"
                                "vantage here 192.0.2.1\n"
                                "router r1 10.0.0.1 delay=1ms\n"
                                "host h 203.0.113.10 delay=1ms tcp:443=open tcp:*=closed\n"
                                "path h r1\n"
                                "name 10.0.0.1 router.example\n"
                                "resolve www.example 203.0.113.10 delay=100ms\n";

int recorded_add(struct sonde_run *run, const char *host)
{
    const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                             {.protocol = "tcp", .port = 443}};
    return sonde_run_add(run, host, host, services, 2, NULL);
}

static void look_at(const struct sonde_record *record, struct recorded_seen *seen)
{
    cr_assert_eq(record->n, seen->count, "gaps show");
    seen->count++;
    seen->of[record->type]++;
    seen->last = record->type;
    if (record->n == 0)
        cr_expect_eq(record->type, SONDE_RECORD_RUN_START);
    if (record->type == SONDE_RECORD_TARGET) {
        const struct sonde_record_target *target = &record->u.target;
        seen->is_told[target->target] =
            target->services[target->service_count > 1].measured_target != SONDE_RECORD_UNMEASURED;
    }
    if (record->type == SONDE_RECORD_PROBE) {
        cr_expect_eq(seen->of[SONDE_RECORD_BEGIN], 1, "probes leave behind the beginning");
        cr_expect(seen->is_told[record->u.probe.event.target], "its target was told before");
    }
}

int recorded_take(struct sonde_run *run, struct sonde_replay *replay, struct recorded_seen *seen)
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

int recorded_go_on(struct sonde_run *run, struct sonde_replay *replay, struct recorded_seen *seen)
{
    int r = 0;
    while (r == 0) {
        r = case_step(run, SONDE_NS_NEVER);
        int taken = recorded_take(run, replay, seen);
        r = taken < 0 ? taken : r;
    }
    return r;
}

void recorded_compare(const struct sonde_snapshot *now, const struct sonde_snapshot *again)
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

unsigned recorded_take_at_most(struct sonde_run *run, struct sonde_replay *replay, unsigned max,
                               struct recorded_seen *seen)
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

struct sonde_replay *recorded_replay(void)
{
    const struct sonde_replay_options all = {0};
    struct sonde_replay *replay = NULL;
    cr_assert_eq(sonde_replay_new(&all, &replay), 0);
    return replay;
}

void recorded_end(struct sonde_run *run, struct sonde_replay *replay)
{
    struct sonde_snapshot *now = case_snapshot(run);
    struct sonde_snapshot *again = case_snapshot(sonde_replay_run(replay));
    recorded_compare(now, again);
    sonde_snapshot_free(now);
    sonde_snapshot_free(again);
    sonde_replay_free(replay);
    case_free(run);
}
