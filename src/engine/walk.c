/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk up the path: which TTL is asked next, for whom, and when.
 *
 * The TTLs from the first on are walked, four steps a millisecond, so that on a short path the
 * target's answer is there before much has overshot it. At each TTL the traces share one budget,
 * kept as a GCRA: a burst, then one probe an interval. They take turns, but two kinds go first: one
 * that would learn how far away its service is, and those that a silent service is judged by
 * (engine/suspect.c). As long as somebody is not answered, a part of the burst is kept for these.
 *
 * What the budget does not allow waits for the next cycle, which asks for the same again. In the
 * last cycle only what a verdict needs is waited for.
 */
#include "engine/internal.h"

#include <limits.h>

/* The walk reaches the last hop so much later than the first. */
static const sonde_ns PACE_SLACK_NS = 20 * SONDE_NS_PER_MS;

/* Who goes first at a hop. */
enum rank {
    RANK_SUSPECT,  /* it does not answer */
    RANK_CONTROL,  /* it is what a suspect is compared with */
    RANK_DISTANCE, /* it answers, and this may show how far away it is */
    RANK_FIRST,    /* it was never asked here */
    RANK_USUAL,
};

/* Whose turn it is at a TTL, and when. */
struct turn {
    struct engine_trace *trace; /* NULL: nobody wants to send */
    enum rank rank;
    sonde_ns time_ns;
};

static struct hop_turn *turn_at(const struct engine *engine, const struct engine_target *target,
                                unsigned ttl)
{
    size_t row = (size_t)target_index(engine, target) * (engine->config.max_ttl + 1U);
    return &engine->turns[row + ttl];
}

/* Is there somebody for whom budget has to be kept? */
static bool is_in_doubt(const struct engine *engine, const struct engine_target *target)
{
    if (target->next_cycle_ns == SONDE_NS_NEVER)
        return false;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if ((!trace->answered && !trace->standby) || suspect_contests(trace, trace->contested_ttl))
            return true;
    }
    return false;
}

static bool is_needed(enum rank rank)
{
    return rank == RANK_SUSPECT || rank == RANK_CONTROL;
}

/* Is there enough at a TTL to compare a silent service with: probes of others, which a router
 * answers there, or nobody at all? */
static bool has_control(const struct engine *engine, const struct engine_target *target,
                        unsigned ttl)
{
    unsigned asks = 0;
    unsigned met = 0; /* of these, by traces that a router answered */
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (!trace->answered)
            continue;
        asks += *asks_at(engine, trace, ttl);
        met += ttl_set_has(&trace->reach.expired, ttl) ? *asks_at(engine, trace, ttl) : 0U;
    }
    return met >= ASKS_ENOUGH || (met == 0 && asks >= ASKS_ENOUGH);
}

/* Of the burst, what others have to leave at a TTL: one for somebody who is in doubt, and one for
 * whom to compare that with, as long as these are not asked often enough. */
static int64_t reserve_at(const struct engine *engine, const struct engine_target *target,
                          unsigned ttl)
{
    bool is_due = false;
    bool on_the_way = target->distance == 0 || ttl < target->distance;
    if (!target->in_doubt)
        return 0;
    for (uint32_t i = 0; i < target->trace_count && !is_due; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        bool silent = !trace->answered && !trace->standby;
        is_due = (on_the_way && silent && *asks_at(engine, trace, ttl) < ASKS_ENOUGH) ||
                 suspect_contests(trace, ttl);
    }
    return is_due + (on_the_way && !has_control(engine, target, ttl));
}

/* When the hop's budget allows another probe. @param left  Of the burst, for others. */
static sonde_ns affordable_ns(const struct engine *engine, const struct engine_target *target,
                              unsigned ttl, int64_t left)
{
    int64_t burst = HOP_BURST - left;
    return ns_sub(turn_at(engine, target, ttl)->earned_ns, (burst - 1) * HOP_INTERVAL_NS);
}

/* Until when an answer of the target may come to a probe in flight, or a router's word about one
 * that names none; 0 if to none. */
static sonde_ns answer_due_ns(const struct engine *engine, const struct engine_target *target,
                              const struct engine_trace *trace, unsigned floor)
{
    sonde_ns due = 0;
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (flight->ttl < floor && (!trace->nameless || flight->to_target))
            continue;
        due = ns_max(due, plan_lost_ns(engine, flight));
        /* what comes then may be for nothing else */
        if (trace->contested_ttl != 0 || trace->nameless)
            due = ns_max(due, ns_add(flight->sent_ns, extent_plausible_ns(target)));
    }
    return due;
}

