/* SPDX-License-Identifier: BSD-2-Clause */
/* What a gateway without IKEv2 is asked, by RFC 2408 §3 and RFC 2409; and what one that answers
 * neither is, by RFC 7296 §2.5. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define OUR_COOKIE "01020305 a1a2a3a4 "

/* 28 + 44 = 72 = 0x48 bytes: main mode; SA of the IPsec DOI; one proposal of 32, one transform of
 * 24; encryption 65001, hash 2, authentication 1, group 14 */
#define QUESTION                                                                                   \
    OUR_COOKIE "0000000000000000 01 10 02 00 00000000 00000048"                                    \
               "00 00 002c 00000001 00000001"                                                      \
               "00 00 0020 01 01 00 01"                                                            \
               "00 00 0018 01 01 0000"                                                             \
               "8001 fde9 8002 0002 8003 0001 8004 000e"

/* Informational: a notification of 12 bytes, NO-PROPOSAL-CHOSEN = 14 */
#define REFUSAL                                                                                    \
    OUR_COOKIE "1122334455667788 0b 10 05 00 12345678 00000028 0000000c 00000001 01 00 000e"

Test(ikev1, asks_for_an_sa_with_an_encryption_of_private_use)
{
    struct sample_question question = sample_ask(&payload_ikev1, 0);
    cr_expect_eq(payload_ikev2.next, &payload_ikev1);
    sample_expect_question(&question, QUESTION);
    cr_expect_eq(sample_ask(&payload_ikev1, 1200).len, 72);
    cr_expect_eq(payload_ikev2_nat.next, &payload_ikev1_nat);
    question = sample_ask(&payload_ikev1_nat, 0);
    sample_expect_question(&question, "00000000" QUESTION);
}

Test(ikev1, takes_a_notice_and_an_sa)
{
    sample_expect_answer(&payload_ikev1, REFUSAL);
    sample_expect_answer(&payload_ikev1, /* of a gateway that takes what it does not know */
                         OUR_COOKIE "1122334455667788 01 10 02 00 00000000 0000001c");
    sample_expect_answer(&payload_ikev1_nat, "00000000" REFUSAL);
    sample_expect_truncation(&payload_ikev1, REFUSAL, 40);
}

Test(ikev1, refuses_what_is_no_answer_to_it)
{
    sample_expect_refusal(&payload_ikev1, /* version 2 */
                          OUR_COOKIE "0000000000000000 29 20 22 20 00000000 00000024"
                                     "00000008 0000 000e",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev1, /* aggressive mode */
                          OUR_COOKIE "1122334455667788 01 10 04 00 00000000 0000001c",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev1, /* somebody else's */
                          "01020305 b1a2a3a4 1122334455667788 0b 10 05 00 12345678 0000001b",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev1_nat, "00000001" REFUSAL, SONDE_DISCARD_NOT_A_RESULT);
}

Test(ikev3, asks_in_a_version_that_there_is_not)
{
    struct sample_question question = sample_ask(&payload_ikev3, 0);
    cr_expect_eq(payload_ikev1.next, &payload_ikev3);
    sample_expect_question(&question, OUR_COOKIE "0000000000000000 00 30 22 08 00000000 0000001c");
    question = sample_ask(&payload_ikev3_nat, 0);
    cr_expect_eq(payload_ikev1_nat.next, &payload_ikev3_nat);
    sample_expect_question(&question,
                           "00000000" OUR_COOKIE "0000000000000000 00 30 22 08 00000000 0000001c");
}

Test(ikev3, is_told_which_version_there_is)
{
    static const char refusal[] = /* INVALID_MAJOR_VERSION = 5 */
        OUR_COOKIE "0000000000000000 29 20 22 20 00000000 00000024 00000008 0000 0005";
    sample_expect_answer(&payload_ikev3, refusal);
    sample_expect_truncation(&payload_ikev3, refusal, 36);
}
