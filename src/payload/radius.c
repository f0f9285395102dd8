/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RADIUS, RFC 2865: Status-Server (RFC 5997), which asks for nothing and is signed with the secret
 * that server and client share (its §3). This one is signed with "testing123", which servers come
 * with for clients on the same host; without the secret there is no question that is answered.
 *
 * The authenticator names the probe, and the identifier is half of that name. An answer has only
 * the identifier, but its own authenticator is a digest that the question's goes into (RFC 2865
 * §3): it tells which of the 256 questions with that identifier it is the answer to.
 */
#include "payload/payload.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>

enum {
    STATUS_SERVER = 12,
    MESSAGE_AUTHENTICATOR = 80, /* RFC 3579 §3.2 */
    MESSAGE_AUTHENTICATOR_BYTES = 2 + MD5_DIGEST_SIZE,
    HEADER_BYTES = 20, /* RFC 2865 §3 */
    BEFORE_AUTHENTICATOR_BYTES = 4,
    PACKET_BYTES = HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES,
    UNUSED_BYTES = 6,  /* of the authenticator, between the cookie and the name */
    ANSWER_MAX = 1024, /* a status is short, and a long answer is not worth 256 digests */

    ACCESS_ACCEPT = 2, /* answers the status of authentication; RFC 5997 §4.2 */
    ACCESS_REJECT = 3,
    ACCOUNTING_RESPONSE = 5, /* answers the status of accounting */
    ACCESS_CHALLENGE = 11,
    PROTOCOL_ERROR = 52, /* RFC 7930 §4 */
};

static const uint8_t secret[] = {'t', 'e', 's', 't', 'i', 'n', 'g', '1', '2', '3'};

static void write_authenticator(struct wr *wr, const struct payload_trace *trace, uint16_t name)
{
    wr_u64(wr, trace->cookie);
    wr_fill(wr, 0, UNUSED_BYTES);
    wr_u16(wr, name);
}

static void radius_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    size_t start = wr->len;
    uint8_t bytes[PACKET_BYTES];
    struct wr packet = wr_init(bytes, sizeof bytes);
    wr_u8(&packet, STATUS_SERVER);
    wr_u8(&packet, (uint8_t)name->field16);
    wr_u16(&packet, PACKET_BYTES);
    write_authenticator(&packet, trace, name->field16);
    wr_u8(&packet, MESSAGE_AUTHENTICATOR);
    wr_u8(&packet, MESSAGE_AUTHENTICATOR_BYTES);
    wr_fill(&packet, 0, MD5_DIGEST_SIZE); /* is signed as zeros */
    struct hmac_md5_ctx hmac;
    hmac_md5_set_key(&hmac, sizeof secret, secret);
    hmac_md5_update(&hmac, sizeof bytes, bytes);
    hmac_md5_digest(&hmac, MD5_DIGEST_SIZE, bytes + PACKET_BYTES - MD5_DIGEST_SIZE);
    wr_bytes(wr, bytes, sizeof bytes);
    payload_pad(wr, start, len); /* behind the packet, where it is passed over; RFC 2865 §3 */
}

static int radius_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, BEFORE_AUTHENTICATOR_BYTES);
    bool is_ours = rd_u64(&rd) == trace->cookie;
    rd_skip(&rd, UNUSED_BYTES);
    if (rd_ok(&rd) && !is_ours)
        return SONDE_DISCARD_BAD_TOKEN;
    return payload_read_name2(&rd, ret_match);
}

static bool is_response(uint8_t code)
{
    return code == ACCESS_ACCEPT || code == ACCESS_REJECT || code == ACCOUNTING_RESPONSE ||
           code == ACCESS_CHALLENGE || code == PROTOCOL_ERROR;
}

/* Is this whole packet the answer to the question of that name? */
static bool answers(const struct payload_trace *trace, struct sonde_span packet, uint16_t name)
{
    uint8_t asked[MD5_DIGEST_SIZE];
    uint8_t digest[MD5_DIGEST_SIZE];
    struct wr wr = wr_init(asked, sizeof asked);
    struct md5_ctx md5;
    write_authenticator(&wr, trace, name);
    md5_init(&md5);
    md5_update(&md5, BEFORE_AUTHENTICATOR_BYTES, packet.data);
    md5_update(&md5, sizeof asked, asked);
    md5_update(&md5, packet.len - HEADER_BYTES, packet.data + HEADER_BYTES);
    md5_update(&md5, sizeof secret, secret);
    md5_digest(&md5, sizeof digest, digest);
    return memcmp(digest, packet.data + BEFORE_AUTHENTICATOR_BYTES, sizeof digest) == 0;
}

static int radius_fits(const struct payload_trace *trace, struct sonde_span answer,
                       struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = is_response(rd_u8(&rd));
    uint8_t identifier = rd_u8(&rd);
    uint16_t len = rd_u16(&rd);
    if (!rd_ok(&rd) || !fits || len < HEADER_BYTES || len > ANSWER_MAX)
        return payload_verdict(&rd, false);
    if (answer.len < len)
        return SONDE_DISCARD_TRUNCATED;
    for (unsigned high = 0; high <= UINT8_MAX; high++) {
        uint16_t name = (uint16_t)(high << 8 | identifier);
        if (name != 0 && answers(trace, span_sub(answer, 0, len), name)) {
            *ret_match = (struct payload_match){PAYLOAD_NAMES_FIELD16, name};
            return 0;
        }
    }
    return SONDE_DISCARD_BAD_TOKEN;
}

const struct payload_ops payload_radius = {
    .name = "radius",
    .asks = "for its status, with the secret \"testing123\"",
    .silence = "a server answers only clients whose secret it knows",
    .ask = radius_ask,
    .recognize = radius_recognize,
    .fits = radius_fits,
};
