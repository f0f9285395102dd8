/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCTP INIT module: would this port begin an association? RFC 9260 §5.1.
 *
 * Every INIT of a trace has the same ports. Those of one attempt have the same initiate tag, too:
 * a stateful firewall remembers the newest tag of a pair of ports, and drops an answer to an older
 * one. An INIT ACK, and an ABORT in answer to an INIT, carry that tag as their verification tag
 * (§8.4 (3), §8.5.1), and so name the attempt. The initial TSN is the token: routers quote it,
 * no answer repeats it.
 *
 * A probe that goes ahead while nobody knows how far the target is has a wrong checksum, as a SYN
 * has (probe/tcp.c): who forwards it does not look, a host drops it (§6.8).
 *
 * There is nothing to take back. Whoever answers an INIT keeps nothing of it: all that it needs to
 * know later stands in the cookie of its INIT ACK (§5.1.3), which nobody sends back to it. The next
 * INIT from the same port, with another tag, is therefore the first one to it.
 *
 * Checksums of answers are not looked at: between hosts on one machine they are left to hardware
 * that is not there (NETIF_F_SCTP_CRC), and never computed.
 */
#include "wire/sctp.h"
#include "probe/probe.h"

/* What Linux offers; net/sctp/sm_make_chunk.c, sctp_make_init(). */
enum {
    INIT_WINDOW_BYTES = 106496,
    INIT_STREAMS_OUT = 10,
    INIT_STREAMS_IN = 65535,
};

/* What the tags of the attempts count from. It ends in zeros nowhere, since 0 is no tag (§3.3.2).
 */
static uint32_t tag_base(const struct sonde_spec *spec)
{
    uint32_t secret = spec->isn & ((UINT32_C(1) << PROBE_ATTEMPT_SECRET_BITS) - 1);
    return secret != 0 ? spec->isn : spec->isn + 1;
}

static int sctp_build(const struct sonde_spec *spec, const struct sonde_format *format,
                      const struct probe_name *name, uint8_t *buf, size_t cap,
                      struct sonde_tx *ret_tx)
{
    const struct sctp_packet packet = {
        .src_port = spec->flow.src_port,
        .dst_port = spec->flow.dst_port,
        .tag = 0, /* nothing is agreed yet: §8.5.1 (A) */
        .chunk = SCTP_INIT,
        .initiate_tag = probe_attempt_number(tag_base(spec), name->attempt),
        .window_bytes = INIT_WINDOW_BYTES,
        .out_streams = INIT_STREAMS_OUT,
        .in_streams = INIT_STREAMS_IN,
        .tsn = spec->ts_base + name->token,
    };
    struct wr wr = wr_init(buf, cap);
    sctp_encode(&wr, &packet, (struct sonde_span){NULL, 0});
    uint32_t checksum = sctp_checksum((struct sonde_span){wr.data, wr.len});
    sctp_patch_checksum(&wr, format->is_blind ? ~checksum : checksum);
    ret_tx->header_len = wr.len;
    return probe_finish(spec, format, name->token, &wr, ret_tx);
}

/* Does an ABORT only reflect the verification tag of the packet that drew it? That of an INIT is 0,
 * which anybody could send: §8.5.1 (B) believes such an ABORT only if it has the peer's tag. */
static bool is_reflected(const struct sctp_packet *packet)
{
    return packet->chunk == SCTP_ABORT && (packet->flags & SCTP_ABORT_T) != 0;
}

static int answer_match(const struct sonde_spec *spec, const struct sctp_packet *packet,
                        struct sonde_match *match)
{
    if (packet->dst_port != spec->flow.src_port)
        return SONDE_DISCARD_FOREIGN;
    if (packet->cut)
        return SONDE_DISCARD_TRUNCATED;
    if (packet->chunk != SCTP_INIT_ACK && packet->chunk != SCTP_ABORT)
        return SONDE_DISCARD_NOT_A_RESULT;
    if (packet->chunk == SCTP_INIT_ACK && packet->initiate_tag == 0)
        return SONDE_DISCARD_MALFORMED; /* §3.3.3: no association can come of it */
    if (is_reflected(packet) || !probe_match_attempt(tag_base(spec), packet->tag, match))
        return SONDE_DISCARD_BAD_TOKEN;
    match->outcome = packet->chunk == SCTP_ABORT ? SONDE_OUTCOME_CLOSED : SONDE_OUTCOME_OPEN;
    return 0;
}

/* A quote of 8 bytes has the ports, and a verification tag that is 0 in every INIT: the port alone
 * tells that it is of this trace, and the IPv4 identification which probe it is. A longer one has
 * the initiate tag, whose secret bits let even a source port be believed that a NAT changed. */
static int error_match(const struct sonde_spec *spec, const struct sctp_packet *packet,
                       const struct sonde_rx *rx, struct sonde_match *match)
{
    bool own_port = packet->src_port == spec->flow.src_port;
    if (packet->tag != 0 || (packet->has_chunk && packet->chunk != SCTP_INIT))
        return own_port ? SONDE_DISCARD_NOT_A_RESULT : SONDE_DISCARD_FOREIGN; /* no INIT */
    if (packet->has_initiate_tag ? !probe_match_attempt(tag_base(spec), packet->initiate_tag, match)
                                 : !own_port)
        return own_port ? SONDE_DISCARD_BAD_TOKEN : SONDE_DISCARD_FOREIGN;
    match->outcome = probe_error_outcome(rx);
    if (packet->has_init) {
        match->has_token = match->has_full_token = true;
        match->token = packet->tsn - spec->ts_base;
    } else {
        (void)probe_match_id(spec, rx, match);
    }
    return 0;
}

static int sctp_match(const struct sonde_spec *spec, const struct sonde_rx *rx,
                      struct sonde_match *ret_match)
{
    struct sonde_match match = {.questions = PROBE_ANY_QUESTION};
    struct sctp_packet packet;
    bool is_error = rx->kind == SONDE_RX_ERROR;
    if (sctp_decode(is_error ? rx->quote.segment : rx->segment, &packet) < 0)
        return SONDE_DISCARD_MALFORMED;
    int r = is_error ? error_match(spec, &packet, rx, &match) : answer_match(spec, &packet, &match);
    if (r == 0)
        *ret_match = match;
    return r;
}

const struct sonde_probe_ops probe_sctp = {
    .name = "sctp",
    .protocol = IP_PROTO_SCTP,
    .has_ports = true,
    .naming = PROBE_NAMING_ATTEMPT,
    .refusal = PROBE_REFUSED_PROTOCOL,
    .think_ns = 0,
    .build = sctp_build,
    .match = sctp_match,
};
