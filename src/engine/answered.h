/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answered: when the probes left that the routers at one TTL have answered, be they of whichever
 * service.
 *
 * A router that rations its answers leaves probes unanswered because it has none to give just then.
 * It would not answer the next one either. So if another probe that left a little later was
 * answered, the one before it was passed over, and the ration is not why.
 *
 * Only the last few are remembered, in 68 bytes: there may be many targets.
 */
#ifndef ENGINE_ANSWERED_H
#define ENGINE_ANSWERED_H

#include "base/time.h"

enum { ANSWERED_KEPT = 16 /* probes that are remembered */ };

/** {0} is "none was answered". */
struct answered {
    uint32_t sent[ANSWERED_KEPT]; /* a ring; in units of 0.1 ms, modulo 2^32 */
    uint32_t next;                /* its place in the ring, modulo ANSWERED_KEPT; it counts all */
};

/** A router has answered the probe that left at this time. */
void answered_note(struct answered *answered, sonde_ns sent_ns);

/** @return true if a probe was answered that left a little later than this one: 1 to 50 ms, late
 *  enough not to have overtaken it, and soon enough for a router that rations its answers to have
 * no new one to give meanwhile. */
bool answered_after(const struct answered *answered, sonde_ns sent_ns);

#endif
