/* SPDX-License-Identifier: BSD-2-Clause */
/* Which TTL is asked next, and for whom; see engine/walk.h. */
#include "engine/walk.h"

#include "engine/extent.h"
#include "engine/look.h"
#include "engine/trace.h"

static const sonde_ns STEP_NS = SONDE_NS_PER_MS / 4; /* from one TTL to the next */

/* How long after its beginning the last cycle still waits for routers that were asked too much. */
static const sonde_ns LAST_WAIT_NS = 750 * SONDE_NS_PER_MS;
/* And how long for what shows where a port is lost. */
static const sonde_ns LOOK_WAIT_NS = 2 * SONDE_NS_PER_S;

/* Where a way changes with each answer there is always more to be asked. So the last cycle is over
 * after this and so many round trips, if everybody could ask everywhere meanwhile, and so often
 * more while the distance was not known. */
static const sonde_ns LAST_WALK_NS = 10 * SONDE_NS_PER_S;
enum { LAST_ROUND_TRIPS = 8, LAST_ASKS = 64 };

/* Whose turn it is at a TTL, and when. */
struct turn {
    struct engine_trace *trace; /* NULL: nobody's */
    sonde_ns time_ns;           /* when it may be taken */
    sonde_ns affordable_ns;     /* and when whoever answers may be asked again */
    bool is_awaited;            /* what cannot be sent now is waited for */
};

/* How many cycles pass from one ask of a trace to the next. Beyond the last router that anybody met
 * there is probably nothing, once it was asked twice. */
static uint32_t stride(const struct engine *engine, const struct engine_target *target,
                       const struct engine_trace *trace, unsigned ttl)
{
    uint32_t quiet = target->cycle - target->settled_cycle;
    if (ttl > target->top_ttl && trace_reach(engine, trace)->dest_ttl == 0 &&
        *asks_at(engine, trace, ttl) >= LOOK_ASKS)
        return 8;
    return quiet < 60 ? 1 : quiet < 180 ? 2 : quiet < 600 ? 4 : 8;
}

/* Was a trace asked often enough at a TTL at which each probe may be a question to the target? */
static bool has_enough(const struct engine *engine, const struct engine_trace *trace, unsigned ttl)
{
    const struct reach *reach = trace_reach(engine, trace);
    return trace->ops->has_ports && ttl > reach->top_ttl && ttl < reach->dest_ttl &&
           trace->odd_ttl != ttl && *asks_at(engine, trace, ttl) >= LOOK_ASKS;
}

/* Go on to the next TTL; behind the last comes the first again. */
static void go_on(const struct engine *engine, struct engine_target *target)
{
    target->walk_left--;
    target->walk_ttl++;
    if (target->walk_ttl > target->limit_ttl || target->walk_ttl == 0)
        target->walk_ttl = engine->config.first_ttl;
}

void walk_begin_cycle(const struct engine *engine, struct engine_target *target)
{
    target->walk_asks = 0;
    target->starves = target->walk_open;
    if (target->starves && target->walk_asked == target->walk_ttl)
        go_on(engine, target); /* who wants to ask there again waits for the next pass */
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        for (unsigned ttl = engine->config.first_ttl; ttl <= trace->limit_ttl; ttl++) {
            uint32_t every = stride(engine, target, trace, ttl);
            if ((target->cycle + ttl) % every == 0 && !has_enough(engine, trace, ttl))
                members_add(&turn_at(engine, target, ttl)->want, i);
        }
    }
    walk_restart(engine, target);
}

/* Is a probe of the trace to this TTL in flight? */
static bool is_flying(const struct engine *engine, const struct engine_trace *trace, unsigned ttl)
{
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (!flight->to_target && flight->ttl == ttl)
            return true;
    }
    return false;
}

/* Let a trace want to ask a TTL as if it never had. */
static void want_anew(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, unsigned ttl)
{
    members_add(&turn_at(engine, target, ttl)->fresh, trace_place(engine, trace));
    members_add(&turn_at(engine, target, ttl)->want, trace_place(engine, trace));
}

