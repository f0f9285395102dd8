/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of states: what is written is read, and what is read can be written. */
#include "base/states.h"

#include <criterion/criterion.h>
#include <errno.h>

#define BIT(NAME) SONDE_STATE_BIT(SONDE_STATE_##NAME)

Test(states, alternatives_and_their_opposite_are_read_and_written)
{
    static const struct {
        const char *words;
        uint32_t states;
        const char *written;
        const char *wish;
    } cases[] = {
        {"open", BIT(OPEN), "open", "to be open"},
        {"up", BIT(OPEN), "open", "to be open"},
        {"closed|filtered", BIT(CLOSED) | BIT(FILTERED), "closed|filtered",
         "to be closed or filtered"},
        {"filtered|closed|filtered", BIT(CLOSED) | BIT(FILTERED), "closed|filtered",
         "to be closed or filtered"},
        {"open_or_filtered", BIT(OPEN_OR_FILTERED), "open_or_filtered", "to be open_or_filtered"},
        {"!open",
         BIT(CLOSED) | BIT(FILTERED) | BIT(REJECTED) | BIT(OPEN_OR_FILTERED) | BIT(UNREACHABLE),
         "!open", "not to be open"},
        {"!open|open_or_filtered", BIT(CLOSED) | BIT(FILTERED) | BIT(REJECTED) | BIT(UNREACHABLE),
         "!open|open_or_filtered", "not to be open or open_or_filtered"},
        /* six states can be expected: of three and three, the list itself is said */
        {"!open|closed|unreachable", BIT(FILTERED) | BIT(REJECTED) | BIT(OPEN_OR_FILTERED),
         "filtered|rejected|open_or_filtered", "to be filtered or rejected or open_or_filtered"},
        {"closed|filtered|rejected|open_or_filtered|unreachable", STATES_ALL & ~BIT(OPEN), "!open",
         "not to be open"},
        {"open|closed|filtered|rejected|open_or_filtered|unreachable", STATES_ALL,
         "open|closed|filtered|rejected|open_or_filtered|unreachable",
         "to be open or closed or filtered or rejected or open_or_filtered or unreachable"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        uint32_t states = 0;
        cr_assert_eq(states_read(cases[i].words, &states), 0, "%s", cases[i].words);
        cr_expect_eq(states, cases[i].states, "%s", cases[i].words);
        states_add(&text, states);
        cr_expect_str_eq(text.data, cases[i].written);
        text_deinit(&text);
        states_add_wish(&text, states);
        cr_expect_str_eq(text.data, cases[i].wish);
        text_deinit(&text);
    }
}

/* Also what leaves no state at all. */
Test(states, nothing_else_is_read)
{
    static const char *const wrong[] = {
        "",
        "!",
        "|",
        "open|",
        "|open",
        "open||closed",
        "!!open",
        "closed|!open",
        "ajar",
        "unknown",
        "!unknown",
        "OPEN",
        "ope",
        "openx",
        "open closed",
        "!open|closed|filtered|rejected|open_or_filtered|unreachable",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t states = 7;
        cr_expect_eq(states_read(wrong[i], &states), -EINVAL, "%s", wrong[i]);
        cr_expect_eq(states, 7);
    }
}
