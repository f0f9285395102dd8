/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths: distances, hops by address, what loss at a hop means, why a path ends. */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>

enum { MAX_TTL = 30 };

static struct case_file file;

static void open_file(void)
{
    case_open(&file, TARGET);
}

static void close_file(void)
{
    case_close(&file);
}

TestSuite(path, .init = open_file, .fini = close_file);

static void expect_distance(uint32_t service, uint8_t ttl, bool confirmed)
{
    struct analyze_distance distance = analyze_distance(&file.target, service);
    cr_expect_eq(distance.ttl, ttl, "service %u: %u hops, not %u", service, distance.ttl, ttl);
    cr_expect_eq(distance.confirmed, confirmed, "service %u", service);
}

/* Routers at 1 to 3 and the target at 4, for one service. */
static void add_path(uint32_t service, enum sonde_outcome answer)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        case_add_router(&file, service, ttl);
    case_add(&file, record_hop(service, 1, 4, answer, TARGET));
}

Test(path, the_distance_is_the_smallest_ttl_that_arrives)
{
    case_add(&file, record_hop(WEB, 1, 6, SONDE_OUTCOME_OPEN, TARGET));
    expect_distance(WEB, 6, false);
    add_path(WEB, SONDE_OUTCOME_OPEN);
    expect_distance(WEB, 4, true);
}

Test(path, a_neighbour_is_one_hop_away)
{
    case_add(&file, record_hop(WEB, 1, 1, SONDE_OUTCOME_OPEN, TARGET));
    expect_distance(WEB, 1, true);
}

Test(path, a_hop_that_is_silent_to_echoes_repeatedly_confirms_the_distance_behind_it)
{
    case_add(&file, record_hop(ICMP, 1, 4, SONDE_OUTCOME_ECHO_REPLY, TARGET));
    case_add(&file, record_hop(ICMP, 1, 3, SONDE_OUTCOME_NO_REPLY, NULL));
    expect_distance(ICMP, 4, false);
    case_add(&file, record_hop(ICMP, 2, 3, SONDE_OUTCOME_NO_REPLY, NULL));
    expect_distance(ICMP, 4, true);
}

