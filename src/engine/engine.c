/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's life, its clockwork and its way out to the network; see engine/engine.h. */
#include "engine/engine.h"

#include "engine/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const sonde_ns BACKOFF_MIN_NS = SONDE_NS_PER_MS;
static const sonde_ns BACKOFF_MAX_NS = 64 * SONDE_NS_PER_MS;

static bool config_is_valid(const struct engine_config *config)
{
    return config->targets > 0 && config->targets <= ENGINE_TARGETS_MAX && config->traces > 0 &&
           config->traces / ENGINE_TRACES_PER_TARGET <= config->targets &&
           config->interval_ns > 0 && config->timeout_ns > 0 && config->duration_ns >= 0 &&
           config->first_ttl > 0 && config->first_ttl <= config->max_ttl && config->gap_limit > 0;
}

static int engine_init(struct engine *engine, const struct engine_config *config)
{
    engine->config = *config;
    engine->flow_bucket_count = 1;
    while (engine->flow_bucket_count < 4 * config->traces)
        engine->flow_bucket_count *= 2;
    engine->targets = calloc(config->targets, sizeof *engine->targets);
    engine->traces = calloc(config->traces, sizeof *engine->traces);
    engine->turns = calloc((size_t)config->targets * (config->max_ttl + 1U), sizeof *engine->turns);
    engine->asks = calloc((size_t)config->traces * (config->max_ttl + 1U), sizeof *engine->asks);
    engine->flow_buckets = calloc(engine->flow_bucket_count, sizeof *engine->flow_buckets);
    if (engine->targets == NULL || engine->traces == NULL || engine->turns == NULL ||
        engine->asks == NULL || engine->flow_buckets == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < engine->flow_bucket_count; i++)
        engine->flow_buckets[i] = FLIGHT_NONE;
    const struct flight_room room = room_for_flights(config);
    int r = flight_init(&engine->flights, room.cap, room.share);
    if (r == 0)
        r = heap_init(&engine->sending, config->targets);
    if (r == 0)
        r = heap_init(&engine->waiting, config->targets);
    return r;
}

int engine_new(const struct engine_config *config, struct engine **ret_engine)
{
    if (!config_is_valid(config))
        return -EINVAL;
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return -ENOMEM;
    int r = engine_init(engine, config);
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
    flight_deinit(&engine->flights);
    free(engine->flow_buckets);
    free(engine->asks);
    free(engine->turns);
    free(engine->traces);
    free(engine->targets);
    free(engine);
    return NULL;
}

int engine_add_target(struct engine *engine, const struct sonde_addr *addr)
{
    if (engine->target_count == engine->config.targets)
        return -ENOSPC;
    engine->targets[engine->target_count++] = (struct engine_target){
        .addr = *addr,
        .first_trace = engine->trace_count,
    };
    return 0;
}

/* Remember that answers to a port come from another. Few ports are so; if there are ever more than
 * fit, the rest goes unanswered. */
static void note_left_port(struct engine *engine, uint16_t port)
{
    for (uint32_t i = 0; i < engine->left_port_count; i++) {
        if (engine->left_ports[i] == port)
            return;
    }
    if (engine->left_port_count < sizeof engine->left_ports / sizeof *engine->left_ports)
        engine->left_ports[engine->left_port_count++] = port;
}

int engine_add_trace(struct engine *engine, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec)
{
    struct engine_target *target = &engine->targets[engine->target_count - 1];
    if (engine->trace_count == engine->config.traces ||
        target->trace_count == ENGINE_TRACES_PER_TARGET)
        return -ENOSPC;
    uint32_t index = engine->trace_count++;
    const struct sonde_flow *flow = &spec->flow;
    uint32_t *bucket = flow_bucket(engine, flow->protocol, &flow->dst, flow->dst_port);
    engine->traces[index] = (struct engine_trace){
        .ops = ops,
        .spec = *spec,
        .target = target_index(engine, target),
        .line = flight_line_of(index),
        .asking = asking_of(spec->question_count),
        .silent_ns = SONDE_NS_NEVER,
        .refused_ns = SONDE_NS_NEVER,
        .nameless = spec->nameless,
        .hash_next = *bucket,
    };
    *bucket = index;
    target->trace_count++;
    if (spec->other_port)
        note_left_port(engine, flow->dst_port);
    return 0;
}

int engine_add_standby(struct engine *engine, const struct sonde_probe_ops *ops,
                       const struct sonde_spec *spec)
{
    int r = engine_add_trace(engine, ops, spec);
    if (r == 0)
        engine->traces[engine->trace_count - 1].standby = true;
    return r;
}

