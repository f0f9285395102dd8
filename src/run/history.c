/* SPDX-License-Identifier: BSD-2-Clause */
/* What the services of a run showed, from when to when; see analyze/history.h. */
#include "run/history.h"

#include "base/time.h"
#include "run/look.h"

#include <stdlib.h>
#include <string.h>

const struct history *run_history(const struct sonde_run *run, uint32_t measured, uint32_t service)
{
    const struct run_histories *histories = &run->histories[measured];
    return service < histories->count ? &histories->items[service] : NULL;
}

void run_forget_history(struct sonde_run *run, uint32_t measured, uint32_t service)
{
    struct run_histories *histories = &run->histories[measured];
    for (uint32_t i = 0; i < histories->count; i++) {
        if (service != SONDE_ALL && service != i)
            continue;
        history_deinit(&histories->items[i]);
        free(histories->before[i].text);
        histories->before[i] = (struct episode){.sent = 0};
    }
    histories->has_before = false;
    if (service == SONDE_ALL) {
        free(histories->items);
        free(histories->before);
        *histories = (struct run_histories){.count = 0};
    }
}

struct episode run_episode(struct analysis *analysis, const struct tally_service *tally)
{
    return (struct episode){
        .state = analysis->state,
        .code = analysis->verdict.code,
        .level = analysis->verdict.level,
        .text = analysis->verdict.text,
        .has_blame = analysis->verdict.has_blame,
        .blame = analysis->verdict.blame,
        .rtt = rtt_numbers(&tally->rtt),
    };
}

enum {
    PROBES_MIN = 2,    /* of a service in an episode: what fewer show is where another begins */
    CAUGHT_UP_MAX = 10 /* that are late after something was over, and no other round trip */
};

/* Services that suffer the same are not asked at once. */
static const sonde_ns NEAR_NS = SONDE_NS_PER_S;

/* What a moment of a target's life is judged by, and what its services come to. */
struct moment {
    struct tally_stretch *stretch;
    struct analysis services[TARGET_SERVICES_MAX];
};

static void forget_moment(struct moment *moment)
{
    if (moment != NULL)
        (void)tally_stretch_free(moment->stretch);
    free(moment);
}

/* Judge all services of a target by what they showed until a time, since each changed. @return
 * NULL if memory ran out. */
static struct moment *judge(const struct sonde_run *run, const struct run_look *look,
                            sonde_ns until_ns)
{
    struct moment *moment = calloc(1, sizeof *moment);
    struct run_seen seen;
    if (moment == NULL ||
        tally_stretch_new(run->tally, look->measured, until_ns, &moment->stretch) < 0) {
        free(moment);
        return NULL;
    }
    target_see(look, moment->stretch->services, moment->stretch->traces, &seen);
    seen.services.only_now = true;
    for (uint32_t i = 0; i < moment->stretch->services->service_count; i++)
        analyze_service(&seen.services, i, &moment->services[i]);
    return moment;
}

/* Make room for the histories of all services of a target. @return false if memory ran out. */
static bool make_room(struct sonde_run *run, uint32_t measured)
{
    struct run_histories *histories = &run->histories[measured];
    uint32_t count = tally_by_service(run->tally->targets[measured])->service_count;
    if (count <= histories->count)
        return true;
    struct history *items = realloc(histories->items, count * sizeof *items);
    if (items == NULL)
        return false;
    histories->items = items;
    struct episode *before = realloc(histories->before, count * sizeof *before);
    if (before == NULL)
        return false;
    histories->before = before;
    uint32_t more = count - histories->count;
    memset(&items[histories->count], 0, more * sizeof *items);
    memset(&before[histories->count], 0, more * sizeof *before);
    histories->count = count;
    return true;
}

/* Are two changes so near that they may tell of the same? @param near_ns  They are if no more lies
 * between them, or an interval. */
static bool is_near(const struct sonde_run *run, sonde_ns a_ns, sonde_ns b_ns, sonde_ns near_ns)
{
    return ns_sub(ns_max(a_ns, b_ns), ns_min(a_ns, b_ns)) <= ns_max(near_ns, run->plan.interval_ns);
}

