/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of IPv6 extension headers: which are passed over, and where the walk stops. */
#include "spell.h"
#include "wire/ip.h"

#include <criterion/criterion.h>
#include <errno.h>

#define UDP "c0de 0035 0008 0000" /* port 49374 to 53, nothing in it */

/* Header numbers; RFC 8200 §4, RFC 4302, RFC 6275, RFC 7401, RFC 5533 */
enum {
    HOP_BY_HOP = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    ESP = 50,
    AUTHENTICATION = 51,
    NO_NEXT_HEADER = 59,
    DESTINATION = 60,
    MOBILITY = 135,
    HIP = 139,
    SHIM6 = 140,
};

/* The fixed header in front of a chain that starts with NEXT and ends where the packet ends. */
static void put_fixed(struct wr *wr, uint8_t next, size_t payload_len)
{
    wr_u32(wr, 0x60000000);
    wr_u16(wr, (uint16_t)payload_len);
    wr_u8(wr, next);
    wr_u8(wr, 64);
    wr_hex(wr, "20010db8000000000000000000000001 20010db8000000000000000000000002");
}

/* An extension header of 8 bytes and UNITS more units of 8: next header, units, a PadN. */
static void put_options(struct wr *wr, uint8_t next, uint8_t units)
{
    wr_u8(wr, next);
    wr_u8(wr, units);
    wr_fill(wr, 0, 6 + (size_t)units * 8);
}

