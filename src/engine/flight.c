/* SPDX-License-Identifier: BSD-2-Clause */
/* The in-flight table of engine/flight.h. */
#include "engine/flight.h"

#include "base/prng.h"
#include "probe/probe.h"

#include <errno.h>
#include <stdlib.h>

static void list_append(struct flight_table *table, struct flight_list *list, uint32_t index)
{
    struct flight *flight = &table->flights[index];
    flight->prev = list->last;
    flight->next = FLIGHT_NONE;
    if (list->last == FLIGHT_NONE)
        list->first = index;
    else
        table->flights[list->last].next = index;
    list->last = index;
}

static void list_remove(struct flight_table *table, struct flight_list *list, uint32_t index)
{
    struct flight *flight = &table->flights[index];
    if (flight->prev == FLIGHT_NONE)
        list->first = flight->next;
    else
        table->flights[flight->prev].next = flight->next;
    if (flight->next == FLIGHT_NONE)
        list->last = flight->prev;
    else
        table->flights[flight->next].prev = flight->prev;
}

static uint32_t *bucket_of(const struct flight_table *table, uint32_t trace, uint32_t token)
{
    uint64_t key = (uint64_t)trace << 32 | token % PROBE_TOKEN_MODULUS;
    return &table->buckets[mix64(key) & (table->bucket_count - 1)];
}

static void hash_add(struct flight_table *table, uint32_t index)
{
    struct flight *flight = &table->flights[index];
    uint32_t *bucket = bucket_of(table, flight->trace, flight->token);
    flight->hash_next = *bucket;
    *bucket = index;
}

static void hash_remove(struct flight_table *table, uint32_t index)
{
    struct flight *flight = &table->flights[index];
    uint32_t *link = bucket_of(table, flight->trace, flight->token);
    while (*link != index)
        link = &table->flights[*link].hash_next;
    *link = flight->hash_next;
}

int flight_init(struct flight_table *table, uint32_t cap)
{
    *table = (struct flight_table){.cap = cap, .bucket_count = 1};
    while (table->bucket_count < cap)
        table->bucket_count *= 2;
    table->flights = calloc(cap, sizeof *table->flights);
    table->buckets = calloc(table->bucket_count, sizeof *table->buckets);
    if (table->flights == NULL || table->buckets == NULL) {
        flight_deinit(table);
        return -ENOMEM;
    }
    table->free = table->kept = flight_list_empty;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        table->buckets[i] = FLIGHT_NONE;
    return 0;
}

void flight_deinit(struct flight_table *table)
{
    free(table->flights);
    free(table->buckets);
    *table = (struct flight_table){0};
}

bool flight_available(const struct flight_table *table)
{
    return table->used < table->cap || table->free.first != FLIGHT_NONE ||
           table->kept.first != FLIGHT_NONE;
}

static void forget(struct flight_table *table, uint32_t index)
{
    hash_remove(table, index);
    list_remove(table, &table->kept, index);
    table->flights[index].state = FLIGHT_FREE;
    list_append(table, &table->free, index);
}

/* A flight that can be taken: a free one, a new one, or the kept one that ended first. */
static uint32_t find_place(struct flight_table *table)
{
    if (table->free.first != FLIGHT_NONE)
        return table->free.first;
    if (table->used < table->cap)
        list_append(table, &table->free, table->used++);
    else if (table->kept.first != FLIGHT_NONE)
        forget(table, table->kept.first);
    return table->free.first;
}

uint32_t flight_take(struct flight_table *table, struct flight_list *list, uint32_t trace,
                     uint32_t token)
{
    uint32_t same = flight_find(table, trace, token);
    if (same != FLIGHT_NONE) {
        if (table->flights[same].state == FLIGHT_FLYING)
            return FLIGHT_NONE; /* 65,535 probes in flight on one trace: wait */
        forget(table, same);
    }
    uint32_t index = find_place(table);
    if (index == FLIGHT_NONE)
        return FLIGHT_NONE;
    list_remove(table, &table->free, index);
    table->flights[index].trace = trace;
    table->flights[index].token = token;
    table->flights[index].state = FLIGHT_FLYING;
    table->flights[index].sent = false;
    hash_add(table, index);
    list_append(table, list, index);
    return index;
}

void flight_keep(struct flight_table *table, struct flight_list *list, uint32_t index,
                 enum sonde_outcome outcome)
{
    list_remove(table, list, index);
    table->flights[index].state = FLIGHT_KEPT;
    table->flights[index].outcome = outcome;
    list_append(table, &table->kept, index);
}

void flight_drop(struct flight_table *table, struct flight_list *list, uint32_t index)
{
    hash_remove(table, index);
    list_remove(table, list, index);
    table->flights[index].state = FLIGHT_FREE;
    list_append(table, &table->free, index);
}

uint32_t flight_find(const struct flight_table *table, uint32_t trace, uint32_t token)
{
    uint32_t index = *bucket_of(table, trace, token);
    while (index != FLIGHT_NONE) {
        const struct flight *flight = &table->flights[index];
        if (flight->trace == trace &&
            flight->token % PROBE_TOKEN_MODULUS == token % PROBE_TOKEN_MODULUS)
            return index;
        index = flight->hash_next;
    }
    return FLIGHT_NONE;
}
