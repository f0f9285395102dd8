/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as text, and which texts are none. */
#include "base/addr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sonde/types.h>
#include <string.h>

Test(addr, ipv6_is_written_as_rfc_5952_says)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        /* §4.1: no leading zeros, a field of zeros is one 0 */
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0000:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        /* §4.2.1: shortened as far as possible */
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8::0:1", "2001:db8::1"},
        /* §4.2.2: one field of zeros is not shortened */
        {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        /* §4.2.3: the longest run, of equal ones the first */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        /* §4.3: lower case */
        {"2001:DB8::AAAA:BBBB", "2001:db8::aaaa:bbbb"},
        /* an embedded IPv4 address whose prefix is not that of a mapped one is left alone */
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
        {"::fffe:192.0.2.1", "::fffe:c000:201"},
        {"0:0:0:0:1:ffff:192.0.2.1", "::1:ffff:c000:201"},
        /* the ends of the range */
        {"0:0:0:0:0:0:0:0", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"1:0:0:0:0:0:0:0", "1::"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_addr addr;
        char text[SONDE_ADDR_TEXT_BYTES];
        cr_assert_eq(sonde_addr_parse(cases[i].in, &addr), 0, "%s", cases[i].in);
        cr_expect_eq(addr.family, SONDE_FAMILY_IPV6, "%s", cases[i].in);
        cr_expect_str_eq(sonde_addr_text(&addr, text), cases[i].out, "%s: %s", cases[i].in, text);
    }
}

/* RFC 4291 §2.5.5.2: ::ffff:0:0/96 holds the addresses of IPv4; no packet over IPv6 has one. */
Test(addr, a_mapped_address_is_the_ipv4_address_in_it)
{
    static const char *const cases[][2] = {
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"0:0:0:0:0:FFFF:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"::ffff:0:0", "0.0.0.0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_addr addr;
        struct sonde_addr plain;
        cr_assert_eq(sonde_addr_parse(cases[i][0], &addr), 0, "%s", cases[i][0]);
        cr_assert_eq(sonde_addr_parse(cases[i][1], &plain), 0);
        cr_expect_eq(addr.family, SONDE_FAMILY_IPV4, "%s", cases[i][0]);
        cr_expect(sonde_addr_equal(&addr, &plain), "%s", cases[i][0]);
        cr_expect_arr_eq(addr.bytes, plain.bytes, sizeof addr.bytes, "%s", cases[i][0]);
    }
}

Test(addr, text_becomes_bytes_in_network_order)
{
    static const struct {
        const char *text;
        struct sonde_addr addr;
    } cases[] = {
        {"192.0.2.1", {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 1}}},
        {"0.0.0.0", {.family = SONDE_FAMILY_IPV4}},
        {"255.255.255.255", {.family = SONDE_FAMILY_IPV4, .bytes = {255, 255, 255, 255}}},
        {"2001:db8::a:1",
         {.family = SONDE_FAMILY_IPV6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [13] = 0x0a, [15] = 1}}},
        {"::", {.family = SONDE_FAMILY_IPV6}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_addr addr;
        char text[SONDE_ADDR_TEXT_BYTES];
        memset(&addr, 0xee, sizeof addr); /* nothing of what was there stays */
        cr_assert_eq(sonde_addr_parse(cases[i].text, &addr), 0, "%s", cases[i].text);
        cr_expect_eq(addr.family, cases[i].addr.family, "%s", cases[i].text);
        cr_expect_arr_eq(addr.bytes, cases[i].addr.bytes, 16, "%s", cases[i].text);
        cr_expect_eq(addr.scope, 0, "%s", cases[i].text);
        cr_expect_str_eq(sonde_addr_text(&addr, text), cases[i].text);
    }
}

Test(addr, what_is_no_numeric_address_is_refused_and_changes_nothing)
{
    static const char *const words[] = {
        "",
        " ",
        "example",
        "localhost",
        "-",
        /* legacy forms of IPv4: other notations, other numbers of parts */
        "127.1",
        "1",
        "0",
        "10.1.2",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "010.1.1.1",
        "192.0.2.01",
        /* other things that are almost one */
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.0.0.1",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.4/24",
        "1.2.3.4:80",
        "+1.2.3.4",
        "-1.2.3.4",
        "1.2.3.1e0",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "::g",
        "[::1]",
        "::1/64",
        "::1 ",
        "::1.2.3",
        "::256.0.0.1",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        /* a zone: whoever reads those knows interfaces */
        "fe80::1%1",
        "fe80::1%lo",
        "192.0.2.1%1",
        "::ffff:192.0.2.1%1",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct sonde_addr addr = {.family = 99, .scope = 7};
        cr_expect_eq(sonde_addr_parse(words[i], &addr), -EINVAL, "%s", words[i]);
        cr_expect_eq(addr.family, 99, "%s", words[i]);
        cr_expect_eq(addr.scope, 7, "%s", words[i]);
    }
}

