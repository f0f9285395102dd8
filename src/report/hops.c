/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the hops of a target; see report/hops.h. */
#include "report/hops.h"

const struct sonde_hop *hops_at(const struct sonde_service_result *service, uint8_t ttl)
{
    for (size_t i = 0; service->path != NULL && i < service->path->hop_count; i++) {
        if (service->path->hops[i].ttl == ttl)
            return &service->path->hops[i];
    }
    return NULL;
}

bool hops_is_here(const struct sonde_hop *hop, const struct sonde_responder *responder)
{
    return hop->is_target || responder->kind == SONDE_OUTCOME_TTL_EXCEEDED;
}

const struct sonde_responder *hops_main(const struct sonde_hop *hop)
{
    const struct sonde_responder *best = NULL;
    for (size_t i = 0; hop != NULL && i < hop->responder_count; i++) {
        if (!hops_is_here(hop, &hop->responders[i]))
            continue;
        if (best == NULL || hop->responders[i].received > best->received)
            best = &hop->responders[i];
    }
    return best;
}

bool hops_is_asked(const struct sonde_target_result *target, uint8_t ttl)
{
    bool asked = false;
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_hop *hop = hops_at(&target->services[i], ttl);
        asked |= hop != NULL && hop->sent > 0;
    }
    return asked;
}

bool hops_is_distance(const struct sonde_target_result *target, uint8_t ttl)
{
    bool known = false;
    for (size_t i = 0; ttl != 0 && i < target->service_count; i++) {
        const struct sonde_path *path = target->services[i].path;
        known |= path != NULL && path->dest_ttl == ttl;
    }
    return known;
}

bool hops_is_timed(const struct sonde_hop *hop)
{
    bool timed = true;
    for (size_t i = 0; i < hop->responder_count; i++)
        timed &= hops_is_here(hop, &hop->responders[i]);
    return timed;
}
