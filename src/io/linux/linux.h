/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The raw-socket transport: Linux, IPv4 and IPv6.
 *
 * Probes leave through one raw socket a family that takes whole packets (raw(7), IP_HDRINCL), so
 * that TTL, identification and flow label are ours packet by packet. Answers come in through one
 * raw socket for each protocol and family. Source ports are held by bound sockets: no other
 * program is given them, and the kernel sends no port unreachable to a UDP server that answers.
 * Socket filters let nothing in but what can be ours.
 *
 * linux_new() opens everything that takes privilege. After it the process can drop all of its
 * capabilities; the filters still drop every packet then, and open only for flows that are bound.
 */
#ifndef IO_LINUX_LINUX_H
#define IO_LINUX_LINUX_H

#include "io/transport.h"

enum { LINUX_PROTOCOLS_MAX = 8 };

struct linux_config {
    uint8_t protocols[LINUX_PROTOCOLS_MAX]; /* to be probed, each once; ICMP is always received */
    size_t protocol_count;
    enum sonde_family family; /* nothing of another one is bound; NONE = of both */
    const char *interface;    /* send through this one only; NULL = the routing table's choice */
    uint32_t mark;            /* SO_MARK; 0 = none */
    uint16_t source_port;     /* to hold for every protocol with ports; 0 = any */
    struct io_watch *watch;   /* borrowed; may be NULL */
};

/**
 * Open the sockets.
 * @param config         Copied; strings are not needed afterwards.
 * @param ret_transport  On 0, the transport; freed with its ops.
 * @return 0; -EPERM: raw sockets are not allowed to this process; -ENODEV: no such interface;
 *         -EADDRINUSE, -EACCES: the source port cannot be held; -EOPNOTSUPP: marks are not allowed
 *         to this process; another negative errno.
 */
SONDE_MUST_CHECK int linux_new(const struct linux_config *config,
                               struct sonde_transport **ret_transport);

/**
 * Find the interface that has an address.
 * @param name  Receives its name, or "" if none has.
 * @param cap   Bytes at @p name.
 */
void linux_interface_of(const struct sonde_addr *addr, char *name, size_t cap);

#endif
