/* SPDX-License-Identifier: BSD-2-Clause */
/* What one trace may send, and when; see engine/trace.h. */
#include "engine/trace.h"

#include "engine/extent.h"

/* Of what a host may be asked to refuse at once, what is left to the full-TTL probes by those that
 * show only how far away it is. */
enum { KEPT_FOR_FULL = 4 };

enum { REFUSALS_CYCLES = 64 /* for so many cycles after many refusals more are not expected */ };

void trace_take_event(struct engine_trace *trace, enum standing_event event)
{
    trace->beneath = standing_after(trace->beneath, event);
    if (trace->standing != STANDING_PAUSED)
        trace->standing = trace->beneath;
}

/* Is a probe at this TTL known to arrive? */
static bool is_to_arrive(const struct engine_target *target, const struct engine_trace *trace,
                         unsigned ttl)
{
    uint8_t own = trace_reach(trace)->dest_ttl;
    uint8_t distance = own != 0 ? own : target->distance;
    return distance != 0 && ttl >= distance;
}

bool trace_begins_attempt(const struct engine_target *target, const struct engine_trace *trace,
                          unsigned ttl)
{
    if (trace->spec.naming == PROBE_NAMING_PROBE || trace->standing == STANDING_SILENT)
        return false;
    bool known = trace->odd_ttl != 0 || extent_end(target, trace) != 0;
    return known && ttl >= extent_floor(target, trace);
}

bool trace_is_blind(const struct engine_target *target, const struct engine_trace *trace,
                    unsigned ttl)
{
    bool found = trace_reach(trace)->dest_ttl != 0 || target->farthest != 0;
    return trace->spec.naming == PROBE_NAMING_ATTEMPT && trace->standing != STANDING_SILENT &&
           !found && ttl > target->top_ttl && trace->odd_ttl == 0 &&
           !trace_begins_attempt(target, trace, ttl);
}

/* When there is room for another of its flights: at the latest when its oldest is lost. */
static sonde_ns room_ns(const struct engine *engine, const struct engine_trace *trace)
{
    if (flight_may_take(&engine->flights, &trace->line))
        return INT64_MIN;
    const struct flight *oldest = &engine->flights.flights[trace->line.first];
    return ns_add(oldest->sent_ns, plan_of(trace->target)->timeout_ns);
}

sonde_ns trace_free_ns(const struct engine *engine, const struct engine_target *target,
                       const struct engine_trace *trace, unsigned ttl)
{
    sonde_ns free = room_ns(engine, trace);
    if (trace_begins_attempt(target, trace, ttl))
        free = ns_max(free, trace->claims.free_ns);
    if (trace->quotes_name_nothing)
        free = ns_max(free, trace->quote_free_ns);
    return free;
}

/* Has the target answered in the protocol of a trace, at any port? */
static bool is_spoken(const struct engine_target *target, const struct engine_trace *trace)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *other = target->traces[i];
        if (other->spec.flow.protocol == trace->spec.flow.protocol &&
            (shown_has(&other->shown, SONDE_OUTCOME_OPEN) ||
             shown_has(&other->shown, SONDE_OUTCOME_CLOSED)))
            return true;
    }
    return false;
}

/* Is it by an ICMP error that the target answers, if it does? */
static bool is_refused_by_host(const struct engine_target *target, const struct engine_trace *trace)
{
    if (trace->keeps_silent || trace->ops->refusal == PROBE_REFUSED_IN_KIND)
        return false;
    return trace->ops->refusal == PROBE_REFUSED_PORT
               ? !shown_has(&trace->shown, SONDE_OUTCOME_UDP_REPLY)
               : !is_spoken(target, trace);
}

bool trace_was_refused(const struct engine_trace *trace)
{
    return shown_has(&trace->shown, SONDE_OUTCOME_PORT_UNREACHABLE) ||
           shown_is_refused(&trace->shown);
}

budget_key trace_refuser(const struct engine_target *target, const struct engine_trace *trace)
{
    bool lately = target->many_cycle != 0 && target->cycle - target->many_cycle <= REFUSALS_CYCLES;
    if (lately && !shown_is_answered(&trace->shown))
        return target->refuser;
    return is_refused_by_host(target, trace) ? budget_router(&target->addr) : 0;
}

/* Is a trace to be asked again, since who refuses had no refusal left? Who is paused waits. */
static bool any_asks_again(const struct engine_target *target)
{
    bool any = false;
    for (uint32_t i = 0; i < target->trace_count && !any; i++)
        any = trace_is_begun(target->traces[i]) && asking_takes_again(&target->traces[i]->asking);
    return any;
}

/* When who refuses a trace may be asked to. A host rations its refusals, so each waits for its
 * turn. On the way only so many refusals at once are too much: then those that were refused let
 * those go first that may have been. */
static sonde_ns refusal_ns(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace)
{
    budget_key refuser = trace_refuser(target, trace);
    bool by_host = refuser == budget_router(&target->addr);
    if (refuser == 0 || (!by_host && !any_asks_again(target)))
        return INT64_MIN;
    bool is_first = by_host || asking_takes_again(&trace->asking);
    return budget_ready_ns(&engine->budget, refuser, is_first ? BUDGET_SPARE : BUDGET_BURST - 1);
}

