/* SPDX-License-Identifier: BSD-2-Clause */
/* What the text report says of time, on snapshots made by hand. */
#include "report/report.h"

#include <criterion/criterion.h>
#include <sonde/run.h>
#include <stdio.h>
#include <string.h>

enum { SERVICES = 3, EPISODES = 12 };

#define SECOND SONDE_NS_PER_S

/* The run starts at noon of 1970-01-02, and lasts 100 s. */
static const sonde_ns NOON = (86400 + 43200) * SECOND;

static struct sonde_episode episodes[SERVICES][EPISODES];
static struct sonde_service_result services[SERVICES];
static struct sonde_target_result target;
static struct sonde_snapshot snapshot;
static struct text text;

static const struct sonde_rtt slow = {.samples = 1, .avg_ns = 75 * SONDE_NS_PER_MS};

/* icmp as a control, 443/tcp, and 80/tcp as a port that was added; all are fine. */
static void make(void)
{
    static const char *const names[SERVICES] = {"icmp", "443/tcp", "80/tcp"};
    static const uint16_t ports[SERVICES] = {0, 443, 80};
    memset(episodes, 0, sizeof episodes);
    for (int i = 0; i < SERVICES; i++) {
        services[i] = (struct sonde_service_result){
            .service = names[i],
            .port = ports[i],
            .control = i != 1,
            .state = SONDE_STATE_OPEN,
            .present = {.asked_wall_ns = NOON + 99 * SECOND, .sent = 99, .received = 99},
            .sent = 99,
            .received = 99,
            .verdict = {SONDE_LEVEL_OK, SONDE_CODE_OK, "fine"},
            .episodes = episodes[i],
            .episode_count = 1,
        };
        episodes[i][0] = (struct sonde_episode){.from_wall_ns = NOON,
                                                .to_wall_ns = SONDE_NS_NEVER,
                                                .state = SONDE_STATE_OPEN,
                                                .verdict = {SONDE_LEVEL_OK, SONDE_CODE_OK, "fine"}};
    }
    target = (struct sonde_target_result){
        .input = "h",
        .name = "h",
        .address = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 9}},
        .services = services,
        .service_count = SERVICES,
        .verdict = {SONDE_LEVEL_OK, SONDE_CODE_OK, ""},
    };
    snapshot = (struct sonde_snapshot){
        .version = "1",
        .started_wall_ns = NOON,
        .duration_ns = 100 * SECOND,
        .cycles_done = 100,
        .settings = {.cycles = 100, .interval_ns = SECOND, .timeout_ns = 2 * SECOND},
        .targets = &target,
        .target_count = 1,
    };
}

static void forget(void)
{
    text_deinit(&text);
}

TestSuite(moments, .init = make, .fini = forget);

/* Put an episode before the one that goes on. */
static void add_past(int service, int from, int to, enum sonde_state state,
                     struct sonde_verdict verdict)
{
    size_t *count = &services[service].episode_count;
    episodes[service][*count] = episodes[service][*count - 1];
    episodes[service][*count].from_wall_ns = NOON + to * SECOND;
    episodes[service][*count - 1] = (struct sonde_episode){
        .from_wall_ns = NOON + from * SECOND,
        .to_wall_ns = NOON + to * SECOND,
        .state = state,
        .verdict = verdict,
        .sent = 30,
    };
    (*count)++;
    services[service].since_wall_ns = NOON + to * SECOND;
}

static const struct sonde_verdict dropped = {SONDE_LEVEL_FAILED, SONDE_CODE_PORT_FILTERED, "lost"};

static bool shows(const char *words)
{
    text_deinit(&text);
    report_text(&snapshot, &(struct report_style){.ascii = true, .columns = 100}, &text);
    return strstr(text.data, words) != NULL;
}

Test(moments, a_day_is_named_where_there_is_more_than_one)
{
    add_past(1, 10, 40, SONDE_STATE_FILTERED, dropped);
    cr_expect(shows("  1970-01-02 12:00:00Z  100 cycles in 100.0 s\n"), "%s", text.data);
    cr_expect(shows("since 12:00:40 (60 s): fine; before that filtered\n"), "%s", text.data);
    cr_expect(shows("\n  12:00:10 to 12:00:40 (30 s)  443/tcp filtered: lost\n"), "%s", text.data);
    snapshot.duration_ns = 43200 * SECOND; /* to midnight, which is of the next day */
    cr_expect(shows("  1970-01-02 12:00:00Z to 1970-01-03 00:00:00Z  100 cycles"), "%s", text.data);
    cr_expect(shows("since 1970-01-02 12:00:40 (12.0 h): fine"), "%s", text.data);
    cr_expect(shows("\n  1970-01-02 12:00:10 to 1970-01-02 12:00:40 (30 s)  443"), "%s", text.data);
}

