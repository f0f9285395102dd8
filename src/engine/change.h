/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Change: do the newest probes of a service show something else than those before?
 *
 * Three things are looked for.
 *
 * An answer of a kind that was not there before, twice in a row: no chance brings that.
 *
 * Another mixture of what was there before: more silence or less, more refusals or less. Chance may
 * bring that, so it has to be too unlikely. Take any moment, and count how often an outcome came
 * before it and since. One rate for all, or two: the ratio of their likelihoods says how much
 * better two explain it than one (the sequential test of a generalized likelihood ratio; G. Lorden,
 * Annals of Mathematical Statistics 42 (1971) 1897-1908). How large it must be grows with the
 * number of probes, so that in a run of whatever length a change is seldom found where is none.
 *
 *     silent in a row, after     3 answers   5   10   20 or more, none lost
 *     for a change                       10   7    4    3
 *
 * Loss may come in bursts. Then silence is no change before it has lasted twice as long as any
 * before.
 *
 * Another round trip: several in a row that are all longer, or all shorter, than nearly all before.
 */
#ifndef ENGINE_CHANGE_H
#define ENGINE_CHANGE_H

#include "engine/epoch.h"

enum change_kind {
    CHANGE_NONE,
    CHANGE_ANSWER,  /* another kind of answer came */
    CHANGE_MIXTURE, /* the same came, but more often or less often */
    CHANGE_LATENCY, /* the round trip became another */
};

/** Where something changed. */
struct change {
    enum change_kind kind;
    uint32_t first; /* index of the first probe that shows it */
};

/** What came before the newest probes, since the last change. */
struct change_past {
    uint64_t ended[SONDE_OUTCOME_COUNT]; /* probes by their outcomes, as far as they are counted */
    uint64_t probes;                     /* all there ever were since, the newest ones, too */
    struct change_rows {                 /* probes in a row, at most */
        uint32_t silent;                 /* that nobody answered */
        uint32_t answered;               /* that somebody did */
    } longest;
};

/**
 * Look for a change.
 * @param epochs  [count] The newest probes, in the order in which they left.
 * @param whole   Of these, before whom all have ended that left. How often anything comes is not
 *                looked for behind them: of those, the ones that are answered are known sooner.
 * @return What changed, or CHANGE_NONE.
 */
struct change change_find(const struct epoch *epochs, uint32_t count, uint32_t whole,
                          const struct change_past *past);

/**
 * Look for an answer that may be the first of a change: of a kind that was not there before, once,
 * behind what was there for long. Until another follows, it shows nothing of what is now.
 * @return Its index; @p count if there is none.
 */
uint32_t change_first_sign(const struct epoch *epochs, uint32_t count,
                           const struct change_past *past);

#endif
