/* SPDX-License-Identifier: BSD-2-Clause */
/* What is to be probed, as it is added to a run. */
#include "base/states.h"
#include "base/text.h"
#include "run/recorder.h"
#include "wire/ip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool sonde_payload_at(size_t index, struct sonde_payload *ret_payload)
{
    const struct payload_ops *ops = payload_at(index);
    if (ops == NULL)
        return false;
    *ret_payload = (struct sonde_payload){.name = ops->name, .silence = ops->silence};
    for (size_t i = 0; ops != NULL && i < SONDE_QUESTIONS_MAX; i++, ops = ops->next)
        ret_payload->asks[i] = ops->asks;
    for (size_t i = 0; i < SONDE_PAYLOAD_PORTS; i++)
        ret_payload->ports[i] = payload_port(index, i);
    return true;
}

/* Copy bytes of the user's. */
static int take_bytes(struct arena *arena, const uint8_t *bytes, size_t len,
                      struct sonde_span *ret_span)
{
    if (len > SONDE_QUESTION_BYTES)
        return -EINVAL;
    uint8_t *copy = arena_alloc(arena, len + 1, 1);
    if (copy == NULL)
        return -ENOMEM;
    if (len > 0)
        memcpy(copy, bytes, len);
    *ret_span = (struct sonde_span){copy, len};
    return 0;
}

/* Find out what a UDP port is asked. */
static int take_payload(struct arena *arena, const struct sonde_service *service,
                        struct run_service *own)
{
    bool named = service->payload != NULL || service->question != NULL;
    if (own->ops->protocol != IP_PROTO_UDP)
        return named ? -EINVAL : 0;
    if (service->question != NULL) {
        own->payload = &payload_own;
        int r = take_bytes(arena, service->question, service->question_bytes, &own->question);
        return r < 0 ? r
                     : take_bytes(arena, service->expects, service->expects_bytes, &own->expects);
    }
    if (service->payload == NULL)
        own->payload = payload_by_port(service->port);
    else if (strcmp(service->payload, "none") != 0)
        own->payload = payload_by_name(service->payload);
    bool unknown = service->payload != NULL && strcmp(service->payload, "none") != 0 &&
                   (own->payload == NULL || own->payload == &payload_own);
    return unknown ? -EINVAL : 0;
}

uint32_t run_count_flows(const struct sonde_run *run, const struct sonde_service *service)
{
    uint32_t usual = service->control ? 1 : run->plan.flows;
    return service->flows > 0 ? service->flows : usual;
}

int run_take_service(const struct sonde_run *run, struct arena *arena,
                     const struct sonde_service *service, struct run_service *own)
{
    struct text text = {0};
    own->ops = probe_by_name(service->protocol);
    if (own->ops == NULL || own->ops->has_ports != (service->port != 0) ||
        (service->expect & ~STATES_ALL) != 0 || service->flows > SONDE_FLOWS_MAX)
        return -EINVAL;
    if (own->ops->protocol == IP_PROTO_SCTP && !run->vantage->options.sctp)
        return -EINVAL; /* nothing that it takes is open */
    own->port = service->port;
    own->control = service->control;
    own->expect = service->expect;
    own->flows = run_count_flows(run, service);
    int r = take_payload(arena, service, own);
    if (r < 0)
        return r;
    own->name = arena_string(arena, service->name);
    if (own->ops->has_ports)
        text_addf(&text, "%u/", service->port);
    text_add(&text, own->ops->name);
    own->text = text_ok(&text) ? arena_string(arena, text.data) : NULL;
    text_deinit(&text);
    return own->text != NULL && arena_ok(arena) ? 0 : -ENOMEM;
}

static bool is_among(const struct sonde_service *services, size_t count, const char *protocol,
                     uint16_t port)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(services[i].protocol, protocol) == 0 && (port == 0 || services[i].port == port))
            return true;
    }
    return false;
}

/*
 * Let a port stand by for each protocol, for a silent one to be compared with: over TCP one that
 * firewalls are likely to pass, whether or not anything listens there; over UDP the one that
 * traceroute begins with, where nothing does.
 */
static int add_standbys(const struct sonde_run *run, struct arena *arena,
                        const struct sonde_service *services, size_t asked, struct run_service *own,
                        uint32_t *count)
{
    static const struct sonde_service standbys[] = {
        {.protocol = "tcp", .port = 443, .name = "https", .control = true},
        {.protocol = "tcp", .port = 80, .name = "http", .control = true},
        {.protocol = "udp", .port = 33434, .control = true},
    };
    const char *added = "";
    for (size_t i = 0; i < sizeof standbys / sizeof *standbys; i++) {
        const struct sonde_service *standby = &standbys[i];
        if (strcmp(standby->protocol, added) == 0 ||
            is_among(services, asked, standby->protocol, standby->port))
            continue;
        int r = run_take_service(run, arena, standby, &own[*count]);
        if (r < 0)
            return r;
        own[(*count)++].standby = true;
        added = standby->protocol;
    }
    return 0;
}

