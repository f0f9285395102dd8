/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of the traces of one target, by their index within it. */
#ifndef ENGINE_MEMBERS_H
#define ENGINE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

enum { MEMBERS_MAX = 128, MEMBERS_NONE = MEMBERS_MAX };

/** {0} is empty. */
struct members {
    uint64_t words[2];
};

static inline void members_add(struct members *members, unsigned index)
{
    members->words[index / 64] |= UINT64_C(1) << index % 64;
}

static inline void members_remove(struct members *members, unsigned index)
{
    members->words[index / 64] &= ~(UINT64_C(1) << index % 64);
}

static inline bool members_has(const struct members *members, unsigned index)
{
    return (members->words[index / 64] >> index % 64 & 1) != 0;
}

static inline bool members_is_empty(const struct members *members)
{
    return (members->words[0] | members->words[1]) == 0;
}

/** @return What is in both. */
static inline struct members members_common(struct members a, struct members b)
{
    return (struct members){{a.words[0] & b.words[0], a.words[1] & b.words[1]}};
}

/** @return What is in a, but not in b. */
static inline struct members members_without(struct members a, struct members b)
{
    return (struct members){{a.words[0] & ~b.words[0], a.words[1] & ~b.words[1]}};
}

/** @return The first member from @p index on; MEMBERS_NONE if there is none. */
static inline unsigned members_from(const struct members *members, unsigned index)
{
    for (unsigned word = index / 64; word < 2; word++) {
        uint64_t bits = members->words[word];
        if (word == index / 64)
            bits &= UINT64_MAX << index % 64;
        if (bits != 0)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return MEMBERS_NONE;
}

/** @return The first member from @p index on, round to those before it; MEMBERS_NONE if it is
 * empty.
 */
static inline unsigned members_round(const struct members *members, unsigned index)
{
    unsigned found = index < MEMBERS_MAX ? members_from(members, index) : MEMBERS_NONE;
    return found != MEMBERS_NONE ? found : members_from(members, 0);
}

#endif
