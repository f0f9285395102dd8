/* SPDX-License-Identifier: BSD-2-Clause */
/* Which probe of a trace an arrival answers; see engine/attribute.h. */
#include "engine/attribute.h"

#include "engine/credit.h"

/* A Linux host that waits for the end of an attempt says so to another one once in half a second
 * (net.ipv4.tcp_invalid_ratelimit), and otherwise nothing; and kernel timers are late. */
static const sonde_ns REMINDER_NS = 550 * SONDE_NS_PER_MS;

/* Did a probe carry one of the questions that an arrival may be to? */
static bool is_asked_by(const struct sonde_match *match, const struct flight *flight)
{
    return (match->questions >> flight->question & 1) != 0;
}

/* Is a probe part of the attempt that an arrival names, if it names one? */
static bool is_of_attempt(const struct flight *flight, const struct sonde_match *match)
{
    static const uint32_t known = (UINT32_C(1) << PROBE_ATTEMPT_BITS) - 1;
    return !match->has_attempt || ((flight->attempt ^ match->attempt) & known) == 0;
}

/* What else of an attempt is in flight beside one probe, and may draw an answer of the target. */
struct others {
    bool any;
    bool able; /* one of them went farther than routers have answered, and an answer to it may be
                  here by now */
};

/* How soon an answer can come after its probe: as soon as others of the trace did, and a little
 * sooner, since times vary. A trace that was not answered yet may be by somebody who is nearer than
 * the target. */
static sonde_ns soonest_ns(const struct engine_trace *trace)
{
    sonde_ns soonest = least_ns(&trace->soonest);
    sonde_ns nearest = patience_nearest_ns(&trace->target->patience);
    return soonest != SONDE_NS_NEVER ? ns_min(soonest, nearest) / 8 * 7 : nearest / 2;
}

/* @param since_ns  Probes of other attempts count, too, if they left at this time or later; never:
 * none do. */
static struct others find_others(const struct engine *engine, const struct engine_trace *trace,
                                 const struct flight *flight, sonde_ns since_ns, sonde_ns now)
{
    struct others others = {false, false};
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *other = &engine->flights.flights[index];
        if (other == flight || other->is_blind || !other->sent || other->sent_ns > now ||
            (other->attempt != flight->attempt && other->sent_ns < since_ns))
            continue;
        others.any = true;
        others.able |=
            credit_may_arrive(trace, other) && ns_sub(now, other->sent_ns) >= soonest_ns(trace);
    }
    return others;
}

/* May an answer be to one of the others: to one that can have arrived, or, since it took longer
 * than answers do, to one that was to expire on the way? */
static bool is_others(const struct engine_trace *trace, sonde_ns rtt, const struct others *others)
{
    const struct patience *patience = &trace->target->patience;
    return (patience_nearest_ns(patience) > 0 && others->able) ||
           (others->any && rtt > patience_router_ns(patience));
}

static bool is_answered(const struct flight *flight)
{
    return flight->state == FLIGHT_KEPT && flight->outcome != SONDE_OUTCOME_NO_REPLY;
}

/* Does an answer come later than others of the trace did? */
static bool is_late(const struct engine_trace *trace, sonde_ns rtt)
{
    sonde_ns soonest = least_ns(&trace->soonest);
    return soonest == SONDE_NS_NEVER || rtt > ns_add(soonest, soonest / 8 + SONDE_NS_PER_MS);
}

/* An arrival names a probe that is remembered. */
static void credit_named(struct engine *engine, const struct engine_trace *trace, uint32_t index,
                         const struct sonde_rx *rx, const struct sonde_match *match)
{
    const struct flight *flight = &engine->flights.flights[index];
    sonde_ns now = rx->stamp.time_ns;
    /* A server that gets a SYN again before its SYN-ACK was acknowledged repeats that, with the
     * first SYN's timestamp (RFC 7323 §4.3). */
    bool repeats = match->has_attempt && rx->kind == SONDE_RX_ANSWER && !rx->attributed;
    struct others others = find_others(engine, trace, flight, SONDE_NS_NEVER, now);
    bool shared = claims_is_shared(&trace->claims, flight->attempt) ||
                  (others.able && is_late(trace, ns_sub(now, flight->sent_ns)));
    if (is_answered(flight) && repeats && others.any)
        trace_on_discard(trace, SONDE_DISCARD_AMBIGUOUS);
    else
        credit_answer(engine, index, rx, match, repeats && shared);
}

