/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenVPN control packets: opcode and key, session id, acknowledged packets with the id of their
 * session, packet id. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define SERVER "5152535455565758 "
#define OURS "01020305 a1a2a3a4 "

Test(openvpn, resets)
{
    struct sample_question question = sample_ask(&payload_openvpn, 0);
    sample_expect_question(&question, "38" OURS "00 00000000"); /* 7 << 3 */
    cr_expect_eq(sample_ask(&payload_openvpn, 1000).len, 14);
}

Test(openvpn, takes_the_servers_reset)
{
    sample_expect_answer(&payload_openvpn, "40" SERVER "01 00000000" OURS "00000000"); /* 8 << 3 */
    /* more acknowledged; more behind it */
    sample_expect_answer(&payload_openvpn, "40" SERVER "02 00000000 00000000" OURS "00000000 ff");
}

Test(openvpn, refuses_what_is_no_reset_of_a_server)
{
    /* an acknowledgement (5), a client's reset, a further key, nothing acknowledged, too much */
    sample_expect_refusal(&payload_openvpn, "28" SERVER "01 00000000" OURS,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_openvpn, "38" SERVER "01 00000000" OURS "00000000",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_openvpn, "41" SERVER "01 00000000" OURS "00000000",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_openvpn, "40" SERVER "00 00000000", SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_openvpn, "40" SERVER "09 00000000" OURS "00000000",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_openvpn, "40" SERVER "01 00000000 01020304a1a2a3a4 00000000",
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_truncation(&payload_openvpn, "40" SERVER "01 00000000" OURS "00000000", 26);
}
