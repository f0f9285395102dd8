/* SPDX-License-Identifier: BSD-2-Clause */
/* What the services of a run showed, from when to when. */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H

#include "run/internal.h"

/** @return What a service that is measured somewhere showed before; NULL: nothing has changed. */
const struct history *run_history(const struct sonde_run *run, uint32_t measured, uint32_t service);

/** @return What the analysis of a stretch of time comes to, as an episode that goes on. Its text is
 *  that of @p analysis. @param tally  Of the service, in that stretch. */
struct episode run_episode(struct analysis *analysis, const struct tally_service *tally);

/** Follow the run's tally: whenever a service changes, let a new episode begin. */
void run_follow_changes(struct sonde_run *run);

/** The figures of a service that is measured somewhere, or with SONDE_ALL of all, begin anew:
 * forget what it showed before. */
void run_forget_history(struct sonde_run *run, uint32_t measured, uint32_t service);

#endif
