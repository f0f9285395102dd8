/* SPDX-License-Identifier: BSD-2-Clause */
/* A run: from its start to its end. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "engine/state.h"

/** Nothing is left to be done, and nothing can come: then the run is complete. */
void run_end_if_complete(struct engine_run *run);

/** @return When a run has to be looked at though none of its targets has: a probe was in flight for
 *  as long as any answer is waited for, or its time is up. */
sonde_ns run_deadline_ns(const struct engine_run *run);

/** Give up what is in flight for longer than any answer is waited for. @return false if there is no
 *  place for more events. */
bool run_expire(struct engine_run *run, sonde_ns now);

/** Look at a target whose time has come. @return Likewise. */
bool run_look_at(struct engine_target *target, sonde_ns now);

/** End a run, if its time is up. @return Likewise. */
bool run_end_if_over(struct engine_run *run, sonde_ns now);

#endif
