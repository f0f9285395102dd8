/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON report, schema sonde.report/1. cJSON writes it; null is what was not measured.
 *
 * Members are made through the functions at the top, which remember if memory ran out, so that no
 * half document ever leaves.
 */
#include "report/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

static const char schema_name[] = "sonde.report/1";

struct writer {
    bool failed;
};

static cJSON *keep(struct writer *writer, cJSON *item)
{
    writer->failed |= item == NULL;
    return item;
}

static void put(struct writer *writer, cJSON *object, const char *name, cJSON *item)
{
    if (item == NULL || !cJSON_AddItemToObject(object, name, item)) {
        cJSON_Delete(item);
        writer->failed = true;
    }
}

static cJSON *put_object(struct writer *writer, cJSON *object, const char *name)
{
    return keep(writer, cJSON_AddObjectToObject(object, name));
}

static cJSON *put_array(struct writer *writer, cJSON *object, const char *name)
{
    return keep(writer, cJSON_AddArrayToObject(object, name));
}

static cJSON *append_object(struct writer *writer, cJSON *array)
{
    cJSON *object = keep(writer, cJSON_CreateObject());
    if (object != NULL && !cJSON_AddItemToArray(array, object))
        writer->failed = true;
    return object;
}

static void put_null(struct writer *writer, cJSON *object, const char *name)
{
    put(writer, object, name, cJSON_CreateNull());
}

static void put_number(struct writer *writer, cJSON *object, const char *name, double value)
{
    put(writer, object, name, cJSON_CreateNumber(value));
}

static void put_bool(struct writer *writer, cJSON *object, const char *name, bool value)
{
    put(writer, object, name, cJSON_CreateBool(value));
}

/* A string that may come from outside; NULL becomes null. */
static void put_string(struct writer *writer, cJSON *object, const char *name, const char *value)
{
    struct text safe = {0};
    if (value == NULL) {
        put_null(writer, object, name);
        return;
    }
    text_add(&safe, "");
    text_add_untrusted(&safe, value, strlen(value));
    put(writer, object, name, text_ok(&safe) ? cJSON_CreateString(safe.data) : NULL);
    text_deinit(&safe);
}

static void put_address(struct writer *writer, cJSON *object, const char *name,
                        const struct sonde_addr *addr)
{
    char buf[SONDE_ADDR_TEXT_BYTES];
    bool known = addr->family != SONDE_FAMILY_NONE;
    put_string(writer, object, name, known ? sonde_addr_text(addr, buf) : NULL);
}

/* Milliseconds with nanoseconds in them; -1 is null. */
static void put_ms(struct writer *writer, cJSON *object, const char *name, sonde_ns ns)
{
    if (ns < 0)
        put_null(writer, object, name);
    else
        put_number(writer, object, name, (double)ns / (double)SONDE_NS_PER_MS);
}

/* A number of which -1 means unknown. */
static void put_known(struct writer *writer, cJSON *object, const char *name, int64_t value)
{
    if (value < 0)
        put_null(writer, object, name);
    else
        put_number(writer, object, name, (double)value);
}

/* A TTL of which 0 means unknown. */
static void put_ttl(struct writer *writer, cJSON *object, const char *name, uint8_t ttl)
{
    put_known(writer, object, name, ttl == 0 ? -1 : ttl);
}

static void put_time(struct writer *writer, cJSON *object, const char *name, sonde_ns wall_ns)
{
    struct text text = {0};
    report_add_time(&text, wall_ns, 6);
    put_string(writer, object, name, text.data);
    text_deinit(&text);
}

static void put_loss(struct writer *writer, cJSON *object, uint64_t sent, uint64_t received)
{
    put_number(writer, object, "sent", (double)sent);
    put_number(writer, object, "received", (double)received);
    if (sent == 0)
        put_null(writer, object, "loss_ratio");
    else
        put_number(writer, object, "loss_ratio",
                   round(1e6 * (double)(sent - received) / (double)sent) / 1e6);
}

static void put_rtt(struct writer *writer, cJSON *object, const struct sonde_rtt *rtt)
{
    if (rtt->samples == 0) {
        put_null(writer, object, "rtt_ms");
        return;
    }
    cJSON *ms = put_object(writer, object, "rtt_ms");
    put_ms(writer, ms, "last", rtt->last_ns);
    put_ms(writer, ms, "min", rtt->min_ns);
    put_ms(writer, ms, "avg", rtt->avg_ns);
    put_ms(writer, ms, "max", rtt->max_ns);
    put_ms(writer, ms, "stddev", rtt->stddev_ns);
    put_ms(writer, ms, "p50", rtt->p50_ns);
    put_ms(writer, ms, "p95", rtt->p95_ns);
    put_ms(writer, ms, "p99", rtt->p99_ns);
    put_ms(writer, ms, "jitter", rtt->jitter_ns);
    put_number(writer, ms, "samples", (double)rtt->samples);
}

