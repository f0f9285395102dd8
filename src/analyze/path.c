/* SPDX-License-Identifier: BSD-2-Clause */
/* How far away the target is, whether the way there comes round again, and why a path ends. */
#include "analyze/evidence.h"

/* Is silence at the hop before the target that of a router? Only an echo shows it: over TCP and UDP
 * it may be the target's, which answers a SYN repeated too soon as little as it sends many port
 * unreachables, or which cannot be told what it answers. And if so many are lost, it may be chance.
 */
static bool is_router_silent(const struct tally_service *service, const struct tally_hop *before)
{
    uint64_t silent = before != NULL ? before->sent - before->received : 0;
    return silent >= EVIDENCE_REPEATED && service->outcomes[SONDE_OUTCOME_ECHO_REPLY].shown > 0 &&
           !evidence_is_chance(silent, service->sent, service->received);
}

/* The smallest TTL that reached the target on a trace, and whether less can be ruled out. */
static struct analyze_distance own_distance(const struct tally_service *service)
{
    uint8_t ttl = service->reach.dest_ttl;
    if (ttl == 0)
        return (struct analyze_distance){0, false};
    bool adjacent = ttl == service->reach.top_ttl + 1; /* top_ttl is 0 for a neighbour */
    return (struct analyze_distance){
        ttl, adjacent || service->reach.dest_exact ||
                 is_router_silent(service, evidence_hop(service, ttl - 1U))};
}

/* Was a trace asked at a TTL, and nothing answered, not even late? */
static bool is_silent_at(const struct tally_service *service, unsigned ttl)
{
    const struct tally_hop *hop = evidence_hop(service, ttl);
    return hop != NULL && hop->sent > 0 && hop->received == 0 && service->late == 0;
}

/* The nearest that any trace found the target, confirmed if possible; but not where traces are seen
 * to part, or one is seen farther than that: then another may have another distance. */
static struct analyze_distance common_distance(const struct tally_target *target)
{
    struct analyze_distance best = {0, false};
    const struct tally_service *found = NULL;
    for (uint32_t i = 0; i < target->service_count; i++) {
        struct analyze_distance own = own_distance(target->services[i]);
        bool better = own.confirmed == best.confirmed ? own.ttl < best.ttl : own.confirmed;
        if (own.ttl != 0 && (best.ttl == 0 || better)) {
            best = own;
            found = target->services[i];
        }
    }
    const struct sonde_addr *last = found != NULL ? evidence_router(found, best.ttl - 1U) : NULL;
    if (last != NULL && sonde_addr_equal(last, &target->addr))
        return (struct analyze_distance){0, false}; /* only that port is passed on */
    for (uint32_t i = 0; found != NULL && i < target->service_count; i++) {
        const struct tally_service *other = target->services[i];
        if (other->reach.dest_ttl != 0 && other->reach.dest_ttl < best.ttl)
            return (struct analyze_distance){0, false}; /* it may be there, or here */
        bool farther = other->reach.dest_ttl > best.ttl && is_silent_at(other, best.ttl);
        best.confirmed &= other->reach.top_ttl < best.ttl && !farther &&
                          evidence_same_way(found, other, 1, other->reach.top_ttl);
    }
    return best;
}

/* Is the TTL known that an answer of the target arrived with? */
static bool has_reply_ttl(const struct tally_service *service)
{
    for (unsigned i = SONDE_OUTCOME_ECHO_REPLY; i <= SONDE_OUTCOME_PORT_UNREACHABLE; i++) {
        if (service->outcomes[i].evidence.valid && service->outcomes[i].evidence.reply_ttl > 0)
            return true;
    }
    return false;
}

struct analyze_distance analyze_distance(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *tally = evidence_tally(target, service);
    if (target->next_hop.user_mode != NULL)
        return (struct analyze_distance){0, false}; /* TTLs do not count */
    struct analyze_distance own = own_distance(tally);
    struct analyze_distance common = common_distance(target->tally);
    bool fits = common.ttl > tally->reach.top_ttl && (own.ttl == 0 || common.ttl <= own.ttl) &&
                !is_silent_at(tally, common.ttl);
    /* a port that the host passes on is farther away than the others, though it meets the same
     * routers: the engine finds that out by the TTL of its answers, or by asking it there */
    if (own.confirmed || !fits || !has_reply_ttl(tally) || !analyze_reached(target, service))
        return own;
    return common;
}

/* The routers of a path, as far as they are known. */
struct way {
    const struct sonde_addr *routers[ANALYZE_TTLS]; /* by TTL; NULL = not known */
    bool disputed[ANALYZE_TTLS];                    /* several traces show several */
    unsigned top;                                   /* the last that is known */
};

