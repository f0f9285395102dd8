/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's life and its clockwork; see engine/engine.h. */
#include "engine/engine.h"

#include "engine/finish.h"
#include "engine/plan.h"
#include "engine/room.h"

#include <errno.h>
#include <stdlib.h>

/* A rate that was asked for is kept within this. */
static const sonde_ns RATE_CREDIT_NS = SONDE_NS_PER_MS;
/* Where nobody asked for one, one target with all its services is asked at once. */
static const sonde_ns POLITE_CREDIT_NS = 128 * SONDE_NS_PER_MS;
static const sonde_ns START_APART_NS = 5 * SONDE_NS_PER_MS; /* from target to target, at most */

static bool config_is_valid(const struct engine_config *config)
{
    return config->targets > 0 && config->targets <= ENGINE_TARGETS_MAX && config->traces > 0 &&
           config->traces / ENGINE_TRACES_PER_TARGET <= config->targets &&
           config->interval_ns > 0 && config->timeout_ns > 0 && config->duration_ns >= 0 &&
           config->first_ttl > 0 && config->first_ttl <= config->max_ttl && config->gap_limit > 0;
}

int engine_new(const struct engine_config *config, struct tally *tally, struct engine **ret_engine)
{
    if (!config_is_valid(config) || tally->target_count > 0)
        return -EINVAL;
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return -ENOMEM;
    engine->config = *config;
    engine->config.targets = engine->config.traces = 0; /* so much room there is */
    engine->tally = tally;
    int r = flight_init(&engine->flights, 1, 1);
    if (r == 0)
        r = room_grow(engine, config->targets, config->traces);
    if (r < 0) {
        engine_free(engine);
        return r;
    }
    *ret_engine = engine;
    return 0;
}

struct engine *engine_free(struct engine *engine)
{
    if (engine == NULL)
        return NULL;
    heap_deinit(&engine->waiting);
    heap_deinit(&engine->sending);
    budget_deinit(&engine->budget);
    flight_deinit(&engine->flights);
    free(engine->flow_buckets);
    free(engine->asks);
    free(engine->turns);
    free(engine->traces);
    free(engine->targets);
    free(engine);
    return NULL;
}

static struct pace pace_of(const struct engine_config *config, sonde_ns now)
{
    if (config->rate_pps > 0)
        return pace_init(config->rate_pps, RATE_CREDIT_NS, now);
    return pace_init(ENGINE_POLITE_PPS, POLITE_CREDIT_NS, now);
}

/* Nothing is left to be done, and nothing can come. */
static void end_if_complete(struct engine *engine)
{
    if (engine->end == ENGINE_RUNNING && !engine->config.open && engine->targets_left == 0)
        engine->end = ENGINE_COMPLETE;
}

void engine_begin_target(struct engine *engine, uint32_t index, sonde_ns now)
{
    /* spread over the interval, so that they do not all ask at the same moment ever after */
    sonde_ns apart =
        ns_min(engine->config.interval_ns / (engine->config.targets + 1), START_APART_NS);
    sonde_ns begin = ns_max(now, engine->begin_ns);
    engine->begin_ns = ns_add(begin, apart);
    engine->targets_left++;
    plan_begin(engine, &engine->targets[index], begin);
}

void engine_start(struct engine *engine, sonde_ns now)
{
    engine->not_before_ns = now;
    engine->pace = pace_of(&engine->config, now);
    engine->stop_ns = SONDE_NS_NEVER;
    if (engine->config.duration_ns > 0)
        engine->stop_ns = ns_add(now, engine->config.duration_ns);
    engine->begin_ns = now;
    for (uint32_t i = 0; i < engine->target_count; i++)
        engine_begin_target(engine, i, now);
    end_if_complete(engine);
}

void engine_close(struct engine *engine)
{
    engine->config.open = false;
    end_if_complete(engine);
}

/* Give up what is in flight longer than any answer is waited for. @return false if there is no
 * place for more events. */
static bool expire(struct engine *engine, sonde_ns now)
{
    while (engine->flights.first_sent != FLIGHT_NONE) {
        uint32_t index = engine->flights.first_sent;
        const struct flight *flight = &engine->flights.flights[index];
        struct engine_target *target = target_of(engine, flight->trace);
        if (!ns_due(ns_add(flight->sent_ns, engine->config.timeout_ns), now))
            break;
        if (events_free(engine) == 0)
            return false;
        finish_unanswered(engine, index, now);
        plan_update(engine, target, now);
    }
    return true;
}

/* End what a trace had in flight when its target began to settle. @return false if there is no
 * place for more events. */
static bool settle_trace(struct engine *engine, const struct engine_trace *trace,
                         sonde_ns settle_ns, sonde_ns now)
{
    uint32_t index = trace->line.first;
    while (index != FLIGHT_NONE) {
        const struct flight *flight = &engine->flights.flights[index];
        uint32_t next = flight->next;
        bool is_later = !flight->sent || flight->sent_ns > settle_ns;
        if (!is_later && events_free(engine) == 0)
            return false;
        if (!is_later && (flight->is_mute || ns_due(plan_lost_ns(engine, flight), now)))
            finish_unanswered(engine, index, now);
        else if (!is_later)
            finish_unawaited(engine, index);
        index = next;
    }
    return true;
}

