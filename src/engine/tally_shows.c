/* SPDX-License-Identifier: BSD-2-Clause */
/* What a tally shows of who answers, who refuses, and who stands where; see engine/tally.h. */
#include "engine/tally.h"

#include "base/prng.h"

#include <string.h>

bool tally_is_answered(const struct tally_service *service)
{
    bool answered = false;
    for (unsigned i = SONDE_OUTCOME_ECHO_REPLY; i <= SONDE_OUTCOME_PORT_UNREACHABLE; i++)
        answered |= tally_has_shown(service, (enum sonde_outcome)i);
    return answered;
}

const struct sonde_addr *tally_refuser(const struct tally_service *service)
{
    const struct sonde_addr *refuser = NULL;
    for (unsigned i = SONDE_OUTCOME_ADMIN_PROHIBITED; i <= SONDE_OUTCOME_OTHER_UNREACHABLE; i++) {
        if (tally_has_shown(service, (enum sonde_outcome)i))
            refuser = &service->outcomes[i].evidence.from;
    }
    return refuser;
}

const struct tally_responder *tally_router(const struct tally_service *service, unsigned ttl)
{
    const struct tally_hop *hop = service->hops != NULL ? service->hops[ttl] : NULL;
    if (hop == NULL || hop->current == TALLY_NOBODY || !ttl_set_has(&service->reach.expired, ttl))
        return NULL;
    return &hop->responders[hop->current];
}

uint64_t tally_path_id(const struct tally *tally, const struct tally_service *service)
{
    const struct reach *reach = &service->reach;
    unsigned end = reach->dest_ttl != 0 ? reach->dest_ttl - 1U : reach->top_ttl;
    uint64_t id = 0;
    for (unsigned ttl = 1; ttl <= end && ttl <= tally->max_ttl; ttl++) {
        const struct tally_responder *router = tally_router(service, ttl);
        if (router == NULL)
            continue;
        uint64_t words[2];
        memcpy(words, router->addr.bytes, sizeof words);
        id = mix64(id ^ mix64(words[0] ^ mix64(words[1] + ttl)));
    }
    return mix64(id + reach->dest_ttl) & UINT64_C(0xffffffffffff);
}
