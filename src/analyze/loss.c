/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What loss means, and where it begins.
 *
 * A hop's loss is real only if it goes on: whoever loses packets on their way loses them for
 * everything behind. So the figures of hops are compared with those of the target, by intervals of
 * confidence: only where these do not touch is one loss less than the other. What a hop loses and
 * nothing behind it does, it loses by rationing its own answers. Likewise a target that loses less
 * when it is asked seldom: it rations its answers, too, or a device before it does.
 */
#include "analyze/evidence.h"

enum {
    LOST_MIN = 2,          /* probes; one is an accident */
    LOST_SLOWLY_PART = 10, /* of who rations his answers, asked slowly, one in so many at most */
};
static const double WORTH_SAYING = 0.005; /* loss that is surely above this */

/* Loss at a TTL: of routers' answers, or at 0 of the service itself. */
static struct interval loss_at(const struct tally_service *tally, unsigned ttl)
{
    const struct tally_hop *hop = evidence_hop(tally, ttl);
    if (ttl == 0)
        return evidence_wilson(evidence_failed(tally), tally->sent);
    if (hop == NULL)
        return evidence_wilson(0, 0);
    return evidence_wilson(hop->sent - hop->received, hop->sent);
}

/* The last TTL at which routers answered before the target. */
static unsigned last_router(const struct tally_service *tally)
{
    unsigned distance = tally->reach.dest_ttl;
    return distance != 0 ? distance - 1U : tally->reach.top_ttl;
}

bool evidence_rationed(const struct tally_service *tally)
{
    uint64_t lost = evidence_lost(tally);
    if (!tally->rationed || tally->spaced_sent >= tally->sent || tally->spaced_lost > lost)
        return false;
    struct interval often =
        evidence_wilson(lost - tally->spaced_lost, tally->sent - tally->spaced_sent);
    struct interval seldom = evidence_wilson(tally->spaced_lost, tally->spaced_sent);
    return seldom.high < often.low && LOST_SLOWLY_PART * tally->spaced_lost <= tally->spaced_sent;
}

bool evidence_loss(const struct analyze_target *target, uint32_t service,
                   struct loss_begin *ret_begin)
{
    const struct tally_service *tally = evidence_tally(target, service);
    struct interval loss = loss_at(tally, 0);
    if (target->lost_here || tally->received == 0 || evidence_failed(tally) < LOST_MIN ||
        loss.low < WORTH_SAYING)
        return false;
    bool user_mode = target->next_hop.user_mode != NULL; /* there are no hops */
    struct loss_begin begin = {0, 0};
    double clean = 0;
    for (unsigned ttl = 1; !user_mode && ttl <= last_router(tally); ttl++) {
        struct interval at = loss_at(tally, ttl);
        if (evidence_router(tally, ttl) == NULL)
            continue; /* who never answers loses nothing that goes on */
        if (at.high < loss.low) {
            begin = (struct loss_begin){(uint8_t)ttl, 0}; /* what was lost before came through */
            clean = at.high;
        } else if (begin.lossy_ttl == 0 && at.low > clean) {
            begin.lossy_ttl = (uint8_t)ttl;
        }
    }
    /* without a clean hop to compare with, loss at a router may be its own */
    if (begin.clean_ttl == 0)
        begin.lossy_ttl = 0;
    *ret_begin = begin;
    return true;
}

/* Does anything behind a TTL answer this trace? */
static bool answers_behind(const struct tally_service *tally, unsigned ttl, unsigned max_ttl)
{
    bool answers = tally->received > 0;
    for (unsigned behind = ttl + 1U; !answers && behind <= max_ttl; behind++) {
        const struct tally_hop *hop = evidence_hop(tally, behind);
        answers = hop != NULL && hop->received > 0;
    }
    return answers;
}

/* Does something behind a TTL surely lose less? */
static bool is_clean_behind(const struct tally_service *tally, unsigned ttl, double low)
{
    bool clean = tally->received > 0 && loss_at(tally, 0).high < low;
    for (unsigned behind = ttl + 1U; !clean && behind <= last_router(tally); behind++)
        clean = loss_at(tally, behind).high < low;
    return clean;
}

enum sonde_loss_kind analyze_own_loss(const struct tally_service *tally)
{
    if (tally->received >= tally->sent)
        return SONDE_LOSS_NONE;
    return evidence_rationed(tally) ? SONDE_LOSS_RATE_LIMITED : SONDE_LOSS_UNKNOWN;
}

/* Does the target answer at a hop: as such, or as a router that passes the probe on? */
static bool target_answers(const struct analyze_target *target, const struct tally_hop *hop,
                           bool as_router)
{
    bool answers = false;
    for (uint32_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        bool is_router = hop->responders[i].kind == SONDE_OUTCOME_TTL_EXCEEDED;
        answers |= is_router == as_router &&
                   sonde_addr_equal(&hop->responders[i].addr, &target->tally->addr);
    }
    return answers;
}

bool analyze_may_arrive(const struct analyze_target *target, uint32_t service, uint8_t ttl)
{
    const struct tally_hop *hop = evidence_hop(evidence_tally(target, service), ttl);
    bool arrives = false;
    for (uint32_t i = 0; i < target->tally->service_count; i++)
        arrives |= target_answers(target, evidence_hop(evidence_tally(target, i), ttl), false);
    return arrives && hop != NULL && hop->received < hop->sent &&
           !target_answers(target, hop, true);
}

enum sonde_loss_kind analyze_loss(const struct analyze_target *target, uint32_t service,
                                  uint8_t ttl)
{
    const struct tally_service *tally = evidence_tally(target, service);
    const struct tally_hop *hop = evidence_hop(tally, ttl);
    struct loss_begin begin;
    if (hop == NULL || hop->sent == 0)
        return SONDE_LOSS_UNKNOWN;
    if (hop->received >= hop->sent)
        return SONDE_LOSS_NONE;
    if (hop->received == 0)
        return answers_behind(tally, ttl, target->max_ttl) ? SONDE_LOSS_SILENT : SONDE_LOSS_UNKNOWN;
    if (analyze_may_arrive(target, service, ttl))
        return SONDE_LOSS_UNKNOWN;
    struct interval loss = loss_at(tally, ttl);
    if (is_clean_behind(tally, ttl, loss.low))
        return SONDE_LOSS_RATE_LIMITED;
    if (evidence_loss(target, service, &begin) && begin.lossy_ttl != 0 && ttl >= begin.lossy_ttl)
        return SONDE_LOSS_FORWARDING;
    return SONDE_LOSS_UNKNOWN;
}
