/* SPDX-License-Identifier: BSD-2-Clause */
/* Privilege; see sys/privilege.h. */
#include "sys/privilege.h"

#include "base/number.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    GROUPS_MAX = 64, /* taken of a user; more are left out */
    PASSWD_BYTES = 16384,
};

bool privilege_is_lent(void)
{
    return geteuid() != getuid() || getegid() != getgid();
}

void privilege_raise(void)
{
    static const cap_value_t wanted[] = {CAP_NET_RAW, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE,
                                         CAP_SETPCAP /* for drop_bounding() */};
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

/* Drop one after the other, until there is none left. It takes CAP_SETPCAP, which only a process
 * that was root has; without it the first one fails. */
static void drop_bounding(void)
{
    for (cap_value_t cap = 0; cap_drop_bound(cap) == 0; cap++)
        ;
}

/* Read a user or group id that sudo names in the environment. 4294967295 is none: setresuid(2).
 * @return false if it does not name one. */
static bool sudo_id(const char *name, uint32_t *ret_id)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): no other thread yet */
    uint64_t id;
    if (value == NULL || number_parse(value, UINT32_MAX - 1, &id) < 0)
        return false;
    *ret_id = (uint32_t)id;
    return true;
}

/* The groups of a user, @p gid among them. @return how many. */
static size_t groups_of(uid_t uid, gid_t gid, gid_t groups[GROUPS_MAX])
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buf[PASSWD_BYTES];
    int count = GROUPS_MAX;
    groups[0] = gid;
    if (getpwuid_r(uid, &entry, buf, sizeof buf, &found) != 0 || found == NULL)
        return 1;
    if (getgrouplist(found->pw_name, gid, groups, &count) < 0)
        return GROUPS_MAX; /* there are more, and these are the first */
    return (size_t)count;
}

/*
 * Only root believes the environment: for any other user, and with a file capability, it says what
 * the caller likes. Where the kernel does not allow it, in a container without CAP_SETUID or a user
 * namespace without that user, this stays root, as when root itself is the caller.
 */
int privilege_become_caller(void)
{
    gid_t groups[GROUPS_MAX];
    uid_t uid;
    gid_t gid;
    if (getuid() != 0 || geteuid() != 0 || !sudo_id("SUDO_UID", &uid) ||
        !sudo_id("SUDO_GID", &gid) || uid == 0)
        return 0;
    size_t count = groups_of(uid, gid, groups);
    /* root as the saved user keeps capabilities permitted, none is effective: capabilities(7) */
    if (setgroups(count, groups) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, 0) < 0)
        return errno == EPERM || errno == EINVAL ? 0 : -errno;
    return 0;
}

static int drop_capabilities(void)
{
    cap_t none = cap_init();
    if (none == NULL)
        return -errno;
    int r = cap_set_proc(none) < 0 ? -errno : 0;
    (void)cap_free(none);
    return r;
}

int privilege_drop(void)
{
    uid_t real;
    uid_t uid;
    uid_t saved;
    drop_bounding(); /* while it is allowed */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (getresuid(&real, &uid, &saved) < 0 || (saved != uid && setresuid(uid, uid, uid) < 0))
        return -errno;
    /* else any process of this user's takes the sockets, without a capability: pidfd_getfd(2) */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    int r = drop_capabilities();
    /* tried, not read: what counts is what the kernel lets us do */
    if (r == 0 &&
        ((uid != 0 && setresuid(0, 0, 0) == 0) || (getegid() != 0 && setresgid(0, 0, 0) == 0)))
        r = -EPERM;
    return r;
}
