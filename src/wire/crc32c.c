/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC32c bit by bit: an INIT has 32 bytes, and no table is worth its room for that. */
#include "wire/crc32c.h"

/* The polynomial 0x1EDC6F41 of RFC 3720, its bits in reverse: the first bit of a byte is the least
 * significant one. */
static const uint32_t POLYNOMIAL = UINT32_C(0x82f63b78);

uint32_t crc32c_add(uint32_t crc, struct sonde_span bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
    }
    return ~crc;
}
