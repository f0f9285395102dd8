/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IKEv2, RFC 7296, on its port, and on the other one behind the marker that tells it from ESP (RFC
 * 3948 §2.2): the first message of an IKE SA, whose only proposal encrypts with what nobody knows.
 * A responder refuses it with NO_PROPOSAL_CHOSEN (RFC 7296 §3.3.6) before it computes or keeps
 * anything. A higher major version would be shorter to ask, but is to be dropped, and need not be
 * answered (§2.5). All else in the message is usual, since there are responders that take an
 * unknown group for a malformed message. The initiator's SPI names the probe (§2.6).
 */
#include "payload/payload.h"

enum {
    MARKER_BYTES = 4, /* zero; RFC 3948 §2.2 */
    HEADER_BYTES = 28,
    SPI_BYTES = 8,
    VERSION_2 = 0x20,
    EXCHANGE_SA_INIT = 34,
    FLAG_INITIATOR = 0x08,
    FLAG_RESPONSE = 0x20,
    PAYLOAD_SA = 33,
    PAYLOAD_KE = 34,
    PAYLOAD_NONCE = 40,
    PAYLOAD_NOTIFY = 41,
    PROTOCOL_IKE = 1,
    TRANSFORM_BYTES = 8,
    TRANSFORMS = 4,
    PROPOSAL_BYTES = 8 + TRANSFORMS * TRANSFORM_BYTES,
    SA_BYTES = 4 + PROPOSAL_BYTES,
    GROUP_14 = 14, /* 2048 bits, which everybody has; RFC 8247 §2.4 */
    GROUP_14_BYTES = 256,
    KE_BYTES = 8 + GROUP_14_BYTES,
    NONCE_BYTES = 4 + 32,
    MESSAGE_BYTES = HEADER_BYTES + SA_BYTES + KE_BYTES + NONCE_BYTES, /* without padding */
    NOTIFY_BYTES = 8,        /* without data; RFC 7296 §3.10 */
    NOTIFY_PRIVATE = 0xf000, /* a status that whoever does not know it passes over; §3.10.1 */

    /* A responder of version 1 may refuse with a notice of its own; RFC 2408 §3.1, §5.2. */
    VERSION_1 = 0x10,
    EXCHANGE_1_INFORMATIONAL = 5,
};

static void write_header(const struct payload_trace *trace, const struct payload_name *name,
                         size_t len, struct wr *wr)
{
    payload_write_name8(wr, trace, name);
    wr_u64(wr, 0); /* the responder's SPI */
    wr_u8(wr, PAYLOAD_SA);
    wr_u8(wr, VERSION_2);
    wr_u8(wr, EXCHANGE_SA_INIT);
    wr_u8(wr, FLAG_INITIATOR);
    wr_u32(wr, 0); /* message ID */
    wr_u32(wr, (uint32_t)len);
}

/* What every payload begins with; RFC 7296 §3.2. */
static void write_generic(struct wr *wr, uint8_t next, uint16_t len)
{
    wr_u8(wr, next);
    wr_u8(wr, 0);
    wr_u16(wr, len);
}

/* One proposal, four transforms; RFC 7296 §3.3. */
static void write_sa(struct wr *wr)
{
    static const struct {
        uint8_t type;
        uint16_t id;
    } transforms[TRANSFORMS] = {
        {1, 0xf000},   /* encryption: for private use; §3.3.2 */
        {2, 5},        /* PRF_HMAC_SHA2_256 */
        {3, 12},       /* AUTH_HMAC_SHA2_256_128 */
        {4, GROUP_14}, /* the one of the key exchange */
    };
    write_generic(wr, PAYLOAD_KE, SA_BYTES);
    write_generic(wr, 0, PROPOSAL_BYTES); /* 0 = the last proposal */
    wr_u8(wr, 1);                         /* its number */
    wr_u8(wr, PROTOCOL_IKE);
    wr_u8(wr, 0); /* bytes of an SPI */
    wr_u8(wr, TRANSFORMS);
    for (size_t i = 0; i < TRANSFORMS; i++) {
        write_generic(wr, i + 1 < TRANSFORMS ? 3 : 0, TRANSFORM_BYTES); /* 3 = more follow */
        wr_u8(wr, transforms[i].type);
        wr_u8(wr, 0);
        wr_u16(wr, transforms[i].id);
    }
}

