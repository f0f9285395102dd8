/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services that are paused, resumed and reset while something happens to them, or a machine that
 * sleeps: what of it is told. Time that is not measured is no outage. After a reset, what was
 * before is no more.
 *
 * Episodes are read from the report: its members are what programs depend on. The simulated clock
 * begins with the run, at midnight; so the time of day is the time since the start.
 */
#include "report/report.h"
#include "run/internal.h"
#include "tests/unit/run/case.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct sonde_service services[] = {{.protocol = "icmp", .control = true},
                                                {.protocol = "tcp", .port = 443},
                                                {.protocol = "udp", .port = 53}};
enum { SERVICES = 3 };

/* A stretch of a service's life. It begins in the second from begin_s on; the first with the run,
 * or with the reset. */
struct stretch {
    double begin_s;
    const char *state;
    const char *code;
};

static struct sonde_run *run;

/* Begin a run, a cycle a second, over a network in which r1 drops all that it should forward, from
 * when to when; until 0: to the end. */
static void begin(const char *from, const char *until)
{
    char scenario[512];
    (void)snprintf(scenario, sizeof scenario,
                   "vantage here 198.18.0.2\n"
                   "router r1 10.0.0.1 delay=10ms\n"
                   "host h 203.0.113.10 delay=10ms tcp:443=open udp:53=dns\n"
                   "path h r1\n"
                   "rule r1 drop any from=%s%s%s\n",
                   from, until == NULL ? "" : " until=", until == NULL ? "" : until);
    struct sonde_plan plan = {.cycles = SONDE_CYCLES_ENDLESS, .interval_ns = SONDE_NS_PER_S};
    run = case_run_of(scenario, (struct sonde_options){.plan = plan});
    const char *host = "203.0.113.10";
    cr_assert_eq(sonde_run_add(run, host, host, services, SERVICES, NULL), 0);
    cr_assert_eq(sonde_run_start(run), 0);
}

static void pass_until(double second)
{
    case_pass_until(run->vantage, (sonde_ns)(second * (double)SONDE_NS_PER_S));
}

static void pause_all(double second)
{
    pass_until(second);
    cr_assert_eq(sonde_run_pause(run, SONDE_ALL, SONDE_ALL), 0);
}

static void resume_all(double second)
{
    pass_until(second);
    cr_assert_eq(sonde_run_resume(run, SONDE_ALL, SONDE_ALL), 0);
}

/* The machine sleeps, and nothing is in flight meanwhile. */
static void sleep_until(double second)
{
    sonde_ns end = (sonde_ns)(second * (double)SONDE_NS_PER_S);
    struct sonde_transport *transport = run->vantage->transport;
    cr_assert_eq(transport->ops->wait(transport, end, &run->vantage->now_ns), 0);
    cr_assert_eq(run->vantage->now_ns, end);
}

static void reset(double second, uint32_t service)
{
    pass_until(second);
    cr_assert_eq(sonde_run_reset(run, 0, service), 0);
}

/* The report as it is now; deleted by the caller. */
static cJSON *report(void)
{
    struct sonde_snapshot *snapshot = case_snapshot(run);
    struct text text = {0};
    report_json(snapshot, &text);
    cr_assert(text_ok(&text));
    cJSON *document = cJSON_ParseWithLength(text.data, text.len);
    cr_assert_not_null(document);
    text_deinit(&text);
    sonde_snapshot_free(snapshot);
    return document;
}

static const cJSON *service_of(const cJSON *document, int index)
{
    const cJSON *targets = cJSON_GetObjectItemCaseSensitive(document, "targets");
    const cJSON *target = cJSON_GetArrayItem(targets, 0);
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(target, "services"), index);
}

static const char *text_of(const cJSON *object, const char *member)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, member));
    return value == NULL ? "null" : value;
}

/* Seconds since the start; not a number if it is null. */
static double time_of(const cJSON *object, const char *member)
{
    int hours;
    int minutes;
    double seconds;
    if (sscanf(text_of(object, member), "1970-01-01T%d:%d:%lf", &hours, &minutes, &seconds) != 3)
        return (double)NAN;
    return 3600 * hours + 60 * minutes + seconds;
}

