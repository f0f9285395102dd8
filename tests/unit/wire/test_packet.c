/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to and from records: answers, messages that are none, and probes as they leave. Errors
 * are looked at from outside here, their quotes in test_quote.c.
 */
#include "samples.h"
#include "wire/csum.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* IP 198.51.100.2 > 192.0.2.1: ttl 57, 8 bytes of PROTOCOL */
#define ANSWER4(TOTAL, PROTOCOL) "4500" TOTAL "0001 0000 39" PROTOCOL "0000 c6336402 c0000201"
/* IP6 2001:db8::2 > 2001:db8::1: hlim 57 */
#define ANSWER6(LEN, PROTOCOL)                                                                     \
    "60000000" LEN PROTOCOL "39 20010db8000000000000000000000002 20010db8000000000000000000000001"

/* An echo reply, id c0de, sequence 7: 0000 + c0de + 0007 = c0e5, whose complement is 3f1a */
#define ECHO_REPLY4 "00 00 3f1a c0de 0007"
#define ECHO_REPLY6 "81 00 abcd c0de 0007"
#define UDP "0035 c0de 0008 0000"
#define RST_ACK "01bb c0de 00000000 01020305 50 14 0000 abcd 0000"
#define SYN_ACK "01bb c0de 0a0b0c0d 01020305 60 12 fe88 abcd 0000 020405b4"
#define ACK "01bb c0de 0a0b0c0d 01020305 50 10 fe88 abcd 0000"

Test(packet, answers_name_their_flow_and_keep_their_segment)
{
    static const struct {
        const char *packet;
        const char *remote;
        uint8_t protocol;
        uint16_t remote_port;
        const char *segment;
    } cases[] = {
        {ANSWER4("001c", "01") ECHO_REPLY4, "198.51.100.2", IP_PROTO_ICMP, 0, ECHO_REPLY4},
        {ANSWER4("001c", "11") UDP, "198.51.100.2", IP_PROTO_UDP, 53, UDP},
        {ANSWER4("0028", "06") RST_ACK, "198.51.100.2", IP_PROTO_TCP, 443, RST_ACK},
        {ANSWER4("002c", "06") SYN_ACK, "198.51.100.2", IP_PROTO_TCP, 443, SYN_ACK},
        {ANSWER4("0028", "06") ACK, "198.51.100.2", IP_PROTO_TCP, 443, ACK}, /* P33: as it is */
        {ANSWER6("0008", "3a") ECHO_REPLY6, "2001:db8::2", IP_PROTO_ICMP, 0, ECHO_REPLY6},
        {ANSWER6("0008", "11") UDP, "2001:db8::2", IP_PROTO_UDP, 53, UDP},
        {ANSWER6("0014", "06") RST_ACK, "2001:db8::2", IP_PROTO_TCP, 443, RST_ACK},
        {ANSWER6("0018", "06") SYN_ACK, "2001:db8::2", IP_PROTO_TCP, 443, SYN_ACK},
        /* behind a header of destination options */
        {ANSWER6("0010", "3c") "11 00 010400000000" UDP, "2001:db8::2", IP_PROTO_UDP, 53, UDP},
        /* what a link adds to a short packet is no part of it */
        {ANSWER4("001c", "11") UDP "0000 0000", "198.51.100.2", IP_PROTO_UDP, 53, UDP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sonde_rx rx;
        cr_assert_eq(packet_decode(tail_hex(&tail, cases[i].packet), &rx), 0, "case %zu", i);
        cr_expect_eq(rx.kind, SONDE_RX_ANSWER, "case %zu", i);
        expect_addr(&rx.from, cases[i].remote);
        expect_addr(&rx.remote, cases[i].remote);
        cr_expect_eq(rx.reply_ttl, 57, "case %zu", i);
        cr_expect_eq(rx.protocol, cases[i].protocol, "case %zu", i);
        cr_expect_eq(rx.local_port, 0xc0de, "case %zu", i);
        cr_expect_eq(rx.remote_port, cases[i].remote_port, "case %zu", i);
        expect_hex(rx.segment, cases[i].segment, "segment");
    }
}

Test(packet, what_the_transport_knows_is_left_alone)
{
    struct tail tail;
    struct sonde_rx rx = {.stamp = {123, SONDE_CLOCK_SIMULATED}};
    cr_assert_eq(packet_decode(tail_hex(&tail, ANSWER4("001c", "11") UDP), &rx), 0);
    cr_expect_eq(rx.stamp.time_ns, 123);
    cr_expect_eq(rx.stamp.clock, SONDE_CLOCK_SIMULATED);
}

Test(packet, a_packet_cut_anywhere_is_malformed)
{
    static const char *const packets[] = {
        ANSWER4("001c", "01") ECHO_REPLY4,
        ANSWER4("0028", "06") RST_ACK,
        ANSWER6("0008", "3a") ECHO_REPLY6,
        ANSWER6("0014", "06") RST_ACK,
    };
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct tail whole;
        struct sonde_span packet = tail_hex(&whole, packets[i]);
        for (size_t len = 0; len < packet.len; len++) {
            struct tail tail;
            struct sonde_rx rx;
            struct sonde_span part = tail_copy(&tail, span_sub(packet, 0, len));
            cr_expect_eq(packet_decode(part, &rx), SONDE_DISCARD_MALFORMED, "case %zu, %zu", i,
                         len);
        }
    }
}

