/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Payload modules: questions in the protocol of a UDP service, and what fits as their answers.
 *
 * An open UDP port stays silent to bytes that mean nothing to it. A question is a constant entry of
 * pure functions. It is one that servers of its protocol answer by themselves, at once, without
 * credentials, and that leaves as little behind at the server as it can. It carries the probe's
 * name where the protocol has room for it, in a field that comes back: a transaction number, a
 * cookie, a nonce.
 *
 * Where no single question is answered by all servers of a protocol, there are several. The first
 * is in the table of payload.c, and each names the one that is asked after a silence. A new
 * protocol is one new file and one new line in the table; a new question is one new entry.
 *
 * The probes of a trace that carry the same question are equally long, and equal but for what names
 * the probe.
 */
#ifndef PAYLOAD_PAYLOAD_H
#define PAYLOAD_PAYLOAD_H

#include "base/bytes.h"

#include <sonde/event.h>

/** What is the same in all questions of a trace. */
struct payload_trace {
    uint64_t cookie;           /* drawn at random; an outsider does not know it */
    struct sonde_span bytes;   /* the user's own question, if the module is payload_own */
    struct sonde_span expects; /* what an answer to it begins with; empty = anything */
    const char *host;          /* the name that the user typed, as payload_host_is_usable() has it;
                                  NULL: none that may stand in a question */
    struct sonde_addr addr;    /* of the server, without a zone */
    uint16_t port;
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

/** A question. */
struct payload_ops {
    const char *name;  /* of its protocol: "dns" */
    const char *topic; /* the question in a word or two: ". NS"; NULL: the protocol has no other */
    const char *asks;  /* what the server is asked, in words: "the name servers of the root" */
    const char *silence; /* of the first: why a healthy service answers none; NULL: it does */
    const char *like;    /* of a further one: a server that answers it and none before it, in words:
                            "a resolver whose upstream is dead"; NULL: it has no name */
    uint16_t think_ms;   /* how long a server takes over its answer; 0 = as long as any program */
    uint8_t host_labels; /* asked only if the user typed a name of at least so many labels */
    bool says_host;      /* it says the name that the user typed, if that may be used */
    bool nameless;       /* the question has no room for a name */
    bool unnamed;        /* an answer need not say to which question it is */
    bool other_port;     /* answers come from another port of the server than was asked */
    bool repeats;        /* several answers to one question are the protocol's way */
    bool dont_fragment;  /* clients let no router divide what they ask */
    const struct payload_ops *next; /* what to ask after a silence; NULL: there is no more */

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
     *         it is another question, or of another trace.
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

/** @return The @p nth port that the protocol at @p index is the usual one for; 0 = no more. */
uint16_t payload_port(size_t index, size_t nth);

/** @return The first question that a UDP port is asked; NULL if its protocol is not known. */
const struct payload_ops *payload_by_port(uint16_t port);

/** @return The first question of the protocol of that name; NULL if there is none. */
const struct payload_ops *payload_by_name(const char *name);

/** @return The first question of the protocol at @p index in the table; NULL beyond its end, so
 *  that all can be visited. */
const struct payload_ops *payload_at(size_t index);

/**
 * Choose the questions that a service is asked, in their order.
 * @param first  Of its protocol; NULL: the port is asked in none.
 * @param host   The name that the user typed; NULL if there is none that may be used.
 * @return How many there are in @p ret_questions: 0 only for NULL.
 */
size_t payload_questions(const struct payload_ops *first, const char *host,
                         const struct payload_ops *ret_questions[SONDE_QUESTIONS_MAX]);

/** @return true if a question of a protocol says the name that the user typed. @param first  As in
 *  payload_questions(). */
bool payload_says_host(const struct payload_ops *first);

/* host.c: the name that the user typed, where a protocol has room for it. */

/** @return true if @p text is a host name of letters, digits and hyphens that may stand in a
 *  question; not for an address. Source: RFC 1123 §2.1, RFC 1035 §2.3.4. */
bool payload_host_is_usable(const char *text);

/** @return How many labels a usable name has; 0 for NULL. */
unsigned payload_host_labels(const char *host);

/** @return What stands behind the first dot of a usable name; "" if nothing does. */
const char *payload_host_parent(const char *host);

/** Write text as it is. */
void payload_write_text(struct wr *wr, const char *text);

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

/* The first question of each protocol. */
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
extern const struct payload_ops payload_radius_acct;
extern const struct payload_ops payload_rdpeudp;
extern const struct payload_ops payload_sip;
extern const struct payload_ops payload_snmp2c;
extern const struct payload_ops payload_snmp;
extern const struct payload_ops payload_stun;
extern const struct payload_ops payload_syslog;
extern const struct payload_ops payload_tftp;
extern const struct payload_ops payload_wireguard;

/* Further questions. */
extern const struct payload_ops payload_dns_cookie;
extern const struct payload_ops payload_dns_version;
extern const struct payload_ops payload_ikev1;
extern const struct payload_ops payload_ikev1_nat;
extern const struct payload_ops payload_ikev3;
extern const struct payload_ops payload_ikev3_nat;
extern const struct payload_ops payload_kerberos_domain;
extern const struct payload_ops payload_kerberos_host;
extern const struct payload_ops payload_mdns_kinds;
extern const struct payload_ops payload_radius_access;
extern const struct payload_ops payload_sip_address;
extern const struct payload_ops payload_snmp_v1;
extern const struct payload_ops payload_snmp_v2c;
extern const struct payload_ops payload_stun_refresh;

#endif
