/* SPDX-License-Identifier: BSD-2-Clause */
/* The tally of probe records; see engine/tally.h. */
#include "engine/tally.h"

#include "base/time.h"
#include "engine/tally_parts.h"

#include <stdlib.h>
#include <string.h>

/* The hop of a TTL, made if need be; NULL if memory ran out. */
static struct tally_hop *hop_at(struct tally *tally, struct tally_service *service, uint8_t ttl)
{
    if (service->hops == NULL)
        service->hops = calloc(tally->max_ttl + 1U, sizeof(struct tally_hop *));
    if (service->hops != NULL && service->hops[ttl] == NULL)
        service->hops[ttl] = hop_new();
    return service->hops != NULL ? service->hops[ttl] : NULL;
}

/*
 * The path changed. Its hops show it one by one, each when it is asked.
 * @param after  The last cycle that still showed the old path there: where that was before the last
 *               change was believed, this is the same one.
 * @param now    The cycle that makes it believed.
 * @param counts  The record that does is one of those that count.
 * @return true if it is not another hop that shows the last one.
 */
static bool note_change(struct tally_service *service, uint32_t after, uint32_t now, bool counts)
{
    bool is_new = after >= service->changed_cycle;
    service->changes += is_new;
    service->path_changes += is_new && counts;
    if (service->changed_cycle < now)
        service->changed_cycle = now;
    return is_new;
}

/* Keep where the path changed, by time. Without memory it is only counted. */
static void keep_change(struct tally_service *service, const struct tally_way_change *change)
{
    struct tally_way_changes *changes = &service->way_changes;
    if (changes->count == TALLY_CHANGES_MAX) {
        memmove(&changes->items[0], &changes->items[1],
                (TALLY_CHANGES_MAX - 1) * sizeof *changes->items);
        changes->omitted++;
        changes->count--;
    }
    struct tally_way_change *grown = changes->items;
    if ((changes->count & (changes->count - 1)) == 0) { /* there is room for a power of two */
        uint32_t room = changes->count == 0 ? 1 : 2 * changes->count;
        grown = realloc(changes->items, room * sizeof *grown);
    }
    if (grown == NULL) {
        changes->omitted++;
        return;
    }
    changes->items = grown;
    uint32_t at = changes->count++;
    for (; at > 0 && grown[at - 1].time_ns > change->time_ns; at--)
        grown[at] = grown[at - 1];
    grown[at] = *change;
}

/* Note when a router has answered, once for all traces and services. Without memory for that the
 * record is kept all the same, and nobody is known to have been passed over. */
static void note_answered(struct tally_target *target, const struct sonde_event *event)
{
    if (event->type != SONDE_EVENT_PROBE || event->outcome != SONDE_OUTCOME_TTL_EXCEEDED ||
        event->uncertain || event->to_target)
        return;
    struct answered **answered = &target->answered[event->ttl];
    if (*answered == NULL)
        *answered = calloc(1, sizeof **answered);
    if (*answered != NULL)
        answered_note(*answered, event->sent_ns);
}

/* What a TTL-limited probe drew. */
static void count_at_hop(struct tally *tally, const struct tally_target *target,
                         struct tally_service *service, const struct sonde_event *event,
                         bool counts)
{
    if (event->outcome == SONDE_OUTCOME_SEND_ERROR || event->uncertain || event->to_target)
        return;
    struct tally_hop *hop = hop_at(tally, service, event->ttl);
    if (hop == NULL) {
        tally->unrecorded++;
        return;
    }
    bool silent = event->outcome == SONDE_OUTCOME_NO_REPLY;
    struct tally_way_change change = {.ttl = event->ttl, .to = event->from};
    if (hop->current != TALLY_NOBODY)
        change.from = hop->responders[hop->current].addr;
    const struct answered *answered = target->answered[event->ttl];
    bool passed_over = silent && answered != NULL && answered_after(answered, event->sent_ns);
    hop->sent += counts;
    if (counts && epochs_has_limited(&service->epochs, event->sent_ns))
        hop_note_ask(hop, event->sent_ns,
                     (silent ? 0U : HOP_ANSWERED) | (passed_over ? HOP_PASSED_OVER : 0U) |
                         (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED ? HOP_EXPIRED : 0U));
    if (silent) {
        hop->passed_over += passed_over && counts;
        hop->was_passed_over |= passed_over;
    } else if (hop_on_answer(hop, event, counts)) {
        change.is_new = note_change(service, hop->run_after, event->cycle, counts);
        change.time_ns = hop->run_from_ns;
        if (counts)
            keep_change(service, &change);
        reach_on_replaced(&service->reach, event->ttl, hop->run_after + 1);
    }
}

