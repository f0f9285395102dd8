/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vantage's loop: drain answers, expire, send what is due, pull events; then wait. In this
 * order, because an answer that waits in the socket must not be given up for lost by a host that
 * was busy.
 */
#include "base/addr.h"
#include "base/time.h"
#include "io/clock.h"
#include "probe/probe.h"
#include "run/recorder.h"

#include <assert.h>
#include <errno.h>

enum {
    ARRIVALS_A_TURN = 1024, /* before anything else gets its turn, under a flood */
};
static_assert((int)IO_BATCH <= (int)ENGINE_BATCH, "the engine hands out what is sent at once");
static_assert((int)PROBE_SIZE_MAX <= (int)IO_PACKET_MAX, "a transport takes every probe");
static_assert((int)IO_WATCH_MAX <= (int)SONDE_FDS_MAX, "a program has place for all");
static const sonde_ns GRACE_NS = SONDE_NS_PER_S; /* for names of hops, once all is measured */
/* A step that comes so much later than it was due: what this process stamps then, it stamps late.
 */
static const sonde_ns LATE_NS = 100 * SONDE_NS_PER_MS;
/* So late comes none because the machine is busy. The program was stopped, or the machine was; what
 * was sent to it meanwhile may be gone. */
static const sonde_ns STANDSTILL_NS = SONDE_NS_PER_S;

/* An address that a resolver may be asked about: not one of this link, host or group only. */
static bool name_is_worth_asking(const struct sonde_addr *addr)
{
    if (addr->family == SONDE_FAMILY_IPV6)
        return !addr_is_link_local(addr) && addr->bytes[0] != 0xff && addr->bytes[0] != 0;
    return addr->family == SONDE_FAMILY_IPV4 && addr->bytes[0] != 0 && addr->bytes[0] < 224;
}

/* Is there no room for the events of one more step, behind those of @p more probes to send? */
static bool events_are_full(const struct sonde_vantage *vantage, uint32_t more)
{
    for (const struct sonde_run *run = vantage->runs; run != NULL; run = run->next) {
        bool is_taken = run->recorder != NULL ? !run->recorder->failed : !run->interrupted;
        if (run->events != NULL && is_taken &&
            run->event_count + more > SONDE_EVENTS_KEPT - ENGINE_EVENTS)
            return true;
    }
    return false;
}

/* Find which service and which flow of a target is measured in a place. @return false if none is.
 */
static bool find_service(const struct sonde_run *run, uint32_t index,
                         const struct engine_place *place, struct sonde_event *ret_event)
{
    const struct run_target *target = &run->targets[index];
    ret_event->target = index;
    return !target->removed &&
           run_find_service(target, place, &ret_event->service, &ret_event->flow) &&
           !target->services[ret_event->service].removed;
}

bool run_find_reporter(const struct sonde_run *run, const struct engine_place *place,
                       struct sonde_event *ret_event)
{
    bool found = find_service(run, run->traced[place->target], place, ret_event);
    for (uint32_t i = 0; !found && i < run->target_count; i++)
        found = find_service(run, i, place, ret_event);
    return found;
}

/* Keep an event for the program, which knows targets and services as it has added them. */
static void keep_event(struct sonde_run *run, const struct sonde_event *event)
{
    const struct engine_place place = {event->target, event->service};
    uint32_t at = (run->event_first + run->event_count) % SONDE_EVENTS_KEPT;
    if (run->event_count == SONDE_EVENTS_KEPT)
        return; /* the run was stopped: it ends, whether or not they are taken */
    run->events[at] = *event;
    run->event_count += run_find_reporter(run, &place, &run->events[at]);
}

/* The run that the engine has in place of one. */
static struct sonde_run *find_run(const struct sonde_vantage *vantage,
                                  const struct engine_run *engine_run)
{
    struct sonde_run *run = vantage->runs;
    while (run != NULL && run->engine_run != engine_run)
        run = run->next;
    return run;
}

/* Take what happened: the engine has folded it into the tally. Keep it for the program. */
static void pull_events(struct sonde_vantage *vantage)
{
    struct engine_event popped;
    const struct sonde_event *event = &popped.event;
    while (engine_pop_event(vantage->engine, &popped) == 0) {
        struct sonde_run *run = popped.run != NULL ? find_run(vantage, popped.run) : NULL;
        if (run == NULL)
            continue;
        vantage_note_scope(vantage, event->from.scope);
        if (event->cycle + 1 > run->cycles_begun)
            run->cycles_begun = event->cycle + 1;
        if (!vantage->options.no_names && name_is_worth_asking(&event->from))
            vantage->names->ops->want(vantage->names, &event->from);
        if (event->from.family != SONDE_FAMILY_NONE)
            recorder_note_address(run, &event->from);
        if (run->events != NULL)
            keep_event(run, event);
    }
}

