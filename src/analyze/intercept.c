/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers in the target's name that come from a device short of it: a proxy, SYN protection, a
 * firewall that sends resets.
 *
 * A TTL that is too small to reach the target was answered in its name. That it is too small is
 * known from another trace, which met a router there or behind and is answered by the target, and
 * which took the same way up to where the answers come from. A distance that changed during the run
 * proves nothing, for the answers may be from before. What the TTL of a reply is when it arrives
 * proves nothing: servers begin with different ones, and BGP speakers with 255.
 */
#include "analyze/evidence.h"
#include "base/time.h"

static const enum sonde_outcome in_its_name[] = {
    SONDE_OUTCOME_OPEN,
    SONDE_OUTCOME_CLOSED,
    SONDE_OUTCOME_UDP_REPLY,
};

/* Answers in the target's name at this TTL. */
static uint64_t answers_at(const struct analyze_target *target, const struct tally_service *tally,
                           unsigned ttl)
{
    const struct tally_hop *hop = evidence_hop(tally, ttl);
    uint64_t answers = 0;
    for (uint32_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        const struct tally_responder *responder = &hop->responders[i];
        for (size_t k = 0; k < sizeof in_its_name / sizeof *in_its_name; k++) {
            if (responder->kind == in_its_name[k] &&
                sonde_addr_equal(&responder->addr, &target->tally->addr))
                answers += responder->received;
        }
    }
    return answers;
}

/* The TTL at which a trace meets a router; 0 = it does not. */
static unsigned ttl_of(const struct tally_service *tally, const struct sonde_addr *router,
                       unsigned max_ttl)
{
    for (unsigned ttl = 1; ttl <= max_ttl; ttl++) {
        if (evidence_is_router_at(evidence_hop(tally, ttl), router))
            return ttl;
    }
    return 0;
}

/* Does some trace meet a router at another distance than this one? */
static bool is_met_elsewhere(const struct analyze_target *target, const struct sonde_addr *router,
                             unsigned ttl)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        unsigned there = ttl_of(evidence_tally(target, i), router, target->max_ttl);
        if (there != 0 && there != ttl)
            return true;
    }
    return false;
}

/* Is some router met at different distances? Then ways of different lengths lead to the target, and
 * what one trace shows of its distance says nothing of another. Most traces meet the same router at
 * a TTL as the one before them, so that it is looked for once. */
static bool is_uneven(const struct analyze_target *target)
{
    for (unsigned ttl = 1; ttl <= target->max_ttl; ttl++) {
        const struct sonde_addr *before = NULL;
        for (uint32_t i = 0; i < target->tally->service_count; i++) {
            const struct sonde_addr *router = evidence_router(evidence_tally(target, i), ttl);
            if (router == NULL || (before != NULL && sonde_addr_equal(before, router)))
                continue;
            if (is_met_elsewhere(target, router, ttl))
                return true;
            before = router;
        }
    }
    return false;
}

/* How far away the target is at least, as a trace that is answered shows by itself and at all
 * times: behind the last router that it met. */
static uint8_t least_distance(const struct analyze_target *target, uint32_t service,
                              bool *ret_exact)
{
    const struct reach *reach = &evidence_tally(target, service)->reach;
    *ret_exact = reach->dest_ttl != 0 && reach->dest_ttl == reach->top_ttl + 1;
    if (!analyze_reached(target, service) || reach->top_ttl == 0 || reach->changes > 0)
        return 0;
    return (uint8_t)(reach->top_ttl + 1);
}

/* Does the target show itself at a TTL: is it there that probes of any service expire or are
 * refused in its name, or echoes are answered? It is, if it passes one of its ports on to a machine
 * behind it. */
static bool is_target_at(const struct analyze_target *target, unsigned ttl)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_hop *hop = evidence_hop(evidence_tally(target, i), ttl);
        for (uint32_t k = 0; hop != NULL && k < hop->responder_count; k++) {
            const struct tally_responder *responder = &hop->responders[k];
            bool may_be_device = false;
            for (size_t n = 0; n < sizeof in_its_name / sizeof *in_its_name; n++)
                may_be_device |= responder->kind == in_its_name[n];
            if (!may_be_device && sonde_addr_equal(&responder->addr, &target->tally->addr))
                return true;
        }
    }
    return false;
}

