/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session's loop: drain answers, expire, send what is due, pull events, wait. In this order,
 * because an answer that waits in the socket must not be given up for lost by a host that was busy.
 */
#include "base/addr.h"
#include "base/time.h"
#include "probe/probe.h"
#include "session/internal.h"

#include <assert.h>
#include <errno.h>

enum {
    ARRIVALS_A_TURN = 1024, /* before anything else gets its turn, under a flood */
};
static_assert((int)IO_BATCH <= (int)ENGINE_BATCH, "the engine hands out what is sent at once");
static_assert((int)PROBE_SIZE_MAX <= (int)IO_PACKET_MAX, "a transport takes every probe");
static const sonde_ns GRACE_NS = SONDE_NS_PER_S; /* for names of hops, once all is measured */

/* An address that a resolver may be asked about: not one of this link, host or group only. */
static bool name_is_worth_asking(const struct sonde_addr *addr)
{
    if (addr->family == SONDE_FAMILY_IPV6)
        return !addr_is_link_local(addr) && addr->bytes[0] != 0xff && addr->bytes[0] != 0;
    return addr->family == SONDE_FAMILY_IPV4 && addr->bytes[0] != 0 && addr->bytes[0] < 224;
}

/* Is there no room for the events of one more step, behind those of @p more probes to send? */
static bool events_are_full(const struct sonde_session *session, uint32_t more)
{
    return session->events != NULL &&
           session->event_count + more > SONDE_EVENTS_KEPT - ENGINE_EVENTS;
}

/* Keep an event for the program, which knows targets and services as it has added them. */
static void keep_event(struct sonde_session *session, const struct sonde_event *event)
{
    const struct engine_place place = {event->target, event->service};
    uint32_t target = session->traced[place.target];
    const struct session_service *services = session->targets[target].services;
    uint32_t at = (session->event_first + session->event_count) % SONDE_EVENTS_KEPT;
    session->events[at] = *event;
    session->events[at].target = target;
    session->events[at].service = (uint32_t)(session_service_at(session, &place) - services);
    session->event_count++;
}

/* Take what happened: the engine has folded it into the tally. Keep it for the program. */
static void pull_events(struct sonde_session *session)
{
    struct engine_event popped;
    const struct sonde_event *event = &popped.event;
    while (engine_pop_event(session->engine, &popped) == 0) {
        session_note_scope(session, event->from.scope);
        if (event->cycle + 1 > session->cycles_begun)
            session->cycles_begun = event->cycle + 1;
        if (!session->options.vantage.no_names && name_is_worth_asking(&event->from))
            session->names->ops->want(session->names, &event->from);
        if (session->events != NULL)
            keep_event(session, event);
    }
}

/*
 * Take what has arrived, as far as a turn goes.
 * @return Until when all that arrived is known: now, or, if more is waiting, when the last one that
 *         was taken came in. After a standstill much is waiting, and nothing may be given up for
 *         lost by a clock that is ahead of it.
 */
static sonde_ns drain_answers(struct sonde_session *session)
{
    struct sonde_transport *transport = session->transport;
    struct sonde_rx rx = {.stamp.time_ns = session->now_ns};
    for (int i = 0; i < ARRIVALS_A_TURN && !events_are_full(session, 0); i++) {
        int r = transport->ops->recv(transport, session->now_ns, &rx);
        if (r < 0)
            return session->now_ns;
        if (r > 0) {
            engine_on_discard(session->engine, r);
            continue;
        }
        engine_on_rx(session->engine, &rx);
        pull_events(session);
    }
    return ns_min(rx.stamp.time_ns, session->now_ns);
}

static void expire(struct sonde_session *session, sonde_ns now)
{
    while (!events_are_full(session, 0) && engine_on_time(session->engine, now))
        pull_events(session);
    pull_events(session);
}

/* Tell the engine how sending went. @return false if the rest has to wait. */
static bool note_sent(struct sonde_session *session, uint32_t handle, const struct sonde_sent *sent)
{
    engine_on_sent(session->engine, handle, sent);
    pull_events(session);
    return sent->error != -EAGAIN && sent->error != -ENOBUFS && sent->error != -ENOMEM;
}

