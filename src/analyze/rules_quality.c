/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with a service that answers. */
#include "analyze/rules.h"
#include "wire/ip.h"

#include <inttypes.h>

/* Of who answers only so often, what counts is what is lost when it is asked seldom. */
static double loss_of(const struct tally_service *tally)
{
    if (evidence_rationed(tally))
        return (double)tally->spaced_lost / (double)tally->spaced_sent;
    return tally->sent > 0 ? (double)(tally->sent - tally->received) / (double)tally->sent : 0;
}

/* Does the service answer, so that what it does not answer is lost? A host rations its "port
 * unreachable" as it does all errors (RFC 1812 §4.3.2.8), so there that says nothing. */
static bool is_answering(const struct rule_case *at)
{
    bool answers = at->state == SONDE_STATE_OPEN || at->state == SONDE_STATE_CLOSED;
    return answers && at->deciding != SONDE_OUTCOME_PORT_UNREACHABLE;
}

/* May limits be set for it: is it no control, and are the figures the network's? */
static bool is_expected_of(const struct rule_case *at)
{
    return !at->target->services[at->service].control && !at->target->lost_here;
}

void words_loss_end(const struct rule_case *at, const struct tally_service *tally, uint8_t ttl,
                    struct sonde_place *place, struct text *words)
{
    const struct sonde_addr *router = evidence_router(tally, ttl);
    *place = (struct sonde_place){ttl, *router};
    words_hop(at, words, ttl, router);
}

/* Where loss begins, as far as it can be told. */
static void say_begin(const struct rule_case *at, const struct loss_begin *begin,
                      struct finding *finding, struct text *words)
{
    if (begin->clean_ttl == 0)
        return;
    finding->has_blame = true;
    text_add(words, "; it begins behind ");
    words_loss_end(at, at->tally, begin->clean_ttl, &finding->blame.last_seen, words);
    if (begin->lossy_ttl != 0) {
        text_add(words, ", and is seen from ");
        words_loss_end(at, at->tally, begin->lossy_ttl, &finding->blame.first_lost, words);
        text_add(words, " on");
    } else {
        struct analyze_distance distance = analyze_distance(at->target, at->service);
        finding->blame.first_lost =
            (struct sonde_place){distance.confirmed ? distance.ttl : 0, at->target->tally->addr};
    }
    text_add(words, ", there or on the way back");
}

enum rule_answer rule_loss_at_destination(const struct rule_case *at, struct finding *finding)
{
    struct loss_begin begin;
    struct text words = {0};
    if (!is_answering(at) || evidence_failed(at->tally) == 0)
        return RULE_QUIET;
    if (evidence_rationed(at->tally) || evidence_lossy_flows(at->target, at->service).count > 0)
        return RULE_QUIET;
    if (!evidence_loss(at->target, at->service, &begin))
        return RULE_INCONCLUSIVE;
    words_round_trip(at, &words);
    words_deaf(at, &words);
    finding->level = SONDE_LEVEL_DEGRADED;
    finding->confidence = at->tally->sent >= 20  ? SONDE_CONFIDENCE_HIGH
                          : at->tally->sent >= 5 ? SONDE_CONFIDENCE_MEDIUM
                                                 : SONDE_CONFIDENCE_LOW;
    bool is_late = evidence_is_late(at->tally);
    if (!is_late || at->target->services[at->service].protocol == IP_PROTO_TCP)
        say_begin(at, &begin, finding, &words);
    if (finding->has_blame)
        words_there_or_back(finding);
    if (is_late) /* it may not be loss at all */
        finding->confidence = SONDE_CONFIDENCE_LOW;
    words_say(finding, &words);
    return RULE_FIRES;
}

enum rule_answer rule_loss_over_limit(const struct rule_case *at, struct finding *finding)
{
    double loss = loss_of(at->tally);
    struct text words = {0};
    bool warn = at->target->warn.loss >= 0 && loss > at->target->warn.loss;
    bool crit = at->target->crit.loss >= 0 && loss > at->target->crit.loss;
    if (!is_answering(at) || !is_expected_of(at) || (!warn && !crit))
        return RULE_QUIET;
    uint64_t unanswered = at->tally->sent - at->tally->received;
    if (evidence_rationed(at->tally))
        text_add_loss(&words, at->tally->spaced_lost, at->tally->spaced_sent);
    else if (unanswered == evidence_failed(at->tally))
        text_add_loss(&words, unanswered, at->tally->sent);
    else /* some were refused */
        text_addf(&words, "%" PRIu64 " of %" PRIu64 " not answered by the host", unanswered,
                  at->tally->sent);
    text_addf(&words, ", above the limit of %.4g%%",
              100 * (crit ? at->target->crit.loss : at->target->warn.loss));
    words_say(finding, &words);
    finding->level = crit ? SONDE_LEVEL_FAILED : SONDE_LEVEL_DEGRADED;
    return RULE_FIRES;
}

