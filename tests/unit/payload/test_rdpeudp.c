/* SPDX-License-Identifier: BSD-2-Clause */
/* RDP over UDP, by [MS-RDPEUDP] §2.2.2.1, §2.2.2.5, §3.1.5.1.1 and the capture of its §4.1.2. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* The cookie's upper 16 bits, and the name in 16 bits. */
#define SEQUENCE "0102 b1b2"
#define SYN_ACK SEQUENCE "0400 0005 00000042 04d0 04d0"

Test(rdpeudp, begins_a_connection_with_a_syn_of_1232_bytes)
{
    struct sample_question question = sample_ask(&payload_rdpeudp, 0);
    cr_assert_eq(question.len, 1232);
    for (size_t i = 16; i < question.len; i++)
        cr_expect_eq(question.bytes[i], 0, "byte %zu", i);
    question.len = 16;
    sample_expect_question(&question, "ffffffff 0040 0001" SEQUENCE "04d0 04d0");
    cr_expect_eq(sample_ask(&payload_rdpeudp, 1400).len, 1232);
    cr_expect_eq(payload_by_port(3389), &payload_rdpeudp);
}

Test(rdpeudp, the_number_that_an_answer_acknowledges_names_the_probe)
{
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    cr_expect_eq(sample_fits(&payload_rdpeudp, SYN_ACK, &match), 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_FIELD16);
    cr_expect_eq(match.value, sample_name.field16);
    /* lossy, with a version: 0x0200, 0x1000; the smallest MTU; zeros behind */
    sample_expect_answer(&payload_rdpeudp, SEQUENCE "0040 1205 00000000 046c 046c 00010001 0000");
}

Test(rdpeudp, a_quoted_question_names_the_probe)
{
    struct sample_question question = sample_ask(&payload_rdpeudp, 0);
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    for (size_t len = 0; len < 12; len++)
        cr_expect_eq(payload_rdpeudp.recognize(&sample_trace,
                                               (struct sonde_span){question.bytes, len}, &match),
                     SONDE_DISCARD_TRUNCATED);
    cr_expect_eq(
        payload_rdpeudp.recognize(&sample_trace, (struct sonde_span){question.bytes, 12}, &match),
        0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_FIELD16);
    cr_expect_eq(match.value, sample_name.field16);
}

Test(rdpeudp, refuses_what_is_no_syn_ack)
{
    /* a SYN, an ACK, an MTU below 1132, one above 1232 */
    sample_expect_refusal(&payload_rdpeudp, SEQUENCE "0400 0001 00000042 04d0 04d0",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_rdpeudp, SEQUENCE "0400 0004 00000042 04d0 04d0",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_rdpeudp, SEQUENCE "0400 0005 00000042 046b 04d0",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_rdpeudp, SEQUENCE "0400 0005 00000042 04d0 04d1",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_rdpeudp, "0103 b1b2 0400 0005 00000042 04d0 04d0",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_truncation(&payload_rdpeudp, SYN_ACK, 16);
}
