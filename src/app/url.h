/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * URLs as targets: the scheme stands for the service, "postgres://db1/x". RFC 3986 §3.
 *
 * User information is nobody's business but the server's: it is in nothing that this returns.
 */
#ifndef APP_URL_H
#define APP_URL_H

#include "base/text.h"

enum {
    URL_AUTHORITY_BYTES = 280, /* a host of 255 bytes, brackets and a port */
    URL_SERVICE_BYTES = 32,
};

/** What a URL says of a target. */
struct url {
    char *shown;                         /* the URL without user information; owned */
    char host[URL_AUTHORITY_BYTES];      /* without brackets */
    char service[2 * URL_SERVICE_BYTES]; /* for services_read(): "https", "8443/tcp" */
};

/** @return true if a word is meant as a URL. */
bool url_is(const char *word);

/**
 * Take a URL apart.
 * @param word     url_is() it.
 * @param ret_url  On 0, its parts. The host was not checked.
 * @param reterr   On -EINVAL, one line without user information; safe to print.
 * @return 0; -EINVAL; -ENOMEM.
 * Ownership: url_deinit() frees what this allocates.
 */
SONDE_MUST_CHECK int url_read(const char *word, struct url *ret_url, struct text *reterr);

/** @return true if a word is a URL that may hold user information, so that no part of it but the
 *  scheme may be printed. */
bool url_is_private(const char *word);

/** Refuse a URL in general words, which name nothing of it but its scheme. @return -EINVAL. */
int url_refuse(const char *word, struct text *reterr);

void url_deinit(struct url *url);

#endif
