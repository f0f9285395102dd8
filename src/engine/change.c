/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding changes; see engine/change.h. */
#include "engine/change.h"

#include "base/time.h"

#include <math.h>

enum {
    NEWEST_MAX = 1024, /* probes that are looked at */
    ANSWERS_IN_A_ROW = 2,
    ORDERS_MIN = 45, /* in which as many of two kinds could have come: one of these is that all of
                        one came first */
    MIXED_MIN = 3,   /* probes that show another mixture, at least */
    SILENCE_BEFORE = 6, /* probes without an answer: that is how it was, and no accident */
    SILENCE_LONG = 12,  /* likewise, so that one answer does not show yet that it is over */
    LATENCY_BEFORE = 7, /* round trips before, at least */
    LATENCY_SINCE = 7,  /* and since */
    LATENCY_SINCE_MAX = 12,
    LATENCY_NEWEST = 64,        /* round trips that are looked at */
    LATENCY_ORDERS_MIN = 10000, /* as ORDERS_MIN: of long ones and short ones */
};

/* Round trips differ if by this much, and by this part. */
static const sonde_ns LATENCY_DIFFERS_NS = 3 * SONDE_NS_PER_MS;
enum { LATENCY_DIFFERS_PART = 4 };

/* Who rations answers gives one in a second, and of ICMP errors one in a few. So silence has to
 * last longer: from one probe to the last at least this. */
static const sonde_ns SILENCE_NS = 1900 * SONDE_NS_PER_MS;
static const sonde_ns ICMP_SILENCE_NS = 5 * SONDE_NS_PER_S;

/* The newest probes that say something, and how often which outcome came before. Probes that show
 * no share are left out, unless only the kinds of answers are asked for. */
struct newest {
    const struct epoch *at[NEWEST_MAX];
    uint32_t index[NEWEST_MAX]; /* among all */
    uint32_t count;
    const struct change_past *past;
};

/* Does a probe not show how often anything comes? Of an answer without a name nobody knows which it
 * answers; who rations his answers shows what he does only where he is asked slowly. */
static bool shows_no_share(const struct epoch *epoch)
{
    return epoch->limited || epoch->uncertain || (epoch->rationed && !epoch->spaced);
}

/* A question that was never answered, though another was: the server is deaf to it. */
static bool is_deaf(const struct epoch *epochs, uint32_t count, uint8_t question)
{
    bool another = false;
    for (uint32_t i = 0; i < count; i++) {
        if (epochs[i].is_target && epochs[i].question == question)
            return false;
        another |= epochs[i].is_target;
    }
    return another;
}

/* @param kinds_only  Which kinds of answers there are is asked, and not how often they come. */
static void take_newest(struct newest *newest, const struct epoch *epochs, uint32_t count,
                        bool kinds_only)
{
    for (uint32_t i = count > NEWEST_MAX ? count - NEWEST_MAX : 0; i < count; i++) {
        const struct epoch *epoch = &epochs[i];
        if ((!kinds_only && shows_no_share(epoch)) ||
            (epoch->outcome == SONDE_OUTCOME_NO_REPLY && epoch->question != epochs[0].question &&
             is_deaf(epochs, count, epoch->question)))
            continue;
        newest->index[newest->count] = i;
        newest->at[newest->count++] = epoch;
    }
}

/* What probes came to: an outcome, or one of several. */
enum { ENDS_UNSERVED = SONDE_OUTCOME_COUNT, ENDS_COUNT };

/* Did a probe not get to who was asked: was nothing heard, or that it goes no farther? Who rations
 * his refusals makes both of the same. */
static bool is_unserved(unsigned outcome)
{
    return outcome == SONDE_OUTCOME_NO_REPLY || (outcome >= SONDE_OUTCOME_ADMIN_PROHIBITED &&
                                                 outcome <= SONDE_OUTCOME_OTHER_UNREACHABLE);
}