/* What services came to before a time. */
struct ended {
    struct moment *all;  /* by what left before it */
    struct moment *sure; /* and an interval earlier: some may have changed a little before others */
};

/* Keep what each service of a target came to before a time, for those that will turn out to have
 * changed with the first: once some have begun anew, nobody can be compared with them any more. */
static void keep_before(const struct sonde_run *run, struct run_histories *histories,
                        const struct ended *ended, sonde_ns at_ns)
{
    bool near = histories->has_before && is_near(run, histories->before_ns, at_ns, NEAR_NS);
    for (uint32_t i = 0; i < histories->count; i++) {
        const struct tally_service *was = ended->all->stretch->services->services[i];
        const struct tally_service *sure = ended->sure->stretch->services->services[i];
        struct moment *told = sure->sent >= PROBES_MIN ? ended->sure : ended->all;
        struct episode *before = &histories->before[i];
        if (near && before->text != NULL)
            continue; /* it was not taken yet */
        free(before->text);
        *before = run_episode(&told->services[i], told->stretch->services->services[i]);
        before->text = strdup(told->services[i].verdict.text);
        before->sent = was->sent + was->outcomes[SONDE_OUTCOME_SEND_ERROR].ended;
        before->received = was->received;
    }
    if (!near)
        histories->before_ns = at_ns;
    histories->has_before = true;
}

/* Does a service only stand by? */
static bool stands_by(const struct sonde_run *run, uint32_t measured, uint32_t service)
{
    const struct tally_target *target = run->tally->targets[measured];
    struct engine_place place = {measured, 0};
    uint32_t flow;
    while (tally_service_of(target, place.trace) != service)
        place.trace++;
    return run_service_at(run, &place, &flow)->standby;
}

/* How many full-TTL probes of a service there were, whatever they asked. */
static uint64_t count_asked(const struct tally_service *service)
{
    uint64_t count = 0;
    for (size_t i = 0; i < SONDE_QUESTIONS_MAX; i++)
        count += service->questions[i].sent;
    return count;
}

/* Let a service show something else from a time on. @param is_others  Another service changed then,
 * and this one has come to another state by that. */
static void begin_episode(struct sonde_run *run, uint32_t measured, uint32_t service,
                          sonde_ns at_ns, enum change_kind change, bool is_others)
{
    struct run_histories *histories = &run->histories[measured];
    const struct tally_target *target = run->tally->targets[measured];
    const struct tally_service *all = tally_by_service(target)->services[service];
    struct history *history = &histories->items[service];
    struct episode *ended = &histories->before[service];
    struct tally_stretch *since;
    bool near =
        history->has_begun_later && is_near(run, history->from_ns, at_ns, run->plan.timeout_ns);
    if (is_others && near)
        return;
    tally_begin_at(run->tally, measured, service, at_ns);
    if (tally_stretch_new(run->tally, measured, TALLY_ALL_NS, &since) < 0)
        return;
    const struct tally_service *now = since->services->services[service];
    uint64_t counted = all->sent - now->sent;
    uint64_t received = all->received - now->received;
    /* to which questions a server is deaf shows with its first answer, and counts from then on */
    uint64_t sent = received > 0 ? counted : count_asked(all) - count_asked(now);
    (void)tally_stretch_free(since);
    /* what had been held back on the way comes late and then in time */
    bool caught_up =
        change == CHANGE_LATENCY && history->has_begun_later && ended->sent < CAUGHT_UP_MAX;
    if (ended->sent < PROBES_MIN || caught_up)
        return; /* it was just beginning: what it has become, it has been from there on */
    history_change(history, ended, at_ns, change, sent, received);
    history->sent_before = counted;
}

/* Is it loss, of which there may be more or less? */
static bool is_loss(const struct analysis *analysis)
{
    return analysis->verdict.code == SONDE_CODE_LOSS_AT_DESTINATION ||
           analysis->verdict.code == SONDE_CODE_LOSS_ON_SOME_PATHS;
}

/* What stands by is asked at times. What it showed before something changed, and a good while
 * before at that, or without being asked since, shows nothing of now. */
