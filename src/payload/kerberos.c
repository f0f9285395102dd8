/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kerberos, RFC 4120: an AS-REQ (§5.4.1) for a client that nobody is. A key distribution center
 * answers with a KRB-ERROR (§5.9.1) and keeps nothing. First it is asked in a realm that there is
 * not. MIT's center of several realms drops what is for none of them: it is then asked in the realm
 * that is named as the domain of the name that the user typed, and in the one named as all of it.
 *
 * The second part of the service's name is the probe's; an error repeats the service, unless the
 * center puts its own there.
 */
#include "payload/ber.h"

enum {
    REQUEST = BER_APPLICATION + 10, /* §5.10 */
    ERROR = BER_APPLICATION + 30,
    ERROR_TYPE = BER_CONTEXT + 1,     /* msg-type, which is 30 */
    ERROR_SERVICE = BER_CONTEXT + 10, /* sname */
    GENERAL_STRING = 0x1b,            /* X.680 §8.4 */
    BODY = BER_CONTEXT + 4,           /* req-body */
    BODY_REALM = BER_CONTEXT + 2,
    SERVICE_BYTES = 20, /* of service_head, at its end: sname up to its second part */
    PART_BYTES = 512,   /* the longest part of a request, with a realm of 253 bytes */
};

/* In DER (X.690 §10): what stands before the body, before the realm, and behind it. */
static const char version[] = "\xa1\x03\x02\x01\x05"                /* pvno */
                              "\xa2\x03\x02\x01\x0a";               /* msg-type */
static const char client[] = "\xa0\x07\x03\x05\x00\x00\x00\x00\x00" /* kdc-options: none */
                             "\xa1\x12\x30\x10"                     /* cname */
                             "\xa0\x03\x02\x01\x01"                 /* NT-PRINCIPAL; §6.2 */
                             "\xa1\x09\x30\x07\x1b\x05sonde";
static const char service_head[] = "\xa3\x24\x30\x22"     /* sname */
                                   "\xa0\x03\x02\x01\x02" /* NT-SRV-INST */
                                   "\xa1\x1b\x30\x19\x1b\x05sonde\x1b\x10";
static const char tail[] = "\xa5\x11\x18\x0f"
                           "19700101000000Z"                           /* till: as long as can be */
                           "\xa7\x03\x02\x01\x01"                      /* nonce */
                           "\xa8\x08\x30\x06\x02\x01\x12\x02\x01\x11"; /* AES; RFC 3962 §7 */

static const char nowhere[] = "SONDE.INVALID"; /* RFC 2606 §2 */

/* Write an element that holds these bytes. */
static void wrap(struct wr *wr, uint8_t tag, const struct wr *content)
{
    ber_write_head(wr, tag, content->len);
    wr_bytes(wr, content->data, content->len);
}

/* The realm as a string, in capitals, as realms that are named as domains are (§6.1). */
static void write_realm(struct wr *wr, const char *realm)
{
    ber_write_head(wr, GENERAL_STRING, strlen(realm));
    for (size_t i = 0; realm[i] != '\0'; i++) {
        char c = realm[i];
        wr_u8(wr, (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
}

/* The body as far as the second part of the service's name. */
static void write_up_to_name(struct wr *wr, const char *realm)
{
    uint8_t bytes[PART_BYTES];
    struct wr string = wr_init(bytes, sizeof bytes);
    write_realm(&string, realm);
    wr_bytes(wr, client, sizeof client - 1);
    wrap(wr, BODY_REALM, &string);
    wr_bytes(wr, service_head, sizeof service_head - 1);
}

static void ask(const struct payload_trace *trace, const char *realm,
                const struct payload_name *name, struct wr *wr)
{
    uint8_t parts[4][PART_BYTES];
    struct wr fields = wr_init(parts[0], PART_BYTES);
    struct wr body = wr_init(parts[1], PART_BYTES);
    struct wr members = wr_init(parts[2], PART_BYTES);
    struct wr request = wr_init(parts[3], PART_BYTES);
    write_up_to_name(&fields, realm);
    payload_write_hex(&fields, trace, name, PAYLOAD_NAME8_BYTES);
    wr_bytes(&fields, tail, sizeof tail - 1);
    wrap(&body, BER_SEQUENCE, &fields);
    wr_bytes(&members, version, sizeof version - 1);
    wrap(&members, BODY, &body);
    wrap(&request, BER_SEQUENCE, &members);
    wrap(wr, REQUEST, &request);
}

static int recognize(const struct payload_trace *trace, const char *realm,
                     struct sonde_span question, struct payload_match *ret_match)
{
    uint8_t expected[PART_BYTES];
    struct wr fields = wr_init(expected, sizeof expected);
    struct rd rd = rd_init(question);
    write_up_to_name(&fields, realm);
    bool is_it = ber_enter(&rd, REQUEST) && ber_enter(&rd, BER_SEQUENCE) &&
                 payload_take(&rd, version, sizeof version - 1) && ber_enter(&rd, BODY) &&
                 ber_enter(&rd, BER_SEQUENCE) && payload_take(&rd, fields.data, fields.len);
    if (is_it)
        return payload_read_hex(&rd, trace, PAYLOAD_NAME8_BYTES, ret_match);
    return rd_ok(&rd) ? SONDE_DISCARD_BAD_TOKEN : SONDE_DISCARD_TRUNCATED;
}

static void nowhere_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    (void)len;
    ask(trace, nowhere, name, wr);
}

static int nowhere_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    return recognize(trace, nowhere, question, ret_match);
}

static void domain_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    (void)len;
    ask(trace, payload_host_parent(trace->host), name, wr);
}

static int domain_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    return recognize(trace, payload_host_parent(trace->host), question, ret_match);
}

static void host_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    (void)len;
    ask(trace, trace->host, name, wr);
}

static int host_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    return recognize(trace, trace->host, question, ret_match);
}

/* Read the service's name. If it is not the one that was asked for, it names no probe. */
static int read_service(struct rd *rd, const struct payload_trace *trace,
                        struct payload_match *ret_match)
{
    const char *service = service_head + sizeof service_head - 1 - SERVICE_BYTES;
    if (!payload_take(rd, service, SERVICE_BYTES))
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
    .topic = "no realm",
    .asks = "a ticket for nobody, in a realm that there is not",
    .silence = "MIT's server of several realms says nothing about one that it does not have",
    .next = &payload_kerberos_domain,
    .ask = nowhere_ask,
    .recognize = nowhere_recognize,
    .fits = kerberos_fits,
};

const struct payload_ops payload_kerberos_domain = {
    .name = "kerberos",
    .topic = "the realm of its domain",
    .asks = "a ticket for nobody, in the realm of the domain that you typed",
    .like = "a server of several realms",
    .host_labels = 2,
    .says_host = true,
    .next = &payload_kerberos_host,
    .ask = domain_ask,
    .recognize = domain_recognize,
    .fits = kerberos_fits,
};

const struct payload_ops payload_kerberos_host = {
    .name = "kerberos",
    .topic = "the realm of its name",
    .asks = "a ticket for nobody, in the realm of the name that you typed",
    .like = "a server of several realms",
    .host_labels = 1,
    .says_host = true,
    .ask = host_ask,
    .recognize = host_recognize,
    .fits = kerberos_fits,
};
