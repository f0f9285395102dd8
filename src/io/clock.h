/* SPDX-License-Identifier: BSD-2-Clause */
/* The only place that reads clocks, and the only one that sleeps on them. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "io/transport.h"

/** @return CLOCK_MONOTONIC. */
sonde_ns clock_monotonic_ns(void);

/** @return CLOCK_REALTIME, since 1970-01-01 UTC. For showing, never for measuring. */
sonde_ns clock_wall_ns(void);

/** @return How long this machine has slept since it was started, in ns, or as much longer as its
 *  namespace makes it: CLOCK_BOOTTIME goes on while it does, CLOCK_MONOTONIC stands still. Only how
 * much it grows says something; it may seem to by less than CLOCK_SLEPT_SLACK_NS. */
sonde_ns clock_slept_ns(void);

/** Between two readings of clock_slept_ns() this process may have been held up. */
static const sonde_ns CLOCK_SLEPT_SLACK_NS = 10 * SONDE_NS_PER_MS;

/**
 * How far the wall clock, which the kernel stamps packets with, is ahead of CLOCK_MONOTONIC. Both
 * are slewed alike, so this changes only when somebody sets the wall clock.
 * @param ahead_ns  In: what was found before, or 0. Out: the same, if the clocks do not contradict
 *                  it; otherwise what they show now, as exactly as the scheduler lets us see it.
 * @return By how much it was changed, in ns. Unless that is next to nothing, nobody knows which of
 *         the two a stamp goes by that was made since the clocks were last compared.
 */
sonde_ns clock_follow_wall(sonde_ns *ahead_ns);

/**
 * Poll descriptors until one is ready, a signal comes, or a time.
 * @param own       Descriptors of the caller, revents filled in; may be NULL.
 * @param watch     Others, likewise; may be NULL.
 * @param until_ns  CLOCK_MONOTONIC; SONDE_NS_NEVER waits for a descriptor.
 * @return 0, whichever it was; a negative errno if poll failed.
 */
SONDE_MUST_CHECK int clock_poll(struct pollfd *own, nfds_t own_count, struct io_watch *watch,
                                sonde_ns until_ns);

#endif
