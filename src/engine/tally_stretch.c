/* SPDX-License-Identifier: BSD-2-Clause */
/* What a target showed in a stretch of time; see engine/tally.h. */
#include "engine/tally_parts.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A stretch as it is allocated: with the memory that it lies in. */
struct made_service;

struct owned_stretch {
    struct tally_stretch stretch;
    struct arena arena;
    const struct tally *tally;
    sonde_ns until_ns;         /* as it was asked for */
    sonde_ns end_ns;           /* of the service that is being made */
    struct made_service *made; /* those that are not the tally's own, the newest first */
};

/* A service that was added up. */
struct made_service {
    struct tally_service service;
    struct made_service *next;
};

/* Did a probe leave before the end of the stretch? */
static bool is_before_end(const struct owned_stretch *owned, sonde_ns sent_ns)
{
    return owned->end_ns == SONDE_NS_NEVER || sent_ns < owned->end_ns;
}

/* Add up what full-TTL probes came to. */
static void add_figures(const struct owned_stretch *owned, const struct tally_service *from,
                        struct tally_service *to)
{
    const struct tally_epochs *epochs = &from->epochs;
    if (epochs->settled != NULL) {
        *to = *epochs->settled;
        to->rtt = rtt_copy(&epochs->settled->rtt);
    }
    for (uint32_t i = 0; i < epochs->count; i++) {
        const struct epoch *epoch = &epochs->newest[i];
        if (epoch->limited || !is_before_end(owned, epoch->sent_ns))
            continue;
        tally_count(to, epoch);
        if (epoch->late)
            tally_count_late(to, true, epoch->rtt_ns);
    }
}

/* A question that was never answered in all the time, though another was, is one to which the
 * server is deaf, also in a stretch in which it answers none. */
static void leave_out_deaf(const struct tally_service *from, struct tally_service *to)
{
    if (from->received == 0)
        return;
    uint64_t *silent = &to->outcomes[SONDE_OUTCOME_NO_REPLY].ended;
    to->sent = *silent = 0;
    for (size_t i = 0; i < SONDE_QUESTIONS_MAX; i++) {
        const struct tally_question *question = &to->questions[i];
        bool deaf = from->questions[i].received == 0;
        to->sent += question->sent - (deaf ? question->silent : 0);
        *silent += deaf ? 0 : question->silent;
    }
}

/* What answers showed: those to full-TTL probes, and of now the last one to any. */
static void add_evidence(const struct owned_stretch *owned, const struct tally_service *from,
                         const struct sonde_addr *target, struct tally_service *to)
{
    for (unsigned i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        struct tally_outcome *outcome = &to->outcomes[i];
        bool shows = i != SONDE_OUTCOME_NO_REPLY && i != SONDE_OUTCOME_SEND_ERROR;
        outcome->evidence = from->outcomes[i].evidence;
        outcome->longest_ns = from->outcomes[i].longest_ns;
        outcome->evidence.valid =
            outcome->evidence.valid &&
            (outcome->ended > 0 || (owned->until_ns == SONDE_NS_NEVER &&
                                    is_before_end(owned, outcome->evidence.sent_ns) &&
                                    epochs_has_limited(&from->epochs, outcome->evidence.sent_ns)));
        if (shows && i != SONDE_OUTCOME_TTL_EXCEEDED)
            outcome->shown = outcome->ended > 0 ? outcome->ended : outcome->evidence.valid;
        if (i >= SONDE_OUTCOME_ECHO_REPLY && i <= SONDE_OUTCOME_PORT_UNREACHABLE)
            to->reached |=
                outcome->evidence.valid && sonde_addr_equal(&outcome->evidence.from, target);
    }
}

/* Leave out the responders of a hop that did not answer in the stretch. */
static void choose_responders(struct owned_stretch *owned, const struct tally_service *service,
                              const struct tally_hop *from, struct tally_hop *to)
{
    const struct tally_responder *newest = NULL;
    bool has_own = false; /* the router that the path goes through answered */
    to->responders = arena_alloc(&owned->arena, from->responder_count, sizeof *to->responders);
    to->responder_count = 0;
    to->current = TALLY_NOBODY;
    for (uint32_t i = 0; to->responders != NULL && i < from->responder_count; i++) {
        const struct tally_responder *responder = &from->responders[i];
        if (!epochs_has_limited(&service->epochs, responder->sent_ns))
            continue;
        bool is_newer = newest == NULL || responder->sent_ns > newest->sent_ns;
        bool is_own = i == from->current;
        if (responder->kind == SONDE_OUTCOME_TTL_EXCEEDED && (is_own || (is_newer && !has_own))) {
            to->current = to->responder_count;
            newest = responder;
            has_own |= is_own;
        }
        to->responders[to->responder_count++] = *responder;
    }
}

