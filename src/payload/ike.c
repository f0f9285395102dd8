/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of IKE; see payload/ike.h. */
#include "payload/ike.h"

void ike_write_header(struct wr *wr, const struct payload_trace *trace,
                      const struct payload_name *name, uint8_t first,
                      const struct ike_message *message, size_t len)
{
    payload_write_name8(wr, trace, name);
    wr_u64(wr, 0); /* the responder's SPI */
    wr_u8(wr, first);
    wr_u8(wr, message->version);
    wr_u8(wr, message->exchange);
    wr_u8(wr, message->flags);
    wr_u32(wr, 0); /* message ID */
    wr_u32(wr, (uint32_t)len);
}

void ike_write_generic(struct wr *wr, uint8_t next, uint16_t len)
{
    wr_u8(wr, next);
    wr_u8(wr, 0);
    wr_u16(wr, len);
}

bool ike_is_response(const struct ike_message *message)
{
    return message->exchange == IKE_EXCHANGE_SA_INIT &&
           (message->flags & (IKE_FLAG_RESPONSE | IKE_FLAG_INITIATOR)) == IKE_FLAG_RESPONSE;
}

int ike_read_answer(struct rd *rd, const struct payload_trace *trace,
                    bool (*answers)(const struct ike_message *message),
                    struct payload_match *ret_match)
{
    struct ike_message message;
    int r = payload_read_name8(rd, trace, ret_match);
    if (r != 0)
        return r;
    message.has_responder = rd_u64(rd) != 0;
    rd_skip(rd, 1); /* the first payload's type */
    message.version = rd_u8(rd);
    message.exchange = rd_u8(rd);
    message.flags = rd_u8(rd);
    rd_skip(rd, 4); /* message ID */
    uint32_t len = rd_u32(rd);
    bool fits = answers(&message) && len >= IKE_HEADER_BYTES;
    if (!rd_ok(rd) || !fits)
        return payload_verdict(rd, false);
    rd_skip(rd, len - IKE_HEADER_BYTES);
    return payload_verdict(rd, true);
}

int ike_take_marker(struct rd *rd)
{
    bool is_marker = rd_u32(rd) == 0; /* ESP begins with an SPI that is not 0 */
    return payload_verdict(rd, is_marker);
}

int ike_recognize(struct rd *rd, const struct payload_trace *trace, uint8_t version,
                  struct payload_match *ret_match)
{
    struct payload_match match;
    int r = payload_read_name8(rd, trace, &match);
    if (r != 0)
        return r;
    rd_skip(rd, 8 + 1); /* the responder's SPI, the first payload's type */
    bool is_it = rd_u8(rd) == version;
    if (rd_ok(rd) && !is_it)
        return SONDE_DISCARD_BAD_TOKEN;
    *ret_match = match;
    return 0;
}
