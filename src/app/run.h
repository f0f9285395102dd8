/* SPDX-License-Identifier: BSD-2-Clause */
/* One run, from the sockets to the report. */
#ifndef APP_RUN_H
#define APP_RUN_H

#include "app/options.h"

/** Exit codes; INTERFACE of the program, scripts depend on them. */
enum exit_code {
    EXIT_MET = 0,        /* every service met its expectation */
    EXIT_UNMET = 1,      /* at least one did not */
    EXIT_USAGE = 2,      /* usage or configuration; nothing was sent */
    EXIT_UNMEASURED = 3, /* nothing failed, but something could not be measured */
    EXIT_INTERNAL = 4,
};

/** Run a command of kind COMMAND_RUN. @return The exit code. */
int run(const struct command *command);

/**
 * Write all of a text to standard output.
 * @return 0, also if the reader has gone away; a negative errno after saying why on standard error.
 */
SONDE_MUST_CHECK int run_write(const char *bytes, size_t len);

#endif
