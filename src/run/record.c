/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of a run that is measured; see run/recorder.h. */
#include "base/time.h"
#include "run/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct recorder *recorder_new(void)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder != NULL)
        recorder->wrong = NO_TARGET;
    return recorder;
}

void recorder_free(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    for (uint32_t i = 0; i < recorder->target_cap; i++)
        free(recorder->targets[i].services);
    free(recorder->targets);
    free(recorder->queue);
    free(recorder->unnamed);
    actions_deinit(recorder);
    name_table_deinit(&recorder->names);
    arena_deinit(&recorder->arena);
    arena_deinit(&recorder->review.arena);
    free(recorder);
}

/* Make room for a target, also in the queue. */
static bool grow(struct recorder *recorder, uint32_t index)
{
    if (index < recorder->target_cap)
        return true;
    uint32_t cap = 2 * index + 16;
    struct told_target *targets = realloc(recorder->targets, cap * sizeof *targets);
    if (targets == NULL)
        return false;
    memset(targets + recorder->target_cap, 0, (cap - recorder->target_cap) * sizeof *targets);
    recorder->targets = targets;
    recorder->target_cap = cap;
    uint32_t *queue = calloc(cap, sizeof *queue);
    if (queue == NULL)
        return false;
    for (uint32_t i = 0; i < recorder->queue_count; i++)
        queue[i] = recorder->queue[(recorder->queue_first + i) % recorder->queue_cap];
    free(recorder->queue);
    recorder->queue = queue;
    recorder->queue_cap = cap;
    recorder->queue_first = 0;
    return true;
}

void recorder_new_target(struct sonde_run *run, uint32_t index)
{
    struct recorder *recorder = run->recorder;
    if (recorder != NULL && index < recorder->target_cap) {
        free(recorder->targets[index].services); /* of the one that had the number before */
        recorder->targets[index] = (struct told_target){.is_queued = false};
    }
    recorder_note_target(run, index);
}

/* Take a target that is there no more out of the queue, so that there is place for each once. */
static void leave_queue(struct recorder *recorder, uint32_t index)
{
    uint32_t kept = 0;
    if (index >= recorder->target_cap || !recorder->targets[index].is_queued)
        return;
    recorder->targets[index].is_queued = false;
    for (uint32_t i = 0; i < recorder->queue_count; i++) {
        uint32_t queued = recorder->queue[(recorder->queue_first + i) % recorder->queue_cap];
        if (queued == index)
            actions_forget_queued(recorder, i);
        else
            recorder->queue[(recorder->queue_first + kept++) % recorder->queue_cap] = queued;
    }
    recorder->queue_count = kept;
}

void recorder_release(struct sonde_run *run, uint32_t index)
{
    struct recorder *recorder = run->recorder;
    if (recorder == NULL)
        return;
    leave_queue(recorder, index);
    if (!recorder_has_told(run, index))
        actions_forget_target(recorder, index);
}

bool recorder_has_told(const struct sonde_run *run, uint32_t index)
{
    const struct recorder *recorder = run->recorder;
    return recorder != NULL && index < recorder->target_cap && recorder->targets[index].is_told;
}

void recorder_forget(struct sonde_run *run, uint32_t index)
{
    struct recorder *recorder = run->recorder;
    if (recorder == NULL)
        return;
    if (recorder->review.target == index)
        recorder->review.part = REVIEW_NONE;
    if (recorder->wrong == index)
        recorder->wrong = NO_TARGET;
}

void recorder_note_target(struct sonde_run *run, uint32_t index)
{
    struct recorder *recorder = run->recorder;
    if (recorder == NULL || recorder->failed)
        return;
    if (!grow(recorder, index)) {
        recorder->failed = true;
        return;
    }
    if (recorder->targets[index].is_queued)
        return;
    recorder->targets[index].is_queued = true;
    recorder->queue[(recorder->queue_first + recorder->queue_count++) % recorder->queue_cap] =
        index;
}

/* Queue a target again, of which not all could be told: right behind another one that it waits for,
 * so that both are told before what was done behind that. */
static void queue_behind(struct sonde_run *run, uint32_t index, uint32_t other)
{
    struct recorder *recorder = run->recorder;
    uint32_t at = recorder->queue_count;
    recorder_note_target(run, index);
    if (recorder->queue_count == at)
        return; /* memory had run out */
    for (uint32_t i = 0; i < at; i++) {
        if (recorder->queue[(recorder->queue_first + i) % recorder->queue_cap] == other)
            at = i + 1;
    }
    for (uint32_t i = recorder->queue_count - 1; i > at; i--)
        recorder->queue[(recorder->queue_first + i) % recorder->queue_cap] =
            recorder->queue[(recorder->queue_first + i - 1) % recorder->queue_cap];
    recorder->queue[(recorder->queue_first + at) % recorder->queue_cap] = index;
    actions_note_queued(recorder, at);
}

