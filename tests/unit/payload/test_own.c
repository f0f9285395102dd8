/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's own question. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

static int fits(const char *expects, const char *answer)
{
    const struct payload_trace trace = {
        .expects = {(const uint8_t *)expects, strlen(expects)},
    };
    struct payload_match match = {PAYLOAD_NAMES_TOKEN, 1};
    int r = payload_own.fits(&trace, (struct sonde_span){(const uint8_t *)answer, strlen(answer)},
                             &match);
    if (r == 0)
        cr_expect_eq(match.named, PAYLOAD_NAMES_NONE);
    return r;
}

Test(own, the_question_is_sent_as_it_is)
{
    const struct payload_trace trace = {.bytes = {(const uint8_t *)"ping\n", 5}};
    uint8_t bytes[16];
    struct wr wr = wr_init(bytes, sizeof bytes);
    payload_own.ask(&trace, &sample_name, 1000, &wr);
    cr_assert(wr_ok(&wr));
    cr_expect_eq(wr.len, 5);
    cr_expect_arr_eq(bytes, "ping\n", 5);
}

Test(own, an_answer_begins_as_expected)
{
    cr_expect_eq(fits("", "anything"), 0);
    cr_expect_eq(fits("", ""), 0);
    cr_expect_eq(fits("pong", "pong"), 0);
    cr_expect_eq(fits("pong", "pong and more"), 0);
    cr_expect_eq(fits("pong", "pon"), SONDE_DISCARD_TRUNCATED);
    cr_expect_eq(fits("pong", "ping"), SONDE_DISCARD_NOT_A_RESULT);
}
