/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks and polling; see io/clock.h. */
#include "io/clock.h"

#include "base/time.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    POLL_MAX = 2 * IO_WATCH_MAX,
    WALL_TRIES = 8,    /* to read both clocks without being interrupted in between */
    WALL_GAP_NS = 250, /* between two readings that were not */
    SLEPT_TRIES = 8,   /* likewise */
    SLEPT_GAP_NS = 1000000,
};

static sonde_ns clock_read(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        return 0; /* cannot happen: both clocks exist on every Linux */
    return (sonde_ns)now.tv_sec * SONDE_NS_PER_S + now.tv_nsec;
}

sonde_ns clock_monotonic_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

sonde_ns clock_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

sonde_ns clock_slept_ns(void)
{
    sonde_ns best_gap = SONDE_NS_NEVER;
    sonde_ns slept = 0;
    for (int i = 0; i < SLEPT_TRIES && best_gap > SLEPT_GAP_NS; i++) {
        sonde_ns before = clock_monotonic_ns();
        sonde_ns running = clock_read(CLOCK_BOOTTIME);
        sonde_ns gap = clock_monotonic_ns() - before;
        if (gap < best_gap) {
            best_gap = gap;
            slept = running - before;
        }
    }
    return slept;
}

sonde_ns clock_follow_wall(sonde_ns *ahead_ns)
{
    sonde_ns best_gap = SONDE_NS_NEVER;
    sonde_ns best = 0;
    for (int i = 0; i < WALL_TRIES; i++) {
        sonde_ns before = clock_monotonic_ns();
        sonde_ns wall = clock_wall_ns();
        sonde_ns after = clock_monotonic_ns();
        if (*ahead_ns >= wall - after && *ahead_ns <= wall - before)
            return 0;
        if (after - before < best_gap) {
            best_gap = after - before;
            best = wall - before - best_gap / 2;
        }
        if (best_gap <= WALL_GAP_NS)
            break;
    }
    sonde_ns moved = best - *ahead_ns;
    *ahead_ns = best;
    return moved;
}

int clock_poll(struct pollfd *own, nfds_t own_count, struct io_watch *watch, sonde_ns until_ns)
{
    struct pollfd all[POLL_MAX];
    nfds_t watched = watch != NULL ? watch->count : 0;
    if (own_count + watched > POLL_MAX)
        return -EINVAL;
    if (own_count > 0)
        memcpy(all, own, own_count * sizeof *all);
    if (watched > 0)
        memcpy(all + own_count, watch->fds, watched * sizeof *all);

    sonde_ns wait = until_ns == SONDE_NS_NEVER ? 0 : ns_sub(until_ns, clock_monotonic_ns());
    if (wait < 0)
        wait = 0;
    struct timespec timeout = {wait / SONDE_NS_PER_S, (long)(wait % SONDE_NS_PER_S)};
    int r = ppoll(all, own_count + watched, until_ns == SONDE_NS_NEVER ? NULL : &timeout, NULL);
    if (r < 0 && errno != EINTR)
        return -errno;
    if (r < 0) { /* interrupted: nothing was looked at */
        for (nfds_t i = 0; i < own_count + watched; i++)
            all[i].revents = 0;
    }
    for (nfds_t i = 0; i < own_count; i++)
        own[i].revents = all[i].revents;
    for (nfds_t i = 0; i < watched; i++)
        watch->fds[i].revents = all[own_count + i].revents;
    return 0;
}
