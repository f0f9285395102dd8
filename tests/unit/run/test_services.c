/* SPDX-License-Identifier: BSD-2-Clause */
/* Services that are added to targets and removed from them while a run goes on. Cycles begin every
 * second. */
#include "base/prng.h"
#include "base/time.h"
#include "run/internal.h"
#include "tests/support/failing_alloc.h"
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A round trip to h takes 40 ms, one to far 600 ms; r1 drops 25/tcp. */
static const char network[] =
    "vantage here 198.18.0.2\n"
    "router r1 10.0.0.1 delay=10ms\n"
    "router r2 10.0.0.2 delay=140ms\n"
    "router r3 10.0.0.3 delay=1ms\n"
    "host h 203.0.113.10 delay=10ms tcp:*=closed tcp:443=open tcp:8443=open udp:53=dns\n"
    "host far 203.0.113.20 delay=150ms tcp:*=closed tcp:443=open udp:53=dns\n"
    "host t 203.0.113.30 delay=10ms tcp:443=open\n"
    "path h r1\n"
    "path far r1 r2\n"
    "path t r1 r3\n"
    "rule r1 drop tcp:25\n"
    "resolve s.example 203.0.113.10 203.0.113.20 delay=5s\n";

static const struct sonde_service ping = {.protocol = "icmp"};
static const struct sonde_service https = {.protocol = "tcp", .port = 443};
static const struct sonde_service smtp = {.protocol = "tcp", .port = 25};

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

static struct sonde_run *run;

static void begin(struct sonde_plan plan)
{
    run = case_run_of(network, (struct sonde_options){.plan = plan});
}

static const struct sonde_plan endless = {.cycles = SONDE_CYCLES_ENDLESS};

static uint32_t add(const char *host)
{
    uint32_t target = UINT32_MAX;
    cr_assert_eq(sonde_run_add(run, host, host, &ping, 1, &target), 0);
    return target;
}

static uint32_t add_service(uint32_t target, const struct sonde_service *service)
{
    uint32_t index = UINT32_MAX;
    cr_assert_eq(sonde_run_add_service(run, target, service, &index), 0);
    return index;
}

static void start(void)
{
    cr_assert_eq(sonde_run_start(run), 0);
}

/* Look at a service of a target in a snapshot; NULL if it is not in there, and it is once at most.
 */
static const struct sonde_service_result *find(const struct sonde_snapshot *snapshot, size_t target,
                                               const char *name)
{
    const struct sonde_service_result *found = NULL;
    cr_assert_gt(snapshot->target_count, target);
    const struct sonde_target_result *result = &snapshot->targets[target];
    for (size_t i = 0; i < result->service_count; i++) {
        if (strcmp(result->services[i].service, name) == 0) {
            cr_assert_null(found, "%s is there twice", name);
            found = &result->services[i];
        }
    }
    return found;
}

/* A service was sent so much, and all of it was answered. */
static void expect_sent(size_t target, const char *name, uint64_t sent)
{
    struct sonde_snapshot *snapshot = case_snapshot(run);
    const struct sonde_service_result *service = find(snapshot, target, name);
    cr_assert_not_null(service, "%s", name);
    cr_expect_eq(service->sent, sent, "%s: %u", name, (unsigned)service->sent);
    cr_expect_eq(service->received, sent, "%s: %u", name, (unsigned)service->received);
    cr_expect_eq(service->late + service->duplicates + service->uncertain, 0);
    sonde_snapshot_free(snapshot);
}

static bool is_in_snapshot(size_t target, const char *name)
{
    struct sonde_snapshot *snapshot = case_snapshot(run);
    bool is_there = find(snapshot, target, name) != NULL;
    sonde_snapshot_free(snapshot);
    return is_there;
}

/* It is asked at 1.5 s, and then with all others at 2, 3 and 4. */
Test(services, one_that_is_added_is_answered_within_a_round_trip)
{
    static const char *const hosts[] = {"203.0.113.10", "203.0.113.20"};
    static const sonde_ns rtts[] = {40 * MS, 600 * MS};
    for (int i = 0; i < 2; i++) {
        begin(endless);
        uint32_t target = add(hosts[i]);
        start();
        case_pass_until(run->vantage, 1500 * MS);
        cr_expect_eq(add_service(target, &https), 1 + STANDBYS_MAX, "behind those that stand by");
        case_pass_until(run->vantage, ns_add(1500 * MS, rtts[i]) + MS);
        struct sonde_snapshot *snapshot = case_snapshot(run);
        const struct sonde_service_result *service = find(snapshot, 0, "443/tcp");
        cr_expect_eq(service->state, SONDE_STATE_OPEN);
        cr_expect_not(service->control);
        cr_expect_eq(service->received, 1);
        cr_expect_eq(service->rtt.max_ns, rtts[i]);
        sonde_snapshot_free(snapshot);
        case_pass_until(run->vantage, ns_add(4 * S, rtts[i]) + MS);
        snapshot = case_snapshot(run);
        cr_expect_eq(find(snapshot, 0, "443/tcp")->received, 4);
        cr_expect_eq(find(snapshot, 0, "icmp")->received, 5);
        sonde_snapshot_free(snapshot);
        case_free(run);
    }
}

