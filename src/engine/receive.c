/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which question does an arrival answer?
 *
 * First the flow: protocol, remote address and remote port lead to the traces that it could be of,
 * and the probe module says whether it fits one. Then the probe: by the token that it carries, or,
 * where the protocol carries none back, by being the only one it can be. An arrival is never
 * credited to a probe for want of a better one: what fits no probe is counted by reason, and that
 * is all it does.
 */
#include "engine/internal.h"
#include "wire/icmp.h"

#include <assert.h>
#include <errno.h>

void engine_on_discard(struct engine *engine, int reason)
{
    if (reason > 0 && reason < SONDE_DISCARD_COUNT)
        engine->discards.count[reason]++;
}

/* Of the traces that asked a port, find the one that takes the arrival. FLIGHT_NONE: none does, and
 * ret_reason says why. */
static uint32_t find_asked(const struct engine *engine, const struct sonde_rx *rx, uint16_t port,
                           struct sonde_match *ret_match, int *ret_reason)
{
    uint32_t index = *flow_bucket(engine, rx->protocol, &rx->remote, port);
    int reason = SONDE_DISCARD_FOREIGN;
    for (; index != FLIGHT_NONE; index = engine->traces[index].hash_next) {
        const struct engine_trace *trace = &engine->traces[index];
        const struct sonde_flow *flow = &trace->spec.flow;
        if (flow->protocol != rx->protocol || flow->dst_port != port ||
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

/* Find the trace that takes the arrival. FLIGHT_NONE: none does, and ret_reason says why. */
static uint32_t find_trace(const struct engine *engine, const struct sonde_rx *rx,
                           struct sonde_match *ret_match, int *ret_reason)
{
    uint32_t index = find_asked(engine, rx, rx->remote_port, ret_match, ret_reason);
    int reason;
    bool may_differ = rx->kind == SONDE_RX_ANSWER && rx->protocol == IP_PROTO_UDP;
    for (uint32_t i = 0; may_differ && index == FLIGHT_NONE && i < engine->left_port_count; i++) {
        index = find_asked(engine, rx, engine->left_ports[i], ret_match, &reason);
        if (index == FLIGHT_NONE && reason != SONDE_DISCARD_FOREIGN)
            *ret_reason = reason; /* it is of that service, and does not fit */
    }
    return index;
}

/* No flow fits: is it an answer to one of our ports or identifiers in somebody else's name? */
static int foreign_reason(const struct engine *engine, const struct sonde_rx *rx)
{
    for (uint32_t i = 0; i < engine->trace_count && i < ENGINE_TRACES_PER_TARGET; i++) {
        const struct sonde_flow *flow = &engine->traces[i].spec.flow;
        if (flow->protocol == rx->protocol && flow->src_port == rx->local_port)
            return SONDE_DISCARD_DIFFERENT_ADDRESS;
    }
    return SONDE_DISCARD_FOREIGN;
}

static void event_from_rx(struct sonde_event *event, const struct sonde_rx *rx,
                          enum sonde_outcome outcome)
{
    event->outcome = outcome;
    event->from = rx->from;
    event->rtt_ns = -1;
    event->received_clock = rx->stamp.clock;
    event->reply_ttl = rx->reply_ttl;
    event->icmp_type = -1;
    event->icmp_code = -1;
    event->error = 0;
    event->mtu_bytes = 0;
    event->uncertain = false;
    event->ext = (struct sonde_extensions){0};
    if (rx->kind == SONDE_RX_ERROR) {
        event->icmp_type = (int16_t)rx->icmp_type;
        event->icmp_code = (int16_t)rx->icmp_code;
        event->ext = rx->ext;
        if (outcome == SONDE_OUTCOME_PACKET_TOO_BIG)
            event->mtu_bytes = icmp_mtu_bytes(rx->remote.family, rx->icmp_info);
    }
}

/* Does this machine itself speak of a probe to another one? */
static bool is_own_word(const struct engine_trace *trace, const struct sonde_rx *rx)
{
    const struct sonde_flow *flow = &trace->spec.flow;
    return rx->kind == SONDE_RX_ERROR && sonde_addr_equal(&rx->from, &flow->src) &&
           !sonde_addr_equal(&flow->src, &flow->dst);
}

/* Is an arrival what this machine's firewall says in refusing a probe? Of what it has let out this
 * machine only says that a neighbour does not answer, or that an interface takes less. */
static bool is_refusal(const struct engine_trace *trace, const struct sonde_rx *rx,
                       const struct sonde_match *match)
{
    return is_own_word(trace, rx) && match->outcome != SONDE_OUTCOME_HOST_UNREACHABLE &&
           match->outcome != SONDE_OUTCOME_PACKET_TOO_BIG &&
           match->outcome != SONDE_OUTCOME_TTL_EXCEEDED;
}

/* A probe turns out to have been refused. That it left is forgotten, too: it is no silence. */
static void credit_refusal(struct engine *engine, uint32_t index)
{
    const struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = &engine->traces[flight->trace];
    const struct sonde_sent sent = {
        .stamp = {flight->sent_ns, (enum sonde_clock)flight->sent_clock}, .error = -EPERM};
    if (trace->silent_ns == flight->sent_ns)
        trace->silent_ns = SONDE_NS_NEVER;
    finish_unsent(engine, index, &sent);
}

/* The arrival answers this flight, for the first time or again. */
static void credit(struct engine *engine, uint32_t index, const struct sonde_rx *rx,
                   const struct sonde_match *match, bool uncertain)
{
    struct flight *flight = &engine->flights.flights[index];
    bool refused = is_refusal(&engine->traces[flight->trace], rx, match);
    if (flight->state == FLIGHT_KEPT && (refused || flight->outcome == SONDE_OUTCOME_SEND_ERROR))
        return; /* nothing answers what never left */
    if (refused) {
        credit_refusal(engine, index);
        return;
    }
    struct sonde_event event;
    event_from_rx(&event, rx, match->outcome);
    event.uncertain = uncertain;
    sonde_ns rtt = ns_sub(rx->stamp.time_ns, flight->sent_ns);
    if (!uncertain && rtt >= 0)
        event.rtt_ns = rtt;
    if (flight->state == FLIGHT_FLYING) {
        finish_flight(engine, index, &event);
    } else if (flight->outcome == SONDE_OUTCOME_NO_REPLY) {
        flight->outcome =
            (uint8_t)match->outcome; /* now it has its answer, and the next is another */
        target_of(engine, flight->trace)->told |= event.outcome != SONDE_OUTCOME_TTL_EXCEEDED;
        finish_again(engine, index, SONDE_EVENT_LATE, &event);
    } else if (rx->kind == SONDE_RX_ERROR || !engine->traces[flight->trace].spec.repeats) {
        finish_again(engine, index, SONDE_EVENT_DUPLICATE, &event);
    }
}

/* May an arrival be about a probe, as far as the question goes that this carries? */
static bool is_about(const struct sonde_match *match, const struct flight *flight)
{
    return (match->questions >> flight->question & 1) != 0;
}

/* The probes of one trace that an answer without a token may be for. */
struct candidates {
    uint32_t oldest; /* FLIGHT_NONE if there is none */
    uint32_t count;
};

static void consider(struct candidates *candidates, uint32_t index)
{
    if (candidates->count++ == 0)
        candidates->oldest = index;
}

/* Is an arrival about a probe that may not have reached the target? The target's own word about one
 * whose name no quote can carry is taken as an answer is that names none. */
static bool is_on_the_way(const struct engine *engine, uint32_t trace_index,
                          const struct sonde_rx *rx)
{
    const struct engine_trace *trace = &engine->traces[trace_index];
    bool is_targets = sonde_addr_equal(&rx->from, &trace->spec.flow.dst);
    return rx->kind == SONDE_RX_ERROR && !(trace->nameless && is_targets);
}

/*
 * Choose among the flying probes of a trace. Those that can have reached the target come first, of
 * these the ones that are not far older than any round trip seen; and if none of them can, the
 * path may have become shorter, so the others are looked at.
 */
static struct candidates find_candidates(const struct engine *engine, uint32_t trace_index,
                                         const struct sonde_rx *rx, const struct sonde_match *match)
{
    const struct engine_trace *trace = &engine->traces[trace_index];
    const struct engine_target *target = &engine->targets[trace->target];
    unsigned floor = extent_floor(engine, target, trace);
    sonde_ns plausible = extent_plausible_ns(target);
    if (is_on_the_way(engine, trace_index, rx)) { /* it may be from any hop, and about any probe */
        floor = 0;
        plausible = SONDE_NS_NEVER;
    }
    struct candidates fresh = {FLIGHT_NONE, 0};
    struct candidates any = {FLIGHT_NONE, 0};
    struct candidates below = {FLIGHT_NONE, 0};
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (!flight->sent || flight->sent_ns > rx->stamp.time_ns || !is_about(match, flight))
            continue;
        if (flight->ttl < floor) {
            consider(&below, index);
            continue;
        }
        consider(&any, index);
        if (ns_sub(rx->stamp.time_ns, flight->sent_ns) <= plausible)
            consider(&fresh, index);
    }
    return fresh.count > 0 ? fresh : any.count > 0 ? any : below;
}

/* A server numbers its answer: until it is done with that one, it repeats it to whatever comes. */
static void remember_serial(struct engine_trace *trace, const struct sonde_match *match)
{
    if (!match->has_serial)
        return;
    trace->one_at_a_time = true;
    trace->has_serial = true;
    trace->serial = match->serial;
}

uint32_t last_kept(const struct engine *engine, uint32_t trace_index)
{
    uint32_t token = engine->traces[trace_index].last_token;
    uint32_t index = flight_find(&engine->flights, &engine->traces[trace_index].line, token);
    if (index == FLIGHT_NONE)
        return FLIGHT_NONE;
    const struct flight *flight = &engine->flights.flights[index];
    bool is_it = flight->state == FLIGHT_KEPT && flight->to_target && flight->token == token &&
                 flight->outcome != SONDE_OUTCOME_SEND_ERROR;
    return is_it ? index : FLIGHT_NONE;
}

/*
 * A server that gets a SYN again before its SYN-ACK was acknowledged sends the same SYN-ACK again,
 * still with the first SYN's timestamp (RFC 7323 §4.3): an echo, of which nobody can say which
 * probe drew it. It is kept until a probe that reached the target would end without an answer.
 * @return true if the arrival is an echo, and a probe that may have drawn it is in flight.
 */
static bool take_echo(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                      const struct sonde_match *match)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    if (!match->has_serial || !trace->has_serial || match->serial != trace->serial ||
        find_candidates(engine, trace_index, rx, match).count == 0)
        return false;
    trace->echoes++;
    trace->echo_ttl = rx->reply_ttl;
    target_of(engine, trace_index)->echoes++;
    return true;
}

/*
 * An error that quotes a trace whose probes are all the same. What expires was meant to, and no
 * more than one such is under way at a time; whoever refuses, or has no such port, speaks first of
 * what was to go on to the target. A full-TTL probe that expires in a loop is not told from the
 * others; if there are none, it is not counted.
 */
static void credit_nameless(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                            const struct sonde_match *match)
{
    const struct engine_trace *trace = &engine->traces[trace_index];
    sonde_ns plausible = extent_plausible_ns(target_of(engine, trace_index));
    bool expired = match->outcome == SONDE_OUTCOME_TTL_EXCEEDED;
    struct candidates likely = {FLIGHT_NONE, 0};
    struct candidates others = {FLIGHT_NONE, 0};
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (flight->sent && flight->sent_ns <= rx->stamp.time_ns && is_about(match, flight) &&
            ns_sub(rx->stamp.time_ns, flight->sent_ns) <= plausible)
            consider(flight->to_target == expired ? &others : &likely, index);
    }
    if (likely.count == 0 && !expired)
        likely = others;
    if (likely.count + others.count == 0)
        engine_on_discard(engine, SONDE_DISCARD_UNKNOWN_PROBE);
    else if (likely.count == 0 || (likely.count > 1 && expired))
        engine_on_discard(engine, SONDE_DISCARD_AMBIGUOUS);
    else
        credit(engine, likely.oldest, rx, match, !expired && likely.count + others.count > 1);
}

