/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the traces of a flow are looked up. */
#ifndef ENGINE_FLOWS_H
#define ENGINE_FLOWS_H

#include "base/bytes.h"
#include "base/prng.h"

#include <sonde/types.h>

/**
 * @param protocol     IP_PROTO_*.
 * @param remote       The probed address.
 * @param remote_port  0 for ICMP.
 * @return A number for a hash table. Neighbouring addresses have neighbouring numbers: whoever
 * probes a whole network goes through it in order. Networks are mixed, since plans number them in
 *         steps.
 */
static inline uint64_t flows_hash(uint8_t protocol, const struct sonde_addr *remote,
                                  uint16_t remote_port)
{
    struct rd rd = rd_init((struct sonde_span){remote->bytes, sizeof remote->bytes});
    uint64_t high = remote->family == SONDE_FAMILY_IPV6 ? rd_u64(&rd) : 0;
    uint64_t middle = remote->family == SONDE_FAMILY_IPV6 ? rd_u32(&rd) : 0;
    uint32_t low = rd_u32(&rd);
    uint64_t network = mix64(mix64(high) ^ (middle << 32 | (low & ~UINT32_C(0xff))));
    return mix64(network ^ (uint64_t)protocol << 16 ^ remote_port) + (low & 0xff);
}

#endif
