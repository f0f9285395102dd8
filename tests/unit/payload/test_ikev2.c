/* SPDX-License-Identifier: BSD-2-Clause */
/* IKEv2 messages, by the layouts of RFC 7296 §3.1 to §3.10, and RFC 3948 §2.2. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define OUR_SPI "01020305 a1a2a3a4 "
#define NO_PROPOSAL "00000008 0000 000e" /* 8 bytes, no SPI, NO_PROPOSAL_CHOSEN = 14 */
#define REFUSAL OUR_SPI "0000000000000000 29 20 22 20 00000000 00000024" NO_PROPOSAL

/* 28 + 44 + 264 + 36 = 372 = 0x174 bytes. */
#define UP_TO_THE_GROUP                                                                            \
    OUR_SPI "0000000000000000 21 20 22 08 00000000 00000174" /* initiator, SA follows */           \
            "22 00 002c"                                     /* SA, KE follows */                  \
            "00 00 0028 01 01 00 04" /* the last proposal, IKE, four transforms */                 \
            "03 00 0008 01 00 f000"                                                                \
            "03 00 0008 02 00 0005"                                                                \
            "03 00 0008 03 00 000c"                                                                \
            "00 00 0008 04 00 000e"                                                                \
            "28 00 0108 000e 0000" /* KE, nonce follows, group 14 */

static void expect_message(const struct sample_question *question, size_t start)
{
    cr_assert_eq(question->len, start + 372);
    for (size_t i = start + 80; i < start + 336; i++)
        cr_expect_eq(question->bytes[i], 0x5a, "byte %zu", i);
    struct sample_question nonce = {.len = 36};
    memcpy(nonce.bytes, question->bytes + start + 336, nonce.len);
    sample_expect_question(&nonce, "00 00 0024 0102030405060708 0102030405060708"
                                   "0102030405060708 0102030405060708");
}

Test(ikev2, asks_for_an_sa_with_an_encryption_of_private_use)
{
    struct sample_question question = sample_ask(&payload_ikev2, 0);
    expect_message(&question, 0);
    question.len = 80;
    sample_expect_question(&question, UP_TO_THE_GROUP);
}

/* RFC 7296 §3.10: next payload, critical, length, protocol, bytes of SPI, type, data. */
Test(ikev2, pads_with_a_notice_of_private_use_at_its_end)
{
    struct sample_question question = sample_ask(&payload_ikev2, 384);
    cr_assert_eq(question.len, 384);
    struct sample_question end = {.len = 48};
    memcpy(end.bytes, question.bytes + 336, end.len);
    sample_expect_question(&end, "29 00 0024 0102030405060708 0102030405060708"
                                 "0102030405060708 0102030405060708"
                                 "00 00 000c 00 00 f000 00000000");
    cr_expect_eq(question.bytes[26], 0x01); /* 384 = 0x180 bytes */
    cr_expect_eq(question.bytes[27], 0x80);
    cr_expect_eq(sample_ask(&payload_ikev2, 379).len, 372);
    cr_expect_eq(sample_ask(&payload_ikev2, 1000).len, 1000);
    cr_expect_eq(sample_ask(&payload_ikev2_nat, 1000).len, 1000);
}

Test(ikev2, puts_the_marker_before_it_on_the_other_port)
{
    struct sample_question question = sample_ask(&payload_ikev2_nat, 0);
    expect_message(&question, 4);
    question.len = 84;
    sample_expect_question(&question, "00000000" UP_TO_THE_GROUP);
    cr_expect_eq(payload_by_port(4500), &payload_ikev2_nat);
}

Test(ikev2, takes_every_response)
{
    sample_expect_answer(&payload_ikev2, REFUSAL);
    /* with a responder's SPI; INVALID_SYNTAX = 7; INVALID_KE_PAYLOAD = 17 for group 19 */
    sample_expect_answer(&payload_ikev2, OUR_SPI "1122334455667788 29 20 22 20 00000000 00000024"
                                                 "00000008 0000 0007");
    sample_expect_answer(&payload_ikev2, OUR_SPI "0000000000000000 29 20 22 20 00000000 00000026"
                                                 "0000000a 0000 0011 0013");
    /* a cookie, 16390; a minor version; INVALID_MAJOR_VERSION in version 1 */
    sample_expect_answer(&payload_ikev2, OUR_SPI "0000000000000000 29 21 22 20 00000000 00000028"
                                                 "0000000c 0000 4006 deadbeef");
    sample_expect_answer(&payload_ikev2, OUR_SPI "1122334455667788 0b 10 05 00 12345678 00000028"
                                                 "0000000c 00000001 01 00 0005");
}

Test(ikev2, refuses_what_is_no_response)
{
    /* a request, one by the initiator, another exchange, version 3, version 1's main mode, a length
     * below the header's */
    sample_expect_refusal(&payload_ikev2,
                          OUR_SPI "0000000000000000 29 20 22 08 00000000 00000024" NO_PROPOSAL,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2,
                          OUR_SPI "0000000000000000 29 20 22 28 00000000 00000024" NO_PROPOSAL,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2,
                          OUR_SPI "0000000000000000 29 20 25 20 00000000 00000024" NO_PROPOSAL,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2,
                          OUR_SPI "0000000000000000 29 30 22 20 00000000 00000024" NO_PROPOSAL,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2,
                          OUR_SPI "0000000000000000 29 10 02 00 00000000 00000024" NO_PROPOSAL,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2,
                          OUR_SPI "0000000000000000 29 20 22 20 00000000 0000001b" NO_PROPOSAL,
                          SONDE_DISCARD_NOT_A_RESULT);
}

Test(ikev2, the_initiators_spi_is_ours)
{
    sample_expect_refusal(
        &payload_ikev2,
        "01020304 a1a2a3a4 0000000000000000 29 20 22 20 00000000 00000024" NO_PROPOSAL,
        SONDE_DISCARD_BAD_TOKEN);
}

Test(ikev2, needs_the_whole_message)
{
    sample_expect_truncation(&payload_ikev2, REFUSAL, 36);
    sample_expect_truncation(&payload_ikev2_nat, "00000000" REFUSAL, 40);
}

Test(ikev2, esp_and_keepalives_are_no_answer)
{
    sample_expect_answer(&payload_ikev2_nat, "00000000" REFUSAL);
    sample_expect_refusal(&payload_ikev2_nat, "00000001" REFUSAL, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2_nat, REFUSAL, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_ikev2_nat, "ff", SONDE_DISCARD_TRUNCATED);
}
