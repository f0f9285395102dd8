/* SPDX-License-Identifier: BSD-2-Clause */
/* How a probe ends; see engine/finish.h. */
#include "engine/finish.h"

#include "engine/extent.h"
#include "engine/gap.h"
#include "engine/trace.h"
#include "engine/walk.h"

#include <errno.h>
#include <string.h>

static void hold(struct engine *engine, struct engine_run *run, const struct sonde_event *event)
{
    uint32_t at = (engine->event_first + engine->event_count) % ENGINE_EVENTS;
    engine->events[at] = (struct engine_event){run, *event};
    engine->event_count++;
    tally_on_event(run->tally, event);
}

static void describe(struct engine *engine, uint32_t index, struct sonde_event *event)
{
    const struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = engine->traces[flight->trace];
    event->target = trace->target->index;
    event->service = trace->index;
    event->cycle = flight->cycle;
    event->ttl = flight->ttl;
    event->question = flight->question;
    event->size_bytes = flight->size_bytes;
    event->ecn = flight->ecn;
    event->dont_fragment = flight->dont_fragment;
    event->to_target = flight->to_target;
    event->sent_ns = flight->sent_ns;
    event->sent_clock = flight->sent_clock;
    event->spaced = flight->spaced;
    event->rationed = trace->ration.believed;
}

/* What of a trace the walk and the looks go by. */
struct knowledge {
    struct reach reach;
    enum standing standing;
    bool reached;
    bool answered;    /* the newest attempt */
    uint32_t changes; /* of the path */
};

static struct knowledge know(const struct engine_trace *trace)
{
    const struct tally_service *tally = trace_tally(trace);
    return (struct knowledge){
        .reach = tally->reach,
        .standing = trace->standing,
        .reached = trace->target->patience.reached,
        .answered = trace->claims.answered,
        .changes = tally->changes,
    };
}

/* The way has changed for one trace: the distances of all have to be confirmed again. */
static void confirm_anew(struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        target->traces[i]->arrivals = 0;
        target->traces[i]->is_astray = false;
    }
}

/* Nobody answered at a TTL. If the target seems to be there, for pings that it answers otherwise,
 * it is asked there once more, since answers get lost; and then it is somewhere else. Where both
 * the last router and the TTL of its answers say that it is there, it only does not answer there.
 */
static void note_missed(const struct engine_target *target, struct engine_trace *trace, uint8_t ttl)
{
    if (!extent_is_ping(trace) || !trace_is_answered(trace) || trace->is_astray ||
        trace_reach(trace)->dest_ttl != 0 || ttl != extent_end(target, trace))
        return;
    if (ttl == target->top_ttl + 1 && ttl == extent_guess(trace))
        return;
    trace->is_astray = trace->asks[ttl] >= EXTENT_ARRIVALS;
    if (!trace->is_astray)
        walk_want(target, trace, ttl);
}

/* Compare what is known of a trace with what was: if it changed, what follows from it has to be
 * made anew. What a silent hop shows is known only by its silence, so that counts as well. */
static void notice(struct engine_trace *trace, const struct knowledge *before,
                   const struct sonde_event *event)
{
    struct engine_target *target = trace->target;
    struct knowledge after = know(trace);
    bool way = before->reach.dest_ttl != after.reach.dest_ttl ||
               before->reach.top_ttl != after.reach.top_ttl ||
               before->reach.refused_ttl != after.reach.refused_ttl ||
               before->changes != after.changes || before->reach.doubt_ttl != after.reach.doubt_ttl;
    if (way) {
        target->settled_cycle = target->cycle;
        trace->explained_ttl = 0;
    }
    bool silent = event->outcome == SONDE_OUTCOME_NO_REPLY;
    if (silent && !event->to_target)
        note_missed(target, trace, event->ttl);
    else if (after.reach.dest_ttl != 0)
        trace->is_astray = false;
    if (before->changes != after.changes)
        confirm_anew(target);
    if (before->reach.dest_ttl == 0 && after.reach.dest_ttl != 0) /* one by one from now on */
        memset(&trace->asks[after.reach.top_ttl + 1U], 0,
               after.reach.dest_ttl - after.reach.top_ttl - 1U);
    uint8_t doubt = after.reach.doubt_ttl;
    if (doubt != 0 && doubt != before->reach.doubt_ttl)
        walk_want(target, trace, doubt); /* what contradicts is believed when it comes twice */
    target->changed |= way || before->standing != after.standing ||
                       before->reached != after.reached || before->answered != after.answered ||
                       silent;
}

