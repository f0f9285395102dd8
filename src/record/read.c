/* SPDX-License-Identifier: BSD-2-Clause */
/* From a line to its record; see record/record.h. */
#include "base/states.h"
#include "base/wall.h"
#include "record/take.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct record_reader *record_reader_new(void)
{
    return calloc(1, sizeof(struct record_reader));
}

struct record_reader *record_reader_free(struct record_reader *reader)
{
    if (reader != NULL)
        cJSON_Delete(reader->line);
    free(reader);
    return NULL;
}

static const char *type_word(int value)
{
    return sonde_record_type_name((enum sonde_record_type)value);
}

static const char *transport_word(int value)
{
    return sonde_transport_kind_name((enum sonde_transport_kind)value);
}

static const char *code_word(int value)
{
    return sonde_code_name((enum sonde_code)value);
}

static const char *status_word(int value)
{
    return sonde_status_name((enum sonde_status)value);
}

static const char *family_word(int value)
{
    return value == 0 ? "ipv4" : "ipv6";
}

static void read_command(struct record_reader *reader, const cJSON *line,
                         struct sonde_record_run_start *to)
{
    const cJSON *argument;
    cJSON_ArrayForEach(argument, take_array(reader, line, "command"))
    {
        if (to->command_count == SONDE_RECORD_ARGUMENTS_MAX) {
            take_fail(reader, "there are too many arguments");
            return;
        }
        reader->command[to->command_count++] = take_text(reader, argument);
    }
    to->command = reader->command;
}

static void read_limits(struct record_reader *reader, const cJSON *settings, const char *name,
                        struct sonde_limits *to)
{
    const cJSON *limits = take_member(settings, name);
    const cJSON *loss = take_member(limits, "loss_ratio");
    if (limits == NULL)
        return;
    sonde_ns rtt_ns = take_ms(reader, limits, "rtt_ms");
    *to = (struct sonde_limits){.set = true, .rtt_ns = rtt_ns < 0 ? 0 : rtt_ns};
    if (loss == NULL || !cJSON_IsNumber(loss) || !(loss->valuedouble >= 0) ||
        !(loss->valuedouble <= 1))
        take_fail(reader, "a limit of loss is missing, or is none");
    else
        to->loss_ratio = loss->valuedouble;
}

static void read_settings(struct record_reader *reader, const cJSON *settings,
                          struct sonde_record_run_start *to)
{
    static const int64_t cycles[2] = {1, UINT32_MAX - 1};
    to->settings = (struct sonde_settings){
        .cycles = (uint32_t)take_number(reader, settings, "cycles", cycles, SONDE_CYCLES_ENDLESS),
        .interval_ns = take_ms(reader, settings, "interval_ms"),
        .timeout_ns = take_ms(reader, settings, "timeout_ms"),
        .first_ttl = (uint8_t)take_count(reader, settings, "first_ttl", UINT8_MAX),
        .max_ttl = (uint8_t)take_count(reader, settings, "max_ttl", UINT8_MAX),
        .size_bytes = (uint16_t)take_count(reader, settings, "size_bytes", UINT16_MAX),
        .tos = (uint8_t)take_count(reader, settings, "tos", UINT8_MAX),
    };
    if (to->settings.interval_ns <= 0 || to->settings.timeout_ns <= 0 ||
        to->settings.max_ttl == 0 || to->settings.first_ttl == 0 ||
        to->settings.first_ttl > to->settings.max_ttl)
        take_fail(reader, "the settings are none");
    read_limits(reader, settings, "warn", &to->judgement.warn);
    read_limits(reader, settings, "crit", &to->judgement.crit);
}

static void read_run_start(struct record_reader *reader, const cJSON *line,
                           struct sonde_record_run_start *to)
{
    const cJSON *vantage = take_object(reader, line, "vantage");
    const cJSON *missing = take_array(reader, vantage, "missing");
    to->version = take_own(reader, take_object(reader, line, "tool"), "version");
    read_command(reader, line, to);
    to->lacks_icmp = missing != NULL && cJSON_GetArraySize(missing) > 0;
    to->hostname = take_needed(reader, vantage, "hostname");
    to->transport = (enum sonde_transport_kind)take_word(
        reader, vantage, "transport", transport_word, SONDE_TRANSPORT_KIND_COUNT);
    if (take_member(vantage, "family") != NULL)
        to->family = take_word(reader, vantage, "family", family_word, 2) == 0 ? SONDE_FAMILY_IPV4
                                                                               : SONDE_FAMILY_IPV6;
    to->source = take_address(reader, vantage, "source");
    to->no_names = !take_flag(reader, vantage, "names");
    read_settings(reader, take_object(reader, line, "settings"), to);
}

