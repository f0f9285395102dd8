/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shown: what the answers to a trace show now.
 *
 * An answer of another kind than those before may be an exception, so both are believed; two in a
 * row are what the service does now, and all else is forgotten. What the tally knows is of the
 * whole run: a port that was open a day ago is no reason to ask a closed one as if it were.
 */
#ifndef ENGINE_SHOWN_H
#define ENGINE_SHOWN_H

#include <assert.h>
#include <sonde/vocabulary.h>
#include <stdbool.h>
#include <stdint.h>

static_assert(SONDE_OUTCOME_COUNT <= 32, "a set has a bit for each outcome");

/** {0} is "nothing was answered". */
struct shown {
    uint32_t kinds; /* a bit for each outcome */
    uint8_t last;   /* the outcome of the last answer, if there was any */
};

/** Note an answer of the target, or of who refuses in its place. */
static inline void shown_note(struct shown *shown, enum sonde_outcome outcome)
{
    uint32_t kind = UINT32_C(1) << outcome;
    bool again = shown->kinds != 0 && shown->last == (uint8_t)outcome;
    shown->kinds = again ? kind : shown->kinds | kind;
    shown->last = (uint8_t)outcome;
}

/** @return true if answers of this kind are what comes now. */
static inline bool shown_has(const struct shown *shown, enum sonde_outcome outcome)
{
    return (shown->kinds >> outcome & 1) != 0;
}

/* The bits of a row of outcomes. */
static inline uint32_t shown_row(enum sonde_outcome first, enum sonde_outcome last)
{
    return (UINT32_C(2) << last) - (UINT32_C(1) << first);
}

/** @return true if something in the target's name answers, and not only somebody who refuses on the
 *  way. */
static inline bool shown_is_answered(const struct shown *shown)
{
    return (shown->kinds & shown_row(SONDE_OUTCOME_ECHO_REPLY, SONDE_OUTCOME_PORT_UNREACHABLE)) !=
           0;
}

/** @return true if somebody refuses by an ICMP error other than that of a closed port. */
static inline bool shown_is_refused(const struct shown *shown)
{
    return (shown->kinds &
            shown_row(SONDE_OUTCOME_ADMIN_PROHIBITED, SONDE_OUTCOME_OTHER_UNREACHABLE)) != 0;
}

#endif