/* Count why a probe did not leave, and keep the most frequent reasons in front. */
static void count_error(struct tally_service *service, const struct epoch *epoch)
{
    struct tally_error *errors = service->errors;
    uint32_t at = 0;
    while (at < TALLY_ERRORS_MAX && errors[at].error != epoch->error && errors[at].error != 0)
        at++;
    if (at == TALLY_ERRORS_MAX)
        return;
    errors[at].error = epoch->error;
    errors[at].count++;
    errors[at].size_bytes = epoch->size_bytes;
    errors[at].mtu_bytes = epoch->mtu_bytes;
    for (; at > 0 && errors[at - 1].count < errors[at].count; at--) {
        struct tally_error rarer = errors[at - 1];
        errors[at - 1] = errors[at];
        errors[at] = rarer;
    }
}

/* Add up the questions of a service. */
static void sum_questions(struct tally_service *service)
{
    uint64_t sent = 0;
    uint64_t silent = 0;
    uint64_t deaf = 0; /* silent to what was never answered */
    uint64_t received = 0;
    for (size_t i = 0; i < SONDE_QUESTIONS_MAX; i++) {
        const struct tally_question *question = &service->questions[i];
        sent += question->sent;
        silent += question->silent;
        received += question->received;
        deaf += question->received == 0 ? question->silent : 0;
    }
    if (received == 0)
        deaf = 0;
    service->sent = sent - deaf;
    service->received = received;
    service->outcomes[SONDE_OUTCOME_NO_REPLY].ended = silent - deaf;
}

void tally_count(struct tally_service *service, const struct epoch *epoch)
{
    struct tally_question *question = &service->questions[epoch->question];
    if (epoch->outcome == SONDE_OUTCOME_NO_REPLY)
        question->silent++;
    else
        service->outcomes[epoch->outcome].ended++;
    if (epoch->uncertain) {
        service->uncertain++;
        return;
    }
    if (epoch->outcome == SONDE_OUTCOME_SEND_ERROR)
        count_error(service, epoch);
    else
        question->sent++;
    question->received += epoch->is_target;
    service->rationed = epoch->rationed;
    if (epoch->spaced && epoch->outcome != SONDE_OUTCOME_SEND_ERROR) {
        service->spaced_sent++;
        service->spaced_lost += epoch->outcome == SONDE_OUTCOME_NO_REPLY;
    }
    if (epoch->is_target && epoch->rtt_ns >= 0)
        rtt_add(&service->rtt, epoch->rtt_ns);
    sum_questions(service);
}

void tally_count_late(struct tally_service *service, bool is_own, sonde_ns rtt_ns)
{
    service->late++;
    service->late_own += is_own;
    if (is_own)
        service->late_longest_ns = ns_max(service->late_longest_ns, rtt_ns);
}

/* What there is to count of a full-TTL probe that ended. */
static struct epoch epoch_of(const struct sonde_event *event, bool is_target)
{
    return (struct epoch){
        .sent_ns = event->sent_ns,
        .rtt_ns = event->rtt_ns,
        .cycle = event->cycle,
        .error = event->error,
        .mtu_bytes = event->mtu_bytes,
        .size_bytes = event->size_bytes,
        .outcome = (uint8_t)event->outcome,
        .question = event->question,
        .is_target = is_target,
        .uncertain = event->uncertain,
        .spaced = event->spaced,
        .rationed = event->rationed,
        .limited = !event->to_target,
    };
}

/* Does a record tell how the service is: it was to get there, or got there or was refused all the
 * same? */
