/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts as they are written: names, addresses, and what may stand behind them. */
#ifndef APP_HOST_H
#define APP_HOST_H

#include "base/text.h"

enum { HOST_BYTES = 256 };

/** The parts of a target as it is written. */
struct host_parts {
    char host[HOST_BYTES];
    const char *services; /* behind the colon; NULL = none */
};

/** Say why a word is refused. @param word  From outside: it is escaped. @return -EINVAL. */
int host_refuse(struct text *reterr, const char *why, const char *word);

/** @return true for an IPv6 address with its zone, "fe80::1%eth0". RFC 4007 §11. */
bool host_is_zoned(const char *host);

/**
 * Say whether a word is a name or an address.
 * @param has_interface  A link-local address needs no zone.
 * @return 0; -EINVAL, and in @p reterr why it is none.
 */
int host_check(const char *host, bool has_interface, struct text *reterr);

/**
 * Take a word apart: "host", "host:443", "[2001:db8::1]:443", "fe80::1%eth0:443".
 * @param parts  On 0, the host without brackets, which host_check() has not seen; services
 *               borrows @p word.
 * @return 0; -EINVAL, and in @p reterr why.
 */
int host_split(const char *word, struct host_parts *parts, struct text *reterr);

#endif
