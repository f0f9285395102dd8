/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT as a readable descriptor. The handler only writes a byte;
 * whoever waits on the descriptor decides what it means.
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

/** @return The last signal that came, but for SIGQUIT; 0 if none did. */
int signal_caught(void);

/** From now on SIGQUIT ends nothing, but asks for something; one that is ignored stays so.
 *  @return 0; a negative errno. */
SONDE_MUST_CHECK int signal_catch_quit(void);

/** @return true once for each SIGQUIT, or for several that came at once. Then the descriptor is not
 *  readable any more, unless another signal came. */
bool signal_take_quit(void);

#endif
