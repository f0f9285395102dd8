/* SPDX-License-Identifier: BSD-2-Clause */
/* STUN requests and responses, by RFC 8489 §5, §14.2 and §14.8. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define COOKIE "2112a442"
#define NAME "0102030405060708 a1a2a3a4"
#define MAPPED "0020 0008 0001 e112 e112a643" /* XOR-MAPPED-ADDRESS 192.0.2.1:49152 */

Test(stun, asks_for_a_binding)
{
    struct sample_question question = sample_ask(&payload_stun, 0);
    sample_expect_question(&question, "0001 0000" COOKIE NAME);
}

/* An attribute of a type from 0x8000 on is passed over by whoever does not know it; §14. */
Test(stun, pads_with_an_attribute_in_words_of_four_bytes)
{
    struct sample_question question = sample_ask(&payload_stun, 31);
    sample_expect_question(&question, "0001 0008" COOKIE NAME "ffff 0004 00000000");
    question = sample_ask(&payload_stun, 24);
    sample_expect_question(&question, "0001 0004" COOKIE NAME "ffff 0000");
    cr_expect_eq(sample_ask(&payload_stun, 23).len, 20);
    cr_expect_eq(sample_ask(&payload_stun, 1200).len, 1200);
}

Test(stun, takes_a_success_and_an_error)
{
    sample_expect_answer(&payload_stun, "0101 000c" COOKIE NAME MAPPED);
    sample_expect_answer(&payload_stun, "0101 0000" COOKIE NAME);
    sample_expect_answer(&payload_stun, /* ERROR-CODE 401, without a reason */
                         "0111 0008" COOKIE NAME "0009 0004 0000 0401");
}

Test(stun, refuses_what_is_no_response_to_it)
{
    /* a request, an indication, another method, no magic cookie, a length that cannot be */
    sample_expect_refusal(&payload_stun, "0001 0000" COOKIE NAME, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_stun, "0011 0000" COOKIE NAME, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_stun, "0103 0000" COOKIE NAME, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_stun, "0101 0000 2112a443" NAME, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_stun, "0101 0002" COOKIE NAME "0000",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_stun, "0101 0000" COOKIE "0102030405060709 a1a2a3a4",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_stun, "0101 fffc" COOKIE NAME MAPPED, SONDE_DISCARD_TRUNCATED);
    sample_expect_truncation(&payload_stun, "0101 000c" COOKIE NAME MAPPED, 32);
}

/* RFC 8656 §7: Refresh, LIFETIME (0x000d) of 0 s. */
#define LIFETIME "000d 0004 00000000"

Test(stun, then_asks_to_refresh_nothing_for_no_time)
{
    struct sample_question question = sample_ask(&payload_stun_refresh, 0);
    cr_expect_eq(payload_stun.next, &payload_stun_refresh);
    sample_expect_question(&question, "0004 0008" COOKIE NAME LIFETIME);
    question = sample_ask(&payload_stun_refresh, 37);
    sample_expect_question(&question, "0004 0010" COOKIE NAME LIFETIME "ffff 0004 00000000");
}

Test(stun, an_answer_to_one_request_is_none_to_the_other)
{
    static const char refused[] = /* ERROR-CODE 437 */
        "0114 0008" COOKIE NAME "0009 0004 0000 0425";
    sample_expect_answer(&payload_stun_refresh, refused);
    sample_expect_answer(&payload_stun_refresh, "0104 0000" COOKIE NAME);
    sample_expect_refusal(&payload_stun, refused, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_stun_refresh, "0101 0000" COOKIE NAME,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_truncation(&payload_stun_refresh, refused, 28);
}
