/* SPDX-License-Identifier: BSD-2-Clause */
/* Services by name: the well-known ones and the presets, built in, then the system's own list. */
#ifndef APP_SERVICES_H
#define APP_SERVICES_H

#include "base/text.h"

#include <sonde/session.h>

/** A port of one protocol, as a user asked for it. */
struct service {
    char protocol[8];    /* "icmp", "tcp", "udp" */
    uint16_t port;       /* 0 for icmp */
    char name[32];       /* "https"; "" = none */
    const char *payload; /* what it is asked in, if not as its port says; NULL = so */
    bool control;        /* added for comparison */
    uint32_t expect;     /* states that it is wanted to have, a bit each; 0: that it answers */
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
 * Read a list such as "443", "dns,8000-8003/udp", "@web" and add what is not in the list yet.
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

/** Free the list's items. */
void services_deinit(struct service_list *list);

/** Write the names and presets, for --services. */
void services_print(struct text *text);

#endif
