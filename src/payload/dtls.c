/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DTLS, RFC 6347: a ClientHello without a cookie, whose only cipher suite is a reserved one that no
 * server ever chooses (RFC 8701 §2). A server asks for its cookie (RFC 6347 §4.2.1), or refuses
 * with an alert; either way it keeps nothing and shows no certificates.
 *
 * The record's sequence number names the probe. A HelloVerifyRequest has it back if the server does
 * as §4.2.1 demands; GnuTLS, and OpenSSL without its stateless listener, count by themselves from
 * 0, as everybody does in alerts. Such an answer names no probe.
 */
#include "payload/payload.h"

enum {
    TYPE_ALERT = 21,
    TYPE_HANDSHAKE = 22,
    VERSION_1_0 = 0xfeff, /* of the record, which old servers take too; RFC 5246 appendix E.1 */
    VERSION_1_2 = 0xfefd,
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    HELLO_VERIFY_REQUEST = 3,
    SUITE_RESERVED = 0x0a0a, /* RFC 8701 §2 */
    RECORD_BYTES = 13,       /* the record's header; RFC 6347 §4.1 */
    SEQUENCE_OFFSET = 5,
    MESSAGE_BYTES = 12,     /* the message's header; RFC 6347 §4.2.2 */
    HELLO_BYTES = 42,       /* what we say behind it, without extensions */
    EXTENSIONS_BYTES = 6,   /* their length, and the head of one; RFC 5246 §7.4.1.4 */
    EXTENSION_PADDING = 21, /* RFC 7685 */
};

/* The upper 16 bits of our sequence numbers: not 0, where servers begin to count. */
static uint16_t secret(const struct payload_trace *trace)
{
    return (uint16_t)((trace->cookie >> 48) | 1);
}

static void write_u24(struct wr *wr, uint32_t value)
{
    wr_u8(wr, (uint8_t)(value >> 16));
    wr_u16(wr, (uint16_t)value);
}

/* The extension that says nothing, and the length before it. */
static void write_padding(struct wr *wr, size_t len)
{
    wr_u16(wr, (uint16_t)(len - 2));
    wr_u16(wr, EXTENSION_PADDING);
    wr_u16(wr, (uint16_t)(len - EXTENSIONS_BYTES));
    wr_fill(wr, 0, len - EXTENSIONS_BYTES);
}

static void dtls_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    size_t least = RECORD_BYTES + MESSAGE_BYTES + HELLO_BYTES;
    size_t extensions = len >= least + EXTENSIONS_BYTES ? len - least : 0;
    uint16_t hello = (uint16_t)(HELLO_BYTES + extensions);
    wr_u8(wr, TYPE_HANDSHAKE); /* the record */
    wr_u16(wr, VERSION_1_0);
    wr_u16(wr, 0); /* epoch */
    wr_u16(wr, secret(trace));
    wr_u32(wr, name->token);
    wr_u16(wr, (uint16_t)(MESSAGE_BYTES + hello));

    wr_u8(wr, CLIENT_HELLO); /* the message, in one fragment */
    write_u24(wr, hello);
    wr_u16(wr, 0); /* its sequence number */
    write_u24(wr, 0);
    write_u24(wr, hello);

    wr_u16(wr, VERSION_1_2); /* the ClientHello; RFC 6347 §4.2.1 */
    for (size_t i = 0; i < 4; i++)
        wr_u64(wr, trace->cookie); /* 32 bytes that should be random */
    wr_u8(wr, 0);                  /* bytes of a session to resume */
    wr_u8(wr, 0);                  /* bytes of a cookie */
    wr_u16(wr, 2);                 /* bytes of cipher suites */
    wr_u16(wr, SUITE_RESERVED);
    wr_u8(wr, 1); /* one compression method: none */
    wr_u8(wr, 0);
    if (extensions > 0)
        write_padding(wr, extensions);
}

/* Read a sequence number, which may be the other side's own count. */
static int read_sequence(struct rd *rd, const struct payload_trace *trace,
                         struct payload_match *ret_match)
{
    uint16_t high = rd_u16(rd);
    uint32_t token = rd_u32(rd);
    if (!rd_ok(rd))
        return SONDE_DISCARD_TRUNCATED;
    if (high != 0 && high != secret(trace))
        return SONDE_DISCARD_BAD_TOKEN;
    *ret_match = high == 0 ? (struct payload_match){PAYLOAD_NAMES_NONE, 0}
                           : (struct payload_match){PAYLOAD_NAMES_TOKEN, token};
    return 0;
}

static int dtls_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, SEQUENCE_OFFSET);
    int r = read_sequence(&rd, trace, ret_match);
    return r == 0 && ret_match->named == PAYLOAD_NAMES_NONE ? SONDE_DISCARD_BAD_TOKEN : r;
}

static int dtls_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    uint8_t type = rd_u8(&rd);
    uint16_t version = rd_u16(&rd);
    uint16_t epoch = rd_u16(&rd);
    bool fits = (type == TYPE_HANDSHAKE || type == TYPE_ALERT) &&
                (version == VERSION_1_0 || version == VERSION_1_2) && epoch == 0;
    if (!rd_ok(&rd) || !fits)
        return payload_verdict(&rd, fits);
    int r = read_sequence(&rd, trace, ret_match);
    if (r != 0)
        return r;
    uint16_t len = rd_u16(&rd);
    struct rd record = rd_init(rd_span(&rd, len));
    if (!rd_ok(&rd))
        return SONDE_DISCARD_TRUNCATED;
    if (type == TYPE_ALERT)
        return len == 2 ? 0 : SONDE_DISCARD_NOT_A_RESULT; /* level and description */
    uint8_t message = rd_u8(&record);
    return message == HELLO_VERIFY_REQUEST || message == SERVER_HELLO ? 0
                                                                      : SONDE_DISCARD_NOT_A_RESULT;
}

const struct payload_ops payload_dtls = {
    .name = "dtls",
    .asks = "for a handshake without a cookie",
    .unnamed = true,
    .ask = dtls_ask,
    .recognize = dtls_recognize,
    .fits = dtls_fits,
};

const struct payload_ops payload_anyconnect = {
    .name = "anyconnect",
    .asks = "for a handshake without a cookie, in DTLS",
    .unnamed = true,
    .silence = "a gateway may answer only for sessions that it opened over TLS",
    .ask = dtls_ask,
    .recognize = dtls_recognize,
    .fits = dtls_fits,
};
