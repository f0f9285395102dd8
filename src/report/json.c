/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON report, schema sonde.report/1. cJSON writes it; null is what was not measured.
 */
#include "base/states.h"
#include "report/json_path.h"
#include "report/members.h"
#include "report/report.h"

#include <string.h>

static const char schema_name[] = "sonde.report/1";

static void put_evidence(struct json_writer *writer, cJSON *service,
                         const struct sonde_evidence *evidence)
{
    if (evidence == NULL) {
        json_null(writer, service, "evidence");
        return;
    }
    cJSON *object = json_object(writer, service, "evidence");
    json_address(writer, object, "from", &evidence->from);
    json_string(writer, object, "kind", sonde_outcome_name(evidence->kind));
    json_known(writer, object, "icmp_type", evidence->icmp_type);
    json_known(writer, object, "icmp_code", evidence->icmp_code);
    json_known(writer, object, "reply_ttl", evidence->reply_ttl);
    json_ttl(writer, object, "probe_ttl", evidence->probe_ttl);
    json_known(writer, object, "mtu_bytes",
               evidence->mtu_bytes == 0 ? -1 : (int64_t)evidence->mtu_bytes);
}

static void put_place(struct json_writer *writer, cJSON *blame, const char *name,
                      const struct sonde_place *place)
{
    if (place->address.family == SONDE_FAMILY_NONE && place->ttl == 0) {
        json_null(writer, blame, name);
        return;
    }
    cJSON *object = json_object(writer, blame, name);
    json_ttl(writer, object, "ttl", place->ttl);
    json_address(writer, object, "address", &place->address);
}

static void put_blame(struct json_writer *writer, cJSON *verdict, const struct sonde_blame *blame)
{
    if (blame == NULL) {
        json_null(writer, verdict, "blame");
        return;
    }
    cJSON *object = json_object(writer, verdict, "blame");
    put_place(writer, object, "last_seen", &blame->last_seen);
    put_place(writer, object, "first_lost", &blame->first_lost);
    put_place(writer, object, "reporter", &blame->reporter);
    json_string(writer, object, "way", sonde_way_name(blame->way));
}

static cJSON *put_verdict(struct json_writer *writer, cJSON *object,
                          const struct sonde_verdict *verdict)
{
    cJSON *to = json_object(writer, object, "verdict");
    json_string(writer, to, "level", sonde_level_name(verdict->level));
    json_string(writer, to, "code", sonde_code_name(verdict->code));
    json_string(writer, to, "text", verdict->text);
    return to;
}

/* What was found, worst first, with what it rests on. */
static void put_findings(struct json_writer *writer, cJSON *service,
                         const struct sonde_service_result *result)
{
    cJSON *findings = json_array(writer, service, "findings");
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct sonde_finding *finding = &result->findings[i];
        cJSON *object = json_append(writer, findings);
        json_string(writer, object, "rule", finding->rule);
        json_string(writer, object, "code", sonde_code_name(finding->code));
        json_string(writer, object, "level", sonde_level_name(finding->level));
        json_string(writer, object, "text", finding->text);
        json_string(writer, object, "confidence", sonde_confidence_name(finding->confidence));
        put_blame(writer, object, finding->blame);
        cJSON *evidence = json_object(writer, object, "evidence");
        json_string(writer, evidence, "kind", sonde_outcome_name(finding->evidence.kind));
        json_number(writer, evidence, "sent", (double)finding->evidence.sent);
        json_number(writer, evidence, "received", (double)finding->evidence.received);
        json_string(writer, evidence, "control", finding->evidence.control);
        json_number(writer, evidence, "control_sent", (double)finding->evidence.control_sent);
        json_number(writer, evidence, "control_received",
                    (double)finding->evidence.control_received);
    }
}

static void put_outcomes(struct json_writer *writer, cJSON *service,
                         const struct sonde_service_result *result)
{
    cJSON *outcomes = json_object(writer, service, "outcomes");
    for (int i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        if (result->outcomes[i] > 0)
            json_number(writer, outcomes, sonde_outcome_name((enum sonde_outcome)i),
                        (double)result->outcomes[i]);
    }
}

/* What is wanted, as --expect takes it, and whether it is so. */
static void put_expect(struct json_writer *writer, cJSON *service,
                       const struct sonde_service_result *result)
{
    struct text states = {0};
    if (result->expect != 0)
        states_add(&states, result->expect);
    json_string(writer, service, "expect", states.data);
    json_bool(writer, service, "met", result->met);
    writer->failed |= states.failed;
    text_deinit(&states);
}

/* What a UDP service was asked, and how often each was answered. */
static void put_questions(struct json_writer *writer, cJSON *service,
                          const struct sonde_service_result *result)
{
    cJSON *questions = json_array(writer, service, "questions");
    for (size_t i = 0; i < result->question_count; i++) {
        const struct sonde_question_result *question = &result->questions[i];
        cJSON *object = json_append(writer, questions);
        json_string(writer, object, "payload", question->payload);
        json_string(writer, object, "asks", question->asks);
        json_number(writer, object, "sent", (double)question->sent);
        json_number(writer, object, "received", (double)question->received);
    }
}

