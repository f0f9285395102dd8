/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match() of every probe module, in two ways.
 *
 * Forged: the input is a packet, decoded and shown to the module of its protocol. Whatever a module
 * takes for its own must rest on a secret: a trace with other secrets may not take it too.
 *
 * Genuine: the first bytes of the input choose a token, a module and how much of the probe a router
 * quotes. The error must be taken, and must lead back to the probe.
 */
#include "fuzz.h"
#include "probe/probe.h"
#include "wire/icmp.h"
#include "wire/sctp.h"
#include "wire/udp.h"

#include <string.h>

enum { PACKET_MAX = 2048 };

/* A trace as tests/fuzz/make-seeds.py knows it. */
static struct sonde_spec spec_for(uint8_t protocol, const struct sonde_addr *remote,
                                  uint16_t remote_port)
{
    struct sonde_spec spec = {
        .flow =
            {
                .src = {.family = remote->family, .bytes = {192, 0, 2, 1}},
                .dst = *remote,
                .protocol = protocol,
                .src_port = 40000,
                .dst_port = remote_port,
            },
        .cookie = 0x636f6f6b69652121, /* "cookie!!" */
        .isn = 0x10203040,
        .ts_base = 0x50607080,
        .id_base = 0x1234,
        .format = {.size_bytes = PROBE_SIZE_USUAL, .ttl = 5},
    };
    return spec;
}

/* The same trace to whoever knows of its secrets at most the port or identifier. */
static struct sonde_spec stranger_to(const struct sonde_spec *spec, bool knows_port)
{
    struct sonde_spec other = *spec;
    other.flow.src_port = knows_port ? spec->flow.src_port : 50000;
    other.cookie = ~spec->cookie;
    other.isn = spec->isn + 0x40054321; /* the lower 20 bits are the same in all attempts */
    other.ts_base = spec->ts_base + 0x40000000;
    other.id_base = 0x4321;
    return other;
}

static bool is_answer(enum sonde_outcome outcome)
{
    return outcome == SONDE_OUTCOME_ECHO_REPLY || outcome == SONDE_OUTCOME_OPEN ||
           outcome == SONDE_OUTCOME_CLOSED || outcome == SONDE_OUTCOME_UDP_REPLY;
}

static void check_match(const struct sonde_rx *rx, const struct sonde_match *match)
{
    FUZZ_CHECK(is_answer(match->outcome) == (rx->kind == SONDE_RX_ANSWER));
    FUZZ_CHECK(match->outcome != SONDE_OUTCOME_NO_REPLY &&
               match->outcome != SONDE_OUTCOME_SEND_ERROR);
    FUZZ_CHECK(match->has_token || !match->has_full_token);
    FUZZ_CHECK(!match->has_token || match->has_full_token || match->token < PROBE_TOKEN_MODULUS);
}

/* Show an arrival to a module of its protocol. */
static void show_to(const struct sonde_probe_ops *ops, const struct sonde_rx *rx)
{
    struct sonde_match match;
    struct sonde_match untouched;
    struct sonde_spec spec = spec_for(rx->protocol, &rx->remote, rx->remote_port);
    memset(&match, 0xa5, sizeof match);
    memset(&untouched, 0xa5, sizeof untouched);
    int r = ops->match(&spec, rx, &match);
    FUZZ_CHECK(r >= 0 && r < SONDE_DISCARD_COUNT);
    if (r != 0) {
        FUZZ_CHECK(memcmp(&match, &untouched, sizeof match) == 0);
        return;
    }
    check_match(rx, &match);
    struct sonde_spec stranger = stranger_to(&spec, false);
    FUZZ_CHECK(ops->match(&stranger, rx, &match) != 0);
    /* TCP always brings the ISN back, SCTP the tag in its answers, an echo reply the cookie, if it
     * brings back more data than the padding of a frame; for others the port may be all */
    bool answers_init = ops->protocol == IP_PROTO_SCTP && rx->kind == SONDE_RX_ANSWER;
    bool has_more = ops->protocol == IP_PROTO_TCP || answers_init ||
                    (ops->protocol == IP_PROTO_ICMP && rx->kind == SONDE_RX_ANSWER &&
                     rx->segment.len > 46 - IP4_HEADER_BYTES);
    stranger = stranger_to(&spec, true);
    FUZZ_CHECK(!has_more || ops->match(&stranger, rx, &match) != 0);
}

static void show_forged(struct sonde_span packet)
{
    struct sonde_rx rx;
    if (packet_decode(packet, &rx) != 0)
        return;
    for (size_t i = 0; probe_at(i) != NULL; i++) {
        if (probe_at(i)->protocol == rx.protocol)
            show_to(probe_at(i), &rx);
    }
}

