/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel stamps packets by the wall clock, which anybody may set; times are those of a clock
 * that nobody sets. Here both clocks are the test's own, so that they can be moved.
 */
#include "base/time.h"
#include "io/clock.h"
#include "io/linux/internal.h"

#include <criterion/criterion.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const sonde_ns S = SONDE_NS_PER_S;
static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns US = SONDE_NS_PER_US;

/* What the clocks show. */
static struct {
    bool ours;          /* otherwise they are the system's */
    sonde_ns monotonic; /* moves on with every reading of any clock, by: */
    sonde_ns reading;
    unsigned interrupted; /* so many readings from now, there is an interruption; 0 = none */
    sonde_ns ahead;       /* of the wall clock */
    sonde_ns slept;       /* what the monotonic clock has not counted */
} clocks;

/* In the place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    if (!clocks.ours)
        return (int)syscall(SYS_clock_gettime, id, ret_time);
    clocks.monotonic += clocks.reading;
    if (clocks.interrupted > 0 && --clocks.interrupted == 0)
        clocks.monotonic += 20 * US;
    sonde_ns now = clocks.monotonic + (id == CLOCK_REALTIME ? clocks.ahead : 0) +
                   (id == CLOCK_BOOTTIME ? clocks.slept : 0);
    *ret_time = (struct timespec){now / S, now % S};
    return 0;
}

static const sonde_ns AHEAD = 1790000000 * SONDE_NS_PER_S; /* in 2026, soon after the start */

static void take_clocks(void)
{
    clocks.ours = true;
    clocks.monotonic = 500 * S;
    clocks.reading = 50; /* ns */
    clocks.ahead = AHEAD;
}

static void give_clocks_back(void)
{
    clocks.ours = false;
}

TestSuite(clock, .init = take_clocks, .fini = give_clocks_back);

Test(clock, how_far_the_wall_clock_is_ahead_is_known_to_within_a_reading)
{
    sonde_ns ahead = 0;
    clock_follow_wall(&ahead);
    cr_expect_geq(ahead, AHEAD - 50);
    cr_expect_leq(ahead, AHEAD + 50);
    sonde_ns before = ahead;
    clocks.monotonic += 3600 * S;
    clock_follow_wall(&ahead);
    cr_expect_eq(ahead, before, "what still fits is kept, so that times do not tremble");
}

Test(clock, a_wall_clock_that_was_set_is_followed)
{
    static const sonde_ns steps[] = {3600 * SONDE_NS_PER_S, -3600 * SONDE_NS_PER_S, SONDE_NS_PER_S,
                                     -1000 * SONDE_NS_PER_US};
    sonde_ns ahead = 0;
    clock_follow_wall(&ahead);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        clocks.ahead += steps[i];
        clock_follow_wall(&ahead);
        cr_expect_leq(ns_max(ahead - clocks.ahead, clocks.ahead - ahead), 50);
    }
}

Test(clock, a_reading_that_was_interrupted_is_read_again)
{
    /* The clocks are read in the order ours, wall, ours; once, and as often as needed. */
    for (unsigned reading = 2; reading <= 3; reading++) {
        sonde_ns ahead = 0;
        clocks.interrupted = reading;
        clock_follow_wall(&ahead);
        cr_expect_leq(ns_max(ahead - AHEAD, AHEAD - ahead), 50, "before reading %u", reading);
    }
}

Test(clock, how_far_the_wall_clock_was_set_is_told)
{
    sonde_ns ahead = 0;
    clock_follow_wall(&ahead);
    cr_expect_eq(clock_follow_wall(&ahead), 0);
    clocks.ahead -= 5 * MS;
    sonde_ns moved = clock_follow_wall(&ahead);
    cr_expect_leq(ns_max(moved + 5 * MS, -5 * MS - moved), 100);
    cr_expect_eq(clock_follow_wall(&ahead), 0);
}

/* A probe leaves, and 30 ms later its answer is there; 5 ms later it is read. The wall clock is set
 * at some time. @return the round trip, and by which clock the answer was stamped. */
static sonde_ns round_trip(sonde_ns step, sonde_ns when, enum sonde_clock *ret_clock)
{
    struct wall wall = {0};
    wall_follow(&wall); /* as when it is made */
    sonde_ns start = clocks.monotonic;
    sonde_ns sent_wall = clocks.ahead + start + 10 * US;

    clocks.monotonic = start + 20 * US;
    wall_follow(&wall);
    struct sonde_stamp sent = stamp_of(&wall, start, start + 20 * US, sent_wall, start);
    cr_expect_eq(sent.clock, SONDE_CLOCK_KERNEL);

    sonde_ns arrival = start + 30 * MS;
    sonde_ns arrival_wall = arrival + clocks.ahead + (when < 30 * MS ? step : 0);
    clocks.ahead += step;
    clocks.monotonic = start + 35 * MS;
    sonde_ns now = clock_monotonic_ns();
    wall_follow(&wall);
    struct sonde_stamp received = stamp_of(&wall, start + 1 * MS, now, arrival_wall, now);
    *ret_clock = received.clock;
    return received.time_ns - sent.time_ns;
}

