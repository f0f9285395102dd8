/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets of a run that is made of records; see run/replay.h. */
#include "run/replay.h"

#include "wire/ip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GAP_MAX = 64 /* numbers of targets that no record told of, in a row: all of a name */ };

/* Say why a record does not fit. @return -EINVAL. */
static int refuse(const char **ret_why, const char *why)
{
    *ret_why = why;
    return -EINVAL;
}

static int take_payload(const struct sonde_record_service *record, struct run_service *to,
                        const char **ret_why)
{
    if (record->payload == NULL)
        return 0;
    to->payload = strcmp(record->payload, payload_own.name) == 0 ? &payload_own
                                                                 : payload_by_name(record->payload);
    return to->payload != NULL && to->ops->protocol == IP_PROTO_UDP
               ? 0
               : refuse(ret_why, "a service is asked in no protocol that there is");
}

static int take_service(struct arena *arena, const struct sonde_record_service *record,
                        struct run_service *to, const char **ret_why)
{
    *to = (struct run_service){
        .ops = probe_by_name(record->protocol),
        .port = record->port,
        .name = arena_string(arena, record->name),
        .text = arena_string(arena, record->service),
        .control = record->control,
        .standby = record->standby,
        .removed = record->removed,
        .flows = record->flows,
        .expect = record->expect,
    };
    if (to->ops == NULL || to->ops->has_ports != (to->port != 0))
        return refuse(ret_why, "a service has no protocol that there is, or no port");
    return take_payload(record, to, ret_why);
}

/* Are there too many services or flows, or none, for one target? */
static bool is_out_of_bounds(const struct sonde_record_target *record)
{
    uint32_t flows = 0;
    for (size_t i = 0; i < record->service_count; i++)
        flows += record->services[i].flows;
    return record->service_count == 0 || record->service_count > TARGET_SERVICES_MAX ||
           flows > TARGET_FLOWS_MAX;
}

/* Make room for targets up to a number. Numbers in between are those of targets that were removed
 * before any record told of them. */
static int grow(struct sonde_run *run, uint32_t index)
{
    uint32_t count = index + 1;
    if (count <= run->target_count)
        return 0;
    struct run_next_hop *hops = realloc(run->next_hops, count * sizeof *hops);
    if (hops == NULL)
        return -ENOMEM;
    run->next_hops = hops;
    struct run_target *targets = realloc(run->targets, count * sizeof *targets);
    if (targets == NULL)
        return -ENOMEM;
    run->targets = targets;
    for (; run->target_count < count; run->target_count++)
        targets[run->target_count] = (struct run_target){.removed = true, .sibling = NO_TARGET};
    return 0;
}

/* Put a target where there is room for it. */
static void put(struct sonde_run *run, const struct run_target *target, uint32_t index)
{
    run->targets[index] = *target;
    run->next_hops[index] = (struct run_next_hop){.silent = false};
    run->vantage->target_count++;
}

/* Make the first address of a name. */
static int make_first(struct sonde_run *run, const struct sonde_record_target *record,
                      const char **ret_why)
{
    struct run_target target = {
        .sibling = NO_TARGET, .eldest = record->target, .problem = SONDE_CODE_OK};
    int r = 0;
    target.input = arena_string(&target.arena, record->input);
    target.host = arena_string(&target.arena, record->host);
    target.services = arena_alloc(&target.arena, record->service_count, sizeof *target.services);
    target.service_count = (uint32_t)record->service_count;
    for (uint32_t i = 0; r == 0 && target.services != NULL && i < target.service_count; i++)
        r = take_service(&target.arena, &record->services[i], &target.services[i], ret_why);
    if (r == 0)
        r = arena_ok(&target.arena) ? 0 : -ENOMEM;
    if (r == 0)
        put(run, &target, record->target);
    else
        arena_deinit(&target.arena);
    return r;
}

/* Make a further address of a name. */
static int make_sibling(struct sonde_run *run, const struct sonde_record_target *record,
                        const char **ret_why)
{
    uint32_t last = record->first;
    if (last >= run->target_count || run->targets[last].removed ||
        run->targets[last].eldest != last ||
        run->targets[last].service_count != record->service_count)
        return refuse(ret_why, "there is no such first address of a name");
    const struct run_target *eldest = &run->targets[last];
    const struct run_target target = {
        .input = eldest->input,
        .host = eldest->host,
        .services = eldest->services,
        .service_count = eldest->service_count,
        .sibling = NO_TARGET,
        .eldest = last,
        .paused = eldest->paused,
        .problem = SONDE_CODE_OK,
    };
    put(run, &target, record->target);
    while (run->targets[last].sibling != NO_TARGET)
        last = run->targets[last].sibling;
    run->targets[last].sibling = record->target;
    return 0;
}

