/* SPDX-License-Identifier: BSD-2-Clause */
/* --doctor; see app/doctor.h. What it says was tried, not read off a list of versions. */
#include "app/doctor.h"

#include "app/print.h"
#include "sys/host.h"
#include "sys/privilege.h"
#include "sys/sandbox.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

/* This program's path, for a shell. */
static void add_program(struct text *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "/._+-";
    char path[PATH_BYTES];
    host_program(path, sizeof path);
    const char *quote = path[strspn(path, plain)] == '\0' ? "" : "'";
    text_add(text, quote);
    if (path[0] != '\0')
        text_add_untrusted(text, path, strlen(path));
    else
        text_add(text, "\"$(command -v sonde)\"");
    text_add(text, quote);
}

void doctor_add_setcap(struct text *text)
{
    text_add(text, "sudo setcap cap_net_raw+p ");
    add_program(text);
}

enum sonde_exit doctor_refuse_lent(void)
{
    struct text text = {0};
    text_add(&text,
             "a setuid or setgid bit is no way to raw sockets; take it away, and grant them: "
             "sudo chmod ug-s ");
    add_program(&text);
    text_add(&text, " && ");
    doctor_add_setcap(&text);
    (void)fprintf(stderr, "sonde: %s\n", text_ok(&text) ? text.data : "out of memory");
    text_deinit(&text);
    return SONDE_EXIT_USAGE;
}

/* "no   raw sockets: Operation not permitted" */
static void add_fact(struct text *text, int error, const char *what)
{
    text_addf(text, "%s  %s", error == 0 ? "yes" : "no ", what);
    const char *reason = error != 0 ? strerrordesc_np(-error) : NULL;
    if (reason != NULL)
        text_addf(text, ": %s", reason);
}

/* One way to change what the line above says. */
static void add_remedy(struct text *text, const char *where, const char *how)
{
    text_addf(text, "\n       %s: %s", where, how);
}

/* What gives every user raw sockets through this program, or through a copy of it elsewhere. */
static void add_grant(struct text *text, bool elsewhere)
{
    if (!elsewhere) {
        doctor_add_setcap(text);
        return;
    }
    text_add(text, "sudo install ");
    add_program(text);
    text_add(text, " /usr/local/bin/sonde && sudo setcap cap_net_raw+p /usr/local/bin/sonde");
}

/* Only what would help here: why raw sockets are refused decides what allows them. */
static void add_raw_remedies(struct text *text, const struct host *host)
{
    static const char unit[] = "AmbientCapabilities=CAP_NET_RAW";
    static const char flags[] = "docker run --cap-add NET_RAW, podman run --cap-add NET_RAW";
    if (host->capable && !host->user_namespace) {
        text_add(text, "; CAP_NET_RAW is in effect, so that a filter or a security module refuses");
        add_remedy(text, "in a container", "look at --security-opt");
        add_remedy(text, "in a systemd unit", "look at RestrictAddressFamilies, SystemCallFilter");
    } else if (host->capable) {
        text_add(text, "; CAP_NET_RAW is in effect, but not over this network, which belongs to "
                       "another user namespace");
        add_remedy(text, "start sonde",
                   "outside of this user namespace, or in one with a network "
                   "of its own (unshare --map-root-user --net)");
    } else if (!host->bounded) {
        text_add(text, "; CAP_NET_RAW is not in the bounding set, so that no file can give it");
        add_remedy(text, "in a container", flags);
        add_remedy(text, "in a systemd unit", "CapabilityBoundingSet=CAP_NET_RAW");
        add_remedy(text, "in a systemd unit", unit);
    } else if (host->no_new_privs) {
        text_add(text, "; no_new_privs is set, so that no file can give a capability");
        add_remedy(text, "in a container",
                   "no --security-opt no-new-privileges, or, as root, "
                   "--cap-add NET_RAW");
        add_remedy(text, "in a systemd unit", unit);
    } else if (host->user_namespace) {
        text_add(text, "; only capabilities in this user namespace count, over a network of its "
                       "own");
        add_remedy(text, "in a container", flags);
        add_remedy(text, "start sonde", "outside of this user namespace");
    } else {
        if (host->nosuid)
            text_add(text, "; its file system is mounted nosuid, so that no file there can give a "
                           "capability");
        struct text setcap = {0};
        add_grant(&setcap, host->nosuid);
        add_remedy(text, "for every user", text_ok(&setcap) ? setcap.data : "");
        text_deinit(&setcap);
        add_remedy(text, "in a systemd unit", unit);
        add_remedy(text, "in a container", flags);
    }
}

