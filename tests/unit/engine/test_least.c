/* SPDX-License-Identifier: BSD-2-Clause */
/* The least of the present minute and the one before. */
#include "engine/least.h"

#include <criterion/criterion.h>

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

Test(least, there_is_none_at_first)
{
    const struct least least = least_none();
    cr_expect_eq(least_ns(&least), SONDE_NS_NEVER);
}

Test(least, a_longer_one_takes_the_place_of_a_shorter_after_the_next_minute)
{
    struct least least = least_none();
    least_note(&least, 0, 1000 * S);
    cr_expect_eq(least_ns(&least), 0);
    least_note(&least, 40 * MS, 1060 * S); /* the last moment of the first minute */
    least_note(&least, 50 * MS, 1061 * S);
    cr_expect_eq(least_ns(&least), 0, "the minute before");
    least_note(&least, 45 * MS, 1121 * S);
    cr_expect_eq(least_ns(&least), 0, "still");
    least_note(&least, 60 * MS, 1122 * S);
    cr_expect_eq(least_ns(&least), 45 * MS, "the least of the second");
    least_note(&least, 44 * MS, 1122 * S);
    cr_expect_eq(least_ns(&least), 44 * MS);
}

Test(least, what_is_older_than_two_minutes_is_forgotten_whatever_came_since)
{
    struct least least = least_none();
    least_note(&least, 1 * MS, 1000 * S);
    cr_expect_eq(least_ns(&least), 1 * MS, "nothing else is known");
    least_note(&least, 9 * MS, 1121 * S);
    cr_expect_eq(least_ns(&least), 9 * MS);
}