Test(services, a_run_with_a_number_of_cycles_gives_it_those_that_are_left)
{
    begin((struct sonde_plan){.cycles = 4});
    uint32_t target = add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 1500 * MS);
    (void)add_service(target, &https);
    case_finish(run);
    expect_sent(0, "icmp", 4);
    expect_sent(0, "443/tcp", 3);
    cr_expect_eq(sonde_run_add_service(run, target, &smtp, NULL), -EBUSY);
    case_free(run);
}

Test(services, one_that_is_added_in_the_last_cycle_would_come_too_late)
{
    begin((struct sonde_plan){.cycles = 2});
    uint32_t target = add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 1010 * MS);
    uint32_t count = run->targets[target].service_count;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(sonde_run_add_service(run, target, &smtp, NULL), -EBUSY);
    cr_expect_eq(run->targets[target].service_count, count, "what is refused takes no place");
    cr_expect_not(is_in_snapshot(0, "25/tcp"));
    case_finish(run);
    expect_sent(0, "icmp", 2);
    case_free(run);
}

/* What is said of it is what would be said if it had been there from the start. */
Test(services, a_silent_one_that_is_added_is_compared_with_those_that_are_there)
{
    begin(endless);
    uint32_t target = add("203.0.113.30");
    start();
    case_pass_until(run->vantage, 2500 * MS);
    (void)add_service(target, &smtp);
    case_pass_until(run->vantage, 8 * S);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    const struct sonde_service_result *service = find(snapshot, 0, "25/tcp");
    cr_expect_eq(service->state, SONDE_STATE_FILTERED);
    cr_assert_not_null(service->blame);
    cr_expect_eq(service->blame->last_seen.ttl, 1);
    cr_expect_eq(service->blame->first_lost.ttl, 2);
    cr_expect_eq(find(snapshot, 0, "icmp")->received, 8);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* 443/tcp is what a silent TCP port is compared with: there is one, and it is no control then. */
Test(services, what_stands_by_becomes_the_service_that_is_added)
{
    begin(endless);
    uint32_t target = add("203.0.113.30");
    start();
    (void)add_service(target, &smtp);
    case_pass_until(run->vantage, 5 * S);
    cr_expect(is_in_snapshot(0, "443/tcp"));
    (void)add_service(target, &https);
    case_pass_until(run->vantage, 6500 * MS);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    cr_expect_not(find(snapshot, 0, "443/tcp")->control);
    cr_expect_eq(find(snapshot, 0, "443/tcp")->state, SONDE_STATE_OPEN);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

Test(services, one_with_several_flows_adds_up)
{
    struct sonde_service spread = https;
    spread.flows = 8;
    begin(endless);
    uint32_t target = add("203.0.113.10");
    start();
    case_pass_until(run->vantage, 1500 * MS);
    (void)add_service(target, &spread);
    case_pass_until(run->vantage, 3500 * MS);
    expect_sent(0, "443/tcp", 3 * 8);
    expect_sent(0, "icmp", 4);
    struct sonde_snapshot *snapshot = case_snapshot(run);
    const struct sonde_service_result *service = find(snapshot, 0, "443/tcp");
    cr_assert_eq(service->path_count, 8);
    for (size_t i = 0; i < 8; i++)
        cr_expect_eq(service->paths[i].received, 3);
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* Its answer is on its way when it is removed. */
Test(services, one_that_is_removed_is_gone_and_nothing_else_changes)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS, .want_events = true});
    struct sonde_event event;
    uint32_t target = add("203.0.113.10");
    start();
    uint32_t index = add_service(target, &https);
    case_pass_until(run->vantage, 3010 * MS);
    cr_expect_eq(sonde_run_remove_service(run, target, index), 0);
    cr_expect_not(is_in_snapshot(0, "443/tcp"));
    cr_expect_eq(sonde_run_remove_service(run, target, index), -ENOENT);
    case_pass_until(run->vantage, 6500 * MS);
    cr_expect_not(is_in_snapshot(0, "443/tcp"));
    expect_sent(0, "icmp", 7);
    while (sonde_run_pop_event(run, &event) == 0)
        cr_expect_neq(event.service, index);
    uint32_t again = add_service(target, &https);
    cr_expect_neq(again, index, "what events say stays true");
    case_pass_until(run->vantage, 6550 * MS);
    expect_sent(0, "443/tcp", 1);
    case_free(run);
}

