/* SPDX-License-Identifier: BSD-2-Clause */
/* What this system lets a process do; see sys/host.h. */
#include "sys/host.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int try_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    (void)close(fd);
    return 0;
}

static int try_ipv6(void)
{
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

static int try_stamps(void)
{
    const int wanted =
        SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

static bool is_capable(void)
{
    cap_flag_value_t effective = CAP_CLEAR;
    cap_t caps = cap_get_proc();
    if (caps == NULL)
        return false;
    (void)cap_get_flag(caps, CAP_NET_RAW, CAP_EFFECTIVE, &effective);
    (void)cap_free(caps);
    return effective == CAP_SET;
}

/* The first line of a file, its blanks made single spaces; "" if it cannot be read. */
static void read_words(const char *path, char words[HOST_WORD_BYTES])
{
    char line[HOST_WORD_BYTES];
    char *place = NULL;
    FILE *file = fopen(path, "re");
    words[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    (void)fclose(file);
    for (char *at = strtok_r(line, " \t\n", &place); at != NULL;
         at = strtok_r(NULL, " \t\n", &place)) {
        size_t len = strlen(words);
        (void)snprintf(words + len, HOST_WORD_BYTES - len, "%s%s", len > 0 ? " " : "", at);
    }
}

/* Every user of the system's own namespace is the same user there. */
static bool is_user_namespace(void)
{
    char map[HOST_WORD_BYTES];
    read_words("/proc/self/uid_map", map);
    return access("/proc/self/uid_map", F_OK) == 0 && strcmp(map, "0 0 4294967295") != 0;
}

static bool is_nosuid(void)
{
    struct statvfs system;
    return statvfs("/proc/self/exe", &system) == 0 && (system.f_flag & ST_NOSUID) != 0;
}

void host_program(char *path, size_t cap)
{
    ssize_t len = readlink("/proc/self/exe", path, cap - 1);
    path[len > 0 ? len : 0] = '\0';
}

void host_examine(struct host *ret_host)
{
    struct host host = {
        .raw4 = try_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP),
        .raw6 = try_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6),
        .ping4 = try_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
        .ping6 = try_socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6),
        .ipv6 = try_ipv6(),
        .stamps = try_stamps(),
        .capable = is_capable(),
        .bounded = cap_get_bound(CAP_NET_RAW) == 1,
        .no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        .nosuid = is_nosuid(),
        .user_namespace = is_user_namespace(),
    };
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    host.files = limit.rlim_cur;
    host.files_most = limit.rlim_max;
    char disabled[HOST_WORD_BYTES];
    read_words("/proc/sys/net/ipv6/conf/all/disable_ipv6", disabled);
    host.ipv6_disabled = strcmp(disabled, "1") == 0;
    read_words("/proc/sys/net/ipv4/ping_group_range", host.ping_groups);
    *ret_host = host;
}
