/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run over a network: what libsonde makes of it, and what is true.
 */
#ifndef TESTS_PROPERTY_RUN_H
#define TESTS_PROPERTY_RUN_H

#include "tests/property/network.h"
#include "tests/property/truth.h"

enum {
    RUN_SERVICES_MAX = NETWORK_SERVICES_MAX + 2, /* controls that stand by */
    RUN_FLOWS_MAX = RUN_SERVICES_MAX * NETWORK_FLOWS_MAX,
};

/** What came of a run. */
struct run {
    struct sim_scenario *scenario; /* as it was parsed */
    struct sonde_snapshot *snapshot;
    struct truth truths[RUN_SERVICES_MAX]; /* of the services in the snapshot */
};

/** Run a network to its end, in virtual time. Aborts where that is impossible. End it with
 *  run_free(). */
void run_make(const struct network *network, struct run *ret_run);

/** Free what run_make() made. */
void run_free(struct run *run);

#endif
