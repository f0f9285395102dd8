/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service shows now: its newest probes one by one, those before together; see
 * engine/tally.h. */
#include "engine/tally_parts.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { EPOCHS_AT_FIRST = 8 };

static struct tally_service *free_sum(struct tally_service *sum)
{
    if (sum != NULL)
        rtt_deinit(&sum->rtt);
    free(sum);
    return NULL;
}

void epochs_deinit(struct tally_epochs *epochs)
{
    free(epochs->newest);
    (void)free_sum(epochs->settled);
    (void)free_sum(epochs->settling);
    *epochs = (struct tally_epochs){.count = 0};
}

/* Forget the older half of what is counted together; its memory is for what settles next. */
static void forget_half(struct tally_epochs *epochs)
{
    struct tally_service *older = epochs->settled;
    epochs->settled = epochs->settling;
    epochs->settling = older;
    rtt_clear(&older->rtt);
    *older = (struct tally_service){.rtt = older->rtt};
    epochs->settles = false;
    epochs->begins_later = true;
    epochs->from_ns = epochs->limited_from_ns = epochs->settling_from_ns;
    epochs->first_cycle = epochs->settling_cycle;
    epochs->longest = epochs->settling_longest;
}

static void count(struct tally_service *sum, const struct epoch *epoch)
{
    if (epoch->limited)
        return;
    tally_count(sum, epoch);
    if (epoch->late)
        tally_count_late(sum, true, epoch->rtt_ns);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void note_row(struct tally_epochs *epochs, const struct epoch *epoch)
{
    struct change_rows *row = &epochs->row;
    if (epoch->limited)
        return;
    bool silent = epoch->outcome == SONDE_OUTCOME_NO_REPLY;
    row->silent = silent ? row->silent + 1 : 0;
    row->answered = silent ? 0 : row->answered + 1;
    epochs->longest = (struct change_rows){larger(epochs->longest.silent, row->silent),
                                           larger(epochs->longest.answered, row->answered)};
    epochs->settling_longest =
        (struct change_rows){larger(epochs->settling_longest.silent, row->silent),
                             larger(epochs->settling_longest.answered, row->answered)};
}

/* Let the oldest one be counted with those before. @return false if memory ran out. */
static bool settle(struct tally_epochs *epochs)
{
    const struct epoch *oldest = &epochs->newest[0];
    if (epochs->settled == NULL)
        epochs->settled = calloc(1, sizeof *epochs->settled);
    if (epochs->settled == NULL)
        return false;
    if (!epochs->settles && epochs->settled->sent >= TALLY_EPOCHS_TOGETHER) {
        if (epochs->settling == NULL)
            epochs->settling = calloc(1, sizeof *epochs->settling);
        epochs->settles = epochs->settling != NULL;
        epochs->settling_from_ns = oldest->sent_ns;
        epochs->settling_cycle = oldest->cycle;
        epochs->settling_longest = (struct change_rows){0, 0};
    }
    note_row(epochs, oldest);
    count(epochs->settled, oldest);
    if (epochs->settles)
        count(epochs->settling, oldest);
    if (epochs->settles && epochs->settling->sent >= TALLY_EPOCHS_TOGETHER)
        forget_half(epochs);
    memmove(&epochs->newest[0], &epochs->newest[1], (epochs->count - 1) * sizeof *oldest);
    epochs->count--;
    return true;
}

/* Do not all probes end alike? Then a change takes more of them to be told. */
static bool is_mixed(const struct tally_epochs *epochs)
{
    unsigned outcome = epochs->newest[0].outcome;
    for (uint32_t i = 1; i < epochs->count; i++) {
        if (epochs->newest[i].outcome != outcome)
            return true;
    }
    const struct tally_service *settled = epochs->settled;
    return settled != NULL && settled->outcomes[outcome].ended < settled->sent;
}

/* Make room for one more. @return false if memory ran out. */
static bool make_room(struct tally_epochs *epochs)
{
    if (epochs->count < epochs->cap)
        return true;
    if (epochs->cap >= TALLY_EPOCHS_MIXED_MAX ||
        (epochs->cap >= TALLY_EPOCHS_MAX && !is_mixed(epochs)))
        return settle(epochs);
    uint32_t cap = epochs->cap == 0 ? (uint32_t)EPOCHS_AT_FIRST : 2 * epochs->cap;
    struct epoch *grown = realloc(epochs->newest, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    epochs->newest = grown;
    epochs->cap = cap;
    return true;
}

bool epochs_add(struct tally_epochs *epochs, const struct epoch *epoch)
{
    if (!epochs_has(epochs, epoch->sent_ns))
        return true; /* it is of what was before */
    if (epoch->limited &&
        (epochs->count == 0 || epochs->newest[epochs->count - 1].outcome == epoch->outcome))
        return true; /* it shows nothing new */
    if (!make_room(epochs))
        return false;
    if (epochs->probes == 0)
        epochs->first_cycle = epoch->cycle;
    epochs->probes += !epoch->limited;
    uint32_t at = epochs->count++;
    for (; at > 0 && epochs->newest[at - 1].sent_ns > epoch->sent_ns; at--)
        epochs->newest[at] = epochs->newest[at - 1];
    epochs->newest[at] = *epoch;
    return true;
}

void epochs_on_late(struct tally_epochs *epochs, sonde_ns sent_ns, sonde_ns rtt_ns)
{
    uint32_t at = epochs->count;
    while (at > 0 && epochs->newest[at - 1].sent_ns != sent_ns)
        at--;
    if (at == 0)
        return;
    epochs->newest[at - 1].late = true;
    epochs->newest[at - 1].rtt_ns = rtt_ns;
}

/* Has all ended that left between one of the newest and the one before it? Full-TTL probes are
 * numbered. */
static bool is_settled(const struct tally_epochs *epochs, uint32_t at, sonde_ns ended_ns)
{
    uint32_t before = at;
    while (before > 0 && epochs->newest[before - 1].limited)
        before--;
    return before == 0 || at >= epochs->count ||
           epochs->newest[before - 1].cycle + 1 == epochs->newest[at].cycle ||
           epochs->newest[at].sent_ns <= ended_ns;
}

/* What came before those that are kept one by one. */
static struct change_past past_of(const struct tally_epochs *epochs)
{
    struct change_past past = {.probes = epochs->probes, .longest = epochs->longest};
    for (int i = 0; epochs->settled != NULL && i < SONDE_OUTCOME_COUNT; i++)
        past.ended[i] = epochs->settled->outcomes[i].ended;
    return past;
}

sonde_ns epochs_shown_until(const struct tally_epochs *epochs, sonde_ns until_ns)
{
    const struct change_past past = past_of(epochs);
    uint32_t count = epochs->count;
    while (count > 0 && until_ns != SONDE_NS_NEVER && epochs->newest[count - 1].sent_ns >= until_ns)
        count--;
    uint32_t at = change_first_sign(epochs->newest, count, &past);
    return at < count ? epochs->newest[at].sent_ns : until_ns;
}

void epochs_look(struct tally_epochs *epochs, sonde_ns ended_ns)
{
    const struct change_past past = past_of(epochs);
    if (epochs->change != CHANGE_NONE)
        return;
    uint32_t whole = 0;
    while (whole < epochs->count && is_settled(epochs, whole, ended_ns))
        whole++;
    struct change change = change_find(epochs->newest, epochs->count, whole, &past);
    if (change.kind == CHANGE_NONE || !is_settled(epochs, change.first, ended_ns) ||
        !is_settled(epochs, change.first + 1, ended_ns))
        return;
    epochs->change = change.kind;
    epochs->change_ns = epochs->newest[change.first].sent_ns;
}

void epochs_begin_at(struct tally_epochs *epochs, sonde_ns from_ns)
{
    uint32_t first = 0;
    while (first < epochs->count && epochs->newest[first].sent_ns < from_ns)
        first++;
    epochs->count -= first;
    if (epochs->count > 0) {
        memmove(&epochs->newest[0], &epochs->newest[first], epochs->count * sizeof *epochs->newest);
        epochs->first_cycle = epochs->newest[0].cycle;
    }
    epochs->settled = free_sum(epochs->settled);
    epochs->settling = free_sum(epochs->settling);
    epochs->settles = false;
    epochs->begins_later = true;
    epochs->from_ns = epochs->limited_from_ns = from_ns;
    epochs->probes = epochs->count;
    epochs->row = epochs->longest = epochs->settling_longest = (struct change_rows){0, 0};
    epochs->change = CHANGE_NONE;
}