/* Send up to a batch of what is due. */
static void send_due(struct sonde_session *session, sonde_ns now)
{
    struct sonde_transport *transport = session->transport;
    struct sonde_tx txs[IO_BATCH];
    uint32_t count = 0;
    uint32_t room = transport->room > 0 && transport->room < IO_BATCH ? transport->room : IO_BATCH;
    while (count < room && !events_are_full(session, count) &&
           engine_next_tx(session->engine, now, session->segments[count], &txs[count]) == 0)
        count++;
    uint32_t told = 0;
    bool go_on = true;
    while (told < count && go_on) {
        struct sonde_sent sents[IO_BATCH];
        uint32_t tried = transport->ops->send(transport, txs + told, count - told, sents);
        for (uint32_t i = 0; i < tried; i++)
            go_on = note_sent(session, txs[told++].handle, &sents[i]);
    }
}

/* Let targets join whose names have been looked up. */
static int take_names(struct sonde_session *session)
{
    (void)session->names->ops->step(session->names);
    int r = session->interrupted ? 0 : session_take_names(session);
    if (session->pending_count == 0)
        engine_close(session->run);
    return r;
}

/* The measuring is over; names of hops may still be on their way. @return true if nothing is. */
static bool is_over(struct sonde_session *session)
{
    if (engine_ended(session->run) == ENGINE_RUNNING)
        return false;
    if (session->end_ns == SONDE_NS_NEVER) {
        session->end_ns = session->now_ns;
        session->grace_ns = ns_min(ns_add(session->now_ns, GRACE_NS), session->until_ns);
        session_give_up_names(session, "the name was still being looked up at the deadline");
    }
    return session->options.vantage.no_names || session->interrupted ||
           session->names->ops->step(session->names) == 0 || session->now_ns >= session->grace_ns;
}

static int wait_for_more(struct sonde_session *session, sonde_ns max_wait_ns)
{
    struct io_watch *watch = &session->watch;
    sonde_ns until = engine_deadline_ns(session->engine);
    if (session->end_ns != SONDE_NS_NEVER)
        until = session->grace_ns;
    watch->count = session->own_watches;
    until = ns_min(until, session->names->ops->watch(session->names, watch));
    if (max_wait_ns != SONDE_NS_NEVER)
        until = ns_min(until, ns_add(session->now_ns, max_wait_ns));
    return session->transport->ops->wait(session->transport, until, &session->now_ns);
}

int sonde_session_step(struct sonde_session *session, sonde_ns max_wait_ns)
{
    if (session->engine == NULL)
        return -EINVAL;
    if (session->failure == 0)
        session->failure = take_names(session);
    if (session->failure < 0)
        return session->failure;
    sonde_ns known_ns = drain_answers(session);
    expire(session, known_ns);
    send_due(session, known_ns);
    if (is_over(session))
        return 1;
    if (events_are_full(session, 0))
        return 0;
    session->failure = wait_for_more(session, max_wait_ns);
    return session->failure;
}

int sonde_session_pop_event(struct sonde_session *session, struct sonde_event *ret_event)
{
    if (session->event_count == 0)
        return 1;
    *ret_event = session->events[session->event_first];
    session->event_first = (session->event_first + 1) % SONDE_EVENTS_KEPT;
    session->event_count--;
    return 0;
}

void sonde_session_progress(const struct sonde_session *session,
                            struct sonde_progress *ret_progress)
{
    *ret_progress = (struct sonde_progress){
        .elapsed_ns = ns_sub(session->now_ns, session->start_ns),
        .cycles_begun = session->cycles_begun,
        .cycles = session->options.plan.cycles,
    };
}

void sonde_session_stop(struct sonde_session *session)
{
    session->interrupted = true;
    session_give_up_names(session, "interrupted while looking the name up");
    if (session->engine != NULL)
        engine_stop_soon(session->run);
}
