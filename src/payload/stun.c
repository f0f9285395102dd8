/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * STUN, RFC 8489: a Binding request without attributes, but for padding. Its transaction ID names
 * the probe; a success and an error response carry it back (§6.3).
 */
#include "payload/payload.h"

/* §5: class and method are interleaved in the type. */
enum {
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    BINDING_ERROR = 0x0111,
    MAGIC_COOKIE = 0x2112a442,
    HEADER_BYTES = 20,
    ATTRIBUTE_BYTES = 4,         /* its header; §14 */
    ATTRIBUTE_ALIGN = 4,         /* lengths are multiples of that */
    ATTRIBUTE_OPTIONAL = 0xffff, /* of a type that nobody was given, to be passed over */
};

static void stun_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    size_t attribute =
        len > HEADER_BYTES ? (len - HEADER_BYTES) / ATTRIBUTE_ALIGN * ATTRIBUTE_ALIGN : 0;
    wr_u16(wr, BINDING_REQUEST);
    wr_u16(wr, (uint16_t)attribute);
    wr_u32(wr, MAGIC_COOKIE);
    payload_write_name12(wr, trace, name);
    if (attribute == 0)
        return;
    wr_u16(wr, ATTRIBUTE_OPTIONAL);
    wr_u16(wr, (uint16_t)(attribute - ATTRIBUTE_BYTES));
    wr_fill(wr, 0, attribute - ATTRIBUTE_BYTES);
}

static int stun_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, 8);
    return payload_read_name12(&rd, trace, ret_match);
}

static int stun_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    uint16_t type = rd_u16(&rd);
    uint16_t attribute_bytes = rd_u16(&rd);
    bool fits = (type == BINDING_SUCCESS || type == BINDING_ERROR) &&
                attribute_bytes % ATTRIBUTE_ALIGN == 0;
    fits &= rd_u32(&rd) == MAGIC_COOKIE;
    int r = payload_read_name12(&rd, trace, ret_match);
    if (r != 0)
        return r;
    rd_skip(&rd, attribute_bytes);
    return payload_verdict(&rd, fits);
}

const struct payload_ops payload_stun = {
    .name = "stun",
    .asks = "which address it sees",
    .ask = stun_ask,
    .recognize = stun_recognize,
    .fits = stun_fits,
};
