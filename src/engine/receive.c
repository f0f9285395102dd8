/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which question does an arrival answer?
 *
 * First the flow: protocol, remote address and remote port lead to the traces that it could be of,
 * and the probe module says whether it fits one. Then the probe: by the token that it carries, or
 * else by the claim that one probe has on answers which do not name theirs (engine/claim.h). What
 * fits no probe is counted by reason, and that is all it does.
 */
#include "engine/finish.h"
#include "engine/plan.h"
#include "engine/trace.h"
#include "wire/icmp.h"

#include <assert.h>
#include <errno.h>

/* An answer that comes later than this after its probe has been given up is nobody's any more. */
static const sonde_ns LATE_NS = 10 * SONDE_NS_PER_S;

/* A network that doubles packets delivers both at about the same time: for so long, the same answer
 * again is not that to the next probe. */
static const sonde_ns QUIET_NS = 20 * SONDE_NS_PER_MS;

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
    for (uint32_t i = 0; may_differ && index == FLIGHT_NONE && i < engine->other_port_count; i++) {
        index = find_asked(engine, rx, engine->other_ports[i], ret_match, &reason);
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

/* May an answer that names no probe be what this machine's firewall said in refusing one, which is
 * known already by the error of sending? It speaks in its own name, or resets in the target's. */
static bool may_be_refusal(const struct engine_trace *trace, const struct sonde_rx *rx,
                           const struct sonde_match *match)
{
    return trace->refused_ns != SONDE_NS_NEVER &&
           ns_sub(rx->stamp.time_ns, trace->refused_ns) < QUIET_NS &&
           (is_own_word(trace, rx) || match->outcome == SONDE_OUTCOME_CLOSED);
}

/* A probe turns out to have been refused. That it left is forgotten, too: it is no silence. */
static void credit_refusal(struct engine *engine, uint32_t index)
{
    const struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = &engine->traces[flight->trace];
    const struct sonde_sent sent = {
        .stamp = {flight->sent_ns, (enum sonde_clock)flight->sent_clock}, .error = -EPERM};
    for (int i = 1; i >= 0; i--) {
        if (trace->unanswered_ns[i] == flight->sent_ns)
            trace->unanswered_ns[i] = SONDE_NS_NEVER;
    }
    finish_unsent(engine, index, &sent);
}

/* May an arrival be about a probe, as far as the question goes that this carries? */
static bool is_about(const struct sonde_match *match, const struct flight *flight)
{
    return (match->questions >> flight->question & 1) != 0;
}

/* How much later the next attempt may begin. Where answers name nothing, the network must not
 * deliver the same one again; otherwise the reset that ends this one must not be overtaken. */
static sonde_ns quiet_ns(const struct engine *engine, const struct engine_trace *trace)
{
    sonde_ns longest = patience_longest_ns(&engine->targets[trace->target].patience);
    bool named = trace->spec.naming == PROBE_NAMING_ATTEMPT;
    return named ? ns_min(longest / 8, QUIET_NS) : QUIET_NS;
}

/* May a probe to a TTL have arrived, as far as the routers tell that its trace has met? */
static bool may_arrive(const struct engine *engine, const struct engine_trace *trace,
                       const struct flight *flight)
{
    return flight->sent && !flight->is_blind && flight->ttl > trace_reach(engine, trace)->top_ttl;
}

/* When all probes of an attempt have drawn their answers, those of it that went ahead too. */
static sonde_ns drawn_ns(const struct engine *engine, const struct engine_trace *trace,
                         const struct flight *flight, sonde_ns now)
{
    sonde_ns longest = patience_longest_ns(&engine->targets[trace->target].patience);
    sonde_ns drawn = now;
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *other = &engine->flights.flights[index];
        if (other != flight && other->attempt == flight->attempt &&
            may_arrive(engine, trace, other))
            drawn = ns_max(drawn, ns_add(other->sent_ns, longest));
    }
    return drawn;
}

