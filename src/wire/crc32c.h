/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC32c, the checksum of SCTP. Source: RFC 9260 appendix A; RFC 3720 §12.1 and appendix B.4. */
#ifndef WIRE_CRC32C_H
#define WIRE_CRC32C_H

#include "base/span.h"

/**
 * Add bytes to a checksum, so that one over several parts can be made part by part.
 * @param crc  Of what stands before them; 0 = nothing does.
 * @return The checksum of all, as a number whose least significant byte goes out first.
 */
uint32_t crc32c_add(uint32_t crc, struct sonde_span bytes);

#endif
