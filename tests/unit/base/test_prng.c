/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seeded generator: that it is splitmix64, so that a scenario gives the same run for ever.
 *
 * The expected numbers were computed from the definition of splitmix64 (Steele, Lea, Flood, "Fast
 * splittable pseudorandom number generators", 2014) with unbounded integers modulo 2^64, apart
 * from this code; those of the seeds 0 and 1234567 are also the ones published for it elsewhere.
 */
#include "base/prng.h"

#include <criterion/criterion.h>

Test(prng, the_sequence_is_that_of_splitmix64)
{
    static const struct {
        uint64_t seed;
        uint64_t next[4];
    } cases[] = {
        {0,
         {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4), UINT64_C(0x06c45d188009454f),
          UINT64_C(0xf88bb8a8724c81ec)}},
        {1234567,
         {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
          UINT64_C(9817491932198370423), UINT64_C(4593380528125082431)}},
        {UINT64_MAX, /* the state wraps around at once */
         {UINT64_C(0xe4d971771b652c20), UINT64_C(0xe99ff867dbf682c9), UINT64_C(0x382ff84cb27281e9),
          UINT64_C(0x6d1db36ccba982d2)}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prng prng = {cases[i].seed};
        for (size_t n = 0; n < 4; n++)
            cr_expect_eq(prng_next(&prng), cases[i].next[n], "case %zu, number %zu", i, n);
    }
}

Test(prng, mixing_is_the_last_step_of_the_sequence)
{
    /* shifts, products and exclusive ors of 0 are 0 */
    cr_expect_eq(mix64(0), 0);
    /* the first state after the seed 0 is the increment itself */
    cr_expect_eq(mix64(UINT64_C(0x9e3779b97f4a7c15)), UINT64_C(0xe220a8397b1dcdaf));
}

Test(prng, a_bound_scales_the_upper_half)
{
    /* upper halves after seed 0: e220a839, 6e789e6a, 06c45d18 = 0.883, 0.432, 0.026 of 2^32 */
    static const struct {
        uint32_t bound;
        uint32_t below[3];
    } cases[] = {
        {1, {0, 0, 0}},
        {2, {1, 0, 0}},
        {10, {8, 4, 0}},
        {1000, {883, 431, 26}},
        {UINT32_MAX, {0xe220a838, 0x6e789e69, 0x06c45d17}}, /* x - x / 2^32, rounded down */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct prng prng = {0};
        for (size_t n = 0; n < 3; n++)
            cr_expect_eq(prng_below(&prng, cases[i].bound), cases[i].below[n], "case %zu, %zu", i,
                         n);
    }
}

Test(prng, all_numbers_below_a_bound_come_about_equally_often)
{
    unsigned count[6] = {0};
    struct prng prng = {42};
    for (int i = 0; i < 6000; i++) {
        uint32_t drawn = prng_below(&prng, 6);
        if (drawn >= 6)
            cr_assert_fail("%u", drawn);
        count[drawn]++;
    }
    /* 1000 each; the standard deviation is sqrt(6000 * 1/6 * 5/6) = 29, this allows five */
    for (size_t i = 0; i < 6; i++) {
        cr_expect_gt(count[i], 855, "%zu: %u", i, count[i]);
        cr_expect_lt(count[i], 1145, "%zu: %u", i, count[i]);
    }
}
