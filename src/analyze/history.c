/* SPDX-License-Identifier: BSD-2-Clause */
/* Episodes; see analyze/history.h. */
#include "analyze/history.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

void history_deinit(struct history *history)
{
    for (uint32_t i = 0; i < history->count; i++)
        free(history->past[i].text);
    free(history->past);
    free(history->unstable.text);
    *history = (struct history){.count = 0};
}

/* Keep one among those of the past. Without memory it is only counted. */
static void keep(struct history *history, struct episode *episode)
{
    struct episode *grown = history->past;
    if (history->count >= HISTORY_EPISODES_MAX) {
        free(history->past[0].text);
        memmove(&history->past[0], &history->past[1], (history->count - 1) * sizeof *grown);
        history->count--;
        history->omitted++;
    } else if ((history->count & (history->count - 1)) == 0) { /* room is for a power of two */
        uint32_t room = history->count == 0 ? 1 : 2 * history->count;
        grown = realloc(history->past, room * sizeof *grown);
    }
    if (grown == NULL) {
        free(episode->text);
        history->omitted++;
        return;
    }
    history->past = grown;
    history->past[history->count++] = *episode;
}

/* Is an episode the same as the one before it? So it may be where another service's change was
 * taken for one of this. */
static bool goes_on(const struct history *history, const struct episode *episode)
{
    const struct episode *last = history->count > 0 ? &history->past[history->count - 1] : NULL;
    return last != NULL && history->began == CHANGE_ANSWER && last->changes == 0 &&
           last->state == episode->state && last->code == episode->code;
}

/* Let the last one go on until another ended. */
static void prolong(struct history *history, struct episode *episode)
{
    struct episode *last = &history->past[history->count - 1];
    last->to_ns = episode->to_ns;
    last->sent += episode->sent;
    last->received += episode->received;
    free(last->text);
    last->text = episode->text;
    last->has_blame = episode->has_blame;
    last->blame = episode->blame;
    last->rtt = episode->rtt;
}

/* Add an episode to the unstable one. What is worst in it, last, speaks for the whole. */
static void join(struct episode *unstable, struct episode *episode)
{
    bool is_first = unstable->text == NULL && unstable->sent == 0;
    unstable->sent += episode->sent;
    unstable->received += episode->received;
    if (is_first ||
        !sonde_is_worse(unstable->level, unstable->code, episode->level, episode->code)) {
        free(unstable->text);
        unstable->text = episode->text;
        unstable->state = episode->state;
        unstable->level = episode->level;
        unstable->code = episode->code;
        unstable->has_blame = episode->has_blame;
        unstable->blame = episode->blame;
    } else {
        free(episode->text);
    }
    episode->text = NULL;
}

/* Has the unstable episode ended: is it too long ago that anything changed? */
static bool has_ended(const struct history *history, sonde_ns now_ns)
{
    return ns_sub(now_ns, history->unstable.to_ns) > HISTORY_UNSTABLE_NS;
}

/* Begin an unstable episode with what came since the first of the last changes. */
static void begin_unstable(struct history *history, sonde_ns at_ns)
{
    sonde_ns first_ns = history->changes_ns[HISTORY_CHANGES_UNSTABLE - 1];
    uint32_t kept = history->count;
    while (kept > 0 && !history->past[kept - 1].from_start &&
           history->past[kept - 1].from_ns >= first_ns)
        kept--;
    if (kept > 0)
        first_ns = history->past[kept - 1].to_ns;
    history->unstable = (struct episode){.from_ns = first_ns, .to_ns = at_ns};
    for (uint32_t i = kept; i < history->count; i++) {
        join(&history->unstable, &history->past[i]);
        history->unstable.changes++;
    }
    history->unstable.changes++;
    history->count = kept;
}

/* Note a change of state or loss. @return true if it is one too many. */
static bool note_change(struct history *history, sonde_ns at_ns)
{
    enum { MAX = HISTORY_CHANGES_UNSTABLE };
    memmove(&history->changes_ns[1], &history->changes_ns[0],
            (MAX - 1) * sizeof *history->changes_ns);
    history->changes_ns[0] = at_ns;
    if (history->change_count < MAX)
        history->change_count++;
    return history->change_count == MAX &&
           ns_sub(at_ns, history->changes_ns[MAX - 1]) <= HISTORY_UNSTABLE_NS;
}

