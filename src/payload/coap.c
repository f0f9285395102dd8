/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CoAP, RFC 7252: a confirmable GET with a critical option of an experimental number. Whoever does
 * not know it must answer 4.02 (Bad Option) (§5.4.1), at once, shortly, whatever it serves to whom.
 * The token, which comes back, names the probe.
 *
 * The empty message of §4.3 ("CoAP ping") would be shorter, but libcoap answers only the first one
 * in a while, so that the probes of a path look lost. The list of resources may be long, and may
 * come in a message of its own that is sent again until it is acknowledged (§5.2.2).
 */
#include "payload/payload.h"

enum {
    VERSION_MASK = 0xc0, /* of the first byte; §3 */
    VERSION_1 = 0x40,
    TYPE_MASK = 0x30,
    TYPE_CONFIRMABLE = 0x00,
    TYPE_ACKNOWLEDGEMENT = 0x20,
    TYPE_RESET = 0x30,
    TOKEN_MASK = 0x0f,
    CODE_EMPTY = 0,
    CODE_GET = 1,
    CODE_CLASS_SHIFT = 5,
    ID_BYTES = 2,
    HEADER_BYTES = 4,
    OPTION = 65001, /* odd = critical, §5.4.6; for experiments, §12.2 */
    /* From 13 on, what is written needs a byte of its own, from 269 on two; §3.1. */
    LONG_NUMBER = 0xe0,
    LONG_VALUE = 0x0e,
    LONG_BASE = 269,
    MEDIUM_VALUE = 0x0d,
    MEDIUM_BASE = 13,
    QUESTION_BYTES = HEADER_BYTES + PAYLOAD_NAME8_BYTES + 3, /* with an empty option */
    MESSAGE_MAX = 1152,                                      /* that everybody takes; §4.6 */
};

/* The option. @param padding  Bytes of its value, and of the value's length in bytes of its own. */
static void write_option(struct wr *wr, size_t padding)
{
    bool is_long = padding >= 2 + LONG_BASE;
    bool is_medium = !is_long && padding >= 1 + MEDIUM_BASE;
    wr_u8(wr, LONG_NUMBER | (is_long ? LONG_VALUE : is_medium ? MEDIUM_VALUE : 0));
    wr_u16(wr, OPTION - LONG_BASE);
    if (is_long) {
        wr_u16(wr, (uint16_t)(padding - 2 - LONG_BASE));
        wr_fill(wr, 0, padding - 2);
    } else if (is_medium) {
        size_t value = padding - 1 < LONG_BASE ? padding - 1 : LONG_BASE - 1;
        wr_u8(wr, (uint8_t)(value - MEDIUM_BASE));
        wr_fill(wr, 0, value);
    }
}

static void coap_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    if (len > MESSAGE_MAX)
        len = MESSAGE_MAX;
    wr_u8(wr, VERSION_1 | TYPE_CONFIRMABLE | PAYLOAD_NAME8_BYTES);
    wr_u8(wr, CODE_GET);
    wr_u16(wr, name->field16); /* message ID */
    payload_write_name8(wr, trace, name);
    write_option(wr, len > QUESTION_BYTES ? len - QUESTION_BYTES : 0);
}

static int coap_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, HEADER_BYTES);
    return payload_read_name8(&rd, trace, ret_match);
}

/* An acknowledgement or a reset without more, which names the message; §4.1, §4.2. go-coap
 * acknowledges what it should reject. */
static int read_empty(uint8_t first, struct rd *rd, struct payload_match *ret_match)
{
    uint8_t type = first & TYPE_MASK;
    bool fits = (type == TYPE_ACKNOWLEDGEMENT || type == TYPE_RESET) && (first & TOKEN_MASK) == 0;
    if (!fits)
        return SONDE_DISCARD_NOT_A_RESULT;
    int r = payload_read_name2(rd, ret_match);
    return r != 0 || rd->rest.len == 0 ? r : SONDE_DISCARD_NOT_A_RESULT;
}

static int coap_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    uint8_t first = rd_u8(&rd);
    uint8_t code = rd_u8(&rd);
    if (!rd_ok(&rd) || (first & VERSION_MASK) != VERSION_1)
        return payload_verdict(&rd, false);
    if (code == CODE_EMPTY)
        return read_empty(first, &rd, ret_match);
    uint8_t class = code >> CODE_CLASS_SHIFT; /* a response is a 2, a 4 or a 5; §5.9 */
    if ((class != 2 && class != 4 && class != 5) || (first & TYPE_MASK) == TYPE_RESET)
        return SONDE_DISCARD_NOT_A_RESULT;
    if ((first & TOKEN_MASK) != PAYLOAD_NAME8_BYTES)
        return SONDE_DISCARD_BAD_TOKEN;
    rd_skip(&rd, ID_BYTES);
    return payload_read_name8(&rd, trace, ret_match);
}

const struct payload_ops payload_coap = {
    .name = "coap",
    .asks = "for nothing, with an option that nobody knows",
    .ask = coap_ask,
    .recognize = coap_recognize,
    .fits = coap_fits,
};
