/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns: who of a target asks at a TTL.
 *
 * First those that a look needs, then the control that is owed behind them, then the controls that
 * were begun for it (engine/look.h). Then those that never asked there, and then the others, one
 * after another. Of what the router may be asked, something is kept for those that have yet to
 * come.
 */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "engine/state.h"

/** Whose turn it is at a TTL, and when. */
struct turn {
    struct engine_trace *trace; /* NULL: nobody's */
    sonde_ns time_ns;           /* when it may be taken */
    sonde_ns affordable_ns;     /* and when whoever answers may be asked again */
    bool is_awaited;            /* what cannot be sent now is waited for */
};

/** @return Whose turn it is at a TTL; it may be nobody's, or have to wait. */
struct turn turn_find(const struct engine *engine, const struct engine_target *target, unsigned ttl,
                      sonde_ns now);

#endif
