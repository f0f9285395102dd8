/* SPDX-License-Identifier: BSD-2-Clause */
/* A closer look at what is not simply fine; see engine/look.h. */
#include "engine/look.h"

#include "engine/extent.h"
#include "engine/plan.h"

#include <string.h>

enum {
    SILENT_SERVED = 2, /* silent traces looked at at a time: each costs every hop two answers */
    LOOK_ASKS_MAX = 9, /* of a silent trace at the hop where it ends */
    ODD_SERVED = 4,    /* likewise of those that are answered: each costs one hop as much */
};

/* A control is asked so much later than what is compared with it, so that its probe does not
 * overtake that on the way. */
static const sonde_ns OWED_AFTER_NS = 5 * SONDE_NS_PER_MS;

/* While nothing of the target has answered, it may be behind a geostationary satellite: what is
 * asked again before its answer can be there would only confuse it. */
static const sonde_ns DOUBT_UNKNOWN_NS = SONDE_NS_PER_S;

/* After how long a router that does not answer is overdue. */
static sonde_ns router_doubt_ns(const struct engine_target *target)
{
    sonde_ns doubt = patience_router_ns(&target->patience);
    if (doubt == SONDE_NS_NEVER)
        doubt = DOUBT_UNKNOWN_NS;
    return target->patience.reached ? doubt : ns_max(doubt, DOUBT_UNKNOWN_NS);
}

/* And a trace. */
static sonde_ns doubt_ns(const struct engine *engine, const struct engine_target *target,
                         const struct engine_trace *trace)
{
    sonde_ns think = probe_think_ns(trace->ops, &trace->spec, 0);
    return ns_min(ns_add(router_doubt_ns(target), think), engine->config.timeout_ns);
}

/* When a trace is overdue if nothing answers it: with the first full-TTL probe if it never was
 * answered, with the second in a row if it was. */
static sonde_ns overdue_ns(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace)
{
    switch (trace->standing) {
    case STANDING_ASKED:
        return ns_add(trace->unanswered_ns[0], doubt_ns(engine, target, trace));
    case STANDING_ANSWERED:
    case STANDING_ODD:
        return ns_add(trace->unanswered_ns[1], doubt_ns(engine, target, trace));
    case STANDING_BY:
    case STANDING_SILENT:
    case STANDING_COUNT:
        break;
    }
    return SONDE_NS_NEVER;
}

static void take_event(struct engine_trace *trace, enum standing_event event)
{
    trace->standing = standing_after(trace->standing, event);
}

/* The first trace that is answered, of a protocol or of any (0); NULL if none is. */
static struct engine_trace *find_answered(const struct engine *engine,
                                          const struct engine_target *target, uint8_t protocol)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->standing == STANDING_ANSWERED &&
            (protocol == 0 || trace->spec.flow.protocol == protocol))
            return trace;
    }
    return NULL;
}

/* Begin what stands by for comparison with a silent trace. */
static void begin_controls(const struct engine *engine, struct engine_target *target,
                           const struct engine_trace *silent)
{
    uint8_t protocol = silent->spec.flow.protocol;
    bool all = find_answered(engine, target, 0) == NULL;
    if (find_answered(engine, target, protocol) != NULL)
        return;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->standing != STANDING_BY || (!all && trace->spec.flow.protocol != protocol))
            continue;
        take_event(trace, STANDING_EVENT_NEEDED);
        if (trace->cycle == target->cycle)
            continue;                     /* it was begun in this cycle before */
        trace->cycle = target->cycle - 1; /* it is in this cycle as all others are */
        members_add(&target->fulls, i);
    }
}

/* Is nobody silent, or not answered yet, that is no control itself? */
static bool is_content(const struct engine *engine, const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (!trace->is_standby &&
            (trace->standing == STANDING_SILENT || trace->standing == STANDING_ASKED))
            return false;
    }
    return true;
}

/* Let controls stand by again that nobody needs any more. */
static void end_controls(const struct engine *engine, struct engine_target *target)
{
    if (!is_content(engine, target))
        return;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (!trace->is_standby || !trace_is_begun(trace))
            continue;
        take_event(trace, STANDING_EVENT_NOT_NEEDED);
        members_remove(&target->fulls, i);
    }
}

