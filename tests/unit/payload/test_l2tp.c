/* SPDX-License-Identifier: BSD-2-Clause */
/* L2TP control messages, by the layouts of RFC 2661 §3.1, §4.1 and §4.4. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* StopCCN for the tunnel: result 2, error 8 (unknown mandatory attribute); 12 + 8 + 8 + 10. */
#define STOP                                                                                       \
    "c802 0026 b1b2 0000 0000 0001"                                                                \
    "8008 0000 0000 0004"                                                                          \
    "8008 0000 0009 1234"                                                                          \
    "800a 0000 0001 0002 0008"

Test(l2tp, asks_for_a_tunnel_with_an_attribute_that_nobody_knows)
{
    struct sample_question question = sample_ask(&payload_l2tp, 0);
    sample_expect_question(&question, "c802 003f 0000 0000 0000 0000" /* T, L, S; 63 bytes */
                                      "8008 0000 0000 0001"           /* SCCRQ */
                                      "8008 0000 0009 b1b2"           /* our tunnel */
                                      "8008 0000 0002 0100"           /* version 1.0 */
                                      "800b 0000 0007 736f6e6465"     /* host name */
                                      "800a 0000 0003 00000003"       /* framing */
                                      "8006 0000 f000");
    cr_expect_eq(sample_ask(&payload_l2tp, 1000).len, 63);
}

Test(l2tp, takes_every_answer)
{
    sample_expect_answer(&payload_l2tp, STOP);
    sample_expect_answer(&payload_l2tp, "c802 000c b1b2 0000 0000 0001"); /* an acknowledgement */
    sample_expect_answer(&payload_l2tp, "c802 0014 b1b2 0000 0000 0001"
                                        "8008 0000 0000 0002"); /* SCCRP */
}

Test(l2tp, refuses_what_is_no_answer)
{
    /* a data message, L2F's version, no sequence, an offset, a session, SCCRQ, another attribute
     * first, another vendor's, a hidden one, a length below the header's */
    static const char *const others[] = {
        "4002 0014 b1b2 0000 0000 0001 8008 0000 0000 0004",
        "c801 0014 b1b2 0000 0000 0001 8008 0000 0000 0004",
        "c002 0014 b1b2 0000 0000 0001 8008 0000 0000 0004",
        "ca02 0014 b1b2 0000 0000 0001 8008 0000 0000 0004",
        "c802 0014 b1b2 0001 0000 0001 8008 0000 0000 0004",
        "c802 0014 b1b2 0000 0000 0001 8008 0000 0000 0001",
        "c802 0014 b1b2 0000 0000 0001 8008 0000 0009 0004",
        "c802 0014 b1b2 0000 0000 0001 8008 0009 0000 0004",
        "c802 0014 b1b2 0000 0000 0001 c008 0000 0000 0004",
        "c802 0012 b1b2 0000 0000 0001 8006 0000 0000 0004",
        "c802 000b b1b2 0000 0000 0001",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        sample_expect_refusal(&payload_l2tp, others[i], SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_l2tp, "c802 000c 0000 0000 0000 0001", SONDE_DISCARD_BAD_TOKEN);
    sample_expect_truncation(&payload_l2tp, STOP, 38);
}
