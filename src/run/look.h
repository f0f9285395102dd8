/* SPDX-License-Identifier: BSD-2-Clause */
/* A target of a run as the analysis sees it. */
#ifndef RUN_LOOK_H
#define RUN_LOOK_H

#include "run/internal.h"

/** What the analysis sees of a target, by service and by trace. */
struct run_seen {
    struct analyze_target services;
    struct analyze_target traces;
};

/** What the analysis has to know beyond the tally. */
struct run_look {
    uint32_t measured;                 /* where that is measured which is looked at */
    const struct tally_target *traced; /* all that is known there, by trace */
    struct run_next_hop next_hop;
    struct analyze_service services[TARGET_SERVICES_MAX];
    struct analyze_service traces[TARGET_FLOWS_MAX];
    struct analyze_target common; /* what is the same, whatever time is looked at */
};

/**
 * Look at all that is measured where a target's services are, as the target sees it: of services
 * that only others of its address ask, it expects nothing.
 * @param facts  Of the run. @param arena  Memory for what does not fit into @p look; it remembers
 * if that ran out.
 */
void target_look_at(const struct sonde_run *run, const struct run_target *from, uint32_t measured,
                    const struct run_facts *facts, struct arena *arena, struct run_look *look);

/** See it through a tally: that of all the time, or a stretch of it. @p seen borrows from @p look,
 *  and must stay where it is. */
void target_see(const struct run_look *look, const struct tally_target *services,
                const struct tally_target *traces, struct run_seen *seen);

#endif
