/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target sends, and when, and how long it waits for answers.
 *
 * State first: a cycle begins with one full-TTL probe for each trace. Path second: the walk up the
 * path goes on beside them (engine/walk.c).
 */
#include "engine/internal.h"

/* Is a walk under way that only its own pace holds back? A new cycle goes on with it. */
static bool is_walking(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    return walk_ns(engine, target, now) <= target->step_ns && target->walk_ns != SONDE_NS_NEVER;
}

sonde_ns plan_room_ns(const struct engine *engine, const struct engine_trace *trace, sonde_ns now)
{
    if (flight_may_take(&engine->flights, &trace->line))
        return 0;
    const struct flight *oldest = &engine->flights.flights[trace->line.first];
    return ns_max(ns_add(oldest->sent_ns, engine->config.timeout_ns), ns_add(now, 1));
}

/* When the next of the full-TTL probes that are due can be sent; never: none is due. */
static sonde_ns full_ns(const struct engine *engine, const struct engine_target *target,
                        sonde_ns now)
{
    sonde_ns full = SONDE_NS_NEVER;
    for (uint32_t i = 0; target->fulls_due > 0 && i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->full_due)
            full = ns_min(full, plan_room_ns(engine, trace, now));
    }
    return full;
}

/* When the target has something to send. */
static sonde_ns send_ns(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->done)
        return SONDE_NS_NEVER;
    if (full_ns(engine, target, now) <= now)
        return now;
    sonde_ns walk = walk_ns(engine, target, now);
    sonde_ns full = full_ns(engine, target, now); /* a look at the walk may begin a standby */
    return ns_min(ns_min(target->next_cycle_ns, full), ns_min(walk, target->walk_until_ns));
}

static void begin_cycle(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->cycle++ == 0)
        target->start_ns = now;
    target->stepped = false;
    bool walking = is_walking(engine, target, now);
    if (!walking) {
        target->step_ttl = 0;
        target->step_ns = now;
    }
    /* what found no room in its cycle is left out; a standby that is_walking() has begun is counted
     * with the others */
    target->fulls_due = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (!walking)
            trace->asked = (struct ttl_set){0};
        trace->full_due = !trace->standby;
        target->fulls_due += trace->full_due;
    }
    target->stale = true;
    if (target->cycle == engine->config.cycles) {
        target->next_cycle_ns = SONDE_NS_NEVER;
        return;
    }
    target->next_cycle_ns = ns_add(target->next_cycle_ns, engine->config.interval_ns);
    if (target->next_cycle_ns <= now) /* the machine slept: go on from here, make nothing up */
        target->next_cycle_ns = ns_add(now, engine->config.interval_ns);
}

/* A run that cannot keep up with its interval always has a cycle due: then at least one step of the
 * walk goes before it, so that every path is seen to its end. */
static bool cycle_is_due(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    return ns_due(target->next_cycle_ns, now) &&
           (target->stepped || !ns_due(walk_ns(engine, target, now), now));
}

/* Choose a full-TTL probe; one is due that can be sent. */
static struct plan_choice next_full(const struct engine *engine, struct engine_target *target,
                                    sonde_ns now)
{
    uint32_t index = target->first_trace;
    while (!engine->traces[index].full_due ||
           plan_room_ns(engine, &engine->traces[index], now) > now)
        index++;
    engine->traces[index].full_due = false;
    target->fulls_due--;
    return (struct plan_choice){index, engine->config.max_ttl, true};
}

bool plan_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice)
{
    if (target->done)
        return false;
    if (full_ns(engine, target, now) > now && cycle_is_due(engine, target, now))
        begin_cycle(engine, target, now);
    if (full_ns(engine, target, now) > now)
        return walk_step(engine, target, now, ret_choice);
    *ret_choice = next_full(engine, target, now);
    return true;
}

bool plan_all_sent(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    return target->next_cycle_ns == SONDE_NS_NEVER && target->unsent_count == 0 &&
           walk_ns(engine, target, now) == SONDE_NS_NEVER && target->fulls_due == 0 &&
           target->turn_ns == SONDE_NS_NEVER;
}