static void read_ports(struct record_reader *reader, const cJSON *object,
                       struct sonde_record_service *to)
{
    const cJSON *ports = take_array(reader, object, "source_ports");
    const cJSON *port;
    if (ports == NULL)
        return;
    to->source_ports = &reader->ports[reader->port_count];
    if ((uint32_t)cJSON_GetArraySize(ports) != to->flows ||
        to->flows > SONDE_RECORD_PORTS_MAX - reader->port_count) {
        take_fail(reader, "there are other source ports than flows");
        return;
    }
    cJSON_ArrayForEach(port, ports)
    {
        double value = cJSON_IsNumber(port) ? port->valuedouble : -1;
        if (!(value >= 0 && value <= UINT16_MAX))
            take_fail(reader, "a source port is none");
        else
            reader->ports[reader->port_count++] = (uint16_t)value;
    }
}

static void read_measured(struct record_reader *reader, const cJSON *object,
                          struct sonde_record_service *to)
{
    const cJSON *measured = take_member(object, "measured");
    to->measured_target = SONDE_RECORD_UNMEASURED;
    if (measured == NULL)
        return;
    to->measured_target = (uint32_t)take_count(reader, measured, "target", UINT32_MAX - 1);
    to->measured_service =
        (uint32_t)take_count(reader, measured, "service_index", SONDE_RECORD_SERVICES_MAX - 1);
}

static void read_service(struct record_reader *reader, const cJSON *object,
                         struct sonde_record_service *to)
{
    static const int64_t ports[2] = {1, UINT16_MAX};
    static const int64_t flows[2] = {1, 32};
    const char *expect = take_string(reader, object, "expect");
    *to = (struct sonde_record_service){
        .service = take_own(reader, object, "service"),
        .protocol = take_needed(reader, object, "protocol"),
        .port = (uint16_t)take_number(reader, object, "port", ports, 0),
        .name = take_string(reader, object, "name"),
        .control = take_flag(reader, object, "control"),
        .standby = take_flag(reader, object, "standby"),
        .removed = take_flag(reader, object, "removed"),
        .payload = take_string(reader, object, "payload"),
        .flows = (uint32_t)take_number(reader, object, "flows", flows, 1),
        .error = take_errno(reader, object, "error"),
    };
    if (expect != NULL && states_read(expect, &to->expect) < 0)
        take_fail(reader, "what is expected of a service is no state");
    read_ports(reader, object, to);
    read_measured(reader, object, to);
}

static void read_addresses(struct record_reader *reader, const cJSON *line,
                           struct sonde_record_target *to)
{
    const cJSON *object;
    to->addresses = reader->addresses;
    cJSON_ArrayForEach(object, take_array(reader, line, "addresses"))
    {
        if (to->address_count == SONDE_KNOWN_ADDRESSES_MAX) {
            take_fail(reader, "there are too many addresses");
            return;
        }
        struct sonde_record_address *address = &reader->addresses[to->address_count++];
        address->address = take_address(reader, object, "address");
        address->asked = take_flag(reader, object, "asked");
        if (address->address.family == SONDE_FAMILY_NONE)
            take_fail(reader, "an address is missing");
    }
}

static void read_target(struct record_reader *reader, const cJSON *line,
                        struct sonde_record_target *to)
{
    const cJSON *problem = take_member(line, "problem");
    const cJSON *object;
    *to = (struct sonde_record_target){
        .target = (uint32_t)take_count(reader, line, "target", UINT32_MAX - 1),
        .first = (uint32_t)take_count(reader, line, "first", UINT32_MAX - 1),
        .input = take_needed(reader, line, "input"),
        .host = take_needed(reader, line, "name"),
        .problem = SONDE_CODE_OK,
        .services = reader->services,
    };
    to->address = take_address(reader, line, "address");
    to->source = take_address(reader, line, "source");
    read_addresses(reader, line, to);
    if (problem != NULL) {
        to->problem =
            (enum sonde_code)take_word(reader, problem, "code", code_word, SONDE_CODE_COUNT);
        to->problem_text = take_own(reader, problem, "text");
    }
    cJSON_ArrayForEach(object, take_array(reader, line, "services"))
    {
        if (to->service_count == SONDE_RECORD_SERVICES_MAX) {
            take_fail(reader, "there are too many services");
            return;
        }
        read_service(reader, object, &reader->services[to->service_count++]);
    }
}