/* Who has become overdue? */
static void find_overdue(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (!ns_due(overdue_ns(engine, target, trace), now))
            continue;
        if (trace_is_answered(trace)) /* what it was asked before says nothing of now */
            memset(asks_at(engine, trace, 0), 0, engine->config.max_ttl + 1U);
        take_event(trace, STANDING_EVENT_OVERDUE);
        trace->odd_ttl = 0;
        trace->full_ttl = ENGINE_FULL_TTL_MAX; /* a neighbour may insist on it: RFC 5082 */
        begin_controls(engine, target, trace);
    }
}

/* How long a question stays silent before the next one has its turn. */
static sonde_ns turn_ns(const struct engine *engine, const struct engine_target *target,
                        const struct engine_trace *trace)
{
    if (patience_longest_ns(&target->patience) == 0)
        return engine->config.timeout_ns / 2; /* nothing has answered, and it will hardly be late */
    return plan_patience_ns(engine, trace, trace->asking.at);
}

/* Ask those that are silent to a question the next one: that is no repetition. */
static void ask_on(const struct engine *engine, struct engine_target *target, sonde_ns now)
{
    target->turn_ns = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        sonde_ns turn = asking_turn_ns(&trace->asking, turn_ns(engine, target, trace));
        if (ns_due(turn, now) && asking_turn(&trace->asking)) {
            trace->asks_on = true;
            members_add(&target->fulls, i);
        }
        if (asking_is_open(&trace->asking))
            target->turn_ns = ns_min(target->turn_ns, turn);
    }
}

/* Until when an answer to a probe of the trace to this TTL may come; INT64_MIN: none is in flight.
 */
static sonde_ns flying_until_ns(const struct engine *engine, const struct engine_trace *trace,
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

/* Does another trace of the target meet a router at this TTL? */
static bool others_meet_router(const struct engine *engine, const struct engine_target *target,
                               const struct engine_trace *trace, unsigned ttl)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *other = trace_at(engine, target, i);
        if (other != trace && ttl_set_has(&trace_reach(engine, other)->expired, ttl))
            return true;
    }
    return false;
}

/* The TTL at which somebody may answer a trace in the target's name: others meet a router there,
 * and this trace, though it is answered, did not when it was asked; 0 = none. */
static uint8_t find_odd_ttl(const struct engine *engine, const struct engine_target *target,
                            const struct engine_trace *trace, sonde_ns now, sonde_ns *next_ns)
{
    const struct reach *reach = trace_reach(engine, trace);
    uint8_t ttl = (uint8_t)(reach->top_ttl + 1);
    if (reach->refused_ttl != 0 || reach->top_ttl >= engine->config.max_ttl)
        return 0;
    if (target->distance != 0 && target->distance < ttl)
        return target->distance; /* others meet the target where this one met a router */
    if (*asks_at(engine, trace, ttl) == 0 || !others_meet_router(engine, target, trace, ttl))
        return 0;
    sonde_ns until = flying_until_ns(engine, trace, ttl);
    if (until > now) {
        *next_ns = ns_min(*next_ns, until);
        return trace->odd_ttl == ttl ? ttl : 0;
    }
    return ttl;
}

/* Is it to be looked into whether somebody else answers a trace? @return When that may change. */
static sonde_ns find_odd(const struct engine *engine, struct engine_target *target, sonde_ns now)
{
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (!trace_is_answered(trace))
            continue;
        uint8_t ttl = find_odd_ttl(engine, target, trace, now, &next);
        if (ttl != trace->odd_ttl && (ttl == 0 || ttl != trace->explained_ttl)) {
            trace->odd_ttl = ttl;
            trace->odd_asks = 0;
            take_event(trace, ttl != 0 ? STANDING_EVENT_ODD : STANDING_EVENT_EXPLAINED);
        } else if (ttl != 0 && trace->odd_ttl == ttl && trace->odd_asks >= LOOK_ASKS) {
            trace->explained_ttl = ttl;
            trace->odd_ttl = 0;
            take_event(trace, STANDING_EVENT_EXPLAINED);
        }
    }
    return next;
}

