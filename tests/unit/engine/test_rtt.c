/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics of round-trip times, against hand calculation and against sorting. */
#include "engine/rtt.h"

#include "base/prng.h"
#include "tests/support/failing_alloc.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static struct rtt_stats stats_of(const sonde_ns *samples, size_t count)
{
    struct rtt_stats stats = {0};
    for (size_t i = 0; i < count; i++)
        rtt_add(&stats, samples[i]);
    return stats;
}

#define STATS_OF(...)                                                                              \
    stats_of((const sonde_ns[]){__VA_ARGS__},                                                      \
             sizeof(const sonde_ns[]){__VA_ARGS__} / sizeof(sonde_ns))

Test(rtt, without_samples_nothing_is_known)
{
    struct rtt_stats stats = {0};
    cr_expect_eq(stats.samples, 0);
    cr_expect_eq(rtt_mean(&stats), -1);
    cr_expect_eq(rtt_stddev(&stats), -1);
    cr_expect_eq(rtt_jitter(&stats), -1);
    cr_expect_eq(rtt_percentile(&stats, 50), -1);
    rtt_deinit(&stats);
}

Test(rtt, one_sample_is_every_percentile_and_has_no_spread)
{
    struct rtt_stats stats = STATS_OF(12345);
    cr_expect_eq(stats.samples, 1);
    cr_expect(stats.last_ns == 12345 && stats.min_ns == 12345 && stats.max_ns == 12345);
    cr_expect_eq(rtt_mean(&stats), 12345);
    cr_expect_eq(rtt_stddev(&stats), -1);
    cr_expect_eq(rtt_jitter(&stats), -1);
    for (unsigned percent = 1; percent <= 100; percent++)
        cr_expect_eq(rtt_percentile(&stats, percent), 12345, "p%u", percent);
    rtt_deinit(&stats);
}

Test(rtt, mean_and_deviation_are_those_of_the_textbook)
{
    /* mean 25000; squares of deviations 225 + 25 + 25 + 225 = 500 (1e6 ns²); 500 / 3 = 166.667;
     * root 12.90994 µs */
    struct rtt_stats stats = STATS_OF(40000, 10000, 30000, 20000);
    cr_expect_eq(rtt_mean(&stats), 25000);
    cr_expect_eq(rtt_stddev(&stats), 12910);
    cr_expect_eq(stats.min_ns, 10000);
    cr_expect_eq(stats.max_ns, 40000);
    cr_expect_eq(stats.last_ns, 20000);
    rtt_deinit(&stats);
}

Test(rtt, a_small_spread_on_a_large_value_is_not_lost)
{
    const sonde_ns far = 60 * SONDE_NS_PER_S;
    /* deviations -1000, 0, 1000: 2e6 / 2 = 1e6, root 1000 */
    struct rtt_stats stats = STATS_OF(far, far + 1000, far + 2000);
    cr_expect_eq(rtt_mean(&stats), far + 1000);
    cr_expect_eq(rtt_stddev(&stats), 1000);
    rtt_deinit(&stats);
}

Test(rtt, equal_samples_have_neither_deviation_nor_jitter)
{
    struct rtt_stats stats = STATS_OF(777, 777, 777, 777, 777);
    cr_expect_eq(rtt_mean(&stats), 777);
    cr_expect_eq(rtt_stddev(&stats), 0);
    cr_expect_eq(rtt_jitter(&stats), 0);
    rtt_deinit(&stats);
}

Test(rtt, jitter_is_that_of_rfc_3550)
{
    /* J += (|D| - J) / 16, from 0. D = 64000, 32000, 0:
     * 4000; 4000 + 28000 / 16 = 5750; 5750 - 5750 / 16 = 5390.625 */
    struct rtt_stats stats = STATS_OF(100000, 164000);
    cr_expect_eq(rtt_jitter(&stats), 4000);
    rtt_add(&stats, 132000);
    cr_expect_eq(rtt_jitter(&stats), 5750);
    rtt_add(&stats, 132000);
    cr_expect_eq(rtt_jitter(&stats), 5391);
    rtt_deinit(&stats);
}

