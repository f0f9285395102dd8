/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A closer look at services that are not simply fine.
 *
 * Silent: where is it lost? The hops behind the last that answered it are asked again, until each
 * was asked twice for it, and then for a control. The order matters: a router that rations its
 * answers and answers the control would have answered the silent service, which asked before.
 * Controls are traces of the same protocol that are answered, or the host's first. Where no trace
 * of the protocol is answered, one that stands by is begun, and all of them where nothing of the
 * target is answered.
 *
 * Odd: is it the target that answers? See engine/odd.h.
 *
 * Few are served at a time, since each costs every hop two answers; the next are when these are
 * done.
 */
#ifndef ENGINE_LOOK_H
#define ENGINE_LOOK_H

#include "engine/state.h"

enum { LOOK_ASKS = 2 /* probes to a hop that make its silence a finding */ };

/** Find out who is overdue or odd, and begin who has to be for it. The first part of a review.
 *  @return When that changes by time alone; SONDE_NS_NEVER: it does not. */
sonde_ns look_review(struct engine *engine, struct engine_target *target, sonde_ns now);

/** A cycle begins: whom silence makes worth another question is asked it beside. */
void look_begin_cycle(struct engine_target *target);

/** Choose who is served first. The last part of a review, when the limits of traces are set. */
void look_choose(const struct engine *engine, struct engine_target *target);

/** @return true if a trace has to be asked at a TTL for a look. */
bool look_needs(const struct engine *engine, const struct engine_target *target,
                const struct engine_trace *trace, unsigned ttl);

/** @return true if a silent trace is, or is to be, compared with a control at a TTL: something of
 *  what the router there may be asked has to be kept for that. */
bool look_compares(const struct engine_target *target, unsigned ttl);

/** @return The trace that owes an ask at a TTL as a control; NULL: none does.
 *  @param ret_ns  When it may be made. */
struct engine_trace *look_control(const struct engine_target *target, unsigned ttl,
                                  sonde_ns *ret_ns);

/** A trace was asked at a TTL: note what that was for. */
void look_asked(struct engine_target *target, struct engine_trace *trace, unsigned ttl,
                sonde_ns now);

#endif
