/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 and IPv6 headers: fields, options and extension headers, whole packets and quotes. */
#include "spell.h"
#include "wire/ip.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* IP 192.0.2.1 > 198.51.100.2: tos 0x28, ttl 57, id 0xbeef, DF, protocol 17, total length 28 */
#define IP4 "4528 001c beef 4000 3911 0000 c0000201 c6336402"
/* IP6 2001:db8::1 > 2001:db8::2: class 0xb8, flow label 0xbcdef, hlim 57, 8 bytes of payload */
#define IP6_NEXT(NEXT)                                                                             \
    "6b8b cdef 0008" NEXT "39 20010db8000000000000000000000001 20010db8000000000000000000000002"
#define UDP "c0de 0035 0008 0000" /* port 49374 to 53, nothing in it */

static int decode(const char *hex, enum ip_source source, struct tail *tail, struct ip_header *ip)
{
    return ip_decode(tail_hex(tail, hex), source, ip);
}

Test(ip, every_field_of_ipv4_is_read)
{
    struct tail tail;
    struct ip_header ip;
    memset(&ip, 0xee, sizeof ip);
    cr_assert_eq(decode(IP4 UDP, IP_WHOLE, &tail, &ip), 0);
    expect_addr(&ip.src, "192.0.2.1");
    expect_addr(&ip.dst, "198.51.100.2");
    cr_expect_eq(ip.src.scope, 0);
    cr_expect_eq(ip.tos, 0x28);
    cr_expect_eq(ip.id, 0xbeef);
    cr_expect_eq(ip.ttl, 57);
    cr_expect_eq(ip.protocol, IP_PROTO_UDP);
    cr_expect_eq(ip.flow_label, 0);
    cr_expect_not(ip.fragment);
    cr_expect(ip.dont_fragment);
    cr_expect_eq(ip.options.len, 0);
    expect_hex(ip.payload, UDP, "payload");
}

Test(ip, every_field_of_ipv6_is_read)
{
    struct tail tail;
    struct ip_header ip;
    memset(&ip, 0xee, sizeof ip);
    cr_assert_eq(decode(IP6_NEXT("11") UDP, IP_WHOLE, &tail, &ip), 0);
    expect_addr(&ip.src, "2001:db8::1");
    expect_addr(&ip.dst, "2001:db8::2");
    cr_expect_eq(ip.src.scope, 0);
    cr_expect_eq(ip.tos, 0xb8);
    cr_expect_eq(ip.flow_label, 0xbcdef);
    cr_expect_eq(ip.id, 0);
    cr_expect_eq(ip.ttl, 57);
    cr_expect_eq(ip.protocol, IP_PROTO_UDP);
    cr_expect_not(ip.fragment);
    cr_expect_eq(ip.options.len, 0);
    expect_hex(ip.payload, UDP, "payload");
}

Test(ip, options_of_ipv4_stand_between_header_and_payload)
{
    /* record route (7), 39 bytes, pointer 4, nine empty slots; then end of options: IHL 15 */
    static const char record_route[] = "07 27 04 000000000000000000000000000000000000"
                                       "000000000000000000000000000000000000 00";
    static const struct {
        const char *header;
        const char *options;
    } cases[] = {
        {"4600 0020 beef 4000 3911 0000 c0000201 c6336402", "94040000"}, /* router alert */
        {"4f00 0044 beef 4000 3911 0000 c0000201 c6336402", record_route},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (enum ip_source source = IP_WHOLE; source <= IP_QUOTED; source++) {
            uint8_t room[100];
            struct tail tail;
            struct ip_header ip;
            struct wr wr = wr_init(room, sizeof room);
            wr_hex(&wr, cases[i].header);
            wr_hex(&wr, cases[i].options);
            wr_hex(&wr, UDP);
            cr_assert_eq(ip_decode(tail_copy(&tail, written(&wr)), source, &ip), 0);
            expect_hex(ip.options, cases[i].options, "options");
            expect_hex(ip.payload, UDP, "payload");
        }
    }
}

