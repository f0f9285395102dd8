/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP module: a datagram to the port. RFC 768.
 *
 * Ports are fixed for the trace. The payload carries cookie and token, which a port unreachable or
 * time exceeded quotes and an echoing server gives back; a word of it is chosen so that the
 * checksum, which even an 8-byte quote holds, carries the token too. A server that answers with
 * something else has still answered: which probe it was is then for the engine to decide.
 *
 *   payload: cookie (8), token (4), compensation (2), fill
 */
#include "wire/udp.h"
#include "probe/probe.h"
#include "wire/csum.h"

#include <errno.h>

enum {
    CHECKSUM_OFFSET = 6,
    COMPENSATION_OFFSET = UDP_HEADER_BYTES + PROBE_PROOF_BYTES,
    PAYLOAD_MIN = PROBE_PROOF_BYTES + 2,
};

static int udp_build(const struct sonde_spec *spec, uint32_t token, uint8_t ttl, uint8_t *buf,
                     size_t cap, struct sonde_tx *ret_tx)
{
    const struct sonde_flow *flow = &spec->flow;
    size_t payload_len = probe_payload_len(spec, UDP_HEADER_BYTES);
    if (payload_len < PAYLOAD_MIN)
        payload_len = PAYLOAD_MIN;
    struct wr wr = wr_init(buf, cap);
    udp_encode(&wr, flow->src_port, flow->dst_port, payload_len);
    probe_write_proof(&wr, spec, token);
    wr_u16(&wr, 0);
    wr_fill(&wr, spec->fill, payload_len - PAYLOAD_MIN);

    /* Never 0, which would mean "no checksum"; 0xffff is how RFC 768 sends a computed 0. */
    uint16_t wanted = probe_field16(spec, token);
    uint64_t sum = csum_add(0, (struct sonde_span){wr.data, wr.len});
    sum += csum_pseudo(&flow->src, &flow->dst, IP_PROTO_UDP, (uint32_t)wr.len);
    wr_patch_u16(&wr, COMPENSATION_OFFSET, csum_compensate(sum, wanted));
    wr_patch_u16(&wr, CHECKSUM_OFFSET, wanted);

    ret_tx->ttl = ttl;
    ret_tx->header_len = UDP_HEADER_BYTES;
    return probe_finish(spec, token, &wr, ret_tx);
}

static int answer_match(const struct sonde_spec *spec, const struct udp_header *udp,
                        struct sonde_match *match)
{
    if (udp->dst_port != spec->flow.src_port)
        return SONDE_DISCARD_FOREIGN;
    match->outcome = SONDE_OUTCOME_UDP_REPLY;
    match->has_token = probe_read_proof(spec, udp->payload, &match->token) == 0;
    match->has_full_token = match->has_token;
    return 0;
}

static int error_match(const struct sonde_spec *spec, const struct udp_header *udp,
                       const struct sonde_rx *rx, struct sonde_match *match)
{
    match->outcome = probe_error_outcome(rx);
    int r = probe_read_proof(spec, udp->payload, &match->token);
    if (r == 0) {
        match->has_token = match->has_full_token = true;
        return 0;
    }
    if (r == SONDE_DISCARD_BAD_TOKEN)
        return r;
    if (udp->src_port != spec->flow.src_port)
        return SONDE_DISCARD_FOREIGN; /* a port that a NAT changed needs the cookie */
    if (!probe_match_id(spec, rx, match) && udp->checksum != 0) {
        match->has_token = true;
        match->token = probe_token16(spec, udp->checksum);
    }
    return 0;
}

static int udp_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                     struct sonde_match *ret_match)
{
    struct sonde_match match = {0};
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
    .think_ns = 500 * SONDE_NS_PER_MS, /* a resolver that has to ask others first, say */
    .build = udp_build,
    .match = udp_match,
};
