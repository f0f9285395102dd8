/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gaps: this machine could not hear for a while. It slept, the program was held up, or there was no
 * way out.
 *
 * What was in flight then may have been answered without anybody hearing it. Its silence says
 * nothing, so it is cut: if it is answered nevertheless, that counts; if not, it ends unawaited
 * when it would be given up. No silence of its trace begins with it, and a hop that was asked by it
 * is asked again.
 */
#ifndef ENGINE_GAP_H
#define ENGINE_GAP_H

#include "engine/state.h"

/** Cut all that a target has in flight. */
void gap_cut(struct engine *engine, struct engine_target *target);

/** @return true if an error of sending says that this machine has no way to a target: an interface
 * is down, a route or an address is gone. @param error  A negative errno. */
bool gap_is_no_way(int error);

/** @return true if it is known how long the answer to a probe took. After a gap, this process may
 * have stamped it too late, and the clock may have stood still. */
bool gap_is_timed(const struct engine *engine, const struct flight *flight,
                  const struct sonde_stamp *stamp);

/** A probe that was cut is given up. */
void gap_end(struct engine *engine, uint32_t index);

#endif
