/* SPDX-License-Identifier: BSD-2-Clause */
/* What limits a verdict: hops that are not heard, a user-mode network, a firewall of one's own. */
#include "tests/unit/analyze/case.h"
#include "wire/ip.h"

#include <criterion/criterion.h>
#include <string.h>

static struct case_file file;

static void open_case(void)
{
    case_open(&file, TARGET);
}

static void close_case(void)
{
    case_close(&file);
}

TestSuite(remarks, .init = open_case, .fini = close_case);

static bool has(const struct analysis *analysis, const char *words)
{
    return strstr(analysis->verdict.text, words) != NULL;
}

/* The target is hop TTL for a service, and no hop before it answers any of so many probes. */
static void add_unheard(uint32_t service, uint8_t ttl, uint32_t times)
{
    for (uint8_t hop = 1; hop < ttl; hop++)
        case_add_hop(&file, service, hop, times, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&file, service, ttl, 1, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, service, 1, SONDE_OUTCOME_OPEN, TARGET);
}

Test(remarks, hops_that_are_all_silent_are_told)
{
    add_unheard(WEB, 4, 2);
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_OK);
    cr_expect_eq(analysis.finding_count, 0);
    cr_expect(has(&analysis, "no loss; no hop before the target is heard (0 of 6 probes), as if "
                             "ICMP errors were dropped here or near here"),
              "%s", analysis.verdict.text);
    analysis = case_judge(&file, SSH);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
    cr_expect(has(&analysis, "(0 of 6 probes)"), "%s", analysis.verdict.text);
}

Test(remarks, the_probes_of_all_services_count)
{
    add_unheard(WEB, 4, 1);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, "heard"), "%s", analysis.verdict.text);
    add_unheard(SSH, 4, 1);
    analysis = case_judge(&file, WEB);
    cr_expect(has(&analysis, "(0 of 6 probes)"), "%s", analysis.verdict.text);
}

Test(remarks, two_hops_may_be_silent)
{
    add_unheard(WEB, 3, 9);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, "heard"), "%s", analysis.verdict.text);
}

Test(remarks, one_hop_that_is_heard_is_enough)
{
    add_unheard(WEB, 5, 2);
    case_add_router(&file, DNS, 3);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, "heard"), "%s", analysis.verdict.text);
}

Test(remarks, hops_of_a_host_that_never_answers_are_its_way)
{
    for (uint8_t hop = 1; hop < 6; hop++)
        case_add_hop(&file, WEB, hop, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_INCONCLUSIVE, "nothing else was asked");
    cr_expect_not(has(&analysis, "heard"), "%s", analysis.verdict.text);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_HOST_UNREACHABLE);
    cr_expect_not(has(&analysis, "heard"), "%s", analysis.verdict.text);
}

/* --- a program that stands for a network */

#define USER_MODE "; by way of a user-mode network (slirp at 10.0.2.2): TTLs do not count behind it"

static void add_user_mode(void)
{
    file.target.next_hop =
        (struct analyze_next_hop){.addr = record_addr("10.0.2.2"), .user_mode = "slirp"};
}

Test(remarks, a_user_mode_network_is_named)
{
    case_add_hop(&file, WEB, 1, 2, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_OPEN, TARGET);
    add_user_mode();
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OK);
    cr_expect(has(&analysis, "no loss" USER_MODE), "%s", analysis.verdict.text);
    cr_expect_eq(analyze_distance(&file.target, WEB).ttl, 0);
}

/* Without it, the port would be intercepted at hop 1, where others are answered by a router. */
Test(remarks, nobody_is_blamed_for_what_a_user_mode_network_answers)
{
    for (uint32_t service = ICMP; service <= WEB; service++) {
        case_add_routers(&file, service, 1, 3, 2);
        case_add_hop(&file, service, 4, 2, SONDE_OUTCOME_OPEN, TARGET);
        case_add_full(&file, service, 2, SONDE_OUTCOME_OPEN, TARGET);
    }
    case_add_hop(&file, SSH, 1, 2, SONDE_OUTCOME_CLOSED, TARGET);
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_CLOSED, TARGET);
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_INTERCEPTED);
    add_user_mode();
    analysis = case_judge(&file, SSH);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_CLOSED);
    cr_expect_not(analysis.verdict.has_blame);
}

