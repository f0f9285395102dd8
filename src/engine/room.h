/* SPDX-License-Identifier: BSD-2-Clause */
/* How much room an engine has for targets and traces, and all that goes with them. */
#ifndef ENGINE_ROOM_H
#define ENGINE_ROOM_H

#include "engine/state.h"

/** Make tables long enough for targets that are expected, so that they need not grow one step after
 *  another, each leaving a gap in memory. @return 0; -ENOMEM. */
SONDE_MUST_CHECK int room_expect(struct engine *engine, uint32_t targets);

/** Make room for one more target with so many traces of a plan, and count these. @return 0;
 *  -ENOMEM: nothing is counted. */
SONDE_MUST_CHECK int room_grow(struct engine *engine, const struct engine_plan *plan,
                               uint32_t traces);

/** So many traces of a plan have nothing in flight any more. */
void room_release(struct engine *engine, const struct engine_plan *plan, uint32_t traces);

/** Free all room, since nobody is there any more. */
void room_deinit(struct engine *engine);

#endif
