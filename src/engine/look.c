/* SPDX-License-Identifier: BSD-2-Clause */
/* A closer look at what is not simply fine; see engine/look.h. */
#include "engine/look.h"

#include "engine/charge.h"
#include "engine/extent.h"
#include "engine/odd.h"
#include "engine/plan.h"
#include "engine/trace.h"

#include <string.h>

enum {
    SILENT_SERVED = 2, /* silent traces looked at at a time: each costs every hop two answers */
    LOOK_ASKS_MAX = 9, /* of a silent trace at the hop where it ends */
    DOUBT_CYCLES = 64, /* from one time to the next that a service is asked its other questions */
    ODD_SERVED = 4,    /* likewise of those that are answered: each costs one hop as much */
};

/* A control is asked so much later than what is compared with it, so that its probe does not
 * overtake that on the way. */
static const sonde_ns OWED_AFTER_NS = 5 * SONDE_NS_PER_MS;

/* After how long a trace that does not answer is overdue. */
static sonde_ns doubt_ns(const struct engine_target *target, const struct engine_trace *trace)
{
    sonde_ns think = probe_think_ns(trace->ops, &trace->spec, 0);
    return ns_min(ns_add(charge_doubt_ns(target), think), plan_of(target)->timeout_ns);
}

/* When a trace is overdue if nothing answers it: with the first full-TTL probe if it never was
 * answered, with the second in a row if it was. */
static sonde_ns overdue_ns(const struct engine_target *target, const struct engine_trace *trace)
{
    switch (trace->standing) {
    case STANDING_ASKED:
        return ns_add(trace->unanswered_ns[0], doubt_ns(target, trace));
    case STANDING_ANSWERED:
    case STANDING_ODD:
        return ns_add(trace->unanswered_ns[1], doubt_ns(target, trace));
    case STANDING_BY:
    case STANDING_SILENT:
    case STANDING_PAUSED:
    case STANDING_COUNT:
        break;
    }
    return SONDE_NS_NEVER;
}

/* The first trace that is answered, of a protocol or of any (0); NULL if none is. */
static struct engine_trace *find_answered(const struct engine_target *target, uint8_t protocol)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (trace->standing == STANDING_ANSWERED &&
            (protocol == 0 || trace->spec.flow.protocol == protocol))
            return trace;
    }
    return NULL;
}

/* Begin what stands by for comparison with a silent trace. */
static void begin_controls(struct engine_target *target, const struct engine_trace *silent)
{
    uint8_t protocol = silent->spec.flow.protocol;
    bool all = find_answered(target, 0) == NULL;
    if (find_answered(target, protocol) != NULL)
        return;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (trace->standing != STANDING_BY || (!all && trace->spec.flow.protocol != protocol))
            continue;
        trace_take_event(trace, STANDING_EVENT_NEEDED);
        if (trace->cycle == target->cycle)
            continue;                     /* it was begun in this cycle before */
        trace->cycle = target->cycle - 1; /* it is in this cycle as all others are */
        members_add(&target->fulls, i);
    }
}

/* Is nobody silent, or not answered yet, that is no control itself? */
static bool is_content(const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        if (!trace->is_standby &&
            (trace->standing == STANDING_SILENT || trace->standing == STANDING_ASKED))
            return false;
    }
    return true;
}

/* Let controls stand by again that nobody needs any more. */
static void end_controls(struct engine_target *target)
{
    if (!is_content(target))
        return;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (!trace->is_standby || !trace_is_begun(trace))
            continue;
        trace_take_event(trace, STANDING_EVENT_NOT_NEEDED);
        members_remove(&target->fulls, i);
    }
}

/* A server that has answered is silent, or nobody says any more that he lets nothing through to it:
 * it may be deaf to what it is asked. */
static void doubt_question(struct engine_target *target, struct engine_trace *trace)
{
    bool lately = trace->doubt_cycle != 0 && target->cycle - trace->doubt_cycle < DOUBT_CYCLES;
    bool may_answer =
        shown_has(&trace->shown, SONDE_OUTCOME_UDP_REPLY) || shown_is_refused(&trace->shown);
    if (lately || !may_answer)
        return;
    unsigned extra = asking_doubt(&trace->asking);
    if (extra == 0)
        return;
    trace->doubt_cycle = target->cycle;
    trace->cycle -= extra;
    members_add(&target->fulls, trace->index);
}

void look_begin_cycle(struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (target->traces[i]->standing == STANDING_SILENT)
            doubt_question(target, target->traces[i]);
    }
}

/* Who has become overdue? */
static void find_overdue(struct engine_target *target, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        if (!ns_due(overdue_ns(target, trace), now))
            continue;
        if (trace_is_answered(trace)) { /* what it was asked before says nothing of now */
            memset(&trace->asks[0], 0, plan_of(target)->max_ttl + 1U);
            doubt_question(target, trace);
        }
        trace_take_event(trace, STANDING_EVENT_OVERDUE);
        trace->odd_ttl = 0;
        trace->full_ttl = ENGINE_FULL_TTL_MAX; /* a neighbour may insist on it: RFC 5082 */
        begin_controls(target, trace);
    }
}