/* A status that means nothing, as padding. */
static void write_notify(struct wr *wr, size_t len)
{
    write_generic(wr, 0, (uint16_t)len);
    wr_u16(wr, 0); /* of no protocol, without an SPI */
    wr_u16(wr, NOTIFY_PRIVATE);
    wr_fill(wr, 0, len - NOTIFY_BYTES);
}

static void ikev2_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    size_t notify = len >= MESSAGE_BYTES + NOTIFY_BYTES ? len - MESSAGE_BYTES : 0;
    write_header(trace, name, MESSAGE_BYTES + notify, wr);
    write_sa(wr);
    write_generic(wr, PAYLOAD_NONCE, KE_BYTES); /* the key exchange; RFC 7296 §3.4 */
    wr_u16(wr, GROUP_14);
    wr_u16(wr, 0);
    wr_fill(wr, 0x5a, GROUP_14_BYTES);
    write_generic(wr, notify > 0 ? PAYLOAD_NOTIFY : 0, NONCE_BYTES); /* RFC 7296 §3.9 */
    for (size_t i = 0; i < 4; i++)
        wr_u64(wr, trace->cookie);
    if (notify > 0)
        write_notify(wr, notify);
}

static void nat_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    wr_fill(wr, 0, MARKER_BYTES);
    ikev2_ask(trace, name, len > MARKER_BYTES ? len - MARKER_BYTES : 0, wr);
}

static int ikev2_recognize(const struct payload_trace *trace, struct sonde_span question,
                           struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return payload_read_name8(&rd, trace, ret_match);
}

static int nat_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, MARKER_BYTES);
    return payload_read_name8(&rd, trace, ret_match);
}

/* Is it a response in version 2, or a notice in version 1? */
static bool is_response(uint8_t version, uint8_t exchange, uint8_t flags)
{
    switch (version & 0xf0) {
    case VERSION_2:
        return exchange == EXCHANGE_SA_INIT &&
               (flags & (FLAG_RESPONSE | FLAG_INITIATOR)) == FLAG_RESPONSE;
    case VERSION_1:
        return exchange == EXCHANGE_1_INFORMATIONAL;
    default:
        return false;
    }
}

/* Judge a message by its header; RFC 7296 §3.1. */
static int read_message(const struct payload_trace *trace, struct rd *rd,
                        struct payload_match *ret_match)
{
    int r = payload_read_name8(rd, trace, ret_match);
    if (r != 0)
        return r;
    rd_skip(rd, SPI_BYTES + 1); /* the responder's SPI, the first payload's type */
    uint8_t version = rd_u8(rd);
    uint8_t exchange = rd_u8(rd);
    bool fits = is_response(version, exchange, rd_u8(rd));
    rd_skip(rd, 4); /* message ID */
    uint32_t len = rd_u32(rd);
    if (!rd_ok(rd) || !fits || len < HEADER_BYTES)
        return payload_verdict(rd, false);
    rd_skip(rd, len - HEADER_BYTES);
    return payload_verdict(rd, true);
}

static int ikev2_fits(const struct payload_trace *trace, struct sonde_span answer,
                      struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    return read_message(trace, &rd, ret_match);
}

static int nat_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = rd_u32(&rd) == 0; /* ESP begins with an SPI that is not 0 */
    if (!rd_ok(&rd) || !fits)
        return payload_verdict(&rd, fits);
    return read_message(trace, &rd, ret_match);
}

const struct payload_ops payload_ikev2 = {
    .name = "ikev2",
    .asks = "for an IKE SA that nobody grants",
    .silence = "a gateway may answer only the peers that it is set up for",
    .ask = ikev2_ask,
    .recognize = ikev2_recognize,
    .fits = ikev2_fits,
};

const struct payload_ops payload_ikev2_nat = {
    .name = "ikev2-nat",
    .asks = "for an IKE SA that nobody grants, behind the marker of RFC 3948",
    .silence = "a gateway may answer only the peers that it is set up for",
    .ask = nat_ask,
    .recognize = nat_recognize,
    .fits = nat_fits,
};