/* Up to which TTL others show that there is something to be met. */
static unsigned known_up_to(const struct engine_target *target)
{
    return target->distance > target->top_ttl ? target->distance : target->top_ttl;
}

/* The distance that an answer has by its TTL, and how soon the answers come, against those of the
 * first other trace that is answered: are they from somebody else? It is only a reason to look. */
static bool is_unlike(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace)
{
    static const sonde_ns slack = SONDE_NS_PER_MS;
    const struct tally_service *tally = trace_tally(engine, trace);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *other = trace_at(engine, target, i);
        if (other == trace || other->standing != STANDING_ANSWERED)
            continue;
        const struct tally_service *others = trace_tally(engine, other);
        unsigned distance = extent_guess(tally);
        unsigned others_distance = extent_guess(others);
        bool nearer = distance != 0 && others_distance != 0 && distance < others_distance;
        bool sooner = tally->rtt.samples > 0 && others->rtt.samples > 0 &&
                      ns_add(tally->rtt.min_ns, slack) < others->rtt.min_ns * 3 / 4;
        if (nearer || sooner)
            return true;
    }
    return false;
}

/* Is a trace to be asked here, to prove that it is the target that answers it? First where others
 * meet the last router before the target; and if none answers there, everywhere before. */
static bool is_to_be_proven(const struct engine *engine, const struct engine_target *target,
                            const struct engine_trace *trace, unsigned ttl)
{
    const struct tally_service *tally = trace_tally(engine, trace);
    unsigned last = target->farthest > 0 ? target->farthest - 1U : 0;
    if (ttl > last || *asks_at(engine, trace, ttl) > 0 || tally->reach.refused_ttl != 0)
        return false;
    if (tally->outcomes[SONDE_OUTCOME_CLOSED].shown == 0 && !is_unlike(engine, target, trace))
        return false;
    if (ttl_set_has(&tally->reach.expired, last))
        return false;
    return ttl == last || *asks_at(engine, trace, last) > 0;
}

/* Where a silent trace ends: the first hop behind those that answered it at which others meet a
 * router; 0 = there is none. Hops that are silent to all show nothing. */
static unsigned end_ttl(const struct engine *engine, const struct engine_target *target,
                        const struct engine_trace *trace)
{
    unsigned last = known_up_to(target);
    for (unsigned ttl = trace_reach(engine, trace)->top_ttl + 1U; ttl <= last; ttl++) {
        if (others_meet_router(engine, target, trace, ttl))
            return ttl;
    }
    return 0;
}

/* Has nobody else been answered right after a silent port was asked in vain where it ends? Then a
 * router that rations its answers may have been silent for that. */
static bool is_uncompared(const struct engine *engine, const struct engine_target *target,
                          const struct engine_trace *trace, unsigned ttl)
{
    const struct tally_service *tally = trace_tally(engine, trace);
    const struct tally_hop *hop = tally->hops != NULL ? tally->hops[ttl] : NULL;
    return trace->ops->has_ports && (hop == NULL || hop->passed_over == 0) &&
           ttl == end_ttl(engine, target, trace) && *asks_at(engine, trace, ttl) < LOOK_ASKS_MAX;
}

/* Is it to be asked again for that? */
static bool is_to_be_compared(const struct engine *engine, const struct engine_target *target,
                              const struct engine_trace *trace, unsigned ttl)
{
    return is_uncompared(engine, target, trace, ttl) &&
           flying_until_ns(engine, trace, ttl) == INT64_MIN;
}

bool look_compares(const struct engine *engine, const struct engine_target *target, unsigned ttl)
{
    bool compares = ttl_set_has(&target->owed, ttl);
    for (uint32_t i = 0; i < target->trace_count && !compares; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        compares = trace->standing == STANDING_SILENT && !trace->is_standby &&
                   is_uncompared(engine, target, trace, ttl);
    }
    return compares;
}

