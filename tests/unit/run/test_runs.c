/* SPDX-License-Identifier: BSD-2-Clause */
/* Several runs on one vantage, and targets that come and go while they are measured. */
#include "base/time.h"
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A round trip to h takes 40 ms, one to k 60 ms; the name of s is known after ten seconds. */
static const char network[] = "vantage here 198.18.0.2\n"
                              "router r1 10.0.0.1 delay=10ms\n"
                              "host h 203.0.113.10 delay=10ms tcp:443=open udp:53=dns\n"
                              "host k 203.0.113.20 delay=20ms tcp:443=open udp:53=dns\n"
                              "path h r1\n"
                              "path k r1\n"
                              "resolve s.example 203.0.113.10 delay=10s\n";

static const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                                {.protocol = "tcp", .port = 443},
                                                {.protocol = "udp", .port = 53}};
enum { SERVICES = 3 };

static struct sonde_vantage *vantage;

static void open_vantage(bool virtual_time)
{
    const struct sonde_simulation simulation = {
        .scenario = network, .scenario_bytes = sizeof network - 1, .virtual_time = virtual_time};
    struct sonde_error error;
    cr_assert_eq(
        sonde_vantage_new(&(struct sonde_vantage_options){0}, &simulation, &vantage, &error), 0,
        "%s", error.text);
}

static struct sonde_run *new_run(const struct sonde_plan *plan)
{
    struct sonde_run *run = NULL;
    cr_assert_eq(sonde_run_new(vantage, plan, NULL, NULL, &run, NULL), 0);
    return run;
}

static uint32_t add(struct sonde_run *run, const char *host)
{
    uint32_t target = UINT32_MAX;
    cr_assert_eq(sonde_run_add(run, host, host, services, SERVICES, &target), 0);
    return target;
}

/* Let pass so much time. */
static void pass(sonde_ns span_ns)
{
    case_pass_until(vantage, ns_add(vantage->now_ns, span_ns));
}

static void finish(const struct sonde_run *run)
{
    for (;;) {
        cr_assert_eq(sonde_vantage_step(vantage), 0);
        if (sonde_run_is_over(run))
            return;
        cr_assert_eq(sonde_vantage_wait(vantage, SONDE_NS_NEVER), 0);
    }
}

/* Every probe of a target that has ended was answered, once, after the time that it takes. */
static void expect_answered(const struct sonde_target_result *target, uint64_t sent, double rtt_ms)
{
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        cr_expect_eq(service->sent, sent, "%s: %u", service->service, (unsigned)service->sent);
        cr_expect_eq(service->received, sent, "%s", service->service);
        cr_expect_eq(service->late + service->duplicates + service->uncertain, 0, "%s",
                     service->service);
        cr_expect_eq(service->rtt.min_ns, (sonde_ns)(rtt_ms * 1e6), "%s", service->service);
        cr_expect_eq(service->rtt.max_ns, (sonde_ns)(rtt_ms * 1e6), "%s", service->service);
    }
}

static void expect_no_discards(const struct sonde_snapshot *snapshot)
{
    for (int reason = 0; reason < SONDE_DISCARD_COUNT; reason++)
        cr_expect_eq(snapshot->discards[reason], 0, "%s",
                     sonde_discard_name((enum sonde_discard)reason));
}

/* Both ask the same host for the same, at the same times. */
Test(runs, two_to_one_target_take_none_of_each_others_answers)
{
    const struct sonde_plan plan = {.cycles = 5, .interval_ns = SONDE_NS_PER_S / 5};
    open_vantage(true);
    struct sonde_run *runs[2] = {new_run(&plan), new_run(&plan)};
    for (size_t i = 0; i < 2; i++) {
        (void)add(runs[i], "203.0.113.10");
        cr_assert_eq(sonde_run_start(runs[i]), 0);
    }
    finish(runs[0]);
    finish(runs[1]);
    for (size_t i = 0; i < 2; i++) {
        struct sonde_snapshot *snapshot = case_snapshot(runs[i]);
        cr_assert_eq(snapshot->target_count, 1);
        cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
        expect_answered(&snapshot->targets[0], 5, 40);
        expect_no_discards(snapshot);
        sonde_snapshot_free(snapshot);
    }
    sonde_vantage_free(vantage);
}

