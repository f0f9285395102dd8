/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface information object of RFC 5837: four sub-objects, each there or not as the C-Type
 * says, in the order of its bits. §4.1:
 *
 *     0     1     2     3     4     5     6     7
 *   | role      | reserved  |index| addr| name| MTU |
 */
#include "spell.h"
#include "wire/icmpext.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define INDEX "0000000f"                                   /* 15 */
#define ADDR4 "0001 0000 c0000209"                         /* AFI 1, 192.0.2.9 */
#define ADDR6 "0002 0000 20010db8000000000000000000000009" /* AFI 2, 2001:db8::9 */
#define NAME "08 65746830 000000"                          /* 8 bytes in all, "eth0" */
#define MTU "000005dc"                                     /* 1500 */

enum {
    HAS_INDEX = 0x08,
    HAS_ADDR = 0x04,
    HAS_NAME = 0x02,
    HAS_MTU = 0x01,
};

/* Decode one object of this C-Type and payload, and behind it one of an unknown class. */
static struct sonde_extensions decode(unsigned c_type, const char *payload)
{
    uint8_t room[TAIL_BYTES];
    struct tail tail;
    struct sonde_extensions ext;
    struct wr wr = wr_init(room, sizeof room);
    memset(&ext, 0xee, sizeof ext);
    wr_fill(&wr, 0xee, 128);
    wr_hex(&wr, "20 00 0000");
    size_t object = wr.len;
    wr_hex(&wr, "0000 02");
    wr_u8(&wr, (uint8_t)c_type);
    wr_hex(&wr, payload);
    wr_patch_u16(&wr, object, (uint16_t)(wr.len - object));
    wr_hex(&wr, "0004 f7 00");
    struct icmpext_parts parts = icmpext_divide(tail_copy(&tail, written(&wr)), 128);
    icmpext_decode(&parts, &ext);
    cr_assert_eq(ext.count, 2, "C-Type %02x: %s", c_type, payload);
    cr_assert_eq(ext.items[0].kind, SONDE_EXTENSION_INTERFACE);
    cr_expect_eq(ext.items[0].class_num, 2);
    cr_expect_eq(ext.items[0].c_type, c_type);
    cr_expect_eq(ext.items[1].class_num, 0xf7);
    return ext;
}

Test(interface, every_c_type_is_read_as_its_bits_say)
{
    for (unsigned c_type = 0; c_type <= 255; c_type++) {
        for (unsigned ipv6 = 0; ipv6 <= 1; ipv6++) {
            char payload[200];
            (void)snprintf(payload, sizeof payload, "%s%s%s%s", c_type & HAS_INDEX ? INDEX : "",
                           c_type & HAS_ADDR ? (ipv6 ? ADDR6 : ADDR4) : "",
                           c_type & HAS_NAME ? NAME : "", c_type & HAS_MTU ? MTU : "");
            const struct sonde_extensions ext = decode(c_type, payload);
            const struct sonde_interface *interface = &ext.items[0].u.interface;
            cr_expect_eq(interface->role, c_type / 64, "%02x", c_type);
            cr_expect_eq(interface->index, c_type & HAS_INDEX ? 15 : 0, "%02x", c_type);
            const char *addr = ipv6 ? "2001:db8::9" : "192.0.2.9";
            expect_addr(&interface->addr, c_type & HAS_ADDR ? addr : "-");
            cr_expect_str_eq(interface->name, c_type & HAS_NAME ? "eth0" : "", "%02x", c_type);
            cr_expect_eq(interface->mtu, c_type & HAS_MTU ? 1500 : 0, "%02x", c_type);
            cr_expect_not(ext.malformed || ext.truncated, "%02x", c_type);
        }
    }
}

Test(interface, roles_have_the_numbers_of_the_rfc)
{
    cr_expect_eq(SONDE_INTERFACE_INCOMING, 0);
    cr_expect_eq(SONDE_INTERFACE_SUB_IP, 1);
    cr_expect_eq(SONDE_INTERFACE_OUTGOING, 2);
    cr_expect_eq(SONDE_INTERFACE_NEXT_HOP, 3);
}

