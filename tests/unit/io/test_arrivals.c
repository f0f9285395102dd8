/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes in over many sockets is handed on in the order of its stamps, and none of it is
 * overwritten while it is lent out. */
#include "io/linux/unprivileged_internal.h"

#include <criterion/criterion.h>

static struct arrivals arrivals;

static void begin(void)
{
    cr_assert_eq(arrivals_init(&arrivals), 0);
}

static void end(void)
{
    arrivals_deinit(&arrivals);
}

TestSuite(arrivals, .init = begin, .fini = end);

/* Add one. @return false if there is no room. */
static bool add(sonde_ns time)
{
    struct arrival *arrival = arrivals_spare(&arrivals);
    if (arrival == NULL)
        return false;
    arrival->rx.stamp.time_ns = time;
    arrivals_add(&arrivals);
    return true;
}

/* The stamp of the one that is taken; -1 if there is none. */
static sonde_ns take(void)
{
    const struct arrival *arrival = arrivals_take(&arrivals);
    return arrival != NULL ? arrival->rx.stamp.time_ns : -1;
}

Test(arrivals, they_come_in_the_order_of_their_stamps)
{
    static const sonde_ns times[] = {5, 3, 9, 1, 7};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        cr_assert(add(times[i]));
    for (sonde_ns time = 1; time <= 9; time += 2)
        cr_expect_eq(take(), time);
    cr_expect_eq(take(), -1);
}

Test(arrivals, what_is_not_added_was_never_there)
{
    cr_assert_not_null(arrivals_spare(&arrivals));
    cr_expect_eq(take(), -1);
}

Test(arrivals, the_one_that_is_lent_out_stays_until_the_next_is_taken)
{
    for (sonde_ns time = 0; time < ARRIVALS_MAX; time++)
        cr_assert(add(time));
    cr_expect_not(add(0), "all are taken");
    const struct arrival *lent = arrivals_take(&arrivals);
    cr_assert_not_null(lent);
    cr_expect_not(add(0), "the one that is lent out is not free yet");
    cr_expect_eq(lent->rx.stamp.time_ns, 0);
    cr_expect_eq(take(), 1);
    cr_expect(add(ARRIVALS_MAX), "now it is");
    cr_expect_not(add(0));
    for (sonde_ns time = 2; time <= ARRIVALS_MAX; time++)
        cr_expect_eq(take(), time);
    cr_expect_eq(take(), -1);
}
