/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose turn it is to ask; see engine/turn.h. */
#include "engine/turn.h"

#include "engine/look.h"
#include "engine/trace.h"

/* How long after its beginning the last cycle still waits for routers that were asked too much. */
static const sonde_ns LAST_WAIT_NS = 750 * SONDE_NS_PER_MS;
/* And how long for what shows where a port is lost. */
static const sonde_ns LOOK_WAIT_NS = 2 * SONDE_NS_PER_S;

/* Of the burst, what is left for those who are not answered yet, and who they are compared with.
 * While nothing of the target answers, the last router may be looking for it, and will have to say
 * of each service that it is not there. */
static unsigned kept(const struct engine *engine, const struct engine_target *target, unsigned ttl,
                     bool is_fresh, sonde_ns now)
{
    unsigned keep = target->in_doubt ? LOOK_ASKS + 1 : 0;
    if (!is_fresh && ttl == target->top_ttl && !ns_due(target->unresolved_ns, now) &&
        keep < target->trace_count)
        keep = target->trace_count;
    if (keep == 0 && look_compares(target, ttl))
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
    unsigned first = members_round(who, target->next_turn[ttl]);
    unsigned index = first;
    while (index != MEMBERS_NONE) {
        struct turn turn = turn_of(engine, target, target->traces[index], ttl, keep);
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
static bool may_need_look(const struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
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
        const struct engine_trace *trace = target->traces[i];
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
static unsigned kept_by_look(const struct engine_target *target, const struct members *needy,
                             bool is_port, unsigned ttl)
{
    unsigned keep = 1;
    if (!is_port && may_need_look(target))
        return LOOK_ASKS + 1 + BUDGET_SPARE;
    for (unsigned i = members_from(needy, 0); i != MEMBERS_NONE; i = members_from(needy, i + 1)) {
        if (target->traces[i]->asks[ttl] == 0 && !ttl_set_has(&target->owed, ttl))
            keep = 0; /* it may be answered */
    }
    return keep;
}

/* The controls that were begun for a look, and have yet to ask at a TTL: they do so as soon as the
 * others have. */
static struct turn find_control(const struct engine *engine, const struct engine_target *target,
                                unsigned ttl, sonde_ns now)
{
    const struct engine_turn *at = &target->turns[ttl];
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
    unsigned keep = kept_by_look(target, &needy, is_port, ttl);
    struct turn turn = find_free(engine, target, ttl, &needy, keep, now);
    sonde_ns owed;
    struct engine_trace *control = look_control(target, ttl, &owed);
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
    const struct engine_turn *at = &target->turns[ttl];
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

struct turn turn_find(const struct engine *engine, const struct engine_target *target, unsigned ttl,
                      sonde_ns now)
{
    struct turn look = find_look(engine, target, ttl, now);
    if (look.trace != NULL && look.time_ns <= now)
        return look;
    struct turn usual = find_usual(engine, target, ttl, now);
    bool awaited_less = look.trace != NULL && !look.is_awaited && usual.is_awaited;
    if (usual.trace == NULL || (look.trace != NULL && usual.time_ns > now && !awaited_less))
        return look.trace != NULL ? look : usual;
    return usual;
}
