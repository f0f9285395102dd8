/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least round trip of late: of the present minute and the one before.
 *
 * A path that was shorter an hour ago says nothing of how soon an answer can come now. Minutes end
 * with the next round trip: while none comes, the last that were seen are what is known.
 */
#ifndef ENGINE_LEAST_H
#define ENGINE_LEAST_H

#include "base/time.h"

static const sonde_ns LEAST_SPAN_NS = 60 * SONDE_NS_PER_S;

struct least {
    sonde_ns least_ns[2]; /* of the present minute, and of the one before; never: there was none */
    sonde_ns since_ns;    /* when the present one began */
};

/** @return What is known before the first round trip. */
static inline struct least least_none(void)
{
    return (struct least){{SONDE_NS_NEVER, SONDE_NS_NEVER}, 0};
}

/** Note a round trip of at least 0, as of @p now. */
static inline void least_note(struct least *least, sonde_ns rtt_ns, sonde_ns now)
{
    sonde_ns passed = ns_sub(now, least->since_ns);
    if (passed > LEAST_SPAN_NS) {
        least->least_ns[1] = passed > 2 * LEAST_SPAN_NS ? SONDE_NS_NEVER : least->least_ns[0];
        least->least_ns[0] = SONDE_NS_NEVER;
        least->since_ns = now;
    }
    least->least_ns[0] = ns_min(least->least_ns[0], rtt_ns);
}

/** @return The least of late; SONDE_NS_NEVER: there was none. */
static inline sonde_ns least_ns(const struct least *least)
{
    return ns_min(least->least_ns[0], least->least_ns[1]);
}

#endif