static bool is_end(unsigned outcome, unsigned end)
{
    return end == ENDS_UNSERVED ? is_unserved(outcome) : outcome == end;
}

/* How often probes ended so before one of the newest. */
static uint64_t count_before(const struct newest *newest, uint32_t at, unsigned end)
{
    uint64_t count = 0;
    for (unsigned outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++)
        count += is_end(outcome, end) ? newest->past->ended[outcome] : 0;
    for (uint32_t i = 0; i < at; i++)
        count += is_end(newest->at[i]->outcome, end);
    return count;
}

/* In how many orders could so many of two kinds have come? */
static double orders(uint64_t before, uint64_t since)
{
    double count = 1;
    for (uint64_t i = 1; i <= since; i++)
        count *= (double)(before + i) / (double)i;
    return count;
}

/* Was something there before one of the newest: answers, or so much silence? */
static bool was_there_before(const struct newest *newest, uint32_t at, unsigned silence)
{
    for (unsigned outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++) {
        uint64_t before = count_before(newest, at, outcome);
        if (before >= (outcome == SONDE_OUTCOME_NO_REPLY ? silence : (unsigned)ANSWERS_IN_A_ROW))
            return true;
    }
    return false;
}

/* Likewise, so that it is known: not if what came since might as well have come between. */
static bool was_known_before(const struct newest *newest, uint32_t at)
{
    uint64_t all = 0;
    unsigned own = SONDE_OUTCOME_SEND_ERROR; /* what this machine says itself is no chance */
    if (newest->at[at]->outcome == own ||
        (at >= ANSWERS_IN_A_ROW && newest->at[at - 1]->outcome == own &&
         newest->at[at - 2]->outcome == own))
        return at > 0;
    for (unsigned outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++)
        all += count_before(newest, at, outcome);
    return orders(all, newest->count - at) >= ORDERS_MIN &&
           was_there_before(newest, at, SILENCE_BEFORE);
}

/* @return The first of the last answers in a row that are of a kind that was not there before; the
 * number of all: there is none. */
static uint32_t begin_kind(const struct newest *newest)
{
    uint32_t first = newest->count;
    unsigned outcome =
        newest->count > 0 ? newest->at[newest->count - 1]->outcome : SONDE_OUTCOME_NO_REPLY;
    while (first > 0 && newest->at[first - 1]->outcome == outcome)
        first--;
    bool is_new = outcome != SONDE_OUTCOME_NO_REPLY && count_before(newest, first, outcome) == 0;
    return is_new ? first : newest->count;
}

static struct change find_answer(const struct newest *newest)
{
    uint32_t first = begin_kind(newest);
    if (newest->count - first < ANSWERS_IN_A_ROW || !was_known_before(newest, first))
        return (struct change){CHANGE_NONE, 0};
    return (struct change){CHANGE_ANSWER, newest->index[first]};
}

/* So many of all. */
struct share {
    double hits;
    double all;
};

static bool is_mixed(struct share share)
{
    return share.hits > 0 && share.hits < share.all;
}

/* The logarithm of the likelihood of so many of all, at the rate that makes it largest. */
static double likelihood(struct share share)
{
    double misses = share.all - share.hits;
    return (share.hits > 0 ? share.hits * log(share.hits / share.all) : 0) +
           (misses > 0 ? misses * log(misses / share.all) : 0);
}

/* What the ratio's logarithm has to exceed for a change, after so many probes. Three in a row after
 * n others reach log(0.74 n^3): the bound stays just below that from 20 on, and ends where even in
 * the probes of a year chance hardly gets there. Where not all were alike before, or not all are
 * since, there are more ways for chance to get there. */
static double bound(uint64_t probes, bool is_mixed)
{
    static const double at_first = 1200, from_20 = 5600, most = 1e9, more_if_mixed = 20;
    double n = (double)probes;
    double ratio = n < 20 ? at_first + (from_20 - at_first) * n / 20 : from_20 * pow(n / 20, 3);
    return log(ratio < most ? ratio : most) + (is_mixed ? log(more_if_mixed) : 0);
}

