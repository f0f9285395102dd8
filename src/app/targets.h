/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets and services as they are written on the command line and in files:
 *
 *   example.com   example.com:443   example.com 443 :ssh 53/udp @web   [2001:db8::1]:443
 *   https://example.com/   postgres://db1:5432/x
 */
#ifndef APP_TARGETS_H
#define APP_TARGETS_H

#include "app/services.h"

struct target {
    char *input; /* as written, but for user information of a URL */
    char *host;  /* name or address in it */
    struct service_list services;
    char *doubt; /* what to say if no service follows: see app/hints.h; NULL = nothing */
};

struct target_list {
    struct target *items;
    size_t count;
};

/** How targets are read. */
struct target_rules {
    struct service_rules services;
    const char *ports;        /* of -P: services that every target gets; NULL = none */
    uint32_t flows;           /* --flows: of each service but controls */
    bool has_interface;       /* -I: a link-local address needs no zone */
    bool no_icmp;             /* add no control */
    bool tcp;                 /* -T: 80/tcp for a target without any service */
    bool udp;                 /* -u: a target without any service is a mistake */
    enum sonde_family source; /* of -a: an address of the other family is a mistake; NONE = any */
};

/**
 * Read one word of the command line: a target, or services of the last target.
 * @param reterr  On -EINVAL, one line; safe to print.
 * @return 0; -EINVAL; -ENOMEM.
 * Ownership: the caller frees the list with targets_deinit(), also after an error.
 */
SONDE_MUST_CHECK int targets_read(const char *word, const struct target_rules *rules,
                                  struct target_list *list, struct text *reterr);

/**
 * Read the lines of a file: TARGET [SERVICE[=STATE]...], "#" begins a comment.
 * @param bytes  The file.
 * @param name   What it is called in errors.
 * @return 0; -EINVAL; -ENOMEM.
 */
SONDE_MUST_CHECK int targets_read_file(const char *bytes, size_t len, const char *name,
                                       const struct target_rules *rules, struct target_list *list,
                                       struct text *reterr);

/** Give every target its common services and its control. @return 0; -EINVAL: a target has none, or
 *  more flows than can be, or was probably meant to be a service, or there is no target; -ENOMEM.
 */
SONDE_MUST_CHECK int targets_finish(struct target_list *list, const struct target_rules *rules,
                                    struct text *reterr);

/** @return true if a service of any target is over this protocol. */
bool targets_speak(const struct target_list *list, const char *protocol);

/** @return The family that all targets have, which are addresses; SONDE_FAMILY_NONE: they differ,
 * or one is a name. */
enum sonde_family targets_family(const struct target_list *list);

/** Free the list's items. */
void targets_deinit(struct target_list *list);

#endif
