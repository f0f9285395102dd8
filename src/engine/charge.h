/* SPDX-License-Identifier: BSD-2-Clause */
/* What was charged for probes that nobody answers; see engine/budget.h. */
#ifndef ENGINE_CHARGE_H
#define ENGINE_CHARGE_H

#include "engine/state.h"

/** @return After how long a router that does not answer is overdue. */
sonde_ns charge_doubt_ns(const struct engine_target *target);

/** Give back what turns out to have been asked in vain. @return When more does. */
sonde_ns charge_review(struct engine *engine, const struct engine_target *target, sonde_ns now);

#endif
