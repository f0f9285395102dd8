/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit code of a snapshot: first of snapshots made by hand, then of simulated runs. What each
 * code means is in include/sonde/snapshot.h, and was promised to scripts.
 */
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>

/* The exit code of one target with these services. */
static enum sonde_exit exit_of(const struct sonde_service_result *services, size_t count)
{
    const struct sonde_target_result target = {.services = services, .service_count = count};
    const struct sonde_snapshot snapshot = {.targets = &target, .target_count = 1};
    return sonde_snapshot_exit(&snapshot);
}

static const struct sonde_service_result fine = {.met = true, .verdict.level = SONDE_LEVEL_OK};
static const struct sonde_service_result slow = {.met = true,
                                                 .verdict.level = SONDE_LEVEL_DEGRADED};
static const struct sonde_service_result failed = {.met = true,
                                                   .verdict.level = SONDE_LEVEL_FAILED};
static const struct sonde_service_result unmet = {.met = false, .verdict.level = SONDE_LEVEL_OK};
static const struct sonde_service_result unknown = {.met = false,
                                                    .verdict.level = SONDE_LEVEL_UNKNOWN};

Test(exit, each_service_decides_where_it_stands_alone)
{
    cr_expect_eq(exit_of(&fine, 1), SONDE_EXIT_MET);
    cr_expect_eq(exit_of(&slow, 1), SONDE_EXIT_MET, "--warn alone is no failure");
    cr_expect_eq(exit_of(&failed, 1), SONDE_EXIT_UNMET, "above --crit");
    cr_expect_eq(exit_of(&unmet, 1), SONDE_EXIT_UNMET);
    cr_expect_eq(exit_of(&unknown, 1), SONDE_EXIT_UNMEASURED);
    cr_expect_eq(exit_of(NULL, 0), SONDE_EXIT_MET, "nothing is expected");
}

Test(exit, the_numbers_are_those_that_scripts_know)
{
    cr_expect_eq(SONDE_EXIT_MET, 0);
    cr_expect_eq(SONDE_EXIT_UNMET, 1);
    cr_expect_eq(SONDE_EXIT_USAGE, 2);
    cr_expect_eq(SONDE_EXIT_UNMEASURED, 3);
    cr_expect_eq(SONDE_EXIT_INTERNAL, 4);
}

Test(exit, a_failure_outweighs_what_is_unmeasured_in_whatever_order)
{
    const struct sonde_service_result orders[][3] = {
        {fine, unknown, failed}, {failed, unknown, fine}, {unknown, unmet, fine}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        cr_expect_eq(exit_of(orders[i], 3), SONDE_EXIT_UNMET, "%zu", i);
    const struct sonde_service_result none_failed[] = {unknown, fine, slow};
    cr_expect_eq(exit_of(none_failed, 3), SONDE_EXIT_UNMEASURED);
}

Test(exit, of_several_targets_the_worst_decides)
{
    const struct sonde_target_result targets[] = {{.services = &unknown, .service_count = 1},
                                                  {.services = &fine, .service_count = 1},
                                                  {.services = &failed, .service_count = 1}};
    struct sonde_snapshot snapshot = {.targets = targets, .target_count = 3};
    cr_expect_eq(sonde_snapshot_exit(&snapshot), SONDE_EXIT_UNMET);
    snapshot.target_count = 2;
    cr_expect_eq(sonde_snapshot_exit(&snapshot), SONDE_EXIT_UNMEASURED);
    snapshot.target_count = 0;
    cr_expect_eq(sonde_snapshot_exit(&snapshot), SONDE_EXIT_UNMEASURED, "nothing was measured");
}

Test(exit, controls_do_not_count)
{
    const struct sonde_service_result bad[] = {failed, unmet, unknown};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sonde_service_result services[] = {bad[i], fine};
        services[0].control = true;
        cr_expect_eq(exit_of(services, 2), SONDE_EXIT_MET, "%zu", i);
    }
}

/* Also if nothing but controls was to be probed there: a control's level is not looked at. */
Test(exit, a_target_that_is_not_traced_is_unmeasured)
{
    struct sonde_service_result control = unknown;
    control.control = true;
    const struct sonde_target_result target = {.services = &control, .service_count = 1};
    const struct sonde_snapshot snapshot = {
        .targets = &target, .target_count = 1, .problem_count = 1};
    cr_expect_eq(sonde_snapshot_exit(&snapshot), SONDE_EXIT_UNMEASURED);
}

Test(exit, a_failure_of_this_machine_outweighs_everything)
{
    const struct sonde_target_result target = {.services = &failed, .service_count = 1};
    const struct sonde_snapshot snapshot = {
        .targets = &target, .target_count = 1, .failure = -ENETDOWN};
    cr_expect_eq(sonde_snapshot_exit(&snapshot), SONDE_EXIT_INTERNAL);
}

/* Ways of 2 ms there and back, and a firewall before port 25. */
static const char network[] = "vantage here 192.0.2.1\n"
                              "router r1 10.0.0.1 delay=1ms\n"
                              "host h 203.0.113.10 delay=1ms tcp:443=open tcp:25=open\n"
                              "path h r1\n"
                              "resolve never.example delay=1000s\n"
                              "rule r1 drop tcp:25\n";

