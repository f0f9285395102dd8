/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L2TP, RFC 2661: a request for a tunnel with a mandatory attribute of a type that nobody knows, so
 * that it must be refused (§4.1): with StopCCN, at most behind an empty acknowledgement. A version
 * that nobody speaks would not do: xl2tpd does not look at it, and opens the tunnel. Since we do
 * not acknowledge, a server says StopCCN several times, and forgets the tunnel after half a minute
 * (§5.7, §5.8). The number that we assign to the tunnel names the probe: answers are addressed to
 * it.
 */
#include "payload/payload.h"

enum {
    /* A control message: type, length and sequence present, no offset, no priority, version 2;
     * §3.1. */
    FLAGS_CONTROL = 0xc802,
    FLAGS_MASK = 0xcb0f,
    HEADER_BYTES = 12,
    MESSAGE_BYTES = 63,

    MANDATORY = 0x8000, /* an attribute; §4.1 */
    HIDDEN = 0x4000,
    AVP_BYTES = 6, /* its header */
    AVP_LENGTH_MASK = 0x03ff,
    MESSAGE_TYPE = 0, /* its type; §4.4 */
    PROTOCOL_VERSION = 2,
    FRAMING_CAPABILITIES = 3,
    HOST_NAME = 7,
    ASSIGNED_TUNNEL_ID = 9,
    NOT_ASSIGNED = 0xf000,

    START_REQUEST = 1, /* a message; §3.2 */
    START_REPLY = 2,
    STOP = 4,
};

static void write_avp_header(struct wr *wr, uint16_t type, uint16_t value_bytes)
{
    wr_u16(wr, (uint16_t)(MANDATORY | (AVP_BYTES + value_bytes)));
    wr_u16(wr, 0); /* vendor: the IETF */
    wr_u16(wr, type);
}

static void write_avp_u16(struct wr *wr, uint16_t type, uint16_t value)
{
    write_avp_header(wr, type, 2);
    wr_u16(wr, value);
}

static void l2tp_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    static const uint8_t host[] = {'s', 'o', 'n', 'd', 'e'};
    (void)trace;
    (void)len;
    wr_u16(wr, FLAGS_CONTROL);
    wr_u16(wr, MESSAGE_BYTES);
    wr_u32(wr, 0); /* no tunnel yet, no session */
    wr_u32(wr, 0); /* the first message, and none received */
    write_avp_u16(wr, MESSAGE_TYPE, START_REQUEST);
    write_avp_u16(wr, ASSIGNED_TUNNEL_ID, name->field16);
    write_avp_u16(wr, PROTOCOL_VERSION, 0x0100);
    write_avp_header(wr, HOST_NAME, sizeof host);
    wr_bytes(wr, host, sizeof host);
    write_avp_header(wr, FRAMING_CAPABILITIES, 4);
    wr_u32(wr, 3); /* synchronous and asynchronous */
    write_avp_header(wr, NOT_ASSIGNED, 0);
}

static int l2tp_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(question);
    rd_skip(&rd, HEADER_BYTES + AVP_BYTES + 2 + AVP_BYTES);
    return payload_read_name2(&rd, ret_match);
}

/* Is it an answer to a request for a tunnel? Its type comes first; §4.1. */
static bool read_type(struct rd *rd)
{
    uint16_t head = rd_u16(rd);
    uint16_t vendor = rd_u16(rd);
    uint16_t attribute = rd_u16(rd);
    uint16_t type = rd_u16(rd);
    return (head & HIDDEN) == 0 && (head & AVP_LENGTH_MASK) == AVP_BYTES + 2 && vendor == 0 &&
           attribute == MESSAGE_TYPE && (type == START_REPLY || type == STOP);
}

static int l2tp_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(answer);
    bool fits = (rd_u16(&rd) & FLAGS_MASK) == FLAGS_CONTROL;
    uint16_t len = rd_u16(&rd);
    if (!rd_ok(&rd) || !fits || len < HEADER_BYTES)
        return payload_verdict(&rd, false);
    int r = payload_read_name2(&rd, ret_match);
    if (r != 0)
        return r;
    fits = rd_u16(&rd) == 0; /* of no session */
    rd_skip(&rd, 4);         /* sequence numbers */
    struct rd body = rd_init(rd_span(&rd, (size_t)len - HEADER_BYTES));
    if (body.rest.len > 0) /* not an empty acknowledgement; §5.8 */
        fits &= read_type(&body);
    return payload_verdict(&rd, fits);
}

const struct payload_ops payload_l2tp = {
    .name = "l2tp",
    .asks = "for a tunnel that nobody grants",
    .silence = "a server that works over IPsec answers only there",
    .repeats = true,
    .ask = l2tp_ask,
    .recognize = l2tp_recognize,
    .fits = l2tp_fits,
};
