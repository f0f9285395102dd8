/* SPDX-License-Identifier: BSD-2-Clause */
/* What a target sends, and when, and how long it waits; see engine/plan.h. */
#include "engine/plan.h"

#include "engine/extent.h"
#include "engine/look.h"
#include "engine/trace.h"
#include "engine/walk.h"

/* Where nothing of the target answers, the last router is given the time that it takes to find out
 * that nobody has the address: three questions a second apart (Linux: mcast_solicit and
 * retrans_time_ms of arp(7); RFC 4861 §10), and some for the way. */
static const sonde_ns RESOLUTION_NS = 3250 * SONDE_NS_PER_MS;

enum { NAMELESS_CYCLES = 64 /* after the last error that named nothing, others may name probes */ };

/* What could only contradict what is known is waited for a little longer than a round trip. */
static const sonde_ns RECHECK_SLACK_NS = 5 * SONDE_NS_PER_MS;

/* Is any trace answered now? That the target was reached once says nothing of it. */
static bool is_any_answered(const struct engine_target *target)
{
    bool is_answered = false;
    for (uint32_t i = 0; i < target->trace_count && !is_answered; i++)
        is_answered = trace_is_answered(target->traces[i]);
    return is_answered;
}

/* Until when the last router may say that it does not find the target; INT64_MIN: something of that
 * answers, or everything is refused. */
static sonde_ns unresolved_ns(const struct engine_target *target)
{
    sonde_ns last = INT64_MIN;
    bool is_found = target->patience.reached && is_any_answered(target);
    for (uint32_t i = 0; !is_found && i < target->trace_count; i++) {
        sonde_ns since = target->traces[i]->unanswered_ns[0];
        if (since != SONDE_NS_NEVER)
            last = ns_max(last, since);
    }
    if (last == INT64_MIN)
        return last;
    return ns_add(last, ns_add(RESOLUTION_NS, patience_longest_ns(&target->patience)));
}

/* Who was removed is never resumed. */
static bool is_paused_trace(const struct engine_trace *trace)
{
    return trace->standing == STANDING_PAUSED && !trace->is_removed;
}

/* Has a target traces to ask, and are all of these paused? */
static bool is_paused_as_a_whole(const struct engine_target *target)
{
    bool is_paused = false;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (trace_is_begun(target->traces[i]))
            return false;
        is_paused |= is_paused_trace(target->traces[i]);
    }
    return is_paused;
}

/* Make anew what follows from what is known of a target. */
static void review(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    target->changed = false;
    extent_learn(engine, target);
    target->unresolved_ns = unresolved_ns(target);
    target->review_ns = look_review(engine, target, now);
    target->limit_ttl = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        uint8_t limit = (uint8_t)extent_limit(target, trace, now);
        walk_set_limit(engine, target, trace, limit);
        target->limit_ttl = limit > target->limit_ttl ? limit : target->limit_ttl;
        target->review_ns = ns_min(target->review_ns, extent_grows_ns(target, trace, now));
    }
    walk_want_fresh(engine, target);
    look_choose(engine, target);
    target->is_paused = is_paused_as_a_whole(target);
    walk_restart(target);
}

/* Is any trace paused? Then its target is not done: it still owes what it would send. */
static bool is_paused_in_part(const struct engine_target *target)
{
    bool is_paused = false;
    for (uint32_t i = 0; i < target->trace_count && !is_paused; i++)
        is_paused = is_paused_trace(target->traces[i]);
    return is_paused;
}

/* When the first of the full-TTL probes that are due can be sent; never: none is due, but of traces
 * that are paused. */
static sonde_ns full_ns(const struct engine *engine, const struct engine_target *target,
                        sonde_ns now, uint32_t *ret_index)
{
    sonde_ns first = SONDE_NS_NEVER;
    unsigned index = members_from(&target->fulls, 0);
    for (; index != MEMBERS_NONE && first > now; index = members_from(&target->fulls, index + 1)) {
        const struct engine_trace *trace = target->traces[index];
        bool is_paused = trace->standing == STANDING_PAUSED;
        sonde_ns full = is_paused ? SONDE_NS_NEVER : trace_full_ns(engine, target, trace);
        if (full < first) {
            first = full;
            *ret_index = index;
        }
    }
    return first;
}

