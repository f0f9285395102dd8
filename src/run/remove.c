/* SPDX-License-Identifier: BSD-2-Clause */
/* A target is removed from a run. What several targets share is measured until the last of them is.
 */
#include "run/history.h"
#include "run/recorder.h"

#include <errno.h>

/* Does a target report something that is measured in a place of the engine's? */
static bool reports(const struct run_target *target, uint32_t measured)
{
    for (uint32_t i = 0; target->places != NULL && i < target->service_count; i++) {
        if (target->places[i].target == measured)
            return true;
    }
    return false;
}

static bool is_reported(const struct sonde_run *run, uint32_t measured)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (!run->targets[i].removed && reports(&run->targets[i], measured))
            return true;
    }
    return false;
}

/* The first target that is measured; NO_TARGET: none is. */
static uint32_t first_traced(const struct sonde_run *run)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (!run->targets[i].removed && run->targets[i].places != NULL)
            return i;
    }
    return NO_TARGET;
}

/* May an event still be told as it is? In records, a target or service is removed behind its
 * events; but of one that no record has told of, the first says already that it is removed. */
static bool is_still_told(const struct sonde_run *run, uint32_t index, uint32_t service)
{
    const struct recorder *recorder = run->recorder;
    return recorder != NULL && (service == TARGET_SERVICES_MAX || recorder_has_told(run, index));
}

/* Keep an event of what is removed, if others report it, too. @return false: nobody does. */
static bool keep_event(const struct sonde_run *run, bool is_still, struct sonde_event *event)
{
    const struct run_target *target = &run->targets[event->target];
    struct sonde_event other = *event;
    if (!run_is_placed(target, event->service))
        return false;
    struct engine_place place = target->places[event->service];
    place.trace += event->flow;
    if (!run_find_reporter(run, &place, &other))
        return false;
    if (!is_still)
        *event = other;
    return true;
}

/* Go through the events of a target or a service. @param is_still  Those that are kept are told as
 * they are; else, of another. */
static void forget_events(struct sonde_run *run, uint32_t index, uint32_t service, bool is_still)
{
    struct recorder *recorder = run->recorder;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < run->event_count; i++) {
        struct sonde_event event = run->events[(run->event_first + i) % SONDE_EVENTS_KEPT];
        bool is_named =
            event.target == index && (service == TARGET_SERVICES_MAX || event.service == service);
        if (!is_named || keep_event(run, is_still, &event))
            run->events[(run->event_first + kept++) % SONDE_EVENTS_KEPT] = event;
        else if (recorder != NULL)
            actions_forget_event(recorder, kept);
    }
    run->event_count = kept;
    if (recorder != NULL && recorder->is_held && recorder->held.target == index &&
        (service == TARGET_SERVICES_MAX || recorder->held.service == service))
        recorder->is_held = keep_event(run, is_still, &recorder->held);
}

void run_forget_events(struct sonde_run *run, uint32_t index, uint32_t service)
{
    forget_events(run, index, service, is_still_told(run, index, service));
    recorder_forget(run, index);
}

/* Does any target report what is measured in a place? */
static bool is_place_reported(const struct sonde_run *run, const struct engine_place *place)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        const struct run_target *target = &run->targets[i];
        uint32_t service;
        uint32_t flow;
        if (!target->removed && run_find_service(target, place, &service, &flow) &&
            !target->services[service].removed)
            return true;
    }
    return false;
}

/* Remove a flow from the engine, and from the tally: that is all there is of it in a replay. */
static void remove_trace(struct sonde_run *run, const struct engine_place *place)
{
    if (run->engine_run != NULL)
        engine_remove_trace(run->engine_run, place, run->vantage->now_ns);
    else
        tally_clear(run->tally, place->target, place->trace);
    run_forget_history(run, place->target,
                       tally_service_of(run->tally->targets[place->target], place->trace));
}

/* Likewise all that is measured in one of its targets. */
static void remove_measured(struct sonde_run *run, uint32_t measured)
{
    if (run->engine_run != NULL)
        engine_remove_target(run->engine_run, measured, run->vantage->now_ns);
    else
        tally_remove_target(run->tally, measured);
    run_forget_history(run, measured, SONDE_ALL);
}

void run_remove_unreported(struct sonde_run *run, uint32_t measured)
{
    const struct run_target *owner = &run->targets[run->traced[measured]];
    struct engine_place place = {.target = measured};
    for (; place.trace < run->tally->targets[measured]->service_count; place.trace++) {
        uint32_t service;
        uint32_t flow;
        if (run_find_service(owner, &place, &service, &flow) && !owner->services[service].standby &&
            !is_place_reported(run, &place))
            remove_trace(run, &place);
    }
}

/* Is anything measured for a target? */
static bool is_measured(const struct sonde_run *run, uint32_t index)
{
    const struct run_target *target = &run->targets[index];
    for (uint32_t i = 0; target->places != NULL && i < target->service_count; i++) {
        uint32_t measured = target->places[i].target;
        if (measured != NOT_TRACED && run->traced[measured] == index &&
            run->tally->targets[measured] != NULL)
            return true;
    }
    return false;
}

/* Forget all addresses of a name, and give back their memory and their numbers, unless one is there
 * still, or something is measured for one. */
static void release(struct sonde_run *run, uint32_t eldest)
{
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling) {
        if (!run->targets[i].removed || is_measured(run, i))
            return;
    }
    for (uint32_t i = eldest; i != NO_TARGET; i = run->targets[i].sibling) {
        forget_events(run, i, TARGET_SERVICES_MAX, false);
        recorder_release(run, i);
    }
    arena_deinit(&run->targets[eldest].arena);
    for (uint32_t next, i = eldest; i != NO_TARGET; i = next) {
        next = run->targets[i].sibling;
        run->targets[i] = (struct run_target){.removed = true, .sibling = NO_TARGET};
        if (run->replay == NULL) /* whose numbers are those that records say */
            ids_give_back(&run->target_ids, i);
    }
}

/* Take one address out of a run, and out of the engine unless others share it. */
static void remove_address(struct sonde_run *run, uint32_t index)
{
    struct run_target *target = &run->targets[index];
    target->removed = true;
    run->vantage->target_count--;
    run_forget_name(run, index);
    run_forget_events(run, index, TARGET_SERVICES_MAX);
    if (run->seen_from == index)
        run->seen_from = first_traced(run);
    run_let_go(run, target, SONDE_ALL);
    for (uint32_t i = 0; target->places != NULL && i < target->service_count; i++) {
        uint32_t measured = target->places[i].target;
        if (measured == NOT_TRACED || run->tally->targets[measured] == NULL)
            continue;
        if (is_reported(run, measured)) {
            run_remove_unreported(run, measured);
            continue;
        }
        uint32_t other = run->targets[run->traced[measured]].eldest;
        remove_measured(run, measured);
        if (other != target->eldest)
            release(run, other); /* it may have been kept for that alone */
    }
    if (run->engine_run != NULL)
        run_pause_unwanted(run);
}

void run_remove_target(struct sonde_run *run, uint32_t index)
{
    for (uint32_t i = index; i != NO_TARGET; i = run->targets[i].sibling)
        remove_address(run, i);
    release(run, index);
}

int sonde_run_remove(struct sonde_run *run, uint32_t target)
{
    if (target >= run->target_count || run->targets[target].removed ||
        run->targets[target].eldest != target)
        return -ENOENT;
    bool is_told = recorder_has_told(run, target);
    run_remove_target(run, target);
    if (is_told)
        recorder_note_action(run, SONDE_RECORD_REMOVED, target, SONDE_ALL);
    return 0;
}