/* Until when what a hop drew belongs to the stretch: a service that was answered again may have
 * been so since right after the last probe that was lost. */
static sonde_ns limited_until(const struct owned_stretch *owned, const struct tally_epochs *epochs)
{
    uint32_t end = epochs->count;
    while (end > 0 && !is_before_end(owned, epochs->newest[end - 1].sent_ns))
        end--;
    bool silent = end > 0 && !epochs->newest[end - 1].is_target;
    return silent && owned->end_ns != SONDE_NS_NEVER ? epochs->newest[end - 1].sent_ns
                                                     : owned->end_ns;
}

/* What a hop drew; NULL: nothing was sent there, or memory ran out. */
static struct tally_hop *make_hop(struct owned_stretch *owned, const struct tally_service *service,
                                  const struct tally_hop *from)
{
    const struct hop_counts counts = hop_count_until(from, limited_until(owned, &service->epochs));
    struct tally_hop *hop = counts.sent > 0 ? arena_alloc(&owned->arena, 1, sizeof *hop) : NULL;
    if (hop == NULL)
        return NULL;
    *hop = *from;
    hop->sent = counts.sent;
    hop->received = counts.received;
    hop->passed_over = counts.passed_over;
    hop->was_passed_over = counts.passed_over > 0;
    hop->responder_count = 0;
    hop->current = TALLY_NOBODY;
    if (counts.received > 0)
        choose_responders(owned, service, from, hop);
    if (counts.expired == 0)
        hop->current = TALLY_NOBODY;
    return hop;
}

static void add_hops(struct owned_stretch *owned, const struct tally_service *from,
                     struct tally_service *to)
{
    uint8_t max_ttl = owned->tally->max_ttl;
    to->reach = from->reach;
    if (from->hops == NULL)
        return;
    to->hops = arena_alloc(&owned->arena, max_ttl + 1U, sizeof(struct tally_hop *));
    for (unsigned ttl = 1; to->hops != NULL && ttl <= max_ttl; ttl++) {
        if (from->hops[ttl] != NULL)
            to->hops[ttl] = make_hop(owned, from, from->hops[ttl]);
        if (to->hops[ttl] == NULL || to->hops[ttl]->responder_count == 0 ||
            to->hops[ttl]->current == TALLY_NOBODY)
            ttl_set_remove(&to->reach.expired, ttl);
    }
    to->reach.top_ttl = ttl_set_highest(&to->reach.expired);
}

/* How often the path changed. */
static void add_changes(const struct owned_stretch *owned, const struct tally_service *from,
                        struct tally_service *to)
{
    to->reach.changes = 0;
    for (uint32_t i = 0; i < from->way_changes.count; i++) {
        const struct tally_way_change *change = &from->way_changes.items[i];
        if (!epochs_has(&from->epochs, change->time_ns) || !is_before_end(owned, change->time_ns))
            continue;
        to->path_changes += change->is_new;
        to->reach.changes += change->is_length;
    }
}

/* What a service showed; the tally's own, if that is no other. @return NULL if memory ran out. */
static struct tally_service *make_service(struct owned_stretch *owned, struct tally_service *from,
                                          const struct sonde_addr *target)
{
    owned->end_ns = owned->until_ns == TALLY_ALL_NS
                        ? TALLY_ALL_NS
                        : epochs_shown_until(&from->epochs, owned->until_ns);
    if (!from->epochs.begins_later && owned->end_ns == SONDE_NS_NEVER)
        return from;
    struct made_service *made = arena_alloc(&owned->arena, 1, sizeof *made);
    if (made == NULL)
        return NULL;
    struct tally_service *to = &made->service;
    made->next = owned->made;
    owned->made = made;
    add_figures(owned, from, to);
    leave_out_deaf(from, to);
    add_evidence(owned, from, target, to);
    add_hops(owned, from, to);
    add_changes(owned, from, to);
    to->changes = from->changes;
    to->changed_cycle = from->changed_cycle;
    to->since_ns = from->since_ns;
    return to;
}

/* What all services of a target showed. @return NULL if memory ran out. */
static struct tally_target *make_target(struct owned_stretch *owned,
                                        const struct tally_target *from)
{
    struct tally_target *to = arena_alloc(&owned->arena, 1, sizeof *to);
    if (to == NULL)
        return NULL;
    *to = (struct tally_target){.addr = from->addr, .service_count = from->service_count};
    to->services = arena_alloc(&owned->arena, from->service_count, sizeof(struct tally_service *));
    to->answered = from->answered;
    for (uint32_t i = 0; to->services != NULL && i < from->service_count; i++)
        to->services[i] = make_service(owned, from->services[i], &from->addr);
    return to;
}

