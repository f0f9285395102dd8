/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast DNS by unicast, by RFC 6762 §6.7 and §18, and LLMNR, by RFC 4795 §2.1. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* 77.2.0.192.in-addr.arpa, PTR, IN */
#define ADDRESS "023737 0132 0130 03313932 07696e2d61646472 0461727061 00 000c 0001"

/* 2001:db8::a1, its 32 digits from the last on: 1, a, 28 - 8 = 20 zeros and four more, 8bd01002 */
#define ZEROS "0130 0130 0130 0130 0130 0130"
#define ADDRESS6                                                                                   \
    "0131 0161" ZEROS ZEROS ZEROS "0130 0130 0130 0130"                                            \
    "0138 0162 0164 0130 0131 0130 0130 0132 03697036 0461727061 00 000c 0001"

/* A PTR to server.local: TTL 10, 14 bytes. */
#define SERVER "c00c 000c 0001 0000000a 000e 06736572766572 056c6f63616c 00"

/* _services._dns-sd._udp.local, PTR, IN */
#define KINDS "095f7365727669636573 075f646e732d7364 045f756470 056c6f63616c 00 000c 0001"

/* A PTR to _ssh._tcp.local: TTL 10, 12 bytes, "local" from the question. */
#define SSH "c00c 000c 0001 0000000a 000c 045f737368 045f746370 c023"

#define SONDE "05736f6e6465 00 0001 0001" /* A, IN */
#define KDC1 "044b646331 00 0001 0001"

Test(mdns, asks_for_the_name_of_the_address)
{
    struct sample_question question = sample_ask(&payload_mdns, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" ADDRESS);
    cr_expect_eq(sample_ask(&payload_mdns, 1200).len, 41); /* 12 + 3 + 2 + 2 + 4 + 8 + 5 + 1 + 4 */
    question = sample_ask_of(&sample_trace_of_address, &payload_mdns, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" ADDRESS6);
}

Test(mdns, takes_the_name_and_nothing_else)
{
    sample_expect_answer(&payload_mdns, "b1b2 8400 0001 0001 0000 0000" ADDRESS SERVER);
    sample_expect_refusal(&payload_mdns, "b1b2 8400 0001 0001 0000 0000" KINDS SSH,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_mdns, "b1b2 0000 0001 0000 0000 0000" ADDRESS,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_truncation(&payload_mdns, "b1b2 8400 0001 0001 0000 0000" ADDRESS SERVER, 41);
}

Test(mdns, then_asks_for_kinds_of_service)
{
    struct sample_question question = sample_ask(&payload_mdns_kinds, 0);
    cr_expect_eq(payload_mdns.next, &payload_mdns_kinds);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" KINDS);
    cr_expect_eq(sample_ask(&payload_mdns_kinds, 1200).len, 46);
}

Test(mdns, takes_what_a_responder_tells_a_legacy_querier)
{
    sample_expect_answer(&payload_mdns_kinds, "b1b2 8400 0001 0001 0000 0000" KINDS SSH);
    sample_expect_answer(&payload_mdns_kinds, "b1b2 8400 0000 0000 0000 0000");
    sample_expect_truncation(&payload_mdns_kinds, "b1b2 8400 0001 0001 0000 0000" KINDS SSH, 46);
}

Test(mdns, refuses_what_is_no_answer_to_it)
{
    sample_expect_refusal(&payload_mdns_kinds, "b1b2 0000 0001 0000 0000 0000" KINDS,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_mdns_kinds, "b1b2 8400 0001 0000 0000 0000" SONDE,
                          SONDE_DISCARD_TRUNCATED); /* too short for the name */
    sample_expect_refusal(&payload_mdns_kinds, "b1b2 8400 0001 0001 0000 0000" SONDE KINDS SSH,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_mdns_kinds,
                          "0000 8400 0000 0001 0000 0000" KINDS, /* multicast */
                          SONDE_DISCARD_BAD_TOKEN);
}

Test(llmnr, asks_for_the_first_label_of_the_name_or_for_one_that_nobody_bears)
{
    struct sample_question question = sample_ask(&payload_llmnr, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" KDC1);
    question = sample_ask_of(&sample_trace_of_address, &payload_llmnr, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 0000 0000" SONDE);
    cr_expect_not_null(payload_llmnr.silence);
}

Test(llmnr, takes_an_answer_and_nothing_else)
{
    sample_expect_answer(&payload_llmnr, "b1b2 8000 0001 0000 0000 0000" KDC1);
    sample_expect_truncation(&payload_llmnr, "b1b2 8000 0001 0000 0000 0000" KDC1, 22);
    sample_expect_refusal(&payload_llmnr, "b1b2 0000 0001 0000 0000 0000" KDC1,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_llmnr, "b1b2 8000 0001 0000 0000 0000" SONDE,
                          SONDE_DISCARD_NOT_A_RESULT);
}
