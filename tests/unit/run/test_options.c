/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers among the options: defaults, bounds, and refusals. The expected values are those that
 * the manual page and mtr promise. */
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

Test(options, defaults_and_bounds_are_those_that_are_promised)
{
    const struct {
        enum sonde_option option;
        int64_t standard;
        int64_t least;
        int64_t most;
    } cases[] = {
        {SONDE_OPTION_MARK, 0, 1, 4294967295},
        {SONDE_OPTION_RATE, 1000, 1, 1000000},
        {SONDE_OPTION_SOURCE_PORT, 0, 1, 65535},
        {SONDE_OPTION_TARGETS, 1000000, 1, 1000000},
        {SONDE_OPTION_CYCLES, 3, 1, 4294967294},
        {SONDE_OPTION_INTERVAL, S, MS, 86400 * S},
        {SONDE_OPTION_TIMEOUT, 2 * S, 10 * MS, 3600 * S},
        {SONDE_OPTION_DEADLINE, 0, 10 * MS, 31622400 * S},
        {SONDE_OPTION_FLOWS, 1, 1, 32},
        {SONDE_OPTION_FIRST_TTL, 1, 1, 255},
        {SONDE_OPTION_MAX_TTL, 30, 1, 255},
        {SONDE_OPTION_GAP_LIMIT, 12, 1, 255},
        {SONDE_OPTION_SIZE, 64, 28, 9000}, /* the least: headers of IPv4 and ICMP */
        {SONDE_OPTION_FILL, 0, 0, 255},
        {SONDE_OPTION_TOS, 0, 0, 255},
        {SONDE_OPTION_WARN_RTT, 0, 1, 3600 * S},
        {SONDE_OPTION_CRIT_RTT, 0, 1, 3600 * S},
    };
    cr_assert_eq(sizeof cases / sizeof *cases, SONDE_OPTION_COUNT - 1, "all but NONE");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sonde_bounds *bounds = sonde_option_bounds(cases[i].option);
        cr_assert_not_null(bounds);
        cr_expect_eq(bounds->standard, cases[i].standard, "%s", bounds->name);
        cr_expect_eq(bounds->least, cases[i].least, "%s", bounds->name);
        cr_expect_eq(bounds->most, cases[i].most, "%s", bounds->name);
    }
}

Test(options, there_are_no_others)
{
    struct sonde_options options = {0};
    cr_expect_null(sonde_option_bounds(SONDE_OPTION_NONE));
    cr_expect_null(sonde_option_bounds(SONDE_OPTION_COUNT));
    cr_expect_eq(sonde_option_set(&options, SONDE_OPTION_NONE, 1), -EINVAL);
    cr_expect_eq(sonde_option_set(&options, SONDE_OPTION_COUNT, 1), -EINVAL);
    cr_expect_str_eq(sonde_unit_name(SONDE_UNIT_COUNT), "");
}

/* Whatever is set is what is got, and changes no other option. */
Test(options, each_takes_what_is_within_its_bounds)
{
    for (int i = SONDE_OPTION_NONE + 1; i < SONDE_OPTION_COUNT; i++) {
        enum sonde_option option = (enum sonde_option)i;
        const struct sonde_bounds *bounds = sonde_option_bounds(option);
        struct sonde_options options = {0};
        cr_expect_eq(sonde_option_get(&options, option), bounds->standard, "%s", bounds->name);
        cr_expect_eq(sonde_option_set(&options, option, bounds->least), 0);
        cr_expect_eq(sonde_option_get(&options, option), bounds->least, "%s", bounds->name);
        cr_expect_eq(sonde_option_set(&options, option, bounds->most), 0);
        cr_expect_eq(sonde_option_set(&options, option, bounds->least - 1), -ERANGE);
        cr_expect_eq(sonde_option_set(&options, option, bounds->most + 1), -ERANGE);
        cr_expect_eq(sonde_option_set(&options, option, INT64_MIN), -ERANGE);
        cr_expect_eq(sonde_option_set(&options, option, INT64_MAX), -ERANGE);
        cr_expect_eq(sonde_option_get(&options, option), bounds->most, "%s", bounds->name);
        for (int k = SONDE_OPTION_NONE + 1; k < SONDE_OPTION_COUNT; k++) {
            enum sonde_option other = (enum sonde_option)k;
            cr_expect(other == option ||
                          sonde_option_get(&options, other) == sonde_option_bounds(other)->standard,
                      "%s changes %s", bounds->name, sonde_option_bounds(other)->name);
        }
    }
}

/* The members are where they are said to be. */
Test(options, each_is_a_member)
{
    struct sonde_options options = {
        .vantage = {.mark = 1, .rate_pps = 2, .source_port = 3, .targets_max = 4},
        .plan = {.cycles = 5,
                 .interval_ns = 6,
                 .timeout_ns = 7,
                 .deadline_ns = 8,
                 .flows = 9,
                 .first_ttl = 10,
                 .max_ttl = 11,
                 .gap_limit = 12},
        .format = {.size_bytes = 13, .fill = 14, .tos = 15},
        .judgement = {.warn.rtt_ns = 16, .crit.rtt_ns = 17},
    };
    for (int i = SONDE_OPTION_NONE + 1; i < SONDE_OPTION_COUNT; i++)
        cr_expect_eq(sonde_option_get(&options, (enum sonde_option)i), i, "%d", i);
}