static bool is_icmp_error(unsigned outcome)
{
    return outcome >= SONDE_OUTCOME_PORT_UNREACHABLE && outcome <= SONDE_OUTCOME_OTHER_UNREACHABLE;
}

/* Were all answers before one of the newest ICMP errors? */
static bool were_icmp_errors(const struct newest *newest, uint32_t at)
{
    for (unsigned outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++) {
        if (!is_icmp_error(outcome) && outcome != SONDE_OUTCOME_NO_REPLY &&
            count_before(newest, at, outcome) > 0)
            return false;
    }
    return true;
}

/* @return The first of the last silent probes; the number of all: the last was answered. */
static uint32_t begin_silence(const struct newest *newest)
{
    uint32_t first = newest->count;
    while (first > 0 && newest->at[first - 1]->outcome == SONDE_OUTCOME_NO_REPLY)
        first--;
    return first;
}

/* May the silence that there is now be that of who rations answers, since it has not lasted? */
static bool may_be_ration(const struct newest *newest)
{
    uint32_t first = begin_silence(newest);
    if (first == newest->count)
        return false;
    sonde_ns lasts = ns_sub(newest->at[newest->count - 1]->sent_ns, newest->at[first]->sent_ns);
    return lasts < (were_icmp_errors(newest, first) ? ICMP_SILENCE_NS : SILENCE_NS);
}

static bool is_silent_at(const struct newest *newest, uint32_t at)
{
    return newest->at[at]->outcome == SONDE_OUTCOME_NO_REPLY;
}

/* How many in a row were silent, or answered, at most, before one of the newest. */
static struct change_rows find_longest(const struct newest *newest, uint32_t until)
{
    struct change_rows longest = newest->past->longest;
    struct change_rows row = {0, 0};
    for (uint32_t i = 0; i < until; i++) {
        row = is_silent_at(newest, i) ? (struct change_rows){row.silent + 1, 0}
                                      : (struct change_rows){0, row.answered + 1};
        longest.silent = row.silent > longest.silent ? row.silent : longest.silent;
        longest.answered = row.answered > longest.answered ? row.answered : longest.answered;
    }
    return longest;
}

/* Is a row of silent probes longer than chance explains, where so many of all were? */
static bool are_bursts(struct share silent, uint32_t longest)
{
    static const double doubt = 0.01;
    return longest >= MIXED_MIN && is_mixed(silent) &&
           silent.all * pow(silent.hits / silent.all, longest) < doubt;
}

/* Where loss comes in bursts: may what came since a probe be one, or what is between two? */
static bool may_be_burst(const struct newest *newest, uint32_t at)
{
    struct change_rows longest = find_longest(newest, at);
    struct share silent = {(double)count_before(newest, at, SONDE_OUTCOME_NO_REPLY), at};
    for (unsigned i = 0; i < SONDE_OUTCOME_COUNT; i++)
        silent.all += (double)newest->past->ended[i];
    if (!are_bursts(silent, longest.silent))
        return false;
    uint32_t since = newest->count - at;
    for (uint32_t i = at; i < newest->count; i++) {
        if (is_silent_at(newest, i) != is_silent_at(newest, at))
            return true;
    }
    return since <= 2 * (is_silent_at(newest, at) ? longest.silent : longest.answered);
}

/* Did somebody refuse before one of the newest, and since? How often he does is then up to him, who
 * rations it. */
static bool is_refused_throughout(const struct newest *newest, uint32_t at)
{
    uint64_t before =
        count_before(newest, at, ENDS_UNSERVED) - count_before(newest, at, SONDE_OUTCOME_NO_REPLY);
    uint64_t all = count_before(newest, newest->count, ENDS_UNSERVED) -
                   count_before(newest, newest->count, SONDE_OUTCOME_NO_REPLY);
    return before > 0 && all > before;
}