enum rule_answer rule_latency_over_limit(const struct rule_case *at, struct finding *finding)
{
    sonde_ns mean = rtt_mean(&at->tally->rtt);
    struct text words = {0};
    bool warn = at->target->warn.rtt_ns > 0 && mean > at->target->warn.rtt_ns;
    bool crit = at->target->crit.rtt_ns > 0 && mean > at->target->crit.rtt_ns;
    if (!is_expected_of(at) || (!warn && !crit))
        return RULE_QUIET;
    text_add_ms(&words, mean);
    text_add(&words, " ms on average is above the limit of ");
    text_add_ms(&words, crit ? at->target->crit.rtt_ns : at->target->warn.rtt_ns);
    text_add(&words, " ms");
    words_say(finding, &words);
    finding->level = crit ? SONDE_LEVEL_FAILED : SONDE_LEVEL_DEGRADED;
    return RULE_FIRES;
}

/* How the path of a service changed; of several flows, which change together, that of the one that
 * changed most often. */
struct ways {
    uint32_t now;                        /* how often, of late */
    uint32_t all;                        /* since the figures began */
    const struct tally_way_change *last; /* NULL: it is not known where */
};

/* The last of the new changes that are counted in what is seen. */
static const struct tally_way_change *last_change(const struct tally_service *seen,
                                                  const struct tally_service *known)
{
    const struct tally_way_change *last = NULL;
    uint32_t left = seen->path_changes;
    for (uint32_t i = 0; i < known->way_changes.count && left > 0; i++) {
        const struct tally_way_change *change = &known->way_changes.items[i];
        bool is_before = known->epochs.begins_later && change->time_ns < known->epochs.from_ns;
        if (is_before || !change->is_new)
            continue;
        last = change;
        left--;
    }
    return last;
}

static void add_ways(const struct analyze_target *target, uint32_t index, bool only_now,
                     struct ways *ways)
{
    const struct tally_service *seen = target->tally->services[index];
    const struct tally_service *known =
        target->known != NULL ? target->known->services[index] : seen;
    const struct tally_way_change *last = last_change(seen, known);
    uint32_t all = only_now ? seen->path_changes : known->path_changes;
    ways->now = seen->path_changes > ways->now ? seen->path_changes : ways->now;
    ways->all = all > ways->all ? all : ways->all;
    if (last != NULL && (ways->last == NULL || last->time_ns > ways->last->time_ns))
        ways->last = last;
}

static struct ways find_ways(const struct rule_case *at)
{
    const struct analyze_service *service = &at->target->services[at->service];
    struct ways ways = {0, 0, NULL};
    if (service->flow_count < 2 || at->target->traces == NULL) {
        add_ways(at->target, at->service, at->target->only_now, &ways);
        return ways;
    }
    for (uint32_t i = 0; i < service->flow_count; i++)
        add_ways(at->target->traces, service->first_trace + i, at->target->only_now, &ways);
    return ways;
}

/* Add when the path changed last, and where, if that is known. */
static void say_change(const struct rule_case *at, const struct tally_way_change *change,
                       const char *before, struct text *words)
{
    if (change == NULL)
        return;
    text_add(words, before);
    words_clock(at, words, change->time_ns);
    text_add(words, " at ");
    text_add_way(words, change->ttl, &change->from, &change->to, &at->target->zones);
}

/* Add how often the path changed, and the last time. A change between two probes to a hop, or one
 * that is soon taken back, is not seen; and a distance that changes may be that of one way and of
 * another, packet by packet. */
static void say_changes(const struct rule_case *at, struct text *words)
{
    const struct ways ways = find_ways(at);
    uint32_t changes = ways.all > ways.now ? ways.all : ways.now;
    if (at->tally->reach.changes > 0) {
        text_add(words, "the path changed, or packets take ways of different lengths");
        say_change(at, ways.last, ", seen last at ", words);
    } else if (changes == 1 && ways.last != NULL) {
        text_add(words, "the path changed");
        say_change(at, ways.last, " at ", words);
    } else {
        text_addf(words, "the path changed at least %" PRIu32 " time%s%s", changes,
                  changes == 1 ? "" : "s", at->target->only_now ? "" : " during the run");
        say_change(at, ways.last, ", the last seen at ", words);
    }
}

enum rule_answer rule_path_changed(const struct rule_case *at, struct finding *finding)
{
    struct text words = {0};
    if (at->tally->path_changes == 0)
        return RULE_QUIET;
    if (at->tally->received > 0) {
        words_round_trip(at, &words);
        text_add(&words, "; ");
    }
    say_changes(at, &words);
    words_say(finding, &words);
    finding->level = SONDE_LEVEL_DEGRADED;
    finding->confidence = SONDE_CONFIDENCE_MEDIUM;
    return RULE_FIRES;
}
