/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP module: a datagram to the port. RFC 768.
 *
 * Ports are fixed for the trace. Where the service's protocol is known, the payload is one of the
 * questions in it (payload/payload.h), which names the probe in the protocol's own way. What
 * arrives is looked at by each question that could have drawn it.
 *
 * Otherwise the payload carries cookie and token, which a port unreachable or time exceeded quotes
 * and an echoing server gives back; a word of it is chosen so that the checksum, which even an
 * 8-byte quote holds, carries the token too. A server that answers with something else has still
 * answered: which probe it was is then for the engine to decide. A datagram too small for that word
 * has the checksum that it has to have, and the IPv4 identification alone names it.
 */
#include "wire/udp.h"
#include "probe/probe.h"
#include "wire/csum.h"

#include <errno.h>

enum {
    LENGTH_OFFSET = 4,
    CHECKSUM_OFFSET = 6,
};

static struct payload_trace payload_trace_of(const struct sonde_spec *spec)
{
    struct payload_trace trace = {
        .cookie = spec->cookie,
        .bytes = spec->bytes,
        .expects = spec->expects,
        .host = spec->host,
        .addr = spec->flow.dst,
        .port = spec->flow.dst_port,
    };
    trace.addr.scope = 0; /* an interface of this machine means nothing to others */
    return trace;
}

/* The sum over pseudo header and segment, its checksum field being 0. */
static uint64_t sum_segment(const struct sonde_spec *spec, const struct wr *wr)
{
    uint64_t sum = csum_add(0, (struct sonde_span){wr->data, wr->len});
    return sum + csum_pseudo(&spec->flow.src, &spec->flow.dst, IP_PROTO_UDP, (uint32_t)wr->len);
}

/* Fill in the checksum that a segment has. 0 would mean that it has none; RFC 768. */
static void write_checksum(const struct sonde_spec *spec, struct wr *wr)
{
    uint16_t checksum = csum_finish(sum_segment(spec, wr));
    wr_patch_u16(wr, CHECKSUM_OFFSET, checksum != 0 ? checksum : 0xffff);
}

/* Fields of 16 bits in questions have a secret of their own, so that one which agrees with the IPv4
 * identification proves both. */
static uint16_t payload_base(const struct sonde_spec *spec)
{
    return (uint16_t)spec->cookie;
}

/* Write a question in the service's protocol. */
static void write_question(const struct sonde_spec *spec, const struct sonde_format *format,
                           uint32_t token, struct wr *wr)
{
    const struct payload_ops *question = spec->questions[format->question];
    const struct payload_trace trace = payload_trace_of(spec);
    const struct payload_name name = {token, probe_field16(payload_base(spec), token)};
    size_t len = format->size_bytes > PROBE_SIZE_USUAL
                     ? probe_payload_len(spec, format, UDP_HEADER_BYTES)
                     : 0;
    udp_encode(wr, spec->flow.src_port, spec->flow.dst_port, 0);
    question->ask(&trace, &name, len, wr);
    if (!wr_ok(wr))
        return;
    wr_patch_u16(wr, LENGTH_OFFSET, (uint16_t)wr->len);
    write_checksum(spec, wr);
}

/* Write bytes that nobody understands, but whose checksum names the probe. */
static void write_own(const struct sonde_spec *spec, const struct sonde_format *format,
                      uint32_t token, struct wr *wr)
{
    size_t len = probe_payload_len(spec, format, UDP_HEADER_BYTES);
    udp_encode(wr, spec->flow.src_port, spec->flow.dst_port, len);
    size_t compensation = probe_write_payload(wr, spec, len, token);
    if (compensation == 0) {
        write_checksum(spec, wr);
        return;
    }
    /* Never 0, which would mean "no checksum"; 0xffff is how RFC 768 sends a computed 0. */
    uint16_t wanted = probe_field16(spec->id_base, token);
    wr_patch_u16(wr, compensation, csum_compensate(sum_segment(spec, wr), wanted));
    wr_patch_u16(wr, CHECKSUM_OFFSET, wanted);
}

/* Has a probe that is quoted, one of our own bytes, a checksum that names it? */
static bool checksum_names(const struct sonde_spec *spec, const struct udp_header *udp)
{
    return spec->question_count == 0 && udp->checksum != 0 &&
           udp->length >= UDP_HEADER_BYTES + PROBE_COMPENSATION_BYTES;
}

static int udp_build(const struct sonde_spec *spec, const struct sonde_format *format,
                     const struct probe_name *name, uint8_t *buf, size_t cap,
                     struct sonde_tx *ret_tx)
{
    uint32_t token = name->token;
    struct wr wr = wr_init(buf, cap);
    bool asks = format->question < spec->question_count;
    if (asks)
        write_question(spec, format, token, &wr);
    else
        write_own(spec, format, token, &wr);
    ret_tx->header_len = UDP_HEADER_BYTES;
    int r = probe_finish(spec, format, token, &wr, ret_tx);
    if (r == 0 && asks)
        ret_tx->dont_fragment |= spec->questions[format->question]->dont_fragment;
    return r;
}

