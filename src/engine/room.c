/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much room an engine has, how it gets more, and how it gives it back. Where it grows, tables
 * move, and what they name stays; if memory runs out half way, some are longer than they need be.
 */
#include "engine/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_MIN = 8,          /* places that a table begins with */
    FLIGHTS_PER_TRACE = 64, /* a discovery, the probes behind it, and some remembered */
    FLIGHTS_MIN = 1024,     /* of all traces */
    FLIGHTS_MAX = 1 << 18,
    BUCKETS_MIN = 1024,      /* of the budget */
    BUCKETS_PER_TARGET = 64, /* routers and places that are asked at about the same time */
    BUCKETS_MAX = 1 << 20,
};

static int64_t within(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* What a trace has in flight if nobody answers: the full-TTL probes of one timeout, and at each hop
 * those of as many cycles, or what its budget allows. */
static int64_t flights_of_trace(const struct engine_plan *plan)
{
    int64_t fulls = within(plan->timeout_ns / plan->interval_ns + 1, 1, FLIGHTS_MAX);
    int64_t hops = ns_min(plan->timeout_ns / BUDGET_INTERVAL_NS + BUDGET_BURST, fulls);
    return FLIGHTS_PER_TRACE + fulls + hops * plan->max_ttl;
}

/* Make room for all that is in flight, within bounds. */
static int grow_flights(struct engine *engine, int64_t wanted, uint32_t traces)
{
    int64_t cap = within(wanted, FLIGHTS_MIN, FLIGHTS_MAX);
    int64_t share = within(cap / traces, FLIGHTS_PER_TRACE, cap); /* of many, not all fly at once */
    if (engine->flights.cap == 0)
        return flight_init(&engine->flights, (uint32_t)cap, (uint32_t)share);
    return flight_resize(&engine->flights, (uint32_t)cap, (uint32_t)share);
}

/* Twice the room, or more, if there is not enough. */
static uint32_t cap_for(uint32_t cap, uint32_t wanted)
{
    while (cap < wanted)
        cap = cap > 0 ? 2 * cap : TABLE_MIN;
    return cap;
}

/* Make a table of pointers longer, the new ones NULL.
 * @param table  The address of the pointer to it. */
static int grow_table(void *table, uint32_t old, uint32_t wanted)
{
    void **elements;
    memcpy(&elements, table, sizeof elements);
    elements = realloc(elements, wanted * sizeof *elements);
    if (elements == NULL)
        return -ENOMEM;
    memset(elements + old, 0, (wanted - old) * sizeof *elements);
    memcpy(table, &elements, sizeof elements);
    return 0;
}

static int grow_targets(struct engine *engine, uint32_t wanted)
{
    uint32_t old = engine->target_ids.cap;
    uint32_t cap = cap_for(old, wanted);
    if (cap == old)
        return 0;
    int r = grow_table(&engine->targets, old, cap);
    if (r == 0)
        r = heap_grow(&engine->sending, cap);
    if (r == 0)
        r = heap_grow(&engine->waiting, cap);
    int64_t buckets = within((int64_t)cap * BUCKETS_PER_TARGET, BUCKETS_MIN, BUCKETS_MAX);
    if (r == 0)
        r = budget_grow(&engine->budget, (uint32_t)buckets);
    return r == 0 ? ids_grow(&engine->target_ids, cap) : r;
}

/* Put all flows into more buckets, if there are too few for so many traces. */
static int grow_flow_buckets(struct engine *engine, uint32_t traces)
{
    uint32_t count = engine->flow_bucket_count > 0 ? engine->flow_bucket_count : 1;
    while (count < 4 * traces)
        count *= 2;
    if (count == engine->flow_bucket_count)
        return 0;
    uint32_t *buckets = malloc(count * sizeof *buckets);
    if (buckets == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        buckets[i] = FLIGHT_NONE;
    uint32_t *old = engine->flow_buckets;
    uint32_t old_count = engine->flow_bucket_count;
    engine->flow_buckets = buckets;
    engine->flow_bucket_count = count;
    for (uint32_t i = 0; i < old_count; i++) {
        uint32_t next;
        for (uint32_t id = old[i]; id != FLIGHT_NONE; id = next) {
            next = engine->traces[id]->hash_next;
            flow_add(engine, engine->traces[id]);
        }
    }
    free(old);
    return 0;
}

static int grow_traces(struct engine *engine, uint32_t wanted)
{
    uint32_t old = engine->trace_ids.cap;
    uint32_t cap = cap_for(old, wanted);
    if (cap == old)
        return 0;
    int r = grow_table(&engine->traces, old, cap);
    if (r == 0)
        r = heap_grow(&engine->removed, cap);
    if (r == 0)
        r = grow_flow_buckets(engine, cap);
    return r == 0 ? ids_grow(&engine->trace_ids, cap) : r;
}

int room_expect(struct engine *engine, uint32_t targets)
{
    uint32_t left = ENGINE_TARGETS_MAX - engine->target_count;
    uint32_t more = targets < left ? targets : left;
    int r = grow_targets(engine, engine->target_count + more);
    return r == 0 ? grow_traces(engine, engine->trace_count + more) : r;
}

int room_grow(struct engine *engine, const struct engine_plan *plan, uint32_t traces)
{
    int64_t flights = engine->flights_wanted + traces * flights_of_trace(plan);
    uint32_t all = engine->trace_count + traces;
    int r = grow_targets(engine, engine->target_count + 1);
    if (r == 0)
        r = grow_traces(engine, all);
    if (r == 0)
        r = grow_flights(engine, flights, all > 0 ? all : 1);
    if (r < 0)
        return r;
    engine->flights_wanted = flights;
    engine->trace_count = all;
    return 0;
}

void room_deinit(struct engine *engine)
{
    heap_deinit(&engine->removed);
    heap_deinit(&engine->waiting);
    heap_deinit(&engine->sending);
    flight_deinit(&engine->flights);
    budget_deinit(&engine->budget); /* by now every bucket is full */
    ids_deinit(&engine->trace_ids);
    ids_deinit(&engine->target_ids);
    free(engine->flow_buckets);
    free(engine->traces);
    free(engine->targets);
    engine->flow_buckets = NULL;
    engine->traces = NULL;
    engine->targets = NULL;
    engine->flow_bucket_count = 0;
    engine->other_port_count = 0;
}

void room_release(struct engine *engine, const struct engine_plan *plan, uint32_t traces)
{
    engine->flights_wanted -= traces * flights_of_trace(plan);
}
