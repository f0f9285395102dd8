/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service that stays silent changes in the probing.
 *
 * Once a service has been silent for longer than any answer takes, it is a suspect: the hops behind
 * the last that it was seen at are asked again, for it and for its controls in turns, before
 * anybody else is served. Its controls are the host's first trace and a trace of the same protocol
 * that is answered; if there is none, the one that stands by for this is begun.
 *
 * No service becomes a suspect in the last cycle: whoever asks for one cycle gets one.
 */
#include "engine/internal.h"

enum { SUSPECTS_SERVED = 2 /* of a target, in their order: each costs every hop two answers */ };

/* When a trace becomes a suspect if it is not answered; never: it is none to be. */
static sonde_ns suspect_ns(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace)
{
    if (trace->standby || trace->answered || trace->suspect ||
        target->next_cycle_ns == SONDE_NS_NEVER)
        return SONDE_NS_NEVER;
    sonde_ns bound = ns_add(extent_settle_ns(target), trace->ops->think_ns);
    return ns_add(trace->silent_ns, ns_min(bound, engine->config.timeout_ns));
}

/* Let a trace ask again, in this cycle, from behind a TTL on. */
static void ask_again(struct engine_trace *trace, unsigned behind)
{
    ttl_set_cut(&trace->asked, behind + 1);
}

/* Is a trace answered that has the same protocol as a suspect? */
static bool is_akin(const struct engine *engine, const struct engine_target *target,
                    const struct engine_trace *trace)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *other = trace_at(engine, target, i);
        if (other->suspect && other->spec.flow.protocol == trace->spec.flow.protocol)
            return true;
    }
    return false;
}

/* The first trace of a protocol that is answered; NULL if none is. */
static struct engine_trace *find_answered(const struct engine *engine,
                                          const struct engine_target *target, uint8_t protocol)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->answered && trace->spec.flow.protocol == protocol)
            return trace;
    }
    return NULL;
}

/* Begin a trace that stood by: it is in this cycle like any other. */
static void begin(struct engine_target *target, struct engine_trace *trace)
{
    trace->standby = false;
    trace->full_due = true;
    target->fulls_due++;
}

/* Who is served first from now on. */
static void choose_needy(const struct engine *engine, struct engine_target *target)
{
    uint32_t served = 0;
    bool port_in_doubt = false;
    target->doubt_ttl = UINT8_MAX;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        port_in_doubt |= trace->ops->has_ports && !trace->answered && !trace->standby;
    }
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        /* hosts that ignore pings are common: a port is worth more */
        bool ping = !trace->ops->has_ports && port_in_doubt;
        trace->needy = trace->suspect && !ping && served < SUSPECTS_SERVED;
        served += trace->needy;
        if (trace->needy && trace->reach.top_ttl < target->doubt_ttl)
            target->doubt_ttl = trace->reach.top_ttl;
    }
    for (uint32_t i = 0; served > 0 && i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->standby || trace->suspect)
            continue;
        bool akin = trace == find_answered(engine, target, trace->spec.flow.protocol) &&
                    is_akin(engine, target, trace);
        trace->needy = i == 0 || akin;
    }
}

/* Begin those that stand by, if a suspect has nothing to be compared with. */
static void begin_standbys(const struct engine *engine, struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->standby && is_akin(engine, target, trace) &&
            find_answered(engine, target, trace->spec.flow.protocol) == NULL)
            begin(target, trace);
    }
}

void suspect_look(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    bool found = false;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (!ns_due(suspect_ns(engine, target, trace), now))
            continue;
        trace->suspect = found = true;
        ask_again(trace, trace->reach.top_ttl);
    }
    if (found)
        begin_standbys(engine, target);
    choose_needy(engine, target);
    for (uint32_t i = 0; found && i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->needy && !trace->suspect)
            ask_again(trace, target->doubt_ttl);
    }
}

sonde_ns suspect_next_ns(const struct engine *engine, const struct engine_target *target)
{
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++)
        next = ns_min(next, suspect_ns(engine, target, trace_at(engine, target, i)));
    return next;
}

bool suspect_needs(const struct engine *engine, const struct engine_target *target,
                   const struct engine_trace *trace, unsigned ttl)
{
    unsigned behind = trace->suspect ? trace->reach.top_ttl : target->doubt_ttl;
    return trace->needy && ttl > behind && *asks_at(engine, trace, ttl) < ASKS_ENOUGH;
}
