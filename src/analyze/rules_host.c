/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of the way to the host: no port of it can do better. */
#include "analyze/rules.h"

enum { LOOP_MATCHES = 2 /* routers met again at the same distance, that make a loop of a path */ };

/* A path that comes round again: what router stands where, and how often it was met again. */
struct loop {
    uint8_t ttl; /* of the first router in it */
    unsigned matches;
};

/* Does the path repeat itself from a TTL on, with so many hops in between? */
static unsigned count_matches(const struct tally_service *tally, unsigned ttl, unsigned period)
{
    unsigned matches = 0;
    for (unsigned at = ttl; at + period <= tally->reach.top_ttl; at++) {
        const struct sonde_addr *here = evidence_router(tally, at);
        const struct sonde_addr *again = evidence_router(tally, at + period);
        if (here == NULL || again == NULL)
            continue;
        if (!sonde_addr_equal(here, again))
            return 0;
        matches++;
    }
    return matches;
}

static struct loop find_loop(const struct tally_service *tally)
{
    unsigned top = tally->reach.top_ttl;
    while (top > 0 && evidence_router(tally, top) == NULL)
        top--; /* only a probe that was to reach the target ran out there */
    for (unsigned ttl = 1; ttl + 3 <= top; ttl++) {
        /* a whole round must be seen again */
        for (unsigned period = 2; ttl + 2 * period - 1 <= top; period++) {
            const struct sonde_addr *here = evidence_router(tally, ttl);
            const struct sonde_addr *next = evidence_router(tally, ttl + 1);
            const struct sonde_addr *again = evidence_router(tally, ttl + period);
            /* a router that answers at two TTLs in a row passes on what should have expired */
            if (here == NULL || again == NULL || (next != NULL && sonde_addr_equal(here, next)))
                continue;
            unsigned matches = count_matches(tally, ttl, period);
            if (matches > 0)
                return (struct loop){(uint8_t)ttl, matches};
        }
    }
    return (struct loop){0, 0};
}

enum rule_answer rule_routing_loop(const struct rule_case *at, struct finding *finding)
{
    uint64_t expired = at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended;
    struct loop loop = {0, 0};
    if (!analyze_reached(at->target, at->service))
        loop = find_loop(at->tally);
    /* a TTL that ran out completely is a router met again and again */
    if (loop.ttl == 0)
        return RULE_QUIET;
    /* on ways of different lengths, or on one that became longer, too, a router is met again */
    bool otherwise = evidence_parallel(at->target, at->tally->reach.top_ttl) ||
                     evidence_target_reached(at->target) || at->tally->path_changes > 0;
    if (loop.matches + expired < LOOP_MATCHES || (expired == 0 && otherwise))
        return RULE_INCONCLUSIVE;
    const struct sonde_addr *first = evidence_router(at->tally, loop.ttl);
    const struct sonde_addr *second = evidence_router(at->tally, loop.ttl + 1U);
    struct text words = {0};
    text_add(&words, "the path comes round again: it loops between ");
    words_hop(at, &words, loop.ttl, first);
    text_add(&words, " and ");
    finding->has_blame = true;
    finding->blame.last_seen = (struct sonde_place){loop.ttl, *first};
    if (second != NULL) {
        finding->blame.first_lost = (struct sonde_place){(uint8_t)(loop.ttl + 1), *second};
        words_hop(at, &words, (uint8_t)(loop.ttl + 1), second);
    } else {
        text_add(&words, "the next");
    }
    words_say(finding, &words);
    finding->confidence =
        expired >= EVIDENCE_REPEATED ? SONDE_CONFIDENCE_HIGH : SONDE_CONFIDENCE_MEDIUM;
    return RULE_FIRES;
}