void walk_set_limit(const struct engine *engine, struct engine_target *target,
                    struct engine_trace *trace, uint8_t limit_ttl)
{
    unsigned index = trace_place(engine, trace);
    unsigned first = engine->config.first_ttl;
    unsigned ttl = trace->limit_ttl + 1U > first ? trace->limit_ttl + 1U : first;
    for (; ttl <= limit_ttl; ttl++) {
        if (!is_flying(engine, trace, ttl))
            members_add(&turn_at(engine, target, ttl)->want, index);
    }
    for (ttl = limit_ttl + 1U; ttl <= trace->limit_ttl; ttl++)
        members_remove(&turn_at(engine, target, ttl)->want, index);
    trace->limit_ttl = limit_ttl;
    /* what went ahead to where the target is now known to stand can have drawn nothing of it */
    if (limit_ttl != 0 && limit_ttl == target->distance &&
        limit_ttl != trace_reach(engine, trace)->dest_ttl &&
        *asks_at(engine, trace, limit_ttl) == 0 &&
        !trace_is_blind(engine, target, trace, limit_ttl))
        want_anew(engine, target, trace, limit_ttl);
}

void walk_want_fresh(const struct engine *engine, const struct engine_target *target)
{
    for (unsigned ttl = engine->config.first_ttl; ttl <= target->limit_ttl; ttl++) {
        struct engine_turn *turn = turn_at(engine, target, ttl);
        struct members left = members_without(turn->fresh, turn->want);
        unsigned i = members_from(&left, 0);
        for (; i != MEMBERS_NONE; i = members_from(&left, i + 1)) {
            const struct engine_trace *trace = trace_at(engine, target, i);
            if (ttl <= trace->limit_ttl && !trace_is_blind(engine, target, trace, ttl) &&
                !is_flying(engine, trace, ttl))
                members_add(&turn->want, i);
        }
    }
}

/* Begin a pass: the first at the first TTL, the others at another each, so that where two TTLs
 * share a budget, each goes first at times. */
static void begin_pass(const struct engine *engine, struct engine_target *target)
{
    unsigned first = engine->config.first_ttl;
    unsigned span = target->limit_ttl >= first ? target->limit_ttl - first + 1U : 1;
    unsigned skip = target->cycle > 1 ? target->cycle % span : 0;
    target->walk_open = true;
    target->walk_again = false;
    target->walk_ttl = (uint8_t)(first + skip);
    target->walk_left = (uint8_t)span;
    target->walk_asked = 0;
    target->walk_ns = SONDE_NS_NEVER;
}

void walk_hold(struct engine_target *target, sonde_ns now)
{
    target->step_ttl = 0;
    target->step_ns = ns_max(target->step_ns, ns_add(now, STEP_NS));
}

void walk_want(const struct engine *engine, const struct engine_target *target,
               const struct engine_trace *trace, unsigned ttl)
{
    members_add(&turn_at(engine, target, ttl)->want, trace_place(engine, trace));
}

void walk_was_mute(const struct engine *engine, const struct engine_target *target,
                   const struct engine_trace *trace, unsigned ttl)
{
    if (*asks_at(engine, trace, ttl) > 0)
        return; /* it was asked otherwise since */
    members_add(&turn_at(engine, target, ttl)->fresh, trace_place(engine, trace));
    if (!trace_is_blind(engine, target, trace, ttl) && ttl <= trace->limit_ttl)
        walk_want(engine, target, trace, ttl);
}

void walk_restart(const struct engine *engine, struct engine_target *target)
{
    /* a run that cannot keep up with its interval would never see the end of a path otherwise */
    if (target->walk_open && target->starves)
        target->walk_again = true;
    else
        begin_pass(engine, target);
}

/* Of the burst, what is left for those who are not answered yet, and who they are compared with.
 * While nothing of the target answers, the last router may be looking for it, and will have to say
 * of each service that it is not there. */
static unsigned kept(const struct engine *engine, const struct engine_target *target, unsigned ttl,
                     bool is_fresh, sonde_ns now)
{
    unsigned keep = target->in_doubt ? LOOK_ASKS + 1 : 0;
    if (!is_fresh && ttl == target->top_ttl && !ns_due(target->word_ns, now) &&
        keep < target->trace_count)
        keep = target->trace_count;
    if (keep == 0 && look_compares(engine, target, ttl))
        keep = 1; /* for the control */
    keep += BUDGET_SPARE;
    if (!is_fresh && engine->target_count > 1)
        keep++; /* for a trace of another target that never asked the same router */
    return keep < BUDGET_BURST ? keep : BUDGET_BURST - 1;
}

/* When a trace can be asked. */
static struct turn turn_of(const struct engine *engine, const struct engine_target *target,
                           struct engine_trace *trace, unsigned ttl, unsigned keep)
{
    sonde_ns affordable = trace_affordable_ns(engine, target, trace, ttl, keep);
    sonde_ns free = trace_free_ns(engine, target, trace, ttl);
    return (struct turn){trace, ns_max(free, affordable), affordable, true};
}

