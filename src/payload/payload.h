/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload modules: a question in the protocol of a UDP service, and what fits as its answer.
 *
 * An open UDP port stays silent to bytes that mean nothing to it. A module is a constant table
 * entry of pure functions, which writes a question that every server of its protocol answers, and
 * which leaves as little behind at the server as it can. The question carries the probe's name
 * where the protocol has room for it, in a field that comes back: a transaction number, a cookie, a
 * nonce. A new protocol is one new file and one new line in payload.c.
 *
 * All questions of a trace are equally long, and equal but for what names the probe.
 */
#ifndef PAYLOAD_PAYLOAD_H
#define PAYLOAD_PAYLOAD_H

#include "base/bytes.h"

#include <sonde/vocabulary.h>

/** What is the same in all questions of a trace. */
struct payload_trace {
    uint64_t cookie;           /* drawn at random; an outsider does not know it */
    struct sonde_span bytes;   /* the user's own question, if the module is payload_own */
    struct sonde_span expects; /* what an answer to it begins with; empty = anything */
};

/** What names a probe within its trace. */
struct payload_name {
    uint32_t token;
    uint16_t
        field16; /* the token for fields of 16 bits: 1 to 65535, shifted by the trace's secret */
};

/** What a question or an answer says of the probe that it belongs to. */
enum payload_named {
    PAYLOAD_NAMES_NONE,    /* nothing */
    PAYLOAD_NAMES_FIELD16, /* the 16-bit form of its token */
    PAYLOAD_NAMES_TOKEN,   /* the whole token */
};

struct payload_match {
    enum payload_named named;
    uint32_t value;
};

struct payload_ops {
    const char *name;    /* "dns" */
    const char *asks;    /* what the server is asked, in words: "for the root's name servers" */
    const char *silence; /* why a healthy service does not answer, in words; NULL: it does */
    bool nameless;       /* the question has no room for a name */
    bool other_port;     /* answers come from another port of the server than was asked */
    bool repeats;        /* several answers to one question are the protocol's way */
    bool dont_fragment;  /* clients let no router divide what they ask */

    /**
     * Write a question.
     * @param len  Bytes that are wanted, 0 = as few as the protocol needs. One that knows padding
     *             pads to that; another is as long as it is.
     * @param wr   Receives it; fails if it is too small.
     */
    void (*ask)(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                struct wr *wr);

    /**
     * Say which probe a question belongs to that an ICMP error quotes.
     * @param question  As much as is quoted of it.
     * @return 0; SONDE_DISCARD_TRUNCATED if it is cut short of the name; SONDE_DISCARD_BAD_TOKEN if
     *         it is no question of this trace.
     */
    int (*recognize)(const struct payload_trace *trace, struct sonde_span question,
                     struct payload_match *ret_match);

    /**
     * Say whether an answer fits.
     * @return 0; an enum sonde_discard: SONDE_DISCARD_TRUNCATED if it is cut short,
     *         SONDE_DISCARD_BAD_TOKEN if it is to another question, SONDE_DISCARD_NOT_A_RESULT if
     * it is no answer in this protocol.
     */
    int (*fits)(const struct payload_trace *trace, struct sonde_span answer,
                struct payload_match *ret_match);
};

/** @return The @p nth port that the module at @p index is the usual one for; 0 = no more. */
uint16_t payload_port(size_t index, size_t nth);

/** @return The module for a UDP port; NULL if none knows it. */
const struct payload_ops *payload_by_port(uint16_t port);

/** @return The module of that name; NULL if there is none. */
const struct payload_ops *payload_by_name(const char *name);

/** @return The module at @p index in the table; NULL beyond its end, so that all can be visited. */
const struct payload_ops *payload_at(size_t index);

/* What modules share: names in fields of several sizes. */

enum {
    PAYLOAD_NAME8_BYTES = 8,
    PAYLOAD_NAME12_BYTES = 12,
};

/** Write a name of 8 bytes, never all zero: the token, and half of the cookie. */
void payload_write_name8(struct wr *wr, const struct payload_trace *trace,
                         const struct payload_name *name);

/** Read a name of 8 bytes. @return 0; SONDE_DISCARD_TRUNCATED; SONDE_DISCARD_BAD_TOKEN. */
SONDE_MUST_CHECK int payload_read_name8(struct rd *rd, const struct payload_trace *trace,
                                        struct payload_match *ret_match);

/** Write a name of 12 bytes: the cookie and the token. */
void payload_write_name12(struct wr *wr, const struct payload_trace *trace,
                          const struct payload_name *name);

/** Read a name of 12 bytes. @return As payload_read_name8(). */
SONDE_MUST_CHECK int payload_read_name12(struct rd *rd, const struct payload_trace *trace,
                                         struct payload_match *ret_match);

/** Write a name in hexadecimal digits, where a protocol wants text.
 *  @param len  PAYLOAD_NAME8_BYTES or PAYLOAD_NAME12_BYTES; two digits a byte. */
void payload_write_hex(struct wr *wr, const struct payload_trace *trace,
                       const struct payload_name *name, size_t len);

/** Read what payload_write_hex() wrote. @return As payload_read_name8(). */
SONDE_MUST_CHECK int payload_read_hex(struct rd *rd, const struct payload_trace *trace, size_t len,
                                      struct payload_match *ret_match);

/** Read a name of 2 bytes, which any value but 0 may be.
 *  @return 0; SONDE_DISCARD_TRUNCATED; SONDE_DISCARD_BAD_TOKEN if it is 0. */
SONDE_MUST_CHECK int payload_read_name2(struct rd *rd, struct payload_match *ret_match);

/** A name of 2 bytes at the very beginning of a question: fit to be the recognize() of a module. */
int payload_recognize_name2(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match);

/** Make a question longer by zeros.
 *  @param start  Where in @p wr it begins.
 *  @param len    Bytes that are wanted of it; fewer than there are change nothing. */
void payload_pad(struct wr *wr, size_t start, size_t len);

/** Take bytes that have to be these. @return true if they are; false also if they end early. */
bool payload_take(struct rd *rd, const void *bytes, size_t len);

/** @return What is wrong with something of which the name was read, but not all of the rest:
 *  SONDE_DISCARD_TRUNCATED if it ended early, SONDE_DISCARD_NOT_A_RESULT if it did not fit, or 0.
 */
int payload_verdict(const struct rd *rd, bool fits);

extern const struct payload_ops payload_anyconnect;
extern const struct payload_ops payload_coap;
extern const struct payload_ops payload_dns;
extern const struct payload_ops payload_dtls;
extern const struct payload_ops payload_ikev2;
extern const struct payload_ops payload_ikev2_nat;
extern const struct payload_ops payload_kerberos;
extern const struct payload_ops payload_l2tp;
extern const struct payload_ops payload_llmnr;
extern const struct payload_ops payload_mdns;
extern const struct payload_ops payload_memcached;
extern const struct payload_ops payload_netbios;
extern const struct payload_ops payload_ntp;
extern const struct payload_ops payload_openvpn;
extern const struct payload_ops payload_own;
extern const struct payload_ops payload_quic;
extern const struct payload_ops payload_radius;
extern const struct payload_ops payload_rdpeudp;
extern const struct payload_ops payload_sip;
extern const struct payload_ops payload_snmp2c;
extern const struct payload_ops payload_snmp;
extern const struct payload_ops payload_stun;
extern const struct payload_ops payload_syslog;
extern const struct payload_ops payload_tftp;
extern const struct payload_ops payload_wireguard;

#endif
