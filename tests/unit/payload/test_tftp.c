/* SPDX-License-Identifier: BSD-2-Clause */
/* TFTP requests and answers, by RFC 1350 §5. */
#include "base/number.h"
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* "sonde-01020305a1a2a3a4" */
#define FILE_NAME "736f6e64652d 3031303230333035 6131613261336134 00"
#define OCTET "6f63746574 00"

Test(tftp, asks_for_a_file_that_is_named_as_the_probe)
{
    struct sample_question question = sample_ask(&payload_tftp, 0);
    sample_expect_question(&question, "0001" FILE_NAME OCTET);
    cr_expect_eq(sample_ask(&payload_tftp, 1200).len, 31);
    cr_expect(payload_tftp.other_port);
}

Test(tftp, takes_a_refusal_and_data)
{
    sample_expect_answer(&payload_tftp, "0005 0001 46696c65206e6f7420666f756e64 00");
    sample_expect_answer(&payload_tftp, "0005 0002 00"); /* access violation, no words */
    sample_expect_answer(&payload_tftp, "0003 0001 68690a");
    sample_expect_answer(&payload_tftp, "0003 0001"); /* an empty file */
    sample_expect_truncation(&payload_tftp, "0005 0001 46696c65206e6f7420666f756e64 00", 4);
}

Test(tftp, refuses_what_is_no_answer_to_a_request_to_read)
{
    sample_expect_refusal(&payload_tftp, "0003 0002 68690a", SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_tftp, "0004 0000", SONDE_DISCARD_NOT_A_RESULT); /* ACK */
    sample_expect_refusal(&payload_tftp, "0001" FILE_NAME OCTET, SONDE_DISCARD_NOT_A_RESULT);
    /* options that were not asked for; RFC 2347 */
    sample_expect_refusal(&payload_tftp, "0006 626c6b73697a6500 35313200",
                          SONDE_DISCARD_NOT_A_RESULT);
}

Test(tftp, a_request_for_another_file_is_not_ours)
{
    static const char *const questions[] = {
        "736f6e64652d 3031303230333034 6131613261336134", /* another cookie */
        "736f6e64652d 3031303230333067 6131613261336134", /* g */
        "736f6e64652e 3031303230333035 6131613261336134",
    };
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        uint8_t bytes[64] = {0, 1};
        size_t len = 0;
        struct payload_match match;
        cr_assert_eq(number_parse_hex(questions[i], bytes + 2, sizeof bytes - 2, &len), 0);
        cr_expect_eq(
            payload_tftp.recognize(&sample_trace, (struct sonde_span){bytes, len + 2}, &match),
            SONDE_DISCARD_BAD_TOKEN, "%zu", i);
    }
}
