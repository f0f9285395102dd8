/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of states; see base/states.h. */
#include "base/states.h"

#include <errno.h>
#include <string.h>

/* The bit of a state whose name is the first @p len bytes of @p word; 0 if there is none. */
static uint32_t bit_of(const char *word, size_t len)
{
    if (len == 2 && memcmp(word, "up", len) == 0)
        return SONDE_STATE_BIT(SONDE_STATE_OPEN);
    for (int i = 0; i < SONDE_STATE_COUNT; i++) {
        const char *name = sonde_state_name((enum sonde_state)i);
        if (i != SONDE_STATE_UNKNOWN && strncmp(name, word, len) == 0 && name[len] == '\0')
            return SONDE_STATE_BIT(i);
    }
    return 0;
}

int states_read(const char *words, uint32_t *ret_states)
{
    bool negated = words[0] == '!';
    const char *at = words + negated;
    uint32_t states = 0;
    while (true) {
        size_t len = strcspn(at, "|");
        uint32_t bit = bit_of(at, len);
        if (bit == 0)
            return -EINVAL;
        states |= bit;
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    if (negated)
        states = STATES_ALL & ~states;
    if (states == 0)
        return -EINVAL;
    *ret_states = states;
    return 0;
}

static unsigned count(uint32_t states)
{
    unsigned bits = 0;
    for (; states != 0; states &= states - 1)
        bits++;
    return bits;
}

/* Is it shorter to say what is not in a set? */
static bool is_negated(uint32_t states)
{
    uint32_t others = STATES_ALL & ~states;
    return others != 0 && count(others) < count(states);
}

static void add_list(struct text *text, uint32_t states, const char *between)
{
    bool first = true;
    for (int i = 0; i < SONDE_STATE_COUNT; i++) {
        if ((states & SONDE_STATE_BIT(i)) == 0)
            continue;
        text_add(text, first ? "" : between);
        text_add(text, sonde_state_name((enum sonde_state)i));
        first = false;
    }
}

void states_add(struct text *text, uint32_t states)
{
    bool negated = is_negated(states);
    text_add(text, negated ? "!" : "");
    add_list(text, negated ? STATES_ALL & ~states : states, "|");
}

void states_add_wish(struct text *text, uint32_t states)
{
    bool negated = is_negated(states);
    text_add(text, negated ? "not to be " : "to be ");
    add_list(text, negated ? STATES_ALL & ~states : states, " or ");
}
