/* SPDX-License-Identifier: BSD-2-Clause */
/* What one trace may send, and when: the questions to its claims, its flights and the budget. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include "engine/state.h"

/* So many refusals in a cycle may have been all that a router had: a Linux router gives six at
 * once, and it was asked for other answers, too. */
enum { TRACE_REFUSALS_MANY = 4 };

/** Something has happened to a trace: note where it stands then. */
void trace_take_event(struct engine_trace *trace, enum standing_event event);

/** @return true if a probe of the trace at this TTL begins an attempt of its own: it is meant to
 *  arrive, and its answer will not name it. */
bool trace_begins_attempt(const struct engine_target *target, const struct engine_trace *trace,
                          unsigned ttl);

/** @return true if a TTL-limited probe of the trace goes ahead while nobody has found how far the
 * target is, in a form that a target would not answer; see struct probe_name. */
bool trace_is_blind(const struct engine_target *target, const struct engine_trace *trace,
                    unsigned ttl);

/** @return When the trace may send a TTL-limited probe so that what comes back can be told apart,
 * and there is room to remember it; INT64_MIN: at once. */
sonde_ns trace_free_ns(const struct engine *engine, const struct engine_target *target,
                       const struct engine_trace *trace, unsigned ttl);

/** @return Likewise for its full-TTL probe. */
sonde_ns trace_full_ns(const struct engine *engine, const struct engine_target *target,
                       const struct engine_trace *trace);

/** @return When a service that is asked slowly may be asked again (engine/ration.h); INT64_MIN: at
 *  once. When the last cycle has begun, what is left is not asked slowly: the run would take
 * longer. */
sonde_ns trace_slow_ns(const struct engine_target *target, const struct engine_trace *trace);

/** @return true if who says this on the way has dropped what he says it of. Who has looked for the
 *  host in vain may pass on what came meanwhile, once he finds it. */
static inline bool trace_is_wall(enum sonde_outcome outcome)
{
    return outcome != SONDE_OUTCOME_HOST_UNREACHABLE;
}

/** @return true if who would refuse it refuses full-TTL probes of the trace. */
bool trace_was_refused(const struct engine_trace *trace);

/** @return Who would refuse a probe of the trace, and may have no refusal left: the host a UDP
 * port or a protocol that it lacks, or a router that has refused so many at once; 0 = nobody is
 * known. */
budget_key trace_refuser(const struct engine_target *target, const struct engine_trace *trace);

/** @return When whoever answers at a TTL can be asked again. @param keep  See budget_ready_ns(). */
sonde_ns trace_affordable_ns(const struct engine *engine, const struct engine_target *target,
                             const struct engine_trace *trace, unsigned ttl, unsigned keep);

/** @return The place in which the trace meets who stands at a TTL. */
struct budget_place trace_place_of(const struct engine_target *target,
                                   const struct engine_trace *trace, unsigned ttl);

/** Charge for a TTL-limited probe. @return What was charged. */
struct budget_charge trace_charge(struct engine *engine, const struct engine_target *target,
                                  const struct engine_trace *trace, unsigned ttl, sonde_ns now);

/** @return true if another trace of the target meets a router at a TTL. */
bool trace_others_meet(const struct engine_target *target, const struct engine_trace *trace,
                       unsigned ttl);

/** Note which attempt a probe is part of, and what its answer may be taken for. No other attempt is
 * begun before it has left. */
void trace_claim(const struct engine_target *target, struct engine_trace *trace,
                 struct flight *flight);

/** A probe has left: from now on its answer is waited for. */
void trace_left(const struct engine_target *target, struct engine_trace *trace,
                const struct flight *flight);

#endif