/* Does the trace want a probe with this TTL in this cycle? */
static bool is_wanted(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, unsigned ttl, sonde_ns now)
{
    bool due = !ttl_set_has(&trace->asked, ttl) || suspect_contests(trace, ttl);
    return !trace->standby && due && ttl <= extent_limit(engine, target, trace, now);
}

/* When the trace may send a probe with this TTL: it has room for one, and nobody else's answer can
 * be taken for its own; 0 for now. */
static sonde_ns free_ns(const struct engine *engine, const struct engine_target *target,
                        const struct engine_trace *trace, unsigned ttl, sonde_ns now)
{
    sonde_ns room = plan_room_ns(engine, trace, now);
    unsigned floor = extent_floor(engine, target, trace);
    if (!trace->one_at_a_time || ttl < floor)
        floor = UINT_MAX; /* whatever answers here, it is not the target */
    if (floor == UINT_MAX && !trace->nameless)
        return room;
    sonde_ns free = ns_max(answer_due_ns(engine, target, trace, floor), trace->quiet_ns);
    return ns_max(room, free > now ? free : 0);
}

static enum rank rank_of(const struct engine *engine, const struct engine_target *target,
                         const struct engine_trace *trace, unsigned ttl)
{
    bool needed = suspect_needs(engine, target, trace, ttl);
    if (needed && (trace->suspect || suspect_contests(trace, ttl)))
        return RANK_SUSPECT;
    if (needed && !has_control(engine, target, ttl))
        return RANK_CONTROL;
    bool shows_distance =
        trace->answered && trace->reach.dest_ttl == 0 && ttl >= extent_floor(engine, target, trace);
    if (shows_distance)
        return RANK_DISTANCE;
    return *asks_at(engine, trace, ttl) == 0 ? RANK_FIRST : RANK_USUAL;
}

/* Of the burst, what the usual ones leave for a trace that would learn its distance here, but has
 * to wait for an answer first: or they would always be there before it. */
static int64_t kept_for_distance(const struct engine *engine, const struct engine_target *target,
                                 unsigned ttl, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->one_at_a_time && is_wanted(engine, target, trace, ttl, now) &&
            rank_of(engine, target, trace, ttl) == RANK_DISTANCE &&
            free_ns(engine, target, trace, ttl, now) != 0)
            return 1;
    }
    return 0;
}

/* Does one turn come before another: it can be taken now, and ranks higher, or it comes sooner? */
static bool is_before(const struct turn *a, const struct turn *b, sonde_ns now)
{
    bool a_now = a->time_ns <= now;
    bool b_now = b->time_ns <= now;
    if (b->trace == NULL || a_now != b_now)
        return b->trace == NULL || a_now;
    return a_now ? a->rank < b->rank : a->time_ns < b->time_ns;
}

/* Of the traces that want to send a probe with this TTL, find the one that goes first. */
static struct turn find_turn(const struct engine *engine, const struct engine_target *target,
                             unsigned ttl, sonde_ns now)
{
    struct turn first = {NULL, RANK_USUAL, SONDE_NS_NEVER};
    uint32_t next = turn_at(engine, target, ttl)->next;
    int64_t kept = kept_for_distance(engine, target, ttl, now);
    int64_t reserve = reserve_at(engine, target, ttl);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = trace_at(engine, target, (next + i) % target->trace_count);
        if (!is_wanted(engine, target, trace, ttl, now))
            continue;
        struct turn turn = {trace, rank_of(engine, target, trace, ttl), 0};
        int64_t left = is_needed(turn.rank) ? 0 : reserve + (turn.rank == RANK_DISTANCE ? 0 : kept);
        turn.time_ns = ns_max(free_ns(engine, target, trace, ttl, now),
                              affordable_ns(engine, target, ttl, left));
        if (is_before(&turn, &first, now))
            first = turn;
    }
    return first;
}

/* When a turn may be taken: the walk has got there, too. */
static sonde_ns ready_ns(const struct engine_target *target, unsigned ttl, const struct turn *turn)
{
    return ttl == target->step_ttl ? turn->time_ns : ns_max(turn->time_ns, target->step_ns);
}

