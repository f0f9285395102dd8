/* SPDX-License-Identifier: BSD-2-Clause */
/* What was done to services while they are measured: paused, resumed, figures that begin anew; see
 * run/recorder.h. */
#include "base/time.h"
#include "run/recorder.h"

#include <stdlib.h>
#include <string.h>

/* Collect from when on probes of a target count, of each flow of the services that are named. */
static size_t collect(const struct sonde_run *run, uint32_t index, uint32_t service,
                      sonde_ns since[TARGET_FLOWS_MAX])
{
    const struct run_target *target = &run->targets[index];
    size_t count = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        if ((service != SONDE_ALL && service != i) || !run_is_placed(target, i))
            continue;
        const struct engine_place *place = &target->places[i];
        const struct tally_target *measured = run->tally->targets[place->target];
        for (uint32_t flow = 0; flow < target->services[i].flows; flow++)
            since[count++] = measured->services[place->trace + flow]->since_ns;
    }
    return count;
}

static bool grow(struct recorder *recorder)
{
    if (recorder->action_first == recorder->action_count)
        recorder->action_first = recorder->action_count = 0;
    if (recorder->action_count < recorder->action_cap)
        return true;
    size_t cap = 2 * recorder->action_cap + 16;
    struct told_action *actions = realloc(recorder->actions, cap * sizeof *actions);
    if (actions == NULL)
        return false;
    recorder->actions = actions;
    recorder->action_cap = cap;
    return true;
}

void recorder_note_action(struct sonde_run *run, enum sonde_record_type type, uint32_t target,
                          uint32_t service)
{
    struct recorder *recorder = run->recorder;
    sonde_ns since[TARGET_FLOWS_MAX];
    struct told_action action = {.type = type, .target = target, .service = service};
    if (recorder == NULL || recorder->failed)
        return;
    if (type == SONDE_RECORD_RESET && run->tally == NULL)
        return; /* there are no figures yet */
    action.behind = recorder->given + run->event_count;
    action.behind_targets = recorder->taken + recorder->queue_count;
    if (type == SONDE_RECORD_RESET && target != SONDE_ALL) {
        action.since_count = collect(run, target, service, since);
    } else if (type == SONDE_RECORD_RESET) {
        since[0] = run->tally->since_ns;
        action.since_count = 1;
    }
    action.since = action.since_count > 0 ? calloc(action.since_count, sizeof *since) : NULL;
    if (!grow(recorder) || (action.since_count > 0 && action.since == NULL)) {
        free(action.since);
        recorder->failed = true;
        return;
    }
    if (action.since != NULL)
        memcpy(action.since, since, action.since_count * sizeof *since);
    recorder->actions[recorder->action_count++] = action;
}

void actions_deinit(struct recorder *recorder)
{
    for (size_t i = recorder->action_first; i < recorder->action_count; i++)
        free(recorder->actions[i].since);
    free(recorder->actions);
}

bool actions_let_targets(const struct recorder *recorder)
{
    return recorder->action_first == recorder->action_count ||
           recorder->taken < recorder->actions[recorder->action_first].behind_targets;
}

void actions_forget_event(struct recorder *recorder, uint32_t nth)
{
    for (size_t i = recorder->action_first; i < recorder->action_count; i++)
        recorder->actions[i].behind -= recorder->actions[i].behind > recorder->given + nth;
}

void actions_forget_queued(struct recorder *recorder, uint32_t nth)
{
    for (size_t i = recorder->action_first; i < recorder->action_count; i++)
        recorder->actions[i].behind_targets -=
            recorder->actions[i].behind_targets > recorder->taken + nth;
}

void actions_note_queued(struct recorder *recorder, uint32_t nth)
{
    for (size_t i = recorder->action_first; i < recorder->action_count; i++)
        recorder->actions[i].behind_targets +=
            recorder->actions[i].behind_targets >= recorder->taken + nth;
}

void actions_forget_target(struct recorder *recorder, uint32_t index)
{
    size_t first = recorder->action_count; /* those before are of who had the number before */
    for (; first > recorder->action_first; first--) {
        const struct told_action *last = &recorder->actions[first - 1];
        if (last->target == index && last->type == SONDE_RECORD_REMOVED &&
            last->service == SONDE_ALL)
            break;
    }
    size_t kept = first;
    for (size_t i = first; i < recorder->action_count; i++) {
        if (recorder->actions[i].target == index)
            free(recorder->actions[i].since);
        else
            recorder->actions[kept++] = recorder->actions[i];
    }
    recorder->action_count = kept;
}

bool actions_next(struct sonde_run *run, struct sonde_record *to)
{
    struct recorder *recorder = run->recorder;
    struct told_action *action = &recorder->actions[recorder->action_first];
    if (recorder->action_first == recorder->action_count || recorder->is_held ||
        (action->behind > recorder->given && run->event_count > 0))
        return false;
    sonde_ns *since = arena_alloc(&recorder->arena, action->since_count, sizeof *since);
    for (size_t i = 0; since != NULL && i < action->since_count; i++)
        since[i] = ns_add(run->wall_start_ns, ns_sub(action->since[i], run->start_ns));
    to->type = action->type;
    to->u.action = (struct sonde_record_action){
        .target = action->target,
        .service = action->service,
        .since_ns = since,
        .since_count = since != NULL ? action->since_count : 0,
    };
    free(action->since);
    recorder->action_first++;
    return true;
}
