/* SPDX-License-Identifier: BSD-2-Clause */
/* Services are paused and resumed, and their figures begin anew. What several targets share is
 * paused once all of them have paused it, and begins anew for all of them. */
#include "run/history.h"
#include "run/recorder.h"

#include <errno.h>

/* Something that is done with one service of a target. */
typedef void service_action(struct sonde_run *run, struct run_target *target, uint32_t index);

static bool is_named(uint32_t name, uint32_t index)
{
    return name == SONDE_ALL || name == index;
}

/* Do something with every flow of a service. */
static void with_flows(struct sonde_run *run, const struct run_target *target, uint32_t index,
                       void (*what)(struct engine_run *, const struct engine_place *, sonde_ns))
{
    struct engine_place place = target->places[index];
    if (run->engine_run == NULL)
        return; /* nothing is sent */
    for (uint32_t flow = 0; flow < target->services[index].flows; flow++, place.trace++)
        what(run->engine_run, &place, run->vantage->now_ns);
}

/* Does a service stand by, or was it removed, so that it cannot be named? */
static bool stands_by(const struct run_target *target, uint32_t index)
{
    return target->services[index].standby || target->services[index].removed;
}

/* Do something with the services of a target that are named. @return How many those are. */
static uint32_t with_services(struct sonde_run *run, struct run_target *target, uint32_t service,
                              service_action *action)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        bool is_own = !stands_by(target, i) && is_named(service, i);
        if (!is_own && service != SONDE_ALL)
            continue;
        action(run, target, i);
        count += is_own;
    }
    return count;
}

/* Do something with all services that are named. @return 0; -ENOENT: there is none; another
 * negative errno: the clock cannot be read. */
static int with_all(struct sonde_run *run, uint32_t target, uint32_t service,
                    service_action *action)
{
    uint32_t end = target == SONDE_ALL ? run->target_count : target;
    uint32_t count = 0;
    int r = run->engine_run != NULL ? vantage_look_at_clock(run->vantage) : 0;
    if (r < 0)
        return r;
    for (uint32_t i = target == SONDE_ALL ? 0 : target; i < run->target_count && i <= end; i++) {
        if (!run->targets[i].removed)
            count += with_services(run, &run->targets[i], service, action);
    }
    return count > 0 || (target == SONDE_ALL && service == SONDE_ALL) ? 0 : -ENOENT;
}

bool run_is_paused(const struct run_target *target)
{
    bool paused = true;
    for (uint32_t i = 0; i < target->service_count; i++)
        paused &= stands_by(target, i) || members_has(&target->paused, i);
    return paused;
}

static void mark_paused(struct sonde_run *run, struct run_target *target, uint32_t index)
{
    (void)run;
    if (!stands_by(target, index))
        members_add(&target->paused, index);
}

static void resume(struct sonde_run *run, struct run_target *target, uint32_t index)
{
    members_remove(&target->paused, index);
    if (run_is_placed(target, index) && !stands_by(target, index))
        with_flows(run, target, index, engine_resume);
}

static void reset(struct sonde_run *run, struct run_target *target, uint32_t index)
{
    if (!run_is_placed(target, index))
        return;
    const struct engine_place *place = &target->places[index];
    with_flows(run, target, index, engine_reset);
    run_forget_history(run, place->target,
                       tally_service_of(run->tally->targets[place->target], place->trace));
}

static void note_wanted(struct sonde_run *run, struct run_target *target, uint32_t index)
{
    const struct engine_place *place = &target->places[index];
    if (run_is_placed(target, index) && !stands_by(target, index) &&
        !members_has(&target->paused, index))
        members_add(&run->wanted[place->target], place->trace);
}

static void pause_unwanted(struct sonde_run *run, struct run_target *target, uint32_t index)
{
    const struct engine_place *place = &target->places[index];
    if (run_is_placed(target, index) && members_has(&target->paused, index) &&
        !members_has(&run->wanted[place->target], place->trace))
        with_flows(run, target, index, engine_pause);
}

/* Do something with every service of every target that there is. */
static void with_every(struct sonde_run *run, service_action *action)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (!run->targets[i].removed)
            (void)with_services(run, &run->targets[i], SONDE_ALL, action);
    }
}

void run_pause_unwanted(struct sonde_run *run)
{
    for (uint32_t i = 0; run->tally != NULL && i < run->tally->target_count; i++)
        run->wanted[i] = (struct members){0};
    with_every(run, note_wanted);
    with_every(run, pause_unwanted);
}

void run_let_go(struct sonde_run *run, struct run_target *target, uint32_t service)
{
    (void)with_services(run, target, service, resume);
}

void run_pause_new(struct sonde_run *run, uint32_t index)
{
    struct run_target *target = &run->targets[index];
    bool any_paused = false;
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (!run_is_placed(target, i) || stands_by(target, i))
            continue;
        any_paused |= members_has(&target->paused, i);
        if (!members_has(&target->paused, i))
            with_flows(run, target, i, engine_resume);
    }
    if (any_paused) /* perhaps somebody else wants it, whose control it was */
        run_pause_unwanted(run);
}

/* Let records tell what was done, target by target. */
static void note(struct sonde_run *run, enum sonde_record_type type, uint32_t target,
                 uint32_t service)
{
    for (uint32_t i = 0; i < run->target_count; i++) {
        if (is_named(target, i) && !run->targets[i].removed)
            recorder_note_action(run, type, i, service);
    }
}

int sonde_run_pause(struct sonde_run *run, uint32_t target, uint32_t service)
{
    int r = with_all(run, target, service, mark_paused);
    if (r < 0)
        return r;
    run_pause_unwanted(run);
    note(run, SONDE_RECORD_PAUSED, target, service);
    return 0;
}

int sonde_run_resume(struct sonde_run *run, uint32_t target, uint32_t service)
{
    int r = with_all(run, target, service, resume);
    if (r == 0)
        note(run, SONDE_RECORD_RESUMED, target, service);
    return r;
}

int sonde_run_reset(struct sonde_run *run, uint32_t target, uint32_t service)
{
    int r = with_all(run, target, service, reset);
    if (r == 0)
        note(run, SONDE_RECORD_RESET, target, service);
    if (r < 0 || target != SONDE_ALL || service != SONDE_ALL || run->engine_run == NULL)
        return r;
    engine_reset_common(run->engine_run, run->vantage->now_ns);
    run->discards_before = *engine_discards(run->vantage->engine);
    run->lost_before = run->vantage->transport->ops->lost_here(run->vantage->transport);
    recorder_note_action(run, SONDE_RECORD_RESET, SONDE_ALL, SONDE_ALL);
    return 0;
}