static bool is_telling(const struct sonde_event *event)
{
    return event->to_target || (event->outcome != SONDE_OUTCOME_NO_REPLY &&
                                event->outcome != SONDE_OUTCOME_SEND_ERROR &&
                                event->outcome != SONDE_OUTCOME_TTL_EXCEEDED);
}

/* Keep what an answer shows, whenever it came and whatever its probe was sent for. That a probe to
 * a hop expires there shows nothing of the service. */
static void keep_evidence(struct tally_service *service, const struct sonde_event *event,
                          bool counts)
{
    if (event->outcome == SONDE_OUTCOME_NO_REPLY || event->outcome == SONDE_OUTCOME_SEND_ERROR ||
        (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED && !event->to_target))
        return;
    struct tally_outcome *outcome = &service->outcomes[event->outcome];
    if (counts) {
        outcome->longest_ns = ns_max(outcome->longest_ns, event->rtt_ns);
        outcome->shown += event->outcome != SONDE_OUTCOME_TTL_EXCEEDED;
    } else if (outcome->evidence.valid) {
        return; /* there is a newer one */
    }
    outcome->evidence = (struct tally_evidence){
        .valid = counts,
        .known = true,
        .from = event->from,
        .icmp_type = event->icmp_type,
        .icmp_code = event->icmp_code,
        .reply_ttl = event->reply_ttl,
        .probe_ttl = event->ttl,
        .sent_ns = event->sent_ns,
        .size_bytes = event->size_bytes,
        .mtu_bytes = event->mtu_bytes,
    };
}

static void follow_reach(struct tally_service *service, const struct sonde_addr *target,
                         const struct sonde_event *event, bool counts)
{
    bool is_target = sonde_event_is_target(event, target);
    uint32_t changes = service->reach.changes;
    uint8_t doubt_ttl = service->reach.doubt_ttl;
    const struct tally_hop *hop =
        service->hops != NULL && !event->to_target ? service->hops[event->ttl] : NULL;
    reach_on_event(&service->reach, event, is_target);
    if (service->reach.doubt_ttl != 0 && service->reach.doubt_ttl != doubt_ttl)
        service->doubt_ns = event->sent_ns;
    if (service->reach.changes == changes)
        return;
    /* where the target answers now, a router did before */
    bool was_router = is_target && hop != NULL && hop->last != TALLY_NOBODY;
    bool is_new = note_change(service, was_router ? hop->last_cycle : service->reach.doubt_after,
                              event->cycle, counts);
    struct tally_way_change change = {
        .is_new = is_new,
        .is_length = true,
        .time_ns = doubt_ttl != 0 ? service->doubt_ns : event->sent_ns,
        .ttl = event->ttl,
        .to = event->from,
    };
    if (was_router)
        change.from = hop->responders[hop->last].addr;
    else if (!is_target && event->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
        change.from = *target;
    if (counts)
        keep_change(service, &change);
}

static void count_in_run(struct tally *tally, const struct sonde_event *event)
{
    bool unsent = event->outcome == SONDE_OUTCOME_SEND_ERROR;
    if (event->sent_ns < tally->since_ns)
        return;
    if (event->type == SONDE_EVENT_PROBE || event->type == SONDE_EVENT_UNAWAITED) {
        tally->send_errors += unsent;
        tally->sent_clocks[event->sent_clock] += !unsent;
    }
    tally->received_clocks[event->received_clock] += event->rtt_ns >= 0;
}

/* Fold a record into what a trace, or a service, adds up to. */
static void fold(struct tally *tally, const struct tally_target *target,
                 struct tally_service *service, const struct sonde_event *event)
{
    bool is_target = sonde_event_is_target(event, &target->addr);
    bool counts = event->sent_ns >= service->since_ns;
    service->reached |= counts && is_target;
    switch (event->type) {
    case SONDE_EVENT_PROBE:
        if (counts && is_telling(event)) {
            const struct epoch epoch = epoch_of(event, is_target);
            if (event->to_target)
                tally_count(service, &epoch);
            tally->left_out += !epochs_add(&service->epochs, &epoch);
        }
        count_at_hop(tally, target, service, event, counts);
        follow_reach(service, &target->addr, event, counts);
        keep_evidence(service, event, counts);
        break;
    case SONDE_EVENT_UNAWAITED:
        break;
    case SONDE_EVENT_LATE:
        if (counts) {
            bool is_own = event->to_target && is_target;
            tally_count_late(service, is_own, event->rtt_ns);
            if (is_own)
                epochs_on_late(&service->epochs, event->sent_ns, event->rtt_ns);
        }
        keep_evidence(service, event, counts);
        break;
    case SONDE_EVENT_DUPLICATE:
        service->duplicates += counts;
        break;
    }
}

/* The router that all flows of a service meet at a TTL which met any there; NULL: none did, or they
 * part. */
static const struct sonde_addr *common_router(const struct tally_target *target, uint32_t index,
                                              unsigned ttl)
{
    const struct sonde_addr *common = NULL;
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct tally_responder *router =
            target->service_of[i] == index ? tally_router(target->services[i], ttl) : NULL;
        if (router == NULL)
            continue;
        if (common != NULL && !sonde_addr_equal(common, &router->addr))
            return NULL;
        common = &router->addr;
    }
    return common;
}

