/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes and errors that quote them; see samples.h. */
#include "samples.h"
#include "wire/csum.h"

#include <criterion/criterion.h>

#define IP4_SRC "c0000201" /* 192.0.2.1 */
#define IP4_DST "c6336402" /* 198.51.100.2 */
#define IP6_SRC "20010db8000000000000000000000001"
#define IP6_DST "20010db8000000000000000000000002"

/* identifier c0de, sequence 7, 8 bytes of data */
#define ECHO_REST "00 abcd c0de 0007 6162636465666768"
/* c0de > 53, length 16, 8 bytes of data */
#define UDP "c0de 0035 0010 abcd 6162636465666768"
/* c0de > 443, SYN, mss 1460, sackOK, TS, nop, wscale 7 */
#define TCP                                                                                        \
    "c0de 01bb 01020304 00000000 a0 02 faf0 abcd 0000"                                             \
    "020405b4 0402080a 11223344 00000000 01030307"

const struct sample samples[SAMPLES] = {
    {"IPv4 ICMP", SONDE_FAMILY_IPV4, 1, IP_PROTO_ICMP, 0, "08" ECHO_REST},
    {"IPv4 UDP", SONDE_FAMILY_IPV4, 17, IP_PROTO_UDP, 53, UDP},
    {"IPv4 TCP", SONDE_FAMILY_IPV4, 6, IP_PROTO_TCP, 443, TCP},
    {"IPv6 ICMP", SONDE_FAMILY_IPV6, 58, IP_PROTO_ICMP, 0, "80" ECHO_REST},
    {"IPv6 UDP", SONDE_FAMILY_IPV6, 17, IP_PROTO_UDP, 53, UDP},
    {"IPv6 TCP", SONDE_FAMILY_IPV6, 6, IP_PROTO_TCP, 443, TCP},
};

size_t sample_header_len(const struct sample *sample)
{
    return sample->family == SONDE_FAMILY_IPV6 ? 40 : 20;
}

void put_quote(struct wr *wr, const struct sample *sample)
{
    struct tail tail;
    struct sonde_span segment = tail_hex(&tail, sample->segment);
    if (sample->family == SONDE_FAMILY_IPV6) {
        wr_hex(wr, "60012345"); /* class 0, flow label 12345 */
        wr_u16(wr, (uint16_t)segment.len);
        wr_u8(wr, sample->number);
        wr_hex(wr, "01" IP6_SRC IP6_DST);
    } else {
        wr_hex(wr, "4500"); /* 5 words of header, tos 0 */
        wr_u16(wr, (uint16_t)(20 + segment.len));
        wr_hex(wr, "beef 4000 01"); /* id beef, DF, TTL 1 */
        wr_u8(wr, sample->number);
        wr_hex(wr, "abcd" IP4_SRC IP4_DST);
    }
    wr_bytes(wr, segment.data, segment.len);
}

struct message time_exceeded(const struct sample *sample, size_t quoted_bytes,
                             struct sonde_span body)
{
    if (sample->family == SONDE_FAMILY_IPV6)
        return (struct message){3, 0, (uint32_t)(quoted_bytes / 8) << 24, body};
    return (struct message){11, 0, (uint32_t)(quoted_bytes / 4) << 16, body};
}

static void put_icmp(struct wr *wr, const struct message *message)
{
    wr_u8(wr, message->type);
    wr_u8(wr, message->code);
    wr_u16(wr, 0);
    wr_u32(wr, message->info);
    wr_bytes(wr, message->body.data, message->body.len);
}

static int decode4(const struct message *message, struct tail *tail, struct sonde_rx *ret_rx)
{
    uint8_t room[TAIL_BYTES];
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, "45c0 0000 0001 0000 fa 01 0000 cb007109" IP4_SRC);
    put_icmp(&wr, message);
    wr_patch_u16(&wr, 2, (uint16_t)wr.len);
    wr_patch_u16(&wr, 22, csum_finish(csum_add(0, (struct sonde_span){room + 20, wr.len - 20})));
    return packet_decode(tail_copy(tail, written(&wr)), ret_rx);
}

static int decode6(const struct message *message, struct tail *tail, struct sonde_rx *ret_rx)
{
    uint8_t room[TAIL_BYTES];
    struct tail bare;
    struct sonde_rx same;
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, "60000000 0000 3a fa 20010db8000900000000000000000009" IP6_SRC);
    put_icmp(&wr, message);
    wr_patch_u16(&wr, 4, (uint16_t)(wr.len - 40));
    struct ip_header ip = {
        .src = addr_of("2001:db8:9::9"),
        .dst = addr_of("2001:db8::1"),
        .protocol = IP_PROTO_ICMPV6,
        .ttl = 250,
        .payload = tail_copy(&bare, span_sub(written(&wr), 40, wr.len)),
    };
    int r = packet_decode(tail_copy(tail, written(&wr)), ret_rx);
    cr_expect_eq(packet_decode_payload(&ip, &same), r, "without its header");
    if (r == 0) {
        cr_expect_eq(same.kind, ret_rx->kind);
        cr_expect_eq(same.reply_ttl, ret_rx->reply_ttl);
        cr_expect_eq(same.local_port, ret_rx->local_port);
        cr_expect_eq(same.ext.count, ret_rx->ext.count);
        cr_expect(sonde_addr_equal(&same.from, &ret_rx->from));
        cr_expect(sonde_addr_equal(&same.remote, &ret_rx->remote));
    }
    return r;
}

int decode_message(const struct sample *sample, struct message message, struct tail *tail,
                   struct sonde_rx *ret_rx)
{
    return sample->family == SONDE_FAMILY_IPV6 ? decode6(&message, tail, ret_rx)
                                               : decode4(&message, tail, ret_rx);
}

void expect_error(const struct sample *sample, const struct sonde_rx *rx)
{
    bool ipv6 = sample->family == SONDE_FAMILY_IPV6;
    cr_expect_eq(rx->kind, SONDE_RX_ERROR, "%s", sample->name);
    expect_addr(&rx->from, ipv6 ? "2001:db8:9::9" : "203.0.113.9");
    cr_expect_eq(rx->reply_ttl, 250, "%s", sample->name);
    cr_expect_eq(rx->protocol, sample->protocol, "%s", sample->name);
    expect_addr(&rx->remote, ipv6 ? "2001:db8::2" : "198.51.100.2");
    cr_expect_eq(rx->local_port, SAMPLE_PORT, "%s", sample->name);
    cr_expect_eq(rx->remote_port, sample->remote_port, "%s", sample->name);
    cr_expect_eq(rx->segment.len, 0, "%s: that is for answers", sample->name);
    cr_expect_eq(rx->quote.has_id, !ipv6, "%s", sample->name);
}
