/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that findings are told in: plain enough to be pasted into a ticket. */
#include "analyze/rules.h"
#include "base/time.h"
#include "base/wall.h"
#include "wire/icmp.h"
#include "wire/ip.h"

#include <inttypes.h>
#include <stdio.h>

enum { PASSING_NAMED = 3 /* services named as passing; of more, only how many */ };

void words_clock(const struct rule_case *at, struct text *words, sonde_ns time_ns)
{
    const struct analyze_target *target = at->target;
    wall_add_moment(words, ns_add(time_ns, target->wall_ns),
                    ns_add(target->start_ns, target->wall_ns),
                    ns_add(target->now_ns, target->wall_ns));
}

void words_say(struct finding *finding, struct text *words)
{
    (void)snprintf(finding->text, sizeof finding->text, "%s",
                   words->data != NULL ? words->data : "");
    text_deinit(words);
}

void words_there_or_back(struct finding *finding)
{
    finding->blame.way = SONDE_WAY_THERE_OR_BACK;
    if (finding->confidence == SONDE_CONFIDENCE_HIGH)
        finding->confidence = SONDE_CONFIDENCE_MEDIUM;
}

void words_hop(const struct rule_case *at, struct text *words, uint8_t ttl,
               const struct sonde_addr *addr)
{
    char buf[SONDE_ADDR_TEXT_BYTES];
    sonde_addr_text_zoned(addr, &at->target->zones, buf);
    if (ttl != 0)
        text_addf(words, "hop %u (%s)", ttl, buf);
    else
        text_add(words, buf);
}

void words_passing(const struct rule_case *at, struct text *words)
{
    uint32_t passing = evidence_controls(at->target, at->service);
    uint32_t named = passing > PASSING_NAMED + 1 ? PASSING_NAMED : passing;
    uint32_t said = 0;
    for (uint32_t i = 0; i < at->target->tally->service_count && said < named; i++) {
        if (i == at->service || !evidence_passes(at->target, i))
            continue;
        text_add(words, said == 0 ? "; " : said + 1 == passing ? " and " : ", ");
        text_add(words, at->target->services[i].name);
        said++;
    }
    if (passing > named)
        text_addf(words, " and %" PRIu32 " others", passing - named);
    if (passing > 0)
        text_add(words, passing == 1 ? " passes" : " pass");
}

/* The first other service of the protocol that is silent, too, and was looked at. @return false if
 * there is none. */
static bool find_looked_at(const struct rule_case *at, uint32_t *ret_service)
{
    const struct analyze_target *target = at->target;
    for (uint32_t i = 0; i < target->tally->service_count; i++) {
        if (i != at->service &&
            target->services[i].protocol == target->services[at->service].protocol &&
            !analyze_reached(target, i) && evidence_silent(target, i) >= EVIDENCE_REPEATED &&
            evidence_is_looked_at(target, i)) {
            *ret_service = i;
            return true;
        }
    }
    return false;
}

void words_not_looked_at(const struct rule_case *at, struct text *words)
{
    uint32_t other;
    struct bracket bracket;
    if (evidence_is_looked_at(at->target, at->service))
        return;
    text_addf(words, "; the hops %s were not looked at closer",
              at->tally->reach.top_ttl > 0 ? "behind" : "on the way");
    if (!find_looked_at(at, &other))
        return;
    text_addf(words, ", as they were for %s", at->target->services[other].name);
    if (!evidence_bracket(at->target, other, &bracket) || bracket.at_target)
        return;
    text_add(words, ": silent from ");
    words_hop(at, words, bracket.lost_ttl, bracket.lost);
}

void words_ran_out(const struct rule_case *at, struct text *words)
{
    const struct tally_evidence *evidence =
        &at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].evidence;
    text_addf(words, "a TTL of %u runs out on the way: the path loops or is longer",
              evidence->probe_ttl);
}

/* The first question that the target answered; as many as there are if it answered none. */
static uint32_t first_answered(const struct rule_case *at, uint32_t count)
{
    uint32_t question = 0;
    while (question < count && at->tally->questions[question].received == 0)
        question++;
    return question;
}

