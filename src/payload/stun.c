/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * STUN, RFC 8489: a Binding request without attributes, but for padding. A server that is there to
 * relay only, as TURN (RFC 8656), may drop that. So it is then asked to refresh an allocation that
 * there is not, for no time at all: with credentials it would be nothing to do, and without it is
 * an error (RFC 8656 §7.2, §8). The transaction ID names the probe; a success and an error response
 * carry it back (RFC 8489 §6.3).
 */
#include "payload/payload.h"

/* RFC 8489 §5: class and method are interleaved in the type. */
enum {
    BINDING = 0x0001,
    REFRESH = 0x0004, /* RFC 8656 §17 */
    CLASS_SUCCESS = 0x0100,
    CLASS_ERROR = 0x0110,
    MAGIC_COOKIE = 0x2112a442,
    HEADER_BYTES = 20,
    ATTRIBUTE_BYTES = 4,         /* its header; RFC 8489 §14 */
    ATTRIBUTE_ALIGN = 4,         /* lengths are multiples of that */
    ATTRIBUTE_LIFETIME = 0x000d, /* RFC 8656 §18.2 */
    LIFETIME_BYTES = 4,
    ATTRIBUTE_OPTIONAL = 0xffff, /* of a type that nobody was given, to be passed over */
};

/* @param attributes  Bytes behind the header. */
static void write_header(const struct payload_trace *trace, const struct payload_name *name,
                         uint16_t method, size_t attributes, struct wr *wr)
{
    wr_u16(wr, method);
    wr_u16(wr, (uint16_t)attributes);
    wr_u32(wr, MAGIC_COOKIE);
    payload_write_name12(wr, trace, name);
}

/* Bytes of padding that make a question of so many at most as long as is wanted. */
static size_t padding_of(size_t least, size_t len)
{
    return len > least ? (len - least) / ATTRIBUTE_ALIGN * ATTRIBUTE_ALIGN : 0;
}

static void write_padding(struct wr *wr, size_t padding)
{
    if (padding == 0)
        return;
    wr_u16(wr, ATTRIBUTE_OPTIONAL);
    wr_u16(wr, (uint16_t)(padding - ATTRIBUTE_BYTES));
    wr_fill(wr, 0, padding - ATTRIBUTE_BYTES);
}

static void binding_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    size_t padding = padding_of(HEADER_BYTES, len);
    write_header(trace, name, BINDING, padding, wr);
    write_padding(wr, padding);
}

static void refresh_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    size_t lifetime = ATTRIBUTE_BYTES + LIFETIME_BYTES;
    size_t padding = padding_of(HEADER_BYTES + lifetime, len);
    write_header(trace, name, REFRESH, lifetime + padding, wr);
    wr_u16(wr, ATTRIBUTE_LIFETIME);
    wr_u16(wr, LIFETIME_BYTES);
    wr_u32(wr, 0);
    write_padding(wr, padding);
}

static int recognize(const struct payload_trace *trace, uint16_t method, struct sonde_span question,
                     struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    bool is_it = rd_u16(&rd) == method;
    if (rd_ok(&rd) && !is_it)
        return SONDE_DISCARD_BAD_TOKEN;
    rd_skip(&rd, 6);
    return payload_read_name12(&rd, trace, ret_match);
}

static int binding_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    return recognize(trace, BINDING, question, ret_match);
}

static int refresh_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    return recognize(trace, REFRESH, question, ret_match);
}

static int fits(const struct payload_trace *trace, uint16_t method, struct sonde_span answer,
                struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    uint16_t type = rd_u16(&rd);
    uint16_t attribute_bytes = rd_u16(&rd);
    bool fits = (type == (method | CLASS_SUCCESS) || type == (method | CLASS_ERROR)) &&
                attribute_bytes % ATTRIBUTE_ALIGN == 0;
    fits &= rd_u32(&rd) == MAGIC_COOKIE;
    int r = payload_read_name12(&rd, trace, ret_match);
    if (r != 0)
        return r;
    rd_skip(&rd, attribute_bytes);
    return payload_verdict(&rd, fits);
}

static int binding_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    return fits(trace, BINDING, answer, ret_match);
}

static int refresh_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    return fits(trace, REFRESH, answer, ret_match);
}

const struct payload_ops payload_stun = {
    .name = "stun",
    .topic = "Binding",
    .asks = "which address it sees",
    .next = &payload_stun_refresh,
    .ask = binding_ask,
    .recognize = binding_recognize,
    .fits = binding_fits,
};

const struct payload_ops payload_stun_refresh = {
    .name = "stun",
    .topic = "TURN Refresh",
    .asks = "to end a relay that there is not (TURN)",
    .like = "a server that only relays",
    .ask = refresh_ask,
    .recognize = refresh_recognize,
    .fits = refresh_fits,
};
