/* SPDX-License-Identifier: BSD-2-Clause */
/* A run: its life; see include/sonde/run.h. */
#include <sonde/run.h>

#include "base/time.h"
#include "io/clock.h"
#include "run/history.h"
#include "run/recorder.h"
#include "version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sonde_version(void)
{
    return SONDE_VERSION;
}

sonde_ns sonde_clock_ns(void)
{
    return clock_monotonic_ns();
}

/* Copy what a run is to do. */
static int take_options(struct sonde_run *run, const struct sonde_plan *plan,
                        const struct sonde_packet_format *format,
                        const struct sonde_judgement *judgement, struct sonde_error *error)
{
    struct sonde_options all = {0};
    if (plan != NULL)
        all.plan = *plan;
    if (format != NULL)
        all.format = *format;
    if (judgement != NULL)
        all.judgement = *judgement;
    int r = options_check(&all, error);
    if (r < 0)
        return r;
    options_fill_in(&all);
    run->plan = all.plan;
    run->format = all.format;
    run->judgement = all.judgement;
    return 0;
}

/* When the run is to be over. */
static sonde_ns deadline_of(const struct sonde_run *run)
{
    const struct sonde_plan *plan = &run->plan;
    if (plan->deadline_ns == 0)
        return SONDE_NS_NEVER;
    const struct sonde_vantage *vantage = run->vantage;
    bool simulated = vantage->kind == SONDE_TRANSPORT_SIMULATED;
    sonde_ns now = simulated ? vantage->now_ns : clock_monotonic_ns();
    bool has_begun = plan->began_ns != 0 && !vantage->virtual_time;
    sonde_ns passed = has_begun ? ns_sub(clock_monotonic_ns(), plan->began_ns) : 0;
    return ns_add(now, ns_max(ns_sub(plan->deadline_ns, passed), 1));
}

int sonde_run_new(struct sonde_vantage *vantage, const struct sonde_plan *plan,
                  const struct sonde_packet_format *format, const struct sonde_judgement *judgement,
                  struct sonde_run **ret_run, struct sonde_error *reterr_error)
{
    struct sonde_error reason = {"out of memory"};
    struct sonde_run *run = calloc(1, sizeof *run);
    int r = run == NULL ? -ENOMEM : take_options(run, plan, format, judgement, &reason);
    if (r == 0 && run->plan.want_records) {
        run->recorder = recorder_new();
        r = run->recorder == NULL ? -ENOMEM : 0;
    }
    if (r == 0 && (run->plan.want_events || run->plan.want_records)) {
        run->events = calloc(SONDE_EVENTS_KEPT, sizeof *run->events);
        r = run->events == NULL ? -ENOMEM : 0;
    }
    if (r < 0) {
        if (reterr_error != NULL)
            *reterr_error = reason;
        if (run != NULL)
            recorder_free(run->recorder);
        free(run);
        return r;
    }
    run->vantage = vantage;
    run->next = vantage->runs;
    vantage->runs = run;
    run->end_ns = SONDE_NS_NEVER;
    run->seen_from = NO_TARGET;
    run->until_ns = deadline_of(run);
    *ret_run = run;
    return 0;
}

static void free_targets(struct sonde_run *run)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        run->vantage->target_count -= !run->targets[i].removed;
        arena_deinit(&run->targets[i].arena);
    }
    ids_deinit(&run->target_ids);
    free(run->targets);
}

struct sonde_run *sonde_run_free(struct sonde_run *run)
{
    if (run == NULL)
        return NULL;
    struct sonde_run **at = &run->vantage->runs;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    run_forget_names(run);
    if (run->engine_run != NULL)
        engine_remove_run(run->engine_run, run->vantage->now_ns);
    for (uint32_t i = 0; run->tally != NULL && i < run->tally->target_count; i++)
        run_forget_history(run, i, SONDE_ALL);
    tally_free(run->tally);
    recorder_free(run->recorder);
    free(run->next_hops);
    free(run->events);
    free(run->traced);
    free(run->wanted);
    free(run->histories);
    free_targets(run);
    free(run);
    return NULL;
}

/* A UUID of version 7: time, then random bits. RFC 9562 §5.7. */
static int make_run_id(struct sonde_run *run)
{
    uint8_t id[16];
    int r = vantage_random(run->vantage, id, sizeof id);
    if (r < 0)
        return r;
    uint64_t ms = (uint64_t)(run->wall_start_ns / SONDE_NS_PER_MS);
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
    id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
    char *at = run->run_id;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", id[i]);
    }
    return 0;
}

void run_note_time(struct sonde_run *run)
{
    const struct sonde_vantage *vantage = run->vantage;
    bool simulated = vantage->kind == SONDE_TRANSPORT_SIMULATED;
    run->start_ns = vantage->now_ns;
    run->wall_start_ns =
        simulated ? ns_add(vantage->scenario_start_ns, vantage->now_ns) : clock_wall_ns();
}

int sonde_run_start(struct sonde_run *run)
{
    if (run->started)
        return -EBUSY;
    run->started = true;
    int r = vantage_look_at_clock(run->vantage);
    run_note_time(run);
    run->discards_before = *engine_discards(run->vantage->engine);
    run->lost_before = run->vantage->transport->ops->lost_here(run->vantage->transport);
    if (r == 0)
        r = make_run_id(run);
    if (r == 0)
        r = run_make_engine(run);
    if (r < 0)
        return r;
    engine_start(run->engine_run, run->vantage->now_ns);
    for (uint32_t i = 0; r == 0 && i < run->target_count; i++) {
        if (run->targets[i].removed || run->targets[i].eldest != i)
            continue;
        r = run_begin_target(run, i);
        vantage_take_names(run->vantage);
    }
    if (r == 0)
        r = vantage_look_at_clock(run->vantage);
    if (r < 0)
        return r;
    run_begin(run);
    if (run->interrupted)
        sonde_run_stop(run);
    return 0;
}

int sonde_run_begin_cycle(struct sonde_run *run)
{
    if (run->engine_run == NULL)
        return 0;
    int r = vantage_look_at_clock(run->vantage);
    if (r == 0)
        engine_begin_cycle(run->engine_run, sonde_option_bounds(SONDE_OPTION_INTERVAL)->least,
                           run->vantage->now_ns);
    return r;
}

bool sonde_run_is_over(const struct sonde_run *run)
{
    return run->is_over;
}

int sonde_run_pop_event(struct sonde_run *run, struct sonde_event *ret_event)
{
    if (run->event_count == 0)
        return 1;
    *ret_event = run->events[run->event_first];
    run->event_first = (run->event_first + 1) % SONDE_EVENTS_KEPT;
    run->event_count--;
    return 0;
}

void sonde_run_progress(const struct sonde_run *run, struct sonde_progress *ret_progress)
{
    *ret_progress = (struct sonde_progress){
        .elapsed_ns = run->started ? ns_sub(run->vantage->now_ns, run->start_ns) : 0,
        .cycles_begun = run->cycles_begun,
        .cycles = run->plan.cycles,
    };
}

void sonde_run_stop(struct sonde_run *run)
{
    run->interrupted = true;
    run_give_up_names(run, "interrupted while looking the name up");
    if (run->engine_run != NULL)
        engine_stop_soon(run->engine_run);
}
