/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults of the way to the host: no port of it can do better. */
#include "analyze/rules.h"

enum { LOOP_MATCHES = 2 /* routers met again at the same distance, that make a loop of a path */ };

/* The loop that a service is in, and whether it is seen of that service alone. A router that is met
 * at many TTLs answers few of them, so what others show that go the same way fills the gaps; it
 * counts where the service shows that it loops, too: by itself, or by a TTL that ran out. */
static struct loop find_loop(const struct rule_case *at, uint64_t expired, bool *ret_own)
{
    struct loop own = evidence_loop(at->tally);
    struct loop common = {0};
    if (own.ttl != 0 || (expired > 0 && at->tally->reach.top_ttl > 0))
        common = evidence_common_loop(at->target, at->service);
    bool same = own.ttl == common.ttl && (own.second != NULL) == (common.second != NULL);
    *ret_own = common.ttl == 0 || same;
    return common.ttl != 0 ? common : own;
}

enum rule_answer rule_routing_loop(const struct rule_case *at, struct finding *finding)
{
    uint64_t expired = at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended;
    struct loop loop = {0};
    bool is_own = false;
    if (!analyze_reached(at->target, at->service))
        loop = find_loop(at, expired, &is_own);
    if (loop.ttl == 0)
        return RULE_QUIET;
    /* A TTL that ran out completely is a router met again and again. On ways of different lengths,
     * or on one that became longer, one is met again, too. */
    bool otherwise = evidence_parallel(at->target, at->tally->reach.top_ttl) ||
                     evidence_target_reached(at->target) || at->tally->path_changes > 0;
    if (loop.matches + expired < LOOP_MATCHES || (expired == 0 && otherwise))
        return RULE_INCONCLUSIVE;
    struct text words = {0};
    text_add(&words, "the path comes round again: it loops between ");
    words_hop(at, &words, loop.ttl, loop.first);
    text_add(&words, " and ");
    finding->has_blame = true;
    finding->blame.last_seen = (struct sonde_place){loop.ttl, *loop.first};
    if (loop.second != NULL) {
        finding->blame.first_lost = (struct sonde_place){(uint8_t)(loop.ttl + 1), *loop.second};
        words_hop(at, &words, (uint8_t)(loop.ttl + 1), loop.second);
    } else {
        text_add(&words, "the next");
    }
    words_say(finding, &words);
    finding->confidence =
        expired >= EVIDENCE_REPEATED && is_own ? SONDE_CONFIDENCE_HIGH : SONDE_CONFIDENCE_MEDIUM;
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

/* The deepest hop that answered anything that went the same way to the target, as far as that is
 * seen: but no deeper than the service is seen, if others are answered behind and it is not, or if
 * nobody looked. */
static uint8_t find_deepest(const struct analyze_target *target, uint32_t service,
                            const struct sonde_addr **ret_addr)
{
    const struct tally_service *own = evidence_tally(target, service);
    uint8_t deepest = own->reach.top_ttl;
    bool asked = false;
    *ret_addr = evidence_router(own, deepest);
    for (unsigned ttl = 1; ttl <= target->max_ttl; ttl++)
        asked |= evidence_hop(own, ttl) != NULL;
    for (unsigned ttl = deepest + 1U; ttl <= target->max_ttl; ttl++) {
        if (!asked || is_missed_at(target, service, ttl))
            return deepest;
    }
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        const struct tally_service *tally = evidence_tally(target, i);
        const struct sonde_addr *router = evidence_router(tally, tally->reach.top_ttl);
        if (tally->reach.top_ttl > deepest && router != NULL &&
            evidence_same_way(own, tally, 1, own->reach.top_ttl)) {
            deepest = tally->reach.top_ttl;
            *ret_addr = router;
        }
    }
    return deepest;
}

/* Where does a service end that was answered before, and is not looked at now because there is not
 * the time to look at all? Where others end that are as unreachable and were, if these agree. */
static uint8_t find_told(const struct rule_case *at, const struct sonde_addr **ret_addr)
{
    uint8_t told = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < at->target->tally->service_count; i++) {
        const struct tally_service *tally = evidence_tally(at->target, i);
        const struct sonde_addr *last = evidence_router(tally, tally->reach.top_ttl);
        if (i == at->service || last == NULL || !evidence_is_looked_at(at->target, i) ||
            evidence_silent(at->target, i) < EVIDENCE_REPEATED)
            continue;
        if (told != 0 && (tally->reach.top_ttl != told || !sonde_addr_equal(last, *ret_addr)))
            return 0;
        told = tally->reach.top_ttl;
        *ret_addr = last;
        count++;
    }
    return count >= EVIDENCE_REPEATED && tally_is_answered(at->tally) ? told : 0;
}

