/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target sends, and when.
 *
 * State first: a cycle begins with one full-TTL probe for each trace. Path second: behind them the
 * TTLs from the first on are walked, four steps a millisecond, so that on a short path the target's
 * answer is there before much has overshot it. At each TTL the traces take turns, and share one
 * budget, kept as a GCRA: a burst, then one probe an interval.
 *
 * What the budget does not allow waits for the next cycle, which asks for the same again. In the
 * last cycle only what was never asked is waited for, and only for a trace that nobody has answered
 * yet: there the path is the evidence.
 */
#include "engine/internal.h"

static struct hop_turn *turn_at(const struct engine *engine, const struct engine_target *target,
                                unsigned ttl)
{
    size_t row = (size_t)target_index(engine, target) * (engine->config.max_ttl + 1U);
    return &engine->turns[row + ttl];
}

/* When the hop's budget allows another probe. */
static sonde_ns affordable_ns(const struct engine *engine, const struct engine_target *target,
                              unsigned ttl)
{
    return ns_sub(turn_at(engine, target, ttl)->earned_ns, (HOP_BURST - 1) * HOP_INTERVAL_NS);
}

static struct engine_trace *trace_at(const struct engine *engine,
                                     const struct engine_target *target, uint32_t index)
{
    return &engine->traces[target->first_trace + index];
}

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

void plan_learn(const struct engine *engine, struct engine_target *target)
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
static sonde_ns settle_bound_ns(const struct engine_target *target)
{
    if (target->reached)
        return ns_add(ns_mul(target->rtt_max_ns, 2), SETTLE_NS);
    if (target->rtt_max_ns > 0)
        return ns_add(ns_mul(target->rtt_max_ns, 3), SETTLE_SILENT_NS);
    return SONDE_NS_NEVER;
}

/* When the first window is given up for too small, if no answer has shown it by then. */
static sonde_ns grow_ns(const struct engine_target *target)
{
    return ns_add(target->start_ns, settle_bound_ns(target));
}

/* The largest TTL probed while the distance is not known. */
static unsigned discovery_limit(const struct engine *engine, const struct engine_target *target,
                                sonde_ns now)
{
    unsigned window = engine->config.first_ttl + (unsigned)DISCOVERY_WINDOW - 1;
    unsigned top = target->top_ttl;
    unsigned limit = window;
    if (top + DISCOVERY_MARGIN >= window || now >= grow_ns(target))
        limit = top + engine->config.gap_limit > window ? top + engine->config.gap_limit : window;
    return limit < engine->config.max_ttl ? limit : engine->config.max_ttl;
}

/* The distance of a trace as far as it is known, by itself or from the others; 0 = it is not. */
static unsigned trace_distance(const struct engine_target *target, const struct engine_trace *trace)
{
    return target->distance > trace->reach.top_ttl ? target->distance : trace->reach.dest_ttl;
}

unsigned plan_floor(const struct engine *engine, const struct engine_target *target,
                    const struct engine_trace *trace)
{
    unsigned distance = trace_distance(target, trace);
    /* Of answers that name no probe one may be to a TTL that went far beyond the target, unless
     * another trace is no shorter. */
    bool overshot = trace->one_at_a_time && distance == trace->reach.dest_ttl &&
                    distance_without(engine, target, trace) != distance;
    return distance != 0 && !overshot ? distance : trace->reach.top_ttl + 1U;
}

bool plan_is_echoed(const struct engine *engine, const struct engine_target *target,
                    const struct flight *flight)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    unsigned distance = trace_distance(target, trace);
    return trace->echoes > 0 && distance != 0 && flight->ttl >= distance;
}

/* The TTL at which a trace ends: at the target, or at who refuses in its place; 0 = not known. */
static unsigned trace_end(const struct engine_target *target, const struct engine_trace *trace)
{
    unsigned refused = trace->reach.refused_ttl;
    unsigned distance = trace_distance(target, trace);
    return refused != 0 && (distance == 0 || refused < distance) ? refused : distance;
}

