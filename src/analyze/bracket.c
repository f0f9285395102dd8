/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between which hops a service is lost.
 *
 * Its own trace is seen up to some hop: that hop it passes, or it is the culprit itself, for a
 * Linux router that drops in its forward chain still answers the probe that expires on it. A
 * control goes on: the first hop behind that answers the control, and others or the control again,
 * and the service never, though it was asked repeatedly, is the other end. Hops that are silent to
 * both only widen the bracket.
 *
 * Routers spread flows over parallel paths. Where traces of the target are answered by different
 * routers at the same TTL, the hops of one say nothing of the others; a hop where they agree again
 * does, and so does the target itself, which lies on every path.
 */
#include "analyze/evidence.h"

/* Answers of a router to all services at this TTL. */
static uint64_t answers_of(const struct analyze_target *target, unsigned ttl,
                           const struct sonde_addr *router)
{
    uint64_t answers = 0;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_hop *hop = evidence_hop(evidence_tally(target, i), ttl);
        for (uint32_t k = 0; hop != NULL && k < hop->responder_count; k++) {
            if (hop->responders[k].kind == SONDE_OUTCOME_TTL_EXCEEDED &&
                sonde_addr_equal(&hop->responders[k].addr, router))
                answers += hop->responders[k].received;
        }
    }
    return answers;
}

/* The router that answers a control at this TTL, if it does so repeatedly, be it to others. */
static const struct sonde_addr *control_router(const struct analyze_target *target,
                                               const struct tally_service *control, unsigned ttl)
{
    const struct sonde_addr *router = evidence_router(control, ttl);
    bool repeated = router != NULL && answers_of(target, ttl, router) >= EVIDENCE_REPEATED;
    return repeated ? router : NULL;
}

/* Was a service asked at this TTL repeatedly, and never answered? A router that rations its answers
 * may just have had none left: so at least once it must have answered another service that was
 * asked a moment later. One to which packets get lost leaves others unanswered as well: what these
 * lose there must not explain it. They are those that are answered there, and those that are seen
 * behind and of the same protocol; what another protocol draws may differ. */
static bool is_silent_at(const struct analyze_target *target, uint32_t service, unsigned ttl)
{
    const struct tally_hop *hop = evidence_hop(evidence_tally(target, service), ttl);
    uint64_t sent = 0;
    uint64_t received = 0;
    if (hop == NULL || hop->sent < EVIDENCE_REPEATED || hop->received > 0 || hop->passed_over == 0)
        return false;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *tally = evidence_tally(target, i);
        const struct tally_hop *other = evidence_hop(tally, ttl);
        bool is_kin = target->services[i].protocol == target->services[service].protocol &&
                      (tally->reach.top_ttl > ttl || evidence_passes(target, i));
        if (i == service || other == NULL || (other->received == 0 && !is_kin))
            continue;
        sent += other->sent;
        received += other->received;
    }
    return !evidence_is_chance(hop->sent, sent, received);
}

/* Does a trace go another way than through this router: does another one answer it at this TTL, or
 * the target already, or nobody, though it was asked and is seen behind? */
static bool is_elsewhere(const struct analyze_target *target, uint32_t service, unsigned ttl,
                         const struct sonde_addr *router)
{
    const struct tally_service *tally = evidence_tally(target, service);
    const struct tally_hop *hop = evidence_hop(tally, ttl);
    const struct reach *reach = &tally->reach;
    bool arrived = reach->dest_ttl != 0 && reach->dest_ttl <= ttl;
    for (uint32_t k = 0; hop != NULL && k < hop->responder_count; k++) {
        if (hop->responders[k].kind == SONDE_OUTCOME_TTL_EXCEEDED &&
            !sonde_addr_equal(&hop->responders[k].addr, router))
            return true;
        arrived |= hop->responders[k].kind != SONDE_OUTCOME_TTL_EXCEEDED &&
                   sonde_addr_equal(&hop->responders[k].addr, &target->tally->addr);
    }
    if (arrived)
        return evidence_passes(target, service);
    bool behind = reach->top_ttl > ttl || evidence_passes(target, service);
    return behind && hop != NULL && hop->received == 0 &&
           (hop->sent >= EVIDENCE_REPEATED || hop->passed_over > 0);
}

/* Do all traces that are known at this TTL go through this router? */
static bool is_common(const struct analyze_target *target, unsigned ttl,
                      const struct sonde_addr *router)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (is_elsewhere(target, i, ttl, router))
            return false;
    }
    return true;
}

/* Did a router answer the service, at whatever distance? Where the path has become shorter or
 * longer, it may answer a control farther out, but the service is not lost before it. */
static bool is_seen(const struct tally_service *tally, const struct sonde_addr *router)
{
    for (unsigned ttl = 1; ttl <= tally->reach.top_ttl; ttl++) {
        if (evidence_is_router_at(evidence_hop(tally, ttl), router))
            return true;
    }
    return false;
}