/* A time since 1970; @p known is false: null. */
static void put_time(struct json_writer *writer, cJSON *object, const char *name, bool known,
                     sonde_ns wall_ns)
{
    if (known)
        json_time(writer, object, name, wall_ns);
    else
        json_null(writer, object, name);
}

/* What the service shows now, and what it showed before. */
static void put_episodes(struct json_writer *writer, cJSON *service,
                         const struct sonde_service_result *result)
{
    put_time(writer, service, "since", result->since_wall_ns > 0, result->since_wall_ns);
    cJSON *present = json_object(writer, service, "present");
    json_number(writer, present, "cycles", result->present.cycles);
    json_loss(writer, present, result->present.sent, result->present.received);
    json_rtt(writer, present, &result->present.rtt);
    cJSON *episodes = json_array(writer, service, "episodes");
    for (size_t i = 0; i < result->episode_count; i++) {
        const struct sonde_episode *episode = &result->episodes[i];
        cJSON *object = json_append(writer, episodes);
        json_time(writer, object, "from", episode->from_wall_ns);
        put_time(writer, object, "to", episode->to_wall_ns != SONDE_NS_NEVER, episode->to_wall_ns);
        json_string(writer, object, "state", sonde_state_name(episode->state));
        json_string(writer, object, "code", sonde_code_name(episode->verdict.code));
        json_string(writer, object, "level", sonde_level_name(episode->verdict.level));
        json_string(writer, object, "text", episode->verdict.text);
        put_blame(writer, object, episode->blame);
        json_loss(writer, object, episode->sent, episode->received);
        json_rtt(writer, object, &episode->rtt);
    }
    json_number(writer, service, "episodes_omitted", (double)result->episodes_omitted);
}

static void put_service(struct json_writer *writer, cJSON *services,
                        const struct sonde_service_result *result)
{
    cJSON *object = json_append(writer, services);
    json_string(writer, object, "service", result->service);
    json_string(writer, object, "protocol", result->protocol);
    json_known(writer, object, "port", result->port == 0 ? -1 : result->port);
    json_string(writer, object, "name", result->name);
    json_string(writer, object, "payload", result->payload);
    put_questions(writer, object, result);
    json_bool(writer, object, "control", result->control);
    json_string(writer, object, "state", sonde_state_name(result->state));
    json_loss(writer, object, result->sent, result->received);
    json_ratio(writer, object, "loss_low", result->sent > 0 ? result->loss_low : -1);
    json_ratio(writer, object, "loss_high", result->sent > 0 ? result->loss_high : -1);
    json_number(writer, object, "uncertain", (double)result->uncertain);
    json_number(writer, object, "late", (double)result->late);
    json_number(writer, object, "duplicates", (double)result->duplicates);
    put_outcomes(writer, object, result);
    json_rtt(writer, object, &result->rtt);
    put_evidence(writer, object, result->evidence);
    put_expect(writer, object, result);
    cJSON *verdict = put_verdict(writer, object, &result->verdict);
    json_string(writer, verdict, "confidence", sonde_confidence_name(result->confidence));
    put_blame(writer, verdict, result->blame);
    put_findings(writer, object, result);
    put_episodes(writer, object, result);
    json_paths(writer, object, result);
}

/* One target, whole. Ownership: the caller deletes it. */
static cJSON *make_target(struct json_writer *writer, const struct sonde_target_result *target)
{
    bool known = target->address.family != SONDE_FAMILY_NONE;
    cJSON *object = json_start(writer);
    json_string(writer, object, "input", target->input);
    json_string(writer, object, "name", target->name);
    json_address(writer, object, "address", &target->address);
    json_string(writer, object, "family",
                !known                                        ? NULL
                : target->address.family == SONDE_FAMILY_IPV6 ? "ipv6"
                                                              : "ipv4");
    json_address(writer, object, "source", &target->source);
    cJSON *others = json_array(writer, object, "not_asked");
    for (size_t i = 0; i < target->not_asked_count; i++) {
        cJSON *other = json_append(writer, others);
        json_address(writer, other, "address", &target->not_asked[i].address);
        json_string(writer, other, "option", target->not_asked[i].option);
    }
    cJSON *services = json_array(writer, object, "services");
    for (size_t k = 0; k < target->service_count; k++)
        put_service(writer, services, &target->services[k]);
    (void)put_verdict(writer, object, &target->verdict);
    return object;
}

static void put_settings(struct json_writer *writer, cJSON *report,
                         const struct sonde_snapshot *snapshot)
{
    const struct sonde_settings *settings = &snapshot->settings;
    cJSON *object = json_object(writer, report, "settings");
    if (settings->cycles == UINT32_MAX)
        json_null(writer, object, "cycles");
    else
        json_number(writer, object, "cycles", settings->cycles);
    json_ms(writer, object, "interval_ms", settings->interval_ns);
    json_ms(writer, object, "timeout_ms", settings->timeout_ns);
    json_number(writer, object, "first_ttl", settings->first_ttl);
    json_number(writer, object, "max_ttl", settings->max_ttl);
    json_number(writer, object, "size_bytes", settings->size_bytes);
    json_number(writer, object, "tos", settings->tos);
}

