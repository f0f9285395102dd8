/* SPDX-License-Identifier: BSD-2-Clause */
/* Which TTL is asked next, and for whom; see engine/walk.h. */
#include "engine/walk.h"

#include "engine/extent.h"
#include "engine/look.h"
#include "engine/trace.h"
#include "engine/turn.h"

static const sonde_ns STEP_NS = SONDE_NS_PER_MS / 4; /* from one TTL to the next */

/* Where a way changes with each answer there is always more to be asked. So the last cycle is over
 * after this and so many round trips, if everybody could ask everywhere meanwhile, and so often
 * more while the distance was not known. */
static const sonde_ns LAST_WALK_NS = 10 * SONDE_NS_PER_S;
enum { LAST_ROUND_TRIPS = 8, LAST_ASKS = 64 };

/* From one ask to the next where a trace was asked often enough. */
enum { AGAIN_CYCLES = 64 };

/* How many cycles pass from one ask of a trace to the next. Beyond the last router that anybody met
 * there is probably nothing, once it was asked twice. */
static uint32_t stride(const struct engine_target *target, const struct engine_trace *trace,
                       unsigned ttl)
{
    uint64_t quiet = target->cycle - target->settled_cycle;
    if (ttl > target->top_ttl && trace_reach(trace)->dest_ttl == 0 && trace->asks[ttl] >= LOOK_ASKS)
        return 8;
    return quiet < 60 ? 1 : quiet < 180 ? 2 : quiet < 600 ? 4 : 8;
}

/* Was a trace asked often enough at a TTL at which each probe may be a question to the target? Who
 * was silent long ago may answer now. */
static bool has_enough(const struct engine_target *target, const struct engine_trace *trace,
                       unsigned ttl)
{
    const struct reach *reach = trace_reach(trace);
    return trace->ops->has_ports && ttl > reach->top_ttl && ttl < reach->dest_ttl &&
           trace->odd_ttl != ttl && trace->asks[ttl] >= LOOK_ASKS &&
           (target->cycle + ttl) % AGAIN_CYCLES != 0;
}

/* Go on to the next TTL; behind the last comes the first again. */
static void go_on(struct engine_target *target)
{
    target->walk_left--;
    target->walk_ttl++;
    if (target->walk_ttl > target->limit_ttl || target->walk_ttl == 0)
        target->walk_ttl = plan_of(target)->first_ttl;
}

void walk_begin_cycle(struct engine_target *target)
{
    target->walk_asks = 0;
    target->starves = target->walk_open;
    if (target->starves && target->walk_asked == target->walk_ttl)
        go_on(target); /* who wants to ask there again waits for the next pass */
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        for (unsigned ttl = plan_of(target)->first_ttl; ttl <= trace->limit_ttl; ttl++) {
            uint32_t every = stride(target, trace, ttl);
            if ((target->cycle + ttl) % every == 0 && !has_enough(target, trace, ttl))
                members_add(&target->turns[ttl].want, i);
        }
    }
    walk_restart(target);
}

/* Is a probe of the trace to this TTL in flight? */
static bool is_flying(const struct engine *engine, const struct engine_trace *trace, unsigned ttl)
{
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (!flight->to_target && flight->ttl == ttl)
            return true;
    }
    return false;
}

/* Let a trace want to ask a TTL as if it never had. */
static void want_anew(const struct engine_target *target, const struct engine_trace *trace,
                      unsigned ttl)
{
    members_add(&target->turns[ttl].fresh, trace->index);
    members_add(&target->turns[ttl].want, trace->index);
}

void walk_set_limit(const struct engine *engine, struct engine_target *target,
                    struct engine_trace *trace, uint8_t limit_ttl)
{
    unsigned index = trace->index;
    unsigned first = plan_of(target)->first_ttl;
    unsigned ttl = trace->limit_ttl + 1U > first ? trace->limit_ttl + 1U : first;
    for (; ttl <= limit_ttl; ttl++) {
        if (!is_flying(engine, trace, ttl))
            members_add(&target->turns[ttl].want, index);
    }
    for (ttl = limit_ttl + 1U; ttl <= trace->limit_ttl; ttl++)
        members_remove(&target->turns[ttl].want, index);
    trace->limit_ttl = limit_ttl;
    /* what went ahead to where the target is now known to stand can have drawn nothing of it */
    if (limit_ttl != 0 && limit_ttl == target->distance &&
        limit_ttl != trace_reach(trace)->dest_ttl && trace->asks[limit_ttl] == 0 &&
        !trace_is_blind(target, trace, limit_ttl))
        want_anew(target, trace, limit_ttl);
}

void walk_want_fresh(const struct engine *engine, const struct engine_target *target)
{
    for (unsigned ttl = plan_of(target)->first_ttl; ttl <= target->limit_ttl; ttl++) {
        struct engine_turn *turn = &target->turns[ttl];
        struct members left = members_without(turn->fresh, turn->want);
        unsigned i = members_from(&left, 0);
        for (; i != MEMBERS_NONE; i = members_from(&left, i + 1)) {
            const struct engine_trace *trace = target->traces[i];
            if (ttl <= trace->limit_ttl && !trace_is_blind(target, trace, ttl) &&
                !is_flying(engine, trace, ttl))
                members_add(&turn->want, i);
        }
    }
}