sonde_ns trace_slow_ns(const struct engine_target *target, const struct engine_trace *trace)
{
    if (!ration_is_slow(&trace->ration) || target->next_cycle_ns == SONDE_NS_NEVER)
        return INT64_MIN;
    return ns_add(trace->full_ns, RATION_NS);
}

sonde_ns trace_full_ns(const struct engine *engine, const struct engine_target *target,
                       const struct engine_trace *trace)
{
    sonde_ns free = room_ns(engine, trace);
    if (trace->spec.naming != PROBE_NAMING_PROBE)
        free = ns_max(free, trace->claims.free_ns);
    free = ns_max(free, trace_slow_ns(target, trace));
    return ns_max(free, refusal_ns(engine, target, trace));
}

/* The router that the trace knows to stand at a TTL; 0 = none is known. */
static budget_key known_router(const struct engine_trace *trace, unsigned ttl)
{
    const struct tally_responder *router = tally_router(trace_tally(trace), ttl);
    return router != NULL ? budget_router(&router->addr) : 0;
}

struct budget_place trace_place_of(const struct engine_target *target,
                                   const struct engine_trace *trace, unsigned ttl)
{
    budget_key behind = 0;
    for (unsigned before = ttl - 1; before > 0 && behind == 0; before--)
        behind = known_router(trace, before);
    return budget_place(&target->source, behind, ttl);
}

/* The bucket that a TTL-limited probe is charged to, if the trace knows who will answer it; 0: it
 * goes to a target that does not ration its answers. @return false: only the place is known. */
static bool find_bucket(const struct engine_target *target, const struct engine_trace *trace,
                        unsigned ttl, budget_key *ret_bucket)
{
    *ret_bucket = known_router(trace, ttl);
    if (*ret_bucket != 0)
        return true;
    *ret_bucket = trace_refuser(target, trace);
    bool on_the_way = *ret_bucket != 0 && *ret_bucket != budget_router(&target->addr);
    if (on_the_way && ttl > trace_reach(trace)->top_ttl)
        return true; /* somebody there refuses it, too, or may */
    return is_to_arrive(target, trace, ttl);
}

sonde_ns trace_affordable_ns(const struct engine *engine, const struct engine_target *target,
                             const struct engine_trace *trace, unsigned ttl, unsigned keep)
{
    budget_key bucket;
    budget_key host = budget_router(&target->addr);
    bool known = find_bucket(target, trace, ttl, &bucket);
    sonde_ns ready = INT64_MIN;
    if (!known)
        ready = budget_place_ready_ns(&engine->budget, trace_place_of(target, trace, ttl), keep);
    else if (bucket != 0 && bucket != host)
        ready = budget_ready_ns(&engine->budget, bucket, keep);
    /* what the host refuses, if it gets there */
    bool may_be_refused = shown_has(&trace->shown, SONDE_OUTCOME_PORT_UNREACHABLE) &&
                          ttl > trace_reach(trace)->top_ttl;
    if (bucket == host || (!known && may_be_refused))
        ready = ns_max(ready, budget_ready_ns(&engine->budget, host,
                                              keep > KEPT_FOR_FULL ? keep : KEPT_FOR_FULL));
    return ready;
}

struct budget_charge trace_charge(struct engine *engine, const struct engine_target *target,
                                  const struct engine_trace *trace, unsigned ttl, sonde_ns now)
{
    budget_key bucket;
    if (!find_bucket(target, trace, ttl, &bucket))
        return budget_place_charge(&engine->budget, trace_place_of(target, trace, ttl), now);
    if (bucket == 0 || bucket == budget_router(&target->addr))
        return (struct budget_charge){0}; /* the host is charged when it refuses */
    budget_charge(&engine->budget, bucket, now);
    return (struct budget_charge){.key = bucket};
}

bool trace_others_meet(const struct engine_target *target, const struct engine_trace *trace,
                       unsigned ttl)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *other = target->traces[i];
        if (other != trace && ttl_set_has(&trace_reach(other)->expired, ttl))
            return true;
    }
    return false;
}

void trace_claim(const struct engine_target *target, struct engine_trace *trace,
                 struct flight *flight)
{
    bool begins = flight->to_target || trace_begins_attempt(target, trace, flight->ttl);
    bool may_arrive = flight->ttl >= extent_floor(target, trace);
    if (begins && trace->spec.naming != PROBE_NAMING_PROBE) {
        claims_begin(&trace->claims, flight->token, SONDE_NS_NEVER);
    } else if (!flight->to_target && trace_is_blind(target, trace, flight->ttl)) {
        flight->is_blind = flight->is_mute = true;
    } else if (may_arrive && trace->spec.naming != PROBE_NAMING_PROBE) {
        claims_share(&trace->claims, claims_newest(&trace->claims));
        flight->shares = true;
    }
    flight->attempt = claims_newest(&trace->claims);
    if (trace->quotes_name_nothing && !flight->to_target)
        trace->quote_free_ns = SONDE_NS_NEVER;
}

void trace_left(const struct engine_target *target, struct engine_trace *trace,
                const struct flight *flight)
{
    sonde_ns until = ns_add(
        flight->sent_ns, ns_min(patience_claim_ns(&target->patience), plan_of(target)->timeout_ns));
    trace->left_ns = flight->sent_ns;
    if (claims_is_newest(&trace->claims, flight->token))
        claims_left(&trace->claims, until);
    if (trace->quotes_name_nothing && !flight->to_target)
        trace->quote_free_ns = until;
}
