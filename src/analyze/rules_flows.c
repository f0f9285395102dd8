/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with some flows of a service that has several: where routers spread flows over
 * several links, one link may lose packets, and then only the flows that go there lose any.
 */
#include "analyze/rules.h"

#include <inttypes.h>
#include <math.h>

/* That any flow of a service seems to lose more than the others, where all lose alike. */
static const double CHANCE = 0.001;

/* An upper bound of the chance that so many of so many are lost, where each is with a probability
 * of @p p. Source: H. Chernoff, Ann. Math. Statist. 23 (1952) 493-507. */
static double chance_of(uint64_t lost, uint64_t sent, double p)
{
    double share = (double)lost / (double)sent;
    if (share <= p)
        return 1;
    double apart = share * log(share / p);
    if (share < 1)
        apart += (1 - share) * log((1 - share) / (1 - p));
    return exp(-apart * (double)sent);
}

/* Does a flow lose more than the others of its service? */
static bool is_lossy(const struct tally_service *flow, const struct tally_service *all,
                     uint32_t flow_count)
{
    uint64_t lost = evidence_lost(flow);
    uint64_t other_lost = evidence_lost(all) - lost;
    uint64_t other_sent = all->sent - flow->sent;
    if (flow->sent < EVIDENCE_REPEATED || lost == 0 || other_sent == 0)
        return false;
    double p = evidence_wilson(other_lost, other_sent).high;
    return chance_of(lost, flow->sent, p) < CHANCE / flow_count;
}

static double share_lost(const struct tally_service *flow)
{
    return flow->sent > 0 ? (double)evidence_lost(flow) / (double)flow->sent : 0;
}

struct lossy_flows evidence_lossy_flows(const struct analyze_target *target, uint32_t service)
{
    const struct analyze_service *known = &target->services[service];
    const struct tally_service *all = evidence_tally(target, service);
    struct lossy_flows lossy = {.count = 0};
    if (target->traces == NULL || known->flow_count < 2 || all->received == 0)
        return lossy;
    for (uint32_t i = 0; i < known->flow_count; i++) {
        uint32_t trace = known->first_trace + i;
        const struct tally_service *flow = evidence_tally(target->traces, trace);
        if (!is_lossy(flow, all, known->flow_count))
            continue;
        if (lossy.count == 0 ||
            share_lost(flow) > share_lost(evidence_tally(target->traces, lossy.worst)))
            lossy.worst = trace;
        lossy.count++;
        lossy.dead += flow->received == 0;
    }
    return lossy;
}

/* Which flow of its service a trace is. */
static uint32_t number_of(const struct rule_case *at, uint32_t trace)
{
    return trace - at->target->services[at->service].first_trace;
}

/* Where a flow that is never answered ends. Another flow is no measure of what lies behind: it may
 * go another way. */
static void say_end(const struct rule_case *at, uint32_t trace, struct finding *finding,
                    struct text *words)
{
    const struct tally_service *flow = evidence_tally(at->target->traces, trace);
    uint8_t ttl = flow->reach.top_ttl;
    if (evidence_router(flow, ttl) == NULL)
        return;
    finding->has_blame = true;
    text_addf(words, "; flow %" PRIu32 " is seen up to ", number_of(at, trace));
    words_loss_end(at, flow, ttl, &finding->blame.last_seen, words);
}

/* Where the loss of a flow begins, by its own hops. */
static void say_begin(const struct rule_case *at, uint32_t trace, struct finding *finding,
                      struct text *words)
{
    const struct tally_service *flow = evidence_tally(at->target->traces, trace);
    struct loss_begin begin;
    text_addf(words, "; flow %" PRIu32 ": ", number_of(at, trace));
    text_add_loss(words, evidence_lost(flow), flow->sent);
    if (!evidence_loss(at->target->traces, trace, &begin) || begin.clean_ttl == 0)
        return;
    finding->has_blame = true;
    text_add(words, ", which begins behind ");
    words_loss_end(at, flow, begin.clean_ttl, &finding->blame.last_seen, words);
    if (begin.lossy_ttl == 0)
        return;
    text_add(words, ", and is seen from ");
    words_loss_end(at, flow, begin.lossy_ttl, &finding->blame.first_lost, words);
    text_add(words, " on");
}

enum rule_answer rule_loss_on_some_paths(const struct rule_case *at, struct finding *finding)
{
    const struct lossy_flows lossy = evidence_lossy_flows(at->target, at->service);
    uint32_t count = at->target->services[at->service].flow_count;
    struct text words = {0};
    if (lossy.count == 0 || evidence_rationed(at->tally))
        return RULE_QUIET;
    const struct tally_service *worst = evidence_tally(at->target->traces, lossy.worst);
    finding->level = SONDE_LEVEL_DEGRADED;
    finding->confidence = worst->sent >= 20 ? SONDE_CONFIDENCE_HIGH : SONDE_CONFIDENCE_MEDIUM;
    words_round_trip(at, &words);
    text_addf(&words, "; %" PRIu32 " of %" PRIu32 " flows ", lossy.count, count);
    if (lossy.dead == lossy.count)
        text_add(&words, lossy.count == 1 ? "is never answered" : "are never answered");
    else
        text_add(&words,
                 lossy.count == 1 ? "loses more than the others" : "lose more than the others");
    if (worst->received == 0)
        say_end(at, lossy.worst, finding, &words);
    else
        say_begin(at, lossy.worst, finding, &words);
    if (finding->has_blame)
        words_there_or_back(finding);
    words_say(finding, &words);
    return RULE_FIRES;
}