static int make_target(struct sonde_run *run, const struct sonde_record_target *record,
                       const char **ret_why)
{
    if (record->target > run->target_count + GAP_MAX || vantage_is_full(run->vantage))
        return refuse(ret_why, "the number of a target is not one that comes next");
    if (record->target < run->target_count && run->targets[record->target].services != NULL)
        return refuse(ret_why, "the number of a target is that of one that others share");
    int r = grow(run, record->target);
    if (r < 0)
        return r;
    return record->first == record->target ? make_first(run, record, ret_why)
                                           : make_sibling(run, record, ret_why);
}

/* Take what may become known later than the target. */
static int take_state(struct sonde_run *run, struct run_target *target,
                      const struct sonde_record_target *record)
{
    struct arena *arena = run_arena(run, target);
    struct sonde_addr *known = arena_alloc(arena, record->address_count, sizeof *known);
    target->addr = record->address;
    target->source = record->source;
    target->problem = record->problem;
    target->problem_text = arena_string(arena, record->problem_text);
    target->known = known;
    target->known_count = known != NULL ? (uint32_t)record->address_count : 0;
    target->asked = 0;
    for (uint32_t i = 0; i < target->known_count; i++) {
        known[i] = record->addresses[i].address;
        target->asked |= (uint64_t)record->addresses[i].asked << i;
    }
    return arena_ok(arena) ? 0 : -ENOMEM;
}

/* Note the source ports of a service that is measured for itself. */
static int take_ports(struct sonde_replay *replay, const struct engine_place *place,
                      const struct sonde_record_service *record)
{
    if (place->target >= replay->port_cap) {
        uint32_t cap = 2 * place->target + 16;
        void *ports = realloc(replay->ports, cap * sizeof *replay->ports);
        if (ports == NULL)
            return -ENOMEM;
        replay->ports = ports;
        memset(replay->ports + replay->port_cap, 0,
               (cap - replay->port_cap) * sizeof *replay->ports);
        replay->port_cap = cap;
    }
    for (uint32_t i = 0; record->source_ports != NULL && i < record->flows; i++)
        replay->ports[place->target][place->trace + i] = record->source_ports[i];
    return 0;
}

/* Is a service to be measured for its target itself, from now on? */
static bool is_new(const struct run_target *target, const struct sonde_record_target *record,
                   uint32_t index)
{
    return record->services[index].measured_target == record->target &&
           !run_is_placed(target, index);
}

/* A control that stood by and is asked for now is measured where it was before. */
static void take_over_standbys(struct run_target *target, const struct sonde_record_target *record)
{
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct run_service *standby = &target->services[i];
        if (!standby->standby || !run_is_placed(target, i) ||
            record->services[i].measured_target != SONDE_RECORD_UNMEASURED)
            continue;
        for (uint32_t k = i + 1; k < target->service_count; k++) {
            const struct run_service *service = &target->services[k];
            if (!is_new(target, record, k) || service->ops != standby->ops ||
                service->port != standby->port)
                continue;
            target->places[k] = target->places[i];
            target->places[i].target = NOT_TRACED;
            break;
        }
    }
}

/* Where a target's own services are measured; NOT_TRACED: none is. */
static uint32_t find_own(const struct sonde_run *run, uint32_t index)
{
    const struct run_target *target = &run->targets[index];
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (run_is_placed(target, i) && run->traced[target->places[i].target] == index)
            return target->places[i].target;
    }
    return NOT_TRACED;
}

/* Put services that came later beside the others. */
static int place_beside(struct sonde_replay *replay, const struct sonde_record_target *record,
                        uint32_t nth)
{
    struct sonde_run *run = replay->run;
    struct run_target *target = &run->targets[record->target];
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < target->service_count; i++) {
        if (!is_new(target, record, i))
            continue;
        uint32_t first = run->tally->targets[nth]->service_count;
        if (first + target->services[i].flows > TARGET_FLOWS_MAX)
            return -E2BIG;
        r = tally_add_service(run->tally, nth, target->services[i].flows);
        if (r < 0)
            return r;
        target->places[i] = (struct engine_place){nth, first};
        r = take_ports(replay, &target->places[i], &record->services[i]);
    }
    return r;
}

