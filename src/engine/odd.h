/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is odd: does somebody else answer a trace in the target's name?
 *
 * Where others meet a router and this trace, though it is answered, never did when it was asked, it
 * is odd, and asked there again by itself. Where it was never asked, but its answers are unlike
 * those of the others (from another distance by their TTL, or much sooner), or say that the port is
 * closed, it is asked there first.
 */
#ifndef ENGINE_ODD_H
#define ENGINE_ODD_H

#include "engine/state.h"

/** Find out who is odd, and who is not any more. @return When that may change by time alone. */
sonde_ns odd_review(const struct engine *engine, struct engine_target *target, sonde_ns now);

/** @return true if a trace that is not odd has to be asked at a TTL, to prove that it is the target
 *  that answers it: first where others meet the last router before the target; and if none answers
 *  there, everywhere before. */
bool odd_needs(const struct engine_target *target, const struct engine_trace *trace, unsigned ttl);

/** @return true if odd_needs() is at any TTL that the target is asked at. */
bool odd_needs_any(const struct engine_target *target, const struct engine_trace *trace);

#endif