/* The largest TTL that is worth probing on a trace. */
static unsigned trace_limit(const struct engine *engine, const struct engine_target *target,
                            const struct engine_trace *trace, sonde_ns now)
{
    unsigned end = trace_end(target, trace);
    return end != 0 ? end : discovery_limit(engine, target, now);
}

/* The largest TTL that is worth probing on any trace of the target. */
static unsigned target_limit(const struct engine *engine, const struct engine_target *target,
                             sonde_ns now)
{
    unsigned limit = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        unsigned ttl = trace_limit(engine, target, trace_at(engine, target, i), now);
        limit = ttl > limit ? ttl : limit;
    }
    return limit;
}

/* Is the end of a trace not known yet? */
static bool is_discovering(const struct engine *engine, const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (trace_end(target, trace_at(engine, target, i)) == 0)
            return true;
    }
    return false;
}

/* Is a probe in flight that the target may answer? */
static bool answer_is_due(const struct engine *engine, const struct engine_target *target,
                          const struct engine_trace *trace)
{
    unsigned floor = plan_floor(engine, target, trace);
    uint32_t index = trace->line.first;
    while (index != FLIGHT_NONE && engine->flights.flights[index].ttl < floor)
        index = engine->flights.flights[index].next;
    return index != FLIGHT_NONE;
}

/* Does the trace want a probe with this TTL in this cycle? */
static bool is_wanted(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, unsigned ttl, sonde_ns now)
{
    return !ttl_set_has(&trace->asked, ttl) && ttl <= trace_limit(engine, target, trace, now);
}

/* When the trace may send a probe with this TTL without somebody else's answer being taken for its
 * own: 0 for now, never if that takes the end of another probe. */
static sonde_ns free_ns(const struct engine *engine, const struct engine_target *target,
                        const struct engine_trace *trace, unsigned ttl, sonde_ns now)
{
    if (!trace->one_at_a_time || ttl < plan_floor(engine, target, trace))
        return 0;
    if (answer_is_due(engine, target, trace))
        return SONDE_NS_NEVER;
    return trace->quiet_ns > now ? trace->quiet_ns : 0;
}

/* May a probe with this TTL show how far away a service is that answers, but whose distance is not
 * known? */
static bool shows_distance(const struct engine *engine, const struct engine_target *target,
                           const struct engine_trace *trace, unsigned ttl)
{
    return trace->answered && trace->reach.dest_ttl == 0 &&
           ttl >= plan_floor(engine, target, trace);
}

/* Whose turn it is at a TTL, and when. */
struct turn {
    struct engine_trace *trace; /* NULL: nobody wants to send */
    sonde_ns time_ns;
};

/* Of the traces that want to send a probe with this TTL, find the first that may; but one that
 * would learn its distance goes before the others, which wait for it. */
static struct turn find_turn(const struct engine *engine, const struct engine_target *target,
                             unsigned ttl, sonde_ns now)
{
    struct turn turn = {NULL, SONDE_NS_NEVER};
    uint32_t next = turn_at(engine, target, ttl)->next;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, (next + i) % target->trace_count);
        if (!is_wanted(engine, target, trace, ttl, now))
            continue;
        sonde_ns time = free_ns(engine, target, trace, ttl, now);
        if (shows_distance(engine, target, trace, ttl))
            return (struct turn){trace, time};
        if (time < turn.time_ns)
            turn = (struct turn){trace, time};
    }
    return turn;
}

/* When a probe with this TTL may be sent: the budget allows it, and the walk has got there. */
static sonde_ns ready_ns(const struct engine *engine, const struct engine_target *target,
                         unsigned ttl)
{
    sonde_ns affordable = affordable_ns(engine, target, ttl);
    return ttl == target->step_ttl ? affordable : ns_max(affordable, target->step_ns);
}

