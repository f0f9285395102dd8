/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small seeded generator for simulated networks and for spreading identifiers, and a mixing
 * function for hash tables. Neither is for secrets: those come from sys/entropy.
 */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state;
};

/** @return @p x with every input bit spread over all output bits (the splitmix64 finaliser). */
static inline uint64_t mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/** @return The next 64 bits of the sequence that the seed in @p prng started (splitmix64). */
static inline uint64_t prng_next(struct prng *prng)
{
    prng->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix64(prng->state);
}

/** @return A number from 0 to @p bound - 1, uniform to within 2^-32; @p bound at least 1. */
static inline uint32_t prng_below(struct prng *prng, uint32_t bound)
{
    return (uint32_t)((prng_next(prng) >> 32) * bound >> 32);
}

#endif
