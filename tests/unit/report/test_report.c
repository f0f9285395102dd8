/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report formats, on snapshots made by hand. How reports look is kept in tests/golden; here is
 * what they must never do, whatever the network says.
 */
#include "report/report.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <sonde/run.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name with an escape sequence, a newline, a quote, a direction override and broken UTF-8. */
static const char hostile[] = "a\033[31mb\nc\"d\\e\xe2\x80\xae"
                              "f\xff<script>";
static const char tamed[] = "a\\027[31mb\\010c\"d\\092e\\226\\128\\174f\\255<script>";

static const struct sonde_addr here = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 1}};
static const struct sonde_addr router = {.family = SONDE_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
static const struct sonde_addr web = {.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 10}};

/* A snapshot of one target with one service and two hops, all texts hostile. */
struct made {
    struct sonde_extensions extensions;
    struct sonde_responder responders[2];
    struct sonde_hop hops[2];
    struct sonde_path path;
    struct sonde_service_result service;
    struct sonde_target_result target;
    struct sonde_snapshot snapshot;
};

static void make(struct made *made)
{
    *made = (struct made){0};
    made->extensions.count = 1;
    made->extensions.items[0].kind = SONDE_EXTENSION_INTERFACE;
    made->extensions.items[0].class_num = 2;
    memcpy(made->extensions.items[0].u.interface.name, hostile, sizeof hostile);
    made->responders[0] = (struct sonde_responder){
        .address = router,
        .hostname = hostile,
        .received = 3,
        .kind = SONDE_OUTCOME_TTL_EXCEEDED,
        .reply_ttl = 255,
        .icmp_type = 11,
        .extensions = &made->extensions,
    };
    made->responders[1] = (struct sonde_responder){.address = web,
                                                   .received = 3,
                                                   .kind = SONDE_OUTCOME_OPEN,
                                                   .icmp_type = -1,
                                                   .icmp_code = -1};
    const struct sonde_rtt rtt = {.samples = 1,
                                  .last_ns = 1234567,
                                  .min_ns = 1234567,
                                  .avg_ns = 1234567,
                                  .max_ns = 1234567,
                                  .stddev_ns = -1,
                                  .p50_ns = 1234567,
                                  .p95_ns = 1234567,
                                  .p99_ns = 1234567,
                                  .jitter_ns = -1};
    for (int i = 0; i < 2; i++)
        made->hops[i] = (struct sonde_hop){
            .ttl = (uint8_t)(i + 1),
            .is_target = i == 1,
            .sent = 3,
            .received = 2,
            .rtt = rtt,
            .responders = &made->responders[i],
            .responder_count = 1,
        };
    made->path =
        (struct sonde_path){.reached = true, .dest_ttl = 2, .hops = made->hops, .hop_count = 2};
    made->service =
        (struct sonde_service_result){.service = "443/tcp",
                                      .protocol = "tcp",
                                      .port = 443,
                                      .name = hostile,
                                      .state = SONDE_STATE_OPEN,
                                      .sent = 3,
                                      .received = 2,
                                      .rtt = rtt,
                                      .verdict = {SONDE_LEVEL_OK, SONDE_CODE_OK, "fine"},
                                      .path = &made->path,
                                      .paths = &made->path,
                                      .path_count = 1};
    made->target = (struct sonde_target_result){.input = hostile,
                                                .name = hostile,
                                                .address = web,
                                                .source = here,
                                                .services = &made->service,
                                                .service_count = 1,
                                                .verdict = {SONDE_LEVEL_OK, SONDE_CODE_OK, "fine"}};
    made->snapshot = (struct sonde_snapshot){.version = "1",
                                             .cycles_done = 3,
                                             .vantage = {.hostname = hostile, .source = here},
                                             .settings = {.cycles = 3},
                                             .targets = &made->target,
                                             .target_count = 1};
}

static bool is_clean(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if ((*at < 0x20 && *at != '\n') || *at == 0x7f)
            return false;
    }
    return true;
}

Test(report, hostile_names_reach_no_terminal)
{
    struct made made;
    struct text text = {0};
    make(&made);
    const struct report_style style = {.addresses = true, .extensions = true};
    report_text(&made.snapshot, &style, &text);
    cr_assert(text_ok(&text));
    cr_expect(is_clean(text.data), "%s", text.data);
    cr_expect_not_null(strstr(text.data, tamed));
    text_deinit(&text);
}

