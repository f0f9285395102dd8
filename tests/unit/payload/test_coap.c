/* SPDX-License-Identifier: BSD-2-Clause */
/* CoAP messages, by the layout of RFC 7252 §3. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define OUR_TOKEN "01020305a1a2a3a4 "

Test(coap, gets_nothing_with_an_option_that_nobody_knows)
{
    struct sample_question question = sample_ask(&payload_coap, 0);
    sample_expect_question(&question, "48 01 b1b2" /* version 1, CON, 8 bytes of token; GET */
                           OUR_TOKEN "e0 fcdc");   /* option 269 + 64732 = 65001, empty */
}

/* A length of 269 or more is written in two bytes behind the number; §3.1. */
Test(coap, pads_with_the_options_value)
{
    struct sample_question question = sample_ask(&payload_coap, 287);
    cr_assert_eq(question.len, 287);
    for (size_t i = 17; i < question.len; i++)
        cr_expect_eq(question.bytes[i], 0, "byte %zu", i);
    question.len = 17;
    sample_expect_question(&question, "48 01 b1b2" OUR_TOKEN "ee fcdc 0001"); /* 270 bytes */
    cr_expect_eq(sample_ask(&payload_coap, 285).len, 15);
    cr_expect_eq(sample_ask(&payload_coap, 286).len, 286);
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
