/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IKE before version 2, RFC 2409, for a gateway that has nothing else: the first message of main
 * mode, whose only proposal encrypts with what nobody knows. A responder refuses it with a notice
 * (RFC 2408 §5.4: NO-PROPOSAL-CHOSEN) and keeps nothing.
 */
#include "payload/ike.h"

enum {
    PAYLOAD_SA = 1, /* RFC 2408 §3.1 */
    DOI_IPSEC = 1,  /* RFC 2407 §4.2 */
    SITUATION_IDENTITY_ONLY = 1,
    PROTOCOL_ISAKMP = 1,
    TRANSFORM_IKE = 1,        /* RFC 2407 §4.4.2 */
    ATTRIBUTE_SHORT = 0x8000, /* with a value of 16 bits; RFC 2408 §3.3 */
    ATTRIBUTE_BYTES = 4,
    ATTRIBUTES = 4,
    TRANSFORM_BYTES = 8 + ATTRIBUTES * ATTRIBUTE_BYTES,
    PROPOSAL_BYTES = 8 + TRANSFORM_BYTES,
    SA_BYTES = 12 + PROPOSAL_BYTES,
    MESSAGE_BYTES = IKE_HEADER_BYTES + SA_BYTES,
};

/* One proposal, one transform; RFC 2408 §3.4 to §3.6. */
static void write_sa(struct wr *wr)
{
    static const struct {
        uint16_t type;
        uint16_t value;
    } attributes[ATTRIBUTES] = {
        {1, 65001}, /* encryption: for private use; RFC 2409, appendix A */
        {2, 2},     /* SHA */
        {3, 1},     /* a key that both share */
        {4, 14},    /* the group of 2048 bits; RFC 3526 §3 */
    };
    ike_write_generic(wr, 0, SA_BYTES);
    wr_u32(wr, DOI_IPSEC);
    wr_u32(wr, SITUATION_IDENTITY_ONLY);
    ike_write_generic(wr, 0, PROPOSAL_BYTES); /* 0 = the last proposal */
    wr_u8(wr, 1);                             /* its number */
    wr_u8(wr, PROTOCOL_ISAKMP);
    wr_u8(wr, 0); /* bytes of an SPI */
    wr_u8(wr, 1); /* transforms */
    ike_write_generic(wr, 0, TRANSFORM_BYTES);
    wr_u8(wr, 1); /* its number */
    wr_u8(wr, TRANSFORM_IKE);
    wr_u16(wr, 0);
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        wr_u16(wr, ATTRIBUTE_SHORT | attributes[i].type);
        wr_u16(wr, attributes[i].value);
    }
}

static void ikev1_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    static const struct ike_message message = {.version = IKE_VERSION_1,
                                               .exchange = IKE_EXCHANGE_1_IDENTITY};
    (void)len;
    ike_write_header(wr, trace, name, PAYLOAD_SA, &message, MESSAGE_BYTES);
    write_sa(wr);
}

static int ikev1_recognize(const struct payload_trace *trace, struct sonde_span question,
                           struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return ike_recognize(&rd, trace, IKE_VERSION_1, ret_match);
}

/* A notice, or the same exchange with a cookie of the responder's own. */
static bool answers(const struct ike_message *message)
{
    return (message->version & IKE_VERSION_MASK) == IKE_VERSION_1 &&
           (message->exchange == IKE_EXCHANGE_1_INFORMATIONAL ||
            (message->exchange == IKE_EXCHANGE_1_IDENTITY && message->has_responder));
}

static int ikev1_fits(const struct payload_trace *trace, struct sonde_span answer,
                      struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    return ike_read_answer(&rd, trace, answers, ret_match);
}

static void nat_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    wr_fill(wr, 0, IKE_MARKER_BYTES);
    ikev1_ask(trace, name, len, wr);
}

static int nat_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, IKE_MARKER_BYTES);
    return ike_recognize(&rd, trace, IKE_VERSION_1, ret_match);
}

static int nat_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    int r = ike_take_marker(&rd);
    return r == 0 ? ike_read_answer(&rd, trace, answers, ret_match) : r;
}

const struct payload_ops payload_ikev1 = {
    .name = "ikev2",
    .topic = "IKEv1",
    .asks = "for an SA of IKEv1 that nobody grants",
    .like = "a gateway without IKEv2",
    .next = &payload_ikev3,
    .ask = ikev1_ask,
    .recognize = ikev1_recognize,
    .fits = ikev1_fits,
};

const struct payload_ops payload_ikev1_nat = {
    .name = "ikev2-nat",
    .topic = "IKEv1",
    .asks = "for an SA of IKEv1 that nobody grants",
    .like = "a gateway without IKEv2",
    .next = &payload_ikev3_nat,
    .ask = nat_ask,
    .recognize = nat_recognize,
    .fits = nat_fits,
};