/* Was the newest attempt of a trace answered by this? Then the next may begin soon. */
static void note_claim(struct engine *engine, const struct flight *flight, sonde_ns now)
{
    struct engine_trace *trace = &engine->traces[flight->trace];
    if (!claims_is_newest(&trace->claims, flight->token) ||
        trace->spec.naming == PROBE_NAMING_PROBE)
        return;
    claims_answered(&trace->claims,
                    ns_add(drawn_ns(engine, trace, flight, now), quiet_ns(engine, trace)));
    engine->targets[trace->target].changed = true; /* what waited for it may go */
}

/* A server repeats its SYN-ACK, because the first or the reset that ends the handshake was lost,
 * after a second and never earlier (RFC 6298 §2.1). What a network doubles comes at once, and what
 * is slow comes late at other times, too. */
static const sonde_ns REPETITION_NS = 950 * SONDE_NS_PER_MS;

/* What is so much later than all else is more than slow. */
static const sonde_ns REPETITION_SLACK_NS = 300 * SONDE_NS_PER_MS;

static bool may_be_repeated(const struct engine_trace *trace, const struct sonde_rx *rx)
{
    return rx->kind == SONDE_RX_ANSWER && trace->spec.flow.protocol == IP_PROTO_TCP;
}

/* Is an answer a repetition, since another would have come sooner? */
static bool is_repetition(const struct engine *engine, const struct engine_trace *trace,
                          const struct sonde_rx *rx, sonde_ns rtt)
{
    const struct patience *patience = &engine->targets[trace->target].patience;
    return may_be_repeated(trace, rx) && patience->nearest_ns > 0 &&
           rtt >= ns_add(patience->nearest_ns, REPETITION_NS) &&
           rtt > ns_add(patience_longest_ns(patience), REPETITION_SLACK_NS);
}

/* May it be one, since nobody knows how soon the target answers? A host that is really so far away
 * is believed the third time. */
static bool is_doubtful(const struct engine *engine, const struct engine_trace *trace,
                        const struct sonde_rx *rx, sonde_ns rtt)
{
    const struct patience *patience = &engine->targets[trace->target].patience;
    return may_be_repeated(trace, rx) && patience->nearest_ns == 0 && rtt >= REPETITION_NS &&
           rtt > ns_add(patience_longest_ns(patience), REPETITION_SLACK_NS) &&
           trace_tally(engine, trace)->uncertain < 2;
}

/* The arrival answers this flight, for the first time or again. */
static void credit(struct engine *engine, uint32_t index, const struct sonde_rx *rx,
                   const struct sonde_match *match, bool uncertain)
{
    struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = &engine->traces[flight->trace];
    struct sonde_event event;
    sonde_ns now = rx->stamp.time_ns;
    bool refused = is_refusal(trace, rx, match);
    if (flight->state == FLIGHT_KEPT && (refused || flight->outcome == SONDE_OUTCOME_SEND_ERROR))
        return; /* nothing answers what never left */
    if (refused) {
        credit_refusal(engine, index);
        return;
    }
    event_from_rx(&event, rx, match->outcome);
    sonde_ns rtt = ns_sub(now, flight->sent_ns);
    event.uncertain = uncertain || is_doubtful(engine, trace, rx, rtt);
    if (!event.uncertain && rtt >= 0)
        event.rtt_ns = rtt;
    note_claim(engine, flight, now);
    if (rx->kind == SONDE_RX_ANSWER) {
        claims_hear(&trace->claims, flight->attempt);
        if (!claims_has_begun(&trace->claims, flight->attempt, flight->token))
            claims_share(&trace->claims, flight->attempt);
    }
    if (flight->state == FLIGHT_FLYING && is_repetition(engine, trace, rx, rtt)) {
        finish_unanswered(engine, index, now); /* its answer was lost, and this one is late */
        finish_again(engine, index, SONDE_EVENT_LATE, &event);
    } else if (flight->state == FLIGHT_FLYING) {
        finish_flight(engine, index, &event, now);
    } else if (rtt > ns_add(engine->config.timeout_ns, LATE_NS)) {
        engine_on_discard(engine, SONDE_DISCARD_TOO_LATE);
    } else if (flight->outcome == SONDE_OUTCOME_NO_REPLY) {
        flight->outcome =
            (uint8_t)match->outcome; /* now it has its answer, and the next is another */
        finish_again(engine, index, SONDE_EVENT_LATE, &event);
    } else if (is_repetition(engine, trace, rx, rtt)) {
        engine_on_discard(engine, SONDE_DISCARD_NOT_A_RESULT);
    } else if (rx->kind == SONDE_RX_ERROR || !trace->spec.repeats) {
        finish_again(engine, index, SONDE_EVENT_DUPLICATE, &event);
    }
}