/* The first of these whose turn it is and who can be asked, or will be first. */
static struct turn find_free(const struct engine *engine, const struct engine_target *target,
                             unsigned ttl, const struct members *who, unsigned keep, sonde_ns now)
{
    struct turn best = {NULL, SONDE_NS_NEVER, SONDE_NS_NEVER, true};
    unsigned first = members_round(who, turn_at(engine, target, ttl)->next);
    unsigned index = first;
    while (index != MEMBERS_NONE) {
        struct turn turn = turn_of(engine, target, trace_at(engine, target, index), ttl, keep);
        if (best.trace == NULL || turn.time_ns < best.time_ns)
            best = turn;
        if (turn.time_ns <= now)
            break;
        index = members_round(who, index + 1);
        if (index == first)
            break;
    }
    return best;
}

/* Is it waited for until a router can be asked again? In the last cycle, only if that is soon. */
static bool is_worth_waiting(const struct engine_target *target, sonde_ns affordable,
                             sonde_ns wait_ns)
{
    return target->next_cycle_ns != SONDE_NS_NEVER ||
           affordable <= ns_add(target->cycle_ns, wait_ns);
}

/* Is a port not answered yet, so that it may need a look soon? */
static bool may_need_look(const struct engine *engine, const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (trace->standing == STANDING_ASKED && trace->ops->has_ports)
            return true;
    }
    return false;
}

/* Who needs a look at a TTL. Silent ports are worth more than all else. */
static struct members find_needy(const struct engine *engine, const struct engine_target *target,
                                 unsigned ttl, bool *ret_is_port)
{
    struct members ports = {0};
    struct members others = {0};
    for (unsigned i = members_from(&target->looked_at, 0); i != MEMBERS_NONE;
         i = members_from(&target->looked_at, i + 1)) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        if (!look_needs(engine, target, trace, ttl))
            continue;
        bool is_port = trace->ops->has_ports && trace->standing == STANDING_SILENT;
        members_add(is_port ? &ports : &others, i);
    }
    *ret_is_port = !members_is_empty(&ports);
    return *ret_is_port ? ports : others;
}

/* What a look keeps of the burst: one ask for who is compared with a trace that is asked again, and
 * what ports may still need. */
static unsigned kept_by_look(const struct engine *engine, const struct engine_target *target,
                             const struct members *needy, bool is_port, unsigned ttl)
{
    unsigned keep = 1;
    if (!is_port && may_need_look(engine, target))
        return LOOK_ASKS + 1 + BUDGET_SPARE;
    for (unsigned i = members_from(needy, 0); i != MEMBERS_NONE; i = members_from(needy, i + 1)) {
        if (*asks_at(engine, trace_at(engine, target, i), ttl) == 0 &&
            !ttl_set_has(&target->owed, ttl))
            keep = 0; /* it may be answered */
    }
    return keep;
}

/* The controls that were begun for a look, and have yet to ask at a TTL: they do so as soon as the
 * others have. */
static struct turn find_control(const struct engine *engine, const struct engine_target *target,
                                unsigned ttl, sonde_ns now)
{
    const struct engine_turn *at = turn_at(engine, target, ttl);
    struct members fresh = members_common(at->want, at->fresh);
    struct members begun = members_common(fresh, target->standbys);
    return find_free(engine, target, ttl, &begun, 0, now);
}

/* Those that a look needs go first, and are waited for. */
static struct turn find_look(const struct engine *engine, const struct engine_target *target,
                             unsigned ttl, sonde_ns now)
{
    bool is_port;
    struct members needy = find_needy(engine, target, ttl, &is_port);
    unsigned keep = kept_by_look(engine, target, &needy, is_port, ttl);
    struct turn turn = find_free(engine, target, ttl, &needy, keep, now);
    sonde_ns owed;
    struct engine_trace *control = look_control(engine, target, ttl, &owed);
    if (control != NULL && (turn.trace == NULL || turn.time_ns > now)) {
        struct turn other = turn_of(engine, target, control, ttl, 0);
        other.time_ns = ns_max(other.time_ns, owed);
        if (turn.trace == NULL || other.time_ns < turn.time_ns)
            turn = other;
    }
    sonde_ns wait = LOOK_WAIT_NS;
    if (turn.trace == NULL) {
        turn = find_control(engine, target, ttl, now);
        wait = 0; /* others are compared with, too */
    }
    turn.is_awaited = turn.trace != NULL && is_worth_waiting(target, turn.affordable_ns, wait);
    return turn;
}

