/* SPDX-License-Identifier: BSD-2-Clause */
/* What several flows of a service add up to. Traces 0 and 1 are flows of one service, 2 is another
 * service's only one. */
#include "tests/unit/engine/tally_case.h"

#include <criterion/criterion.h>

static struct tally *tally_with_flows(void)
{
    static const uint32_t flows[] = {2, 1};
    struct tally *tally = case_tally();
    cr_assert_eq(tally_set_flows(tally, 0, flows, 2), 0);
    return tally;
}

static const struct tally_service *whole(const struct tally *tally, uint32_t service)
{
    const struct tally_target *target = tally_by_service(tally->targets[0]);
    cr_assert_eq(target->service_count, 2);
    return target->services[service];
}

static void expire(struct tally *tally, uint32_t trace, uint32_t cycle, uint8_t ttl,
                   const char *from)
{
    case_fold(tally, record_hop(trace, cycle, ttl, SONDE_OUTCOME_TTL_EXCEEDED, from));
}

Test(tally_flows, without_several_flows_a_target_is_its_traces)
{
    static const uint32_t flows[] = {1, 1, 1};
    struct tally *tally = case_tally();
    cr_assert_eq(tally_set_flows(tally, 0, flows, 3), 0);
    cr_expect_eq(tally_by_service(tally->targets[0]), tally->targets[0]);
    cr_expect_eq(tally_service_of(tally->targets[0], 2), 2);
    tally_free(tally);
}

Test(tally_flows, figures_add_up)
{
    struct tally *tally = tally_with_flows();
    struct sonde_event slow = record_full(1, 0, SONDE_OUTCOME_OPEN, CASE_TARGET);
    slow.rtt_ns = 30 * SONDE_NS_PER_MS;
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_OPEN, CASE_TARGET)); /* 10 ms */
    case_fold(tally, slow);
    case_fold(tally, record_full(1, 1, SONDE_OUTCOME_NO_REPLY, NULL));
    case_fold(tally, record_full(2, 0, SONDE_OUTCOME_CLOSED, CASE_TARGET));
    cr_expect_eq(case_service(tally, 0)->sent, 1);
    cr_expect_eq(case_service(tally, 1)->sent, 2);
    cr_expect_eq(whole(tally, 0)->sent, 3);
    cr_expect_eq(whole(tally, 0)->received, 2);
    cr_expect_eq(whole(tally, 0)->outcomes[SONDE_OUTCOME_NO_REPLY].ended, 1);
    cr_expect_eq(whole(tally, 0)->rtt.samples, 2);
    cr_expect_eq(rtt_mean(&whole(tally, 0)->rtt), 20 * SONDE_NS_PER_MS);
    cr_expect_eq(whole(tally, 1)->sent, 1);
    cr_expect_eq(whole(tally, 1)->outcomes[SONDE_OUTCOME_CLOSED].ended, 1);
    cr_expect_eq(tally_service_of(tally->targets[0], 1), 0);
    cr_expect_eq(tally_service_of(tally->targets[0], 2), 1);
    tally_free(tally);
}

/* One flow meets two routers before the target, the other three. */
Test(tally_flows, a_service_is_as_far_as_its_farthest_flow)
{
    struct tally *tally = tally_with_flows();
    expire(tally, 0, 0, 1, "10.0.0.1");
    expire(tally, 0, 0, 2, "10.0.0.2");
    case_fold(tally, record_hop(0, 0, 3, SONDE_OUTCOME_OPEN, CASE_TARGET));
    expire(tally, 1, 0, 1, "10.0.0.1");
    expire(tally, 1, 0, 2, "10.0.1.2");
    expire(tally, 1, 0, 3, "10.0.1.3");
    case_fold(tally, record_hop(1, 0, 4, SONDE_OUTCOME_OPEN, CASE_TARGET));
    cr_expect_eq(case_service(tally, 0)->reach.dest_ttl, 3);
    cr_expect_eq(case_service(tally, 1)->reach.dest_ttl, 4);
    cr_expect_eq(whole(tally, 0)->reach.dest_ttl, 4);
    cr_expect_eq(whole(tally, 0)->reach.top_ttl, 3);
    cr_expect_eq(whole(tally, 0)->path_changes, 0);
    tally_free(tally);
}