/* It loses half of its probes: two in a row in one of four cases. */
Test(path, a_hop_that_is_silent_by_chance_confirms_nothing)
{
    case_add(&file, record_hop(ICMP, 1, 4, SONDE_OUTCOME_ECHO_REPLY, TARGET));
    case_add_hop(&file, ICMP, 3, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, ICMP, 5, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 5, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_distance(ICMP, 4, false);
}

/* A host answers a SYN that is repeated within a round trip once, and port unreachables as its
 * limit of errors allows: what is silent at TTL 3 may be the host. */
Test(path, a_hop_that_is_silent_to_a_port_confirms_nothing)
{
    case_add(&file, record_hop(WEB, 1, 4, SONDE_OUTCOME_OPEN, TARGET));
    case_add_hop(&file, WEB, 3, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_distance(WEB, 4, false);
    case_add(&file, record_hop(DNS, 1, 4, SONDE_OUTCOME_PORT_UNREACHABLE, TARGET));
    case_add_hop(&file, DNS, 3, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_distance(DNS, 4, false);
}

/* WEB answers, but was asked at no hop; ICMP and SSH met different routers at hop 2. */
Test(path, where_ways_part_nobody_has_the_distance_of_another)
{
    add_path(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    expect_distance(WEB, 4, true);
    case_add(&file, record_hop(SSH, 1, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.77"));
    expect_distance(WEB, 4, false);
}

/* Something answers in the target's name at hop 1, but ICMP meets a router there, and behind. */
Test(path, a_distance_that_another_trace_is_seen_behind_is_uncertain)
{
    case_add_routers(&file, ICMP, 1, 3, 1);
    case_add(&file, record_hop(SSH, 1, 1, SONDE_OUTCOME_OPEN, TARGET));
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    expect_distance(WEB, 1, false);
}

Test(path, a_service_that_answers_takes_its_distance_from_the_others_if_its_own_is_unknown)
{
    add_path(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    expect_distance(WEB, 4, true);
}

Test(path, a_service_that_does_not_answer_has_no_distance)
{
    add_path(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_distance(WEB, 0, false);
}

Test(path, a_distance_of_others_that_its_own_routers_contradict_is_not_taken)
{
    add_path(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    case_add_router(&file, WEB, 5);
    expect_distance(WEB, 0, false);
}

Test(path, a_hop_is_found_by_its_address_on_any_trace)
{
    struct sonde_addr third = record_addr("192.0.2.3");
    struct sonde_addr target = record_addr(TARGET);
    struct sonde_addr stranger = record_addr("203.0.113.1");
    cr_expect_eq(evidence_find_router(&file.target, &third), 0);
    add_path(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    cr_expect_eq(evidence_find_router(&file.target, &third), 3);
    cr_expect_eq(evidence_find_router(&file.target, &stranger), 0);
    cr_expect_eq(evidence_find_router(&file.target, &target), 0, "the target is no router");
}

/* It refuses what would expire a hop later: that is not where it is. */
Test(path, a_hop_is_not_found_where_it_only_refuses)
{
    struct sonde_addr addr = record_addr("192.0.2.1");
    case_add(&file, record_hop(WEB, 1, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2"));
    case_add(&file, record_hop(WEB, 2, 2, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.1"));
    cr_expect_eq(evidence_find_router(&file.target, &addr), 0);
    case_add(&file, record_hop(ICMP, 1, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.1"));
    cr_expect_eq(evidence_find_router(&file.target, &addr), 1);
}

Test(path, a_router_seen_at_two_distances_is_found_at_the_nearer)
{
    struct sonde_addr addr = record_addr("192.0.2.3");
    case_add(&file, record_hop(ICMP, 1, 5, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3"));
    case_add(&file, record_hop(WEB, 1, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3"));
    cr_expect_eq(evidence_find_router(&file.target, &addr), 3);
}

static enum sonde_loss_kind loss_at(uint32_t service, uint8_t ttl)
{
    return analyze_loss(&file.target, service, ttl);
}

Test(path, no_probe_lost_is_no_loss_and_no_probe_sent_is_unknown)
{
    cr_expect_eq(loss_at(WEB, 1), SONDE_LOSS_UNKNOWN);
    case_add_router(&file, WEB, 1);
    cr_expect_eq(loss_at(WEB, 1), SONDE_LOSS_NONE);
    cr_expect_eq(loss_at(WEB, 2), SONDE_LOSS_UNKNOWN);
}

Test(path, a_hop_that_never_answers_while_one_behind_it_does_is_silent)
{
    case_add(&file, record_hop(WEB, 1, 2, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_eq(loss_at(WEB, 2), SONDE_LOSS_UNKNOWN, "nothing behind it is known to answer");
    case_add_router(&file, WEB, 1);
    cr_expect_eq(loss_at(WEB, 2), SONDE_LOSS_UNKNOWN, "the one before it shows nothing");
    case_add_router(&file, WEB, 3);
    cr_expect_eq(loss_at(WEB, 2), SONDE_LOSS_SILENT);
}

Test(path, a_hop_that_never_answers_before_a_target_that_does_is_silent)
{
    case_add(&file, record_hop(WEB, 1, 2, SONDE_OUTCOME_NO_REPLY, NULL));
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(loss_at(WEB, 2), SONDE_LOSS_SILENT);
}

static enum sonde_stop_reason stop_of(uint32_t service, bool interrupted)
{
    return analyze_stop(&file.target, service, interrupted);
}

Test(path, ends_at_the_target_that_answers)
{
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_CLOSED, TARGET);
    cr_expect_eq(stop_of(WEB, false), SONDE_STOP_REACHED);
    cr_expect_eq(stop_of(WEB, true), SONDE_STOP_REACHED, "an end too early takes nothing away");
}

Test(path, ends_at_who_rejects)
{
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.3");
    cr_expect_eq(stop_of(WEB, false), SONDE_STOP_REJECTED);
}

Test(path, that_was_not_finished_was_interrupted)
{
    case_add_router(&file, WEB, 1);
    cr_expect_eq(stop_of(WEB, true), SONDE_STOP_INTERRUPTED);
}

Test(path, that_comes_to_nothing_ends_at_the_gap_limit_or_at_the_largest_ttl)
{
    case_add_router(&file, WEB, 1);
    case_add(&file, record_hop(WEB, 1, 2, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_eq(stop_of(WEB, false), SONDE_STOP_GAP_LIMIT);
    case_add(&file, record_hop(WEB, 1, MAX_TTL, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_eq(stop_of(WEB, false), SONDE_STOP_MAX_TTL);
}
