/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum: a one's complement sum of 16-bit words. Source: RFC 1071, RFC 8200 §8.1.
 *
 * Sums of parts can be added as long as every part but the last has an even length.
 */
#ifndef WIRE_CSUM_H
#define WIRE_CSUM_H

#include "base/span.h"

#include <sonde/types.h>

/** @return The sum of @p bytes as network-order words added to @p sum; an odd last byte is high. */
uint64_t csum_add(uint64_t sum, struct sonde_span bytes);

/** @return The sum of the pseudo-header for @p len bytes of @p protocol from @p src to @p dst. */
uint64_t csum_pseudo(const struct sonde_addr *src, const struct sonde_addr *dst, uint8_t protocol,
                     uint32_t len);

/** @return @p sum folded to 16 bits; not complemented. */
uint16_t csum_fold(uint64_t sum);

/** @return The checksum field for @p sum: its complement. */
static inline uint16_t csum_finish(uint64_t sum)
{
    return (uint16_t)~csum_fold(sum);
}

/**
 * Find the 16-bit word that turns a checksum into a wanted one.
 * @param sum     Sum over the packet with the checksum field and the word to find both 0.
 * @param wanted  The checksum field that the packet shall have. 0xffff gives a packet whose
 *                computed checksum is 0, which only UDP has to write as 0xffff.
 * @return The word to put in; it must stand at an even offset.
 * Source: RFC 1624 §3: one's complement subtraction is addition of the complement.
 */
uint16_t csum_compensate(uint64_t sum, uint16_t wanted);

#endif
