/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to probes; see forge.h. */
#include "forge.h"

#include "fuzz.h"
#include "wire/icmp.h"
#include "wire/icmpext.h"
#include "wire/sctp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

enum { SEGMENT_BYTES = 512 };

static void answer_echo(const struct ip_header *probe, struct wr *wr)
{
    struct icmp_header icmp;
    bool ipv6 = probe->src.family == SONDE_FAMILY_IPV6;
    FUZZ_CHECK(icmp_decode(probe->payload, &icmp) == 0);
    icmp_encode(wr, ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, 0, icmp.info);
    wr_bytes(wr, icmp.body.data, icmp.body.len);
}

static void answer_datagram(const struct ip_header *probe, struct rd *in, struct wr *wr)
{
    struct udp_header udp;
    FUZZ_CHECK(udp_decode(probe->payload, &udp) == 0);
    size_t len = rd_u8(in);
    len = len < udp.payload.len ? len : udp.payload.len;
    udp_encode(wr, udp.dst_port, udp.src_port, len);
    wr_bytes(wr, udp.payload.data, len);
    if (len > 2 && (rd_u8(in) & 1) != 0) /* a DNS query becomes its own answer; RFC 1035 §4.1.1 */
        wr->data[wr->len - len + 2] |= 0x80;
}

static void answer_syn(const struct ip_header *probe, struct rd *in, struct wr *wr)
{
    struct tcp_header syn;
    FUZZ_CHECK(tcp_decode(probe->payload, &syn) == 0);
    uint8_t choice = rd_u8(in);
    struct tcp_header answer = {
        .src_port = syn.dst_port,
        .dst_port = syn.src_port,
        .seq = rd_u8(in) % 4, /* few serials, so that some come again */
        .ack = syn.seq + 1,
        .flags = (choice & 1) != 0 ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK,
        .options.window_scale = -1,
    };
    if ((choice & 2) != 0) {
        answer.options.has_timestamps = true;
        answer.options.ts_echo = syn.options.ts_value;
        if ((choice & 4) != 0) /* of another SYN */
            answer.options.ts_echo += rd_u8(in);
        if ((choice & 8) != 0)
            answer.options.ts_echo -= rd_u32(in);
    }
    tcp_encode(wr, &answer);
}

static void answer_init(const struct ip_header *probe, struct rd *in, struct wr *wr)
{
    struct sctp_packet init;
    FUZZ_CHECK(sctp_decode(probe->payload, &init) == 0);
    uint8_t choice = rd_u8(in);
    const struct sctp_packet answer = {
        .src_port = init.dst_port,
        .dst_port = init.src_port,
        .tag = (choice & 2) != 0 ? init.initiate_tag ^ rd_u32(in) : init.initiate_tag,
        .chunk = (choice & 1) != 0 ? SCTP_ABORT : SCTP_INIT_ACK,
        .flags = (choice & 4) != 0 ? SCTP_ABORT_T : 0,
        .initiate_tag = choice >> 3,
    };
    sctp_encode(wr, &answer, (struct sonde_span){NULL, 0});
}

/* Put the header before a segment. */
static size_t wrap(struct ip_header *ip, const struct wr *segment, uint8_t packet[FORGE_BYTES])
{
    struct wr wr = wr_init(packet, FORGE_BYTES);
    FUZZ_CHECK(wr_ok(segment));
    ip_encode(&wr, ip, segment->len);
    wr_bytes(&wr, segment->data, segment->len);
    FUZZ_CHECK(wr_ok(&wr));
    (void)fuzz_repair_icmp(packet, wr.len);
    return wr.len;
}

size_t forge_answer(struct sonde_span probe, struct rd *in, uint8_t packet[FORGE_BYTES])
{
    uint8_t bytes[SEGMENT_BYTES];
    struct wr segment = wr_init(bytes, sizeof bytes);
    struct ip_header ip;
    FUZZ_CHECK(ip_decode(probe, IP_WHOLE, &ip) == 0);
    if (ip.protocol == IP_PROTO_TCP)
        answer_syn(&ip, in, &segment);
    else if (ip.protocol == IP_PROTO_UDP)
        answer_datagram(&ip, in, &segment);
    else if (ip.protocol == IP_PROTO_SCTP)
        answer_init(&ip, in, &segment);
    else
        answer_echo(&ip, &segment);
    struct ip_header back = {
        .src = ip.dst,
        .dst = ip.src,
        .protocol = ip.protocol,
        .ttl = rd_u8(in),
    };
    return wrap(&back, &segment, packet);
}

static uint8_t error_type(enum sonde_family family, uint8_t choice)
{
    static const uint8_t types4[] = {ICMP4_TIME_EXCEEDED, ICMP4_UNREACHABLE, ICMP4_TIME_EXCEEDED,
                                     ICMP4_PARAMETER_PROBLEM};
    static const uint8_t types6[] = {ICMP6_TIME_EXCEEDED, ICMP6_UNREACHABLE, ICMP6_PACKET_TOO_BIG,
                                     ICMP6_PARAMETER_PROBLEM};
    return family == SONDE_FAMILY_IPV6 ? types6[choice % 4] : types4[choice % 4];
}

static const struct sonde_extensions labels = {
    .count = 1,
    .items = {{.kind = SONDE_EXTENSION_MPLS,
               .class_num = ICMPEXT_CLASS_MPLS,
               .c_type = 1,
               .u.mpls = {.count = 1, .labels = {{.label = 24001, .bos = 1, .ttl = 1}}}}},
};

size_t forge_error(struct sonde_span probe, struct rd *in, uint8_t packet[FORGE_BYTES])
{
    uint8_t bytes[SEGMENT_BYTES];
    struct wr segment = wr_init(bytes, sizeof bytes);
    struct ip_header ip;
    FUZZ_CHECK(ip_decode(probe, IP_WHOLE, &ip) == 0);
    enum sonde_family family = ip.src.family;
    uint8_t choice = rd_u8(in);
    uint8_t code = (choice & 4) != 0 ? rd_u8(in) % 16 : 0;
    bool extended = (choice & 8) != 0;
    size_t keep = rd_u8(in);
    keep = keep < probe.len ? keep : probe.len;
    keep = keep < ICMPEXT_QUOTE_MIN ? keep : (size_t)ICMPEXT_QUOTE_MIN;
    uint32_t info = extended ? icmp_quoted_info(family, ICMPEXT_QUOTE_MIN) : 0;
    icmp_encode(&segment, error_type(family, choice), code, info);
    wr_bytes(&segment, probe.data, keep);
    if (extended) {
        wr_fill(&segment, 0, ICMPEXT_QUOTE_MIN - keep);
        icmpext_encode(&segment, &labels);
    }
    struct ip_header back = {
        .src = ip.dst,
        .dst = ip.src,
        .protocol = family == SONDE_FAMILY_IPV6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP,
        .ttl = rd_u8(in),
    };
    uint8_t router = rd_u8(in) % 8;
    if (router != 0) /* not the target itself */
        back.src.bytes[3] = router;
    return wrap(&back, &segment, packet);
}

void forge_damage(struct rd *in, uint8_t *packet, size_t len)
{
    uint8_t choice = rd_u8(in);
    for (int i = 0; i < choice % 4; i++)
        packet[rd_u16(in) % len] ^= rd_u8(in);
    if ((choice & 4) != 0)
        (void)fuzz_repair_icmp(packet, len);
}