/* End everything that a target has in flight, because it waits for nothing more. What ends may let
 * more go, before there is place for the events of all. @return false if there is not. */
static bool settle(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (target->settle_ns == SONDE_NS_NEVER && plan_all_sent(target) &&
        ns_due(plan_settled_ns(engine, target), now))
        target->settle_ns = now;
    for (uint32_t i = 0; target->settle_ns != SONDE_NS_NEVER && i < target->trace_count; i++) {
        if (!settle_trace(engine, trace_at(engine, target, i), target->settle_ns, now))
            return false;
    }
    target->settle_ns = SONDE_NS_NEVER;
    return true;
}

/* Look at a target whose time has come. @return false if there is no place for more events. */
static bool look_at(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (!settle(engine, target, now))
        return false;
    plan_update(engine, target, now); /* what ended may have let more go */
    if (!plan_all_sent(target) || target->flying_count > 0 ||
        !ns_due(plan_done_ns(engine, target), now))
        return true;
    target->done = true;
    plan_update(engine, target, now);
    engine->targets_left--;
    end_if_complete(engine);
    return true;
}

/* End what a trace has in flight for longer than an answer takes. @return false if there is no
 * place for more events. */
static bool give_up_trace(struct engine *engine, const struct engine_trace *trace, sonde_ns now)
{
    uint32_t index = trace->line.first;
    while (index != FLIGHT_NONE) {
        const struct flight *flight = &engine->flights.flights[index];
        uint32_t next = flight->next;
        bool overdue = flight->sent && ns_due(plan_lost_ns(engine, flight), now);
        if (overdue && events_free(engine) == 0)
            return false;
        if (overdue)
            finish_unanswered(engine, index, now);
        index = next;
    }
    return true;
}

/* Likewise all that a target has. */
static bool give_up(struct engine *engine, const struct engine_target *target, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (!give_up_trace(engine, trace_at(engine, target, i), now))
            return false;
    }
    return true;
}

/* End before everything was asked. @return true if there is no place for more events yet. */
static bool stop(struct engine *engine, sonde_ns now)
{
    for (; engine->stopped_targets < engine->target_count; engine->stopped_targets++) {
        if (!give_up(engine, &engine->targets[engine->stopped_targets], now))
            return true;
    }
    engine->end = engine->is_stopping ? ENGINE_STOPPED : ENGINE_DEADLINE;
    return false;
}

bool engine_on_time(struct engine *engine, sonde_ns now)
{
    if (engine->end != ENGINE_RUNNING)
        return false;
    if (!expire(engine, now))
        return true;
    while (engine->end == ENGINE_RUNNING && ns_due(heap_time(&engine->waiting), now)) {
        if (!look_at(engine, &engine->targets[heap_top(&engine->waiting)], now))
            return true;
    }
    if (engine->end == ENGINE_RUNNING && (engine->is_stopping || ns_due(engine->stop_ns, now)))
        return stop(engine, now);
    return false;
}

sonde_ns engine_deadline_ns(const struct engine *engine)
{
    if (engine->end != ENGINE_RUNNING)
        return SONDE_NS_NEVER;
    sonde_ns send = engine->not_before_ns;
    if (engine->unsent_count == 0) {
        send = SONDE_NS_NEVER;
        if (flight_available(&engine->flights) && heap_time(&engine->sending) != SONDE_NS_NEVER)
            send = ns_max(ns_max(heap_time(&engine->sending), engine->not_before_ns),
                          pace_ready_ns(&engine->pace));
    }
    sonde_ns expiry = SONDE_NS_NEVER;
    if (engine->flights.first_sent != FLIGHT_NONE)
        expiry = ns_add(engine->flights.flights[engine->flights.first_sent].sent_ns,
                        engine->config.timeout_ns);
    return ns_min(ns_min(send, expiry), ns_min(heap_time(&engine->waiting), engine->stop_ns));
}

int engine_pop_event(struct engine *engine, struct sonde_event *ret_event)
{
    if (engine->event_count == 0)
        return 1;
    *ret_event = engine->events[engine->event_first];
    engine->event_first = (engine->event_first + 1) % ENGINE_EVENTS;
    engine->event_count--;
    return 0;
}

void engine_stop(struct engine *engine)
{
    if (engine->end == ENGINE_RUNNING)
        engine->end = ENGINE_STOPPED;
}

void engine_stop_soon(struct engine *engine)
{
    engine->is_stopping = true;
}

enum engine_end engine_ended(const struct engine *engine)
{
    return engine->end;
}

const struct engine_discards *engine_discards(const struct engine *engine)
{
    return &engine->discards;
}
