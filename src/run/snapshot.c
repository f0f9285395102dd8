/* SPDX-License-Identifier: BSD-2-Clause */
/* From the tally and its analysis to a snapshot that stands on its own. */
#include "base/time.h"
#include "run/copy.h"
#include "run/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The snapshot as it is allocated: with the memory that all of it lies in. */
struct owned_snapshot {
    struct sonde_snapshot snapshot;
    struct arena arena;
};

/* The questions that a service is asked, and what came of each. */
static void copy_questions(const struct copy *copy, const struct run_target *target, uint32_t index,
                           struct sonde_service_result *to)
{
    const struct payload_ops *asked[SONDE_QUESTIONS_MAX];
    size_t count = run_questions(target, &target->services[index], asked);
    struct sonde_question_result *questions = arena_alloc(copy->arena, count, sizeof *questions);
    for (size_t i = 0; questions != NULL && i < count; i++) {
        questions[i].payload = asked[i]->name;
        questions[i].asks = asked[i]->asks;
        if (!run_is_placed(target, index))
            continue;
        const struct engine_place *place = &target->places[index];
        const struct tally_target *measured = copy->run->tally->targets[place->target];
        uint32_t service = tally_service_of(measured, place->trace);
        const struct tally_question *tally =
            &tally_by_service(measured)->services[service]->questions[i];
        questions[i].sent = tally->sent;
        questions[i].received = tally->received;
    }
    to->questions = questions;
    to->question_count = questions != NULL ? count : 0;
}

static void copy_service(const struct copy *copy, const struct run_target *target, uint32_t index,
                         struct sonde_service_result *to)
{
    const struct run_service *service = &target->services[index];
    to->index = index;
    to->service = arena_string(copy->arena, service->text);
    to->protocol = service->ops->name;
    to->port = service->port;
    to->name = arena_string(copy->arena, service->name);
    to->control = service->control;
    to->paused = members_has(&target->paused, index);
    to->expect = service->expect;
    to->payload = service->payload != NULL ? service->payload->name : NULL;
    copy_questions(copy, target, index, to);
    if (run_is_placed(target, index)) {
        copy_service_figures(copy, target->places[index].trace, service->flows, to);
        return;
    }
    to->verdict.level = SONDE_LEVEL_UNKNOWN;
    to->confidence = SONDE_CONFIDENCE_HIGH; /* the resolver, or this machine, says so itself */
    if (target->errors != NULL) {
        to->verdict.code = run_problem_code(target->errors[index]);
        to->verdict.text = run_problem_text(target->errors[index]);
        return;
    }
    if (target->problem == SONDE_CODE_OK) {
        to->verdict.code = SONDE_CODE_INCONCLUSIVE;
        to->verdict.text = "the name is still being looked up";
        to->confidence = SONDE_CONFIDENCE_LOW;
        return;
    }
    to->verdict.code = target->problem;
    to->verdict.text = arena_string(copy->arena, target->problem_text);
}

static void keep_worst(struct sonde_verdict *worst, const struct sonde_verdict *verdict)
{
    if (sonde_is_worse(verdict->level, verdict->code, worst->level, worst->code))
        *worst = *verdict;
}

/* The worst of the services that something is expected of. */
static struct sonde_verdict worst_service(const struct sonde_service_result *services, size_t count)
{
    struct sonde_verdict worst = {SONDE_LEVEL_OK, SONDE_CODE_OK, ""};
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct sonde_verdict *verdict = &services[i].verdict;
        if (services[i].control)
            continue;
        if (any)
            keep_worst(&worst, verdict);
        else
            worst = *verdict;
        any = true;
    }
    return worst;
}

/* A control that is not needed is not reported, nor is what was removed. */
static bool is_left_out(const struct sonde_run *run, const struct run_target *target,
                        uint32_t index)
{
    const struct engine_place *place = target->places != NULL ? &target->places[index] : NULL;
    if (target->services[index].removed)
        return true;
    return target->services[index].standby &&
           (place == NULL || place->target == NOT_TRACED ||
            run->tally->targets[place->target]->services[place->trace]->epochs.count == 0);
}

