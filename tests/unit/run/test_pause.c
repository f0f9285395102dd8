/* SPDX-License-Identifier: BSD-2-Clause */
/* Services that are paused and resumed, and figures that begin anew, while a run goes on. */
#include "base/time.h"
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

/* A round trip to h takes 40 ms, one to k 60 ms; the name of s is known after ten seconds. */
static const char network[] = "vantage here 198.18.0.2\n"
                              "router r1 10.0.0.1 delay=10ms\n"
                              "host h 203.0.113.10 delay=10ms tcp:443=open udp:53=dns\n"
                              "host k 203.0.113.20 delay=20ms tcp:443=open udp:53=dns\n"
                              "path h r1\n"
                              "path k r1\n"
                              "resolve s.example 203.0.113.10 203.0.113.20 delay=10s\n";

static const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                                {.protocol = "tcp", .port = 443},
                                                {.protocol = "udp", .port = 53}};
enum { SERVICES = 3 };

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

static struct sonde_run *run;

static void begin(struct sonde_plan plan)
{
    run = case_run_of(network, (struct sonde_options){.plan = plan});
}

static uint32_t add(const char *host)
{
    uint32_t target = UINT32_MAX;
    cr_assert_eq(sonde_run_add(run, host, host, services, SERVICES, &target), 0);
    return target;
}

static void start(void)
{
    cr_assert_eq(sonde_run_start(run), 0);
}

/* Every service of a target has been sent so much, and was answered after the time that it takes.
 */
static void expect_sent(size_t target, uint64_t sent, bool paused, sonde_ns rtt_ns)
{
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_gt(snapshot->target_count, target);
    const struct sonde_target_result *result = &snapshot->targets[target];
    cr_assert_eq(result->service_count, SERVICES);
    cr_expect_eq(result->paused, paused, "target %zu", target);
    for (size_t i = 0; i < SERVICES; i++) {
        const struct sonde_service_result *service = &result->services[i];
        cr_expect_eq(service->paused, paused, "target %zu, %s", target, service->service);
        cr_expect_eq(service->sent, sent, "target %zu, %s: %u", target, service->service,
                     (unsigned)service->sent);
        cr_expect_eq(service->received, sent, "target %zu, %s", target, service->service);
        cr_expect_eq(service->late + service->duplicates + service->uncertain, 0);
        if (sent > 0)
            cr_expect(service->rtt.min_ns == rtt_ns && service->rtt.max_ns == rtt_ns);
    }
    sonde_snapshot_free(snapshot);
}

/* Cycles at 0 and 1 s, and, for who is paused from 1.5 to 4.5 s, at 4.5 and 5.5 s. */
Test(pause, a_target_is_not_asked_until_it_is_resumed)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add("203.0.113.10");
    (void)add("203.0.113.20");
    start();
    case_pass_until(run->vantage, 1500 * MS);
    cr_expect_eq(sonde_run_pause(run, 0, SONDE_ALL), 0);
    cr_expect_eq(sonde_run_pause(run, 0, SONDE_ALL), 0, "twice is once");
    case_pass_until(run->vantage, 4500 * MS);
    expect_sent(0, 2, true, 40 * MS);
    expect_sent(1, 5, false, 60 * MS);
    cr_expect_eq(sonde_run_resume(run, 0, SONDE_ALL), 0);
    case_pass_until(run->vantage, 5600 * MS);
    expect_sent(0, 4, false, 40 * MS);
    expect_sent(1, 6, false, 60 * MS);
    case_free(run);
}

