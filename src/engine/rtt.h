/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics of round-trip times, in bounded memory.
 *
 * The first RTT_EXACT samples are kept as they are, so the percentiles of a short run are exact.
 * From then on they come from a log-linear histogram: 64 buckets to each factor of two, so a
 * percentile is off by at most 0.8 % of its value (32 ns below 8 µs).
 */
#ifndef ENGINE_RTT_H
#define ENGINE_RTT_H

#include <sonde/snapshot.h>

enum {
    RTT_EXACT = 16,  /* samples kept exactly */
    RTT_GROUP = 64,  /* buckets of a factor of two */
    RTT_GROUPS = 26, /* up to 68 s; longer ones count as the longest bucket */
};

/** How often what came, in buckets. Only groups that hold a sample are there. */
struct rtt_histogram {
    uint32_t *groups[RTT_GROUPS]; /* [RTT_GROUP] each; NULL = nothing came there; owned */
};

/** {0} is "no samples". */
struct rtt_stats {
    uint64_t samples;
    sonde_ns last_ns;
    sonde_ns min_ns;
    sonde_ns max_ns;
    double mean_ns;                  /* Welford's running mean */
    double m2_ns2;                   /* and sum of squared deviations */
    double jitter_ns;                /* RFC 3550 §6.4.1 */
    struct rtt_histogram *histogram; /* from sample RTT_EXACT + 1 on; NULL before, or if memory ran
                                        out: then percentiles are unknown; owned */
    bool out_of_memory;
    sonde_ns exact[RTT_EXACT];
};

/** Free what @p stats holds; a zeroed one is fine. */
void rtt_deinit(struct rtt_stats *stats);

/** Forget all samples, but keep the memory for the next ones. */
void rtt_clear(struct rtt_stats *stats);

/** Add a sample, at least 0. */
void rtt_add(struct rtt_stats *stats, sonde_ns rtt_ns);

/** Copy statistics, to go on from there. Without memory, the copy knows no percentiles.
 *  Ownership: the caller frees it with rtt_deinit(). */
struct rtt_stats rtt_copy(const struct rtt_stats *stats);

/** @return The mean; -1 without samples. */
sonde_ns rtt_mean(const struct rtt_stats *stats);

/** @return The standard deviation of the sample (n - 1); -1 with fewer than two samples. */
sonde_ns rtt_stddev(const struct rtt_stats *stats);

/** @return The interarrival jitter of RFC 3550 §6.4.1, from one round trip to the next; -1 with
 *  fewer than two samples. */
sonde_ns rtt_jitter(const struct rtt_stats *stats);

/**
 * @param percent  1 to 100.
 * @return The smallest sample that at least @p percent of all samples do not exceed (nearest rank);
 *         -1 if unknown.
 */
sonde_ns rtt_percentile(const struct rtt_stats *stats, unsigned percent);

/** @return All of these, in numbers; {0} without samples. */
struct sonde_rtt rtt_numbers(const struct rtt_stats *stats);

#endif
