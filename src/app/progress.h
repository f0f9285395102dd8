/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a long run is: one line on standard error, if that is a terminal, erased at the end. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include "app/options.h"

struct progress {
    bool wanted;
    bool shown;       /* a line stands there */
    sonde_ns next_ns; /* of the run, when the next one is due */
};

/** @return What to begin with: a line is wanted, or none. */
struct progress progress_init(const struct command *command);

/** @return How long the run may go on until progress_show() has to be called again. */
sonde_ns progress_wait_ns(const struct progress *progress);

/** Show how far the run is, if it is time to. */
void progress_show(struct progress *progress, const struct sonde_run *run);

/** Erase the line, before something else is written. */
void progress_clear(struct progress *progress);

#endif
