/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that are looked up while the run goes on, over simulated networks in virtual time. */
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>

/* A round trip takes 2 x (1 + 1) = 4 ms. */
static const char network[] = "vantage here 192.0.2.1\n"
                              "router r1 10.0.0.1 delay=1ms\n"
                              "host a 203.0.113.10 delay=1ms\n"
                              "host b 203.0.113.11 delay=1ms\n"
                              "host c 203.0.113.12 delay=1ms\n"
                              "path a r1\n"
                              "path b r1\n"
                              "path c r1\n"
                              "resolve slow.example 203.0.113.11 delay=500ms\n"
                              "resolve slower.example 203.0.113.12 203.0.113.11 delay=1s\n"
                              "resolve never.example delay=1000s\n";

static const struct sonde_service icmp = {.protocol = "icmp"};

static void add(struct sonde_run *run, const char *host)
{
    cr_assert_eq(sonde_run_add(run, host, host, &icmp, 1, NULL), 0);
}

static void expect_service(const struct sonde_target_result *target, enum sonde_code code,
                           const char *text)
{
    const struct sonde_service_result *service = &target->services[0];
    cr_expect_eq(service->state, SONDE_STATE_UNKNOWN);
    cr_expect_eq(service->sent, 0);
    cr_expect_eq(service->verdict.level, SONDE_LEVEL_UNKNOWN);
    cr_expect_eq(service->verdict.code, code);
    cr_expect_str_eq(service->verdict.text, text);
    cr_expect_null(service->path);
}

Test(names, a_run_begins_before_its_names_are_looked_up)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){.plan.cycles = 1});
    add(run, "slow.example");
    add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_neq(snapshot->status, SONDE_STATUS_COMPLETE);
    cr_expect_eq(snapshot->problem_count, 0, "nothing is wrong yet");
    expect_service(&snapshot->targets[0], SONDE_CODE_INCONCLUSIVE,
                   "the name is still being looked up");
    sonde_snapshot_free(snapshot);
    case_finish(run);
    snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(snapshot->targets[i].services[0].state, SONDE_STATE_OPEN);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* Names are ready in another order than that of the targets; a second address is a target more, but
 * is measured with the other target that has it, which was ready first. */
Test(names, an_event_says_which_target_of_the_snapshot_it_is_about)
{
    const struct {
        const char *address;
        sonde_ns begin_ns;
        unsigned answers;
    } expected[] = {{"203.0.113.12", SONDE_NS_PER_S, 1},
                    {"203.0.113.11", 0, 0},
                    {"203.0.113.11", 500 * SONDE_NS_PER_MS, 1},
                    {"203.0.113.10", 0, 1}};
    struct sonde_run *run = case_run_of(
        network,
        (struct sonde_options){.plan = {.cycles = 1, .all_addresses = true, .want_events = true}});
    sonde_ns begin_ns[4] = {0};
    unsigned answers[4] = {0};
    struct sonde_event event;
    add(run, "slower.example");
    add(run, "slow.example");
    add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    for (int r = 0; r == 0;) {
        r = case_step(run, SONDE_NS_NEVER);
        while (sonde_run_pop_event(run, &event) == 0) {
            cr_assert_lt(event.target, 4);
            if (!event.to_target)
                continue;
            cr_expect_eq(event.rtt_ns, 4 * SONDE_NS_PER_MS);
            begin_ns[event.target] = event.sent_ns;
            answers[event.target]++;
        }
    }
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct sonde_target_result *target = &snapshot->targets[i];
        char text[SONDE_ADDR_TEXT_BYTES];
        cr_expect_str_eq(sonde_addr_text(&target->address, text), expected[i].address);
        cr_assert_lt(target->index, 4);
        cr_expect_eq(answers[target->index], expected[i].answers, "target %zu", i);
        cr_expect_eq(begin_ns[target->index], expected[i].begin_ns, "target %zu", i);
    }
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(names, an_end_comes_while_a_name_is_looked_up)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){.plan.cycles = 1});
    add(run, "never.example");
    add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(case_step(run, 10 * SONDE_NS_PER_MS), 0);
    sonde_run_stop(run);
    cr_expect_eq(case_step(run, SONDE_NS_NEVER), 1);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->status, SONDE_STATUS_INTERRUPTED);
    cr_expect_eq(snapshot->problem_count, 1);
    expect_service(&snapshot->targets[0], SONDE_CODE_NAME_UNRESOLVED,
                   "interrupted while looking the name up");
    cr_expect_eq(snapshot->targets[1].services[0].state, SONDE_STATE_OPEN);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* From case_new() on: a name that takes half of it leaves the other half. */
Test(names, a_deadline_covers_the_looking_up)
{
    struct sonde_run *run =
        case_run_of(network, (struct sonde_options){.plan = {.cycles = SONDE_CYCLES_ENDLESS,
                                                             .deadline_ns = SONDE_NS_PER_S}});
    add(run, "slow.example");
    add(run, "never.example");
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->duration_ns, 500 * SONDE_NS_PER_MS);
    cr_expect_eq(snapshot->status, SONDE_STATUS_PARTIAL);
    cr_expect_eq(snapshot->targets[0].services[0].state, SONDE_STATE_OPEN);
    expect_service(&snapshot->targets[1], SONDE_CODE_NAME_UNRESOLVED,
                   "the name was still being looked up at the deadline");
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* There is always a name of a hop that is missing. */
static uint32_t one_is_missing(struct names *names)
{
    (void)names;
    return 1;
}

/* The second that names of hops are waited for is within the deadline. */
Test(names, a_deadline_covers_the_wait_for_names_of_hops)
{
    static const sonde_ns deadlines_ns[] = {0, 300 * SONDE_NS_PER_MS};
    for (size_t i = 0; i < 2; i++) {
        struct sonde_run *run = case_run_of(
            network, (struct sonde_options){.plan = {.cycles = 1, .deadline_ns = deadlines_ns[i]}});
        struct names_ops ops = *run->vantage->names->ops;
        ops.step = one_is_missing;
        run->vantage->names->ops = &ops;
        add(run, "203.0.113.10");
        case_finish(run);
        struct sonde_snapshot *snapshot = case_snapshot(run);
        cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
        cr_expect_lt(snapshot->duration_ns, 100 * SONDE_NS_PER_MS, "all is measured by then");
        sonde_ns waited = run->vantage->now_ns - run->end_ns;
        if (i == 0)
            cr_expect_eq(waited, SONDE_NS_PER_S);
        else
            cr_expect_eq(run->vantage->now_ns, deadlines_ns[i]);
        sonde_snapshot_free(snapshot);
        case_free(run);
    }
}

Test(names, a_run_can_be_freed_while_names_are_looked_up)
{
    struct sonde_run *run = case_run_of(network, (struct sonde_options){.plan.cycles = 1});
    add(run, "never.example");
    add(run, "slow.example");
    cr_assert_eq(sonde_run_start(run), 0);
    case_free(run); /* the sanitizers look for what is left */
}