Test(ip6_chain, each_kind_of_extension_header_is_passed_over)
{
    static const struct {
        uint8_t number;
        const char *hex; /* next header 11 = UDP */
    } cases[] = {
        {HOP_BY_HOP, "11 00 0502 0000 0100"}, /* router alert, Pad1s */
        {ROUTING, "11 02 00 01 00000000 20010db8000000000000000000000003"}, /* one address */
        {ROUTING, "11 00 04 00 00000000"}, /* segment routing, short */
        {FRAGMENT, "11 00 0001 12345678"}, /* offset 0, more to come */
        {AUTHENTICATION, "11 04 0000 00000001 00000002 0123456789abcdef01234567"}, /* 4+2 words */
        {DESTINATION, "11 00 010400000000"},                                       /* PadN */
        {DESTINATION, "11 01 010c 000000000000000000000000"}, /* PadN, 16 bytes */
        {MOBILITY, "11 00 00 00 0000 0000"},
        {HIP, "11 00 01 21 0000 0000"},
        {SHIM6, "11 00 00 00 0000 0000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[200];
        struct tail tail;
        struct ip_header ip;
        struct tail chain;
        struct wr wr = wr_init(room, sizeof room);
        put_fixed(&wr, cases[i].number, tail_hex(&chain, cases[i].hex).len + 8);
        wr_hex(&wr, cases[i].hex);
        wr_hex(&wr, UDP);
        cr_assert_eq(ip_decode(tail_copy(&tail, written(&wr)), IP_WHOLE, &ip), 0, "case %zu", i);
        cr_expect_eq(ip.protocol, IP_PROTO_UDP, "case %zu", i);
        cr_expect_eq(ip.first_extension, cases[i].number, "case %zu", i);
        cr_expect_not(ip.fragment, "case %zu", i);
        expect_hex(ip.options, cases[i].hex, "extension headers");
        expect_hex(ip.payload, UDP, "payload");
    }
}

Test(ip6_chain, all_kinds_in_a_row_are_walked)
{
    uint8_t room[200];
    struct tail tail;
    struct ip_header ip;
    struct wr wr = wr_init(room, sizeof room);
    put_fixed(&wr, HOP_BY_HOP, 7 * 8 + 16 + 8);
    put_options(&wr, DESTINATION, 0);
    put_options(&wr, ROUTING, 0);
    put_options(&wr, FRAGMENT, 0);
    wr_hex(&wr, "33 00 0000 00000000");                   /* fragment, offset 0; AH is next */
    wr_hex(&wr, "8b 02 0000 00000001 00000002 01234567"); /* AH, 2+2 words; HIP is next */
    put_options(&wr, MOBILITY, 0);
    put_options(&wr, SHIM6, 0);
    put_options(&wr, IP_PROTO_TCP, 0);
    wr_hex(&wr, UDP);
    cr_assert_eq(ip_decode(tail_copy(&tail, written(&wr)), IP_WHOLE, &ip), 0);
    cr_expect_eq(ip.protocol, IP_PROTO_TCP);
    cr_expect_eq(ip.options.len, 7 * 8 + 16);
    expect_hex(ip.payload, UDP, "payload");
}

Test(ip6_chain, what_is_no_extension_header_ends_the_walk)
{
    static const uint8_t numbers[] = {1, 6, 17, 41, ESP, 58, NO_NEXT_HEADER, 132, 253, 255};
    for (size_t i = 0; i < sizeof numbers; i++) {
        uint8_t room[200];
        struct ip_header ip;
        struct wr wr = wr_init(room, sizeof room);
        put_fixed(&wr, DESTINATION, 16);
        put_options(&wr, numbers[i], 0);
        wr_hex(&wr, "1100 0000 0000 0000"); /* would be one, if it were walked */
        cr_assert_eq(ip_decode(written(&wr), IP_WHOLE, &ip), 0, "%u", numbers[i]);
        cr_expect_eq(ip.protocol, numbers[i], "%u", numbers[i]);
        cr_expect_eq(ip.options.len, 8, "%u", numbers[i]);
        cr_expect_eq(ip.payload.len, 8, "%u", numbers[i]);
    }
}

Test(ip6_chain, eight_headers_and_256_bytes_are_walked_and_no_more)
{
    static const struct {
        unsigned headers;
        uint8_t units; /* of 8 bytes, beyond the first, in each */
        int r;
    } cases[] = {
        {1, 0, 0},          {8, 0, 0}, {9, 0, -EBADMSG}, {8, 3, 0}, /* 8 * 32 = 256 */
        {1, 31, 0},                                                 /* 256 */
        {1, 32, -EBADMSG},                                          /* 264 */
        {2, 16, -EBADMSG},                                          /* 272 */
        {7, 4, -EBADMSG},                                           /* 280 */
        {1, 255, -EBADMSG},                                         /* 2048 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (enum ip_source source = IP_WHOLE; source <= IP_QUOTED; source++) {
            uint8_t room[TAIL_BYTES];
            struct tail tail;
            struct ip_header ip = {.ttl = 77};
            struct wr wr = wr_init(room, sizeof room);
            size_t chain = cases[i].headers * (8 + (size_t)cases[i].units * 8);
            put_fixed(&wr, DESTINATION, chain + 8);
            for (unsigned n = 1; n <= cases[i].headers; n++)
                put_options(&wr, n == cases[i].headers ? IP_PROTO_UDP : DESTINATION,
                            cases[i].units);
            wr_hex(&wr, UDP);
            int r = ip_decode(tail_copy(&tail, written(&wr)), source, &ip);
            cr_expect_eq(r, cases[i].r, "case %zu", i);
            cr_expect_eq(r == 0 ? ip.options.len : 0, r == 0 ? chain : 0, "case %zu", i);
            cr_expect_eq(ip.ttl, r == 0 ? 64 : 77, "case %zu: untouched when refused", i);
        }
    }
}

Test(ip6_chain, behind_the_first_fragment_the_walk_goes_on)
{
    uint8_t room[200];
    struct ip_header ip;
    struct wr wr = wr_init(room, sizeof room);
    put_fixed(&wr, FRAGMENT, 24);
    wr_hex(&wr, "3c 00 0007 12345678"); /* offset 0, both reserved bits, more; dest. options next */
    put_options(&wr, IP_PROTO_UDP, 0);
    wr_hex(&wr, UDP);
    cr_assert_eq(ip_decode(written(&wr), IP_WHOLE, &ip), 0);
    cr_expect_not(ip.fragment);
    cr_expect_eq(ip.protocol, IP_PROTO_UDP);
    expect_hex(ip.payload, UDP, "payload");
}

Test(ip6_chain, behind_a_later_fragment_everything_is_data)
{
    static const struct {
        const char *header;
        uint8_t protocol;
    } cases[] = {
        {"11 00 0008 12345678", IP_PROTO_UDP}, /* offset 1 unit, the last */
        {"11 00 fff9 12345678", IP_PROTO_UDP}, /* offset 8191 units, more to come */
        {"3c 00 0100 12345678", DESTINATION},  /* what looks like a header is data */
        {"2c 00 0100 12345678", FRAGMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[200];
        struct ip_header ip;
        struct wr wr = wr_init(room, sizeof room);
        put_fixed(&wr, FRAGMENT, 16);
        wr_hex(&wr, cases[i].header);
        wr_hex(&wr, UDP);
        cr_assert_eq(ip_decode(written(&wr), IP_WHOLE, &ip), 0, "case %zu", i);
        cr_expect(ip.fragment, "case %zu", i);
        cr_expect_eq(ip.protocol, cases[i].protocol, "case %zu", i);
        expect_hex(ip.payload, UDP, "payload");
    }
}

Test(ip6_chain, a_chain_cut_anywhere_is_refused)
{
    uint8_t room[200];
    struct wr wr = wr_init(room, sizeof room);
    put_fixed(&wr, HOP_BY_HOP, 0);
    put_options(&wr, AUTHENTICATION, 1);
    wr_hex(&wr, "2c 04 0000 00000001 00000002 0123456789abcdef01234567"); /* AH, 4+2 words */
    wr_hex(&wr, "11 00 0000 12345678");                                   /* fragment, offset 0 */
    size_t headers = wr.len;
    wr_hex(&wr, UDP);
    for (size_t len = 40; len <= wr.len; len++) {
        struct tail tail;
        struct ip_header ip;
        struct sonde_span part = tail_copy(&tail, span_sub(written(&wr), 0, len));
        int r = ip_decode(part, IP_QUOTED, &ip);
        cr_expect_eq(r, len < headers ? -EBADMSG : 0, "%zu bytes", len);
        if (r == 0)
            cr_expect_eq(ip.payload.len, len - headers, "%zu bytes", len);
    }
}