/* A question of a trace was answered, or refused. If the target answers, and probes on the way are
 * to carry another question from now on, those that were silent at the target may now be answered
 * there. */
static void note_question(struct engine_trace *trace, uint8_t question, bool is_target)
{
    uint8_t before = asking_on_the_way(&trace->asking);
    uint8_t top_ttl = trace_reach(trace)->top_ttl;
    if (is_target)
        asking_on_answer(&trace->asking, question);
    else
        asking_on_refusal(&trace->asking, question);
    if (asking_on_the_way(&trace->asking) == before || !is_target)
        return;
    memset(&trace->asks[top_ttl + 1U], 0, (size_t)plan_of(trace->target)->max_ttl - top_ttl);
    trace->arrivals = 0;
}

/* A server that answers a question in one flow is deaf to it in none. */
static void tell_other_flows(const struct engine_trace *trace, uint8_t question)
{
    const struct engine_target *target = trace->target;
    if (target->tally->whole == NULL)
        return; /* it has no others */
    uint32_t service = tally_service_of(target->tally, trace->index);
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (i != trace->index && tally_service_of(target->tally, i) == service)
            note_question(target->traces[i], question, true);
    }
}

/* An answer of the target, or of who refuses in its place, to whatever was asked. */
static void note_answer(struct engine_trace *trace, const struct sonde_event *event)
{
    if (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
        return;
    bool is_target = sonde_event_is_target(event, &trace->target->addr);
    shown_note(&trace->shown, event->outcome);
    note_question(trace, event->question, is_target);
    if (is_target)
        tell_other_flows(trace, event->question);
    trace->is_walled = !is_target && trace_is_wall(event->outcome);
    trace->is_excused = trace->keeps_silent = false;
    trace_take_event(trace, STANDING_EVENT_ANSWERED);
    trace->unanswered_ns[0] = trace->unanswered_ns[1] = SONDE_NS_NEVER;
}

/* What later answers of a trace are compared with: how soon its full-TTL probes were answered, and
 * how often it could not be told which was. */
static void note_times(struct engine_trace *trace, const struct sonde_event *event)
{
    if (!event->to_target)
        return;
    if (event->rtt_ns >= 0 && sonde_event_is_target(event, &trace->target->addr))
        least_note(&trace->soonest, event->rtt_ns, event->sent_ns + event->rtt_ns);
    if (event->rtt_ns >= 0)
        trace->doubted = 0;
    trace->doubted = (uint8_t)(trace->doubted + (event->uncertain && trace->doubted < UINT8_MAX));
}

/* Does this machine itself say that its neighbour does not answer? Then no hop will be heard of,
 * unless somebody else has answered a later probe. */
static void note_neighbour(struct engine_target *target, const struct sonde_event *event,
                           sonde_ns sent_ns)
{
    bool own = event->outcome == SONDE_OUTCOME_HOST_UNREACHABLE &&
               sonde_addr_equal(&event->from, &target->source) &&
               !sonde_addr_equal(&target->source, &target->addr);
    if (!own)
        target->heard_ns = ns_max(target->heard_ns, sent_ns);
    bool is_stuck = own && sent_ns > target->heard_ns;
    target->changed |= is_stuck != target->is_stuck;
    target->is_stuck = is_stuck;
}

/* If somebody on the way refuses a full-TTL probe: how many does it of a cycle? */
static void note_refusal(struct engine_target *target, const struct flight *flight,
                         const struct sonde_event *event)
{
    bool refuses = event->outcome >= SONDE_OUTCOME_ADMIN_PROHIBITED &&
                   event->outcome <= SONDE_OUTCOME_OTHER_UNREACHABLE;
    if (!refuses || !flight->to_target || sonde_event_is_target(event, &target->addr))
        return;
    if (flight->cycle != target->refused_cycle)
        target->refused_count = 0;
    target->refuser = budget_router(&event->from);
    target->refused_cycle = flight->cycle;
    target->refused_count = (uint8_t)(target->refused_count + (target->refused_count < UINT8_MAX));
    if (target->refused_count >= TRACE_REFUSALS_MANY)
        target->many_cycle = target->cycle;
}

/* Move the charge for a probe to who answered it. Who refuses, or has no such port, may stand
 * anywhere. */
static void settle_charge(struct engine *engine, const struct engine_trace *trace,
                          struct flight *flight, const struct sonde_event *event, sonde_ns now)
{
    const struct engine_target *target = trace->target;
    bool by_error = event->icmp_type >= 0;
    budget_key who = by_error ? budget_router(&event->from) : 0;
    if (!flight->to_target && event->outcome == SONDE_OUTCOME_TTL_EXCEEDED) {
        struct budget_place place = trace_place_of(target, trace, flight->ttl);
        budget_answered(&engine->budget, &flight->charge, who, place, now);
    } else if (flight->charge.key != who) {
        budget_give_back(&engine->budget, &flight->charge);
        if (by_error)
            budget_charge(&engine->budget, who, now);
    }
}

void finish_flight(struct engine *engine, uint32_t index, struct sonde_event *event, sonde_ns now)
{
    struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = engine->traces[flight->trace];
    struct engine_target *target = trace->target;
    const struct knowledge before = know(trace);
    bool answered =
        event->outcome != SONDE_OUTCOME_NO_REPLY && event->outcome != SONDE_OUTCOME_SEND_ERROR;
    event->type = SONDE_EVENT_PROBE;
    describe(engine, index, event);
    if (flight->to_target && event->outcome != SONDE_OUTCOME_SEND_ERROR)
        ration_note(&trace->ration, !answered, flight->spaced);
    if (answered) {
        /* how long somebody looked for the target in vain is no round trip */
        if (event->rtt_ns >= 0 && event->outcome != SONDE_OUTCOME_HOST_UNREACHABLE)
            patience_note(&target->patience, event->rtt_ns,
                          sonde_event_is_target(event, &target->addr), now);
        if (sonde_event_is_target(event, &target->addr))
            patience_reached(&target->patience,
                             event->outcome == SONDE_OUTCOME_ECHO_REPLY || event->icmp_type >= 0);
        note_neighbour(target, event, flight->sent_ns);
        note_refusal(target, flight, event);
        note_answer(trace, event);
        note_times(trace, event);
        if (flight->is_blind && event->outcome == SONDE_OUTCOME_TTL_EXCEEDED &&
            flight->ttl > trace->blind_ttl)
            trace->blind_ttl = flight->ttl;
        settle_charge(engine, trace, flight, event, now);
        /* it has not arrived, so another may be sent; but where answers name no more than an
         * attempt, each attempt more is one more that a forged answer may fit */
        if (flight->arrives && event->outcome == SONDE_OUTCOME_TTL_EXCEEDED &&
            trace->arrivals > 0 && trace->spec.naming == PROBE_NAMING_PROBE)
            trace->arrivals--;
        if (flight->shares && event->outcome == SONDE_OUTCOME_TTL_EXCEEDED) {
            claims_unshare(&trace->claims, flight->attempt);
            flight->shares = false;
        }
    }
    if (flight->is_blind && trace->asks[flight->ttl] == 0)
        trace->asks[flight->ttl] = 1;
    hold(engine, trace->target->run, event);
    notice(trace, &before, event);
    target->flying_count--;
    flight_keep(&engine->flights, &trace->line, index, event->outcome);
}

void finish_again(struct engine *engine, uint32_t index, enum sonde_event_type type,
                  struct sonde_event *event)
{
    const struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = engine->traces[flight->trace];
    const struct knowledge before = know(trace);
    event->type = type;
    describe(engine, index, event);
    if (type == SONDE_EVENT_LATE) {
        note_neighbour(trace->target, event, flight->sent_ns);
        note_answer(trace, event);
    }
    hold(engine, trace->target->run, event);
    notice(trace, &before, event);
}

/* The event of a probe that nothing came back to. */
static struct sonde_event event_without_answer(enum sonde_outcome outcome)
{
    return (struct sonde_event){
        .outcome = outcome, .rtt_ns = -1, .reply_ttl = -1, .icmp_type = -1, .icmp_code = -1};
}

void finish_unsent(struct engine *engine, uint32_t index, const struct sonde_sent *sent)
{
    sonde_ns now = sent->stamp.time_ns;
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_SEND_ERROR);
    const struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = engine->traces[flight->trace];
    event.error = -sent->error;
    event.mtu_bytes = sent->mtu_bytes;
    if (sent->error == -EPERM)
        trace->refused_ns = now;
    if (claims_is_newest(&trace->claims, flight->token))
        claims_answered(&trace->claims, now); /* nobody can answer what never left */
    finish_flight(engine, index, &event, now);
}