Test(runs, each_has_its_own_plan_and_end)
{
    const struct sonde_plan quick = {.cycles = 2, .interval_ns = SONDE_NS_PER_S / 10};
    const struct sonde_plan slow = {.cycles = 3, .interval_ns = 2 * SONDE_NS_PER_S, .max_ttl = 1};
    open_vantage(true);
    struct sonde_run *first = new_run(&slow);
    struct sonde_run *second = new_run(&quick);
    (void)add(first, "203.0.113.10");
    (void)add(second, "203.0.113.20");
    cr_assert_eq(sonde_run_start(first), 0);
    cr_assert_eq(sonde_run_start(second), 0);
    finish(second);
    cr_expect_not(sonde_run_is_over(first));
    cr_expect_null(sonde_run_free(second));
    finish(first);
    struct sonde_snapshot *snapshot = case_snapshot(first);
    cr_expect_eq(snapshot->settings.max_ttl, 1);
    cr_expect_eq(snapshot->targets[0].services[0].path->hop_count, 1);
    expect_answered(&snapshot->targets[0], 3, 40);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* One round trip takes 60 ms; the other target is asked all the while. */
Test(runs, a_target_that_is_added_later_is_answered_within_a_round_trip)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    pass(1500 * SONDE_NS_PER_MS);
    uint32_t later = add(run, "203.0.113.20");
    cr_expect_eq(later, 1);
    pass(61 * SONDE_NS_PER_MS);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 2);
    cr_expect_eq(snapshot->targets[1].index, later);
    cr_expect_eq(snapshot->targets[1].services[1].state, SONDE_STATE_OPEN);
    cr_expect_eq(snapshot->targets[1].services[1].received, 1);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

Test(runs, a_name_that_takes_ten_seconds_delays_nobody)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    struct sonde_run *other = new_run(&plan);
    cr_assert_eq(sonde_run_start(run), 0);
    cr_assert_eq(sonde_run_start(other), 0);
    (void)add(run, "s.example");
    (void)add(run, "203.0.113.10");
    (void)add(other, "203.0.113.20");
    pass(61 * SONDE_NS_PER_MS);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->targets[0].address.family, SONDE_FAMILY_NONE);
    cr_expect_eq(snapshot->targets[1].services[1].received, 1);
    sonde_snapshot_free(snapshot);
    snapshot = case_snapshot(other);
    cr_expect_eq(snapshot->targets[0].services[1].received, 1);
    sonde_snapshot_free(snapshot);
    pass(10 * SONDE_NS_PER_S);
    snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->targets[0].services[1].state, SONDE_STATE_OPEN, "it was found");
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* Its probes are in flight then, and what it was asked is asked again by the next. */
Test(runs, a_target_that_is_removed_leaves_nothing_behind)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS, .want_events = true};
    struct sonde_event event;
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    uint32_t gone = add(run, "203.0.113.20");
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    pass(1020 * SONDE_NS_PER_MS); /* those of the second cycle are under way */
    cr_expect_eq(sonde_run_remove(run, gone), 0);
    cr_expect_eq(sonde_run_remove(run, gone), -ENOENT, "only once");
    cr_expect_eq(sonde_run_remove(run, 17), -ENOENT);
    uint32_t again = add(run, "203.0.113.20");
    cr_expect_eq(again, gone, "its number is given again");
    while (sonde_run_pop_event(run, &event) == 0)
        cr_expect_eq(event.target, 1);
    pass(2 * SONDE_NS_PER_S + 70 * SONDE_NS_PER_MS);
    while (sonde_run_pop_event(run, &event) == 0)
        cr_expect(event.target == 1 || event.sent_ns >= 1020 * SONDE_NS_PER_MS);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 2);
    cr_expect_eq(snapshot->targets[0].index, again);
    cr_expect_eq(snapshot->targets[1].index, 1);
    expect_answered(&snapshot->targets[0], 3, 60); /* at 1.02, 2.02 and 3.02 s */
    expect_answered(&snapshot->targets[1], 4, 40); /* at 0, 1, 2 and 3 s */
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

