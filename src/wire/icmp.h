/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP and ICMPv6 messages: the 8-byte header, and how an error is divided into quote and
 * extension. Source: RFC 792, RFC 4443, RFC 4884 §4 and §5.
 */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "base/bytes.h"

#include <sonde/types.h>

enum { ICMP_HEADER_BYTES = 8 };

/** ICMP types; RFC 792. */
enum {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_REDIRECT = 5,
    ICMP4_ECHO_REQUEST = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER_PROBLEM = 12,
};

/** ICMPv6 types; RFC 4443. */
enum {
    ICMP6_UNREACHABLE = 1,
    ICMP6_PACKET_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO_REQUEST = 128,
    ICMP6_ECHO_REPLY = 129,
};

/** Codes of destination unreachable, and of its like, that more than one file needs. */
enum {
    ICMP4_CODE_PROTOCOL = 2,    /* RFC 792; from the host: RFC 1122 §3.2.2.1 */
    ICMP4_CODE_PORT = 3,        /* RFC 792 */
    ICMP4_CODE_FRAG_NEEDED = 4, /* RFC 1191 §4: the MTU is in the last 16 bits of the header */
    ICMP6_CODE_PORT = 4,        /* RFC 4443 §3.1 */
    ICMP6_CODE_NEXT_HEADER = 1, /* of a parameter problem: RFC 4443 §3.4 */
};

struct icmp_header {
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    uint32_t info;          /* the second 32-bit word: id and sequence, MTU, pointer, length */
    struct sonde_span body; /* after the 8 bytes; borrowed */
};

/** What an ICMP message is to us. */
enum icmp_class {
    ICMP_OTHER,       /* ends no probe: requests, redirects, discovery, unknown types */
    ICMP_ECHO_ANSWER, /* an echo reply */
    ICMP_ERROR,       /* quotes a packet of ours: unreachable, time exceeded, too big, bad header */
};

/** Decode the 8-byte header. @return 0; -EBADMSG if it is not all there. */
SONDE_MUST_CHECK int icmp_decode(struct sonde_span message, struct icmp_header *ret_icmp);

/** Write an 8-byte header with checksum 0; the body is written after it. */
void icmp_encode(struct wr *wr, uint8_t type, uint8_t code, uint32_t info);

/** @return What a message of @p type is to us in @p family. */
enum icmp_class icmp_classify(enum sonde_family family, uint8_t type);

/** @return true if the TTL ran out on the way: 11/0 or 3/0; reassembly timeouts are not that. */
bool icmp_is_ttl_exceeded(enum sonde_family family, uint8_t type, uint8_t code);

/** @return true if a link on the way takes less: 3/4, or packet too big. RFC 1191 §4, RFC 4443 §3.2
 */
bool icmp_is_too_big(enum sonde_family family, uint8_t type, uint8_t code);

/**
 * Read what fits, of an error that says that a packet is too big.
 * @param info  The second word of its header.
 * @return Bytes of the largest packet that fits; 0 = not said, as by routers from before RFC 1191.
 */
uint32_t icmp_mtu_bytes(enum sonde_family family, uint32_t info);

/** @return true for destination unreachable. */
bool icmp_is_unreachable(enum sonde_family family, uint8_t type);

/** @return true if a host says that it does not have the protocol that a packet carries: 3/2, or a
 *  parameter problem about the next header. RFC 1122 §3.2.2.1, RFC 4443 §3.4 */
bool icmp_is_unknown_protocol(enum sonde_family family, uint8_t type, uint8_t code);

/**
 * The length attribute of an error that may carry extensions.
 * @param family  Which ICMP.
 * @param icmp    The error.
 * @return Bytes of the original datagram field; 0 if the attribute is absent or this type has none.
 * Source: RFC 4884 §4: 32-bit words in the second byte of the info word for ICMP types 3, 11 and
 * 12, 64-bit words in its first byte for ICMPv6 types 1 and 3.
 */
size_t icmp_quoted_bytes(enum sonde_family family, const struct icmp_header *icmp);

/** @return The info word that states @p bytes of original datagram; inverse of the above. */
uint32_t icmp_quoted_info(enum sonde_family family, size_t bytes);

#endif
