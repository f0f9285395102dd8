/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum, against sums done by hand. */
#include "base/prng.h"
#include "spell.h"
#include "wire/csum.h"

#include <criterion/criterion.h>

Test(csum, the_example_of_rfc_1071_section_3)
{
    struct tail tail;
    struct sonde_span bytes = tail_hex(&tail, "0001 f203 f4f5 f6f7");
    /* 0001 + f203 + f4f5 + f6f7 = 2ddf0; ddf0 + 2 = ddf2; its complement is 220d */
    cr_expect_eq(csum_add(0, bytes), 0x2ddf0);
    cr_expect_eq(csum_fold(0x2ddf0), 0xddf2);
    cr_expect_eq(csum_finish(0x2ddf0), 0x220d);
}

Test(csum, bytes_are_summed_as_words_and_an_odd_last_byte_is_high)
{
    static const struct {
        const char *hex;
        uint64_t sum;
    } cases[] = {
        {"", 0},
        {"01", 0x0100},
        {"ff", 0xff00},
        {"01 02", 0x0102},
        {"01 02 03", 0x0402},
        {"ffff ffff", 0x1fffe},
        {"0001 f203 f4f5 f6", 0x2dcf9}, /* 0001 + f203 + f4f5 + f600 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sonde_span bytes = tail_hex(&tail, cases[i].hex);
        cr_expect_eq(csum_add(0, bytes), cases[i].sum, "%s", cases[i].hex);
        cr_expect_eq(csum_add(0x123456, bytes), cases[i].sum + 0x123456, "%s", cases[i].hex);
    }
    cr_expect_eq(csum_add(7, (struct sonde_span){NULL, 0}), 7);
}

Test(csum, carries_come_round_until_none_is_left)
{
    static const struct {
        uint64_t sum;
        uint16_t folded;
    } cases[] = {
        {0, 0},
        {0xffff, 0xffff},
        {0x10000, 1},
        {0x1fffe, 0xffff},
        {0x1ffff, 1},         /* ffff + 1 = 10000, which carries once more */
        {0x10001ffff, 2},     /* ffff + 10001 = 20000; 0 + 2 */
        {UINT64_MAX, 0xffff}, /* four words of ones: ffff * 4, and ffff is a zero */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(csum_fold(cases[i].sum), cases[i].folded, "case %zu", i);
        cr_expect_eq(csum_finish(cases[i].sum), (uint16_t)~cases[i].folded, "case %zu", i);
    }
}

/*
 * IP 192.168.0.1 > 192.168.0.199: UDP, total length 115, ttl 64, DF, checksum b861
 * 4500 + 0073 + 4000 + 4011 + c0a8 + 0001 + c0a8 + 00c7 = 2479c; 479c + 2 = 479e; ~ = b861
 */
Test(csum, an_ipv4_header_sums_to_its_checksum_and_with_it_to_ones)
{
    struct tail tail;
    struct sonde_span bare = tail_hex(&tail, "4500 0073 0000 4000 4011 0000 c0a80001 c0a800c7");
    cr_expect_eq(csum_add(0, bare), 0x2479c);
    cr_expect_eq(csum_finish(csum_add(0, bare)), 0xb861);
    struct sonde_span whole = tail_hex(&tail, "4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7");
    cr_expect_eq(csum_fold(csum_add(0, whole)), 0xffff);
}

Test(csum, pseudo_headers_are_summed_by_family)
{
    static const struct {
        const char *src;
        const char *dst;
        uint8_t protocol;
        uint32_t len;
        uint64_t sum;
    } cases[] = {
        /* c000 + 0201 + c633 + 6402 + 0011 + 000c; RFC 768 */
        {"192.0.2.1", "198.51.100.2", 17, 12, 0x1ec53},
        /* 2001 + 0db8 + 0001, 2001 + 0db8 + 0002, length 0000 + 000c, next header 003a; RFC 8200
           §8.1 */
        {"2001:db8::1", "2001:db8::2", 58, 12, 0x5bbb},
        /* as before, but the length is 0001 2345 and the next header 0006 */
        {"2001:db8::1", "2001:db8::2", 6, 0x12345, 0x7ec1},
        /* all 16 bytes count: 1 + 2 + ... + 8 = 0024; 8 * 1000 = 8000 */
        {"1:2:3:4:5:6:7:8", "1000:1000:1000:1000:1000:1000:1000:1000", 0, 0, 0x8024},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_addr src = addr_of(cases[i].src);
        const struct sonde_addr dst = addr_of(cases[i].dst);
        cr_expect_eq(csum_pseudo(&src, &dst, cases[i].protocol, cases[i].len), cases[i].sum,
                     "case %zu", i);
        cr_expect_eq(csum_pseudo(&dst, &src, cases[i].protocol, cases[i].len), cases[i].sum,
                     "case %zu, the other way", i);
    }
}

Test(csum, compensation_by_hand)
{
    static const struct {
        uint64_t sum;
        uint16_t wanted;
        uint16_t word;
    } cases[] = {
        /* the RFC 1071 example: for 220d nothing is to be added; one's complement has two zeros */
        {0x2ddf0, 0x220d, 0xffff},
        {0x2ddf0, 0x220c, 0x0001}, /* a checksum one less needs a sum one more */
        {0x2ddf0, 0x220e, 0xfffe}, /* and minus 1 is fffe */
        {0, 0xedcb, 0x1234},
        {0, 0x0000, 0xffff},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(csum_compensate(cases[i].sum, cases[i].wanted), cases[i].word, "case %zu", i);
}

/* Sum the bytes the slow way: word by word, with the carry brought round at once (RFC 1071 §1). */
static uint16_t slow_checksum(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        if (sum > 0xffff)
            sum -= 0xffff;
    }
    return (uint16_t)~sum;
}

Test(csum, a_compensated_packet_has_the_wanted_checksum)
{
    static const uint16_t edges[] = {0x0000, 0x0001, 0x7fff, 0x8000, 0xfffe, 0xffff};
    struct prng prng = {1071};
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t len = 4 + prng_below(&prng, 61); /* even and odd */
        size_t at = prng_below(&prng, (uint32_t)len / 2) * 2;
        bool ones = prng_below(&prng, 8) == 0; /* sums at the edge: all bytes 00 or ff */
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)(ones ? (round % 2 == 0 ? 0xff : 0x00) : prng_next(&prng));
        bytes[at] = bytes[at + 1] = 0;
        uint16_t wanted =
            prng_below(&prng, 4) == 0 ? edges[prng_below(&prng, 6)] : (uint16_t)prng_next(&prng);
        uint16_t word = csum_compensate(csum_add(0, (struct sonde_span){bytes, len}), wanted);
        bytes[at] = (uint8_t)(word >> 8);
        bytes[at + 1] = (uint8_t)word;
        /* ffff would need a sum of 0, which no sum of anything else reaches: then it is ones */
        uint16_t expected = wanted == 0xffff ? 0x0000 : wanted;
        if (slow_checksum(bytes, len) != expected)
            cr_assert_fail("round %u: %04x instead of %04x", round, slow_checksum(bytes, len),
                           expected);
    }
}