/* Ten outages would be too many lines: the newest eight, and how many more there were. */
Test(moments, of_many_lines_the_rest_is_counted)
{
    for (int i = 0; i < 10; i++)
        add_past(1, 2 * i, 2 * i + 1, SONDE_STATE_FILTERED, dropped);
    cr_expect(shows("\n  and 2 more\n"), "%s", text.data);
    services[1].episodes_omitted = 4;
    cr_expect(shows("\n  and 2 more; what was before these is not kept\n"), "%s", text.data);
    services[1].episode_count = 1;
    add_past(1, 10, 40, SONDE_STATE_FILTERED, dropped);
    cr_expect(shows("443/tcp filtered: lost\n  what was before these is not kept\n"), "%s",
              text.data);
}

Test(moments, what_was_before_is_told_with_since)
{
    add_past(1, 0, 40, SONDE_STATE_OPEN, (struct sonde_verdict){SONDE_LEVEL_OK, SONDE_CODE_OK, ""});
    episodes[1][0].rtt = slow;
    episodes[1][0].received = 30;
    cr_expect(shows("since 12:00:40 (60 s): fine; before that 75.0 ms, no loss\n"), "%s",
              text.data);
    episodes[1][0].received = 28; /* which is no finding: 2 of 30 are 6.67 % */
    cr_expect(shows("before that 75.0 ms, 6.7% not answered\n"), "%s", text.data);
    episodes[1][0].verdict =
        (struct sonde_verdict){SONDE_LEVEL_DEGRADED, SONDE_CODE_LOSS_AT_DESTINATION, "6.7% loss"};
    cr_expect(shows("before that 75.0 ms, with loss\n"), "%s", text.data);
    services[1].state = SONDE_STATE_CLOSED;
    cr_expect(shows("before that open, 75.0 ms, with loss\n"), "%s", text.data);
}

/* An outage says itself what was before; but not where the last change was another. */
Test(moments, what_the_verdict_tells_is_told_once)
{
    add_past(1, 10, 40, SONDE_STATE_FILTERED, dropped);
    services[1].verdict.code = SONDE_CODE_OUTAGE;
    cr_expect_not(shows("before that"), "%s", text.data);
    add_past(1, 40, 60, SONDE_STATE_OPEN,
             (struct sonde_verdict){SONDE_LEVEL_OK, SONDE_CODE_OK, ""});
    episodes[1][1].rtt = slow;
    episodes[1][1].received = 30;
    cr_expect(shows("before that 75.0 ms, no loss\n"), "%s", text.data);
}

/* The line says what round trips took before; a second one of both medians would say no more. */
Test(moments, longer_round_trips_are_told_once)
{
    const struct sonde_finding findings[] = {
        {.code = SONDE_CODE_LATENCY_OVER_LIMIT, .level = SONDE_LEVEL_FAILED, .text = "too long"},
        {.code = SONDE_CODE_LATENCY_CHANGED, .level = SONDE_LEVEL_DEGRADED, .text = "longer"},
    };
    services[1].findings = findings;
    services[1].finding_count = 2;
    services[1].verdict =
        (struct sonde_verdict){SONDE_LEVEL_FAILED, SONDE_CODE_LATENCY_OVER_LIMIT, "too long"};
    cr_expect(shows("longer\n"), "%s", text.data); /* nothing was before, so that nothing tells */
    add_past(1, 0, 40, SONDE_STATE_OPEN, (struct sonde_verdict){SONDE_LEVEL_OK, SONDE_CODE_OK, ""});
    episodes[1][0].rtt = slow;
    cr_expect_not(shows("longer\n"), "%s", text.data);
}

Test(moments, what_this_machine_did_is_told_as_its_own)
{
    const struct sonde_verdict local = {SONDE_LEVEL_UNKNOWN, SONDE_CODE_NO_ROUTE, "no route here"};
    add_past(1, 10, 40, SONDE_STATE_UNKNOWN, local);
    episodes[1][0].sent = 0;
    cr_expect(shows("before that no probe left this machine\n"), "%s", text.data);
    cr_expect(shows("(30 s)  443/tcp not asked: no route here\n"), "%s", text.data);
    episodes[1][0].sent = 3; /* some left */
    cr_expect(shows("before that not every probe left this machine\n"), "%s", text.data);
    cr_expect(shows("(30 s)  443/tcp unknown: no route here\n"), "%s", text.data);
}