/* May an answer that names no probe be what this machine's firewall said in refusing one, which is
 * known already by the error of sending? It speaks in its own name, or resets in the target's. */
static bool may_be_refusal(const struct engine_trace *trace, const struct sonde_rx *rx,
                           const struct sonde_match *match)
{
    return trace->refused_ns != SONDE_NS_NEVER &&
           ns_sub(rx->stamp.time_ns, trace->refused_ns) < QUIET_NS &&
           (is_own_word(trace, rx) || match->outcome == SONDE_OUTCOME_CLOSED);
}

/* An answer that names no probe. */
static void credit_tokenless(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                             const struct sonde_match *match)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    if (may_be_refusal(trace, rx, match))
        return;
    bool on_the_way = is_on_the_way(engine, trace_index, rx);
    if (on_the_way && trace->nameless) {
        credit_nameless(engine, trace_index, rx, match);
        return;
    }
    struct candidates candidates = find_candidates(engine, trace_index, rx, match);
    if (on_the_way) {
        trace->nameless = candidates.count > 1; /* nor is the next one's name quoted */
        if (candidates.count == 1)
            credit(engine, candidates.oldest, rx, match, false);
        else
            engine_on_discard(engine, trace->nameless ? SONDE_DISCARD_AMBIGUOUS
                                                      : SONDE_DISCARD_UNKNOWN_PROBE);
        return;
    }
    trace->one_at_a_time = true; /* nothing else can tell its answers apart */
    trace->quiet_ns = ns_add(rx->stamp.time_ns, QUIET_NS);
    if (take_echo(engine, trace_index, rx, match))
        return;
    bool repeated = match->has_serial && trace->has_serial && match->serial == trace->serial;
    if (repeated || candidates.count == 0)
        candidates = (struct candidates){last_kept(engine, trace_index), 2};
    remember_serial(trace, match);
    if (candidates.oldest == FLIGHT_NONE ||
        !is_about(match, &engine->flights.flights[candidates.oldest]))
        engine_on_discard(engine, SONDE_DISCARD_UNKNOWN_PROBE);
    else
        credit(engine, candidates.oldest, rx, match, candidates.count > 1);
}