/* An error from a router that quotes the first bytes of a packet. @return its length. */
static size_t quote(const struct sonde_addr *to, const uint8_t *packet, size_t len, uint8_t *error)
{
    bool ipv6 = to->family == SONDE_FAMILY_IPV6;
    const struct ip_header ip = {
        .src = {.family = to->family, .bytes = {198, 51, 100, 9}},
        .dst = *to,
        .protocol = ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP,
        .ttl = 60,
    };
    struct wr wr = wr_init(error, PACKET_MAX);
    ip_encode(&wr, &ip, ICMP_HEADER_BYTES + len);
    icmp_encode(&wr, ipv6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED, 0, 0);
    wr_bytes(&wr, packet, len);
    FUZZ_CHECK(wr_ok(&wr));
    FUZZ_CHECK(ipv6 || fuzz_repair_icmp(error, wr.len));
    return wr.len;
}

static void show_genuine(struct rd *in)
{
    uint32_t token = rd_u32(in);
    uint8_t choice = rd_u8(in);
    const struct sonde_probe_ops *ops = probe_at(choice % 4);
    struct sonde_addr remote = {.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 5}};
    if (choice & 0x80)
        remote = (struct sonde_addr){.family = SONDE_FAMILY_IPV6, .bytes = {0x20, [15] = 5}};
    struct sonde_spec spec = spec_for(ops->protocol, &remote, ops->has_ports ? 443 : 0);
    spec.id_base = rd_u16(in);
    if (ops->protocol == IP_PROTO_UDP && (choice & 0x20) != 0)
        spec.question_count = (uint8_t)payload_questions(&payload_dns, NULL, spec.questions);
    bool asks = spec.question_count > 0;
    struct sonde_format format = spec.format; /* the trace's, or another */
    if (choice & 0x40)
        format.size_bytes = (uint16_t)(PROBE_SIZE_MIN + rd_u8(in));
    format.question = asks ? (uint8_t)((choice >> 2) % spec.question_count) : 0;
    size_t payload_len = probe_payload_len(&spec, &format, UDP_HEADER_BYTES);
    bool sctp = ops->protocol == IP_PROTO_SCTP;
    bool is_short = payload_len < PROBE_PAYLOAD_BYTES && ops->protocol != IP_PROTO_TCP && !sctp;

    uint8_t segment[PROBE_SIZE_MAX];
    uint8_t probe[PACKET_MAX];
    uint8_t error[PACKET_MAX];
    struct sonde_tx tx;
    const struct probe_name name = {.token = token};
    FUZZ_CHECK(ops->build(&spec, &format, &name, segment, sizeof segment, &tx) == 0);
    size_t len = packet_encode(&tx, probe, sizeof probe);
    size_t headers = len - tx.segment.len;
    size_t quoted = headers + 8 + rd_u8(in); /* RFC 792: 8 bytes of the segment at least */
    len = quote(&spec.flow.src, probe, quoted < len ? quoted : len, error);

    struct sonde_rx rx;
    struct sonde_match match;
    FUZZ_CHECK(packet_decode((struct sonde_span){error, len}, &rx) == 0);
    FUZZ_CHECK(rx.remote_port == spec.flow.dst_port && rx.local_port == spec.flow.src_port);
    FUZZ_CHECK(ops->match(&spec, &rx, &match) == 0);
    check_match(&rx, &match);
    FUZZ_CHECK(match.outcome == SONDE_OUTCOME_TTL_EXCEEDED);
    /* Over IPv6 a SYN, an INIT or a question of which 8 bytes are quoted, and a datagram without
     * payload, have nothing to tell them by. */
    bool nameless = remote.family == SONDE_FAMILY_IPV6 &&
                    (ops->protocol == IP_PROTO_TCP || sctp || asks ||
                     (ops->protocol == IP_PROTO_UDP && payload_len < PROBE_COMPENSATION_BYTES));
    FUZZ_CHECK(match.has_token || nameless);
    FUZZ_CHECK((match.questions >> format.question & 1) != 0);
    FUZZ_CHECK(!match.has_full_token || match.token == token);
    FUZZ_CHECK(!match.has_token ||
               match.token % PROBE_TOKEN_MODULUS == token % PROBE_TOKEN_MODULUS);
    /* 40 = a whole SYN, the longest; a question has no room for more than 16 bits */
    FUZZ_CHECK(match.has_full_token || is_short || asks || quoted < headers + 40);

    /* Where the quote holds more than the port, the port alone is not enough. */
    struct sonde_spec stranger = stranger_to(&spec, true);
    bool has_proof =
        ops->protocol == IP_PROTO_TCP ||
        (sctp && quoted >= headers + SCTP_HEADER_BYTES + SCTP_CHUNK_BYTES + sizeof spec.isn) ||
        (!sctp && !is_short && !asks && quoted >= headers + UDP_HEADER_BYTES + PROBE_PROOF_BYTES);
    FUZZ_CHECK(!has_proof || ops->match(&stranger, &rx, &match) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t packet[PACKET_MAX];
    struct rd in = rd_init((struct sonde_span){data, size});
    show_genuine(&in);
    if (size > sizeof packet)
        return 0;
    memcpy(packet, data, size);
    (void)fuzz_repair_icmp(packet, size);
    show_forged((struct sonde_span){packet, size});
    return 0;
}
