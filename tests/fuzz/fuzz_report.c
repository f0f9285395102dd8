/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reports of a snapshot whose names, interface names, numbers and shape come from the input.
 * The text must be fit for a terminal, and cJSON must read back what it wrote.
 */
#include "base/arena.h"
#include "fuzz.h"
#include "report/report.h"

#include <cjson/cJSON.h>
#include <string.h>

struct maker {
    struct rd in;
    struct arena arena;
};

/* A string as it may come from outside: any bytes but NUL; now and then none. */
static const char *make_string(struct maker *maker)
{
    struct sonde_span bytes = rd_span(&maker->in, rd_u8(&maker->in) % 80);
    char *string = arena_alloc(&maker->arena, 1, bytes.len + 1);
    if (bytes.len > 0)
        memcpy(string, bytes.data, bytes.len);
    return string; /* the arena's memory is zero: there is a NUL behind it */
}

static const char *make_optional_string(struct maker *maker)
{
    return (rd_u8(&maker->in) & 1) != 0 ? make_string(maker) : NULL;
}

static struct sonde_addr make_address(struct maker *maker)
{
    struct sonde_addr addr = {0};
    uint8_t choice = rd_u8(&maker->in) % 3;
    addr.family = choice == 0 ? SONDE_FAMILY_NONE : choice == 1 ? 4 : 6;
    rd_copy(&maker->in, addr.bytes, choice == 0 ? 0 : choice == 1 ? 4 : 16);
    if (choice == 2)
        addr.scope = rd_u8(&maker->in);
    return addr;
}

/* A time that was measured, or -1. */
static sonde_ns make_ns(struct maker *maker)
{
    return (sonde_ns)(rd_u64(&maker->in) >> 1 >> rd_u8(&maker->in) % 64) - 1;
}

static struct sonde_rtt make_rtt(struct maker *maker)
{
    struct sonde_rtt rtt = {.samples = rd_u8(&maker->in) % 4};
    if (rtt.samples == 0)
        return rtt;
    sonde_ns *const values[] = {&rtt.last_ns, &rtt.min_ns,    &rtt.avg_ns,
                                &rtt.max_ns,  &rtt.stddev_ns, &rtt.p50_ns,
                                &rtt.p95_ns,  &rtt.p99_ns,    &rtt.jitter_ns};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        *values[i] = make_ns(maker);
    return rtt;
}

static void make_extension(struct maker *maker, struct sonde_extension *item)
{
    item->kind = (enum sonde_extension_kind)(rd_u8(&maker->in) % 3);
    item->class_num = rd_u8(&maker->in);
    item->c_type = rd_u8(&maker->in);
    struct sonde_interface *interface = &item->u.interface;
    switch (item->kind) {
    case SONDE_EXTENSION_MPLS:
        item->u.mpls.count = rd_u8(&maker->in) % (SONDE_MPLS_LABELS_MAX + 1);
        for (unsigned i = 0; i < item->u.mpls.count; i++)
            item->u.mpls.labels[i].label = rd_u32(&maker->in) >> 12;
        break;
    case SONDE_EXTENSION_INTERFACE:
        interface->role = rd_u8(&maker->in) % 4;
        interface->index = rd_u32(&maker->in);
        interface->mtu = rd_u32(&maker->in);
        interface->addr = make_address(maker);
        rd_copy(&maker->in, (uint8_t *)interface->name,
                rd_u8(&maker->in) % SONDE_INTERFACE_NAME_BYTES);
        break;
    case SONDE_EXTENSION_RAW:
        item->u.raw.kept = rd_u8(&maker->in) % (SONDE_EXTENSION_RAW_MAX + 1);
        item->u.raw.len = item->u.raw.kept;
        rd_copy(&maker->in, item->u.raw.bytes, item->u.raw.kept);
        break;
    }
}