static void copy_services(struct copy *copy, const struct run_target *from,
                          struct sonde_target_result *to)
{
    uint32_t measured = NOT_TRACED;
    struct sonde_service_result *services =
        arena_alloc(copy->arena, from->service_count, sizeof *services);
    if (services == NULL)
        return;
    for (uint32_t i = 0; i < from->service_count; i++) {
        if (is_left_out(copy->run, from, i))
            continue;
        if (run_is_placed(from, i) && from->places[i].target != measured) {
            measured = from->places[i].target;
            copy_look_at(copy, from, measured);
        }
        copy_service(copy, from, i, &services[to->service_count++]);
    }
    copy->stretch = tally_stretch_free(copy->stretch);
    to->services = services;
    to->verdict = worst_service(services, to->service_count);
}

/* How would an address of a name have been asked? @param first  It is the first of its family. */
static const char *option_for(const struct sonde_run *run, const struct run_target *target,
                              const struct sonde_addr *addr, bool first)
{
    bool ipv6 = addr->family == SONDE_FAMILY_IPV6;
    enum sonde_family chosen = run->vantage->options.family;
    if (first && addr->family != target->addr.family)
        return ipv6 ? "-6" : "-4";
    if (chosen == SONDE_FAMILY_NONE || (uint8_t)chosen == addr->family)
        return "--all-addresses";
    return ipv6 ? "-6 --all-addresses" : "-4 --all-addresses";
}

/* Can an address be asked with the options that there are and one more? Not from an address of the
 * other family. */
static bool can_be_asked(const struct sonde_run *run, const struct sonde_addr *addr)
{
    return run->vantage->source.family == SONDE_FAMILY_NONE ||
           run->vantage->source.family == addr->family;
}

/* What else the name of a target means. */
static void copy_not_asked(const struct copy *copy, const struct run_target *from,
                           struct sonde_target_result *to)
{
    const struct run_target *eldest = &copy->run->targets[from->eldest];
    struct sonde_other_address *others =
        arena_alloc(copy->arena, eldest->known_count, sizeof *others);
    bool seen4 = false;
    bool seen6 = false;
    for (uint32_t i = 0; others != NULL && i < eldest->known_count; i++) {
        const struct sonde_addr *addr = &eldest->known[i];
        bool *seen = addr->family == SONDE_FAMILY_IPV6 ? &seen6 : &seen4;
        if ((eldest->asked >> i & 1) == 0 && can_be_asked(copy->run, addr))
            others[to->not_asked_count++] = (struct sonde_other_address){
                .address = *addr, .option = option_for(copy->run, from, addr, !*seen)};
        *seen = true;
    }
    to->not_asked = others;
}

static void copy_target(struct copy *copy, const struct run_target *from,
                        struct sonde_target_result *to)
{
    to->index = (uint32_t)(from - copy->run->targets);
    to->input = arena_string(copy->arena, from->input);
    to->name = arena_string(copy->arena, from->host);
    to->address = from->addr;
    to->source = from->source;
    to->paused = run_is_paused(from);
    copy_not_asked(copy, from, to);
    to->verdict.text = "";
    copy_services(copy, from, to);
}

int run_copy_target(struct sonde_run *run, uint32_t index, struct arena *arena,
                    struct sonde_target_result *ret_target)
{
    const struct run_facts facts = run_facts(run);
    struct copy copy = {.run = run, .arena = arena, .facts = &facts};
    copy_target(&copy, &run->targets[index], ret_target);
    return arena_ok(arena) ? 0 : -ENOMEM;
}

static void copy_targets(struct sonde_run *run, const struct run_facts *facts,
                         struct owned_snapshot *owned)
{
    struct sonde_snapshot *snapshot = &owned->snapshot;
    struct arena *arena = &owned->arena;
    struct copy copy = {
        .run = run,
        .arena = arena,
        .facts = facts,
    };
    struct sonde_target_result *targets = arena_alloc(arena, run->target_count, sizeof *targets);
    struct sonde_problem *problems = arena_alloc(arena, run->target_count, sizeof *problems);
    snapshot->verdict =
        (struct sonde_verdict){SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE, "there is no target"};
    if (targets == NULL || problems == NULL)
        return;
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (run->targets[i].eldest != i || run->targets[i].removed)
            continue;
        for (uint32_t k = i; k != NO_TARGET; k = run->targets[k].sibling) {
            const struct run_target *target = &run->targets[k];
            struct sonde_target_result *to = &targets[snapshot->target_count++];
            copy_target(&copy, target, to);
            if (snapshot->target_count == 1)
                snapshot->verdict = to->verdict;
            else
                keep_worst(&snapshot->verdict, &to->verdict);
            if (target->problem != SONDE_CODE_OK)
                problems[snapshot->problem_count++] = (struct sonde_problem){
                    .target = to->input,
                    .code = target->problem,
                    .text = arena_string(arena, target->problem_text),
                };
        }
    }
    snapshot->targets = targets;
    snapshot->problems = problems;
}