/* Of both targets, and all, in turn; the cycles are at 0, 1, 2, … s. */
Test(pause, one_service_or_one_of_each_target_or_all)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add("203.0.113.10");
    (void)add("203.0.113.20");
    start();
    case_pass_until(run->vantage, 500 * MS);
    cr_expect_eq(sonde_run_pause(run, SONDE_ALL, 1), 0);
    case_pass_until(run->vantage, 1500 * MS);
    cr_expect_eq(sonde_run_pause(run, SONDE_ALL, SONDE_ALL), 0);
    case_pass_until(run->vantage, 5 * S);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(snapshot->targets[i].paused);
        for (size_t k = 0; k < SERVICES; k++)
            cr_expect_eq(snapshot->targets[i].services[k].sent, k == 1 ? 1 : 2);
    }
    sonde_snapshot_free(snapshot);
    cr_expect_eq(sonde_run_resume(run, 1, 2), 0);
    case_pass_until(run->vantage, 6 * S);
    snapshot = case_snapshot(run);
    cr_expect_not(snapshot->targets[1].paused);
    cr_expect(snapshot->targets[0].paused);
    cr_expect(snapshot->targets[1].services[1].paused);
    cr_expect_not(snapshot->targets[1].services[2].paused);
    cr_expect_eq(snapshot->targets[1].services[2].sent, 3);
    cr_expect_eq(snapshot->targets[1].services[1].sent, 1);
    cr_expect_eq(snapshot->targets[0].services[2].sent, 2);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* The fourth service is a control that stands by. */
Test(pause, what_is_not_there_is_said_so)
{
    int (*const calls[])(struct sonde_run *, uint32_t,
                         uint32_t) = {sonde_run_pause, sonde_run_resume, sonde_run_reset};
    begin((struct sonde_plan){.cycles = 1});
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(calls[i](run, SONDE_ALL, SONDE_ALL), 0);
        cr_expect_eq(calls[i](run, SONDE_ALL, 0), -ENOENT);
        cr_expect_eq(calls[i](run, 0, SONDE_ALL), -ENOENT);
    }
    (void)add("203.0.113.10");
    uint32_t removed = add("203.0.113.20");
    cr_assert_eq(sonde_run_remove(run, removed), 0);
    for (int started = 0; started < 2; started++) {
        for (size_t i = 0; i < 3; i++) {
            cr_expect_eq(calls[i](run, 0, 2), 0);
            cr_expect_eq(calls[i](run, 0, 3), -ENOENT);
            cr_expect_eq(calls[i](run, SONDE_ALL, 3), -ENOENT);
            cr_expect_eq(calls[i](run, removed, SONDE_ALL), -ENOENT);
            cr_expect_eq(calls[i](run, 2, 0), -ENOENT);
            cr_expect_eq(calls[i](run, SONDE_ALL - 1, SONDE_ALL - 1), -ENOENT);
        }
        if (started == 0)
            start();
    }
    case_free(run);
}

/* Both addresses of the name are known after ten seconds. */
Test(pause, before_the_start_and_before_a_name_is_known_it_is_meant_for_later)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS, .all_addresses = true});
    (void)add("203.0.113.20");
    uint32_t named = add("s.example");
    cr_expect_eq(sonde_run_pause(run, 0, SONDE_ALL), 0);
    start();
    case_pass_until(run->vantage, S);
    cr_expect_eq(sonde_run_pause(run, named, SONDE_ALL), 0);
    case_pass_until(run->vantage, 12 * S);
    expect_sent(0, 0, true, 0);
    expect_sent(1, 0, true, 0);
    expect_sent(2, 0, true, 0);
    cr_expect_eq(sonde_run_resume(run, named, SONDE_ALL), 0);
    case_pass_until(run->vantage, 12 * S + 41 * MS);
    expect_sent(0, 0, true, 0);
    expect_sent(1, 1, false, 40 * MS);
    expect_sent(2, 0, true, 0);
    case_free(run);
}

