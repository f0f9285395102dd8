/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel numbers what leaves, and stamps come with these numbers, several for one packet, late,
 * or never. Here the kernel's part is played: each test says which packet took which number. The
 * stamp of number n is 1000 + n, so that it tells whose it is.
 */
#include "io/linux/internal.h"

#include <criterion/criterion.h>

static struct numbers numbers;
static sonde_ns walls[IO_BATCH];

static void begin(void)
{
    numbers = (struct numbers){0};
}

TestSuite(numbers, .init = begin);

/* Stamps of the numbers from first on. */
static void note(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        numbers_note(&numbers, first + i, 1000 + (sonde_ns)(first + i));
}

static void expect(uint32_t count, sonde_ns first_wall, const char *why)
{
    for (uint32_t i = 0; i < count; i++)
        cr_expect_eq(walls[i], first_wall == 0 ? 0 : first_wall + i, "%s: packet %u has %ld", why,
                     i, (long)walls[i]);
}

Test(numbers, packets_are_numbered_in_the_order_of_sending)
{
    note(0, 64);
    numbers_take(&numbers, 64, false, walls);
    expect(64, 1000, "first batch");
    note(64, 3);
    numbers_take(&numbers, 3, false, walls);
    expect(3, 1064, "second batch");
}

Test(numbers, of_several_stamps_of_a_packet_the_last_serves)
{
    for (uint32_t i = 0; i < 64; i++) {
        numbers_note(&numbers, i, 500);
        numbers_note(&numbers, i, 1000 + i);
    }
    numbers_take(&numbers, 64, false, walls);
    expect(64, 1000, "all");
}

Test(numbers, a_stamp_that_comes_late_is_nobody_elses)
{
    note(0, 2); /* the third waits for its neighbour */
    numbers_take(&numbers, 3, false, walls);
    expect(2, 1000, "at once");
    cr_expect_eq(walls[2], 0);
    note(2, 1); /* there it is, before those of the next batch */
    note(3, 3);
    numbers_take(&numbers, 3, false, walls);
    expect(3, 1003, "next batch");
    note(6, 64);
    note(2, 1); /* and once more, from another device */
    numbers_take(&numbers, 64, false, walls);
    expect(64, 1006, "a full batch");
}

Test(numbers, a_failure_that_took_a_number_without_a_stamp_shifts_nothing)
{
    note(0, 2);
    numbers_take(&numbers, 2, true, walls); /* a firewall dropped number 2 */
    expect(2, 1000, "before it");
    note(3, 4);
    numbers_take(&numbers, 4, false, walls);
    expect(4, 1003, "behind it");
    note(7, 1);
    numbers_take(&numbers, 2, false, walls);
    expect(1, 1007, "then numbers are certain again");
    cr_expect_eq(walls[1], 0);
}

Test(numbers, a_failure_that_took_no_number_shifts_nothing)
{
    numbers_take(&numbers, 0, true, walls); /* there was no route */
    numbers_take(&numbers, 0, true, walls);
    note(0, 4);
    numbers_take(&numbers, 4, false, walls);
    expect(4, 1000, "behind it");
    note(4, 1);
    numbers_take(&numbers, 2, false, walls);
    expect(1, 1004, "then numbers are certain again");
}

Test(numbers, a_failure_that_was_stamped_leaves_no_doubt)
{
    note(0, 3);
    numbers_take(&numbers, 2, true, walls); /* a queue dropped number 2 behind its stamp */
    expect(2, 1000, "before it");
    note(3, 1); /* number 4 waits for its neighbour */
    numbers_take(&numbers, 2, false, walls);
    expect(1, 1003, "behind it");
    cr_expect_eq(walls[1], 0);
}

Test(numbers, in_doubt_nobody_is_given_a_stamp)
{
    numbers_take(&numbers, 0, true, walls); /* it took 0, or nothing */
    note(1, 1);                             /* of two packets: 0 and 1, or 1 and 2 */
    numbers_take(&numbers, 2, false, walls);
    expect(2, 0, "one of two");
    numbers_take(&numbers, 0, true, walls);
    numbers_take(&numbers, 0, true, walls);
    note(3, 3); /* the first of the failures took 0, the others nothing: 1 and 2 were those two */
    numbers_take(&numbers, 3, false, walls);
    expect(3, 1003, "all of three");
}

Test(numbers, in_doubt_a_late_stamp_of_an_earlier_packet_is_not_taken_for_a_later_one)
{
    numbers_take(&numbers, 0, true, walls);  /* took 0 */
    numbers_take(&numbers, 1, false, walls); /* 1; it waits for its neighbour */
    note(1, 2);                              /* its stamp, and that of 2 */
    numbers_take(&numbers, 1, false, walls);
    expect(1, 1002, "the highest is that of the packet sent last");
}

Test(numbers, a_thousand_failures_are_made_good_by_one_batch)
{
    for (int i = 0; i < 1000; i++)
        numbers_take(&numbers, 0, true, walls); /* took 700 of the numbers */
    note(700, 64);
    numbers_take(&numbers, 64, false, walls);
    expect(64, 1700, "behind them");
}

Test(numbers, they_wrap_around)
{
    numbers.next = numbers.end = UINT32_MAX - 1;
    for (uint32_t i = 0; i < 4; i++)
        numbers_note(&numbers, UINT32_MAX - 1 + i, 1000 + i);
    numbers_take(&numbers, 3, true, walls); /* 2^32-2, 2^32-1, 0; and 1 failed */
    expect(3, 1000, "across the end");
    note(0, 1);
    note(2, 2);
    numbers_take(&numbers, 2, false, walls);
    expect(2, 1002, "behind it");
}
