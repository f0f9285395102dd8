/* SPDX-License-Identifier: BSD-2-Clause */
/* QUIC packets, by the layout of RFC 8999 §5.1 and §6. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

Test(quic, asks_in_a_reserved_version_with_the_name_as_source)
{
    struct sample_question question = sample_ask(&payload_quic, 0);
    cr_expect_eq(question.len, 1200); /* RFC 9000 §14.1 */
    for (size_t i = 23; i < question.len; i++)
        cr_expect_eq(question.bytes[i], 0, "byte %zu", i);
    question.len = 23;
    sample_expect_question(&question, "c0 1a2a3a4a"            /* long header, 0x?a?a?a?a */
                                      "08 0102030405060708"    /* to the cookie */
                                      "08 01020305 a1a2a3a4"); /* from the probe */
}

Test(quic, pads_to_what_is_wanted)
{
    cr_expect_eq(sample_ask(&payload_quic, 1199).len, 1200);
    cr_expect_eq(sample_ask(&payload_quic, 1201).len, 1201);
    cr_expect_eq(sample_ask(&payload_quic, 1372).len, 1372);
}

Test(quic, takes_a_version_negotiation)
{
    sample_expect_answer(&payload_quic, "c0 00000000 08 01020305a1a2a3a4 08 0102030405060708"
                                        "00000001");
    /* the other seven bits are arbitrary; versions 2 and 1, and a reserved one */
    sample_expect_answer(&payload_quic, "95 00000000 08 01020305a1a2a3a4 08 0102030405060708"
                                        "6b3343cf 00000001 9a8a7a6a");
}

Test(quic, refuses_what_is_no_version_negotiation)
{
    /* a short header, version 1, a connection id of 7 bytes, another of 7 bytes */
    sample_expect_refusal(&payload_quic,
                          "40 00000000 08 01020305a1a2a3a4 08 0102030405060708 00000001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_quic,
                          "c0 00000001 08 01020305a1a2a3a4 08 0102030405060708 00000001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_quic,
                          "c0 00000000 07 01020305a1a2a3 08 0102030405060708 00000001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_quic,
                          "c0 00000000 08 01020305a1a2a3a4 07 0102030405060708 00000001",
                          SONDE_DISCARD_NOT_A_RESULT);
}

Test(quic, both_connection_ids_are_ours)
{
    sample_expect_refusal(&payload_quic,
                          "c0 00000000 08 01020304a1a2a3a4 08 0102030405060708 00000001",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_quic,
                          "c0 00000000 08 01020305a1a2a3a4 08 0102030405060709 00000001",
                          SONDE_DISCARD_BAD_TOKEN);
}

Test(quic, needs_whole_versions)
{
    sample_expect_truncation(&payload_quic,
                             "c0 00000000 08 01020305a1a2a3a4 08 0102030405060708 00000001", 27);
    sample_expect_refusal(&payload_quic,
                          "c0 00000000 08 01020305a1a2a3a4 08 0102030405060708 00000001 6b3343",
                          SONDE_DISCARD_TRUNCATED);
}
