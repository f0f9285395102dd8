/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs, targets and traces are added to an engine; see engine/engine.h. */
#include "engine/engine.h"
#include "engine/plan.h"
#include "engine/remove.h"
#include "engine/room.h"
#include "engine/trace.h"

#include <errno.h>
#include <stdlib.h>

static bool plan_is_valid(const struct engine_plan *plan)
{
    return plan->interval_ns > 0 && plan->timeout_ns > 0 && plan->duration_ns >= 0 &&
           plan->first_ttl > 0 && plan->first_ttl <= plan->max_ttl && plan->gap_limit > 0;
}

int engine_add_run(struct engine *engine, const struct engine_plan *plan, struct tally *tally,
                   struct engine_run **ret_run)
{
    if (!plan_is_valid(plan) || tally->target_count > 0)
        return -EINVAL;
    struct engine_run *run = malloc(sizeof *run);
    if (run == NULL || room_expect(engine, plan->targets) < 0) {
        free(run);
        return -ENOMEM;
    }
    *run = (struct engine_run){
        .engine = engine,
        .plan = *plan,
        .tally = tally,
        .stop_ns = SONDE_NS_NEVER,
        .sent = flight_queue_empty(),
        .next = engine->runs,
    };
    engine->runs = run;
    *ret_run = run;
    return 0;
}

/* A target without traces, with place for so many; NULL if memory ran out. */
static struct engine_target *new_target(struct engine_run *run, const struct sonde_addr *addr,
                                        uint32_t traces)
{
    struct engine_target *target = calloc(1, sizeof *target + run->plan.max_ttl + 1U);
    if (target == NULL)
        return NULL;
    target->addr = *addr;
    target->heard_ns = INT64_MIN;
    target->run = run;
    target->trace_cap = traces;
    target->traces = calloc(traces > 0 ? traces : 1, sizeof(struct engine_trace *));
    target->turns = calloc(run->plan.max_ttl + 1U, sizeof *target->turns);
    if (target->traces != NULL && target->turns != NULL)
        return target;
    free(target->traces);
    free(target->turns);
    free(target);
    return NULL;
}

int engine_add_target(struct engine_run *run, const struct sonde_addr *addr, uint32_t traces)
{
    struct engine *engine = run->engine;
    if (engine->target_count == ENGINE_TARGETS_MAX || traces > ENGINE_TRACES_PER_TARGET)
        return -ENOSPC;
    uint32_t index = tally_next_target(run->tally);
    if (index == run->target_count) {
        struct engine_target **targets =
            realloc(run->targets, (index + 1) * sizeof(struct engine_target *));
        if (targets == NULL)
            return -ENOMEM;
        run->targets = targets;
    }
    struct engine_target *target = new_target(run, addr, traces);
    int r = target != NULL ? room_grow(engine, &run->plan, traces) : -ENOMEM;
    if (r == 0) {
        r = tally_add_target(run->tally, addr, traces);
        if (r < 0) {
            room_release(engine, &run->plan, traces);
            engine->trace_count -= traces;
        }
    }
    if (r < 0) {
        target_free(target);
        return r;
    }
    target->id = ids_take(&engine->target_ids);
    engine->targets[target->id] = target;
    engine->target_count++;
    target->index = run->last_added = index;
    target->tally = run->tally->targets[index];
    run->targets[index] = target;
    run->target_count = run->tally->target_count;
    return 0;
}

int engine_add_places(struct engine_run *run, uint32_t index, uint32_t flows)
{
    struct engine *engine = run->engine;
    struct engine_target *target = run->targets[index];
    uint32_t cap = target->trace_cap + flows;
    if (cap > ENGINE_TRACES_PER_TARGET)
        return -ENOSPC;
    if (!engine_has_cycles(run, index))
        return -EBUSY;
    struct engine_trace **traces = realloc(target->traces, cap * sizeof(struct engine_trace *));
    if (traces == NULL)
        return -ENOMEM;
    target->traces = traces;
    int r = room_grow(engine, &run->plan, flows);
    if (r < 0)
        return r;
    r = tally_add_service(run->tally, index, flows);
    if (r < 0) {
        room_release(engine, &run->plan, flows);
        engine->trace_count -= flows;
        return r;
    }
    target->trace_cap = cap;
    run->last_added = index;
    return 0;
}

