/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has to hold of every run; tests/property/property.c says it in words.
 */
#ifndef TESTS_PROPERTY_CHECK_H
#define TESTS_PROPERTY_CHECK_H

#include "tests/property/run.h"

/** What was seen over many runs. */
struct totals {
    uint64_t networks;
    uint64_t services;
    uint64_t codes[SONDE_CODE_COUNT];  /* of verdicts */
    uint64_t broken;                   /* properties that did not hold */
    uint64_t kinds[KIND_COUNT];        /* networks that have things of a kind */
    uint64_t kinds_broken[KIND_COUNT]; /* of these, those in which some property did not hold */
    uint64_t brackets;                 /* with two ends, and the cause in them */
    uint64_t links;                    /* in these */
    uint64_t exact;                    /* of these brackets, one link wide */
    uint64_t chancy;                   /* brackets of networks where chance has a part in it */
    uint64_t missed;                   /* of these, without the cause in them */
    uint64_t loss_blames;              /* findings that name where loss begins */
    uint64_t loss_missed;              /* of these, those where it does not */
    uint64_t hidden;         /* far ends on another path, which looks like the service's own */
    uint64_t healthy;        /* services that are fine */
    uint64_t failed;         /* of these, where packets are lost by chance, those called failed */
    double failed_bound;     /* how many of these there may be on average */
    uint64_t false_loss;     /* services that are fine, of which some loss is shown */
    uint64_t false_time;     /* services with round trips that cannot be */
    uint64_t false_distance; /* services with a distance that is wrong */
    uint64_t beyond;         /* services listed beyond the target, its distance being unknown */
};

/**
 * Check a run.
 * @param totals  What was seen is added.
 * @param broken  What does not hold is said here, a line each.
 */
void check_run(const struct network *network, const struct run *run, struct totals *totals,
               struct text *broken);

#endif
