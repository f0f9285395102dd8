/* SPDX-License-Identifier: BSD-2-Clause */
/* What has changed for a target, between two of its cycles or at the end; see run/recorder.h. */
#include "base/time.h"
#include "run/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Make room for what is told of each service of a target. */
static bool prepare(struct told_target *told, uint32_t count)
{
    if (told->service_count >= count)
        return true;
    struct told_service *services = realloc(told->services, count * sizeof *services);
    if (services == NULL)
        return false;
    memset(services + told->service_count, 0, (count - told->service_count) * sizeof *services);
    told->services = services;
    told->service_count = count;
    return true;
}

int review_begin(struct sonde_run *run, uint32_t index, bool is_final)
{
    struct recorder *recorder = run->recorder;
    struct told_target *told = &recorder->targets[index];
    if (!prepare(told, run->targets[index].service_count))
        return -ENOMEM;
    arena_deinit(&recorder->review.arena);
    recorder->review = (struct review){
        .part = is_final || !told->has_hop ? REVIEW_HOP : REVIEW_COUNTERS,
        .target = index,
        .cycle = told->cycle,
    };
    told->has_hop = true;
    return run_copy_target(run, index, &recorder->review.arena, &recorder->review.result);
}

static bool tell_next_hop(const struct sonde_run *run, uint32_t index, struct sonde_record *to)
{
    const struct run_target *target = &run->targets[index];
    if (target->places == NULL)
        return false;
    const struct run_next_hop hop = run_next_hop(run, target);
    if (hop.addr.family == SONDE_FAMILY_NONE)
        return false;
    char *interface = arena_string(&run->recorder->arena, hop.interface);
    to->type = SONDE_RECORD_NEXT_HOP;
    to->u.next_hop = (struct sonde_record_next_hop){
        .target = index,
        .address = hop.addr,
        .interface = interface,
        .silent = hop.silent,
        .user_mode = hop.user_mode,
    };
    return interface != NULL;
}

static bool tell_counters(struct sonde_run *run, struct sonde_record *to)
{
    const struct run_facts facts = run_facts(run);
    struct sonde_record_counters now = {.receive_queue = facts.receive_queue};
    memcpy(now.discards, facts.discards, sizeof now.discards);
    if (memcmp(&now, &run->recorder->counters, sizeof now) == 0)
        return false;
    if (now.receive_queue > run->recorder->counters.receive_queue)
        to->time_ns = ns_add(run->wall_start_ns, ns_sub(run->vantage->lost_ns, run->start_ns));
    run->recorder->counters = now;
    to->type = SONDE_RECORD_COUNTERS;
    to->u.counters = now;
    return true;
}

/* The next change of a path of a service. */
static bool tell_path_change(struct review *review, const struct sonde_service_result *service,
                             struct told_service *told, struct sonde_record *to)
{
    for (; review->path < service->path_count; review->path++) {
        const struct sonde_path *path = &service->paths[review->path];
        uint64_t *known = &told->path_changes[path->flow];
        uint64_t all = path->changes_omitted + path->change_count;
        if (*known < path->changes_omitted || *known > all) /* too many, or figures began anew */
            *known = path->changes_omitted;
        if (*known == all)
            continue;
        const struct sonde_path_change *change = &path->changes[(*known)++ - path->changes_omitted];
        to->type = SONDE_RECORD_PATH_CHANGE;
        to->u.path_change = (struct sonde_record_path_change){
            .target = review->target,
            .service = service,
            .path = path,
            .ttl = change->ttl,
            .from = &change->from,
            .from_count = change->from.family != SONDE_FAMILY_NONE,
            .to = &change->to,
            .to_count = change->to.family != SONDE_FAMILY_NONE,
        };
        return true;
    }
    return false;
}

