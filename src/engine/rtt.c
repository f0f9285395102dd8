/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics of round-trip times; see engine/rtt.h. */
#include "engine/rtt.h"

#include "base/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The histogram counts units of 64 ns. Up to 128 units each has a bucket of its own; above, each
 * factor of two is divided into 64. */
enum {
    UNIT_SHIFT = 6,
    BUCKETS = RTT_GROUPS * RTT_GROUP,
};

static unsigned bucket_of(sonde_ns rtt_ns)
{
    uint64_t units = (uint64_t)rtt_ns >> UNIT_SHIFT;
    unsigned shift = 0;
    while (units >> shift >= 2 * RTT_GROUP)
        shift++;
    uint64_t bucket = (uint64_t)shift * RTT_GROUP + (units >> shift);
    return bucket < BUCKETS ? (unsigned)bucket : BUCKETS - 1U;
}

/* The middle of a bucket. */
static sonde_ns bucket_value(unsigned bucket)
{
    unsigned shift = bucket < 2 * RTT_GROUP ? 0 : bucket / RTT_GROUP - 1;
    int64_t units = bucket - (int64_t)shift * RTT_GROUP;
    return (2 * units + 1) << shift << (UNIT_SHIFT - 1);
}

static void forget_histogram(struct rtt_stats *stats)
{
    for (unsigned i = 0; stats->histogram != NULL && i < RTT_GROUPS; i++)
        free(stats->histogram->groups[i]);
    free(stats->histogram);
    stats->histogram = NULL;
}

void rtt_deinit(struct rtt_stats *stats)
{
    forget_histogram(stats);
    *stats = (struct rtt_stats){0};
}

void rtt_clear(struct rtt_stats *stats)
{
    struct rtt_histogram *histogram = stats->histogram;
    for (unsigned i = 0; histogram != NULL && i < RTT_GROUPS; i++) {
        if (histogram->groups[i] != NULL)
            memset(histogram->groups[i], 0, RTT_GROUP * sizeof *histogram->groups[i]);
    }
    *stats = (struct rtt_stats){.histogram = histogram};
}

/* Without memory for all that came there is no histogram. */
static void count_bucket(struct rtt_stats *stats, sonde_ns rtt_ns)
{
    if (stats->histogram == NULL)
        return;
    unsigned bucket = bucket_of(rtt_ns);
    uint32_t **group = &stats->histogram->groups[bucket / RTT_GROUP];
    if (*group == NULL)
        *group = calloc(RTT_GROUP, sizeof **group);
    if (*group == NULL) {
        forget_histogram(stats);
        stats->out_of_memory = true;
    } else if ((*group)[bucket % RTT_GROUP] < UINT32_MAX) {
        (*group)[bucket % RTT_GROUP]++;
    }
}

/* Keep the sample for percentiles. */
static void keep(struct rtt_stats *stats, sonde_ns rtt_ns)
{
    if (stats->samples <= RTT_EXACT) {
        stats->exact[stats->samples - 1] = rtt_ns;
        return;
    }
    if (stats->samples == RTT_EXACT + 1) {
        if (stats->histogram == NULL)
            stats->histogram = calloc(1, sizeof *stats->histogram);
        stats->out_of_memory = stats->histogram == NULL;
        for (int i = 0; i < RTT_EXACT; i++)
            count_bucket(stats, stats->exact[i]);
    }
    count_bucket(stats, rtt_ns);
}

void rtt_add(struct rtt_stats *stats, sonde_ns rtt_ns)
{
    double value = (double)rtt_ns;
    if (stats->samples++ == 0) {
        stats->min_ns = stats->max_ns = rtt_ns;
    } else {
        /* RFC 3550 §6.4.1: J += (|D| - J) / 16 */
        double difference = fabs(value - (double)stats->last_ns);
        stats->jitter_ns += (difference - stats->jitter_ns) / 16;
        stats->min_ns = ns_min(stats->min_ns, rtt_ns);
        stats->max_ns = ns_max(stats->max_ns, rtt_ns);
    }
    double deviation = value - stats->mean_ns;
    stats->mean_ns += deviation / (double)stats->samples;
    stats->m2_ns2 += deviation * (value - stats->mean_ns);
    stats->last_ns = rtt_ns;
    keep(stats, rtt_ns);
}

