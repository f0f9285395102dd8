/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which services show the hops that a service was not asked at. The path has routers 192.0.2.1 to
 * 192.0.2.4, and the target is at 5.
 */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>

enum { DISTANCE = 5 };

static struct case_file file;
static uint32_t donors[ANALYZE_TTLS];

static void open_case(void)
{
    case_open(&file, TARGET);
}

static void close_case(void)
{
    case_close(&file);
}

TestSuite(shared, .init = open_case, .fini = close_case);

/* A service is met at the target at this distance. */
static void arrive(uint32_t service, uint8_t ttl)
{
    case_add_hop(&file, service, ttl, 1, SONDE_OUTCOME_OPEN, TARGET);
}

/* A service was asked at every hop. */
static void show_all(uint32_t service, uint32_t times)
{
    case_add_routers(&file, service, 1, DISTANCE - 1, times);
    arrive(service, DISTANCE);
}

/* Who shows the hops of WEB, from 1 on; WEB: nobody else. */
static void expect_donors(const uint32_t expected[DISTANCE - 1], const char *what)
{
    analyze_share(&file.target, WEB, donors);
    for (unsigned ttl = 1; ttl < DISTANCE; ttl++)
        cr_expect_eq(donors[ttl], expected[ttl - 1], "%s: %u at hop %u", what, donors[ttl], ttl);
    cr_expect_eq(donors[0], WEB);
    cr_expect_eq(donors[DISTANCE], WEB, "the target is its own");
    cr_expect_eq(donors[ANALYZE_TTLS - 1], WEB);
}

Test(shared, who_meets_the_same_router_shows_the_hops_before_it)
{
    show_all(ICMP, 1);
    case_add_router(&file, WEB, 4);
    expect_donors((const uint32_t[]){ICMP, ICMP, ICMP, WEB}, "hop 4 was");
}

/* The target lies on every way. */
Test(shared, who_meets_the_target_shows_nothing_of_the_way_there)
{
    show_all(ICMP, 1);
    show_all(SSH, 1);
    arrive(WEB, DISTANCE);
    expect_donors((const uint32_t[]){WEB, WEB, WEB, WEB}, "none was asked");
}

Test(shared, a_hop_that_was_asked_is_its_own_and_leads_on_to_those_before_it)
{
    show_all(ICMP, 1);
    case_add_router(&file, WEB, 4);
    case_add_router(&file, WEB, 2);
    expect_donors((const uint32_t[]){ICMP, WEB, ICMP, WEB}, "hops 2 and 4 were");
}

Test(shared, a_hop_that_was_silent_to_it_leads_no_further)
{
    show_all(ICMP, 1);
    case_add_router(&file, WEB, 4);
    case_add_hop(&file, WEB, 2, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_donors((const uint32_t[]){WEB, WEB, ICMP, WEB}, "hops 2 and 4 were");
}

Test(shared, of_two_the_one_with_more_answers_shows_a_hop)
{
    show_all(ICMP, 1);
    show_all(SSH, 2);
    case_add_router(&file, WEB, 4);
    expect_donors((const uint32_t[]){SSH, SSH, SSH, WEB}, "more than the first");
    show_all(ICMP, 3);
    expect_donors((const uint32_t[]){ICMP, ICMP, ICMP, WEB}, "more than the second");
}

Test(shared, where_two_meet_different_routers_nobody_knows)
{
    show_all(ICMP, 1);
    case_add_router(&file, WEB, 4);
    case_add_router(&file, SSH, 4);
    case_add_hop(&file, SSH, 3, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.103");
    expect_donors((const uint32_t[]){WEB, WEB, WEB, WEB}, "another at hop 3");
}

/* The path of one splits: which way WEB takes is not known. */
Test(shared, where_one_meets_several_routers_nobody_knows)
{
    show_all(ICMP, 1);
    show_all(SSH, 1);
    case_add_hop(&file, SSH, 3, 1, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.103");
    case_add_router(&file, WEB, 4);
    expect_donors((const uint32_t[]){WEB, WEB, WEB, WEB}, "two at hop 3");
}