/* P31, and the like for other protocols: the IP packet is whole, what it holds is not */
Test(packet, an_answer_too_short_for_its_ports_is_discarded)
{
    static const struct {
        const char *packet;
        int r;
    } cases[] = {
        {ANSWER4("0014", "01"), SONDE_DISCARD_BAD_CHECKSUM}, /* nothing, so no checksum either */
        {ANSWER4("0018", "01") "00 00 ffff", SONDE_DISCARD_MALFORMED},
        {ANSWER4("001a", "01") "00 00 3f21 c0de", SONDE_DISCARD_MALFORMED}, /* ~c0de */
        {ANSWER4("001b", "01") "00 00 3f21 c0de 00", SONDE_DISCARD_MALFORMED},
        {ANSWER4("001c", "01") "00 00 3f21 c0de 0000", 0},
        {ANSWER4("0014", "11"), SONDE_DISCARD_MALFORMED},
        {ANSWER4("0017", "11") "0035 c0", SONDE_DISCARD_MALFORMED},
        {ANSWER4("0018", "11") "0035 c0de", 0}, /* the rest is for the probe's module */
        {ANSWER4("0017", "06") "01bb c0", SONDE_DISCARD_MALFORMED},
        {ANSWER6("0000", "3a"), SONDE_DISCARD_MALFORMED},
        {ANSWER6("0007", "3a") "81 00 abcd c0de 00", SONDE_DISCARD_MALFORMED},
        {ANSWER6("0008", "3a") "81 00 abcd c0de 0000", 0},
        {ANSWER6("0003", "11") "0035 c0", SONDE_DISCARD_MALFORMED},
        {ANSWER6("0003", "06") "01bb c0", SONDE_DISCARD_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sonde_rx rx;
        cr_expect_eq(packet_decode(tail_hex(&tail, cases[i].packet), &rx), cases[i].r, "case %zu",
                     i);
    }
}

/* P23: the sum of ones finds every single bit */
Test(packet, an_icmp_message_with_a_flipped_bit_has_a_bad_checksum)
{
    struct tail tail;
    struct sonde_rx rx;
    struct sonde_span packet =
        tail_hex(&tail, ANSWER4("0020", "01") "00 00 7754 c0de 0007 c7c6 0000");
    uint8_t *message = tail.bytes + sizeof tail.bytes - 12;
    /* c0de + 0007 + c7c6 = 188ab; 88ab + 1 = 88ac; its complement is 7753 */
    cr_expect_eq(packet_decode(packet, &rx), SONDE_DISCARD_BAD_CHECKSUM);
    message[3] = 0x53;
    cr_expect_eq(packet_decode(packet, &rx), 0);
    for (size_t bit = 0; bit < 12 * 8; bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_expect_eq(packet_decode(packet, &rx), SONDE_DISCARD_BAD_CHECKSUM, "bit %zu", bit);
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* P22, P28, P29: redirects and quenches quote a probe, too, but it went on */
Test(packet, messages_that_end_no_probe_are_no_result)
{
    for (size_t i = 0; i < SAMPLES; i += 3) {
        const struct sample *sample = &samples[i];
        uint8_t room[200];
        struct wr wr = wr_init(room, sizeof room);
        put_quote(&wr, sample);
        for (unsigned type = 0; type <= 255; type++) {
            struct tail tail;
            struct sonde_rx rx;
            bool ends4 = type == 0 || type == 3 || type == 11 || type == 12;
            bool ends6 = (type >= 1 && type <= 4) || type == 129;
            if (sample->family == SONDE_FAMILY_IPV6 ? ends6 : ends4)
                continue;
            struct message message = {(uint8_t)type, 0, 0xc0de0007, written(&wr)};
            cr_expect_eq(decode_message(sample, message, &tail, &rx), SONDE_DISCARD_NOT_A_RESULT,
                         "%s, type %u", sample->name, type);
        }
    }
}

/* P27, P28: what the code or the second word means is for others to say */
Test(packet, errors_of_every_code_are_given_as_sent)
{
    for (const struct sample *sample = samples; sample < samples + SAMPLES; sample++) {
        static const uint8_t types4[] = {3, 11, 12};
        static const uint8_t types6[] = {1, 2, 3, 4};
        bool ipv6 = sample->family == SONDE_FAMILY_IPV6;
        const uint8_t *types = ipv6 ? types6 : types4;
        uint8_t room[200];
        struct wr wr = wr_init(room, sizeof room);
        put_quote(&wr, sample);
        for (size_t i = 0; i < (ipv6 ? sizeof types6 : sizeof types4); i++) {
            for (unsigned code = 0; code <= 255; code++) {
                struct tail tail;
                struct sonde_rx rx = {0};
                struct message message = {types[i], (uint8_t)code, 0, written(&wr)};
                int r = decode_message(sample, message, &tail, &rx);
                if (r != 0 || rx.icmp_type != types[i] || rx.icmp_code != code)
                    cr_expect_fail("%s, %u/%u: %d", sample->name, types[i], code, r);
            }
        }
    }
}

Test(packet, the_second_word_of_an_error_is_given_as_sent)
{
    static const struct {
        size_t sample;
        uint8_t type, code;
        uint32_t info;
    } cases[] = {
        {1, 3, 4, 0},           {1, 3, 4, 68}, {1, 3, 4, 1279}, {1, 3, 4, 65535}, /* MTU */
        {1, 12, 0, 0x14000000},                                                   /* pointer 20 */
        {4, 2, 0, 0},           {4, 2, 0, 68}, {4, 2, 0, 1279}, {4, 2, 0, UINT32_MAX},
        {4, 4, 1, 40}, /* pointer 40 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sample *sample = &samples[cases[i].sample];
        uint8_t room[200];
        struct tail tail;
        struct sonde_rx rx;
        struct wr wr = wr_init(room, sizeof room);
        put_quote(&wr, sample);
        struct message message = {cases[i].type, cases[i].code, cases[i].info, written(&wr)};
        cr_assert_eq(decode_message(sample, message, &tail, &rx), 0, "case %zu", i);
        expect_error(sample, &rx);
        cr_expect_eq(rx.icmp_info, cases[i].info, "case %zu", i);
        cr_expect_not(rx.ext.malformed, "case %zu: an MTU is no length", i);
    }
}

/* P24: record route, 39 bytes, and an end: IHL 15 */
Test(packet, options_of_the_outer_header_are_passed_over)
{
    static const char record_route[] = "072704"
                                       "c0000201c0000202c0000203c0000204c0000205"
                                       "c0000206c0000207c0000208c0000209"
                                       "00";
    uint8_t room[200];
    struct tail tail;
    struct sonde_rx rx;
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, "4f00 0044 0001 0000 fa01 0000 cb007109 c0000201");
    wr_hex(&wr, record_route);
    wr_hex(&wr, ECHO_REPLY4);
    cr_assert_eq(packet_decode(tail_copy(&tail, written(&wr)), &rx), 0);
    expect_addr(&rx.from, "203.0.113.9");
    cr_expect_eq(rx.local_port, 0xc0de);
    wr = wr_init(room, sizeof room);
    wr_hex(&wr, "4f00 0068 0001 0000 fa01 0000 cb007109 c0000201");
    wr_hex(&wr, record_route);
    wr_hex(&wr, "0b00 0000 00000000");
    put_quote(&wr, &samples[1]);
    wr_patch_u16(&wr, 62, csum_finish(csum_add(0, (struct sonde_span){room + 60, wr.len - 60})));
    cr_assert_eq(packet_decode(tail_copy(&tail, written(&wr)), &rx), 0);
    expect_error(&samples[1], &rx);
}

/* Nobody sends so (RFC 4291 §2.5.5.2 is about addresses within a program); who does it over IPv6 is
 * no IPv4 host. */
Test(packet, a_mapped_sender_is_given_as_it_is)
{
    static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
    uint8_t room[60];
    struct tail tail;
    struct sonde_rx rx;
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, ANSWER6("0008", "3a") ECHO_REPLY6);
    memcpy(room + 8, mapped, sizeof mapped);
    cr_assert_eq(packet_decode(tail_copy(&tail, written(&wr)), &rx), 0);
    cr_expect_eq(rx.from.family, SONDE_FAMILY_IPV6);
    cr_expect_arr_eq(rx.from.bytes, mapped, sizeof mapped);
}

/* P26: odd senders are shown as they are; what they are worth is for others to say */
Test(packet, any_sender_is_given_as_it_is)
{
    static const char *const senders[] = {
        "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "10.0.0.1",
        "::",      "::1",       "ff02::1",   "2001:db8::1",     "fe80::1",   "fc00::1",
    };
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        uint8_t room[60];
        struct tail tail;
        struct sonde_rx rx;
        struct wr wr = wr_init(room, sizeof room);
        struct sonde_addr sender = addr_of(senders[i]);
        bool ipv6 = sender.family == SONDE_FAMILY_IPV6;
        wr_hex(&wr, ipv6 ? ANSWER6("0008", "3a") ECHO_REPLY6 : ANSWER4("001c", "01") ECHO_REPLY4);
        memcpy(room + (ipv6 ? 8 : 12), sender.bytes, ipv6 ? 16 : 4);
        cr_assert_eq(packet_decode(tail_copy(&tail, written(&wr)), &rx), 0, "%s", senders[i]);
        expect_addr(&rx.from, senders[i]);
        expect_addr(&rx.remote, senders[i]);
    }
}

Test(packet, the_scope_of_a_sender_stays)
{
    struct tail tail;
    struct sonde_rx rx;
    struct ip_header ip = {
        .src = addr_of("fe80::1"),
        .dst = addr_of("fe80::2"),
        .protocol = IP_PROTO_ICMPV6,
        .ttl = 64,
        .payload = tail_hex(&tail, ECHO_REPLY6),
    };
    ip.src.scope = 3;
    cr_assert_eq(packet_decode_payload(&ip, &rx), 0);
    cr_expect_eq(rx.from.scope, 3);
    cr_expect_eq(rx.remote.scope, 3);
}

Test(packet, a_later_fragment_is_no_result)
{
    static const char *const packets[] = {
        "4500 001c 0001 0001 39 11 0000 c6336402 c0000201" UDP,
        "4500 001c 0001 0001 39 01 0000 c6336402 c0000201" ECHO_REPLY4,
        ANSWER6("0010", "2c") "11 00 0008 12345678" UDP,
        ANSWER6("0010", "2c") "3a 00 0008 12345678" ECHO_REPLY6,
    };
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct tail tail;
        struct sonde_rx rx;
        cr_expect_eq(packet_decode(tail_hex(&tail, packets[i]), &rx), SONDE_DISCARD_NOT_A_RESULT,
                     "case %zu", i);
    }
}

/* ICMP is 1 in IPv4 and 58 in IPv6; no host sends the other, and nothing checked its checksum. */
Test(packet, the_icmp_of_the_other_family_answers_no_probe)
{
    static const char *const packets[] = {
        ANSWER4("001c", "3a") ECHO_REPLY4, ANSWER4("001c", "3a") "00 00 abcd c0de 0007",
        ANSWER4("001c", "3a") ECHO_REPLY6, ANSWER6("0008", "01") ECHO_REPLY4,
        ANSWER6("0008", "01") ECHO_REPLY6,
    };
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        struct tail tail;
        struct sonde_rx rx;
        if (packet_decode(tail_hex(&tail, packets[i]), &rx) == 0)
            cr_expect_neq(rx.protocol, IP_PROTO_ICMP, "case %zu", i);
    }
}

