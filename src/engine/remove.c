/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces, targets and runs are removed; see engine/remove.h. */
#include "engine/remove.h"

#include "engine/plan.h"
#include "engine/room.h"
#include "engine/run.h"

#include <assert.h>
#include <stdlib.h>

void target_free(struct engine_target *target)
{
    if (target == NULL)
        return;
    free(target->turns);
    free(target->traces);
    free(target);
}

/* Forget what a trace has in flight. What was chosen and not sent yet never leaves. */
static void drop_flights(struct engine *engine, struct engine_trace *trace)
{
    struct engine_target *target = trace->target;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < engine->unsent_count; i++) {
        if (engine->flights.flights[engine->unsent[i]].trace != trace->id)
            engine->unsent[kept++] = engine->unsent[i];
    }
    target->unsent_count -= engine->unsent_count - kept;
    engine->unsent_count = kept;
    for (; trace->line.first != FLIGHT_NONE; target->flying_count--)
        flight_drop(&engine->flights, &trace->line, trace->line.first);
}

/* Let a target send and wait for nothing any more. */
static void drop_target(struct engine *engine, struct engine_target *target)
{
    assert(engine->handed == 0);
    for (uint32_t i = 0; i < target->trace_count; i++)
        drop_flights(engine, target->traces[i]);
    target->done = true;
    heap_set(&engine->sending, target->id, SONDE_NS_NEVER);
    heap_set(&engine->waiting, target->id, SONDE_NS_NEVER);
}

void remove_flights(struct engine_run *run)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (run->targets[i] != NULL)
            drop_target(run->engine, run->targets[i]);
    }
}

static void free_trace(struct engine *engine, struct engine_trace *trace)
{
    flow_remove(engine, trace);
    engine->traces[trace->id] = NULL;
    ids_give_back(&engine->trace_ids, trace->id);
    engine->trace_count--;
    free(trace);
}

/* A trace belongs to nobody any more. If it ever sent anything, its flow is kept for a while. */
static void remove_trace(struct engine *engine, struct engine_trace *trace, sonde_ns now)
{
    const struct engine_plan *plan = plan_of(trace->target);
    trace->target = NULL;
    if (trace->line.next_token == 0) {
        free_trace(engine, trace);
        return;
    }
    trace->spec.question_count = 0; /* what it borrowed may be gone */
    trace->spec.host = NULL;
    trace->spec.bytes = trace->spec.expects = (struct sonde_span){0};
    heap_set(&engine->removed, trace->id, ns_add(now, ns_add(plan->timeout_ns, REMOVE_LATE_NS)));
}

void remove_quiet(struct engine *engine, sonde_ns now)
{
    while (engine->removed.len > 0 && ns_due(heap_time(&engine->removed), now)) {
        struct engine_trace *trace = engine->traces[heap_top(&engine->removed)];
        heap_set(&engine->removed, trace->id, SONDE_NS_NEVER);
        free_trace(engine, trace);
    }
    if (engine->target_count == 0 && engine->trace_count == 0)
        room_deinit(engine);
}

/* Nobody is told any more of events of a run, of one of its targets, or of one trace of that. */
static void forget_events(const struct engine_run *run, uint32_t index, uint32_t trace)
{
    struct engine *engine = run->engine;
    for (uint32_t i = 0; i < engine->event_count; i++) {
        struct engine_event *event = &engine->events[(engine->event_first + i) % ENGINE_EVENTS];
        if (event->run == run && (index == ENGINE_ALL || event->event.target == index) &&
            (trace == ENGINE_ALL || event->event.service == trace))
            event->run = NULL;
    }
}

static void remove_target(struct engine_target *target, sonde_ns now)
{
    struct engine_run *run = target->run;
    struct engine *engine = run->engine;
    if (target->is_begun && !target->done)
        run->targets_left--;
    drop_target(engine, target);
    for (uint32_t i = 0; i < target->trace_count; i++)
        remove_trace(engine, target->traces[i], now);
    engine->trace_count -= target->trace_cap - target->trace_count;
    room_release(engine, &run->plan, target->trace_cap);
    run->targets[target->index] = NULL;
    engine->targets[target->id] = NULL;
    ids_give_back(&engine->target_ids, target->id);
    engine->target_count--;
    tally_remove_target(run->tally, target->index);
    target_free(target);
}

/* Let a trace want nothing more, and be owed nothing. */
static void retire(struct engine_target *target, struct engine_trace *trace)
{
    members_remove(&target->fulls, trace->index);
    members_remove(&target->standbys, trace->index);
    for (unsigned ttl = 0; ttl <= plan_of(target)->max_ttl; ttl++) {
        members_remove(&target->turns[ttl].want, trace->index);
        members_remove(&target->turns[ttl].fresh, trace->index);
    }
    trace->standing = STANDING_PAUSED;
    trace->is_removed = true;
    trace->odd_ttl = 0;
    trace->claims = (struct claims){.free_ns = INT64_MIN};
    trace->unanswered_ns[0] = trace->unanswered_ns[1] = SONDE_NS_NEVER;
}

void engine_remove_trace(struct engine_run *run, const struct engine_place *place, sonde_ns now)
{
    struct engine_target *target = run->targets[place->target];
    struct engine_trace *trace = target->traces[place->trace];
    if (trace->is_removed)
        return;
    assert(run->engine->handed == 0);
    forget_events(run, place->target, place->trace);
    drop_flights(run->engine, trace);
    retire(target, trace);
    tally_clear(run->tally, place->target, place->trace);
    target->changed = true;
    if (target->is_begun)
        plan_update(run->engine, target, now);
}

void engine_remove_target(struct engine_run *run, uint32_t index, sonde_ns now)
{
    forget_events(run, index, ENGINE_ALL);
    remove_target(run->targets[index], now);
    remove_quiet(run->engine, now);
    run_end_if_complete(run);
}

void engine_remove_run(struct engine_run *run, sonde_ns now)
{
    struct engine *engine = run->engine;
    struct engine_run **at = &engine->runs;
    forget_events(run, ENGINE_ALL, ENGINE_ALL);
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (run->targets[i] != NULL)
            remove_target(run->targets[i], now);
    }
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    free(run->targets);
    free(run);
    remove_quiet(engine, now);
}

void remove_all(struct engine *engine)
{
    engine->handed = 0;
    struct engine_run *next;
    for (struct engine_run *run = engine->runs; run != NULL; run = next) {
        next = run->next;
        engine_remove_run(run, 0);
    }
    remove_quiet(engine, SONDE_NS_NEVER);
}
