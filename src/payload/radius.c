/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RADIUS, RFC 2865: Status-Server (RFC 5997), which asks for nothing and is signed with the secret
 * that server and client share (its §3). This one is signed with "testing123", which servers come
 * with for clients on the same host. What is asked where that is not answered is in
 * payload/radius_access.c.
 *
 * An answer has only the identifier of the question, but its own authenticator is a digest that the
 * question's goes into (RFC 2865 §3): it tells which of the 256 questions with that identifier it
 * is the answer to.
 */
#include "payload/radius.h"

#include <nettle/hmac.h>
#include <nettle/md5.h>

enum {
    MESSAGE_AUTHENTICATOR = 80, /* RFC 3579 §3.2 */
    MESSAGE_AUTHENTICATOR_BYTES = 2 + MD5_DIGEST_SIZE,
    PACKET_BYTES = RADIUS_HEADER_BYTES + MESSAGE_AUTHENTICATOR_BYTES,
    UNUSED_BYTES = 6,  /* of the authenticator, between the cookie and the name */
    ANSWER_MAX = 1024, /* a status is short, and a long answer is not worth 256 digests */
};

static const uint8_t secret[] = {'t', 'e', 's', 't', 'i', 'n', 'g', '1', '2', '3'};

void radius_write_authenticator(struct wr *wr, const struct payload_trace *trace, uint16_t name)
{
    wr_u64(wr, trace->cookie);
    wr_fill(wr, 0, UNUSED_BYTES);
    wr_u16(wr, name);
}

void radius_write_header(struct wr *wr, const struct payload_trace *trace, uint8_t code,
                         uint16_t name, uint16_t len)
{
    wr_u8(wr, code);
    wr_u8(wr, (uint8_t)name);
    wr_u16(wr, len);
    radius_write_authenticator(wr, trace, name);
}

int radius_read_header(const struct payload_trace *trace, uint8_t code, struct sonde_span question,
                       struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    bool is_ours = rd_u8(&rd) == code;
    rd_skip(&rd, RADIUS_BEFORE_AUTHENTICATOR_BYTES - 1);
    is_ours &= rd_u64(&rd) == trace->cookie;
    rd_skip(&rd, UNUSED_BYTES);
    if (rd_ok(&rd) && !is_ours)
        return SONDE_DISCARD_BAD_TOKEN;
    return payload_read_name2(&rd, ret_match);
}

static void status_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    size_t start = wr->len;
    uint8_t bytes[PACKET_BYTES];
    struct wr packet = wr_init(bytes, sizeof bytes);
    radius_write_header(&packet, trace, RADIUS_STATUS_SERVER, name->field16, PACKET_BYTES);
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

static int status_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    return radius_read_header(trace, RADIUS_STATUS_SERVER, question, ret_match);
}

/* Authentication answers with an accept, accounting with its own response; RFC 5997 §4.2. */
static bool is_response(uint8_t code)
{
    return code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT ||
           code == RADIUS_ACCOUNTING_RESPONSE || code == RADIUS_ACCESS_CHALLENGE ||
           code == RADIUS_PROTOCOL_ERROR;
}

/* Is this whole packet the answer to the question of that name? */
static bool answers(const struct payload_trace *trace, struct sonde_span packet, uint16_t name)
{
    uint8_t asked[MD5_DIGEST_SIZE];
    uint8_t digest[MD5_DIGEST_SIZE];
    struct wr wr = wr_init(asked, sizeof asked);
    struct md5_ctx md5;
    radius_write_authenticator(&wr, trace, name);
    md5_init(&md5);
    md5_update(&md5, RADIUS_BEFORE_AUTHENTICATOR_BYTES, packet.data);
    md5_update(&md5, sizeof asked, asked);
    md5_update(&md5, packet.len - RADIUS_HEADER_BYTES, packet.data + RADIUS_HEADER_BYTES);
    md5_update(&md5, sizeof secret, secret);
    md5_digest(&md5, sizeof digest, digest);
    return memcmp(digest, packet.data + RADIUS_BEFORE_AUTHENTICATOR_BYTES, sizeof digest) == 0;
}

static int status_fits(const struct payload_trace *trace, struct sonde_span answer,
                       struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = is_response(rd_u8(&rd));
    uint8_t identifier = rd_u8(&rd);
    uint16_t len = rd_u16(&rd);
    if (!rd_ok(&rd) || !fits || len < RADIUS_HEADER_BYTES || len > ANSWER_MAX)
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
    .topic = "Status-Server",
    .asks = "for its status, with the secret \"testing123\"",
    .silence = "a server answers only its clients, and may want all questions signed",
    .next = &payload_radius_access,
    .ask = status_ask,
    .recognize = status_recognize,
    .fits = status_fits,
};

/* An Accounting-Request would leave a record behind. */
const struct payload_ops payload_radius_acct = {
    .name = "radius-acct",
    .asks = "for its status, with the secret \"testing123\"",
    .silence = "a server answers only clients whose secret it knows",
    .ask = status_ask,
    .recognize = status_recognize,
    .fits = status_fits,
};
