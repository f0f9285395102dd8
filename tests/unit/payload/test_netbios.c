/* SPDX-License-Identifier: BSD-2-Clause */
/* NetBIOS node status, by RFC 1002 §4.2.17 and §4.2.18. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* "*" is 2a: C, K; then 15 times 00: A, A. A label of 32 bytes, and the end. */
#define ANY                                                                                        \
    "20 434b 414141414141 414141414141 414141414141 414141414141 414141414141 00"                  \
    "0021 0001" /* NBSTAT, IN */

/* TTL 0, 65 bytes: one name, "HOST" and a workstation's 00, active; 46 bytes of statistics. */
#define STATUS                                                                                     \
    "00000000 0041 01 484f5354202020202020202020202000 0400"                                       \
    "020000000001 0000000000000000000000000000000000000000"                                        \
    "0000000000000000000000000000000000000000"

Test(netbios, asks_for_the_names_of_a_node)
{
    struct sample_question question = sample_ask(&payload_netbios, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" ANY);
    cr_expect_eq(sample_ask(&payload_netbios, 1200).len, 50);
}

Test(netbios, takes_names_and_a_refusal)
{
    sample_expect_answer(&payload_netbios, "b1b2 8400 0000 0001 0000 0000" ANY STATUS);
    sample_expect_answer(&payload_netbios, "b1b2 8401 0000 0000 0000 0000"); /* FMT_ERR */
    sample_expect_truncation(&payload_netbios, "b1b2 8400 0000 0001 0000 0000" ANY STATUS, 50);
}

Test(netbios, refuses_what_is_no_answer_to_it)
{
    /* the question, a registration's answer, an answer about another type, another transaction */
    sample_expect_refusal(&payload_netbios, "b1b2 0000 0001 0000 0000 0000" ANY,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_netbios, "b1b2 ad80 0000 0001 0000 0000" ANY STATUS,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_netbios,
                          "b1b2 8500 0000 0001 0000 0000"
                          "20 434b 414141414141 414141414141 414141414141 414141414141"
                          "414141414141 00 0020 0001 00000000 0000",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_netbios, "0000 8400 0000 0001 0000 0000" ANY STATUS,
                          SONDE_DISCARD_BAD_TOKEN);
}