/* Take a turn: spend the budget, and note that it was asked. */
static void take_turn(const struct engine *engine, struct engine_target *target, unsigned ttl,
                      struct engine_trace *trace, sonde_ns now)
{
    uint32_t index = (uint32_t)(trace - engine->traces) - target->first_trace;
    struct hop_turn *hop = turn_at(engine, target, ttl);
    uint8_t *asks = asks_at(engine, trace, ttl);
    if (ttl != target->step_ttl) {
        target->step_ttl = (uint8_t)ttl;
        /* a loop that woke late may catch up with one step, not with all that it missed */
        target->step_ns = ns_add(ns_max(target->step_ns, ns_sub(now, STEP_NS)), STEP_NS);
    }
    hop->earned_ns = ns_add(ns_max(hop->earned_ns, now), HOP_INTERVAL_NS);
    hop->next = (uint8_t)((index + 1) % target->trace_count);
    ttl_set_add(&trace->asked, ttl);
    *asks = (uint8_t)(*asks + (*asks < UINT8_MAX));
    trace->alone = (uint8_t)(trace->alone + suspect_contests(trace, ttl));
    target->stepped = true;
    target->stale = true;
}

bool walk_step(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice)
{
    unsigned limit = extent_target_limit(engine, target, now);
    for (unsigned ttl = engine->config.first_ttl; ttl <= limit; ttl++) {
        struct turn turn = find_turn(engine, target, ttl, now);
        if (turn.trace == NULL || ready_ns(target, ttl, &turn) > now)
            continue;
        take_turn(engine, target, ttl, turn.trace, now);
        *ret_choice =
            (struct plan_choice){(uint32_t)(turn.trace - engine->traces), (uint8_t)ttl, false};
        return true;
    }
    return false;
}

/* Traces that are under way. */
static uint32_t count_begun(const struct engine *engine, const struct engine_target *target)
{
    uint32_t begun = 0;
    for (uint32_t i = 0; i < target->trace_count; i++)
        begun += !trace_at(engine, target, i)->standby;
    return begun;
}

/* Is an answer to this worth more waiting than its cycle takes? Where a hop can afford one for each
 * trace, nobody's path goes without. */
static bool is_worth_waiting(const struct engine *engine, const struct engine_target *target,
                             const struct engine_trace *trace, unsigned ttl, enum rank rank)
{
    if (rank == RANK_DISTANCE && target->distance == 0)
        return true;
    if (is_needed(rank))
        return true;
    return *asks_at(engine, trace, ttl) == 0 &&
           (!trace->answered || count_begun(engine, target) <= HOP_BURST);
}

/* In the last cycle, pass over what the budget does not allow and no verdict needs. */
static void drop_unaffordable(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->next_cycle_ns != SONDE_NS_NEVER)
        return;
    unsigned limit = extent_target_limit(engine, target, now);
    for (unsigned ttl = engine->config.first_ttl; ttl <= limit; ttl++) {
        if (affordable_ns(engine, target, ttl, 0) <= ns_add(now, PACE_SLACK_NS))
            continue;
        for (uint32_t i = 0; i < target->trace_count; i++) {
            struct engine_trace *trace = trace_at(engine, target, i);
            if (!is_worth_waiting(engine, target, trace, ttl, rank_of(engine, target, trace, ttl)))
                ttl_set_add(&trace->asked, ttl);
        }
    }
}

/* Find out anew when the walk goes on. */
static void look_again(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    suspect_look(engine, target, now);
    target->in_doubt = is_in_doubt(engine, target);
    drop_unaffordable(engine, target, now);
    target->stale = false;
    target->walk_ns = SONDE_NS_NEVER;
    target->turn_ns = suspect_turn_ns(engine, target);
    target->walk_until_ns = suspect_next_ns(engine, target);
    if (extent_is_open(engine, target) && extent_grow_ns(target) > now)
        target->walk_until_ns = ns_min(target->walk_until_ns, extent_grow_ns(target));
    unsigned limit = extent_target_limit(engine, target, now);
    for (unsigned ttl = engine->config.first_ttl; ttl <= limit; ttl++) {
        struct turn turn = find_turn(engine, target, ttl, now);
        if (turn.trace != NULL)
            target->walk_ns = ns_min(target->walk_ns, ready_ns(target, ttl, &turn));
    }
}

sonde_ns walk_ns(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->stale || now >= target->walk_until_ns)
        look_again(engine, target, now);
    return target->walk_ns;
}
