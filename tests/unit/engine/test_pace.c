/* SPDX-License-Identifier: BSD-2-Clause */
/* The timetable of packets: the rate is kept whenever the loop wakes, and never exceeded. */
#include "base/prng.h"
#include "engine/pace.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const sonde_ns US = SONDE_NS_PER_US;
static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

/* Take all that may leave now. */
static uint32_t take_all(struct pace *pace, sonde_ns now, uint32_t limit)
{
    uint32_t count = 0;
    for (; count < limit && pace_ready_ns(pace) <= now; count++)
        pace_take(pace, now);
    return count;
}

Test(pace, without_a_limit_a_packet_may_leave_at_any_time)
{
    struct pace paces[] = {{0}, pace_init(0, MS, 5 * S)};
    for (size_t i = 0; i < 2; i++) {
        cr_expect_eq(pace_ready_ns(&paces[i]), INT64_MIN);
        cr_expect_eq(take_all(&paces[i], -S, 100000), 100000);
        cr_expect_eq(pace_ready_ns(&paces[i]), INT64_MIN);
    }
}

/* 100 packets a second are one every 10 ms; with 25 ms of credit each may leave 25 ms early. */
Test(pace, packets_leave_at_most_the_credit_before_their_time)
{
    struct pace pace = pace_init(100, 25 * MS, 7 * S);
    for (int i = 0; i < 20; i++) {
        sonde_ns ready = 7 * S + i * 10 * MS - 25 * MS;
        cr_expect_eq(pace_ready_ns(&pace), ready, "packet %d", i);
        pace_take(&pace, ready);
    }
}

/* At 7 s packets are due that are dated 7.000, 7.010 and 7.020: that of 7.030 is 30 ms early. */
Test(pace, a_batch_is_what_the_credit_holds)
{
    struct pace pace = pace_init(100, 25 * MS, 7 * S);
    cr_expect_eq(take_all(&pace, 7 * S, 1000), 3);
    cr_expect_eq(pace_ready_ns(&pace), 7 * S + 5 * MS);
    cr_expect_eq(take_all(&pace, 7 * S + 5 * MS - 1, 1000), 0);
    cr_expect_eq(take_all(&pace, 7 * S + 5 * MS, 1000), 1);
}

/* Who comes a second late may catch up 25 ms: packets that are dated 25, 15 and 5 ms ago, and the
 * three ahead (5, 15 and 25 ms). */
Test(pace, a_late_loop_catches_up_by_the_credit_and_no_more)
{
    struct pace pace = pace_init(100, 25 * MS, 7 * S);
    cr_expect_eq(take_all(&pace, 8 * S, 1000), 6);
    cr_expect_eq(pace_ready_ns(&pace), 8 * S + 10 * MS);
}

Test(pace, without_credit_every_packet_waits_for_its_time)
{
    struct pace pace = pace_init(1000, 0, 0);
    cr_expect_eq(take_all(&pace, 0, 1000), 1);
    cr_expect_eq(pace_ready_ns(&pace), MS);
    cr_expect_eq(take_all(&pace, 3 * MS, 1000), 1, "what was missed is not made up for");
    cr_expect_eq(pace_ready_ns(&pace), 4 * MS);
}

Test(pace, the_gap_is_that_of_the_rate)
{
    cr_expect_eq(pace_init(1, 0, 0).gap_ns, S);
    cr_expect_eq(pace_init(3, 0, 0).gap_ns, 333333333);
    cr_expect_eq(pace_init(1000000, 0, 0).gap_ns, US);
}

/* When the loop wakes next. */
typedef sonde_ns wake_fn(sonde_ns now, struct prng *prng);

static sonde_ns each_millisecond(sonde_ns now, struct prng *prng)
{
    (void)prng;
    return now + MS;
}

/* A credit of 1 ms makes up for a wake-up that is 1 ms late, and lets packets leave 1 ms ahead. */
static sonde_ns late_by_a_millisecond(sonde_ns now, struct prng *prng)
{
    return now + MS + prng_below(prng, 1000001);
}

static sonde_ns often(sonde_ns now, struct prng *prng)
{
    return now + 1 + prng_below(prng, 20000);
}

enum { SECONDS = 4 };

/* In any span between two packets there are at most as many as the rate has in it and in twice the
 * credit, and one. @p times are in order. */
static void expect_no_burst(const sonde_ns *times, size_t count, uint32_t rate, sonde_ns credit)
{
    sonde_ns gap = S / rate;
    size_t widths[] = {1, 2, 3, 5, 10, 50, 51, 100, 500, 1000, 10000};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        for (size_t i = 0; i + widths[w] < count; i++) {
            sonde_ns span = times[i + widths[w]] - times[i];
            cr_assert_leq((sonde_ns)widths[w], (span + 2 * credit) / gap,
                          "%u a second: %zu packets in %f ms", rate, widths[w] + 1,
                          (double)span / 1e6);
        }
    }
}

static void expect_rate(uint32_t rate, wake_fn *wake, const char *what, uint32_t batch)
{
    struct prng prng = {rate};
    struct pace pace = pace_init(rate, MS, S);
    sonde_ns *times = calloc((size_t)rate * (SECONDS + 1), sizeof *times);
    size_t count = 0;
    cr_assert_not_null(times);
    for (sonde_ns now = S; now < (SECONDS + 1) * S; now = wake(now, &prng)) {
        uint32_t taken;
        do {
            taken = take_all(&pace, now, batch);
            for (uint32_t i = 0; i < taken; i++)
                times[count++] = now;
        } while (taken == batch);
    }
    double part = (double)count / ((double)rate * SECONDS);
    cr_expect(part > 0.98 && part < 1.02, "%u a second, %s: %.1f %%", rate, what, 100 * part);
    expect_no_burst(times, count, rate, MS);
    free(times);
}

Test(pace, a_rate_is_kept_to_two_percent_by_a_loop_that_wakes_each_millisecond_or_late)
{
    static const uint32_t rates[] = {100,  333,  999,   1000,  1001, 1500,
                                     2000, 7777, 10000, 33333, 50000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        expect_rate(rates[i], each_millisecond, "each millisecond", 64);
        expect_rate(rates[i], late_by_a_millisecond, "late", 64);
        expect_rate(rates[i], often, "often", 1);
    }
}
