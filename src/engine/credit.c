/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from an answer to a probe; see engine/credit.h. */
#include "engine/credit.h"

#include "engine/extent.h"
#include "engine/finish.h"
#include "engine/gap.h"
#include "engine/remove.h"
#include "engine/walk.h"
#include "wire/icmp.h"

#include <errno.h>

/* A repetition is later than all else that answers by more than slow answers are. */
static const sonde_ns REPETITION_SLACK_NS = 300 * SONDE_NS_PER_MS;

enum {
    DOUBTED_MAX = 2, /* answers of a service that are doubted for being so late */
    /* Repetitions in a row: of answers that get lost by chance, three in ten, so many less than
     * once in 10,000 times. Then the target has become so slow. */
    REPETITIONS_MAX = 8,
};

static void event_from_rx(struct sonde_event *event, const struct sonde_rx *rx,
                          enum sonde_outcome outcome)
{
    *event = (struct sonde_event){
        .outcome = outcome,
        .from = rx->from,
        .rtt_ns = -1,
        .received_clock = rx->stamp.clock,
        .reply_ttl = rx->reply_ttl,
        .icmp_type = -1,
        .icmp_code = -1,
    };
    if (rx->kind != SONDE_RX_ERROR)
        return;
    event->icmp_type = (int16_t)rx->icmp_type;
    event->icmp_code = (int16_t)rx->icmp_code;
    event->ext = rx->ext;
    event->has_quoted = rx->quote.has_header;
    event->quoted_ecn = rx->quote.tos & IP_ECN_MASK;
    event->quoted_dont_fragment = rx->quote.dont_fragment;
    if (outcome == SONDE_OUTCOME_PACKET_TOO_BIG)
        event->mtu_bytes = icmp_mtu_bytes(rx->remote.family, rx->icmp_info);
}

