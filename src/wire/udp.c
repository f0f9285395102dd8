/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP headers, as wire/udp.h describes them. RFC 768. */
#include "wire/udp.h"

#include <errno.h>

int udp_decode(struct sonde_span segment, struct udp_header *ret_udp)
{
    struct udp_header udp;
    struct rd rd = rd_init(segment);
    udp.src_port = rd_u16(&rd);
    udp.dst_port = rd_u16(&rd);
    udp.length = rd_u16(&rd);
    udp.checksum = rd_u16(&rd);
    udp.payload = rd_rest(&rd);
    if (!rd_ok(&rd) || udp.length < UDP_HEADER_BYTES)
        return -EBADMSG;
    udp.payload = span_sub(udp.payload, 0, udp.length - (size_t)UDP_HEADER_BYTES);
    *ret_udp = udp;
    return 0;
}

void udp_encode(struct wr *wr, uint16_t src_port, uint16_t dst_port, size_t payload_len)
{
    if (payload_len > 65535 - (size_t)UDP_HEADER_BYTES) {
        wr->failed = true;
        return;
    }
    wr_u16(wr, src_port);
    wr_u16(wr, dst_port);
    wr_u16(wr, (uint16_t)(UDP_HEADER_BYTES + payload_len));
    wr_u16(wr, 0);
}
