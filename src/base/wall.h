/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of day as text: RFC 3339, always UTC. */
#ifndef BASE_WALL_H
#define BASE_WALL_H

#include "base/text.h"

/** Add a time of day, cut to @p decimals (0 to 9) of a second. @param wall_ns  Since 1970, at least
 *  0. */
void wall_add(struct text *text, sonde_ns wall_ns, int decimals);

/** Add a moment of a run: "14:05:00", or "2026-12-01 00:05:00" unless it and the report are of the
 *  day on which the run started. All since 1970, at least 0. @param now_ns  Of the report. */
void wall_add_moment(struct text *text, sonde_ns wall_ns, sonde_ns started_ns, sonde_ns now_ns);

/**
 * Read a time of day as wall_add() writes it: "2026-11-22T17:41:15.000001Z".
 * @param text      NUL-terminated; with any number of decimals up to 9, or none.
 * @param ret_wall  On 0, nanoseconds since 1970.
 * @return 0; -EINVAL: it is no such time, not UTC, a leap second, or not from 1970 to 2261.
 */
SONDE_MUST_CHECK int wall_read(const char *text, sonde_ns *ret_wall);

#endif