/* An answer that names its probe. @return false if there never was such a probe. */
static bool credit_token(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                         const struct sonde_match *match)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    if (match->has_full_token && flight_age(&trace->line, match->token) > FLIGHT_TOKENS / 2)
        return false;
    uint32_t index = flight_find(&engine->flights, &trace->line, match->token);
    if (index == FLIGHT_NONE || !engine->flights.flights[index].sent ||
        (match->has_full_token && engine->flights.flights[index].token != match->token)) {
        engine_on_discard(engine, SONDE_DISCARD_UNKNOWN_PROBE); /* forgotten, or not sent yet */
        return true;
    }
    if (!is_about(match, &engine->flights.flights[index]))
        return false; /* right name, but it carried another question */
    if (engine->flights.flights[index].state == FLIGHT_KEPT &&
        take_echo(engine, trace_index, rx, match))
        return true;
    remember_serial(trace, match);
    credit(engine, index, rx, match, false);
    return true;
}

void engine_on_rx(struct engine *engine, const struct sonde_rx *rx)
{
    struct sonde_match match;
    int reason;
    assert(events_free(engine) > 0);
    if (engine->end != ENGINE_RUNNING)
        return;
    uint32_t trace_index = find_trace(engine, rx, &match, &reason);
    if (trace_index == FLIGHT_NONE) {
        if (reason == SONDE_DISCARD_FOREIGN)
            reason = foreign_reason(engine, rx);
        engine_on_discard(engine, reason);
        return;
    }
    if (!match.has_token && rx->attributed) { /* a RST, or a short quote: the kernel knows */
        match.has_token = match.has_full_token = true;
        match.token = rx->token;
    }
    if (!match.has_token) {
        credit_tokenless(engine, trace_index, rx, &match);
    } else if (!credit_token(engine, trace_index, rx, &match)) {
        /* A device that makes up the echoed timestamp has still proven that it saw the ISN. */
        if (match.has_serial)
            credit_tokenless(engine, trace_index, rx, &match);
        else
            engine_on_discard(engine, SONDE_DISCARD_BAD_TOKEN);
    }
    struct engine_target *target = target_of(engine, trace_index);
    target->stale |= engine->traces[trace_index].one_at_a_time;
    plan_update(engine, target, rx->stamp.time_ns);
}
