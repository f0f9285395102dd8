/* SPDX-License-Identifier: BSD-2-Clause */
/* See judge.h. */
#include "judge.h"

#include "analyze/analyze.h"
#include "fuzz.h"

#include <string.h>

enum { SERVICES_MAX = 4 };

static void check_rtt(const struct rtt_stats *rtt)
{
    if (rtt->samples == 0)
        return;
    FUZZ_CHECK(rtt->min_ns >= 0 && rtt_mean(rtt) >= rtt->min_ns && rtt_mean(rtt) <= rtt->max_ns);
    sonde_ns before = rtt->min_ns;
    for (unsigned percent = 1; percent <= 100; percent++) {
        FUZZ_CHECK(rtt_percentile(rtt, percent) >= before);
        before = rtt_percentile(rtt, percent);
    }
    FUZZ_CHECK(before <= rtt->max_ns);
    FUZZ_CHECK(rtt->samples == 1 || (rtt_stddev(rtt) >= 0 && rtt_jitter(rtt) >= 0));
}

static void check_hops(const struct analyze_target *target, uint32_t index)
{
    const struct tally_service *service = target->tally->services[index];
    for (unsigned ttl = 0; service->hops != NULL && ttl <= target->max_ttl; ttl++) {
        const struct tally_hop *hop = service->hops[ttl];
        if (hop == NULL)
            continue;
        uint64_t listed = hop->unlisted;
        for (uint32_t i = 0; i < hop->responder_count; i++)
            listed += hop->responders[i].received;
        FUZZ_CHECK(listed == hop->received && hop->received <= hop->sent);
        FUZZ_CHECK(hop->passed_over <= hop->sent - hop->received);
        FUZZ_CHECK(hop->current == TALLY_NOBODY || hop->current < hop->responder_count);
        check_rtt(&hop->rtt);
        (void)analyze_loss(target, index, (uint8_t)ttl);
    }
}

static void check_finding(const struct finding *finding)
{
    FUZZ_CHECK((unsigned)finding->code < SONDE_CODE_COUNT);
    FUZZ_CHECK((unsigned)finding->level < SONDE_LEVEL_COUNT);
    FUZZ_CHECK(finding->rule != NULL);
    fuzz_check_shown(finding->text, strlen(finding->text), false);
}

static void judge_service(const struct analyze_target *target, uint32_t index)
{
    const struct tally_service *service = target->tally->services[index];
    struct analysis analysis;
    FUZZ_CHECK(service->received <= service->sent);
    check_rtt(&service->rtt);
    check_hops(target, index);
    analyze_service(target, index, &analysis);
    FUZZ_CHECK((unsigned)analysis.state < SONDE_STATE_COUNT);
    check_finding(&analysis.verdict);
    FUZZ_CHECK(analysis.finding_count <= ANALYZE_FINDINGS_MAX);
    for (uint32_t i = 0; i < analysis.finding_count; i++)
        check_finding(&analysis.findings[i]);
    (void)analyze_distance(target, index);
    (void)analyze_stop(target, index, false);
}

void judge_tally(const struct tally *tally, uint8_t max_ttl)
{
    static const struct analyze_service names[SERVICES_MAX] = {
        {.protocol = IP_PROTO_ICMP, .control = true, .name = "icmp"},
        {.protocol = IP_PROTO_TCP, .name = "443/tcp"},
        {.protocol = IP_PROTO_UDP, .name = "443/udp"},
        {.protocol = IP_PROTO_TCP, .name = "22/tcp"},
    };
    for (uint32_t i = 0; i < tally->target_count; i++) {
        const struct analyze_target target = {
            .tally = tally->targets[i],
            .services = names,
            .warn = {SONDE_NS_PER_MS, 0},
            .crit = {SONDE_NS_PER_S, 0.5},
            .max_ttl = max_ttl,
        };
        FUZZ_CHECK(target.tally->service_count <= SERVICES_MAX);
        for (uint32_t k = 0; k < target.tally->service_count; k++) {
            judge_service(&target, k);
            (void)tally_path_id(tally, target.tally->services[k]);
        }
    }
}
