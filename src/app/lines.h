/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines on standard input, each of which is a cycle now. */
#ifndef APP_LINES_H
#define APP_LINES_H

#include <sonde/run.h>

/** {0} is valid. */
struct lines {
    bool have_ended;
};

/**
 * Wait as sonde_vantage_wait() does, or until there is a line: then the next cycle begins. Lines
 * that come together are one cycle. At the end of the lines the run is stopped.
 * @return 0; a negative errno: the clock cannot be read.
 */
SONDE_MUST_CHECK int lines_wait(struct lines *lines, struct sonde_vantage *vantage,
                                struct sonde_run *run);

#endif
