/* SPDX-License-Identifier: BSD-2-Clause */
/* How a probe ends: its record is made, folded into the tally, and held for whoever takes it. */
#ifndef ENGINE_FINISH_H
#define ENGINE_FINISH_H

#include "engine/state.h"

/** End a flying probe. @param event  Its members outcome, from, rtt_ns, received_clock, reply_ttl,
 *  icmp_type, icmp_code, mtu_bytes, error, ext and uncertain; the rest is filled in here. */
void finish_flight(struct engine *engine, uint32_t index, struct sonde_event *event, sonde_ns now);

/** End a probe that could not be sent. */
void finish_unsent(struct engine *engine, uint32_t index, const struct sonde_sent *sent);

/** End a flying probe that is waited for no longer. Where silence shows nothing, because the host
 *  rations its refusals and has been asked too much, it ends as one that was not awaited. */
void finish_unanswered(struct engine *engine, uint32_t index, sonde_ns now);

/** Forget a flying probe of which nobody knows whether it would have been answered. */
void finish_unawaited(struct engine *engine, uint32_t index);

/** Record another answer to a probe that has ended. */
void finish_again(struct engine *engine, uint32_t index, enum sonde_event_type type,
                  struct sonde_event *event);

/** @return Places for events that are free. */
static inline uint32_t events_free(const struct engine *engine)
{
    return ENGINE_EVENTS - engine->event_count;
}

#endif