/*
 * Take what has arrived, as far as a turn goes.
 * @return Until when all that arrived is known: now, or, if more is waiting, when the last one that
 *         was taken came in. After a standstill much is waiting, and nothing may be given up for
 *         lost by a clock that is ahead of it.
 */
static sonde_ns drain_answers(struct sonde_vantage *vantage)
{
    struct sonde_transport *transport = vantage->transport;
    struct sonde_rx rx = {.stamp.time_ns = vantage->now_ns};
    for (int i = 0; i < ARRIVALS_A_TURN && !events_are_full(vantage, 0); i++) {
        int r = transport->ops->recv(transport, vantage->now_ns, &rx);
        if (r < 0)
            return vantage->now_ns;
        if (r > 0) {
            engine_on_discard(vantage->engine, r);
            continue;
        }
        engine_on_rx(vantage->engine, &rx);
        pull_events(vantage);
    }
    return ns_min(rx.stamp.time_ns, vantage->now_ns);
}

static void expire(struct sonde_vantage *vantage, sonde_ns now)
{
    while (!events_are_full(vantage, 0) && engine_on_time(vantage->engine, now))
        pull_events(vantage);
    pull_events(vantage);
}

/* Tell the engine how sending went. @return false if the rest has to wait. */
static bool note_sent(struct sonde_vantage *vantage, uint32_t handle, const struct sonde_sent *sent)
{
    engine_on_sent(vantage->engine, handle, sent);
    pull_events(vantage);
    return sent->error != -EAGAIN && sent->error != -ENOBUFS && sent->error != -ENOMEM;
}

/* Send up to a batch of what is due. */
static void send_due(struct sonde_vantage *vantage, sonde_ns now)
{
    struct sonde_transport *transport = vantage->transport;
    struct sonde_tx txs[IO_BATCH];
    uint32_t count = 0;
    uint32_t room = transport->room > 0 && transport->room < IO_BATCH ? transport->room : IO_BATCH;
    while (count < room && !events_are_full(vantage, count) &&
           engine_next_tx(vantage->engine, now, vantage->segments[count], &txs[count]) == 0)
        count++;
    uint32_t told = 0;
    bool go_on = true;
    while (told < count && go_on) {
        struct sonde_sent sents[IO_BATCH];
        uint32_t tried = transport->ops->send(transport, txs + told, count - told, sents);
        for (uint32_t i = 0; i < tried; i++)
            go_on = note_sent(vantage, txs[told++].handle, &sents[i]);
    }
}

/* Nothing more can come for a run whose names are all known, unless it stays open. */
static bool is_settled(const struct sonde_run *run)
{
    return run->running && run->pending_count == 0 && !run->plan.stays_open;
}

/* Has the measuring ended, or can it not go on? */
static bool has_ended(const struct sonde_run *run)
{
    return run->engine_run != NULL &&
           (run->vantage->failure < 0 || engine_ended(run->engine_run) != ENGINE_RUNNING);
}

/* Is a run over? Once the measuring is, names of hops may still be on their way. */
static bool look_if_over(struct sonde_run *run)
{
    struct sonde_vantage *vantage = run->vantage;
    if (!has_ended(run))
        return false;
    if (run->end_ns == SONDE_NS_NEVER) {
        engine_stop(run->engine_run); /* if it has not ended by itself */
        run->end_ns = vantage->now_ns;
        run->grace_ns = ns_min(ns_add(vantage->now_ns, GRACE_NS), run->until_ns);
        run_give_up_names(run, "the name was still being looked up at the deadline");
    }
    return vantage->failure < 0 || vantage->options.no_names || run->interrupted ||
           vantage->names->ops->step(vantage->names) == 0 || vantage->now_ns >= run->grace_ns;
}

/* Look at every run: what it waits for, and whether it is over. */
static void look_at_runs(struct sonde_vantage *vantage)
{
    for (struct sonde_run *run = vantage->runs; run != NULL; run = run->next)
        run->is_over = run->is_over || look_if_over(run);
}

/* Has nobody looked for arrivals since the last step, though somebody should have? */
static void look_for_gap(struct sonde_vantage *vantage)
{
    sonde_ns slept_ns = vantage->transport->ops->slept_ns(vantage->transport);
    bool is_deaf = ns_sub(slept_ns, vantage->slept_ns) > CLOCK_SLEPT_SLACK_NS;
    bool is_late = false;
    if (vantage->due_ns != SONDE_NS_NEVER) {
        sonde_ns late = ns_sub(vantage->now_ns, ns_max(vantage->due_ns, vantage->stepped_ns));
        is_late = late > LATE_NS;
        is_deaf |= late > STANDSTILL_NS;
    }
    vantage->slept_ns = slept_ns;
    if (is_late || is_deaf)
        engine_on_gap(vantage->engine, vantage->now_ns, is_deaf);
}