static struct sonde_responder make_responder(struct maker *maker)
{
    struct sonde_responder responder = {
        .address = make_address(maker),
        .hostname = make_optional_string(maker),
        .received = rd_u8(&maker->in),
        .kind = (enum sonde_outcome)(rd_u8(&maker->in) % SONDE_OUTCOME_COUNT),
        .reply_ttl = (int16_t)(rd_u8(&maker->in) - 1),
        .icmp_type = (int16_t)(rd_u8(&maker->in) - 1),
        .icmp_code = (int16_t)(rd_u8(&maker->in) - 1),
    };
    if ((rd_u8(&maker->in) & 1) != 0) {
        struct sonde_extensions *ext = arena_alloc(&maker->arena, 1, sizeof *ext);
        ext->count = rd_u8(&maker->in) % (SONDE_EXTENSIONS_MAX + 1);
        for (unsigned i = 0; i < ext->count; i++)
            make_extension(maker, &ext->items[i]);
        responder.extensions = ext;
    }
    return responder;
}

static struct sonde_hop make_hop(struct maker *maker, uint8_t ttl)
{
    struct sonde_hop hop = {
        .ttl = ttl,
        .sent = rd_u16(&maker->in),
        .rtt = make_rtt(maker),
        .loss_kind = (enum sonde_loss_kind)(rd_u8(&maker->in) % SONDE_LOSS_KIND_COUNT),
        .unlisted = rd_u8(&maker->in),
        .responder_count = rd_u8(&maker->in) % 4,
    };
    hop.received = hop.sent - hop.sent % (rd_u8(&maker->in) + 1U);
    struct sonde_responder *responders =
        arena_alloc(&maker->arena, hop.responder_count, sizeof *responders);
    for (size_t i = 0; i < hop.responder_count; i++)
        responders[i] = make_responder(maker);
    hop.responders = responders;
    return hop;
}

static const struct sonde_path *make_path(struct maker *maker)
{
    uint8_t hop_count = rd_u8(&maker->in) % 8;
    if (hop_count == 7)
        return NULL;
    struct sonde_path *path = arena_alloc(&maker->arena, 1, sizeof *path);
    struct sonde_hop *hops = arena_alloc(&maker->arena, hop_count, sizeof *hops);
    unsigned ttl = 0;
    for (; path->hop_count < hop_count && ttl < 240; path->hop_count++) {
        ttl += 1U + rd_u8(&maker->in) % 40;
        hops[path->hop_count] = make_hop(maker, (uint8_t)ttl);
    }
    path->hops = hops;
    path->reached = (rd_u8(&maker->in) & 1) != 0;
    if (path->hop_count > 0)
        hops[path->hop_count - 1].is_target = path->reached;
    path->dest_ttl = path->reached ? (uint8_t)ttl : 0;
    path->stop_reason = (enum sonde_stop_reason)(rd_u8(&maker->in) % SONDE_STOP_COUNT);
    path->path_id = rd_u64(&maker->in) >> 16;
    return path;
}

static struct sonde_service_result make_service(struct maker *maker)
{
    struct sonde_service_result service = {
        .service = "443/tcp",
        .protocol = "tcp",
        .port = 443,
        .name = make_optional_string(maker),
        .control = (rd_u8(&maker->in) & 1) != 0,
        .state = (enum sonde_state)(rd_u8(&maker->in) % SONDE_STATE_COUNT),
        .sent = rd_u32(&maker->in),
        .late = rd_u8(&maker->in),
        .duplicates = rd_u64(&maker->in),
        .rtt = make_rtt(maker),
        .verdict = {.level = (enum sonde_level)(rd_u8(&maker->in) % SONDE_LEVEL_COUNT),
                    .code = (enum sonde_code)(rd_u8(&maker->in) % SONDE_CODE_COUNT),
                    .text = "a sentence"},
        .confidence = (enum sonde_confidence)(rd_u8(&maker->in) % SONDE_CONFIDENCE_COUNT),
        .path = make_path(maker),
    };
    service.paths = service.path;
    service.path_count = service.path != NULL;
    service.received = service.sent - service.sent % (rd_u8(&maker->in) + 1U);
    service.outcomes[rd_u8(&maker->in) % SONDE_OUTCOME_COUNT] = service.sent;
    if ((rd_u8(&maker->in) & 1) != 0) {
        struct sonde_evidence *evidence = arena_alloc(&maker->arena, 1, sizeof *evidence);
        evidence->from = make_address(maker);
        service.evidence = evidence;
        struct sonde_blame *blame = arena_alloc(&maker->arena, 1, sizeof *blame);
        blame->reporter.address = make_address(maker);
        blame->last_seen.ttl = rd_u8(&maker->in);
        service.blame = blame;
    }
    return service;
}

