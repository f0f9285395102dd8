/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's life, its clockwork and its way out to the network; see engine/engine.h. */
#include "engine/engine.h"

#include "engine/extent.h"
#include "engine/finish.h"
#include "engine/flows.h"
#include "engine/plan.h"
#include "engine/room.h"
#include "engine/trace.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_POLITE_PPS = 1000 /* packets a second where nobody says how many may be sent */ };
static const sonde_ns BACKOFF_MIN_NS = SONDE_NS_PER_MS;
static const sonde_ns BACKOFF_MAX_NS = 64 * SONDE_NS_PER_MS;
static const sonde_ns RATE_CREDIT_NS =
    SONDE_NS_PER_MS; /* by which a rate that was asked for is kept */
/* One target with all its services is asked at once, whatever the polite rate. */
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

int engine_add_target(struct engine *engine, const struct sonde_addr *addr, uint32_t traces)
{
    if (engine->target_count == engine->config.targets || traces > ENGINE_TRACES_PER_TARGET ||
        traces > engine->config.traces - engine->trace_count)
        return -ENOSPC;
    int r = tally_add_target(engine->tally, addr, traces);
    if (r < 0)
        return r;
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

/* May a trace go ahead while nobody knows how far the target is? The first of its protocol may, if
 * that is ICMP, or TCP over raw sockets. */
static bool is_scout(const struct engine *engine, const struct engine_target *target,
                     const struct sonde_spec *spec)
{
    uint8_t protocol = spec->flow.protocol;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (trace_at(engine, target, i)->spec.flow.protocol == protocol)
            return false;
    }
    return protocol == IP_PROTO_ICMP ||
           (protocol == IP_PROTO_TCP && spec->naming == PROBE_NAMING_ATTEMPT);
}

static int add_trace(struct engine *engine, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec, enum standing standing)
{
    struct engine_target *target = &engine->targets[engine->target_count - 1];
    if (target->trace_count == engine->tally->targets[engine->target_count - 1].service_count)
        return -ENOSPC;
    uint32_t index = engine->trace_count++;
    const struct sonde_flow *flow = &spec->flow;
    uint32_t *bucket = flow_bucket(engine, flow->protocol, &flow->dst, flow->dst_port);
    bool scout = standing != STANDING_BY && is_scout(engine, target, spec);
    engine->traces[index] = (struct engine_trace){
        .ops = ops,
        .spec = *spec,
        .target = target_index(engine, target),
        .hash_next = *bucket,
        .line = flight_line_of(index),
        .standing = standing,
        .claims = {.free_ns = INT64_MIN},
        .is_standby = standing == STANDING_BY,
        .full_ttl = ENGINE_FULL_TTL,
        .scout = scout,
        .quotes_name_nothing = spec->nameless,
        .quote_free_ns = INT64_MIN,
        .unanswered_ns = {SONDE_NS_NEVER, SONDE_NS_NEVER},
        .asking = asking_of(spec->question_count),
        .refused_ns = SONDE_NS_NEVER,
    };
    *bucket = index;
    target->trace_count++;
    target->source = flow->src;
    target->has_scout |= scout;
    if (spec->other_port)
        note_left_port(engine, flow->dst_port);
    return 0;
}

int engine_add_trace(struct engine *engine, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec)
{
    return add_trace(engine, ops, spec, STANDING_ASKED);
}

int engine_add_standby(struct engine *engine, const struct sonde_probe_ops *ops,
                       const struct sonde_spec *spec)
{
    return add_trace(engine, ops, spec, STANDING_BY);
}

bool engine_begin_standby(struct engine *engine, const struct engine_place *place)
{
    struct engine_target *target = &engine->targets[place->target];
    struct engine_trace *trace = trace_at(engine, target, place->trace);
    bool has_more =
        !target->done && (engine->config.cycles == 0 || target->cycle < engine->config.cycles);
    if (trace->is_standby && !has_more)
        return false;
    trace->is_standby = false;
    if (!trace_is_begun(trace)) {
        trace->standing = standing_after(trace->standing, STANDING_EVENT_NEEDED);
        trace->cycle = target->cycle; /* what went before is not made up for */
    }
    target->changed = true;
    return true;
}