/* How many packets each clock stamped. */
static void put_clocks(struct json_writer *writer, cJSON *clocks, const char *name,
                       const uint64_t counts[SONDE_CLOCK_COUNT])
{
    cJSON *object = json_object(writer, clocks, name);
    for (int i = 0; i < SONDE_CLOCK_COUNT; i++) {
        if (counts[i] > 0)
            json_number(writer, object, sonde_clock_name((enum sonde_clock)i), (double)counts[i]);
    }
}

static void put_run(struct json_writer *writer, cJSON *report,
                    const struct sonde_snapshot *snapshot)
{
    json_string(writer, report, "schema", schema_name);
    cJSON *tool = json_object(writer, report, "tool");
    json_string(writer, tool, "name", "sonde");
    json_string(writer, tool, "version", snapshot->version);
    json_string(writer, report, "run_id", snapshot->run_id);
    json_string(writer, report, "status", sonde_status_name(snapshot->status));
    json_time(writer, report, "started", snapshot->started_wall_ns);
    json_time(writer, report, "ended", snapshot->started_wall_ns + snapshot->duration_ns);
    json_ms(writer, report, "duration_ms", snapshot->duration_ns);
    cJSON *vantage = json_object(writer, report, "vantage");
    json_string(writer, vantage, "hostname", snapshot->vantage.hostname);
    json_address(writer, vantage, "source", &snapshot->vantage.source);
    json_string(writer, vantage, "interface", snapshot->vantage.interface);
    json_string(writer, vantage, "transport",
                sonde_transport_kind_name(snapshot->vantage.transport));
    cJSON *missing = json_array(writer, vantage, "missing");
    if (snapshot->vantage.lacks_icmp)
        json_append_word(writer, missing, "icmp");
    cJSON *clocks = json_object(writer, vantage, "clocks");
    put_clocks(writer, clocks, "sent", snapshot->vantage.sent_clocks);
    put_clocks(writer, clocks, "received", snapshot->vantage.received_clocks);
    put_settings(writer, report, snapshot);
}

static void put_errors(struct json_writer *writer, cJSON *report,
                       const struct sonde_snapshot *snapshot)
{
    cJSON *errors = json_array(writer, report, "errors");
    for (size_t i = 0; i < snapshot->problem_count; i++) {
        cJSON *error = json_append(writer, errors);
        json_string(writer, error, "target", snapshot->problems[i].target);
        json_string(writer, error, "code", sonde_code_name(snapshot->problems[i].code));
        json_string(writer, error, "text", snapshot->problems[i].text);
    }
    cJSON *discarded = json_object(writer, report, "discarded");
    for (int i = 1; i < SONDE_DISCARD_COUNT; i++) {
        if (snapshot->discards[i] > 0)
            json_number(writer, discarded, sonde_discard_name((enum sonde_discard)i),
                        (double)snapshot->discards[i]);
    }
    cJSON *own = json_object(writer, report, "own_losses");
    json_number(writer, own, "receive_queue", (double)snapshot->own_losses.receive_queue);
    json_number(writer, own, "send", (double)snapshot->own_losses.send);
}

/* Print an object, or only what stands between its braces, and delete it. */
static void print(struct json_writer *writer, cJSON *object, bool members_only, struct text *text)
{
    char *printed = writer->failed ? NULL : cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (printed == NULL) {
        text->failed = true;
        return;
    }
    size_t len = strlen(printed);
    if (members_only)
        text_add_bytes(text, printed + 1, len - 2);
    else
        text_add_bytes(text, printed, len);
    cJSON_free(printed);
}

/* Piece by piece: ten thousand targets at once would be a tree of a hundred megabytes. */
void report_json(const struct sonde_snapshot *snapshot, struct text *text)
{
    struct json_writer writer = {.zones = snapshot->zones};
    cJSON *head = json_start(&writer);
    put_run(&writer, head, snapshot);
    text_add(text, "{");
    print(&writer, head, true, text);
    text_add(text, ",\"targets\":[");
    for (size_t i = 0; i < snapshot->target_count; i++) {
        if (i > 0)
            text_add(text, ",");
        print(&writer, make_target(&writer, &snapshot->targets[i]), false, text);
    }
    text_add(text, "],");
    cJSON *tail = json_start(&writer);
    cJSON *verdict = json_object(&writer, tail, "verdict");
    json_string(&writer, verdict, "level", sonde_level_name(snapshot->verdict.level));
    json_string(&writer, verdict, "code", sonde_code_name(snapshot->verdict.code));
    put_errors(&writer, tail, snapshot);
    print(&writer, tail, true, text);
    text_add(text, "}\n");
}
