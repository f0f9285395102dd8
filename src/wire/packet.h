/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records that cross between the engine and a transport: struct sonde_tx, a probe to send,
 * struct sonde_sent, how that went, and struct sonde_rx, something that arrived. Every transport,
 * with raw sockets, error queues or a simulated network below it, speaks in these.
 *
 * sonde_tx keeps the parts apart (segment, TTL, identification), because a transport without raw
 * sockets has to hand them to the kernel one by one. sonde_rx says of each field that can be
 * missing whether it is known; nothing in it is ever guessed.
 */
#ifndef WIRE_PACKET_H
#define WIRE_PACKET_H

#include "base/span.h"
#include "wire/ip.h"

#include <sonde/extension.h>
#include <sonde/vocabulary.h>

/** What load balancers hash. All probes of a trace carry the same. */
struct sonde_flow {
    struct sonde_addr src;
    struct sonde_addr dst;
    uint8_t protocol;  /* IP_PROTO_*; IP_PROTO_ICMP stands for ICMPv6 too */
    uint16_t src_port; /* for ICMP: the echo identifier */
    uint16_t dst_port; /* for ICMP: 0 */
};

/** A probe, ready to send. */
struct sonde_tx {
    const struct sonde_flow *flow; /* borrowed */
    struct sonde_span segment;     /* transport header with checksum, and payload; borrowed */
    size_t header_len;             /* bytes of the segment before its payload */
    uint8_t ttl;
    uint8_t tos;
    bool dont_fragment;  /* no router may divide it; over IPv6 none may, whatever this says */
    uint16_t id;         /* IPv4 identification, never 0 */
    uint32_t flow_label; /* IPv6 */
    uint32_t token;      /* names the probe within its flow */
    uint32_t handle;     /* the engine's name for it, for engine_on_sent() */
};

enum {
    /* the longest header that packet_encode() puts before a segment */
    PACKET_HEADER_MAX = IP6_HEADER_BYTES,
};

/** When a packet went out or came in, and how that is known. */
struct sonde_stamp {
    sonde_ns time_ns;
    enum sonde_clock clock;
};

/** How sending a probe went. */
struct sonde_sent {
    struct sonde_stamp stamp; /* when it left, or when that was tried */
    int error; /* 0; -EAGAIN, -ENOBUFS, -ENOMEM: later; another negative errno: why this one cannot
                  be sent. -EPERM: the firewall, or another policy; -ENETUNREACH, -EHOSTUNREACH,
                  -EINVAL, -EACCES: no route, or one that is unreachable, blackhole, prohibit;
                  -EADDRNOTAVAIL: the source is not this machine's any more; -EMSGSIZE: too big;
                  -EOPNOTSUPP: the transport cannot give it what it is to have in its IP header */
    uint32_t mtu_bytes; /* if error is -EMSGSIZE: the largest packet that could; 0 = not known
                         */
};

enum sonde_rx_kind {
    SONDE_RX_ANSWER, /* a packet in the probe's own protocol */
    SONDE_RX_ERROR,  /* an ICMP error that quotes a probe */
};

/** What an ICMP error quotes of the packet that drew it. */
struct sonde_quote {
    bool has_header;           /* ttl, tos and dont_fragment are known (from a raw socket) */
    bool has_id;               /* id is known (IPv4 from a raw socket) */
    uint16_t id;               /* IPv4 identification */
    uint8_t ttl;               /* as it arrived at the reporter */
    uint8_t tos;               /* likewise: routers rewrite it */
    bool dont_fragment;        /* likewise; always so over IPv6 */
    struct sonde_addr src;     /* rewritten if a NAT did not translate it back */
    struct sonde_span segment; /* the first bytes of the transport header and on; borrowed */
};

/** One arrival. Spans in it are valid until the next call into the transport. */
struct sonde_rx {
    enum sonde_rx_kind kind;
    struct sonde_stamp stamp;
    struct sonde_addr from; /* who sent it */
    int16_t reply_ttl;      /* TTL or hop limit as it arrived; -1 = unknown */

    /* The flow it belongs to, as seen from here: of the answer, or of the quoted probe. */
    uint8_t protocol;         /* IP_PROTO_ICMP stands for ICMPv6 too */
    struct sonde_addr remote; /* the probed address */
    uint16_t local_port;      /* for ICMP: the echo identifier */
    uint16_t remote_port;     /* for ICMP: 0 */

    /* The kernel itself knows which probe drew it, because the probe had a socket of its own. */
    bool attributed;
    uint32_t token; /* of that probe */

    struct sonde_span segment; /* SONDE_RX_ANSWER: transport header and payload */

    /* SONDE_RX_ERROR only */
    uint8_t icmp_type;
    uint8_t icmp_code;
    uint32_t icmp_info; /* second word of the header: MTU, pointer */
    struct sonde_quote quote;
    struct sonde_extensions ext;
};

/** @return Bytes of the whole packet that a probe becomes. */
size_t packet_size(const struct sonde_tx *tx);

/**
 * Write the IP header that goes before a probe's segment.
 * @param buf  Receives it.
 * @param cap  Bytes at @p buf; PACKET_HEADER_MAX always suffice.
 * @return Bytes written; 0 if @p cap is too small or the packet would exceed 65535 bytes.
 */
size_t packet_encode_header(const struct sonde_tx *tx, uint8_t *buf, size_t cap);

/**
 * Write a probe whole: the header, then its segment.
 * @param buf  Receives the packet.
 * @param cap  Bytes at @p buf; PACKET_HEADER_MAX more than the segment always suffice.
 * @return Bytes written; 0 if @p cap is too small or the packet would exceed 65535 bytes.
 */
size_t packet_encode(const struct sonde_tx *tx, uint8_t *buf, size_t cap);

/**
 * Decode a packet that starts with its IP header: from a raw IPv4 socket, or simulated.
 * @param packet  The packet; borrowed by @p ret_rx.
 * @param ret_rx  The stamp is left alone. On 0, everything else; otherwise that is unspecified.
 * @return 0; or an enum sonde_discard: count it and forget the packet.
 */
SONDE_MUST_CHECK int packet_decode(struct sonde_span packet, struct sonde_rx *ret_rx);

/**
 * Decode what a raw IPv6 socket gives: the payload of a packet, its header known apart.
 * @param ip      Source, destination, protocol and ttl of the packet; payload is what arrived.
 * @param ret_rx  As for packet_decode(); reply_ttl is taken from @p ip.
 * @return As packet_decode(). ICMPv6 checksums are not looked at: the kernel did.
 */
SONDE_MUST_CHECK int packet_decode_payload(const struct ip_header *ip, struct sonde_rx *ret_rx);

#endif
