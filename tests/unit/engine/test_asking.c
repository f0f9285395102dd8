/* SPDX-License-Identifier: BSD-2-Clause */
/* Which question has its turn, and which one a probe carries; nothing of the engine is needed. */
#include "engine/asking.h"

#include <criterion/criterion.h>

static const sonde_ns WAIT = 590 * SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

/* Send a probe to the target. @return The question that it carries. */
static uint8_t send(struct asking *asking, sonde_ns now)
{
    uint8_t question = asking_take(asking);
    (void)asking_on_sent(asking, question, now);
    return question;
}

Test(asking, a_service_with_one_question_has_no_turns)
{
    for (unsigned count = 0; count <= 1; count++) {
        struct asking asking = asking_of(count);
        cr_expect_eq(send(&asking, 0), 0);
        cr_expect_eq(asking_turn_ns(&asking, WAIT), SONDE_NS_NEVER);
        cr_expect_not(asking_is_open(&asking));
        cr_expect_eq(send(&asking, S), 0);
        cr_expect_eq(asking_on_the_way(&asking), 0);
    }
}

Test(asking, a_turn_lasts_until_its_first_probe_was_silent_for_long_enough)
{
    struct asking asking = asking_of(3);
    cr_expect_eq(asking_turn_ns(&asking, WAIT), SONDE_NS_NEVER, "nothing has left");
    cr_expect_not(asking_is_open(&asking), "and nothing may ever leave");
    cr_expect(asking_on_sent(&asking, asking_take(&asking), 7));
    cr_expect_eq(asking_turn_ns(&asking, WAIT), 7 + WAIT);
    cr_expect(asking_is_open(&asking));
    cr_expect_not(asking_on_sent(&asking, asking_take(&asking), 9), "it is silent already");
    cr_expect_eq(asking_turn_ns(&asking, WAIT), 7 + WAIT);
    cr_expect_eq(asking_turn_ns(&asking, SONDE_NS_NEVER), SONDE_NS_NEVER);
}

Test(asking, each_question_has_a_first_turn_that_is_worth_a_probe_and_then_they_go_round)
{
    struct asking asking = asking_of(3);
    cr_expect_eq(send(&asking, 0), 0);
    cr_expect(asking_turn(&asking));
    cr_expect_eq(asking_turn_ns(&asking, WAIT), SONDE_NS_NEVER, "its probe has not left");
    cr_expect_eq(send(&asking, S), 1);
    cr_expect(asking_is_open(&asking));
    cr_expect(asking_turn(&asking));
    cr_expect_eq(send(&asking, 2 * S), 2);
    cr_expect_not(asking_is_open(&asking), "all had theirs");
    cr_expect_eq(asking_turn_ns(&asking, WAIT), 2 * S + WAIT);
    for (uint8_t turn = 0; turn < 6; turn++) {
        cr_expect_not(asking_turn(&asking));
        cr_expect_eq(send(&asking, (3 + turn) * S), turn % 3);
        cr_expect_eq(send(&asking, (3 + turn) * S + 1), turn % 3, "as long as its turn is");
    }
    cr_expect_eq(asking_on_the_way(&asking), 0, "what expires need not be answered");
}

Test(asking, what_is_answered_is_kept_to)
{
    struct asking asking = asking_of(3);
    (void)send(&asking, 0);
    asking_on_answer(&asking, 0);
    cr_expect_eq(asking_turn_ns(&asking, WAIT), SONDE_NS_NEVER);
    cr_expect_not(asking_is_open(&asking), "nobody waits for the others");
    for (int i = 0; i < 5; i++)
        cr_expect_eq(send(&asking, i * S), 0);
}

Test(asking, one_silence_may_be_chance_and_two_are_none)
{
    struct asking asking = asking_of(3);
    (void)send(&asking, 0);
    (void)send(&asking, 1);
    (void)asking_turn(&asking);
    (void)send(&asking, S);
    (void)asking_turn(&asking);
    cr_expect_eq(send(&asking, 2 * S), 2);
    asking_on_answer(&asking, 2);
    cr_expect_eq(asking_on_the_way(&asking), 2);
    cr_expect_eq(send(&asking, 3 * S), 1, "the first was asked twice");
    cr_expect_eq(send(&asking, 4 * S), 2);
    cr_expect_eq(send(&asking, 5 * S), 2);
}

Test(asking, the_first_that_is_answered_is_kept_to_and_not_the_one_that_was_answered_first)
{
    struct asking asking = asking_of(2);
    (void)send(&asking, 0);
    (void)asking_turn(&asking);
    (void)send(&asking, S);
    asking_on_answer(&asking, 1);
    cr_expect_eq(send(&asking, 2 * S), 0);
    asking_on_answer(&asking, 0);
    cr_expect_eq(asking_on_the_way(&asking), 0);
    for (int i = 3; i < 300; i++) /* more than are counted */
        cr_expect_eq(send(&asking, i * S), 0);
}