/* An episode begins when the one before ends, in the second that it should. */
static void expect_episode(const cJSON *episodes, int index, const struct stretch *stretch)
{
    const cJSON *episode = cJSON_GetArrayItem(episodes, index);
    cr_assert_not_null(episode);
    cr_expect_str_eq(text_of(episode, "state"), stretch->state, "episode %d: %s", index,
                     text_of(episode, "state"));
    cr_expect_str_eq(text_of(episode, "code"), stretch->code, "episode %d: %s", index,
                     text_of(episode, "code"));
    double from = time_of(episode, "from");
    cr_expect(from > stretch->begin_s - 0.001 && from < stretch->begin_s + 1, "episode %d: from %f",
              index, from);
    if (index > 0)
        cr_expect_str_eq(text_of(cJSON_GetArrayItem(episodes, index - 1), "to"),
                         text_of(episode, "from"));
}

/* A service has lived so, and all of that is told; stretches end with one without a state. */
static void expect_service(const cJSON *service, const struct stretch *stretches, const char *code)
{
    int count = 0;
    while (stretches[count].state != NULL)
        count++;
    const cJSON *episodes = cJSON_GetObjectItemCaseSensitive(service, "episodes");
    cr_assert_eq(cJSON_GetArraySize(episodes), count, "%s: %d episodes",
                 text_of(service, "service"), cJSON_GetArraySize(episodes));
    for (int i = 0; i < count; i++)
        expect_episode(episodes, i, &stretches[i]);
    const cJSON *last = cJSON_GetArrayItem(episodes, count - 1);
    cr_expect_str_eq(text_of(last, "to"), "null");
    cr_expect_str_eq(text_of(service, "since"), count == 1 ? "null" : text_of(last, "from"));
    cr_expect_str_eq(text_of(service, "state"), stretches[count - 1].state);
    const cJSON *verdict = cJSON_GetObjectItemCaseSensitive(service, "verdict");
    cr_expect_str_eq(text_of(verdict, "code"), code, "%s: %s", text_of(service, "service"),
                     text_of(verdict, "code"));
}

/* So have all services; then the run is freed. */
static void expect_all(const struct stretch *stretches, const char *code)
{
    cJSON *document = report();
    for (int i = 0; i < SERVICES; i++)
        expect_service(service_of(document, i), stretches, code);
    cJSON_Delete(document);
    case_free(run);
}

Test(times, a_pause_is_no_change)
{
    begin("500s", NULL);
    pause_all(20.2);
    resume_all(60.2);
    pass_until(80.9);
    const struct stretch stretches[] = {{0, "open", "ok"}, {.state = NULL}};
    expect_all(stretches, "ok");
}

Test(times, an_outage_while_nobody_looked_is_none)
{
    begin("25.5s", "55.5s");
    pause_all(20.2);
    resume_all(60.2);
    pass_until(90.9);
    const struct stretch stretches[] = {{0, "open", "ok"}, {.state = NULL}};
    expect_all(stretches, "ok");
}

Test(times, an_outage_that_is_still_there_after_a_pause_is_one)
{
    begin("20.5s", "80.5s");
    pause_all(40.2);
    resume_all(60.2);
    pass_until(110.9);
    const struct stretch stretches[] = {{0, "open", "ok"},
                                        {20.4, "unreachable", "host_unreachable"},
                                        {80.4, "open", "ok"},
                                        {.state = NULL}};
    expect_all(stretches, "outage");
}

/* The first probe that it does not explain is that with which it goes on. */
Test(times, an_outage_that_ends_while_nobody_looked_ends_with_the_next_probe)
{
    begin("20.5s", "50.5s");
    pause_all(40.2);
    resume_all(70.2);
    pass_until(100.9);
    const struct stretch stretches[] = {{0, "open", "ok"},
                                        {20.4, "unreachable", "host_unreachable"},
                                        {70.2, "open", "ok"},
                                        {.state = NULL}};
    expect_all(stretches, "outage");
}