void recorder_note_address(struct sonde_run *run, const struct sonde_addr *addr)
{
    struct recorder *recorder = run->recorder;
    if (recorder == NULL || recorder->failed || name_table_find(&recorder->names, addr) != NULL)
        return;
    if (recorder->unnamed_count == recorder->unnamed_cap) {
        uint32_t cap = 2 * recorder->unnamed_cap + 64;
        struct sonde_addr *unnamed = realloc(recorder->unnamed, cap * sizeof *unnamed);
        recorder->failed = unnamed == NULL;
        if (unnamed == NULL)
            return;
        recorder->unnamed = unnamed;
        recorder->unnamed_cap = cap;
    }
    recorder->failed = name_table_add(&recorder->names, addr) == NULL;
    recorder->unnamed[recorder->unnamed_count++] = *addr;
}

static bool next_zone(struct sonde_run *run, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    if (recorder->zone_count == run->vantage->zone_count)
        return false;
    to->type = SONDE_RECORD_ZONE;
    to->u.zone = run->vantage->zones[recorder->zone_count++];
    return true;
}

/* Take the next target of which more is known. @return NO_TARGET if there is none. */
static uint32_t take_target(struct sonde_run *run)
{
    struct recorder *recorder = run->recorder;
    if (recorder->queue_count == 0 || !actions_let_targets(recorder))
        return NO_TARGET;
    uint32_t index = recorder->queue[recorder->queue_first];
    recorder->queue_first = (recorder->queue_first + 1) % recorder->queue_cap;
    recorder->queue_count--;
    recorder->taken++;
    recorder->targets[index].is_queued = false;
    return index;
}

/* The next target of which more is known; behind it, why it cannot be measured. */
static bool next_target(struct sonde_run *run, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    uint32_t index = recorder->wrong != NO_TARGET ? recorder->wrong : take_target(run);
    if (index == NO_TARGET)
        return false;
    const struct run_target *target = &run->targets[index];
    struct told_target *told = &recorder->targets[index];
    if (index == recorder->wrong) {
        recorder->wrong = NO_TARGET;
        to->type = SONDE_RECORD_ERROR;
        to->u.error = (struct sonde_record_error){index, target->input, target->problem,
                                                  target->problem_text};
        return true;
    }
    to->type = SONDE_RECORD_TARGET;
    bool is_first = !told->is_told;
    uint32_t missing = tell_target(run, index, &to->u.target);
    if (target->removed) { /* those who share what is measured for it are told behind it */
        if (is_first && target->eldest == index)
            recorder_note_action(run, SONDE_RECORD_REMOVED, index, SONDE_ALL);
        return true;
    }
    if (missing != NO_TARGET)
        queue_behind(run, index, missing);
    if (target->problem != SONDE_CODE_OK && !told->has_error)
        recorder->wrong = index;
    told->has_error = target->problem != SONDE_CODE_OK;
    return true;
}

/* The next address of which the name has become known. The resolver is asked only if there may be
 * an answer: a name less is being looked up, or there is another address. */
static bool next_name(struct sonde_run *run, bool is_final, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    struct sonde_vantage *vantage = run->vantage;
    if (vantage->options.no_names ||
        (!is_final && recorder->unnamed_at == 0 && recorder->asked_count == recorder->names.count &&
         recorder->asked_pending == vantage->names_pending))
        return false;
    while (recorder->unnamed_at < recorder->unnamed_count) {
        const struct sonde_addr addr = recorder->unnamed[recorder->unnamed_at];
        const char *name = vantage->names->ops->get(vantage->names, &addr);
        if (name == NULL) {
            recorder->unnamed_at++;
            continue;
        }
        recorder->unnamed[recorder->unnamed_at] = recorder->unnamed[--recorder->unnamed_count];
        to->type = SONDE_RECORD_NAME;
        to->u.name = (struct sonde_record_name){addr, name};
        return true;
    }
    recorder->unnamed_at = 0;
    recorder->asked_count = recorder->names.count;
    recorder->asked_pending = vantage->names_pending;
    return false;
}

