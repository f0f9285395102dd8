/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's life and its clockwork; see engine/engine.h. */
#include "engine/engine.h"

#include "engine/remove.h"
#include "engine/room.h"
#include "engine/run.h"

#include <errno.h>
#include <stdlib.h>

/* A rate that was asked for is kept within this. */
static const sonde_ns RATE_CREDIT_NS = SONDE_NS_PER_MS;
/* Where nobody asked for one, one target with all its services is asked at once. */
static const sonde_ns POLITE_CREDIT_NS = 128 * SONDE_NS_PER_MS;

static struct pace pace_of(const struct engine_config *config, sonde_ns now)
{
    if (config->rate_pps > 0)
        return pace_init(config->rate_pps, RATE_CREDIT_NS, now);
    return pace_init(ENGINE_POLITE_PPS, POLITE_CREDIT_NS, now);
}

int engine_new(const struct engine_config *config, sonde_ns now, struct engine **ret_engine)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return -ENOMEM;
    engine->pace = pace_of(config, now);
    engine->not_before_ns = now;
    engine->gap_ns = INT64_MIN;
    *ret_engine = engine;
    return 0;
}

struct engine *engine_free(struct engine *engine)
{
    if (engine == NULL)
        return NULL;
    remove_all(engine);
    room_deinit(engine);
    free(engine);
    return NULL;
}

bool engine_on_time(struct engine *engine, sonde_ns now)
{
    bool room = true;
    for (struct engine_run *run = engine->runs; run != NULL && room; run = run->next)
        room = run_expire(run, now);
    while (room && ns_due(heap_time(&engine->waiting), now))
        room = run_look_at(engine->targets[heap_top(&engine->waiting)], now);
    for (struct engine_run *run = engine->runs; run != NULL && room; run = run->next)
        room = run_end_if_over(run, now);
    remove_quiet(engine, now);
    return !room;
}

sonde_ns engine_deadline_ns(const struct engine *engine)
{
    sonde_ns deadline = engine->not_before_ns;
    if (engine->unsent_count == 0) {
        deadline = SONDE_NS_NEVER;
        if (flight_available(&engine->flights) && heap_time(&engine->sending) != SONDE_NS_NEVER)
            deadline = ns_max(ns_max(heap_time(&engine->sending), engine->not_before_ns),
                              pace_ready_ns(&engine->pace));
    }
    for (const struct engine_run *run = engine->runs; run != NULL; run = run->next)
        deadline = ns_min(deadline, run_deadline_ns(run));
    deadline = ns_min(deadline, heap_time(&engine->removed));
    return ns_min(deadline, heap_time(&engine->waiting));
}

int engine_pop_event(struct engine *engine, struct engine_event *ret_event)
{
    if (engine->event_count == 0)
        return 1;
    *ret_event = engine->events[engine->event_first];
    engine->event_first = (engine->event_first + 1) % ENGINE_EVENTS;
    engine->event_count--;
    return 0;
}

const struct engine_discards *engine_discards(const struct engine *engine)
{
    return &engine->discards;
}