/* The next episode of a service that has ended. Several may have become one meanwhile. */
static bool tell_episode(const struct review *review, const struct sonde_service_result *service,
                         struct told_service *told, struct sonde_record *to)
{
    uint64_t ended = service->episode_count > 0 ? service->episode_count - 1 : 0;
    uint64_t all = service->episodes_omitted + ended;
    if (told->episodes < service->episodes_omitted)
        told->episodes = service->episodes_omitted;
    if (told->episodes > all)
        told->episodes = all;
    if (told->episodes == all)
        return false;
    const struct sonde_episode *episode =
        &service->episodes[told->episodes++ - service->episodes_omitted];
    to->type = SONDE_RECORD_EPISODE;
    to->u.episode = (struct sonde_record_episode){
        .target = review->target,
        .address = review->result.address,
        .index = service->index,
        .service = service->service,
        .from_ns = episode->from_wall_ns,
        .to_ns = episode->to_wall_ns,
        .state = episode->state,
        .verdict = episode->verdict,
        .blame = episode->blame,
        .sent = episode->sent,
        .received = episode->received,
        .rtt = episode->rtt,
    };
    return true;
}

static bool is_same_place(const struct sonde_place *a, const struct sonde_place *b)
{
    return a->ttl == b->ttl && a->address.family == b->address.family &&
           sonde_addr_equal(&a->address, &b->address);
}

static bool is_same_blame(const struct told_service *told, const struct sonde_blame *blame)
{
    if (blame == NULL || !told->has_blame)
        return (blame != NULL) == told->has_blame;
    return is_same_place(&told->blame.last_seen, &blame->last_seen) &&
           is_same_place(&told->blame.first_lost, &blame->first_lost) &&
           is_same_place(&told->blame.reporter, &blame->reporter) && told->blame.way == blame->way;
}

/* What a service comes to, if that is something else than was told. */
static bool tell_verdict(const struct review *review, const struct sonde_service_result *service,
                         struct told_service *told, struct sonde_record *to)
{
    if (told->known && told->state == service->state && told->code == service->verdict.code &&
        is_same_blame(told, service->blame))
        return false;
    told->known = true;
    told->state = service->state;
    told->code = service->verdict.code;
    told->has_blame = service->blame != NULL;
    if (service->blame != NULL)
        told->blame = *service->blame;
    to->type = SONDE_RECORD_VERDICT;
    to->u.verdict = (struct sonde_record_verdict){
        .target = review->target,
        .address = review->result.address,
        .service = service,
        .since_ns = service->since_wall_ns > 0 ? service->since_wall_ns : -1,
    };
    return true;
}

static bool tell_of_services(struct sonde_run *run, struct sonde_record *to)
{
    struct review *review = &run->recorder->review;
    while (review->service < review->result.service_count) {
        const struct sonde_service_result *service = &review->result.services[review->service];
        struct told_service *told =
            &run->recorder->targets[review->target].services[service->index];
        if (tell_path_change(review, service, told, to) || tell_episode(review, service, told, to))
            return true;
        review->service++;
        review->path = 0;
        if (tell_verdict(review, service, told, to))
            return true;
    }
    return false;
}

static bool tell_cycle(const struct sonde_run *run, struct sonde_record *to)
{
    const struct review *review = &run->recorder->review;
    if (!run->recorder->targets[review->target].is_seen)
        return false;
    to->type = SONDE_RECORD_CYCLE;
    to->u.cycle = (struct sonde_record_cycle){review->cycle, &review->result};
    return true;
}

bool review_next(struct sonde_run *run, struct sonde_record *to)
{
    struct review *review = &run->recorder->review;
    bool told = false;
    while (!told && review->part != REVIEW_NONE) {
        switch (review->part) {
        case REVIEW_HOP:
            review->part = REVIEW_COUNTERS;
            told = tell_next_hop(run, review->target, to);
            break;
        case REVIEW_COUNTERS:
            review->part = REVIEW_SERVICES;
            told = tell_counters(run, to);
            break;
        case REVIEW_SERVICES:
            told = tell_of_services(run, to);
            review->part = told ? REVIEW_SERVICES : REVIEW_CYCLE;
            break;
        case REVIEW_CYCLE:
            told = tell_cycle(run, to);
            review->part = REVIEW_NONE;
            break;
        case REVIEW_NONE:
            break;
        }
    }
    return told;
}
