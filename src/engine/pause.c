/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces are paused and resumed, and figures begin anew; see engine/engine.h. */
#include "engine/engine.h"
#include "engine/plan.h"

static struct engine_trace *trace_at(const struct engine_run *run, const struct engine_place *place)
{
    return run->targets[place->target]->traces[place->trace];
}

/* Who is asked has changed. */
static void review_now(struct engine_target *target, sonde_ns now)
{
    target->changed = true;
    if (target->is_begun)
        plan_update(target->run->engine, target, now);
}

void engine_pause(struct engine_run *run, const struct engine_place *place, sonde_ns now)
{
    struct engine_trace *trace = trace_at(run, place);
    if (trace->standing == STANDING_PAUSED || trace->is_standby)
        return;
    trace->standing = STANDING_PAUSED;
    review_now(trace->target, now);
}

void engine_resume(struct engine_run *run, const struct engine_place *place, sonde_ns now)
{
    struct engine_trace *trace = trace_at(run, place);
    struct engine_target *target = trace->target;
    if (trace->standing != STANDING_PAUSED || trace->is_removed)
        return;
    if (target->is_paused) /* its cycles were: nothing is made up for */
        target->next_cycle_ns = ns_max(target->next_cycle_ns, now);
    trace->beneath = standing_after(trace->beneath, STANDING_EVENT_RESUMED);
    trace->standing = trace->beneath;
    review_now(target, now);
}

/* From when on probes of a trace leave that were not sent yet at @p now. */
static sonde_ns since_ns(const struct engine_trace *trace, sonde_ns now)
{
    return ns_max(now, ns_add(trace->left_ns, 1));
}

void engine_reset(struct engine_run *run, const struct engine_place *place, sonde_ns now)
{
    const struct engine_trace *trace = trace_at(run, place);
    tally_reset(run->tally, place->target, place->trace, since_ns(trace, now));
}

void engine_reset_common(struct engine_run *run, sonde_ns now)
{
    sonde_ns since = now;
    for (uint32_t i = 0; i < run->target_count; i++) {
        const struct engine_target *target = run->targets[i];
        for (uint32_t k = 0; target != NULL && k < target->trace_count; k++)
            since = ns_max(since, since_ns(target->traces[k], now));
    }
    tally_reset_common(run->tally, since);
    run->discards = (struct engine_discards){0};
}