/* What a payload module has read, in the engine's terms. */
static void take_match(const struct sonde_spec *spec, const struct payload_match *read,
                       struct sonde_match *match)
{
    match->has_token = read->named != PAYLOAD_NAMES_NONE;
    match->has_full_token = read->named == PAYLOAD_NAMES_TOKEN;
    match->token = match->has_full_token ? read->value
                   : match->has_token    ? probe_token16(payload_base(spec), (uint16_t)read->value)
                                         : 0;
}

/* What the questions of a trace have found in a payload. */
struct reading {
    struct payload_match match; /* the most that any of them read of the probe's name */
    uint8_t questions;          /* bit n: question n read that */
    uint8_t cut; /* bit n: it may be about question n, but is cut short of the name */
    int reason;  /* why the first of them takes it for something else */
};

/* Let each question look at what may be an answer to it, or a quote of it. */
static struct reading read_payload(const struct sonde_spec *spec, bool is_answer,
                                   struct sonde_span payload)
{
    const struct payload_trace trace = payload_trace_of(spec);
    struct reading reading = {.match = {PAYLOAD_NAMES_NONE, 0}};
    for (unsigned i = 0; i < spec->question_count; i++) {
        const struct payload_ops *question = spec->questions[i];
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        uint8_t bit = (uint8_t)(1U << i);
        int r = is_answer ? question->fits(&trace, payload, &match)
                          : question->recognize(&trace, payload, &match);
        if (r == SONDE_DISCARD_TRUNCATED)
            reading.cut |= bit;
        if (r != 0) {
            reading.reason = reading.reason != 0 ? reading.reason : r;
        } else if (reading.questions == 0 || match.named > reading.match.named) {
            reading.match = match;
            reading.questions = bit;
        } else if (match.named == reading.match.named && match.value == reading.match.value) {
            reading.questions |= bit;
        }
    }
    return reading;
}

static int answer_match(const struct sonde_spec *spec, const struct udp_header *udp,
                        struct sonde_match *match)
{
    if (udp->dst_port != spec->flow.src_port)
        return SONDE_DISCARD_FOREIGN;
    match->outcome = SONDE_OUTCOME_UDP_REPLY;
    if (spec->question_count == 0) {
        match->has_token = probe_read_proof(spec, udp->payload, &match->token) == 0;
        match->has_full_token = match->has_token;
        return 0;
    }
    struct reading reading = read_payload(spec, true, udp->payload);
    if (reading.questions == 0)
        return reading.reason;
    take_match(spec, &reading.match, match);
    match->questions = reading.questions;
    return 0;
}

/* Read the name of the probe in what an error quotes of its payload. */
static int read_quoted(const struct sonde_spec *spec, struct sonde_span payload,
                       struct sonde_match *match)
{
    if (spec->question_count == 0) {
        int r = probe_read_proof(spec, payload, &match->token);
        match->has_token = match->has_full_token = r == 0;
        return r;
    }
    struct reading reading = read_payload(spec, false, payload);
    match->questions = reading.questions != 0 ? reading.questions : reading.cut;
    if (reading.questions != 0)
        take_match(spec, &reading.match, match);
    return reading.questions != 0 ? 0
           : reading.cut != 0     ? (int)SONDE_DISCARD_TRUNCATED
                                  : reading.reason;
}

static int error_match(const struct sonde_spec *spec, const struct udp_header *udp,
                       const struct sonde_rx *rx, struct sonde_match *match)
{
    match->outcome = probe_error_outcome(rx);
    int r = read_quoted(spec, udp->payload, match);
    if (r == SONDE_DISCARD_BAD_TOKEN || match->has_full_token)
        return r;
    struct sonde_match by_id = {.has_token = false};
    (void)probe_match_id(spec, rx, &by_id);
    if (udp->src_port != spec->flow.src_port) /* a port that a NAT changed needs more proof */
        return match->has_token && by_id.has_token && by_id.token == match->token
                   ? 0
                   : SONDE_DISCARD_FOREIGN;
    if (match->has_token)
        return 0;
    if (by_id.has_token) {
        match->has_token = true;
        match->token = by_id.token;
        return 0;
    }
    if (checksum_names(spec, udp)) {
        match->has_token = true;
        match->token = probe_token16(spec->id_base, udp->checksum);
    }
    return 0;
}

static int udp_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                     struct sonde_match *ret_match)
{
    struct sonde_match match = {.questions = PROBE_ANY_QUESTION};
    struct udp_header udp;
    bool is_error = rx->kind == SONDE_RX_ERROR;
    if (udp_decode(is_error ? rx->quote.segment : rx->segment, &udp) < 0)
        return SONDE_DISCARD_MALFORMED;
    int r = is_error ? error_match(spec, &udp, rx, &match) : answer_match(spec, &udp, &match);
    if (r == 0)
        *ret_match = match;
    return r;
}

const struct sonde_probe_ops probe_udp = {
    .name = "udp",
    .protocol = IP_PROTO_UDP,
    .has_ports = true,
    .naming = PROBE_NAMING_NOTHING,
    .refusal = PROBE_REFUSED_PORT,
    .think_ns = 500 * SONDE_NS_PER_MS, /* a resolver that has to ask others first, say */
    .build = udp_build,
    .match = udp_match,
};