static void read_zone(struct record_reader *reader, const cJSON *line, struct sonde_zone *to)
{
    const char *name = take_needed(reader, line, "name");
    to->scope = (uint32_t)take_count(reader, line, "scope", UINT32_MAX);
    if (strlen(name) >= sizeof to->name)
        take_fail(reader, "the name of a zone is too long");
    else
        memcpy(to->name, name, strlen(name) + 1);
}

static void read_next_hop(struct record_reader *reader, const cJSON *line,
                          struct sonde_record_next_hop *to)
{
    to->target = (uint32_t)take_count(reader, line, "target", UINT32_MAX - 1);
    to->address = take_address(reader, line, "next_hop");
    to->interface = take_needed(reader, line, "interface");
    to->silent = take_flag(reader, line, "silent");
    if (take_member(line, "user_mode") != NULL)
        to->user_mode = take_own(reader, line, "user_mode");
}

static void read_counters(struct record_reader *reader, const cJSON *line,
                          struct sonde_record_counters *to)
{
    const uint64_t max = UINT64_C(1) << 53;
    const cJSON *discarded = take_object(reader, line, "discarded");
    for (int i = 1; i < SONDE_DISCARD_COUNT; i++) {
        const char *name = sonde_discard_name((enum sonde_discard)i);
        if (take_member(discarded, name) != NULL)
            to->discards[i] = take_count(reader, discarded, name, max);
    }
    to->receive_queue =
        take_count(reader, take_object(reader, line, "own_losses"), "receive_queue", max);
}

static void read_action(struct record_reader *reader, const cJSON *line,
                        struct sonde_record_action *to)
{
    static const int64_t targets[2] = {0, UINT32_MAX - 1};
    static const int64_t services[2] = {0, SONDE_RECORD_SERVICES_MAX - 1};
    const cJSON *since;
    to->target = (uint32_t)take_number(reader, line, "target", targets, SONDE_RECORD_ALL);
    to->service = (uint32_t)take_number(reader, line, "service_index", services, SONDE_RECORD_ALL);
    to->since_ns = reader->since;
    cJSON_ArrayForEach(since, take_array(reader, line, "since"))
    {
        if (to->since_count == SONDE_RECORD_PORTS_MAX || !cJSON_IsString(since) ||
            wall_read(since->valuestring, &reader->since[to->since_count++]) < 0) {
            take_fail(reader, "there are too many times, or one is none");
            return;
        }
    }
}

static void read_run_end(struct record_reader *reader, const cJSON *line,
                         struct sonde_record_run_end *to)
{
    to->status =
        (enum sonde_status)take_word(reader, line, "status", status_word, SONDE_STATUS_COUNT);
    to->exit_code = (enum sonde_exit)take_count(reader, line, "exit_code", SONDE_EXIT_INTERNAL);
    to->ended_ns = take_time(reader, line, "ended");
    to->complete = take_flag(reader, line, "complete");
    to->interrupted = take_flag(reader, line, "interrupted");
    to->failure = take_errno(reader, line, "failure");
}

