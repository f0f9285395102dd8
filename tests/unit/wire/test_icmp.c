/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP headers: what a type means to us, and where an error's quote ends. */
#include "spell.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(icmp, every_field_is_read)
{
    struct tail tail;
    struct icmp_header icmp;
    /* unreachable, fragmentation needed, next-hop MTU 1280, length 32 words */
    cr_assert_eq(icmp_decode(tail_hex(&tail, "03 04 abcd 00 20 0500 4500"), &icmp), 0);
    cr_expect_eq(icmp.type, 3);
    cr_expect_eq(icmp.code, 4);
    cr_expect_eq(icmp.checksum, 0xabcd);
    cr_expect_eq(icmp.info, 0x00200500);
    expect_hex(icmp.body, "4500", "body");
}

Test(icmp, a_header_cut_anywhere_is_refused)
{
    struct tail whole;
    struct sonde_span bytes = tail_hex(&whole, "00 00 ffff 0001 0002");
    for (size_t len = 0; len <= 8; len++) {
        struct tail tail;
        struct icmp_header icmp = {.type = 77};
        int r = icmp_decode(tail_copy(&tail, span_sub(bytes, 0, len)), &icmp);
        cr_expect_eq(r, len < 8 ? -EBADMSG : 0, "%zu", len);
        cr_expect_eq(icmp.type, len < 8 ? 77 : 0, "%zu", len);
    }
}

Test(icmp, a_header_is_written_without_checksum)
{
    uint8_t room[8];
    struct wr wr = wr_init(room, sizeof room);
    icmp_encode(&wr, 8, 1, 0x12345678);
    expect_hex(written(&wr), "08 01 0000 12345678", "header");
    wr = wr_init(room, 7);
    icmp_encode(&wr, 8, 1, 0);
    cr_expect_not(wr_ok(&wr));
}

/* All types that are not listed, assigned or not, end no probe. */
static void expect_classes(enum sonde_family family, const uint8_t *errors, size_t count,
                           uint8_t answer)
{
    for (unsigned type = 0; type <= 255; type++) {
        enum icmp_class expected = type == answer ? ICMP_ECHO_ANSWER : ICMP_OTHER;
        for (size_t i = 0; i < count; i++)
            expected = type == errors[i] ? ICMP_ERROR : expected;
        cr_expect_eq(icmp_classify(family, (uint8_t)type), expected, "type %u", type);
    }
}

Test(icmp, types_of_icmp_are_told_apart)
{
    /* RFC 792: unreachable, time exceeded, parameter problem; source quench (4) and redirect (5)
       quote a packet too, but it was passed on */
    static const uint8_t errors[] = {3, 11, 12};
    expect_classes(SONDE_FAMILY_IPV4, errors, sizeof errors, 0);
}

Test(icmp, types_of_icmpv6_are_told_apart)
{
    /* RFC 4443: unreachable, too big, time exceeded, parameter problem; 129 is the echo reply */
    static const uint8_t errors[] = {1, 2, 3, 4};
    expect_classes(SONDE_FAMILY_IPV6, errors, sizeof errors, 129);
}

Test(icmp, only_code_0_of_time_exceeded_is_a_hop)
{
    for (unsigned type = 0; type <= 255; type++) {
        for (unsigned code = 0; code <= 2; code++) { /* code 1: reassembly took too long */
            bool exceeded4 = icmp_is_ttl_exceeded(SONDE_FAMILY_IPV4, (uint8_t)type, (uint8_t)code);
            bool exceeded6 = icmp_is_ttl_exceeded(SONDE_FAMILY_IPV6, (uint8_t)type, (uint8_t)code);
            if (exceeded4 != (type == 11 && code == 0) || exceeded6 != (type == 3 && code == 0))
                cr_expect_fail("%u/%u", type, code);
        }
        if (icmp_is_unreachable(SONDE_FAMILY_IPV4, (uint8_t)type) != (type == 3) ||
            icmp_is_unreachable(SONDE_FAMILY_IPV6, (uint8_t)type) != (type == 1))
            cr_expect_fail("%u", type);
    }
}

/* RFC 1122 §3.2.2.1: 3/2; RFC 4443 §3.4: parameter problem, unrecognized next header */
Test(icmp, a_host_says_that_it_lacks_a_protocol_in_each_familys_way)
{
    for (unsigned type = 0; type <= 255; type++) {
        for (unsigned code = 0; code <= 255; code++) {
            bool lacks4 = icmp_is_unknown_protocol(SONDE_FAMILY_IPV4, (uint8_t)type, (uint8_t)code);
            bool lacks6 = icmp_is_unknown_protocol(SONDE_FAMILY_IPV6, (uint8_t)type, (uint8_t)code);
            if (lacks4 != (type == 3 && code == 2) || lacks6 != (type == 4 && code == 1))
                cr_expect_fail("%u/%u", type, code);
        }
    }
}

