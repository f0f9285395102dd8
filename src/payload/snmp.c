/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SNMP, in three versions that no single question can speak.
 *
 * First version 3 is asked to make itself known: a request of nothing in the name of nobody, which
 * every agent reports as being for an engine that it is not (RFC 3414 §4). Its msgID names the
 * probe (RFC 3412 §6.2). An agent without version 3 drops it. So version 2c, and then version 1
 * (RFC 1157), are asked for the time since the start (sysUpTime.0, RFC 3418) in the usual
 * community. The request-id names the probe (RFC 3416 §3, RFC 1157 §4.1). An agent with another
 * community is silent, and may send a trap about it.
 */
#include "payload/ber.h"

/* PDUs; RFC 3416 §3. */
enum {
    PDU_GET = BER_CONTEXT,
    PDU_RESPONSE = BER_CONTEXT + 2,
    PDU_REPORT = BER_CONTEXT + 8,
    VERSION_1 = 0,  /* RFC 1157 §4 */
    VERSION_2C = 1, /* RFC 1901 §3 */
    VERSION_3 = 3,
};

/* RFC 3412 §6: what stands before the msgID, and between it and the request-id. */
static const char v3_head[] = "\x30\x3e"               /* a sequence of 62 bytes */
                              "\x02\x01\x03"           /* msgVersion */
                              "\x30\x11";              /* msgGlobalData */
static const char v3_middle[] = "\x02\x03\x00\xff\xe3" /* msgMaxSize: 65507 */
                                "\x04\x01\x04"         /* msgFlags: reportable */
                                "\x02\x01\x03"         /* msgSecurityModel: USM */
                                "\x04\x10\x30\x0e"     /* its parameters: RFC 3414 §2.4 */
                                "\x04\x00"             /* engine: to be discovered */
                                "\x02\x01\x00"         /* its boots */
                                "\x02\x01\x00"         /* its time */
                                "\x04\x00"             /* user: nobody */
                                "\x04\x00\x04\x00"     /* not authenticated, not encrypted */
                                "\x30\x14"             /* scopedPDU */
                                "\x04\x00\x04\x00"     /* contextEngineID, contextName */
                                "\xa0\x0e";            /* a GetRequest of 14 bytes */
/* RFC 1157 §4, RFC 1901 §3: what stands before the version, and between it and the request-id. */
static const char get_head[] = "\x30\x29"         /* a sequence of 41 bytes */
                               "\x02\x01";        /* version */
static const char get_middle[] = "\x04\x06public" /* community */
                                 "\xa0\x1c";      /* a GetRequest of 28 bytes */

/* What stands behind the request-id: error-status, error-index and what is asked for. */
static const char v3_tail[] = "\x02\x01\x00\x02\x01\x00"
                              "\x30\x00"; /* nothing */
static const char get_tail[] = "\x02\x01\x00\x02\x01\x00"
                               "\x30\x0e\x30\x0c"                         /* one variable */
                               "\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00" /* 1.3.6.1.2.1.1.3.0 */
                               "\x05\x00";                                /* of unknown value */

static void v3_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                   struct wr *wr)
{
    (void)len;
    wr_bytes(wr, v3_head, sizeof v3_head - 1);
    ber_write_name(wr, trace, name);
    wr_bytes(wr, v3_middle, sizeof v3_middle - 1);
    ber_write_name(wr, trace, name);
    wr_bytes(wr, v3_tail, sizeof v3_tail - 1);
}

static void write_get(const struct payload_trace *trace, const struct payload_name *name,
                      uint8_t version, struct wr *wr)
{
    wr_bytes(wr, get_head, sizeof get_head - 1);
    wr_u8(wr, version);
    wr_bytes(wr, get_middle, sizeof get_middle - 1);
    ber_write_name(wr, trace, name);
    wr_bytes(wr, get_tail, sizeof get_tail - 1);
}

static void v2c_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    (void)len;
    write_get(trace, name, VERSION_2C, wr);
}

static void v1_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                   struct wr *wr)
{
    (void)len;
    write_get(trace, name, VERSION_1, wr);
}

/* Read a message up to its msgID. */
static int v3_begin(struct rd *rd, const struct payload_trace *trace,
                    struct payload_match *ret_match)
{
    bool fits = ber_enter(rd, BER_SEQUENCE) && ber_is(rd, VERSION_3) && ber_enter(rd, BER_SEQUENCE);
    return fits ? ber_read_name(rd, trace, ret_match) : payload_verdict(rd, false);
}

