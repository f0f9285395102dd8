/* SPDX-License-Identifier: BSD-2-Clause */
/* A run from its start to its end; see engine/run.h and engine/engine.h. */
#include "engine/run.h"

#include "engine/engine.h"
#include "engine/finish.h"
#include "engine/plan.h"
#include "engine/remove.h"

static const sonde_ns START_APART_NS = 5 * SONDE_NS_PER_MS; /* from target to target, at most */

void run_end_if_complete(struct engine_run *run)
{
    if (run->end == ENGINE_RUNNING && run->is_started && !run->plan.open && run->targets_left == 0)
        run->end = ENGINE_COMPLETE;
}

void engine_begin_target(struct engine_run *run, uint32_t index, sonde_ns now)
{
    /* spread over the interval, so that they do not all ask at the same moment ever after */
    uint32_t targets =
        run->plan.targets > run->target_count ? run->plan.targets : run->target_count;
    sonde_ns apart = ns_min(run->plan.interval_ns / (targets + 1), START_APART_NS);
    sonde_ns begin = ns_max(now, run->begin_ns);
    run->begin_ns = ns_add(begin, apart);
    run->targets_left++;
    run->targets[index]->is_begun = true;
    plan_begin(run->engine, run->targets[index], begin);
}

void engine_start(struct engine_run *run, sonde_ns now)
{
    run->is_started = true;
    if (run->plan.duration_ns > 0)
        run->stop_ns = ns_add(now, run->plan.duration_ns);
    run->begin_ns = now;
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (run->targets[i] != NULL)
            engine_begin_target(run, i, now);
    }
    run_end_if_complete(run);
}

void engine_begin_cycle(struct engine_run *run, sonde_ns least_ns, sonde_ns now)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        struct engine_target *target = run->targets[i];
        if (target == NULL || !target->is_begun || target->is_paused || target->cycle == 0 ||
            target->next_cycle_ns == SONDE_NS_NEVER)
            continue;
        sonde_ns soonest = ns_max(now, ns_add(target->cycle_ns, least_ns));
        target->next_cycle_ns = ns_min(target->next_cycle_ns, soonest);
        plan_update(run->engine, target, now);
    }
}

void engine_set_open(struct engine_run *run, bool open)
{
    run->plan.open = open;
    run_end_if_complete(run);
}

sonde_ns run_deadline_ns(const struct engine_run *run)
{
    if (run->end != ENGINE_RUNNING)
        return SONDE_NS_NEVER;
    const struct flight *flights = run->engine->flights.flights;
    sonde_ns expiry = SONDE_NS_NEVER;
    if (run->sent.first != FLIGHT_NONE)
        expiry = ns_add(flights[run->sent.first].sent_ns, run->plan.timeout_ns);
    return run->is_stopping ? INT64_MIN : ns_min(expiry, run->stop_ns);
}

bool run_expire(struct engine_run *run, sonde_ns now)
{
    struct engine *engine = run->engine;
    while (run->end == ENGINE_RUNNING && run->sent.first != FLIGHT_NONE) {
        uint32_t index = run->sent.first;
        const struct flight *flight = &engine->flights.flights[index];
        struct engine_target *target = engine->traces[flight->trace]->target;
        if (!ns_due(ns_add(flight->sent_ns, run->plan.timeout_ns), now))
            break;
        if (events_free(engine) == 0)
            return false;
        finish_unanswered(engine, index, now);
        plan_update(engine, target, now);
    }
    return true;
}

/* End what a trace had in flight when its target began to settle. @return false if there is no
 * place for more events. */
static bool settle_trace(struct engine *engine, const struct engine_trace *trace,
                         sonde_ns settle_ns, sonde_ns now)
{
    uint32_t index = trace->line.first;
    while (index != FLIGHT_NONE) {
        const struct flight *flight = &engine->flights.flights[index];
        uint32_t next = flight->next;
        bool is_later = !flight->sent || flight->sent_ns > settle_ns;
        if (!is_later && events_free(engine) == 0)
            return false;
        if (!is_later && (flight->is_mute || ns_due(plan_lost_ns(engine, flight), now)))
            finish_unanswered(engine, index, now);
        else if (!is_later)
            finish_unawaited(engine, index);
        index = next;
    }
    return true;
}

/* End everything that a target has in flight, because it waits for nothing more. What ends may let
 * more go, before there is place for the events of all. @return false if there is not. */
static bool settle(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->settle_ns == SONDE_NS_NEVER && plan_all_sent(target) &&
        ns_due(plan_settled_ns(engine, target), now))
        target->settle_ns = now;
    for (uint32_t i = 0; target->settle_ns != SONDE_NS_NEVER && i < target->trace_count; i++) {
        if (!settle_trace(engine, target->traces[i], target->settle_ns, now))
            return false;
    }
    target->settle_ns = SONDE_NS_NEVER;
    return true;
}

bool run_look_at(struct engine_target *target, sonde_ns now)
{
    struct engine_run *run = target->run;
    struct engine *engine = run->engine;
    if (!settle(engine, target, now))
        return false;
    plan_update(engine, target, now); /* what ended may have let more go */
    if (!plan_all_sent(target) || target->flying_count > 0 ||
        !ns_due(plan_done_ns(engine, target), now))
        return true;
    target->done = true;
    plan_update(engine, target, now);
    run->targets_left--;
    run_end_if_complete(run);
    return true;
}

/* End what a trace has in flight for longer than an answer takes. @return false if there is no
 * place for more events. */
static bool give_up_trace(struct engine *engine, const struct engine_trace *trace, sonde_ns now)
{
    uint32_t index = trace->line.first;
    while (index != FLIGHT_NONE) {
        const struct flight *flight = &engine->flights.flights[index];
        uint32_t next = flight->next;
        bool overdue = flight->sent && ns_due(plan_lost_ns(engine, flight), now);
        if (overdue && events_free(engine) == 0)
            return false;
        if (overdue)
            finish_unanswered(engine, index, now);
        index = next;
    }
    return true;
}

/* Likewise all that a target has. */
static bool give_up(struct engine *engine, const struct engine_target *target, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (!give_up_trace(engine, target->traces[i], now))
            return false;
    }
    return true;
}

bool run_end_if_over(struct engine_run *run, sonde_ns now)
{
    if (run->end != ENGINE_RUNNING || !(run->is_stopping || ns_due(run->stop_ns, now)))
        return true;
    for (; run->stopped_targets < run->target_count; run->stopped_targets++) {
        const struct engine_target *target = run->targets[run->stopped_targets];
        if (target != NULL && !give_up(run->engine, target, now))
            return false;
    }
    run->end = run->is_stopping ? ENGINE_STOPPED : ENGINE_DEADLINE;
    remove_flights(run);
    return true;
}

void engine_stop(struct engine_run *run)
{
    if (run->end != ENGINE_RUNNING)
        return;
    run->end = ENGINE_STOPPED;
    remove_flights(run);
}

void engine_stop_soon(struct engine_run *run)
{
    run->is_stopping = true;
}

bool engine_has_cycles(const struct engine_run *run, uint32_t index)
{
    const struct engine_target *target = run->targets[index];
    return !target->done && (run->plan.cycles == 0 || target->cycle < run->plan.cycles);
}

bool engine_is_done(const struct engine_run *run, uint32_t index)
{
    return run->targets[index]->done;
}

bool engine_is_idle(const struct engine_run *run)
{
    return run->targets_left == 0;
}

enum engine_end engine_ended(const struct engine_run *run)
{
    return run->end;
}

const struct engine_discards *engine_run_discards(const struct engine_run *run)
{
    return &run->discards;
}
