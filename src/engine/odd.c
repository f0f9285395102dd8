/* SPDX-License-Identifier: BSD-2-Clause */
/* Does somebody else answer in the target's name? See engine/odd.h. */
#include "engine/odd.h"

#include "engine/extent.h"
#include "engine/look.h"
#include "engine/plan.h"
#include "engine/trace.h"

/* The TTL at which somebody may answer a trace in the target's name: others meet a router there,
 * and this trace, though it is answered, did not when it was asked; 0 = none. */
static uint8_t find_odd_ttl(const struct engine *engine, const struct engine_target *target,
                            const struct engine_trace *trace, sonde_ns now, sonde_ns *next_ns)
{
    const struct reach *reach = trace_reach(trace);
    uint8_t ttl = (uint8_t)(reach->top_ttl + 1);
    if (reach->refused_ttl != 0 || reach->top_ttl >= plan_of(target)->max_ttl)
        return 0;
    if (target->distance != 0 && target->distance < ttl)
        return target->distance; /* others meet the target where this one met a router */
    if (trace->asks[ttl] == 0 || !trace_others_meet(target, trace, ttl))
        return 0;
    sonde_ns until = plan_flying_until_ns(engine, trace, ttl);
    if (until > now) {
        *next_ns = ns_min(*next_ns, until);
        return trace->odd_ttl == ttl ? ttl : 0;
    }
    return ttl;
}

sonde_ns odd_review(const struct engine *engine, struct engine_target *target, sonde_ns now)
{
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (!trace_is_answered(trace))
            continue;
        uint8_t ttl = find_odd_ttl(engine, target, trace, now, &next);
        if (ttl != trace->odd_ttl && (ttl == 0 || ttl != trace->explained_ttl)) {
            trace->odd_ttl = ttl;
            trace->odd_asks = 0;
            trace_take_event(trace, ttl != 0 ? STANDING_EVENT_ODD : STANDING_EVENT_EXPLAINED);
        } else if (ttl != 0 && trace->odd_ttl == ttl && trace->odd_asks >= LOOK_ASKS) {
            trace->explained_ttl = ttl;
            trace->odd_ttl = 0;
            trace_take_event(trace, STANDING_EVENT_EXPLAINED);
        }
    }
    return next;
}

/* The distance that an answer has by its TTL, and how soon the answers come, against those of the
 * first other trace that is answered: are they from somebody else? It is only a reason to look. */
static bool is_unlike(const struct engine_target *target, const struct engine_trace *trace)
{
    static const sonde_ns slack = SONDE_NS_PER_MS;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *other = target->traces[i];
        if (other == trace || other->standing != STANDING_ANSWERED)
            continue;
        unsigned distance = extent_guess(trace);
        unsigned others_distance = extent_guess(other);
        bool nearer = distance != 0 && others_distance != 0 && distance < others_distance;
        sonde_ns soonest = least_ns(&trace->soonest);
        sonde_ns others_soonest = least_ns(&other->soonest);
        bool timed = soonest != SONDE_NS_NEVER && others_soonest != SONDE_NS_NEVER;
        bool sooner = timed && ns_add(soonest, slack) < others_soonest * 3 / 4;
        if (nearer || sooner)
            return true;
    }
    return false;
}

/* The last TTL before the farthest distance at which the target was found; 0 = there is none. */
static unsigned last_before(const struct engine_target *target)
{
    return target->farthest > 0 ? target->farthest - 1U : 0;
}

/* Is it still open at a TTL who answers a trace: was the trace not asked there, though it was where
 * others meet the last router, or it is there? */
static bool is_open_at(const struct engine_target *target, const struct engine_trace *trace,
                       unsigned ttl)
{
    unsigned last = last_before(target);
    return ttl <= last && trace->asks[ttl] == 0 && (ttl == last || trace->asks[last] > 0);
}

/* Does a trace have to prove that it is the target that answers it? */
static bool has_to_prove(const struct engine_target *target, const struct engine_trace *trace)
{
    const struct tally_service *tally = trace_tally(trace);
    return tally->reach.refused_ttl == 0 &&
           !ttl_set_has(&tally->reach.expired, last_before(target)) &&
           (shown_has(&trace->shown, SONDE_OUTCOME_CLOSED) || is_unlike(target, trace));
}

bool odd_needs(const struct engine_target *target, const struct engine_trace *trace, unsigned ttl)
{
    return is_open_at(target, trace, ttl) && has_to_prove(target, trace);
}

bool odd_needs_any(const struct engine_target *target, const struct engine_trace *trace)
{
    bool is_open = false;
    for (unsigned ttl = plan_of(target)->first_ttl; ttl <= target->limit_ttl && !is_open; ttl++)
        is_open = is_open_at(target, trace, ttl);
    return is_open && has_to_prove(target, trace);
}