Test(addr, a_scope_follows_the_address)
{
    static const struct {
        uint32_t scope;
        const char *text;
    } cases[] = {{0, "fe80::1"}, {2, "fe80::1%2"}, {UINT32_MAX, "fe80::1%4294967295"}};
    struct sonde_addr addr;
    char text[SONDE_ADDR_TEXT_BYTES];
    cr_assert_eq(sonde_addr_parse("fe80::1", &addr), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        addr.scope = cases[i].scope;
        cr_expect_str_eq(sonde_addr_text(&addr, text), cases[i].text);
    }
}

Test(addr, the_longest_text_fits_its_buffer)
{
    char text[SONDE_ADDR_TEXT_BYTES];
    struct sonde_addr addr = {.family = SONDE_FAMILY_IPV6, .scope = UINT32_MAX};
    memset(addr.bytes, 0xff, sizeof addr.bytes);
    cr_expect_str_eq(sonde_addr_text(&addr, text),
                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
}

Test(addr, no_address_is_written_as_a_dash)
{
    char text[SONDE_ADDR_TEXT_BYTES];
    cr_expect_str_eq(sonde_addr_text(&(struct sonde_addr){0}, text), "-");
}

Test(addr, addresses_are_equal_if_family_bytes_and_known_scopes_agree)
{
    static const struct {
        struct sonde_addr a;
        struct sonde_addr b;
        bool equal;
    } cases[] = {
        {{0}, {0}, true},
        {{4, {192, 0, 2, 1}, 0}, {4, {192, 0, 2, 1}, 0}, true},
        {{4, {192, 0, 2, 1}, 0}, {4, {192, 0, 2, 2}, 0}, false},
        {{4, {192, 0, 2, 1}, 0}, {6, {192, 0, 2, 1}, 0}, false},
        {{4, {0}, 0}, {0}, false}, /* 0.0.0.0 is an address */
        {{6, {0xfe, 0x80, [15] = 1}, 2}, {6, {0xfe, 0x80, [15] = 1}, 2}, true},
        {{6, {0xfe, 0x80, [15] = 1}, 2}, {6, {0xfe, 0x80, [15] = 1}, 3}, false},
        {{6, {0xfe, 0x80, [15] = 1}, 2}, {6, {0xfe, 0x80, [15] = 1}, 0}, true}, /* unknown */
        {{6, {0xfe, 0x80, [15] = 1}, 2}, {6, {0xfe, 0x80, [15] = 2}, 2}, false},
        {{6, {[15] = 1}, 0}, {6, {0}, 0}, false}, /* the last byte counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(sonde_addr_equal(&cases[i].a, &cases[i].b), cases[i].equal, "case %zu", i);
        cr_expect_eq(sonde_addr_equal(&cases[i].b, &cases[i].a), cases[i].equal, "case %zu", i);
    }
}

Test(addr, link_local_addresses_are_those_of_fe80_10)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {{"fe80::1", true},  {"febf:ffff::1", true}, {"fe7f::1", false},
                 {"fec0::1", false}, {"ff02::1", false},     {"2001:db8::1", false},
                 {"::1", false},     {"254.128.0.1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_addr addr;
        cr_assert_eq(sonde_addr_parse(cases[i].text, &addr), 0);
        cr_expect_eq(addr_is_link_local(&addr), cases[i].is, "%s", cases[i].text);
    }
}

/* RFC 4007 §11.2: the name of a zone. A name that would do harm on a terminal is not shown. */
Test(addr, a_zone_is_written_by_its_name)
{
    static const struct sonde_zone items[] = {
        {2, "eth0"}, {3, "a-b.c@if15chars"}, {4, "x\033[2J"}, {5, ""}, {6, "a b"}};
    static const struct sonde_zones zones = {items, sizeof items / sizeof *items};
    static const struct {
        uint32_t scope;
        const char *text;
    } cases[] = {{0, "fe80::1"},   {2, "fe80::1%eth0"}, {3, "fe80::1%a-b.c@if15chars"},
                 {4, "fe80::1%4"}, {5, "fe80::1%5"},    {6, "fe80::1%6"},
                 {7, "fe80::1%7"}};
    struct sonde_addr addr;
    char text[SONDE_ADDR_TEXT_BYTES];
    cr_assert_eq(sonde_addr_parse("fe80::1", &addr), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        addr.scope = cases[i].scope;
        cr_expect_str_eq(sonde_addr_text_zoned(&addr, &zones, text), cases[i].text);
    }
    cr_expect_str_eq(sonde_addr_text_zoned(&(struct sonde_addr){0}, &zones, text), "-");
    addr = (struct sonde_addr){.family = SONDE_FAMILY_IPV6, .scope = 3};
    memset(addr.bytes, 0xff, sizeof addr.bytes);
    cr_expect_str_eq(sonde_addr_text_zoned(&addr, &zones, text),
                     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%a-b.c@if15chars");
}