/* A router that looks for the host on its link before it says that it is not there takes at least
 * one second for it (Linux and RFC 4861 §7.2.2: three questions, one a second); who rejects a port
 * in these words says so at once. */
static const sonde_ns LOOKED_FOR_NS = 950 * SONDE_NS_PER_MS;

/* The service of which a router says that there is no way to the host: this one, or another, if
 * that router has looked for the host, and is the last that is seen of this one's way. @return
 * false if none is. */
static bool find_word(const struct rule_case *at, uint32_t *ret_service)
{
    const struct sonde_addr *last = evidence_router(at->tally, at->tally->reach.top_ttl);
    for (uint32_t i = 0; i <= at->target->tally->service_count; i++) {
        uint32_t service = i == 0 ? at->service : i - 1;
        enum sonde_outcome says = evidence_no_way(at->target, service);
        const struct tally_evidence *word =
            &evidence_tally(at->target, service)->outcomes[says].evidence;
        const struct tally_outcome *outcome =
            &evidence_tally(at->target, service)->outcomes[SONDE_OUTCOME_HOST_UNREACHABLE];
        bool fits = service == at->service ||
                    (says == SONDE_OUTCOME_HOST_UNREACHABLE && last != NULL &&
                     outcome->longest_ns >= LOOKED_FOR_NS && sonde_addr_equal(last, &word->from));
        if (says == SONDE_OUTCOME_NO_REPLY || !fits)
            continue;
        *ret_service = service;
        return true;
    }
    return false;
}

/* Silence of everything is trusted by how much there was of it. */
static enum sonde_confidence silence_confidence(const struct rule_case *at)
{
    uint32_t asked = 0;
    for (uint32_t i = 0; i < at->target->tally->service_count; i++)
        asked += evidence_tally(at->target, i)->sent > 0;
    bool enough = evidence_silent(at->target, at->service) >= 3 && asked > 1;
    return enough && !at->target->lost_here && evidence_is_looked_at(at->target, at->service)
               ? SONDE_CONFIDENCE_MEDIUM
               : SONDE_CONFIDENCE_LOW;
}

/* "host unreachable, says hop 4 (10.4.0.1)" */
static void say_word(const struct rule_case *at, uint32_t service, struct finding *finding,
                     struct text *words)
{
    enum sonde_outcome says = evidence_no_way(at->target, service);
    const struct tally_evidence *word =
        &evidence_tally(at->target, service)->outcomes[says].evidence;
    finding->has_blame = true;
    finding->blame.reporter =
        (struct sonde_place){evidence_find_router(at->target, &word->from), word->from};
    text_addf(words, "%s, says ", words_refusal(at, word));
    words_hop(at, words, finding->blame.reporter.ttl, &word->from);
    if (service != at->service) {
        text_addf(words, " about %s", at->target->services[service].name);
        finding->confidence = SONDE_CONFIDENCE_MEDIUM;
    }
}

enum rule_answer rule_host_unreachable(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    const struct sonde_addr *addr = NULL;
    uint32_t service = 0;
    if (at->state != SONDE_STATE_UNREACHABLE || at->target->next_hop.silent)
        return RULE_QUIET; /* or it is told more exactly */
    if (find_word(at, &service)) {
        say_word(at, service, finding, &words);
        words_say(finding, &words);
        return RULE_FIRES;
    }
    uint8_t deepest = find_deepest(at->target, at->service, &addr);
    const struct sonde_addr *other = NULL;
    uint8_t others_end = find_told(at, &other);
    bool told = others_end != 0 && others_end >= deepest;
    if (told) {
        deepest = others_end;
        addr = other;
    }
    const struct tally_hop *first = evidence_hop(at->tally, 1);
    if (at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended > 0) {
        words_ran_out(at, &words);
    } else if (at->target->next_hop.user_mode != NULL) {
        text_add(&words, "no answer");
    } else if (addr != NULL) {
        text_add(&words, "no answer; the path is seen up to ");
        words_hop(at, &words, deepest, addr);
        /* who was not asked behind its own hops may end there */
        finding->has_blame = told || deepest == at->tally->reach.top_ttl ||
                             evidence_is_looked_at(at->target, at->service);
        finding->blame.last_seen = (struct sonde_place){deepest, *addr};
        finding->blame.way = SONDE_WAY_THERE_OR_BACK;
        words_not_looked_at(at, &words);
    } else {
        text_add(&words, deepest == 0 && first != NULL ? "no answer, not even from the first hop"
                                                       : "no answer");
        words_not_looked_at(at, &words);
    }
    words_say(finding, &words);
    finding->confidence = silence_confidence(at);
    return RULE_FIRES;
}
