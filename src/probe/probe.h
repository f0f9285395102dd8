/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probe modules: how one protocol asks, and what counts as its answer.
 *
 * A module is a constant table entry of pure functions. It is given everything that never changes
 * within a trace (struct sonde_spec) and a token that names the probe, and turns them into bytes;
 * later it is shown something that arrived and says whether it answers a probe of that trace, which
 * one, and what it means. A new module is one new file and one new line in probe.c. Several may
 * speak the same IP protocol, as one with SYNs and one with other flags: a module is known by its
 * name, and what arrives is known by its flow, which leads to a trace and to that trace's module.
 *
 * The token travels where load balancers do not look and an answer or quote carries it back:
 *
 *            quote of 8 bytes            longer quote       answer
 *   icmp     sequence, IPv4 id           + cookie, token    cookie, token in the payload
 *   udp      checksum, IPv4 id           + cookie, token    payload, if the server echoes it
 *   tcp      IPv4 id                     + TSval            TSecr, if the server does RFC 7323
 *   sctp     IPv4 id                     + initial TSN      none: the attempt, by the initiate tag
 *
 * A packet may be asked to be so small that cookie and token have no room in it. Then the words of
 * the header say all: an echo is known by its identifier and its sequence, a datagram by its IPv4
 * identification and its checksum, and as much of the cookie as there is has to fit.
 *
 * Full tokens have 32 bits. The 16-bit fields carry the token modulo 65535, shifted by a base of
 * the trace, plus 1, so that no field is ever 0 (a 0 would be filled in by the kernel, or mean "no
 * checksum"). What an outsider cannot know and has to match is the port or identifier, the ISN or
 * initiate tag, the bases and the cookie, all drawn at random for each trace.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "base/bytes.h"
#include "payload/payload.h"
#include "wire/packet.h"

#include <assert.h>

#include <sonde/vocabulary.h>

enum {
    PROBE_TOKEN_MODULUS = 65535, /* what 16-bit fields know of a token */
    PROBE_ATTEMPT_BITS = 12,     /* what a sequence number or a tag knows of an attempt */
    PROBE_ATTEMPT_SECRET_BITS = 32 - PROBE_ATTEMPT_BITS,
    PROBE_SIZE_MIN = 28,   /* bytes: the headers of IPv4 and of ICMP or UDP */
    PROBE_SIZE_USUAL = 64, /* bytes: an IPv6 echo with cookie and token */
    PROBE_SIZE_MAX = 9000, /* bytes: a jumbo frame */
};

/** What an answer of the target says of the probe that drew it. */
enum probe_naming {
    PROBE_NAMING_PROBE,   /* which one it was */
    PROBE_NAMING_ATTEMPT, /* which attempt it was part of */
    PROBE_NAMING_NOTHING,
};

/** How a host says that it has not what was asked for. By an ICMP error it does so only so often:
 *  RFC 1812 §4.3.2.8, Linux icmp_ratelimit. */
enum probe_refusal {
    PROBE_REFUSED_IN_KIND, /* in the protocol itself, each time: RST, ABORT */
    PROBE_REFUSED_PORT,    /* by an error about the port */
    PROBE_REFUSED_PROTOCOL /* in kind, but a host without the protocol by an error for any port */
};

/** What names a probe within its trace. */
struct probe_name {
    uint32_t token;   /* any value; each probe has another */
    uint32_t attempt; /* counts up with each probe that is meant to draw an answer of the target */
};

/**
 * The format of a probe: what may differ between those of one trace, because no load balancer looks
 * at it. Nor does match(): whatever their formats, probes are told apart by what they carry.
 */
struct sonde_format {
    uint16_t size_bytes; /* whole packet, PROBE_SIZE_MIN to PROBE_SIZE_MAX; SYN and INIT have a size
                            of their own, and questions are padded only to more than the usual */
    uint8_t ttl;         /* or hop limit, 1 to 255 */
    uint8_t ecn;         /* 0 to 3; RFC 3168 §5 */
    bool dont_fragment;  /* no router may divide it; over IPv6 none may anyway */
    uint8_t question;    /* which of the spec's questions it carries; 0 where there is none */
    bool is_blind; /* nobody knows how far the target is: should it arrive, it shall draw nothing,
                      if that can be had */
};

/** All that is fixed within a trace. */
struct sonde_spec {
    struct sonde_flow flow;
    uint64_t cookie;     /* carried in payloads, to be given back unchanged */
    uint32_t nth;        /* of the flows to the same dst, protocol and dst_port: 0, 1, … */
    uint32_t isn;        /* TCP initial sequence number, or SCTP initiate tag, of attempt 0 */
    uint32_t ts_base;    /* TSval, or initial TSN, of token 0 */
    uint32_t flow_label; /* IPv6, 20 bits */
    uint16_t id_base;    /* shifts tokens in 16-bit fields */
    uint8_t fill;        /* value of payload bytes that carry nothing */
    uint8_t dscp;        /* 0 to 63: the way may depend on it; RFC 2474 §3 */
    struct sonde_format format; /* of its probes, if nobody asks for another; TTL and question are
                                   chosen for each */
    enum probe_naming naming;   /* of answers of the target */
    const struct payload_ops *questions[SONDE_QUESTIONS_MAX]; /* what a UDP server is asked */
    const char *host;          /* for them: the name that the user typed, if it is usable; NULL: it
                                  is not; borrowed */
    struct sonde_span bytes;   /* if the question is payload_own: the bytes; borrowed */
    struct sonde_span expects; /* and what an answer begins with; borrowed */
    uint8_t question_count;    /* of them; 0 = bytes of our own are all that it is asked */
    bool nameless;             /* nothing in a probe of its format tells which one it is */
    bool other_port;           /* answers come from another port of the target than was asked */
    bool repeats; /* several answers to one probe are the protocol's way, and no duplicates */
};

/** What an arrival is to a trace. */
struct sonde_match {
    enum sonde_outcome outcome;
    uint8_t questions;   /* bit n: it may be about a probe that carried question n */
    bool has_token;      /* the arrival names its probe */
    bool has_full_token; /* with all 32 bits */
    uint32_t token;      /* all of it, or modulo PROBE_TOKEN_MODULUS */
    bool has_attempt;    /* it names the attempt */
    uint32_t attempt;    /* the lower PROBE_ATTEMPT_BITS of it */
    bool is_reminder;    /* of that attempt, which was never ended, and drawn by a later one */
    bool is_release;     /* it is about what took that attempt back, and about no probe */
};

enum { PROBE_ANY_QUESTION = 0xff }; /* in sonde_match */
static_assert(SONDE_QUESTIONS_MAX <= 8, "a bit for each");

struct sonde_probe_ops {
    const char *name; /* of the module, as users write it: "443/tcp" */
    uint8_t protocol; /* IP_PROTO_*; several modules may have the same */
    bool has_ports;
    enum probe_naming naming; /* of answers of the target, where no question names more; of an
                                 attempt: a probe with a wrong checksum draws none */
    enum probe_refusal refusal;
    sonde_ns think_ns; /* how much longer than the path an answer may take: a program answers; see
                          probe_think_ns() */

    /**
     * Write a probe.
     * @param spec    The trace.
     * @param format  What it is like. Nothing in the segment may depend on what stands in the IP
     *                header, its TTL above all, or probes of one trace could take different paths.
     * @param name    Names the probe.
     * @param buf     Receives the segment: transport header and payload.
     * @param cap     Bytes at @p buf.
     * @param ret_tx  On 0, everything but handle; borrows @p spec and @p buf.
     * @return 0; -ENOBUFS if @p cap is too small (PROBE_SIZE_MAX always suffices).
     */
    int (*build)(const struct sonde_spec *spec, const struct sonde_format *format,
                 const struct probe_name *name, uint8_t *buf, size_t cap, struct sonde_tx *ret_tx);

    /**
     * Write what takes back an attempt, before the next is begun: the target may still wait for
     * more of it, if only its answer was lost. NULL: there is nothing to take back.
     * @param attempt  That attempt.
     * @return As build().
     */
    int (*release)(const struct sonde_spec *spec, uint32_t attempt, uint8_t *buf, size_t cap,
                   struct sonde_tx *ret_tx);

    /**
     * Say what an arrival means to a trace.
     * @param spec       The trace; the arrival's protocol, remote address and remote port are
     *                   already known to be its own.
     * @param rx         The arrival.
     * @param ret_match  On 0, what it means; otherwise untouched.
     * @return 0 if it answers a probe of this trace, or a release; an enum sonde_discard if it does
     *         not (try the next trace, count the reason if none takes it).
     */
    int (*match)(const struct sonde_spec *spec, const struct sonde_rx *rx,
                 struct sonde_match *ret_match);
};

/** @return How much longer than the path an answer to a probe may take that carries this question.
 */
sonde_ns probe_think_ns(const struct sonde_probe_ops *ops, const struct sonde_spec *spec,
                        unsigned question);

/** @return The module of that name ("tcp"); NULL if there is none. */
const struct sonde_probe_ops *probe_by_name(const char *name);

/** @return The module at @p index in the table; NULL beyond its end, so that all can be visited. */
const struct sonde_probe_ops *probe_at(size_t index);

enum { PROBE_PROTOCOLS_MAX = 8 /* that all modules together speak */ };

/** Collect the protocols that the modules speak, each once, however many modules speak it.
 *  @return How many there are in @p ret_protocols. */
size_t probe_protocols(uint8_t ret_protocols[PROBE_PROTOCOLS_MAX]);

/* What modules share. */

/** @return The value of a 16-bit field that carries @p token, shifted by a secret @p base: 1 to
 * 65535.
 */
uint16_t probe_field16(uint16_t base, uint32_t token);

/** @return The token modulo PROBE_TOKEN_MODULUS that a field of value @p field (not 0) carries. */
uint32_t probe_token16(uint16_t base, uint16_t field);

/**
 * End a build: fill in what is the same in every module.
 * @param segment  The finished segment.
 * @param tx       Receives all but handle; header_len is set by the caller.
 * @return 0; -ENOBUFS if the segment did not fit.
 */
SONDE_MUST_CHECK int probe_finish(const struct sonde_spec *spec, const struct sonde_format *format,
                                  uint32_t token, const struct wr *segment, struct sonde_tx *tx);

/** @return Payload bytes that make a packet as long as its format asks for after @p header_len
 *  bytes; 0 if the headers alone are as long. */
size_t probe_payload_len(const struct sonde_spec *spec, const struct sonde_format *format,
                         size_t header_len);

enum {
    PROBE_COMPENSATION_BYTES = 2,
    PROBE_PROOF_BYTES = 12,  /* cookie, token */
    PROBE_PAYLOAD_BYTES = 14 /* of all three together */
};

/**
 * Write the payload of a probe behind its header: cookie (8), token (4), compensation (2), fill.
 * Where there is no room for these, it is short: compensation (2), the beginning of the cookie,
 * fill.
 * @param wr   Holds the header.
 * @param len  Bytes of payload.
 * @return Where the compensation stands: a word of 0, for a checksum to come out as it is wanted; 0
 *         if there is no room for it.
 */
size_t probe_write_payload(struct wr *wr, const struct sonde_spec *spec, size_t len,
                           uint32_t token);

/**
 * Read what probe_write_payload() wrote, of whatever length that was.
 * @param payload    As it came back: perhaps cut short, perhaps with padding behind it.
 * @param ret_token  On 0, the token.
 * @return 0; SONDE_DISCARD_TRUNCATED if it is cut short of the token, or was sent so: what is there
 *         fits, and proves as much as it has of the cookie; SONDE_DISCARD_BAD_TOKEN if it does not.
 */
SONDE_MUST_CHECK int probe_read_proof(const struct sonde_spec *spec, struct sonde_span payload,
                                      uint32_t *ret_token);

/** @return How a probe ends that drew this ICMP error. */
enum sonde_outcome probe_error_outcome(const struct sonde_rx *rx);

/**
 * @param base  A secret of the trace.
 * @return The number of 32 bits that an attempt is known by. It rises so far from one to the next
 *         that it is beyond any TCP window of the one before, and so that the lower bits, which are
 *         secret, are the same in all.
 */
uint32_t probe_attempt_number(uint32_t base, uint32_t attempt);

/** Which attempt has this number? @return false if none has; then nothing is said of one. */
bool probe_match_attempt(uint32_t base, uint32_t number, struct sonde_match *match);

/**
 * Take the token from the IPv4 identification that an error quotes.
 * @return true if there is one.
 */
bool probe_match_id(const struct sonde_spec *spec, const struct sonde_rx *rx,
                    struct sonde_match *match);

extern const struct sonde_probe_ops probe_icmp;
extern const struct sonde_probe_ops probe_udp;
extern const struct sonde_probe_ops probe_tcp;
extern const struct sonde_probe_ops probe_sctp;

#endif
