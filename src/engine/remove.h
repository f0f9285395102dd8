/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces, targets and runs are removed.
 *
 * What a trace has in flight when it is removed may be answered later, and not every answer names
 * what it is to. So the trace stays where arrivals find it, until every answer has come that may:
 * nobody else gets its flow, and what comes for it is counted as too late.
 */
#ifndef ENGINE_REMOVE_H
#define ENGINE_REMOVE_H

#include "engine/state.h"

/** No answer comes later than this after a probe was given up. */
static const sonde_ns REMOVE_LATE_NS = 10 * SONDE_NS_PER_S;

/** Forget what the probes of a run in flight are waited for, and what it wants to send. */
void remove_flights(struct engine_run *run);

/** Free the removed traces of which no answer can come any more. */
void remove_quiet(struct engine *engine, sonde_ns now);

/** Free everything: all runs, and traces that were removed. */
void remove_all(struct engine *engine);

/** Free a target that is in no table, without its traces; NULL is fine. */
void target_free(struct engine_target *target);

#endif
