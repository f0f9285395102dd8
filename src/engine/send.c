/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way out: from what a target wants to send to a packet, and to what became of it.
 *
 * A probe that was chosen has a flight, and waits among the unsent ones until engine_on_sent() is
 * told of it. What the kernel can't take just now stays there and is handed out again later.
 *
 *     due --choose--> unsent --hand out--> handed --sent--> flying
 *                       ^                    |    --refused--> ended as a send error
 *                       +------ "later" -----+
 */
#include "engine/engine.h"
#include "engine/extent.h"
#include "engine/finish.h"
#include "engine/gap.h"
#include "engine/plan.h"
#include "engine/trace.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { LOSES_CYCLES = 64 /* for so many after one without an answer a trace may lose packets */ };

static const sonde_ns BACKOFF_MIN_NS = SONDE_NS_PER_MS;
static const sonde_ns BACKOFF_MAX_NS = 64 * SONDE_NS_PER_MS;

/* If a probe begins an attempt, let resets go before it for those that a server may still have half
 * open. Was the newest not answered: for that, and for the one before it, whose own reset may be
 * lost. Was it answered, the kernel has sent a reset; where packets of the trace get lost, that is
 * sent once more. A reset that gets no farther than somebody on the way is worse than none: he may
 * have no refusal left for the probe behind it. */
static void take_back(const struct engine_trace *trace, const struct claims *before,
                      struct flight *flight)
{
    bool gaps = claims_has_gaps(before);
    bool loses = trace->lost_cycle != 0 && trace->cycle - trace->lost_cycle <= LOSES_CYCLES;
    uint32_t newest = claims_newest(before);
    if (before->begun == 0 || trace->claims.begun == before->begun || trace->ops->release == NULL ||
        trace->spec.naming != PROBE_NAMING_ATTEMPT || trace->is_walled)
        return;
    if (!before->answered) {
        flight->stale[flight->stale_count++] = newest;
        if (gaps && newest > 0)
            flight->stale[flight->stale_count++] = newest - 1;
    } else if (gaps || loses) {
        flight->stale[flight->stale_count++] = before->open;
    }
}

/* The format of a probe is chosen once: it stays, however often the probe is handed out. */
static void take_format(const struct sonde_format *format, struct flight *flight)
{
    flight->wanted_bytes = format->size_bytes;
    flight->ecn = format->ecn;
    flight->dont_fragment = format->dont_fragment;
}

static struct sonde_format format_of(const struct flight *flight)
{
    return (struct sonde_format){
        .size_bytes = flight->wanted_bytes,
        .ttl = flight->ttl,
        .ecn = flight->ecn,
        .dont_fragment = flight->dont_fragment,
        .question = flight->question,
        .is_blind = flight->is_blind,
    };
}

/* Take a flight for what the target wants to send. */
static uint32_t new_flight(struct engine *engine, struct engine_target *target,
                           const struct plan_choice *choice, sonde_ns now)
{
    struct engine_trace *trace = choice->trace;
    uint32_t index = flight_take(&engine->flights, &trace->line);
    struct flight *flight = &engine->flights.flights[index];
    const struct claims before = trace->claims;
    /* records count cycles modulo 2^32: as many take 49 days, a thousand a second */
    flight->cycle = (uint32_t)((choice->to_target ? trace->cycle : target->cycle) - 1);
    flight->ttl = choice->ttl;
    take_format(&trace->spec.format, flight);
    flight->to_target = choice->to_target;
    bool again = choice->to_target && asking_takes_again(&trace->asking);
    flight->question =
        choice->to_target ? asking_take(&trace->asking) : asking_on_the_way(&trace->asking);
    flight->sent_ns = now;
    trace_claim(target, trace, flight);
    flight->charge = choice->to_target ? (struct budget_charge){0}
                                       : trace_charge(engine, target, trace, choice->ttl, now);
    /* who refuses is charged then; but at once if it is known to, or may have had none left */
    if (again || (choice->to_target && trace_was_refused(trace))) {
        flight->charge.key = trace_refuser(target, trace);
        if (flight->charge.key != 0)
            budget_charge(&engine->budget, flight->charge.key, now);
    }
    if (!again)
        take_back(trace, &before, flight);
    unsigned end = extent_end(target, trace);
    flight->arrives = !choice->to_target && end != 0 && choice->ttl >= end;
    trace->arrivals = (uint8_t)(trace->arrivals + (flight->arrives && trace->arrivals < UINT8_MAX));
    flight->spaced = choice->to_target && ns_sub(now, trace->full_ns) >= RATION_NS;
    if (choice->to_target || flight->arrives)
        trace->full_ns = now;
    target->flying_count++;
    target->unsent_count++;
    for (unsigned packets = 0; packets <= flight->stale_count; packets++)
        pace_take(&engine->pace, now);
    return index;
}

