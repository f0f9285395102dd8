/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with a port of a host that can be reached. */
#include "analyze/rules.h"
#include "base/states.h"
#include "wire/ip.h"

#include <inttypes.h>
#include <string.h>

/* "an answer in the target's name from hop 2 (10.2.0.1) or 3 (10.3.0.1)" */
static void name_device(const struct rule_case *at, const struct interception *found,
                        struct finding *finding, struct text *words)
{
    const struct tally_service *control = evidence_tally(at->target, found->control);
    const struct sonde_addr *before =
        found->ttl > 1 ? evidence_router(at->tally, found->ttl - 1U) : NULL;
    const struct sonde_addr *there = evidence_router(control, found->ttl);
    finding->has_blame = true;
    finding->blame.reporter.ttl = found->ttl;
    if (before != NULL) {
        finding->blame.last_seen = (struct sonde_place){(uint8_t)(found->ttl - 1), *before};
        words_hop(at, words, (uint8_t)(found->ttl - 1), before);
        text_add(words, " or ");
    }
    if (there != NULL) {
        finding->blame.reporter.address = *there;
        words_hop(at, words, found->ttl, there);
    } else {
        text_addf(words, "hop %u", found->ttl);
    }
}

enum rule_answer rule_port_intercepted(const struct rule_case *at, struct finding *finding)
{
    struct interception found;
    struct text words = {0};
    if (!evidence_interception(at->target, at->service, &found))
        return analyze_reached(at->target, at->service) &&
                       evidence_may_be_intercepted(at->target, at->service)
                   ? RULE_INCONCLUSIVE
                   : RULE_QUIET;
    text_add(&words, found.outcome == SONDE_OUTCOME_CLOSED ? "reset in the target's name by "
                                                           : "answered in the target's name by ");
    name_device(at, &found, finding, &words);
    text_addf(&words, ", though the target is %s hop %u, as %s shows",
              found.is_exact ? "at" : "behind",
              found.is_exact ? found.distance : found.distance - 1U,
              at->target->services[found.control].name);
    words_say(finding, &words);
    finding->evidence.outcome = found.outcome;
    finding->evidence.control = at->target->services[found.control].name;
    finding->level = at->state == SONDE_STATE_OPEN ? SONDE_LEVEL_DEGRADED : SONDE_LEVEL_FAILED;
    finding->confidence =
        found.distance - found.ttl > 1 ? SONDE_CONFIDENCE_HIGH : SONDE_CONFIDENCE_MEDIUM;
    return RULE_FIRES;
}

/* The culprit's own word. */
enum rule_answer rule_port_rejected(const struct rule_case *at, struct finding *finding)
{
    const struct tally_evidence *word = &at->tally->outcomes[at->deciding].evidence;
    struct text words = {0};
    if (at->state != SONDE_STATE_REJECTED || word->icmp_code < 0)
        return RULE_QUIET;
    finding->has_blame = true;
    finding->blame.reporter =
        (struct sonde_place){evidence_find_router(at->target, &word->from), word->from};
    text_add(&words, "by ");
    if (sonde_addr_equal(&word->from, &at->target->tally->addr))
        text_add(&words, "the target itself");
    else
        words_hop(at, &words, finding->blame.reporter.ttl, &word->from);
    text_addf(&words, ": %s", words_refusal(at, word));
    words_say(finding, &words);
    return RULE_FIRES;
}

/* Three cycles and two controls, two and one: how far silence can be trusted. Each cycle sends one
 * probe at full TTL; what goes out with it goes out at the same moment, and may be lost together.
 */
static enum sonde_confidence silence_confidence(const struct rule_case *at)
{
    uint64_t cycles = at->tally->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
    uint32_t controls = evidence_controls(at->target, at->service);
    if (at->target->lost_here)
        return SONDE_CONFIDENCE_LOW; /* answers may have come, and found no room here */
    if (at->state != SONDE_STATE_FILTERED && !evidence_is_looked_at(at->target, at->service))
        return SONDE_CONFIDENCE_LOW;
    if (cycles >= 3 && controls >= 2)
        return SONDE_CONFIDENCE_HIGH;
    return cycles >= 2 && controls >= 1 ? SONDE_CONFIDENCE_MEDIUM : SONDE_CONFIDENCE_LOW;
}

/* How many hops before a TTL a service was asked at. */
static unsigned count_asked(const struct tally_service *tally, unsigned before)
{
    unsigned asked = 0;
    for (unsigned ttl = 1; ttl < before; ttl++)
        asked += evidence_asks(tally, ttl) > 0;
    return asked;
}

/* No hop answered the service: it may not have been asked at each. */
static void say_unseen(const struct rule_case *at, const struct bracket *bracket,
                       struct text *words)
{
    unsigned asked = count_asked(at->tally, bracket->lost_ttl);
    bool all = asked + 1U == bracket->lost_ttl;
    text_add(words, all ? "answered at no hop, silent from " : "silent from ");
    words_hop(at, words, bracket->lost_ttl, bracket->lost);
    if (!all)
        text_add(words, asked == 0 ? ", not asked before it"
                                   : ", answered at none of the hops before it that were asked");
}

