/* SPDX-License-Identifier: BSD-2-Clause */
/* What the services of a run showed, from when to when; see analyze/history.h. */
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
        if (service == SONDE_ALL || service == i)
            history_deinit(&histories->items[i]);
    }
    if (service == SONDE_ALL) {
        free(histories->items);
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
        .rtt = history_rtt(&tally->rtt),
    };
}

enum { PROBES_MIN = 2 /* of a service in an episode: what fewer show is where another begins */ };

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

/* Make room for the histories of all services of a target. */
static struct history *find_history(struct sonde_run *run, uint32_t measured, uint32_t service)
{
    struct run_histories *histories = &run->histories[measured];
    uint32_t count = tally_by_service(run->tally->targets[measured])->service_count;
    if (service >= histories->count) {
        struct history *grown = realloc(histories->items, count * sizeof *grown);
        if (grown == NULL)
            return NULL;
        memset(&grown[histories->count], 0, (count - histories->count) * sizeof *grown);
        *histories = (struct run_histories){grown, count};
    }
    return &histories->items[service];
}

/* Let a service show something else from a time on. */
static void begin_episode(struct sonde_run *run, uint32_t measured, uint32_t service,
                          struct moment *before, sonde_ns at_ns, enum change_kind change)
{
    const struct tally_target *target = run->tally->targets[measured];
    const struct tally_service *all = tally_by_service(target)->services[service];
    struct history *history = find_history(run, measured, service);
    struct tally_stretch *since;
    tally_begin_at(run->tally, measured, service, at_ns);
    if (history == NULL || tally_stretch_new(run->tally, measured, SONDE_NS_NEVER, &since) < 0)
        return;
    const struct tally_service *now = since->services->services[service];
    const struct tally_service *was = before->stretch->services->services[service];
    struct analysis *analysis = &before->services[service];
    struct episode ended = run_episode(analysis, was);
    if (was->sent + was->outcomes[SONDE_OUTCOME_SEND_ERROR].ended < PROBES_MIN) {
        (void)tally_stretch_free(since);
        return; /* it was just beginning: what it has become, it has been from there on */
    }
    ended.text = strdup(analysis->verdict.text);
    history_change(history, &ended, at_ns, change, all->sent - now->sent,
                   all->received - now->received);
    (void)tally_stretch_free(since);
}

/* Does a service come to something else than before? */
static bool differs(const struct analysis *before, const struct analysis *after)
{
    return before->state != after->state || before->verdict.code != after->verdict.code;
}

/* Is it loss, of which there may be more or less? */
static bool is_loss(const struct analysis *analysis)
{
    return analysis->verdict.code == SONDE_CODE_LOSS_AT_DESTINATION ||
           analysis->verdict.code == SONDE_CODE_LOSS_ON_SOME_PATHS;
}

/* A service has changed. So have others of its target that come to another state by that: nothing
 * of the host may answer any more, or again. */
static void change(struct sonde_run *run, const struct run_look *look, uint32_t service,
                   enum change_kind kind, sonde_ns at_ns)
{
    uint32_t measured = look->measured;
    struct moment *before = judge(run, look, at_ns);
    tally_begin_at(run->tally, measured, service, at_ns);
    struct moment *after = before != NULL ? judge(run, look, SONDE_NS_NEVER) : NULL;
    uint32_t count = after != NULL ? after->stretch->services->service_count : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct analysis *was = &before->services[i];
        const struct analysis *is = &after->services[i];
        bool changed = i == service ? kind == CHANGE_LATENCY || differs(was, is) || is_loss(is)
                                    : was->state != is->state;
        if (changed)
            begin_episode(run, measured, i, before, at_ns, i == service ? kind : CHANGE_ANSWER);
    }
    forget_moment(before);
    forget_moment(after);
}

/* A probe that left before what its service shows now began. */
static void count_late(struct sonde_run *run, uint32_t service, const struct sonde_event *event)
{
    const struct tally_target *target = run->tally->targets[event->target];
    struct run_histories *histories = &run->histories[event->target];
    struct history *history = service < histories->count ? &histories->items[service] : NULL;
    bool left = !event->uncertain && event->outcome != SONDE_OUTCOME_SEND_ERROR;
    if (history != NULL && history->has_begun_later && event->sent_ns < history->from_ns && left)
        history_count_late(history, event->sent_ns, sonde_event_is_target(event, &target->addr));
}

void run_note_change(struct sonde_run *run, const struct sonde_event *event)
{
    uint32_t measured = event->target;
    const struct tally_target *target = run->tally->targets[measured];
    sonde_ns at_ns;
    if (target == NULL || event->service >= target->service_count)
        return; /* it was removed meanwhile */
    uint32_t service = tally_service_of(target, event->service);
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