static struct members forget_unasked(struct sonde_run *run, uint32_t measured, sonde_ns at_ns)
{
    const struct tally_target *target = tally_by_service(run->tally->targets[measured]);
    struct members forgotten = {0};
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct tally_epochs *epochs = &target->services[i]->epochs;
        if (epochs->count == 0 || epochs->newest[0].sent_ns >= at_ns ||
            !stands_by(run, measured, i))
            continue;
        tally_begin_at(run->tally, measured, i, at_ns);
        members_add(&forgotten, i);
    }
    return forgotten;
}

/* A service has changed. So have others of its target that come to another state by that: nothing
 * of the host may answer any more, or again. */
static void change(struct sonde_run *run, const struct run_look *look, uint32_t service,
                   enum change_kind kind, sonde_ns at_ns)
{
    uint32_t measured = look->measured;
    struct run_histories *histories = &run->histories[measured];
    const struct ended ended = {judge(run, look, at_ns),
                                judge(run, look, ns_sub(at_ns, run->plan.interval_ns))};
    struct moment *unchanged = judge(run, look, SONDE_NS_NEVER);
    tally_begin_at(run->tally, measured, service, at_ns);
    struct members forgotten = forget_unasked(run, measured, at_ns);
    struct moment *changed = judge(run, look, SONDE_NS_NEVER);
    bool judged = ended.all != NULL && ended.sure != NULL && unchanged != NULL && changed != NULL;
    if (judged && make_room(run, measured))
        keep_before(run, histories, &ended, at_ns);
    for (uint32_t i = 0; judged && i < histories->count; i++) {
        const struct analysis *is = &changed->services[i];
        const struct episode *was = &histories->before[i];
        bool is_other = was->state != is->state || was->code != is->verdict.code;
        if (i == service && (kind == CHANGE_LATENCY || is_other || is_loss(is)))
            begin_episode(run, measured, i, at_ns, kind, false);
        else if (i != service && (unchanged->services[i].state != is->state ||
                                  (members_has(&forgotten, i) && is_other)))
            begin_episode(run, measured, i, at_ns, CHANGE_ANSWER, true);
    }
    forget_moment(ended.all);
    forget_moment(ended.sure);
    forget_moment(unchanged);
    forget_moment(changed);
}

/* A probe that left before what its service shows now began. */
static void count_late(struct sonde_run *run, uint32_t service, const struct sonde_event *event)
{
    const struct tally_target *target = run->tally->targets[event->target];
    struct run_histories *histories = &run->histories[event->target];
    struct history *history = service < histories->count ? &histories->items[service] : NULL;
    const struct tally_service *all = tally_by_service(target)->services[service];
    bool deaf = event->outcome == SONDE_OUTCOME_NO_REPLY && all->received > 0 &&
                all->questions[event->question].received == 0;
    bool left = !event->uncertain && !deaf && event->outcome != SONDE_OUTCOME_SEND_ERROR;
    if (history != NULL && history->has_begun_later && event->sent_ns < history->from_ns && left)
        history_count_late(history, event->sent_ns, sonde_event_is_target(event, &target->addr));
}

/* See whether a service has changed by a record. */
static void note_change(void *observer, const struct sonde_event *event)
{
    struct sonde_run *run = observer;
    uint32_t measured = event->target;
    const struct tally_target *target = run->tally->targets[measured];
    sonde_ns at_ns;
    if (target == NULL || event->service >= target->service_count)
        return; /* it was removed meanwhile */
    uint32_t service = tally_service_of(target, event->service);
    if (event->type == SONDE_EVENT_PROBE)
        count_late(run, service, event);
    enum change_kind kind = tally_change(target, service, &at_ns);
    if (kind == CHANGE_NONE)
        return;
    struct arena arena = {0};
    struct run_look *look = calloc(1, sizeof *look);
    if (look != NULL) {
        const struct run_facts facts = run_facts(run);
        target_look_at(run, &run->targets[run->traced[measured]], measured, &facts, &arena, look);
        change(run, look, service, kind, at_ns);
    } else {
        tally_begin_at(run->tally, measured, service, at_ns);
    }
    free(look);
    arena_deinit(&arena);
}

void run_follow_changes(struct sonde_run *run)
{
    run->tally->observe = note_change;
    run->tally->observer = run;
    run->tally->timeout_ns = run->plan.timeout_ns;
}
