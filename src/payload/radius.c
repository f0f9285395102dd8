/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RADIUS, RFC 2865: Status-Server (RFC 5997), which asks for nothing and is signed with the secret
 * that server and client share (its §3). This one is signed with "testing123", which servers come
 * with for clients on the same host; without the secret there is no question that is answered.
 *
 *   HMAC-MD5("testing123", 0c 01 0026 "sonde: a status?" 50 12 and 16 bytes of zero), RFC 3579 §3.2
 *
 * So the packet is always the same, and an answer names no probe. The name stands behind the packet
 * as padding, which its length does not count (RFC 2865 §3) and the signature does not cover.
 */
#include "payload/payload.h"

enum {
    STATUS_SERVER = 12,
    IDENTIFIER = 1,
    MESSAGE_AUTHENTICATOR = 80,
    MESSAGE_AUTHENTICATOR_BYTES = 18,
    HEADER_BYTES = 20, /* RFC 2865 §3 */
    PACKET_BYTES = HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES,
    PACKET_MAX = 4096,

    ACCESS_ACCEPT = 2, /* answers the status of authentication; RFC 5997 §4.2 */
    ACCESS_REJECT = 3,
    ACCOUNTING_RESPONSE = 5, /* answers the status of accounting */
    ACCESS_CHALLENGE = 11,
    PROTOCOL_ERROR = 52, /* RFC 7930 §4 */
};

static const uint8_t authenticator[] = "sonde: a status?"; /* 16 bytes, and a zero */
static const uint8_t signature[] = {0xa4, 0x81, 0xb2, 0xdb, 0x94, 0xca, 0x2e, 0x48,
                                    0x9a, 0x8c, 0xa7, 0xae, 0x5d, 0x3b, 0x00, 0xcb};

static void radius_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    size_t least = PACKET_BYTES + PAYLOAD_NAME12_BYTES;
    wr_u8(wr, STATUS_SERVER);
    wr_u8(wr, IDENTIFIER);
    wr_u16(wr, PACKET_BYTES);
    wr_bytes(wr, authenticator, sizeof authenticator - 1);
    wr_u8(wr, MESSAGE_AUTHENTICATOR);
    wr_u8(wr, MESSAGE_AUTHENTICATOR_BYTES);
    wr_bytes(wr, signature, sizeof signature);
    payload_write_name12(wr, trace, name);
    wr_fill(wr, 0, len > least ? len - least : 0);
}

static int radius_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, PACKET_BYTES);
    return payload_read_name12(&rd, trace, ret_match);
}

static bool is_response(uint8_t code)
{
    return code == ACCESS_ACCEPT || code == ACCESS_REJECT || code == ACCOUNTING_RESPONSE ||
           code == ACCESS_CHALLENGE || code == PROTOCOL_ERROR;
}

static int radius_fits(const struct payload_trace *trace, struct sonde_span answer,
                       struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(answer);
    bool fits = is_response(rd_u8(&rd));
    uint8_t identifier = rd_u8(&rd);
    uint16_t len = rd_u16(&rd);
    if (!rd_ok(&rd) || !fits || len < HEADER_BYTES || len > PACKET_MAX)
        return payload_verdict(&rd, false);
    if (identifier != IDENTIFIER)
        return SONDE_DISCARD_BAD_TOKEN;
    rd_skip(&rd, len - 4);
    *ret_match = (struct payload_match){PAYLOAD_NAMES_NONE, 0};
    return payload_verdict(&rd, true);
}

const struct payload_ops payload_radius = {
    .name = "radius",
    .asks = "for its status, with the secret \"testing123\"",
    .silence = "a server answers only clients whose secret it knows",
    .ask = radius_ask,
    .recognize = radius_recognize,
    .fits = radius_fits,
};