/* Why there is no run with these options; "" if there is one. */
static struct sonde_error refusal(struct sonde_options options)
{
    struct sonde_run *run = NULL;
    struct sonde_error error = {""};
    options.simulation.demo = true;
    int r = case_new(&options, &run, &error);
    cr_expect_eq(r, run != NULL ? 0 : -EINVAL);
    if (run != NULL)
        error.text[0] = '\0';
    case_free(run);
    return error;
}

Test(options, a_run_refuses_what_is_out_of_bounds_and_says_what_would_be_right)
{
    const struct {
        struct sonde_options options;
        const char *text;
    } cases[] = {
        {{.vantage.rate_pps = 1000001}, "the rate is not within 1 to 1000000 packets a second"},
        {{.vantage.targets_max = 1000001}, "the number of targets is not within 1 to 1000000"},
        {{.plan.interval_ns = MS - 1}, "the interval is not within 0.001 to 86400 seconds"},
        {{.plan.interval_ns = 86400 * S + 1}, "the interval is not within 0.001 to 86400 seconds"},
        {{.plan.interval_ns = -1}, "the interval is not within 0.001 to 86400 seconds"},
        {{.plan.timeout_ns = 10 * MS - 1}, "the timeout is not within 0.01 to 3600 seconds"},
        {{.plan.timeout_ns = INT64_MAX}, "the timeout is not within 0.01 to 3600 seconds"},
        {{.plan.deadline_ns = 1}, "the deadline is not within 0.01 to 31622400 seconds"},
        {{.plan.deadline_ns = INT64_MIN}, "the deadline is not within 0.01 to 31622400 seconds"},
        {{.plan.began_ns = -1}, "the deadline is counted from before the clock began"},
        {{.plan = {.first_ttl = 9, .max_ttl = 8}}, "the first TTL is above the largest"},
        {{.plan.first_ttl = 31}, "the first TTL is above the largest"}, /* which is 30 */
        {{.format.size_bytes = 27}, "the packet size is not within 28 to 9000 bytes"},
        {{.format.size_bytes = 9001}, "the packet size is not within 28 to 9000 bytes"},
        {{.judgement.warn = {true, -1, 1}},
         "the round trip to warn of is not within 0.000000001 to 3600 seconds"},
        {{.judgement.crit = {true, 3600 * S + 1, 1}},
         "the round trip to fail at is not within 0.000000001 to 3600 seconds"},
        {{.judgement.warn = {true, 0, 1.01}}, "a limit of loss is not within 0 to 1"},
        {{.judgement.crit = {true, 0, -0.01}}, "a limit of loss is not within 0 to 1"},
        {{.judgement.crit = {true, 0, (double)NAN}}, "a limit of loss is not within 0 to 1"},
        {{.judgement.crit = {true, 0, (double)INFINITY}}, "a limit of loss is not within 0 to 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(refusal(cases[i].options).text, cases[i].text);
}

Test(options, a_run_takes_what_is_just_within_bounds)
{
    const struct sonde_options cases[] = {
        {.plan.cycles = 0},
        {.plan.cycles = SONDE_CYCLES_ENDLESS},
        {.plan.cycles = SONDE_CYCLES_ENDLESS - 1},
        {.plan = {.interval_ns = MS, .timeout_ns = 10 * MS, .deadline_ns = 10 * MS}},
        {.plan = {.interval_ns = 86400 * S, .timeout_ns = 3600 * S, .deadline_ns = 31622400 * S}},
        {.plan = {.first_ttl = 255, .max_ttl = 255, .gap_limit = 255}},
        {.plan.first_ttl = 30},
        {.format.size_bytes = 28},
        {.format.size_bytes = 9000},
        {.vantage = {.rate_pps = 1000000, .mark = UINT32_MAX, .source_port = UINT16_MAX}},
        {.judgement = {.warn = {true, 1, 0}, .crit = {true, 3600 * S, 1}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(refusal(cases[i]).text, "");
}

/* When a simulated run with these options is to be over, from its beginning on. */
static sonde_ns end_of(sonde_ns deadline_ns, sonde_ns began_ns, bool virtual_time)
{
    struct sonde_run *run = NULL;
    const struct sonde_options options = {
        .simulation = {.demo = true, .virtual_time = virtual_time},
        .plan = {.deadline_ns = deadline_ns, .began_ns = began_ns},
    };
    cr_assert_eq(case_new(&options, &run, NULL), 0);
    sonde_ns until_ns = run->until_ns;
    case_free(run);
    return until_ns;
}

/* Whatever the program has done since it began has taken some of it. Virtual time begins with the
 * run. */
Test(options, a_deadline_is_counted_from_when_the_program_began)
{
    sonde_ns began_ns = sonde_clock_ns() - 7 * S;
    cr_expect_eq(end_of(0, began_ns, false), SONDE_NS_NEVER);
    cr_expect_eq(end_of(10 * S, 0, false), 10 * S);
    sonde_ns end_ns = end_of(10 * S, began_ns, false);
    cr_expect_leq(end_ns, 3 * S);
    cr_expect_gt(end_ns, 1, "nor is it over");
    cr_expect_eq(end_of(5 * S, began_ns, false), 1, "it is over");
    cr_expect_eq(end_of(10 * S, began_ns, true), 10 * S);
}
