/* SPDX-License-Identifier: BSD-2-Clause */
/* CoAP messages, by the layout of RFC 7252 §3. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define OUR_TOKEN "01020305a1a2a3a4 "
/* Version 1, CON, 8 bytes of token; GET; ID; option 269 + 64732 = 65001. */
#define UP_TO_OPTION "48 01 b1b2" OUR_TOKEN

Test(coap, gets_nothing_with_an_option_that_nobody_knows)
{
    struct sample_question question = sample_ask(&payload_coap, 0);
    sample_expect_question(&question, UP_TO_OPTION "e0 fcdc"); /* empty */
}

/* A length of 13 or more is written in one byte behind the number, of 269 or more in two; §3.1. */
Test(coap, pads_with_the_options_value)
{
    static const struct {
        size_t len;
        size_t head_len;
        const char *head;
    } cases[] = {
        {29, 16, UP_TO_OPTION "ed fcdc 00"},    /* 13 bytes */
        {284, 16, UP_TO_OPTION "ed fcdc ff"},   /* 268 bytes */
        {286, 17, UP_TO_OPTION "ee fcdc 0000"}, /* 269 bytes */
        {287, 17, UP_TO_OPTION "ee fcdc 0001"},
        {1152, 17, UP_TO_OPTION "ee fcdc 0362"}, /* 1135 bytes */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample_question question = sample_ask(&payload_coap, cases[i].len);
        cr_assert_eq(question.len, cases[i].len);
        for (size_t k = cases[i].head_len; k < question.len; k++)
            cr_expect_eq(question.bytes[k], 0, "byte %zu of %zu", k, question.len);
        question.len = cases[i].head_len;
        sample_expect_question(&question, cases[i].head);
    }
    cr_expect_eq(sample_ask(&payload_coap, 28).len, 15);
    cr_expect_eq(sample_ask(&payload_coap, 285).len, 284);   /* there is no 285 */
    cr_expect_eq(sample_ask(&payload_coap, 1153).len, 1152); /* what everybody takes; §4.6 */
}

Test(coap, takes_every_response)
{
    /* 4.02 as libcoap words it, 2.05 with content, 4.04 in a message of its own, 5.03 in one that
     * is not confirmable */
    sample_expect_answer(&payload_coap, "68 82 b1b2" OUR_TOKEN "e0 fcdc ff 426164204f7074696f6e");
    sample_expect_answer(&payload_coap, "68 45 b1b2" OUR_TOKEN "ff 6869");
    sample_expect_answer(&payload_coap, "48 84 0001" OUR_TOKEN);
    sample_expect_answer(&payload_coap, "58 a3 0001" OUR_TOKEN);
}

Test(coap, takes_what_has_only_the_message_id)
{
    sample_expect_answer(&payload_coap, "60 00 b1b2"); /* acknowledged; a response may follow */
    sample_expect_answer(&payload_coap, "70 00 b1b2"); /* rejected */
    sample_expect_refusal(&payload_coap, "70 00 0000", SONDE_DISCARD_BAD_TOKEN);
    /* a ping, more behind it, a token */
    sample_expect_refusal(&payload_coap, "40 00 b1b2", SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_coap, "70 00 b1b2 ff", SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_coap, "71 00 b1b2 01", SONDE_DISCARD_NOT_A_RESULT);
}

Test(coap, refuses_what_is_no_response)
{
    /* a request, version 2, a reserved class, a reset with a code */
    sample_expect_refusal(&payload_coap, "48 01 b1b2" OUR_TOKEN, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_coap, "a8 82 b1b2" OUR_TOKEN, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_coap, "68 62 b1b2" OUR_TOKEN, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_coap, "78 82 b1b2" OUR_TOKEN, SONDE_DISCARD_NOT_A_RESULT);
}

Test(coap, the_token_is_ours)
{
    sample_expect_refusal(&payload_coap, "68 82 b1b2 01020304a1a2a3a4", SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_coap, "64 82 b1b2 a1a2a3a4", SONDE_DISCARD_BAD_TOKEN);
}

Test(coap, needs_the_name)
{
    sample_expect_truncation(&payload_coap, "68 82 b1b2" OUR_TOKEN "ff 4e6f", 12);
    sample_expect_truncation(&payload_coap, "70 00 b1b2", 4);
}
