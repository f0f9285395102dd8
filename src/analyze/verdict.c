/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of rules, and the verdict: the worst of what they find. */
#include "analyze/rules.h"

#include <inttypes.h>
#include <string.h>

/* A rule, and the code of its findings. */
static const struct rule {
    const char *id;
    enum sonde_code code;
    rule_look *look;
} rules[] = {
    {"local-blocked", SONDE_CODE_LOCAL_BLOCKED, rule_local_blocked},
    {"no-route", SONDE_CODE_NO_ROUTE, rule_no_route},
    {"too-big-here", SONDE_CODE_PACKET_TOO_BIG, rule_too_big_here},
    {"next-hop-silent", SONDE_CODE_HOST_UNREACHABLE, rule_next_hop_silent},
    {"packet-too-big", SONDE_CODE_PACKET_TOO_BIG, rule_packet_too_big},
    {"routing-loop", SONDE_CODE_ROUTING_LOOP, rule_routing_loop},
    {"host-unreachable", SONDE_CODE_HOST_UNREACHABLE, rule_host_unreachable},
    {"port-intercepted", SONDE_CODE_PORT_INTERCEPTED, rule_port_intercepted},
    {"port-rejected", SONDE_CODE_PORT_REJECTED, rule_port_rejected},
    {"port-filtered", SONDE_CODE_PORT_FILTERED, rule_port_filtered},
    {"port-closed", SONDE_CODE_PORT_CLOSED, rule_port_closed},
    {"rejected-at-times", SONDE_CODE_PORT_REJECTED, rule_rejected_at_times},
    {"closed-at-times", SONDE_CODE_PORT_CLOSED, rule_closed_at_times},
    {"port-unexpectedly-open", SONDE_CODE_PORT_UNEXPECTEDLY_OPEN, rule_port_unexpectedly_open},
    {"loss-over-limit", SONDE_CODE_LOSS_AT_DESTINATION, rule_loss_over_limit},
    {"loss-on-some-paths", SONDE_CODE_LOSS_ON_SOME_PATHS, rule_loss_on_some_paths},
    {"loss-at-destination", SONDE_CODE_LOSS_AT_DESTINATION, rule_loss_at_destination},
    {"latency-over-limit", SONDE_CODE_LATENCY_OVER_LIMIT, rule_latency_over_limit},
    {"outage", SONDE_CODE_OUTAGE, rule_outage},
    {"unstable", SONDE_CODE_UNSTABLE, rule_unstable},
    {"path-changed", SONDE_CODE_PATH_CHANGED, rule_path_changed},
    {"latency-changed", SONDE_CODE_LATENCY_CHANGED, rule_latency_changed},
    {"udp-unconfirmed", SONDE_CODE_UDP_UNCONFIRMED, rule_udp_unconfirmed},
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

/* Does a state say what was wanted: by default that the service answers? */
static bool is_met(enum sonde_state state, uint32_t expect)
{
    uint32_t wanted = expect != 0 ? expect : SONDE_STATE_BIT(SONDE_STATE_OPEN);
    return (wanted & SONDE_STATE_BIT(state)) != 0;
}

/* The rules about a port that is not open have nothing to complain of if it is so wanted. */
static bool is_wanted(const struct rule_case *at, enum sonde_code code)
{
    return at->expect != 0 && is_met(at->state, at->expect) && at->state != SONDE_STATE_OPEN &&
           (code == SONDE_CODE_PORT_REJECTED || code == SONDE_CODE_PORT_FILTERED ||
            code == SONDE_CODE_PORT_CLOSED || code == SONDE_CODE_UDP_UNCONFIRMED ||
            code == SONDE_CODE_HOST_UNREACHABLE || code == SONDE_CODE_ROUTING_LOOP ||
            code == SONDE_CODE_PORT_INTERCEPTED);
}

/* Is it about ways, of which there are none behind a program that stands for a network? */
static bool is_of_ways(const struct rule_case *at, enum sonde_code code)
{
    return at->target->next_hop.user_mode != NULL &&
           (code == SONDE_CODE_ROUTING_LOOP || code == SONDE_CODE_PATH_CHANGED);
}

/* Nothing is expected of a control: what is wrong with its port is no fault of the host's. */
static bool is_of_no_concern(const struct rule_case *at, enum sonde_code code)
{
    return at->target->services[at->service].control &&
           (code == SONDE_CODE_PORT_REJECTED || code == SONDE_CODE_PORT_FILTERED ||
            code == SONDE_CODE_PORT_CLOSED || code == SONDE_CODE_UDP_UNCONFIRMED);
}

static void insert(struct analysis *analysis, const struct finding *finding)
{
    uint32_t at = analysis->finding_count;
    while (at > 0 && sonde_is_worse(finding->level, finding->code, analysis->findings[at - 1].level,
                                    analysis->findings[at - 1].code))
        at--;
    if (at == ANALYZE_FINDINGS_MAX)
        return;
    uint32_t behind = analysis->finding_count - at;
    if (analysis->finding_count == ANALYZE_FINDINGS_MAX)
        behind--;
    else
        analysis->finding_count++;
    memmove(&analysis->findings[at + 1], &analysis->findings[at], behind * sizeof *finding);
    analysis->findings[at] = *finding;
}

/* A finding before its rule has looked. */
static struct finding blank(const struct rule_case *at, const char *id, enum sonde_code code)
{
    return (struct finding){
        .rule = id,
        .code = code,
        .level = SONDE_LEVEL_FAILED,
        .confidence = SONDE_CONFIDENCE_HIGH,
        .evidence =
            {
                .outcome = at->deciding,
                .sent = at->tally->sent,
                .received = at->tally->received,
            },
    };
}

/* Look with every rule. What is fine though a rule fires keeps its words, for the verdict; where
 * one says that there is too little evidence, that all is fine is uncertain, too. */
static void look(const struct rule_case *at, struct analysis *analysis, struct finding *ret_fine)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        struct finding finding = blank(at, rules[i].id, rules[i].code);
        enum rule_answer answer = rules[i].look(at, &finding);
        if (answer == RULE_INCONCLUSIVE)
            ret_fine->confidence = SONDE_CONFIDENCE_LOW;
        if (answer != RULE_FIRES || is_of_ways(at, rules[i].code))
            continue;
        if (at->target->next_hop.user_mode != NULL)
            finding.has_blame = false; /* nobody is known by a place */
        if (is_wanted(at, rules[i].code) || is_of_no_concern(at, rules[i].code))
            *ret_fine = finding;
        else
            insert(analysis, &finding);
    }
}

