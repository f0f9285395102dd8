/* SPDX-License-Identifier: BSD-2-Clause */
/* The tally of probe records; see engine/tally.h. */
#include "engine/tally.h"

#include "base/prng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAK_BELIEVED = 2, /* answers in a row that make a new responder the path's */
    RESPONDERS_AT_FIRST = 2,
    CHANGE_CYCLES = 2, /* changes this close together are one change */
};

int tally_new(uint8_t max_ttl, struct tally **ret_tally)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return -ENOMEM;
    tally->max_ttl = max_ttl;
    *ret_tally = tally;
    return 0;
}

static void hop_free(struct tally_hop *hop)
{
    if (hop == NULL)
        return;
    for (uint32_t i = 0; i < hop->responder_count; i++)
        free(hop->responders[i].ext);
    free(hop->responders);
    rtt_deinit(&hop->rtt);
    free(hop);
}

static void service_deinit(struct tally_service *service, uint8_t max_ttl)
{
    for (unsigned ttl = 0; service->hops != NULL && ttl <= max_ttl; ttl++)
        hop_free(service->hops[ttl]);
    free(service->hops);
    rtt_deinit(&service->rtt);
}

struct tally *tally_free(struct tally *tally)
{
    if (tally == NULL)
        return NULL;
    for (uint32_t i = 0; i < tally->target_count; i++) {
        struct tally_target *target = &tally->targets[i];
        for (uint32_t k = 0; k < target->service_count; k++)
            service_deinit(&target->services[k], tally->max_ttl);
        free(target->services);
    }
    free(tally->targets);
    free(tally);
    return NULL;
}

int tally_add_target(struct tally *tally, const struct sonde_addr *addr, uint32_t service_count)
{
    struct tally_target target = {.addr = *addr, .service_count = service_count};
    target.services = calloc(service_count > 0 ? service_count : 1, sizeof *target.services);
    struct tally_target *targets =
        realloc(tally->targets, (tally->target_count + 1) * sizeof *targets);
    if (targets != NULL)
        tally->targets = targets;
    if (targets == NULL || target.services == NULL) {
        free(target.services);
        return -ENOMEM;
    }
    targets[tally->target_count++] = target;
    return 0;
}

/* The hop of a TTL, made if need be; NULL if memory ran out. */
static struct tally_hop *hop_at(struct tally *tally, struct tally_service *service, uint8_t ttl)
{
    if (service->hops == NULL)
        service->hops = calloc(tally->max_ttl + 1U, sizeof *service->hops);
    if (service->hops != NULL && service->hops[ttl] == NULL)
        service->hops[ttl] = calloc(1, sizeof **service->hops);
    return service->hops != NULL ? service->hops[ttl] : NULL;
}

/* The index of a responder, added if need be; UINT32_MAX if there are too many already. */
static uint32_t responder_index(struct tally_hop *hop, const struct sonde_addr *addr)
{
    uint32_t count = hop->responder_count;
    for (uint32_t i = 0; i < count; i++) {
        if (sonde_addr_equal(&hop->responders[i].addr, addr))
            return i;
    }
    if (count == TALLY_RESPONDERS_MAX)
        return UINT32_MAX;
    if (count == 0 || (count >= RESPONDERS_AT_FIRST && (count & (count - 1)) == 0)) {
        size_t room = count == 0 ? (size_t)RESPONDERS_AT_FIRST : 2 * (size_t)count;
        struct tally_responder *grown = realloc(hop->responders, room * sizeof *grown);
        if (grown == NULL)
            return UINT32_MAX;
        hop->responders = grown;
    }
    hop->responders[count] = (struct tally_responder){.addr = *addr};
    hop->responder_count++;
    return count;
}

static void keep_extensions(struct tally_responder *responder, const struct sonde_event *event)
{
    if (event->ext.count == 0)
        return;
    if (responder->ext == NULL)
        responder->ext = malloc(sizeof *responder->ext);
    if (responder->ext != NULL)
        *responder->ext = event->ext;
}

static void note_change(struct tally_service *service, uint32_t cycle)
{
    if (service->path_changes == 0 || cycle - service->changed_cycle >= CHANGE_CYCLES)
        service->path_changes++;
    service->changed_cycle = cycle;
}

/*
 * Does the path go through another responder now? An address that was never seen here before and
 * answers twice in a row has taken over. One that alternates with others was there all along: a
 * path that splits per packet is not a path that changes.
 */
static void follow(struct tally_service *service, struct tally_hop *hop, uint32_t index,
                   uint32_t cycle)
{
    hop->streak = index == hop->last ? hop->streak + 1 : 1;
    hop->last = index;
    if (index <= hop->current || hop->streak < STREAK_BELIEVED)
        return;
    hop->current = index;
    note_change(service, cycle);
}

