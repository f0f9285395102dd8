/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures begin anew; what is known stays. See engine/tally.h. */
#include "engine/tally_parts.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

static void reset_service(struct tally_service *service, uint8_t max_ttl, sonde_ns since_ns)
{
    struct tally_service anew = {
        .rationed = service->rationed,
        .reach = service->reach,
        .doubt_ns = service->doubt_ns,
        .hops = service->hops,
        .changes = service->changes,
        .changed_cycle = service->changed_cycle,
        .since_ns = ns_max(service->since_ns, since_ns),
    };
    for (unsigned i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        anew.outcomes[i].evidence = service->outcomes[i].evidence;
        anew.outcomes[i].evidence.valid = false;
    }
    for (unsigned ttl = 0; service->hops != NULL && ttl <= max_ttl; ttl++) {
        if (service->hops[ttl] != NULL)
            hop_reset(service->hops[ttl]);
    }
    rtt_deinit(&service->rtt);
    epochs_deinit(&service->epochs);
    free(service->way_changes.items);
    *service = anew;
}

void tally_reset(struct tally *tally, uint32_t index, uint32_t trace, sonde_ns since_ns)
{
    const struct tally_target *target = tally->targets[index];
    uint32_t service = tally_service_of(target, trace);
    struct tally_service *whole = tally_by_service(target)->services[service];
    reset_service(target->services[trace], tally->max_ttl, since_ns);
    if (whole != target->services[trace])
        reset_service(whole, tally->max_ttl, since_ns);
}

void tally_reset_common(struct tally *tally, sonde_ns since_ns)
{
    memset(tally->sent_clocks, 0, sizeof tally->sent_clocks);
    memset(tally->received_clocks, 0, sizeof tally->received_clocks);
    tally->send_errors = 0;
    tally->since_ns = since_ns;
}