Test(report, hostile_names_leave_the_json_valid)
{
    struct made made;
    struct text text = {0};
    make(&made);
    report_json(&made.snapshot, &text);
    cr_assert(text_ok(&text));
    cr_expect(is_clean(text.data));
    cJSON *report = cJSON_Parse(text.data);
    cr_assert_not_null(report);
    const cJSON *target = cJSON_GetArrayItem(cJSON_GetObjectItem(report, "targets"), 0);
    cr_expect_str_eq(cJSON_GetObjectItem(target, "name")->valuestring, tamed);
    cJSON_Delete(report);
    text_deinit(&text);
}

Test(report, json_numbers_keep_their_nanoseconds_and_null_is_what_was_not_measured)
{
    struct made made;
    struct text text = {0};
    make(&made);
    report_json(&made.snapshot, &text);
    cr_expect_not_null(strstr(text.data, "\"avg\":1.234567,"));
    cr_expect_not_null(strstr(text.data, "\"stddev\":null"));
    cr_expect_not_null(strstr(text.data, "\"loss_ratio\":0.333333")); /* 1 of 3 */
    cr_expect_not_null(strstr(text.data, "\"evidence\":null"));
    cr_expect_not_null(strstr(text.data, "\"asn\":null"));
    text_deinit(&text);
}

Test(report, colours_are_the_only_escape_sequences_and_only_if_asked_for)
{
    struct made made;
    struct text text = {0};
    make(&made);
    made.service.received = made.service.sent;
    report_text(&made.snapshot, &(struct report_style){.color = true}, &text);
    cr_expect_not_null(strstr(text.data, "\033[36m"));
    text_deinit(&text);
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_null(strchr(text.data, '\033'));
    text_deinit(&text);
}

Test(report, ascii_is_ascii)
{
    struct made made;
    struct text text = {0};
    make(&made);
    report_text(&made.snapshot, &(struct report_style){.ascii = true}, &text);
    for (const char *at = text.data; *at != '\0'; at++)
        cr_assert_gt(*at, 0);
    text_deinit(&text);
}

/* U+00FC is 195 188 in UTF-8; a name is shown in the form of DNS master files, as what is hostile.
 */
Test(report, in_ascii_a_name_is_ascii_too)
{
    struct made made;
    struct text text = {0};
    make(&made);
    made.target.name = "b\xc3\xbc"
                       "cher.example";
    made.responders[0].hostname = "gr\xc3\xbcn\xe2\x80\xae.example";
    report_text(&made.snapshot, &(struct report_style){.ascii = true}, &text);
    cr_expect_not_null(strstr(text.data, "  b\\195\\188cher.example ("), "%s", text.data);
    cr_expect_not_null(strstr(text.data, "  gr\\195\\188n\\226\\128\\174.example"), "%s",
                       text.data);
    text_deinit(&text);
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "  b\xc3\xbc"
                                         "cher.example ("),
                       "%s", text.data);
    text_deinit(&text);
}

/* Silence is only said of hops that were asked: from the first TTL to the last. */
Test(report, no_reply_is_said_only_of_hops_that_were_asked)
{
    static const struct {
        uint8_t answered; /* the TTL of the only hop that is heard */
        uint8_t first;
        uint8_t max;
        const char *wanted; /* NULL = nothing */
    } cases[] = {
        {2, 1, 30, "\n 3+ (no reply)\n"},
        {2, 1, 3, "\n 3+ (no reply)\n"},
        {2, 1, 2, NULL},
        {255, 1, 255, NULL},
        {0, 1, 30, "\n 1+ (no reply)\n"},
        {0, 5, 30, "\n 5+ (no reply)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made made;
        struct text text = {0};
        make(&made);
        made.service.state = SONDE_STATE_UNREACHABLE;
        made.hops[0].ttl = cases[i].answered != 0 ? cases[i].answered : cases[i].first;
        if (cases[i].answered == 0)
            made.hops[0].responder_count = made.hops[0].received = 0;
        made.path.hop_count = 1;
        made.path.reached = false;
        made.path.dest_ttl = 0;
        made.snapshot.settings.first_ttl = cases[i].first;
        made.snapshot.settings.max_ttl = cases[i].max;
        report_text(&made.snapshot, &(struct report_style){0}, &text);
        if (cases[i].wanted != NULL)
            cr_expect_not_null(strstr(text.data, cases[i].wanted), "%zu: %s", i, text.data);
        else
            cr_expect_null(strstr(text.data, "+ (no reply)"), "%zu: %s", i, text.data);
        text_deinit(&text);
    }
}

/* Nobody was asked at hop 2, and the host answers at hop 3. */
Test(report, a_hop_that_nobody_was_asked_at_has_not_been_silent)
{
    struct made made;
    struct text text = {0};
    make(&made);
    made.hops[1].ttl = made.path.dest_ttl = 3;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "\n 2  (not asked)\n"), "%s", text.data);
    cr_expect_null(strstr(text.data, "no reply"), "%s", text.data);
    text_deinit(&text);
}

