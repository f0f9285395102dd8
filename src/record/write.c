/* SPDX-License-Identifier: BSD-2-Clause */
/* From a record to its line; see record/record.h. */
#include "record/write.h"
#include "base/states.h"
#include "base/wall.h"
#include "record/put.h"

#include <errno.h>
#include <string.h>

enum { COMMAND_BYTES_MAX = 16 * 1024 }; /* of a command line; what is longer is cut short */

static void write_command(struct text *line, const struct sonde_record_run_start *start)
{
    size_t before = line->len;
    text_add(line, ",\"command\":[");
    for (size_t i = 0; i < start->command_count && i < SONDE_RECORD_ARGUMENTS_MAX; i++) {
        if (line->len - before + 4 * strlen(start->command[i]) > COMMAND_BYTES_MAX)
            break;
        text_add(line, i > 0 ? "," : "");
        put_value(line, start->command[i]);
    }
    text_add(line, "]");
}

static void write_limits(struct text *line, const char *name, const struct sonde_limits *limits)
{
    if (!limits->set)
        return;
    text_addf(line, ",\"%s\":{\"loss_ratio\":%.17g", name, limits->loss_ratio);
    put_ms(line, "rtt_ms", limits->rtt_ns == 0 ? -1 : limits->rtt_ns);
    text_add(line, "}");
}

static void write_run_start(struct text *line, const struct sonde_record_run_start *start)
{
    const struct sonde_settings *settings = &start->settings;
    text_add(line, ",\"tool\":{\"name\":\"sonde\"");
    put_string(line, "version", start->version);
    text_add(line, "}");
    write_command(line, start);
    text_add(line, ",\"vantage\":{\"missing\":[");
    text_add(line, start->lacks_icmp ? "\"icmp\"]" : "]");
    put_string(line, "hostname", start->hostname);
    put_word(line, "transport", sonde_transport_kind_name(start->transport));
    if (start->family != SONDE_FAMILY_NONE)
        put_word(line, "family", start->family == SONDE_FAMILY_IPV6 ? "ipv6" : "ipv4");
    put_address(line, "source", &start->source);
    text_add(line, start->no_names ? ",\"names\":false}" : ",\"names\":true}");
    text_addf(line, ",\"settings\":{\"first_ttl\":%u", settings->first_ttl);
    put_number(line, "max_ttl", settings->max_ttl);
    put_known(line, "cycles",
              settings->cycles == SONDE_CYCLES_ENDLESS ? -1 : (int64_t)settings->cycles);
    put_ms(line, "interval_ms", settings->interval_ns);
    put_ms(line, "timeout_ms", settings->timeout_ns);
    put_number(line, "size_bytes", settings->size_bytes);
    put_number(line, "tos", settings->tos);
    write_limits(line, "warn", &start->judgement.warn);
    write_limits(line, "crit", &start->judgement.crit);
    text_add(line, "}");
}

static void write_ports(struct text *line, const struct sonde_record_service *service)
{
    if (service->source_ports == NULL)
        return;
    text_add(line, ",\"source_ports\":[");
    for (uint32_t i = 0; i < service->flows; i++)
        text_addf(line, i > 0 ? ",%u" : "%u", service->source_ports[i]);
    text_add(line, "]");
}

static void write_service(struct text *line, const struct sonde_record_service *service)
{
    struct text states = {0};
    text_add(line, "{\"service\":");
    put_value(line, service->service);
    put_string(line, "protocol", service->protocol);
    put_known(line, "port", service->port == 0 ? -1 : service->port);
    put_string(line, "name", service->name);
    put_flag(line, "control", service->control);
    put_flag(line, "standby", service->standby);
    put_flag(line, "removed", service->removed);
    if (service->expect != 0)
        states_add(&states, service->expect);
    put_string(line, "expect", states.data);
    line->failed |= states.failed;
    text_deinit(&states);
    put_string(line, "payload", service->payload);
    text_add(line, ",\"questions\":[");
    for (size_t i = 0; i < service->asks_count; i++) {
        text_add(line, i > 0 ? "," : "");
        put_value(line, service->asks[i]);
    }
    text_add(line, "]");
    put_number(line, "flows", service->flows);
    write_ports(line, service);
    put_errno(line, "error", service->error);
    if (service->measured_target == SONDE_RECORD_UNMEASURED) {
        put_string(line, "measured", NULL);
    } else {
        text_addf(line, ",\"measured\":{\"target\":%u", service->measured_target);
        put_number(line, "service_index", service->measured_service);
        text_add(line, "}");
    }
    text_add(line, "}");
}

static void write_target(struct text *line, const struct sonde_record_target *target)
{
    put_number(line, "target", target->target);
    put_number(line, "first", target->first);
    put_string(line, "input", target->input);
    put_string(line, "name", target->host);
    put_address(line, "address", &target->address);
    put_address(line, "source", &target->source);
    text_add(line, ",\"addresses\":[");
    for (size_t i = 0; i < target->address_count; i++) {
        text_add(line, i > 0 ? ",{\"asked\":" : "{\"asked\":");
        text_add(line, target->addresses[i].asked ? "true" : "false");
        put_address(line, "address", &target->addresses[i].address);
        text_add(line, "}");
    }
    text_add(line, "]");
    if (target->problem != SONDE_CODE_OK) {
        text_add(line, ",\"problem\":{\"text\":");
        put_value(line, target->problem_text);
        put_word(line, "code", sonde_code_name(target->problem));
        text_add(line, "}");
    }
    text_add(line, ",\"services\":[");
    for (size_t i = 0; i < target->service_count; i++) {
        text_add(line, i > 0 ? "," : "");
        write_service(line, &target->services[i]);
    }
    text_add(line, "]");
}

