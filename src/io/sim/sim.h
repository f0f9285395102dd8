/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated network as a transport, and its names.
 *
 * In virtual time a wait costs nothing: the clock jumps to what happens next, and every run of a
 * scenario is the same. In real time the same events happen when the clock gets there.
 */
#ifndef IO_SIM_SIM_H
#define IO_SIM_SIM_H

#include "io/names.h"
#include "io/sim/scenario.h"
#include "io/transport.h"

struct sim_config {
    bool virtual_time;
    struct io_watch *watch; /* borrowed; may be NULL; not looked at in virtual time */
};

/**
 * Make a transport of a scenario.
 * @param scenario       Owned by the transport from here on, whether or not this succeeds.
 * @param ret_transport  On 0, the transport; freed with its ops.
 * @return 0; -ENOMEM.
 */
SONDE_MUST_CHECK int sim_new(struct sim_scenario *scenario, const struct sim_config *config,
                             struct sonde_transport **ret_transport);

/** @return The scenario of a transport made by sim_new(); borrowed. */
const struct sim_scenario *sim_scenario_of(const struct sonde_transport *transport);

/**
 * The names that a scenario gives: addresses of a name after its delay, names of addresses at once.
 * @param scenario   Borrowed for as long as the names live.
 * @param ret_names  On 0, the names; freed with their ops.
 * @return 0; -ENOMEM.
 */
SONDE_MUST_CHECK int sim_names_new(const struct sim_scenario *scenario, struct names **ret_names);

#endif