/* How well a moment is suited to be that of a change. */
enum fit {
    FIT_NONE,
    FIT_LIKELY,       /* it is likely enough */
    FIT_CLEAN_BEFORE, /* and all were alike before */
    FIT_CLEAN_SINCE,  /* and all are alike since */
};

/* Look whether probes ended so more often or less often since some moment: the likeliest of those
 * that are suited best; of those before which all were alike, the first. */
static struct change find_mixture_of(const struct newest *newest, unsigned end)
{
    struct change change = {CHANGE_NONE, 0};
    struct share whole = {(double)count_before(newest, newest->count, end), newest->count};
    struct share since = {0, 0};
    enum fit best_fit = FIT_NONE;
    double best = 0;
    for (unsigned i = 0; i < SONDE_OUTCOME_COUNT; i++)
        whole.all += (double)newest->past->ended[i];
    for (uint32_t at = newest->count; at-- > 1;) {
        bool is_hit = is_end(newest->at[at]->outcome, end);
        since.all++;
        since.hits += is_hit;
        struct share before = {whole.hits - since.hits, whole.all - since.all};
        if (since.all < MIXED_MIN || before.all < MIXED_MIN ||
            is_end(newest->at[at - 1]->outcome, end) == is_hit)
            continue; /* the likeliest moment is where that turns */
        double ratio = likelihood(before) + likelihood(since) - likelihood(whole);
        uint64_t probes_before = newest->past->probes - (newest->count - at);
        if (ratio <= bound(probes_before, is_mixed(before) || is_mixed(since)) ||
            may_be_burst(newest, at) || (is_unserved(end) && is_refused_throughout(newest, at)))
            continue;
        enum fit fit = !is_mixed(since)    ? FIT_CLEAN_SINCE
                       : !is_mixed(before) ? FIT_CLEAN_BEFORE
                                           : FIT_LIKELY;
        if (fit < best_fit || (fit == best_fit && ratio <= best && fit != FIT_CLEAN_BEFORE))
            continue;
        best_fit = fit;
        best = ratio;
        change = (struct change){CHANGE_MIXTURE, newest->index[at]};
    }
    return change;
}

static struct change find_mixture(const struct newest *newest)
{
    uint64_t hits[ENDS_COUNT] = {0};
    if (may_be_ration(newest))
        return (struct change){CHANGE_NONE, 0};
    for (uint32_t i = 0; i < newest->count; i++)
        hits[newest->at[i]->outcome]++;
    for (unsigned outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++)
        hits[ENDS_UNSERVED] += is_unserved(outcome) ? hits[outcome] : 0;
    for (unsigned end = ENDS_COUNT; end-- > 0;) {
        struct change change = {CHANGE_NONE, 0};
        if (hits[end] > 0 && count_before(newest, newest->count, end) < newest->past->probes)
            change = find_mixture_of(newest, end);
        if (change.kind != CHANGE_NONE)
            return change;
    }
    return (struct change){CHANGE_NONE, 0};
}

/* Is one round trip longer than another by enough to be told from it? */
static bool is_longer(sonde_ns rtt, sonde_ns than)
{
    return ns_sub(rtt, than) > ns_max(LATENCY_DIFFERS_NS, than / LATENCY_DIFFERS_PART);
}

/* Are round trips from @p low to @p high all longer than those before, or all shorter: than at
 * least half of them by enough to be told, and than all but one in twenty at all? */
static bool differs(const sonde_ns *before, uint32_t count, sonde_ns low, sonde_ns high)
{
    uint32_t longer = 0;
    uint32_t shorter = 0;
    uint32_t not_longer = 0;
    uint32_t not_shorter = 0;
    for (uint32_t i = 0; i < count; i++) {
        longer += is_longer(low, before[i]);
        shorter += is_longer(before[i], high);
        not_longer += low <= before[i];
        not_shorter += high >= before[i];
    }
    return (2 * longer > count && not_longer <= count / 20) ||
           (2 * shorter > count && not_shorter <= count / 20);
}