/* The event that was taken last, as a record. */
static void give_event(struct sonde_run *run, struct sonde_record *to)
{
    static const enum sonde_record_type types[] = {
        [SONDE_EVENT_PROBE] = SONDE_RECORD_PROBE,
        [SONDE_EVENT_UNAWAITED] = SONDE_RECORD_UNAWAITED,
        [SONDE_EVENT_LATE] = SONDE_RECORD_LATE,
        [SONDE_EVENT_DUPLICATE] = SONDE_RECORD_DUPLICATE,
    };
    struct recorder *recorder = run->recorder;
    struct told_target *told = &recorder->targets[recorder->held.target];
    recorder->is_held = false;
    told->is_seen = true;
    if (told->cycle < recorder->held.cycle)
        told->cycle = recorder->held.cycle;
    to->type = types[recorder->held.type];
    tell_probe(run, &recorder->held, &to->u.probe);
}

/* The next thing that happened to a probe; before the first one of a cycle, what the target's cycle
 * before has come to. @return 0; 1: there is none; -ENOMEM. */
static int next_event(struct sonde_run *run, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    if (!recorder->is_held) {
        if (sonde_run_pop_event(run, &recorder->held) != 0)
            return 1;
        recorder->is_held = true;
        recorder->given++;
        const struct told_target *told = &recorder->targets[recorder->held.target];
        bool is_gone = run->targets[recorder->held.target].removed;
        if (!is_gone && told->is_seen && recorder->held.cycle > told->cycle) {
            int r = review_begin(run, recorder->held.target, false);
            if (r < 0 || review_next(run, to))
                return r;
        }
    }
    give_event(run, to);
    return 0;
}

/* Remember who packets to each target are given to, as it was told: the kernel may say something
 * else later. */
static int keep_next_hops(struct sonde_run *run)
{
    struct run_next_hop *hops = calloc(run->target_count + 1U, sizeof *hops);
    if (hops == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (!run->targets[i].removed && run->targets[i].places != NULL)
            hops[i] = run_next_hop(run, &run->targets[i]);
    }
    run->next_hops = hops;
    return 0;
}

static void next_interface(struct sonde_run *run, struct sonde_record *to)
{
    run_find_interface(run, run->interface);
    run->has_interface = true;
    run->recorder->has_interface = true;
    to->type = SONDE_RECORD_INTERFACE;
    to->u.interface = run->interface[0] != '\0' ? run->interface : NULL;
}

/* What is told once a run is over. @return 0; 1: all was told; -ENOMEM. */
static int next_of_end(struct sonde_run *run, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    int r = run->next_hops == NULL ? keep_next_hops(run) : 0;
    if (recorder->has_ended)
        return 1;
    if (r == 0 && next_name(run, true, to))
        return 0;
    while (r == 0 && recorder->final_target < run->target_count) {
        uint32_t index = recorder->final_target++;
        if (run->targets[index].removed)
            continue;
        r = review_begin(run, index, true);
        if (r == 0 && review_next(run, to))
            return 0;
    }
    if (r == 0 && !recorder->has_interface) {
        next_interface(run, to);
        return 0;
    }
    recorder->has_ended = true;
    to->type = SONDE_RECORD_RUN_END;
    return r == 0 ? tell_run_end(run, &to->u.run_end) : r;
}

static int next_record(struct sonde_run *run, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    if (!recorder->has_started) {
        recorder->has_started = true;
        to->type = SONDE_RECORD_RUN_START;
        to->time_ns = run->wall_start_ns;
        tell_run_start(run, &to->u.run_start);
        return 0;
    }
    if (recorder->review.part != REVIEW_NONE && review_next(run, to))
        return 0;
    if (next_zone(run, to) || next_target(run, to))
        return 0;
    if (run->begun && !recorder->has_begun) {
        recorder->has_begun = true;
        to->type = SONDE_RECORD_BEGIN;
        to->time_ns = run->wall_start_ns;
        return 0;
    }
    if (next_name(run, false, to) || actions_next(run, to))
        return 0;
    int r = next_event(run, to);
    return r == 1 && run->is_over ? next_of_end(run, to) : r;
}

int sonde_run_next_record(struct sonde_run *run, struct sonde_record *ret_record)
{
    struct recorder *recorder = run->recorder;
    if (recorder == NULL || run->engine_run == NULL)
        return 1;
    if (recorder->failed)
        return -ENOMEM;
    arena_deinit(&recorder->arena);
    struct sonde_record record = {
        .time_ns = ns_add(run->wall_start_ns, ns_sub(run->vantage->now_ns, run->start_ns)),
        .n = recorder->n,
    };
    memcpy(record.run_id, run->run_id, sizeof record.run_id);
    int r = next_record(run, &record);
    if (r == 0 && (!arena_ok(&recorder->arena) || recorder->failed))
        r = -ENOMEM;
    recorder->failed |= r < 0;
    recorder->n += r == 0;
    if (r == 0)
        *ret_record = record;
    return r;
}