/* Nothing is expected of the ping beside a port; what it showed is evidence all the same. Nobody
 * wants to know that of a port which sonde added. */
Test(moments, the_ping_has_its_lines_as_a_control_too)
{
    const struct sonde_verdict fine = {SONDE_LEVEL_OK, SONDE_CODE_OK, "lost"};
    add_past(0, 10, 40, SONDE_STATE_FILTERED, fine);
    add_past(2, 50, 60, SONDE_STATE_FILTERED, fine);
    cr_expect(shows("(30 s)  icmp filtered: lost\n"), "%s", text.data);
    cr_expect_null(strstr(text.data, "(10 s)  80/tcp"), "%s", text.data);
    add_past(1, 10, 40, SONDE_STATE_FILTERED, fine);
    episodes[1][0].verdict.level = SONDE_LEVEL_DEGRADED;
    cr_expect(shows("(30 s)  all services filtered: lost\n"), "%s", text.data);
    services[0].episode_count = 1;
    add_past(0, 40, 70, SONDE_STATE_OPEN, dropped); /* the ping is up, not open */
    cr_expect(shows("(30 s)  icmp up: lost\n"), "%s", text.data);
}

/* A port that was added is asked while it is needed. After that it says nothing of now. */
Test(moments, a_control_that_nobody_needs_any_more_gives_way)
{
    services[2].state = SONDE_STATE_UNKNOWN;
    services[2].verdict = (struct sonde_verdict){SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE, "?"};
    services[2].present.asked_wall_ns = NOON + 95 * SECOND; /* three cycles, and 2 s to wait */
    cr_expect(shows("\n? 80/tcp    unknown   ? (control)\n+ 443/tcp"), "%s", text.data);
    services[2].present.asked_wall_ns -= 1;
    cr_expect_not(shows("80/tcp"), "%s", text.data);
    const struct report_style all = {.ascii = true};
    text_deinit(&text);
    report_text(&snapshot, &all, &text);
    cr_expect_not_null(
        strstr(text.data, "\n- 80/tcp    unknown   ? (control, last asked at 12:01:34)\n"), "%s",
        text.data);
    cr_expect_null(strstr(text.data, "\n?"), "%s", text.data);
}

/* All services show the same change within some seconds, since each asks a router in its turn; and
 * so do several hops: the first of them is where the path has changed. */
Test(moments, a_change_of_the_path_has_its_time_and_place)
{
    static const struct sonde_addr a = {.family = SONDE_FAMILY_IPV4, .bytes = {10, 0, 0, 3}};
    static const struct sonde_addr b = {.family = SONDE_FAMILY_IPV4, .bytes = {10, 0, 0, 33}};
    struct sonde_path_change changes[SERVICES][3] = {0};
    struct sonde_path paths[SERVICES] = {0};
    for (int i = 0; i < 2; i++) {
        changes[i][0] = (struct sonde_path_change){NOON + (10 + 4 * i) * SECOND, 3, a, b};
        changes[i][1] = (struct sonde_path_change){NOON + 15 * SECOND, 4, a, b};
        changes[i][2] = (struct sonde_path_change){NOON + 60 * SECOND, 3, b, a};
        paths[i] = (struct sonde_path){.changes = changes[i], .change_count = 2};
        services[i].paths = &paths[i];
        services[i].path_count = 1;
    }
    cr_expect(shows("\nBefore:\n  12:00:10  all services: path changed at hop 3: 10.0.0.3 -> "
                    "10.0.0.33\n"),
              "%s", text.data);
    paths[1].change_count = 3;
    cr_expect(shows("\n  12:00:10  icmp: path changed at hop 3: 10.0.0.3 -> 10.0.0.33\n"
                    "  12:01:00  443/tcp: path changed at hop 3: 10.0.0.33 -> 10.0.0.3; at least 2 "
                    "times in all\n"),
              "%s", text.data);
    paths[1].changes_omitted = 100; /* at which hops is not known, and so not how often */
    cr_expect(shows("at hop 3: 10.0.0.33 -> 10.0.0.3; there were others before\n"), "%s",
              text.data);
    changes[0][0].from.family = SONDE_FAMILY_NONE; /* it is not known who */
    cr_expect(shows("icmp: path changed at hop 3: now 10.0.0.33\n"), "%s", text.data);
    changes[0][0] = (struct sonde_path_change){.wall_ns = NOON, .ttl = 3, .from = a};
    cr_expect(shows("icmp: path changed at hop 3: 10.0.0.3 -> no reply\n"), "%s", text.data);
}
