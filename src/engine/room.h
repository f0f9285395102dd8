/* SPDX-License-Identifier: BSD-2-Clause */
/* How much room an engine has for targets and traces, and all that goes with them. */
#ifndef ENGINE_ROOM_H
#define ENGINE_ROOM_H

#include "engine/state.h"

/** Make room for so many targets and traces in all, if there is less. @return 0; -ENOMEM: then
 *  there is as much room as before. */
SONDE_MUST_CHECK int room_grow(struct engine *engine, uint32_t targets, uint32_t traces);

#endif
