/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport without privilege: Linux, IPv4 and IPv6, without raw sockets or any capability.
 *
 * Echo requests leave through ICMP datagram sockets (icmp(7), ping_group_range), one for each
 * identifier, UDP probes through one bound socket for each held port. All targets share these. A
 * SYN is what connect() sends: each has a socket of its own, closed before the kernel would send
 * another. ICMP errors are read from the sockets' error queues.
 *
 * What the kernel keeps to itself is said to be unknown: of a quote its IP header, of a UDP quote
 * the checksum, of a TCP answer its TTL. It hides quotes of less than 8 bytes, of IPv4 fragments
 * whose reassembly timed out, and unknown codes; of a TCP probe that this machine's own firewall
 * drops it says nothing, nor of any ICMPv6 probe that does not leave (net/ipv6/ping.c,
 * ping_v6_sendmsg()), nor of errors that an error queue has no room for (net/ipv4/ip_sockglue.c,
 * ip_icmp_error()).
 */
#ifndef IO_LINUX_UNPRIVILEGED_H
#define IO_LINUX_UNPRIVILEGED_H

#include "io/linux/linux.h"

/**
 * Open the transport. Of the sockets only those of held ports are opened here, the others when
 * flows are bound and probes sent.
 * @param config         As for linux_new().
 * @param ret_transport  On 0, the transport; freed with its ops. A flow that it cannot bind for
 *                       want of permission is refused with -EPERM.
 * @param ret_icmp       On 0, whether ICMP datagram sockets are allowed to this process.
 * @return 0; -ENODEV: no such interface; -EADDRINUSE, -EACCES: the source port cannot be held;
 *         -EOPNOTSUPP: a mark was asked for, and cannot be set; another negative errno.
 */
SONDE_MUST_CHECK int unprivileged_new(const struct linux_config *config,
                                      struct sonde_transport **ret_transport, bool *ret_icmp);

#endif
