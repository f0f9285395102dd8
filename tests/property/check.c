/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot held against the truth; see tests/property/check.h. */
#include "tests/property/exam.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINUX_BURST = 6 /* errors that a Linux router sends at once: net/ipv4/icmp.c */ };

void exam_expect(const struct exam *exam, bool holds, const char *format, ...)
{
    char line[256];
    if (holds)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_addf(exam->broken, "%s: %s\n", exam->service->service, line);
    exam->totals->broken++;
}

bool exam_is_tokenless(const struct exam *exam)
{
    const struct sim_scenario *scenario = exam->run->scenario;
    if (strcmp(exam->service->protocol, "udp") != 0)
        return false;
    for (uint32_t i = 0; i < scenario->node_count; i++) {
        const struct sim_node *node = &scenario->nodes[i];
        for (uint32_t k = 0; k < node->port_count; k++) {
            if (node->ports[k].state == SIM_PORT_ANSWER)
                return true;
        }
    }
    return false;
}

/* Is a refusal one that also a host that is not there may draw? RFC 792, RFC 4443 §3.1. */
static bool is_routing(const struct exam *exam, uint8_t code)
{
    bool ipv6 = exam->run->snapshot->targets[0].address.family == SONDE_FAMILY_IPV6;
    return ipv6 ? code == 0 || code == 3 : code == 0 || code == 1;
}

/* ICMP port unreachable. */
static bool is_port(const struct exam *exam, uint8_t code)
{
    bool ipv6 = exam->run->snapshot->targets[0].address.family == SONDE_FAMILY_IPV6;
    return code == (ipv6 ? 4 : 3);
}

/* Is one probe all that was sent? One that is not answered in time shows nothing. */
static bool is_single(const struct exam *exam)
{
    return exam->service->sent < 2;
}

/* May silence be chance, or seem to be, as others seem to lose packets? */
static bool may_be_chance(const struct exam *exam)
{
    const struct sonde_target_result *target = &exam->run->snapshot->targets[0];
    bool may = exam->is_chancy || is_single(exam);
    for (size_t i = 0; i < target->service_count; i++)
        may |= target->services[i].received < target->services[i].sent &&
               target->services[i].evidence != NULL;
    return may;
}

/* Was no other service of the host asked, so that nobody can tell the port from the host? */
static bool is_alone(const struct exam *exam)
{
    const struct sonde_target_result *target = &exam->run->snapshot->targets[0];
    uint64_t sent = 0;
    for (size_t i = 0; i < target->service_count; i++)
        sent += target->services[i].sent;
    return sent == exam->service->sent;
}

static bool fits_silence(const struct exam *exam, enum sonde_state state)
{
    bool udp = strcmp(exam->service->protocol, "udp") == 0;
    return (state == SONDE_STATE_UNKNOWN && (may_be_chance(exam) || is_alone(exam))) ||
           state == SONDE_STATE_FILTERED || (udp && state == SONDE_STATE_OPEN_OR_FILTERED) ||
           (state == SONDE_STATE_UNREACHABLE && !is_alone(exam) &&
            (!exam->is_reached || exam->is_chancy));
}

/* Is there somebody who says so? */
static bool is_reported(const struct exam *exam)
{
    const struct sonde_blame *blame = exam->service->blame;
    return blame != NULL && blame->reporter.address.family != SONDE_FAMILY_NONE;
}

/* Can a service that meets this fate show this state? */
static bool fits(const struct exam *exam, const struct way *way, enum sonde_state state)
{
    bool at_host = way->place >= way->host && way->loop_at == way->len;
    if (state == SONDE_STATE_UNKNOWN && is_single(exam))
        return true;
    if ((way->rationed || way->loss > 0) && fits_silence(exam, state))
        return true;
    if (way->limited && exam->service->received == 0 && fits_silence(exam, state))
        return true;
    if (way->dead && exam->is_faked && state == SONDE_STATE_REJECTED)
        return true; /* a router says so, and something else seems to be there */
    if (way->dead && state == SONDE_STATE_UNREACHABLE && is_reported(exam))
        return true; /* about others, too, which another router drops */
    switch (way->fate) {
    case FATE_ANSWERED:
    case FATE_FAKED:
        return state == SONDE_STATE_OPEN;
    case FATE_CLOSED:
        /* a distance from before the path changed may let it seem to be a reset on the way */
        return state == SONDE_STATE_CLOSED || (exam->is_changing && state == SONDE_STATE_REJECTED);
    case FATE_RESET:
        return state == SONDE_STATE_CLOSED || state == SONDE_STATE_REJECTED;
    case FATE_REJECTED:
        if (at_host && is_port(exam, way->code))
            return state == SONDE_STATE_CLOSED;
        return state == SONDE_STATE_REJECTED ||
               (state == SONDE_STATE_UNREACHABLE && is_routing(exam, way->code));
    case FATE_LOOP:
        return state == SONDE_STATE_UNREACHABLE || fits_silence(exam, state);
    case FATE_SILENT:
        return fits_silence(exam, state);
    }
    return false;
}

