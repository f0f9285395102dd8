/* SPDX-License-Identifier: BSD-2-Clause */
/* What answers show now: two of a kind in a row, or all since then. */
#include "engine/shown.h"

#include <criterion/criterion.h>

Test(shown, nothing_is_shown_at_first)
{
    const struct shown shown = {0};
    for (int i = 0; i < SONDE_OUTCOME_COUNT; i++)
        cr_expect_not(shown_has(&shown, (enum sonde_outcome)i));
    cr_expect_not(shown_is_answered(&shown) || shown_is_refused(&shown));
}

Test(shown, one_answer_of_another_kind_is_believed_beside_what_was_and_two_in_place_of_it)
{
    struct shown shown = {0};
    shown_note(&shown, SONDE_OUTCOME_UDP_REPLY);
    shown_note(&shown, SONDE_OUTCOME_UDP_REPLY);
    shown_note(&shown, SONDE_OUTCOME_PORT_UNREACHABLE);
    cr_expect(shown_has(&shown, SONDE_OUTCOME_UDP_REPLY));
    cr_expect(shown_has(&shown, SONDE_OUTCOME_PORT_UNREACHABLE));
    shown_note(&shown, SONDE_OUTCOME_PORT_UNREACHABLE);
    cr_expect_not(shown_has(&shown, SONDE_OUTCOME_UDP_REPLY));
    cr_expect(shown_has(&shown, SONDE_OUTCOME_PORT_UNREACHABLE));
}

Test(shown, who_takes_turns_is_believed_all)
{
    struct shown shown = {0};
    for (int i = 0; i < 10; i++)
        shown_note(&shown, i % 2 == 0 ? SONDE_OUTCOME_OPEN : SONDE_OUTCOME_CLOSED);
    cr_expect(shown_has(&shown, SONDE_OUTCOME_OPEN) && shown_has(&shown, SONDE_OUTCOME_CLOSED));
}

/* sonde/vocabulary.h: from echo_reply to port_unreachable, and from admin_prohibited to
 * other_unreachable. */
Test(shown, an_answer_of_the_target_is_told_from_a_refusal_on_the_way)
{
    for (int i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        struct shown shown = {0};
        shown_note(&shown, (enum sonde_outcome)i);
        cr_expect_eq(shown_is_answered(&shown),
                     i == SONDE_OUTCOME_ECHO_REPLY || i == SONDE_OUTCOME_OPEN ||
                         i == SONDE_OUTCOME_CLOSED || i == SONDE_OUTCOME_UDP_REPLY ||
                         i == SONDE_OUTCOME_PORT_UNREACHABLE);
        cr_expect_eq(shown_is_refused(&shown),
                     i >= SONDE_OUTCOME_ADMIN_PROHIBITED && i <= SONDE_OUTCOME_OTHER_UNREACHABLE);
    }
}