bool credit_may_arrive(const struct engine_trace *trace, const struct flight *flight)
{
    return flight->sent && !flight->is_blind && flight->ttl > trace_reach(trace)->top_ttl;
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

/* A firewall speaks in this machine's own name, or resets in the target's. */
bool credit_is_known_refusal(const struct engine_trace *trace, const struct sonde_rx *rx,
                             const struct sonde_match *match)
{
    return trace->refused_ns != SONDE_NS_NEVER &&
           ns_sub(rx->stamp.time_ns, trace->refused_ns) < CREDIT_QUIET_NS &&
           (is_own_word(trace, rx) || match->outcome == SONDE_OUTCOME_CLOSED);
}

/* A probe turns out to have been refused. That it left is forgotten, too: it is no silence. */
static void credit_refusal(struct engine *engine, uint32_t index)
{
    const struct flight *flight = &engine->flights.flights[index];
    struct engine_trace *trace = engine->traces[flight->trace];
    const struct sonde_sent sent = {
        .stamp = {flight->sent_ns, (enum sonde_clock)flight->sent_clock}, .error = -EPERM};
    if (flight->state == FLIGHT_KEPT)
        return;
    for (int i = 1; i >= 0; i--) {
        if (trace->unanswered_ns[i] == flight->sent_ns)
            trace->unanswered_ns[i] = SONDE_NS_NEVER;
    }
    finish_unsent(engine, index, &sent);
}

/* How much later than the answer to this attempt the next one may begin. Where answers name
 * nothing, the network must not deliver the same one again meanwhile; otherwise the next attempt
 * must not overtake the reset that ends this one. */
static sonde_ns quiet_ns(const struct engine_trace *trace)
{
    sonde_ns longest = patience_longest_ns(&trace->target->patience);
    bool named = trace->spec.naming == PROBE_NAMING_ATTEMPT;
    return named ? ns_min(longest / 8, CREDIT_QUIET_NS) : CREDIT_QUIET_NS;
}

/* When all probes of an attempt have drawn their answers, those of it that went ahead too. */
static sonde_ns drawn_ns(const struct engine *engine, const struct engine_trace *trace,
                         const struct flight *flight, sonde_ns now)
{
    sonde_ns longest = patience_longest_ns(&trace->target->patience);
    sonde_ns drawn = now;
    uint32_t index = trace->line.first;
    for (; index != FLIGHT_NONE; index = engine->flights.flights[index].next) {
        const struct flight *other = &engine->flights.flights[index];
        if (other != flight && other->attempt == flight->attempt && credit_may_arrive(trace, other))
            drawn = ns_max(drawn, ns_add(other->sent_ns, longest));
    }
    return drawn;
}

/* Note in the claims of a trace that one of its probes is answered, and by whom. */
static void note_claim(struct engine *engine, const struct flight *flight,
                       const struct sonde_rx *rx)
{
    struct engine_trace *trace = engine->traces[flight->trace];
    if (claims_is_newest(&trace->claims, flight->token) &&
        trace->spec.naming != PROBE_NAMING_PROBE) {
        sonde_ns drawn = drawn_ns(engine, trace, flight, rx->stamp.time_ns);
        claims_answered(&trace->claims, ns_add(drawn, quiet_ns(trace)));
        struct engine_target *target = trace->target;
        target->changed |= /* what waited for it may go */
            walk_is_wanted(target, trace, extent_floor(target, trace));
    }
    if (rx->kind != SONDE_RX_ANSWER)
        return;
    claims_hear(&trace->claims, flight->attempt);
    if (!claims_has_begun(&trace->claims, flight->attempt, flight->token))
        claims_share(&trace->claims, flight->attempt);
}

/* Only a SYN-ACK or a reset can come again because what was sent for it was lost. */
static bool may_be_repeated(const struct engine_trace *trace, const struct sonde_rx *rx)
{
    return rx->kind == SONDE_RX_ANSWER && trace->spec.flow.protocol == IP_PROTO_TCP;
}

/* Is an answer a server's repetition of the first, which would have come sooner? */
static bool is_repetition(const struct engine_trace *trace, const struct sonde_rx *rx, sonde_ns rtt)
{
    const struct patience *patience = &trace->target->patience;
    return may_be_repeated(trace, rx) && patience_nearest_ns(patience) > 0 &&
           rtt >= ns_add(patience_nearest_ns(patience), CREDIT_REPETITION_NS) &&
           rtt > ns_add(patience_longest_ns(patience), REPETITION_SLACK_NS);
}

/* Count answers of the target that follow one another and are such. */
static void note_repetition(struct engine_trace *trace, const struct sonde_rx *rx, bool repeated)
{
    if (repeated)
        trace->repetitions++;
    else if (rx->kind == SONDE_RX_ANSWER)
        trace->repetitions = 0;
}

/* May it be a repetition, since nobody knows how soon the target answers? A host that is really so
 * far away is believed the third time. */
static bool is_doubtful(const struct engine_trace *trace, const struct sonde_rx *rx, sonde_ns rtt)
{
    const struct patience *patience = &trace->target->patience;
    return may_be_repeated(trace, rx) && patience_nearest_ns(patience) == 0 &&
           rtt >= CREDIT_REPETITION_NS &&
           rtt > ns_add(patience_longest_ns(patience), REPETITION_SLACK_NS) &&
           trace->doubted < DOUBTED_MAX;
}

/* A flying probe is answered. */
static void end_flight(struct engine *engine, uint32_t index, const struct sonde_rx *rx,
                       bool repeated, struct sonde_event *event)
{
    if (!repeated) {
        finish_flight(engine, index, event, rx->stamp.time_ns);
        return;
    }
    finish_unanswered(engine, index, rx->stamp.time_ns);
    finish_again(engine, index, SONDE_EVENT_LATE, event);
}

/* A probe that has ended is answered: for the first time, or again. */
static void answer_kept(struct engine *engine, uint32_t index, const struct sonde_rx *rx,
                        bool repeated, struct sonde_event *event)
{
    struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = engine->traces[flight->trace];
    sonde_ns rtt = ns_sub(rx->stamp.time_ns, flight->sent_ns);
    if (rtt > ns_add(plan_of(trace->target)->timeout_ns, REMOVE_LATE_NS)) {
        trace_on_discard(trace, SONDE_DISCARD_TOO_LATE);
    } else if (flight->outcome == SONDE_OUTCOME_NO_REPLY) {
        flight->outcome = (uint8_t)event->outcome; /* it has its answer: the next is another */
        finish_again(engine, index, SONDE_EVENT_LATE, event);
    } else if (repeated) {
        trace_on_discard(trace, SONDE_DISCARD_NOT_A_RESULT);
    } else if (rx->kind == SONDE_RX_ERROR || !trace->spec.repeats) {
        finish_again(engine, index, SONDE_EVENT_DUPLICATE, event);
    }
}

void credit_answer(struct engine *engine, uint32_t index, const struct sonde_rx *rx,
                   const struct sonde_match *match, bool uncertain)
{
    const struct flight *flight = &engine->flights.flights[index];
    const struct engine_trace *trace = engine->traces[flight->trace];
    struct sonde_event event;
    if (is_refusal(trace, rx, match)) {
        credit_refusal(engine, index);
        return;
    }
    if (flight->state == FLIGHT_KEPT && flight->outcome == SONDE_OUTCOME_SEND_ERROR)
        return; /* nothing answers what never left */
    event_from_rx(&event, rx, match->outcome);
    sonde_ns rtt = ns_sub(rx->stamp.time_ns, flight->sent_ns);
    bool timed = gap_is_timed(engine, flight, &rx->stamp);
    event.uncertain = uncertain || (timed && is_doubtful(trace, rx, rtt));
    if (!event.uncertain && timed && rtt >= 0)
        event.rtt_ns = rtt;
    bool repeated = timed && is_repetition(trace, rx, rtt) && trace->repetitions < REPETITIONS_MAX;
    note_repetition(engine->traces[flight->trace], rx, repeated);
    note_claim(engine, flight, rx);
    if (flight->state == FLIGHT_FLYING)
        end_flight(engine, index, rx, repeated, &event);
    else
        answer_kept(engine, index, rx, repeated, &event);
}
