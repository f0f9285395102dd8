/* SPDX-License-Identifier: BSD-2-Clause */
/* How many targets a vantage takes, and what of them is left when they are gone. */
#include "base/time.h"
#include "run/internal.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A round trip to h takes 40 ms, one to each of the others 60 ms. */
static const char network[] = "vantage here 198.18.0.2\n"
                              "router r1 10.0.0.1 delay=10ms\n"
                              "host h 203.0.113.10 delay=10ms tcp:443=open udp:53=dns\n"
                              "host k 203.0.113.20 delay=20ms tcp:443=open udp:53=dns\n"
                              "host l 203.0.113.21 delay=20ms tcp:443=open udp:53=dns\n"
                              "host m 203.0.113.22 delay=20ms tcp:443=open udp:53=dns\n"
                              "path h r1\n"
                              "path k r1\n"
                              "path l r1\n"
                              "path m r1\n"
                              "resolve one.example 203.0.113.20\n"
                              "resolve three.example 203.0.113.20\n"
                              "resolve three.example 203.0.113.21\n"
                              "resolve three.example 203.0.113.22\n"
                              "resolve slow.example 203.0.113.20 delay=10s\n";

static const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                                {.protocol = "tcp", .port = 443},
                                                {.protocol = "udp", .port = 53}};
enum { SERVICES = 3 };

static const struct sonde_plan endless = {.cycles = SONDE_CYCLES_ENDLESS};

static struct sonde_vantage *vantage;

static void open_vantage(uint32_t targets_max)
{
    const struct sonde_vantage_options options = {.targets_max = targets_max};
    const struct sonde_simulation simulation = {
        .scenario = network, .scenario_bytes = sizeof network - 1, .virtual_time = true};
    struct sonde_error error;
    cr_assert_eq(sonde_vantage_new(&options, &simulation, &vantage, &error), 0, "%s", error.text);
}

static struct sonde_run *new_run(const struct sonde_plan *plan)
{
    struct sonde_run *run = NULL;
    cr_assert_eq(sonde_run_new(vantage, plan, NULL, NULL, &run, NULL), 0);
    return run;
}

static int try_to_add(struct sonde_run *run, const char *host, uint32_t *ret_target)
{
    return sonde_run_add(run, host, host, services, SERVICES, ret_target);
}

static uint32_t add(struct sonde_run *run, const char *host)
{
    uint32_t target = UINT32_MAX;
    cr_assert_eq(try_to_add(run, host, &target), 0);
    return target;
}

/* Let pass so much time. */
static void pass(sonde_ns span_ns)
{
    case_pass_until(vantage, ns_add(vantage->now_ns, span_ns));
}

/* A run that goes on, with one target. */
static struct sonde_run *start_run(uint32_t targets_max)
{
    open_vantage(targets_max);
    struct sonde_run *run = new_run(&endless);
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    pass(SONDE_NS_PER_S / 2);
    return run;
}

static size_t count_targets(struct sonde_run *run)
{
    struct sonde_snapshot *snapshot = case_snapshot(run);
    size_t count = snapshot->target_count;
    sonde_snapshot_free(snapshot);
    return count;
}

/* The first target was answered so often, each time. */
static void expect_undisturbed(struct sonde_run *run, uint64_t sent)
{
    struct sonde_snapshot *snapshot = case_snapshot(run);
    for (size_t i = 0; i < SERVICES; i++) {
        cr_expect_eq(snapshot->targets[0].services[i].sent, sent);
        cr_expect_eq(snapshot->targets[0].services[i].received, sent);
    }
    sonde_snapshot_free(snapshot);
}

Test(capacity, who_is_one_too_many_is_refused_until_another_is_removed)
{
    struct sonde_run *run = start_run(2);
    uint32_t target = UINT32_MAX;
    uint32_t second = add(run, "203.0.113.20");
    cr_expect_eq(try_to_add(run, "203.0.113.21", &target), -ENOSPC);
    cr_expect_eq(try_to_add(run, "three.example", &target), -ENOSPC);
    cr_expect_eq(target, UINT32_MAX);
    cr_expect_eq(count_targets(run), 2);
    pass(SONDE_NS_PER_S);
    expect_undisturbed(run, 2); /* at 0 and 1 s */
    cr_assert_eq(sonde_run_remove(run, second), 0);
    cr_expect_eq(try_to_add(run, "203.0.113.21", &target), 0);
    cr_expect_eq(target, second, "its number is given again");
    pass(SONDE_NS_PER_S / 2);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 2);
    cr_expect_str_eq(snapshot->targets[1].input, "203.0.113.21");
    cr_expect_eq(snapshot->targets[1].services[1].received, 1);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

