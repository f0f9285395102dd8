/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying what is known of one service into a snapshot. */
#ifndef RUN_COPY_H
#define RUN_COPY_H

#include "run/look.h"

/** What the copying of one target needs. */
struct copy {
    struct sonde_run *run;
    struct arena *arena; /* that everything copied lies in; it remembers if memory ran out */
    const struct run_facts *facts; /* of the run */
    struct run_look look;          /* at what is copied */
    struct run_seen all;           /* what the analysis sees of it, of all the time */
    struct run_seen now;           /* and of now */
    struct tally_stretch *stretch; /* that is; owned */
};

/** Look at what is measured of a target, or of a part of its services. */
void copy_look_at(struct copy *copy, const struct run_target *from, uint32_t measured);

/** Judge a service, and copy all that its tally and the analysis say.
 *  @param first  The trace that is its first flow. @param flows  How many it has. */
void copy_service_figures(const struct copy *copy, uint32_t first, uint32_t flows,
                          struct sonde_service_result *to);

#endif