/* Put those services of a target into the tally that are measured for itself. */
static int place_own(struct sonde_replay *replay, const struct sonde_record_target *record)
{
    struct sonde_run *run = replay->run;
    struct run_target *target = &run->targets[record->target];
    uint32_t nth = tally_next_target(run->tally);
    uint32_t counts[TARGET_SERVICES_MAX];
    uint32_t count = 0;
    uint32_t flows = 0;
    int r = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (!is_new(target, record, i))
            continue;
        counts[count++] = target->services[i].flows;
        flows += target->services[i].flows;
    }
    if (count > 0)
        r = run_note_traced(run, nth, record->target);
    if (count > 0 && r == 0)
        r = tally_add_target(run->tally, &target->addr, flows);
    if (count > 0 && r == 0)
        r = tally_set_flows(run->tally, nth, counts, count);
    uint32_t trace = 0;
    for (uint32_t i = 0; r == 0 && i < target->service_count; i++) {
        if (!is_new(target, record, i))
            continue;
        target->places[i] = (struct engine_place){nth, trace};
        trace += target->services[i].flows;
        r = take_ports(replay, &target->places[i], &record->services[i]);
    }
    return r;
}

/* Let those services of a target share what is measured for others. */
static int place_shared(struct sonde_run *run, const struct sonde_record_target *record,
                        const char **ret_why)
{
    struct run_target *target = &run->targets[record->target];
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct sonde_record_service *service = &record->services[i];
        target->errors[i] = -service->error;
        if (service->measured_target == SONDE_RECORD_UNMEASURED || run_is_placed(target, i))
            continue;
        const struct run_target *owner = service->measured_target < run->target_count
                                             ? &run->targets[service->measured_target]
                                             : NULL;
        if (owner == NULL || service->measured_service >= owner->service_count ||
            !run_is_placed(owner, service->measured_service) ||
            owner->services[service->measured_service].flows != target->services[i].flows)
            return refuse(ret_why, "a service shares what is not measured");
        target->places[i] = owner->places[service->measured_service];
    }
    return 0;
}

static int place(struct sonde_replay *replay, const struct sonde_record_target *record,
                 const char **ret_why)
{
    struct sonde_run *run = replay->run;
    struct run_target *target = &run->targets[record->target];
    bool any = false;
    for (size_t i = 0; i < record->service_count; i++)
        any |= record->services[i].measured_target != SONDE_RECORD_UNMEASURED;
    if (!any)
        return 0;
    if (target->addr.family == SONDE_FAMILY_NONE)
        return refuse(ret_why, "a target without an address is measured");
    if (target->places == NULL && !run_prepare(run, target))
        return -ENOMEM;
    take_over_standbys(target, record);
    uint32_t own = find_own(run, record->target);
    int r = own == NOT_TRACED ? place_own(replay, record) : place_beside(replay, record, own);
    if (r == -E2BIG)
        return refuse(ret_why, "a target has too many flows");
    if (r == 0)
        r = place_shared(run, record, ret_why);
    if (r == 0)
        run_note_vantage(run, record->target);
    return r;
}

/* Let all addresses of a name have the next service that a record has. */
static int add_service(struct sonde_run *run, const struct sonde_record_target *record,
                       const char **ret_why)
{
    struct run_target *first = &run->targets[record->target];
    struct arena *arena = run_arena(run, first);
    uint32_t count = first->service_count;
    struct run_service *services = arena_alloc(arena, count + 1, sizeof *services);
    if (services == NULL)
        return -ENOMEM;
    memcpy(services, first->services, count * sizeof *services);
    int r = take_service(arena, &record->services[count], &services[count], ret_why);
    for (uint32_t i = record->target; r == 0 && i != NO_TARGET; i = run->targets[i].sibling)
        r = run_grow_places(run, &run->targets[i]);
    if (r < 0)
        return r;
    for (uint32_t i = record->target; i != NO_TARGET; i = run->targets[i].sibling) {
        run->targets[i].services = services;
        run->targets[i].service_count++;
    }
    return 0;
}

int replay_target(struct sonde_replay *replay, const struct sonde_record_target *record,
                  const char **ret_why)
{
    struct sonde_run *run = replay->run;
    bool is_known = record->target < run->target_count && !run->targets[record->target].removed;
    if (is_out_of_bounds(record))
        return refuse(ret_why, "a target has no services, or too many");
    int r = is_known ? 0 : make_target(run, record, ret_why);
    if (r < 0)
        return r;
    struct run_target *target = &run->targets[record->target];
    while (r == 0 && target->eldest == record->target &&
           target->service_count < record->service_count)
        r = add_service(run, record, ret_why);
    if (r < 0)
        return r;
    if (target->service_count != record->service_count || target->eldest != record->first)
        return refuse(ret_why, "a target is another one than before");
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (target->services[i].flows != record->services[i].flows)
            return refuse(ret_why, "a service has other flows than before");
    }
    r = take_state(run, target, record);
    return r == 0 ? place(replay, record, ret_why) : r;
}