Test(interface, what_is_whole_before_the_object_ends_stays)
{
    /* C-Type 0f promises all four: index in bytes 0-3, IPv4 in 4-11, name in 12-19, MTU in 20-23 */
    static const struct {
        const char *payload;
        uint32_t index;
        const char *addr;
        const char *name;
    } cases[] = {
        {"", 0, "-", ""},
        {INDEX, 15, "-", ""},
        {INDEX "0001 0000", 15, "-", ""}, /* the address is missing */
        {INDEX ADDR4, 15, "192.0.2.9", ""},
        {INDEX ADDR4 "08 657468", 15, "192.0.2.9", ""},              /* the name ends too early */
        {INDEX ADDR4 NAME, 15, "192.0.2.9", "eth0"},                 /* the MTU is missing */
        {INDEX "0002 0000 20010db8 00000000 00000000", 15, "-", ""}, /* 12 bytes of IPv6 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_extensions ext = decode(0x0f, cases[i].payload);
        const struct sonde_interface *interface = &ext.items[0].u.interface;
        cr_expect(ext.malformed, "case %zu", i);
        cr_expect_eq(interface->index, cases[i].index, "case %zu", i);
        expect_addr(&interface->addr, cases[i].addr);
        cr_expect_str_eq(interface->name, cases[i].name, "case %zu", i);
        cr_expect_eq(interface->mtu, 0, "case %zu", i);
    }
}

Test(interface, an_address_of_an_unknown_family_ends_the_object)
{
    static const char *const families[] = {"0000 0000", "0003 0000", "4005 0000", "ffff 0000"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        char payload[200];
        (void)snprintf(payload, sizeof payload, INDEX "%s c0000209" NAME, families[i]);
        const struct sonde_extensions ext = decode(HAS_INDEX | HAS_ADDR | HAS_NAME, payload);
        const struct sonde_interface *interface = &ext.items[0].u.interface;
        cr_expect(ext.malformed, "%s", families[i]);
        cr_expect_eq(interface->index, 15, "%s", families[i]);
        expect_addr(&interface->addr, "-");
        cr_expect_str_eq(interface->name, "", "%s: where it starts is unknown", families[i]);
    }
}

Test(interface, an_address_is_kept_as_sent)
{
    static const struct {
        const char *payload;
        const char *addr;
    } cases[] = {
        {"0001 ffff 00000000", "0.0.0.0"}, /* reserved bytes change nothing */
        {"0001 0000 ffffffff", "255.255.255.255"},
        {"0002 0000 00000000000000000000000000000000", "::"},
        {"0002 ffff fe800000000000000000000000000001", "fe80::1"},
        {"0002 0000 00000000000000000000ffffc0000209", "::ffff:192.0.2.9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_extensions ext = decode(HAS_ADDR, cases[i].payload);
        expect_addr(&ext.items[0].u.interface.addr, cases[i].addr);
        cr_expect_not(ext.malformed, "case %zu", i);
    }
}

/* A name sub-object: STATED as its length byte, then LEN bytes of name and padding; then an MTU. */
static struct sonde_extensions decode_name(uint8_t stated, const char *name, size_t len)
{
    char payload[400];
    int at = snprintf(payload, sizeof payload, "%02x", stated);
    for (size_t i = 0; i < len; i++)
        at += snprintf(payload + at, sizeof payload - (size_t)at, "%02x", (unsigned char)name[i]);
    (void)snprintf(payload + at, sizeof payload - (size_t)at, MTU);
    return decode(HAS_NAME | HAS_MTU, payload);
}

#define NAME_63                                                                                    \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-" /* 26 + 26 + 11              \
                                                                       */

Test(interface, names_of_every_legal_length_are_read)
{
    static const struct {
        const char *name; /* with its padding */
        size_t len;
        const char *read;
    } cases[] = {
        {"\0\0\0", 3, ""},
        {"a\0\0", 3, "a"},
        {"eth", 3, "eth"}, /* no padding: the length ends it */
        {"eth0\0\0\0", 7, "eth0"},
        {"eth0.10", 7, "eth0.10"},
        {NAME_63, 63, NAME_63},                  /* the longest; RFC 5837 §4.3 */
        {"a\0b", 3, "a"},                        /* a string ends at its first NUL */
        {"\033[2Jx\377\n", 7, "\033[2Jx\377\n"}, /* made harmless where it is shown, not here */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_extensions ext =
            decode_name((uint8_t)(cases[i].len + 1), cases[i].name, cases[i].len);
        cr_expect_str_eq(ext.items[0].u.interface.name, cases[i].read, "case %zu", i);
        cr_expect_eq(ext.items[0].u.interface.mtu, 1500, "case %zu: what follows it", i);
        cr_expect_not(ext.malformed, "case %zu", i);
    }
}

Test(interface, a_name_of_an_impossible_length_is_not_read)
{
    static const uint8_t lengths[] = {
        0,  1,  2,   3,   5, 6, 7, 9, 61, 62, 63, 65, 66, 67, 127, 255, /* no multiple of 4 */
        68, 72, 128, 252,                                               /* longer than allowed */
    };
    for (size_t i = 0; i < sizeof lengths; i++) {
        const struct sonde_extensions ext = decode_name(lengths[i], NAME_63 NAME_63 "\0", 127);
        cr_expect(ext.malformed, "%u", lengths[i]);
        cr_expect_str_eq(ext.items[0].u.interface.name, "", "%u", lengths[i]);
        cr_expect_eq(ext.items[0].u.interface.mtu, 0, "%u: where it starts is unknown", lengths[i]);
    }
}

Test(interface, a_name_that_ends_beyond_the_object_is_not_read)
{
    static const uint8_t lengths[] = {12, 16, 64};
    for (size_t i = 0; i < sizeof lengths; i++) {
        const struct sonde_extensions ext = decode_name(lengths[i], "eth", 3); /* 8 with the MTU */
        cr_expect(ext.malformed, "%u", lengths[i]);
        cr_expect_str_eq(ext.items[0].u.interface.name, "", "%u", lengths[i]);
    }
}

Test(interface, all_sub_objects_are_written_in_the_order_of_their_bits)
{
    uint8_t room[128];
    struct sonde_extensions ext = {
        .count = 1,
        .items = {{.kind = SONDE_EXTENSION_INTERFACE,
                   .class_num = 2,
                   .c_type = 0x8f, /* outgoing, all four */
                   .u.interface = {.role = SONDE_INTERFACE_OUTGOING,
                                   .index = 15,
                                   .mtu = 1500,
                                   .addr = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 9}},
                                   .name = "eth0"}}},
    };
    struct wr wr = wr_init(room, sizeof room);
    icmpext_encode(&wr, &ext);
    /* 2000 + 001c + 028f + 000f + 0001 + c000 + 0209 + 0865 + 7468 + 3000 + 05dc = 1976d;
       976d + 1 = 976e; ~ = 6891 */
    expect_hex(written(&wr), "20 00 6891 001c 02 8f" INDEX ADDR4 NAME MTU, "all four");
}

