/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT, SIGTERM and SIGHUP as a readable descriptor. The handler only writes a byte; whoever
 * waits on the descriptor decides what it means.
 */
#ifndef SYS_SIGNAL_H
#define SYS_SIGNAL_H

#include <sonde/types.h>

/**
 * Catch the signals, and ignore SIGPIPE: a closed pipe is an error of the write. A SIGHUP
 * that is ignored stays so: nohup(1).
 * @param ret_fd  On 0, becomes readable when a signal came, and stays so; owned by the process.
 * @return 0; a negative errno.
 */
SONDE_MUST_CHECK int signal_catch(int *ret_fd);

/** @return The last signal that came; 0 if none did. */
int signal_caught(void);

#endif