/* Choose the probe to send now. @return its flight; FLIGHT_NONE if nothing is due. */
static uint32_t choose_flight(struct engine *engine, sonde_ns now)
{
    while (ns_due(heap_time(&engine->sending), now) && flight_available(&engine->flights) &&
           pace_ready_ns(&engine->pace) <= now) {
        struct engine_target *target = engine->targets[heap_top(&engine->sending)];
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

/* Write what is to be sent for a flight: first what takes back the attempt before, if need be. */
static int build(struct engine *engine, uint32_t index, uint8_t buf[PROBE_SIZE_MAX],
                 struct sonde_tx *ret_tx)
{
    struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = engine->traces[flight->trace];
    if (flight->releases < flight->stale_count) {
        uint32_t stale = flight->stale[flight->releases++];
        ret_tx->handle = ENGINE_NO_PROBE;
        return trace->ops->release(&trace->spec, stale, buf, PROBE_SIZE_MAX, ret_tx);
    }
    const struct probe_name name = {flight->token, flight->attempt};
    const struct sonde_format format = format_of(flight);
    ret_tx->handle = index;
    int r = trace->ops->build(&trace->spec, &format, &name, buf, PROBE_SIZE_MAX, ret_tx);
    if (r == 0) {
        flight->size_bytes = (uint16_t)packet_size(ret_tx);
        flight->dont_fragment = ret_tx->dont_fragment; /* a question may ask for it, too */
    }
    return r;
}

int engine_next_tx(struct engine *engine, sonde_ns now, uint8_t buf[PROBE_SIZE_MAX],
                   struct sonde_tx *ret_tx)
{
    if (now < engine->not_before_ns || events_free(engine) == 0 || engine->handed >= ENGINE_BATCH)
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

/* A probe has left. If it is a full-TTL probe, note since when its trace is not answered, and since
 * when its question is not. */
static void note_left(struct engine *engine, struct engine_target *target,
                      const struct flight *flight)
{
    struct engine_trace *trace = engine->traces[flight->trace];
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

/* Has an unsent probe been due for as long as an answer is waited for? */
static bool is_overdue(const struct engine *engine, const struct flight *flight, sonde_ns now)
{
    return ns_due(
        ns_add(flight->sent_ns, plan_of(engine->traces[flight->trace]->target)->timeout_ns), now);
}

/* What takes an attempt back goes before the oldest of the unsent flights: if it has to wait, so
 * does that, as long as a probe does. */
static void on_release_sent(struct engine *engine, const struct sonde_sent *sent)
{
    assert(engine->unsent_count > 0);
    struct flight *flight = &engine->flights.flights[engine->unsent[0]];
    if (!is_temporary(sent->error))
        return;
    engine->handed = 0;
    if (is_overdue(engine, flight, sent->stamp.time_ns))
        return;
    flight->releases = 0;
    back_off(engine, sent->stamp.time_ns);
}

void engine_on_sent(struct engine *engine, uint32_t handle, const struct sonde_sent *sent)
{
    sonde_ns now = sent->stamp.time_ns;
    if (handle == ENGINE_NO_PROBE) {
        on_release_sent(engine, sent);
        return;
    }
    struct flight *flight = &engine->flights.flights[handle];
    struct engine_trace *trace = engine->traces[flight->trace];
    struct engine_target *target = trace->target;
    assert(engine->unsent_count > 0 && engine->unsent[0] == handle);
    if (is_temporary(sent->error)) {
        engine->handed = 0; /* what was taken behind it is handed out again, too */
        if (!is_overdue(engine, flight, now)) {
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
    flight_sent(&engine->flights, &trace->line, handle);
    trace_left(target, trace, flight);
    if (sent->error == 0)
        note_left(engine, target, flight);
    else
        finish_unsent(engine, handle, sent);
    if (gap_is_no_way(sent->error))
        gap_cut(engine, target);
    plan_update(engine, target, now);
}
