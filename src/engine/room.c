/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much room an engine has, and how it gets more. Where it grows, arrays move, and what lies in
 * them stays; if memory runs out half way, some are longer than anybody counts on.
 */
#include "engine/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
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

/* Make room for all that is in flight if nobody answers, within bounds: for each trace the full-TTL
 * probes of one timeout, and at each hop those of as many cycles, or what its budget allows. */
static int grow_flights(struct engine *engine, uint32_t traces)
{
    const struct engine_config *config = &engine->config;
    int64_t fulls = within(config->timeout_ns / config->interval_ns + 1, 1, FLIGHTS_MAX);
    int64_t hops = ns_min(config->timeout_ns / BUDGET_INTERVAL_NS + BUDGET_BURST, fulls);
    int64_t each = FLIGHTS_PER_TRACE + fulls + hops * config->max_ttl;
    int64_t cap = within(each * traces, FLIGHTS_MIN, FLIGHTS_MAX);
    int64_t share = within(cap / traces, FLIGHTS_PER_TRACE, cap); /* of many, not all fly at once */
    return flight_resize(&engine->flights, (uint32_t)cap, (uint32_t)share);
}

/* Make an array of @p old elements one of @p wanted, the new ones zero.
 * @param array  The address of the pointer to it. */
static int grow(void *array, size_t old, size_t wanted, size_t bytes)
{
    uint8_t *elements;
    memcpy(&elements, array, sizeof elements);
    elements = wanted <= SIZE_MAX / bytes ? realloc(elements, wanted * bytes) : NULL;
    if (elements == NULL)
        return -ENOMEM;
    memset(elements + old * bytes, 0, (wanted - old) * bytes);
    memcpy(array, &elements, sizeof elements);
    return 0;
}

static int grow_targets(struct engine *engine, uint32_t wanted)
{
    uint32_t old = engine->config.targets;
    size_t row = engine->config.max_ttl + 1U;
    if (wanted <= old)
        return 0;
    int r = grow(&engine->targets, old, wanted, sizeof *engine->targets);
    if (r == 0)
        r = grow(&engine->turns, old * row, wanted * row, sizeof *engine->turns);
    if (r == 0)
        r = heap_grow(&engine->sending, wanted);
    if (r == 0)
        r = heap_grow(&engine->waiting, wanted);
    int64_t buckets = within((int64_t)wanted * BUCKETS_PER_TARGET, BUCKETS_MIN, BUCKETS_MAX);
    return r == 0 ? budget_grow(&engine->budget, (uint32_t)buckets) : r;
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
    free(engine->flow_buckets);
    engine->flow_buckets = buckets;
    engine->flow_bucket_count = count;
    for (uint32_t i = 0; i < engine->trace_count; i++) { /* in the order in which they were added */
        const struct sonde_flow *flow = &engine->traces[i].spec.flow;
        uint32_t *bucket = flow_bucket(engine, flow->protocol, &flow->dst, flow->dst_port);
        engine->traces[i].hash_next = *bucket;
        *bucket = i;
    }
    return 0;
}

static int grow_traces(struct engine *engine, uint32_t wanted)
{
    uint32_t old = engine->config.traces;
    size_t row = engine->config.max_ttl + 1U;
    if (wanted <= old)
        return 0;
    int r = grow(&engine->traces, old, wanted, sizeof *engine->traces);
    if (r == 0)
        r = grow(&engine->asks, old * row, wanted * row, sizeof *engine->asks);
    if (r == 0)
        r = grow_flow_buckets(engine, wanted);
    return r == 0 ? grow_flights(engine, wanted) : r;
}

int room_grow(struct engine *engine, uint32_t targets, uint32_t traces)
{
    int r = grow_targets(engine, targets);
    if (r == 0)
        r = grow_traces(engine, traces);
    if (r == 0 && targets > engine->config.targets)
        engine->config.targets = targets;
    if (r == 0 && traces > engine->config.traces)
        engine->config.traces = traces;
    return r;
}

int engine_reserve(struct engine *engine, uint32_t targets, uint32_t traces)
{
    if (targets > ENGINE_TARGETS_MAX - engine->target_count ||
        traces > ENGINE_TARGETS_MAX * ENGINE_TRACES_PER_TARGET - engine->trace_count)
        return -ENOSPC;
    return room_grow(engine, engine->target_count + targets, engine->trace_count + traces);
}
