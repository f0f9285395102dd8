/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Credit: an arrival is the answer to this probe. What follows?
 *
 *     the probe is    the arrival is                      what follows
 *     flying          the first answer                    the probe ends, answered
 *     flying          a server's repetition of it         the probe ends, lost; the answer was late
 *     flying          a refusal by this machine           the probe ends as one that never left
 *     given up        the first answer                    counted as late
 *     answered        another                             counted as a duplicate, unless the server
 *                                                         repeats itself
 *     ended           a refusal by this machine           nothing: that is known already
 *
 * An answer to a probe that was given up very long ago changes nothing, and is counted as that.
 */
#ifndef ENGINE_CREDIT_H
#define ENGINE_CREDIT_H

#include "engine/state.h"

/* A network that doubles packets delivers both at about the same time: for so long, the same answer
 * again is not the answer to the next probe. */
static const sonde_ns CREDIT_QUIET_NS = 20 * SONDE_NS_PER_MS;

/* A server repeats its SYN-ACK, because the first or the reset that ends the handshake was lost,
 * after a second and never earlier (RFC 6298 §2.1). What a network doubles comes at once, and what
 * is slow comes late at other times, too. */
static const sonde_ns CREDIT_REPETITION_NS = 950 * SONDE_NS_PER_MS;

/** @return true if a probe may have arrived at the target, as far as the routers tell that its
 * trace has met. */
bool credit_may_arrive(const struct engine_trace *trace, const struct flight *flight);

/** @return true if an answer that names no probe may be what this machine's firewall says of one
 *  that it did not let out. Sending has told that already. */
bool credit_is_known_refusal(const struct engine_trace *trace, const struct sonde_rx *rx,
                             const struct sonde_match *match);

/**
 * Credit a probe with an arrival, for the first time or again.
 * @param index      The probe's flight, which has left, and flies or is kept.
 * @param uncertain  The arrival may as well be the answer to another probe of the trace: then it
 *                   has no round trip.
 */
void credit_answer(struct engine *engine, uint32_t index, const struct sonde_rx *rx,
                   const struct sonde_match *match, bool uncertain);

#endif
