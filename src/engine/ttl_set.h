/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of TTLs, 0 to 255. */
#ifndef ENGINE_TTL_SET_H
#define ENGINE_TTL_SET_H

#include <stdbool.h>
#include <stdint.h>

/** {0} is empty. */
struct ttl_set {
    uint64_t words[4];
};

static inline bool ttl_set_has(const struct ttl_set *set, unsigned ttl)
{
    return (set->words[ttl / 64] >> ttl % 64 & 1) != 0;
}

static inline void ttl_set_add(struct ttl_set *set, unsigned ttl)
{
    set->words[ttl / 64] |= UINT64_C(1) << ttl % 64;
}

static inline void ttl_set_remove(struct ttl_set *set, unsigned ttl)
{
    set->words[ttl / 64] &= ~(UINT64_C(1) << ttl % 64);
}

/** Take a TTL and all above it from a set. */
static inline void ttl_set_cut(struct ttl_set *set, unsigned ttl)
{
    set->words[ttl / 64] &= (UINT64_C(1) << ttl % 64) - 1;
    for (unsigned word = ttl / 64 + 1; word < 4; word++)
        set->words[word] = 0;
}

/** @return The largest TTL of a set; 0 if it is empty. */
static inline uint8_t ttl_set_highest(const struct ttl_set *set)
{
    for (unsigned word = 4; word-- > 0;) {
        if (set->words[word] != 0)
            return (uint8_t)(word * 64 + 63 - (unsigned)__builtin_clzll(set->words[word]));
    }
    return 0;
}

#endif
