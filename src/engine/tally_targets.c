/* SPDX-License-Identifier: BSD-2-Clause */
/* Tallies and their targets, and which traces are flows of one service; see engine/tally.h. */
#include "engine/tally_parts.h"

#include <errno.h>
#include <stdlib.h>

int tally_new(uint8_t max_ttl, struct tally **ret_tally)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return -ENOMEM;
    tally->max_ttl = max_ttl;
    *ret_tally = tally;
    return 0;
}

static void service_deinit(struct tally_service *service, uint8_t max_ttl)
{
    for (unsigned ttl = 0; service->hops != NULL && ttl <= max_ttl; ttl++)
        hop_free(service->hops[ttl]);
    free(service->hops);
    rtt_deinit(&service->rtt);
    epochs_deinit(&service->epochs);
    free(service->way_changes.items);
}

static void service_free(struct tally_service *service, uint8_t max_ttl)
{
    if (service != NULL)
        service_deinit(service, max_ttl);
    free(service);
}

static void answered_free(struct tally_target *target, uint8_t max_ttl)
{
    for (unsigned ttl = 0; target->answered != NULL && ttl <= max_ttl; ttl++)
        free(target->answered[ttl]);
    free(target->answered);
}

/* Is what stands for a service in the whole what its only trace adds up to? */
static bool is_borrowed(const struct tally_target *target, uint32_t service)
{
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (target->services[i] == target->whole->services[service])
            return true;
    }
    return false;
}

static void whole_free(struct tally_target *target, uint8_t max_ttl)
{
    struct tally_target *whole = target->whole;
    if (whole == NULL)
        return;
    for (uint32_t i = 0; i < whole->service_count; i++) {
        if (!is_borrowed(target, i))
            service_free(whole->services[i], max_ttl);
    }
    free(whole->services);
    free(whole);
    target->whole = NULL;
}

static void target_free(struct tally_target *target, uint8_t max_ttl)
{
    if (target == NULL)
        return;
    whole_free(target, max_ttl);
    for (uint32_t i = 0; target->services != NULL && i < target->service_count; i++)
        service_free(target->services[i], max_ttl);
    answered_free(target, max_ttl);
    free(target->service_of);
    free(target->services);
    free(target);
}

struct tally *tally_free(struct tally *tally)
{
    if (tally == NULL)
        return NULL;
    for (uint32_t i = 0; i < tally->target_count; i++)
        target_free(tally->targets[i], tally->max_ttl);
    ids_deinit(&tally->target_ids);
    free(tally->targets);
    free(tally);
    return NULL;
}

/* A target without services, with places for so many; NULL if memory ran out. */
static struct tally_target *target_new(const struct sonde_addr *addr, uint32_t service_count)
{
    struct tally_target *target = calloc(1, sizeof *target);
    if (target == NULL)
        return NULL;
    target->addr = *addr;
    target->service_count = service_count;
    target->services =
        calloc(service_count > 0 ? service_count : 1, sizeof(struct tally_service *));
    if (target->services != NULL)
        return target;
    free(target);
    return NULL;
}

/* Make room for the number of one more target. */
static int grow(struct tally *tally)
{
    uint32_t cap = tally->target_count + 1;
    struct tally_target **targets = realloc(tally->targets, cap * sizeof(struct tally_target *));
    if (targets == NULL)
        return -ENOMEM;
    tally->targets = targets;
    return ids_grow(&tally->target_ids, cap);
}

int tally_add_target(struct tally *tally, const struct sonde_addr *addr, uint32_t service_count)
{
    int r = ids_available(&tally->target_ids) ? 0 : grow(tally);
    if (r < 0)
        return r;
    struct tally_target *target = target_new(addr, service_count);
    if (target == NULL)
        return -ENOMEM;
    target->answered = calloc(tally->max_ttl + 1U, sizeof *target->answered);
    bool failed = target->answered == NULL;
    for (uint32_t i = 0; !failed && i < service_count; i++) {
        target->services[i] = calloc(1, sizeof(struct tally_service));
        failed = target->services[i] == NULL;
    }
    if (failed) {
        target_free(target, tally->max_ttl);
        return -ENOMEM;
    }
    tally->targets[ids_take(&tally->target_ids)] = target;
    tally->target_count = tally->target_ids.next;
    return 0;
}

int tally_set_flows(struct tally *tally, uint32_t index, const uint32_t *flows, uint32_t count)
{
    struct tally_target *target = tally->targets[index];
    if (count == target->service_count)
        return 0; /* one each */
    target->service_of = calloc(target->service_count, sizeof *target->service_of);
    target->whole = target_new(&target->addr, count);
    bool failed = target->service_of == NULL || target->whole == NULL;
    uint32_t trace = 0;
    for (uint32_t i = 0; !failed && i < count; i++) {
        struct tally_service **service = &target->whole->services[i];
        *service = flows[i] > 1 ? calloc(1, sizeof **service) : target->services[trace];
        failed = *service == NULL;
        for (uint32_t flow = 0; flow < flows[i]; flow++)
            target->service_of[trace++] = i;
    }
    if (!failed)
        return 0;
    whole_free(target, tally->max_ttl);
    free(target->service_of);
    target->service_of = NULL;
    return -ENOMEM;
}