void tally_join_flows(struct tally_service *service, struct tally_service *const *flows,
                      uint32_t count)
{
    uint64_t *silent = &service->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
    service->reach = (struct reach){0};
    service->path_changes = 0;
    service->way_changes.count = 0;
    service->way_changes.omitted = 0;
    service->sent = service->received = *silent = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct tally_service *flow = flows[i];
        reach_join(&service->reach, &flow->reach);
        service->path_changes += flow->path_changes;
        if (service->changed_cycle < flow->changed_cycle)
            service->changed_cycle = flow->changed_cycle;
        service->sent += flow->sent;
        service->received += flow->received;
        *silent += flow->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
    }
}

/* The router of a service is the one that all of its flows meet. */
static void join_routers(const struct tally_target *target, uint32_t index, unsigned ttl)
{
    const struct tally_service *service = target->whole->services[index];
    struct tally_hop *hop = service->hops != NULL ? service->hops[ttl] : NULL;
    if (hop != NULL)
        hop_set_router(hop, common_router(target, index, ttl));
}

/* Until when all probes have ended that left, as a record shows. What is in flight when one is not
 * awaited is not either. */
static sonde_ns ended_until(const struct tally *tally, const struct sonde_event *event)
{
    if (event->type == SONDE_EVENT_UNAWAITED)
        return SONDE_NS_NEVER;
    if (event->outcome == SONDE_OUTCOME_NO_REPLY)
        return event->sent_ns;
    return ns_sub(ns_add(event->sent_ns, ns_max(event->rtt_ns, 0)), tally->timeout_ns);
}

void tally_on_event(struct tally *tally, const struct sonde_event *event)
{
    if (event->target >= tally->target_count || tally->targets[event->target] == NULL ||
        event->ttl == 0 || (event->ttl > tally->max_ttl && !event->to_target) ||
        event->service >= tally->targets[event->target]->service_count ||
        (unsigned)event->outcome >= SONDE_OUTCOME_COUNT || event->question >= SONDE_QUESTIONS_MAX ||
        (unsigned)event->sent_clock >= SONDE_CLOCK_COUNT ||
        (unsigned)event->received_clock >= SONDE_CLOCK_COUNT)
        return;
    count_in_run(tally, event);
    struct tally_target *target = tally->targets[event->target];
    struct tally_service *trace = target->services[event->service];
    fold(tally, target, trace, event);
    note_answered(target, event);
    uint32_t index = tally_service_of(target, event->service);
    struct tally_service *service = tally_by_service(target)->services[index];
    if (service != trace) {
        uint32_t count;
        fold(tally, target, service, event);
        struct tally_service *const *flows = tally_flows_of(target, index, &count);
        tally_join_flows(service, flows, count);
        if (event->ttl <= tally->max_ttl)
            join_routers(target, index, event->ttl);
    }
    if (!event->to_target ||
        (event->type != SONDE_EVENT_PROBE && event->type != SONDE_EVENT_UNAWAITED))
        return;
    epochs_look(&trace->epochs, ended_until(tally, event)); /* each flow may be treated otherwise */
    if (tally->observe != NULL)
        tally->observe(tally->observer, event);
}