void words_deaf(const struct rule_case *at, struct text *words)
{
    const struct analyze_service *service = &at->target->services[at->service];
    uint32_t answered = first_answered(at, service->question_count);
    bool repeated = answered > 0; /* was each asked more than once? */
    if (answered == 0 || answered == service->question_count)
        return;
    text_addf(words, "; answered %s, but not ", service->questions[answered].topic);
    for (uint32_t i = 0; i < answered; i++) {
        text_addf(words, "%s%s (0 of %" PRIu64 ")", i > 0 ? " and " : "",
                  service->questions[i].topic, at->tally->questions[i].sent);
        repeated &= at->tally->questions[i].sent >= EVIDENCE_REPEATED;
    }
    if (repeated && service->questions[answered].like != NULL)
        text_addf(words, ", like %s", service->questions[answered].like);
}

void words_asked(const struct rule_case *at, struct text *words)
{
    const struct analyze_service *service = &at->target->services[at->service];
    if (service->question_count < 2)
        return;
    for (uint32_t i = 0; i < service->question_count; i++)
        text_addf(words, "%s%s", i == 0 ? " (" : ", ", service->questions[i].topic);
    text_add(words, ")");
}

const char *words_refusal(const struct rule_case *at, const struct tally_evidence *word)
{
    enum sonde_family family = at->target->tally->addr.family;
    uint8_t code = (uint8_t)word->icmp_code;
    if (icmp_is_unknown_protocol(family, (uint8_t)word->icmp_type, code))
        return "protocol unreachable"; /* over IPv6 it is no code of an unreachable */
    return sonde_unreachable_text(family, code);
}

void words_silence(const struct rule_case *at, struct text *words)
{
    uint64_t lost = evidence_lost(at->tally);
    uint64_t sent = at->tally->sent;
    text_add(words, "no answer");
    if (lost == 0)
        return;
    text_addf(words, " to %" PRIu64, lost);
    if (lost < sent)
        text_addf(words, " of %" PRIu64, sent);
    text_add(words, sent == 1 ? " probe" : " probes");
}

void words_seen_up_to(const struct rule_case *at, struct text *words)
{
    uint8_t top_ttl = at->tally->reach.top_ttl;
    const struct sonde_addr *top = evidence_router(at->tally, top_ttl);
    if (top == NULL)
        return;
    text_add(words, "; the path is seen up to ");
    words_hop(at, words, top_ttl, top);
}

/* Add that what is called lost may have been late. A host repeats a SYN-ACK after a second, as one
 * that was lost: that is late, too, and more time would not help. */
static void add_late(const struct rule_case *at, struct text *words)
{
    if (!evidence_is_late(at->tally))
        return;
    text_addf(words, "; %" PRIu64 " of %" PRIu64 " answers came ", at->tally->late_own,
              at->tally->received + at->tally->late_own);
    if (at->target->services[at->service].protocol == IP_PROTO_TCP)
        text_add(words, "late, or in place of a lost one");
    else if (at->tally->late_longest_ns <= at->target->timeout_ns)
        text_add(words, "late, when they were not waited for any more");
    else
        text_addf(words, "later than %.4g s (-Z)",
                  (double)at->target->timeout_ns / (double)SONDE_NS_PER_S);
}

void words_loss(const struct rule_case *at, struct text *words)
{
    const struct tally_service *tally = at->tally;
    uint64_t lost = evidence_failed(tally);
    uint64_t refused = evidence_refused(tally);
    if (evidence_rationed(tally))
        text_addf(words,
                  "answers only so often: lost %" PRIu64 " of %" PRIu64
                  " when asked once a second, %" PRIu64 " of %" PRIu64 " when more often",
                  tally->spaced_lost, tally->spaced_sent, evidence_lost(tally) - tally->spaced_lost,
                  tally->sent - tally->spaced_sent);
    else
        text_add_loss(words, lost, tally->sent);
    if (refused > 0)
        text_addf(words, ", %" PRIu64 " of %" PRIu64 " refused", refused, tally->sent);
    add_late(at, words);
}

void words_round_trip(const struct rule_case *at, struct text *words)
{
    sonde_ns mean = rtt_mean(&at->tally->rtt);
    if (mean >= 0) {
        text_add_ms(words, mean);
        text_add(words, " ms, ");
    }
    words_loss(at, words);
}
