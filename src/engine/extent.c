/* SPDX-License-Identifier: BSD-2-Clause */
/* How far it is to a target, and therefore how far probes go and how long answers may take. */
#include "engine/internal.h"

/* The smallest TTL that is known to reach the target on any of its traces but one; 0 = none is. */
static unsigned distance_without(const struct engine *engine, const struct engine_target *target,
                                 const struct engine_trace *except)
{
    unsigned distance = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        unsigned ttl = trace->reach.dest_ttl;
        if (trace != except && ttl != 0 && (distance == 0 || ttl < distance))
            distance = ttl;
    }
    return distance;
}

void extent_learn(const struct engine *engine, struct engine_target *target)
{
    target->distance = (uint8_t)distance_without(engine, target, NULL);
    target->top_ttl = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        uint8_t ttl = trace_at(engine, target, i)->reach.top_ttl;
        target->top_ttl = ttl > target->top_ttl ? ttl : target->top_ttl;
    }
}

/* How long an answer may take, judged by the round trips seen: nothing that takes twice the longest
 * is missed. While the target itself is silent, it may be much farther than what has answered. */
sonde_ns extent_settle_ns(const struct engine_target *target)
{
    if (target->reached)
        return ns_add(ns_mul(target->rtt_max_ns, 2), SETTLE_NS);
    if (target->rtt_max_ns > 0)
        return ns_add(ns_mul(target->rtt_max_ns, 3), SETTLE_SILENT_NS);
    return SONDE_NS_NEVER;
}

sonde_ns extent_plausible_ns(const struct engine_target *target)
{
    static const sonde_ns at_least = 100 * SONDE_NS_PER_MS;
    return ns_max(ns_mul(target->rtt_max_ns, 8), at_least);
}

/* When the first window is given up for too small, if no answer has shown it by then. */
sonde_ns extent_grow_ns(const struct engine_target *target)
{
    return ns_add(target->start_ns, extent_settle_ns(target));
}

/* The largest TTL probed while the distance is not known. */
static unsigned discovery_limit(const struct engine *engine, const struct engine_target *target,
                                sonde_ns now)
{
    unsigned window = engine->config.first_ttl + (unsigned)DISCOVERY_WINDOW - 1;
    unsigned top = target->top_ttl;
    unsigned limit = window;
    if (top + DISCOVERY_MARGIN >= window || now >= extent_grow_ns(target))
        limit = top + engine->config.gap_limit > window ? top + engine->config.gap_limit : window;
    return limit < engine->config.max_ttl ? limit : engine->config.max_ttl;
}

/* The distance of a trace as far as it is known, by itself or from the others; 0 = it is not. */
static unsigned trace_distance(const struct engine_target *target, const struct engine_trace *trace)
{
    return target->distance > trace->reach.top_ttl ? target->distance : trace->reach.dest_ttl;
}

unsigned extent_floor(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace)
{
    unsigned distance = trace_distance(target, trace);
    if (trace->contested_ttl != 0)
        return trace->contested_ttl;
    /* Of answers that name no probe one may be to a TTL that went far beyond the target, unless
     * another trace is no shorter. */
    bool overshot = trace->one_at_a_time && distance == trace->reach.dest_ttl &&
                    distance_without(engine, target, trace) != distance;
    return distance != 0 && !overshot ? distance : trace->reach.top_ttl + 1U;
}

bool extent_is_echoed(const struct engine *engine, const struct engine_target *target,
                      const struct flight *flight)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    unsigned distance = trace_distance(target, trace);
    return trace->echoes > 0 && distance != 0 && flight->ttl >= distance;
}

/* The TTL at which a trace ends: at the target, or at who refuses in its place; 0 = not known. */
unsigned extent_end(const struct engine_target *target, const struct engine_trace *trace)
{
    unsigned refused = trace->reach.refused_ttl;
    unsigned distance = trace_distance(target, trace);
    return refused != 0 && (distance == 0 || refused < distance) ? refused : distance;
}

/* The largest TTL that is worth probing on a trace. */
unsigned extent_limit(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, sonde_ns now)
{
    unsigned end = extent_end(target, trace);
    return end != 0 ? end : discovery_limit(engine, target, now);
}

/* The largest TTL that is worth probing on any trace of the target. */
unsigned extent_target_limit(const struct engine *engine, const struct engine_target *target,
                             sonde_ns now)
{
    unsigned limit = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        unsigned ttl = extent_limit(engine, target, trace_at(engine, target, i), now);
        limit = ttl > limit ? ttl : limit;
    }
    return limit;
}

/* Is the end of a trace not known yet? */
bool extent_is_open(const struct engine *engine, const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (extent_end(target, trace_at(engine, target, i)) == 0)
            return true;
    }
    return false;
}