/* Nothing answers, and nothing else was asked. */
static void say_alone(const struct rule_case *at, struct text *words)
{
    words_silence(at, words);
    words_seen_up_to(at, words);
    text_add(words, "; nothing else of the host was asked, so it may be this port or the host");
}

/* Was anything else of the target asked? */
static bool has_company(const struct rule_case *at)
{
    for (uint32_t i = 0; i < at->target->tally->service_count; i++) {
        if (i != at->service && evidence_tally(at->target, i)->sent > 0)
            return true;
    }
    return false;
}

/* Too few probes for a state; what they show all the same. */
static void say_few(const struct rule_case *at, struct text *words)
{
    if (evidence_lost(at->tally) == 0) {
        text_add(words, "too few probes to tell");
        return;
    }
    words_silence(at, words);
    text_add(words, evidence_is_asked(at->target, at->service)
                        ? ", too few to tell"
                        : ", but not every question was asked");
    words_seen_up_to(at, words);
    if (!evidence_target_reached(at->target) && has_company(at))
        text_add(words, "; nothing else of the host answers");
    words_passing(at, words);
}

static void say_too_little(const struct rule_case *at, struct text *words)
{
    uint64_t silent = evidence_silent(at->target, at->service);
    if (silent < EVIDENCE_REPEATED || !evidence_is_asked(at->target, at->service)) {
        say_few(at, words);
    } else if (!evidence_target_reached(at->target)) {
        say_alone(at, words);
    } else {
        words_silence(at, words);
        text_add(words, ", which may be chance where so many are lost");
    }
}

void words_wanted(const struct rule_case *at, struct text *words)
{
    text_add(words, at->wanted->text);
    if (is_wanted(at, at->wanted->code))
        text_add(words, ", as expected");
}

/* No rule has anything to say against it. */
static struct finding nothing_wrong(const struct rule_case *at, const struct finding *fine)
{
    struct finding verdict = *fine;
    struct text words = {0};
    verdict.rule = "ok";
    verdict.code = SONDE_CODE_OK;
    verdict.level = SONDE_LEVEL_OK;
    if (at->state == SONDE_STATE_UNKNOWN) {
        verdict.rule = "inconclusive";
        verdict.code = SONDE_CODE_INCONCLUSIVE;
        verdict.level = SONDE_LEVEL_UNKNOWN;
        if (evidence_silent(at->target, at->service) >= EVIDENCE_REPEATED &&
            !evidence_target_reached(at->target))
            verdict.level = SONDE_LEVEL_FAILED; /* it does not answer; why is what is not known */
        verdict.confidence = SONDE_CONFIDENCE_LOW;
        if (at->tally->errors[0].error != 0)
            words_unsent(at, &words);
        else
            say_too_little(at, &words);
    } else if (fine->text[0] == '\0') {
        words_round_trip(at, &words);
        words_deaf(at, &words);
    } else {
        words_wanted(at, &words);
    }
    words_say(&verdict, &words);
    return verdict;
}

void analyze_service(const struct analyze_target *target, uint32_t service,
                     struct analysis *ret_analysis)
{
    struct analysis analysis = {.finding_count = 0};
    struct finding fine;
    analysis.state = analyze_state(target, service, &analysis.deciding);
    const struct rule_case at = {
        .target = target,
        .service = service,
        .tally = evidence_tally(target, service),
        .state = analysis.state,
        .deciding = analysis.deciding,
        .expect = target->services[service].expect,
        .wanted = &fine,
    };
    fine = blank(&at, "ok", SONDE_CODE_OK);
    if (at.deciding == SONDE_OUTCOME_OPEN)
        fine.confidence = evidence_own_answer(target, service);
    look(&at, &analysis, &fine);
    analysis.met = is_met(at.state, at.expect);
    analysis.verdict =
        analysis.finding_count > 0 ? analysis.findings[0] : nothing_wrong(&at, &fine);
    remarks_add(&at, &analysis.verdict);
    *ret_analysis = analysis;
}
