/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of states, as users write what they expect: "closed", "closed|filtered", "!open".
 *
 * A set has a bit for each state, SONDE_STATE_BIT(). The exclamation mark stands for the whole list
 * behind it: "!open|rejected" is neither of the two. SONDE_STATE_UNKNOWN is in no set: what could
 * not be measured is not what anybody expects.
 */
#ifndef BASE_STATES_H
#define BASE_STATES_H

#include "base/text.h"

#include <sonde/vocabulary.h>

/** Every state that can be expected. */
#define STATES_ALL                                                                                 \
    ((SONDE_STATE_BIT(SONDE_STATE_COUNT) - 1) & ~SONDE_STATE_BIT(SONDE_STATE_UNKNOWN))

/**
 * Read a set.
 * @param words       "closed|filtered", "!open"; "up" is what the report calls an open icmp
 * service.
 * @param ret_states  On 0, the set; not empty, and a part of STATES_ALL.
 * @return 0; -EINVAL: it is no such list, or leaves no state.
 */
SONDE_MUST_CHECK int states_read(const char *words, uint32_t *ret_states);

/** Write a set in the form that states_read() reads, the shorter one if there are two; states are
 *  in the order of their enumeration. */
void states_add(struct text *text, uint32_t states);

/** Write a set as a part of a sentence: "to be closed or filtered", "not to be open". */
void states_add_wish(struct text *text, uint32_t states);

#endif
