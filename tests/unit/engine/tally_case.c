/* SPDX-License-Identifier: BSD-2-Clause */
/* See tally_case.h. */
#include "tests/unit/engine/tally_case.h"

#include <criterion/criterion.h>

struct tally *case_tally(void)
{
    struct tally *tally = NULL;
    struct sonde_addr addr = record_addr(CASE_TARGET);
    cr_assert_eq(tally_new(CASE_MAX_TTL, &tally), 0);
    cr_assert_eq(tally_add_target(tally, &addr, 3), 0);
    return tally;
}

const struct tally_service *case_service(const struct tally *tally, uint32_t service)
{
    return tally->targets[0]->services[service];
}

void case_fold(struct tally *tally, struct sonde_event event)
{
    tally_on_event(tally, &event);
}

void case_router(struct tally *tally, uint32_t cycle, uint8_t ttl, const char *from)
{
    case_fold(tally, record_hop(0, cycle, ttl, SONDE_OUTCOME_TTL_EXCEEDED, from));
}
