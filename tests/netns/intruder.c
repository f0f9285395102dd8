/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program can do from inside: preloaded into it, this takes the place of ppoll(), and when
 * that is first called tries what an attacker would. One line on standard error for each attempt:
 * what it was, and the name of the error, or "done".
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void tell(const char *attempt, long result)
{
    const char *outcome = result < 0 ? strerrorname_np(errno) : "done";
    (void)dprintf(STDERR_FILENO, "%s: %s\n", attempt, outcome);
}

static void try_socket(const char *attempt, int domain, int type, int protocol)
{
    int fd = socket(domain, type, protocol);
    tell(attempt, fd);
    if (fd >= 0)
        (void)close(fd);
}

static void try_open(const char *attempt, const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    tell(attempt, fd);
    if (fd >= 0)
        (void)close(fd);
}

static void try_processes(void)
{
    char *const nothing[] = {NULL};
    /* without a sandbox, it would be said that there is no such program */
    tell("execute", execve("/nonexistent", nothing, nothing));
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    tell("fork", child);
    tell("signal", kill(getpid(), 0));
    /* F_SETSIG and O_ASYNC would make it any signal, to any process of this user's: fcntl(2) */
    tell("signal by a descriptor", fcntl(STDERR_FILENO, F_SETOWN, getpid()));
    tell("namespace", unshare(CLONE_NEWUTS));
    tell("change user", syscall(SYS_setresuid, 65534, 65534, 65534));
}

static void try_files(void)
{
    static const char made[] = "/tmp/sonde-intruder";
    try_open("read a private file", "/etc/passwd", O_RDONLY);
    try_open("read a resolver's file", "/etc/hosts", O_RDONLY);
    try_open("write", "/dev/null", O_WRONLY);
    try_open("read and write", "/dev/null", O_RDWR);
    try_open("truncate", "/dev/null", O_RDONLY | O_TRUNC);
    try_open("create", made, O_RDONLY | O_CREAT);
    tell("remove", unlink(made));
    tell("memory file", memfd_create("intruder", 0));
    tell("type into a terminal", ioctl(STDERR_FILENO, TIOCSTI, "x"));
}

static void try_sockets(void)
{
    try_socket("raw socket", AF_INET, SOCK_RAW, IPPROTO_ICMP);
    try_socket("raw IPv6 socket", AF_INET6, SOCK_RAW, IPPROTO_TCP);
    try_socket("packet socket", AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    try_socket("packet socket without headers", AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
    try_socket("firewall socket", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    try_socket("UDP-Lite socket", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
    try_socket("TCP socket", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    try_socket("UDP socket", AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
    const struct sockaddr_un outside = {AF_UNIX, "\0sonde-outside"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    tell("abstract socket", connect(fd, (const struct sockaddr *)&outside, sizeof outside));
    (void)close(fd);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    static int (*real)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "ppoll");
        try_files();
        try_sockets();
        try_processes();
    }
    return real(fds, count, timeout, mask);
}