static struct pace pace_of(const struct engine_config *config, sonde_ns now)
{
    if (config->rate_pps > 0)
        return pace_init(config->rate_pps, RATE_CREDIT_NS, now);
    return pace_init(RATE_POLITE_PPS, POLITE_CREDIT_NS, now);
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

/* Take a flight for what the target wants to send. */
static uint32_t new_flight(struct engine *engine, struct engine_target *target,
                           const struct plan_choice *choice, sonde_ns now)
{
    struct engine_trace *trace = &engine->traces[choice->trace];
    uint32_t index = flight_take(&engine->flights, &trace->line);
    struct flight *flight = &engine->flights.flights[index];
    bool may_be_half_open = !trace->claims.answered && trace->claims.begun > 0;
    uint32_t attempt = claims_newest(&trace->claims);
    uint32_t begun = trace->claims.begun;
    flight->cycle = choice->to_target ? trace->cycle - 1 : target->cycle - 1;
    flight->ttl = choice->ttl;
    flight->to_target = choice->to_target;
    bool again = choice->to_target && asking_takes_again(&trace->asking);
    flight->question =
        choice->to_target ? asking_take(&trace->asking) : asking_on_the_way(&trace->asking);
    flight->sent_ns = now;
    trace_claim(engine, target, trace, flight);
    flight->charged = choice->to_target ? 0 : trace_charge(engine, target, trace, choice->ttl, now);
    if (again) { /* the host is charged when it refuses; but at once where it may have gone short
                    before */
        flight->charged = budget_router(&target->addr);
        budget_charge(&engine->budget, flight->charged, now);
    }
    flight->releases = may_be_half_open && trace->claims.begun != begun &&
                       trace->ops->release != NULL && trace->spec.naming == PROBE_NAMING_ATTEMPT;
    flight->released = attempt;
    target->flying_count++;
    target->unsent_count++;
    pace_take(&engine->pace, now);
    return index;
}

/* Choose the probe to send now. @return its flight; FLIGHT_NONE if nothing is due. */
static uint32_t choose_flight(struct engine *engine, sonde_ns now)
{
    while (ns_due(heap_time(&engine->sending), now) && flight_available(&engine->flights) &&
           pace_ready_ns(&engine->pace) <= now) {
        struct engine_target *target = &engine->targets[heap_top(&engine->sending)];
        struct plan_choice choice;
        uint32_t index = FLIGHT_NONE;
        if (plan_next(engine, target, now, &choice))
            index = new_flight(engine, target, &choice, now);
        plan_update(engine, target, now);
        if (index != FLIGHT_NONE)
            return index;
    }
    return FLIGHT_NONE;
}

/* Write what is to be sent for a flight: before it, if need be, what takes back the attempt before.
 */
static int build(struct engine *engine, uint32_t index, uint8_t buf[PROBE_SIZE_MAX],
                 struct sonde_tx *ret_tx)
{
    struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = &engine->traces[flight->trace];
    if (flight->releases) {
        flight->releases = false;
        ret_tx->handle = ENGINE_NO_PROBE;
        return trace->ops->release(&trace->spec, flight->released, buf, PROBE_SIZE_MAX, ret_tx);
    }
    const struct probe_name name = {flight->token, flight->attempt};
    const struct sonde_format format = {flight->ttl, flight->question, flight->is_blind};
    ret_tx->handle = index;
    int r = trace->ops->build(&trace->spec, &format, &name, buf, PROBE_SIZE_MAX, ret_tx);
    if (r == 0)
        flight->size_bytes = (uint16_t)packet_size(ret_tx);
    return r;
}

int engine_next_tx(struct engine *engine, sonde_ns now, uint8_t buf[PROBE_SIZE_MAX],
                   struct sonde_tx *ret_tx)
{
    if (engine->end != ENGINE_RUNNING || now < engine->not_before_ns || events_free(engine) == 0 ||
        engine->handed >= ENGINE_BATCH)
        return 1;
    if (engine->handed == engine->unsent_count) {
        uint32_t chosen = choose_flight(engine, now);
        if (chosen == FLIGHT_NONE)
            return 1;
        engine->unsent[engine->unsent_count++] = chosen;
    }
    uint32_t index = engine->unsent[engine->handed];
    int r = build(engine, index, buf, ret_tx);
    if (r < 0) {
        /* cannot happen with a valid spec; if it does, it is this probe's outcome, in its turn */
        if (engine->handed > 0)
            return 1;
        const struct sonde_sent tried = {.stamp = {now, SONDE_CLOCK_USER},
                                         .error = r == -ENOBUFS ? -EMSGSIZE : r};
        engine_on_sent(engine, index, &tried);
        return 1;
    }
    engine->handed += ret_tx->handle != ENGINE_NO_PROBE;
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
static void note_left(struct engine *engine, struct engine_target *target,
                      const struct flight *flight)
{
    struct engine_trace *trace = &engine->traces[flight->trace];
    unsigned place = trace->unanswered_ns[0] != SONDE_NS_NEVER;
    if (!flight->to_target)
        return;
    target->begun_ns = ns_min(target->begun_ns, flight->sent_ns);
    target->changed |= asking_on_sent(&trace->asking, flight->question, flight->sent_ns);
    if (trace->unanswered_ns[place] != SONDE_NS_NEVER)
        return;
    trace->unanswered_ns[place] = flight->sent_ns;
    target->changed |= !trace_is_answered(trace) || place > 0;
}

void engine_on_sent(struct engine *engine, uint32_t handle, const struct sonde_sent *sent)
{
    sonde_ns now = sent->stamp.time_ns;
    if (handle == ENGINE_NO_PROBE) {
        if (is_temporary(sent->error))
            engine->handed = 0;
        return;
    }
    struct flight *flight = &engine->flights.flights[handle];
    struct engine_target *target = target_of(engine, flight->trace);
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
    flight->sent_ns = now;
    flight->sent_clock = (uint8_t)sent->stamp.clock;
    flight_sent(&engine->flights, handle);
    trace_left(engine, target, &engine->traces[flight->trace], flight);
    if (sent->error == 0)
        note_left(engine, target, flight);
    else
        finish_unsent(engine, handle, sent);
    plan_update(engine, target, now);
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

/* End everything that a target has in flight, because it waits for nothing more. @return false if
 * there is no place for more events. */
static bool settle(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = trace_at(engine, target, i);
        while (trace->line.first != FLIGHT_NONE) {
            if (events_free(engine) == 0)
                return false;
            uint32_t index = trace->line.first;
            const struct flight *flight = &engine->flights.flights[index];
            if (flight->is_mute || ns_due(plan_lost_ns(engine, flight), now))
                finish_unanswered(engine, index, now);
            else
                finish_unawaited(engine, index);
        }
    }
    return true;
}

/* Look at a target whose time has come. @return false if there is no place for more events. */
static bool look_at(struct engine *engine, struct engine_target *target, sonde_ns now)
{
    if (plan_all_sent(target) && ns_due(plan_settled_ns(engine, target), now) &&
        !settle(engine, target, now))
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

enum engine_end engine_ended(const struct engine *engine)
{
    return engine->end;
}

const struct engine_discards *engine_discards(const struct engine *engine)
{
    return &engine->discards;
}
