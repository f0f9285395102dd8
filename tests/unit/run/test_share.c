/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets of one address: what several of them ask is measured once, and each of them reports it.
 */
#include "tests/unit/run/case.h"

#include <criterion/criterion.h>
#include <string.h>

/* Round trips to h are 2 × (1 + 1) ms. */
static const char network[] =
    "vantage here 192.0.2.1 2001:db8::2\n"
    "router r1 10.0.0.1 2001:db8:1::1 delay=1ms\n"
    "host h 203.0.113.10 2001:db8:3::1 delay=1ms tcp:443=open tcp:*=closed udp:53=dns "
    "udp:9000=answer udp:5060=answer\n"
    "path h r1\n"
    "resolve www.example 203.0.113.10\n"
    "resolve shop.example 203.0.113.10\n";

enum { CYCLES = 2 };

static struct sonde_run *run;
static struct sonde_snapshot *snapshot;
static unsigned asked[100][8]; /* probes at full TTL, by target and service */

static void begin(uint16_t source_port)
{
    const struct sonde_options options = {
        .vantage = {.no_names = true, .source_port = source_port},
        .plan = {.cycles = CYCLES, .want_events = true},
    };
    run = case_run_of(network, options);
}

/* Add a target with services over TCP, and icmp as control. */
static void add(const char *host, const uint16_t *ports, size_t count)
{
    struct sonde_service services[8] = {{.protocol = "icmp", .control = true}};
    for (size_t i = 0; i < count; i++)
        services[i + 1] = (struct sonde_service){.protocol = "tcp", .port = ports[i]};
    cr_assert_eq(sonde_run_add(run, host, host, services, count + 1, NULL), 0);
}

/* Run to the end. @return probes at full TTL that left, over all targets. */
static uint64_t measure(void)
{
    uint64_t full = 0;
    struct sonde_event event;
    memset(asked, 0, sizeof asked);
    cr_assert_eq(sonde_run_start(run), 0);
    int r = 0;
    while (r == 0) {
        r = case_step(run, SONDE_NS_NEVER);
        while (sonde_run_pop_event(run, &event) == 0) {
            cr_assert(event.target < 100 && event.service < 8);
            asked[event.target][event.service] += event.to_target;
            full += event.to_target;
        }
    }
    cr_assert_eq(r, 1);
    snapshot = case_snapshot(run);
    return full;
}

static void end(void)
{
    sonde_snapshot_free(snapshot);
    case_free(run);
}

/* The service of a target; the test fails if it has none of that name. */
static const struct sonde_service_result *find(size_t target, const char *name)
{
    const struct sonde_target_result *result = &snapshot->targets[target];
    size_t i = 0;
    while (i < result->service_count && strcmp(result->services[i].service, name) != 0)
        i++;
    cr_assert_lt(i, result->service_count, "target %zu has no %s", target, name);
    return &result->services[i];
}

static void expect_measured(size_t target, const char *name, enum sonde_state state)
{
    const struct sonde_service_result *service = find(target, name);
    cr_expect_str_eq(sonde_state_name(service->state), sonde_state_name(state), "target %zu, %s",
                     target, name);
    cr_expect_eq(service->sent, CYCLES, "target %zu, %s", target, name);
    cr_expect_eq(service->received, CYCLES, "target %zu, %s", target, name);
    cr_expect_eq(service->rtt.max_ns, 4 * SONDE_NS_PER_MS, "target %zu, %s", target, name);
    cr_assert_not_null(service->path);
    cr_expect_eq(service->path->hop_count, 2);
}

Test(share, a_hundred_targets_of_one_address_are_measured_once_and_each_reports_it)
{
    static const uint16_t ports[] = {443, 22};
    begin(0);
    for (int i = 0; i < 100; i++)
        add("203.0.113.10", ports, 2);
    cr_expect_eq(measure(), 3 * CYCLES);
    cr_assert_eq(snapshot->target_count, 100);
    for (size_t i = 0; i < 100; i++) {
        expect_measured(i, "icmp", SONDE_STATE_OPEN);
        expect_measured(i, "443/tcp", SONDE_STATE_OPEN);
        expect_measured(i, "22/tcp", SONDE_STATE_CLOSED);
        cr_expect_eq(snapshot->targets[i].source.family, SONDE_FAMILY_IPV4);
    }
    cr_expect_eq(snapshot->status, SONDE_STATUS_COMPLETE);
    end();
}

Test(share, names_of_one_address_and_the_address_itself_share_too)
{
    static const char *const hosts[] = {"203.0.113.10", "www.example", "shop.example"};
    static const uint16_t port = 443;
    begin(4000);
    for (size_t i = 0; i < 3; i++)
        add(hosts[i], &port, 1);
    cr_expect_eq(measure(), 2 * CYCLES);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(snapshot->targets[i].name, hosts[i]);
        expect_measured(i, "443/tcp", SONDE_STATE_OPEN);
    }
    end();
}

/* The one address is over IPv4, the other over IPv6. */
Test(share, other_addresses_share_nothing)
{
    static const uint16_t port = 443;
    begin(4000);
    add("203.0.113.10", &port, 1);
    add("2001:db8:3::1", &port, 1);
    cr_expect_eq(measure(), 4 * CYCLES);
    expect_measured(0, "443/tcp", SONDE_STATE_OPEN);
    expect_measured(1, "443/tcp", SONDE_STATE_OPEN);
    end();
}