/* What else is in flight of an attempt, besides the probe that began it, and may draw an answer of
 * the target: not what went ahead blindly. */
struct others {
    bool any;
    bool able; /* one of them went further than routers have answered, long enough ago for an answer
                */
};

/* How soon an answer can come: not sooner than others of the trace did, but for what times vary; of
 * one that was not answered yet, it may be somebody nearer than the target. */
static sonde_ns soonest_ns(const struct engine *engine, const struct engine_trace *trace)
{
    const struct rtt_stats *rtt = &trace_tally(engine, trace)->rtt;
    sonde_ns nearest = engine->targets[trace->target].patience.nearest_ns;
    return rtt->samples > 0 ? ns_min(rtt->min_ns, nearest) / 8 * 7 : nearest / 2;
}

/* @param since  Those of other attempts count, too, that left at this time or later; never: none
 * do. */
static struct others find_others(const struct engine *engine, const struct engine_trace *trace,
                                 const struct flight *flight, sonde_ns since, sonde_ns now)
{
    struct others others = {false, false};
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *other = &engine->flights.flights[index];
        if (other == flight || other->is_blind || !other->sent || other->sent_ns > now ||
            (other->attempt != flight->attempt && other->sent_ns < since))
            continue;
        others.any = true;
        others.able |= may_arrive(engine, trace, other) &&
                       ns_sub(now, other->sent_ns) >= soonest_ns(engine, trace);
    }
    return others;
}

/* May an answer be to another probe: to one that can have arrived, or, since it took longer than
 * answers do, to one that was to expire on the way? */
static bool is_others(const struct engine *engine, const struct engine_trace *trace, sonde_ns rtt,
                      const struct others *others)
{
    const struct patience *patience = &engine->targets[trace->target].patience;
    return (patience->nearest_ns > 0 && others->able) ||
           (others->any && rtt > patience_router_ns(patience));
}

/* The flight that began an attempt; FLIGHT_NONE if it is forgotten. */
static uint32_t find_attempt(const struct engine *engine, const struct engine_trace *trace,
                             uint32_t number)
{
    uint32_t token;
    if (claims_owner(&trace->claims, number, PROBE_ATTEMPT_BITS, &token) == CLAIM_NOBODY)
        return FLIGHT_NONE;
    uint32_t index = flight_find(&engine->flights, &trace->line, token);
    bool is_it = index != FLIGHT_NONE && engine->flights.flights[index].token == token;
    return is_it ? index : FLIGHT_NONE;
}

/* May a server have been reminded by the newest attempt of one that it still waits for? What is
 * sooner than any answer is to something else: the server may have repeated itself. It does not do
 * that for a second, though; until then the way may have become shorter, so that the attempt has
 * overtaken the reset of the one before. */
static bool is_reminded(const struct engine *engine, const struct engine_trace *trace, sonde_ns rtt,
                        const struct sonde_rx *rx, const struct sonde_match *match)
{
    sonde_ns soonest = soonest_ns(engine, trace);
    if (!claims_is_older(&trace->claims, match->attempt, PROBE_ATTEMPT_BITS))
        return false;
    if (rtt >= soonest)
        return true;
    uint32_t older = find_attempt(engine, trace, match->attempt);
    return older != FLIGHT_NONE && rtt >= soonest / 2 &&
           ns_sub(rx->stamp.time_ns, engine->flights.flights[older].sent_ns) < REPETITION_NS;
}

/* An answer of the target that does not name its probe: it is for whoever has the claim. Where it
 * took too long, though, and others are out that were to expire on the way, the way may be shorter
 * now. */