/* RFC 1191 §4: 3/4, with the MTU in the last 16 bits; RFC 4443 §3.2: type 2, whatever the code */
Test(icmp, what_is_too_big_says_what_fits)
{
    for (unsigned type = 0; type <= 255; type++) {
        for (unsigned code = 0; code <= 255; code++) {
            bool too_big4 = icmp_is_too_big(SONDE_FAMILY_IPV4, (uint8_t)type, (uint8_t)code);
            bool too_big6 = icmp_is_too_big(SONDE_FAMILY_IPV6, (uint8_t)type, (uint8_t)code);
            if (too_big4 != (type == 3 && code == 4) || too_big6 != (type == 2))
                cr_expect_fail("%u/%u", type, code);
        }
    }
    cr_expect_eq(icmp_mtu_bytes(SONDE_FAMILY_IPV4, 0x00000514), 1300);
    cr_expect_eq(icmp_mtu_bytes(SONDE_FAMILY_IPV4, 0x00210514), 1300, "beside a length");
    cr_expect_eq(icmp_mtu_bytes(SONDE_FAMILY_IPV4, 0x00200000), 0, "from before RFC 1191");
    cr_expect_eq(icmp_mtu_bytes(SONDE_FAMILY_IPV6, 0x00010514), 66836);
}

Test(icmp, the_length_attribute_stands_where_its_family_has_it)
{
    static const struct {
        enum sonde_family family;
        const char *hex;
        size_t bytes;
    } cases[] = {
        /* RFC 4884 §4.1 to §4.3: the sixth byte, in words of 32 bits */
        {SONDE_FAMILY_IPV4, "03 00 0000 00 20 0000", 128},
        {SONDE_FAMILY_IPV4, "03 04 0000 00 21 05dc", 132}, /* beside an MTU */
        {SONDE_FAMILY_IPV4, "0b 00 0000 00 ff 0000", 1020},
        {SONDE_FAMILY_IPV4, "0c 00 0000 14 20 0000", 128}, /* beside a pointer */
        {SONDE_FAMILY_IPV4, "0b 00 0000 ff 00 ffff", 0},
        /* no such attribute: quench, redirect (a gateway stands there), echo */
        {SONDE_FAMILY_IPV4, "04 00 0000 00 20 0000", 0},
        {SONDE_FAMILY_IPV4, "05 01 0000 c0 20 0201", 0},
        {SONDE_FAMILY_IPV4, "00 00 0000 00 20 0001", 0},
        /* RFC 4884 §4.4 and §4.5: the fifth byte, in words of 64 bits */
        {SONDE_FAMILY_IPV6, "01 04 0000 10 000000", 128},
        {SONDE_FAMILY_IPV6, "03 00 0000 11 000000", 136},
        {SONDE_FAMILY_IPV6, "03 00 0000 ff 000000", 2040},
        {SONDE_FAMILY_IPV6, "03 00 0000 00 ffffff", 0},
        /* no such attribute: too big (an MTU stands there), parameter problem (a pointer) */
        {SONDE_FAMILY_IPV6, "02 00 0000 10 000500", 0},
        {SONDE_FAMILY_IPV6, "04 01 0000 10 000028", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct icmp_header icmp;
        cr_assert_eq(icmp_decode(tail_hex(&tail, cases[i].hex), &icmp), 0);
        cr_expect_eq(icmp_quoted_bytes(cases[i].family, &icmp), cases[i].bytes, "%s", cases[i].hex);
    }
}

Test(icmp, a_length_is_stated_where_it_is_read)
{
    cr_expect_eq(icmp_quoted_info(SONDE_FAMILY_IPV4, 128), 0x00200000);
    cr_expect_eq(icmp_quoted_info(SONDE_FAMILY_IPV6, 128), 0x10000000);
    for (size_t words = 0; words <= 255; words++) {
        struct icmp_header exceeded4 = {.type = 11};
        struct icmp_header exceeded6 = {.type = 3};
        exceeded4.info = icmp_quoted_info(SONDE_FAMILY_IPV4, words * 4);
        exceeded6.info = icmp_quoted_info(SONDE_FAMILY_IPV6, words * 8);
        cr_expect_eq(icmp_quoted_bytes(SONDE_FAMILY_IPV4, &exceeded4), words * 4);
        cr_expect_eq(icmp_quoted_bytes(SONDE_FAMILY_IPV6, &exceeded6), words * 8);
    }
}