/* When the next question has its turn, because this one stays silent; never: there is none, or not
 * before a pause ends. */
static sonde_ns turn_ns(const struct engine_target *target, const struct engine_trace *trace)
{
    if (trace->standing == STANDING_PAUSED || asking_turn_ns(&trace->asking, 0) == SONDE_NS_NEVER)
        return SONDE_NS_NEVER;
    sonde_ns wait =
        plan_of(target)->timeout_ns / 2; /* nothing has answered, it will hardly be late */
    if (patience_longest_ns(&target->patience) != 0)
        wait = plan_patience_ns(trace, trace->asking.at);
    return asking_turn_ns(&trace->asking, wait);
}

/* Ask those that are silent to a question the next one: that is no repetition. */
static void ask_on(struct engine_target *target, sonde_ns now)
{
    target->turn_ns = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        sonde_ns turn = turn_ns(target, trace);
        if (ns_due(turn, now) && asking_turn(&trace->asking)) {
            trace->asks_on = true;
            members_add(&target->fulls, i);
        }
        if (asking_is_open(&trace->asking))
            target->turn_ns = ns_min(target->turn_ns, turn);
    }
}

/* Up to which TTL others show that there is something to be met. */
static unsigned known_up_to(const struct engine_target *target)
{
    return target->distance > target->top_ttl ? target->distance : target->top_ttl;
}

/* Where a silent trace is lost: the first hop behind those that answered it at which others meet a
 * router; 0 = there is none. Hops that are silent to all show nothing. */
static unsigned lost_ttl(const struct engine_target *target, const struct engine_trace *trace)
{
    unsigned last = known_up_to(target);
    for (unsigned ttl = trace_reach(trace)->top_ttl + 1U; ttl <= last; ttl++) {
        if (trace_others_meet(target, trace, ttl))
            return ttl;
    }
    return 0;
}

/* Has nobody else been answered right after a silent port was asked in vain where it ends? Then a
 * router that rations its answers may have been silent for that. */
static bool is_uncompared(const struct engine_target *target, const struct engine_trace *trace,
                          unsigned ttl)
{
    const struct tally_service *tally = trace_tally(trace);
    const struct tally_hop *hop = tally->hops != NULL ? tally->hops[ttl] : NULL;
    return trace->ops->has_ports && (hop == NULL || !hop->was_passed_over) &&
           trace->asks[ttl] < LOOK_ASKS_MAX && ttl == lost_ttl(target, trace);
}

/* Is it to be asked again for that? */
static bool is_to_be_compared(const struct engine *engine, const struct engine_target *target,
                              const struct engine_trace *trace, unsigned ttl)
{
    return is_uncompared(target, trace, ttl) &&
           plan_flying_until_ns(engine, trace, ttl) == INT64_MIN;
}

/* Is a silent trace unanswered at a TTL, so that something is to be compared there? */
static bool is_silent_at(const struct engine_target *target, unsigned ttl)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        if (trace->standing == STANDING_SILENT && ttl > trace_reach(trace)->top_ttl)
            return true;
    }
    return false;
}

bool look_compares(const struct engine_target *target, unsigned ttl)
{
    bool compares = ttl_set_has(&target->owed, ttl) && is_silent_at(target, ttl);
    for (uint32_t i = 0; i < target->trace_count && !compares; i++) {
        const struct engine_trace *trace = target->traces[i];
        compares = trace->standing == STANDING_SILENT && !trace->is_standby &&
                   is_uncompared(target, trace, ttl);
    }
    return compares;
}

bool look_needs(const struct engine *engine, const struct engine_target *target,
                const struct engine_trace *trace, unsigned ttl)
{
    uint8_t asks = trace->asks[ttl];
    switch (trace->standing) {
    case STANDING_SILENT:
        return ttl > trace_reach(trace)->top_ttl && ttl <= trace->limit_ttl &&
               ttl <= known_up_to(target) &&
               (asks < LOOK_ASKS || is_to_be_compared(engine, target, trace, ttl));
    case STANDING_ODD:
        return ttl == trace->odd_ttl && trace->odd_asks < LOOK_ASKS;
    case STANDING_ANSWERED:
        return odd_needs(target, trace, ttl);
    case STANDING_BY:
    case STANDING_ASKED:
    case STANDING_PAUSED:
    case STANDING_COUNT:
        break;
    }
    return false;
}

/* Is anything still needed for a look at this trace? */
static bool needs_anything(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace)
{
    if (trace->standing == STANDING_ANSWERED)
        return odd_needs_any(target, trace);
    for (unsigned ttl = plan_of(target)->first_ttl; ttl <= target->limit_ttl; ttl++) {
        if (look_needs(engine, target, trace, ttl))
            return true;
    }
    return false;
}

