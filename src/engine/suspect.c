/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service that stays silent changes in the probing.
 *
 * Once a service has been silent for longer than any answer takes, it is a suspect: the hops behind
 * the last that it was seen at are asked again, for it and for its controls in turns, before
 * anybody else is served. Its controls are the host's first trace and a trace of the same protocol
 * that is answered; if there is none, the one that stands by for this is begun.
 *
 * A service that is answered may be answered by somebody else in the target's name. Then it is not
 * seen where others meet the next router: its probes there are answered like all others, and if
 * such answers name no probe, nobody can tell. So at that TTL it is asked again, alone.
 *
 * Nothing of this begins in the last cycle: whoever asks for one cycle gets one.
 *
 * But a service that is silent to one question is asked its next, in the last cycle, too: that is
 * no repetition (engine/asking.h).
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
    return ns_add(trace->silent_ns, plan_patience_ns(engine, target, trace, 0));
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

/* Let a trace send a probe to the target, outside of its cycle's turn. */
static void make_due(struct engine_target *target, struct engine_trace *trace)
{
    target->fulls_due += !trace->full_due;
    trace->full_due = true;
}

/* Begin a trace that stood by: it is in this cycle like any other. */
static void begin(struct engine_target *target, struct engine_trace *trace)
{
    trace->standby = false;
    make_due(target, trace);
}

/* Ask those that are silent to a question the next one. */
static void ask_on(const struct engine *engine, struct engine_target *target, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        sonde_ns turn = asking_turn_ns(&trace->asking, plan_turn_ns(engine, target, trace));
        if (ns_due(turn, now) && asking_turn(&trace->asking))
            make_due(target, trace);
    }
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

/* The TTLs at which some trace has met a router. */
static struct ttl_set find_routers(const struct engine *engine, const struct engine_target *target)
{
    struct ttl_set routers = {0};
    for (uint32_t i = 0; i < target->trace_count; i++)
        ttl_set_join(&routers, &trace_at(engine, target, i)->reach.expired);
    return routers;
}

/* Where others meet a router and this trace, though it is answered, has met none; or where others
 * meet the target and this trace has met a router; 0 = nowhere. */
static uint8_t find_gap(const struct engine_target *target, const struct engine_trace *trace,
                        const struct ttl_set *routers)
{
    uint8_t ttl = (uint8_t)(trace->reach.top_ttl + 1);
    bool beyond = trace->reach.dest_ttl != 0 && trace->reach.dest_ttl < ttl;
    if (!trace->answered || trace->reach.refused_ttl != 0 || trace->reach.changes > 0)
        return 0;
    if (target->distance != 0 && target->distance < ttl)
        return target->distance;
    return !beyond && ttl_set_has(routers, ttl) ? ttl : 0;
}

/* When a gap is contested: it was asked there, and waited long enough; never: it was not. Where
 * this trace has met a router, it is only if a probe is not answered now. */
static sonde_ns contest_ns(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace, uint8_t gap)
{
    sonde_ns time = gap > trace->reach.top_ttl ? 0 : SONDE_NS_NEVER;
    if (gap == 0 || *asks_at(engine, trace, gap) == 0 || target->next_cycle_ns == SONDE_NS_NEVER)
        return SONDE_NS_NEVER;
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (flight->ttl == gap)
            time = plan_lost_ns(engine, flight); /* the last of them is lost last */
    }
    return time;
}

/* Find out where somebody may answer in the target's name. */
static void look_contested(const struct engine *engine, struct engine_target *target, sonde_ns now)
{
    struct ttl_set routers = find_routers(engine, target);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        uint8_t gap = find_gap(target, trace, &routers);
        if (gap == trace->contested_ttl)
            continue;
        trace->contested_ttl = contest_ns(engine, target, trace, gap) <= now ? gap : 0;
        trace->alone = 0;
        if (trace->contested_ttl != 0)
            ask_again(trace, gap - 1U);
    }
}

void suspect_look(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    bool found = false;
    ask_on(engine, target, now);
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
    look_contested(engine, target, now);
    for (uint32_t i = 0; found && i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->needy && !trace->suspect)
            ask_again(trace, target->doubt_ttl);
    }
}

sonde_ns suspect_turn_ns(const struct engine *engine, const struct engine_target *target)
{
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (asking_is_open(&trace->asking))
            next =
                ns_min(next, asking_turn_ns(&trace->asking, plan_turn_ns(engine, target, trace)));
    }
    return next;
}

sonde_ns suspect_next_ns(const struct engine *engine, const struct engine_target *target)
{
    sonde_ns next = SONDE_NS_NEVER;
    struct ttl_set routers = find_routers(engine, target);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        uint8_t gap = find_gap(target, trace, &routers);
        next = ns_min(next, suspect_ns(engine, target, trace));
        next = ns_min(next, asking_turn_ns(&trace->asking, plan_turn_ns(engine, target, trace)));
        if (gap != trace->contested_ttl)
            next = ns_min(next, contest_ns(engine, target, trace, gap));
    }
    return next;
}

bool suspect_contests(const struct engine_trace *trace, unsigned ttl)
{
    return ttl != 0 && ttl == trace->contested_ttl && trace->alone < ASKS_ENOUGH;
}

bool suspect_needs(const struct engine *engine, const struct engine_target *target,
                   const struct engine_trace *trace, unsigned ttl)
{
    if (suspect_contests(trace, ttl))
        return true;
    if (target->distance != 0 && ttl >= target->distance)
        return false; /* what goes to the target itself is asked at full TTL, in each cycle */
    unsigned behind = trace->suspect ? trace->reach.top_ttl : target->doubt_ttl;
    return trace->needy && ttl > behind && *asks_at(engine, trace, ttl) < ASKS_ENOUGH;
}
