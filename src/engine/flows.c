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

/* The first trace of a bucket, from one on, that goes where a flow does; FLIGHT_NONE = none does.
 */
static uint32_t find_flow(const struct engine *engine, uint32_t index,
                          const struct sonde_flow *flow)
{
    for (; index != FLIGHT_NONE; index = engine->traces[index].hash_next) {
        const struct sonde_flow *other = &engine->traces[index].spec.flow;
        if (other->protocol == flow->protocol && other->dst_port == flow->dst_port &&
            sonde_addr_equal(&other->dst, &flow->dst))
            break;
    }
    return index;
}

static uint32_t first_flow(const struct engine *engine, const struct sonde_flow *flow)
{
    return find_flow(engine, *flow_bucket(engine, flow->protocol, &flow->dst, flow->dst_port),
                     flow);
}

uint32_t engine_count_flows(const struct engine *engine, const struct sonde_flow *flow)
{
    uint32_t count = 0;
    for (uint32_t index = first_flow(engine, flow); index != FLIGHT_NONE; count++)
        index = find_flow(engine, engine->traces[index].hash_next, flow);
    return count;
}

bool engine_find_flow(const struct engine *engine, const struct sonde_flow *flow, uint32_t nth,
                      struct engine_place *ret_place)
{
    uint32_t index = first_flow(engine, flow);
    while (index != FLIGHT_NONE && nth-- > 0)
        index = find_flow(engine, engine->traces[index].hash_next, flow);
    if (index == FLIGHT_NONE)
        return false;
    uint32_t target = engine->traces[index].target;
    *ret_place = (struct engine_place){target, index - engine->targets[target].first_trace};
    return true;
}