Test(asking, a_silence_that_says_nothing_is_no_ask_and_its_question_comes_once_more)
{
    struct asking asking = asking_of(3);
    cr_expect_not(asking_takes_again(&asking));
    (void)send(&asking, 0);
    asking_again(&asking, 0);
    (void)asking_turn(&asking);
    cr_expect(asking_takes_again(&asking));
    cr_expect_eq(send(&asking, S), 0, "before the one whose turn it is");
    cr_expect_not(asking_takes_again(&asking));
    cr_expect_eq(asking_turn_ns(&asking, WAIT), SONDE_NS_NEVER, "its probe has not left");
    cr_expect_eq(send(&asking, 2 * S), 1);
    cr_expect_eq(asking_turn_ns(&asking, WAIT), 2 * S + WAIT);
}

Test(asking, each_of_several_comes_once_more_in_their_order)
{
    struct asking asking = asking_of(3);
    (void)send(&asking, 0);
    asking_again(&asking, 2);
    asking_again(&asking, 1);
    asking_again(&asking, 1);
    static const uint8_t expected[] = {1, 1, 2, 0, 0};
    for (size_t i = 0; i < sizeof expected; i++) {
        cr_expect_eq(asking_takes_again(&asking), expected[i] != 0);
        cr_expect_eq(send(&asking, S), expected[i], "%zu", i);
    }
}

/* One silence that counts may be chance; the other did not count. */
Test(asking, a_question_whose_silence_said_nothing_was_not_asked_twice)
{
    struct asking asking = asking_of(2);
    (void)send(&asking, 0);
    (void)send(&asking, 1);
    asking_again(&asking, 0);
    (void)asking_turn(&asking);
    asking_on_answer(&asking, 1);
    cr_expect_eq(send(&asking, S), 0, "in place of the one that said nothing");
    cr_expect_eq(send(&asking, 2 * S), 1, "the first was asked twice now");
    asking_again(&asking, 0);
    cr_expect_eq(send(&asking, 3 * S), 0);
    asking_again(&asking, 0);
    asking_on_answer(&asking, 0);
    cr_expect_eq(send(&asking, 4 * S), 0);
    cr_expect_eq(send(&asking, 5 * S), 0);
    cr_expect_not(asking_takes_again(&asking));
}

Test(asking, more_repetitions_than_can_be_counted_are_as_many_as_can)
{
    struct asking asking = asking_of(1);
    for (int i = 0; i < 300; i++)
        asking_again(&asking, 0);
    for (int i = 0; i < 255; i++) {
        cr_expect(asking_takes_again(&asking));
        cr_expect_eq(send(&asking, i), 0);
    }
    cr_expect_not(asking_takes_again(&asking));
}

/* Of three questions the first is kept to, and becomes silent. Each other one comes once, and then
 * the first again, until one is answered. */
Test(asking, who_becomes_silent_is_asked_the_others_and_the_first_that_is_answered_is_kept_to)
{
    for (uint8_t answered = 0; answered < 3; answered++) {
        struct asking asking = asking_of(3);
        cr_expect_eq(asking_doubt(&asking), 0, "nothing is kept to");
        cr_assert_eq(asking_take(&asking), 0);
        asking_on_answer(&asking, 0);
        cr_assert_eq(asking_take(&asking), 0);
        cr_expect_eq(asking_doubt(&asking), 2);
        cr_expect_eq(asking_doubt(&asking), 0, "they are to be asked already");
        cr_expect_eq(asking_take(&asking), 1);
        cr_expect_eq(asking_take(&asking), 2);
        cr_expect_eq(asking_take(&asking), 0);
        asking_on_answer(&asking, answered);
        if (answered == 2) /* it is asked once more whether the second was silent by chance */
            cr_expect_eq(asking_take(&asking), 1);
        cr_expect_eq(asking_take(&asking), answered);
        cr_expect_eq(asking_take(&asking), answered);
        cr_expect_eq(asking_on_the_way(&asking), answered);
    }
}

Test(asking, who_refuses_on_the_way_shows_nothing_of_what_the_server_answers)
{
    struct asking asking = asking_of(3);
    asking_on_refusal(&asking, 0);
    cr_expect_eq(asking_turn_ns(&asking, 1), SONDE_NS_NEVER, "it would refuse the others as well");
    cr_expect_eq(asking_take(&asking), 0);
    asking = asking_of(3);
    asking_on_answer(&asking, 0);
    cr_expect_eq(asking_doubt(&asking), 2);
    cr_expect_eq(asking_take(&asking), 1);
    asking_on_refusal(&asking, 1);
    cr_expect_eq(asking_take(&asking), 2);
    cr_expect_eq(asking_take(&asking), 0, "it is kept to");
}
