/* SPDX-License-Identifier: BSD-2-Clause */
/* Kerberos, by RFC 4120 §5.4.1 and §5.9.1. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define SONDE "1b05 736f6e6465"
#define REALM "1b0d 534f4e44452e494e56414c4944"       /* SONDE.INVALID */
#define NAME "1b10 3031303230333035 6131613261336134" /* 01020305a1a2a3a4 */
#define SERVICE(instance) "3022 a003 020102 a11b 3019" SONDE instance

/* pvno, msg-type, stime, susec, error-code 6 (client unknown): 5 + 5 + 19 + 5 + 5 bytes */
#define ERROR(type)                                                                                \
    "a003 020105 a103 0201" type "a411 180f 32303236313132353136303030305a a503 020101"            \
    "a603 020106"
#define AT_REALM "a90f" REALM

/* 39 + 17 + 38 = 94 bytes */
#define REPLY(type, service) "7e60 305e" ERROR(type) AT_REALM "aa24" service

Test(kerberos, asks_for_a_ticket_for_nobody)
{
    struct sample_question question = sample_ask(&payload_kerberos, 0);
    sample_expect_question(&question,
                           "6a8187 308184 a103 020105 a203 02010a"
                           "a478 3076 a007 0305 00 00000000"
                           "a112 3010 a003 020101 a109 3007" SONDE "a20f" REALM
                           "a324" SERVICE(NAME) "a511 180f 31393730303130313030303030305a"
                                                "a703 020101 a808 3006 020112 020111");
    cr_expect_eq(sample_ask(&payload_kerberos, 1200).len, 138);
}

Test(kerberos, takes_an_error_and_the_name_in_it)
{
    struct payload_match match;
    cr_expect_eq(sample_fits(&payload_kerberos, REPLY("1e", SERVICE(NAME)), &match), 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_TOKEN);
    cr_expect_eq(match.value, sample_name.token);
    sample_expect_truncation(&payload_kerberos, REPLY("1e", SERVICE(NAME)), 98);
}

Test(kerberos, takes_an_error_that_names_another_service)
{
    /* krbtgt/SONDE.INVALID */
    static const char reply[] =
        "7e5e 305c" ERROR("1e") AT_REALM "aa22 3020 a003 020102 a119 3017 1b06 6b7262746774" REALM;
    struct payload_match match = {PAYLOAD_NAMES_TOKEN, 1};
    cr_expect_eq(sample_fits(&payload_kerberos, reply, &match), 0);
    cr_expect_eq(match.named, PAYLOAD_NAMES_NONE);
}

Test(kerberos, refuses_what_is_no_error_to_it)
{
    sample_expect_refusal(&payload_kerberos, /* another cookie's name */
                          REPLY("1e", SERVICE("1b10 3031303230333034 6131613261336134")),
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_kerberos, REPLY("0b", SERVICE(NAME)),
                          SONDE_DISCARD_NOT_A_RESULT); /* the type of an AS-REP */
    sample_expect_refusal(&payload_kerberos, "6b60 305e" ERROR("0b") AT_REALM "aa24" SERVICE(NAME),
                          SONDE_DISCARD_NOT_A_RESULT); /* an AS-REP */
    sample_expect_refusal(&payload_kerberos, "7e60 315e" ERROR("1e") AT_REALM "aa24" SERVICE(NAME),
                          SONDE_DISCARD_NOT_A_RESULT); /* a set */
    sample_expect_refusal(&payload_kerberos, "7e60 305f" ERROR("1e") AT_REALM "aa24" SERVICE(NAME),
                          SONDE_DISCARD_NOT_A_RESULT); /* longer within than without */
    sample_expect_refusal(&payload_kerberos, "7e60 305e" ERROR("1e") AT_REALM "aa25" SERVICE(NAME),
                          SONDE_DISCARD_NOT_A_RESULT); /* and so its last field */
    sample_expect_refusal(&payload_kerberos, "7e3a 3038" ERROR("1e") AT_REALM,
                          SONDE_DISCARD_NOT_A_RESULT); /* of no service */
    sample_expect_refusal(&payload_kerberos, "7e02 3000", SONDE_DISCARD_NOT_A_RESULT);
}

/* EXAMPLE is six octets shorter than SONDE.INVALID, and so the second length needs one less. */
Test(kerberos, then_asks_in_the_realm_of_the_domain)
{
    struct sample_question question = sample_ask(&payload_kerberos_domain, 0);
    cr_expect_eq(payload_kerberos.next, &payload_kerberos_domain);
    sample_expect_question(&question,
                           "6a8180 307e a103 020105 a203 02010a"
                           "a472 3070 a007 0305 00 00000000"
                           "a112 3010 a003 020101 a109 3007" SONDE "a209 1b07 4558414d504c45"
                           "a324" SERVICE(NAME) "a511 180f 31393730303130313030303030305a"
                                                "a703 020101 a808 3006 020112 020111");
}

/* KDC1.EXAMPLE is one octet shorter than SONDE.INVALID. */
Test(kerberos, at_last_asks_in_the_realm_of_the_name)
{
    struct sample_question question = sample_ask(&payload_kerberos_host, 0);
    cr_expect_eq(payload_kerberos_domain.next, &payload_kerberos_host);
    sample_expect_question(
        &question, "6a8186 308183 a103 020105 a203 02010a"
                   "a477 3075 a007 0305 00 00000000"
                   "a112 3010 a003 020101 a109 3007" SONDE "a20e 1b0c 4b4443312e4558414d504c45"
                   "a324" SERVICE(NAME) "a511 180f 31393730303130313030303030305a"
                                        "a703 020101 a808 3006 020112 020111");
}
