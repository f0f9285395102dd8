/* SPDX-License-Identifier: BSD-2-Clause */
/* From states to verdicts, and the words for them. */
#include "analyze/analyze.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PASSING_NAMED = 3 /* services named as passing; of more, only how many */ };

/* What a service is judged by. */
struct case_at_hand {
    const struct analyze_target *target;
    uint32_t service;
    const struct tally_service *tally;
    struct analysis *analysis;
};

static void say(struct case_at_hand *at, const struct text *words)
{
    (void)snprintf(at->analysis->text, sizeof at->analysis->text, "%s",
                   words->data != NULL ? words->data : "");
}

/* "50.3 ms, no loss" */
static void say_round_trip(struct case_at_hand *at)
{
    const struct tally_service *tally = at->tally;
    struct text words = {0};
    sonde_ns mean = rtt_mean(&tally->rtt);
    if (mean >= 0) {
        text_add_ms(&words, mean);
        text_add(&words, " ms, ");
    }
    if (tally->received == tally->sent)
        text_add(&words, "no loss");
    else if (tally->sent > 0)
        text_addf(&words, "%.1f%% loss",
                  100.0 * (double)(tally->sent - tally->received) / (double)tally->sent);
    if (tally->received == 0)
        text_add(&words, ", answered late");
    say(at, &words);
    text_deinit(&words);
}

/* Add "; icmp and 443/tcp pass", or "; icmp, 22/tcp, 443/tcp and 9 others pass". */
static void add_passing(const struct case_at_hand *at, struct text *words)
{
    const struct tally_target *tally = at->target->tally;
    uint32_t passing = 0;
    uint32_t said = 0;
    for (uint32_t i = 0; i < tally->service_count; i++)
        passing += i != at->service && analyze_reached(at->target, i);
    uint32_t named = passing > PASSING_NAMED + 1 ? PASSING_NAMED : passing;
    for (uint32_t i = 0; i < tally->service_count && said < named; i++) {
        if (i == at->service || !analyze_reached(at->target, i))
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

static void say_silence(struct case_at_hand *at)
{
    struct text words = {0};
    text_addf(&words, "no answer to %" PRIu64 " probes",
              at->tally->outcomes[SONDE_OUTCOME_NO_REPLY].ended);
    add_passing(at, &words);
    say(at, &words);
    text_deinit(&words);
}

/* "by hop 4 (10.4.0.1): administratively prohibited" */
static void say_refusal(struct case_at_hand *at)
{
    const struct tally_evidence *evidence = &at->tally->outcomes[at->analysis->deciding].evidence;
    char addr[SONDE_ADDR_TEXT_BYTES];
    struct text words = {0};
    struct sonde_place *reporter = &at->analysis->blame.reporter;
    reporter->address = evidence->from;
    reporter->ttl = analyze_find_hop(at->target, &evidence->from);
    at->analysis->has_blame = true;
    sonde_addr_text(&evidence->from, addr);
    if (sonde_addr_equal(&evidence->from, &at->target->tally->addr))
        text_add(&words, "by the target itself");
    else if (reporter->ttl != 0)
        text_addf(&words, "by hop %u (%s)", reporter->ttl, addr);
    else
        text_addf(&words, "by %s", addr);
    text_addf(&words, ": %s",
              sonde_unreachable_text(at->target->tally->addr.family, (uint8_t)evidence->icmp_code));
    say(at, &words);
    text_deinit(&words);
}

/* "no answer; the path is seen up to hop 3 (10.3.0.1)" */
static void say_unreachable(struct case_at_hand *at)
{
    struct text words = {0};
    const struct tally_evidence *host =
        &at->tally->outcomes[SONDE_OUTCOME_HOST_UNREACHABLE].evidence;
    const struct tally_evidence *net = &at->tally->outcomes[SONDE_OUTCOME_NET_UNREACHABLE].evidence;
    const struct tally_evidence *word = host->valid ? host : net;
    const struct sonde_addr *from = NULL;
    uint8_t ttl = at->tally->reach.top_ttl;
    if (word->valid) {
        from = &word->from;
        ttl = analyze_find_hop(at->target, from);
        at->analysis->has_blame = true;
        at->analysis->blame.reporter = (struct sonde_place){ttl, *from};
        text_addf(&words, "%s, says ",
                  sonde_unreachable_text(at->target->tally->addr.family, (uint8_t)word->icmp_code));
    } else if (at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].ended > 0) {
        from = &at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].evidence.from;
        ttl = at->tally->outcomes[SONDE_OUTCOME_TTL_EXCEEDED].evidence.probe_ttl;
        text_add(&words, "the path loops or is too long: the TTL ran out at ");
    } else if (ttl != 0) {
        const struct tally_hop *hop = at->tally->hops[ttl];
        from = &hop->responders[hop->current].addr;
        text_add(&words, "no answer; the path is seen up to ");
    } else {
        text_add(&words, "no answer, not even from the first hop");
    }
    if (from != NULL) {
        char addr[SONDE_ADDR_TEXT_BYTES];
        sonde_addr_text(from, addr);
        if (ttl != 0)
            text_addf(&words, "hop %u (%s)", ttl, addr);
        else
            text_add(&words, addr);
    }
    say(at, &words);
    text_deinit(&words);
}

