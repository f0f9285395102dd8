/* SPDX-License-Identifier: BSD-2-Clause */
/* Services are added to a target, and removed from it, at any time. All addresses of a name have
 * the same ones. A removed one keeps its number, so that what events say stays true. */
#include "engine/engine.h"
#include "run/recorder.h"

#include <errno.h>
#include <string.h>

static bool is_there(const struct sonde_run *run, uint32_t target)
{
    return target < run->target_count && !run->targets[target].removed &&
           run->targets[target].eldest == target;
}

/* Find a service of a target at a port: one that was asked for, or that stands by.
 * @return The number of its services if it has none. */
static uint32_t find_port(const struct run_target *target, const struct sonde_service *wanted,
                          bool standby)
{
    const struct sonde_probe_ops *ops = probe_by_name(wanted->protocol);
    uint32_t i = 0;
    for (; i < target->service_count; i++) {
        const struct run_service *service = &target->services[i];
        if (service->ops == ops && service->port == wanted->port && service->standby == standby &&
            !service->removed)
            break;
    }
    return i;
}

/* Has a target no place for so many flows of another service? */
static bool is_full(const struct run_target *target, uint32_t flows)
{
    uint64_t all = flows;
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (!target->services[i].standby)
            all += target->services[i].flows; /* removed ones keep their places */
    }
    return target->service_count == TARGET_SERVICES_MAX || all > SONDE_TARGET_FLOWS_MAX;
}

/* Has an address of a name no cycle to come, by what is measured of it? */
static bool is_over(const struct sonde_run *run, uint32_t eldest)
{
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling) {
        const struct run_target *target = &run->targets[i];
        for (uint32_t k = 0; k < target->service_count; k++) {
            if (run_is_placed(target, k) &&
                !engine_has_cycles(run->engine_run, target->places[k].target))
                return true;
        }
    }
    return false;
}

/* May a service be added to a target? */
static int check(const struct sonde_run *run, uint32_t target, const struct sonde_service *service)
{
    if (!is_there(run, target))
        return -ENOENT;
    if (run->started &&
        (run->engine_run == NULL || engine_ended(run->engine_run) != ENGINE_RUNNING))
        return -EBUSY;
    const struct run_target *first = &run->targets[target];
    if (find_port(first, service, false) < first->service_count)
        return -EEXIST;
    if (is_full(first, run_count_flows(run, service)))
        return -E2BIG;
    return is_over(run, target) ? -EBUSY : 0;
}

int run_grow_places(struct sonde_run *run, struct run_target *target)
{
    struct arena *arena = run_arena(run, target);
    uint32_t count = target->service_count;
    if (target->places == NULL)
        return 0;
    struct engine_place *places = arena_alloc(arena, count + 1, sizeof *places);
    int *errors = arena_alloc(arena, count + 1, sizeof *errors);
    if (places == NULL || errors == NULL)
        return -ENOMEM;
    memcpy(places, target->places, count * sizeof *places);
    memcpy(errors, target->errors, count * sizeof *errors);
    places[count].target = NOT_TRACED;
    target->places = places;
    target->errors = errors;
    return 0;
}

/* Let all addresses of a name have one more service. */
static int append(struct sonde_run *run, uint32_t eldest, const struct run_service *service)
{
    struct run_target *first = &run->targets[eldest];
    uint32_t count = first->service_count;
    struct run_service *services = arena_alloc(run_arena(run, first), count + 1, sizeof *services);
    if (services == NULL)
        return -ENOMEM;
    memcpy(services, first->services, count * sizeof *services);
    services[count] = *service;
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling) {
        if (run_grow_places(run, &run->targets[i]) < 0)
            return -ENOMEM;
    }
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling) {
        run->targets[i].services = services;
        run->targets[i].service_count++;
        recorder_note_target(run, i);
    }
    return 0;
}

/* Measure a service at an address. If it stands by there already, it is begun. */
static int measure(struct sonde_run *run, uint32_t index, uint32_t service, uint32_t standby)
{
    struct run_target *target = &run->targets[index];
    bool stands_by =
        standby < service && target->places != NULL && target->places[standby].target != NOT_TRACED;
    if (!stands_by)
        return run_trace_service(run, index, service);
    if (!engine_begin_standby(run->engine_run, &target->places[standby], run->vantage->now_ns))
        return -EBUSY;
    target->places[service] = target->places[standby];
    target->places[standby].target = NOT_TRACED;
    return 0;
}

/* Nobody asks for a service of a name any more. */
static void drop(struct sonde_run *run, uint32_t eldest, uint32_t service)
{
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling)
        run_let_go(run, &run->targets[i], service);
    run->targets[eldest].services[service].removed = true;
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling) {
        struct run_target *target = &run->targets[i];
        run_forget_events(run, i, service);
        if (!run_is_placed(target, service))
            continue;
        struct engine_place *place = &target->places[service];
        run_remove_unreported(run, place->target);
        if (run->traced[place->target] != i)
            place->target = NOT_TRACED; /* what is measured for another one it knows no more */
    }
    if (run->engine_run != NULL)
        run_pause_unwanted(run);
}

int sonde_run_add_service(struct sonde_run *run, uint32_t target,
                          const struct sonde_service *service, uint32_t *ret_service)
{
    struct run_service own = {.ops = NULL};
    int r = check(run, target, service);
    if (r == 0 && run->started)
        r = vantage_look_at_clock(run->vantage);
    if (r < 0)
        return r;
    const struct run_target *first = &run->targets[target];
    r = run_take_service(run, run_arena(run, first), service, &own);
    uint32_t index = first->service_count;
    uint32_t standby =
        own.flows == 1 && own.payload != &payload_own ? find_port(first, service, true) : index;
    if (r == 0)
        r = append(run, target, &own);
    if (r < 0)
        return r;
    for (uint32_t i = target; r == 0 && i != NO_TARGET; i = run->targets[i].sibling)
        r = measure(run, i, index, standby);
    if (r < 0)
        drop(run, target, index);
    else if (ret_service != NULL)
        *ret_service = index;
    return r;
}

int sonde_run_remove_service(struct sonde_run *run, uint32_t target, uint32_t service)
{
    if (!is_there(run, target))
        return -ENOENT;
    const struct run_target *first = &run->targets[target];
    if (service >= first->service_count || first->services[service].removed ||
        first->services[service].standby)
        return -ENOENT;
    uint32_t left = 0;
    for (uint32_t i = 0; i < first->service_count; i++)
        left += !first->services[i].standby && !first->services[i].removed;
    if (left == 1)
        return -EINVAL;
    drop(run, target, service);
    if (recorder_has_told(run, target)) /* else its first record says so */
        recorder_note_action(run, SONDE_RECORD_REMOVED, target, service);
    return 0;
}
