/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said of a service is the same alone and in any company.
 *
 * A network is looked at with all of its services, and then again with the host and each of the
 * ports alone. Of a host that answers, state and code of a port have to be the same; or else one of
 * the two is not said with high confidence, for the other services are evidence, too: what answers
 * them is what a service is compared with, and where many fail at once, not all can be looked at
 * closer. So it may also be left open whether a silent UDP port is filtered; and company may show
 * that a device answers in the target's name, which alone looks like the target.
 *
 * Networks in which chance has a part are left out: there two runs differ anyway. Which of several
 * ways a flow takes hangs on its source port, so all have the same one (-L).
 */
#include "tests/property/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_PORT = 33000 };

struct totals {
    uint64_t networks;
    uint64_t services;
    uint64_t unsure; /* where they differ, as they may */
    uint64_t broken;
};

/* Has chance a part in what is answered? */
static bool is_chancy(const struct network *network)
{
    static const char *const signs[] = {
        "}!",                                                 /* packets are spread one by one */
        "\nat ",                                              /* the path changes */
        " burst=1\n", " burst=1 ", " burst=3\n", " burst=3 ", /* less than a Linux router answers */
    };
    bool chancy = network->loss != NETWORK_LOSSLESS || network_has(network, KIND_BURSTS) ||
                  network_has(network, KIND_RATIONING);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        chancy |= strstr(network->scenario.data, signs[i]) != NULL;
    return chancy;
}

static const struct sonde_service_result *find_service(const struct run *run,
                                                       const struct sonde_service_result *like)
{
    const struct sonde_target_result *target = &run->snapshot->targets[0];
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        if (strcmp(service->protocol, like->protocol) == 0 && service->port == like->port)
            return service;
    }
    abort();
}

static bool is_unsure(const struct sonde_service_result *service)
{
    return service->confidence != SONDE_CONFIDENCE_HIGH ||
           service->state == SONDE_STATE_OPEN_OR_FILTERED;
}

/* Does company show that a device answers in the target's name, who alone cannot be told from it?
 */
static bool is_found_out(const struct sonde_service_result *together)
{
    return together->verdict.code == SONDE_CODE_PORT_INTERCEPTED;
}

/* Compare a service in company with itself alone. @return true if they differ and are sure. */
static bool compare(const struct network *network, uint32_t index,
                    const struct sonde_service_result *together, struct totals *totals)
{
    struct network lone = *network;
    struct run run;
    lone.services[1] = network->services[index];
    lone.service_count = 2;
    run_make(&lone, &run);
    const struct sonde_service_result *alone = find_service(&run, together);
    bool same = alone->state == together->state && alone->verdict.code == together->verdict.code;
    bool unsure = is_unsure(alone) || is_unsure(together) || is_found_out(together);
    totals->services++;
    totals->unsure += !same && unsure;
    if (!same && !unsure)
        printf("#! %s:%u alone %s (%s): %s\n#!    in company %s (%s): %s\n", together->protocol,
               together->port, sonde_state_name(alone->state),
               sonde_confidence_name(alone->confidence), alone->verdict.text,
               sonde_state_name(together->state), sonde_confidence_name(together->confidence),
               together->verdict.text);
    run_free(&run);
    return !same && !unsure;
}

static void try_network(uint64_t seed, struct totals *totals)
{
    struct network network;
    struct run run;
    network_make(seed, KINDS_ALL, &network);
    network.options.vantage.source_port = SOURCE_PORT;
    network.options.plan.flows = 1; /* each would take a source port of its own */
    if (is_chancy(&network) || strcmp(network.services[0].protocol, "icmp") != 0) {
        network_free(&network);
        return;
    }
    run_make(&network, &run);
    const struct sonde_target_result *target = &run.snapshot->targets[0];
    bool answers = target->services[0].state == SONDE_STATE_OPEN;
    bool broken = false;
    totals->networks += answers;
    for (uint32_t i = 1; answers && i < network.service_count; i++)
        broken |= compare(&network, i, &target->services[i], totals);
    if (broken) {
        struct text command = {0};
        network_command(&network, &command);
        printf("# network %" PRIu64 "\n#! %s\n%s\n", seed, command.data, network.scenario.data);
        text_deinit(&command);
    }
    totals->broken += broken;
    run_free(&run);
    network_free(&network);
}

int main(int argc, char **argv)
{
    struct totals totals = {0};
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (uint64_t i = 0; i < count; i++)
        try_network(seed + i, &totals);
    printf("%" PRIu64 " networks, %" PRIu64 " services; %" PRIu64
           " differ, as they may; networks that differ: %" PRIu64 "\n",
           totals.networks, totals.services, totals.unsure, totals.broken);
    return totals.broken > 0 || totals.services < count / 4; /* or nothing was compared */
}