bool look_needs(const struct engine *engine, const struct engine_target *target,
                const struct engine_trace *trace, unsigned ttl)
{
    uint8_t asks = *asks_at(engine, trace, ttl);
    switch (trace->standing) {
    case STANDING_SILENT:
        return ttl > trace_reach(engine, trace)->top_ttl && ttl <= trace->limit_ttl &&
               ttl <= known_up_to(target) &&
               (asks < LOOK_ASKS || is_to_be_compared(engine, target, trace, ttl));
    case STANDING_ODD:
        return ttl == trace->odd_ttl && trace->odd_asks < LOOK_ASKS;
    case STANDING_ANSWERED:
        return is_to_be_proven(engine, target, trace, ttl);
    case STANDING_BY:
    case STANDING_ASKED:
    case STANDING_COUNT:
        break;
    }
    return false;
}

/* Is anything still needed for a look at this trace? */
static bool needs_anything(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace)
{
    for (unsigned ttl = engine->config.first_ttl; ttl <= target->limit_ttl; ttl++) {
        if (look_needs(engine, target, trace, ttl))
            return true;
    }
    return false;
}

/* Hosts that ignore pings are common: a port that is not answered is worth more. */
static bool is_less_worth(const struct engine *engine, const struct engine_target *target,
                          const struct engine_trace *trace)
{
    for (uint32_t i = 0; i < target->trace_count && !trace->ops->has_ports; i++) {
        const struct engine_trace *other = trace_at(engine, target, i);
        if (other->ops->has_ports && other->standing == STANDING_SILENT)
            return true;
    }
    return false;
}

/* With what silent traces of a protocol are compared; NULL: nothing is answered. */
static struct engine_trace *find_control(const struct engine *engine,
                                         const struct engine_target *target, uint8_t protocol)
{
    struct engine_trace *kin = find_answered(engine, target, protocol);
    return kin != NULL ? kin : find_answered(engine, target, 0);
}

/* Has something in the target's name answered a trace, and not only somebody who refuses? */
static bool is_passed(const struct engine *engine, const struct engine_trace *trace)
{
    const struct tally_outcome *outcomes = trace_tally(engine, trace)->outcomes;
    return outcomes[SONDE_OUTCOME_ECHO_REPLY].shown > 0 || outcomes[SONDE_OUTCOME_OPEN].shown > 0 ||
           outcomes[SONDE_OUTCOME_CLOSED].shown > 0 || outcomes[SONDE_OUTCOME_UDP_REPLY].shown > 0;
}

/* With what a silent trace of a protocol is compared at a TTL: first with one of its protocol that
 * is answered and goes on from there, then with any such, then with one that meets a router there;
 * NULL: there is none. */
static struct engine_trace *find_control_at(const struct engine *engine,
                                            const struct engine_target *target, uint8_t protocol,
                                            unsigned ttl)
{
    struct engine_trace *best = NULL;
    unsigned best_rank = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        bool goes_on = trace->standing == STANDING_ANSWERED && is_passed(engine, trace) &&
                       ttl < extent_end(engine, target, trace);
        bool kin = trace->spec.flow.protocol == protocol;
        bool meets = ttl_set_has(&trace_reach(engine, trace)->expired, ttl);
        unsigned rank = goes_on ? 2U + kin : meets;
        if (rank > best_rank) {
            best = trace;
            best_rank = rank;
        }
    }
    return best;
}

/* The protocol of the first silent trace; 0 = none is silent. */
static uint8_t silent_protocol(const struct engine *engine, const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->standing == STANDING_SILENT && !is_less_worth(engine, target, trace))
            return trace->spec.flow.protocol;
    }
    return 0;
}

/* What a silent trace and its control show is worth more than what others do. */
static void favour(const struct engine *engine, struct engine_target *target,
                   const struct engine_trace *silent)
{
    const struct engine_trace *control = find_control(engine, target, silent->spec.flow.protocol);
    members_add(&target->favoured, trace_place(engine, silent));
    if (control != NULL)
        members_add(&target->favoured, trace_place(engine, control));
}

