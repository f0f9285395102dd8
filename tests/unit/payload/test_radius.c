/* SPDX-License-Identifier: BSD-2-Clause */
/* RADIUS packets, by the layout of RFC 2865 §3 and RFC 5997. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* Cookie, zeros, and the name in 16 bits. */
#define ASKED "0102030405060708 000000000000 b1b2"

/* What signs it is what Python says of these bytes with 16 zeros at their end:
 * hmac.new(b"testing123", QUESTION, "md5").hexdigest() */
#define QUESTION "0c b2 0026" ASKED "50 12 64a0c1c97354cfd4ff304059b4f006af"

Test(radius, asks_for_the_status_with_a_well_known_secret)
{
    struct sample_question question = sample_ask(&payload_radius, 0);
    sample_expect_question(&question, QUESTION);
}

Test(radius, pads_behind_the_packet)
{
    struct sample_question question = sample_ask(&payload_radius, 42);
    sample_expect_question(&question, QUESTION "00000000");
    cr_expect_eq(sample_ask(&payload_radius, 37).len, 38);
    cr_expect_eq(sample_ask(&payload_radius, 1372).len, 1372);
}

/* The authenticators are what Python says, with ASKED in their place and the secret behind:
 * hashlib.md5(ANSWER + b"testing123").hexdigest() */
#define ACCEPT "02 b2 0014 935e0eb3b6becdd06d660354eb3ff3cc"
#define REJECT_NO "03 b2 0018 a7040f7ed059b0999668bd8a424198b8 12 04 6e6f" /* Reply-Message */

Test(radius, the_answers_authenticator_names_the_probe)
{
    static const char *const answers[] = {
        ACCEPT,
        "03 b2 0014 6a1f25e488467c957b505f475e6fccb0", /* Access-Reject */
        "05 b2 0014 01deaa3c3f75e426c73ac0381e59899f", /* Accounting-Response */
        "0b b2 0014 1ba27da6721128769d9f98a91bd55581", /* Access-Challenge */
        "34 b2 0014 15a6af6aa1528bbed42e9cb1e97d721e", /* Protocol-Error */
        REJECT_NO,
        ACCEPT "0000", /* padding */
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        cr_expect_eq(sample_fits(&payload_radius, answers[i], &match), 0, "%s", answers[i]);
        cr_expect_eq(match.named, PAYLOAD_NAMES_FIELD16);
        cr_expect_eq(match.value, sample_name.field16);
    }
    /* the same to the question of name 00b2 */
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    cr_expect_eq(
        sample_fits(&payload_radius, "02 b2 0014 da358d1f090257109411db44616ac0b0", &match), 0);
    cr_expect_eq(match.value, 0x00b2);
}

Test(radius, refuses_what_is_no_response)
{
    /* Access-Request, Status-Server, a length below the header's, one that is too long */
    sample_expect_refusal(&payload_radius, "01 b2 0014" ASKED, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, QUESTION, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, "02 b2 0013" ASKED, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, "02 b2 0401" ASKED, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_truncation(&payload_radius, REJECT_NO, 24);
}

Test(radius, refuses_an_answer_to_another_question)
{
    /* another identifier, another cookie, a changed attribute */
    sample_expect_refusal(&payload_radius, "02 b3 0014 935e0eb3b6becdd06d660354eb3ff3cc",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_radius, "02 b2 0014 028ba1ba1d474bdf3b8cc960337ad096",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_radius, "03 b2 0018 a7040f7ed059b0999668bd8a424198b8 12 04 6e70",
                          SONDE_DISCARD_BAD_TOKEN);
}

/* User-Name, CHAP-Password, NAS-Identifier, Proxy-State; 20 + 7 + 19 + 7 + 14 = 67 = 0x43 bytes */
#define STATE "21 0e 0102030405060708 a1a2a3a4"
#define ACCESS                                                                                     \
    "01 b2 0043" ASKED "01 07 736f6e6465"                                                          \
    "03 13 0000000000000000 0000000000000000 00"                                                   \
    "20 07 736f6e6465" STATE

Test(radius, then_asks_to_let_nobody_in)
{
    struct sample_question question = sample_ask(&payload_radius_access, 0);
    cr_expect_eq(payload_radius.next, &payload_radius_access);
    sample_expect_question(&question, ACCESS);
    cr_expect_eq(sample_ask(&payload_radius_access, 70).len, 70);
    cr_expect_null(payload_radius_acct.next, "an Accounting-Request would leave a record behind");
}

/* What signs an answer is the server's secret, which nobody here knows. */
#define SIGNED "deadbeefdeadbeefdeadbeefdeadbeef"
#define REJECTED "03 b2 0022" SIGNED STATE

Test(radius, takes_a_rejection_that_gives_the_state_back)
{
    static const char *const answers[] = {
        REJECTED,
        "02 b2 0022" SIGNED STATE,                  /* Access-Accept */
        "0b b2 0028" SIGNED "12 06 74727921" STATE, /* Access-Challenge: "try!" */
        "03 b2 0034" SIGNED "50 12" SIGNED STATE,   /* with a Message-Authenticator */
        REJECTED "0000",                            /* padding */
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        cr_expect_eq(sample_fits(&payload_radius_access, answers[i], &match), 0, "%s", answers[i]);
        cr_expect_eq(match.named, PAYLOAD_NAMES_TOKEN);
        cr_expect_eq(match.value, sample_name.token);
    }
    sample_expect_truncation(&payload_radius_access, REJECTED, 34);
}

Test(radius, refuses_a_rejection_of_another_question)
{
    sample_expect_refusal(&payload_radius_access, "03 b2 0014" SIGNED, SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_radius_access,
                          "03 b2 0022" SIGNED "21 0e 0102030405060709 a1a2a3a4",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_radius_access, "03 b2 0017" SIGNED "21 01 00",
                          SONDE_DISCARD_NOT_A_RESULT); /* an attribute without its own length */
    sample_expect_refusal(&payload_radius_access, "03 b2 0017" SIGNED "21 04 00",
                          SONDE_DISCARD_NOT_A_RESULT); /* one that is longer than the packet */
    sample_expect_refusal(&payload_radius_access, ACCESS, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius_access, "05 b2 0022" SIGNED STATE,
                          SONDE_DISCARD_NOT_A_RESULT);                         /* of accounting */
    sample_expect_refusal(&payload_radius, REJECTED, SONDE_DISCARD_BAD_TOKEN); /* unsigned by us */
}