bool attribute_named(struct engine *engine, const struct engine_trace *trace,
                     const struct sonde_rx *rx, const struct sonde_match *match)
{
    if (match->has_full_token && flight_age(&trace->line, match->token) > FLIGHT_TOKENS / 2)
        return false;
    uint32_t index = flight_find(&engine->flights, &trace->line, match->token);
    if (index == FLIGHT_NONE) {
        trace_on_discard(trace, match->has_full_token ? SONDE_DISCARD_TOO_LATE
                                                      : SONDE_DISCARD_UNKNOWN_PROBE);
        return true;
    }
    const struct flight *flight = &engine->flights.flights[index];
    if ((flight->token == match->token && !is_of_attempt(flight, match)) ||
        !is_asked_by(match, flight))
        return false;
    if (!flight->sent || (match->has_full_token && flight->token != match->token))
        trace_on_discard(trace, SONDE_DISCARD_UNKNOWN_PROBE);
    else
        credit_named(engine, trace, index, rx, match);
    return true;
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

/* May the newest attempt have reminded a server of an older one that it still waits for? Sooner
 * than any answer comes, the server may have repeated itself. It does not do that for a second,
 * though; until then the way may have become shorter, so that the attempt has overtaken the reset
 * of the one before. */
static bool is_reminded(const struct engine *engine, const struct engine_trace *trace, sonde_ns rtt,
                        const struct sonde_rx *rx, const struct sonde_match *match)
{
    sonde_ns soonest = soonest_ns(trace);
    if (!claims_is_older(&trace->claims, match->attempt, PROBE_ATTEMPT_BITS))
        return false;
    if (rtt >= soonest)
        return true;
    uint32_t older = find_attempt(engine, trace, match->attempt);
    return older != FLIGHT_NONE && rtt >= soonest / 2 &&
           ns_sub(rx->stamp.time_ns, engine->flights.flights[older].sent_ns) < CREDIT_REPETITION_NS;
}

/* The probe that has the claim on an answer; FLIGHT_NONE if no probe can have drawn it. */
static uint32_t find_claimant(const struct engine *engine, const struct engine_trace *trace,
                              const struct sonde_rx *rx, const struct sonde_match *match)
{
    bool names = match->has_attempt && !match->is_reminder;
    uint32_t number = names ? match->attempt : claims_newest(&trace->claims);
    uint32_t index = find_attempt(engine, trace, number);
    if (index == FLIGHT_NONE)
        return FLIGHT_NONE;
    const struct flight *flight = &engine->flights.flights[index];
    sonde_ns rtt = ns_sub(rx->stamp.time_ns, flight->sent_ns);
    bool fits = flight->sent && rtt >= 0 && is_asked_by(match, flight) &&
                (!match->is_reminder || is_reminded(engine, trace, rtt, rx, match));
    return fits ? index : FLIGHT_NONE;
}

/* It is for whoever has the claim. But where it took too long, and others are out that were to
 * expire on the way, the way may be shorter now: then it may be theirs. */
void attribute_answer(struct engine *engine, struct engine_trace *trace, const struct sonde_rx *rx,
                      const struct sonde_match *match)
{
    uint32_t index = find_claimant(engine, trace, rx, match);
    if (index == FLIGHT_NONE) {
        trace_on_discard(trace, SONDE_DISCARD_UNKNOWN_PROBE);
        return;
    }
    const struct flight *flight = &engine->flights.flights[index];
    bool names = match->has_attempt && !match->is_reminder;
    sonde_ns now = rx->stamp.time_ns;
    sonde_ns rtt = ns_sub(now, flight->sent_ns);
    sonde_ns longest = patience_longest_ns(&trace->target->patience);
    sonde_ns since = names ? SONDE_NS_NEVER : ns_sub(now, 2 * longest);
    struct others others = find_others(engine, trace, flight, since, now);
    /* while no round trip is known, it may have been drawn by an attempt that was given up */
    bool early = !names && (rtt < soonest_ns(trace) ||
                            (match->is_reminder && least_ns(&trace->soonest) == SONDE_NS_NEVER));
    bool again = is_answered(flight) && (others.any || match->is_reminder); /* or theirs */
    if (again || (early && others.able))
        trace_on_discard(trace, SONDE_DISCARD_AMBIGUOUS);
    else
        credit_answer(engine, index, rx, match,
                      claims_is_shared(&trace->claims, flight->attempt) ||
                          (match->is_reminder && (others.any || early)) ||
                          is_others(trace, rtt, &others));
    if (match->is_reminder)
        claims_remind(&trace->claims, match->attempt, PROBE_ATTEMPT_BITS, ns_add(now, REMINDER_NS));
}

/* The probes that an error without a name may be about. */
struct candidates {
    uint32_t oldest; /* FLIGHT_NONE if there is none */
    uint32_t count;
};

/* May an error that arrived at a time be about a probe? Where probes go one by one, each has its
 * answer before the next leaves, or none. */
static bool is_candidate(const struct engine *engine, const struct flight *flight, sonde_ns arrived)
{
    const struct engine_trace *trace = engine->traces[flight->trace];
    const struct patience *patience = &trace->target->patience;
    sonde_ns age = ns_sub(arrived, flight->sent_ns);
    return flight->sent && age >= 0 &&
           (!trace->quotes_name_nothing || age <= patience_claim_ns(patience));
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
        if (!is_of_attempt(flight, match) || !is_asked_by(match, flight) ||
            flight->to_target != to_target || !is_candidate(engine, flight, rx->stamp.time_ns))
            continue;
        if (found.count++ == 0)
            found.oldest = index;
    }
    return found;
}