/* Read a message of a version without engines up to the request-id of this PDU. */
static int begin(struct rd *rd, const struct payload_trace *trace, uint8_t version, uint8_t pdu,
                 struct payload_match *ret_match)
{
    bool fits = ber_enter(rd, BER_SEQUENCE) && ber_is(rd, version) &&
                ber_skip(rd, BER_OCTET_STRING) && ber_enter(rd, pdu);
    return fits ? ber_read_name(rd, trace, ret_match) : payload_verdict(rd, false);
}

/* Of a question, another protocol's bytes are as little ours as another's question. */
static int of_question(int reason)
{
    return reason == SONDE_DISCARD_NOT_A_RESULT ? SONDE_DISCARD_BAD_TOKEN : reason;
}

static int v3_recognize(const struct payload_trace *trace, struct sonde_span question,
                        struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return of_question(v3_begin(&rd, trace, ret_match));
}

static int v2c_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return of_question(begin(&rd, trace, VERSION_2C, PDU_GET, ret_match));
}

static int v1_recognize(const struct payload_trace *trace, struct sonde_span question,
                        struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    return of_question(begin(&rd, trace, VERSION_1, PDU_GET, ret_match));
}

/* Pass over elements of these types. */
static bool skip_all(struct rd *rd, const uint8_t *tags, size_t count)
{
    size_t i = 0;
    while (i < count && ber_skip(rd, tags[i]))
        i++;
    return i == count;
}

static int v3_fits(const struct payload_trace *trace, struct sonde_span answer,
                   struct payload_match *ret_match)
{
    /* msgMaxSize, msgFlags, msgSecurityModel, msgSecurityParameters */
    static const uint8_t rest[] = {BER_INTEGER, BER_OCTET_STRING, BER_INTEGER, BER_OCTET_STRING};
    /* contextEngineID, contextName, the PDU */
    static const uint8_t scoped[] = {BER_OCTET_STRING, BER_OCTET_STRING, PDU_REPORT};
    struct rd rd = rd_init(answer);
    int r = v3_begin(&rd, trace, ret_match);
    if (r != 0)
        return r;
    bool fits = skip_all(&rd, rest, sizeof rest) && ber_enter(&rd, BER_SEQUENCE) &&
                skip_all(&rd, scoped, sizeof scoped);
    return payload_verdict(&rd, fits);
}

static int read_response(const struct payload_trace *trace, struct sonde_span answer,
                         uint8_t version, struct payload_match *ret_match)
{
    /* error-status, error-index, variable-bindings */
    static const uint8_t rest[] = {BER_INTEGER, BER_INTEGER, BER_SEQUENCE};
    struct rd rd = rd_init(answer);
    int r = begin(&rd, trace, version, PDU_RESPONSE, ret_match);
    if (r != 0)
        return r;
    return payload_verdict(&rd, skip_all(&rd, rest, sizeof rest));
}

static int v2c_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    return read_response(trace, answer, VERSION_2C, ret_match);
}

static int v1_fits(const struct payload_trace *trace, struct sonde_span answer,
                   struct payload_match *ret_match)
{
    return read_response(trace, answer, VERSION_1, ret_match);
}

const struct payload_ops payload_snmp = {
    .name = "snmp",
    .topic = "SNMPv3",
    .asks = "which engine it is (SNMPv3)",
    .silence = "an agent without SNMPv3 answers only the communities that it knows",
    .next = &payload_snmp_v2c,
    .ask = v3_ask,
    .recognize = v3_recognize,
    .fits = v3_fits,
};

const struct payload_ops payload_snmp_v2c = {
    .name = "snmp",
    .topic = "SNMPv2c",
    .asks = "how long it is up (SNMPv2c, community public)",
    .next = &payload_snmp_v1,
    .ask = v2c_ask,
    .recognize = v2c_recognize,
    .fits = v2c_fits,
};

const struct payload_ops payload_snmp_v1 = {
    .name = "snmp",
    .topic = "SNMPv1",
    .asks = "how long it is up (SNMPv1, community public)",
    .ask = v1_ask,
    .recognize = v1_recognize,
    .fits = v1_fits,
};

const struct payload_ops payload_snmp2c = {
    .name = "snmp2c",
    .asks = "how long it is up (SNMPv2c, community public)",
    .silence = "an agent ignores a community that it does not know",
    .ask = v2c_ask,
    .recognize = v2c_recognize,
    .fits = v2c_fits,
};
