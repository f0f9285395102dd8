/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IKEv2, RFC 7296, on its port, and on the other one behind the marker that tells it from ESP (RFC
 * 3948 §2.2): the first message of an IKE SA, whose only proposal encrypts with what nobody knows.
 * A responder refuses it with NO_PROPOSAL_CHOSEN (RFC 7296 §3.3.6) before it computes or keeps
 * anything. All else in the message is usual, since there are responders that take an unknown group
 * for a malformed message.
 *
 * What a gateway without version 2 is asked then is in payload/ikev1.c. One that only calls others
 * drops both; most say of a higher major version that they do not know it (§2.5), which need not be
 * answered, and therefore is asked last.
 */
#include "payload/ike.h"

enum {
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
    MESSAGE_BYTES = IKE_HEADER_BYTES + SA_BYTES + KE_BYTES + NONCE_BYTES, /* without padding */
    NOTIFY_BYTES = 8,        /* without data; RFC 7296 §3.10 */
    NOTIFY_PRIVATE = 0xf000, /* a status that whoever does not know it passes over; §3.10.1 */
};

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
    ike_write_generic(wr, PAYLOAD_KE, SA_BYTES);
    ike_write_generic(wr, 0, PROPOSAL_BYTES); /* 0 = the last proposal */
    wr_u8(wr, 1);                             /* its number */
    wr_u8(wr, PROTOCOL_IKE);
    wr_u8(wr, 0); /* bytes of an SPI */
    wr_u8(wr, TRANSFORMS);
    for (size_t i = 0; i < TRANSFORMS; i++) {
        ike_write_generic(wr, i + 1 < TRANSFORMS ? 3 : 0, TRANSFORM_BYTES); /* 3 = more follow */
        wr_u8(wr, transforms[i].type);
        wr_u8(wr, 0);
        wr_u16(wr, transforms[i].id);
    }
}

/* A status that means nothing, as padding. */
static void write_notify(struct wr *wr, size_t len)
{
    ike_write_generic(wr, 0, (uint16_t)len);
    wr_u16(wr, 0); /* of no protocol, without an SPI */
    wr_u16(wr, NOTIFY_PRIVATE);
    wr_fill(wr, 0, len - NOTIFY_BYTES);
}

static void ikev2_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    static const struct ike_message message = {
        .version = IKE_VERSION_2, .exchange = IKE_EXCHANGE_SA_INIT, .flags = IKE_FLAG_INITIATOR};
    size_t notify = len >= MESSAGE_BYTES + NOTIFY_BYTES ? len - MESSAGE_BYTES : 0;
    ike_write_header(wr, trace, name, PAYLOAD_SA, &message, MESSAGE_BYTES + notify);
    write_sa(wr);
    ike_write_generic(wr, PAYLOAD_NONCE, KE_BYTES); /* the key exchange; RFC 7296 §3.4 */
    wr_u16(wr, GROUP_14);
    wr_u16(wr, 0);
    wr_fill(wr, 0x5a, GROUP_14_BYTES);
    ike_write_generic(wr, notify > 0 ? PAYLOAD_NOTIFY : 0, NONCE_BYTES); /* RFC 7296 §3.9 */
    for (size_t i = 0; i < 4; i++)
        wr_u64(wr, trace->cookie);
    if (notify > 0)
        write_notify(wr, notify);
}

/* A header of the next version, with nothing behind it. */
static void ikev3_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    static const struct ike_message message = {
        .version = IKE_VERSION_3, .exchange = IKE_EXCHANGE_SA_INIT, .flags = IKE_FLAG_INITIATOR};
    (void)len;
    ike_write_header(wr, trace, name, 0, &message, IKE_HEADER_BYTES);
}

static void nat_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    wr_fill(wr, 0, IKE_MARKER_BYTES);
    ikev2_ask(trace, name, len > IKE_MARKER_BYTES ? len - IKE_MARKER_BYTES : 0, wr);
}

static void nat3_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    wr_fill(wr, 0, IKE_MARKER_BYTES);
    ikev3_ask(trace, name, len, wr);
}

static int ikev2_recognize(const struct payload_trace *trace, struct sonde_span question,
                           struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return ike_recognize(&rd, trace, IKE_VERSION_2, ret_match);
}

static int ikev3_recognize(const struct payload_trace *trace, struct sonde_span question,
                           struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return ike_recognize(&rd, trace, IKE_VERSION_3, ret_match);
}

static int nat_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, IKE_MARKER_BYTES);
    return ike_recognize(&rd, trace, IKE_VERSION_2, ret_match);
}

static int nat3_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, IKE_MARKER_BYTES);
    return ike_recognize(&rd, trace, IKE_VERSION_3, ret_match);
}

/* Is it a response in version 2, or a notice of a responder of version 1? */
static bool answers(const struct ike_message *message)
{
    switch (message->version & IKE_VERSION_MASK) {
    case IKE_VERSION_2:
        return ike_is_response(message);
    case IKE_VERSION_1:
        return message->exchange == IKE_EXCHANGE_1_INFORMATIONAL;
    default:
        return false;
    }
}

static int ikev2_fits(const struct payload_trace *trace, struct sonde_span answer,
                      struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    return ike_read_answer(&rd, trace, answers, ret_match);
}

static int nat_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    int r = ike_take_marker(&rd);
    return r == 0 ? ike_read_answer(&rd, trace, answers, ret_match) : r;
}

const struct payload_ops payload_ikev2 = {
    .name = "ikev2",
    .topic = "IKEv2",
    .asks = "for an IKE SA that nobody grants",
    .silence = "a gateway may answer only the peers that it is set up for",
    .next = &payload_ikev1,
    .ask = ikev2_ask,
    .recognize = ikev2_recognize,
    .fits = ikev2_fits,
};

const struct payload_ops payload_ikev2_nat = {
    .name = "ikev2-nat",
    .topic = "IKEv2",
    .asks = "for an IKE SA that nobody grants, behind the marker of RFC 3948",
    .silence = "a gateway may answer only the peers that it is set up for",
    .next = &payload_ikev1_nat,
    .ask = nat_ask,
    .recognize = nat_recognize,
    .fits = nat_fits,
};

const struct payload_ops payload_ikev3 = {
    .name = "ikev2",
    .topic = "version 3",
    .asks = "for an SA of a version that there is not",
    .like = "a gateway that only calls others",
    .ask = ikev3_ask,
    .recognize = ikev3_recognize,
    .fits = ikev2_fits,
};

const struct payload_ops payload_ikev3_nat = {
    .name = "ikev2-nat",
    .topic = "version 3",
    .asks = "for an SA of a version that there is not",
    .like = "a gateway that only calls others",
    .ask = nat3_ask,
    .recognize = nat3_recognize,
    .fits = nat_fits,
};