Test(services, a_run_ends_without_the_one_that_was_removed)
{
    begin((struct sonde_plan){.cycles = 3});
    uint32_t target = add("203.0.113.30");
    start();
    uint32_t index = add_service(target, &smtp);
    case_pass_until(run->vantage, 500 * MS);
    cr_expect_eq(sonde_run_remove_service(run, target, index), 0);
    case_finish(run);
    expect_sent(0, "icmp", 3);
    case_free(run);
}

Test(services, what_cannot_be_is_refused_and_changes_nothing)
{
    static const struct sonde_service wrong = {.protocol = "gopher", .port = 70};
    begin(endless);
    uint32_t target = add("203.0.113.10");
    cr_expect_eq(sonde_run_add_service(run, target + 1, &https, NULL), -ENOENT);
    int64_t bytes = alloc_bytes();
    for (int i = 0; i < 10000; i++)
        cr_assert_eq(sonde_run_add_service(run, target, &ping, NULL), -EEXIST);
    cr_expect_eq(alloc_bytes(), bytes, "what is refused takes no memory");
    cr_expect_eq(sonde_run_add_service(run, target, &wrong, NULL), -EINVAL);
    cr_expect_eq(sonde_run_remove_service(run, target, 0), -EINVAL, "it is the only one");
    cr_expect_eq(sonde_run_remove_service(run, target, 1), -ENOENT, "it stands by");
    cr_expect_eq(sonde_run_remove_service(run, target, UINT32_MAX), -ENOENT);
    cr_expect_eq(sonde_run_remove_service(run, UINT32_MAX, 0), -ENOENT);
    start();
    int r = 0;
    int added = 0;
    for (uint16_t port = 2000; r == 0 && port < 2100; port++) {
        const struct sonde_service service = {.protocol = "tcp", .port = port};
        r = sonde_run_add_service(run, target, &service, NULL);
        added += r == 0;
    }
    cr_expect_eq(r, -E2BIG);
    cr_expect_eq(added, SONDE_TARGET_FLOWS_MAX - 1, "%d", added);
    case_pass_until(run->vantage, 500 * MS);
    cr_expect_eq(sonde_run_remove(run, target), 0);
    cr_expect_eq(sonde_run_add_service(run, target, &https, NULL), -ENOENT);
    case_free(run);
}

/* The name is known after five seconds; all its addresses have what was added meanwhile. */
Test(services, one_can_be_added_before_a_name_is_known)
{
    begin((struct sonde_plan){.cycles = SONDE_CYCLES_ENDLESS, .all_addresses = true});
    uint32_t target = add("s.example");
    start();
    case_pass_until(run->vantage, S);
    uint32_t index = add_service(target, &https);
    case_pass_until(run->vantage, 7500 * MS);
    for (size_t i = 0; i < 2; i++) {
        struct sonde_snapshot *snapshot = case_snapshot(run);
        cr_expect_geq(find(snapshot, i, "443/tcp")->received, 2);
        sonde_snapshot_free(snapshot);
    }
    static const struct sonde_service dns = {.protocol = "udp", .port = 53};
    (void)add_service(target, &dns);
    cr_expect_eq(sonde_run_add_service(run, target + 1, &smtp, NULL), -ENOENT,
                 "it has those of the first");
    case_pass_until(run->vantage, 9500 * MS);
    for (size_t i = 0; i < 2; i++) {
        struct sonde_snapshot *snapshot = case_snapshot(run);
        cr_expect_geq(find(snapshot, i, "53/udp")->received, 1);
        sonde_snapshot_free(snapshot);
    }
    cr_expect_eq(sonde_run_remove_service(run, target, index), 0);
    for (size_t i = 0; i < 2; i++)
        cr_expect_not(is_in_snapshot(i, "443/tcp"));
    case_free(run);
}

/* Both targets report one measurement; what one removes, the other keeps. */
Test(services, what_is_shared_stays_for_who_has_not_removed_it)
{
    static const struct sonde_service both[] = {{.protocol = "icmp"},
                                                {.protocol = "tcp", .port = 443}};
    for (uint32_t remover = 0; remover < 2; remover++) {
        begin(endless);
        for (int i = 0; i < 2; i++)
            cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", both, 2, NULL), 0);
        start();
        case_pass_until(run->vantage, 1500 * MS);
        static const struct sonde_service more = {.protocol = "tcp", .port = 8443};
        (void)add_service(1, &more);
        case_pass_until(run->vantage, 2600 * MS);
        expect_sent(1, "8443/tcp", 2);
        cr_expect_not(is_in_snapshot(0, "8443/tcp"));
        cr_expect_eq(sonde_run_remove_service(run, remover, 1), 0);
        case_pass_until(run->vantage, 4500 * MS);
        cr_expect_not(is_in_snapshot(remover, "443/tcp"));
        expect_sent(1 - remover, "443/tcp", 5);
        cr_expect_eq(sonde_run_remove(run, 1 - remover), 0);
        case_pass_until(run->vantage, 6500 * MS);
        cr_expect_not(is_in_snapshot(0, "443/tcp"));
        expect_sent(0, "icmp", 7);
        case_free(run);
    }
}