Test(capacity, the_bound_is_one_of_all_runs_of_a_vantage)
{
    open_vantage(3);
    struct sonde_run *first = new_run(&endless);
    struct sonde_run *second = new_run(&endless);
    (void)add(first, "203.0.113.10");
    (void)add(first, "203.0.113.20");
    (void)add(second, "203.0.113.10");
    cr_expect_eq(try_to_add(first, "203.0.113.21", NULL), -ENOSPC);
    cr_expect_eq(try_to_add(second, "203.0.113.21", NULL), -ENOSPC);
    sonde_run_free(first);
    (void)add(second, "203.0.113.20");
    (void)add(second, "203.0.113.21");
    cr_expect_eq(try_to_add(second, "203.0.113.22", NULL), -ENOSPC);
    sonde_vantage_free(vantage);
}

Test(capacity, what_was_refused_for_another_reason_takes_no_place)
{
    static const struct sonde_service unknown = {.protocol = "gopher", .port = 70};
    open_vantage(1);
    struct sonde_run *run = new_run(&endless);
    cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", &unknown, 1, NULL), -EINVAL);
    cr_expect_eq(sonde_run_add(run, "h", "203.0.113.10", services, 0, NULL), -E2BIG);
    (void)add(run, "203.0.113.10");
    sonde_vantage_free(vantage);
}

/* Of three addresses, two more would be targets. */
Test(capacity, further_addresses_that_have_no_place_are_not_asked)
{
    const struct sonde_plan plan = {.cycles = 1, .all_addresses = true};
    open_vantage(2);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "three.example");
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 2);
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    cr_assert_eq(snapshot->targets[0].not_asked_count, 1);
    const uint8_t third[] = {203, 0, 113, 22};
    cr_expect_arr_eq(snapshot->targets[0].not_asked[0].address.bytes, third, sizeof third);
    sonde_snapshot_free(snapshot);
    cr_expect_eq(sonde_run_remove(run, 0), 0);
    cr_expect_eq(vantage->target_count, 0, "both are gone");
    sonde_vantage_free(vantage);
}

/* They get numbers below that of their name, and above it; each is begun once. */
Test(capacity, numbers_that_are_free_before_the_start_are_given_to_further_addresses)
{
    const struct sonde_plan plan = {.cycles = 2, .all_addresses = true};
    open_vantage(0);
    struct sonde_run *run = new_run(&plan);
    uint32_t before = add(run, "203.0.113.10");
    uint32_t name = add(run, "three.example");
    uint32_t after = add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_remove(run, before), 0);
    cr_assert_eq(sonde_run_remove(run, after), 0);
    case_finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(snapshot->targets[i].services[1].sent, 2);
        cr_expect_eq(snapshot->targets[i].services[1].received, 2);
    }
    cr_expect_eq(snapshot->targets[0].index, name);
    cr_expect_eq(snapshot->targets[1].index + snapshot->targets[2].index, before + after);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* What two targets share is known by the services of the first. */
Test(capacity, who_shares_what_is_measured_goes_on_without_the_first)
{
    struct sonde_run *run = start_run(0);
    uint32_t again = add(run, "203.0.113.10"); /* shares all that is measured of the first */
    cr_assert_eq(sonde_run_remove(run, 0), 0);
    uint32_t other = add(run, "203.0.113.20");
    cr_expect_neq(other, again);
    cr_expect_neq(other, 0, "that number is still in use");
    pass(SONDE_NS_PER_S);
    expect_undisturbed(run, 2); /* at 0 and 1 s */
    cr_assert_eq(sonde_run_remove(run, again), 0);
    uint32_t numbers[] = {add(run, "203.0.113.21"), add(run, "203.0.113.22")};
    cr_expect_leq(numbers[0], 1, "and now it is not");
    cr_expect_leq(numbers[1], 1);
    sonde_vantage_free(vantage);
}

/* Whichever allocation fails: the target is not there, and nothing of it; and the next one is. */
Test(capacity, memory_that_ran_out_once_keeps_no_later_target_out)
{
    static const char *const hosts[] = {"203.0.113.20", "three.example", "fe80::1%nowhere"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct sonde_run *run = start_run(0);
        cr_assert_eq(sonde_run_remove(run, add(run, hosts[i])), 0); /* there is room for it */
        bool failed = true;
        for (unsigned n = 0; failed; n++) {
            uint32_t target = UINT32_MAX;
            int64_t live = alloc_live();
            alloc_fail(n, 1);
            int r = try_to_add(run, hosts[i], &target);
            failed = alloc_heal();
            cr_expect_eq(r, failed ? -ENOMEM : 0, "%s, allocation %u", hosts[i], n);
            cr_expect_eq(target == UINT32_MAX, failed);
            cr_expect_eq(count_targets(run), failed ? 1 : 2, "%s, allocation %u", hosts[i], n);
            if (failed)
                cr_expect_eq(alloc_live(), live, "%s, allocation %u", hosts[i], n);
            cr_assert_lt(n, 100);
        }
        sonde_vantage_free(vantage);
    }
}

