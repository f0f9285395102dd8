/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The extension structure of an ICMP error, and the objects in it.
 *
 * An error is: 8-byte header, "original datagram" field (the quote, padded), extension structure.
 * Where the field ends is said by the length attribute (RFC 4884 §4); routers older than that RFC
 * always put the structure at byte 128 and say nothing (§5.5). Objects are MPLS label stacks
 * (RFC 4950), interface information (RFC 5837), or kept as bytes.
 */
#ifndef WIRE_ICMPEXT_H
#define WIRE_ICMPEXT_H

#include "base/bytes.h"

#include <sonde/extension.h>

enum {
    ICMPEXT_LEGACY_OFFSET = 128, /* bytes; RFC 4884 §5.5: the length attribute is absent */
    ICMPEXT_QUOTE_MIN = 128,     /* bytes; RFC 4884 §4.3: a stated length is never less */
    ICMPEXT_SEGMENT_MIN = 8,     /* bytes of transport header that are quoted; RFC 792 */
    ICMPEXT_VERSION = 2,         /* RFC 4884 §7 */
    ICMPEXT_HEADER_BYTES = 4,
    ICMPEXT_OBJECT_HEADER_BYTES = 4,
    ICMPEXT_CLASS_MPLS = 1,      /* RFC 4950 §3 */
    ICMPEXT_CLASS_INTERFACE = 2, /* RFC 5837 §4 */
};

/** Where the parts of an error's body lie. */
struct icmpext_parts {
    struct sonde_span quote;     /* the original datagram field, padding included */
    struct sonde_span structure; /* the extension structure; empty if there is none */
    bool legacy;                 /* found without a length attribute */
    bool bad_length;             /* the length attribute contradicts the message; it was ignored */
};

/**
 * Divide the body of an ICMP error into quote and extension structure.
 * @param body          The bytes after the 8-byte ICMP header; borrowed.
 * @param quoted_bytes  The length attribute in bytes, from icmp_quoted_bytes(); 0 = absent.
 * @return The parts. Without a structure, or with a length that cannot be, all of @p body is quote:
 *         the error still tells which hop sent it.
 * Source: RFC 4884 §4.3, §5.2 to §5.5. The legacy form is believed only with version 2 and a
 * correct checksum, since without the attribute those bytes may be anything.
 */
struct icmpext_parts icmpext_divide(struct sonde_span body, size_t quoted_bytes);

/**
 * Find what an error surely quotes of the transport segment.
 * @param quote       The original datagram field; borrowed.
 * @param header_len  Bytes of it before the segment; at most its length.
 * @return The segment. A field of ICMPEXT_QUOTE_MIN bytes or more may have been padded with zeros
 * to that length: then the zeros at its end are left out, but for those among the 8 bytes that
 *         every router has to quote.
 * Source: RFC 4884 §4 (padding); RFC 792 (8 bytes); Linux since 6.19 pads what it adds a structure
 * to.
 */
struct sonde_span icmpext_quoted_segment(struct sonde_span quote, size_t header_len);

/**
 * Decode the objects of an extension structure.
 * @param parts    From icmpext_divide(); without a structure, the result is empty.
 * @param ret_ext  Receives what was understood, with flags for what was not. Never fails: an
 *                 extension is a gift, and a bad one must not cost the hop that sent it.
 * Source: RFC 4884 §7 (checksum 0 = not computed), §8; RFC 4950 §3; RFC 5837 §4.
 */
void icmpext_decode(const struct icmpext_parts *parts, struct sonde_extensions *ret_ext);

/**
 * Write an extension structure with its checksum.
 * @param wr   Receives it.
 * @param ext  Objects to write, in order. Flags are ignored.
 */
void icmpext_encode(struct wr *wr, const struct sonde_extensions *ext);

#endif