/* Nothing tells the probes to hops apart that are in flight: of none of them will anybody know
 * whether it was answered. From now on they go one by one. */
static void forsake(struct engine *engine, struct engine_trace *trace, sonde_ns now)
{
    const struct patience *patience = &trace->target->patience;
    trace->quotes_name_nothing = true;
    trace->quote_free_ns = ns_max(trace->quote_free_ns, ns_add(now, patience_claim_ns(patience)));
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        struct flight *flight = &engine->flights.flights[index];
        if (flight->to_target || flight->is_mute)
            continue;
        flight->is_mute = true;
        uint8_t *asks = &trace->asks[flight->ttl];
        *asks = (uint8_t)(*asks - (*asks > 0));
    }
}

/* What expires was meant to, and no more than one such probe is in flight at a time; more are only
 * when it has just been found out that quotes name nothing. Whoever refuses, or has no such port,
 * speaks first of what was to go on to the target. */
void attribute_error(struct engine *engine, struct engine_trace *trace, const struct sonde_rx *rx,
                     const struct sonde_match *match)
{
    bool expired = match->outcome == SONDE_OUTCOME_TTL_EXCEEDED;
    if (expired)
        trace->nameless_cycle = trace->target->cycle;
    struct candidates found = find_candidates(engine, trace, rx, match, !expired);
    if (found.count == 0 && !expired)
        found = find_candidates(engine, trace, rx, match, false);
    if (found.count == 1) {
        if (expired)
            trace->quote_free_ns = ns_add(rx->stamp.time_ns, CREDIT_QUIET_NS);
        credit_answer(engine, found.oldest, rx, match, false);
        return;
    }
    if (found.count > 1 && expired)
        forsake(engine, trace, rx->stamp.time_ns);
    trace_on_discard(trace,
                     found.count > 1 ? SONDE_DISCARD_AMBIGUOUS : SONDE_DISCARD_UNKNOWN_PROBE);
}
