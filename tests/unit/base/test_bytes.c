/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounded readers and writers: byte order, and that nothing is read or written beyond the end. */
#include "base/bytes.h"

#include <criterion/criterion.h>

static const uint8_t counting[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                   0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10};

static struct rd rd_counting(size_t len)
{
    return rd_init((struct sonde_span){counting, len});
}

Test(bytes, numbers_are_read_in_network_order)
{
    struct rd rd = rd_counting(sizeof counting);
    cr_expect_eq(rd_u8(&rd), 0x01);
    cr_expect_eq(rd_u16(&rd), 0x0203);
    cr_expect_eq(rd_u32(&rd), 0x04050607);
    cr_expect_eq(rd_u64(&rd), UINT64_C(0x08090a0b0c0d0e0f));
    cr_expect(rd_ok(&rd));
    cr_expect_eq(rd.rest.len, 1);
}

Test(bytes, a_read_that_does_not_fit_gives_0_and_fails)
{
    for (size_t len = 0; len <= 8; len++) {
        struct rd r8 = rd_counting(len);
        struct rd r16 = rd_counting(len);
        struct rd r32 = rd_counting(len);
        struct rd r64 = rd_counting(len);
        cr_expect_eq(rd_u8(&r8), len >= 1 ? 0x01 : 0, "%zu", len);
        cr_expect_eq(rd_u16(&r16), len >= 2 ? 0x0102 : 0, "%zu", len);
        cr_expect_eq(rd_u32(&r32), len >= 4 ? 0x01020304 : 0, "%zu", len);
        cr_expect_eq(rd_u64(&r64), len >= 8 ? UINT64_C(0x0102030405060708) : 0, "%zu", len);
        cr_expect_eq(rd_ok(&r8), len >= 1, "%zu", len);
        cr_expect_eq(rd_ok(&r16), len >= 2, "%zu", len);
        cr_expect_eq(rd_ok(&r32), len >= 4, "%zu", len);
        cr_expect_eq(rd_ok(&r64), len >= 8, "%zu", len);
    }
}

Test(bytes, after_a_failure_nothing_more_is_read)
{
    uint8_t copy[2] = {0xaa, 0xbb};
    struct rd rd = rd_counting(3);
    rd_skip(&rd, 4);
    cr_expect_not(rd_ok(&rd));
    cr_expect_eq(rd_u8(&rd), 0, "although three bytes are left");
    cr_expect_eq(rd_u16(&rd), 0);
    cr_expect_eq(rd_u32(&rd), 0);
    cr_expect_eq(rd_u64(&rd), 0);
    rd_copy(&rd, copy, sizeof copy);
    cr_expect_eq(copy[0], 0xaa);
    cr_expect_eq(copy[1], 0xbb);
    cr_expect_eq(rd_span(&rd, 1).len, 0);
    cr_expect_null(rd_span(&rd, 1).data);
    cr_expect_eq(rd_rest(&rd).len, 0);
    cr_expect_eq(rd_span(&rd, 0).len, 0);
    cr_expect_not(rd_ok(&rd));
}

Test(bytes, spans_are_parts_of_what_is_read)
{
    struct rd rd = rd_counting(10);
    rd_skip(&rd, 3);
    struct sonde_span part = rd_span(&rd, 4);
    cr_expect_eq(part.data, counting + 3);
    cr_expect_eq(part.len, 4);
    struct sonde_span rest = rd_rest(&rd);
    cr_expect_eq(rest.data, counting + 7);
    cr_expect_eq(rest.len, 3);
    cr_expect_eq(rd_rest(&rd).len, 0, "the rest of nothing is nothing");
    cr_expect(rd_ok(&rd));
    rd_skip(&rd, SIZE_MAX);
    cr_expect_not(rd_ok(&rd));
}

Test(bytes, copies_are_exact)
{
    uint8_t copy[4] = {0xaa, 0xaa, 0xaa, 0xaa};
    struct rd rd = rd_counting(5);
    rd_copy(&rd, copy, 3);
    cr_expect(rd_ok(&rd));
    cr_expect_arr_eq(copy, ((uint8_t[]){0x01, 0x02, 0x03, 0xaa}), 4);
    rd_copy(&rd, copy, 3);
    cr_expect_not(rd_ok(&rd), "two bytes are left");
    cr_expect_arr_eq(copy, ((uint8_t[]){0x01, 0x02, 0x03, 0xaa}), 4);
}

Test(bytes, an_empty_span_without_address_is_read_like_any_other)
{
    struct rd rd = rd_init((struct sonde_span){NULL, 0});
    uint8_t untouched = 0xaa;
    rd_skip(&rd, 0);
    rd_copy(&rd, &untouched, 0);
    cr_expect_eq(rd_rest(&rd).len, 0);
    cr_expect(rd_ok(&rd), "nothing was asked of it so far");
    cr_expect_eq(rd_u8(&rd), 0);
    cr_expect_not(rd_ok(&rd));
    cr_expect_eq(untouched, 0xaa);
}