sonde_ns plan_patience_ns(const struct engine *engine, const struct engine_target *target,
                          const struct engine_trace *trace, unsigned question)
{
    sonde_ns think = probe_think_ns(trace->ops, &trace->spec, question);
    return ns_min(ns_add(extent_settle_ns(target), think), engine->config.timeout_ns);
}

sonde_ns plan_turn_ns(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace)
{
    if (extent_settle_ns(target) == SONDE_NS_NEVER)
        return engine->config.timeout_ns / 2; /* nothing has answered, and it will hardly be late */
    return plan_patience_ns(engine, target, trace, trace->asking.at);
}

sonde_ns plan_lost_ns(const struct engine *engine, const struct flight *flight)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    const struct engine_target *target = &engine->targets[trace->target];
    sonde_ns bound = ns_min(extent_settle_ns(target), engine->config.timeout_ns);
    if (flight->to_target)
        bound = plan_patience_ns(engine, target, trace, flight->question);
    return ns_add(flight->sent_ns, bound);
}

/* Until when a flying probe is worth waiting for, once everything is sent. */
static sonde_ns awaited_ns(const struct engine *engine, const struct engine_target *target,
                           const struct flight *flight)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    unsigned end = extent_end(target, trace);
    if (flight->to_target || end == 0 || flight->ttl < end ||
        (flight->ttl == end && !trace->answered))
        return plan_lost_ns(engine, flight);
    if (flight->ttl > end)
        return flight->sent_ns; /* it overshot, and can only say again what is known */
    /* Only a router could still contradict the distance, and it would be nearer than the target. */
    sonde_ns slack = ns_max(target->rtt_max_ns / 8, RECHECK_SLACK_NS);
    return ns_min(plan_lost_ns(engine, flight),
                  ns_add(flight->sent_ns, ns_add(target->rtt_max_ns, slack)));
}

sonde_ns plan_settled_ns(const struct engine *engine, const struct engine_target *target)
{
    sonde_ns settled = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        uint32_t index = trace_at(engine, target, i)->line.first;
        while (index != FLIGHT_NONE) {
            const struct flight *flight = &engine->flights.flights[index];
            settled = ns_max(settled, awaited_ns(engine, target, flight));
            index = flight->next;
        }
    }
    return settled;
}

sonde_ns plan_word_ns(const struct engine *engine, const struct engine_target *target)
{
    bool left = false;
    if (target->reached || target->told)
        return 0;
    for (uint32_t i = 0; i < target->trace_count; i++)
        left |= trace_at(engine, target, i)->silent_ns != SONDE_NS_NEVER;
    sonde_ns path_ns = ns_mul(target->rtt_max_ns, 2);
    return left ? ns_add(target->start_ns, ns_add(RESOLUTION_NS, path_ns)) : 0;
}

/* When engine_on_time() has to look at the target; 0 for at once, because an arrival may be stamped
 * later than the loop's idea of the time. */
static sonde_ns wait_ns(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    sonde_ns earliest = SONDE_NS_NEVER;
    if (target->done)
        return earliest;
    if (target->flying_count == 0 && target->echoes > 0)
        return 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        uint32_t first = trace_at(engine, target, i)->line.first;
        if (first == FLIGHT_NONE || !engine->flights.flights[first].sent)
            continue; /* there is nothing to wait for before it has left */
        const struct flight *oldest = &engine->flights.flights[first];
        if (extent_is_echoed(engine, target, oldest))
            return 0;
        earliest = ns_min(earliest, ns_add(oldest->sent_ns, engine->config.timeout_ns));
    }
    if (plan_all_sent(engine, target, now))
        earliest = ns_min(earliest, target->flying_count > 0 ? plan_settled_ns(engine, target)
                                                             : plan_word_ns(engine, target));
    return earliest;
}

void plan_chosen(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    heap_set(&engine->sending, target_index(engine, target), send_ns(engine, target, now));
}

void plan_update(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    plan_chosen(engine, target, now);
    uint32_t index = target_index(engine, target);
    sonde_ns wait = wait_ns(engine, target, now);
    if (wait < heap_time_of(&engine->waiting, index))
        heap_set(&engine->waiting, index, wait);
}
