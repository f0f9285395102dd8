/* SPDX-License-Identifier: BSD-2-Clause */
/* RADIUS packets, by the layout of RFC 2865 §3 and RFC 5997. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define AUTHENTICATOR "00112233445566778899aabbccddeeff"

/* The signature is what Python says:
 * hmac.new(b"testing123", bytes.fromhex("0c010026") + b"sonde: a status?" +
 *          bytes.fromhex("5012" + 32 * "0"), "md5").hexdigest() */
#define QUESTION                                                                                   \
    "0c 01 0026"                                                                                   \
    "736f6e64653a206120737461747573 3f"                                                            \
    "50 12 a481b2db94ca2e489a8ca7ae5d3b00cb"                                                       \
    "0102030405060708 a1a2a3a4" /* behind the packet */

Test(radius, asks_for_the_status_with_a_well_known_secret)
{
    struct sample_question question = sample_ask(&payload_radius, 0);
    sample_expect_question(&question, QUESTION);
}

Test(radius, pads_behind_the_packet)
{
    struct sample_question question = sample_ask(&payload_radius, 54);
    sample_expect_question(&question, QUESTION "00000000");
    cr_expect_eq(sample_ask(&payload_radius, 49).len, 50);
    cr_expect_eq(sample_ask(&payload_radius, 1372).len, 1372);
}

/* Access-Accept, Access-Reject, Accounting-Response, Access-Challenge, Protocol-Error. */
Test(radius, takes_every_response_and_learns_no_name)
{
    static const char *const answers[] = {
        "02 01 0014" AUTHENTICATOR,
        "03 01 0014" AUTHENTICATOR,
        "05 01 0014" AUTHENTICATOR,
        "0b 01 0014" AUTHENTICATOR,
        "34 01 0014" AUTHENTICATOR,
        "03 01 0018" AUTHENTICATOR "12 04 6e6f", /* Reply-Message "no" */
        "02 01 0014" AUTHENTICATOR "0000",       /* padding */
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct payload_match match = {PAYLOAD_NAMES_TOKEN, 1};
        cr_expect_eq(sample_fits(&payload_radius, answers[i], &match), 0, "%s", answers[i]);
        cr_expect_eq(match.named, PAYLOAD_NAMES_NONE);
    }
}

Test(radius, refuses_what_is_no_response)
{
    /* Access-Request, Status-Server, a length below the header's, one above the longest */
    sample_expect_refusal(&payload_radius, "01 01 0014" AUTHENTICATOR, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, QUESTION, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, "02 01 0013" AUTHENTICATOR, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, "02 01 1001" AUTHENTICATOR, SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_radius, "02 02 0014" AUTHENTICATOR, SONDE_DISCARD_BAD_TOKEN);
    sample_expect_truncation(&payload_radius, "03 01 0018" AUTHENTICATOR "12 04 6e6f", 24);
}
