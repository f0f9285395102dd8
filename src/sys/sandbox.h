/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sandbox: what a program that a packet has taken over could still do. Once closed, it stays
 * closed until the program ends. seccomp(2), landlock(7).
 *
 * Inside, sockets that any user may have can be opened, the files that a resolver reads can be
 * read, and threads can be started: getaddrinfo() does all of that. No other program is executed,
 * no process is started, no file is written or made, no raw or packet socket is opened.
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include <sonde/types.h>

/** What this system had to close the sandbox with. */
struct sandbox {
    int filter;   /* of system calls: 0 it is in force; a negative errno why not: -ENOSYS, this
                     machine's system calls are not known here, or this build goes without it */
    int landlock; /* the version of the kernel's interface in use, 1 or more; a negative errno: it
                     has none, or it is switched off */
};

/**
 * Close the sandbox, as far as this system has what it takes: a kernel without it is no error.
 * privilege_drop() must have been called, and no other thread may run yet.
 * @param ret_sandbox  What is in force now.
 */
void sandbox_close(struct sandbox *ret_sandbox);

#endif
