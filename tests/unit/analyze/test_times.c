/* SPDX-License-Identifier: BSD-2-Clause */
/* What was wrong before, and what has changed, in words. */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>
#include <string.h>

static struct case_file file;
static struct history history;
static struct episode past[2];

static void open_case(void)
{
    case_open(&file, TARGET);
    history = (struct history){.past = past, .count = 1, .has_begun_later = true};
    history.from_ns = 60 * SONDE_NS_PER_S;
    past[0] = (struct episode){.from_start = true,
                               .to_ns = 60 * SONDE_NS_PER_S,
                               .state = SONDE_STATE_FILTERED,
                               .code = SONDE_CODE_PORT_FILTERED,
                               .level = SONDE_LEVEL_FAILED};
    file.target.now_ns = 100 * SONDE_NS_PER_S;
}

static void close_case(void)
{
    case_close(&file);
}

TestSuite(times, .init = open_case, .fini = close_case);

/* What a service answers, round trips of 10 ms, and then what is said of it. */
static struct analysis judge(uint32_t service, enum sonde_outcome outcome)
{
    case_add_full(&file, service, 5, outcome, TARGET);
    file.services[service].history = &history;
    return case_judge(&file, service);
}

Test(times, an_outage_is_told_behind_what_is_now)
{
    struct analysis analysis = judge(WEB, SONDE_OUTCOME_OPEN);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OUTAGE);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, no loss; filtered until 00:01:00");
}

Test(times, of_outages_that_are_not_all_kept_the_count_is_a_minimum)
{
    past[1] = (struct episode){.from_ns = 70 * SONDE_NS_PER_S,
                               .to_ns = 80 * SONDE_NS_PER_S,
                               .state = SONDE_STATE_CLOSED,
                               .code = SONDE_CODE_PORT_CLOSED,
                               .level = SONDE_LEVEL_FAILED};
    history.count = 2;
    struct analysis analysis = judge(WEB, SONDE_OUTCOME_OPEN);
    cr_expect_str_eq(analysis.verdict.text,
                     "10.0 ms, no loss; 2 outages, the last: closed from 00:01:10 to 00:01:20 "
                     "(10 s)");
    history.omitted = 1;
    analysis = case_judge(&file, WEB);
    cr_expect_str_eq(analysis.verdict.text,
                     "10.0 ms, no loss; at least 2 outages, the last: closed from 00:01:10 to "
                     "00:01:20 (10 s)");
}

Test(times, a_ping_that_was_answered_was_up)
{
    past[0].state = SONDE_STATE_OPEN;
    past[0].code = SONDE_CODE_PORT_UNEXPECTEDLY_OPEN;
    struct analysis analysis = judge(ICMP, SONDE_OUTCOME_ECHO_REPLY);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, no loss; up until 00:01:00");
    analysis = judge(WEB, SONDE_OUTCOME_OPEN);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, no loss; open until 00:01:00");
}

/* It is closed, as is wanted: that is what is so now, and the past stands behind it. */
Test(times, what_is_as_wanted_now_is_told_before_an_outage)
{
    past[0].state = SONDE_STATE_OPEN;
    past[0].code = SONDE_CODE_PORT_UNEXPECTEDLY_OPEN;
    file.services[WEB].expect = SONDE_STATE_BIT(SONDE_STATE_CLOSED);
    struct analysis analysis = judge(WEB, SONDE_OUTCOME_CLOSED);
    cr_expect(analysis.met);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OUTAGE);
    cr_expect_not_null(strstr(analysis.verdict.text, ", as expected; open until 00:01:00"), "%s",
                       analysis.verdict.text);
}

/* Since when it takes longer is said with the verdict, as of every change. */
Test(times, medians_of_before_and_after_are_told_once)
{
    past[0].level = SONDE_LEVEL_OK;
    history.began = CHANGE_LATENCY;
    history.rtt_before_ns = 4 * SONDE_NS_PER_MS;
    struct analysis analysis = judge(WEB, SONDE_OUTCOME_OPEN);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LATENCY_CHANGED);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, before 4.00 ms; no loss");
    /* what changes to and fro has begun before */
    history.unstable = (struct episode){.changes = 5, .from_ns = 0, .to_ns = 60 * SONDE_NS_PER_S};
    analysis = case_judge(&file, WEB);
    bool found = false;
    for (uint32_t i = 0; i < analysis.finding_count; i++)
        found |= strcmp(analysis.findings[i].text,
                        "since 00:01:00: 10.0 ms, before 4.00 ms; no loss") == 0;
    cr_expect(found);
}