static void check_state(const struct exam *exam)
{
    bool possible = false;
    for (uint32_t i = 0; i < exam->truth->count; i++)
        possible |= fits(exam, &exam->truth->ways[i], exam->service->state);
    exam_expect(exam, possible, "%s cannot be: %s", sonde_state_name(exam->service->state),
                exam->service->verdict.text);
}

/* A service that is fine is never called failed; and if nothing is lost, nothing is wrong. */
static void check_health(const struct exam *exam)
{
    const struct sonde_service_result *service = exam->service;
    double loss = 0;
    bool limited = false;
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        if (way->fate != FATE_ANSWERED)
            return;
        loss = fmax(loss, way->bursty ? sqrt(way->loss) : way->loss);
        limited |= way->limited;
    }
    exam->totals->healthy++;
    bool failed = service->verdict.level == SONDE_LEVEL_FAILED;
    if (limited) {
        exam_expect(exam, !failed || service->received == 0,
                    "it answers as often as it may, but called failed: %s", service->verdict.text);
        return;
    }
    if (loss > 0) {
        exam->totals->failed += failed;
        exam->totals->failed_bound += pow(loss, (double)service->sent);
        return;
    }
    exam_expect(exam, !failed, "it is fine, but called failed: %s", service->verdict.text);
    if (service->state == SONDE_STATE_UNKNOWN && is_single(exam))
        return;
    exam_expect(exam, service->state == SONDE_STATE_OPEN, "it is fine, but called %s",
                sonde_state_name(service->state));
    bool complete = service->received == service->sent;
    exam->totals->false_loss += !complete;
    exam_expect(exam, complete || exam_is_tokenless(exam), "%" PRIu64 " of %" PRIu64 " answers",
                service->received, service->sent);
    enum sonde_code code = service->verdict.code;
    exam_expect(exam,
                code == SONDE_CODE_OK || exam->is_changing || truth_is_split(exam->truth) ||
                    code == SONDE_CODE_PATH_CHANGED ||
                    (code == SONDE_CODE_LOSS_AT_DESTINATION && !complete),
                "nothing is wrong, but: %s", service->verdict.text);
}

/* Round trips are those of the links, there and back. */
static void check_times(const struct exam *exam)
{
    const struct sonde_rtt *rtt = &exam->service->rtt;
    sonde_ns least = SONDE_NS_NEVER;
    sonde_ns most = 0;
    for (uint32_t i = 0; i < exam->truth->count; i++) {
        const struct way *way = &exam->truth->ways[i];
        uint32_t end =
            way->fate == FATE_ANSWERED || way->fate == FATE_CLOSED ? way->len - 1 : way->place;
        uint16_t nodes[2 * TRUTH_NODES_MAX];
        uint32_t count = truth_back(way, end, nodes);
        for (uint32_t k = 0; k <= end; k++)
            nodes[count++] = way->nodes[k];
        nodes[count++] = way->nodes[end]; /* its link, there and back */
        sonde_ns delay = 0;
        sonde_ns jitter = 0;
        for (uint32_t k = 0; k < count; k++) {
            const struct sim_node *node = &exam->run->scenario->nodes[nodes[k]];
            delay += node->delay_ns;
            jitter += node->jitter_ns;
        }
        least = delay < least ? delay : least;
        most = delay + jitter > most ? delay + jitter : most;
    }
    bool possible = rtt->samples == 0 || (rtt->min_ns >= least && rtt->max_ns <= most);
    exam->totals->false_time += !possible;
    /* where the way becomes shorter, one that was to expire may arrive for one that is lost */
    exam_expect(exam, possible || exam_is_tokenless(exam) || exam->is_changing,
                "round trips of %" PRId64 " to %" PRId64 " ns are not possible", rtt->min_ns,
                rtt->max_ns);
}

