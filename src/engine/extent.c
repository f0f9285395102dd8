/* SPDX-License-Identifier: BSD-2-Clause */
/* How far probes go; see engine/extent.h. */
#include "engine/extent.h"

enum {
    SCOUT_WINDOW = 16, /* TTLs that a scout asks before anything is known of the path */
    SCOUT_MARGIN = 3,  /* an answer this close to its end makes the window grow at once */
    BLIND_WINDOW = 4,  /* TTLs beyond the last router, where no scout went ahead */
};

/* May the distance that a trace has found still turn out to be less: is a probe with a smaller TTL
 * in flight, and the router before not known? */
static bool is_open(const struct engine *engine, const struct engine_trace *trace)
{
    const struct reach *reach = trace_reach(trace);
    uint32_t index = reach->dest_ttl == reach->top_ttl + 1 ? FLIGHT_NONE : trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (flight->ttl < reach->dest_ttl && flight->ttl > reach->top_ttl)
            return true;
    }
    return false;
}

void extent_learn(const struct engine *engine, struct engine_target *target)
{
    target->distance = 0;
    target->distance_guess = 0;
    target->farthest = 0;
    target->top_ttl = 0;
    target->passing_ttl = 0;
    target->has_scout = false;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        const struct reach *reach = trace_reach(trace);
        target->has_scout |= trace->scout && trace_is_begun(trace);
        if (reach->dest_ttl != 0 && !is_open(engine, trace) &&
            (target->distance == 0 || reach->dest_ttl < target->distance)) {
            target->distance = reach->dest_ttl;
            target->distance_guess = (uint8_t)extent_guess(trace);
        }
        if (reach->dest_ttl > target->farthest && reach->dest_ttl == reach->top_ttl + 1)
            target->farthest = reach->dest_ttl;
        if (reach->top_ttl > target->top_ttl)
            target->top_ttl = reach->top_ttl;
        const struct tally_responder *top = tally_router(trace_tally(trace), reach->top_ttl);
        if (top != NULL && sonde_addr_equal(&top->addr, &target->addr))
            target->passing_ttl = reach->top_ttl;
    }
}

/* How many hops away somebody is whose answer arrives with this TTL, if the way back is as long as
 * the way there, and it left with one of the usual ones; 0 = unknown. */
static unsigned guess_distance(int16_t reply_ttl)
{
    static const int initial[] = {64, 128, 255};
    for (size_t i = 0; i < sizeof initial / sizeof *initial; i++) {
        if (reply_ttl > 0 && reply_ttl <= initial[i])
            return (unsigned)(initial[i] - reply_ttl + 1);
    }
    return 0;
}

unsigned extent_guess(const struct engine_trace *trace)
{
    static const enum sonde_outcome answers[] = {SONDE_OUTCOME_ECHO_REPLY, SONDE_OUTCOME_OPEN,
                                                 SONDE_OUTCOME_CLOSED, SONDE_OUTCOME_UDP_REPLY,
                                                 SONDE_OUTCOME_PORT_UNREACHABLE};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct tally_evidence *evidence = &trace_tally(trace)->outcomes[answers[i]].evidence;
        if (shown_has(&trace->shown, answers[i]))
            return guess_distance(evidence->reply_ttl);
    }
    return 0;
}

/* Behind which hop a trace ends of which a router has refused every full-TTL probe, if others show
 * where that router stands; 0 = they do not. */
static unsigned refused_behind(const struct engine_target *target, const struct engine_trace *trace)
{
    bool refused = shown_is_refused(&trace->shown) && !shown_is_answered(&trace->shown);
    const struct sonde_addr *refuser = refused ? tally_refuser(trace_tally(trace)) : NULL;
    for (uint32_t i = 0; refuser != NULL && i < target->trace_count; i++) {
        const struct tally_service *other = trace_tally(target->traces[i]);
        for (unsigned ttl = 1; ttl <= other->reach.top_ttl; ttl++) {
            const struct tally_responder *router = tally_router(other, ttl);
            if (router != NULL && sonde_addr_equal(&router->addr, refuser))
                return ttl;
        }
    }
    return 0;
}

/* Where the target probably is for a trace that has not found it by itself: where it is for others,
 * or else behind all routers that were met, and not nearer than the TTL of its answer lets it seem;
 * 0 = nothing shows it. Pings go on where they did not find it: the way back may be shorter than
 * the way there, and routers on that may be silent. */
static unsigned expected_distance(const struct engine_target *target,
                                  const struct engine_trace *trace)
{
    const struct tally_service *tally = trace_tally(trace);
    unsigned guess = extent_guess(trace);
    bool from_farther = target->distance_guess != 0 && guess > target->distance_guess;
    if (target->distance > tally->reach.top_ttl && !from_farther)
        return target->distance;
    if (!trace_is_answered(trace))
        return 0;
    unsigned behind = tally->reach.top_ttl + 1U;
    if (target->farthest > behind)
        behind = target->farthest; /* somebody answers nearer, but not this trace */
    else if (target->top_ttl >= behind)
        behind = target->top_ttl + 1U;
    unsigned expected = guess > behind && guess <= plan_of(target)->max_ttl ? guess : behind;
    if (extent_is_ping(trace))
        return trace->is_astray ? 0 : expected;
    return trace->arrivals == 0 || target->top_ttl == 0 ? expected : behind;
}