Test(pause, what_is_shared_is_asked_until_nobody_wants_it)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add("203.0.113.10");
    (void)add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 500 * MS);
    cr_expect_eq(sonde_run_pause(run, 1, SONDE_ALL), 0);
    case_pass_until(run->vantage, 1500 * MS);
    expect_sent(0, 2, false, 40 * MS);
    expect_sent(1, 2, true, 40 * MS);
    cr_expect_eq(sonde_run_pause(run, 0, SONDE_ALL), 0);
    case_pass_until(run->vantage, 3500 * MS);
    expect_sent(0, 2, true, 40 * MS);
    cr_expect_eq(sonde_run_resume(run, 1, SONDE_ALL), 0); /* it is asked at once */
    case_pass_until(run->vantage, 3600 * MS);
    expect_sent(0, 3, true, 40 * MS);
    expect_sent(1, 3, false, 40 * MS);
    uint32_t third = add("203.0.113.10");
    cr_expect_eq(sonde_run_remove(run, 1), 0);
    case_pass_until(run->vantage, 4600 * MS); /* the new one wants it */
    expect_sent(1, 4, false, 40 * MS);
    cr_expect_eq(sonde_run_remove(run, third), 0);
    case_pass_until(run->vantage, 7 * S);
    expect_sent(0, 4, true, 40 * MS);
    uint32_t fourth = add("203.0.113.10");
    case_pass_until(run->vantage, 7 * S + 50 * MS);
    expect_sent(1, 5, false, 40 * MS);
    cr_expect_eq(fourth, third, "numbers are given again");
    case_free(run);
}

Test(pause, a_run_is_not_over_before_who_is_paused_had_its_cycles)
{
    begin((struct sonde_plan){.cycles = 3});
    (void)add("203.0.113.10");
    (void)add("203.0.113.20");
    start();
    case_pass_until(run->vantage, 500 * MS);
    cr_expect_eq(sonde_run_pause(run, 1, SONDE_ALL), 0);
    case_pass_until(run->vantage, 20 * S);
    cr_expect_not(sonde_run_is_over(run));
    cr_expect_eq(sonde_run_resume(run, SONDE_ALL, SONDE_ALL), 0);
    case_finish(run);
    expect_sent(0, 3, false, 40 * MS);
    expect_sent(1, 3, false, 60 * MS);
    case_free(run);
}

/* A port has four flows, the ping that is there for comparison one. Cycles at 0 and 1 s, one at 2.5
 * s, and, of which figures are left, those at 3.5 and 4.5 s. */
Test(pause, a_service_is_paused_and_reset_with_all_its_flows)
{
    static const uint64_t flows[SERVICES] = {1, 4, 4};
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS, .flows = 4});
    (void)add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 1500 * MS);
    cr_expect_eq(sonde_run_pause(run, 0, SONDE_ALL), 0);
    case_pass_until(run->vantage, 2500 * MS);
    cr_expect_eq(sonde_run_resume(run, 0, SONDE_ALL), 0);
    for (uint64_t cycles = 3; cycles >= 2; cycles--) {
        case_pass_until(run->vantage, cycles == 3 ? 2900 * MS : 4900 * MS);
        struct sonde_snapshot *snapshot = case_snapshot(run);
        for (size_t i = 0; i < SERVICES; i++) {
            const struct sonde_service_result *service = &snapshot->targets[0].services[i];
            cr_expect_eq(service->sent, cycles * flows[i], "%s: %u", service->service,
                         (unsigned)service->sent);
            cr_expect_eq(service->received, cycles * flows[i], "%s", service->service);
            cr_assert_eq(service->path_count, flows[i], "%s", service->service);
            for (size_t k = 0; k < flows[i]; k++)
                cr_expect_eq(service->paths[k].sent, cycles, "%s, flow %zu", service->service, k);
        }
        sonde_snapshot_free(snapshot);
        cr_expect_eq(sonde_run_reset(run, 0, SONDE_ALL), 0);
    }
    case_free(run);
}