/* Choose a TTL-limited probe. */
static bool next_step(struct engine *engine, struct engine_target *target, sonde_ns now,
                      struct plan_choice *choice)
{
    unsigned limit = target_limit(engine, target, now);
    for (unsigned ttl = engine->config.first_ttl; ttl <= limit; ttl++) {
        struct turn turn = find_turn(engine, target, ttl, now);
        if (turn.trace == NULL || turn.time_ns > now || ready_ns(engine, target, ttl) > now)
            continue;
        if (ttl != target->step_ttl) {
            target->step_ttl = (uint8_t)ttl;
            /* a loop that woke late may catch up with one step, not with all that it missed */
            target->step_ns = ns_add(ns_max(target->step_ns, ns_sub(now, STEP_NS)), STEP_NS);
        }
        uint32_t index = (uint32_t)(turn.trace - engine->traces);
        struct hop_turn *hop = turn_at(engine, target, ttl);
        hop->earned_ns = ns_add(ns_max(hop->earned_ns, now), HOP_INTERVAL_NS);
        hop->next = (uint8_t)((index - target->first_trace + 1) % target->trace_count);
        ttl_set_add(&turn.trace->asked, ttl);
        ttl_set_add(&turn.trace->ever, ttl);
        target->stepped = true;
        target->stale = true;
        *choice = (struct plan_choice){index, (uint8_t)ttl, false};
        return true;
    }
    return false;
}

/* In the last cycle, pass over what the budget does not allow and nobody needs. */
static void drop_unaffordable(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->next_cycle_ns != SONDE_NS_NEVER)
        return;
    unsigned limit = target_limit(engine, target, now);
    for (unsigned ttl = engine->config.first_ttl; ttl <= limit; ttl++) {
        if (affordable_ns(engine, target, ttl) <= now)
            continue;
        for (uint32_t i = 0; i < target->trace_count; i++) {
            struct engine_trace *trace = trace_at(engine, target, i);
            if (trace->answered || ttl_set_has(&trace->ever, ttl))
                ttl_set_add(&trace->asked, ttl);
        }
    }
}

/* When the walk goes on; never: there is nothing to walk to. */
static sonde_ns walk_ns(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (!target->stale && now < target->walk_until_ns)
        return target->walk_ns;
    drop_unaffordable(engine, target, now);
    target->stale = false;
    target->walk_ns = SONDE_NS_NEVER;
    target->walk_until_ns = SONDE_NS_NEVER;
    if (is_discovering(engine, target) && grow_ns(target) > now)
        target->walk_until_ns = grow_ns(target);
    unsigned limit = target_limit(engine, target, now);
    for (unsigned ttl = engine->config.first_ttl; ttl <= limit; ttl++) {
        struct turn turn = find_turn(engine, target, ttl, now);
        if (turn.time_ns != SONDE_NS_NEVER)
            target->walk_ns =
                ns_min(target->walk_ns, ns_max(ready_ns(engine, target, ttl), turn.time_ns));
    }
    return target->walk_ns;
}

/* Is a walk under way that only its own pace holds back? A new cycle goes on with it. */
static bool is_walking(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    sonde_ns walk = walk_ns(engine, target, now);
    return walk != SONDE_NS_NEVER && walk <= ns_max(target->step_ns, now);
}

/* When the target has something to send. */
static sonde_ns send_ns(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->done)
        return SONDE_NS_NEVER;
    if (target->next_full < target->trace_count)
        return now;
    sonde_ns walk = walk_ns(engine, target, now);
    return ns_min(target->next_cycle_ns, ns_min(walk, target->walk_until_ns));
}

static void begin_cycle(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->cycle++ == 0)
        target->start_ns = now;
    target->next_full = 0;
    target->stepped = false;
    if (!is_walking(engine, target, now)) {
        target->step_ttl = 0;
        target->step_ns = now;
        for (uint32_t i = 0; i < target->trace_count; i++)
            trace_at(engine, target, i)->asked = (struct ttl_set){0};
    }
    target->stale = true;
    if (target->cycle == engine->config.cycles) {
        target->next_cycle_ns = SONDE_NS_NEVER;
        return;
    }
    target->next_cycle_ns = ns_add(target->next_cycle_ns, engine->config.interval_ns);
    if (target->next_cycle_ns <= now) /* the machine slept: go on from here, make nothing up */
        target->next_cycle_ns = ns_add(now, engine->config.interval_ns);
}