static struct turn find_usual(const struct engine *engine, const struct engine_target *target,
                              unsigned ttl, sonde_ns now)
{
    const struct engine_turn *at = turn_at(engine, target, ttl);
    /* who has no look is still asked a second time for its answer */
    bool arrives = target->distance != 0 && ttl >= target->distance;
    struct members all = arrives ? at->want : members_without(at->want, target->unserved);
    struct members want = members_common(all, target->favoured);
    struct members fresh = members_common(want, at->fresh);
    if (members_is_empty(&fresh))
        fresh = members_common(all, at->fresh);
    if (members_is_empty(&want))
        want = all;
    bool is_fresh = !members_is_empty(&fresh);
    struct turn turn = find_free(engine, target, ttl, is_fresh ? &fresh : &want,
                                 kept(engine, target, ttl, is_fresh, now), now);
    /* what only waits for an answer will not wait long */
    turn.is_awaited =
        turn.affordable_ns <= now || (is_fresh && target->next_cycle_ns == SONDE_NS_NEVER &&
                                      is_worth_waiting(target, turn.affordable_ns, LAST_WAIT_NS));
    return turn;
}

static struct turn find_turn(const struct engine *engine, const struct engine_target *target,
                             unsigned ttl, sonde_ns now)
{
    struct turn look = find_look(engine, target, ttl, now);
    if (look.trace != NULL && look.time_ns <= now)
        return look;
    struct turn usual = find_usual(engine, target, ttl, now);
    if (usual.trace == NULL || (look.trace != NULL && usual.time_ns > now))
        return look.trace != NULL ? look : usual;
    return usual;
}

/* Take a turn: note what was asked. */
static void take_turn(struct engine *engine, struct engine_target *target, unsigned ttl,
                      struct engine_trace *trace, sonde_ns now)
{
    struct engine_turn *turn = turn_at(engine, target, ttl);
    unsigned index = trace_place(engine, trace);
    uint8_t *asks = asks_at(engine, trace, ttl);
    bool counts = !trace_is_blind(engine, target, trace, ttl);
    if (ttl != target->step_ttl) {
        target->step_ttl = (uint8_t)ttl;
        /* a loop that woke late may catch up with one step, not with all that it missed */
        target->step_ns = ns_add(ns_max(target->step_ns, ns_sub(now, STEP_NS)), STEP_NS);
    }
    turn->next = (uint8_t)((index + 1) % target->trace_count);
    members_remove(&turn->want, index);
    members_remove(&turn->fresh, index);
    *asks = (uint8_t)(*asks + (counts && *asks < UINT8_MAX));
    target->walk_asks++;
    target->walk_asked = (uint8_t)ttl;
    look_asked(engine, target, trace, ttl, now);
}

/* Is there a turn that can be taken at this TTL? If not, note when it is worth coming back. */
static bool may_take(struct engine_target *target, const struct turn *turn, sonde_ns now)
{
    if (turn->trace == NULL)
        return false;
    if (turn->time_ns > now && turn->is_awaited)
        target->walk_ns = ns_min(target->walk_ns, turn->time_ns);
    return turn->time_ns <= now;
}

/* Has the last cycle asked enough? */
static bool is_over(const struct engine_target *target, sonde_ns now)
{
    sonde_ns trips = ns_mul(patience_longest_ns(&target->patience), LAST_ROUND_TRIPS);
    return target->next_cycle_ns == SONDE_NS_NEVER &&
           target->walk_asks > target->trace_count * target->limit_ttl + LAST_ASKS &&
           now > ns_add(target->cycle_ns, ns_add(LAST_WALK_NS, trips));
}

bool walk_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice)
{
    if (is_over(target, now)) {
        target->walk_open = false;
        target->walk_ns = SONDE_NS_NEVER;
        return false;
    }
    if (!target->walk_open && ns_due(target->walk_ns, now))
        begin_pass(engine, target);
    while (target->walk_open) {
        unsigned ttl = target->walk_ttl;
        if (target->walk_left == 0) {
            target->walk_open = false;
            if (target->walk_again)
                begin_pass(engine, target);
            continue;
        }
        struct turn turn = find_turn(engine, target, ttl, now);
        if (!may_take(target, &turn, now)) {
            go_on(engine, target);
            continue;
        }
        if (ttl != target->step_ttl && target->step_ns > now)
            return false;
        take_turn(engine, target, ttl, turn.trace, now);
        *ret_choice =
            (struct plan_choice){(uint32_t)(turn.trace - engine->traces), (uint8_t)ttl, false};
        return true;
    }
    return false;
}

sonde_ns walk_due_ns(const struct engine_target *target)
{
    return target->walk_open ? target->step_ns : target->walk_ns;
}
