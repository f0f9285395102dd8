/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RADIUS, RFC 2865: an Access-Request for a user that there is not. A server that does not know
 * Status-Server, or whose client has another secret than the one that was tried, rejects it: unlike
 * all others, this question need not be signed (§3), and a CHAP password is not encrypted (§5.3).
 * Servers hold a rejection back for a second, so that nobody can try many passwords.
 *
 * The answer is signed with a secret that we do not know. But a server must give back the
 * Proxy-State as it is (§5.33), which is the name of the probe.
 */
#include "payload/radius.h"

/* Attributes; RFC 2865 §5. */
enum {
    ATTRIBUTE_HEAD_BYTES = 2,
    USER_NAME = 1,
    CHAP_PASSWORD = 3,
    NAS_IDENTIFIER = 32,
    PROXY_STATE = 33,
    CHAP_BYTES = 1 + 16, /* an identifier, and what is said to be the digest */
    STATE_BYTES = PAYLOAD_NAME12_BYTES,
    THINK_MS = 1500, /* the second that rejections are held back by, and the usual half */
};

static const char user[] = "sonde";
enum {
    USER_BYTES = sizeof user - 1,
    PACKET_BYTES =
        RADIUS_HEADER_BYTES + 4 * ATTRIBUTE_HEAD_BYTES + 2 * USER_BYTES + CHAP_BYTES + STATE_BYTES,
};

static void write_attribute(struct wr *wr, uint8_t type, size_t value_bytes)
{
    wr_u8(wr, type);
    wr_u8(wr, (uint8_t)(ATTRIBUTE_HEAD_BYTES + value_bytes));
}

static void access_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    size_t start = wr->len;
    radius_write_header(wr, trace, RADIUS_ACCESS_REQUEST, name->field16, PACKET_BYTES);
    write_attribute(wr, USER_NAME, USER_BYTES);
    wr_bytes(wr, user, USER_BYTES);
    write_attribute(wr, CHAP_PASSWORD, CHAP_BYTES);
    wr_fill(wr, 0, CHAP_BYTES);
    write_attribute(wr, NAS_IDENTIFIER, USER_BYTES);
    wr_bytes(wr, user, USER_BYTES);
    write_attribute(wr, PROXY_STATE, STATE_BYTES);
    payload_write_name12(wr, trace, name);
    payload_pad(wr, start, len); /* behind the packet, where it is passed over; §3 */
}

static int access_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    return radius_read_header(trace, RADIUS_ACCESS_REQUEST, question, ret_match);
}

static bool is_response(uint8_t code)
{
    return code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT ||
           code == RADIUS_ACCESS_CHALLENGE;
}

/* Find the Proxy-State, and read the name in it. */
static int read_state(struct rd *attributes, const struct payload_trace *trace,
                      struct payload_match *ret_match)
{
    while (attributes->rest.len > 0) {
        uint8_t type = rd_u8(attributes);
        size_t len = rd_u8(attributes);
        struct rd value = rd_init(rd_span(attributes, len - ATTRIBUTE_HEAD_BYTES));
        if (!rd_ok(attributes)) /* a length below 2 is beyond every end */
            return SONDE_DISCARD_NOT_A_RESULT;
        if (type == PROXY_STATE)
            return value.rest.len == STATE_BYTES &&
                           payload_read_name12(&value, trace, ret_match) == 0
                       ? 0
                       : SONDE_DISCARD_BAD_TOKEN;
    }
    return SONDE_DISCARD_BAD_TOKEN;
}

static int access_fits(const struct payload_trace *trace, struct sonde_span answer,
                       struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = is_response(rd_u8(&rd));
    rd_skip(&rd, 1); /* the identifier */
    uint16_t len = rd_u16(&rd);
    if (!rd_ok(&rd) || !fits || len < RADIUS_HEADER_BYTES)
        return payload_verdict(&rd, false);
    rd_skip(&rd, RADIUS_AUTHENTICATOR_BYTES);
    struct rd attributes = rd_init(rd_span(&rd, (size_t)len - RADIUS_HEADER_BYTES));
    return rd_ok(&rd) ? read_state(&attributes, trace, ret_match) : SONDE_DISCARD_TRUNCATED;
}

const struct payload_ops payload_radius_access = {
    .name = "radius",
    .topic = "Access-Request",
    .asks = "to let in a user that there is not",
    .like = "a server without Status-Server, or with another secret for this client",
    .think_ms = THINK_MS,
    .ask = access_ask,
    .recognize = access_recognize,
    .fits = access_fits,
};