static enum sonde_status status_of(const struct sonde_run *run, const struct run_facts *facts,
                                   const struct sonde_snapshot *snapshot)
{
    if (run->interrupted)
        return SONDE_STATUS_INTERRUPTED;
    if (snapshot->target_count > 0 && snapshot->problem_count == snapshot->target_count)
        return SONDE_STATUS_ERROR;
    if (facts->failure < 0 || snapshot->problem_count > 0 || !facts->complete)
        return SONDE_STATUS_PARTIAL;
    return SONDE_STATUS_COMPLETE;
}

static void copy_vantage(struct sonde_run *run, struct owned_snapshot *owned)
{
    struct sonde_vantage_result *vantage = &owned->snapshot.vantage;
    const struct tally *tally = run->tally;
    char interface[INTERFACE_BYTES];
    vantage->hostname = arena_string(&owned->arena, run->vantage->hostname);
    run_find_interface(run, interface);
    if (interface[0] != '\0')
        vantage->interface = arena_string(&owned->arena, interface);
    if (run->seen_from != NO_TARGET)
        vantage->source = run->targets[run->seen_from].source;
    vantage->transport = run->vantage->kind;
    vantage->lacks_icmp = run->vantage->lacks_icmp;
    memcpy(vantage->sent_clocks, tally->sent_clocks, sizeof vantage->sent_clocks);
    memcpy(vantage->received_clocks, tally->received_clocks, sizeof vantage->received_clocks);
}

static void copy_run(struct sonde_run *run, const struct run_facts *facts,
                     struct owned_snapshot *owned)
{
    struct sonde_snapshot *snapshot = &owned->snapshot;
    snapshot->version = arena_string(&owned->arena, run_version(run));
    memcpy(snapshot->run_id, run->run_id, sizeof snapshot->run_id);
    snapshot->started_wall_ns = run->wall_start_ns;
    snapshot->duration_ns = ns_sub(facts->end_ns, run->start_ns);
    snapshot->cycles_done = run->cycles_begun;
    snapshot->failure = facts->failure;
    snapshot->settings = run_settings(run);
    memcpy(snapshot->discards, facts->discards, sizeof snapshot->discards);
    struct sonde_zone *zones = arena_alloc(&owned->arena, run->vantage->zone_count, sizeof *zones);
    if (zones != NULL) {
        memcpy(zones, run->vantage->zones, run->vantage->zone_count * sizeof *zones);
        snapshot->zones = (struct sonde_zones){zones, run->vantage->zone_count};
    }
    snapshot->own_losses.send = run->tally->send_errors;
    snapshot->own_losses.receive_queue = facts->receive_queue;
}

int sonde_run_snapshot(struct sonde_run *run, struct sonde_snapshot **ret_snapshot)
{
    if (!run->started || (run->engine_run == NULL && run->replay == NULL))
        return -EINVAL;
    struct owned_snapshot *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return -ENOMEM;
    const struct run_facts facts = run_facts(run);
    copy_run(run, &facts, owned);
    copy_vantage(run, owned);
    copy_targets(run, &facts, owned);
    owned->snapshot.status = status_of(run, &facts, &owned->snapshot);
    if (!arena_ok(&owned->arena)) {
        sonde_snapshot_free(&owned->snapshot);
        return -ENOMEM;
    }
    *ret_snapshot = &owned->snapshot;
    return 0;
}

struct sonde_snapshot *sonde_snapshot_free(struct sonde_snapshot *snapshot)
{
    struct owned_snapshot *owned = (struct owned_snapshot *)snapshot; /* it is the first member */
    if (owned != NULL) {
        arena_deinit(&owned->arena);
        free(owned);
    }
    return NULL;
}