/* Has reading shown that arrivals found no room in a receive queue? Then what is in flight may have
 * been answered. */
static void look_for_losses(struct sonde_vantage *vantage)
{
    uint64_t lost = vantage->transport->ops->lost_here(vantage->transport);
    if (lost == vantage->lost)
        return;
    vantage->lost = lost;
    vantage->lost_ns = vantage->now_ns;
    engine_on_gap(vantage->engine, vantage->now_ns, true);
}

bool vantage_has_lost(const struct sonde_vantage *vantage, sonde_ns from_ns, sonde_ns to_ns,
                      sonde_ns timeout_ns)
{
    /* a queue is read every second at least, or the loop has stood still */
    sonde_ns sent_ns = ns_sub(vantage->lost_ns, ns_add(timeout_ns, STANDSTILL_NS));
    return vantage->lost > 0 && from_ns <= vantage->lost_ns && to_ns >= sent_ns;
}

/* Note when the next step is due. */
static void note_due(struct sonde_vantage *vantage)
{
    vantage->stepped_ns = vantage->now_ns;
    vantage->due_ns = engine_deadline_ns(vantage->engine);
}

int sonde_vantage_step(struct sonde_vantage *vantage)
{
    if (vantage->failure == 0 && !vantage->is_awake)
        vantage->failure = vantage_look_at_clock(vantage);
    vantage->is_awake = false;
    if (vantage->failure == 0) {
        vantage->names_pending = vantage->names->ops->step(vantage->names);
        vantage_take_names(vantage);
        for (const struct sonde_run *run = vantage->runs; run != NULL; run = run->next) {
            if (run->engine_run != NULL)
                engine_set_open(run->engine_run, !is_settled(run));
        }
        look_for_gap(vantage);
        sonde_ns known_ns = drain_answers(vantage);
        look_for_losses(vantage);
        expire(vantage, known_ns);
        send_due(vantage, known_ns);
        note_due(vantage);
    }
    look_at_runs(vantage);
    return vantage->failure;
}

/* When something is due that no descriptor tells of. */
static sonde_ns deadline_ns(struct sonde_vantage *vantage)
{
    sonde_ns until = engine_deadline_ns(vantage->engine);
    for (const struct sonde_run *run = vantage->runs; run != NULL; run = run->next) {
        if (run->end_ns != SONDE_NS_NEVER && !run->is_over)
            until = ns_min(until, run->grace_ns);
        else if (!run->is_over &&
                 (has_ended(run) || (is_settled(run) && engine_is_idle(run->engine_run))))
            until = INT64_MIN; /* the next step will say that it is over */
    }
    vantage->watch.count = vantage->own_watches;
    return ns_min(until, vantage->names->ops->watch(vantage->names, &vantage->watch));
}

int sonde_vantage_wait(struct sonde_vantage *vantage, sonde_ns max_wait_ns)
{
    if (vantage->failure < 0 || events_are_full(vantage, 0))
        return vantage->failure;
    sonde_ns until = deadline_ns(vantage);
    if (max_wait_ns != SONDE_NS_NEVER)
        until = ns_min(until, ns_add(vantage->now_ns, max_wait_ns));
    vantage->failure = vantage->transport->ops->wait(vantage->transport, until, &vantage->now_ns);
    vantage->is_awake = true;
    if (vantage->failure < 0)
        look_at_runs(vantage);
    return vantage->failure;
}

sonde_ns sonde_vantage_timeout_ns(struct sonde_vantage *vantage)
{
    struct io_watch unused = {.count = 0};
    if (vantage->failure == 0) /* the clock has gone on since the step */
        vantage->failure = vantage_look_at_clock(vantage);
    vantage->is_awake = false; /* the program is about to wait */
    if (vantage->failure < 0 || events_are_full(vantage, 0))
        return SONDE_NS_NEVER;
    sonde_ns until =
        ns_min(deadline_ns(vantage), vantage->transport->ops->watch(vantage->transport, &unused));
    return until == SONDE_NS_NEVER ? until : ns_max(ns_sub(until, vantage->now_ns), 0);
}

size_t sonde_vantage_fds(struct sonde_vantage *vantage, struct pollfd *fds, size_t cap)
{
    struct io_watch all;
    (void)deadline_ns(vantage); /* whose descriptors the names wait for */
    all = vantage->watch;
    (void)vantage->transport->ops->watch(vantage->transport, &all);
    for (size_t i = 0; i < all.count && i < cap; i++)
        fds[i] = all.fds[i];
    return all.count;
}