Test(remarks, a_port_that_is_silent_behind_a_user_mode_network_has_no_place)
{
    case_add_routers(&file, WEB, 1, 3, 2);
    case_add_hop(&file, WEB, 4, 2, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_OPEN, TARGET);
    case_add_router(&file, SSH, 1);
    case_add_hop(&file, SSH, 2, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect(analysis.verdict.has_blame);
    add_user_mode();
    analysis = case_judge(&file, SSH);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
    cr_expect_not(analysis.verdict.has_blame);
    cr_expect(has(&analysis, USER_MODE), "%s", analysis.verdict.text);
}

/* RFC 792, p. 4: type 3 code 0. libslirp says so of one datagram for what it heard of another. */
Test(remarks, what_a_user_mode_network_says_of_a_datagram_is_no_refusal)
{
    case_add_full(&file, DNS, 2, SONDE_OUTCOME_NET_UNREACHABLE, "10.0.2.2");
    struct analysis analysis = case_judge(&file, DNS);
    cr_expect(analysis.verdict.has_blame);
    add_user_mode();
    analysis = case_judge(&file, DNS);
    cr_expect_not(analysis.verdict.has_blame, "%s", analysis.verdict.text);
    /* and what it passes on from a router is one, though nobody is blamed */
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_HOST_UNREACHABLE, "192.0.2.3");
    analysis = case_judge(&file, SSH);
    cr_expect(has(&analysis, "host unreachable, says 192.0.2.3" USER_MODE), "%s",
              analysis.verdict.text);
    cr_expect_not(analysis.verdict.has_blame);
}

/* Answers of two services get mixed up in it, which looks like a way that comes round again. */
Test(remarks, a_user_mode_network_has_no_loops)
{
    case_add_routers(&file, DNS, 1, 3, 1);
    for (uint8_t ttl = 4; ttl <= 8; ttl++)
        case_add_hop(&file, DNS, ttl, 2, SONDE_OUTCOME_TTL_EXCEEDED,
                     ttl % 2 == 0 ? "192.0.2.2" : "192.0.2.3");
    case_add_full(&file, DNS, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, DNS);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    add_user_mode();
    analysis = case_judge(&file, DNS);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_HOST_UNREACHABLE);
    cr_expect_str_eq(analysis.verdict.text, "no answer" USER_MODE);
}

/* --- a firewall of this machine that says nothing */

#define DEAF "; or this machine's firewall drops it, which raw sockets alone are told"

static void add_dropped(uint32_t service)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        case_add_hop(&file, service, ttl, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, service, 3, SONDE_OUTCOME_NO_REPLY, NULL);
}

Test(remarks, a_port_that_nothing_is_seen_of_may_be_dropped_here)
{
    case_add_routers(&file, SSH, 1, 3, 2);
    case_add_hop(&file, SSH, 4, 2, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_OPEN, TARGET);
    add_dropped(WEB);
    add_dropped(DNS);
    add_dropped(ICMP);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, DEAF));
    file.target.is_deaf = true;
    analysis = case_judge(&file, WEB);
    cr_expect(has(&analysis, DEAF), "%s", analysis.verdict.text);
    for (uint32_t service = 0; service < SERVICES; service++) {
        if (service == WEB)
            continue; /* others answer, or are told */
        analysis = case_judge(&file, service);
        cr_expect_not(has(&analysis, DEAF), "%s", analysis.verdict.text);
    }
    case_add_router(&file, WEB, 1);
    analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, DEAF), "%s", analysis.verdict.text);
}

/* Who refuses has seen the probe, though no hop was heard. */
Test(remarks, a_port_that_a_router_refuses_is_not_dropped_here)
{
    case_add_routers(&file, SSH, 1, 3, 2);
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_OPEN, TARGET);
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        case_add_hop(&file, WEB, ttl, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_ADMIN_PROHIBITED, "10.0.0.2");
    file.target.is_deaf = true;
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_REJECTED);
    cr_expect_not(has(&analysis, DEAF), "%s", analysis.verdict.text);
}

Test(remarks, a_host_that_nothing_is_seen_of_is_not_dropped_here)
{
    add_dropped(WEB);
    add_dropped(SSH);
    file.target.is_deaf = true;
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, DEAF), "%s", analysis.verdict.text);
}

/* A raw socket of sonde's takes what the kernel would refuse. */
Test(remarks, that_this_machine_itself_has_no_sctp_cannot_be_heard)
{
    static const char words[] = "this machine has no SCTP";
    file.services[WEB].protocol = IP_PROTO_SCTP;
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, SSH, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, words), "%s", analysis.verdict.text);
    file.target.is_own = true;
    analysis = case_judge(&file, WEB);
    cr_expect(has(&analysis, words), "%s", analysis.verdict.text);
    analysis = case_judge(&file, SSH);
    cr_expect_not(has(&analysis, words), "%s", analysis.verdict.text);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    analysis = case_judge(&file, WEB);
    cr_expect_not(has(&analysis, words), "%s", analysis.verdict.text);
}
