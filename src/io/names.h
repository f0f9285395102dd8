/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names to addresses, and addresses to names, while a run goes on. Nothing here blocks: a look-up
 * is begun, and its answer is taken when it is there. Look-ups do not wait for each other.
 *
 * The system's way is getaddrinfo(), which honours whatever the administrator has set up, and
 * c-ares for the way back. A simulated network knows its own names.
 *
 * Driving it, in every turn of the caller's loop:
 *
 *     step()
 *     while take() gives an answer: use it
 *     watch(), then wait for what it says
 */
#ifndef IO_NAMES_H
#define IO_NAMES_H

#include "io/transport.h"

#include <sonde/types.h>

enum {
    NAMES_ADDRESSES_MAX = 32, /* taken of one name */
    NAMES_BYTES_MAX = 256,    /* longest name, with NUL; RFC 1035 §2.3.4 */
};

/** A name to look up. */
struct names_question {
    uint32_t id;              /* the caller's; it comes back with the answer */
    enum sonde_family family; /* wanted; SONDE_FAMILY_NONE = any */
    const char *name;         /* not a numeric address; copied */
};

/** What came of it. */
struct names_answer {
    uint32_t id; /* as in the question */
    enum sonde_family family;
    int error; /* 0; or a negative errno: -ENOENT no such name, -EAGAIN no answer, -EMFILE or
                  -ENFILE no descriptor to ask through, -ENOMEM */
    uint32_t count;
    struct sonde_addr addresses[NAMES_ADDRESSES_MAX]; /* in the order the system prefers; none is
                  an IPv4-mapped one, so there may be IPv4 ones where IPv6 was asked for */
};

struct names {
    const struct names_ops *ops;
};

/* All times are those of the transport that the names belong to. */
struct names_ops {
    /** Begin to look a name up. @return 0: an answer will come, even if it is an error; -ENOMEM. */
    int (*begin)(struct names *names, const struct names_question *question, sonde_ns now_ns);

    /** Take an answer that is there, in the order in which they came.
     *  @return 0; -EAGAIN: none is there, @p ret_answer is as it was. */
    int (*take)(struct names *names, sonde_ns now_ns, struct names_answer *ret_answer);

    /** @return The scope that a zone stands for, be it a name or a number; 0: there is no such
     *  interface. */
    uint32_t (*scope)(struct names *names, const char *zone);

    /** Write the name of the interface that a scope stands for; "" if there is none. */
    void (*zone)(struct names *names, uint32_t scope, char name[SONDE_ZONE_BYTES]);

    /** Ask for the name of an address, once; further calls for the same address do nothing. */
    void (*want)(struct names *names, const struct sonde_addr *addr);

    /** @return The name of an address, borrowed until free; NULL if there is none, or none yet. */
    const char *(*get)(struct names *names, const struct sonde_addr *addr);

    /** Go on after a wait. @return How many names of addresses are still being looked up. */
    uint32_t (*step)(struct names *names);

    /** Add the descriptors to wait for to @p watch, behind those that are there.
     *  @return When to call step() and take() if none becomes ready. */
    sonde_ns (*watch)(struct names *names, struct io_watch *watch);

    /** Give up what is under way and free everything. Does not wait. @return NULL. */
    struct names *(*free)(struct names *names);
};

/**
 * Names as the system sees them.
 * @param of_addresses  Names of addresses will be wanted; without it want() is not called.
 * @param ret_names     On 0, the names.
 * @return 0; -ENOMEM; -EIO if c-ares cannot start; -EMFILE, -ENFILE.
 * Ownership: the caller frees it with its ops.
 */
SONDE_MUST_CHECK int names_system_new(bool of_addresses, struct names **ret_names);

#endif
