/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways that part, that are of different lengths, or that change while they are looked at: what one
 * trace meets there says nothing of another. Routers are 192.0.2.1 at hop 1, and so on; the target,
 * 192.0.2.9, is at hop 6. Found by tests/property.
 */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>

enum { DISTANCE = 6, FLOOR = DISTANCE - 1 };

static struct case_file file;

static void open_file(void)
{
    case_open(&file, TARGET);
}

static void close_file(void)
{
    case_close(&file);
}

TestSuite(ways, .init = open_file, .fini = close_file);

/* The target answers a service, three times at full TTL. */
static void add_arrival(uint32_t service, enum sonde_outcome outcome)
{
    case_add_hop(&file, service, DISTANCE, 1, outcome, TARGET);
    case_add_full(&file, service, 3, outcome, TARGET);
}

/* A service is silent from a hop on, asked three times everywhere. */
static void add_silence(uint32_t service, uint8_t from)
{
    for (uint8_t ttl = from; ttl <= DISTANCE; ttl++)
        case_add_hop(&file, service, ttl, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, service, 3, SONDE_OUTCOME_NO_REPLY, NULL);
}

static void expect_lost(uint32_t service, uint8_t ttl, const char *addr)
{
    struct analysis analysis = case_judge(&file, service);
    struct sonde_addr wanted = record_addr(addr);
    const struct sonde_place *lost = &analysis.verdict.blame.first_lost;
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
    cr_expect_eq(lost->ttl, ttl, "lost before hop %u, not %u", lost->ttl, ttl);
    cr_expect(sonde_addr_equal(&lost->address, &wanted));
}

static bool has_code(uint32_t service, enum sonde_code code)
{
    struct analysis analysis = case_judge(&file, service);
    for (uint32_t i = 0; i < analysis.finding_count; i++) {
        if (analysis.findings[i].code == code)
            return true;
    }
    return false;
}

