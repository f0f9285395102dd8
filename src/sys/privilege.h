/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privilege in three steps: root that came through sudo becomes its caller, what sockets take is
 * raised to open them, then all is gone for good, before a byte from outside is read.
 * capabilities(7).
 */
#ifndef SYS_PRIVILEGE_H
#define SYS_PRIVILEGE_H

#include <sonde/types.h>

/**
 * @return Whether the program was given a user's or a group's rights by a setuid or setgid bit. It
 *         is not made for that: it reads files that its caller names.
 */
bool privilege_is_lent(void);

/**
 * Called by root through sudo, become the user and the groups of sudo's caller, so that files are
 * read with his rights. Capabilities stay permitted, none is effective.
 * @return 0, also if nobody is to be become; a negative errno.
 */
SONDE_MUST_CHECK int privilege_become_caller(void);

/**
 * Make the capabilities that sockets take effective, and what privilege_drop() takes, as far as
 * they are permitted: a file capability of "cap_net_raw+p" gives them permitted, not effective.
 */
void privilege_raise(void);

/**
 * Give up every capability: permitted, effective, inheritable, ambient and, where that is still
 * allowed, bounding; and root as the saved user. Forbid this process and its children to gain any,
 * and other processes of its user to look into it.
 * @return 0; a negative errno: it still has some, and must not go on.
 */
SONDE_MUST_CHECK int privilege_drop(void);

#endif
