/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hops of a path show. */
#include "analyze/analyze.h"

enum { SILENCE_CONFIRMS = 2 /* unanswered probes to the hop before the target */ };

/* Did a router with this address answer at this hop? */
static bool is_router_at(const struct tally_hop *hop, const struct sonde_addr *addr)
{
    for (uint32_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        if (sonde_addr_equal(&hop->responders[i].addr, addr))
            return true;
    }
    return false;
}

uint8_t analyze_find_hop(const struct analyze_target *target, const struct sonde_addr *addr)
{
    const struct tally_target *tally = target->tally;
    uint8_t found = 0;
    for (uint32_t i = 0; i < tally->service_count; i++) {
        const struct tally_service *service = &tally->services[i];
        for (unsigned ttl = 1; service->hops != NULL && ttl <= service->reach.top_ttl; ttl++) {
            if (ttl_set_has(&service->reach.expired, ttl) &&
                is_router_at(service->hops[ttl], addr) && (found == 0 || ttl < found))
                found = (uint8_t)ttl;
        }
    }
    return found;
}

/* The smallest TTL that reached the target on a trace, and whether less can be ruled out. */
static struct analyze_distance own_distance(const struct tally_service *service)
{
    uint8_t ttl = service->reach.dest_ttl;
    if (ttl == 0)
        return (struct analyze_distance){0, false};
    const struct tally_hop *before = service->hops[ttl - 1];
    bool silent = before != NULL && before->sent - before->received >= SILENCE_CONFIRMS;
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
    const struct tally_service *tally = &target->tally->services[service];
    struct analyze_distance own = own_distance(tally);
    struct analyze_distance common = common_distance(target->tally);
    bool fits = common.ttl > tally->reach.top_ttl && (own.ttl == 0 || common.ttl <= own.ttl);
    if (own.confirmed || !fits || !analyze_reached(target, service))
        return own;
    return common;
}

/* Does anything behind a TTL answer this trace? */
static bool answers_behind(const struct tally_service *service, uint8_t ttl, uint8_t max_ttl)
{
    if (service->received > 0)
        return true;
    for (unsigned behind = ttl + 1U; service->hops != NULL && behind <= max_ttl; behind++) {
        if (service->hops[behind] != NULL && service->hops[behind]->received > 0)
            return true;
    }
    return false;
}

enum sonde_loss_kind analyze_loss(const struct tally_service *service, uint8_t ttl, uint8_t max_ttl)
{
    const struct tally_hop *hop = service->hops != NULL ? service->hops[ttl] : NULL;
    if (hop == NULL || hop->sent == 0)
        return SONDE_LOSS_UNKNOWN;
    if (hop->received >= hop->sent)
        return SONDE_LOSS_NONE;
    if (hop->received == 0 && answers_behind(service, ttl, max_ttl))
        return SONDE_LOSS_SILENT;
    return SONDE_LOSS_UNKNOWN;
}

enum sonde_stop_reason analyze_stop(const struct analyze_target *target, uint32_t service,
                                    uint8_t max_ttl, bool interrupted)
{
    const struct tally_service *tally = &target->tally->services[service];
    if (analyze_reached(target, service))
        return SONDE_STOP_REACHED;
    if (tally->outcomes[SONDE_OUTCOME_ADMIN_PROHIBITED].shown > 0 ||
        tally->outcomes[SONDE_OUTCOME_PORT_UNREACHABLE].shown > 0 ||
        tally->outcomes[SONDE_OUTCOME_HOST_UNREACHABLE].shown > 0 ||
        tally->outcomes[SONDE_OUTCOME_NET_UNREACHABLE].shown > 0)
        return SONDE_STOP_REJECTED;
    if (interrupted)
        return SONDE_STOP_INTERRUPTED;
    bool at_end = tally->hops != NULL && tally->hops[max_ttl] != NULL;
    return at_end ? SONDE_STOP_MAX_TTL : SONDE_STOP_GAP_LIMIT;
}