bool engine_begin_standby(struct engine *engine, const struct engine_place *place)
{
    struct engine_target *target = &engine->targets[place->target];
    struct engine_trace *trace = trace_at(engine, target, place->trace);
    bool has_more =
        !target->done && (engine->config.cycles == 0 || target->cycle < engine->config.cycles);
    if (trace->standby && !has_more)
        return false;
    trace->standby = false;
    target->stale = true;
    return true;
}

/* Nothing is left to be done, and nothing can come. */
static void end_if_complete(struct engine *engine)
{
    if (engine->end == ENGINE_RUNNING && !engine->config.open && engine->targets_left == 0)
        engine->end = ENGINE_COMPLETE;
}

void engine_begin_target(struct engine *engine, uint32_t index, sonde_ns now)
{
    struct engine_target *target = &engine->targets[index];
    target->next_cycle_ns = now;
    target->step_ns = SONDE_NS_NEVER; /* the first cycle begins before the first walk */
    heap_set(&engine->sending, index, now);
    engine->targets_left++;
}

void engine_start(struct engine *engine, sonde_ns now)
{
    engine->not_before_ns = now;
    engine->stop_ns = SONDE_NS_NEVER;
    if (engine->config.duration_ns > 0)
        engine->stop_ns = ns_add(now, engine->config.duration_ns);
    for (uint32_t i = 0; i < engine->target_count; i++)
        engine_begin_target(engine, i, now);
    end_if_complete(engine);
}

void engine_close(struct engine *engine)
{
    engine->config.open = false;
    end_if_complete(engine);
}

/* Take a flight for what the target wants to send. */
static uint32_t new_flight(struct engine *engine, struct engine_target *target,
                           const struct plan_choice *choice, sonde_ns now)
{
    struct engine_trace *trace = &engine->traces[choice->trace];
    uint32_t index = flight_take(&engine->flights, &trace->line);
    struct flight *flight = &engine->flights.flights[index];
    flight->cycle = target->cycle - 1;
    flight->ttl = choice->ttl;
    flight->to_target = choice->to_target;
    flight->question =
        choice->to_target ? asking_take(&trace->asking) : asking_on_the_way(&trace->asking);
    flight->sent_ns = now;
    target->flying_count++;
    target->unsent_count++;
    target->stale |= trace->one_at_a_time;
    return index;
}

/* Choose the probe to send now. @return its flight; FLIGHT_NONE if nothing is due. */
static uint32_t choose_flight(struct engine *engine, sonde_ns now)
{
    while (ns_due(heap_time(&engine->sending), now) && flight_available(&engine->flights)) {
        struct engine_target *target = &engine->targets[heap_top(&engine->sending)];
        struct plan_choice choice;
        if (plan_next(engine, target, now, &choice)) {
            uint32_t index = new_flight(engine, target, &choice, now);
            plan_chosen(engine, target, now);
            return index;
        }
        target->stale = true;
        plan_update(engine, target, now);
    }
    return FLIGHT_NONE;
}

int engine_next_tx(struct engine *engine, sonde_ns now, uint8_t buf[PROBE_SIZE_MAX],
                   struct sonde_tx *ret_tx)
{
    uint32_t room = engine->config.rate_pps > 0 ? 1 : ENGINE_BATCH; /* under a cap, one by one */
    if (engine->end != ENGINE_RUNNING || now < engine->not_before_ns || events_free(engine) == 0 ||
        engine->handed >= room)
        return 1;
    if (engine->handed == engine->unsent_count) {
        uint32_t chosen = choose_flight(engine, now);
        if (chosen == FLIGHT_NONE)
            return 1;
        engine->unsent[engine->unsent_count++] = chosen;
    }
    uint32_t index = engine->unsent[engine->handed];
    struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = &engine->traces[flight->trace];
    const struct sonde_format format = {flight->ttl, flight->question};
    int r = trace->ops->build(&trace->spec, &format, flight->token, buf, PROBE_SIZE_MAX, ret_tx);
    if (r < 0) {
        /* cannot happen with a valid spec; if it does, it is this probe's outcome, in its turn */
        if (engine->handed > 0)
            return 1;
        const struct sonde_sent tried = {.stamp = {now, SONDE_CLOCK_USER},
                                         .error = r == -ENOBUFS ? -EMSGSIZE : r};
        engine_on_sent(engine, index, &tried);
        return 1;
    }
    flight->size_bytes = (uint16_t)packet_size(ret_tx);
    ret_tx->handle = index;
    engine->handed++;
    return 0;
}

static bool is_temporary(int error)
{
    return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM;
}

/* The kernel said "later": hold everything back, longer each time. */
static void back_off(struct engine *engine, sonde_ns now)
{
    engine->backoff_ns = ns_min(ns_max(engine->backoff_ns * 2, BACKOFF_MIN_NS), BACKOFF_MAX_NS);
    engine->not_before_ns = ns_add(now, engine->backoff_ns);
}

