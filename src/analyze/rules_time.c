/* SPDX-License-Identifier: BSD-2-Clause */
/* What was wrong with a service before, and what has changed. */
#include "analyze/rules.h"
#include "base/time.h"
#include "wire/ip.h"

#include <inttypes.h>

static const struct history *history_of(const struct rule_case *at)
{
    return at->target->services[at->service].history;
}

/* The last episode of the past that was a failure, and how many there were; NULL: none was. */
static const struct episode *find_outage(const struct history *history, sonde_ns now_ns,
                                         uint32_t *ret_count)
{
    const struct episode *last = NULL;
    *ret_count = 0;
    for (uint32_t i = 0; i < history_count(history, now_ns); i++) {
        const struct episode *episode = history_at(history, i);
        if (episode->level != SONDE_LEVEL_FAILED || episode->changes > 0)
            continue; /* what was unstable is told as such */
        last = episode;
        (*ret_count)++;
    }
    return last;
}

/* Add what it is like now, unless that is told otherwise. */
static void say_now(const struct rule_case *at, struct text *words)
{
    if (at->wanted->text[0] != '\0')
        words_wanted(at, words);
    else if (at->tally->received > 0)
        words_round_trip(at, words);
    text_add(words, words->len > 0 ? "; " : "");
}

static const char *state_name(const struct rule_case *at, enum sonde_state state)
{
    if (state == SONDE_STATE_OPEN && at->target->services[at->service].protocol == IP_PROTO_ICMP)
        return "up";
    return sonde_state_name(state);
}

enum rule_answer rule_outage(const struct rule_case *at, struct finding *finding)
{
    const struct history *history = history_of(at);
    struct text words = {0};
    uint32_t count = 0;
    if (history == NULL || at->target->only_now || at->state == SONDE_STATE_UNKNOWN)
        return RULE_QUIET;
    const struct episode *last = find_outage(history, at->target->now_ns, &count);
    if (last == NULL)
        return RULE_QUIET;
    say_now(at, &words);
    if (count > 1)
        text_addf(&words,
                  "%s%" PRIu32 " outages, the last: ", history->omitted > 0 ? "at least " : "",
                  count);
    text_add(&words, state_name(at, last->state));
    if (!last->from_start) {
        text_add(&words, " from ");
        words_clock(at, &words, last->from_ns);
    }
    text_add(&words, last->from_start ? " until " : " to ");
    words_clock(at, &words, last->to_ns);
    if (!last->from_start) {
        text_add(&words, " (");
        text_add_span(&words, ns_sub(last->to_ns, last->from_ns));
        text_add(&words, ")");
    }
    words_say(finding, &words);
    finding->has_blame = last->has_blame;
    finding->blame = last->blame;
    finding->level = SONDE_LEVEL_DEGRADED;
    return RULE_FIRES;
}

enum rule_answer rule_unstable(const struct rule_case *at, struct finding *finding)
{
    const struct history *history = history_of(at);
    struct text words = {0};
    if (history == NULL || at->target->only_now)
        return RULE_QUIET;
    const struct episode *unstable = history_unstable(history);
    if (unstable == NULL)
        return RULE_QUIET;
    say_now(at, &words);
    text_addf(&words, "changed %" PRIu32 " times from ", unstable->changes);
    words_clock(at, &words, unstable->from_ns);
    text_add(&words, " to ");
    words_clock(at, &words, unstable->to_ns);
    text_addf(&words, ", to %s and back", state_name(at, unstable->state));
    words_say(finding, &words);
    finding->has_blame = unstable->has_blame;
    finding->blame = unstable->blame;
    finding->level = SONDE_LEVEL_DEGRADED;
    return RULE_FIRES;
}

enum rule_answer rule_latency_changed(const struct rule_case *at, struct finding *finding)
{
    const struct history *history = history_of(at);
    struct text words = {0};
    sonde_ns median = rtt_percentile(&at->tally->rtt, 50);
    if (history == NULL || history->began != CHANGE_LATENCY || history->rtt_before_ns < 0 ||
        median <= history->rtt_before_ns)
        return RULE_QUIET;                                  /* to get faster is nothing wrong */
    if (history_is_unstable(history, at->target->now_ns)) { /* which began before */
        text_add(&words, "since ");
        words_clock(at, &words, history->from_ns);
        text_add(&words, ": ");
    }
    text_add_ms(&words, median);
    text_add(&words, " ms, before ");
    text_add_ms(&words, history->rtt_before_ns);
    text_add(&words, " ms; ");
    words_loss(at, &words);
    words_say(finding, &words);
    finding->level = SONDE_LEVEL_DEGRADED;
    finding->confidence = SONDE_CONFIDENCE_MEDIUM;
    return RULE_FIRES;
}
