/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The history of a service: what it showed, from when to when.
 *
 * Its life is divided into episodes: stretches of time through which it showed the same. A change
 * (engine/change.h) ends one and begins the next. Each keeps what it came to, by the evidence of
 * its own time.
 *
 *     open ── change ──▶ past, and a new one is open
 *       │
 *       └─── the fifth change within ten minutes ──▶ unstable: what changed to and fro is one
 *            episode. It goes on with each change that comes within ten minutes after the one
 *            before, and has ended with the last of them.
 *
 * Only changes of state and loss count for that; round trips may shift as they like.
 */
#ifndef ANALYZE_HISTORY_H
#define ANALYZE_HISTORY_H

#include "engine/tally.h"

#include <sonde/snapshot.h>

enum {
    HISTORY_EPISODES_MAX = 63,    /* of the past that are kept; older ones are only counted */
    HISTORY_CHANGES_UNSTABLE = 5, /* within HISTORY_UNSTABLE_NS: failing a third time */
};
static const sonde_ns HISTORY_UNSTABLE_NS = 600 * SONDE_NS_PER_S;

/** A stretch of time through which a service showed the same. */
struct episode {
    bool from_start;  /* it has been so since the figures began */
    sonde_ns from_ns; /* or else, when the first probe left that shows it */
    sonde_ns to_ns; /* when the first left that shows something else; SONDE_NS_NEVER: it goes on */
    enum sonde_state state;
    enum sonde_code code;
    enum sonde_level level;
    char *text; /* NULL: memory ran out; owned, but by the one that goes on */
    bool has_blame;
    struct sonde_blame blame;
    uint64_t sent; /* as of a service */
    uint64_t received;
    struct sonde_rtt rtt; /* of a long one, of its last part; see engine/tally.h */
    uint32_t changes;     /* within it, if it is unstable; 0: it is not */
};

/** @return Its code: one that changes to and fro keeps that of the worst in it, and is unstable. */
static inline enum sonde_code episode_code(const struct episode *episode)
{
    return episode->changes > 0 ? SONDE_CODE_UNSTABLE : episode->code;
}

/** {0} is that nothing has changed since the figures began. */
struct history {
    struct episode *past; /* [count], the oldest first; owned */
    uint32_t count;
    uint64_t omitted;        /* older ones */
    struct episode unstable; /* changes is 0: there is none; or else it stands between the past and
                                what came last */
    bool has_begun_later;    /* what came last began with a change, at from_ns */
    sonde_ns from_ns;
    enum change_kind began; /* with which */
    sonde_ns rtt_before_ns; /* what round trips took before, by their median; -1: unknown */
    uint64_t sent_before;   /* what the figures were then */
    uint64_t received_before;
    sonde_ns changes_ns[HISTORY_CHANGES_UNSTABLE]; /* the last changes of state or loss, the newest
                                                      first */
    uint32_t change_count;                         /* of these */
};

/** Free what a history holds, and forget it all. */
void history_deinit(struct history *history);

/**
 * End what came last, and begin the next.
 * @param ended      What came last came to; its text is taken over. Its members to_ns, from_ns,
 *                   from_start, sent and received are filled in here.
 * @param at_ns      When the first probe left that shows something else.
 * @param change     How it begins.
 * @param sent       The figures of the service then, since they began.
 * @param received   Likewise.
 */
void history_change(struct history *history, struct episode *ended, sonde_ns at_ns,
                    enum change_kind change, uint64_t sent, uint64_t received);

/** Count a probe that ended after the episode in which it left. @param sent_ns  When it left:
 * before what came last began. @param received  The target answered it. */
void history_count_late(struct history *history, sonde_ns sent_ns, bool received);

/** @return true if what changed to and fro goes on. */
bool history_is_unstable(const struct history *history, sonde_ns now_ns);

/** @return The last episode that was unstable, or is; NULL: none was. */
const struct episode *history_unstable(const struct history *history);

/** @return How many episodes of the past there are, with the unstable one if that has ended. */
uint32_t history_count(const struct history *history, sonde_ns now_ns);

/** @return One of these: 0 is the oldest. */
const struct episode *history_at(const struct history *history, uint32_t index);

/**
 * Fill in when the episode began that goes on, and take from its figures what was before. If it is
 * unstable, its level and changes are filled in, too.
 * @param open  What it comes to; sent and received are those of the service.
 * @return How many episodes were before it: it may be the same as the last of the past.
 */
uint32_t history_open(const struct history *history, sonde_ns now_ns, struct episode *open);

#endif
