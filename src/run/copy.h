/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying what is known of one service into a snapshot. */
#ifndef RUN_COPY_H
#define RUN_COPY_H

#include "run/internal.h"

/** What the copying of one target needs. */
struct copy {
    struct sonde_run *run;
    struct arena *arena; /* that everything copied lies in; it remembers if memory ran out */
    uint32_t measured;   /* where that is measured which is copied */
    struct analyze_target target; /* what the analysis sees of it, by service */
    struct analyze_target traces; /* the same by trace, of which a service may have several */
    char interface[IF_NAMESIZE];  /* that packets to it leave by; target borrows it */
};

/** Judge a service, and copy all that its tally and the analysis say.
 *  @param first  The trace that is its first flow. @param flows  How many it has. */
void copy_service_figures(const struct copy *copy, uint32_t first, uint32_t flows,
                          struct sonde_service_result *to);

#endif