/* Make room for so many more services. */
static int grow_services(struct tally_target *target, uint32_t more)
{
    size_t count = target->service_count + more;
    struct tally_service **services =
        realloc(target->services, count * sizeof(struct tally_service *));
    if (services == NULL)
        return -ENOMEM;
    target->services = services;
    return 0;
}

/* Let a target know its services apart from its traces, of which each has one so far. */
static int make_whole(struct tally *tally, struct tally_target *target)
{
    uint32_t count = target->service_count;
    uint32_t *service_of = calloc(count > 0 ? count : 1, sizeof *service_of);
    struct tally_target *whole = target_new(&target->addr, count);
    if (service_of == NULL || whole == NULL) {
        free(service_of);
        target_free(whole, tally->max_ttl);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        service_of[i] = i;
        whole->services[i] = target->services[i];
    }
    target->service_of = service_of;
    target->whole = whole;
    return 0;
}

/* Add traces that show nothing yet. */
static int add_traces(struct tally_target *target, uint32_t flows)
{
    int r = grow_services(target, flows);
    uint32_t made = 0;
    for (; r == 0 && made < flows; made++) {
        struct tally_service *trace = calloc(1, sizeof *trace);
        target->services[target->service_count + made] = trace;
        r = trace == NULL ? -ENOMEM : 0;
    }
    for (uint32_t i = 0; r < 0 && i < made; i++)
        free(target->services[target->service_count + i]);
    if (r == 0)
        target->service_count += flows;
    return r;
}

/* Add to the whole what traces from @p first on add up to. */
static int add_to_whole(struct tally_target *target, uint32_t first, uint32_t flows)
{
    struct tally_target *whole = target->whole;
    uint32_t *service_of =
        realloc(target->service_of, (first + flows) * sizeof *target->service_of);
    if (service_of == NULL)
        return -ENOMEM;
    target->service_of = service_of;
    if (grow_services(whole, 1) < 0)
        return -ENOMEM;
    struct tally_service *service =
        flows > 1 ? calloc(1, sizeof *service) : target->services[first];
    if (service == NULL)
        return -ENOMEM;
    for (uint32_t i = first; i < first + flows; i++)
        service_of[i] = whole->service_count;
    whole->services[whole->service_count++] = service;
    return 0;
}

int tally_add_service(struct tally *tally, uint32_t index, uint32_t flows)
{
    struct tally_target *target = tally->targets[index];
    uint32_t first = target->service_count;
    int r = target->whole == NULL && flows > 1 ? make_whole(tally, target) : 0;
    if (r == 0)
        r = add_traces(target, flows);
    if (r < 0 || target->whole == NULL)
        return r;
    r = add_to_whole(target, first, flows);
    for (uint32_t i = first; r < 0 && i < first + flows; i++)
        free(target->services[i]);
    if (r < 0)
        target->service_count = first;
    return r;
}

static void clear(struct tally_service *service, uint8_t max_ttl)
{
    service_deinit(service, max_ttl);
    *service = (struct tally_service){.sent = 0};
}

void tally_clear(struct tally *tally, uint32_t index, uint32_t trace)
{
    struct tally_target *target = tally->targets[index];
    struct tally_service *whole =
        tally_by_service(target)->services[tally_service_of(target, trace)];
    clear(target->services[trace], tally->max_ttl);
    if (whole != target->services[trace])
        clear(whole, tally->max_ttl);
}

const struct tally_target *tally_by_service(const struct tally_target *target)
{
    return target->whole != NULL ? target->whole : target;
}

uint32_t tally_service_of(const struct tally_target *target, uint32_t trace)
{
    return target->whole != NULL ? target->service_of[trace] : trace;
}

struct tally_service *const *tally_flows_of(const struct tally_target *target, uint32_t service,
                                            uint32_t *ret_count)
{
    uint32_t first = 0;
    *ret_count = 0;
    while (tally_service_of(target, first) != service)
        first++;
    for (uint32_t i = first; i < target->service_count && tally_service_of(target, i) == service;
         i++)
        (*ret_count)++;
    return &target->services[first];
}

void tally_remove_target(struct tally *tally, uint32_t index)
{
    target_free(tally->targets[index], tally->max_ttl);
    tally->targets[index] = NULL;
    ids_give_back(&tally->target_ids, index);
}