/* The target answers a TTL of 2, and may be nearer: the JSON has null for its distance. */
Test(report, a_distance_that_is_not_known_has_no_number)
{
    struct made made;
    struct text text = {0};
    make(&made);
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "\n 2  203.0.113.10"), "%s", text.data);
    text_deinit(&text);
    made.path.dest_ttl = 0;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "\n ?  203.0.113.10"), "%s", text.data);
    text_deinit(&text);
}

/* Nine of ten flows of pings never got through: they have no source ports to be named by. */
Test(report, flows_without_ports_are_only_counted)
{
    struct made made;
    struct text text = {0};
    struct sonde_path paths[10] = {{.sent = 3, .received = 3}};
    for (size_t i = 1; i < 10; i++)
        paths[i].sent = 3;
    make(&made);
    made.service.paths = paths;
    made.service.path_count = 10;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(
        strstr(text.data, ": 10 flows side by side, of which 9 were never answered\n"), "%s",
        text.data);
    text_deinit(&text);
}

/* Three flows, of which one never got through: the other two lost nothing. */
Test(report, a_flow_that_is_never_answered_is_named)
{
    struct made made;
    struct text text = {0};
    struct sonde_path paths[] = {{.source_port = 40000, .sent = 3, .received = 3},
                                 {.source_port = 40001, .sent = 3},
                                 {.source_port = 40002, .sent = 3, .received = 3}};
    make(&made);
    made.service.sent = 9;
    made.service.received = 6;
    made.service.paths = paths;
    made.service.path_count = 3;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, " 443/tcp: 3 flows side by side, of which 1 was never "
                                         "answered: source port 40001\n"),
                       "%s", text.data);
    text_deinit(&text);
    paths[1].received = 1;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, " 443/tcp: 3 flows side by side\n"), "%s", text.data);
    text_deinit(&text);
}

/* At hop 1 a router that refuses answered too: the mean is of both. */
Test(report, times_of_who_refuses_are_not_given_to_a_router)
{
    struct made made;
    struct text text = {0};
    make(&made);
    struct sonde_responder both[2] = {made.responders[0], made.responders[0]};
    both[0].hostname = NULL;
    both[1].address = here;
    both[1].kind = SONDE_OUTCOME_ADMIN_PROHIBITED;
    made.hops[0].responders = both;
    made.hops[0].responder_count = 2;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "\n 1  10.0.0.1         33.3     -     -\n"), "%s",
                       text.data);
    text_deinit(&text);
}

/* What is missing at a hop may be the silence of the target, and no loss of the router. */
Test(report, the_silence_of_a_target_is_not_a_hop_s_loss)
{
    struct made made;
    struct text text = {0};
    make(&made);
    made.responders[0].hostname = NULL;
    made.hops[0].may_arrive = true;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "\n 1  10.0.0.1            ?  1.23  1.23"), "%s",
                       text.data);
    cr_expect_not_null(strstr(text.data, "\n ? probes of this TTL reach the target at times"), "%s",
                       text.data);
    text_deinit(&text);
}

Test(report, cycles_that_were_not_made_are_told)
{
    struct made made;
    struct text text = {0};
    make(&made);
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "  3 cycles in 0.0 s\n"), "%s", text.data);
    text_deinit(&text);
    made.snapshot.settings.cycles = 100;
    made.snapshot.status = SONDE_STATUS_PARTIAL; /* the deadline came first */
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "  3 of 100 cycles in 0.0 s\n"), "%s", text.data);
    text_deinit(&text);
    made.snapshot.settings.cycles = SONDE_CYCLES_ENDLESS;
    made.snapshot.status = SONDE_STATUS_INTERRUPTED;
    report_text(&made.snapshot, &(struct report_style){0}, &text);
    cr_expect_not_null(strstr(text.data, "  3 cycles in 0.0 s, interrupted\n"), "%s", text.data);
    text_deinit(&text);
}

