/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patience: how long an answer is worth waiting for, judged by the round trips to the same target.
 *
 * The longest round trip of late is what counts: a route that was slow an hour ago says nothing of
 * now. So there are two spans of time, the present one and the one before; both count.
 */
#ifndef ENGINE_PATIENCE_H
#define ENGINE_PATIENCE_H

#include "base/time.h"

/** What is known of the round trips to a target and the hops before it. {0} is "nothing". */
struct patience {
    sonde_ns longest_ns[2]; /* of the present span, and of the one before; 0 = there was none */
    sonde_ns nearest_ns[2]; /* the shortest of the target's, likewise */
    sonde_ns since_ns;      /* when the present span began */
    bool reached;           /* something has answered in the target's name */
    bool sure; /* and it was the target: a device on the way may accept or reset TCP and
                  answer over UDP in its name, but seldom answers pings */
};

/** Note a round trip of at least 0. @param of_target  It was of something in the target's name. */
void patience_note(struct patience *patience, sonde_ns rtt_ns, bool of_target, sonde_ns now);

/** Something has answered in the target's name, whether or not its round trip is known.
 *  @param sure  It is the target itself. */
void patience_reached(struct patience *patience, bool sure);

/** @return The longest round trip of late; 0 = there was none. */
sonde_ns patience_longest_ns(const struct patience *patience);

/** @return The shortest round trip of the target's of late; 0 = there was none. */
sonde_ns patience_nearest_ns(const struct patience *patience);

/**
 * @return How long the answer of a router is waited for, and after how much silence a service is
 *         looked at closer. Routers below a target that has answered are nearer than it.
 *         SONDE_NS_NEVER: nothing is known to judge by.
 */
sonde_ns patience_router_ns(const struct patience *patience);

/** @return How long the answer of a target is waited for; SONDE_NS_NEVER: nothing is known. */
sonde_ns patience_target_ns(const struct patience *patience);

/** @return How old a probe may be that an answer which names none is for. */
sonde_ns patience_claim_ns(const struct patience *patience);

#endif
