/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * STUN, RFC 8489: a Binding request without attributes. Its transaction ID names the probe; a
 * success and an error response carry it back (§6.3).
 */
#include "payload/payload.h"

/* §5: class and method are interleaved in the type. */
enum {
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    BINDING_ERROR = 0x0111,
    MAGIC_COOKIE = 0x2112a442,
    ATTRIBUTE_ALIGN = 4, /* the length is a multiple of that */
};

static void stun_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    (void)len;
    wr_u16(wr, BINDING_REQUEST);
    wr_u16(wr, 0); /* bytes of attributes */
    wr_u32(wr, MAGIC_COOKIE);
    payload_write_name12(wr, trace, name);
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
