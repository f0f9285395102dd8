/* SPDX-License-Identifier: BSD-2-Clause */
/* A port with three flows, beside icmp. */
#include "tests/unit/analyze/case.h"

#include "wire/ip.h"

#include <criterion/criterion.h>
#include <string.h>

enum { FIRST = 1, SECOND, THIRD }; /* the traces of the port's flows */

struct flows_case {
    struct case_file file; /* by trace */
    struct analyze_service services[2];
    struct analyze_target whole;
};

static void open_flows(struct flows_case *flows)
{
    static const uint32_t counts[] = {1, 3};
    case_open(&flows->file, TARGET);
    cr_assert_eq(tally_set_flows(flows->file.tally, 0, counts, 2), 0);
    flows->services[0] = flows->file.services[ICMP];
    flows->services[1] = (struct analyze_service){
        .protocol = IP_PROTO_TCP, .name = "443/tcp", .first_trace = FIRST, .flow_count = 3};
    flows->whole = flows->file.target;
    flows->whole.tally = tally_by_service(flows->file.target.tally);
    flows->whole.services = flows->services;
    flows->whole.traces = &flows->file.target;
}

static struct analysis judge(const struct flows_case *flows)
{
    struct analysis analysis;
    analyze_service(&flows->whole, 1, &analysis);
    return analysis;
}

/* So many cycles of a flow, of which so many in the beginning are lost. */
static void add(struct flows_case *flows, uint32_t trace, uint32_t count, uint32_t lost)
{
    case_add_full(&flows->file, trace, lost, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&flows->file, trace, count - lost, SONDE_OUTCOME_OPEN, TARGET);
}

/* None of 40 probes of the others is lost, so at most 3.84 / 43.84 are (Wilson): that 20 in a row
 * are has a chance of 0.0876^20. */
Test(flows, one_that_is_never_answered_is_told_and_how_far_it_is_seen)
{
    struct flows_case flows;
    open_flows(&flows);
    add(&flows, FIRST, 20, 0);
    add(&flows, SECOND, 20, 0);
    add(&flows, THIRD, 20, 20);
    case_add_routers(&flows.file, FIRST, 1, 3, 5);
    case_add_routers(&flows.file, THIRD, 1, 2, 5);
    struct analysis analysis = judge(&flows);
    cr_expect_eq(analysis.state, SONDE_STATE_OPEN);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_ON_SOME_PATHS);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED);
    cr_expect_eq(analysis.finding_count, 1, "it is not told twice");
    cr_expect_eq(analysis.verdict.blame.last_seen.ttl, 2);
    cr_expect_eq(analysis.verdict.blame.first_lost.ttl, 0, "another flow may go another way");
    cr_expect_eq(analysis.verdict.blame.way, SONDE_WAY_THERE_OR_BACK);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_MEDIUM,
                 "nothing shows the way back");
    cr_expect_not_null(strstr(analysis.verdict.text, "1 of 3 flows is never answered; flow 2 is "
                                                     "seen up to hop 2 (192.0.2.2)"),
                       "%s", analysis.verdict.text);
    case_close(&flows.file);
}

/* Three lost in a row where none of six is: (3.84 / 9.84)^3 are 6 %. */
Test(flows, what_may_be_chance_is_not_told)
{
    struct flows_case flows;
    open_flows(&flows);
    add(&flows, FIRST, 3, 0);
    add(&flows, SECOND, 3, 0);
    add(&flows, THIRD, 3, 3);
    cr_expect_neq(judge(&flows).verdict.code, SONDE_CODE_LOSS_ON_SOME_PATHS);
    case_close(&flows.file);
}

Test(flows, what_all_lose_alike_is_loss_of_the_service)
{
    struct flows_case flows;
    open_flows(&flows);
    for (uint32_t trace = FIRST; trace <= THIRD; trace++)
        add(&flows, trace, 40, 10);
    cr_expect_eq(judge(&flows).verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
    case_close(&flows.file);
}

/* 60 of 100 against none of 200: with p = 0.0188 a chance of less than 10^-60. */
Test(flows, one_that_loses_much_is_told_and_where_that_begins)
{
    struct flows_case flows;
    open_flows(&flows);
    add(&flows, FIRST, 100, 0);
    add(&flows, SECOND, 100, 0);
    add(&flows, THIRD, 100, 60);
    case_add_routers(&flows.file, THIRD, 1, 2, 100);
    case_add_hop(&flows.file, THIRD, 3, 60, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&flows.file, THIRD, 3, 40, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    struct analysis analysis = judge(&flows);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_ON_SOME_PATHS);
    cr_expect_eq(analysis.verdict.blame.last_seen.ttl, 2);
    cr_expect_eq(analysis.verdict.blame.first_lost.ttl, 3);
    cr_expect_not_null(strstr(analysis.verdict.text,
                              "1 of 3 flows loses more than the others; flow 2: 60.0% loss, which "
                              "begins behind hop 2 (192.0.2.2), and is seen from hop 3 "),
                       "%s", analysis.verdict.text);
    case_close(&flows.file);
}

/* None of 200 of the others is lost, so at most p = 3.84 / 203.84 are (Wilson). That 10 of 100 are
 * has a chance of at most exp(-100 * (0.1 * ln(0.1 / p) + 0.9 * ln(0.9 / (1 - p)))) (Chernoff):
 * 0.00013. That 9 are: 0.00073. One third of 0.001 is the limit. */
Test(flows, how_much_more_one_has_to_lose_to_be_told)
{
    struct flows_case flows;
    open_flows(&flows);
    add(&flows, FIRST, 100, 0);
    add(&flows, SECOND, 100, 0);
    add(&flows, THIRD, 100, 9);
    cr_expect_eq(evidence_lossy_flows(&flows.whole, 1).count, 0);
    case_close(&flows.file);
    open_flows(&flows);
    add(&flows, FIRST, 100, 0);
    add(&flows, SECOND, 100, 0);
    add(&flows, THIRD, 100, 10);
    cr_expect_eq(evidence_lossy_flows(&flows.whole, 1).count, 1);
    case_close(&flows.file);
}

Test(flows, a_service_with_one_flow_has_no_others_to_compare_it_with)
{
    struct flows_case flows;
    open_flows(&flows);
    add(&flows, FIRST, 20, 0);
    add(&flows, THIRD, 20, 20);
    flows.services[1].flow_count = 1;
    cr_expect_eq(evidence_lossy_flows(&flows.whole, 1).count, 0);
    flows.services[1].flow_count = 3;
    flows.whole.traces = NULL;
    cr_expect_eq(evidence_lossy_flows(&flows.whole, 1).count, 0);
    case_close(&flows.file);
}