/* The name is known while memory runs out; then the target says so, and another goes on. */
Test(capacity, memory_that_runs_out_for_a_name_is_a_matter_of_that_target)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS, .all_addresses = true};
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        open_vantage(0);
        struct sonde_run *run = new_run(&plan);
        (void)add(run, "203.0.113.10");
        cr_assert_eq(sonde_run_start(run), 0);
        pass(SONDE_NS_PER_S / 2);
        (void)add(run, "three.example");
        alloc_fail(n, 1);
        vantage_take_names(vantage);
        failed = alloc_heal();
        pass(SONDE_NS_PER_S);
        cr_expect_not(sonde_run_is_over(run));
        expect_undisturbed(run, 2); /* at 0 and 1 s */
        struct sonde_snapshot *snapshot = case_snapshot(run);
        unsigned open = 0;
        for (size_t i = 1; i < snapshot->target_count; i++)
            open += snapshot->targets[i].services[1].state == SONDE_STATE_OPEN;
        unsigned short_of = (unsigned)(3 - open);
        cr_expect_eq(short_of > 0, failed, "allocation %u", n);
        cr_expect_eq(snapshot->problem_count + snapshot->targets[1].not_asked_count > 0, failed,
                     "allocation %u: it says so", n);
        sonde_snapshot_free(snapshot);
        sonde_vantage_free(vantage);
        cr_assert_lt(n, 100);
    }
}

/* From whichever allocation on they fail: there is no snapshot. Of many targets some have their
 * texts where the memory ends. */
Test(capacity, a_snapshot_that_memory_runs_out_for_is_none)
{
    enum { TARGETS = 200 };
    const struct sonde_plan plan = {.cycles = 1, .flows = 2};
    open_vantage(0);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.10");
    for (unsigned i = 0; i < TARGETS - 1; i++) { /* why it is not probed is a text of its own */
        char host[64];
        (void)snprintf(host, sizeof host, "fe80::1%%n%0*u", (int)(i % 40 + 1), i);
        (void)add(run, host);
    }
    cr_assert_eq(sonde_run_start(run), 0);
    pass(SONDE_NS_PER_S / 2);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct sonde_snapshot *snapshot = NULL;
        int64_t live = alloc_live();
        alloc_fail(n, UINT64_MAX);
        int r = sonde_run_snapshot(run, &snapshot);
        failed = alloc_heal();
        cr_expect_eq(r, failed ? -ENOMEM : 0, "allocation %u", n);
        if (failed)
            cr_expect_eq(alloc_live(), live, "allocation %u", n);
        else
            cr_expect_eq(snapshot->target_count, TARGETS);
        sonde_snapshot_free(snapshot);
        cr_assert_lt(n, 1000);
    }
    sonde_vantage_free(vantage);
}

/* Add and remove so many targets, one after the other, each in flight when it goes. */
static void come_and_go(struct sonde_run *run, unsigned count)
{
    static const char *const hosts[] = {"203.0.113.20", "203.0.113.10", "one.example",
                                        "three.example", "slow.example"};
    for (unsigned i = 0; i < count; i++) {
        uint32_t target = add(run, hosts[i % (sizeof hosts / sizeof *hosts)]);
        pass(i % 10 == 0 ? SONDE_NS_PER_S : SONDE_NS_PER_MS);
        cr_assert_eq(sonde_run_remove(run, target), 0);
    }
    pass(15 * SONDE_NS_PER_S); /* a timeout of 2 s, 10 s more, and the name that takes as long */
}

/* Nothing is left but tables, as long as there ever were targets at a time, and what is known of
 * the target that stays, asked once an hour: the first ten thousand fill these. */
Test(capacity, a_hundred_thousand_targets_leave_no_memory_behind)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS,
                                    .interval_ns = 3600 * SONDE_NS_PER_S,
                                    .all_addresses = true};
    open_vantage(0);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    come_and_go(run, 10000);
    int64_t live = alloc_live();
    int64_t bytes = alloc_bytes();
    come_and_go(run, 100000);
    cr_expect_eq(alloc_live(), live, "%ld blocks more", (long)(alloc_live() - live));
    cr_expect_eq(alloc_bytes(), bytes, "%ld bytes more", (long)(alloc_bytes() - bytes));
    cr_expect_leq(run->target_count, 10);
    cr_expect_leq(run->tally->target_count, 10);
    sonde_vantage_free(vantage);
}