Test(interface, what_is_written_is_read_again)
{
    static const char *const names[] = {"", "a", "ab", "abc", "abcd", "abcdefg", NAME_63};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t room[256];
        struct sonde_extensions read;
        struct sonde_extensions ext = {.count = 1};
        ext.items[0] = (struct sonde_extension){.kind = SONDE_EXTENSION_INTERFACE,
                                                .class_num = 2,
                                                .c_type = 0xc0 | HAS_ADDR | HAS_NAME | HAS_MTU};
        struct sonde_interface *interface = &ext.items[0].u.interface;
        interface->mtu = UINT32_MAX;
        cr_assert_eq(sonde_addr_parse("2001:db8::9", &interface->addr), 0);
        (void)snprintf(interface->name, sizeof interface->name, "%s", names[i]);
        struct wr wr = wr_init(room, sizeof room);
        icmpext_encode(&wr, &ext);
        struct icmpext_parts parts = {.structure = written(&wr)};
        icmpext_decode(&parts, &read);
        cr_assert_eq(read.count, 1, "%s", names[i]);
        cr_expect_not(read.malformed || read.bad_checksum, "%s", names[i]);
        cr_expect_eq(read.items[0].u.interface.role, SONDE_INTERFACE_NEXT_HOP);
        cr_expect_str_eq(read.items[0].u.interface.name, names[i]);
        cr_expect_eq(read.items[0].u.interface.mtu, UINT32_MAX, "%s", names[i]);
        expect_addr(&read.items[0].u.interface.addr, "2001:db8::9");
    }
}
