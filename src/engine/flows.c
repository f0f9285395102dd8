/* SPDX-License-Identifier: BSD-2-Clause */
/* Which traces go to a place: by destination, protocol and destination port. */
#include "engine/flows.h"
#include "engine/engine.h"
#include "engine/state.h"

uint32_t *flow_bucket(const struct engine *engine, uint8_t protocol,
                      const struct sonde_addr *remote, uint16_t remote_port)
{
    uint64_t place = flows_hash(protocol, remote, remote_port);
    return &engine->flow_buckets[place & (engine->flow_bucket_count - 1)];
}

static uint32_t *bucket_of(const struct engine *engine, const struct sonde_flow *flow)
{
    return flow_bucket(engine, flow->protocol, &flow->dst, flow->dst_port);
}

void flow_add(const struct engine *engine, struct engine_trace *trace)
{
    uint32_t *bucket = bucket_of(engine, &trace->spec.flow);
    trace->hash_next = *bucket;
    *bucket = trace->id;
}

void flow_remove(const struct engine *engine, const struct engine_trace *trace)
{
    uint32_t *at = bucket_of(engine, &trace->spec.flow);
    while (*at != trace->id)
        at = &engine->traces[*at]->hash_next;
    *at = trace->hash_next;
}

static bool goes_there(const struct engine_trace *trace, const struct sonde_flow *flow)
{
    const struct sonde_flow *own = &trace->spec.flow;
    return own->protocol == flow->protocol && own->dst_port == flow->dst_port &&
           sonde_addr_equal(&own->dst, &flow->dst);
}

uint32_t engine_count_flows(const struct engine *engine, const struct sonde_flow *flow)
{
    uint32_t count = 0;
    uint32_t id = engine->flow_bucket_count > 0 ? *bucket_of(engine, flow) : FLIGHT_NONE;
    for (; id != FLIGHT_NONE; id = engine->traces[id]->hash_next)
        count += goes_there(engine->traces[id], flow);
    return count;
}

static bool has_number(const struct engine *engine, const struct sonde_flow *flow, uint32_t nth)
{
    uint32_t id = engine->flow_bucket_count > 0 ? *bucket_of(engine, flow) : FLIGHT_NONE;
    for (; id != FLIGHT_NONE; id = engine->traces[id]->hash_next) {
        if (goes_there(engine->traces[id], flow) && engine->traces[id]->spec.nth == nth)
            return true;
    }
    return false;
}

uint32_t engine_free_flow(const struct engine *engine, const struct sonde_flow *flow,
                          uint32_t least)
{
    uint32_t nth = least;
    while (has_number(engine, flow, nth))
        nth++;
    return nth;
}

const struct sonde_flow *engine_flow_at(const struct engine_run *run,
                                        const struct engine_place *place)
{
    return &run->targets[place->target]->traces[place->trace]->spec.flow;
}

bool engine_find_flow(const struct engine_run *run, const struct sonde_flow *flow, uint32_t nth,
                      struct engine_place *ret_place)
{
    const struct engine *engine = run->engine;
    uint32_t id = engine->flow_bucket_count > 0 ? *bucket_of(engine, flow) : FLIGHT_NONE;
    for (; id != FLIGHT_NONE; id = engine->traces[id]->hash_next) {
        const struct engine_trace *trace = engine->traces[id];
        if (trace->target == NULL || trace->is_removed || trace->target->run != run ||
            !goes_there(trace, flow) || nth-- > 0)
            continue;
        *ret_place = (struct engine_place){trace->target->index, trace->index};
        return true;
    }
    return false;
}
