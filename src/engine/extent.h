/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extent: how far the probes of a trace go.
 *
 * A probe that arrives at the target is a question to it. So only a scout goes ahead while nobody
 * knows how far the target is: the first ICMP trace, whose echoes cost a host little, and with raw
 * sockets the first TCP and the first SCTP trace, whose probes a host drops while they go ahead.
 * The others wait until something shows the distance, go up to the hop before it, and ask the
 * target at that distance once, to confirm it, and once more if that was wrong.
 *
 * The words for TTLs, from near to far:
 *
 *     top        the farthest at which a router has answered
 *     floor      the smallest with which a probe may arrive at the target
 *     dest       of a trace, the smallest at which the target has answered (engine/reach.h)
 *     distance   of a target, the smallest dest of its traces
 *     end        of a trace, where it ends as far as anything shows: at its dest or at who refuses;
 *                or else at the distance, or where the TTL of an answer lets the target seem to be
 *     limit      the largest that is worth asking now
 */
#ifndef ENGINE_EXTENT_H
#define ENGINE_EXTENT_H

#include "engine/state.h"

enum { EXTENT_ARRIVALS = 2 /* TTL-limited probes of a trace that are meant to arrive, at most */ };

/** Sum up what the traces of a target know of its distance, and whether one goes ahead. */
void extent_learn(const struct engine *engine, struct engine_target *target);

/** @return How many hops away a service is by the TTL of its answers, if the way back is as long as
 * the way there; 0 = unknown. */
unsigned extent_guess(const struct engine_trace *trace);

/** @return true if a trace goes ahead with pings, which cost a host little. */
static inline bool extent_is_ping(const struct engine_trace *trace)
{
    return trace->scout && !trace->ops->has_ports;
}

/** @return The TTL at which a trace ends as far as anything shows it: at the target, or at who
 *  refuses in its place; 0 = nothing does. */
unsigned extent_end(const struct engine_target *target, const struct engine_trace *trace);

/** @return true if everything shows already that a TCP trace ends where another found the target:
 *  it met the router before, or the last that anybody met, and the TTL of its answers shows the
 *  same distance. */
bool extent_is_shown(const struct engine_target *target, const struct engine_trace *trace);

/** @return The smallest TTL with which a probe of the trace may arrive. */
unsigned extent_floor(const struct engine_target *target, const struct engine_trace *trace);

/** @return The largest TTL that is worth asking on a trace now; 0 = none is. */
unsigned extent_limit(const struct engine_target *target, const struct engine_trace *trace,
                      sonde_ns now);

/** @return When a larger TTL becomes worth asking by time alone; SONDE_NS_NEVER: it does not. */
sonde_ns extent_grows_ns(const struct engine_target *target, const struct engine_trace *trace,
                         sonde_ns now);

#endif
