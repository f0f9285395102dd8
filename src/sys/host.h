/* SPDX-License-Identifier: BSD-2-Clause */
/* What this system lets a process do that probes; for --doctor. */
#ifndef SYS_HOST_H
#define SYS_HOST_H

#include <sonde/types.h>

enum {
    HOST_FILES_NEEDED = 64, /* descriptors that a usual run has use for: sockets of three protocols
                               and two families, held ports, resolvers */
    HOST_WORD_BYTES = 64,
};

/** Errors are 0 or a negative errno. */
struct host {
    int raw4; /* to open a raw socket, IPv4 */
    int raw6;
    int ping4; /* to open an ICMP datagram socket, IPv4 */
    int ping6;
    int ipv6;                          /* to have ::1 as an address */
    int stamps;                        /* to have packets stamped by the kernel */
    bool capable;                      /* CAP_NET_RAW is in effect, in this user namespace */
    bool bounded;                      /* CAP_NET_RAW is in the bounding set: a file can give it */
    bool no_new_privs;                 /* nothing that is executed gains a capability */
    bool nosuid;                       /* no file on this program's file system can; mount(8) */
    bool user_namespace;               /* this is one, not the system's own; user_namespaces(7) */
    bool ipv6_disabled;                /* by sysctl */
    char ping_groups[HOST_WORD_BYTES]; /* that may open ICMP datagram sockets, first and last;
                                          icmp(7), ping_group_range; "" = not known */
    uint64_t files;                    /* descriptors that this process may have */
    uint64_t files_most;               /* to which its user may raise that */
};

/**
 * Find out, by trying. Nothing is sent. Call it between privilege_raise() and privilege_drop().
 * @param ret_host  What was found.
 */
void host_examine(struct host *ret_host);

/**
 * Find this program's own path.
 * @param path  Receives it, or "" if /proc is not there.
 * @param cap   Bytes at @p path.
 */
void host_program(char *path, size_t cap);

#endif
