/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS questions and answers, by the layout of RFC 1035 §4 and RFC 6891 §6.1.2. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

Test(dns, asks_for_the_name_servers_of_the_root)
{
    struct sample_question question = sample_ask(&payload_dns, 0);
    sample_expect_question(&question, "b1b2 0100 0001 0000 0000 0000" /* RD, one question */
                                      "00 0002 0001");                /* ., NS, IN */
}

Test(dns, pads_with_the_edns_option)
{
    struct sample_question question = sample_ask(&payload_dns, 36);
    sample_expect_question(&question, "b1b2 0100 0001 0000 0000 0001"
                                      "00 0002 0001"
                                      "00 0029 04d0 00000000 0008" /* OPT, 1232 bytes */
                                      "000c 0004 00000000");       /* padding: RFC 7830 */
    cr_expect_eq(question.len, 36);
    cr_expect_eq(sample_ask(&payload_dns, 1200).len, 1200);
    cr_expect_eq(sample_ask(&payload_dns, 31).len, 17); /* no room for the option */
}

Test(dns, takes_every_answer_to_its_question)
{
    sample_expect_answer(&payload_dns, "b1b2 8180 0001 000d 0000 0001 00 0002 0001 00");
    sample_expect_answer(&payload_dns, "b1b2 8105 0001 0000 0000 0000 00 0002 0001"); /* REFUSED */
    sample_expect_answer(&payload_dns, "b1b2 8001 0000 0000 0000 0000");              /* FORMERR */
}

Test(dns, refuses_what_is_no_answer_to_it)
{
    /* a query, another opcode, another name, another type, several questions */
    sample_expect_refusal(&payload_dns, "b1b2 0100 0001 0000 0000 0000 00 0002 0001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns, "b1b2 a100 0001 0000 0000 0000 00 0002 0001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns, "b1b2 8180 0001 0000 0000 0000 0161 00 0002 0001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns, "b1b2 8180 0001 0000 0000 0000 00 0001 0001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns, "b1b2 8180 0002 0000 0000 0000 00 0002 0001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns, "0000 8180 0001 0000 0000 0000 00 0002 0001",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_truncation(&payload_dns, "b1b2 8180 0001 0000 0000 0000 00 0002 0001", 17);
}
