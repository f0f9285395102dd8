/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the tally share. */
#ifndef ENGINE_TALLY_PARTS_H
#define ENGINE_TALLY_PARTS_H

#include "engine/tally.h"

/* tally.c */

/** Count what became of a full-TTL probe. */
void tally_count(struct tally_service *service, const struct epoch *epoch);

/** Count a late answer. @param is_own  The target's own, to a full-TTL probe. */
void tally_count_late(struct tally_service *service, bool is_own, sonde_ns rtt_ns);

/**
 * Let a service reach as far as its flows do, and lose what they lose. Flows may go ways of
 * different lengths, so records of several say nothing of how far each reaches, nor of changes. Nor
 * do they say which questions a server is deaf to: each flow is asked its own.
 */
void tally_join_flows(struct tally_service *service, struct tally_service *const *flows,
                      uint32_t count);

/* tally_targets.c */

/** @return The flows of a service, [*ret_count]. */
struct tally_service *const *tally_flows_of(const struct tally_target *target, uint32_t service,
                                            uint32_t *ret_count);

/* tally_epochs.c */

/** Free what epochs hold. */
void epochs_deinit(struct tally_epochs *epochs);

/** @return true if what is shown now had begun when a probe left. */
static inline bool epochs_has(const struct tally_epochs *epochs, sonde_ns sent_ns)
{
    return !epochs->begins_later || sent_ns >= epochs->from_ns;
}

/** @return Likewise for a probe that was to expire on the way. */
static inline bool epochs_has_limited(const struct tally_epochs *epochs, sonde_ns sent_ns)
{
    return !epochs->begins_later || sent_ns >= epochs->limited_from_ns;
}

/** Add what became of a full-TTL probe. @return false if memory ran out: then it is left out. */
SONDE_MUST_CHECK bool epochs_add(struct tally_epochs *epochs, const struct epoch *epoch);

/** Note that the target's answer to a full-TTL probe came late. @param sent_ns  When that left. */
void epochs_on_late(struct tally_epochs *epochs, sonde_ns sent_ns, sonde_ns rtt_ns);

/**
 * Look for a change, if none is waiting to be taken. It is found once all has ended that left just
 * before and just behind its first probe: that may belong to it, or show that it is none.
 * @param ended_ns  What left before this time has ended.
 */
void epochs_look(struct tally_epochs *epochs, sonde_ns ended_ns);

/** @return Until when what left before a time shows something: not the last probe, if its answer
 * may be the first of a change. SONDE_NS_NEVER: all does. */
sonde_ns epochs_shown_until(const struct tally_epochs *epochs, sonde_ns until_ns);

/** Let what is shown now begin with the probes that left then or later. */
void epochs_begin_at(struct tally_epochs *epochs, sonde_ns from_ns);

#endif
