/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the tally; see analyze/evidence.h. */
#include "analyze/evidence.h"
#include "wire/icmp.h"

#include <math.h>

const struct tally_hop *evidence_hop(const struct tally_service *tally, unsigned ttl)
{
    return tally->hops != NULL ? tally->hops[ttl] : NULL;
}

const struct sonde_addr *evidence_router(const struct tally_service *tally, unsigned ttl)
{
    const struct tally_responder *router = tally_router(tally, ttl);
    return router != NULL ? &router->addr : NULL;
}

bool evidence_is_router_at(const struct tally_hop *hop, const struct sonde_addr *addr)
{
    for (uint32_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        if (hop->responders[i].kind == SONDE_OUTCOME_TTL_EXCEEDED &&
            sonde_addr_equal(&hop->responders[i].addr, addr))
            return true;
    }
    return false;
}

bool evidence_same_way(const struct tally_service *a, const struct tally_service *b, unsigned first,
                       unsigned last)
{
    for (unsigned ttl = first; ttl <= last; ttl++) {
        const struct sonde_addr *router = evidence_router(a, ttl);
        if (router != NULL && evidence_router(b, ttl) != NULL &&
            !evidence_is_router_at(evidence_hop(b, ttl), router))
            return false;
    }
    return true;
}

/* The first router of a hop that is another than @p known; NULL: there is none. */
static const struct sonde_addr *other_router(const struct tally_hop *hop,
                                             const struct sonde_addr *known)
{
    for (uint32_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        const struct tally_responder *responder = &hop->responders[i];
        if (responder->kind == SONDE_OUTCOME_TTL_EXCEEDED &&
            (known == NULL || !sonde_addr_equal(known, &responder->addr)))
            return &responder->addr;
    }
    return NULL;
}

/* Do different routers answer the traces of a target at a TTL? */
static bool is_parallel_at(const struct analyze_target *target, unsigned ttl)
{
    const struct sonde_addr *known = NULL;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_hop *hop = evidence_hop(evidence_tally(target, i), ttl);
        if (known == NULL)
            known = other_router(hop, NULL);
        if (known != NULL && other_router(hop, known) != NULL)
            return true;
    }
    return false;
}

bool evidence_parallel(const struct analyze_target *target, unsigned max_ttl)
{
    for (unsigned ttl = 1; ttl <= max_ttl; ttl++) {
        if (is_parallel_at(target, ttl))
            return true;
    }
    return false;
}

/* Does a router stand at a TTL: does it say that probes expire there, or, if @p refuses shows it,
 * does it refuse them, and another lets them on that stands just before? */
static bool stands_at(const struct tally_service *tally, unsigned ttl,
                      const struct sonde_addr *addr, bool refuses)
{
    const struct tally_hop *hop = evidence_hop(tally, ttl);
    const struct sonde_addr *before = ttl > 1 ? evidence_router(tally, ttl - 1) : NULL;
    bool is_next = ttl == 1 || (before != NULL && !sonde_addr_equal(before, addr));
    for (uint32_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        const struct tally_responder *responder = &hop->responders[i];
        bool refused = responder->kind >= SONDE_OUTCOME_ADMIN_PROHIBITED &&
                       responder->kind <= SONDE_OUTCOME_OTHER_UNREACHABLE &&
                       responder->received >= EVIDENCE_REPEATED; /* or the way was just changing */
        if (sonde_addr_equal(&responder->addr, addr) &&
            (responder->kind == SONDE_OUTCOME_TTL_EXCEEDED || (refuses && refused && is_next)))
            return true;
    }
    return false;
}

/* The smallest TTL at which a router with this address stands on any trace; 0: on none. */
static uint8_t find_router(const struct tally_target *target, unsigned max_ttl,
                           const struct sonde_addr *addr, bool refuses)
{
    for (unsigned ttl = 1; ttl <= max_ttl; ttl++) {
        for (uint32_t i = 0; i < target->service_count; i++) {
            if (stands_at(target->services[i], ttl, addr, refuses))
                return (uint8_t)ttl;
        }
    }
    return 0;
}

uint8_t evidence_find_router(const struct analyze_target *target, const struct sonde_addr *addr)
{
    /* where ways part, the router before may be on another */
    bool refuses = !evidence_parallel(target, target->max_ttl);
    uint8_t found = find_router(target->tally, target->max_ttl, addr, refuses);
    return found == 0 && target->known != NULL
               ? find_router(target->known, target->max_ttl, addr, refuses)
               : found;
}

bool evidence_is_target(const struct analyze_target *target, uint32_t service,
                        enum sonde_outcome outcome)
{
    const struct tally_evidence *evidence =
        &evidence_tally(target, service)->outcomes[outcome].evidence;
    return evidence->valid && sonde_addr_equal(&evidence->from, &target->tally->addr);
}

