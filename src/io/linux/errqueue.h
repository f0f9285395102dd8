/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error queues: what an ordinary socket is told of an ICMP error. ip(7), IP_RECVERR.
 *
 * The kernel keeps of the error: who sent it, its type and code, the destination of the quoted
 * packet, and the quoted bytes behind the headers that it has stripped (net/ipv4/ip_sockglue.c,
 * ip_icmp_error(); net/ipv6/datagram.c, ipv6_icmp_error()): IP's always, UDP's too. They are put
 * back here, as far as they are known, so that an error looks as if it came from a raw socket. What
 * the kernel has not kept is said to be unknown: the identification, TTL and type of service that
 * are quoted, and of UDP the checksum.
 */
#ifndef IO_LINUX_ERRQUEUE_H
#define IO_LINUX_ERRQUEUE_H

#include "wire/packet.h"

#include <sys/socket.h>
#include <time.h> /* linux/errqueue.h needs it */

#include <linux/errqueue.h>

enum {
    ERRQUEUE_HEADROOM = 48, /* bytes: an IPv6 and a UDP header */
};

/** What came beside the bytes of an entry. */
struct errqueue_entry {
    struct sock_extended_err error;
    struct sonde_addr offender; /* who sent it; no address if the kernel does not say */
};

/**
 * Find the error among what came beside a message.
 * @return true if there is one.
 */
bool errqueue_find(struct msghdr *message, struct errqueue_entry *ret_entry);

/** A probe that an entry is about, as the socket knows it. */
struct errqueue_about {
    uint8_t protocol;         /* IP_PROTO_*; IP_PROTO_ICMP stands for ICMPv6 too */
    struct sonde_addr remote; /* the quoted destination */
    uint16_t local_port;      /* for ICMP: the echo identifier */
    uint16_t remote_port;     /* for ICMP: 0 */
};

/**
 * Make an arrival of an entry.
 * @param entry     From errqueue_find().
 * @param about     What it is about.
 * @param returned  The bytes that the kernel returned; before them ERRQUEUE_HEADROOM bytes are
 *                  overwritten.
 * @param len       How many.
 * @param ret_rx    Stamp and reply_ttl are left alone. On 0, everything else, borrowing
 *                  @p returned; otherwise that is unspecified.
 * @return 0; or an enum sonde_discard: count it and forget the entry.
 * Source: linux/errqueue.h; RFC 4884 §5.5 for errors without a length attribute.
 */
SONDE_MUST_CHECK int errqueue_decode(const struct errqueue_entry *entry,
                                     const struct errqueue_about *about, uint8_t *returned,
                                     size_t len, struct sonde_rx *ret_rx);

#endif