struct rtt_stats rtt_copy(const struct rtt_stats *stats)
{
    struct rtt_stats copy = *stats;
    copy.histogram = NULL;
    if (stats->samples <= RTT_EXACT || stats->histogram == NULL)
        return copy;
    copy.histogram = calloc(1, sizeof *copy.histogram);
    copy.out_of_memory = copy.histogram == NULL;
    for (unsigned i = 0; copy.histogram != NULL && i < RTT_GROUPS; i++) {
        const uint32_t *from = stats->histogram->groups[i];
        uint32_t *to = from != NULL ? malloc(RTT_GROUP * sizeof *to) : NULL;
        copy.histogram->groups[i] = to;
        if (to != NULL) {
            memcpy(to, from, RTT_GROUP * sizeof *to);
        } else if (from != NULL) {
            forget_histogram(&copy);
            copy.out_of_memory = true;
        }
    }
    return copy;
}

static sonde_ns rounded(double ns)
{
    return (sonde_ns)llround(ns);
}

sonde_ns rtt_mean(const struct rtt_stats *stats)
{
    if (stats->samples == 0)
        return -1;
    /* a double counts the nanoseconds of 104 days one by one, and rounds beyond */
    return ns_min(ns_max(rounded(stats->mean_ns), stats->min_ns), stats->max_ns);
}

sonde_ns rtt_stddev(const struct rtt_stats *stats)
{
    if (stats->samples < 2)
        return -1;
    return rounded(sqrt(stats->m2_ns2 / (double)(stats->samples - 1)));
}

sonde_ns rtt_jitter(const struct rtt_stats *stats)
{
    return stats->samples < 2 ? -1 : rounded(stats->jitter_ns);
}

static int compare_ns(const void *a, const void *b)
{
    sonde_ns x = *(const sonde_ns *)a;
    sonde_ns y = *(const sonde_ns *)b;
    return (x > y) - (x < y);
}

static sonde_ns exact_at(const struct rtt_stats *stats, uint64_t rank)
{
    sonde_ns sorted[RTT_EXACT];
    memcpy(sorted, stats->exact, sizeof sorted);
    qsort(sorted, (size_t)stats->samples, sizeof *sorted, compare_ns);
    return sorted[rank - 1];
}

static sonde_ns histogram_at(const struct rtt_stats *stats, uint64_t rank)
{
    uint64_t below = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        const uint32_t *group = stats->histogram->groups[bucket / RTT_GROUP];
        below += group != NULL ? group[bucket % RTT_GROUP] : 0;
        if (below >= rank)
            return ns_min(ns_max(bucket_value(bucket), stats->min_ns), stats->max_ns);
    }
    return stats->max_ns;
}

sonde_ns rtt_percentile(const struct rtt_stats *stats, unsigned percent)
{
    if (stats->samples == 0)
        return -1;
    uint64_t rank = (stats->samples / 100) * percent + (stats->samples % 100 * percent + 99) / 100;
    if (stats->samples <= RTT_EXACT)
        return exact_at(stats, rank);
    return stats->histogram != NULL ? histogram_at(stats, rank) : -1;
}

struct sonde_rtt rtt_numbers(const struct rtt_stats *stats)
{
    if (stats->samples == 0)
        return (struct sonde_rtt){0};
    return (struct sonde_rtt){
        .samples = stats->samples,
        .last_ns = stats->last_ns,
        .min_ns = stats->min_ns,
        .avg_ns = rtt_mean(stats),
        .max_ns = stats->max_ns,
        .stddev_ns = rtt_stddev(stats),
        .p50_ns = rtt_percentile(stats, 50),
        .p95_ns = rtt_percentile(stats, 95),
        .p99_ns = rtt_percentile(stats, 99),
        .jitter_ns = rtt_jitter(stats),
    };
}