Test(report, lines_fit_the_screen_however_many_services_there_are)
{
    struct sonde_service_result services[16];
    struct made made;
    struct text text = {0};
    make(&made);
    for (int i = 0; i < 16; i++)
        services[i] = made.service;
    made.responders[0].hostname =
        "ae-12-3456.a-router-with-a-name-that-is-far-too-long-for-any-screen."
        "in-some-city.backbone.provider.example";
    made.target.name = "h";
    made.target.services = services;
    made.target.service_count = 16;
    for (unsigned columns = 80; columns <= 160; columns += 20) {
        report_text(&made.snapshot, &(struct report_style){.columns = columns}, &text);
        char *save;
        (void)strtok_r(text.data, "\n", &save); /* the title may wrap */
        for (char *line; (line = strtok_r(NULL, "\n", &save)) != NULL;)
            cr_expect_leq(text_columns(line), columns, "%s", line);
        text_deinit(&text);
    }
}

/* The sentence begins behind "x 443/tcp   filtered  ", 22 columns, so 80 leave it 58. */
Test(report, on_a_screen_a_sentence_breaks_between_words)
{
    struct made made;
    struct text text = {0};
    make(&made);
    made.target.name = "h";
    made.service.state = SONDE_STATE_FILTERED;
    made.service.control = true;
    made.service.verdict.level = SONDE_LEVEL_FAILED;
    made.service.verdict.text = "answered up to hop 3 (10.20.0.1), silent from hop 5 (10.40.0.1); "
                                "icmp passes";
    struct report_style style = {.columns = 80, .ascii = true, .folds = true};
    report_text(&made.snapshot, &style, &text);
    cr_expect_not_null(
        strstr(text.data,
               "\nx 443/tcp   filtered  answered up to hop 3 (10.20.0.1), silent from hop 5\n"
               "                      (10.40.0.1); icmp passes (control)\n"),
        "%s", text.data);
    text_deinit(&text);
    style.folds = false; /* a file, where a program looks for it */
    report_text(&made.snapshot, &style, &text);
    cr_expect_not_null(strstr(text.data, " hop 5 (10.40.0.1); icmp passes (control)\n"), "%s",
                       text.data);
    text_deinit(&text);
    style = (struct report_style){.folds = true}; /* as wide as need be */
    report_text(&made.snapshot, &style, &text);
    cr_expect_not_null(strstr(text.data, " hop 5 (10.40.0.1); icmp passes (control)\n"), "%s",
                       text.data);
    text_deinit(&text);
}

Test(report, a_long_name_is_cut_to_fit_the_screen_and_an_address_never)
{
    struct made made;
    struct text text = {0};
    make(&made);
    /* 80 columns hold two services beside 34 of the name: 32, and the mark */
    made.responders[0].hostname = "r1.0123456789.0123456789.0123456789.0123456789.example";
    struct sonde_service_result services[2] = {made.service, made.service};
    made.target.services = services;
    made.target.service_count = 2;
    report_text(&made.snapshot, &(struct report_style){.columns = 80, .ascii = true}, &text);
    cr_expect_not_null(strstr(text.data, " 1  r1.0123456789.0123456789.0123456..  "), "%s",
                       text.data);
    text_deinit(&text);
    report_text(&made.snapshot, &(struct report_style){.columns = 80, .addresses = true}, &text);
    cr_expect_not_null(strstr(text.data, "… (10.0.0.1)  "), "%s", text.data);
    text_deinit(&text);
    /* 29 letters and an escape of four columns are one more than 32 */
    made.responders[0].hostname = "r1.0123456789.0123456789.0123\tand.so.on";
    report_text(&made.snapshot, &(struct report_style){.columns = 80, .ascii = true}, &text);
    cr_expect_not_null(strstr(text.data, " 1  r1.0123456789.0123456789.0123..  "), "%s", text.data);
    text_deinit(&text);
    made.responders[0].hostname = "r1.0123456789.0123456789.0123456789.0123456789.example";
    report_text(&made.snapshot, &(struct report_style){.columns = 0}, &text);
    cr_expect_not_null(strstr(text.data, "0123456789.example  "), "without a screen: %s",
                       text.data);
    text_deinit(&text);
}

Test(report, a_target_without_address_is_one_line)
{
    struct made made;
    struct text text = {0};
    make(&made);
    made.target.name = "nobody.example";
    made.target.address = made.target.source = (struct sonde_addr){0};
    made.target.verdict = (struct sonde_verdict){SONDE_LEVEL_UNKNOWN, SONDE_CODE_NAME_UNRESOLVED,
                                                 "the name has no address"};
    report_text(&made.snapshot, &(struct report_style){.ascii = true}, &text);
    cr_expect_not_null(strstr(text.data, "\n? the name has no address\n"));
    cr_expect_null(strstr(text.data, "443/tcp"));
    text_deinit(&text);
}

