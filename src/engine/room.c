/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much room an engine has, and how it gets more. Where it grows, arrays move, and what lies in
 * them stays; if memory runs out half way, some are longer than anybody counts on.
 */
#include "engine/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FLIGHTS_PER_TRACE = 64, /* a discovery, the probes behind it, and some remembered */
    FLIGHTS_MIN = 1024,     /* of all traces */
    FLIGHTS_MAX = 1 << 18,
};

struct flight_room room_for_flights(const struct engine_config *config)
{
    int64_t fulls = config->timeout_ns / config->interval_ns + 1;
    int64_t hops = config->timeout_ns / HOP_INTERVAL_NS + HOP_BURST;
    hops = hops < fulls ? hops : fulls;
    int64_t most = FLIGHTS_MAX;
    int64_t each = FLIGHTS_PER_TRACE + (fulls < most ? fulls : most) +
                   (hops < most ? hops : most) * config->max_ttl;
    int64_t cap = each * config->traces;
    cap = cap < FLIGHTS_MIN ? FLIGHTS_MIN : cap > most ? most : cap;
    int64_t share = cap / config->traces;
    share =
        share > FLIGHTS_PER_TRACE ? share : FLIGHTS_PER_TRACE; /* of many, not all fly at once */
    return (struct flight_room){(uint32_t)cap, (uint32_t)share};
}

/* Make an array of @p old elements one of @p wanted, the new ones zero.
 * @param array  The address of the pointer to it. */
static int grow(void *array, size_t old, size_t wanted, size_t bytes)
{
    uint8_t *elements;
    memcpy(&elements, array, sizeof elements);
    elements = realloc(elements, wanted * bytes);
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
    return r == 0 ? heap_grow(&engine->waiting, wanted) : r;
}

/* Put all flows into more buckets, if there are too few for so many traces. */
static int grow_buckets(struct engine *engine, uint32_t traces)
{
    uint32_t count = engine->flow_bucket_count;
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
    return r == 0 ? grow_buckets(engine, wanted) : r;
}

int engine_reserve(struct engine *engine, uint32_t targets, uint32_t traces)
{
    struct engine_config wanted = engine->config;
    if (targets > ENGINE_TARGETS_MAX - engine->target_count ||
        traces > ENGINE_TARGETS_MAX * ENGINE_TRACES_PER_TARGET - engine->trace_count)
        return -ENOSPC;
    if (engine->target_count + targets > wanted.targets)
        wanted.targets = engine->target_count + targets;
    if (engine->trace_count + traces > wanted.traces)
        wanted.traces = engine->trace_count + traces;
    if (wanted.targets == engine->config.targets && wanted.traces == engine->config.traces)
        return 0;
    int r = grow_targets(engine, wanted.targets);
    if (r == 0)
        r = grow_traces(engine, wanted.traces);
    const struct flight_room room = room_for_flights(&wanted);
    if (r == 0)
        r = flight_resize(&engine->flights, room.cap, room.share);
    if (r == 0)
        engine->config = wanted;
    return r;
}
