/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures begin anew; see engine/engine.h. */
#include "engine/engine.h"
#include "engine/state.h"

static struct engine_trace *trace_at(const struct engine_run *run, const struct engine_place *place)
{
    return run->targets[place->target]->traces[place->trace];
}

/* From when on probes of a trace leave that were not sent yet at @p now. */
static sonde_ns since_ns(const struct engine_trace *trace, sonde_ns now)
{
    return ns_max(now, ns_add(trace->left_ns, 1));
}

void engine_reset(struct engine_run *run, const struct engine_place *place, sonde_ns now)
{
    const struct engine_trace *trace = trace_at(run, place);
    tally_reset(run->tally, place->target, place->trace, since_ns(trace, now));
}

void engine_reset_common(struct engine_run *run, sonde_ns now)
{
    sonde_ns since = now;
    for (uint32_t i = 0; i < run->target_count; i++) {
        const struct engine_target *target = run->targets[i];
        for (uint32_t k = 0; target != NULL && k < target->trace_count; k++)
            since = ns_max(since, since_ns(target->traces[k], now));
    }
    tally_reset_common(run->tally, since);
    run->discards = (struct engine_discards){0};
}
