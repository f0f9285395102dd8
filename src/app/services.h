/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of services, as they are written: by port or by name, with a protocol or without. */
#ifndef APP_SERVICES_H
#define APP_SERVICES_H

#include "base/text.h"

#include <sonde/run.h>

/** A port of one protocol, as a user asked for it. */
struct service {
    char protocol[8];    /* "icmp", "tcp", "udp", "sctp" */
    uint16_t port;       /* 0 for icmp */
    char name[32];       /* "https"; "" = none */
    const char *payload; /* what it is asked in, if not as its port says; NULL = so */
    bool control;        /* added for comparison */
    uint32_t expect;     /* states that it is wanted to have, a bit each; 0: that it answers */
    bool expect_own;     /* that is wanted of this target's, by name */
};

enum {
    SERVICES_USUAL = 16,                /* of one target, the control not counted */
    SERVICES_MANY = SONDE_SERVICES_MAX, /* with --many */
};

/** {0} is an empty list. */
struct service_list {
    struct service *items; /* [count] */
    size_t count;
};

/** What a list of services is read with. */
struct service_rules {
    const char *protocol; /* of ports without one: "tcp" or "udp" */
    size_t max;           /* services that a target may have */
};

/**
 * Read a list such as "443", "dns,8000-8003/udp", "@web", "5353/dns" and add what is not in the
 * list yet. Names are read in any case.
 * @param words    The list; no blanks.
 * @param list     Grows; may hold a part of @p words after an error.
 * @param reterr   On -EINVAL, one line: what is wrong and what would be right; safe to print.
 * @return 0; -EINVAL; -ENOMEM.
 * Ownership: the caller frees the list with services_deinit(), also after an error.
 */
SONDE_MUST_CHECK int services_read(const char *words, const struct service_rules *rules,
                                   struct service_list *list, struct text *reterr);

/** Put a service before all others. @return 0; -ENOMEM. */
SONDE_MUST_CHECK int services_put_first(struct service_list *list, const struct service *service);

/**
 * Note what is wanted of a service. What is wanted of one target's outweighs what is wanted of all;
 * otherwise what is noted later holds. A control of which something is wanted is none any more.
 * @param which   Its protocol and port count.
 * @param states  A bit each.
 * @param own     It is wanted of this target's.
 * @return true if the list has the service.
 */
bool services_expect(struct service_list *list, const struct service *which, uint32_t states,
                     bool own);

/** Free the list's items. */
void services_deinit(struct service_list *list);

#endif
