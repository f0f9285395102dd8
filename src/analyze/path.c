/* SPDX-License-Identifier: BSD-2-Clause */
/* How far away the target is, and why a path ends. */
#include "analyze/evidence.h"

/* The smallest TTL that reached the target on a trace, and whether less can be ruled out. */
static struct analyze_distance own_distance(const struct tally_service *service)
{
    uint8_t ttl = service->reach.dest_ttl;
    if (ttl == 0)
        return (struct analyze_distance){0, false};
    const struct tally_hop *before = evidence_hop(service, ttl - 1U);
    bool silent = before != NULL && before->sent - before->received >= EVIDENCE_REPEATED;
    bool adjacent = ttl == service->reach.top_ttl + 1; /* top_ttl is 0 for a neighbour */
    return (struct analyze_distance){ttl, adjacent || silent};
}

/* The nearest that any trace of the target found it, confirmed if possible. */
static struct analyze_distance common_distance(const struct tally_target *target)
{
    struct analyze_distance best = {0, false};
    for (uint32_t i = 0; i < target->service_count; i++) {
        struct analyze_distance own = own_distance(&target->services[i]);
        bool better = own.confirmed == best.confirmed ? own.ttl < best.ttl : own.confirmed;
        if (own.ttl != 0 && (best.ttl == 0 || better))
            best = own;
    }
    return best;
}

struct analyze_distance analyze_distance(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    struct analyze_distance own = own_distance(tally);
    struct analyze_distance common = common_distance(target->tally);
    bool fits = common.ttl > tally->reach.top_ttl && (own.ttl == 0 || common.ttl <= own.ttl);
    if (own.confirmed || !fits || !analyze_reached(target, service))
        return own;
    return common;
}

enum sonde_stop_reason analyze_stop(const struct analyze_target *target, uint32_t service,
                                    bool interrupted)
{
    static const enum sonde_outcome refusals[] = {
        SONDE_OUTCOME_ADMIN_PROHIBITED, SONDE_OUTCOME_PORT_UNREACHABLE,
        SONDE_OUTCOME_HOST_UNREACHABLE, SONDE_OUTCOME_NET_UNREACHABLE};
    const struct tally_service *tally = evidence_tally(target, service);
    if (analyze_reached(target, service))
        return SONDE_STOP_REACHED;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (tally->outcomes[refusals[i]].shown > 0)
            return SONDE_STOP_REJECTED;
    }
    if (interrupted)
        return SONDE_STOP_INTERRUPTED;
    return evidence_hop(tally, target->max_ttl) != NULL ? SONDE_STOP_MAX_TTL : SONDE_STOP_GAP_LIMIT;
}
