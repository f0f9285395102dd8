/* SPDX-License-Identifier: BSD-2-Clause */
/* Privilege; see sys/privilege.h. */
#include "sys/privilege.h"

#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>

void privilege_raise(void)
{
    static const cap_value_t wanted[] = {CAP_NET_RAW, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE};
    cap_t caps = cap_get_proc();
    if (caps == NULL)
        return;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cap_flag_value_t permitted = CAP_CLEAR;
        if (cap_get_flag(caps, wanted[i], CAP_PERMITTED, &permitted) == 0 && permitted == CAP_SET)
            (void)cap_set_flag(caps, CAP_EFFECTIVE, 1, &wanted[i], CAP_SET);
    }
    (void)cap_set_proc(caps); /* what fails here shows when the socket is opened */
    (void)cap_free(caps);
}

/* The bounding set takes CAP_SETPCAP, which only a process that was root has. */
static void drop_bounding(void)
{
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
        (void)cap_drop_bound(cap);
}

int privilege_drop(void)
{
    int r = 0;
    drop_bounding();
    (void)cap_reset_ambient();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    cap_t none = cap_init();
    if (none == NULL)
        return -errno;
    if (cap_set_proc(none) < 0)
        r = -errno;
    (void)cap_free(none);
    return r;
}
