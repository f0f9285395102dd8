/* SPDX-License-Identifier: BSD-2-Clause */
/* SCTP packets, as wire/sctp.h describes them. */
#include "wire/sctp.h"

#include "wire/crc32c.h"

#include <errno.h>

static bool is_init(uint8_t chunk)
{
    return chunk == SCTP_INIT || chunk == SCTP_INIT_ACK;
}

/* What an INIT and an INIT ACK begin with, as far as it is there. */
static void init_decode(struct rd *rd, struct sctp_packet *packet)
{
    packet->initiate_tag = rd_u32(rd);
    packet->has_initiate_tag = rd_ok(rd);
    packet->window_bytes = rd_u32(rd);
    packet->out_streams = rd_u16(rd);
    packet->in_streams = rd_u16(rd);
    packet->tsn = rd_u32(rd);
    packet->has_init = rd_ok(rd);
}

int sctp_decode(struct sonde_span segment, struct sctp_packet *ret_packet)
{
    struct sctp_packet packet = {.cut = true};
    struct rd rd = rd_init(segment);
    packet.src_port = rd_u16(&rd);
    packet.dst_port = rd_u16(&rd);
    packet.tag = rd_u32(&rd);
    if (!rd_ok(&rd))
        return -EBADMSG;
    rd_skip(&rd, SCTP_HEADER_BYTES - SCTP_CHECKSUM_AT);
    size_t left = rd_ok(&rd) ? rd.rest.len : 0;
    uint8_t chunk = rd_u8(&rd);
    uint8_t flags = rd_u8(&rd);
    uint16_t length = rd_u16(&rd);
    if (rd_ok(&rd)) {
        if (length < (is_init(chunk) ? SCTP_INIT_BYTES : SCTP_CHUNK_BYTES))
            return -EBADMSG;
        packet.has_chunk = true;
        packet.chunk = chunk;
        packet.flags = flags;
        packet.cut = length > left;
        if (is_init(chunk))
            init_decode(&rd, &packet);
    }
    *ret_packet = packet;
    return 0;
}

void sctp_encode(struct wr *wr, const struct sctp_packet *packet, struct sonde_span parameters)
{
    size_t length = parameters.len +
                    (is_init(packet->chunk) ? (size_t)SCTP_INIT_BYTES : (size_t)SCTP_CHUNK_BYTES);
    if (length > UINT16_MAX) {
        wr->failed = true;
        return;
    }
    wr_u16(wr, packet->src_port);
    wr_u16(wr, packet->dst_port);
    wr_u32(wr, packet->tag);
    wr_u32(wr, 0);
    wr_u8(wr, packet->chunk);
    wr_u8(wr, packet->flags);
    wr_u16(wr, (uint16_t)length);
    if (is_init(packet->chunk)) {
        wr_u32(wr, packet->initiate_tag);
        wr_u32(wr, packet->window_bytes);
        wr_u16(wr, packet->out_streams);
        wr_u16(wr, packet->in_streams);
        wr_u32(wr, packet->tsn);
    }
    wr_bytes(wr, parameters.data, parameters.len);
    wr_fill(wr, 0, (4 - length % 4) % 4); /* RFC 9260 §3.2: not counted in the length */
}

uint32_t sctp_checksum(struct sonde_span segment)
{
    static const uint8_t none[SCTP_HEADER_BYTES - SCTP_CHECKSUM_AT] = {0};
    uint32_t crc = crc32c_add(0, span_sub(segment, 0, SCTP_CHECKSUM_AT));
    crc = crc32c_add(crc, (struct sonde_span){none, sizeof none});
    crc = crc32c_add(crc, span_sub(segment, SCTP_HEADER_BYTES, segment.len));
    return crc << 24 | (crc & 0xff00) << 8 | (crc >> 8 & 0xff00) | crc >> 24;
}

void sctp_patch_checksum(struct wr *wr, uint32_t checksum)
{
    wr_patch_u16(wr, SCTP_CHECKSUM_AT, (uint16_t)(checksum >> 16));
    wr_patch_u16(wr, SCTP_CHECKSUM_AT + 2, (uint16_t)checksum);
}
