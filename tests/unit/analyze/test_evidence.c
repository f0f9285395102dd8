/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the tally that rules share, at their bounds. */
#include "base/time.h"
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>

static struct case_file file;

static void open_case(void)
{
    case_open(&file, TARGET);
}

static void close_case(void)
{
    case_close(&file);
}

TestSuite(evidence, .init = open_case, .fini = close_case);

/* The target is at hop 5 for icmp. Of WEB's unanswered probes, those with less did not arrive. */
Test(evidence, silence_counts_from_the_distance_to_the_largest_ttl)
{
    case_add_routers(&file, ICMP, 1, 4, 1);
    case_add_hop(&file, ICMP, 5, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(evidence_silent(&file.target, WEB), 2, "full TTL");
    case_add_hop(&file, WEB, 4, 10, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(evidence_silent(&file.target, WEB), 2, "a hop before");
    case_add_hop(&file, WEB, 5, 20, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(evidence_silent(&file.target, WEB), 22, "there");
    case_add_hop(&file, WEB, (uint8_t)file.target.max_ttl, 40, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(evidence_silent(&file.target, WEB), 62, "the farthest");
    case_add_hop(&file, WEB, 6, 80, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(evidence_silent(&file.target, WEB), 62, "answered");
}

Test(evidence, without_a_distance_only_full_ttl_probes_count_as_silent)
{
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&file, WEB, 5, 20, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(evidence_silent(&file.target, WEB), 3);
}

/* A full-TTL probe was answered by the target, after that time. */
static void answer(uint32_t service, enum sonde_outcome outcome, sonde_ns rtt_ns)
{
    struct sonde_event event = record_full(service, 1, outcome, TARGET);
    event.rtt_ns = rtt_ns;
    case_add(&file, event);
}

/* icmp is seen up to hop 4 and answered after 10 ms; of WEB no hop is known. Three quarters of 10
 * ms are 7.5, and a millisecond is given for what times vary. */
static bool is_suspicious(sonde_ns icmp_ns, sonde_ns web_ns)
{
    close_case();
    open_case();
    case_add_routers(&file, ICMP, 1, 4, 1);
    answer(ICMP, SONDE_OUTCOME_ECHO_REPLY, icmp_ns);
    answer(WEB, SONDE_OUTCOME_OPEN, web_ns);
    return evidence_may_be_intercepted(&file.target, WEB);
}

Test(evidence, who_is_answered_much_sooner_than_others_may_be_intercepted)
{
    static const sonde_ns MS = SONDE_NS_PER_MS;
    cr_expect(is_suspicious(10 * MS, 1 * MS));
    cr_expect(is_suspicious(10 * MS, 6 * MS + MS / 2 - 1));
    cr_expect_not(is_suspicious(10 * MS, 6 * MS + MS / 2));
    cr_expect_not(is_suspicious(10 * MS, 10 * MS), "as soon");
    cr_expect_not(is_suspicious(10 * MS, 100 * MS), "later");
    cr_expect_not(is_suspicious(10 * MS, -1), "its time is not known");
    cr_expect_not(is_suspicious(-1, 10 * MS), "that of the other is not");
}