/* Begin a pass: the first at the first TTL, the others at another each, so that where two TTLs
 * share a budget, each goes first at times. */
static void begin_pass(struct engine_target *target)
{
    unsigned first = plan_of(target)->first_ttl;
    unsigned span = target->limit_ttl >= first ? target->limit_ttl - first + 1U : 1;
    unsigned skip = target->cycle > 1 ? (unsigned)(target->cycle % span) : 0;
    target->walk_open = true;
    target->walk_again = false;
    target->walk_ttl = (uint8_t)(first + skip);
    target->walk_left = (uint8_t)span;
    target->walk_asked = 0;
    target->walk_ns = SONDE_NS_NEVER;
}

void walk_hold(struct engine_target *target, sonde_ns now)
{
    target->step_ttl = 0;
    target->step_ns = ns_max(target->step_ns, ns_add(now, STEP_NS));
}

void walk_want(const struct engine_target *target, const struct engine_trace *trace, unsigned ttl)
{
    if (trace->standing != STANDING_PAUSED)
        members_add(&target->turns[ttl].want, trace->index);
}

bool walk_is_wanted(const struct engine_target *target, const struct engine_trace *trace,
                    unsigned from_ttl)
{
    for (unsigned ttl = from_ttl; ttl <= trace->limit_ttl; ttl++) {
        if (members_has(&target->turns[ttl].want, trace->index))
            return true;
    }
    return false;
}

void walk_was_mute(const struct engine_target *target, const struct engine_trace *trace,
                   unsigned ttl)
{
    if (trace->asks[ttl] > 0)
        return; /* it was asked otherwise since */
    members_add(&target->turns[ttl].fresh, trace->index);
    if (!trace_is_blind(target, trace, ttl) && ttl <= trace->limit_ttl)
        walk_want(target, trace, ttl);
}

void walk_restart(struct engine_target *target)
{
    /* a run that cannot keep up with its interval would never see the end of a path otherwise */
    if (target->walk_open && target->starves)
        target->walk_again = true;
    else
        begin_pass(target);
}

/* Take a turn: note what was asked. */
static void take_turn(struct engine_target *target, unsigned ttl, struct engine_trace *trace,
                      sonde_ns now)
{
    struct engine_turn *turn = &target->turns[ttl];
    unsigned index = trace->index;
    uint8_t *asks = &trace->asks[ttl];
    bool counts = !trace_is_blind(target, trace, ttl);
    if (ttl != target->step_ttl) {
        target->step_ttl = (uint8_t)ttl;
        /* a loop that woke late may catch up with one step, not with all that it missed */
        target->step_ns = ns_add(ns_max(target->step_ns, ns_sub(now, STEP_NS)), STEP_NS);
    }
    target->next_turn[ttl] = (uint8_t)((index + 1) % target->trace_count);
    members_remove(&turn->want, index);
    members_remove(&turn->fresh, index);
    *asks = (uint8_t)(*asks + (counts && *asks < UINT8_MAX));
    target->walk_asks++;
    target->walk_asked = (uint8_t)ttl;
    look_asked(target, trace, ttl, now);
}

/* Is there a turn that can be taken at this TTL? If not, note when it is worth coming back. */
static bool may_take(struct engine_target *target, const struct turn *turn, sonde_ns now)
{
    if (turn->trace == NULL)
        return false;
    if (turn->time_ns > now && turn->is_awaited)
        target->walk_ns = ns_min(target->walk_ns, turn->time_ns);
    return turn->time_ns <= now;
}

/* Has the last cycle asked enough? */
static bool is_over(const struct engine_target *target, sonde_ns now)
{
    sonde_ns trips = ns_mul(patience_longest_ns(&target->patience), LAST_ROUND_TRIPS);
    return target->next_cycle_ns == SONDE_NS_NEVER &&
           target->walk_asks > target->trace_count * target->limit_ttl + LAST_ASKS &&
           now > ns_add(target->cycle_ns, ns_add(LAST_WALK_NS, trips));
}

bool walk_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice)
{
    if (is_over(target, now)) {
        target->walk_open = false;
        target->walk_ns = SONDE_NS_NEVER;
        return false;
    }
    if (!target->walk_open && ns_due(target->walk_ns, now))
        begin_pass(target);
    while (target->walk_open) {
        unsigned ttl = target->walk_ttl;
        if (target->walk_left == 0) {
            target->walk_open = false;
            if (target->walk_again)
                begin_pass(target);
            continue;
        }
        struct turn turn = turn_find(engine, target, ttl, now);
        if (!may_take(target, &turn, now)) {
            go_on(target);
            continue;
        }
        if (ttl != target->step_ttl && target->step_ns > now)
            return false;
        take_turn(target, ttl, turn.trace, now);
        *ret_choice = (struct plan_choice){turn.trace, (uint8_t)ttl, false};
        return true;
    }
    return false;
}

sonde_ns walk_due_ns(const struct engine_target *target)
{
    return target->walk_open ? target->step_ns : target->walk_ns;
}