bool evidence_is_refusal(const struct analyze_target *target, const struct tally_evidence *evidence)
{
    /* a user-mode network says of one datagram what it has heard of another */
    bool user_mode = target->next_hop.user_mode != NULL &&
                     sonde_addr_equal(&evidence->from, &target->next_hop.addr);
    enum sonde_family family = target->tally->addr.family;
    uint8_t type = (uint8_t)evidence->icmp_type;
    return evidence->valid && !user_mode &&
           (icmp_is_unreachable(family, type) ||
            icmp_is_unknown_protocol(family, type, (uint8_t)evidence->icmp_code));
}

enum sonde_outcome evidence_no_way(const struct analyze_target *target, uint32_t service)
{
    static const enum sonde_outcome words[] = {SONDE_OUTCOME_HOST_UNREACHABLE,
                                               SONDE_OUTCOME_NET_UNREACHABLE,
                                               SONDE_OUTCOME_OTHER_UNREACHABLE};
    const struct tally_service *tally = evidence_tally(target, service);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (evidence_is_refusal(target, &tally->outcomes[words[i]].evidence))
            return words[i];
    }
    return SONDE_OUTCOME_NO_REPLY;
}

/* Does a router answer any trace of the target at a TTL? */
static bool is_met(const struct analyze_target *target, unsigned ttl)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (evidence_router(evidence_tally(target, i), ttl) != NULL)
            return true;
    }
    return false;
}

uint64_t evidence_asks(const struct tally_service *tally, unsigned ttl)
{
    const struct tally_hop *hop = evidence_hop(tally, ttl);
    return hop != NULL ? hop->sent : 0;
}

/* Were all services together asked at a TTL less than twice, so that nobody knows who is there? */
static bool is_unknown(const struct analyze_target *target, unsigned ttl)
{
    uint64_t sent = 0;
    for (uint32_t i = 0; i < target->tally->service_count; i++)
        sent += evidence_asks(evidence_tally(target, i), ttl);
    return sent < EVIDENCE_REPEATED;
}

/* The smallest TTL that is known to reach the target on any trace; 0 = none is. */
static uint8_t nearest(const struct analyze_target *target)
{
    uint8_t distance = 0;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        uint8_t ttl = evidence_tally(target, i)->reach.dest_ttl;
        if (ttl != 0 && (distance == 0 || ttl < distance))
            distance = ttl;
    }
    return distance;
}

bool evidence_is_looked_at(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    uint8_t distance = nearest(target);
    /* up to here there is somebody: before the target, or right behind the last that was seen */
    unsigned last = distance != 0 ? distance - 1U : tally->reach.top_ttl + 1U;
    if (target->next_hop.user_mode != NULL)
        return true; /* there are no hops */
    for (unsigned ttl = tally->reach.top_ttl + 1U; ttl <= target->max_ttl; ttl++) {
        bool worth = is_met(target, ttl) || (ttl <= last && is_unknown(target, ttl));
        if (worth && evidence_asks(tally, ttl) < EVIDENCE_REPEATED)
            return false;
    }
    return true;
}

bool evidence_target_reached(const struct analyze_target *target)
{
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (analyze_reached(target, i))
            return true;
    }
    return false;
}

bool evidence_passes(const struct analyze_target *target, uint32_t service)
{
    struct interception found;
    return analyze_reached(target, service) && !evidence_interception(target, service, &found);
}

uint32_t evidence_controls(const struct analyze_target *target, uint32_t service)
{
    uint32_t controls = 0;
    for (uint32_t i = 0; i < target->tally->service_count; i++)
        controls += i != service && evidence_passes(target, i);
    return controls;
}

uint64_t evidence_silent(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    uint64_t silent = tally->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
    uint8_t distance = nearest(target);
    for (unsigned ttl = distance; distance != 0 && ttl <= target->max_ttl; ttl++) {
        const struct tally_hop *hop = evidence_hop(tally, ttl);
        silent += hop != NULL ? hop->sent - hop->received : 0;
    }
    return silent;
}

bool evidence_is_late(const struct tally_service *tally)
{
    enum { GOOD_PART = 4 }; /* of what is lost: one in so many */
    uint64_t lost = evidence_lost(tally);
    return lost > 0 && GOOD_PART * tally->late_own >= lost;
}

bool evidence_is_asked(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    if (tally_has_shown(tally, SONDE_OUTCOME_UDP_REPLY))
        return true; /* it is asked what it has answered before */
    for (uint32_t i = 0; i < target->services[service].question_count; i++) {
        if (tally->questions[i].sent == 0)
            return false;
    }
    return true;
}

bool evidence_is_chance(uint64_t silent, uint64_t sent, uint64_t received)
{
    static const double doubt = 0.05;
    if (received >= sent)
        return false;
    return pow((double)(sent - received) / (double)sent, (double)silent) > doubt;
}

struct interval evidence_wilson(uint64_t hits, uint64_t count)
{
    static const double z = 1.959964; /* 95 %, both sides */
    if (count == 0)
        return (struct interval){0, 1};
    double n = (double)count;
    double p = (double)hits / n;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return (struct interval){hits == 0 ? 0 : middle - half, hits == count ? 1 : middle + half};
}
