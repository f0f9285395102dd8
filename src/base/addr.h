/* SPDX-License-Identifier: BSD-2-Clause */
/* What addresses are, beyond their text; see sonde/types.h. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <sonde/types.h>

/**
 * Turn an IPv4-mapped IPv6 address into the IPv4 address in it; leave every other as it is. Packets
 * to such an address leave over IPv4, and it is an IPv4 host that answers.
 * Source: RFC 4291 §2.5.5.2.
 */
void addr_unmap(struct sonde_addr *addr);

/** @return true for addresses that are valid on one link only: fe80::/10. RFC 4291 §2.5.6. */
bool addr_is_link_local(const struct sonde_addr *addr);

#endif