/*
 * IP 192.0.2.1.49374 > 198.51.100.2.53: UDP, length 0 (tos 0x10, ttl 3, id 4660)
 * 4510 + 001c + 1234 + 0311 + c000 + 0201 + c633 + 6402 = 246a7; 46a7 + 2 = 46a9; ~ = b956
 * IP6 2001:db8::1 > 2001:db8::2: (class 0x10, flowlabel 0xabcde, hlim 3)
 */
Test(packet, a_probe_leaves_behind_the_header_that_its_parts_ask_for)
{
    static const struct {
        const char *src, *dst;
        uint8_t protocol;
        const char *header;
    } cases[] = {
        {"192.0.2.1", "198.51.100.2", IP_PROTO_UDP,
         "4510 001c 1234 0000 0311 b956 c0000201 c6336402"},
        {"192.0.2.1", "198.51.100.2", IP_PROTO_ICMP, /* protocol 10 less, so checksum 10 more */
         "4510 001c 1234 0000 0301 b966 c0000201 c6336402"},
        {"2001:db8::1", "2001:db8::2", IP_PROTO_TCP,
         "610abcde 0008 06 03 20010db8000000000000000000000001 20010db8000000000000000000000002"},
        {"2001:db8::1", "2001:db8::2", IP_PROTO_ICMP, /* ICMPv6 is 58 */
         "610abcde 0008 3a 03 20010db8000000000000000000000001 20010db8000000000000000000000002"},
    };
    static const uint8_t segment[] = {0xc0, 0xde, 0x00, 0x35, 0x00, 0x08, 0x00, 0x00};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[PACKET_HEADER_MAX + sizeof segment];
        const struct sonde_flow flow = {
            .src = addr_of(cases[i].src),
            .dst = addr_of(cases[i].dst),
            .protocol = cases[i].protocol,
        };
        const struct sonde_tx tx = {
            .flow = &flow,
            .segment = {segment, sizeof segment},
            .ttl = 3,
            .tos = 0x10,
            .id = 0x1234,
            .flow_label = 0xabcde,
        };
        char packet[200];
        (void)snprintf(packet, sizeof packet, "%s c0de 0035 0008 0000", cases[i].header);
        size_t len = packet_encode(&tx, room, sizeof room);
        expect_hex((struct sonde_span){room, len}, packet, cases[i].dst);
        for (size_t cap = 0; cap < len; cap++)
            cr_expect_eq(packet_encode(&tx, room, cap), 0, "case %zu: %zu bytes", i, cap);
    }
}

Test(packet, a_probe_longer_than_a_packet_can_be_is_not_written)
{
    static uint8_t room[70000];
    static const uint8_t segment[66000];
    static const struct {
        const char *dst;
        size_t segment_len;
        size_t len;
    } cases[] = {
        {"198.51.100.2", 65515, 65535},
        {"198.51.100.2", 65516, 0},
        {"2001:db8::2", 65535, 65575},
        {"2001:db8::2", 65536, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_flow flow = {
            .src = addr_of(cases[i].dst),
            .dst = addr_of(cases[i].dst),
            .protocol = IP_PROTO_UDP,
        };
        const struct sonde_tx tx = {.flow = &flow, .segment = {segment, cases[i].segment_len}};
        cr_expect_eq(packet_encode(&tx, room, sizeof room), cases[i].len, "case %zu", i);
    }
}
