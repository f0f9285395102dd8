/* SPDX-License-Identifier: BSD-2-Clause */
/* DTLS records, by the layouts of RFC 6347 §4.1, §4.2.1 and §4.2.2. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* Our sequence number: the upper 16 bits of the cookie with the lowest set, and the token. */
#define OUR_SEQUENCE "0103 a1a2a3a4 "

/* HelloVerifyRequest: 3 bytes and a cookie of 4. */
#define VERIFY_REQUEST "03 000007 0000 000000 000007 feff 04 c0c1c2c3"

/* The sample's cookie begins with 0102, whose lowest bit is not set. */
Test(dtls, says_hello_with_a_suite_that_nobody_chooses)
{
    struct sample_question question = sample_ask(&payload_dtls, 0);
    sample_expect_question(&question, "16 feff 0000" OUR_SEQUENCE "0036"
                                      "01 00002a 0000 000000 00002a"
                                      "fefd 0102030405060708 0102030405060708"
                                      "0102030405060708 0102030405060708"
                                      "00 00 0002 0a0a 01 00");
}

/* RFC 7685 §3: type 21, and zeros. */
Test(dtls, pads_with_the_extension_for_it)
{
    struct sample_question question = sample_ask(&payload_dtls, 75);
    sample_expect_question(&question, "16 feff 0000" OUR_SEQUENCE "003e"
                                      "01 000032 0000 000000 000032"
                                      "fefd 0102030405060708 0102030405060708"
                                      "0102030405060708 0102030405060708"
                                      "00 00 0002 0a0a 01 00"
                                      "0006 0015 0002 0000");
    cr_expect_eq(sample_ask(&payload_dtls, 72).len, 67);
    cr_expect_eq(sample_ask(&payload_dtls, 73).len, 73);
    cr_expect_eq(sample_ask(&payload_dtls, 1000).len, 1000);
}

Test(dtls, takes_a_request_for_the_cookie)
{
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    cr_expect_eq(
        sample_fits(&payload_dtls, "16 feff 0000" OUR_SEQUENCE "0013" VERIFY_REQUEST, &match), 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_TOKEN);
    cr_expect_eq(match.value, sample_name.token);
}

/* OpenSSL 3.0 and GnuTLS 3.7 are seen to number it 0. */
Test(dtls, a_server_that_counts_by_itself_names_no_probe)
{
    struct payload_match match = {PAYLOAD_NAMES_TOKEN, 1};
    cr_expect_eq(
        sample_fits(&payload_dtls, "16 feff 0000 0000 00000000 0013" VERIFY_REQUEST, &match), 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_NONE);
    match = (struct payload_match){PAYLOAD_NAMES_TOKEN, 1};
    cr_expect_eq(sample_fits(&payload_dtls, "15 fefd 0000 0000 00000002 0002 0228", &match), 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_NONE);
}

Test(dtls, takes_every_kind_of_answer)
{
    /* handshake_failure = 40, fatal; protocol_version = 70; both behind our number too */
    sample_expect_answer(&payload_dtls, "15 feff 0000 0000 00000000 0002 0228");
    sample_expect_answer(&payload_dtls, "15 fefd 0000" OUR_SEQUENCE "0002 0246");
    /* a ServerHello, of which the record's header and the type are looked at */
    sample_expect_answer(&payload_dtls, "16 fefd 0000" OUR_SEQUENCE "000e"
                                        "02 000040 0000 000000 000002 fefd");
}

Test(dtls, refuses_what_is_no_answer)
{
    /* application data, another version, another epoch, a ClientHello, an alert that is ciphered,
     * an empty record */
    sample_expect_refusal(&payload_dtls, "17 fefd 0000" OUR_SEQUENCE "0002 0228",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dtls, "15 0303 0000" OUR_SEQUENCE "0002 0228",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dtls, "15 fefd 0001" OUR_SEQUENCE "0002 0228",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dtls,
                          "16 fefd 0000 0000 00000000 000e"
                          "01 00002a 0000 000000 000002 fefd",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dtls, "15 fefd 0000" OUR_SEQUENCE "0003 022800",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dtls, "16 fefd 0000" OUR_SEQUENCE "0000",
                          SONDE_DISCARD_NOT_A_RESULT);
}

Test(dtls, no_server_counts_so_far)
{
    sample_expect_refusal(&payload_dtls, "16 feff 0000 0102 a1a2a3a4 0013" VERIFY_REQUEST,
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_dtls, "15 fefd 0000 0001 00000000 0002 0228",
                          SONDE_DISCARD_BAD_TOKEN);
}

/* A quoted question has our number, or is none. */
Test(dtls, a_question_that_is_not_numbered_so_is_not_ours)
{
    static const uint8_t quoted[] = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1};
    struct payload_match match;
    cr_expect_eq(
        payload_dtls.recognize(&sample_trace, (struct sonde_span){quoted, sizeof quoted}, &match),
        SONDE_DISCARD_BAD_TOKEN);
}

Test(dtls, needs_the_whole_record)
{
    sample_expect_truncation(&payload_dtls, "16 feff 0000" OUR_SEQUENCE "0013" VERIFY_REQUEST, 32);
    sample_expect_truncation(&payload_dtls, "15 feff 0000 0000 00000000 0002 0228", 15);
}

Test(dtls, anyconnect_is_asked_the_same_where_it_is_named)
{
    struct sample_question question = sample_ask(&payload_anyconnect, 0);
    struct sample_question same = sample_ask(&payload_dtls, 0);
    cr_expect_eq(question.len, same.len);
    cr_expect_arr_eq(question.bytes, same.bytes, same.len);
    sample_expect_answer(&payload_anyconnect, "16 feff 0000" OUR_SEQUENCE "0013" VERIFY_REQUEST);
    cr_expect_eq(payload_by_port(443), &payload_quic);
}
