/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attribution: which probe of a trace does an arrival answer?
 *
 *     the arrival                                       goes to
 *     names its probe                                   that probe
 *     is an answer, and names its attempt or nothing    the probe that has the claim on answers to
 *                                                       that attempt (engine/claim.h)
 *     is an error, and names its attempt or nothing     the only probe in flight that it may be
 * about
 *
 * Where several probes may have drawn it, it is credited without a round trip, as long as it is
 * certain that one of them did; otherwise it is counted as ambiguous, and changes nothing.
 */
#ifndef ENGINE_ATTRIBUTE_H
#define ENGINE_ATTRIBUTE_H

#include "engine/state.h"

/** Credit the probe that an arrival names. @return false if it is not to that: there never was such
 *  a probe, it was part of another attempt, or carried another question. Then nothing was done. */
SONDE_MUST_CHECK bool attribute_named(struct engine *engine, const struct engine_trace *trace,
                                      const struct sonde_rx *rx, const struct sonde_match *match);

/** Credit the probe that has the claim on an answer of the target which does not name its probe. */
void attribute_answer(struct engine *engine, struct engine_trace *trace, const struct sonde_rx *rx,
                      const struct sonde_match *match);

/** Credit the only probe that an error may be about which does not name its probe. */
void attribute_error(struct engine *engine, struct engine_trace *trace, const struct sonde_rx *rx,
                     const struct sonde_match *match);

#endif
