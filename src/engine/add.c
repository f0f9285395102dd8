/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets and their traces are added to an engine; see engine/engine.h. */
#include "engine/engine.h"
#include "engine/state.h"

#include <errno.h>

int engine_add_target(struct engine *engine, const struct sonde_addr *addr, uint32_t traces)
{
    if (engine->target_count == engine->config.targets || traces > ENGINE_TRACES_PER_TARGET ||
        traces > engine->config.traces - engine->trace_count)
        return -ENOSPC;
    int r = tally_add_target(engine->tally, addr, traces);
    if (r < 0)
        return r;
    engine->targets[engine->target_count++] = (struct engine_target){
        .addr = *addr,
        .first_trace = engine->trace_count,
    };
    return 0;
}

/* Remember that services at this port answer from another one. Few do; what they answer is not
 * found if there are ever more than fit. */
static void note_other_port(struct engine *engine, uint16_t port)
{
    for (uint32_t i = 0; i < engine->other_port_count; i++) {
        if (engine->other_ports[i] == port)
            return;
    }
    if (engine->other_port_count < sizeof engine->other_ports / sizeof *engine->other_ports)
        engine->other_ports[engine->other_port_count++] = port;
}

/* May a trace go ahead while nobody knows how far the target is? The first of its protocol may, if
 * it pings, or if the target drops what goes ahead, unread. */
static bool is_scout(const struct engine *engine, const struct engine_target *target,
                     const struct sonde_probe_ops *ops, const struct sonde_spec *spec)
{
    uint8_t protocol = spec->flow.protocol;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        if (trace_at(engine, target, i)->spec.flow.protocol == protocol)
            return false;
    }
    return !ops->has_ports || spec->naming == PROBE_NAMING_ATTEMPT;
}

static int add_trace(struct engine *engine, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec, enum standing standing)
{
    struct engine_target *target = &engine->targets[engine->target_count - 1];
    if (target->trace_count == engine->tally->targets[engine->target_count - 1].service_count)
        return -ENOSPC;
    uint32_t index = engine->trace_count++;
    const struct sonde_flow *flow = &spec->flow;
    uint32_t *bucket = flow_bucket(engine, flow->protocol, &flow->dst, flow->dst_port);
    bool scout = standing != STANDING_BY && is_scout(engine, target, ops, spec);
    engine->traces[index] = (struct engine_trace){
        .ops = ops,
        .spec = *spec,
        .target = target_index(engine, target),
        .hash_next = *bucket,
        .line = flight_line_of(index),
        .standing = standing,
        .claims = {.free_ns = INT64_MIN},
        .is_standby = standing == STANDING_BY,
        .full_ttl = ENGINE_FULL_TTL,
        .scout = scout,
        .quotes_name_nothing = spec->nameless,
        .quote_free_ns = INT64_MIN,
        .unanswered_ns = {SONDE_NS_NEVER, SONDE_NS_NEVER},
        .asking = asking_of(spec->question_count),
        .full_ns = INT64_MIN,
        .refused_ns = SONDE_NS_NEVER,
    };
    *bucket = index;
    if (standing == STANDING_BY)
        members_add(&target->standbys, target->trace_count);
    target->trace_count++;
    target->source = flow->src;
    target->has_scout |= scout;
    if (spec->other_port)
        note_other_port(engine, flow->dst_port);
    return 0;
}

int engine_add_trace(struct engine *engine, const struct sonde_probe_ops *ops,
                     const struct sonde_spec *spec)
{
    return add_trace(engine, ops, spec, STANDING_ASKED);
}

int engine_add_standby(struct engine *engine, const struct sonde_probe_ops *ops,
                       const struct sonde_spec *spec)
{
    return add_trace(engine, ops, spec, STANDING_BY);
}

bool engine_begin_standby(struct engine *engine, const struct engine_place *place)
{
    struct engine_target *target = &engine->targets[place->target];
    struct engine_trace *trace = trace_at(engine, target, place->trace);
    bool has_more =
        !target->done && (engine->config.cycles == 0 || target->cycle < engine->config.cycles);
    if (trace->is_standby && !has_more)
        return false;
    trace->is_standby = false;
    members_remove(&target->standbys, place->trace);
    if (!trace_is_begun(trace)) {
        trace->standing = standing_after(trace->standing, STANDING_EVENT_NEEDED);
        trace->cycle = target->cycle; /* what went before is not made up for */
    }
    target->changed = true;
    return true;
}