void plan_begin(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    target->next_cycle_ns = now;
    target->begun_ns = SONDE_NS_NEVER;
    target->settle_ns = SONDE_NS_NEVER;
    target->walk_ns = SONDE_NS_NEVER;
    target->step_ns = now;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        for (unsigned ttl = plan_of(target)->first_ttl; ttl <= plan_of(target)->max_ttl; ttl++)
            members_add(&target->turns[ttl].fresh, i);
    }
    review(engine, target, now);
    heap_set(&engine->sending, target->id, now);
}

void plan_join(struct engine *engine, struct engine_target *target, uint32_t index, sonde_ns now)
{
    for (unsigned ttl = plan_of(target)->first_ttl; ttl <= plan_of(target)->max_ttl; ttl++)
        members_add(&target->turns[ttl].fresh, index);
    if (target->cycle > 0) { /* it is in this cycle as all others are */
        target->traces[index]->cycle = target->cycle - 1;
        members_add(&target->fulls, index);
    }
    target->changed = true;
    plan_update(engine, target, now);
}

/* The device on the way that made quotes name nothing may be gone: look whether they do again. */
static void forget_nameless(struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (target->cycle - trace->nameless_cycle > NAMELESS_CYCLES)
            trace->quotes_name_nothing = trace->spec.nameless;
    }
}

static void begin_cycle(struct engine_target *target, sonde_ns now)
{
    target->cycle++;
    target->cycle_ns = now;
    forget_nameless(target);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (trace->standing == STANDING_BY || trace->is_removed)
            continue;
        /* An endless run makes up for one cycle that had to wait, a finite one for all; but not for
         * those of a control that nobody asked for, nor for those that a pause left out. Who is
         * paused owes one probe: that of the present cycle. */
        if (trace->is_standby || trace->standing == STANDING_PAUSED)
            trace->cycle = target->cycle - 1;
        else if (plan_of(target)->cycles == 0 && target->cycle - trace->cycle > 2)
            trace->cycle = target->cycle - 2;
        if (trace_slow_ns(target, trace) > now)
            trace->cycle++; /* what is not asked because it is asked slowly is not made up for */
        if (trace->cycle < target->cycle)
            members_add(&target->fulls, i);
    }
    look_begin_cycle(target);
    walk_begin_cycle(target);
    if (target->cycle == plan_of(target)->cycles) {
        target->next_cycle_ns = SONDE_NS_NEVER;
        return;
    }
    target->next_cycle_ns = ns_add(target->next_cycle_ns, plan_of(target)->interval_ns);
    if (target->next_cycle_ns <= now) /* the machine slept: go on from here, make nothing up */
        target->next_cycle_ns = ns_add(now, plan_of(target)->interval_ns);
}

/* A run that cannot keep up with its interval always has a cycle due: then at least one step of the
 * walk goes before it, so that every path is seen to its end. */
static bool cycle_is_due(const struct engine_target *target, sonde_ns now)
{
    return ns_due(target->next_cycle_ns, now) && !target->is_paused &&
           (target->walk_asks > 0 || walk_due_ns(target) > now || target->cycle == 0);
}

static struct plan_choice choose_full(struct engine_target *target, uint32_t index, sonde_ns now)
{
    struct engine_trace *trace = target->traces[index];
    bool asks_on = trace->asks_on && !asking_takes_again(&trace->asking);
    walk_hold(target, now); /* no probe to a hop shall overtake it */
    trace->cycle += !asks_on;
    trace->asks_on &= !asks_on;
    if (trace->cycle >= target->cycle && !trace->asks_on)
        members_remove(&target->fulls, index);
    return (struct plan_choice){trace, trace->full_ttl, true};
}

bool plan_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice)
{
    uint32_t index = 0;
    if (target->done)
        return false;
    if (target->changed || ns_due(target->review_ns, now))
        review(engine, target, now);
    bool is_full = full_ns(engine, target, now, &index) <= now;
    if (!is_full && cycle_is_due(target, now)) {
        begin_cycle(target, now);
        is_full = full_ns(engine, target, now, &index) <= now;
    }
    if (!is_full)
        return walk_next(engine, target, now, ret_choice);
    *ret_choice = choose_full(target, index, now);
    return true;
}

