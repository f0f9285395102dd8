/* SPDX-License-Identifier: BSD-2-Clause */
/* A record that was kept, shown in place of a run. */
#ifndef APP_REPLAY_H
#define APP_REPLAY_H

#include "app/options.h"

/** Show the record of a command that has one. @return The exit code, as run() would have. */
enum sonde_exit replay(const struct command *command);

#endif