static void hop_answered(struct tally_service *service, struct tally_hop *hop,
                         const struct sonde_event *event)
{
    hop->received++;
    if (event->rtt_ns >= 0)
        rtt_add(&hop->rtt, event->rtt_ns);
    uint32_t index = responder_index(hop, &event->from);
    if (index == UINT32_MAX) {
        hop->unlisted++;
        return;
    }
    struct tally_responder *responder = &hop->responders[index];
    responder->received++;
    responder->reply_ttl = event->reply_ttl;
    responder->icmp_type = event->icmp_type;
    responder->icmp_code = event->icmp_code;
    responder->kind = event->outcome;
    keep_extensions(responder, event);
    if (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
        follow(service, hop, index, event->cycle);
}

/* What a TTL-limited probe drew. */
static void count_at_hop(struct tally *tally, struct tally_service *service,
                         const struct sonde_event *event)
{
    if (event->outcome == SONDE_OUTCOME_SEND_ERROR || event->uncertain || event->to_target)
        return;
    struct tally_hop *hop = hop_at(tally, service, event->ttl);
    if (hop == NULL) {
        tally->unrecorded++;
        return;
    }
    hop->sent++;
    if (event->outcome != SONDE_OUTCOME_NO_REPLY)
        hop_answered(service, hop, event);
}

static void count_at_service(struct tally_service *service, const struct sonde_event *event,
                             bool is_target)
{
    if (event->outcome == SONDE_OUTCOME_SEND_ERROR)
        service->last_error = event->error;
    if (!event->to_target)
        return;
    service->outcomes[event->outcome].ended++;
    if (event->outcome != SONDE_OUTCOME_SEND_ERROR)
        service->sent++;
    if (!is_target)
        return;
    service->received++;
    if (event->rtt_ns >= 0)
        rtt_add(&service->rtt, event->rtt_ns);
}

/* Keep what an answer shows, whenever it came and whatever its probe was sent for. */
static void keep_evidence(struct tally_service *service, const struct sonde_event *event)
{
    if (event->outcome == SONDE_OUTCOME_NO_REPLY || event->outcome == SONDE_OUTCOME_SEND_ERROR)
        return;
    struct tally_outcome *outcome = &service->outcomes[event->outcome];
    if (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
        service->on_the_way++;
    else
        outcome->shown++;
    outcome->evidence = (struct tally_evidence){
        .valid = true,
        .from = event->from,
        .icmp_type = event->icmp_type,
        .icmp_code = event->icmp_code,
        .reply_ttl = event->reply_ttl,
        .probe_ttl = event->ttl,
    };
}

static void follow_reach(struct tally_service *service, const struct sonde_event *event,
                         bool is_target)
{
    uint32_t changes = service->reach.changes;
    reach_on_event(&service->reach, event, is_target);
    if (service->reach.changes != changes)
        note_change(service, event->cycle);
}

static void count_in_run(struct tally *tally, const struct sonde_event *event)
{
    bool unsent = event->outcome == SONDE_OUTCOME_SEND_ERROR;
    if (event->type == SONDE_EVENT_PROBE || event->type == SONDE_EVENT_UNAWAITED) {
        tally->send_errors += unsent;
        tally->sent_clocks[event->sent_clock] += !unsent;
    }
    tally->received_clocks[event->received_clock] += event->rtt_ns >= 0;
}

void tally_on_event(struct tally *tally, const struct sonde_event *event)
{
    if (event->target >= tally->target_count || event->ttl > tally->max_ttl ||
        event->service >= tally->targets[event->target].service_count ||
        (unsigned)event->outcome >= SONDE_OUTCOME_COUNT ||
        (unsigned)event->sent_clock >= SONDE_CLOCK_COUNT ||
        (unsigned)event->received_clock >= SONDE_CLOCK_COUNT)
        return;
    count_in_run(tally, event);
    struct tally_target *target = &tally->targets[event->target];
    struct tally_service *service = &target->services[event->service];
    bool is_target = sonde_event_is_target(event, &target->addr);
    switch (event->type) {
    case SONDE_EVENT_PROBE:
        count_at_service(service, event, is_target);
        count_at_hop(tally, service, event);
        follow_reach(service, event, is_target);
        keep_evidence(service, event);
        break;
    case SONDE_EVENT_UNAWAITED:
        break;
    case SONDE_EVENT_LATE:
        service->late++;
        keep_evidence(service, event);
        break;
    case SONDE_EVENT_DUPLICATE:
        service->duplicates++;
        break;
    }
}

uint64_t tally_path_id(const struct tally *tally, const struct tally_service *service)
{
    const struct reach *reach = &service->reach;
    unsigned end = reach->dest_ttl != 0 ? reach->dest_ttl - 1U : reach->top_ttl;
    uint64_t id = 0;
    for (unsigned ttl = 1; service->hops != NULL && ttl <= end && ttl <= tally->max_ttl; ttl++) {
        const struct tally_hop *hop = service->hops[ttl];
        if (hop == NULL || hop->responder_count == 0)
            continue;
        uint64_t words[2];
        memcpy(words, hop->responders[hop->current].addr.bytes, sizeof words);
        id = mix64(id ^ mix64(words[0] ^ mix64(words[1] + ttl)));
    }
    return mix64(id + reach->dest_ttl) & UINT64_C(0xffffffffffff);
}