Test(clock, while_nobody_sets_the_wall_clock_round_trips_are_the_kernels)
{
    enum sonde_clock clock;
    sonde_ns rtt = round_trip(0, 10 * MS, &clock);
    cr_expect_eq(clock, SONDE_CLOCK_KERNEL);
    cr_expect_leq(ns_max(rtt - (30 * MS - 10 * US), 30 * MS - 10 * US - rtt), 100, "%ld ns",
                  (long)rtt);
}

/* The smaller ones leave the stamp between probe and reading, so that it looks possible. */
static const sonde_ns steps[] = {
    3600 * SONDE_NS_PER_S, -3600 * SONDE_NS_PER_S, SONDE_NS_PER_S,       -SONDE_NS_PER_S,
    28 * SONDE_NS_PER_MS,  -28 * SONDE_NS_PER_MS,  20 * SONDE_NS_PER_MS, -20 * SONDE_NS_PER_MS,
    5 * SONDE_NS_PER_MS,   -5 * SONDE_NS_PER_MS,   4 * SONDE_NS_PER_MS,  10 * SONDE_NS_PER_US,
};

Test(clock, a_step_between_probe_and_reading_leaves_the_time_of_reading_and_says_so)
{
    /* the answer came in after it, or before it */
    static const sonde_ns whens[] = {10 * SONDE_NS_PER_MS, 32 * SONDE_NS_PER_MS};
    for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
        enum sonde_clock clock;
        sonde_ns rtt = round_trip(steps[i / 2], whens[i % 2], &clock);
        cr_expect_eq(clock, SONDE_CLOCK_USER, "%ld ns", (long)steps[i / 2]);
        cr_expect_geq(rtt, 35 * MS - 11 * US);
        cr_expect_leq(rtt, 35 * MS + US);
    }
}

Test(clock, what_came_in_before_a_step_was_noted_gets_the_time_of_reading_however_late_it_is_read)
{
    struct wall wall = {0};
    wall_follow(&wall);
    sonde_ns drained = clock_monotonic_ns();
    sonde_ns first_wall = drained + 10 * MS + clocks.ahead;
    clocks.monotonic = drained + 12 * MS;
    clocks.ahead -= 5 * MS;
    wall_follow(&wall); /* a probe was sent, or another socket was read */

    clocks.monotonic = drained + 20 * MS;
    sonde_ns now = clock_monotonic_ns();
    wall_follow(&wall);
    struct sonde_stamp first = stamp_of(&wall, drained, now, first_wall, now);
    cr_expect_eq(first.clock, SONDE_CLOCK_USER);
    cr_expect_eq(first.time_ns, now);

    /* The socket is empty now; what comes in from here on goes by the clock as it was set. */
    drained = now;
    sonde_ns second_wall = drained + 10 * MS + clocks.ahead;
    clocks.monotonic = drained + 20 * MS;
    now = clock_monotonic_ns();
    wall_follow(&wall);
    struct sonde_stamp second = stamp_of(&wall, drained, now, second_wall, now);
    cr_expect_eq(second.clock, SONDE_CLOCK_KERNEL);
    cr_expect_leq(ns_max(second.time_ns - drained - 10 * MS, drained + 10 * MS - second.time_ns),
                  100);
}

Test(clock, without_a_stamp_of_the_kernels_our_own_clock_serves)
{
    struct wall wall = {.ahead_ns = AHEAD};
    struct sonde_stamp stamp = stamp_of(&wall, S, 2 * S, 0, 2 * S);
    cr_expect_eq(stamp.clock, SONDE_CLOCK_USER);
    cr_expect_eq(stamp.time_ns, 2 * S);
}

/* Whatever interrupts the readings. */
Test(clock, how_long_the_machine_has_slept_is_what_the_clocks_differ_by)
{
    for (unsigned interrupted = 0; interrupted < 4; interrupted++) {
        clocks.ours = true;
        clocks.monotonic = 5000 * S;
        clocks.reading = 1 * US;
        clocks.interrupted = interrupted;
        clocks.slept = 100 * S;
        sonde_ns before = clock_slept_ns();
        clocks.interrupted = 3 - interrupted;
        cr_expect_lt(clock_slept_ns() - before, CLOCK_SLEPT_SLACK_NS);
        clocks.slept += 30 * S;
        sonde_ns slept = clock_slept_ns() - before;
        cr_expect(slept > 30 * S - CLOCK_SLEPT_SLACK_NS && slept < 30 * S + CLOCK_SLEPT_SLACK_NS);
    }
    clocks.ours = false;
}
