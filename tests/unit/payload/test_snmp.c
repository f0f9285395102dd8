/* SPDX-License-Identifier: BSD-2-Clause */
/* SNMP questions and answers, by RFC 3412 §6, RFC 3414 §2.4 and RFC 3416 §3. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define NAME "0204 4506b1b2"

/* Engine 80001f88 04616263 ("abc"), booted 3 times, up for 256 s; no user. */
#define USM "0419 3017 0408 80001f8804616263 020103 02020100 0400 0400 0400"

/* A scopedPDU of that engine, and this PDU, of 30 bytes. */
#define SCOPED(pdu) "302a 0408 80001f8804616263 0400" pdu

/* 30 bytes: usmStatsUnknownEngineIDs.0 (1.3.6.1.6.3.15.1.1.4.0) is 7. */
#define COUNTS "020100 020100 020100 3011 300f 060a 2b060106030f01010400 410107"
#define REPORT "a81c" COUNTS

/* An answer of version 3 with this msgID, of 6 bytes. */
#define V3(id, scoped) "305d 020103 3011" id "020300ffe3 040100 020103" USM scoped

Test(snmp, asks_which_engine_it_is)
{
    struct sample_question question = sample_ask(&payload_snmp, 0);
    sample_expect_question(&question, "303e 020103"
                                      "3011" NAME "020300ffe3 040104 020103"
                                      "0410 300e 0400 020100 020100 0400 0400 0400"
                                      "3014 0400 0400"
                                      "a00e" NAME "020100 020100 3000");
    cr_expect_eq(sample_ask(&payload_snmp, 1200).len, 64);
}

Test(snmp, takes_the_report_of_an_agent)
{
    sample_expect_answer(&payload_snmp, V3(NAME, SCOPED(REPORT)));
    /* the same with lengths in more octets than they need */
    sample_expect_answer(&payload_snmp, "3082005f 020103 308111" NAME
                                        "020300ffe3 040100 020103" USM SCOPED(REPORT));
    sample_expect_truncation(&payload_snmp, V3(NAME, SCOPED(REPORT)), 95);
}

Test(snmp, refuses_what_is_no_report_to_it)
{
    sample_expect_refusal(&payload_snmp, V3("0204 4507b1b2", SCOPED(REPORT)),
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_snmp, V3("0204 45060000", SCOPED(REPORT)),
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_snmp, V3("0404 4506b1b2", SCOPED(REPORT)),
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp, V3(NAME, SCOPED("a01c" COUNTS)), /* a question */
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp, V3(NAME, "042a" REPORT "000000000000000000000000"),
                          SONDE_DISCARD_NOT_A_RESULT); /* encrypted, which nobody can be for us */
    sample_expect_refusal(&payload_snmp, "305d 020102", SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp, "3080 020103 3080", SONDE_DISCARD_NOT_A_RESULT);
}

/* 30 bytes: sysUpTime.0 is 2.56 s. */
#define UP(id) id "020100 020100 3010 300e 0608 2b06010201010300 43020100"

Test(snmp2c, asks_for_the_time_since_its_start)
{
    struct sample_question question = sample_ask(&payload_snmp2c, 0);
    sample_expect_question(&question, "3029 020101 0406 7075626c6963"
                                      "a01c" NAME "020100 020100"
                                      "300e 300c 0608 2b06010201010300 0500");
    cr_expect_eq(sample_ask(&payload_snmp2c, 1200).len, 43);
}

Test(snmp2c, takes_the_time_and_an_error)
{
    sample_expect_answer(&payload_snmp2c, "302b 020101 0406 7075626c6963 a21e" UP(NAME));
    sample_expect_answer(&payload_snmp2c, /* authorizationError, with the variable unchanged */
                         "3029 020101 0406 7075626c6963 a21c" NAME
                         "020110 020100 300e 300c 0608 2b06010201010300 0500");
    sample_expect_truncation(&payload_snmp2c, "302b 020101 0406 7075626c6963 a21e" UP(NAME), 45);
}

Test(snmp2c, refuses_what_is_no_response_to_it)
{
    sample_expect_refusal(&payload_snmp2c, "302b 020101 0406 7075626c6963 a21e" UP("0204 7506b1b2"),
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_snmp2c, "302b 020101 0406 7075626c6963 a01e" UP(NAME),
                          SONDE_DISCARD_NOT_A_RESULT); /* a question */
    sample_expect_refusal(&payload_snmp2c, "302b 020100 0406 7075626c6963 a21e" UP(NAME),
                          SONDE_DISCARD_NOT_A_RESULT); /* version 1 */
    sample_expect_refusal(&payload_snmp2c, "302b 020101 0206 7075626c6963 a21e" UP(NAME),
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp2c, "302b 020101 0406 7075626c6963 a21e" NAME "040100",
                          SONDE_DISCARD_NOT_A_RESULT);
}

Test(snmp, then_asks_as_version_2c_and_then_as_version_1)
{
    cr_expect_eq(payload_snmp.next, &payload_snmp_v2c);
    cr_expect_eq(payload_snmp_v2c.next, &payload_snmp_v1);
    struct sample_question question = sample_ask(&payload_snmp_v2c, 0);
    sample_expect_question(&question, "3029 020101 0406 7075626c6963"
                                      "a01c" NAME "020100 020100"
                                      "300e 300c 0608 2b06010201010300 0500");
    question = sample_ask(&payload_snmp_v1, 0);
    sample_expect_question(&question, "3029 020100 0406 7075626c6963"
                                      "a01c" NAME "020100 020100"
                                      "300e 300c 0608 2b06010201010300 0500");
}

Test(snmp, an_answer_in_one_version_is_none_in_another)
{
    static const char in_version_1[] = "302b 020100 0406 7075626c6963 a21e" UP(NAME);
    static const char in_version_2c[] = "302b 020101 0406 7075626c6963 a21e" UP(NAME);
    sample_expect_answer(&payload_snmp_v1, in_version_1);
    sample_expect_answer(&payload_snmp_v2c, in_version_2c);
    sample_expect_refusal(&payload_snmp_v1, in_version_2c, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp_v2c, in_version_1, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp, in_version_1, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_snmp_v1, V3(NAME, SCOPED(REPORT)), SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_answer(&payload_snmp_v1, /* noSuchName; RFC 1157 §4.1.2 */
                         "3029 020100 0406 7075626c6963 a21c" NAME
                         "020102 020101 300e 300c 0608 2b06010201010300 0500");
}
