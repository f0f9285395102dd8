/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP extensions: where the structure is looked for, when it is believed, and how its objects are
 * counted. What the objects of RFC 5837 hold is in test_interface.c.
 */
#include "spell.h"
#include "wire/csum.h"
#include "wire/icmpext.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/*
 * Version 2, checksum, one MPLS stack of one label: 24001 = 5dc1, TC 3, bottom, TTL 254.
 * 5dc1 << 12 | 3 << 9 | 1 << 8 | fe = 05dc17fe
 * 2000 + 0008 + 0101 + 05dc + 17fe = 3ee3, whose complement is c11c
 */
#define HEADER_RIGHT "20 00 c11c"
#define HEADER_ABSENT "20 00 0000"
#define HEADER_WRONG "20 00 c11d"
#define STACK "0008 01 01 05dc17fe"

/* A body of an ICMP error: FIELD bytes of quote (ee), and behind them what STRUCTURE spells. */
static struct sonde_span body_of(struct tail *tail, size_t field, const char *structure)
{
    uint8_t room[TAIL_BYTES];
    struct wr wr = wr_init(room, sizeof room);
    wr_fill(&wr, 0xee, field);
    wr_hex(&wr, structure);
    return tail_copy(tail, written(&wr));
}

/* Decode what stands behind a stated field of 128 bytes; flags of an earlier use must not stay. */
static struct sonde_extensions decode(const char *structure)
{
    struct tail tail;
    struct sonde_extensions ext;
    memset(&ext, 0xee, sizeof ext);
    struct icmpext_parts parts = icmpext_divide(body_of(&tail, 128, structure), 128);
    icmpext_decode(&parts, &ext);
    return ext;
}

Test(icmpext, a_stated_length_divides_the_body)
{
    /* RFC 4884 §4.3: at least 128 bytes; the families count in words of 4 or of 8 */
    static const size_t lengths[] = {128, 132, 136, 576, 1020, 2040};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct tail tail;
        struct sonde_span body = body_of(&tail, lengths[i], HEADER_RIGHT STACK);
        struct icmpext_parts parts = icmpext_divide(body, lengths[i]);
        cr_expect_eq(parts.quote.data, body.data, "%zu", lengths[i]);
        cr_expect_eq(parts.quote.len, lengths[i], "%zu", lengths[i]);
        expect_hex(parts.structure, HEADER_RIGHT STACK, "structure");
        cr_expect_not(parts.legacy, "%zu", lengths[i]);
        cr_expect_not(parts.bad_length, "%zu", lengths[i]);
    }
}

Test(icmpext, without_a_length_a_structure_with_the_right_checksum_is_found_at_128)
{
    struct tail tail;
    struct sonde_extensions ext;
    struct sonde_span body = body_of(&tail, 128, HEADER_RIGHT STACK);
    struct icmpext_parts parts = icmpext_divide(body, 0);
    cr_expect_eq(parts.quote.data, body.data);
    cr_expect_eq(parts.quote.len, 128);
    expect_hex(parts.structure, HEADER_RIGHT STACK, "structure");
    cr_expect(parts.legacy);
    icmpext_decode(&parts, &ext);
    cr_expect(ext.legacy);
    cr_expect_eq(ext.count, 1);
    /* a header alone: the complement of 2000 is dfff */
    parts = icmpext_divide(body_of(&tail, 128, "20 00 dfff"), 0);
    cr_expect_eq(parts.structure.len, 4);
    cr_expect(parts.legacy);
}

