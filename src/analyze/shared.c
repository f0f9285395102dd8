/* SPDX-License-Identifier: BSD-2-Clause */
/* Hops that a trace was not asked at, because others were that go the same way. */
#include "analyze/evidence.h"

/* Who meets the same router at a TTL, and knows who stands before that? All must agree. @return The
 * one with most answers there; the number of services if there is none. */
static uint32_t find_donor(const struct analyze_target *target, uint32_t service, unsigned ttl,
                           const struct sonde_addr *router)
{
    uint32_t count = target->tally->service_count;
    uint32_t best = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct tally_service *tally = evidence_tally(target, i);
        const struct sonde_addr *before = evidence_router(tally, ttl - 1);
        if (i == service || before == NULL ||
            !evidence_is_router_at(evidence_hop(tally, ttl), router))
            continue;
        if (best == count) {
            best = i;
            continue;
        }
        const struct tally_service *other = evidence_tally(target, best);
        if (!evidence_is_router_at(evidence_hop(other, ttl - 1), before) ||
            evidence_hop(tally, ttl - 1)->responder_count > 1)
            return count;
        if (evidence_hop(tally, ttl - 1)->received > evidence_hop(other, ttl - 1)->received)
            best = i;
    }
    return best;
}

/* The target lies on every way, so that who meets it shows nothing of the way there. */
void analyze_share(const struct analyze_target *target, uint32_t service,
                   uint32_t ret_donors[ANALYZE_TTLS])
{
    const struct tally_service *own = evidence_tally(target, service);
    for (unsigned ttl = 0; ttl < ANALYZE_TTLS; ttl++)
        ret_donors[ttl] = service;
    for (unsigned ttl = own->reach.top_ttl; ttl > 1; ttl--) {
        const struct sonde_addr *router =
            evidence_router(evidence_tally(target, ret_donors[ttl]), ttl);
        const struct tally_hop *before = evidence_hop(own, ttl - 1);
        if (router == NULL || (before != NULL && before->sent > 0))
            continue;
        uint32_t donor = find_donor(target, service, ttl, router);
        if (donor < target->tally->service_count)
            ret_donors[ttl - 1] = donor;
    }
}
