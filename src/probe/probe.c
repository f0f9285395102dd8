/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of probe modules, and what they share. See probe/probe.h. */
#include "probe/probe.h"

#include "wire/icmp.h"

#include <errno.h>
#include <string.h>

static const struct sonde_probe_ops *const probe_table[] = {
    &probe_icmp,
    &probe_udp,
    &probe_tcp,
    &probe_sctp,
};

const struct sonde_probe_ops *probe_at(size_t index)
{
    return index < sizeof probe_table / sizeof *probe_table ? probe_table[index] : NULL;
}

const struct sonde_probe_ops *probe_by_name(const char *name)
{
    size_t i = 0;
    while (probe_at(i) != NULL && strcmp(probe_at(i)->name, name) != 0)
        i++;
    return probe_at(i);
}

size_t probe_protocols(uint8_t ret_protocols[PROBE_PROTOCOLS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; probe_at(i) != NULL && count < PROBE_PROTOCOLS_MAX; i++) {
        uint8_t protocol = probe_at(i)->protocol;
        if (memchr(ret_protocols, protocol, count) == NULL)
            ret_protocols[count++] = protocol;
    }
    return count;
}

sonde_ns probe_think_ns(const struct sonde_probe_ops *ops, const struct sonde_spec *spec,
                        unsigned question)
{
    unsigned think_ms = question < spec->question_count ? spec->questions[question]->think_ms : 0U;
    return think_ms > 0 ? think_ms * SONDE_NS_PER_MS : ops->think_ns;
}

uint16_t probe_field16(uint16_t base, uint32_t token)
{
    uint32_t shifted = token % PROBE_TOKEN_MODULUS + base;
    return (uint16_t)(shifted % PROBE_TOKEN_MODULUS + 1);
}

uint32_t probe_token16(uint16_t base, uint16_t field)
{
    uint32_t shift = base % PROBE_TOKEN_MODULUS;
    return (field + (uint32_t)PROBE_TOKEN_MODULUS - 1 - shift) % PROBE_TOKEN_MODULUS;
}

int probe_finish(const struct sonde_spec *spec, const struct sonde_format *format, uint32_t token,
                 const struct wr *segment, struct sonde_tx *tx)
{
    if (!wr_ok(segment))
        return -ENOBUFS;
    tx->flow = &spec->flow;
    tx->segment = (struct sonde_span){segment->data, segment->len};
    tx->ttl = format->ttl;
    tx->tos = (uint8_t)(spec->dscp << IP_DSCP_SHIFT | (format->ecn & IP_ECN_MASK));
    tx->dont_fragment = format->dont_fragment || spec->flow.dst.family == SONDE_FAMILY_IPV6;
    tx->id = probe_field16(spec->id_base, token);
    tx->flow_label = spec->flow_label;
    tx->token = token;
    return 0;
}

size_t probe_payload_len(const struct sonde_spec *spec, const struct sonde_format *format,
                         size_t header_len)
{
    bool ipv6 = spec->flow.dst.family == SONDE_FAMILY_IPV6;
    size_t headers = header_len + (ipv6 ? (size_t)IP6_HEADER_BYTES : (size_t)IP4_HEADER_BYTES);
    return format->size_bytes > headers ? format->size_bytes - headers : 0;
}

enum {
    SHORT_BYTES = PROBE_PAYLOAD_BYTES - 1, /* of the longest payload without room for all */
    PADDED_BYTES = 18, /* of payload in the shortest packet that Ethernet does not pad: 46 - 28 */
};

/* The longest short payload; others are its beginning. */
static void write_short(uint8_t bytes[SHORT_BYTES], const struct sonde_spec *spec)
{
    struct wr wr = wr_init(bytes, SHORT_BYTES);
    wr_u16(&wr, 0);
    wr_u64(&wr, spec->cookie);
    wr_fill(&wr, spec->fill, SHORT_BYTES - wr.len);
}

size_t probe_write_payload(struct wr *wr, const struct sonde_spec *spec, size_t len, uint32_t token)
{
    size_t header_len = wr->len;
    uint8_t beginning[SHORT_BYTES];
    if (len < PROBE_PAYLOAD_BYTES) {
        write_short(beginning, spec);
        wr_bytes(wr, beginning, len);
        return len >= PROBE_COMPENSATION_BYTES ? header_len : 0;
    }
    wr_u64(wr, spec->cookie);
    wr_u32(wr, token);
    wr_u16(wr, 0);
    wr_fill(wr, spec->fill, len - PROBE_PAYLOAD_BYTES);
    return header_len + PROBE_PROOF_BYTES;
}

/* Is this the beginning of what is expected? */
static bool begins(struct sonde_span bytes, const uint8_t *expected, size_t len)
{
    return bytes.len <= len && (bytes.len == 0 || memcmp(bytes.data, expected, bytes.len) == 0);
}