static void put_labels(struct writer *writer, cJSON *object, const struct sonde_mpls *mpls)
{
    cJSON *labels = put_array(writer, object, "mpls");
    for (unsigned i = 0; i < mpls->count; i++) {
        cJSON *label = append_object(writer, labels);
        put_number(writer, label, "label", mpls->labels[i].label);
        put_number(writer, label, "tc", mpls->labels[i].tc);
        put_number(writer, label, "bos", mpls->labels[i].bos);
        put_number(writer, label, "ttl", mpls->labels[i].ttl);
    }
}

static void put_interface(struct writer *writer, cJSON *object,
                          const struct sonde_interface *interface)
{
    static const char *const roles[] = {"incoming", "sub_ip", "outgoing", "next_hop"};
    cJSON *to = put_object(writer, object, "interface");
    put_string(writer, to, "role", roles[interface->role & 3]);
    put_known(writer, to, "index", interface->index == 0 ? -1 : (int64_t)interface->index);
    put_address(writer, to, "address", &interface->addr);
    put_string(writer, to, "name", interface->name[0] != '\0' ? interface->name : NULL);
    put_known(writer, to, "mtu_bytes", interface->mtu == 0 ? -1 : (int64_t)interface->mtu);
}

static void put_raw(struct writer *writer, cJSON *object, const struct sonde_extension_raw *raw)
{
    struct text hex = {0};
    text_add(&hex, "");
    for (unsigned i = 0; i < raw->kept; i++)
        text_addf(&hex, "%02x", raw->bytes[i]);
    put_number(writer, object, "length_bytes", raw->len);
    put_string(writer, object, "hex", hex.data);
    text_deinit(&hex);
}

static void put_extensions(struct writer *writer, cJSON *responder,
                           const struct sonde_extensions *extensions)
{
    cJSON *array = put_array(writer, responder, "extensions");
    for (unsigned i = 0; extensions != NULL && i < extensions->count; i++) {
        const struct sonde_extension *item = &extensions->items[i];
        cJSON *object = append_object(writer, array);
        put_number(writer, object, "class", item->class_num);
        put_number(writer, object, "c_type", item->c_type);
        switch (item->kind) {
        case SONDE_EXTENSION_MPLS:
            put_labels(writer, object, &item->u.mpls);
            break;
        case SONDE_EXTENSION_INTERFACE:
            put_interface(writer, object, &item->u.interface);
            break;
        case SONDE_EXTENSION_RAW:
            put_raw(writer, object, &item->u.raw);
            break;
        }
    }
}

static void put_hop(struct writer *writer, cJSON *hops, const struct sonde_hop *hop)
{
    cJSON *object = append_object(writer, hops);
    put_number(writer, object, "ttl", hop->ttl);
    put_loss(writer, object, hop->sent, hop->received);
    put_string(writer, object, "loss_kind", sonde_loss_kind_name(hop->loss_kind));
    put_rtt(writer, object, &hop->rtt);
    cJSON *responders = put_array(writer, object, "responders");
    for (size_t i = 0; i < hop->responder_count; i++) {
        const struct sonde_responder *responder = &hop->responders[i];
        cJSON *to = append_object(writer, responders);
        put_address(writer, to, "address", &responder->address);
        put_string(writer, to, "hostname", responder->hostname);
        put_null(writer, to, "asn");
        put_number(writer, to, "received", (double)responder->received);
        put_string(writer, to, "kind", sonde_outcome_name(responder->kind));
        put_known(writer, to, "reply_ttl", responder->reply_ttl);
        put_known(writer, to, "icmp_type", responder->icmp_type);
        put_known(writer, to, "icmp_code", responder->icmp_code);
        put_extensions(writer, to, responder->extensions);
    }
    if (hop->unlisted > 0)
        put_number(writer, object, "unlisted", (double)hop->unlisted);
}

static void put_path(struct writer *writer, cJSON *service, const struct sonde_path *path)
{
    if (path == NULL) {
        put_null(writer, service, "path");
        return;
    }
    cJSON *object = put_object(writer, service, "path");
    put_bool(writer, object, "reached", path->reached);
    put_ttl(writer, object, "dest_ttl", path->dest_ttl);
    put_string(writer, object, "stop_reason", sonde_stop_reason_name(path->stop_reason));
    if (path->path_id == 0)
        put_null(writer, object, "path_id");
    else
        put_number(writer, object, "path_id", (double)path->path_id);
    put_number(writer, object, "path_changes", path->path_changes);
    cJSON *hops = put_array(writer, object, "hops");
    for (size_t i = 0; i < path->hop_count; i++)
        put_hop(writer, hops, &path->hops[i]);
}

