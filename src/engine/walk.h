/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk up the path: which TTL is asked next, and for whom.
 *
 * In each cycle a target makes a pass over its TTLs, from the first on, four steps a millisecond.
 * At each, the traces that want to ask there take turns (engine/turn.h), as far as the budget of
 * the router allows. What cannot be afforded is left for the next cycle, unless it is worth waiting
 * for; then the pass is made again when it can be.
 *
 * Hops that show nothing new for long are asked less often: every second cycle after a minute's
 * worth of cycles, every eighth at last.
 */
#ifndef ENGINE_WALK_H
#define ENGINE_WALK_H

#include "engine/state.h"

/** Begin a cycle: every trace wants to ask every TTL up to its limit, where that is due. */
void walk_begin_cycle(struct engine_target *target);

/** A trace's limit has changed: let it want what is new, and nothing beyond. */
void walk_set_limit(const struct engine *engine, struct engine_target *target,
                    struct engine_trace *trace, uint8_t limit_ttl);

/** The limits are set: let every trace want to ask again where it went ahead blindly and was not
 *  answered, and goes blindly no more. It is as if it had not been asked there. */
void walk_want_fresh(const struct engine *engine, const struct engine_target *target);

/** Let a trace want to ask a TTL again, in this cycle; one that is paused wants nothing. */
void walk_want(const struct engine_target *target, const struct engine_trace *trace, unsigned ttl);

/** @return Does a trace want to ask at this TTL or beyond? */
bool walk_is_wanted(const struct engine_target *target, const struct engine_trace *trace,
                    unsigned from_ttl);

/** A probe of a trace to a TTL has ended of which nobody knows whether it was answered: it is as if
 * it had not been asked, and is asked again as soon as that tells more. */
void walk_was_mute(const struct engine_target *target, const struct engine_trace *trace,
                   unsigned ttl);

/** A full-TTL probe leaves: the next step is one step later. */
void walk_hold(struct engine_target *target, sonde_ns now);

/** Something is wanted that was not: begin the pass anew. */
void walk_restart(struct engine_target *target);

/** Choose a TTL-limited probe to send now, and charge for it. @return false if none can be sent. */
bool walk_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice);

/** @return When walk_next() may have something; SONDE_NS_NEVER: not before something happens. */
sonde_ns walk_due_ns(const struct engine_target *target);

#endif
