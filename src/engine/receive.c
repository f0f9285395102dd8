/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which trace does an arrival answer?
 *
 * Its flow tells: protocol, addresses and ports. The trace's own probe module then says whether it
 * fits; another module of the same protocol has another flow, and is not asked. Only an error may
 * be of a flow whose source port it does not quote, because a NAT on the way has changed that: then
 * the traces to that place are asked one by one, and theirs it is who finds more proof in it. Which
 * probe of that it answers is the next question (engine/attribute.h), and then what follows
 * (engine/credit.h). What fits no probe is counted by reason, and that is all it does.
 */
#include "engine/attribute.h"
#include "engine/credit.h"
#include "engine/finish.h"
#include "engine/plan.h"
#include "engine/trace.h"

#include <assert.h>

void engine_on_discard(struct engine *engine, int reason)
{
    if (reason > 0 && reason < SONDE_DISCARD_COUNT)
        engine->discards.count[reason]++;
}

/* Of the traces that asked a port, find the one that takes the arrival: among those whose source
 * port it has, or among the others. FLIGHT_NONE: none does, and ret_reason says why. */
static uint32_t find_among(const struct engine *engine, const struct sonde_rx *rx, uint16_t port,
                           bool same_source, struct sonde_match *ret_match, int *ret_reason)
{
    bool empty = engine->flow_bucket_count == 0;
    uint32_t index = empty ? FLIGHT_NONE : *flow_bucket(engine, rx->protocol, &rx->remote, port);
    int reason = SONDE_DISCARD_FOREIGN;
    for (; index != FLIGHT_NONE; index = engine->traces[index]->hash_next) {
        const struct engine_trace *trace = engine->traces[index];
        const struct sonde_flow *flow = &trace->spec.flow;
        if (flow->protocol != rx->protocol || flow->dst_port != port ||
            (flow->src_port == rx->local_port) != same_source ||
            !sonde_addr_equal(&flow->dst, &rx->remote))
            continue;
        int r = trace->ops->match(&trace->spec, rx, ret_match);
        if (r == 0)
            return index;
        if (reason == SONDE_DISCARD_FOREIGN)
            reason = r;
    }
    *ret_reason = reason;
    return FLIGHT_NONE;
}

/* Of the traces that asked a port, find the one that takes the arrival. FLIGHT_NONE: none does, and
 * ret_reason says why. */
static uint32_t find_asked(const struct engine *engine, const struct sonde_rx *rx, uint16_t port,
                           struct sonde_match *ret_match, int *ret_reason)
{
    int reason;
    uint32_t index = find_among(engine, rx, port, true, ret_match, ret_reason);
    if (index != FLIGHT_NONE || rx->kind != SONDE_RX_ERROR)
        return index;
    index = find_among(engine, rx, port, false, ret_match, &reason);
    if (index == FLIGHT_NONE && *ret_reason == SONDE_DISCARD_FOREIGN)
        *ret_reason = reason;
    return index;
}

/* Find the trace that takes the arrival. FLIGHT_NONE: none does, and ret_reason says why. */
static uint32_t find_trace(const struct engine *engine, const struct sonde_rx *rx,
                           struct sonde_match *ret_match, int *ret_reason)
{
    uint32_t index = find_asked(engine, rx, rx->remote_port, ret_match, ret_reason);
    int reason;
    bool may_differ = rx->kind == SONDE_RX_ANSWER && rx->protocol == IP_PROTO_UDP;
    for (uint32_t i = 0; may_differ && index == FLIGHT_NONE && i < engine->other_port_count; i++) {
        index = find_asked(engine, rx, engine->other_ports[i], ret_match, &reason);
        if (index == FLIGHT_NONE && reason != SONDE_DISCARD_FOREIGN)
            *ret_reason = reason; /* it is of that service, and does not fit */
    }
    return index;
}

/* No flow fits: is it an answer to one of our ports or identifiers in somebody else's name? Only so
 * many are compared that noise costs little. */
static int foreign_reason(const struct engine *engine, const struct sonde_rx *rx)
{
    for (uint32_t i = 0; i < engine->trace_ids.cap && i < ENGINE_TRACES_PER_TARGET; i++) {
        if (engine->traces[i] == NULL)
            continue;
        const struct sonde_flow *flow = &engine->traces[i]->spec.flow;
        if (flow->protocol == rx->protocol && flow->src_port == rx->local_port)
            return SONDE_DISCARD_DIFFERENT_ADDRESS;
    }
    return SONDE_DISCARD_FOREIGN;
}

/* Find the probe of a trace that an arrival answers, and credit it. */
static void attribute(struct engine *engine, struct engine_trace *trace, const struct sonde_rx *rx,
                      const struct sonde_match *match)
{
    if (match->has_token && attribute_named(engine, trace, rx, match))
        return;
    /* A device may make up the timestamp that it echoes, and has still proven that it saw the SYN:
     * the attempt names what it answers. */
    if (match->has_token && !match->has_attempt)
        trace_on_discard(trace, SONDE_DISCARD_BAD_TOKEN);
    else if (credit_is_known_refusal(trace, rx, match))
        return;
    else if (rx->kind == SONDE_RX_ERROR)
        attribute_error(engine, trace, rx, match);
    else
        attribute_answer(engine, trace, rx, match);
}

/* What took an attempt back did not get through, and has used up an answer of who says so. */
static void on_release_error(struct engine *engine, struct engine_trace *trace,
                             const struct sonde_rx *rx, enum sonde_outcome outcome)
{
    trace->is_walled = trace_is_wall(outcome);
    budget_charge(&engine->budget, budget_router(&rx->from), rx->stamp.time_ns);
    engine_on_discard(engine, SONDE_DISCARD_NOT_A_RESULT);
}

void engine_on_rx(struct engine *engine, const struct sonde_rx *rx)
{
    struct sonde_match match;
    int reason;
    assert(events_free(engine) > 0);
    uint32_t index = find_trace(engine, rx, &match, &reason);
    if (index == FLIGHT_NONE) {
        if (reason == SONDE_DISCARD_FOREIGN)
            reason = foreign_reason(engine, rx);
        engine_on_discard(engine, reason);
        return;
    }
    struct engine_trace *trace = engine->traces[index];
    if (trace->target == NULL || trace->is_removed) {
        engine_on_discard(engine, SONDE_DISCARD_TOO_LATE);
        return;
    }
    if (trace->target->run->end != ENGINE_RUNNING)
        return;
    if (match.is_release) {
        on_release_error(engine, trace, rx, match.outcome);
        return;
    }
    if (!match.has_token && rx->attributed) { /* a RST, or a short quote: the kernel knows */
        match.has_token = match.has_full_token = true;
        match.token = rx->token;
    }
    attribute(engine, trace, rx, &match);
    plan_update(engine, trace->target, rx->stamp.time_ns);
}