/* The pings at 0 and 1 s, and one that is in flight at 2.02 s, count no more. */
Test(reset, figures_begin_anew_and_the_path_stays_known)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add("203.0.113.10");
    (void)add("203.0.113.20");
    start();
    case_pass_until(run->vantage, 2020 * MS);
    cr_expect_eq(sonde_run_reset(run, 0, 0), 0);
    case_pass_until(run->vantage, 2900 * MS);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    const struct sonde_service_result *ping = &snapshot->targets[0].services[0];
    cr_expect_eq(ping->sent + ping->received + ping->outcomes[SONDE_OUTCOME_ECHO_REPLY], 0);
    cr_expect_eq(ping->rtt.samples, 0);
    cr_expect_eq(ping->state, SONDE_STATE_UNKNOWN);
    cr_assert_not_null(ping->path);
    cr_expect_eq(ping->path->dest_ttl, 2);
    cr_assert_eq(ping->path->hop_count, 2);
    cr_assert_eq(ping->path->hops[0].responder_count, 1);
    cr_expect_eq(ping->path->hops[0].responders[0].address.bytes[0], 10);
    cr_expect_eq(ping->path->hops[1].responders[0].kind, SONDE_OUTCOME_ECHO_REPLY);
    cr_expect_eq(snapshot->targets[0].services[1].sent, 3, "only the ping's do");
    cr_expect_eq(snapshot->targets[1].services[0].sent, 3);
    sonde_snapshot_free(snapshot);
    case_pass_until(run->vantage, 4500 * MS);
    snapshot = case_snapshot(run);
    ping = &snapshot->targets[0].services[0];
    cr_expect_eq(ping->sent, 2, "at 3 and 4 s");
    cr_expect_eq(ping->received, 2);
    cr_expect_eq(ping->state, SONDE_STATE_OPEN);
    cr_expect_eq(ping->path->change_count, 0);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(reset, what_is_shared_begins_anew_for_all_who_share_it)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add("203.0.113.10");
    (void)add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 1500 * MS);
    cr_expect_eq(sonde_run_reset(run, 1, SONDE_ALL), 0);
    expect_sent(0, 0, false, 0);
    case_pass_until(run->vantage, 2500 * MS);
    expect_sent(0, 1, false, 40 * MS);
    expect_sent(1, 1, false, 40 * MS);
    case_free(run);
}

Test(reset, of_all_it_takes_what_is_of_the_whole_run_along)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS});
    (void)add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 500 * MS);
    engine_on_discard(run->vantage->engine, SONDE_DISCARD_FOREIGN);
    run->tally->send_errors++;
    for (int all = 0; all < 2; all++) {
        cr_expect_eq(sonde_run_reset(run, all != 0 ? SONDE_ALL : 0, SONDE_ALL), 0);
        struct sonde_snapshot *snapshot = case_snapshot(run);
        uint64_t stamped = 0;
        for (int clock = 0; clock < SONDE_CLOCK_COUNT; clock++)
            stamped += snapshot->vantage.sent_clocks[clock];
        cr_expect_eq(snapshot->discards[SONDE_DISCARD_FOREIGN], all != 0 ? 0 : 1);
        cr_expect_eq(snapshot->own_losses.send, all != 0 ? 0 : 1);
        cr_expect_eq(stamped == 0, all != 0);
        cr_expect_eq(snapshot->targets[0].services[0].sent, 0);
        cr_expect_eq(snapshot->cycles_done, 1);
        sonde_snapshot_free(snapshot);
    }
    case_free(run);
}

/* There is one source port, so the second target is measured where the first one lets the same port
 * stand by. The first never paused it, and can't. */
