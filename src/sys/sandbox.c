/* SPDX-License-Identifier: BSD-2-Clause */
/* The sandbox, and its half that is about system calls; see sys/sandbox.h. seccomp(2). */
#include "sys/sandbox.h"

#include "sys/filter.h"
#include "sys/landlock.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#if SONDE_SANDBOX
/* privilege_drop() has set no_new_privs, without which this takes privilege. */
static int filter_close(void)
{
#if SONDE_FILTER
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter_program, 0, 0) < 0 ? -errno : 0;
#else
    return -ENOSYS;
#endif
}

void sandbox_close(struct sandbox *ret_sandbox)
{
    ret_sandbox->landlock = landlock_close();
    ret_sandbox->filter = filter_close();
}
#else
/* Sanitizers write reports and start processes, coverage writes files: nothing is closed. */
void sandbox_close(struct sandbox *ret_sandbox)
{
    *ret_sandbox = (struct sandbox){-ENOSYS, -ENOSYS};
}
#endif