Test(bytes, a_part_of_a_span_never_leaves_it)
{
    static const struct {
        size_t from;
        size_t len;
        size_t ret_from;
        size_t ret_len;
    } cases[] = {
        {0, 16, 0, 16}, {0, 0, 0, 0},   {4, 3, 4, 3},         {4, 12, 4, 12},
        {4, 13, 4, 12}, {15, 9, 15, 1}, {0, SIZE_MAX, 0, 16}, {1, SIZE_MAX, 1, 15},
    };
    static const size_t beyond[] = {16, 17, SIZE_MAX};
    const struct sonde_span whole = {counting, sizeof counting};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_span part = span_sub(whole, cases[i].from, cases[i].len);
        cr_expect_eq(part.data, counting + cases[i].ret_from, "case %zu", i);
        cr_expect_eq(part.len, cases[i].ret_len, "case %zu", i);
    }
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        cr_expect_eq(span_sub(whole, beyond[i], 1).len, 0, "case %zu", i);
    cr_expect_eq(span_sub((struct sonde_span){NULL, 0}, 0, 5).len, 0);
}

Test(bytes, numbers_are_written_in_network_order)
{
    uint8_t room[15];
    struct wr wr = wr_init(room, sizeof room);
    wr_u8(&wr, 0x01);
    wr_u16(&wr, 0x0203);
    wr_u32(&wr, 0x04050607);
    wr_u64(&wr, UINT64_C(0x08090a0b0c0d0e0f));
    cr_expect(wr_ok(&wr), "what fills the room exactly fits");
    cr_assert_eq(wr.len, 15);
    cr_expect_arr_eq(room, counting, 15);
}

Test(bytes, what_does_not_fit_is_not_written_and_nothing_after_it)
{
    uint8_t room[4] = {0xaa, 0xaa, 0xaa, 0xaa};
    struct wr wr = wr_init(room, 3); /* the fourth byte is not the writer's */
    wr_u16(&wr, 0x0102);
    wr_bytes(&wr, counting, 2);
    cr_expect_not(wr_ok(&wr));
    wr_u8(&wr, 0xff); /* would fit */
    wr_fill(&wr, 0xff, 1);
    wr_patch_u16(&wr, 0, 0xffff);
    cr_expect_null(wr_reserve(&wr, 1));
    cr_expect_not(wr_ok(&wr), "a failure stays");
    cr_expect_arr_eq(room, ((uint8_t[]){0x01, 0x02, 0xaa, 0xaa}), 4);
}

Test(bytes, lengths_near_the_largest_do_not_wrap)
{
    static const size_t lengths[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t room[4] = {0};
        struct wr wr = wr_init(room, sizeof room);
        wr_u8(&wr, 1);
        cr_expect_null(wr_reserve(&wr, lengths[i]), "case %zu", i);
        cr_expect_not(wr_ok(&wr), "case %zu", i);
        cr_expect_eq(wr.len, 1, "case %zu", i);
    }
}

Test(bytes, filling_and_reserving_take_exactly_their_length)
{
    uint8_t room[5] = {0};
    struct wr wr = wr_init(room, sizeof room);
    wr_fill(&wr, 0x77, 2);
    wr_fill(&wr, 0x88, 0);
    wr_bytes(&wr, NULL, 0);
    uint8_t *at = wr_reserve(&wr, 2);
    cr_assert_eq(at, room + 2);
    at[0] = 0x99;
    wr_u8(&wr, 0x55);
    cr_expect(wr_ok(&wr));
    cr_expect_arr_eq(room, ((uint8_t[]){0x77, 0x77, 0x99, 0x00, 0x55}), 5);
}

Test(bytes, only_what_was_written_can_be_patched)
{
    static const struct {
        size_t at;
        bool ok;
        uint8_t after[4];
    } cases[] = {
        {0, true, {0xca, 0xfe, 0x03, 0x04}},  {2, true, {0x01, 0x02, 0xca, 0xfe}},
        {3, false, {0x01, 0x02, 0x03, 0x04}}, /* half of it lies beyond the end */
        {4, false, {0x01, 0x02, 0x03, 0x04}}, {SIZE_MAX, false, {0x01, 0x02, 0x03, 0x04}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[8] = {0};
        struct wr wr = wr_init(room, sizeof room);
        wr_bytes(&wr, counting, 4);
        wr_patch_u16(&wr, cases[i].at, 0xcafe);
        cr_expect_eq(wr_ok(&wr), cases[i].ok, "case %zu", i);
        cr_expect_eq(wr.len, 4, "case %zu", i);
        cr_expect_arr_eq(room, cases[i].after, 4, "case %zu", i);
    }
}

Test(bytes, of_fewer_than_two_bytes_none_can_be_patched)
{
    for (size_t len = 0; len < 2; len++) {
        uint8_t room[4] = {0};
        struct wr wr = wr_init(room, sizeof room);
        wr_fill(&wr, 0x11, len);
        wr_patch_u16(&wr, 0, 0xcafe);
        cr_expect_not(wr_ok(&wr), "%zu", len);
        cr_expect_eq(room[0], len == 0 ? 0 : 0x11);
        cr_expect_eq(room[1], 0);
    }
}