Test(times, an_outage_that_begins_while_nobody_looked_begins_with_the_next_probe)
{
    begin("50.5s", NULL);
    pause_all(40.2);
    resume_all(60.2);
    pass_until(90.9);
    const struct stretch stretches[] = {
        {0, "open", "ok"}, {60.2, "unreachable", "host_unreachable"}, {.state = NULL}};
    expect_all(stretches, "host_unreachable");
}

/* What is in flight when it is paused is awaited as usual: 20.5 s is before the probes of 21 s. */
Test(times, two_lost_before_a_pause_and_answers_after_it_are_nothing)
{
    begin("20.5s", "30.5s");
    pause_all(22.2);
    resume_all(40.2);
    pass_until(140.9);
    cJSON *document = report();
    for (int i = 0; i < SERVICES; i++) {
        const cJSON *service = service_of(document, i);
        const cJSON *episodes = cJSON_GetObjectItemCaseSensitive(service, "episodes");
        cr_expect_eq(cJSON_GetArraySize(episodes), 1);
        cr_expect_str_eq(text_of(service, "state"), "open");
        cr_expect_str_eq(text_of(service, "since"), "null");
    }
    cJSON_Delete(document);
    case_free(run);
}

Test(times, what_happens_while_the_machine_sleeps_is_no_outage)
{
    begin("25.5s", "45.5s");
    pass_until(20.5);
    sleep_until(50.5);
    pass_until(80.9);
    const struct stretch stretches[] = {{0, "open", "ok"}, {.state = NULL}};
    expect_all(stretches, "ok");
}

Test(times, an_outage_that_the_machine_sleeps_through_in_part_is_one)
{
    begin("20.5s", "80.5s");
    pass_until(40.7); /* the probes of 40 s are on their way no more */
    sleep_until(60.5);
    pass_until(110.9);
    const struct stretch stretches[] = {{0, "open", "ok"},
                                        {20.4, "unreachable", "host_unreachable"},
                                        {80.4, "open", "ok"},
                                        {.state = NULL}};
    expect_all(stretches, "outage");
}

Test(times, after_a_reset_in_an_outage_it_is_all_there_ever_was)
{
    begin("20.5s", NULL);
    reset(40.2, SONDE_ALL);
    pass_until(70.9);
    const struct stretch stretches[] = {{40.2, "unreachable", "host_unreachable"}, {.state = NULL}};
    expect_all(stretches, "host_unreachable");
}

Test(times, an_outage_that_ends_after_a_reset_began_with_that)
{
    begin("20.5s", "60.5s");
    reset(40.2, SONDE_ALL);
    pass_until(90.9);
    const struct stretch stretches[] = {
        {40.2, "unreachable", "host_unreachable"}, {60.4, "open", "ok"}, {.state = NULL}};
    expect_all(stretches, "outage");
}

Test(times, an_outage_that_was_over_is_forgotten_by_a_reset)
{
    begin("20.5s", "40.5s");
    reset(70.2, SONDE_ALL);
    pass_until(90.9);
    const struct stretch stretches[] = {{70.2, "open", "ok"}, {.state = NULL}};
    expect_all(stretches, "ok");
}

Test(times, what_is_reset_by_itself_leaves_the_others_their_past)
{
    begin("20.5s", "40.5s");
    reset(70.2, 1);
    pass_until(90.9);
    const struct stretch anew[] = {{70.2, "open", "ok"}, {.state = NULL}};
    const struct stretch whole[] = {{0, "open", "ok"},
                                    {20.4, "unreachable", "host_unreachable"},
                                    {40.4, "open", "ok"},
                                    {.state = NULL}};
    cJSON *document = report();
    expect_service(service_of(document, 0), whole, "outage");
    expect_service(service_of(document, 1), anew, "ok");
    expect_service(service_of(document, 2), whole, "outage");
    cJSON_Delete(document);
    case_free(run);
}

/* While it is paused it shows what it showed: that is as old as it is. */
Test(times, what_is_paused_in_an_outage_stays_out)
{
    begin("20.5s", "45.5s");
    pause_all(40.2);
    pass_until(60.9);
    const struct stretch stretches[] = {
        {0, "open", "ok"}, {20.4, "unreachable", "host_unreachable"}, {.state = NULL}};
    expect_all(stretches, "host_unreachable");
}