unsigned extent_end(const struct engine_target *target, const struct engine_trace *trace)
{
    const struct reach *reach = trace_reach(trace);
    unsigned end = reach->dest_ttl;
    if (end == 0)
        end = expected_distance(target, trace);
    if (reach->refused_ttl != 0 && (end == 0 || reach->refused_ttl < end))
        return reach->refused_ttl;
    return end;
}

unsigned extent_floor(const struct engine_target *target, const struct engine_trace *trace)
{
    const struct reach *reach = trace_reach(trace);
    if (trace->odd_ttl != 0)
        return trace->odd_ttl;
    if (reach->doubt_ttl != 0 && reach->doubt_is_target)
        return reach->doubt_ttl;
    bool is_reset = shown_has(&trace->shown, SONDE_OUTCOME_CLOSED);
    if (reach->dest_ttl != 0 && reach->dest_ttl == target->distance &&
        reach->dest_ttl == target->farthest && !is_reset)
        return reach->dest_ttl; /* a trace found a router just before it */
    /* it arrives there, and maybe before; and the way may be shorter now */
    if (reach->dest_ttl != 0) {
        unsigned own = reach->top_ttl + 1U;
        return target->distance != 0 && target->distance < own ? target->distance : own;
    }
    unsigned own = reach->top_ttl + 1U;
    unsigned end = expected_distance(target, trace);
    if (target->passing_ttl >= own && target->passing_ttl < end)
        return target->passing_ttl;
    return end != 0 ? end : own;
}

bool extent_is_shown(const struct engine_target *target, const struct engine_trace *trace)
{
    const struct tally_service *tally = trace_tally(trace);
    unsigned top = tally->reach.top_ttl;
    bool met = target->distance == target->farthest ? top + 1U == target->distance
                                                    : top == target->top_ttl;
    return trace->spec.flow.protocol == IP_PROTO_TCP && target->distance != 0 && met &&
           target->distance_guess != 0 && extent_guess(trace) == target->distance_guess;
}

/* Is it still worth a probe to find out whether a trace ends here? In the last cycle it is not, if
 * that is shown otherwise: the run would wait for it. */
static bool is_worth_arriving(const struct engine_target *target, const struct engine_trace *trace)
{
    const struct reach *reach = trace_reach(trace);
    if (target->next_cycle_ns == SONDE_NS_NEVER && reach->dest_ttl == 0 &&
        extent_is_shown(target, trace))
        return false;
    if (!trace->ops->has_ports && trace_is_answered(trace))
        return !ration_is_slow(&trace->ration); /* an echo costs the host little, and shows when
                                                   the path changes */
    bool confirmed = reach->dest_ttl != 0 && reach->dest_ttl == reach->top_ttl + 1;
    bool contradicted = reach->doubt_ttl != 0 && reach->doubt_ttl >= reach->dest_ttl;
    return trace->arrivals == 0 || contradicted ||
           (!confirmed && trace->arrivals < EXTENT_ARRIVALS);
}

/* When the first window of a scout is given up for too small, if no answer has shown it by then. */
static sonde_ns window_ns(const struct engine_target *target)
{
    return ns_add(target->begun_ns, patience_router_ns(&target->patience));
}

/* The largest TTL that is asked while nothing shows how far the target is. */
static unsigned open_limit(const struct engine_target *target, const struct engine_trace *trace,
                           sonde_ns now)
{
    unsigned window = plan_of(target)->first_ttl + (unsigned)SCOUT_WINDOW - 1;
    unsigned top = target->top_ttl;
    if (trace->scout) {
        if (top + SCOUT_MARGIN < window && !ns_due(window_ns(target), now))
            return window;
        return top + plan_of(target)->gap_limit > window ? top + plan_of(target)->gap_limit
                                                         : window;
    }
    if (trace->standing == STANDING_ASKED)
        return target->has_scout ? 0 : plan_of(target)->first_ttl + 1U;
    const struct reach *reach = trace_reach(trace);
    unsigned own = reach->top_ttl + (unsigned)BLIND_WINDOW;
    return own > top ? own : top;
}

unsigned extent_limit(const struct engine_target *target, const struct engine_trace *trace,
                      sonde_ns now)
{
    const struct reach *reach = trace_reach(trace);
    unsigned end = extent_end(target, trace);
    unsigned limit = 0;
    if (!trace_is_begun(trace) || (trace->is_standby && trace->standing == STANDING_SILENT))
        return 0; /* who is silent itself is nothing to compare with */
    if (target->is_stuck)
        return 0;
    if (end == 0)
        limit = open_limit(target, trace, now);
    else if (end == reach->refused_ttl || is_worth_arriving(target, trace))
        limit = end;
    else
        limit = end - 1;
    unsigned refused = refused_behind(target, trace);
    if (refused != 0 && limit > refused)
        limit = refused;
    if (trace->odd_ttl > limit)
        limit = trace->odd_ttl;
    return limit < plan_of(target)->max_ttl ? limit : plan_of(target)->max_ttl;
}

sonde_ns extent_grows_ns(const struct engine_target *target, const struct engine_trace *trace,
                         sonde_ns now)
{
    if (!trace->scout || !trace_is_begun(trace) || extent_end(target, trace) != 0)
        return SONDE_NS_NEVER;
    sonde_ns window = window_ns(target);
    return window > now ? window : SONDE_NS_NEVER;
}