/* Does some trace that meets one router at a TTL meet another at another? */
static bool is_followed(const struct analyze_target *target, unsigned ttl,
                        const struct sonde_addr *router, unsigned behind_ttl,
                        const struct sonde_addr *behind)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *tally = evidence_tally(target, i);
        if (evidence_is_router_at(evidence_hop(tally, ttl), router) &&
            evidence_is_router_at(evidence_hop(tally, behind_ttl), behind))
            return true;
    }
    return false;
}

/* Do all ways that part before a TTL, where the service is not seen itself and may take any of
 * them, lead to this router? */
static bool is_rejoined(const struct analyze_target *target, const struct tally_service *tally,
                        unsigned ttl, const struct sonde_addr *router)
{
    for (unsigned before = 1; before < ttl; before++) {
        if (evidence_router(tally, before) != NULL)
            continue;
        for (uint32_t i = 0; i < target->tally->service_count; i++) {
            const struct sonde_addr *there = evidence_router(evidence_tally(target, i), before);
            if (there != NULL && !is_common(target, before, there) &&
                !is_followed(target, before, there, ttl, router))
                return false;
        }
    }
    return true;
}

/* Does a trace that took the same way as the service, as far as that is seen, go through this
 * router? It must have met the last router that the service did. A control that took another way
 * may go through it as well, and still tell what happens there. */
static bool is_on_its_way(const struct analyze_target *target, uint32_t service, unsigned ttl,
                          const struct sonde_addr *router)
{
    const struct tally_service *tally = evidence_tally(target, service);
    unsigned top = tally->reach.top_ttl;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *other = evidence_tally(target, i);
        const struct sonde_addr *there = evidence_router(other, ttl);
        if (i != service && there != NULL && sonde_addr_equal(there, router) &&
            (top == 0 || evidence_router(other, top) != NULL) &&
            evidence_same_way(tally, other, 1, top))
            return true;
    }
    return false;
}

/* The bracket that one control gives. */
static bool bracket_by(const struct analyze_target *target, uint32_t service, uint32_t control,
                       struct bracket *bracket)
{
    const struct tally_service *tally = evidence_tally(target, service);
    const struct tally_service *other = evidence_tally(target, control);
    *bracket = (struct bracket){
        .seen_ttl = tally->reach.top_ttl,
        .seen = evidence_router(tally, tally->reach.top_ttl),
        .control = control,
        .same_protocol = target->services[control].protocol == target->services[service].protocol,
    };
    for (unsigned ttl = tally->reach.top_ttl + 1U; ttl <= other->reach.top_ttl; ttl++) {
        const struct sonde_addr *router = control_router(target, other, ttl);
        if (router == NULL || is_seen(tally, router) || !is_silent_at(target, service, ttl) ||
            !is_common(target, ttl, router) || !is_rejoined(target, tally, ttl, router) ||
            !is_on_its_way(target, service, ttl, router))
            continue;
        bracket->lost_ttl = (uint8_t)ttl;
        bracket->lost = router;
        bracket->control_sent = other->hops[ttl]->sent;
        bracket->control_received = other->hops[ttl]->received;
        /* a host that passes other ports on is a router to them, and the target to this service */
        bracket->at_target = sonde_addr_equal(router, &target->tally->addr);
        return true;
    }
    if (!evidence_passes(target, control))
        return false;
    struct analyze_distance distance = analyze_distance(target, control);
    bracket->at_target = true;
    bracket->detour = !evidence_same_way(tally, other, 1, tally->reach.top_ttl);
    bool behind = distance.confirmed && distance.ttl > tally->reach.top_ttl;
    bracket->lost_ttl = behind ? distance.ttl : 0;
    bracket->lost = &target->tally->addr;
    bracket->control_sent = other->sent;
    bracket->control_received = other->received;
    return true;
}

/* Is one bracket better than another: tighter, or as tight and by the same protocol? */
static bool is_better(const struct bracket *a, const struct bracket *b)
{
    if (a->at_target != b->at_target)
        return b->at_target;
    if (!a->at_target && a->lost_ttl != b->lost_ttl)
        return a->lost_ttl < b->lost_ttl;
    if (a->same_protocol != b->same_protocol)
        return a->same_protocol;
    return a->control_received > b->control_received;
}

bool evidence_bracket(const struct analyze_target *target, uint32_t service,
                      struct bracket *ret_bracket)
{
    bool found = false;
    struct bracket bracket;
    if (evidence_silent(target, service) < EVIDENCE_REPEATED ||
        target->next_hop.user_mode != NULL) /* TTLs do not count, so there are no hops */
        return false;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (i == service || !bracket_by(target, service, i, &bracket) ||
            (found && !is_better(&bracket, ret_bracket)))
            continue;
        *ret_bracket = bracket;
        found = true;
    }
    return found;
}
