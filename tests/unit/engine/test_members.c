/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of a target's traces: at the ends and where one word goes over into the next. */
#include "engine/members.h"

#include <criterion/criterion.h>

static const unsigned edges[] = {0, 1, 31, 32, 62, 63, 64, 65, 96, 126, 127};
enum { EDGES = sizeof edges / sizeof *edges };

Test(members, what_is_added_is_in_it_and_nothing_else)
{
    for (size_t i = 0; i < EDGES; i++) {
        struct members members = {0};
        cr_expect(members_is_empty(&members));
        members_add(&members, edges[i]);
        cr_expect_not(members_is_empty(&members));
        for (unsigned index = 0; index < 128; index++)
            cr_expect_eq(members_has(&members, index), index == edges[i], "%u, %u", edges[i],
                         index);
    }
}

Test(members, what_is_removed_is_not_and_all_others_stay)
{
    for (size_t i = 0; i < EDGES; i++) {
        struct members members = {{UINT64_MAX, UINT64_MAX}};
        members_remove(&members, edges[i]);
        members_remove(&members, edges[i]); /* again: it stays out */
        for (unsigned index = 0; index < 128; index++)
            cr_expect_eq(members_has(&members, index), index != edges[i], "%u, %u", edges[i],
                         index);
        members_add(&members, edges[i]);
        members_add(&members, edges[i]);
        cr_expect(members_has(&members, edges[i]));
    }
    struct members two = {{1 << 5 | 1 << 9, 0}};
    members_remove(&two, 5);
    cr_expect_eq(two.words[0], 1 << 9);
    members_remove(&two, 9);
    cr_expect(members_is_empty(&two));
}

Test(members, common_is_what_is_in_both)
{
    struct members a = {{0xff00, UINT64_C(0xf) << 60}};
    struct members b = {{0x0ff0, UINT64_C(0x3) << 61}};
    struct members common = members_common(a, b);
    cr_expect_eq(common.words[0], 0x0f00);
    cr_expect_eq(common.words[1], UINT64_C(0x3) << 61);
}

Test(members, without_is_what_is_in_the_first_alone)
{
    struct members a = {{0xff00, UINT64_C(0xf) << 60}};
    struct members b = {{0x0ff0, UINT64_C(0x3) << 61}};
    struct members rest = members_without(a, b);
    cr_expect_eq(rest.words[0], 0xf000);
    cr_expect_eq(rest.words[1], UINT64_C(1) << 60 | UINT64_C(1) << 63);
}

/* For every pair of members, and every place to look from. */
Test(members, the_first_from_a_place_on_and_round)
{
    for (size_t i = 0; i < EDGES; i++) {
        for (size_t k = i; k < EDGES; k++) {
            struct members members = {0};
            members_add(&members, edges[i]);
            members_add(&members, edges[k]);
            for (unsigned index = 0; index <= 128; index++) {
                unsigned from = index <= edges[i] ? edges[i] : index <= edges[k] ? edges[k] : 128;
                unsigned round = from == 128 ? edges[i] : from;
                cr_assert_eq(members_from(&members, index), from, "%u and %u from %u", edges[i],
                             edges[k], index);
                cr_assert_eq(members_round(&members, index), round, "%u and %u from %u", edges[i],
                             edges[k], index);
            }
        }
    }
}

Test(members, of_an_empty_set_there_is_none)
{
    const struct members members = {0};
    cr_expect_eq(MEMBERS_NONE, 128);
    for (unsigned index = 0; index <= 128; index++) {
        cr_expect_eq(members_from(&members, index), 128);
        cr_expect_eq(members_round(&members, index), 128);
    }
}
