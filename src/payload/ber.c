/* SPDX-License-Identifier: BSD-2-Clause */
/* Elements of the Basic Encoding Rules; see payload/ber.h. */
#include "payload/ber.h"

enum {
    LONG_FORM = 0x80,       /* the rest of the octet says how many octets of length follow */
    LENGTH_OCTETS_MAX = 4,  /* more than any datagram needs */
    NAME_MARK = 0x40000000, /* the highest bit but the sign, so that four octets are needed */
    NAME_SECRET_MASK = 0x3fff,
    NAME_OCTETS = 4,
};

/* An element's identifier, and how many octets it holds. @return The tag; 0 as ber_take(). */
static uint8_t read_head(struct rd *rd, size_t *ret_len)
{
    uint8_t tag = rd_u8(rd);
    size_t len = rd_u8(rd);
    if (len >= LONG_FORM) {
        size_t octets = len - LONG_FORM;
        if (octets == 0 || octets > LENGTH_OCTETS_MAX)
            return 0;
        for (len = 0; octets > 0; octets--)
            len = len << 8 | rd_u8(rd);
    }
    if (!rd_ok(rd))
        return 0;
    *ret_len = len;
    return tag;
}

void ber_write_head(struct wr *wr, uint8_t tag, size_t len)
{
    wr_u8(wr, tag);
    if (len > UINT8_MAX) {
        wr_u8(wr, LONG_FORM + 2);
        wr_u16(wr, (uint16_t)len);
        return;
    }
    if (len >= LONG_FORM)
        wr_u8(wr, LONG_FORM + 1);
    wr_u8(wr, (uint8_t)len);
}

struct ber ber_take(struct rd *rd)
{
    size_t len = 0;
    uint8_t tag = read_head(rd, &len);
    struct sonde_span content = rd_span(rd, len);
    return (struct ber){rd_ok(rd) ? tag : 0, rd_init(content)};
}

bool ber_enter(struct rd *rd, uint8_t tag)
{
    size_t len;
    return read_head(rd, &len) == tag;
}

bool ber_skip(struct rd *rd, uint8_t tag)
{
    return ber_take(rd).tag == tag;
}

bool ber_is(struct rd *rd, uint8_t value)
{
    struct ber number = ber_take(rd);
    return number.tag == BER_INTEGER && number.content.rest.len == 1 &&
           rd_u8(&number.content) == value;
}

/* What stands before the 16-bit form of the token. The lowest 16 bits of the cookie are left out:
 * they are the secret of that. */
static uint32_t name_base(const struct payload_trace *trace)
{
    return NAME_MARK | ((uint32_t)(trace->cookie >> 16) & NAME_SECRET_MASK) << 16;
}

void ber_write_name(struct wr *wr, const struct payload_trace *trace,
                    const struct payload_name *name)
{
    wr_u8(wr, BER_INTEGER);
    wr_u8(wr, NAME_OCTETS);
    wr_u32(wr, name_base(trace) | name->field16);
}

int ber_read_name(struct rd *rd, const struct payload_trace *trace, struct payload_match *ret_match)
{
    struct ber number = ber_take(rd);
    if (number.tag != BER_INTEGER)
        return rd_ok(rd) ? SONDE_DISCARD_NOT_A_RESULT : SONDE_DISCARD_TRUNCATED;
    bool fits = number.content.rest.len == NAME_OCTETS;
    uint32_t value = rd_u32(&number.content);
    uint16_t field = (uint16_t)value;
    if (!fits || value - field != name_base(trace) || field == 0)
        return SONDE_DISCARD_BAD_TOKEN;
    *ret_match = (struct payload_match){PAYLOAD_NAMES_FIELD16, field};
    return 0;
}
