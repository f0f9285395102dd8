/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came in over many sockets, in one order. An error queue has to be read before the next probe
 * leaves, so what is in it cannot wait there until somebody asks.
 */
#include "io/linux/unprivileged_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int arrivals_init(struct arrivals *arrivals)
{
    *arrivals = (struct arrivals){.spare = ARRIVALS_MAX};
    arrivals->slots = malloc(ARRIVALS_MAX * sizeof *arrivals->slots);
    for (uint32_t i = 0; i < ARRIVALS_MAX; i++)
        arrivals->order[i] = (uint16_t)i;
    return arrivals->slots != NULL ? 0 : -ENOMEM;
}

void arrivals_deinit(struct arrivals *arrivals)
{
    free(arrivals->slots);
}

struct arrival *arrivals_spare(struct arrivals *arrivals)
{
    if (arrivals->spare == 0)
        return NULL;
    struct arrival *arrival = &arrivals->slots[arrivals->order[ARRIVALS_MAX - 1]];
    arrival->result = 0;
    return arrival;
}

void arrivals_add(struct arrivals *arrivals)
{
    uint16_t slot = arrivals->order[ARRIVALS_MAX - 1];
    sonde_ns time = arrivals->slots[slot].rx.stamp.time_ns;
    uint32_t at = arrivals->waiting;
    while (at > 0 && arrivals->slots[arrivals->order[at - 1]].rx.stamp.time_ns > time)
        at--;
    memmove(&arrivals->order[at + 1], &arrivals->order[at],
            (ARRIVALS_MAX - 1 - at) * sizeof *arrivals->order);
    arrivals->order[at] = slot;
    arrivals->waiting++;
    arrivals->spare--;
}

struct arrival *arrivals_take(struct arrivals *arrivals)
{
    arrivals->spare = ARRIVALS_MAX - arrivals->waiting; /* what was lent out comes back */
    if (arrivals->waiting == 0)
        return NULL;
    uint16_t slot = arrivals->order[0];
    uint32_t rest = --arrivals->waiting;
    memmove(arrivals->order, arrivals->order + 1, rest * sizeof *arrivals->order);
    arrivals->order[rest] = slot; /* behind those that wait, and before those that are spare */
    return &arrivals->slots[slot];
}
