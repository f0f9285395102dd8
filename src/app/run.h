/* SPDX-License-Identifier: BSD-2-Clause */
/* One run, from the sockets to the report. */
#ifndef APP_RUN_H
#define APP_RUN_H

#include "app/options.h"

/** Run a command of kind COMMAND_RUN. @return The exit code: what the snapshot comes to, or why
 *  there is none, or that its report could not be written. */
enum sonde_exit run(const struct command *command);

#endif