Test(share, who_asks_less_than_another_reports_only_what_he_asks)
{
    static const uint16_t ports[] = {22, 443};
    begin(0);
    add("203.0.113.10", ports, 2);
    add("203.0.113.10", &ports[0], 1);
    cr_expect_eq(measure(), 3 * CYCLES);
    expect_measured(1, "22/tcp", SONDE_STATE_CLOSED);
    cr_expect_eq(snapshot->targets[1].service_count, 2);
    end();
}

/* Then its services are compared with each other, so it has flows of its own as far as there are
 * any: with one source port for all there is none more to 443/tcp. */
Test(share, who_asks_more_than_another_is_measured_by_itself)
{
    static const uint16_t ports[] = {443, 22};
    for (uint16_t source_port = 0; source_port <= 4000; source_port += 4000) {
        begin(source_port);
        add("203.0.113.10", ports, 1);
        add("203.0.113.10", ports, 2);
        cr_expect_eq(measure(), (source_port == 0 ? 5 : 4) * CYCLES);
        expect_measured(0, "443/tcp", SONDE_STATE_OPEN);
        expect_measured(1, "443/tcp", SONDE_STATE_OPEN);
        expect_measured(1, "22/tcp", SONDE_STATE_CLOSED);
        cr_expect_eq(asked[0][1], CYCLES);
        cr_expect_eq(asked[1][1], source_port == 0 ? CYCLES : 0);
        cr_expect_eq(asked[1][2], CYCLES, "an event counts services as they were added");
        end();
    }
}

/* 443/tcp stands by for 22/tcp of the first, with the only source port that there is. */
Test(share, what_stands_by_is_begun_where_another_target_asks_it)
{
    static const uint16_t ports[] = {22, 443};
    begin(4000);
    add("203.0.113.10", &ports[0], 1);
    add("203.0.113.10", &ports[1], 1);
    (void)measure();
    expect_measured(0, "22/tcp", SONDE_STATE_CLOSED);
    expect_measured(1, "443/tcp", SONDE_STATE_OPEN);
    end();
}

Test(share, each_target_has_its_own_wishes)
{
    const struct sonde_service services[] = {
        {.protocol = "icmp", .control = true},
        {.protocol = "tcp", .port = 443, .expect = SONDE_STATE_BIT(SONDE_STATE_CLOSED)}};
    const struct sonde_service others[] = {{.protocol = "tcp", .port = 443, .control = true},
                                           {.protocol = "icmp"}};
    begin(0);
    cr_assert_eq(sonde_run_add(run, "a", "203.0.113.10", services, 2, NULL), 0);
    cr_assert_eq(sonde_run_add(run, "b", "203.0.113.10", others, 2, NULL), 0);
    cr_expect_eq(measure(), 2 * CYCLES);
    cr_expect_eq(find(0, "443/tcp")->verdict.code, SONDE_CODE_PORT_UNEXPECTEDLY_OPEN);
    cr_expect_not(find(0, "443/tcp")->met);
    cr_expect_eq(find(1, "443/tcp")->verdict.code, SONDE_CODE_OK);
    cr_expect(find(0, "icmp")->control && !find(1, "icmp")->control);
    cr_expect_str_eq(snapshot->targets[1].services[0].service, "443/tcp", "in its own order");
    end();
}

/* What is asked otherwise is another service. */
Test(share, another_question_to_the_same_port_is_not_shared)
{
    static const uint8_t bytes[] = {1, 2, 3};
    const struct sonde_service questions[] = {
        {.protocol = "udp", .port = 53},
        {.protocol = "udp", .port = 53, .payload = "none"},
        {.protocol = "udp", .port = 53, .question = bytes, .question_bytes = 3},
        {.protocol = "udp", .port = 53, .question = bytes, .question_bytes = 2},
    };
    begin(0);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &questions[i], 1, NULL), 0);
    cr_expect_eq(measure(), 4 * CYCLES);
    end();
    begin(4000);
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(sonde_run_add(run, "h", "203.0.113.10", &questions[i], 1, NULL), 0);
    (void)measure();
    expect_measured(0, "53/udp", SONDE_STATE_OPEN);
    cr_expect_str_eq(find(1, "53/udp")->verdict.text,
                     "two questions to one port take two source ports");
    cr_expect_eq(find(1, "53/udp")->verdict.level, SONDE_LEVEL_UNKNOWN);
    end();
}

/* A SIP server is asked by the name that was typed, a name server by none. */
Test(share, a_question_that_says_the_name_is_asked_for_each_name)
{
    static const char *const hosts[] = {"www.example", "shop.example", "www.example"};
    static const uint16_t ports[] = {53, 5060};
    for (size_t i = 0; i < 2; i++) {
        const struct sonde_service service = {.protocol = "udp", .port = ports[i]};
        begin(0);
        for (size_t k = 0; k < 3; k++)
            cr_assert_eq(sonde_run_add(run, hosts[k], hosts[k], &service, 1, NULL), 0);
        (void)measure();
        cr_expect_gt(asked[0][0], 0);
        cr_expect_eq(asked[1][0] > 0, ports[i] == 5060, "port %u", ports[i]);
        cr_expect_eq(asked[2][0], 0);
        end();
    }
}