/* Was a service asked in vain at a hop where another was answered? */
static bool is_missed_at(const struct analyze_target *target, uint32_t service, unsigned ttl)
{
    const struct tally_hop *hop = evidence_hop(evidence_tally(target, service), ttl);
    if (hop == NULL || hop->sent == 0 || hop->received > 0)
        return false;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (evidence_router(evidence_tally(target, i), ttl) != NULL)
            return true;
    }
    return false;
}

/* The deepest hop that answered anything that went to the target: but no deeper than the service is
 * seen, if others are answered behind and it is not. */
static uint8_t find_deepest(const struct analyze_target *target, uint32_t service,
                            const struct sonde_addr **ret_addr)
{
    const struct tally_service *own = evidence_tally(target, service);
    uint8_t deepest = own->reach.top_ttl;
    *ret_addr = evidence_router(own, deepest);
    for (unsigned ttl = deepest + 1U; ttl <= target->max_ttl; ttl++) {
        if (is_missed_at(target, service, ttl))
            return deepest;
    }
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *tally = evidence_tally(target, i);
        const struct sonde_addr *router = evidence_router(tally, tally->reach.top_ttl);
        if (tally->reach.top_ttl > deepest && router != NULL) {
            deepest = tally->reach.top_ttl;
            *ret_addr = router;
        }
    }
    return deepest;
}

/* The outcome that says that there is no way; NO_REPLY if none does. */
static enum sonde_outcome find_word(const struct rule_case *at)
{
    static const enum sonde_outcome words[] = {SONDE_OUTCOME_HOST_UNREACHABLE,
                                               SONDE_OUTCOME_NET_UNREACHABLE,
                                               SONDE_OUTCOME_OTHER_UNREACHABLE};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (evidence_is_refusal(at->target, &at->tally->outcomes[words[i]].evidence))
            return words[i];
    }
    return SONDE_OUTCOME_NO_REPLY;
}

/* Silence of everything is trusted by how much there was of it. */
static enum sonde_confidence silence_confidence(const struct rule_case *at)
{
    uint32_t asked = 0;
    for (uint32_t i = 0; i < at->target->tally->service_count; i++)
        asked += evidence_tally(at->target, i)->sent > 0;
    bool enough = evidence_silent(at->target, at->service) >= 3 && asked > 1;
    return enough && !at->target->lost_here ? SONDE_CONFIDENCE_MEDIUM : SONDE_CONFIDENCE_LOW;
}

enum rule_answer rule_host_unreachable(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    enum sonde_outcome says = find_word(at);
    const struct tally_evidence *word = &at->tally->outcomes[says].evidence;
    const struct sonde_addr *addr = NULL;
    if (at->state != SONDE_STATE_UNREACHABLE || at->target->next_hop.silent)
        return RULE_QUIET; /* or it is told more exactly */
    if (says != SONDE_OUTCOME_NO_REPLY) {
        finding->has_blame = true;
        finding->blame.reporter =
            (struct sonde_place){evidence_find_router(at->target, &word->from), word->from};
        text_addf(&words, "%s, says ",
                  sonde_unreachable_text(at->target->tally->addr.family, (uint8_t)word->icmp_code));
        words_hop(at, &words, finding->blame.reporter.ttl, &word->from);
        words_say(finding, &words);
        return RULE_FIRES;
    }
    uint8_t deepest = find_deepest(at->target, at->service, &addr);
    if (at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended > 0) {
        words_ran_out(at, &words);
    } else if (at->target->next_hop.user_mode != NULL) {
        text_add(&words, "no answer");
    } else if (addr != NULL) {
        text_add(&words, "no answer; the path is seen up to ");
        words_hop(at, &words, deepest, addr);
        finding->has_blame = true;
        finding->blame.last_seen = (struct sonde_place){deepest, *addr};
        finding->blame.way = SONDE_WAY_THERE_OR_BACK;
    } else {
        text_add(&words, deepest == 0 ? "no answer, not even from the first hop" : "no answer");
    }
    words_say(finding, &words);
    finding->confidence = silence_confidence(at);
    return RULE_FIRES;
}