Test(report, losses_of_this_machine_are_told_only_when_they_happen)
{
    struct made made;
    struct text text = {0};
    make(&made);
    report_text(&made.snapshot, &(struct report_style){.ascii = true}, &text);
    cr_expect_null(strstr(text.data, "this machine"));
    text_deinit(&text);
    made.snapshot.own_losses = (struct sonde_own_losses){.receive_queue = 12, .send = 1};
    report_text(&made.snapshot, &(struct report_style){.ascii = true}, &text);
    cr_expect_not_null(strstr(text.data, "no room for 12 packets"));
    cr_expect_not_null(strstr(text.data, "could not send 1 probe\n"));
    text_deinit(&text);
}

/* A line of a text, without the newline; NULL if none begins so. Free it. */
static char *find_line(const char *text, const char *begin)
{
    for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, begin, strlen(begin)) == 0)
            return strndup(at, strcspn(at, "\n"));
        if (*at == '\0')
            break;
    }
    return NULL;
}

static void expect_line(const struct made *made, const char *begin, const char *line)
{
    struct text text = {0};
    const struct report_style style = {.ascii = true};
    report_text(&made->snapshot, &style, &text);
    cr_assert(text_ok(&text));
    char *found = find_line(text.data, begin);
    cr_assert_not_null(found, "%s", text.data);
    cr_expect_str_eq(found, line);
    free(found);
    text_deinit(&text);
}

Test(report, a_port_that_was_added_for_comparison_says_so)
{
    struct made made;
    make(&made);
    made.service.control = true;
    made.service.received = made.service.sent;
    expect_line(&made, "+ 443/tcp", "+ 443/tcp   open      fine (control)");
    made.service.state = SONDE_STATE_CLOSED; /* which is neither good nor bad */
    expect_line(&made, "- 443/tcp", "- 443/tcp   closed    fine (control)");
}

Test(report, a_tick_stands_only_before_what_lost_nothing)
{
    struct made made;
    make(&made); /* 2 answers to 3 probes, and no rule that knows why */
    made.service.present = (struct sonde_present){.sent = 3, .received = 2};
    expect_line(&made, "! 443/tcp", "! 443/tcp   open      fine");
    made.service.control = true;
    expect_line(&made, "! 443/tcp", "! 443/tcp   open      fine (control)");
    made.service.state = SONDE_STATE_CLOSED;
    made.service.control = false;
    expect_line(&made, "! 443/tcp", "! 443/tcp   closed    fine");
    made.service.state = SONDE_STATE_OPEN;
    made.service.present.received = 0; /* all of them came late */
    expect_line(&made, "! 443/tcp", "! 443/tcp   open      fine");
    made.service.present.received = 3; /* whatever was lost before, the line is of now */
    expect_line(&made, "+ 443/tcp", "+ 443/tcp   open      fine");
    made.service.state = SONDE_STATE_FILTERED; /* as expected: silence is what was to be seen */
    made.service.present.received = 0;
    expect_line(&made, "+ 443/tcp", "+ 443/tcp   filtered  fine");
}

/* On the target's line of the table, too; what routers lost stays a share. */
Test(report, below_twenty_probes_a_service_s_loss_is_counted)
{
    struct made made;
    make(&made);
    made.responders[0].hostname = NULL;
    expect_line(&made, " 1  10.0.0.1", " 1  10.0.0.1         33.3  1.23  1.23");
    expect_line(&made, " 2  203.0.113.10", " 2  203.0.113.10   1 of 3  1.23  1.23");
    made.hops[1].sent = 19;
    made.hops[1].received = 9;
    expect_line(&made, " 2  203.0.113.10", " 2  203.0.113.10 10 of 19  1.23  1.23");
    made.hops[1].sent = 20;
    made.hops[1].received = 10;
    expect_line(&made, " 2  203.0.113.10", " 2  203.0.113.10     50.0  1.23  1.23");
    made.hops[1].sent = made.hops[1].received = 3;
    expect_line(&made, " 2  203.0.113.10", " 2  203.0.113.10      0.0  1.23  1.23");
}

