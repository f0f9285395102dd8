/* SPDX-License-Identifier: BSD-2-Clause */
/* How a probe ends: its record is made, and what it teaches is kept. */
#include "engine/internal.h"

#include <errno.h>

static void hold(struct engine *engine, const struct sonde_event *event)
{
    uint32_t at = (engine->event_first + engine->event_count) % ENGINE_EVENTS;
    engine->events[at] = *event;
    engine->event_count++;
}

static void describe(struct engine *engine, uint32_t index, struct sonde_event *event)
{
    const struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = &engine->traces[flight->trace];
    event->target = trace->target;
    event->service = flight->trace - engine->targets[trace->target].first_trace;
    event->cycle = flight->cycle;
    event->ttl = flight->ttl;
    event->question = flight->question;
    event->to_target = flight->to_target;
    event->sent_ns = flight->sent_ns;
    event->sent_clock = flight->sent_clock;
    event->size_bytes = flight->size_bytes;
}

/* Fold into what is known of the way that a probe was not answered. */
static void learn_silence(const struct engine *engine, struct engine_target *target,
                          struct engine_trace *trace, const struct sonde_event *event)
{
    uint8_t top = trace->reach.top_ttl;
    reach_on_event(&trace->reach, event, false);
    if (trace->reach.top_ttl == top)
        return;
    target->stale = true;
    extent_learn(engine, target);
}

/* Fold an answer into what is known of the questions. If the target answers, and probes on the way
 * are to carry another one from now on, those that were silent there may now be answered. */
static void learn_question(struct engine_target *target, struct engine_trace *trace,
                           const struct sonde_event *event, bool is_target)
{
    uint8_t before = asking_on_the_way(&trace->asking);
    if (event->outcome != SONDE_OUTCOME_TTL_EXCEEDED)
        asking_on_answer(&trace->asking, event->question);
    if (!is_target || asking_on_the_way(&trace->asking) == before)
        return;
    ttl_set_cut(&trace->asked, trace->reach.top_ttl + 1U);
    target->stale = true;
}

/* Fold an answer into what is known of the way. */
static void learn(const struct engine *engine, struct engine_target *target,
                  struct engine_trace *trace, const struct sonde_event *event)
{
    bool is_target = sonde_event_is_target(event, &target->addr);
    /* only the target's word, where it is nothing new, leaves the walk as it is */
    bool known = event->to_target && is_target && trace->answered && target->distance != 0;
    target->stale |= !known || event->rtt_ns > target->rtt_max_ns;
    target->rtt_max_ns = ns_max(target->rtt_max_ns, event->rtt_ns);
    target->reached |= is_target;
    target->told |= event->outcome != SONDE_OUTCOME_TTL_EXCEEDED;
    trace->answered |= event->outcome != SONDE_OUTCOME_TTL_EXCEEDED;
    trace->suspect &= !trace->answered;
    learn_question(target, trace, event, is_target);
    reach_on_event(&trace->reach, event, is_target);
    extent_learn(engine, target);
}

/* A probe of the trace ends: what waited for that may go now. */
static void let_go(const struct engine *engine, struct engine_target *target,
                   const struct engine_trace *trace)
{
    target->flying_count--;
    target->stale |=
        trace->one_at_a_time || trace->nameless || !flight_may_take(&engine->flights, &trace->line);
}

void finish_flight(struct engine *engine, uint32_t index, struct sonde_event *event)
{
    struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = &engine->traces[flight->trace];
    struct engine_target *target = target_of(engine, flight->trace);
    event->type = SONDE_EVENT_PROBE;
    describe(engine, index, event);
    if (flight->to_target)
        trace->last_token = flight->token;
    if (event->outcome == SONDE_OUTCOME_NO_REPLY)
        learn_silence(engine, target, trace, event);
    else if (event->outcome != SONDE_OUTCOME_SEND_ERROR)
        learn(engine, target, trace, event);
    let_go(engine, target, trace);
    flight_keep(&engine->flights, &trace->line, index, event->outcome);
    hold(engine, event);
}

void finish_again(struct engine *engine, uint32_t index, enum sonde_event_type type,
                  struct sonde_event *event)
{
    event->type = type;
    describe(engine, index, event);
    hold(engine, event);
}

/* The event of a probe that nothing of its own came back to. */
static struct sonde_event event_without_answer(enum sonde_outcome outcome)
{
    return (struct sonde_event){
        .outcome = outcome, .rtt_ns = -1, .reply_ttl = -1, .icmp_type = -1, .icmp_code = -1};
}

/* Use up an echo. @return what is known of the answer that it is. */
static struct sonde_event take_echo(struct engine *engine, uint32_t trace_index)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_OPEN);
    event.from = trace->spec.flow.dst;
    event.reply_ttl = trace->echo_ttl;
    event.uncertain = true;
    trace->echoes--;
    target_of(engine, trace_index)->echoes--;
    return event;
}

void finish_unsent(struct engine *engine, uint32_t index, const struct sonde_sent *sent)
{
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_SEND_ERROR);
    event.error = -sent->error;
    event.mtu_bytes = sent->mtu_bytes;
    if (sent->error == -EPERM)
        engine->traces[engine->flights.flights[index].trace].refused_ns = sent->stamp.time_ns;
    finish_flight(engine, index, &event);
}

void finish_unanswered(struct engine *engine, uint32_t index)
{
    const struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = &engine->traces[flight->trace];
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_NO_REPLY);
    if (trace->echoes > 0 &&
        flight->ttl >= extent_floor(engine, target_of(engine, flight->trace), trace))
        event = take_echo(engine, flight->trace);
    finish_flight(engine, index, &event);
}

void finish_unawaited(struct engine *engine, uint32_t index)
{
    struct engine_trace *trace = &engine->traces[engine->flights.flights[index].trace];
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_NO_REPLY);
    event.type = SONDE_EVENT_UNAWAITED;
    describe(engine, index, &event);
    hold(engine, &event);
    let_go(engine, &engine->targets[trace->target], trace);
    flight_drop(&engine->flights, &trace->line, index);
}

bool finish_echo(struct engine *engine, struct engine_target *target)
{
    if (target->echoes == 0 || target->flying_count > 0)
        return false;
    uint32_t trace = target->first_trace;
    while (engine->traces[trace].echoes == 0)
        trace++;
    struct sonde_event event = take_echo(engine, trace);
    uint32_t answered = last_kept(engine, trace);
    if (answered != FLIGHT_NONE)
        finish_again(engine, answered, SONDE_EVENT_DUPLICATE, &event);
    else
        engine_on_discard(engine, SONDE_DISCARD_UNKNOWN_PROBE);
    return true;
}
