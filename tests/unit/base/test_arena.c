/* SPDX-License-Identifier: BSD-2-Clause */
/* The arena: zeroed, aligned, apart from each other, and freed together. */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <string.h>

static bool is_filled(const uint8_t *at, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

Test(arena, an_empty_arena_is_fine_and_can_be_freed_twice)
{
    struct arena arena = {0};
    cr_expect(arena_ok(&arena));
    arena_deinit(&arena);
    arena_deinit(&arena);
    cr_expect(arena_ok(&arena));
}

Test(arena, memory_is_zeroed_and_aligned_for_anything)
{
    static const struct {
        size_t count;
        size_t bytes;
    } cases[] = {{1, 1}, {3, 1}, {1, 17}, {5, 8}, {1, 16384}, {1, 16385}, {100000, 7}, {1, 1}};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *at = arena_alloc(&arena, cases[i].count, cases[i].bytes);
        cr_assert_not_null(at, "case %zu", i);
        cr_expect_eq((uintptr_t)at % alignof(max_align_t), 0, "case %zu", i);
        cr_expect(is_filled(at, cases[i].count * cases[i].bytes, 0), "case %zu", i);
        memset(at, 0xff, cases[i].count * cases[i].bytes); /* must not show in the next */
    }
    cr_expect(arena_ok(&arena));
    arena_deinit(&arena);
}

Test(arena, pieces_never_overlap)
{
    enum { COUNT = 3000 };
    static uint8_t *piece[COUNT];
    struct arena arena = {0};
    for (size_t i = 0; i < COUNT; i++) { /* 1 to 50 bytes: several blocks full */
        piece[i] = arena_alloc(&arena, 1, i % 50 + 1);
        if (piece[i] == NULL)
            cr_assert_fail("piece %zu", i);
        memset(piece[i], (int)(i % 251), i % 50 + 1);
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (!is_filled(piece[i], i % 50 + 1, (uint8_t)(i % 251)))
            cr_expect_fail("piece %zu", i);
    }
    arena_deinit(&arena);
}

Test(arena, what_is_expected_is_given_from_one_block)
{
    enum { COUNT = 37, BYTES = 16 }; /* 592 of 600 bytes */
    struct arena arena = {0};
    arena_expect(&arena, 600);
    uint8_t *first = arena_alloc(&arena, 1, BYTES);
    cr_assert_not_null(first);
    for (size_t i = 1; i < COUNT; i++)
        cr_expect_eq(arena_alloc(&arena, 1, BYTES), first + i * BYTES, "piece %zu", i);
    uint8_t *more = arena_alloc(&arena, 1, BYTES);
    cr_assert_not_null(more, "what was not expected comes from elsewhere");
    cr_expect(is_filled(more, BYTES, 0));
    memset(more, 0xff, BYTES);
    cr_expect(arena_ok(&arena));
    arena_deinit(&arena);
}

Test(arena, no_elements_are_no_memory_and_no_failure)
{
    struct arena arena = {0};
    cr_expect_null(arena_alloc(&arena, 0, 8));
    cr_expect(arena_ok(&arena));
    arena_deinit(&arena);
}

Test(arena, a_size_that_overflows_fails_and_the_arena_remembers)
{
    static const struct {
        size_t count;
        size_t bytes;
    } cases[] = {{SIZE_MAX, 2}, {SIZE_MAX / 2 + 1, 2}, {1, SIZE_MAX}, {SIZE_MAX, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        cr_expect_null(arena_alloc(&arena, cases[i].count, cases[i].bytes), "case %zu", i);
        cr_expect_not(arena_ok(&arena), "case %zu", i);
        cr_expect_not_null(arena_alloc(&arena, 1, 1), "case %zu", i);
        cr_expect_not(arena_ok(&arena), "case %zu: what came later does not hide it", i);
        arena_deinit(&arena);
        cr_expect(arena_ok(&arena), "case %zu: an arena that was emptied is a new one", i);
    }
}

Test(arena, strings_are_copies)
{
    char original[] = "example";
    struct arena arena = {0};
    char *copy = arena_string(&arena, original);
    cr_assert_not_null(copy);
    original[0] = 'X';
    cr_expect_str_eq(copy, "example");
    cr_expect_str_eq(arena_string(&arena, ""), "");
    cr_expect_null(arena_string(&arena, NULL));
    cr_expect(arena_ok(&arena), "no string is no failure");
    arena_deinit(&arena);
}