/* May somebody have kept silent about a probe because it rations its refusals? That is supposed of
 * a port that was never refused, and may be silent always, if it was asked before its turn; but
 * only of one such probe. Of a port that was refused it is known what becomes of it. */
static bool is_excusable(const struct engine *engine, const struct engine_trace *trace,
                         const struct flight *flight)
{
    const struct engine_target *target = trace->target;
    budget_key refuser = flight->to_target ? trace_refuser(target, trace) : 0;
    return refuser != 0 && !trace->is_excused && !trace->keeps_silent &&
           !trace_was_refused(trace) &&
           budget_ready_ns(&engine->budget, refuser, BUDGET_SPARE) > flight->sent_ns;
}

/* Does it say nothing that a probe was not answered? What went ahead blindly may have been dropped
 * on the way for what it is; not before a router that answered another such probe, though. */
static bool is_mute(const struct engine_trace *trace, const struct flight *flight)
{
    bool passed = flight->is_blind && flight->ttl < trace->blind_ttl && !trace->quotes_name_nothing;
    return flight->is_mute && !passed;
}

void finish_unanswered(struct engine *engine, uint32_t index, sonde_ns now)
{
    const struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = engine->traces[flight->trace];
    if (flight->is_cut) {
        gap_end(engine, index);
        return;
    }
    if (is_mute(trace, flight)) {
        walk_was_mute(trace->target, trace, flight->ttl);
        finish_unawaited(engine, index);
        return;
    }
    if (flight->to_target && claims_is_unclear(&trace->claims, flight->attempt)) {
        finish_unawaited(engine, index);
        return;
    }
    if (is_excusable(engine, trace, flight)) {
        struct engine_target *target = trace->target;
        trace->cycle--; /* it is asked again */
        trace->is_excused = true;
        asking_again(&trace->asking, flight->question);
        members_add(&target->fulls, trace->index);
        finish_unawaited(engine, index);
        return;
    }
    if (flight->to_target) {
        trace->lost_cycle = trace->cycle;
        trace->keeps_silent |= !trace_was_refused(trace);
    }
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_NO_REPLY);
    finish_flight(engine, index, &event, now);
}

void finish_unawaited(struct engine *engine, uint32_t index)
{
    struct engine_trace *trace = engine->traces[engine->flights.flights[index].trace];
    struct sonde_event event = event_without_answer(SONDE_OUTCOME_NO_REPLY);
    event.type = SONDE_EVENT_UNAWAITED;
    describe(engine, index, &event);
    hold(engine, trace->target->run, &event);
    trace->target->flying_count--;
    trace->target->changed = true;
    flight_drop(&engine->flights, &trace->line, index);
}
