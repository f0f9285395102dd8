/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a service is answered only so often. Half of the probes lost, 7 answered in a row are
 * chance in 1 of 128 cases, which is less than one in a hundred; 6 in 1 of 64, which is more.
 */
#include "engine/ration.h"

#include <criterion/criterion.h>

/* Probes that end in turns: one is lost, one is answered. */
static void halve(struct ration *ration, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ration_note(ration, i % 2 == 0, false);
}

static void note_slowly(struct ration *ration, bool lost, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ration_note(ration, lost, true);
}

Test(ration, who_loses_half_is_asked_slowly)
{
    struct ration ration = {0};
    halve(&ration, 31);
    cr_expect_not(ration_is_slow(&ration), "31 probes");
    halve(&ration, 1);
    cr_expect(ration_is_slow(&ration), "32");
}

Test(ration, who_loses_less_or_all_or_was_asked_slowly_is_not)
{
    struct ration less = {0};
    struct ration all = {0};
    struct ration slowly = {0};
    for (unsigned i = 0; i < 320; i++) {
        ration_note(&less, i % 32 < 15, false);
        ration_note(&all, true, false);
        ration_note(&slowly, i % 2 == 0, true);
    }
    cr_expect_not(ration_is_slow(&less));
    cr_expect_not(ration_is_slow(&all), "it is gone");
    cr_expect_not(ration_is_slow(&slowly), "it was");
}

Test(ration, what_left_before_says_nothing_of_the_slow_ones)
{
    struct ration ration = {0};
    halve(&ration, 32);
    for (unsigned i = 0; i < 10; i++)
        ration_note(&ration, true, false);
    cr_expect_eq(ration.state, RATION_SLOW);
}

Test(ration, so_many_answered_in_a_row_are_no_chance_and_if_it_loses_again_then_it_is_that)
{
    struct ration ration = {0};
    halve(&ration, 32);
    note_slowly(&ration, false, 6);
    cr_expect_eq(ration.state, RATION_SLOW);
    note_slowly(&ration, false, 1);
    cr_expect_eq(ration.state, RATION_CHECK);
    cr_expect_not(ration_is_slow(&ration), "it is asked as before");
    note_slowly(&ration, true, 10); /* left while it was asked slowly */
    halve(&ration, 8);
    cr_expect_eq(ration.state, RATION_CHECK, "4 are lost again");
    halve(&ration, 1);
    cr_expect_eq(ration.state, RATION_RATIONED, "5");
    cr_expect(ration_is_slow(&ration), "it stays so");
    cr_expect(ration.believed);
    halve(&ration, 100); /* left before */
    note_slowly(&ration, false, 200);
    note_slowly(&ration, true, 3);
    cr_expect_eq(ration.state, RATION_RATIONED);
    note_slowly(&ration, true, 1);
    cr_expect_eq(ration.state, RATION_USUAL, "4 of 32 are lost however slowly it is asked");
    cr_expect_not(ration.believed);
}

/* Half are lost, 7 slow ones are answered, and 5 of the next 9 are lost again. */
static struct ration rationed(void)
{
    struct ration ration = {0};
    halve(&ration, 32);
    note_slowly(&ration, false, 7);
    halve(&ration, 9);
    return ration;
}

Test(ration, it_is_looked_again_after_256_probes_and_believed_meanwhile)
{
    struct ration ration = rationed();
    note_slowly(&ration, false, 255);
    cr_expect_eq(ration.state, RATION_RATIONED);
    note_slowly(&ration, false, 1);
    cr_expect_eq(ration.state, RATION_CHECK);
    cr_expect(ration.believed);
    struct ration still = ration;
    halve(&still, 9);
    cr_expect_eq(still.state, RATION_RATIONED);
    for (unsigned i = 0; i < 32; i++) {
        cr_expect(ration.believed);
        ration_note(&ration, false, false);
    }
    cr_expect_eq(ration.state, RATION_USUAL, "nobody rations any more");
    cr_expect_not(ration.believed);
}

Test(ration, an_outage_that_is_over_is_none)
{
    struct ration ration = {0};
    halve(&ration, 32);
    note_slowly(&ration, false, 7);
    for (unsigned i = 0; i < 32; i++) {
        cr_expect_eq(ration.state, RATION_CHECK);
        ration_note(&ration, false, false);
    }
    cr_expect_eq(ration.state, RATION_USUAL);
}

Test(ration, one_that_is_lost_nevertheless_is_the_networks_and_it_is_not_tried_again_for_a_while)
{
    struct ration ration = {0};
    halve(&ration, 32);
    note_slowly(&ration, true, 1);
    cr_expect_eq(ration.state, RATION_USUAL);
    halve(&ration, 255);
    cr_expect_eq(ration.state, RATION_USUAL);
    halve(&ration, 2);
    cr_expect_eq(ration.state, RATION_SLOW, "after 256 probes");
    note_slowly(&ration, true, 1);
    halve(&ration, 500);
    cr_expect_eq(ration.state, RATION_USUAL);
    halve(&ration, 13);
    cr_expect_eq(ration.state, RATION_SLOW, "after 512");
    for (unsigned i = 0; i < 40; i++) {
        note_slowly(&ration, true, 1);
        halve(&ration, 4097);
        cr_expect_eq(ration.state, RATION_SLOW, "at the latest after 4096");
    }
}

/* Each time that it was not that, it is tried again only after twice as many probes: 256, 512, ...
 * But once nothing is lost, the next loss is another matter. */
Test(ration, after_a_time_without_loss_it_is_tried_as_soon_as_at_first)
{
    struct ration ration = {0};
    for (unsigned times = 0; times < 5; times++) {
        while (!ration_is_slow(&ration))
            halve(&ration, 2);
        note_slowly(&ration, true, 1);
    }
    cr_expect_eq(ration.next_try, 4096, "%u", ration.next_try);
    for (unsigned i = 0; i < 4096; i++)
        ration_note(&ration, false, false);
    halve(&ration, 32);
    cr_expect(ration_is_slow(&ration));
    note_slowly(&ration, true, 1);
    cr_expect_eq(ration.next_try, 256, "%u", ration.next_try);
}
