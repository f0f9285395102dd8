/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP headers. Source: RFC 768, RFC 8200 §8.1 (the checksum is not optional in IPv6). */
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

#include "base/bytes.h"

#include <sonde/types.h>

enum { UDP_HEADER_BYTES = 8 };

struct udp_header {
    uint16_t src_port;
    uint16_t dst_port;
    uint16_t length;           /* header and payload, as the sender stated it */
    uint16_t checksum;         /* 0 = not computed */
    struct sonde_span payload; /* as far as it is there; borrowed */
};

/**
 * Decode a UDP header.
 * @param segment  The header and what follows; of a quote perhaps nothing follows.
 * @param ret_udp  On 0, the header; its payload is cut to the stated length where that is possible.
 * @return 0; -EBADMSG if the 8 bytes are not there, or the stated length is below 8.
 */
SONDE_MUST_CHECK int udp_decode(struct sonde_span segment, struct udp_header *ret_udp);

/** Write a header with checksum 0 for @p payload_len bytes that are written after it. */
void udp_encode(struct wr *wr, uint16_t src_port, uint16_t dst_port, size_t payload_len);

#endif