static struct change find_latency(const struct newest *newest)
{
    sonde_ns rtts[LATENCY_NEWEST];
    uint32_t index[LATENCY_NEWEST];
    uint32_t count = 0;
    uint32_t first = newest->count > LATENCY_NEWEST ? newest->count - LATENCY_NEWEST : 0;
    for (uint32_t i = first; i < newest->count; i++) {
        if (newest->at[i]->is_target && newest->at[i]->rtt_ns >= 0) {
            index[count] = newest->index[i];
            rtts[count++] = newest->at[i]->rtt_ns;
        }
    }
    sonde_ns low = SONDE_NS_NEVER;
    sonde_ns high = 0;
    for (uint32_t since = 1; since <= LATENCY_SINCE_MAX && since + LATENCY_BEFORE <= count;
         since++) {
        uint32_t before = count - since;
        low = ns_min(low, rtts[before]);
        high = ns_max(high, rtts[before]);
        if (since >= LATENCY_SINCE && differs(rtts, before, low, high) &&
            orders(before, since) >= LATENCY_ORDERS_MIN)
            return (struct change){CHANGE_LATENCY, index[before]};
    }
    return (struct change){CHANGE_NONE, 0};
}

/* Who rations his refusals has none left for some; who looks for the host first says so late. What
 * was unserved behind answers belongs to what is since, if it did not last, or was too little to be
 * told by itself. If nothing was answered, and that did not last, there was no change. */
static struct change begin_unserved(const struct epoch *epochs, struct change change,
                                    const struct change_past *past)
{
    uint32_t first = change.first;
    uint32_t begin = first;
    uint64_t before = 0;
    uint64_t lost = past->ended[SONDE_OUTCOME_NO_REPLY];
    if (!is_unserved(epochs[first].outcome))
        return change;
    while (begin > 0 && is_unserved(epochs[begin - 1].outcome))
        begin--;
    for (unsigned outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++)
        before += past->ended[outcome];
    for (uint32_t i = 0; i < begin; i++)
        lost += epochs[i].outcome == SONDE_OUTCOME_NO_REPLY;
    bool is_short = ns_sub(epochs[first].sent_ns, epochs[begin].sent_ns) < ICMP_SILENCE_NS;
    bool are_few = first - begin < MIXED_MIN && lost == 0;
    if (begin == 0 && before == 0 && is_short)
        return (struct change){CHANGE_NONE, 0};
    if (begin > 0 && (is_short || are_few))
        change.first = begin;
    return change;
}

struct change change_find(const struct epoch *epochs, uint32_t count, uint32_t whole,
                          const struct change_past *past)
{
    struct newest newest = {.count = 0, .past = past};
    take_newest(&newest, epochs, count, true);
    struct change change = find_answer(&newest);
    if (change.kind != CHANGE_NONE)
        return begin_unserved(epochs, change, past);
    newest.count = 0;
    take_newest(&newest, epochs, whole, false);
    change = find_mixture(&newest);
    if (change.kind == CHANGE_NONE)
        change = find_latency(&newest);
    /* what counts for no share is told with what it is like */
    while (change.kind == CHANGE_MIXTURE && change.first > 0 &&
           shows_no_share(&epochs[change.first - 1]) &&
           epochs[change.first - 1].outcome == epochs[change.first].outcome)
        change.first--;
    return change.kind == CHANGE_MIXTURE ? begin_unserved(epochs, change, past) : change;
}

uint32_t change_first_sign(const struct epoch *epochs, uint32_t count,
                           const struct change_past *past)
{
    struct newest newest = {.count = 0, .past = past};
    take_newest(&newest, epochs, count, true);
    uint32_t first = begin_kind(&newest);
    bool is_once = newest.count - first == 1;
    return is_once && was_there_before(&newest, first, SILENCE_LONG) ? newest.index[first] : count;
}