/* @return false if there is nothing in it that another record does not say. */
static bool read_body(struct record_reader *reader, const cJSON *line, struct sonde_record *to)
{
    switch (to->type) {
    case SONDE_RECORD_RUN_START:
        read_run_start(reader, line, &to->u.run_start);
        return true;
    case SONDE_RECORD_TARGET:
        read_target(reader, line, &to->u.target);
        return true;
    case SONDE_RECORD_ZONE:
        read_zone(reader, line, &to->u.zone);
        return true;
    case SONDE_RECORD_PROBE:
        take_probe(reader, line, SONDE_EVENT_PROBE, &to->u.probe);
        return true;
    case SONDE_RECORD_UNAWAITED:
        take_probe(reader, line, SONDE_EVENT_UNAWAITED, &to->u.probe);
        return true;
    case SONDE_RECORD_LATE:
        take_probe(reader, line, SONDE_EVENT_LATE, &to->u.probe);
        return true;
    case SONDE_RECORD_DUPLICATE:
        take_probe(reader, line, SONDE_EVENT_DUPLICATE, &to->u.probe);
        return true;
    case SONDE_RECORD_NAME:
        to->u.name.address = take_address(reader, line, "address");
        to->u.name.name = take_needed(reader, line, "name");
        return true;
    case SONDE_RECORD_NEXT_HOP:
        read_next_hop(reader, line, &to->u.next_hop);
        return true;
    case SONDE_RECORD_INTERFACE:
        to->u.interface = take_string(reader, line, "interface");
        return true;
    case SONDE_RECORD_COUNTERS:
        read_counters(reader, line, &to->u.counters);
        return true;
    case SONDE_RECORD_PAUSED:
    case SONDE_RECORD_RESUMED:
    case SONDE_RECORD_RESET:
    case SONDE_RECORD_REMOVED:
        read_action(reader, line, &to->u.action);
        return true;
    case SONDE_RECORD_RUN_END:
        read_run_end(reader, line, &to->u.run_end);
        return true;
    case SONDE_RECORD_BEGIN:
        return true;
    case SONDE_RECORD_ERROR:
    case SONDE_RECORD_CYCLE:
    case SONDE_RECORD_PATH_CHANGE:
    case SONDE_RECORD_VERDICT:
    case SONDE_RECORD_EPISODE:
    case SONDE_RECORD_TYPE_COUNT:
        break;
    }
    return false;
}

/* Find the type of a line. @return SONDE_RECORD_TYPE_COUNT if it is not known. */
static enum sonde_record_type read_type(struct record_reader *reader, const cJSON *line)
{
    const char *word = take_needed(reader, line, "type");
    int type = 0;
    while (type < SONDE_RECORD_TYPE_COUNT && strcmp(word, type_word(type)) != 0)
        type++;
    return (enum sonde_record_type)type;
}

/* Is a text a UUID in the form that a run has it? RFC 9562 §4. */
static bool is_run_id(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    static_assert(sizeof form == SONDE_RUN_ID_BYTES, "its length");
    size_t i = 0;
    while (text[i] != '\0' && form[i] != '\0' &&
           (form[i] == '-' ? text[i] == '-' : strchr("0123456789abcdef", text[i]) != NULL))
        i++;
    return text[i] == '\0' && form[i] == '\0';
}

static bool read_line(struct record_reader *reader, const cJSON *line)
{
    struct sonde_record *to = &reader->record;
    const char *run_id = NULL;
    memset(to, 0, sizeof *to);
    if (!cJSON_IsObject(line) ||
        strcmp(take_needed(reader, line, "schema"), "sonde.event/1") != 0) {
        take_fail(reader, "it is none of sonde.event/1");
        return true;
    }
    to->type = read_type(reader, line);
    to->time_ns = take_time(reader, line, "time");
    to->n = take_count(reader, line, "n", UINT64_C(1) << 53);
    run_id = take_needed(reader, line, "run_id");
    if (!is_run_id(run_id))
        take_fail(reader, "the name of the run is none");
    else
        memcpy(to->run_id, run_id, sizeof to->run_id);
    return read_body(reader, line, to);
}

int record_read(struct record_reader *reader, struct sonde_span line,
                const struct sonde_record **ret_record, const char **reterr)
{
    const char *end = NULL;
    if (line.len >= RECORD_LINE_MAX) {
        *reterr = "it is longer than 64 KiB";
        return -EINVAL;
    }
    cJSON_Delete(reader->line);
    reader->why = NULL;
    reader->port_count = 0;
    reader->line = cJSON_ParseWithLengthOpts((const char *)line.data, line.len, &end, false);
    if (reader->line == NULL || end != (const char *)line.data + line.len) {
        *reterr = "it is no JSON";
        return -EINVAL;
    }
    bool says = read_line(reader, reader->line);
    if (reader->why != NULL) {
        *reterr = reader->why;
        return -EINVAL;
    }
    *ret_record = &reader->record;
    return says ? 0 : 1;
}