static struct sonde_target_result make_target(struct maker *maker)
{
    struct sonde_target_result target = {
        .input = make_string(maker),
        .name = make_string(maker),
        .address = make_address(maker),
        .source = make_address(maker),
        .verdict = {.text = "a sentence"},
        .service_count = 1U + rd_u8(&maker->in) % 4,
    };
    struct sonde_service_result *services =
        arena_alloc(&maker->arena, target.service_count, sizeof *services);
    for (size_t i = 0; i < target.service_count; i++)
        services[i] = make_service(maker);
    target.services = services;
    return target;
}

static struct sonde_snapshot make_snapshot(struct maker *maker)
{
    struct sonde_snapshot snapshot = {
        .version = "0.1.0",
        .started_wall_ns = (sonde_ns)(rd_u64(&maker->in) >> 2),
        .duration_ns = (sonde_ns)(rd_u64(&maker->in) >> 2),
        .cycles_done = rd_u32(&maker->in),
        .vantage = {.hostname = make_string(maker), .interface = make_optional_string(maker)},
        .settings = {.cycles = rd_u32(&maker->in), .interval_ns = make_ns(maker)},
        .target_count = rd_u8(&maker->in) % 3,
        .problem_count = rd_u8(&maker->in) % 2,
    };
    struct sonde_target_result *targets =
        arena_alloc(&maker->arena, snapshot.target_count, sizeof *targets);
    for (size_t i = 0; i < snapshot.target_count; i++)
        targets[i] = make_target(maker);
    snapshot.targets = targets;
    struct sonde_problem *problems = arena_alloc(&maker->arena, 1, sizeof *problems);
    *problems = (struct sonde_problem){.target = make_string(maker), .text = "a sentence"};
    snapshot.problems = problems;
    return snapshot;
}

/* The member must be the string as it may be shown. */
static void check_string(const cJSON *object, const char *name, const char *value)
{
    struct text shown = {0};
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    text_add(&shown, "");
    text_add_untrusted(&shown, value, strlen(value));
    FUZZ_CHECK(cJSON_IsString(item) && strcmp(item->valuestring, shown.data) == 0);
    text_deinit(&shown);
}

static void check_json(const struct sonde_snapshot *snapshot)
{
    struct text text = {0};
    report_json(snapshot, &text);
    FUZZ_CHECK(text_ok(&text) && text.len > 0 && text.data[text.len - 1] == '\n');
    fuzz_check_shown(text.data, text.len - 1, false);
    cJSON *json = cJSON_ParseWithLength(text.data, text.len);
    FUZZ_CHECK(json != NULL);
    const cJSON *targets = cJSON_GetObjectItemCaseSensitive(json, "targets");
    FUZZ_CHECK((size_t)cJSON_GetArraySize(targets) == snapshot->target_count);
    for (size_t i = 0; i < snapshot->target_count; i++) {
        const cJSON *target = cJSON_GetArrayItem(targets, (int)i);
        check_string(target, "input", snapshot->targets[i].input);
        check_string(target, "name", snapshot->targets[i].name);
    }
    check_string(cJSON_GetObjectItemCaseSensitive(json, "vantage"), "hostname",
                 snapshot->vantage.hostname);
    cJSON_Delete(json);
    text_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maker maker = {.in = rd_init((struct sonde_span){data, size})};
    uint8_t choice = rd_u8(&maker.in);
    const struct report_style style = {
        .columns = (choice & 1) != 0 ? rd_u8(&maker.in) : 0,
        .ascii = (choice & 2) != 0,
        .color = (choice & 4) != 0,
        .addresses = (choice & 8) != 0,
        .extensions = (choice & 16) != 0,
    };
    const struct sonde_snapshot snapshot = make_snapshot(&maker);
    FUZZ_CHECK(arena_ok(&maker.arena));
    check_json(&snapshot);
    struct text text = {0};
    report_text(&snapshot, &style, &text);
    FUZZ_CHECK(text_ok(&text));
    if (!style.color) /* colours are the only escapes that a report may hold */
        fuzz_check_shown(text.data, text.len, true);
    text_deinit(&text);
    arena_deinit(&maker.arena);
    return 0;
}