Test(pause, nothing_stays_paused_that_only_a_removed_target_had_paused)
{
    static const struct sonde_service first = {.protocol = "tcp", .port = 22};
    static const struct sonde_service second = {.protocol = "tcp", .port = 443};
    const char *host = "203.0.113.10";
    run = case_run_of(network,
                      (struct sonde_options){.plan = {.cycles = 3}, .vantage.source_port = 4000});
    uint32_t removed;
    cr_assert_eq(sonde_run_add(run, host, host, &first, 1, NULL), 0);
    cr_assert_eq(sonde_run_add(run, host, host, &second, 1, &removed), 0);
    start();
    case_pass_until(run->vantage, 500 * MS);
    cr_expect_eq(sonde_run_pause(run, removed, SONDE_ALL), 0);
    cr_expect_eq(sonde_run_remove(run, removed), 0);
    case_pass_until(run->vantage, 20 * S);
    cr_expect(sonde_run_is_over(run));
    case_free(run);
}

/* From 4.9 s on the router before h drops everything. What h answered before is in no figure, so
 * that it answered cannot be said of it. */
Test(reset, a_host_that_is_gone_since_is_unreachable)
{
    char scenario[sizeof network + 40];
    (void)snprintf(scenario, sizeof scenario, "%srule r1 drop any from=4900ms\n", network);
    run = case_run_of(scenario, (struct sonde_options){.plan = {.cycles = SONDE_CYCLES_ENDLESS}});
    (void)add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 5 * S);
    cr_expect_eq(sonde_run_reset(run, SONDE_ALL, SONDE_ALL), 0);
    case_pass_until(run->vantage, 25 * S);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    for (size_t i = 0; i < SERVICES; i++) {
        const struct sonde_service_result *service = &snapshot->targets[0].services[i];
        cr_expect_eq(service->state, SONDE_STATE_UNREACHABLE, "%s", service->service);
        cr_expect_eq(service->verdict.code, SONDE_CODE_HOST_UNREACHABLE, "%s: %s", service->service,
                     service->verdict.text);
        cr_expect_not(service->path->reached);
    }
    cr_expect_eq(sonde_snapshot_exit(snapshot), SONDE_EXIT_UNMET);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* All is sent from one port, so the second target's port is the control that stands by for the
 * first one. */
static void begin_with_one_port(uint32_t cycles)
{
    static const struct sonde_service first[] = {{.protocol = "udp", .port = 53}};
    run = case_run_of(network, (struct sonde_options){.vantage.source_port = 40000,
                                                      .plan.cycles = cycles,
                                                      .plan.all_addresses = true});
    cr_assert_eq(sonde_run_add(run, "first", "203.0.113.10", first, 1, NULL), 0);
}

static uint32_t add_what_stands_by(const char *host)
{
    static const struct sonde_service second[] = {{.protocol = "icmp"},
                                                  {.protocol = "udp", .port = 33434}};
    uint32_t target = UINT32_MAX;
    cr_assert_eq(sonde_run_add(run, "second", host, second, 2, &target), 0);
    return target;
}

Test(pause, a_control_that_only_a_removed_target_paused_holds_up_nobody)
{
    begin_with_one_port(3);
    uint32_t second = add_what_stands_by("203.0.113.10");
    start();
    case_pass_until(run->vantage, 1500 * MS);
    cr_expect_eq(sonde_run_pause(run, second, SONDE_ALL), 0);
    cr_expect_eq(sonde_run_remove(run, second), 0);
    case_pass_until(run->vantage, 20 * S);
    cr_expect(sonde_run_is_over(run));
    case_free(run);
}

Test(pause, a_control_that_stands_by_is_not_asked_for_who_is_paused_already)
{
    begin_with_one_port(SONDE_CYCLES_ENDLESS);
    uint32_t second = add_what_stands_by("s.example"); /* known after ten seconds */
    start();
    cr_expect_eq(sonde_run_pause(run, second, SONDE_ALL), 0);
    case_pass_until(run->vantage, 15 * S);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_assert_eq(snapshot->targets[1].service_count, 2);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(snapshot->targets[1].services[i].sent, 0, "%s: %u",
                     snapshot->targets[1].services[i].service,
                     (unsigned)snapshot->targets[1].services[i].sent);
    sonde_snapshot_free(snapshot);
    case_free(run);
}