/* The port meets another router at hop 2 than anybody is known to have met. */
Test(ways, a_control_must_have_met_the_last_router_that_the_service_met)
{
    case_add_routers(&file, ICMP, 1, 1, 3);
    case_add_routers(&file, ICMP, 3, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_routers(&file, WEB, 1, 1, 3);
    case_add_hop(&file, WEB, 2, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    add_silence(WEB, 3);
    expect_lost(WEB, DISTANCE, TARGET);
}

/* Nothing is seen of the port; 22 and 53 part at hop 1, and only 22 is seen at hop 2. */
Test(ways, a_service_that_is_not_seen_may_have_taken_any_way_that_parts)
{
    case_add_routers(&file, SSH, 1, 2, 3);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_hop(&file, DNS, 1, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.1");
    case_add_full(&file, DNS, 3, SONDE_OUTCOME_UDP_REPLY, TARGET);
    add_silence(WEB, 1);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
    cr_expect_not(analysis.verdict.has_blame);
    case_add_routers(&file, DNS, 2, 2, 3);
    expect_lost(WEB, 2, "192.0.2.2");
}

/* The path became a hop longer: the router that the port met at hop 2 is at hop 3 by now. */
Test(ways, a_port_is_not_lost_before_a_router_that_it_met)
{
    case_add_routers(&file, ICMP, 1, 2, 3);
    case_add_hop(&file, ICMP, 3, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2");
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_routers(&file, WEB, 1, 2, 3);
    add_silence(WEB, 3);
    expect_lost(WEB, 0, TARGET);
}

/* For another trace the target is at hop 5 already: so it may be for the port. */
Test(ways, a_port_is_not_lost_before_a_router_where_others_meet_the_target)
{
    case_add_routers(&file, ICMP, 1, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_hop(&file, SSH, FLOOR, 2, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_routers(&file, WEB, 1, 4, 3);
    add_silence(WEB, 5);
    struct analysis analysis = case_judge(&file, WEB);
    struct sonde_addr target = record_addr(TARGET);
    cr_expect(sonde_addr_equal(&analysis.verdict.blame.first_lost.address, &target));
}

/* 22 takes another way, seen at hop 4; at hop 3 nobody answers it there. The port may take that. */
Test(ways, where_they_part_a_hop_that_is_silent_to_another_trace_is_no_end)
{
    case_add_routers(&file, ICMP, 1, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_routers(&file, SSH, 1, 2, 3);
    case_add_hop(&file, SSH, 3, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&file, SSH, 4, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.4");
    case_add_routers(&file, SSH, 5, FLOOR, 3);
    add_arrival(SSH, SONDE_OUTCOME_OPEN);
    case_add_routers(&file, WEB, 1, 2, 3);
    add_silence(WEB, 3);
    expect_lost(WEB, 5, "192.0.2.5");
}

/* Of the way that 22 takes, nothing is seen behind hop 2 but that it leads to the target. */
Test(ways, where_they_part_a_hop_that_is_silent_to_a_trace_that_arrives_is_no_end)
{
    case_add_routers(&file, ICMP, 1, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_hop(&file, DNS, 4, 1, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.4");
    case_add_routers(&file, SSH, 1, 2, 3);
    case_add_hop(&file, SSH, 3, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    add_arrival(SSH, SONDE_OUTCOME_OPEN);
    case_add_routers(&file, WEB, 1, 2, 3);
    add_silence(WEB, 3);
    expect_lost(WEB, 0, TARGET); /* 53 parts at hop 4, and is not seen to come back */
}

/* The same, but nothing shows two ways. A trace that was asked at hop 3 so many times in vain, and
 * is seen behind, may go another way all the same; once may be an accident. */
static void add_way_past_hop_3(uint32_t times)
{
    case_add_routers(&file, ICMP, 1, 2, 3);
    case_add_hop(&file, ICMP, 3, times, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_routers(&file, ICMP, 4, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_routers(&file, SSH, 1, FLOOR, 10);
    add_arrival(SSH, SONDE_OUTCOME_OPEN);
    case_add_routers(&file, WEB, 1, 2, 3);
    add_silence(WEB, 3);
}

Test(ways, where_none_part_a_hop_that_is_silent_to_another_trace_again_and_again_is_no_end)
{
    add_way_past_hop_3(2);
    expect_lost(WEB, 4, "192.0.2.4");
}

Test(ways, where_none_part_a_hop_that_was_silent_to_another_trace_once_is_an_end)
{
    add_way_past_hop_3(1);
    expect_lost(WEB, 3, "192.0.2.3");
}

/* Hop 3 answers two probes of five: three in a row are silent in 0.6^3 = 22 % of all cases. */
Test(ways, a_hop_that_rations_its_answers_leaves_out_some_that_pass)
{
    case_add_routers(&file, ICMP, 1, 2, 3);
    case_add_hop(&file, ICMP, 3, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    case_add_routers(&file, ICMP, 4, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_routers(&file, SSH, 1, 2, 3);
    case_add_hop(&file, SSH, 3, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_routers(&file, SSH, 4, FLOOR, 3);
    add_arrival(SSH, SONDE_OUTCOME_OPEN);
    case_add_routers(&file, WEB, 1, 2, 3);
    add_silence(WEB, 3);
    expect_lost(WEB, 4, "192.0.2.4");
}

/* A device at hop 3 answers 22 in the target's name, and nothing proves it; 443 is seen behind. */
Test(ways, no_port_is_lost_before_a_distance_that_it_got_beyond)
{
    case_add_routers(&file, SSH, 1, 2, 3);
    case_add_hop(&file, SSH, 3, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_routers(&file, WEB, 1, 4, 3);
    add_silence(WEB, 5);
    expect_lost(WEB, 0, TARGET);
}

/* Packet by packet, over ways of different lengths: icmp meets at hop 3 whom 22 meets at hop 5. */
Test(ways, of_different_lengths_prove_no_interception)
{
    case_add_routers(&file, ICMP, 1, 2, 3);
    case_add_hop(&file, ICMP, 3, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.5");
    case_add_hop(&file, ICMP, 4, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_routers(&file, SSH, 1, FLOOR, 3);
    add_arrival(SSH, SONDE_OUTCOME_OPEN);
    case_add_routers(&file, WEB, 1, 3, 3);
    case_add_hop(&file, WEB, 4, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_not(has_code(WEB, SONDE_CODE_PORT_INTERCEPTED));
}

/* It may be as far away as the target, or farther, that a router is met again. */
Test(ways, of_different_lengths_show_at_any_distance)
{
    case_add_routers(&file, ICMP, 1, FLOOR, 3);
    add_arrival(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    case_add_routers(&file, WEB, 1, 3, 3);
    case_add_hop(&file, WEB, 4, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect(has_code(WEB, SONDE_CODE_PORT_INTERCEPTED));
    case_add_hop(&file, SSH, DISTANCE, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.4");
    cr_expect_not(has_code(WEB, SONDE_CODE_PORT_INTERCEPTED));
}

static void add_round(uint32_t service)
{
    case_add_routers(&file, service, 1, 4, 1);
    case_add_hop(&file, service, 5, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    case_add_hop(&file, service, 6, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.4");
}

Test(ways, of_different_lengths_are_no_loop)
{
    add_round(WEB);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect(has_code(WEB, SONDE_CODE_ROUTING_LOOP));
    case_add_hop(&file, ICMP, 3, 1, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.3");
    cr_expect_not(has_code(WEB, SONDE_CODE_ROUTING_LOOP));
}

/* A TTL that runs out completely is no accident of different lengths. */
Test(ways, that_part_before_a_loop_do_not_hide_it)
{
    add_round(WEB);
    case_add_hop(&file, ICMP, 2, 1, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    cr_expect(has_code(WEB, SONDE_CODE_ROUTING_LOOP));
}

/* One router is met again at hop 7, and what is behind that is not seen. */
Test(ways, are_a_loop_only_if_a_whole_round_is_seen_again)
{
    case_add_routers(&file, WEB, 1, 6, 1);
    case_add_hop(&file, WEB, 7, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.1");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.4");
    cr_expect_not(has_code(WEB, SONDE_CODE_ROUTING_LOOP));
}

static void expect_end(uint32_t service, uint8_t ttl)
{
    struct analysis analysis = case_judge(&file, service);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_HOST_UNREACHABLE);
    cr_expect_eq(analysis.verdict.blame.last_seen.ttl, ttl, "service %u: hop %u, not %u", service,
                 analysis.verdict.blame.last_seen.ttl, ttl);
}

/* Icmp was asked in vain where the port was answered, 22 was not asked there; nor anywhere at
 * first, so that nobody knows whether it gets as far. */
Test(ways, to_a_host_that_is_unreachable_end_where_the_service_itself_is_seen)
{
    case_add_routers(&file, WEB, 1, 3, 1);
    add_silence(WEB, 4);
    case_add_routers(&file, ICMP, 1, 1, 1);
    case_add_hop(&file, ICMP, 2, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_end(WEB, 3);
    expect_end(ICMP, 1);
    expect_end(SSH, 0);
    case_add_hop(&file, SSH, 4, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_end(SSH, 3);
}