static void say_bracket(const struct rule_case *at, const struct bracket *bracket,
                        struct finding *finding, struct text *words)
{
    finding->has_blame = true;
    finding->blame.first_lost = (struct sonde_place){bracket->lost_ttl, *bracket->lost};
    if (bracket->seen == NULL) {
        say_unseen(at, bracket, words);
    } else {
        finding->blame.last_seen = (struct sonde_place){bracket->seen_ttl, *bracket->seen};
        text_add(words, "answered up to ");
        words_hop(at, words, bracket->seen_ttl, bracket->seen);
        text_add(words, bracket->at_target ? ", not by the target: lost behind it, at the target "
                                             "or on the way back"
                                           : ", silent from ");
        if (!bracket->at_target)
            words_hop(at, words, bracket->lost_ttl, bracket->lost);
    }
    if (bracket->at_target)
        words_there_or_back(finding);
    finding->evidence.control = at->target->services[bracket->control].name;
    finding->evidence.control_sent = bracket->control_sent;
    finding->evidence.control_received = bracket->control_received;
}

enum rule_answer rule_port_filtered(const struct rule_case *at, struct finding *finding)
{
    struct bracket bracket;
    struct text words = {0};
    if (at->state != SONDE_STATE_FILTERED)
        return RULE_QUIET;
    finding->confidence = silence_confidence(at);
    if (evidence_bracket(at->target, at->service, &bracket) &&
        (bracket.seen != NULL || !bracket.at_target)) {
        say_bracket(at, &bracket, finding, &words);
        if (bracket.at_target)
            words_not_looked_at(at, &words);
        if (bracket.detour ||
            (bracket.at_target && !evidence_is_looked_at(at->target, at->service)))
            finding->confidence = SONDE_CONFIDENCE_LOW;
    } else if (at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended > 0) {
        words_ran_out(at, &words);
    } else {
        words_silence(at, &words);
        words_not_looked_at(at, &words);
    }
    words_passing(at, &words);
    words_say(finding, &words);
    return RULE_FIRES;
}

enum rule_answer rule_port_closed(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    if (at->state != SONDE_STATE_CLOSED)
        return RULE_QUIET;
    words_round_trip(at, &words);
    words_say(finding, &words);
    if (at->deciding != SONDE_OUTCOME_PORT_UNREACHABLE) /* that names who sent it */
        finding->confidence = evidence_own_answer(at->target, at->service);
    return RULE_FIRES;
}

/* An open port that was refused repeatedly: it is open only at times, or behind some addresses. */
static bool is_refused_at_times(const struct rule_case *at, enum sonde_outcome outcome,
                                const char *how, struct finding *finding, struct text *words)
{
    uint64_t refused = at->tally->outcomes[outcome].ended;
    if (at->state != SONDE_STATE_OPEN || refused < EVIDENCE_REPEATED)
        return false;
    text_addf(words, "open, but %" PRIu64 " of %" PRIu64 " probes were %s", refused,
              at->tally->sent, how);
    finding->evidence.outcome = outcome;
    finding->level = 2 * refused > at->tally->sent ? SONDE_LEVEL_FAILED : SONDE_LEVEL_DEGRADED;
    return true;
}

enum rule_answer rule_rejected_at_times(const struct rule_case *at, struct finding *finding)
{
    const struct tally_evidence *word =
        &at->tally->outcomes[SONDE_OUTCOME_ADMIN_PROHIBITED].evidence;
    struct text words = {0};
    if (!is_refused_at_times(at, SONDE_OUTCOME_ADMIN_PROHIBITED, "rejected by ", finding, &words))
        return RULE_QUIET;
    finding->has_blame = true;
    finding->blame.reporter =
        (struct sonde_place){evidence_find_router(at->target, &word->from), word->from};
    words_hop(at, &words, finding->blame.reporter.ttl, &word->from);
    text_addf(&words, ": %s", words_refusal(at, word));
    words_say(finding, &words);
    return RULE_FIRES;
}

enum rule_answer rule_closed_at_times(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    if (!is_refused_at_times(at, SONDE_OUTCOME_CLOSED, "reset", finding, &words) &&
        !is_refused_at_times(at, SONDE_OUTCOME_PORT_UNREACHABLE, "refused", finding, &words))
        return RULE_QUIET;
    words_say(finding, &words);
    return RULE_FIRES;
}

enum rule_answer rule_port_unexpectedly_open(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    if (at->state != SONDE_STATE_OPEN || at->expect == 0 ||
        (at->expect & SONDE_STATE_BIT(SONDE_STATE_OPEN)) != 0)
        return RULE_QUIET;
    words_round_trip(at, &words);
    text_add(&words, "; expected ");
    states_add_wish(&words, at->expect);
    words_say(finding, &words);
    return RULE_FIRES;
}

/* Does another UDP port of the host refuse, so that silence can be compared with it? */
static const char *find_udp_control(const struct rule_case *at)
{
    for (uint32_t i = 0; i < at->target->tally->service_count; i++) {
        if (i != at->service && at->target->services[i].protocol == IP_PROTO_UDP &&
            evidence_is_target(at->target, i, SONDE_OUTCOME_PORT_UNREACHABLE))
            return at->target->services[i].name;
    }
    return NULL;
}

enum rule_answer rule_udp_unconfirmed(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    if (at->state != SONDE_STATE_OPEN_OR_FILTERED)
        return RULE_QUIET;
    const char *control = find_udp_control(at);
    const char *silence = at->target->services[at->service].silence;
    words_silence(at, &words);
    words_asked(at, &words);
    text_add(&words, ": ");
    if (silence != NULL)
        text_addf(&words, "%s; open, or dropped", silence);
    else if (control != NULL)
        text_addf(&words, "open, or dropped by the host, which refuses %s, or before it", control);
    else
        text_add(&words, "open or filtered, which cannot be told apart");
    words_passing(at, &words);
    words_say(finding, &words);
    finding->evidence.control = control;
    finding->level = SONDE_LEVEL_DEGRADED;
    finding->confidence = silence_confidence(at);
    return RULE_FIRES;
}
