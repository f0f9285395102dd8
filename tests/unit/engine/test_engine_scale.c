/* SPDX-License-Identifier: BSD-2-Clause */
/* Many targets, many services, and a long time. */
#include "tests/support/failing_alloc.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>

Test(scale, a_thousand_targets_are_done_together)
{
    struct engine_plan plan = net_plan();
    plan.targets = 1000;
    plan.cycles = 2;
    /* without a rate it is 1,000 a second, and takes longer than they wait */
    struct net *net = net_new_at(&plan, 1000000);
    for (int i = 0; i < 1000; i++)
        net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    cr_expect_lt(net->now, 3 * S, "they do not wait for each other");
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 4000);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_ECHO_REPLY) +
                     net_outcomes(net, SONDE_OUTCOME_OPEN) +
                     net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED) + net_unawaited(net),
                 net->probe_count);
    net_free(net);
}

static const char SIXTEEN[] = "tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp ";

Test(scale, a_target_may_have_sixty_four_services_and_a_control)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    char services[5 + 4 * sizeof SIXTEEN] = "icmp ";
    size_t len = 5;
    for (int i = 0; i < 4; i++) {
        for (size_t k = 0; SIXTEEN[k] != '\0'; k++)
            services[len++] = SIXTEEN[k];
    }
    services[len] = '\0';
    net_add(net, services);
    cr_assert_eq(net->service_count, 65);
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = 0; service < 65; service++)
        cr_expect_eq(net_count(net, service, 0, true), 1, "service %u", service);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_OPEN) +
                     net_outcomes(net, SONDE_OUTCOME_ECHO_REPLY) +
                     net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED) + net_unawaited(net),
                 net->probe_count);
    net_free(net);
}

/* Every full-TTL probe of the day leaves on the second; net->seen counts them. */
static int count_cycles(struct net *net, const struct sonde_tx *tx)
{
    if (net_is_full(tx)) {
        cr_assert_eq(net->now, (sonde_ns)net->seen * S, "cycle %u has drifted",
                     (unsigned)net->seen);
        net->seen++;
    }
    return 0;
}

Test(scale, a_day_passes_without_drift_and_without_growth)
{
    enum { DAY = 86400 };
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    plan.duration_ns = DAY * S;
    struct net *net = net_new(&plan);
    net->forgetful = true;
    net->distance = 4;
    net->on_send = count_cycles;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run_until(net, 3600 * S); /* what it shows now is kept in twice 1,024 probes and 64 */
    uint64_t allocations = alloc_count();
    int64_t live = alloc_live();
    net_run_until(net, DAY * S);
    cr_expect_eq(alloc_count(), allocations, "nothing is allocated after the first hour");
    cr_expect_eq(alloc_live(), live);
    cr_expect_eq(engine_ended(net->run), ENGINE_DEADLINE);
    cr_expect_eq(net->seen, DAY);
    const struct tally_service *service = net->tally->targets[0]->services[0];
    cr_expect_eq(service->sent, DAY);
    cr_expect_eq(service->received, DAY);
    cr_expect_eq(rtt_mean(&service->rtt), net_rtt(net));
    for (unsigned ttl = 1; ttl <= 4; ttl++) {
        const struct tally_hop *hop = service->hops[ttl];
        cr_assert_not_null(hop);
        /* nothing changes after the first cycle: each of 60, every second of 120, every fourth of
         * 420, every eighth of the 85,800 that are left: 60 + 60 + 105 + 10725 */
        cr_expect(hop->sent >= 10950 - 2 && hop->sent <= 10950 + 2, "TTL %u: %u in a day", ttl,
                  (unsigned)hop->sent);
        cr_expect_eq(hop->received, hop->sent);
    }
    net_free(net);
}
