/* SPDX-License-Identifier: BSD-2-Clause */
/* WireGuard, which does not answer. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* The smallest message, one of data, is 32 bytes long: type, receiver, counter, tag. */
Test(wireguard, sends_what_is_too_short_for_any_message)
{
    struct sample_question question = sample_ask(&payload_wireguard, 0);
    sample_expect_question(&question, "00000000 0102030405060708 a1a2a3a4");
    cr_expect_eq(sample_ask(&payload_wireguard, 1000).len, 16);
}

/* A response to a handshake, a cookie, and what was asked. */
Test(wireguard, takes_nothing_for_an_answer)
{
    sample_expect_refusal(&payload_wireguard, "02000000 01020304 05060708",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_wireguard, "03000000 01020304 05060708",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_wireguard, "00000000 0102030405060708 a1a2a3a4",
                          SONDE_DISCARD_NOT_A_RESULT);
}

Test(wireguard, an_error_that_quotes_it_names_the_probe)
{
    struct sample_question question = sample_ask(&payload_wireguard, 0);
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    cr_expect_eq(payload_wireguard.recognize(
                     &sample_trace, (struct sonde_span){question.bytes, question.len}, &match),
                 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_TOKEN);
    cr_expect_eq(match.value, sample_name.token);
}