static void write_error(struct text *line, const struct sonde_record_error *error)
{
    put_number(line, "target", error->target);
    put_string(line, "input", error->input);
    put_word(line, "code", sonde_code_name(error->code));
    put_string(line, "text", error->text);
}

static void write_counters(struct text *line, const struct sonde_record_counters *counters)
{
    const char *comma = "";
    text_add(line, ",\"discarded\":{");
    for (int i = 1; i < SONDE_DISCARD_COUNT; i++) {
        if (counters->discards[i] == 0)
            continue;
        text_addf(line, "%s\"%s\":%llu", comma, sonde_discard_name((enum sonde_discard)i),
                  (unsigned long long)counters->discards[i]);
        comma = ",";
    }
    text_addf(line, "},\"own_losses\":{\"receive_queue\":%llu}",
              (unsigned long long)counters->receive_queue);
}

static void write_next_hop(struct text *line, const struct sonde_record_next_hop *hop)
{
    put_number(line, "target", hop->target);
    put_address(line, "next_hop", &hop->address);
    put_string(line, "interface", hop->interface);
    put_flag(line, "silent", hop->silent);
    if (hop->user_mode != NULL)
        put_string(line, "user_mode", hop->user_mode);
}

static void write_action(struct text *line, const struct sonde_record *record)
{
    const struct sonde_record_action *action = &record->u.action;
    put_known(line, "target", action->target == SONDE_RECORD_ALL ? -1 : (int64_t)action->target);
    put_known(line, "service_index",
              action->service == SONDE_RECORD_ALL ? -1 : (int64_t)action->service);
    if (record->type != SONDE_RECORD_RESET)
        return;
    text_add(line, ",\"since\":[");
    for (size_t i = 0; i < action->since_count; i++) {
        text_add(line, i > 0 ? ",\"" : "\"");
        wall_add(line, action->since_ns[i], 9);
        text_add(line, "\"");
    }
    text_add(line, "]");
}

static void write_run_end(struct text *line, const struct sonde_record_run_end *end)
{
    put_word(line, "status", sonde_status_name(end->status));
    put_number(line, "exit_code", end->exit_code);
    put_time(line, "ended", end->ended_ns);
    put_flag(line, "complete", end->complete);
    put_flag(line, "interrupted", end->interrupted);
    put_errno(line, "failure", end->failure);
}

static void write_body(struct text *line, const struct sonde_record *record)
{
    switch (record->type) {
    case SONDE_RECORD_RUN_START:
        write_run_start(line, &record->u.run_start);
        break;
    case SONDE_RECORD_TARGET:
        write_target(line, &record->u.target);
        break;
    case SONDE_RECORD_ERROR:
        write_error(line, &record->u.error);
        break;
    case SONDE_RECORD_ZONE:
        put_number(line, "scope", record->u.zone.scope);
        put_string(line, "name", record->u.zone.name);
        break;
    case SONDE_RECORD_PROBE:
    case SONDE_RECORD_UNAWAITED:
    case SONDE_RECORD_LATE:
    case SONDE_RECORD_DUPLICATE:
        record_write_probe(line, &record->u.probe);
        break;
    case SONDE_RECORD_NAME:
        put_address(line, "address", &record->u.name.address);
        put_string(line, "name", record->u.name.name);
        break;
    case SONDE_RECORD_NEXT_HOP:
        write_next_hop(line, &record->u.next_hop);
        break;
    case SONDE_RECORD_INTERFACE:
        put_string(line, "interface", record->u.interface);
        break;
    case SONDE_RECORD_COUNTERS:
        write_counters(line, &record->u.counters);
        break;
    case SONDE_RECORD_PAUSED:
    case SONDE_RECORD_RESUMED:
    case SONDE_RECORD_RESET:
    case SONDE_RECORD_REMOVED:
        write_action(line, record);
        break;
    case SONDE_RECORD_RUN_END:
        write_run_end(line, &record->u.run_end);
        break;
    case SONDE_RECORD_CYCLE:
    case SONDE_RECORD_PATH_CHANGE:
    case SONDE_RECORD_VERDICT:
    case SONDE_RECORD_EPISODE:
        record_write_derived(line, record);
        break;
    case SONDE_RECORD_BEGIN:
    case SONDE_RECORD_TYPE_COUNT:
        break;
    }
}

int record_write(const struct sonde_record *record, struct text *text)
{
    size_t before = text->len;
    text_add(text, "{\"schema\":\"sonde.event/1\"");
    put_word(text, "type", sonde_record_type_name(record->type));
    put_time(text, "time", record->time_ns);
    put_word(text, "run_id", record->run_id);
    put_number(text, "n", record->n);
    write_body(text, record);
    text_add(text, "}\n");
    if (!text_ok(text))
        return -ENOMEM;
    if (text->len - before <= RECORD_LINE_MAX)
        return 0;
    text->len = before;
    text->data[before] = '\0';
    return -EMSGSIZE;
}
