/* SPDX-License-Identifier: BSD-2-Clause */
/* States: what evidence shows, and what it takes before silence shows anything. */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>

static struct case_file file;

static void open_file(void)
{
    case_open(&file, TARGET);
}

static void close_file(void)
{
    case_close(&file);
}

TestSuite(state, .init = open_file, .fini = close_file);

Test(state, an_answer_of_the_service_is_open)
{
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, DNS, 1, SONDE_OUTCOME_UDP_REPLY, TARGET);
    cr_expect_eq(case_state(&file, ICMP), SONDE_STATE_OPEN);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_OPEN);
    cr_expect_eq(case_state(&file, DNS), SONDE_STATE_OPEN);
}

Test(state, a_reset_is_closed)
{
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_CLOSED, TARGET);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_CLOSED);
}

Test(state, one_answer_outweighs_any_silence)
{
    case_add_full(&file, WEB, 9, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add(&file, record_full(WEB, 10, SONDE_OUTCOME_OPEN, TARGET));
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_OPEN);
}

Test(state, an_answer_to_a_ttl_limited_probe_shows_the_state_too)
{
    case_add(&file, record_hop(WEB, 1, 9, SONDE_OUTCOME_OPEN, TARGET));
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_OPEN);
}

Test(state, a_late_answer_shows_the_state_too)
{
    struct sonde_event late = record_full(WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    late.type = SONDE_EVENT_LATE;
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add(&file, late);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_OPEN);
}

Test(state, a_duplicate_shows_nothing_by_itself)
{
    struct sonde_event duplicate = record_full(WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    duplicate.type = SONDE_EVENT_DUPLICATE;
    case_add(&file, duplicate);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNKNOWN);
}

Test(state, port_unreachable_is_closed_from_the_target_and_rejected_from_a_router)
{
    case_add_full(&file, DNS, 1, SONDE_OUTCOME_PORT_UNREACHABLE, TARGET);
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_PORT_UNREACHABLE, "192.0.2.3");
    cr_expect_eq(case_state(&file, DNS), SONDE_STATE_CLOSED);
    cr_expect_eq(case_state(&file, SSH), SONDE_STATE_REJECTED);
}

Test(state, a_prohibition_is_rejected_whoever_says_it)
{
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.3");
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, TARGET);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_REJECTED);
    cr_expect_eq(case_state(&file, SSH), SONDE_STATE_REJECTED);
}

Test(state, a_missing_route_for_one_port_only_is_a_refusal)
{
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_HOST_UNREACHABLE, "192.0.2.3");
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_REJECTED);
}

Test(state, a_missing_route_for_everything_is_unreachable)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_HOST_UNREACHABLE, "192.0.2.3");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NET_UNREACHABLE, "192.0.2.3");
    cr_expect_eq(case_state(&file, ICMP), SONDE_STATE_UNREACHABLE);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNREACHABLE);
}

/* RFC 1191 §4: code 4 is about the size of the packet; nobody asked the port, nor refused it. A
 * router rations what it says, so that some of the probes are silence. */
Test(state, of_a_port_whose_probes_are_too_big_nothing_is_known)
{
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_PACKET_TOO_BIG, "192.0.2.3");
    case_add_full(&file, WEB, 5, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNKNOWN);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_OPEN);
}

/* RFC 792, p. 8: type 12 is a parameter problem, of a header that nobody else's probe has. */
Test(state, a_parameter_problem_refuses_no_port)
{
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    struct sonde_event event = record_full(WEB, 1, SONDE_OUTCOME_OTHER_UNREACHABLE, "192.0.2.3");
    case_add(&file, record_with_code(event, 12, 0));
    cr_expect_neq(case_state(&file, WEB), SONDE_STATE_REJECTED);
}

Test(state, repeated_silence_beside_an_answer_is_filtered)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, DNS, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_FILTERED);
    cr_expect_eq(case_state(&file, DNS), SONDE_STATE_OPEN_OR_FILTERED);
}

Test(state, one_silent_probe_shows_nothing)
{
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNKNOWN);
}

Test(state, silence_of_everything_is_unreachable)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_state(&file, ICMP), SONDE_STATE_UNREACHABLE);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNREACHABLE);
}

Test(state, a_closed_port_shows_that_the_host_is_there)
{
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_CLOSED, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_FILTERED);
}

Test(state, a_refusal_by_a_router_does_not_show_that_the_host_is_there)
{
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.3");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNREACHABLE);
}

Test(state, what_was_never_sent_shows_nothing)
{
    struct sonde_event unsent = record_full(WEB, 1, SONDE_OUTCOME_SEND_ERROR, NULL);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    for (uint32_t i = 0; i < 3; i++)
        case_add(&file, unsent);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_UNKNOWN);
}

static void open_file6(void)
{
    case_open(&file, TARGET6);
}

TestSuite(state6, .init = open_file6, .fini = close_file);

/* RFC 8200 §4, RFC 4443 §3.4: a host that does not have the protocol says so by a parameter problem
 * of code 1; code 0 is about a field of the header, of any packet's. */
Test(state6, a_parameter_problem_about_the_next_header_refuses_a_port)
{
    struct sonde_event event = record_full(WEB, 1, SONDE_OUTCOME_OTHER_UNREACHABLE, TARGET6);
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET6);
    case_add(&file, record_with_code(event, 4, 1));
    event.service = SSH;
    case_add(&file, record_with_code(event, 4, 0));
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_REJECTED);
    cr_expect_str_eq(case_judge(&file, WEB).verdict.text,
                     "by the target itself: protocol unreachable");
    cr_expect_neq(case_state(&file, SSH), SONDE_STATE_REJECTED);
}

/* RFC 4443 §3.1: type 1 is unreachable, code 1 for policy and code 4 for a port. */
Test(state6, holds_for_ipv6_as_well)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET6);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "2001:db8::3");
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, DNS, 1, SONDE_OUTCOME_PORT_UNREACHABLE, TARGET6);
    cr_expect_eq(case_state(&file, WEB), SONDE_STATE_REJECTED);
    cr_expect_eq(case_state(&file, SSH), SONDE_STATE_FILTERED);
    cr_expect_eq(case_state(&file, DNS), SONDE_STATE_CLOSED);
}