void engine_begin_traces(struct engine_run *run, uint32_t index, uint32_t first, sonde_ns now)
{
    struct engine_target *target = run->targets[index];
    for (uint32_t i = first; target->is_begun && i < target->trace_count; i++)
        plan_join(run->engine, target, i, now);
}

/* Remember that services at this port answer from another one. Few do; what they answer is not
 * found if there are ever more than fit. */
static void note_other_port(struct engine *engine, uint16_t port)
{
    for (uint32_t i = 0; i < engine->other_port_count; i++) {
        if (engine->other_ports[i] == port)
            return;
    }
    if (engine->other_port_count < sizeof engine->other_ports / sizeof *engine->other_ports)
        engine->other_ports[engine->other_port_count++] = port;
}

/* May a trace go ahead while nobody knows how far the target is? The first of its protocol may, if
 * it pings, or if the target drops what goes ahead, unread. */
static bool is_scout(const struct engine_target *target, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec)
{
    uint8_t protocol = spec->flow.protocol;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (target->traces[i]->spec.flow.protocol == protocol)
            return false;
    }
    return !ops->has_ports || spec->naming == PROBE_NAMING_ATTEMPT;
}

/* A trace that has sent nothing; NULL if memory ran out. */
static struct engine_trace *new_trace(struct engine_target *target,
                                      const struct sonde_probe_ops *ops,
                                      const struct sonde_spec *spec, enum standing standing)
{
    struct engine_trace *trace = calloc(1, sizeof *trace + target->run->plan.max_ttl + 1U);
    if (trace == NULL)
        return NULL;
    *trace = (struct engine_trace){
        .ops = ops,
        .spec = *spec,
        .target = target,
        .index = target->trace_count,
        .id = ids_take(&target->run->engine->trace_ids),
        .standing = standing,
        .beneath = standing,
        .claims = {.free_ns = INT64_MIN},
        .is_standby = standing == STANDING_BY,
        .full_ttl = ENGINE_FULL_TTL,
        .scout = standing != STANDING_BY && is_scout(target, ops, spec),
        .quotes_name_nothing = spec->nameless,
        .quote_free_ns = INT64_MIN,
        .unanswered_ns = {SONDE_NS_NEVER, SONDE_NS_NEVER},
        .asking = asking_of(spec->question_count),
        .full_ns = INT64_MIN,
        .refused_ns = SONDE_NS_NEVER,
        .left_ns = INT64_MIN,
        .soonest = least_none(),
    };
    trace->line = flight_line_of(trace->id, &target->run->sent);
    return trace;
}

static int add_trace(struct engine_run *run, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec, enum standing standing)
{
    struct engine *engine = run->engine;
    struct engine_target *target = run->targets[run->last_added];
    if (target->trace_count == target->trace_cap)
        return -ENOSPC;
    struct engine_trace *trace = new_trace(target, ops, spec, standing);
    if (trace == NULL)
        return -ENOMEM;
    engine->traces[trace->id] = trace;
    flow_add(engine, trace);
    if (standing == STANDING_BY)
        members_add(&target->standbys, trace->index);
    target->traces[target->trace_count++] = trace;
    target->source = spec->flow.src;
    if (spec->other_port)
        note_other_port(engine, spec->flow.dst_port);
    return 0;
}

int engine_add_trace(struct engine_run *run, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec)
{
    return add_trace(run, ops, spec, STANDING_ASKED);
}

int engine_add_standby(struct engine_run *run, const struct sonde_probe_ops *ops,
                       const struct sonde_spec *spec)
{
    return add_trace(run, ops, spec, STANDING_BY);
}

bool engine_begin_standby(struct engine_run *run, const struct engine_place *place, sonde_ns now)
{
    struct engine_target *target = run->targets[place->target];
    struct engine_trace *trace = target->traces[place->trace];
    if (trace->is_standby && !engine_has_cycles(run, place->target))
        return false;
    trace->is_standby = false;
    members_remove(&target->standbys, place->trace);
    target->changed = true;
    if (trace->standing != STANDING_BY)
        return true;
    trace_take_event(trace, STANDING_EVENT_NEEDED);
    if (target->is_begun)
        plan_join(run->engine, target, place->trace, now);
    return true;
}