/* Figures fit each other, and the path ends at the target. */
static void check_figures(const struct exam *exam)
{
    const struct sonde_service_result *service = exam->service;
    const struct sonde_path *path = service->path;
    /* each other question is asked once beside the cycles, and again when the service has become
     * silent, once in 64 cycles at most: engine/look.c, DOUBT_CYCLES */
    uint64_t times = 2 + exam->run->snapshot->settings.cycles / 64;
    uint64_t further = service->question_count > 1 ? (service->question_count - 1) * times : 0;
    uint64_t outcomes = 0;
    for (int i = 0; i < SONDE_OUTCOME_COUNT; i++)
        outcomes += service->outcomes[i];
    exam_expect(
        exam,
        service->received <= service->sent && service->sent + service->uncertain == outcomes &&
            outcomes <= service->path_count * (exam->run->snapshot->settings.cycles + further),
        "%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " outcomes", service->sent,
        service->received, outcomes);
    if (path == NULL)
        return;
    bool arrives = truth_has(exam->truth, FATE_ANSWERED) || truth_has(exam->truth, FATE_CLOSED);
    struct sonde_place end = {path->dest_ttl, exam->run->snapshot->targets[0].address};
    bool known = path->dest_ttl == 0 || !arrives || exam_is_own(exam, &end);
    exam->totals->false_distance += !known;
    exam_expect(exam, known || exam->is_chancy || exam_is_tokenless(exam),
                "a distance of %u is wrong", path->dest_ttl);
    uint8_t last = 0;
    for (size_t i = 0; i < path->hop_count; i++) {
        const struct sonde_hop *hop = &path->hops[i];
        exam_expect(exam, hop->received <= hop->sent && hop->ttl > last,
                    "hop %u: %" PRIu64 " sent, %" PRIu64 " received", hop->ttl, hop->sent,
                    hop->received);
        last = hop->ttl;
    }
    exam->totals->beyond += last > exam->farthest;
    exam_expect(exam,
                last <= exam->farthest || path->dest_ttl == 0 || exam->is_chancy ||
                    exam_is_tokenless(exam),
                "hop %u is beyond the target", last);
}

/* Does an answer come in the target's name? */
static bool is_answered(const struct way *way)
{
    bool at_host = way->place >= way->host && way->loop_at == way->len;
    return !way->rationed &&
           (way->fate == FATE_ANSWERED || way->fate == FATE_CLOSED || way->fate == FATE_RESET ||
            way->fate == FATE_FAKED || (way->fate == FATE_REJECTED && at_host));
}

/* Does a node answer less than it may be asked? The engine asks for five errors at once and then
 * for one a second; refusals come on top of that. */
static bool is_scarce(const struct network *network, const struct sim_scenario *scenario,
                      uint32_t index)
{
    const struct sim_node *node = &scenario->nodes[index];
    bool refuses = network_has(network, KIND_DEAD);
    for (uint32_t i = 0; i < scenario->rule_count; i++)
        refuses |= scenario->rules[i].node == index && scenario->rules[i].action == SIM_REJECT;
    return node->limit.interval_ns > 0 && (node->limit.burst < LINUX_BURST || refuses);
}

/* Does chance have a part in what is answered? */
static bool is_chancy(const struct network *network, const struct run *run)
{
    bool is = network->loss != NETWORK_LOSSLESS || run->scenario->path_count > 1;
    for (size_t i = 0; i < run->snapshot->targets[0].service_count; i++)
        is |= truth_is_split(&run->truths[i]) || run->truths[i].ways[0].limited;
    for (uint32_t i = 0; i < run->scenario->node_count; i++)
        is |= is_scarce(network, run->scenario, i);
    return is;
}

void check_run(const struct network *network, const struct run *run, struct totals *totals,
               struct text *broken)
{
    const struct sonde_target_result *target = &run->snapshot->targets[0];
    struct exam exam = {.network = network, .run = run, .totals = totals, .broken = broken};
    totals->networks++;
    exam.is_changing = run->scenario->path_count > 1;
    exam.is_chancy = is_chancy(network, run);
    for (uint32_t i = 0; i < run->scenario->rule_count; i++) {
        enum sim_action action = run->scenario->rules[i].action;
        exam.is_faked |= action == SIM_RESET || action == SIM_ANSWER;
    }
    for (size_t i = 0; i < target->service_count; i++) {
        const struct truth *truth = &run->truths[i];
        bool answered = true;
        for (uint32_t k = 0; k < truth->count; k++) {
            const struct way *way = &truth->ways[k];
            bool loops = way->loop_at < way->len;
            uint32_t distance = loops ? run->snapshot->settings.max_ttl : way->len;
            exam.farthest = distance > exam.farthest ? distance : exam.farthest;
            answered &= is_answered(way);
        }
        exam.is_reached |= answered;
    }
    for (size_t i = 0; i < target->service_count; i++) {
        exam.service = &target->services[i];
        exam.truth = &run->truths[i];
        totals->services++;
        totals->codes[exam.service->verdict.code]++;
        check_figures(&exam);
        check_times(&exam);
        check_state(&exam);
        check_health(&exam);
        exam_found(&exam);
        for (size_t k = 0; k < exam.service->finding_count; k++)
            exam_finding(&exam, &exam.service->findings[k]);
    }
}