/* Does the path repeat itself from a TTL on, with so many hops to a round? @return How many routers
 * are met again, the first among them; 0 = it does not, or where one stood there is another. */
static unsigned count_matches(const struct way *way, unsigned ttl, unsigned period)
{
    unsigned matches = 0;
    for (unsigned place = ttl; place < ttl + period; place++) {
        const struct sonde_addr *known = NULL;
        for (unsigned at = place; at <= way->top; at += period) {
            const struct sonde_addr *router = way->routers[at];
            if (router == NULL)
                continue;
            if (known != NULL && !sonde_addr_equal(known, router))
                return 0;
            matches += known != NULL;
            known = router;
        }
        if (matches == 0)
            return 0; /* the first is not met again */
    }
    return matches;
}

/* The router at a TTL, or else who stands there in another round; NULL: none answered in any. */
static const struct sonde_addr *find_in_rounds(const struct way *way, unsigned ttl, unsigned period)
{
    while (ttl < way->top && way->routers[ttl] == NULL)
        ttl += period;
    return ttl <= way->top ? way->routers[ttl] : NULL;
}

static struct loop find_loop(const struct way *way)
{
    for (unsigned ttl = 1; ttl + 3 <= way->top; ttl++) {
        /* a whole round must be seen again */
        for (unsigned period = 2; ttl + 2 * period - 1 <= way->top; period++) {
            const struct sonde_addr *here = way->routers[ttl];
            const struct sonde_addr *next = way->routers[ttl + 1];
            /* a router that answers at two TTLs in a row passes on what should have expired */
            if (here == NULL || (next != NULL && sonde_addr_equal(here, next)))
                continue;
            unsigned matches = count_matches(way, ttl, period);
            if (matches > 0)
                return (struct loop){(uint8_t)ttl, matches, here,
                                     find_in_rounds(way, ttl + 1, period)};
        }
    }
    return (struct loop){0};
}

/* What a trace shows by itself. */
static struct way own_way(const struct tally_service *tally)
{
    struct way way = {0};
    for (unsigned ttl = 1; ttl <= tally->reach.top_ttl; ttl++) {
        way.routers[ttl] = evidence_router(tally, ttl);
        if (way.routers[ttl] != NULL)
            way.top = ttl;
    }
    return way;
}

/* Add what another trace shows that goes the same way, where the first shows nothing. */
static void add_way(struct way *way, const struct tally_service *own,
                    const struct tally_service *other)
{
    for (unsigned ttl = 1; ttl <= other->reach.top_ttl; ttl++) {
        const struct sonde_addr *router = evidence_router(other, ttl);
        if (router == NULL || evidence_router(own, ttl) != NULL)
            continue;
        if (way->routers[ttl] == NULL)
            way->routers[ttl] = router;
        else
            way->disputed[ttl] |= !sonde_addr_equal(way->routers[ttl], router);
        way->top = ttl > way->top ? ttl : way->top;
    }
}

struct loop evidence_loop(const struct tally_service *tally)
{
    struct way way = own_way(tally);
    return find_loop(&way);
}

struct loop evidence_common_loop(const struct analyze_target *target, uint32_t service)
{
    const struct tally_service *own = evidence_tally(target, service);
    struct way way = own_way(own);
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *other = evidence_tally(target, i);
        if (i != service && evidence_same_way(own, other, 1, own->reach.top_ttl))
            add_way(&way, own, other);
    }
    for (unsigned ttl = 1; ttl <= way.top; ttl++) {
        if (way.disputed[ttl])
            way.routers[ttl] = NULL;
    }
    return find_loop(&way);
}

enum sonde_stop_reason analyze_stop(const struct analyze_target *target, uint32_t service,
                                    bool interrupted)
{
    static const enum sonde_outcome refusals[] = {
        SONDE_OUTCOME_ADMIN_PROHIBITED, SONDE_OUTCOME_PORT_UNREACHABLE,
        SONDE_OUTCOME_HOST_UNREACHABLE, SONDE_OUTCOME_NET_UNREACHABLE,
        SONDE_OUTCOME_OTHER_UNREACHABLE};
    const struct tally_service *tally = evidence_tally(target, service);
    if (analyze_reached(target, service))
        return SONDE_STOP_REACHED;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (tally->outcomes[refusals[i]].shown > 0 &&
            evidence_is_refusal(target, &tally->outcomes[refusals[i]].evidence))
            return SONDE_STOP_REJECTED;
    }
    if (tally->outcomes[SONDE_OUTCOME_PACKET_TOO_BIG].shown > 0)
        return SONDE_STOP_REJECTED;
    if (interrupted)
        return SONDE_STOP_INTERRUPTED;
    return evidence_hop(tally, target->max_ttl) != NULL ? SONDE_STOP_MAX_TTL : SONDE_STOP_GAP_LIMIT;
}
