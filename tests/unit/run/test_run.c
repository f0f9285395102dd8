/* SPDX-License-Identifier: BSD-2-Clause */
/* The public interface of libsonde, over simulated networks in virtual time. */
#include "base/text.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const char network[] = "vantage here 192.0.2.1\n"
                              "router r1 10.0.0.1 delay=1ms\n"
                              "host h 203.0.113.10 delay=1ms tcp:443=open\n"
                              "path h r1\n";

static const struct sonde_service icmp = {.protocol = "icmp"};

Test(run, options_of_zero_mean_the_defaults)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){0});
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), 0);
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->settings.cycles, 3);
    cr_expect_eq(snapshot->settings.interval_ns, SONDE_NS_PER_S);
    cr_expect_eq(snapshot->settings.timeout_ns, 2 * SONDE_NS_PER_S);
    cr_expect_eq(snapshot->settings.first_ttl, 1);
    cr_expect_eq(snapshot->settings.max_ttl, 30);
    cr_expect_eq(snapshot->settings.size_bytes, 64);
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    cr_expect_eq(snapshot->targets[0].services[0].sent, 3);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(run, a_snapshot_outlives_its_run)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){.plan.cycles = 1});
    cr_assert_eq(sonde_run_add(run, "what I typed", "203.0.113.10", &icmp, 1, NULL), 0);
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    case_free(run);
    cr_expect_str_eq(snapshot->targets[0].input, "what I typed");
    cr_expect_str_eq(snapshot->targets[0].services[0].service, "icmp");
    cr_expect_eq(snapshot->targets[0].services[0].path->hop_count, 2);
    sonde_snapshot_free(snapshot);
}

Test(run, a_snapshot_can_be_taken_in_the_middle_of_a_run)
{
    struct sonde_run *run =
        case_run_of(network, (struct sonde_options){.plan.cycles = SONDE_CYCLES_ENDLESS});
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(case_step(run, SONDE_NS_NEVER), 0);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_neq(snapshot->status, SONDE_STATUS_COMPLETE);
    cr_expect_gt(snapshot->targets[0].services[0].received, 0);
    sonde_snapshot_free(snapshot);

    sonde_run_stop(run);
    cr_expect_eq(case_step(run, SONDE_NS_NEVER), 1);
    snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->status, SONDE_STATUS_INTERRUPTED);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(run, every_probe_is_one_event_and_the_figures_are_their_sum)
{
    struct sonde_run *run =
        case_run_of(network, (struct sonde_options){.plan = {.cycles = 5, .want_events = true}});
    const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                             {.protocol = "tcp", .port = 443}};
    uint64_t full[2] = {0};
    uint64_t answered[2] = {0};
    struct sonde_event event;
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", services, 2, NULL), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    int r = 0;
    while (r == 0) {
        r = case_step(run, SONDE_NS_NEVER);
        while (sonde_run_pop_event(run, &event) == 0) {
            cr_assert_lt(event.service, 2);
            cr_expect_lt(event.cycle, 5);
            full[event.service] += event.to_target;
            answered[event.service] += event.to_target && event.rtt_ns == 4 * SONDE_NS_PER_MS;
        }
    }
    struct sonde_snapshot *snapshot = case_snapshot(run);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(full[i], 5);
        cr_expect_eq(answered[i], 5);
        cr_expect_eq(snapshot->targets[0].services[i].sent, full[i]);
        cr_expect_eq(snapshot->targets[0].services[i].received, answered[i]);
    }
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(run, nothing_is_lost_while_a_program_leaves_its_events_where_they_are)
{
    struct sonde_run *run =
        case_run_of(network, (struct sonde_options){.plan = {.cycles = 2000,
                                                             .interval_ns = SONDE_NS_PER_MS,
                                                             .want_events = true}});
    struct sonde_event event;
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 100000; i++) /* it stands still once the events are full */
        cr_assert_eq(case_step(run, 0), 0);
    uint64_t taken = 0;
    int r = 0;
    while (r == 0) {
        while (sonde_run_pop_event(run, &event) == 0)
            taken += event.to_target;
        r = case_step(run, SONDE_NS_NEVER);
    }
    while (sonde_run_pop_event(run, &event) == 0)
        taken += event.to_target;
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(taken, 2000);
    cr_expect_eq(snapshot->targets[0].services[0].sent, 2000);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* What receives SCTP is opened with the vantage, if it is asked for. */