/* Nothing to judge by: what kept us from it? Local causes come first. */
static void judge_unknown(struct case_at_hand *at)
{
    struct analysis *analysis = at->analysis;
    struct text words = {0};
    const char *reason;
    switch (at->tally->last_error) {
    case 0:
        analysis->code = SONDE_CODE_INCONCLUSIVE;
        text_add(&words, "too few probes to tell");
        break;
    case EPERM:
    case EACCES:
        analysis->code = SONDE_CODE_LOCAL_BLOCKED;
        text_add(&words, "this machine's own firewall refuses to send the probes");
        break;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        analysis->code = SONDE_CODE_NO_ROUTE;
        text_add(&words, "this machine has no route there");
        break;
    default:
        analysis->code = SONDE_CODE_INCONCLUSIVE;
        reason = strerrordesc_np(at->tally->last_error);
        text_addf(&words, "the probes cannot be sent: %s", reason != NULL ? reason : "?");
        break;
    }
    say(at, &words);
    text_deinit(&words);
}

/* How far silence can be trusted. */
static enum sonde_confidence silence_confidence(const struct case_at_hand *at)
{
    uint32_t controls = 0;
    uint64_t silent = at->tally->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
    for (uint32_t i = 0; i < at->target->tally->service_count; i++)
        controls += i != at->service && analyze_reached(at->target, i);
    if (silent >= 3 && controls >= 2)
        return SONDE_CONFIDENCE_HIGH;
    return silent >= 2 && controls >= 1 ? SONDE_CONFIDENCE_MEDIUM : SONDE_CONFIDENCE_LOW;
}

static void judge(struct case_at_hand *at)
{
    static const enum sonde_code codes[SONDE_STATE_COUNT] = {
        [SONDE_STATE_OPEN] = SONDE_CODE_OK,
        [SONDE_STATE_CLOSED] = SONDE_CODE_PORT_CLOSED,
        [SONDE_STATE_FILTERED] = SONDE_CODE_PORT_FILTERED,
        [SONDE_STATE_REJECTED] = SONDE_CODE_PORT_REJECTED,
        [SONDE_STATE_OPEN_OR_FILTERED] = SONDE_CODE_UDP_UNCONFIRMED,
        [SONDE_STATE_UNREACHABLE] = SONDE_CODE_HOST_UNREACHABLE,
    };
    struct analysis *analysis = at->analysis;
    analysis->code = codes[analysis->state];
    analysis->level = SONDE_LEVEL_FAILED;
    analysis->confidence = SONDE_CONFIDENCE_HIGH; /* the culprit's, or the service's, own word */
    switch (analysis->state) {
    case SONDE_STATE_OPEN:
        analysis->level = SONDE_LEVEL_OK;
        say_round_trip(at);
        break;
    case SONDE_STATE_CLOSED:
        say_round_trip(at);
        break;
    case SONDE_STATE_REJECTED:
        say_refusal(at);
        break;
    case SONDE_STATE_OPEN_OR_FILTERED:
        analysis->level = SONDE_LEVEL_DEGRADED;
        analysis->confidence = silence_confidence(at);
        say_silence(at);
        break;
    case SONDE_STATE_FILTERED:
        analysis->confidence = silence_confidence(at);
        say_silence(at);
        break;
    case SONDE_STATE_UNREACHABLE:
        analysis->confidence = silence_confidence(at);
        say_unreachable(at);
        break;
    case SONDE_STATE_UNKNOWN:
    case SONDE_STATE_COUNT:
        analysis->level = SONDE_LEVEL_UNKNOWN;
        analysis->confidence = SONDE_CONFIDENCE_LOW;
        judge_unknown(at);
        break;
    }
}

void analyze_service(const struct analyze_target *target, uint32_t service,
                     struct analysis *ret_analysis)
{
    struct analysis analysis = {0};
    struct case_at_hand at = {target, service, &target->tally->services[service], &analysis};
    analysis.state = analyze_state(target, service, &analysis.deciding);
    judge(&at);
    if (target->services[service].control && analysis.state != SONDE_STATE_UNREACHABLE &&
        analysis.state != SONDE_STATE_UNKNOWN) {
        analysis.level = SONDE_LEVEL_OK; /* it is there for comparison: nothing is expected of it */
        analysis.code = SONDE_CODE_OK;
    }
    *ret_analysis = analysis;
}
