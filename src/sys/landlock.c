/* SPDX-License-Identifier: BSD-2-Clause */
/* Files as seen from inside the sandbox; see sys/landlock.h. landlock(7). */
#include "sys/landlock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * All that looking names up reads: where resolvers and their order are written down, and where
 * name service modules and what they are linked with lie. What does not exist is passed over.
 * A rule for a link is one for the file that it leads to.
 */
static const char *const files[] = {"/etc/gai.conf",    "/etc/host.conf",  "/etc/hosts",
                                    "/etc/ld.so.cache", "/etc/mdns.allow", "/etc/nsswitch.conf",
                                    "/etc/resolv.conf", "/etc/services",   "/etc/ld.so.preload"};
static const char *const directories[] = {"/lib",
                                          "/lib32",
                                          "/lib64",
                                          "/usr/lib",
                                          "/usr/lib32",
                                          "/usr/lib64",
                                          "/usr/local/lib",
                                          "/usr/share/locale",
                                          "/gnu/store",
                                          "/nix/store",
                                          "/run/resolvconf",
                                          "/run/systemd/resolve",
                                          "/var/lib/sss/mc",
                                          "/run/NetworkManager",
                                          "/sys/devices/system/cpu"};

/* The kernel's struct landlock_ruleset_attr; headers may be of a version that lacks its end. A
 * kernel that lacks it too takes zeros there: copy_min_struct_from_user() in
 * security/landlock/syscalls.c. */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes; /* version 6: what is not done to who is outside of the sandbox */
};

/* To connect to local sockets with abstract names, which lie in no folder, and to send signals. */
enum { SCOPES = 1 << 0 | 1 << 1 };

/* Every access that each version of the interface can refuse; those that the kernel of this
 * version does not know it would not take. */
static uint64_t accesses_of(int version)
{
    enum {
        FIRST = 13, /* execute, write, read, and all ways to make and remove */
        REFER = 14, /* version 2: to rename and link into another directory */
        TRUNCATE = 15,
        IOCTL_DEV = 16, /* version 5; version 4 only added the network */
    };
    static_assert(LANDLOCK_ACCESS_FS_MAKE_SYM == 1 << (FIRST - 1), "the last of the first version");
    unsigned bits = version >= 5   ? IOCTL_DEV
                    : version >= 3 ? TRUNCATE
                    : version == 2 ? REFER
                                   : FIRST;
    return (UINT64_C(1) << bits) - 1;
}

/* Let the files below a path be read, or the file itself. */
static int allow_reading(int ruleset, const char *path)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return 0;
    long r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int error = r < 0 ? -errno : 0;
    (void)close(rule.parent_fd);
    return error;
}

static int allow_all(int ruleset)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof files / sizeof *files; i++)
        r = allow_reading(ruleset, files[i]);
    for (size_t i = 0; r == 0 && i < sizeof directories / sizeof *directories; i++)
        r = allow_reading(ruleset, directories[i]);
    return r;
}

int landlock_close(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0)
        return -errno;
    const struct ruleset attr = {.files = accesses_of((int)version),
                                 .scopes = version >= 6 ? SCOPES : 0};
    long ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0)
        return -errno;
    int r = allow_all((int)ruleset);
    if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        r = -errno;
    (void)close((int)ruleset);
    return r < 0 ? r : (int)version;
}
