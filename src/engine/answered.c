/* SPDX-License-Identifier: BSD-2-Clause */
/* When answered probes left; see engine/answered.h. */
#include "engine/answered.h"

static const sonde_ns UNIT_NS = SONDE_NS_PER_MS / 10;
enum { AFTER_MIN = 10, AFTER_MAX = 500 /* in these units */ };

static uint32_t in_units(sonde_ns sent_ns)
{
    return (uint32_t)(sent_ns / UNIT_NS);
}

void answered_note(struct answered *answered, sonde_ns sent_ns)
{
    answered->sent[answered->next++ % ANSWERED_KEPT] = in_units(sent_ns);
}

bool answered_after(const struct answered *answered, sonde_ns sent_ns)
{
    for (unsigned i = 0; i < ANSWERED_KEPT && i < answered->next; i++) {
        uint32_t after = answered->sent[i] - in_units(sent_ns);
        if (after >= AFTER_MIN && after <= AFTER_MAX)
            return true;
    }
    return false;
}