Test(runs, a_target_that_is_removed_before_the_start_is_never_probed)
{
    const struct sonde_plan plan = {.cycles = 1, .want_events = true};
    struct sonde_event event;
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.10");
    cr_expect_eq(sonde_run_remove(run, add(run, "203.0.113.20")), 0);
    cr_expect_eq(sonde_run_remove(run, add(run, "s.example")), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    finish(run);
    cr_expect_lt(vantage->now_ns, 3 * SONDE_NS_PER_S, "no name is waited for");
    cr_expect_eq(run->tally->target_count, 1);
    while (sonde_run_pop_event(run, &event) == 0)
        cr_expect_eq(event.target, 0);
    sonde_vantage_free(vantage);
}

/* The other target is done after a second; the name is known after ten. */
Test(runs, a_name_that_is_added_later_is_waited_for)
{
    const struct sonde_plan plan = {.cycles = 1};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.20");
    cr_assert_eq(sonde_run_start(run), 0);
    cr_assert_eq(sonde_vantage_step(vantage), 0);
    (void)add(run, "s.example");
    finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    cr_expect_eq(snapshot->targets[1].services[1].state, SONDE_STATE_OPEN);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* Since the last step nothing but the name is left to be waited for. */
Test(runs, a_name_is_waited_for_when_the_only_other_target_is_removed)
{
    const struct sonde_plan plan = {.cycles = 1};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    uint32_t first = add(run, "203.0.113.20");
    cr_assert_eq(sonde_run_start(run), 0);
    pass(SONDE_NS_PER_S / 100);
    (void)add(run, "s.example");
    cr_expect_eq(sonde_run_remove(run, first), 0);
    finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->target_count, 1);
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    cr_expect_eq(snapshot->targets[0].services[1].state, SONDE_STATE_OPEN);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* Whoever waits for ever then has nothing else to wake him. */
Test(runs, what_ends_a_run_between_steps_is_due_at_once)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS,
                                    .interval_ns = 3600 * SONDE_NS_PER_S};
    open_vantage(true);
    struct sonde_run *stopped = new_run(&plan);
    (void)add(stopped, "203.0.113.10");
    cr_assert_eq(sonde_run_start(stopped), 0);
    pass(60 * SONDE_NS_PER_S);
    sonde_run_stop(stopped);
    finish(stopped);
    struct sonde_run *emptied = new_run(&plan);
    uint32_t target = add(emptied, "203.0.113.10");
    cr_assert_eq(sonde_run_start(emptied), 0);
    pass(60 * SONDE_NS_PER_S);
    cr_expect_eq(sonde_run_remove(emptied, target), 0);
    finish(emptied);
    cr_expect_lt(vantage->now_ns, 130 * SONDE_NS_PER_S);
    sonde_vantage_free(vantage);
}

Test(runs, events_of_what_is_shared_go_to_the_target_that_is_left)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS, .want_events = true};
    struct sonde_event event;
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.10");
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    pass(SONDE_NS_PER_S / 2);
    cr_expect_eq(sonde_run_remove(run, 0), 0);
    pass(2 * SONDE_NS_PER_S);
    unsigned count = 0;
    for (; sonde_run_pop_event(run, &event) == 0; count++)
        cr_expect_eq(event.target, 1);
    cr_expect_gt(count, 0);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->vantage.source.family, SONDE_FAMILY_IPV4);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* What its questions and their answers are compared with goes with it. */
Test(runs, one_can_be_freed_while_its_questions_are_in_flight)
{
    static const uint8_t bytes[] = "ask";
    static const struct sonde_service asks = {.protocol = "udp",
                                              .port = 53,
                                              .question = bytes,
                                              .question_bytes = 3,
                                              .expects = bytes,
                                              .expects_bytes = 3};
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    struct sonde_run *other = new_run(&plan);
    cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &asks, 1, NULL), 0);
    (void)add(other, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    cr_assert_eq(sonde_run_start(other), 0);
    pass(10 * SONDE_NS_PER_MS);
    cr_expect_null(sonde_run_free(run));
    pass(3 * SONDE_NS_PER_S);
    struct sonde_snapshot *snapshot = case_snapshot(other);
    for (size_t i = 0; i < SERVICES; i++) {
        const struct sonde_service_result *service = &snapshot->targets[0].services[i];
        cr_expect_eq(service->received, service->sent, "%s", service->service);
        cr_expect_eq(service->received + service->uncertain, 3, "%s", service->service);
        cr_expect_eq(service->late + service->duplicates, 0, "%s", service->service);
    }
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

Test(runs, a_target_whose_name_is_looked_up_can_be_removed)
{
    const struct sonde_plan plan = {.cycles = 1};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    uint32_t target = add(run, "s.example");
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    pass(SONDE_NS_PER_S);
    cr_expect_not(sonde_run_is_over(run), "the name is waited for");
    cr_expect_eq(sonde_run_remove(run, target), 0);
    finish(run);
    cr_expect_lt(vantage->now_ns, 3 * SONDE_NS_PER_S, "and now it is not");
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->target_count, 1);
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* Two names of one host are measured once. */
Test(runs, what_two_targets_share_goes_on_when_one_is_removed)
{
    const struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS, .interval_ns = SONDE_NS_PER_S};
    open_vantage(true);
    for (uint32_t removed = 0; removed < 2; removed++) {
        struct sonde_run *run = new_run(&plan);
        (void)add(run, "203.0.113.20");
        (void)add(run, "203.0.113.20");
        cr_assert_eq(sonde_run_start(run), 0);
        pass(SONDE_NS_PER_S / 2);
        cr_expect_eq(sonde_run_remove(run, removed), 0);
        pass(SONDE_NS_PER_S);
        struct sonde_snapshot *snapshot = case_snapshot(run);
        cr_assert_eq(snapshot->target_count, 1);
        cr_expect_eq(snapshot->targets[0].index, 1 - removed);
        expect_answered(&snapshot->targets[0], 2, 60);
        sonde_snapshot_free(snapshot);
        sonde_run_free(run);
    }
    sonde_vantage_free(vantage);
}

