/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ration: does the target answer a service only so often?
 *
 * Servers and firewalls limit what they answer to one address, a name server to five responses a
 * second, say. Whoever asks more often sees loss that the network does not have. That can be told:
 * who is asked once a second, and then loses nothing, has lost before because of the asking. (Not
 * found out is who answers less than one in a second.)
 *
 *               16 of 32 lost, asked more often
 *     USUAL -------------------------------------> SLOW: one a second
 *      ^ ^                                         |    |
 *      | +--- one is lost: it is not that ---------+    | so many are answered that
 *      |      (and not tried again for a while)         | it is no chance
 *      |                                                v
 *      +----- less than 5 of 32 are lost ------------- CHECK: asked as before
 *      |      (what was lost was so for a while)        |
 *      |                                                | 5 of 32 are lost again
 *      |                                                v
 *      +----- 4 of 32 are lost nevertheless --------- RATIONED: one a second; after 256 of
 *                                                      these back to CHECK
 *
 * Fast, slow and fast again: an outage that ends while it is asked slowly is no rationing. And who
 * is not rationed any more is found out by asking fast from time to time.
 * What is not asked meanwhile is not made up for: the service has fewer probes than there were
 * cycles, and the run takes no longer.
 */
#ifndef ENGINE_RATION_H
#define ENGINE_RATION_H

#include "base/time.h"

#include <stdbool.h>

/** Asked so much later than the probe before, a service is asked slowly: about once a second, as
 * cycles come a little early or late. */
static const sonde_ns RATION_NS = 950 * SONDE_NS_PER_MS;

enum ration_state {
    RATION_USUAL,
    RATION_SLOW,
    RATION_CHECK,
    RATION_RATIONED,
};

/** Of one service. {0} is "it was never asked". */
struct ration {
    enum ration_state state;
    uint32_t lost;     /* a bit for each of the last 32 probes that ended: it was lost */
    bool believed;     /* it is answered only so often, as far as was found out last */
    uint8_t known;     /* of the last 32 probes, how many there were */
    uint8_t share;     /* lost of 32, when it was asked slowly first */
    uint8_t in_a_row;  /* answered since */
    uint32_t next_try; /* probes that have to end before it is tried again */
    uint32_t pause;    /* and how many these were, last */
};

/** @return true if the service is asked once a second. */
static inline bool ration_is_slow(const struct ration *ration)
{
    return ration->state == RATION_SLOW || ration->state == RATION_RATIONED;
}

/**
 * A full-TTL probe of the service has ended, answered or lost.
 * @param spaced  It left RATION_NS or longer after the one before.
 */
void ration_note(struct ration *ration, bool lost, bool spaced);

#endif