/* Is this a short payload, as far as it came back? Its compensation is not looked at. Who takes the
 * padding of an Ethernet frame for a part of it has zeros behind it. */
static bool is_short(const struct sonde_spec *spec, struct sonde_span payload)
{
    uint8_t expected[SHORT_BYTES];
    if (payload.len > PADDED_BYTES)
        return false;
    while (payload.len > 0 && payload.data[payload.len - 1] == 0)
        payload.len--;
    write_short(expected, spec);
    return begins(span_sub(payload, PROBE_COMPENSATION_BYTES, payload.len),
                  expected + PROBE_COMPENSATION_BYTES, SHORT_BYTES - PROBE_COMPENSATION_BYTES);
}

/* Is this another one, cut short of the end of its token? */
static bool is_cut(const struct sonde_spec *spec, struct sonde_span payload)
{
    uint8_t cookie[sizeof spec->cookie];
    struct wr wr = wr_init(cookie, sizeof cookie);
    wr_u64(&wr, spec->cookie);
    return payload.len < PROBE_PROOF_BYTES &&
           begins(span_sub(payload, 0, sizeof cookie), cookie, sizeof cookie);
}

int probe_read_proof(const struct sonde_spec *spec, struct sonde_span payload, uint32_t *ret_token)
{
    struct rd rd = rd_init(payload);
    uint64_t cookie = rd_u64(&rd);
    uint32_t token = rd_u32(&rd);
    if (!rd_ok(&rd) || cookie != spec->cookie)
        return is_cut(spec, payload) || is_short(spec, payload) ? SONDE_DISCARD_TRUNCATED
                                                                : SONDE_DISCARD_BAD_TOKEN;
    *ret_token = token;
    return 0;
}

/* RFC 1812 §5.2.7.1: policy is 9, 10, 13; what the network cannot do is 0, 6, 11; the host the rest
 */
static enum sonde_outcome unreachable4_outcome(uint8_t code)
{
    switch (code) {
    case 0:
    case 6:
    case 11:
        return SONDE_OUTCOME_NET_UNREACHABLE;
    case 1:
    case 5:
    case 7:
    case 8:
    case 12:
        return SONDE_OUTCOME_HOST_UNREACHABLE;
    case ICMP4_CODE_PORT:
        return SONDE_OUTCOME_PORT_UNREACHABLE;
    case 9:
    case 10:
    case 13:
        return SONDE_OUTCOME_ADMIN_PROHIBITED;
    default:
        return SONDE_OUTCOME_OTHER_UNREACHABLE;
    }
}

/* RFC 4443 §3.1 */
static enum sonde_outcome unreachable6_outcome(uint8_t code)
{
    switch (code) {
    case 0:
        return SONDE_OUTCOME_NET_UNREACHABLE;
    case 3:
        return SONDE_OUTCOME_HOST_UNREACHABLE;
    case ICMP6_CODE_PORT:
        return SONDE_OUTCOME_PORT_UNREACHABLE;
    case 1:
    case 5:
    case 6:
        return SONDE_OUTCOME_ADMIN_PROHIBITED;
    default:
        return SONDE_OUTCOME_OTHER_UNREACHABLE;
    }
}

enum sonde_outcome probe_error_outcome(const struct sonde_rx *rx)
{
    enum sonde_family family = rx->remote.family;
    if (icmp_is_ttl_exceeded(family, rx->icmp_type, rx->icmp_code))
        return SONDE_OUTCOME_TTL_EXCEEDED;
    if (icmp_is_too_big(family, rx->icmp_type, rx->icmp_code))
        return SONDE_OUTCOME_PACKET_TOO_BIG;
    if (!icmp_is_unreachable(family, rx->icmp_type))
        return SONDE_OUTCOME_OTHER_UNREACHABLE;
    return family == SONDE_FAMILY_IPV6 ? unreachable6_outcome(rx->icmp_code)
                                       : unreachable4_outcome(rx->icmp_code);
}

uint32_t probe_attempt_number(uint32_t base, uint32_t attempt)
{
    return base + (attempt << PROBE_ATTEMPT_SECRET_BITS);
}

bool probe_match_attempt(uint32_t base, uint32_t number, struct sonde_match *match)
{
    uint32_t risen = number - base;
    if ((risen & ((UINT32_C(1) << PROBE_ATTEMPT_SECRET_BITS) - 1)) != 0)
        return false;
    match->has_attempt = true;
    match->attempt = risen >> PROBE_ATTEMPT_SECRET_BITS;
    return true;
}

bool probe_match_id(const struct sonde_spec *spec, const struct sonde_rx *rx,
                    struct sonde_match *match)
{
    if (!rx->quote.has_id || rx->quote.id == 0)
        return false;
    match->has_token = true;
    match->token = probe_token16(spec->id_base, rx->quote.id);
    return true;
}
