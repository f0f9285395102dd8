/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kerberos, RFC 4120: an AS-REQ (§5.4.1) for a client in a realm that a key distribution center
 * does not have, so that it answers with a KRB-ERROR (§5.9.1) and keeps nothing. The second part of
 * the service's name is the probe's; an error repeats the service, unless the center puts its own
 * there.
 */
#include "payload/ber.h"

enum {
    ERROR = BER_APPLICATION + 30,     /* §5.10 */
    ERROR_TYPE = BER_CONTEXT + 1,     /* msg-type, which is 30 */
    ERROR_SERVICE = BER_CONTEXT + 10, /* sname */
    SERVICE_BYTES = 20,               /* of head, at its end: sname up to its second part */
};

/* In DER (X.690 §10), as far as the second part of the service's name. */
static const char head[] = "\x6a\x81\x87\x30\x81\x84"             /* AS-REQ of 135 bytes */
                           "\xa1\x03\x02\x01\x05"                 /* pvno */
                           "\xa2\x03\x02\x01\x0a"                 /* msg-type */
                           "\xa4\x78\x30\x76"                     /* req-body */
                           "\xa0\x07\x03\x05\x00\x00\x00\x00\x00" /* kdc-options: none */
                           "\xa1\x12\x30\x10"                     /* cname */
                           "\xa0\x03\x02\x01\x01"                 /* NT-PRINCIPAL; §6.2 */
                           "\xa1\x09\x30\x07\x1b\x05sonde"
                           "\xa2\x0f\x1b\x0dSONDE.INVALID" /* realm; RFC 2606 §2 */
                           "\xa3\x24\x30\x22"              /* sname */
                           "\xa0\x03\x02\x01\x02"          /* NT-SRV-INST */
                           "\xa1\x1b\x30\x19\x1b\x05sonde\x1b\x10";
static const char tail[] = "\xa5\x11\x18\x0f"
                           "19700101000000Z"                           /* till: as long as can be */
                           "\xa7\x03\x02\x01\x01"                      /* nonce */
                           "\xa8\x08\x30\x06\x02\x01\x12\x02\x01\x11"; /* AES; RFC 3962 §7 */

static void kerberos_ask(const struct payload_trace *trace, const struct payload_name *name,
                         size_t len, struct wr *wr)
{
    (void)len;
    wr_bytes(wr, head, sizeof head - 1);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME8_BYTES);
    wr_bytes(wr, tail, sizeof tail - 1);
}

static int kerberos_recognize(const struct payload_trace *trace, struct sonde_span question,
                              struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    if (payload_take(&rd, head, sizeof head - 1))
        return payload_read_hex(&rd, trace, PAYLOAD_NAME8_BYTES, ret_match);
    return rd_ok(&rd) ? SONDE_DISCARD_BAD_TOKEN : SONDE_DISCARD_TRUNCATED;
}

/* Read the service's name. If it is not the one that was asked for, it names no probe. */
static int read_service(struct rd *rd, const struct payload_trace *trace,
                        struct payload_match *ret_match)
{
    if (!payload_take(rd, head + sizeof head - 1 - SERVICE_BYTES, SERVICE_BYTES))
        return 0;
    return payload_read_hex(rd, trace, PAYLOAD_NAME8_BYTES, ret_match);
}

static int kerberos_fits(const struct payload_trace *trace, struct sonde_span answer,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    struct ber error = ber_take(&rd);
    struct ber fields = ber_take(&error.content);
    if (error.tag != ERROR || fields.tag != BER_SEQUENCE)
        return payload_verdict(&rd, false);
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    bool is_error = false;
    bool has_service = false; /* as every error; §5.9.1 */
    int r = 0;
    while (fields.content.rest.len > 0 && rd_ok(&fields.content) && r == 0) {
        struct ber field = ber_take(&fields.content);
        if (field.tag == ERROR_TYPE)
            is_error = ber_is(&field.content, 30);
        has_service |= field.tag == ERROR_SERVICE;
        if (field.tag == ERROR_SERVICE)
            r = read_service(&field.content, trace, &match);
    }
    if (r == 0 && (!is_error || !has_service || !rd_ok(&fields.content)))
        r = SONDE_DISCARD_NOT_A_RESULT;
    if (r == 0)
        *ret_match = match;
    return r;
}

const struct payload_ops payload_kerberos = {
    .name = "kerberos",
    .asks = "a ticket for nobody",
    .silence = "MIT's server of several realms says nothing about one that it does not have",
    .ask = kerberos_ask,
    .recognize = kerberos_recognize,
    .fits = kerberos_fits,
};
