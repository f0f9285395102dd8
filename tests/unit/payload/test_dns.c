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

#define VERSION "0776657273696f6e 0462696e64 00 0010 0003" /* version.bind, TXT, CH */

Test(dns, then_asks_for_the_version_of_the_server)
{
    struct sample_question question = sample_ask(&payload_dns_version, 0);
    cr_expect_eq(payload_dns.next, &payload_dns_version);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" VERSION);
    question =
        sample_ask(&payload_dns_version, 46); /* 30, an OPT record of 11, an option of 4 + 1 */
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0001" VERSION
                                      "00 0029 04d0 00000000 0005 000c 0001 00");
    cr_expect_eq(sample_ask(&payload_dns_version, 1200).len, 1200);
}

Test(dns, takes_the_version_and_its_refusal_and_no_name_servers)
{
    sample_expect_answer(&payload_dns_version, /* "9.18" */
                         "b1b2 8400 0001 0001 0000 0000" VERSION
                         "c00c 0010 0003 00000000 0005 04 392e3138");
    sample_expect_answer(&payload_dns_version, "b1b2 8005 0001 0000 0000 0000" VERSION);
    sample_expect_answer(&payload_dns_version, "b1b2 8005 0000 0000 0000 0000");
    sample_expect_refusal(&payload_dns_version,
                          "b1b2 8180 0001 000d 0000 0001 00 0002 0001 00 0000 0000 0000 00 00",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns, "b1b2 8005 0001 0000 0000 0000" VERSION,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_truncation(&payload_dns_version, "b1b2 8005 0001 0000 0000 0000" VERSION, 30);
}

/* RFC 7873 §5.4: a query without a question, with an OPT record that has a client's cookie. */
#define EMPTY "b1b2 0000 0000 0000 0000 0001"
#define COOKIE "000a 0008 01020305 a1a2a3a4"

Test(dns, at_last_asks_nothing_with_a_cookie)
{
    struct sample_question question = sample_ask(&payload_dns_cookie, 0);
    cr_expect_eq(payload_dns_version.next, &payload_dns_cookie);
    sample_expect_question(&question, EMPTY "00 0029 04d0 00000000 000c" COOKIE);
    question = sample_ask(&payload_dns_cookie, 40);
    sample_expect_question(&question, EMPTY "00 0029 04d0 00000000 0011" COOKIE "000c 0001 00");
    cr_expect_eq(sample_ask(&payload_dns_cookie, 38).len, 35); /* no room for the option */
    cr_expect_eq(sample_ask(&payload_dns_cookie, 1200).len, 1200);
}

Test(dns, an_answer_to_nothing_gives_the_cookie_back_or_knows_none)
{
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    /* with the server's own cookie behind it, and an option before it that nobody knows */
    cr_expect_eq(sample_fits(&payload_dns_cookie,
                             "b1b2 8000 0000 0000 0000 0001 00 0029 1000 00000000 0019"
                             "fde9 0001 ff 000a 0010 01020305 a1a2a3a4 1122334455667788",
                             &match),
                 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_TOKEN);
    cr_expect_eq(match.value, sample_name.token);
    static const char *const without[] = {
        "b1b2 8004 0000 0000 0000 0000",                            /* NOTIMP */
        "b1b2 8001 0000 0000 0000 0001 00 0029 1000 00000000 0000", /* FORMERR, with EDNS */
        "b1b2 8000 0000 0000 0001 0001 00 0006 0001",               /* an authority, say */
    };
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        cr_expect_eq(sample_fits(&payload_dns_cookie, without[i], &match), 0, "%s", without[i]);
        cr_expect_eq(match.named, PAYLOAD_NAMES_FIELD16);
        cr_expect_eq(match.value, sample_name.field16);
    }
}

Test(dns, refuses_what_is_no_answer_to_nothing)
{
    sample_expect_refusal(&payload_dns_cookie, /* another cookie */
                          "b1b2 8000 0000 0000 0000 0001 00 0029 1000 00000000 000c"
                          "000a 0008 01020304 a1a2a3a4",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_dns_cookie, /* half of one */
                          "b1b2 8000 0000 0000 0000 0001 00 0029 1000 00000000 0008"
                          "000a 0004 01020305",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_dns_cookie, /* an option that is longer than the record */
                          "b1b2 8000 0000 0000 0000 0001 00 0029 1000 00000000 0006"
                          "000a 0008 01020305 a1a2a3a4",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns_cookie, EMPTY, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns_cookie, "b1b2 8005 0001 0000 0000 0000 00 0002 0001",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_dns_cookie, "b1b2 9004 0000 0000 0000 0000",
                          SONDE_DISCARD_NOT_A_RESULT); /* of another opcode */
    sample_expect_truncation(&payload_dns_cookie,
                             "b1b2 8000 0000 0000 0000 0001 00 0029 1000 00000000 000c" COOKIE, 35);
}