/* A control that this process is not allowed to probe: a target of other services can do without
 * it. */
static bool is_dispensable(const struct sonde_run *run, const struct sonde_service *service)
{
    return run->vantage->lacks_icmp && service->control && strcmp(service->protocol, "icmp") == 0;
}

/* Copy what is to be probed. @return 0; a negative errno. */
static int take_services(const struct sonde_run *run, struct arena *arena,
                         const struct sonde_service *services, size_t count,
                         struct run_service *own, uint32_t *own_count)
{
    size_t dispensable = 0;
    for (size_t i = 0; i < count; i++)
        dispensable += is_dispensable(run, &services[i]);
    for (size_t i = 0; i < count; i++) {
        if (dispensable < count && is_dispensable(run, &services[i]))
            continue;
        int r = run_take_service(run, arena, &services[i], &own[(*own_count)++]);
        if (r < 0)
            return r;
    }
    return run->plan.no_controls ? 0 : add_standbys(run, arena, services, count, own, own_count);
}

static bool are_too_many(const struct sonde_run *run, const struct sonde_service *services,
                         size_t count)
{
    uint64_t flows = 0;
    for (size_t i = 0; i < count; i++)
        flows += run_count_flows(run, &services[i]);
    return flows > SONDE_TARGET_FLOWS_MAX;
}

/* What a target takes of its arena, about: each string has an end, and a gap behind it. */
static size_t target_bytes(const char *input, const char *host, size_t services)
{
    enum { STRING_BYTES = 16, SERVICE_STRINGS = 2, TARGET_STRINGS = 3 };
    size_t service = sizeof(struct run_service) + sizeof(struct engine_place) + sizeof(int) +
                     SERVICE_STRINGS * STRING_BYTES;
    return services * service + strlen(input) + 2 * strlen(host) + TARGET_STRINGS * STRING_BYTES;
}

/* Copy what is to be a target. @return 0; a negative errno, and the arena has what was copied. */
static int take_target(const struct sonde_run *run, const char *input, const char *host,
                       const struct sonde_service *services, size_t count,
                       struct run_target *target)
{
    struct arena *arena = &target->arena;
    arena_expect(arena, target_bytes(input, host, count + STANDBYS_MAX));
    struct run_service *own = arena_alloc(arena, count + STANDBYS_MAX, sizeof *own);
    if (own == NULL)
        return -ENOMEM;
    target->services = own;
    target->input = arena_string(arena, input);
    target->host = arena_string(arena, host);
    int r = take_services(run, arena, services, count, own, &target->service_count);
    return r == 0 && !arena_ok(arena) ? -ENOMEM : r;
}

/* Make room for the number of one more target. */
static int grow(struct sonde_run *run)
{
    uint32_t cap = run->target_count + 1;
    struct run_target *targets = realloc(run->targets, cap * sizeof *targets);
    if (targets == NULL)
        return -ENOMEM;
    run->targets = targets;
    return ids_grow(&run->target_ids, cap);
}

int run_append(struct sonde_run *run, const struct run_target *target, uint32_t *ret_index)
{
    int r = ids_available(&run->target_ids) ? 0 : grow(run);
    if (r < 0)
        return r;
    uint32_t index = ids_take(&run->target_ids);
    run->target_count = run->target_ids.next;
    run->targets[index] = *target;
    if (target->eldest == NO_TARGET)
        run->targets[index].eldest = index;
    run->vantage->target_count++;
    *ret_index = index;
    recorder_new_target(run, index);
    return 0;
}

int sonde_run_add(struct sonde_run *run, const char *input, const char *host,
                  const struct sonde_service *services, size_t count, uint32_t *ret_target)
{
    struct run_target target = {
        .sibling = NO_TARGET, .eldest = NO_TARGET, .problem = SONDE_CODE_OK};
    uint32_t index = NO_TARGET;
    if (run->started &&
        (run->engine_run == NULL || engine_ended(run->engine_run) != ENGINE_RUNNING))
        return -EBUSY;
    if (count == 0 || count > SONDE_SERVICES_MAX + 1 || are_too_many(run, services, count))
        return -E2BIG;
    if (vantage_is_full(run->vantage))
        return -ENOSPC;
    int r = take_target(run, input, host, services, count, &target);
    if (r == 0 && run->started)
        r = vantage_look_at_clock(run->vantage);
    if (r == 0)
        r = run_append(run, &target, &index);
    if (r < 0) {
        arena_deinit(&target.arena);
        return r;
    }
    if (run->started)
        r = run_begin_target(run, index);
    if (r < 0)
        run_remove_target(run, index); /* what is there of it */
    else if (ret_target != NULL)
        *ret_target = index;
    return r;
}
