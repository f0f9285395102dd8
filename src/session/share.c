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
#include "session/internal.h"

#include <string.h>

static bool is_same_span(struct sonde_span a, struct sonde_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Do two services of one address ask the same? */
static bool is_same(const struct session_service *a, const struct session_service *b)
{
    return a->ops == b->ops && a->port == b->port && a->payload == b->payload &&
           is_same_span(a->question, b->question) && is_same_span(a->expects, b->expects);
}

/* Would a service be asked in the same words for another target? A question may say the name. */
static bool is_same_for(const struct session_service *service, const struct session_target *target,
                        const struct session_target *other)
{
    const char *a = target->question_host;
    const char *b = other->question_host;
    return !payload_says_host(service->payload) || a == b ||
           (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_at(const struct engine_place *a, const struct engine_place *b)
{
    return a->target == b->target && a->trace == b->trace;
}

/* The target that something is measured for, and reported for by those that share it, too. */
static const struct session_target *owner_of(const struct sonde_session *session,
                                             const struct engine_place *place)
{
    return &session->targets[session->traced[place->target]];
}

const struct session_service *session_service_at(const struct sonde_session *session,
                                                 const struct engine_place *place)
{
    const struct session_target *owner = owner_of(session, place);
    uint32_t i = 0;
    while (!is_at(&owner->places[i], place)) /* the owner has all that is measured there */
        i++;
    return &owner->services[i];
}

static struct sonde_flow flow_of(const struct session_target *target,
                                 const struct session_service *service)
{
    return (struct sonde_flow){
        .dst = target->addr, .protocol = service->ops->protocol, .dst_port = service->port};
}

/*
 * Find where a service of a target is measured already: in one target of the engine, or in any.
 * What stands by for comparison is only found where it does so, too; what is asked for is found
 * last where it stands by, because there it may never be asked.
 */
static bool find_place(const struct sonde_session *session, const struct session_target *target,
                       const struct session_service *service, uint32_t within,
                       struct engine_place *ret_place)
{
    const struct sonde_flow flow = flow_of(target, service);
    struct engine_place place;
    bool found = false;
    for (uint32_t nth = 0; engine_find_flow(session->run, &flow, nth, &place); nth++) {
        const struct session_service *other = session_service_at(session, &place);
        bool fits = is_same(service, other) &&
                    is_same_for(service, target, owner_of(session, &place)) &&
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
static bool find_all(const struct sonde_session *session, const struct session_target *target,
                     uint32_t within, struct engine_place *places)
{
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct session_service *service = &target->services[i];
        bool found = find_place(session, target, service, within, &places[i]);
        if (!found)
            places[i].target = NOT_TRACED;
        if (!service->standby && (!found || session_service_at(session, &places[i])->standby))
            return false;
    }
    return true;
}

/* The service of a target that the fewest others ask: who has all of its services has this one. */
static const struct session_service *rarest_service(const struct sonde_session *session,
                                                    const struct session_target *target)
{
    const struct session_service *rarest = NULL;
    uint32_t fewest = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct session_service *service = &target->services[i];
        const struct sonde_flow flow = flow_of(target, service);
        uint32_t count = service->standby ? 0 : engine_count_flows(session->engine, &flow);
        if (!service->standby && (rarest == NULL || count < fewest)) {
            rarest = service;
            fewest = count;
        }
    }
    return rarest;
}

bool session_share_all(struct sonde_session *session, struct session_target *target)
{
    const struct session_service *rarest = rarest_service(session, target);
    struct engine_place place;
    if (rarest == NULL)
        return false;
    const struct sonde_flow flow = flow_of(target, rarest);
    for (uint32_t nth = 0; engine_find_flow(session->run, &flow, nth, &place); nth++) {
        if (find_all(session, target, place.target, target->places))
            return true;
    }
    return false;
}

bool session_share_one(struct sonde_session *session, struct session_target *target, uint32_t index)
{
    struct engine_place *place = &target->places[index];
    const struct session_service *service = &target->services[index];
    return find_place(session, target, service, NOT_TRACED, place) &&
           (service->standby || engine_begin_standby(session->run, place));
}
