/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_parse(), and if it is a scenario, a short run on it in virtual time: up to three of its
 * hosts, three services of each, one cycle.
 */
#include "fuzz.h"
#include "io/sim/scenario.h"

#include <errno.h>
#include <sonde/run.h>
#include <string.h>

enum {
    HOSTS_MAX = 3,
    STEPS_MAX = 5000,
    MAX_TTL = 6,
    DOUBLINGS_MAX = 6, /* of a packet on its way, which multiply */
};

/* How often may a rule double a packet on a path? One that loops may be gone round 255 times. */
static unsigned count_doublings(const struct sim_path *path, const struct sim_rule *rule)
{
    unsigned count = rule->node == path->host;
    for (uint32_t i = 0; i < path->step_count; i++) {
        const struct sim_step *step = &path->steps[i];
        if (step->kind != SIM_STEP_NODE)
            continue;
        count += rule->node == step->node;
        if (step->loop_start)
            return DOUBLINGS_MAX + 1;
    }
    return count;
}

static bool is_too_fertile(const struct sim_scenario *scenario)
{
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        unsigned count = 0;
        for (uint32_t k = 0; k < scenario->rule_count; k++) {
            if (scenario->rules[k].action == SIM_DUPLICATE)
                count += count_doublings(&scenario->paths[i], &scenario->rules[k]);
        }
        if (count > DOUBLINGS_MAX)
            return true;
    }
    return false;
}

static void check_result(const struct sonde_service_result *service)
{
    uint64_t ended = 0;
    for (int i = 0; i < SONDE_OUTCOME_COUNT; i++)
        ended += service->outcomes[i];
    FUZZ_CHECK(ended ==
               service->sent + service->uncertain + service->outcomes[SONDE_OUTCOME_SEND_ERROR]);
    FUZZ_CHECK(service->received <= service->sent);
    FUZZ_CHECK(service->verdict.text != NULL);
    fuzz_check_shown(service->verdict.text, strlen(service->verdict.text), false);
    for (size_t i = 0; service->path != NULL && i < service->path->hop_count; i++) {
        const struct sonde_hop *hop = &service->path->hops[i];
        FUZZ_CHECK(hop->received <= hop->sent);
        FUZZ_CHECK(hop->ttl <= MAX_TTL);
    }
}

static void add_hosts(struct sonde_run *run, const struct sim_scenario *scenario)
{
    static const struct sonde_service services[] = {
        {.protocol = "icmp", .control = true},
        {.protocol = "tcp", .port = 443},
        {.protocol = "udp", .port = 53},
    };
    unsigned added = 0;
    for (uint32_t i = 0; i < scenario->node_count && added < HOSTS_MAX; i++) {
        const struct sim_node *node = &scenario->nodes[i];
        char text[SONDE_ADDR_TEXT_BYTES];
        if (!node->is_host)
            continue;
        bool ipv6 = node->addr4.family == SONDE_FAMILY_NONE;
        sonde_addr_text(ipv6 ? &node->addr6 : &node->addr4, text);
        FUZZ_CHECK(sonde_run_add(run, node->name, text, services, 3, NULL) == 0);
        added++;
    }
    if (scenario->name_count > 0)
        FUZZ_CHECK(sonde_run_add(run, "name", scenario->names[0].name, services, 3, NULL) == 0);
}

static void measure(struct sonde_vantage *vantage, struct sonde_run *run)
{
    struct sonde_snapshot *snapshot;
    int r = sonde_run_start(run);
    FUZZ_CHECK(r == 0);
    for (int i = 0; r == 0 && i < STEPS_MAX && !sonde_run_is_over(run); i++) {
        r = sonde_vantage_step(vantage);
        if (r == 0 && !sonde_run_is_over(run))
            r = sonde_vantage_wait(vantage, SONDE_NS_NEVER);
    }
    FUZZ_CHECK(r >= 0);
    FUZZ_CHECK(sonde_run_snapshot(run, &snapshot) == 0);
    for (size_t i = 0; i < snapshot->target_count; i++) {
        for (size_t k = 0; k < snapshot->targets[i].service_count; k++)
            check_result(&snapshot->targets[i].services[k]);
    }
    sonde_snapshot_free(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_scenario *scenario;
    struct sim_error reason = {0};
    int r = scenario_parse((struct sonde_span){data, size}, &scenario, &reason);
    if (r < 0) {
        FUZZ_CHECK(r == -EINVAL && reason.text[0] != '\0');
        fuzz_check_shown(reason.text, strlen(reason.text), false);
        return 0;
    }
    const struct sonde_simulation simulation = {
        .scenario = (const char *)data, .scenario_bytes = size, .virtual_time = true};
    const struct sonde_plan plan = {
        .cycles = 1, .max_ttl = MAX_TTL, .deadline_ns = 20 * SONDE_NS_PER_S};
    struct sonde_vantage *vantage = NULL;
    struct sonde_run *run;
    if (!is_too_fertile(scenario)) {
        const struct sonde_vantage_options options = {0};
        FUZZ_CHECK(sonde_vantage_new(&options, &simulation, &vantage, NULL) == 0);
        FUZZ_CHECK(sonde_run_new(vantage, &plan, NULL, NULL, &run, NULL) == 0);
        add_hosts(run, scenario);
        measure(vantage, run);
    }
    sonde_vantage_free(vantage);
    scenario_free(scenario);
    return 0;
}