/* A run that cannot keep up with its interval always has a cycle due: then at least one step of the
 * walk goes before it, so that every path is seen to its end. */
static bool cycle_is_due(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    return ns_due(target->next_cycle_ns, now) &&
           (target->stepped || !ns_due(walk_ns(engine, target, now), now));
}

bool plan_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice)
{
    if (target->done)
        return false;
    if (target->next_full == target->trace_count && cycle_is_due(engine, target, now))
        begin_cycle(engine, target, now);
    if (target->next_full < target->trace_count) {
        uint32_t trace = target->first_trace + target->next_full++;
        *ret_choice = (struct plan_choice){trace, engine->config.max_ttl, true};
        return true;
    }
    return next_step(engine, target, now, ret_choice);
}

bool plan_all_sent(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    return target->next_cycle_ns == SONDE_NS_NEVER && target->next_full == target->trace_count &&
           target->unsent_count == 0 && walk_ns(engine, target, now) == SONDE_NS_NEVER;
}

sonde_ns plan_lost_ns(const struct engine *engine, const struct flight *flight)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    sonde_ns bound = settle_bound_ns(&engine->targets[trace->target]);
    if (flight->to_target)
        bound = ns_add(bound, trace->ops->think_ns);
    return ns_add(flight->sent_ns, ns_min(bound, engine->config.timeout_ns));
}

/* Until when a flying probe is worth waiting for, once everything is sent. */
static sonde_ns awaited_ns(const struct engine *engine, const struct engine_target *target,
                           const struct flight *flight)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    unsigned end = trace_end(target, trace);
    if (flight->to_target || end == 0 || flight->ttl < end ||
        (flight->ttl == end && !trace->answered))
        return plan_lost_ns(engine, flight);
    if (flight->ttl > end)
        return flight->sent_ns; /* it overshot, and can only say again what is known */
    /* Only a router could still contradict the distance, and it would be nearer than the target. */
    sonde_ns slack = ns_max(target->rtt_max_ns / 8, RECHECK_SLACK_NS);
    return ns_min(plan_lost_ns(engine, flight),
                  ns_add(flight->sent_ns, ns_add(target->rtt_max_ns, slack)));
}

sonde_ns plan_settled_ns(const struct engine *engine, const struct engine_target *target)
{
    sonde_ns settled = 0;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        uint32_t index = trace_at(engine, target, i)->line.first;
        while (index != FLIGHT_NONE) {
            const struct flight *flight = &engine->flights.flights[index];
            settled = ns_max(settled, awaited_ns(engine, target, flight));
            index = flight->next;
        }
    }
    return settled;
}

/* When engine_on_time() has to look at the target. */
static sonde_ns wait_ns(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    sonde_ns earliest = SONDE_NS_NEVER;
    if (target->done)
        return earliest;
    if (target->flying_count == 0 && target->echoes > 0)
        return now;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        uint32_t first = trace_at(engine, target, i)->line.first;
        if (first == FLIGHT_NONE || !engine->flights.flights[first].sent)
            continue; /* there is nothing to wait for before it has left */
        const struct flight *oldest = &engine->flights.flights[first];
        if (plan_is_echoed(engine, target, oldest))
            return now;
        earliest = ns_min(earliest, ns_add(oldest->sent_ns, engine->config.timeout_ns));
    }
    if (plan_all_sent(engine, target, now))
        earliest = ns_min(earliest, ns_max(plan_settled_ns(engine, target), now));
    return earliest;
}

void plan_chosen(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    heap_set(&engine->sending, target_index(engine, target), send_ns(engine, target, now));
}

void plan_update(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    plan_chosen(engine, target, now);
    uint32_t index = target_index(engine, target);
    sonde_ns wait = wait_ns(engine, target, now);
    if (wait < heap_time_of(&engine->waiting, index))
        heap_set(&engine->waiting, index, wait);
}