/* All of a body is quote, and the hop that sent it loses nothing but its extensions. */
static void expect_all_quote(struct sonde_span body, size_t quoted_bytes, bool bad_length,
                             const char *what)
{
    struct sonde_extensions ext;
    struct icmpext_parts parts = icmpext_divide(body, quoted_bytes);
    cr_expect_eq(parts.quote.len, body.len, "%s", what);
    cr_expect_eq(parts.structure.len, 0, "%s", what);
    cr_expect_eq(parts.bad_length, bad_length, "%s", what);
    cr_expect_not(parts.legacy, "%s", what);
    memset(&ext, 0xee, sizeof ext);
    icmpext_decode(&parts, &ext);
    cr_expect_eq(ext.count, 0, "%s", what);
    cr_expect_eq(ext.malformed, bad_length, "%s", what);
    cr_expect_not(ext.legacy || ext.bad_checksum || ext.truncated, "%s", what);
}

Test(icmpext, without_a_length_nothing_less_is_believed)
{
    static const char *const structures[] = {
        "",
        "20", /* no header fits */
        "20 00 df",
        HEADER_WRONG STACK,
        HEADER_ABSENT STACK, /* "not computed" is too little proof without the attribute */
        "10 00 d11c" STACK,  /* version 1, its checksum right; the next likewise */
        "30 00 b11c" STACK,  /* version 3 */
        "00 00 e11c" STACK,  /* version 0 */
        "eeee eeee eeee",    /* just more quote */
    };
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
        struct tail tail;
        expect_all_quote(body_of(&tail, 128, structures[i]), 0, false, structures[i]);
    }
}

Test(icmpext, without_a_length_a_structure_elsewhere_is_not_looked_for)
{
    static const size_t fields[] = {0, 64, 124, 127, 129, 132, 256};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct tail tail;
        expect_all_quote(body_of(&tail, fields[i], HEADER_RIGHT STACK), 0, false, "elsewhere");
    }
}

Test(icmpext, a_length_that_cannot_be_is_ignored)
{
    static const struct {
        size_t field; /* bytes before the structure of 12 */
        size_t stated;
    } cases[] = {
        {64, 64},   {124, 124},  {4, 4},     /* below 128 */
        {128, 120},                          /* though a legacy one stands at 128 */
        {128, 144}, {128, 1020}, {256, 272}, /* beyond the end */
        {0, 2040},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sonde_span body = body_of(&tail, cases[i].field, HEADER_RIGHT STACK);
        expect_all_quote(body, cases[i].stated, true, "a length that cannot be");
    }
    expect_all_quote((struct sonde_span){NULL, 0}, 128, true, "an empty body");
    expect_all_quote((struct sonde_span){NULL, 0}, 0, false, "an empty body");
}

Test(icmpext, a_length_up_to_the_end_leaves_no_structure)
{
    static const char *const structures[] = {"", "20", "20 00", "20 00 df"};
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
        struct tail tail;
        expect_all_quote(body_of(&tail, 128, structures[i]), 128, false, structures[i]);
    }
}

Test(icmpext, with_a_length_another_version_is_no_structure)
{
    static const char *const structures[] = {
        "00 00 e11c" STACK,
        "10 00 d11c" STACK, /* version 1, its checksum right; the next likewise */
        "30 00 b11c" STACK, "f0 00 0000" STACK};
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
        struct tail tail;
        expect_all_quote(body_of(&tail, 128, structures[i]), 128, false, structures[i]);
    }
}

Test(icmpext, with_a_length_checksum_0_is_accepted_and_a_wrong_one_refused)
{
    struct sonde_extensions ext = decode(HEADER_ABSENT STACK); /* RFC 4884 §7: none transmitted */
    cr_expect_eq(ext.count, 1);
    cr_expect_not(ext.bad_checksum || ext.malformed || ext.legacy || ext.truncated);
    ext = decode(HEADER_RIGHT STACK);
    cr_expect_eq(ext.count, 1);
    cr_expect_not(ext.bad_checksum || ext.malformed || ext.legacy || ext.truncated);
    ext = decode(HEADER_WRONG STACK);
    cr_expect_eq(ext.count, 0);
    cr_expect(ext.bad_checksum);
    cr_expect_not(ext.malformed || ext.legacy || ext.truncated);
}