static void credit_claim(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                         const struct sonde_match *match)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    bool names = match->has_attempt && !match->is_reminder;
    uint32_t number = names ? match->attempt : claims_newest(&trace->claims);
    sonde_ns now = rx->stamp.time_ns;
    uint32_t index = find_attempt(engine, trace, number);
    const struct flight *flight = index != FLIGHT_NONE ? &engine->flights.flights[index] : NULL;
    sonde_ns rtt = flight != NULL ? ns_sub(now, flight->sent_ns) : -1;
    if (flight == NULL || !flight->sent || rtt < 0 || !is_about(match, flight) ||
        (match->is_reminder && !is_reminded(engine, trace, rtt, rx, match))) {
        engine_on_discard(engine, SONDE_DISCARD_UNKNOWN_PROBE);
        return;
    }
    bool answered = flight->state == FLIGHT_KEPT && flight->outcome != SONDE_OUTCOME_NO_REPLY;
    bool early = !names && rtt < soonest_ns(engine, trace);
    sonde_ns longest = patience_longest_ns(&engine->targets[trace->target].patience);
    struct others others =
        find_others(engine, trace, flight, names ? SONDE_NS_NEVER : ns_sub(now, 2 * longest), now);
    bool again = answered && (others.any || match->is_reminder); /* or to one of them */
    if (again || (early && others.able))
        engine_on_discard(engine, SONDE_DISCARD_AMBIGUOUS);
    else
        credit(engine, index, rx, match,
               claims_is_shared(&trace->claims, flight->attempt) ||
                   (match->is_reminder && (others.any || early)) ||
                   is_others(engine, trace, rtt, &others));
}

/* The probes that an error without a name may be about. */
struct candidates {
    uint32_t oldest; /* FLIGHT_NONE if there is none */
    uint32_t count;
};

/* May an arrival be about a probe? Where probes go one by one, each has its answer before the next
 * leaves, or none. */
static bool is_candidate(const struct engine *engine, const struct flight *flight, sonde_ns arrived)
{
    const struct engine_trace *trace = &engine->traces[flight->trace];
    const struct patience *patience = &engine->targets[trace->target].patience;
    sonde_ns age = ns_sub(arrived, flight->sent_ns);
    return flight->sent && age >= 0 &&
           (!trace->quotes_name_nothing || age <= patience_claim_ns(patience));
}

/* Is a probe part of the attempt that an arrival names? */
static bool is_of_attempt(const struct flight *flight, const struct sonde_match *match)
{
    static const uint32_t known = (UINT32_C(1) << PROBE_ATTEMPT_BITS) - 1;
    return !match->has_attempt || ((flight->attempt ^ match->attempt) & known) == 0;
}

/* Of the probes in flight, those to hops or those to the target that an error may be about. */
static struct candidates find_candidates(const struct engine *engine,
                                         const struct engine_trace *trace,
                                         const struct sonde_rx *rx, const struct sonde_match *match,
                                         bool to_target)
{
    struct candidates found = {FLIGHT_NONE, 0};
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *flight = &engine->flights.flights[index];
        if (!is_of_attempt(flight, match) || !is_about(match, flight) ||
            flight->to_target != to_target || !is_candidate(engine, flight, rx->stamp.time_ns))
            continue;
        if (found.count++ == 0)
            found.oldest = index;
    }
    return found;
}

/* Nothing tells these probes apart: whatever was answered, nobody will know. From now on they go
 * one by one. */
static void forsake(struct engine *engine, struct engine_trace *trace, sonde_ns now)
{
    const struct patience *patience = &engine->targets[trace->target].patience;
    trace->quotes_name_nothing = true;
    trace->quote_free_ns = ns_max(trace->quote_free_ns, ns_add(now, patience_claim_ns(patience)));
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        struct flight *flight = &engine->flights.flights[index];
        if (flight->to_target || flight->is_mute)
            continue;
        flight->is_mute = true;
        uint8_t *asks = asks_at(engine, trace, flight->ttl);
        *asks = (uint8_t)(*asks - (*asks > 0));
    }
}