/* Each flow answers a hundred times in turn from a router of its own: no path has changed. */
Test(tally_flows, a_router_is_known_only_where_no_flow_meets_another)
{
    struct tally *tally = tally_with_flows();
    for (uint32_t cycle = 0; cycle < 100; cycle++) {
        for (uint32_t trace = 0; trace < 2; trace++) {
            expire(tally, trace, cycle, 1, "10.0.0.1");
            expire(tally, trace, cycle, 2, trace == 0 ? "10.0.0.2" : "10.0.1.2");
        }
    }
    const struct tally_responder *common = tally_router(whole(tally, 0), 1);
    const struct sonde_addr first = record_addr("10.0.0.1");
    cr_assert_not_null(common);
    cr_expect(sonde_addr_equal(&common->addr, &first));
    cr_expect_null(tally_router(whole(tally, 0), 2));
    cr_expect_eq(whole(tally, 0)->hops[2]->responder_count, 2);
    cr_expect_eq(whole(tally, 0)->hops[2]->received, 200);
    cr_expect_eq(whole(tally, 0)->path_changes, 0);
    tally_free(tally);
}

Test(tally_flows, a_path_that_changes_for_one_flow_has_changed)
{
    struct tally *tally = tally_with_flows();
    for (uint32_t cycle = 0; cycle < 20; cycle++) {
        expire(tally, 0, cycle, 1, cycle < 10 ? "10.0.0.1" : "10.0.0.9");
        expire(tally, 1, cycle, 1, "10.0.0.1");
    }
    cr_expect_eq(case_service(tally, 0)->path_changes, 1);
    cr_expect_eq(whole(tally, 0)->path_changes, 1);
    cr_expect_null(tally_router(whole(tally, 0), 1));
    tally_free(tally);
}

/* Both flows of a service ask a router that stays silent to them, and answers the other service,
 * which asks 5 ms later. */
Test(tally_flows, a_service_is_passed_over_where_a_router_answers_another_one)
{
    const sonde_ns sent = 100 * SONDE_NS_PER_MS;
    struct tally *tally = tally_with_flows();
    struct sonde_event answered = record_hop(2, 0, 3, SONDE_OUTCOME_TTL_EXCEEDED, "10.0.0.3");
    answered.sent_ns = sent + 5 * SONDE_NS_PER_MS;
    case_fold(tally, answered);
    for (uint32_t trace = 0; trace < 2; trace++) {
        struct sonde_event silent = record_hop(trace, 0, 3, SONDE_OUTCOME_NO_REPLY, NULL);
        silent.sent_ns = sent;
        case_fold(tally, silent);
        cr_expect_eq(case_service(tally, trace)->hops[3]->passed_over, 1);
    }
    cr_expect_eq(whole(tally, 0)->hops[3]->passed_over, 2);
    tally_free(tally);
}

/* One flow has its first question answered twice; the other asks three in vain, one of them twice:
 * as nothing ever answers it, that is loss. */
Test(tally_flows, loss_of_a_flow_that_asks_other_questions_is_the_services_too)
{
    static const uint8_t asked[] = {0, 0, 1, 2};
    struct tally *tally = tally_with_flows();
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_UDP_REPLY, CASE_TARGET));
    case_fold(tally, record_full(0, 1, SONDE_OUTCOME_UDP_REPLY, CASE_TARGET));
    for (uint32_t cycle = 0; cycle < 4; cycle++) {
        struct sonde_event silent = record_full(1, cycle, SONDE_OUTCOME_NO_REPLY, NULL);
        silent.question = asked[cycle];
        case_fold(tally, silent);
    }
    cr_expect_eq(case_service(tally, 1)->sent, 4);
    cr_expect_eq(whole(tally, 0)->sent, 6);
    cr_expect_eq(whole(tally, 0)->received, 2);
    cr_expect_eq(whole(tally, 0)->outcomes[SONDE_OUTCOME_NO_REPLY].ended, 4);
    tally_free(tally);
}