/* What all showed by service, where some have several flows: of those that have one, what that did.
 */
static struct tally_target *make_whole(struct owned_stretch *owned, const struct tally_target *from,
                                       const struct tally_target *traces)
{
    struct tally_target *to = make_target(owned, from->whole);
    for (uint32_t i = 0; to != NULL && arena_ok(&owned->arena) && i < to->service_count; i++) {
        uint32_t count;
        struct tally_service *const *flows = tally_flows_of(from, i, &count);
        struct tally_service *const *shown = &traces->services[flows - from->services];
        if (count > 1 && to->services[i] != from->whole->services[i])
            tally_join_flows(to->services[i], shown, count);
    }
    return to;
}

int tally_stretch_new(const struct tally *tally, uint32_t index, sonde_ns until_ns,
                      struct tally_stretch **ret_stretch)
{
    const struct tally_target *target = tally->targets[index];
    struct owned_stretch *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return -ENOMEM;
    owned->tally = tally;
    owned->until_ns = until_ns;
    struct tally_target *traces = make_target(owned, target);
    owned->stretch.traces = owned->stretch.services = traces;
    if (target->whole != NULL && traces != NULL) {
        struct tally_target *whole = make_whole(owned, target, traces);
        traces->whole = whole;
        traces->service_of = target->service_of;
        owned->stretch.services = whole;
    }
    if (!arena_ok(&owned->arena)) {
        (void)tally_stretch_free(&owned->stretch);
        return -ENOMEM;
    }
    *ret_stretch = &owned->stretch;
    return 0;
}

struct tally_stretch *tally_stretch_free(struct tally_stretch *stretch)
{
    struct owned_stretch *owned = (struct owned_stretch *)stretch; /* it is the first member */
    for (struct made_service *made = owned != NULL ? owned->made : NULL; made != NULL;
         made = made->next)
        rtt_deinit(&made->service.rtt);
    if (owned != NULL)
        arena_deinit(&owned->arena);
    free(owned);
    return NULL;
}

enum change_kind tally_change(const struct tally_target *target, uint32_t service, sonde_ns *ret_ns)
{
    enum change_kind first = CHANGE_NONE;
    uint32_t count;
    struct tally_service *const *flows = tally_flows_of(target, service, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct tally_epochs *epochs = &flows[i]->epochs;
        if (epochs->change == CHANGE_NONE || (first != CHANGE_NONE && epochs->change_ns >= *ret_ns))
            continue;
        first = epochs->change;
        *ret_ns = epochs->change_ns;
    }
    return first;
}

uint32_t tally_cycles(const struct tally_service *service)
{
    const struct tally_epochs *epochs = &service->epochs;
    return epochs->count > 0 ? epochs->newest[epochs->count - 1].cycle - epochs->first_cycle + 1
                             : 0;
}

/* Has nobody answered any full-TTL probe that left since? */
static bool is_silent(const struct tally_epochs *epochs)
{
    bool silent = epochs->count > 0;
    for (uint32_t i = 0; i < epochs->count; i++)
        silent &= epochs->newest[i].outcome == SONDE_OUTCOME_NO_REPLY && !epochs->newest[i].late;
    return silent;
}

static void begin_service_at(struct tally *tally, struct tally_service *service, sonde_ns from_ns)
{
    struct ttl_set heard = {0};
    epochs_begin_at(&service->epochs, from_ns);
    bool silent = is_silent(&service->epochs);
    if (silent && service->epochs.count > 1)
        from_ns = service->epochs.limited_from_ns = service->epochs.newest[1].sent_ns;
    for (unsigned ttl = 1; service->hops != NULL && ttl <= tally->max_ttl; ttl++) {
        if (service->hops[ttl] == NULL)
            continue;
        hop_begin_at(service->hops[ttl], from_ns);
        if (hop_count_until(service->hops[ttl], SONDE_NS_NEVER).expired > 0)
            ttl_set_add(&heard, ttl);
    }
    if (silent)
        reach_forget(&service->reach, &heard,
                     service->epochs.newest[service->epochs.count - 1].cycle);
}

void tally_begin_at(struct tally *tally, uint32_t index, uint32_t service, sonde_ns from_ns)
{
    const struct tally_target *target = tally->targets[index];
    uint32_t count;
    struct tally_service *const *flows = tally_flows_of(target, service, &count);
    for (uint32_t i = 0; i < count; i++)
        begin_service_at(tally, flows[i], from_ns);
    if (count > 1)
        begin_service_at(tally, tally_by_service(target)->services[service], from_ns);
}
