/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic on times: it saturates, and "never" is no time. */
#include "base/time.h"

#include <criterion/criterion.h>

#define NEVER SONDE_NS_NEVER

struct binary {
    sonde_ns a;
    sonde_ns b;
    sonde_ns result;
};

Test(time, sums_saturate_and_never_stays_never)
{
    static const struct binary cases[] = {
        {0, 0, 0},
        {1000, -300, 700},
        {-5, 3, -2},
        {NEVER - 2, 1, NEVER - 1},
        {NEVER - 1, 2, NEVER},
        {NEVER - 1, NEVER - 1, NEVER},
        {NEVER, 1, NEVER},
        {NEVER, -1, NEVER}, /* a deadline that never comes does not come a little earlier */
        {NEVER, INT64_MIN, NEVER},
        {5, NEVER, NEVER},
        {-5, NEVER, NEVER},
        {NEVER, NEVER, NEVER},
        {INT64_MIN + 1, -1, INT64_MIN},
        {INT64_MIN, -1, INT64_MIN},
        {-2, INT64_MIN, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(ns_add(cases[i].a, cases[i].b), cases[i].result, "case %zu", i);
}

Test(time, differences_saturate)
{
    static const struct binary cases[] = {
        {1000, 300, 700},          {300, 1000, -700},         {-5, -3, -2},
        {NEVER - 1, NEVER - 1, 0}, {NEVER - 1, -1, NEVER},    {NEVER - 1, -2, NEVER},
        {0, INT64_MIN, NEVER},     {INT64_MIN, 1, INT64_MIN}, {-10, NEVER - 1, INT64_MIN},
        {INT64_MIN, INT64_MIN, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(ns_sub(cases[i].a, cases[i].b), cases[i].result, "case %zu", i);
}

Test(time, products_saturate)
{
    static const struct binary cases[] = {
        {0, 0, 0},
        {0, INT64_MAX, 0},
        {NEVER, 0, 0},
        {SONDE_NS_PER_S, 3600, INT64_C(3600000000000)},
        {NEVER, 1, NEVER},
        /* 2^63 - 1 = 9223372036854775807 */
        {SONDE_NS_PER_S, INT64_C(9223372036), INT64_C(9223372036000000000)},
        {SONDE_NS_PER_S, INT64_C(9223372037), NEVER},
        {NEVER - 1, 2, NEVER},
        {NEVER, NEVER, NEVER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(ns_mul(cases[i].a, cases[i].b), cases[i].result, "case %zu", i);
}

Test(time, never_is_later_than_every_time)
{
    cr_expect_eq(ns_min(3, 5), 3);
    cr_expect_eq(ns_min(5, 3), 3);
    cr_expect_eq(ns_min(NEVER, 3), 3);
    cr_expect_eq(ns_min(NEVER, NEVER), NEVER);
    cr_expect_eq(ns_max(3, 5), 5);
    cr_expect_eq(ns_max(5, 3), 5);
    cr_expect_eq(ns_max(-1, -2), -1);
    cr_expect_eq(ns_max(NEVER, 3), NEVER);
}

Test(time, a_time_is_due_from_its_own_moment_on_and_never_is_not)
{
    static const struct {
        sonde_ns time;
        sonde_ns now;
        bool due;
    } cases[] = {
        {5, 4, false},         {5, 5, true},         {5, 6, true},
        {-5, -6, false},       {NEVER, 6, false},    {NEVER, NEVER - 1, false},
        {NEVER, NEVER, false}, {INT64_MIN, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(ns_due(cases[i].time, cases[i].now), cases[i].due, "case %zu", i);
}