bool plan_all_sent(const struct engine_target *target)
{
    return target->next_cycle_ns == SONDE_NS_NEVER && target->unsent_count == 0 &&
           members_is_empty(&target->fulls) && walk_due_ns(target) == SONDE_NS_NEVER &&
           target->turn_ns == SONDE_NS_NEVER && !target->changed && !is_paused_in_part(target);
}

sonde_ns plan_patience_ns(const struct engine_trace *trace, unsigned question)
{
    const struct patience *patience = &trace->target->patience;
    sonde_ns think = probe_think_ns(trace->ops, &trace->spec, question);
    return ns_min(ns_add(patience_target_ns(patience), think), plan_of(trace->target)->timeout_ns);
}

sonde_ns plan_lost_ns(const struct engine *engine, const struct flight *flight)
{
    const struct engine_trace *trace = engine->traces[flight->trace];
    const struct patience *patience = &trace->target->patience;
    sonde_ns bound = ns_min(patience_router_ns(patience), plan_of(trace->target)->timeout_ns);
    if (flight->to_target)
        bound = plan_patience_ns(trace, flight->question);
    return ns_add(flight->sent_ns, bound);
}

sonde_ns plan_flying_until_ns(const struct engine *engine, const struct engine_trace *trace,
                              unsigned ttl)
{
    sonde_ns until = INT64_MIN;
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (!flight->to_target && flight->ttl == ttl)
            until = ns_max(until, plan_lost_ns(engine, flight));
    }
    return until;
}

/* Until when a flying probe is worth waiting for, once everything is sent. */
static sonde_ns awaited_ns(const struct engine *engine, const struct engine_target *target,
                           const struct flight *flight)
{
    const struct engine_trace *trace = engine->traces[flight->trace];
    unsigned end = extent_end(target, trace);
    const struct reach *reach = trace_reach(trace);
    bool expected = end != reach->dest_ttl && end != reach->refused_ttl; /* and nothing more */
    bool shown = expected && extent_is_shown(target, trace);
    if (flight->to_target || end == 0 || flight->ttl < end ||
        (flight->ttl == end && expected && !shown) || trace->standing == STANDING_SILENT)
        return plan_lost_ns(engine, flight);
    if (flight->ttl > end || shown)
        return flight->sent_ns; /* it went beyond, or can only say again what is known */
    /* Only a router could still contradict the distance, and it would be nearer than the target. */
    sonde_ns longest = patience_longest_ns(&target->patience);
    return ns_min(plan_lost_ns(engine, flight),
                  ns_add(flight->sent_ns, ns_add(longest, ns_max(longest / 8, RECHECK_SLACK_NS))));
}

sonde_ns plan_settled_ns(const struct engine *engine, const struct engine_target *target)
{
    sonde_ns settled = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        uint32_t index = target->traces[i]->line.first;
        while (index != FLIGHT_NONE) {
            const struct flight *flight = &engine->flights.flights[index];
            settled = ns_max(settled, awaited_ns(engine, target, flight));
            index = flight->next;
        }
    }
    return settled;
}

sonde_ns plan_done_ns(const struct engine *engine, const struct engine_target *target)
{
    return ns_max(plan_settled_ns(engine, target), target->unresolved_ns);
}

/* When a target has something to send. */
static sonde_ns send_ns(const struct engine *engine, const struct engine_target *target,
                        sonde_ns now)
{
    uint32_t index;
    if (target->done)
        return SONDE_NS_NEVER;
    sonde_ns cycle = target->is_paused ? SONDE_NS_NEVER : target->next_cycle_ns;
    sonde_ns send = ns_min(cycle, walk_due_ns(target));
    return ns_min(send, full_ns(engine, target, now, &index));
}

/* When engine_on_time() has to look at a target. */
static sonde_ns wait_ns(const struct engine *engine, const struct engine_target *target)
{
    if (target->done)
        return SONDE_NS_NEVER;
    sonde_ns wait = target->review_ns;
    if (plan_all_sent(target))
        wait = ns_min(wait, plan_done_ns(engine, target));
    return wait;
}

void plan_update(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    uint32_t index = target->id;
    if (!target->done && (target->changed || ns_due(target->review_ns, now)))
        review(engine, target, now);
    heap_set(&engine->sending, index, send_ns(engine, target, now));
    heap_set(&engine->waiting, index, wait_ns(engine, target));
}