static void put_evidence(struct writer *writer, cJSON *service,
                         const struct sonde_evidence *evidence)
{
    if (evidence == NULL) {
        put_null(writer, service, "evidence");
        return;
    }
    cJSON *object = put_object(writer, service, "evidence");
    put_address(writer, object, "from", &evidence->from);
    put_string(writer, object, "kind", sonde_outcome_name(evidence->kind));
    put_known(writer, object, "icmp_type", evidence->icmp_type);
    put_known(writer, object, "icmp_code", evidence->icmp_code);
    put_known(writer, object, "reply_ttl", evidence->reply_ttl);
    put_ttl(writer, object, "probe_ttl", evidence->probe_ttl);
}

static void put_place(struct writer *writer, cJSON *blame, const char *name,
                      const struct sonde_place *place)
{
    if (place->address.family == SONDE_FAMILY_NONE && place->ttl == 0) {
        put_null(writer, blame, name);
        return;
    }
    cJSON *object = put_object(writer, blame, name);
    put_ttl(writer, object, "ttl", place->ttl);
    put_address(writer, object, "address", &place->address);
}

static void put_blame(struct writer *writer, cJSON *verdict, const struct sonde_blame *blame)
{
    if (blame == NULL) {
        put_null(writer, verdict, "blame");
        return;
    }
    cJSON *object = put_object(writer, verdict, "blame");
    put_place(writer, object, "last_seen", &blame->last_seen);
    put_place(writer, object, "first_lost", &blame->first_lost);
    put_place(writer, object, "reporter", &blame->reporter);
}

static cJSON *put_verdict(struct writer *writer, cJSON *object, const struct sonde_verdict *verdict)
{
    cJSON *to = put_object(writer, object, "verdict");
    put_string(writer, to, "level", sonde_level_name(verdict->level));
    put_string(writer, to, "code", sonde_code_name(verdict->code));
    put_string(writer, to, "text", verdict->text);
    return to;
}

static void put_outcomes(struct writer *writer, cJSON *service,
                         const struct sonde_service_result *result)
{
    cJSON *outcomes = put_object(writer, service, "outcomes");
    for (int i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        if (result->outcomes[i] > 0)
            put_number(writer, outcomes, sonde_outcome_name((enum sonde_outcome)i),
                       (double)result->outcomes[i]);
    }
}

static void put_service(struct writer *writer, cJSON *services,
                        const struct sonde_service_result *result)
{
    cJSON *object = append_object(writer, services);
    put_string(writer, object, "service", result->service);
    put_string(writer, object, "protocol", result->protocol);
    put_known(writer, object, "port", result->port == 0 ? -1 : result->port);
    put_string(writer, object, "name", result->name);
    put_bool(writer, object, "control", result->control);
    put_string(writer, object, "state", sonde_state_name(result->state));
    put_loss(writer, object, result->sent, result->received);
    put_number(writer, object, "late", (double)result->late);
    put_number(writer, object, "duplicates", (double)result->duplicates);
    put_outcomes(writer, object, result);
    put_rtt(writer, object, &result->rtt);
    put_evidence(writer, object, result->evidence);
    put_null(writer, object, "expect");
    cJSON *verdict = put_verdict(writer, object, &result->verdict);
    put_string(writer, verdict, "confidence", sonde_confidence_name(result->confidence));
    put_blame(writer, verdict, result->blame);
    (void)put_array(writer, object, "findings");
    put_path(writer, object, result->path);
}

static void put_targets(struct writer *writer, cJSON *report, const struct sonde_snapshot *snapshot)
{
    cJSON *targets = put_array(writer, report, "targets");
    for (size_t i = 0; i < snapshot->target_count; i++) {
        const struct sonde_target_result *target = &snapshot->targets[i];
        bool known = target->address.family != SONDE_FAMILY_NONE;
        cJSON *object = append_object(writer, targets);
        put_string(writer, object, "input", target->input);
        put_string(writer, object, "name", target->name);
        put_address(writer, object, "address", &target->address);
        put_string(writer, object, "family",
                   !known                                        ? NULL
                   : target->address.family == SONDE_FAMILY_IPV6 ? "ipv6"
                                                                 : "ipv4");
        put_address(writer, object, "source", &target->source);
        cJSON *services = put_array(writer, object, "services");
        for (size_t k = 0; k < target->service_count; k++)
            put_service(writer, services, &target->services[k]);
        (void)put_verdict(writer, object, &target->verdict);
    }
}