/* How many probes to a port have left so far, for whomever. */
static uint32_t probes_to(uint16_t port)
{
    uint32_t count = 0;
    const struct engine_run *engine_run = run->engine_run;
    for (uint32_t i = 0; i < run->tally->target_count; i++) {
        const struct tally_target *target = run->tally->targets[i];
        for (uint32_t k = 0; target != NULL && k < target->service_count; k++) {
            if (engine_flow_at(engine_run, &(struct engine_place){i, k})->dst_port == port)
                count += (uint32_t)target->services[k]->sent;
        }
    }
    return count;
}

/* The target that it was measured for is removed, and then the other one removes the service. */
Test(services, what_nobody_reports_any_more_is_asked_no_more)
{
    static const struct sonde_service both[] = {{.protocol = "icmp"},
                                                {.protocol = "tcp", .port = 8443}};
    begin(endless);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", both, 2, NULL), 0);
    start();
    case_pass_until(run->vantage, 1500 * MS);
    cr_expect_eq(probes_to(8443), 2);
    cr_expect_eq(sonde_run_remove(run, 0), 0);
    cr_expect_eq(sonde_run_remove_service(run, 1, 1), 0);
    case_pass_until(run->vantage, 4500 * MS);
    cr_expect_eq(probes_to(8443), 0, "its figures are gone, and it has no new ones");
    expect_sent(0, "icmp", 5);
    case_free(run);
}

/* From one source port 8443/tcp is measured for the first target alone, and the second reports it.
 */
Test(services, who_has_removed_what_it_shared_keeps_nobody_measured)
{
    static const struct sonde_service first[] = {{.protocol = "tcp", .port = 8443}};
    static const struct sonde_service second[] = {{.protocol = "icmp"},
                                                  {.protocol = "tcp", .port = 8443}};
    run =
        case_run_of(network, (struct sonde_options){.plan = endless, .vantage.source_port = 40000});
    cr_assert_eq(sonde_run_add(run, "a", "203.0.113.10", first, 1, NULL), 0);
    cr_assert_eq(sonde_run_add(run, "b", "203.0.113.10", second, 2, NULL), 0);
    start();
    case_pass_until(run->vantage, 1500 * MS);
    expect_sent(1, "8443/tcp", 2);
    cr_expect_eq(sonde_run_remove_service(run, 1, 1), 0);
    cr_expect_eq(sonde_run_remove(run, 0), 0);
    cr_expect_eq(probes_to(8443), 0);
    case_pass_until(run->vantage, 4500 * MS);
    cr_expect_eq(probes_to(8443), 0);
    expect_sent(0, "icmp", 5);
    case_free(run);
}

/* Ports come and go at random times, closed ones and open ones, and nothing is lost on the way: so
 * whatever is shown as sent was answered. */
Test(services, whatever_comes_and_goes_nothing_is_lost_by_that)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct prng prng = {seed};
        begin(endless);
        uint32_t target = add(prng_below(&prng, 2) > 0 ? "203.0.113.10" : "203.0.113.20");
        start();
        for (int deed = 0; deed < 60; deed++) {
            const struct sonde_service service = {.protocol = "tcp",
                                                  .port = (uint16_t)(440 + prng_below(&prng, 8)),
                                                  .flows = 1 + prng_below(&prng, 2)};
            bool adds = prng_below(&prng, 2) > 0;
            int r = adds ? sonde_run_add_service(run, target, &service, NULL)
                         : sonde_run_remove_service(run, target, 1 + prng_below(&prng, 66));
            cr_expect(r == 0 || (adds ? r == -EEXIST || r == -E2BIG : r == -ENOENT), "%d", r);
            case_pass_until(run->vantage,
                            ns_add(run->vantage->now_ns, (sonde_ns)prng_below(&prng, 400) * MS));
        }
        struct sonde_snapshot *snapshot = case_snapshot(run);
        const struct sonde_target_result *result = &snapshot->targets[0];
        for (size_t i = 0; i < result->service_count; i++) {
            const struct sonde_service_result *service = &result->services[i];
            cr_expect_eq(service->sent, service->received, "%u: %s", (unsigned)seed,
                         service->service);
            cr_expect_eq(service->late + service->duplicates, 0);
        }
        sonde_snapshot_free(snapshot);
        case_free(run);
    }
}
