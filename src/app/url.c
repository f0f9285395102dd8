/* SPDX-License-Identifier: BSD-2-Clause */
/* URLs; see app/url.h. */
#include "app/url.h"

#include "app/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[] = "://";

/* Where the parts of a URL are. */
struct parts {
    const char *scheme;
    size_t scheme_len;
    const char *authority; /* with user information */
    size_t authority_len;
    const char *host; /* what is behind that; with port */
    size_t host_len;
    const char *rest; /* path, query, fragment */
};

bool url_is(const char *word)
{
    return strstr(word, mark) != NULL;
}

static struct parts divide(const char *word)
{
    struct parts parts = {.scheme = word};
    parts.scheme_len = (size_t)(strstr(word, mark) - word);
    parts.authority = word + parts.scheme_len + strlen(mark);
    parts.authority_len = strcspn(parts.authority, "/?#");
    parts.rest = parts.authority + parts.authority_len;
    const char *at = memrchr(parts.authority, '@', parts.authority_len);
    parts.host = at != NULL ? at + 1 : parts.authority;
    parts.host_len = (size_t)(parts.rest - parts.host);
    return parts;
}

/* An "@" further behind may end a password that was written with a slash in it. */
bool url_is_private(const char *word)
{
    return url_is(word) && strchr(divide(word).authority, '@') != NULL;
}

int url_refuse(const char *word, struct text *reterr)
{
    const struct parts parts = divide(word);
    text_add(reterr, "not a URL of a service: ");
    if (!url_is_private(word)) {
        text_add_untrusted(reterr, word, strlen(word));
        text_add(reterr, " (as in https://example.com/, postgres://db1:5432/x)");
        return -EINVAL;
    }
    text_add_untrusted(reterr, parts.scheme, parts.scheme_len);
    text_add(reterr, "://... (a user or password is not shown; in these, / ? # and @ are written "
                     "%2F %3F %23 and %40)");
    return -EINVAL;
}

/* RFC 3986 §3.1; in small letters. */
static bool is_scheme(const char *scheme)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
    return scheme[0] >= 'a' && scheme[0] <= 'z' && strspn(scheme, letters) == strlen(scheme);
}

/* Find what service a scheme stands for. In "git+ssh" and "svn+http" it is the second part, in
 * "postgresql+driver" the first. */
static bool find_service(char *scheme, struct known_service *service)
{
    char *plus = strchr(scheme, '+');
    if (known_find(scheme, service))
        return true;
    if (plus == NULL)
        return false;
    if (known_find(plus + 1, service)) {
        memmove(scheme, plus + 1, strlen(plus + 1) + 1);
        return true;
    }
    *plus = '\0';
    return known_find(scheme, service);
}

/* "tcp", "udp", "sctp": a protocol, and no service in one. */
static bool is_transport(const char *scheme)
{
    return strcmp(scheme, "tcp") == 0 || strcmp(scheme, "udp") == 0 || strcmp(scheme, "sctp") == 0;
}

/* The words for a port that is written in a URL: over TCP, if the scheme's service has that,
 * otherwise asked as that service is. */
static void write_port(struct url *url, const char *scheme, bool found,
                       const struct known_service *service, const char *port)
{
    const char *protocol = "tcp";
    if (!found && is_transport(scheme))
        protocol = scheme;
    else if (found && (service->protocols & KNOWN_TCP) == 0)
        protocol = (service->protocols & KNOWN_SCTP) != 0 ? "sctp" : service->name;
    (void)snprintf(url->service, sizeof url->service, "%.5s/%.*s", port, URL_SERVICE_BYTES,
                   protocol);
}

/* Take the port off an authority. @return false if what stands behind the colon is none. */
static bool take_port(char *authority, char **ret_port)
{
    char *close = strrchr(authority, ']');
    char *colon = strrchr(close != NULL ? close : authority, ':');
    *ret_port = NULL;
    if (colon == NULL)
        return true;
    *colon = '\0';
    *ret_port = colon[1] != '\0' ? colon + 1 : NULL; /* nothing means the scheme's; §3.2.3 */
    return strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

/* In a URL the zone of an address stands behind "%25"; RFC 6874 §2. A bare "%" is taken, too; §3.
 */
static void decode_percent(char *host)
{
    char *percent = strstr(host, "%25");
    if (percent != NULL && percent[3] != '\0')
        memmove(percent + 1, percent + 3, strlen(percent + 3) + 1);
}

/* Host and service from authority and scheme, both in small buffers of their own. */
static bool read_parts(const struct parts *parts, struct url *url)
{
    char scheme[URL_SERVICE_BYTES];
    char authority[URL_AUTHORITY_BYTES];
    struct known_service service = {.name = NULL};
    char *port;
    if (!text_fold(parts->scheme, parts->scheme_len, scheme, sizeof scheme) || !is_scheme(scheme) ||
        parts->host_len >= sizeof authority)
        return false;
    memcpy(authority, parts->host, parts->host_len);
    authority[parts->host_len] = '\0';
    bool found = find_service(scheme, &service);
    if (!take_port(authority, &port) || (port == NULL && is_transport(scheme)) ||
        (port != NULL && strlen(port) > 5))
        return false;
    if (port != NULL)
        write_port(url, scheme, found, &service, port);
    else /* if it is none of ours, the system may know it */
        (void)snprintf(url->service, sizeof url->service, "%s", scheme);
    size_t len = strlen(authority);
    bool brackets = len > 0 && authority[0] == '[' && authority[len - 1] == ']';
    if (brackets != (strchr(authority, ':') != NULL))
        return false;
    memcpy(url->host, authority + brackets, len - 2U * brackets);
    url->host[len - 2U * brackets] = '\0';
    if (brackets)
        decode_percent(url->host);
    return true;
}

/* "mongodb+srv": the name has no address of its own. */
static bool names_records(const struct parts *parts)
{
    static const char srv[] = "+srv";
    char scheme[URL_SERVICE_BYTES];
    if (!text_fold(parts->scheme, parts->scheme_len, scheme, sizeof scheme))
        return false;
    size_t len = strlen(scheme);
    return len > strlen(srv) && strcmp(scheme + len - strlen(srv), srv) == 0;
}

int url_read(const char *word, struct url *ret_url, struct text *reterr)
{
    const struct parts parts = divide(word);
    struct url url = {.shown = NULL};
    struct text shown = {0};
    if (names_records(&parts)) {
        text_add(reterr, "a +srv URL names its servers by SRV records, which are not looked up "
                         "(name one of the servers)");
        return -EINVAL;
    }
    if (!read_parts(&parts, &url))
        return url_refuse(word, reterr);
    text_add_bytes(&shown, parts.scheme, parts.scheme_len);
    text_add(&shown, mark);
    text_add_bytes(&shown, parts.host, parts.host_len);
    if (strchr(parts.rest, '@') == NULL)
        text_add(&shown, parts.rest);
    if (!text_ok(&shown)) {
        text_deinit(&shown);
        return -ENOMEM;
    }
    url.shown = shown.data;
    *ret_url = url;
    return 0;
}

void url_deinit(struct url *url)
{
    free(url->shown);
    url->shown = NULL;
}
