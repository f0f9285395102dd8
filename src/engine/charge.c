/* SPDX-License-Identifier: BSD-2-Clause */
/* What was asked in vain; see engine/charge.h. */
#include "engine/charge.h"

#include "engine/trace.h"

/* While nothing of the target has answered, it may be behind a geostationary satellite: what is
 * asked again before its answer can be there would only confuse it. */
static const sonde_ns DOUBT_UNKNOWN_NS = SONDE_NS_PER_S;

sonde_ns charge_doubt_ns(const struct engine_target *target)
{
    sonde_ns doubt = patience_router_ns(&target->patience);
    if (doubt == SONDE_NS_NEVER)
        doubt = DOUBT_UNKNOWN_NS;
    return target->patience.reached ? doubt : ns_max(doubt, DOUBT_UNKNOWN_NS);
}

/* Nobody has answered a probe for as long as a router takes. What a silent trace was asked behind
 * the hop where it ends has met nobody, then, so others may be asked there instead. */
static void give_back(struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, struct flight *flight)
{
    unsigned end = trace_reach(trace)->top_ttl + 1U;
    if (trace->standing == STANDING_SILENT && flight->ttl > end &&
        trace_others_meet(target, trace, end))
        budget_give_back(&engine->budget, &flight->charge);
    else
        budget_unanswered(&engine->budget, &flight->charge);
}

sonde_ns charge_review(struct engine *engine, const struct engine_target *target, sonde_ns now)
{
    sonde_ns next = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < target->trace_count; i++) {
        const struct engine_trace *trace = target->traces[i];
        uint32_t index = trace->line.first;
        for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
            struct flight *flight = &engine->flights.flights[index];
            bool is_silent = trace->standing == STANDING_SILENT && flight->charge.key != 0;
            if (flight->to_target || !flight->sent || (!is_silent && flight->charge.at_ttl == 0))
                continue;
            sonde_ns clear = ns_add(flight->sent_ns, charge_doubt_ns(target));
            if (ns_due(clear, now))
                give_back(engine, target, trace, flight);
            else
                next = ns_min(next, clear);
        }
    }
    return next;
}