static const struct sonde_service https = {.protocol = "tcp", .port = 443};
static const struct sonde_service smtp = {.protocol = "tcp", .port = 25};

/* Run to the end with one target. @return its exit code. */
static enum sonde_exit run(const struct sonde_options *options, const char *host,
                           const struct sonde_service *services, size_t count)
{
    struct sonde_run *run = case_run_of(network, *options);
    cr_assert_eq(sonde_run_add(run, host, host, services, count, NULL), 0);
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    enum sonde_exit code = sonde_snapshot_exit(snapshot);
    sonde_snapshot_free(snapshot);
    case_free(run);
    return code;
}

static enum sonde_exit run_expecting(struct sonde_service service, uint32_t states)
{
    service.expect = states;
    return run(&(struct sonde_options){0}, "203.0.113.10", &service, 1);
}

Test(exit, a_run_is_judged_by_what_answers)
{
    const struct sonde_options options = {0};
    const struct sonde_service both[] = {https, smtp};
    cr_expect_eq(run(&options, "203.0.113.10", both, 1), SONDE_EXIT_MET);
    cr_expect_eq(run(&options, "203.0.113.10", both, 2), SONDE_EXIT_UNMET);
    cr_expect_eq(run(&options, "no.example", both, 1), SONDE_EXIT_UNMEASURED, "no such name");
}

Test(exit, a_run_is_judged_by_what_is_expected)
{
    uint32_t open = SONDE_STATE_BIT(SONDE_STATE_OPEN);
    uint32_t closed = SONDE_STATE_BIT(SONDE_STATE_CLOSED);
    cr_expect_eq(run_expecting(https, open), SONDE_EXIT_MET);
    cr_expect_eq(run_expecting(https, closed), SONDE_EXIT_UNMET);
    cr_expect_eq(run_expecting(https, closed | open), SONDE_EXIT_MET);
    cr_expect_eq(run_expecting(smtp, open), SONDE_EXIT_UNMET);
    cr_expect_eq(run_expecting(smtp, closed | SONDE_STATE_BIT(SONDE_STATE_FILTERED) |
                                         SONDE_STATE_BIT(SONDE_STATE_UNREACHABLE)),
                 SONDE_EXIT_MET);
}

/* The round trip is 4 ms. */
Test(exit, only_the_limit_of_failure_fails)
{
    const struct sonde_limits below = {.set = true, .rtt_ns = 3 * SONDE_NS_PER_MS, .loss_ratio = 1};
    const struct sonde_limits above = {.set = true, .rtt_ns = 5 * SONDE_NS_PER_MS, .loss_ratio = 1};
    const char *host = "203.0.113.10";
    cr_expect_eq(run(&(struct sonde_options){.judgement.warn = below}, host, &https, 1),
                 SONDE_EXIT_MET);
    cr_expect_eq(run(&(struct sonde_options){.judgement.crit = above}, host, &https, 1),
                 SONDE_EXIT_MET);
    cr_expect_eq(run(&(struct sonde_options){.judgement.crit = below}, host, &https, 1),
                 SONDE_EXIT_UNMET);
}

/* Stop a run in the middle. What it comes to has to be the same before and after. */
static void expect_interrupted(struct sonde_run *run, enum sonde_exit wanted)
{
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    for (int stopped = 0; stopped < 2; stopped++) {
        struct sonde_snapshot *snapshot = case_snapshot(run);
        cr_expect_eq(sonde_snapshot_exit(snapshot), wanted, "stopped: %d", stopped);
        sonde_snapshot_free(snapshot);
        sonde_run_stop(run);
    }
    case_free(run);
}

/* What was measured before the end counts; a name that is still looked up is unmeasured, and so it
 * is when it is given up. */
Test(exit, an_interrupted_run_is_judged_by_what_it_has)
{
    const struct sonde_options options = {.plan.cycles = SONDE_CYCLES_ENDLESS};
    struct sonde_run *run = case_run_of(network, options);
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &https, 1, NULL), 0);
    expect_interrupted(run, SONDE_EXIT_MET);

    run = case_run_of(network, options);
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &https, 1, NULL), 0);
    cr_assert_eq(sonde_run_add(run, "n", "never.example", &https, 1, NULL), 0);
    expect_interrupted(run, SONDE_EXIT_UNMEASURED);
}

static int broken_wait(struct sonde_transport *transport, sonde_ns until, sonde_ns *ret_now)
{
    (void)transport;
    (void)until;
    (void)ret_now;
    return -ENETDOWN;
}

/* All was well until then. */
Test(exit, a_run_that_breaks_off_says_so)
{
    struct sonde_run *run =
        case_run_of(network, (struct sonde_options){.plan.cycles = SONDE_CYCLES_ENDLESS});
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &https, 1, NULL), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    struct sonde_transport_ops ops = *run->vantage->transport->ops;
    ops.wait = broken_wait;
    run->vantage->transport->ops = &ops;
    int r = 0;
    while (r == 0)
        r = case_step(run, SONDE_NS_NEVER);
    cr_assert_eq(r, -ENETDOWN);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->failure, -ENETDOWN);
    cr_expect_eq(snapshot->status, SONDE_STATUS_PARTIAL);
    cr_expect_eq(sonde_snapshot_exit(snapshot), SONDE_EXIT_INTERNAL);
    sonde_snapshot_free(snapshot);
    case_free(run);
}