/* The figures of what came last: those of the service, without what was before. Some that were
 * counted before may not count any more: questions to which the server turned out to be deaf. */
static void take_figures(const struct history *history, struct episode *last, uint64_t sent,
                         uint64_t received)
{
    last->received = received - history->received_before;
    last->sent = sent > history->sent_before ? sent - history->sent_before : 0;
    if (last->sent < last->received)
        last->sent = last->received;
}

void history_change(struct history *history, struct episode *ended, sonde_ns at_ns,
                    enum change_kind change, uint64_t sent, uint64_t received)
{
    bool counts = change != CHANGE_LATENCY;
    ended->from_start = !history->has_begun_later;
    ended->from_ns = history->from_ns;
    ended->to_ns = at_ns;
    take_figures(history, ended, sent, received);
    if (ended->received == 0)
        ended->rtt = (struct sonde_rtt){0};
    history->rtt_before_ns = ended->rtt.samples > 0 ? ended->rtt.p50_ns : -1;
    if (history->unstable.changes > 0 && !has_ended(history, at_ns)) {
        join(&history->unstable, ended);
        history->unstable.to_ns = counts ? at_ns : history->unstable.to_ns;
        history->unstable.changes += counts;
    } else {
        if (history->unstable.changes > 0)
            keep(history, &history->unstable);
        history->unstable = (struct episode){.changes = 0};
        if (goes_on(history, ended))
            prolong(history, ended);
        else
            keep(history, ended);
    }
    ended->text = NULL;
    if (counts && note_change(history, at_ns) && history->unstable.changes == 0)
        begin_unstable(history, at_ns);
    history->has_begun_later = true;
    history->from_ns = at_ns;
    history->began = change;
    history->sent_before = sent;
    history->received_before = received;
}

void history_count_late(struct history *history, sonde_ns sent_ns, bool received)
{
    struct episode *episode = history->unstable.changes > 0 ? &history->unstable : NULL;
    for (uint32_t i = history->count;
         i > 0 && (episode == NULL || (!episode->from_start && sent_ns < episode->from_ns)); i--)
        episode = &history->past[i - 1];
    history->sent_before++;
    history->received_before += received;
    if (episode != NULL) {
        episode->sent++;
        episode->received += received;
    }
}

bool history_is_unstable(const struct history *history, sonde_ns now_ns)
{
    return history->unstable.changes > 0 && !has_ended(history, now_ns);
}

const struct episode *history_unstable(const struct history *history)
{
    if (history->unstable.changes > 0)
        return &history->unstable;
    for (uint32_t i = history->count; i > 0; i--) {
        if (history->past[i - 1].changes > 0)
            return &history->past[i - 1];
    }
    return NULL;
}

uint32_t history_count(const struct history *history, sonde_ns now_ns)
{
    return history->count + (history->unstable.changes > 0 && has_ended(history, now_ns));
}

const struct episode *history_at(const struct history *history, uint32_t index)
{
    return index < history->count ? &history->past[index] : &history->unstable;
}

uint32_t history_open(const struct history *history, sonde_ns now_ns, struct episode *open)
{
    const struct episode *unstable = &history->unstable;
    uint32_t count = history_count(history, now_ns);
    open->from_start = !history->has_begun_later;
    open->from_ns = history->from_ns;
    open->to_ns = SONDE_NS_NEVER;
    take_figures(history, open, open->sent, open->received);
    if (history_is_unstable(history, now_ns)) {
        open->from_ns = unstable->from_ns;
        open->sent += unstable->sent;
        open->received += unstable->received;
        open->rtt = (struct sonde_rtt){0};
        open->changes = unstable->changes;
        if (open->level != SONDE_LEVEL_FAILED)
            open->level = SONDE_LEVEL_DEGRADED;
    } else if (count > 0 && unstable->changes == 0 && goes_on(history, open)) {
        const struct episode *last = history_at(history, --count);
        open->from_start = last->from_start;
        open->from_ns = last->from_ns;
        open->sent += last->sent;
        open->received += last->received;
    }
    return count;
}
