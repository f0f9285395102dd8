/* SPDX-License-Identifier: BSD-2-Clause */
/* This machine could not hear for a while; see engine/gap.h. */
#include "engine/gap.h"

#include "engine/engine.h"
#include "engine/finish.h"
#include "engine/walk.h"

#include <errno.h>

/* No silence of a trace has begun with a probe that left then. */
static void forget_silence(struct engine_trace *trace, sonde_ns sent_ns)
{
    for (int i = 0; i < 2; i++) {
        if (trace->unanswered_ns[i] == sent_ns)
            trace->unanswered_ns[i] = SONDE_NS_NEVER;
    }
    asking_forget(&trace->asking, sent_ns);
}

static void cut(struct engine_trace *trace, struct flight *flight)
{
    if (!flight->sent || flight->is_cut)
        return;
    flight->is_cut = true;
    if (flight->to_target) {
        forget_silence(trace, flight->sent_ns);
    } else if (!flight->is_mute) { /* what is mute does not count as asked */
        uint8_t *asks = &trace->asks[flight->ttl];
        *asks = (uint8_t)(*asks - (*asks > 0));
    }
}

void gap_cut(struct engine *engine, struct engine_target *target)
{
    for (uint32_t i = 0; i < target->trace_count; i++) {
        struct engine_trace *trace = target->traces[i];
        uint32_t index = trace->line.first;
        for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next)
            cut(trace, &engine->flights.flights[index]);
    }
    target->changed = true;
}

void engine_on_gap(struct engine *engine, sonde_ns now, bool is_deaf)
{
    engine->gap_ns = now;
    for (uint32_t id = 0; is_deaf && id < engine->target_ids.cap; id++) {
        struct engine_target *target = engine->targets[id];
        if (target != NULL && target->flying_count > 0)
            gap_cut(engine, target);
    }
}

bool gap_is_no_way(int error)
{
    return error == -ENETDOWN || error == -ENETUNREACH || error == -EHOSTUNREACH ||
           error == -EADDRNOTAVAIL || error == -ENODEV || error == -ENXIO;
}

bool gap_is_timed(const struct engine *engine, const struct flight *flight,
                  const struct sonde_stamp *stamp)
{
    if (flight->sent_ns >= engine->gap_ns)
        return true;
    return stamp->clock != SONDE_CLOCK_USER && (!flight->is_cut || stamp->time_ns < engine->gap_ns);
}

void gap_end(struct engine *engine, uint32_t index)
{
    const struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = engine->traces[flight->trace];
    if (!flight->to_target)
        walk_was_mute(trace->target, trace, flight->ttl);
    finish_unawaited(engine, index);
}