Test(icmpext, reserved_bits_of_the_header_change_nothing)
{
    /* the RFC bids senders to leave them 0, and receivers nothing; c11c - 0fff = b11d */
    struct sonde_extensions ext = decode("2f ff b11d" STACK);
    cr_expect_eq(ext.count, 1);
    cr_expect_not(ext.bad_checksum || ext.malformed);
}

Test(icmpext, a_structure_without_objects_is_empty)
{
    struct sonde_extensions ext = decode("20 00 dfff");
    cr_expect_eq(ext.count, 0);
    cr_expect_not(ext.bad_checksum || ext.malformed || ext.legacy || ext.truncated);
}

Test(icmpext, every_field_of_a_label_is_read)
{
    static const struct {
        const char *hex;
        struct sonde_mpls_label label;
    } cases[] = {
        /* label in the upper 20 bits, TC 3, bottom of stack 1, TTL 8; RFC 3032 §2.1 */
        {"05dc17fe", {24001, 3, 1, 254}},   {"00000000", {0, 0, 0, 0}},
        {"ffffffff", {0xfffff, 7, 1, 255}}, {"fffff000", {0xfffff, 0, 0, 0}},
        {"00000e00", {0, 7, 0, 0}},         {"00000100", {0, 0, 1, 0}},
        {"000000ff", {0, 0, 0, 255}},       {"00001000", {1, 0, 0, 0}},
        {"80000200", {0x80000, 1, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[80];
        (void)snprintf(hex, sizeof hex, HEADER_ABSENT "0008 01 01 %s", cases[i].hex);
        struct sonde_extensions ext = decode(hex);
        cr_assert_eq(ext.count, 1, "%s", cases[i].hex);
        cr_expect_eq(ext.items[0].kind, SONDE_EXTENSION_MPLS, "%s", cases[i].hex);
        cr_expect_eq(ext.items[0].class_num, 1);
        cr_expect_eq(ext.items[0].c_type, 1);
        const struct sonde_mpls *mpls = &ext.items[0].u.mpls;
        cr_assert_eq(mpls->count, 1, "%s", cases[i].hex);
        cr_expect_eq(mpls->labels[0].label, cases[i].label.label, "%s", cases[i].hex);
        cr_expect_eq(mpls->labels[0].tc, cases[i].label.tc, "%s", cases[i].hex);
        cr_expect_eq(mpls->labels[0].bos, cases[i].label.bos, "%s", cases[i].hex);
        cr_expect_eq(mpls->labels[0].ttl, cases[i].label.ttl, "%s", cases[i].hex);
    }
}

/* Decode a structure built by hand in room, behind a stated field of 128 bytes. */
static struct sonde_extensions decode_built(const struct wr *structure)
{
    uint8_t room[TAIL_BYTES];
    struct tail tail;
    struct sonde_extensions ext;
    struct wr wr = wr_init(room, sizeof room);
    struct sonde_span bytes = written(structure);
    wr_fill(&wr, 0xee, 128);
    wr_bytes(&wr, bytes.data, bytes.len);
    struct icmpext_parts parts = icmpext_divide(tail_copy(&tail, written(&wr)), 128);
    icmpext_decode(&parts, &ext);
    return ext;
}

Test(icmpext, sixteen_labels_of_a_stack_are_kept)
{
    static const struct {
        unsigned sent;
        unsigned kept;
        bool truncated;
    } cases[] = {{0, 0, false},   {1, 1, false},  {3, 3, false},
                 {16, 16, false}, {17, 16, true}, {90, 16, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[1000];
        struct wr wr = wr_init(room, sizeof room);
        wr_hex(&wr, HEADER_ABSENT);
        wr_u16(&wr, (uint16_t)(4 + 4 * cases[i].sent));
        wr_hex(&wr, "01 01");
        for (unsigned n = 0; n < cases[i].sent; n++)
            wr_u32(&wr, (n + 100) << 12 | (n + 1 == cases[i].sent ? 0x100 : 0));
        wr_hex(&wr, STACK); /* and what follows a stack that was cut is read all the same */
        struct sonde_extensions ext = decode_built(&wr);
        cr_assert_eq(ext.count, 2, "%u", cases[i].sent);
        cr_assert_eq(ext.items[0].u.mpls.count, cases[i].kept, "%u", cases[i].sent);
        for (unsigned n = 0; n < cases[i].kept; n++)
            cr_expect_eq(ext.items[0].u.mpls.labels[n].label, n + 100, "%u: %u", cases[i].sent, n);
        cr_expect_eq(ext.truncated, cases[i].truncated, "%u", cases[i].sent);
        cr_expect_not(ext.malformed, "%u", cases[i].sent);
        cr_expect_eq(ext.items[1].u.mpls.labels[0].label, 24001, "%u", cases[i].sent);
    }
}

Test(icmpext, as_many_objects_are_kept_as_there_is_room_for)
{
    static const unsigned sent[] = {SONDE_EXTENSIONS_MAX, SONDE_EXTENSIONS_MAX + 1, 200};
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        uint8_t room[2000];
        struct wr wr = wr_init(room, sizeof room);
        wr_hex(&wr, HEADER_ABSENT);
        for (unsigned n = 0; n < sent[i]; n++) {
            wr_hex(&wr, "0008 f7");
            wr_u8(&wr, (uint8_t)n);
            wr_u32(&wr, n);
        }
        struct sonde_extensions ext = decode_built(&wr);
        cr_assert_eq(ext.count, SONDE_EXTENSIONS_MAX, "%u", sent[i]);
        cr_expect_eq(ext.truncated, i > 0, "%u", sent[i]);
        cr_expect_not(ext.malformed, "%u", sent[i]);
        for (unsigned n = 0; n < ext.count; n++)
            cr_expect_eq(ext.items[n].c_type, n, "%u", sent[i]);
    }
}

Test(icmpext, objects_of_other_classes_are_kept_as_bytes)
{
    static const struct {
        const char *object;
        uint8_t class_num;
        uint8_t c_type;
        uint16_t len;
        const char *kept;
    } cases[] = {
        {"0004 f7 00", 0xf7, 0, 0, ""},
        {"0008 f7 01 deadbeef", 0xf7, 1, 4, "deadbeef"},
        {"0008 03 01 deadbeef", 3, 1, 4, "deadbeef"}, /* interface identification, RFC 8335 */
        {"0008 01 02 deadbeef", 1, 2, 4, "deadbeef"}, /* class MPLS, but no label stack */
        {"0008 01 00 deadbeef", 1, 0, 4, "deadbeef"},
        {"0008 00 ff deadbeef", 0, 255, 4, "deadbeef"},
        {"0024 ff 7f" /* 32 bytes of payload: all of it */
         "00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f",
         0xff, 0x7f, 32, "0001020304050607 08090a0b0c0d0e0f 1011121314151617 18191a1b1c1d1e1f"},
        {"0028 ff 7f" /* 36 bytes: the first 32 */
         "00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223",
         0xff, 0x7f, 36, "0001020304050607 08090a0b0c0d0e0f 1011121314151617 18191a1b1c1d1e1f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[200];
        (void)snprintf(hex, sizeof hex, HEADER_ABSENT "%s" STACK, cases[i].object);
        struct sonde_extensions ext = decode(hex);
        cr_assert_eq(ext.count, 2, "case %zu", i);
        cr_expect_not(ext.malformed || ext.truncated, "case %zu", i);
        const struct sonde_extension *item = &ext.items[0];
        cr_expect_eq(item->kind, SONDE_EXTENSION_RAW, "case %zu", i);
        cr_expect_eq(item->class_num, cases[i].class_num, "case %zu", i);
        cr_expect_eq(item->c_type, cases[i].c_type, "case %zu", i);
        cr_expect_eq(item->u.raw.len, cases[i].len, "case %zu", i);
        expect_hex((struct sonde_span){item->u.raw.bytes, item->u.raw.kept}, cases[i].kept,
                   cases[i].object);
        cr_expect_eq(ext.items[1].kind, SONDE_EXTENSION_MPLS, "case %zu: what follows", i);
    }
}

Test(icmpext, an_impossible_object_length_ends_the_walk_and_costs_nothing_before_it)
{
    static const char *const objects[] = {
        "0000 f7 00",
        "0001 f7 00",
        "0002 f7 00",
        "0003 f7 00", /* less than its header */
        "0005 f7 00 01",
        "0006 f7 00 0102",
        "0007 f7 00 010203", /* no whole words; */
        "0009 f7 00 0102030405060708",
        "000a f7 00 0102030405060708", /* RFC 4884 §7 */
        "0008 f7 00",
        "0008 f7 00 010203",
        "000c f7 00 01020304", /* beyond the end */
        "0010 01 01 05dc17fe",
        "fffc 01 01 05dc17fe",
        "ffff f7 00",
        "00",
        "0004",
        "0004 f7", /* no header any more */
    };
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        char hex[200];
        (void)snprintf(hex, sizeof hex, HEADER_ABSENT STACK "%s", objects[i]);
        struct sonde_extensions ext = decode(hex);
        cr_expect_eq(ext.count, 1, "%s", objects[i]);
        cr_expect_eq(ext.items[0].u.mpls.labels[0].label, 24001, "%s", objects[i]);
        cr_expect(ext.malformed, "%s", objects[i]);
        cr_expect_not(ext.truncated || ext.bad_checksum, "%s", objects[i]);
    }
}

Test(icmpext, a_structure_is_written_with_its_checksum)
{
    uint8_t room[16];
    struct sonde_extensions ext = {
        .count = 1,
        .malformed = true, /* flags are for readers */
        .items = {{.kind = SONDE_EXTENSION_MPLS,
                   .class_num = 1,
                   .c_type = 1,
                   .u.mpls = {.count = 1, .labels = {{24001, 3, 1, 254}}}}},
    };
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, "ffff0000"); /* what stands before it is not summed */
    icmpext_encode(&wr, &ext);
    expect_hex(written(&wr), "ffff0000" HEADER_RIGHT STACK, "one label");
    wr = wr_init(room, 11);
    icmpext_encode(&wr, &ext);
    cr_expect_not(wr_ok(&wr));
    wr = wr_init(room, sizeof room);
    icmpext_encode(&wr, &(struct sonde_extensions){0});
    expect_hex(written(&wr), "20 00 dfff", "no object");
}

Test(icmpext, stacks_and_unknown_objects_are_written_in_order)
{
    uint8_t room[64];
    const struct sonde_extensions ext = {
        .count = 2,
        .items = {{.kind = SONDE_EXTENSION_RAW,
                   .class_num = 0xf7,
                   .c_type = 0x12,
                   .u.raw = {.len = 4, .kept = 4, .bytes = {0xde, 0xad, 0xbe, 0xef}}},
                  {.kind = SONDE_EXTENSION_MPLS,
                   .class_num = 1,
                   .c_type = 1,
                   .u.mpls = {.count = 2, .labels = {{16, 0, 0, 1}, {0xfffff, 7, 1, 255}}}}},
    };
    struct wr wr = wr_init(room, sizeof room);
    icmpext_encode(&wr, &ext);
    /* 2000 + 0008 + f712 + dead + beef + 000c + 0101 + 0001 + 0001 + ffff + ffff = 4b5c3;
       b5c3 + 4 = b5c7; ~ = 4a38 */
    expect_hex(written(&wr),
               "20 00 4a38"
               "0008 f7 12 deadbeef"
               "000c 01 01 00010001 ffffffff",
               "two objects");
}
