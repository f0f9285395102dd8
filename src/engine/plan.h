/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target sends, and when, and how long it waits for answers.
 *
 * State first: a cycle begins with one full-TTL probe for each trace. Path second: the walk up the
 * path goes on beside them (engine/walk.h). A full-TTL probe whose turn has come may have to wait,
 * because its answer could not be told from that to the one before (engine/claim.h), or because the
 * host rations its refusals: then it is sent later, and nothing is lost.
 *
 * A review looks at what has changed and makes anew what follows from it: who stands where, how far
 * each trace goes, who is looked at. It is due when an event has taught something, or by time.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "engine/state.h"

/** Begin a target: its first cycle is due at @p now. */
void plan_begin(struct engine *engine, struct engine_target *target, sonde_ns now);

/** Begin a trace that came to a target which has begun: it is asked in the present cycle. */
void plan_join(struct engine *engine, struct engine_target *target, uint32_t index, sonde_ns now);

/** Choose what to send now, and charge for it. @return false if nothing is due. */
bool plan_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice);

/** Do what time or events have made due, and put a target where it belongs among those that send
 * and wait. After everything that happens to it. */
void plan_update(struct engine *engine, struct engine_target *target, sonde_ns now);

/** @return true if a target has nothing more to send, unless an answer changes that. Who is paused
 *  has. */
bool plan_all_sent(const struct engine_target *target);

/** @return How long the answer of a service to a question may take, judged by the round trips seen.
 */
sonde_ns plan_patience_ns(const struct engine_trace *trace, unsigned question);

/** @return When a flying probe counts as lost, once its target has nothing more to send. */
sonde_ns plan_lost_ns(const struct engine *engine, const struct flight *flight);

/** @return Until when an answer to a probe of the trace to this TTL may come; INT64_MIN: none is in
 *  flight. */
sonde_ns plan_flying_until_ns(const struct engine *engine, const struct engine_trace *trace,
                              unsigned ttl);

/** @return When a target that has nothing more to send stops waiting for answers; 0 if nothing is
 * in flight. */
sonde_ns plan_settled_ns(const struct engine *engine, const struct engine_target *target);

/** @return When it is done: not before that, nor, where nothing has answered, before the last
 * router has had the time to say that it does not find the target. */
sonde_ns plan_done_ns(const struct engine *engine, const struct engine_target *target);

#endif
