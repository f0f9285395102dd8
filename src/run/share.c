/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services that several targets ask: a hundred names of one address, a name beside its address, the
 * same line twice. They are measured once, and every target reports what came of it.
 *
 * A target whose services another one of the same address has, all of them, shares all that is
 * measured there. One that asks more is measured by itself, so that its services are compared with
 * each other; of these, only what there is no further source port for is taken from where it is
 * measured already.
 */
#include "run/internal.h"

#include <string.h>

static bool is_same_span(struct sonde_span a, struct sonde_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Do two services of one address ask the same? */
static bool is_same(const struct run_service *a, const struct run_service *b)
{
    return a->ops == b->ops && a->port == b->port && a->flows == b->flows &&
           a->payload == b->payload && is_same_span(a->question, b->question) &&
           is_same_span(a->expects, b->expects);
}

/* Would a service be asked in the same words for another target? A question may say the name. */
static bool is_same_for(const struct run_service *service, const struct run_target *target,
                        const struct run_target *other)
{
    const char *a = target->question_host;
    const char *b = other->question_host;
    return !payload_says_host(service->payload) || a == b ||
           (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The target that something is measured for, and reported for by those that share it, too. */
static const struct run_target *owner_of(const struct sonde_run *run,
                                         const struct engine_place *place)
{
    return &run->targets[run->traced[place->target]];
}

bool run_find_service(const struct run_target *target, const struct engine_place *place,
                      uint32_t *ret_service, uint32_t *ret_flow)
{
    for (uint32_t i = 0; target->places != NULL && i < target->service_count; i++) {
        const struct engine_place *first = &target->places[i];
        if (first->target != place->target || place->trace < first->trace ||
            place->trace >= first->trace + target->services[i].flows)
            continue;
        *ret_service = i;
        *ret_flow = place->trace - first->trace;
        return true;
    }
    return false;
}

const struct run_service *run_service_at(const struct sonde_run *run,
                                         const struct engine_place *place, uint32_t *ret_flow)
{
    const struct run_target *owner = owner_of(run, place);
    uint32_t i = 0;
    *ret_flow = 0;
    (void)run_find_service(owner, place, &i, ret_flow); /* it has all that is measured there */
    return &owner->services[i];
}

static struct sonde_flow flow_of(const struct run_target *target, const struct run_service *service)
{
    return (struct sonde_flow){
        .dst = target->addr, .protocol = service->ops->protocol, .dst_port = service->port};
}

/*
 * Find where a service of a target is measured already: in one target of the engine, or in any.
 * What stands by for comparison is only found where it does so, too; what is asked for is found
 * last where it stands by, because there it may never be asked.
 */
static bool find_place(const struct sonde_run *run, const struct run_target *target,
                       const struct run_service *service, uint32_t within,
                       struct engine_place *ret_place)
{
    const struct sonde_flow flow = flow_of(target, service);
    struct engine_place place;
    bool found = false;
    for (uint32_t nth = 0; engine_find_flow(run->engine_run, &flow, nth, &place); nth++) {
        uint32_t which;
        const struct run_service *other = run_service_at(run, &place, &which);
        bool fits = which == 0 && is_same(service, other) &&
                    is_same_for(service, target, owner_of(run, &place)) &&
                    (within == NOT_TRACED || place.target == within);
        if (fits && service->standby == other->standby) {
            *ret_place = place;
            return true;
        }
        if (fits && !service->standby && !found) {
            *ret_place = place;
            found = true;
        }
    }
    return found;
}

/* Find all services of a target within one of the engine. What stands by may be missing. */
static bool find_all(const struct sonde_run *run, const struct run_target *target, uint32_t within,
                     struct engine_place *places)
{
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct run_service *service = &target->services[i];
        if (service->removed)
            continue;
        bool found = find_place(run, target, service, within, &places[i]);
        if (!found)
            places[i].target = NOT_TRACED;
        uint32_t which;
        if (!service->standby && (!found || run_service_at(run, &places[i], &which)->standby))
            return false;
    }
    return true;
}

/* The service of a target that the fewest others ask: who has all of its services has this one. */
static const struct run_service *rarest_service(const struct sonde_run *run,
                                                const struct run_target *target)
{
    const struct run_service *rarest = NULL;
    uint32_t fewest = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct run_service *service = &target->services[i];
        const struct sonde_flow flow = flow_of(target, service);
        bool counts = !service->standby && !service->removed;
        uint32_t count = counts ? engine_count_flows(run->vantage->engine, &flow) : 0;
        if (counts && (rarest == NULL || count < fewest)) {
            rarest = service;
            fewest = count;
        }
    }
    return rarest;
}

bool run_share_all(struct sonde_run *run, struct run_target *target)
{
    const struct run_service *rarest = rarest_service(run, target);
    struct engine_place place;
    if (rarest == NULL)
        return false;
    const struct sonde_flow flow = flow_of(target, rarest);
    for (uint32_t nth = 0; engine_find_flow(run->engine_run, &flow, nth, &place); nth++) {
        bool is_old = run->plan.stays_open && engine_is_done(run->engine_run, place.target);
        if (!is_old && find_all(run, target, place.target, target->places))
            return true;
    }
    return false;
}

bool run_share_one(struct sonde_run *run, struct run_target *target, uint32_t index)
{
    struct engine_place *place = &target->places[index];
    const struct run_service *service = &target->services[index];
    return find_place(run, target, service, NOT_TRACED, place) &&
           (service->standby || engine_begin_standby(run->engine_run, place, run->vantage->now_ns));
}
