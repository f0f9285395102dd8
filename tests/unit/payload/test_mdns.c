/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast DNS by unicast, by RFC 6762 §6.7 and §18, and LLMNR, by RFC 4795 §2.1. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* _services._dns-sd._udp.local, PTR, IN */
#define KINDS "095f7365727669636573 075f646e732d7364 045f756470 056c6f63616c 00 000c 0001"

/* A PTR to _ssh._tcp.local: TTL 10, 12 bytes, "local" from the question. */
#define SSH "c00c 000c 0001 0000000a 000c 045f737368 045f746370 c023"

#define SONDE "05736f6e6465 00 0001 0001" /* A, IN */

Test(mdns, asks_for_kinds_of_service)
{
    struct sample_question question = sample_ask(&payload_mdns, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" KINDS);
    cr_expect_eq(sample_ask(&payload_mdns, 1200).len, 46);
}

Test(mdns, takes_what_a_responder_tells_a_legacy_querier)
{
    sample_expect_answer(&payload_mdns, "b1b2 8400 0001 0001 0000 0000" KINDS SSH);
    sample_expect_answer(&payload_mdns, "b1b2 8400 0000 0000 0000 0000");
    sample_expect_truncation(&payload_mdns, "b1b2 8400 0001 0001 0000 0000" KINDS SSH, 46);
}

Test(mdns, refuses_what_is_no_answer_to_it)
{
    sample_expect_refusal(&payload_mdns, "b1b2 0000 0001 0000 0000 0000" KINDS,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_mdns, "b1b2 8400 0001 0000 0000 0000" SONDE,
                          SONDE_DISCARD_TRUNCATED); /* too short for the name */
    sample_expect_refusal(&payload_mdns, "b1b2 8400 0001 0001 0000 0000" SONDE KINDS SSH,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_mdns, "0000 8400 0000 0001 0000 0000" KINDS, /* multicast */
                          SONDE_DISCARD_BAD_TOKEN);
}

Test(llmnr, asks_for_a_name)
{
    struct sample_question question = sample_ask(&payload_llmnr, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" SONDE);
    cr_expect_not_null(payload_llmnr.silence);
}

Test(llmnr, takes_an_answer_and_nothing_else)
{
    sample_expect_answer(&payload_llmnr, "b1b2 8000 0001 0000 0000 0000" SONDE);
    sample_expect_truncation(&payload_llmnr, "b1b2 8000 0001 0000 0000 0000" SONDE, 23);
    sample_expect_refusal(&payload_llmnr, "b1b2 0000 0001 0000 0000 0000" SONDE,
                          SONDE_DISCARD_NOT_A_RESULT);
}