static void put_settings(struct writer *writer, cJSON *report,
                         const struct sonde_snapshot *snapshot)
{
    const struct sonde_settings *settings = &snapshot->settings;
    cJSON *object = put_object(writer, report, "settings");
    if (settings->cycles == UINT32_MAX)
        put_null(writer, object, "cycles");
    else
        put_number(writer, object, "cycles", settings->cycles);
    put_ms(writer, object, "interval_ms", settings->interval_ns);
    put_ms(writer, object, "timeout_ms", settings->timeout_ns);
    put_number(writer, object, "first_ttl", settings->first_ttl);
    put_number(writer, object, "max_ttl", settings->max_ttl);
    put_number(writer, object, "size_bytes", settings->size_bytes);
    put_number(writer, object, "tos", settings->tos);
}

/* How many packets each clock stamped. */
static void put_clocks(struct writer *writer, cJSON *clocks, const char *name,
                       const uint64_t counts[SONDE_CLOCK_COUNT])
{
    cJSON *object = put_object(writer, clocks, name);
    for (int i = 0; i < SONDE_CLOCK_COUNT; i++) {
        if (counts[i] > 0)
            put_number(writer, object, sonde_clock_name((enum sonde_clock)i), (double)counts[i]);
    }
}

static void put_run(struct writer *writer, cJSON *report, const struct sonde_snapshot *snapshot)
{
    put_string(writer, report, "schema", schema_name);
    cJSON *tool = put_object(writer, report, "tool");
    put_string(writer, tool, "name", "sonde");
    put_string(writer, tool, "version", snapshot->version);
    put_string(writer, report, "run_id", snapshot->run_id);
    put_string(writer, report, "status", sonde_status_name(snapshot->status));
    put_time(writer, report, "started", snapshot->started_wall_ns);
    put_time(writer, report, "ended", snapshot->started_wall_ns + snapshot->duration_ns);
    put_ms(writer, report, "duration_ms", snapshot->duration_ns);
    cJSON *vantage = put_object(writer, report, "vantage");
    put_string(writer, vantage, "hostname", snapshot->vantage.hostname);
    put_address(writer, vantage, "source", &snapshot->vantage.source);
    put_string(writer, vantage, "interface", snapshot->vantage.interface);
    put_string(writer, vantage, "transport",
               sonde_transport_kind_name(snapshot->vantage.transport));
    cJSON *clocks = put_object(writer, vantage, "clocks");
    put_clocks(writer, clocks, "sent", snapshot->vantage.sent_clocks);
    put_clocks(writer, clocks, "received", snapshot->vantage.received_clocks);
    put_settings(writer, report, snapshot);
}

static void put_errors(struct writer *writer, cJSON *report, const struct sonde_snapshot *snapshot)
{
    cJSON *errors = put_array(writer, report, "errors");
    for (size_t i = 0; i < snapshot->problem_count; i++) {
        cJSON *error = append_object(writer, errors);
        put_string(writer, error, "target", snapshot->problems[i].target);
        put_string(writer, error, "code", sonde_code_name(snapshot->problems[i].code));
        put_string(writer, error, "text", snapshot->problems[i].text);
    }
    cJSON *discarded = put_object(writer, report, "discarded");
    for (int i = 1; i < SONDE_DISCARD_COUNT; i++) {
        if (snapshot->discards[i] > 0)
            put_number(writer, discarded, sonde_discard_name((enum sonde_discard)i),
                       (double)snapshot->discards[i]);
    }
    cJSON *own = put_object(writer, report, "own_losses");
    put_number(writer, own, "receive_queue", (double)snapshot->own_losses.receive_queue);
    put_number(writer, own, "send", (double)snapshot->own_losses.send);
}

void report_json(const struct sonde_snapshot *snapshot, struct text *text)
{
    struct writer writer = {false};
    cJSON *report = keep(&writer, cJSON_CreateObject());
    put_run(&writer, report, snapshot);
    put_targets(&writer, report, snapshot);
    cJSON *verdict = put_object(&writer, report, "verdict");
    put_string(&writer, verdict, "level", sonde_level_name(snapshot->verdict.level));
    put_string(&writer, verdict, "code", sonde_code_name(snapshot->verdict.code));
    put_errors(&writer, report, snapshot);
    char *printed = writer.failed ? NULL : cJSON_PrintUnformatted(report);
    if (printed == NULL) {
        text->failed = true;
    } else {
        text_add(text, printed);
        text_add(text, "\n");
    }
    cJSON_free(printed);
    cJSON_Delete(report);
}