/*
 * An error about a trace of which nothing in a quote tells the probes apart. What expires was meant
 * to, and no more than one such is in flight at a time; more are only when that has just been found
 * out. Whoever refuses, or has no such port, speaks first of what was to go on to the target.
 */
static void credit_quote(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                         const struct sonde_match *match)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    bool expired = match->outcome == SONDE_OUTCOME_TTL_EXCEEDED;
    struct candidates found = find_candidates(engine, trace, rx, match, !expired);
    if (found.count == 0 && !expired)
        found = find_candidates(engine, trace, rx, match, false);
    if (found.count == 1) {
        if (expired)
            trace->quote_free_ns = ns_add(rx->stamp.time_ns, QUIET_NS);
        credit(engine, found.oldest, rx, match, false);
        return;
    }
    if (found.count > 1 && expired)
        forsake(engine, trace, rx->stamp.time_ns);
    engine_on_discard(engine,
                      found.count > 1 ? SONDE_DISCARD_AMBIGUOUS : SONDE_DISCARD_UNKNOWN_PROBE);
}

/* Does an answer come later than others of the trace did? */
static bool is_late(const struct engine *engine, const struct engine_trace *trace, sonde_ns rtt)
{
    const struct rtt_stats *stats = &trace_tally(engine, trace)->rtt;
    return stats->samples == 0 || rtt > ns_add(stats->min_ns, stats->min_ns / 8 + SONDE_NS_PER_MS);
}

/* An answer that names its probe. @return false if there never was such a probe, or it was part of
 * another attempt than the answer is to. */
static bool credit_token(struct engine *engine, uint32_t trace_index, const struct sonde_rx *rx,
                         const struct sonde_match *match)
{
    struct engine_trace *trace = &engine->traces[trace_index];
    if (match->has_full_token && flight_age(&trace->line, match->token) > FLIGHT_TOKENS / 2)
        return false;
    uint32_t index = flight_find(&engine->flights, &trace->line, match->token);
    const struct flight *flight = index != FLIGHT_NONE ? &engine->flights.flights[index] : NULL;
    if (flight != NULL && flight->token == match->token && !is_of_attempt(flight, match))
        return false;
    if (flight != NULL && !is_about(match, flight))
        return false; /* right name, but it carried another question */
    if (flight == NULL || !flight->sent ||
        (match->has_full_token && flight->token != match->token)) {
        bool forgotten = flight == NULL && match->has_full_token;
        engine_on_discard(engine, forgotten ? SONDE_DISCARD_TOO_LATE : SONDE_DISCARD_UNKNOWN_PROBE);
        return true;
    }
    bool answered = flight->state == FLIGHT_KEPT && flight->outcome != SONDE_OUTCOME_NO_REPLY;
    /* A server that gets a SYN again before its SYN-ACK was acknowledged repeats that, with the
     * first SYN's timestamp (RFC 7323 §4.3). */
    bool repeats = match->has_attempt && rx->kind == SONDE_RX_ANSWER && !rx->attributed;
    sonde_ns now = rx->stamp.time_ns;
    struct others others = find_others(engine, trace, flight, SONDE_NS_NEVER, now);
    bool shared = claims_is_shared(&trace->claims, flight->attempt) ||
                  (others.able && is_late(engine, trace, ns_sub(now, flight->sent_ns)));
    if (answered && repeats && others.any)
        engine_on_discard(engine, SONDE_DISCARD_AMBIGUOUS);
    else
        credit(engine, index, rx, match, repeats && shared);
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
    if (match.has_token && credit_token(engine, trace_index, rx, &match))
        ;
    else if (match.has_token && !match.has_attempt)
        engine_on_discard(engine, SONDE_DISCARD_BAD_TOKEN);
    else if (may_be_refusal(&engine->traces[trace_index], rx, &match))
        ;
    else if (rx->kind == SONDE_RX_ERROR)
        credit_quote(engine, trace_index, rx, &match);
    else /* a device that makes up the echoed timestamp has still proven that it saw the SYN */
        credit_claim(engine, trace_index, rx, &match);
    plan_update(engine, target_of(engine, trace_index), rx->stamp.time_ns);
}
