/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ICMP echo module: is the host there? RFC 792, RFC 4443 §4.1.
 *
 * Load balancers hash the first four bytes behind the IP header, which for ICMP are type, code and
 * checksum. So the identifier is fixed for the trace, the sequence number carries the token, and a
 * word of the payload is chosen so that the checksum comes out the same in every probe. A probe of
 * the headers alone has no such word: then the checksum is what it has to be.
 *
 * A reply proves itself by the cookie. One to a probe that had no room for it, or that comes
 * without its data, is known by identifier and sequence, 32 bits that a stranger does not know.
 */
#include "wire/icmp.h"
#include "probe/probe.h"
#include "wire/csum.h"

enum { CHECKSUM_OFFSET = 2 };

/* The checksum that all probes of the trace have; 0xffff never comes out of a sum (RFC 1624 §3). */
static uint16_t trace_checksum(const struct sonde_spec *spec)
{
    return (uint16_t)(spec->cookie % 0xffff);
}

static int icmp_build(const struct sonde_spec *spec, const struct sonde_format *format,
                      const struct probe_name *name, uint8_t *buf, size_t cap,
                      struct sonde_tx *ret_tx)
{
    uint32_t token = name->token;
    bool ipv6 = spec->flow.dst.family == SONDE_FAMILY_IPV6;
    uint32_t id_and_seq = (uint32_t)spec->flow.src_port << 16 | probe_field16(spec->id_base, token);
    struct wr wr = wr_init(buf, cap);
    icmp_encode(&wr, ipv6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST, 0, id_and_seq);
    size_t len = probe_payload_len(spec, format, ICMP_HEADER_BYTES);
    size_t compensation = probe_write_payload(&wr, spec, len, token);

    uint64_t sum = csum_add(0, (struct sonde_span){wr.data, wr.len});
    if (ipv6) /* RFC 4443 §2.3: ICMPv6 includes the pseudo-header, ICMP does not */
        sum += csum_pseudo(&spec->flow.src, &spec->flow.dst, IP_PROTO_ICMPV6, (uint32_t)wr.len);
    uint16_t checksum = compensation != 0 ? trace_checksum(spec) : csum_finish(sum);
    if (compensation != 0)
        wr_patch_u16(&wr, compensation, csum_compensate(sum, checksum));
    wr_patch_u16(&wr, CHECKSUM_OFFSET, checksum);

    ret_tx->header_len = ICMP_HEADER_BYTES;
    return probe_finish(spec, format, token, &wr, ret_tx);
}

/* The token modulo 65535 that the sequence carries. @return false if it carries none. */
static bool take_sequence(const struct sonde_spec *spec, const struct icmp_header *icmp,
                          struct sonde_match *match)
{
    uint16_t sequence = (uint16_t)icmp->info;
    if (sequence == 0)
        return false;
    match->token = probe_token16(spec->id_base, sequence);
    return true;
}

/* Identifier and sequence name the probe. The data, which a host has to give back (RFC 792), proves
 * it; some devices answer without, and then the two alone have to do, as they do for ping(8). */
static int echo_match(const struct sonde_spec *spec, const struct icmp_header *icmp,
                      struct sonde_match *match)
{
    match->outcome = SONDE_OUTCOME_ECHO_REPLY;
    match->has_token = true;
    if ((uint16_t)(icmp->info >> 16) != spec->flow.src_port)
        return SONDE_DISCARD_FOREIGN;
    int r = probe_read_proof(spec, icmp->body, &match->token);
    if (r == SONDE_DISCARD_TRUNCATED)
        return take_sequence(spec, icmp, match) ? 0 : SONDE_DISCARD_BAD_TOKEN;
    match->has_full_token = true;
    if (r == 0 && (uint16_t)icmp->info != probe_field16(spec->id_base, match->token))
        return SONDE_DISCARD_BAD_TOKEN;
    return r;
}

static int error_match(const struct sonde_spec *spec, const struct icmp_header *icmp,
                       const struct sonde_rx *rx, struct sonde_match *match)
{
    match->outcome = probe_error_outcome(rx);
    match->has_token = true;
    int r = probe_read_proof(spec, icmp->body, &match->token);
    if (r == 0) {
        match->has_full_token = true;
        return 0;
    }
    if (r == SONDE_DISCARD_BAD_TOKEN)
        return r;
    if (rx->local_port != spec->flow.src_port || !take_sequence(spec, icmp, match))
        return SONDE_DISCARD_FOREIGN; /* an identifier that a NAT changed needs the cookie */
    return 0;
}

static int icmp_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                      struct sonde_match *ret_match)
{
    struct sonde_match match = {.questions = PROBE_ANY_QUESTION};
    struct icmp_header icmp;
    bool is_error = rx->kind == SONDE_RX_ERROR;
    if (icmp_decode(is_error ? rx->quote.segment : rx->segment, &icmp) < 0)
        return SONDE_DISCARD_MALFORMED;
    int r = is_error ? error_match(spec, &icmp, rx, &match) : echo_match(spec, &icmp, &match);
    if (r == 0)
        *ret_match = match;
    return r;
}

const struct sonde_probe_ops probe_icmp = {
    .name = "icmp",
    .protocol = IP_PROTO_ICMP,
    .has_ports = false,
    .naming = PROBE_NAMING_PROBE,
    .refusal = PROBE_REFUSED_IN_KIND,
    .think_ns = 0,
    .build = icmp_build,
    .match = icmp_match,
};