/* Choose who is served first from now on. */
static void choose_looked_at(const struct engine *engine, struct engine_target *target)
{
    unsigned silent = 0;
    unsigned odd = 0;
    target->looked_at = (struct members){0};
    target->favoured = (struct members){0};
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        bool is_silent = trace->standing == STANDING_SILENT;
        if (is_silent ? silent >= SILENT_SERVED || is_less_worth(engine, target, trace)
                      : odd >= ODD_SERVED)
            continue;
        if (is_silent && trace->is_standby)
            continue; /* nobody asked for it */
        if (is_silent)
            favour(engine, target, trace);
        if (!needs_anything(engine, target, trace)) {
            silent += is_silent && target->next_cycle_ns == SONDE_NS_NEVER; /* it had its look */
            continue;
        }
        members_add(&target->looked_at, i);
        silent += is_silent;
        odd += !is_silent;
    }
}

/* Is somebody not answered yet, so that something of the budget has to be kept for him? */
static bool is_in_doubt(const struct engine *engine, const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (trace_at(engine, target, i)->standing == STANDING_ASKED)
            return true;
    }
    return !members_is_empty(&target->looked_at);
}

/* Nobody has answered a probe for as long as a router takes. What a silent trace was asked behind
 * the hop where it ends has met nobody, then, so others may be asked there instead. */
static void give_back(struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, struct flight *flight)
{
    unsigned end = trace_reach(engine, trace)->top_ttl + 1U;
    if (trace->standing == STANDING_SILENT && flight->ttl > end &&
        others_meet_router(engine, target, trace, end))
        budget_give_back(&engine->budget, &flight->charge);
    else
        budget_unanswered(&engine->budget, &flight->charge);
}

/* Give back what turns out to have been asked in vain. @return When more does. */
static sonde_ns give_all_back(struct engine *engine, const struct engine_target *target,
                              sonde_ns now)
{
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        uint32_t index = trace->line.first;
        for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
            struct flight *flight = &engine->flights.flights[index];
            bool is_silent = trace->standing == STANDING_SILENT && flight->charge.key != 0;
            if (flight->to_target || !flight->sent || (!is_silent && flight->charge.at_ttl == 0))
                continue;
            sonde_ns clear = ns_add(flight->sent_ns, router_doubt_ns(target));
            if (ns_due(clear, now))
                give_back(engine, target, trace, flight);
            else
                next = ns_min(next, clear);
        }
    }
    return next;
}

sonde_ns look_review(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    find_overdue(engine, target, now);
    end_controls(engine, target);
    ask_on(engine, target, now);
    sonde_ns next = ns_min(find_odd(engine, target, now), give_all_back(engine, target, now));
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        next = ns_min(next, overdue_ns(engine, target, trace));
        next = ns_min(next, asking_turn_ns(&trace->asking, turn_ns(engine, target, trace)));
    }
    return next;
}

void look_choose(const struct engine *engine, struct engine_target *target)
{
    choose_looked_at(engine, target);
    target->in_doubt = is_in_doubt(engine, target);
}

struct engine_trace *look_control(const struct engine *engine, const struct engine_target *target,
                                  unsigned ttl, sonde_ns *ret_ns)
{
    *ret_ns = target->owed_ns;
    if (!ttl_set_has(&target->owed, ttl))
        return NULL;
    return find_control_at(engine, target, silent_protocol(engine, target), ttl);
}

void look_asked(const struct engine *engine, struct engine_target *target,
                struct engine_trace *trace, unsigned ttl, sonde_ns now)
{
    bool arrives =
        extent_end(engine, target, trace) != 0 && ttl >= extent_end(engine, target, trace);
    trace->arrivals = (uint8_t)(trace->arrivals + (arrives && trace->arrivals < UINT8_MAX));
    trace->odd_asks = (uint8_t)(trace->odd_asks + (ttl == trace->odd_ttl));
    bool is_control = trace->standing == STANDING_ANSWERED ||
                      ttl_set_has(&trace_reach(engine, trace)->expired, ttl);
    if (is_control && now >= target->owed_ns) {
        ttl_set_remove(&target->owed, ttl);
    } else if (trace->standing == STANDING_SILENT &&
               (*asks_at(engine, trace, ttl) == LOOK_ASKS ||
                (*asks_at(engine, trace, ttl) > LOOK_ASKS &&
                 is_uncompared(engine, target, trace, ttl)))) {
        ttl_set_add(&target->owed, ttl);
        target->owed_ns = ns_add(now, OWED_AFTER_NS);
    }
}
