/* SPDX-License-Identifier: BSD-2-Clause */
/* The half of the sandbox that is about files; see sys/sandbox.h. landlock(7). */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include <sonde/types.h>

/**
 * Refuse, for good, every use of files but reading what looking names up reads. Files that are
 * open already are not concerned, sockets neither: the kernel's rules for TCP would refuse probes.
 * From version 6 on also refuse signals, and connections to local sockets that lie in no folder.
 * @return The version of the kernel's interface, 1 or more; a negative errno: nothing is refused,
 *         the kernel has no Landlock or it is switched off.
 */
SONDE_MUST_CHECK int landlock_close(void);

#endif
