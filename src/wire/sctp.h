/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCTP packets as far as an association's first exchange goes: the common header and the first
 * chunk. Source: RFC 9260 §3.1, §3.2, §3.3.2 (INIT), §3.3.3 (INIT ACK), §3.3.7 (ABORT).
 */
#ifndef WIRE_SCTP_H
#define WIRE_SCTP_H

#include "base/bytes.h"

#include <sonde/types.h>

enum {
    SCTP_HEADER_BYTES = 12, /* RFC 9260 §3.1 */
    SCTP_CHUNK_BYTES = 4,   /* type, flags and length of a chunk */
    SCTP_INIT_BYTES = 20,   /* an INIT or INIT ACK without parameters */
    SCTP_CHECKSUM_AT = 8,   /* of the common header, 4 bytes */
};

/** Chunk types; RFC 9260 §3.2. */
enum {
    SCTP_INIT = 1,
    SCTP_INIT_ACK = 2,
    SCTP_ABORT = 6,
};

/** The flag of an ABORT whose verification tag is the one of the packet that drew it: RFC 9260
 *  §3.3.7, §8.5.1. */
enum { SCTP_ABORT_T = 0x01 };

/** The parameter that an INIT ACK must have; RFC 9260 §3.3.3. */
enum { SCTP_PARAMETER_COOKIE = 7 };

struct sctp_packet {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t tag; /* verification tag; 0 with an INIT */

    /* the first chunk, as far as it is there */
    bool has_chunk;
    uint8_t chunk; /* SCTP_* */
    uint8_t flags;
    bool cut; /* it ends before its stated length, or there is none: of a quote, say */

    /* of an INIT or INIT ACK */
    bool has_initiate_tag;
    bool has_init; /* and all that follows */
    uint32_t initiate_tag;
    uint32_t window_bytes; /* advertised receiver window */
    uint16_t out_streams;
    uint16_t in_streams;
    uint32_t tsn; /* initial TSN */
};

/**
 * Decode a packet's common header and first chunk.
 * @param segment     The packet from its common header on; of a quote perhaps not all of it.
 * @param ret_packet  On 0, what is there of it; members that are not there are 0.
 * @return 0; -EBADMSG if fewer than 8 bytes are there, or the chunk states a length that its type
 *         cannot have. Parameters, of which an INIT ACK is full, are not looked at.
 */
SONDE_MUST_CHECK int sctp_decode(struct sonde_span segment, struct sctp_packet *ret_packet);

/**
 * Write a packet of one chunk with checksum 0.
 * @param wr          Receives it.
 * @param packet      Ports, tag, chunk and flags; for an INIT or INIT ACK also its own members.
 * @param parameters  What follows in the chunk, its last parameter not padded; may be empty.
 */
void sctp_encode(struct wr *wr, const struct sctp_packet *packet, struct sonde_span parameters);

/**
 * @param segment  A whole packet; the checksum in it counts as 0.
 * @return Its checksum, as the field is read: most significant byte first, though the CRC itself
 *         goes out the other way round (RFC 9260 appendix A).
 */
uint32_t sctp_checksum(struct sonde_span segment);

/** Put a checksum into a packet; fails through wr_ok() if it has no common header.
 *  @param wr  Holds the packet and nothing else. */
void sctp_patch_checksum(struct wr *wr, uint32_t checksum);

#endif