/* The oldest of the unsent flights is unsent no more. */
static void take_unsent(struct engine *engine)
{
    engine->unsent_count--;
    engine->handed -= engine->handed > 0;
    memmove(engine->unsent, engine->unsent + 1, engine->unsent_count * sizeof *engine->unsent);
}

/* From the first full-TTL probe that left on, a trace is silent until it is answered; and so is
 * each of its questions. */
static void note_silence(struct engine *engine, struct engine_target *target,
                         const struct flight *flight)
{
    struct engine_trace *trace = &engine->traces[flight->trace];
    if (!flight->to_target)
        return;
    bool begins = asking_on_sent(&trace->asking, flight->question, flight->sent_ns);
    if (trace->silent_ns == SONDE_NS_NEVER)
        trace->silent_ns = flight->sent_ns;
    target->stale |= begins;
}

void engine_on_sent(struct engine *engine, uint32_t handle, const struct sonde_sent *sent)
{
    struct flight *flight = &engine->flights.flights[handle];
    struct engine_target *target = target_of(engine, flight->trace);
    sonde_ns now = sent->stamp.time_ns;
    assert(engine->unsent_count > 0 && engine->unsent[0] == handle);
    if (is_temporary(sent->error)) {
        engine->handed = 0; /* what was taken behind it is handed out again, too */
        if (!ns_due(ns_add(flight->sent_ns, engine->config.timeout_ns), now)) {
            back_off(engine, now);
            return;
        }
    } else {
        engine->backoff_ns = 0;
    }
    take_unsent(engine);
    target->unsent_count--;
    if (engine->config.rate_pps > 0)
        engine->not_before_ns =
            ns_add(ns_max(engine->not_before_ns, now), SONDE_NS_PER_S / engine->config.rate_pps);
    flight->sent = true;
    flight->sent_ns = now;
    flight->sent_clock = (uint8_t)sent->stamp.clock;
    if (sent->error == 0)
        note_silence(engine, target, flight);
    else
        finish_unsent(engine, handle, sent);
    plan_update(engine, target, now);
}

/* Is a flying probe over without an answer of its own? */
static bool is_over(const struct engine *engine, const struct engine_target *target,
                    const struct flight *flight, bool settled, sonde_ns now)
{
    return ns_due(ns_add(flight->sent_ns, engine->config.timeout_ns), now) ||
           (settled && ns_due(plan_lost_ns(engine, flight), now)) ||
           extent_is_echoed(engine, target, flight);
}

/* Give up what is overdue on a trace. @return false if there is no place for more events. */
static bool expire_trace(struct engine *engine, struct engine_target *target,
                         const struct engine_trace *trace, bool settled, sonde_ns now)
{
    while (trace->line.first != FLIGHT_NONE) {
        uint32_t index = trace->line.first;
        const struct flight *flight = &engine->flights.flights[index];
        bool over = is_over(engine, target, flight, settled, now);
        if (!flight->sent || (!over && !settled))
            return true;
        if (events_free(engine) == 0)
            return false;
        if (over)
            finish_unanswered(engine, index);
        else
            finish_unawaited(engine, index);
    }
    return true;
}

/* Give up what is overdue at a target. @return false if there is no place for more events. */
static bool expire_target(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    bool all_sent = plan_all_sent(engine, target, now);
    bool settled = all_sent && ns_due(plan_settled_ns(engine, target), now);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = &engine->traces[target->first_trace + i];
        if (!expire_trace(engine, target, trace, settled, now))
            return false;
    }
    if (target->flying_count > 0)
        return true;
    do {
        if (events_free(engine) == 0)
            return false;
    } while (finish_echo(engine, target));
    if (all_sent && plan_all_sent(engine, target, now) && /* what ended may have let more go */
        ns_due(plan_word_ns(engine, target), now)) {
        target->done = true;
        engine->targets_left--;
        end_if_complete(engine);
    }
    return true;
}

bool engine_on_time(struct engine *engine, sonde_ns now)
{
    while (engine->end == ENGINE_RUNNING && ns_due(heap_time(&engine->waiting), now)) {
        uint32_t index = heap_top(&engine->waiting);
        struct engine_target *target = &engine->targets[index];
        if (!expire_target(engine, target, now))
            return true;
        heap_set(&engine->waiting, index, SONDE_NS_NEVER);
        plan_update(engine, target, now);
    }
    if (engine->end == ENGINE_RUNNING && ns_due(engine->stop_ns, now))
        engine->end = ENGINE_DEADLINE;
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
            send = ns_max(heap_time(&engine->sending), engine->not_before_ns);
    }
    return ns_min(send, ns_min(heap_time(&engine->waiting), engine->stop_ns));
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

enum engine_end engine_ended(const struct engine *engine)
{
    return engine->end;
}

const struct engine_discards *engine_discards(const struct engine *engine)
{
    return &engine->discards;
}
