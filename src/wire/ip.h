/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 and IPv6 headers: bytes to fields and back. Source: RFC 791 §3.1, RFC 8200 §3 and §4.
 *
 * The same decoder reads a packet that arrived and the quote of one in an ICMP error; a quote may
 * be cut short, and routers on the way may have rewritten any field that is not an address.
 */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include "base/bytes.h"

#include <sonde/types.h>

/** Upper protocol numbers. Source: the IANA protocol numbers registry. */
enum {
    IP_PROTO_ICMP = 1,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_SCTP = 132,
};

enum {
    IP_ECN_MASK = 3,           /* of the type of service, where ECN stands; RFC 3168 §5 */
    IP_DSCP_SHIFT = 2,         /* the DSCP stands before it; RFC 2474 §3 */
    IP4_HEADER_BYTES = 20,     /* without options; RFC 791 §3.1 */
    IP6_HEADER_BYTES = 40,     /* without extension headers; RFC 8200 §3 */
    IP6_EXTENSIONS_MAX = 8,    /* headers walked before a packet is given up */
    IP6_EXTENSION_BYTES = 256, /* and bytes of them */
};

/** What the bytes handed to ip_decode() are. */
enum ip_source {
    IP_WHOLE,  /* a packet as it arrived: its length must fit */
    IP_QUOTED, /* a quote: only what was quoted is there, and lengths may have been rewritten */
};

struct ip_header {
    struct sonde_addr src;
    struct sonde_addr dst;
    uint8_t protocol;          /* of the payload: extension headers are passed over */
    uint8_t ttl;               /* TTL or hop limit */
    uint8_t tos;               /* type of service or traffic class */
    uint8_t first_extension;   /* IPv6: number of the first header in options, if there is one */
    uint16_t id;               /* IPv4 identification; 0 for IPv6 */
    uint32_t flow_label;       /* IPv6, 20 bits; 0 for IPv4 */
    bool fragment;             /* not the first fragment: the payload starts in the middle */
    bool dont_fragment;        /* IPv4: no router may divide it; always so in IPv6 */
    struct sonde_span options; /* IPv4 options, or all IPv6 extension headers; borrowed */
    struct sonde_span payload; /* what follows the headers, as far as it is there; borrowed */
};

/**
 * Decode an IPv4 or IPv6 header.
 * @param bytes    Starts with the version nibble; borrowed by @p ret_ip.
 * @param source   Whether the packet must be whole.
 * @param ret_ip   On 0, the header; otherwise untouched.
 * @return 0; -EBADMSG if version, header length, total length or extension headers contradict the
 *         bytes (discard the packet and count it).
 */
SONDE_MUST_CHECK int ip_decode(struct sonde_span bytes, enum ip_source source,
                               struct ip_header *ret_ip);

/**
 * Write a header for a payload that is written after it.
 * @param wr           Receives the header, for IPv4 with its checksum.
 * @param ip           Addresses of one family, protocol, ttl, tos; for IPv4 id, dont_fragment and
 *                     options (at most 40 bytes, a multiple of 4), for IPv6 flow_label, and options
 * with first_extension: a chain of headers that ends in protocol. Other members are ignored.
 * @param payload_len  Bytes that will follow; at most 65535 less the header.
 * Fails through wr_ok() if it does not fit.
 */
void ip_encode(struct wr *wr, const struct ip_header *ip, size_t payload_len);

#endif