Test(ip, a_header_length_below_5_or_beyond_the_end_is_refused)
{
    for (unsigned ihl = 0; ihl <= 15; ihl++) {
        for (enum ip_source source = IP_WHOLE; source <= IP_QUOTED; source++) {
            struct ip_header ip = {.id = 0x5555};
            uint8_t packet[36] = {[3] = 36, [9] = IP_PROTO_UDP}; /* total length 36 */
            struct tail tail;
            packet[0] = (uint8_t)(0x40 | ihl);
            int r = ip_decode(tail_copy(&tail, (struct sonde_span){packet, 36}), source, &ip);
            bool fits = ihl >= 5 && ihl <= 9; /* 20 to 36 bytes */
            cr_expect_eq(r, fits ? 0 : -EBADMSG, "IHL %u", ihl);
            if (fits)
                cr_expect_eq(ip.payload.len, 36 - 4 * ihl, "IHL %u", ihl);
            else
                cr_expect_eq(ip.id, 0x5555, "IHL %u: untouched", ihl);
        }
    }
}

Test(ip, a_total_length_binds_a_whole_packet_and_not_a_quote)
{
    static const struct {
        uint16_t total_len;
        int whole; /* payload bytes; -1 = refused */
    } cases[] = {
        {0, -1},  {19, -1}, {20, 0},    {21, 1},          {28, 8},
        {36, 16}, {37, -1}, {1500, -1}, {UINT16_MAX, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packet[36] = {0x45}; /* 16 bytes behind the header, some perhaps padding */
        struct ip_header ip;
        struct tail tail;
        packet[2] = (uint8_t)(cases[i].total_len >> 8);
        packet[3] = (uint8_t)cases[i].total_len;
        struct sonde_span bytes = tail_copy(&tail, (struct sonde_span){packet, sizeof packet});
        int r = ip_decode(bytes, IP_WHOLE, &ip);
        cr_expect_eq(r, cases[i].whole < 0 ? -EBADMSG : 0, "%u", cases[i].total_len);
        if (r == 0)
            cr_expect_eq((int)ip.payload.len, cases[i].whole, "%u", cases[i].total_len);
        cr_assert_eq(ip_decode(bytes, IP_QUOTED, &ip), 0, "%u", cases[i].total_len);
        cr_expect_eq(ip.payload.len, 16, "%u: routers rewrite it", cases[i].total_len);
    }
}

Test(ip, a_total_length_that_ends_within_the_options_is_refused)
{
    struct tail tail;
    struct ip_header ip;
    /* IHL 6 = 24 bytes, total length 20 */
    const char *hex = "4600 0014 beef 4000 3911 0000 c0000201 c6336402 94040000" UDP;
    cr_expect_eq(decode(hex, IP_WHOLE, &tail, &ip), -EBADMSG);
    cr_expect_eq(decode(hex, IP_QUOTED, &tail, &ip), 0);
}

Test(ip, a_payload_length_binds_a_whole_packet_and_not_a_quote)
{
    static const struct {
        uint8_t payload_len;
        int whole; /* payload bytes; -1 = refused */
    } cases[] = {{0, 0}, {1, 1}, {8, 8}, {9, -1}, {255, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packet[48] = {0x60, [5] = cases[i].payload_len, [6] = IP_PROTO_UDP};
        struct ip_header ip;
        struct tail tail;
        struct sonde_span bytes = tail_copy(&tail, (struct sonde_span){packet, sizeof packet});
        int r = ip_decode(bytes, IP_WHOLE, &ip);
        cr_expect_eq(r, cases[i].whole < 0 ? -EBADMSG : 0, "%u", cases[i].payload_len);
        if (r == 0)
            cr_expect_eq((int)ip.payload.len, cases[i].whole, "%u", cases[i].payload_len);
        cr_assert_eq(ip_decode(bytes, IP_QUOTED, &ip), 0, "%u", cases[i].payload_len);
        cr_expect_eq(ip.payload.len, 8, "%u", cases[i].payload_len);
    }
}

Test(ip, of_all_versions_4_and_6_are_known)
{
    struct ip_header ip;
    for (unsigned version = 0; version <= 15; version++) {
        uint8_t packet[48] = {[3] = 48, [6] = IP_PROTO_UDP}; /* where IPv6 has its next header */
        packet[0] = (uint8_t)(version << 4 | 5);
        struct sonde_span bytes = {packet, sizeof packet};
        bool known = version == 4 || version == 6;
        cr_expect_eq(ip_decode(bytes, IP_QUOTED, &ip), known ? 0 : -EBADMSG, "%u", version);
    }
    cr_expect_eq(ip_decode((struct sonde_span){NULL, 0}, IP_QUOTED, &ip), -EBADMSG);
}

Test(ip, a_packet_cut_anywhere_is_refused_and_a_quote_once_its_header_is_cut)
{
    static const struct {
        const char *hex;
        size_t headers; /* bytes before the payload */
    } cases[] = {
        {IP4 UDP, 20},
        {"4600 0020 beef 4000 3911 0000 c0000201 c6336402 94040000" UDP, 24},
        {IP6_NEXT("11") UDP, 40},
        /* payload length 8 is not 16, but then a quote may say what it wants: hop-by-hop, UDP */
        {IP6_NEXT("00") "11 00 010400000000" UDP, 48},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail whole;
        struct sonde_span bytes = tail_hex(&whole, cases[i].hex);
        for (size_t len = 0; len < bytes.len; len++) {
            struct tail tail;
            struct ip_header ip;
            struct sonde_span part = tail_copy(&tail, span_sub(bytes, 0, len));
            if (i < 3)
                cr_expect_eq(ip_decode(part, IP_WHOLE, &ip), -EBADMSG, "case %zu, %zu", i, len);
            int r = ip_decode(part, IP_QUOTED, &ip);
            cr_expect_eq(r, len < cases[i].headers ? -EBADMSG : 0, "case %zu, %zu", i, len);
            if (r == 0)
                cr_expect_eq(ip.payload.len, len - cases[i].headers, "case %zu, %zu", i, len);
        }
    }
}

Test(ip, an_ipv4_fragment_is_one_that_starts_in_the_middle)
{
    static const struct {
        uint16_t field; /* flags and offset; RFC 791 §3.1 */
        bool fragment;
    } cases[] = {
        {0x0000, false}, {0x4000, false}, {0x8000, false}, /* none, DF, reserved */
        {0x2000, false},                                   /* MF: the first, ports and all */
        {0x0001, true},  {0x2001, true},  {0x1fff, true},  {0x6100, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packet[28] = {0x45, [3] = 28};
        struct ip_header ip;
        packet[6] = (uint8_t)(cases[i].field >> 8);
        packet[7] = (uint8_t)cases[i].field;
        cr_assert_eq(ip_decode((struct sonde_span){packet, 28}, IP_WHOLE, &ip), 0);
        cr_expect_eq(ip.fragment, cases[i].fragment, "%04x", cases[i].field);
        cr_expect_eq(ip.dont_fragment, (cases[i].field & 0x4000) != 0, "%04x", cases[i].field);
    }
}

/*
 * Encoding
 */

Test(ip, an_ipv4_header_is_written_with_its_checksum)
{
    uint8_t room[20];
    struct wr wr = wr_init(room, sizeof room);
    struct ip_header ip = {
        .src = addr_of("192.168.0.1"),
        .dst = addr_of("192.168.0.199"),
        .protocol = IP_PROTO_UDP,
        .ttl = 64,
        .tos = 0x28,
        .id = 0xbeef,
    };
    ip_encode(&wr, &ip, 95);
    /* 4528 + 0073 + beef + 4011 + c0a8 + 0001 + c0a8 + 00c7 = 2c6b3; c6b3 + 2 = c6b5; ~ = 394a */
    expect_hex(written(&wr), "4528 0073 beef 0000 4011 394a c0a80001 c0a800c7", "header");
    wr = wr_init(room, sizeof room);
    ip.dont_fragment = true;
    ip_encode(&wr, &ip, 95);
    /* 4000 more: c6b5 + 4000 = 106b5; 06b5 + 1 = 06b6; ~ = f949 */
    expect_hex(written(&wr), "4528 0073 beef 4000 4011 f949 c0a80001 c0a800c7", "DF");
}

Test(ip, ipv4_options_are_written_and_counted)
{
    static const uint8_t router_alert[] = {0x94, 0x04, 0x00, 0x00};
    uint8_t room[28];
    struct wr wr = wr_init(room, sizeof room);
    struct ip_header ip = {
        .src = addr_of("192.0.2.1"),
        .dst = addr_of("198.51.100.2"),
        .protocol = IP_PROTO_ICMP,
        .ttl = 1,
        .id = 1,
        .options = {router_alert, sizeof router_alert},
    };
    wr_u32(&wr, 0xaabbccdd); /* what stands before the header is not summed */
    ip_encode(&wr, &ip, 8);
    /* 4600 + 0020 + 0001 + 0101 + c000 + 0201 + c633 + 6402 + 9404 = 2c75c; c75e; ~ = 38a1 */
    expect_hex(written(&wr), "aabbccdd 4600 0020 0001 0000 0101 38a1 c0000201 c6336402 94040000",
               "header");
}

Test(ip, an_ipv6_header_is_written_with_its_chain_of_extensions)
{
    static const uint8_t chain[] = {IP_PROTO_ICMPV6, 0, 1, 4, 0, 0, 0, 0}; /* PadN */
    uint8_t room[48];
    struct wr wr = wr_init(room, sizeof room);
    struct ip_header ip = {
        .src = addr_of("2001:db8::1"),
        .dst = addr_of("2001:db8::2"),
        .protocol = IP_PROTO_ICMPV6,
        .ttl = 9,
        .tos = 0xb8,
        .flow_label = 0xfffbcdef, /* 20 bits of it */
    };
    ip_encode(&wr, &ip, 0x1234);
    expect_hex(written(&wr),
               "6b8b cdef 1234 3a 09 20010db8000000000000000000000001"
               "20010db8000000000000000000000002",
               "bare");
    wr = wr_init(room, sizeof room);
    ip.options = (struct sonde_span){chain, sizeof chain};
    ip.first_extension = 60; /* destination options */
    ip_encode(&wr, &ip, 8);
    expect_hex(written(&wr),
               "6b8b cdef 0010 3c 09 20010db8000000000000000000000001"
               "20010db8000000000000000000000002 3a00 010400000000",
               "with destination options");
}

Test(ip, what_is_written_is_read_again)
{
    static const uint8_t options[] = {0x94, 0x04, 0x00, 0x00};
    static const uint8_t chain[] = {IP_PROTO_TCP, 0, 1, 4, 0, 0, 0, 0};
    const struct ip_header headers[] = {
        {.src = addr_of("192.0.2.1"),
         .dst = addr_of("198.51.100.2"),
         .protocol = 6,
         .ttl = 255,
         .tos = 255,
         .id = 0xffff,
         .options = {options, sizeof options}},
        {.src = addr_of("2001:db8::1"),
         .dst = addr_of("2001:db8::2"),
         .protocol = 6,
         .ttl = 255,
         .tos = 255,
         .flow_label = 0xfffff,
         .options = {chain, sizeof chain},
         .first_extension = 60},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        uint8_t room[80];
        struct ip_header ip;
        struct wr wr = wr_init(room, sizeof room);
        ip_encode(&wr, &headers[i], 5);
        wr_hex(&wr, "0102030405");
        cr_assert_eq(ip_decode(written(&wr), IP_WHOLE, &ip), 0);
        cr_expect(sonde_addr_equal(&ip.src, &headers[i].src));
        cr_expect(sonde_addr_equal(&ip.dst, &headers[i].dst));
        cr_expect_eq(ip.protocol, 6);
        cr_expect_eq(ip.ttl, 255);
        cr_expect_eq(ip.tos, 255);
        cr_expect_eq(ip.id, headers[i].id);
        cr_expect_eq(ip.flow_label, headers[i].flow_label);
        cr_expect_not(ip.fragment);
        cr_expect_eq(ip.options.len, headers[i].options.len);
        expect_hex(ip.payload, "0102030405", "payload");
    }
}

Test(ip, what_does_not_fit_is_not_written)
{
    static const uint8_t options[264] = {0};
    static const struct {
        const char *dst;
        size_t options_len;
        size_t payload_len;
        size_t cap;
        bool ok;
    } cases[] = {
        {"192.0.2.1", 0, 65515, 20, true}, /* 65535 less the header */
        {"192.0.2.1", 0, 65516, 20, false},
        {"192.0.2.1", 0, SIZE_MAX, 20, false},
        {"192.0.2.1", 0, 8, 19, false},
        {"192.0.2.1", 40, 65475, 60, true},
        {"192.0.2.1", 40, 65476, 60, false},
        {"192.0.2.1", 44, 8, 100, false}, /* the IHL has 4 bits */
        {"192.0.2.1", 3, 8, 100, false},  /* and counts words */
        {"2001:db8::1", 0, 65535, 40, true},
        {"2001:db8::1", 0, 65536, 40, false},
        {"2001:db8::1", 0, SIZE_MAX, 40, false},
        {"2001:db8::1", 0, 8, 39, false},
        {"2001:db8::1", 256, 65279, 296, true},
        {"2001:db8::1", 256, 65280, 296, false},
        {"2001:db8::1", 264, 8, 400, false}, /* more than our decoder would walk */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[400];
        struct wr wr = wr_init(room, cases[i].cap);
        struct ip_header ip = {
            .src = addr_of(cases[i].dst),
            .dst = addr_of(cases[i].dst),
            .options = {options, cases[i].options_len},
        };
        ip_encode(&wr, &ip, cases[i].payload_len);
        cr_expect_eq(wr_ok(&wr), cases[i].ok, "case %zu", i);
    }
}