/* Are raw sockets allowed, for every family that this system has? */
static bool has_raw(const struct host *host)
{
    return host->raw4 == 0 && (host->raw6 == 0 || host->ipv6 == -EAFNOSUPPORT);
}

static void add_raw(struct text *text, const struct host *host)
{
    int error = has_raw(host) ? 0 : host->raw4 != 0 ? host->raw4 : host->raw6;
    add_fact(text, error, "raw sockets");
    if (host->raw4 == -EPERM)
        add_raw_remedies(text, host);
    text_add(text, "\n");
}

static void add_ping(struct text *text, const struct host *host)
{
    static const char setting[] = "net.ipv4.ping_group_range=\"0 2147483647\"";
    struct text command = {0};
    add_fact(text, host->ping4, "ICMP datagram sockets");
    if (host->ping_groups[0] != '\0')
        text_addf(text, " (net.ipv4.ping_group_range is \"%s\")", host->ping_groups);
    if (host->ping4 != 0 && has_raw(host)) {
        text_add(text, "; not needed here, raw sockets serve");
    } else if (host->ping4 == -EACCES) {
        text_addf(&command, "sudo sysctl %s", setting);
        add_remedy(text, "for every user", text_ok(&command) ? command.data : "");
        text_deinit(&command);
        text_addf(&command, "docker run --sysctl %s", setting);
        add_remedy(text, "in a container", text_ok(&command) ? command.data : "");
        text_deinit(&command);
    }
    text_add(text, "\n");
}

static void add_ipv6(struct text *text, const struct host *host)
{
    add_fact(text, host->ipv6, "IPv6");
    if (host->ipv6 != 0 && host->ipv6_disabled)
        add_remedy(text, "for all interfaces", "sudo sysctl net.ipv6.conf.all.disable_ipv6=0");
    text_add(text, "\n");
}

static void add_files(struct text *text, const struct host *host)
{
    bool enough = host->files >= HOST_FILES_NEEDED;
    text_addf(text, "%s  open files: %" PRIu64 ", needed are %d", enough ? "yes" : "no ",
              host->files, HOST_FILES_NEEDED);
    if (!enough) {
        add_remedy(text, "in a shell",
                   host->files_most >= HOST_FILES_NEEDED ? "ulimit -n 64"
                                                         : "sudo prlimit --nofile=64 --pid $$");
        add_remedy(text, "in a systemd unit", "LimitNOFILE=64");
        add_remedy(text, "in a container", "docker run --ulimit nofile=64");
    }
    text_add(text, "\n");
}

static void add_sandbox(struct text *text, const struct sandbox *sandbox)
{
    add_fact(text, sandbox->filter, "seccomp filter");
    text_add(text, "\n");
    if (sandbox->landlock > 0)
        text_addf(text, "yes  Landlock, version %d\n", sandbox->landlock);
    else
        add_fact(text, sandbox->landlock, "Landlock");
    if (sandbox->landlock == -EOPNOTSUPP)
        add_remedy(text, "at boot", "add landlock to lsm= in the kernel's command line");
    if (sandbox->landlock <= 0)
        text_add(text, "\n");
}

enum sonde_exit doctor(void)
{
    static_assert(HOST_FILES_NEEDED == 64, "the remedies of add_files() name it");
    struct text text = {0};
    struct host host;
    struct sandbox sandbox;
    privilege_raise();
    host_examine(&host);
    if (privilege_drop() < 0) {
        (void)fprintf(stderr, "sonde: cannot give up privileges\n");
        return SONDE_EXIT_INTERNAL;
    }
    sandbox_close(&sandbox);
    add_raw(&text, &host);
    add_ping(&text, &host);
    add_ipv6(&text, &host);
    add_fact(&text, host.stamps, "time stamps of the kernel's");
    text_add(&text, "\n");
    add_files(&text, &host);
    add_sandbox(&text, &sandbox);
    enum sonde_exit status = text_ok(&text) && print_bytes(text.data, text.len) == 0
                                 ? SONDE_EXIT_MET
                                 : SONDE_EXIT_INTERNAL;
    text_deinit(&text);
    bool all = has_raw(&host) && host.files >= HOST_FILES_NEEDED;
    return status == SONDE_EXIT_MET && !all ? SONDE_EXIT_UNMET : status;
}
