/* SPDX-License-Identifier: BSD-2-Clause */
/* The in-flight table of engine/flight.h. */
#include "engine/flight.h"

#include "probe/probe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(FLIGHT_TOKENS % PROBE_TOKEN_MODULUS == 0, "remainders go on where tokens begin anew");

int flight_init(struct flight_table *table, uint32_t cap, uint32_t share)
{
    *table = (struct flight_table){
        .cap = cap,
        .share = share,
        .first_ended = FLIGHT_NONE,
        .last_ended = FLIGHT_NONE,
    };
    table->flights = calloc(cap, sizeof *table->flights);
    return table->flights != NULL ? 0 : -ENOMEM;
}

int flight_resize(struct flight_table *table, uint32_t cap, uint32_t share)
{
    if (cap > table->cap) {
        struct flight *flights = realloc(table->flights, cap * sizeof *flights);
        if (flights == NULL)
            return -ENOMEM;
        memset(flights + table->cap, 0, (cap - table->cap) * sizeof *flights);
        table->flights = flights;
        table->cap = cap;
    }
    table->share = share;
    return 0;
}

void flight_deinit(struct flight_table *table)
{
    free(table->flights);
    *table = (struct flight_table){0};
}

static void link_last(struct flight_table *table, struct flight_line *line, uint32_t index)
{
    table->flights[index].prev = line->last;
    table->flights[index].next = FLIGHT_NONE;
    if (line->last == FLIGHT_NONE)
        line->first = index;
    else
        table->flights[line->last].next = index;
    line->last = index;
    line->flying++;
    table->flying++;
}

static void unlink_sent(struct flight_table *table, struct flight_queue *queue,
                        const struct flight *flight)
{
    if (flight->earlier == FLIGHT_NONE)
        queue->first = flight->later;
    else
        table->flights[flight->earlier].later = flight->later;
    if (flight->later == FLIGHT_NONE)
        queue->last = flight->earlier;
    else
        table->flights[flight->later].earlier = flight->earlier;
}

static void unlink_flying(struct flight_table *table, struct flight_line *line, uint32_t index)
{
    const struct flight *flight = &table->flights[index];
    if (flight->prev == FLIGHT_NONE)
        line->first = flight->next;
    else
        table->flights[flight->prev].next = flight->next;
    if (flight->next == FLIGHT_NONE)
        line->last = flight->prev;
    else
        table->flights[flight->next].prev = flight->prev;
    line->flying--;
    table->flying--;
    if (flight->sent)
        unlink_sent(table, line->queue, flight);
}

void flight_sent(struct flight_table *table, struct flight_line *line, uint32_t index)
{
    struct flight *flight = &table->flights[index];
    struct flight_queue *queue = line->queue;
    flight->sent = true;
    flight->earlier = queue->last;
    flight->later = FLIGHT_NONE;
    if (queue->last == FLIGHT_NONE)
        queue->first = index;
    else
        table->flights[queue->last].later = index;
    queue->last = index;
}

/* A place that was never used, or the one whose flight ended longest ago. */
static uint32_t take_place(struct flight_table *table)
{
    if (table->used < table->cap)
        return table->used++;
    uint32_t index = table->first_ended;
    assert(index != FLIGHT_NONE);
    table->first_ended = table->flights[index].next;
    if (table->first_ended == FLIGHT_NONE)
        table->last_ended = FLIGHT_NONE;
    return index;
}

/* A flying probe flies no more: its place is the last of those that can be taken. */
static void give_place(struct flight_table *table, uint32_t index, enum flight_state state)
{
    table->flights[index].state = (uint8_t)state;
    table->flights[index].next = FLIGHT_NONE;
    if (table->last_ended == FLIGHT_NONE)
        table->first_ended = index;
    else
        table->flights[table->last_ended].next = index;
    table->last_ended = index;
}

bool flight_may_take(const struct flight_table *table, const struct flight_line *line)
{
    if (line->flying >= table->share)
        return false;
    return line->first == FLIGHT_NONE ||
           flight_age(line, table->flights[line->first].token) < PROBE_TOKEN_MODULUS;
}

uint32_t flight_take(struct flight_table *table, struct flight_line *line)
{
    assert(flight_available(table) && flight_may_take(table, line));
    uint32_t index = take_place(table);
    struct flight *flight = &table->flights[index];
    flight->trace = line->trace;
    flight->token = line->next_token;
    flight->older = line->newest;
    flight->state = FLIGHT_FLYING;
    flight->sent = false;
    flight->is_blind = false;
    flight->is_mute = false;
    flight->is_cut = false;
    flight->spaced = false;
    flight->stale_count = flight->releases = 0;
    line->newest = index;
    line->next_token = (line->next_token + 1) % FLIGHT_TOKENS;
    link_last(table, line, index);
    return index;
}

void flight_keep(struct flight_table *table, struct flight_line *line, uint32_t index,
                 enum sonde_outcome outcome)
{
    unlink_flying(table, line, index);
    give_place(table, index, FLIGHT_KEPT);
    table->flights[index].outcome = (uint8_t)outcome;
}

void flight_drop(struct flight_table *table, struct flight_line *line, uint32_t index)
{
    unlink_flying(table, line, index);
    give_place(table, index, FLIGHT_FREE);
}

/* Search the flying ones, from the nearer end. */
static uint32_t find_flying(const struct flight_table *table, const struct flight_line *line,
                            uint32_t token)
{
    const struct flight *flights = table->flights;
    if (line->first == FLIGHT_NONE)
        return FLIGHT_NONE;
    uint32_t age = flight_age(line, token);
    uint32_t oldest = flight_age(line, flights[line->first].token);
    uint32_t youngest = flight_age(line, flights[line->last].token);
    if (age > oldest || age < youngest)
        return FLIGHT_NONE;
    uint32_t index;
    if (oldest - age < age - youngest) {
        index = line->first;
        while (index != FLIGHT_NONE && flights[index].token != token)
            index = flights[index].next;
        return index;
    }
    index = line->last;
    while (index != FLIGHT_NONE && flights[index].token != token)
        index = flights[index].prev;
    return index;
}

/* Follow the line back, as far as it was not overwritten. */
static uint32_t find_kept(const struct flight_table *table, const struct flight_line *line,
                          uint32_t token)
{
    uint32_t index = line->newest;
    uint32_t age = flight_age(line, token);
    for (uint32_t at = 1; index != FLIGHT_NONE; at++) {
        const struct flight *flight = &table->flights[index];
        if (flight->trace != line->trace || flight_age(line, flight->token) != at)
            break;
        if (at == age)
            return flight->state == FLIGHT_KEPT ? index : FLIGHT_NONE;
        index = flight->older;
    }
    return FLIGHT_NONE;
}

uint32_t flight_find(const struct flight_table *table, const struct flight_line *line,
                     uint32_t token)
{
    /* of the tokens with this remainder, the one that was used last */
    uint32_t back = (flight_age(line, token) - 1) % PROBE_TOKEN_MODULUS + 1;
    uint32_t used = line->next_token >= back ? line->next_token - back
                                             : line->next_token - back + FLIGHT_TOKENS;
    uint32_t index = find_flying(table, line, used);
    return index != FLIGHT_NONE ? index : find_kept(table, line, used);
}