Test(runs, one_that_stays_open_is_over_when_it_is_stopped)
{
    const struct sonde_plan plan = {.cycles = 1, .stays_open = true};
    open_vantage(true);
    struct sonde_run *run = new_run(&plan);
    struct sonde_run *clock = new_run(&(struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add(clock, "203.0.113.10"); /* so that there is something to wait for */
    cr_assert_eq(sonde_run_start(clock), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    for (int i = 0; i < 3; i++) {
        (void)add(run, "203.0.113.20");
        pass(5 * SONDE_NS_PER_S);
        cr_expect_not(sonde_run_is_over(run));
    }
    sonde_run_stop(run);
    finish(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->target_count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(snapshot->targets[i].services[1].received, 1);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* What came for the first after it was freed is nothing of the second. */
Test(runs, the_figures_of_the_vantage_before_a_run_are_not_its_own)
{
    const struct sonde_plan plan = {.cycles = 1};
    open_vantage(true);
    struct sonde_run *first = new_run(&plan);
    (void)add(first, "203.0.113.10");
    cr_assert_eq(sonde_run_start(first), 0);
    struct sonde_run *clock = new_run(&(struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add(clock, "203.0.113.20"); /* so that there is something to wait for */
    cr_assert_eq(sonde_run_start(clock), 0);
    pass(10 * SONDE_NS_PER_MS);
    cr_expect_null(sonde_run_free(first));
    pass(SONDE_NS_PER_S);
    cr_expect_gt(engine_discards(vantage->engine)->count[SONDE_DISCARD_TOO_LATE], 0);
    struct sonde_run *second = new_run(&plan);
    (void)add(second, "203.0.113.10");
    cr_assert_eq(sonde_run_start(second), 0);
    finish(second);
    struct sonde_snapshot *snapshot = case_snapshot(second);
    expect_no_discards(snapshot);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* A program's own loop: it polls the descriptors that it is told of, for as long as it is told. */
static void poll_to_the_end(const struct sonde_run *run)
{
    unsigned steps = 0;
    for (; !sonde_run_is_over(run); steps++) {
        struct pollfd fds[SONDE_FDS_MAX];
        cr_assert_lt(steps, 1000, "it is told to wait for too short a time");
        cr_assert_eq(sonde_vantage_step(vantage), 0);
        size_t count = sonde_vantage_fds(vantage, fds, SONDE_FDS_MAX);
        sonde_ns timeout = sonde_vantage_timeout_ns(vantage);
        cr_assert(count <= SONDE_FDS_MAX && timeout >= 0);
        if (!sonde_run_is_over(run))
            (void)poll(fds, (nfds_t)count, (int)(timeout / SONDE_NS_PER_MS) + 1);
    }
}

Test(runs, a_program_may_wait_by_itself)
{
    const struct sonde_plan plan = {.cycles = 2, .interval_ns = SONDE_NS_PER_S / 5};
    open_vantage(false);
    struct sonde_run *run = new_run(&plan);
    (void)add(run, "203.0.113.10");
    cr_assert_eq(sonde_run_start(run), 0);
    poll_to_the_end(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->targets[0].services[1].received, 2);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
}

/* Nothing answers sooner than this machine itself, and its answer must not lie there until
 * something else is due: two cycles, the second of which ends the run. */
Test(runs, a_program_may_wait_by_itself_for_real_sockets)
{
    const struct sonde_plan plan = {
        .cycles = 2, .interval_ns = SONDE_NS_PER_S / 5, .no_controls = true, .max_ttl = 2};
    const struct sonde_vantage_options options = {.unprivileged = true, .no_names = true};
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)&addr, len), 0);
    cr_assert_eq(listen(listener, 16), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
    struct sonde_error error;
    cr_assert_eq(sonde_vantage_new(&options, NULL, &vantage, &error), 0, "%s", error.text);
    struct sonde_run *run = new_run(&plan);
    const struct sonde_service service = {.protocol = "tcp", .port = ntohs(addr.sin_port)};
    cr_assert_eq(sonde_run_add(run, "here", "127.0.0.1", &service, 1, NULL), 0);
    cr_assert_eq(sonde_run_start(run), 0);
    poll_to_the_end(run);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_eq(snapshot->targets[0].services[0].state, SONDE_STATE_OPEN);
    cr_expect_eq(snapshot->targets[0].services[0].received, 2);
    sonde_snapshot_free(snapshot);
    sonde_vantage_free(vantage);
    cr_expect_eq(close(listener), 0);
}
