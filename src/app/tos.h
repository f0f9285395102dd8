/* SPDX-License-Identifier: BSD-2-Clause */
/* The type of service of IPv4, the traffic class of IPv6, as -Q takes it. */
#ifndef APP_TOS_H
#define APP_TOS_H

#include <sonde/types.h>

/**
 * Read a byte as a number, in hexadecimal ("0xb8"), or by the name of a DSCP in any case ("ef").
 * @param ret_tos  On 0, the byte; a DSCP stands in its upper six bits.
 * @return 0; -EINVAL.
 * Source: RFC 2474 §3 and §4.2.2.2 (cs), RFC 2597 §6 (af), RFC 3246 §2.7 (ef), RFC 5865 §4 (va),
 * RFC 8622 §3 (le).
 */
SONDE_MUST_CHECK int tos_read(const char *word, uint8_t *ret_tos);

#endif