Test(report, whatever_else_was_found_stands_below_the_verdict)
{
    struct made made;
    make(&made);
    const struct sonde_finding findings[] = {
        {.code = SONDE_CODE_LOSS_AT_DESTINATION, .level = SONDE_LEVEL_FAILED, .text = "fine"},
        {.code = SONDE_CODE_LOSS_AT_DESTINATION,
         .level = SONDE_LEVEL_DEGRADED,
         .text = "it begins"},
        {.code = SONDE_CODE_PATH_CHANGED, .level = SONDE_LEVEL_DEGRADED, .text = "changed once"},
    };
    made.service.findings = findings;
    made.service.finding_count = 3;
    made.service.verdict.level = SONDE_LEVEL_FAILED;
    made.service.verdict.code = SONDE_CODE_LOSS_AT_DESTINATION;
    expect_line(&made, "x 443/tcp", "x 443/tcp   open      fine");
    /* the next may be of the same code: a limit that is broken, and where the loss begins */
    expect_line(&made, "! ", "!                     it begins");
}

Test(report, zones_are_shown_by_name_in_every_format)
{
    static const struct sonde_zone zones[] = {{2, "eth0"}};
    const struct sonde_addr link = {
        .family = SONDE_FAMILY_IPV6, .bytes = {0xfe, 0x80, [15] = 1}, .scope = 2};
    const struct sonde_other_address other = {link, "-6"};
    const struct sonde_evidence evidence = {.from = link};
    const struct report_style style = {.ascii = true, .addresses = true};
    struct made made;
    struct text text = {0};
    make(&made);
    made.snapshot.zones = (struct sonde_zones){zones, 1};
    made.responders[0].address = made.target.address = made.target.source = link;
    made.snapshot.vantage.source = link;
    made.service.evidence = &evidence;
    made.target.verdict.level = SONDE_LEVEL_FAILED;
    made.target.not_asked = &other;
    made.target.not_asked_count = 1;
    report_text(&made.snapshot, &style, &text);
    report_json(&made.snapshot, &text);
    cr_expect_null(strstr(text.data, "%2"), "%s", text.data);
    unsigned shown = 0;
    for (const char *at = text.data; (at = strstr(at, "fe80::1%eth0")) != NULL; at++)
        shown++;
    /* text: target, source, hop, other address; JSON: those, the vantage and the evidence */
    cr_expect_eq(shown, 4 + 6, "%s", text.data);
    text_deinit(&text);
}

/* The line about a name's other addresses; NULL: there is none. Valid until the next call. */
static const char *line_of_others(enum sonde_level level, size_t count)
{
    static const struct sonde_other_address others[] = {
        {{.family = SONDE_FAMILY_IPV6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}}, "-6"},
        {{.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 11}}, "--all-addresses"},
        {{.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 12}}, "--all-addresses"},
        {{.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 13}}, "--all-addresses"},
        {{.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 14}}, "--all-addresses"},
        {{.family = SONDE_FAMILY_IPV4, .bytes = {203, 0, 113, 15}}, "--all-addresses"},
    };
    static char line[256];
    struct made made;
    struct text text = {0};
    make(&made);
    made.target.verdict.level = level;
    made.target.not_asked = others;
    made.target.not_asked_count = count;
    report_text(&made.snapshot, &(struct report_style){.ascii = true}, &text);
    char *found = strstr(text.data, "not asked");
    if (found != NULL) {
        while (found > text.data && found[-1] != '\n')
            found--;
        (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(found, "\n"), found);
    }
    text_deinit(&text);
    return found != NULL ? line : NULL;
}

Test(report, other_addresses_are_told_where_the_one_that_was_asked_does_not_do)
{
    cr_expect_null(line_of_others(SONDE_LEVEL_OK, 2));
    cr_expect_null(line_of_others(SONDE_LEVEL_DEGRADED, 2));
    cr_expect_null(line_of_others(SONDE_LEVEL_FAILED, 0));
    cr_expect_str_eq(line_of_others(SONDE_LEVEL_UNKNOWN, 1),
                     "  1 more address was not asked: 2001:db8::1 (-6)");
    cr_expect_str_eq(line_of_others(SONDE_LEVEL_FAILED, 2),
                     "  2 more addresses were not asked: 2001:db8::1 (-6), 203.0.113.11 "
                     "(--all-addresses)");
    cr_expect_str_eq(line_of_others(SONDE_LEVEL_FAILED, 6),
                     "  6 more addresses were not asked: 2001:db8::1 (-6), 203.0.113.11 "
                     "(--all-addresses), 203.0.113.12 (--all-addresses), 203.0.113.13 "
                     "(--all-addresses), and 2 others");
}
