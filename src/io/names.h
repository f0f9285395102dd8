/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to addresses, before a run, and addresses to names, during it.
 *
 * The system's way is getaddrinfo(), which honours whatever the administrator has set up, and
 * c-ares for the way back, which never blocks. A simulated network knows its own names.
 */
#ifndef IO_NAMES_H
#define IO_NAMES_H

#include "io/transport.h"

#include <sonde/types.h>

enum {
    NAMES_ADDRESSES_MAX = 32, /* taken of one name */
    NAMES_BYTES_MAX = 256,    /* longest name, with NUL; RFC 1035 §2.3.4 */
};

/** A name to look up, and what came of it. */
struct names_query {
    const char *name;         /* borrowed; not a numeric address */
    enum sonde_family family; /* wanted; SONDE_FAMILY_NONE = any */
    int error; /* 0; or a negative errno: -ENOENT no such name, -EAGAIN no answer, -EMFILE or
                  -ENFILE no descriptor to ask through */
    struct sonde_addr addresses[NAMES_ADDRESSES_MAX]; /* in the order the system prefers */
    uint32_t count;
};

struct names {
    const struct names_ops *ops;
};

struct names_ops {
    /**
     * Look names up, all at the same time.
     * @param queries  In: name and family. Out: error, addresses and count.
     * @param watch    A watched descriptor that becomes readable ends the wait: queries without an
     *                 answer then have error -EINTR. Only read; may be NULL.
     * @return 0; -ENOMEM; -EMFILE, -ENFILE; -EINTR if the wait was ended.
     */
    int (*forward)(struct names *names, struct names_query *queries, uint32_t count,
                   struct io_watch *watch);

    /** Ask for the name of an address, once; further calls for the same address do nothing. */
    void (*want)(struct names *names, const struct sonde_addr *addr);

    /** @return The name of an address, borrowed until free; NULL if there is none, or none yet. */
    const char *(*get)(struct names *names, const struct sonde_addr *addr);

    /** Go on after a wait. @return Names still being looked up. */
    uint32_t (*step)(struct names *names);

    /** Add the descriptors to wait for to @p watch, behind those that are there.
     *  @return When to call step() if none becomes ready. */
    sonde_ns (*watch)(struct names *names, struct io_watch *watch);

    /** Give up what is under way and free everything. @return NULL. */
    struct names *(*free)(struct names *names);
};

/**
 * Names as the system sees them.
 * @param ret_names  On 0, the names.
 * @return 0; -ENOMEM; -EIO if c-ares cannot start.
 * Ownership: the caller frees it with its ops.
 */
SONDE_MUST_CHECK int names_system_new(struct names **ret_names);

#endif
