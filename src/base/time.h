/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on sonde_ns that neither overflows nor mistakes SONDE_NS_NEVER for a time.
 * Times are compared and added through these functions only.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <sonde/types.h>

/** @return @p time + @p delta, saturating at SONDE_NS_NEVER and INT64_MIN; never stays never. */
static inline sonde_ns ns_add(sonde_ns time, sonde_ns delta)
{
    sonde_ns sum;
    if (time == SONDE_NS_NEVER || delta == SONDE_NS_NEVER)
        return SONDE_NS_NEVER;
    if (__builtin_add_overflow(time, delta, &sum))
        return delta > 0 ? SONDE_NS_NEVER : INT64_MIN;
    return sum;
}

/** @return @p a - @p b, saturating; both must be times, not SONDE_NS_NEVER. */
static inline sonde_ns ns_sub(sonde_ns a, sonde_ns b)
{
    sonde_ns diff;
    if (__builtin_sub_overflow(a, b, &diff))
        return b < 0 ? SONDE_NS_NEVER : INT64_MIN;
    return diff;
}

/** @return @p span times @p factor, saturating at SONDE_NS_NEVER; both at least 0. */
static inline sonde_ns ns_mul(sonde_ns span, int64_t factor)
{
    sonde_ns product;
    if (__builtin_mul_overflow(span, factor, &product))
        return SONDE_NS_NEVER;
    return product;
}

/** @return The earlier of two times. */
static inline sonde_ns ns_min(sonde_ns a, sonde_ns b)
{
    return a < b ? a : b;
}

/** @return The later of two times; never is the latest. */
static inline sonde_ns ns_max(sonde_ns a, sonde_ns b)
{
    return a > b ? a : b;
}

/** @return true if @p time has come at @p now; never does not come. */
static inline bool ns_due(sonde_ns time, sonde_ns now)
{
    return time != SONDE_NS_NEVER && time <= now;
}

#endif
