/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for things that come and go. */
#include "base/ids.h"

#include <criterion/criterion.h>

Test(ids, what_was_given_back_is_taken_before_a_new_one)
{
    struct ids ids = {0};
    cr_expect_not(ids_available(&ids));
    cr_assert_eq(ids_grow(&ids, 3), 0);
    cr_expect_eq(ids_take(&ids), 0);
    cr_expect_eq(ids_take(&ids), 1);
    ids_give_back(&ids, 0);
    cr_expect_eq(ids_take(&ids), 0);
    cr_expect_eq(ids_take(&ids), 2);
    cr_expect_not(ids_available(&ids), "three in all");
    ids_give_back(&ids, 1);
    ids_give_back(&ids, 2);
    cr_expect(ids_available(&ids));
    cr_expect_eq(ids_next(&ids), 2, "it is told of before");
    cr_expect_eq(ids_take(&ids), 2);
    cr_assert_eq(ids_grow(&ids, 4), 0);
    cr_expect_eq(ids_take(&ids), 1);
    cr_expect_eq(ids_next(&ids), 3);
    cr_expect_eq(ids_take(&ids), 3, "room was made for it");
    cr_expect_not(ids_available(&ids));
    ids_deinit(&ids);
    cr_expect_not(ids_available(&ids));
}