Test(run, sctp_is_probed_where_the_options_say_so)
{
    static const char with_sctp[] = "vantage here 192.0.2.1\n"
                                    "host h 203.0.113.10 delay=1ms sctp:*=closed sctp:3868=open\n"
                                    "path h\n";
    static const struct sonde_service services[] = {{.protocol = "sctp", .port = 3868},
                                                    {.protocol = "sctp", .port = 9}};
    struct sonde_run *run = case_run_of(with_sctp, (struct sonde_options){0});
    cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", services, 2, NULL), -EINVAL);
    case_free(run);
    run = case_run_of(with_sctp,
                      (struct sonde_options){.vantage.sctp = true, .plan.no_controls = true});
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", services, 2, NULL), 0);
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    const struct sonde_service_result *results = snapshot->targets[0].services;
    cr_expect_str_eq(results[0].service, "3868/sctp");
    cr_expect_str_eq(results[0].protocol, "sctp");
    cr_expect_eq(results[0].state, SONDE_STATE_OPEN);
    cr_expect_eq(results[1].state, SONDE_STATE_CLOSED);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(run, wrong_services_are_refused)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){0});
    static const struct sonde_service wrong[] = {
        {.protocol = "dccp", .port = 80}, {.protocol = "tcp"}, {.protocol = "udp", .port = 0},
        {.protocol = "icmp", .port = 7},  {.protocol = ""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", &wrong[i], 1, NULL), -EINVAL);
    struct sonde_service many[SONDE_SERVICES_MAX + 2];
    for (uint16_t i = 0; i < SONDE_SERVICES_MAX + 2; i++)
        many[i] = (struct sonde_service){.protocol = "tcp", .port = (uint16_t)(i + 1)};
    cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", many, SONDE_SERVICES_MAX + 2, NULL),
                 -E2BIG);
    cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", many, 0, NULL), -E2BIG);
    case_free(run);
}

Test(run, wrong_options_are_refused_with_a_reason)
{
    static const struct sonde_options wrong[] = {
        {.plan.first_ttl = 9, .plan.max_ttl = 8},
        {.format.size_bytes = 27},
        {.format.size_bytes = 9001},
        {.plan.interval_ns = -1},
        {.plan.timeout_ns = -1},
        {.plan.deadline_ns = -1},
        {.vantage.source = "example.com"},
        {.vantage.source = "127.1"},
        {.vantage.source = "192.0.2.1", .vantage.family = SONDE_FAMILY_IPV6},
        {.vantage.source = "2001:db8::1", .vantage.family = SONDE_FAMILY_IPV4},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sonde_options options = wrong[i];
        struct sonde_run *run = NULL;
        struct sonde_error error = {""};
        options.simulation.demo = true;
        cr_expect_eq(case_new(&options, &run, &error), -EINVAL, "%zu", i);
        cr_expect_gt(strlen(error.text), 0, "%zu", i);
        cr_expect_null(run);
    }
}

/* 64 bytes of a word are shown, each as four; "line 1: unknown statement: " are 27 of 255 that
 * there are, so 57 of them fit: 228. */
Test(run, a_reason_that_is_too_long_ends_in_a_whole_escape)
{
    struct sonde_run *run = NULL;
    struct sonde_error error = {""};
    struct text word = {0};
    struct text shown = {0};
    text_add_repeated(&word, '\377', 64);
    text_add(&shown, "line 1: unknown statement: ");
    for (int i = 0; i < 57; i++)
        text_add(&shown, "\\255");
    const struct sonde_options options = {
        .simulation = {.scenario = word.data, .scenario_bytes = word.len}};
    cr_expect_eq(case_new(&options, &run, &error), -EINVAL);
    cr_expect_str_eq(error.text, shown.data);
    text_deinit(&word);
    text_deinit(&shown);
}

Test(run, what_a_reason_repeats_is_made_safe)
{
    struct sonde_run *run = NULL;
    struct sonde_error error = {""};
    const struct sonde_options options = {.vantage.source = "\033[2J", .simulation.demo = true};
    cr_expect_eq(case_new(&options, &run, &error), -EINVAL);
    cr_expect_str_eq(error.text, "not a numeric source address: \\027[2J");
}

Test(run, calls_out_of_order_are_refused)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){.plan.cycles = 1});
    struct sonde_snapshot *snapshot = NULL;
    struct sonde_event event;
    cr_expect_eq(case_step(run, 0), 0, "there is nothing to do yet");
    cr_expect_not(sonde_run_is_over(run));
    cr_expect_eq(sonde_run_snapshot(run, &snapshot), -EINVAL);
    cr_expect_eq(sonde_run_pop_event(run, &event), 1);
    cr_assert_eq(sonde_run_start(run), 0); /* without any target it is over at once */
    cr_expect_eq(sonde_run_start(run), -EBUSY);
    cr_expect_eq(case_step(run, SONDE_NS_NEVER), 1);
    cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", &icmp, 1, NULL), -EBUSY);
    case_free(run);
    cr_expect_null(sonde_vantage_free(NULL));
    cr_expect_null(sonde_run_free(NULL));
    cr_expect_null(sonde_snapshot_free(NULL));
}

Test(run, addresses_that_no_single_host_has_are_not_probed)
{
    static const char *const hosts[] = {"0.0.0.0",         "0.1.2.3", "224.0.0.1", "239.1.2.3",
                                        "255.255.255.255", "::",      "ff02::1"};
    struct sonde_run *run = case_run_of(network, (struct sonde_options){.plan.cycles = 1});
    enum { COUNT = sizeof hosts / sizeof *hosts };
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(sonde_run_add(run, hosts[i], hosts[i], &icmp, 1, NULL), 0);
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->problem_count, COUNT);
    cr_expect_eq(snapshot->status, SONDE_STATUS_ERROR);
    for (size_t i = 0; i < COUNT; i++) {
        cr_expect_eq(snapshot->targets[i].services[0].sent, 0);
        cr_expect_eq(snapshot->targets[i].services[0].verdict.level, SONDE_LEVEL_UNKNOWN);
    }
    sonde_snapshot_free(snapshot);
    case_free(run);
}