/* Hosts that ignore pings are common: a port that is not answered is worth more. */
static bool is_less_worth(const struct engine_target *target, const struct engine_trace *trace)
{
    for (uint32_t i = 0; i < target->trace_count && !trace->ops->has_ports; i++) {
        const struct engine_trace *other = target->traces[i];
        if (other->ops->has_ports && other->standing == STANDING_SILENT)
            return true;
    }
    return false;
}

/* With what silent traces of a protocol are compared; NULL: nothing is answered. */
static struct engine_trace *find_control(const struct engine_target *target, uint8_t protocol)
{
    struct engine_trace *kin = find_answered(target, protocol);
    return kin != NULL ? kin : find_answered(target, 0);
}

/* With what a silent trace of a protocol is compared at a TTL: first with one of its protocol that
 * is answered and goes on from there, then with any such, then with one that meets a router there;
 * NULL: there is none. */
static struct engine_trace *find_control_at(const struct engine_target *target, uint8_t protocol,
                                            unsigned ttl)
{
    struct engine_trace *best = NULL;
    unsigned best_rank = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        bool goes_on = trace->standing == STANDING_ANSWERED && shown_is_answered(&trace->shown) &&
                       ttl < extent_end(target, trace);
        bool kin = trace->spec.flow.protocol == protocol;
        bool meets =
            trace->standing != STANDING_PAUSED && ttl_set_has(&trace_reach(trace)->expired, ttl);
        unsigned rank = goes_on ? 2U + kin : meets;
        if (rank > best_rank) {
            best = trace;
            best_rank = rank;
        }
    }
    return best;
}

/* The protocol of the first silent trace; 0 = none is silent. */
static uint8_t silent_protocol(const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        if (trace->standing == STANDING_SILENT && !is_less_worth(target, trace))
            return trace->spec.flow.protocol;
    }
    return 0;
}

/* What a silent trace and its control show is worth more than what others do. */
static void favour(struct engine_target *target, const struct engine_trace *silent)
{
    const struct engine_trace *control = find_control(target, silent->spec.flow.protocol);
    members_add(&target->favoured, silent->index);
    if (control != NULL)
        members_add(&target->favoured, control->index);
}

/* Choose who is served first from now on. */
static void choose_looked_at(const struct engine *engine, struct engine_target *target)
{
    unsigned silent = 0;
    unsigned odd = 0;
    target->looked_at = (struct members){0};
    target->favoured = (struct members){0};
    target->unserved = (struct members){0};
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        bool is_silent = trace->standing == STANDING_SILENT;
        if (is_silent ? silent >= SILENT_SERVED || is_less_worth(target, trace)
                      : odd >= ODD_SERVED) {
            if (is_silent && silent >= SILENT_SERVED && target->patience.reached &&
                target->next_cycle_ns == SONDE_NS_NEVER)
                members_add(&target->unserved, i);
            continue;
        }
        if (is_silent && trace->is_standby)
            continue;                                 /* nobody asked for it */
        if (!needs_anything(engine, target, trace)) { /* it had its look */
            silent += is_silent && target->next_cycle_ns == SONDE_NS_NEVER;
            continue;
        }
        if (is_silent)
            favour(target, trace);
        members_add(&target->looked_at, i);
        silent += is_silent;
        odd += !is_silent;
    }
}

/* Is somebody not answered yet, so that something of the budget has to be kept for him? */
static bool is_in_doubt(const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (target->traces[i]->standing == STANDING_ASKED)
            return true;
    }
    return !members_is_empty(&target->looked_at);
}

sonde_ns look_review(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    find_overdue(target, now);
    end_controls(target);
    ask_on(target, now);
    sonde_ns next = ns_min(odd_review(engine, target, now), charge_review(engine, target, now));
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        next = ns_min(next, overdue_ns(target, trace));
        next = ns_min(next, turn_ns(target, trace));
    }
    return next;
}

void look_choose(const struct engine *engine, struct engine_target *target)
{
    choose_looked_at(engine, target);
    target->in_doubt = is_in_doubt(target);
}

struct engine_trace *look_control(const struct engine_target *target, unsigned ttl,
                                  sonde_ns *ret_ns)
{
    *ret_ns = target->owed_ns;
    if (!ttl_set_has(&target->owed, ttl) || !is_silent_at(target, ttl))
        return NULL;
    return find_control_at(target, silent_protocol(target), ttl);
}

void look_asked(struct engine_target *target, struct engine_trace *trace, unsigned ttl,
                sonde_ns now)
{
    trace->odd_asks = (uint8_t)(trace->odd_asks + (ttl == trace->odd_ttl));
    bool is_control =
        trace->standing == STANDING_ANSWERED || ttl_set_has(&trace_reach(trace)->expired, ttl);
    if (is_control && now >= target->owed_ns) {
        ttl_set_remove(&target->owed, ttl);
    } else if (trace->standing == STANDING_SILENT &&
               (trace->asks[ttl] == LOOK_ASKS ||
                (trace->asks[ttl] > LOOK_ASKS && is_uncompared(target, trace, ttl)))) {
        ttl_set_add(&target->owed, ttl);
        target->owed_ns = ns_add(now, OWED_AFTER_NS);
    }
}
