/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers in the target's name that come from a device short of it: a proxy, SYN protection, a
 * firewall that sends resets.
 *
 * A TTL that is too small to reach the target was answered in its name. That it is too small is
 * known from another trace, which found a router just before the target, and which took the same
 * way up to where the answers come from. A distance that changed during the run proves nothing, for
 * the answers may be from before. What the TTL of a reply is when it arrives proves nothing:
 * servers begin with different ones, and BGP speakers with 255.
 */
#include "analyze/evidence.h"

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

/* Is some router met at different distances? Then ways of different lengths lead to the target, and
 * what one trace shows of its distance says nothing of another. */
static bool is_uneven(const struct analyze_target *target)
{
    uint32_t count = target->tally->service_count;
    for (uint32_t i = 0; i < count * count; i++) {
        const struct tally_service *a = evidence_tally(target, i / count);
        const struct tally_service *b = evidence_tally(target, i % count);
        for (unsigned ttl = 1; ttl <= target->max_ttl; ttl++) {
            const struct sonde_addr *router = evidence_router(a, ttl);
            unsigned there = router != NULL ? ttl_of(b, router, target->max_ttl) : 0;
            if (there != 0 && there != ttl)
                return true;
        }
    }
    return false;
}

/* The distance that a trace found by itself and at all times, if it saw the router just before the
 * target. */
static uint8_t proven_distance(const struct tally_service *tally)
{
    uint8_t distance = tally->reach.dest_ttl;
    if (distance < 2 || tally->reach.changes > 0 || evidence_router(tally, distance - 1U) == NULL)
        return 0;
    return distance;
}

/* What one control shows. */
static bool intercepted_by(const struct analyze_target *target, uint32_t service, uint32_t control,
                           struct interception *found)
{
    const struct tally_service *tally = evidence_tally(target, service);
    const struct tally_service *other = evidence_tally(target, control);
    uint8_t ttl = tally->reach.dest_ttl;
    uint8_t distance = proven_distance(other);
    if (ttl == 0 || distance <= ttl)
        return false;
    /* where the ways part before, one may simply be shorter */
    if (!evidence_same_way(tally, other, 1, ttl - 1U) ||
        (ttl > 1 &&
         (evidence_router(tally, ttl - 1U) == NULL || evidence_router(other, ttl - 1U) == NULL)))
        return false;
    *found = (struct interception){.ttl = ttl, .control = control, .distance = distance};
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
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        struct interception found;
        if (target->next_hop.user_mode == NULL && i != service &&
            intercepted_by(target, service, i, &found)) {
            *ret_interception = found;
            return true;
        }
    }
    return false;
}