Test(rtt, percentiles_of_a_few_samples_are_nearest_ranks)
{
    static const struct {
        unsigned percent;
        sonde_ns value; /* at rank ceil(percent * 5 / 100) of 15 20 35 40 50 */
    } cases[] = {
        {1, 15},  {5, 15},  {20, 15}, {21, 20}, {30, 20}, {40, 20},  {41, 35},
        {50, 35}, {60, 35}, {61, 40}, {80, 40}, {81, 50}, {100, 50},
    };
    struct rtt_stats stats = STATS_OF(35, 50, 15, 40, 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(rtt_percentile(&stats, cases[i].percent), cases[i].value, "p%u",
                     cases[i].percent);
    rtt_deinit(&stats);
}

static int compare(const void *a, const void *b)
{
    sonde_ns x = *(const sonde_ns *)a;
    sonde_ns y = *(const sonde_ns *)b;
    return (x > y) - (x < y);
}

/* The nearest-rank percentile by its definition: the first of which enough are not larger. */
static sonde_ns sorted_percentile(const sonde_ns *sorted, size_t count, unsigned percent)
{
    size_t rank = 1;
    while (rank * 100 < count * percent)
        rank++;
    return sorted[rank - 1];
}

Test(rtt, percentiles_are_exact_up_to_sixteen_samples)
{
    struct prng prng = {7};
    for (size_t count = 1; count <= 16; count++) {
        sonde_ns samples[16];
        for (size_t i = 0; i < count; i++)
            samples[i] = 1000 + prng_below(&prng, 1000000000);
        struct rtt_stats stats = stats_of(samples, count);
        qsort(samples, count, sizeof *samples, compare);
        for (unsigned percent = 1; percent <= 100; percent++)
            cr_expect_eq(rtt_percentile(&stats, percent),
                         sorted_percentile(samples, count, percent), "p%u of %zu", percent, count);
        rtt_deinit(&stats);
    }
}

/* 1 µs to 60 s, each factor of ten as likely as any other. */
static sonde_ns anywhere(struct prng *prng)
{
    double exponent = 3 + 7.778 * prng_below(prng, 1000000) / 1000000.0; /* 60e9 = 10^10.778 */
    return (sonde_ns)pow(10, exponent);
}

static sonde_ns below_10_us(struct prng *prng)
{
    return 1000 + prng_below(prng, 9000);
}

/* A path that is mostly 20 ms, and sometimes a queue of seconds. */
static sonde_ns two_humps(struct prng *prng)
{
    sonde_ns base = prng_below(prng, 10) == 0 ? 3 * SONDE_NS_PER_S : 20 * SONDE_NS_PER_MS;
    return base + prng_below(prng, 1000000);
}

static sonde_ns constant(struct prng *prng)
{
    (void)prng;
    return 54321987;
}

static void expect_percentiles(sonde_ns (*draw)(struct prng *), size_t count, const char *what)
{
    struct prng prng = {count};
    struct rtt_stats stats = {0};
    sonde_ns *samples = malloc(count * sizeof *samples);
    cr_assert_not_null(samples);
    for (size_t i = 0; i < count; i++) {
        samples[i] = draw(&prng);
        rtt_add(&stats, samples[i]);
    }
    qsort(samples, count, sizeof *samples, compare);
    for (unsigned percent = 1; percent <= 100; percent++) {
        double exact = (double)sorted_percentile(samples, count, percent);
        double error = fabs((double)rtt_percentile(&stats, percent) - exact);
        double bound = exact < 8000 ? 32 : exact * 0.008;
        cr_expect_leq(error, bound, "%s: p%u of %zu is off by %.0f of %.0f ns", what, percent,
                      count, error, exact);
    }
    free(samples);
    rtt_deinit(&stats);
}

Test(rtt, percentiles_of_many_samples_are_within_the_stated_bound)
{
    static const size_t counts[] = {17, 18, 100, 1001, 20000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        expect_percentiles(anywhere, counts[i], "1 us to 60 s");
        expect_percentiles(below_10_us, counts[i], "1 to 10 us");
        expect_percentiles(two_humps, counts[i], "20 ms and 3 s");
        expect_percentiles(constant, counts[i], "constant");
    }
}

Test(rtt, percentiles_never_leave_the_range_of_the_samples)
{
    struct rtt_stats stats = {0};
    for (int i = 0; i < 100; i++)
        rtt_add(&stats, 1000000007); /* within a bucket, not in its middle */
    for (unsigned percent = 1; percent <= 100; percent++)
        cr_expect_eq(rtt_percentile(&stats, percent), 1000000007, "p%u", percent);
    rtt_deinit(&stats);
}

Test(rtt, the_mean_never_leaves_the_range_of_the_samples)
{
    static const sonde_ns longest[] = {((sonde_ns)1 << 53) + 1, ((sonde_ns)1 << 60) + 1};
    for (size_t i = 0; i < sizeof longest / sizeof *longest; i++) {
        for (sonde_ns below = 0; below < 3; below++) {
            struct rtt_stats stats = {0};
            rtt_add(&stats, longest[i]);
            rtt_add(&stats, longest[i] - below);
            cr_expect_geq(rtt_mean(&stats), stats.min_ns);
            cr_expect_leq(rtt_mean(&stats), stats.max_ns);
            rtt_deinit(&stats);
        }
    }
}

Test(rtt, samples_at_the_ends_of_the_scale_are_counted)
{
    struct rtt_stats stats = {0};
    for (int i = 0; i < 50; i++) {
        rtt_add(&stats, 0);
        rtt_add(&stats, 3600 * SONDE_NS_PER_S); /* beyond the last bucket */
    }
    cr_expect_eq(stats.samples, 100);
    cr_expect_eq(stats.max_ns, 3600 * SONDE_NS_PER_S);
    cr_expect_eq(rtt_mean(&stats), 1800 * SONDE_NS_PER_S);
    cr_expect_leq(rtt_percentile(&stats, 50), 32);
    cr_expect_geq(rtt_percentile(&stats, 51), 68 * SONDE_NS_PER_S);
    rtt_deinit(&stats);
}

Test(rtt, without_memory_only_percentiles_are_lost)
{
    struct rtt_stats stats = {0};
    alloc_fail(0, UINT64_MAX);
    for (int i = 0; i < 16; i++)
        rtt_add(&stats, 1000);
    cr_expect_eq(rtt_percentile(&stats, 50), 1000, "sixteen samples need no memory");
    for (int i = 0; i < 16; i++)
        rtt_add(&stats, 3000);
    cr_expect(alloc_heal());
    rtt_add(&stats, 2000);
    cr_expect_eq(stats.samples, 33);
    cr_expect_eq(rtt_mean(&stats), 2000); /* (16 * 1000 + 16 * 3000 + 2000) / 33 */
    cr_expect_eq(stats.min_ns, 1000);
    cr_expect_eq(stats.max_ns, 3000);
    cr_expect_eq(rtt_percentile(&stats, 50), -1);
    rtt_deinit(&stats);
}

/* The histogram's groups are made when a sample falls into them: 1 µs and 3 µs into the first, 1 s
 * into a far one. Without memory for one of them there is no histogram, and no later one either: it
 * would know nothing of what came before. */
Test(rtt, without_memory_for_a_group_percentiles_are_unknown_and_the_rest_goes_on)
{
    for (uint64_t before = 1; before <= 2; before++) { /* the histogram itself is the first */
        struct rtt_stats stats = {0};
        int64_t live = alloc_live();
        alloc_fail(before, 1);
        for (int i = 0; i < 20; i++)
            rtt_add(&stats, i % 2 == 0 ? 1000 : 3000);
        cr_expect_eq(rtt_percentile(&stats, 50) == -1, before == 1);
        rtt_add(&stats, SONDE_NS_PER_S);
        cr_expect(alloc_heal());
        cr_expect_eq(alloc_live(), live, "nothing is kept of it");
        for (int i = 0; i < 20; i++)
            rtt_add(&stats, 2000);
        cr_expect_eq(rtt_percentile(&stats, 1), -1);
        cr_expect_eq(rtt_percentile(&stats, 100), -1);
        cr_expect_eq(stats.samples, 41);
        cr_expect_eq(stats.min_ns, 1000);
        cr_expect_eq(stats.max_ns, SONDE_NS_PER_S);
        cr_expect_eq(stats.last_ns, 2000);
        /* (10 * 1000 + 10 * 3000 + 10^9 + 20 * 2000) / 41 = 1000080000 / 41 = 24392195.1 */
        cr_expect_eq(rtt_mean(&stats), 24392195);
        rtt_deinit(&stats);
        cr_expect_eq(alloc_live(), live);
    }
}