/* What one control shows. */
static bool intercepted_by(const struct analyze_target *target, uint32_t service, uint32_t control,
                           struct interception *found)
{
    const struct tally_service *tally = evidence_tally(target, service);
    const struct tally_service *other = evidence_tally(target, control);
    uint8_t ttl = tally->reach.dest_ttl;
    bool is_exact;
    if (other->reach.top_ttl < ttl) /* it shows no distance beyond */
        return false;
    uint8_t distance = least_distance(target, control, &is_exact);
    if (distance <= ttl || is_target_at(target, ttl))
        return false;
    /* where the ways part before, one may simply be shorter */
    if (!evidence_same_way(tally, other, 1, ttl - 1U) ||
        (ttl > 1 &&
         (evidence_router(tally, ttl - 1U) == NULL || evidence_router(other, ttl - 1U) == NULL)))
        return false;
    *found = (struct interception){
        .ttl = ttl, .control = control, .distance = distance, .is_exact = is_exact};
    for (unsigned at = ttl; at < distance; at++)
        found->answers += answers_at(target, tally, at);
    for (size_t k = 0; k < sizeof in_its_name / sizeof *in_its_name; k++) {
        if (tally->outcomes[in_its_name[k]].shown > 0)
            found->outcome = in_its_name[k];
    }
    return found->answers >= EVIDENCE_REPEATED && !is_uneven(target);
}

bool evidence_interception(const struct analyze_target *target, uint32_t service,
                           struct interception *ret_interception)
{
    if (evidence_tally(target, service)->reach.dest_ttl == 0 || target->next_hop.user_mode != NULL)
        return false;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        struct interception found;
        if (i != service && intercepted_by(target, service, i, &found)) {
            *ret_interception = found;
            return true;
        }
    }
    return false;
}

/* Is a service answered nearer than where another one meets a router, or much sooner than another
 * one that is seen to get farther? */
static bool is_nearer(const struct analyze_target *target, uint32_t service)
{
    static const sonde_ns slack = SONDE_NS_PER_MS;
    const struct tally_service *tally = evidence_tally(target, service);
    uint8_t ttl = tally->reach.dest_ttl;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *other = evidence_tally(target, i);
        if (i == service || other->reach.top_ttl <= tally->reach.top_ttl ||
            !analyze_reached(target, i))
            continue;
        bool sooner = tally->rtt.samples > 0 && other->rtt.samples > 0 &&
                      ns_add(tally->rtt.min_ns, slack) < other->rtt.min_ns / 4 * 3;
        bool nearer = ttl != 0 && ttl <= other->reach.top_ttl && !is_target_at(target, ttl) &&
                      evidence_same_way(tally, other, 1, ttl - 1U);
        if (sooner || nearer)
            return true;
    }
    return false;
}

bool evidence_may_be_intercepted(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        struct interception found;
        bool is_behind = tally->reach.top_ttl < evidence_tally(target, i)->reach.dest_ttl;
        if (i != service && is_behind && evidence_interception(target, i, &found))
            return true;
    }
    return is_nearer(target, service);
}

enum sonde_confidence evidence_own_answer(const struct analyze_target *target, uint32_t service)
{
    const struct reach *own = &evidence_tally(target, service)->reach;
    if (evidence_may_be_intercepted(target, service))
        return SONDE_CONFIDENCE_LOW;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct reach *reach = &evidence_tally(target, i)->reach;
        const struct sonde_addr *last = evidence_router(evidence_tally(target, i), reach->top_ttl);
        if (last != NULL && !sonde_addr_equal(last, &target->tally->addr) &&
            reach->dest_ttl == reach->top_ttl + 1 && own->top_ttl < reach->top_ttl)
            return SONDE_CONFIDENCE_MEDIUM;
    }
    return SONDE_CONFIDENCE_HIGH;
}
