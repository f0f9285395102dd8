/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts as they are written; see app/host.h. */
#include "app/host.h"

#include "app/hints.h"
#include "base/addr.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char digits[] = "0123456789";

int host_refuse(struct text *reterr, const char *why, const char *word)
{
    text_add(reterr, why);
    text_add(reterr, ": ");
    text_add_untrusted(reterr, word, strlen(word));
    return -EINVAL;
}

/*
 * Would the C library take this for an address of a legacy form: 127.1, 0x7f000001, 010.0.0.1? A
 * name whose last label is a number can only be that, or a mistake (RFC 3696 §2).
 */
static bool is_legacy_address(const char *host)
{
    size_t end = strlen(host);
    if (end > 0 && host[end - 1] == '.') /* the root: it makes no name of a number */
        end--;
    size_t start = end;
    while (start > 0 && host[start - 1] != '.')
        start--;
    const char *last = host + start;
    bool hex = last[0] == '0' && (last[1] == 'x' || last[1] == 'X');
    return end > start && (strspn(last, digits) >= end - start || hex);
}

/* "192.0.2.10-20", as nmap takes it: names end in a label that has a letter (RFC 3696 §2). */
static bool is_range(const char *host)
{
    const char *last = strrchr(host, '.');
    return last != NULL && strchr(last, '-') != NULL &&
           strspn(host, "0123456789.-") == strlen(host);
}

static bool is_label_byte(char c)
{
    /* bytes of IDN names are left to the resolver; underscores are common in practice */
    return isalnum((unsigned char)c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* RFC 1123 §2.1: labels of 1 to 63, names of up to 253, a dot at the end is fine. */
static bool is_name(const char *host)
{
    size_t label = 0;
    size_t len = strlen(host);
    if (len == 0 || len > 254 || host[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (host[i] == '.' && label == 0)
            return false;
        label = host[i] == '.' ? 0 : label + 1;
        if ((host[i] != '.' && !is_label_byte(host[i])) || label > 63)
            return false;
    }
    return true;
}

bool host_is_zoned(const char *host)
{
    char bare[HOST_BYTES];
    struct sonde_addr addr;
    const char *percent = strchr(host, '%');
    size_t zone = percent != NULL ? strlen(percent + 1) : 0;
    if (zone == 0 || zone > 15 || (size_t)(percent - host) >= sizeof bare)
        return false;
    for (const char *at = percent + 1; *at != '\0'; at++) {
        if (!isgraph((unsigned char)*at) || *at == '/' || *at == '%' || *at == ':')
            return false;
    }
    memcpy(bare, host, (size_t)(percent - host));
    bare[percent - host] = '\0';
    return sonde_addr_parse(bare, &addr) == 0 && addr.family == SONDE_FAMILY_IPV6;
}

int host_check(const char *host, bool has_interface, struct text *reterr)
{
    struct sonde_addr addr;
    if (sonde_addr_parse(host, &addr) == 0) {
        return addr_is_link_local(&addr) && !has_interface
                   ? host_refuse(reterr,
                                 "a link-local address needs its interface, as in fe80::1%eth0",
                                 host)
                   : 0;
    }
    if (host_is_zoned(host))
        return 0;
    if (is_legacy_address(host))
        return host_refuse(reterr, "not an IPv4 address (four numbers from 0 to 255)", host);
    if (is_range(host))
        return host_refuse(reterr, "a range of addresses is no target, only a host is", host);
    return is_name(host) ? 0 : hint_host(host, reterr);
}

static int take_host(const char *at, size_t len, struct host_parts *parts, struct text *reterr)
{
    if (len >= sizeof parts->host) {
        text_add(reterr, "a host name of more than 255 bytes");
        return -EINVAL;
    }
    memcpy(parts->host, at, len);
    parts->host[len] = '\0';
    return 0;
}

/* "[2001:db8::1]", "[2001:db8::1]:443" */
static int split_brackets(const char *word, struct host_parts *parts, struct text *reterr)
{
    const char *close = strchr(word, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != ':'))
        return host_refuse(reterr, "brackets go around an IPv6 address, as in [2001:db8::1]:443",
                           word);
    if (close[1] == ':')
        parts->services = close + 2;
    int r = take_host(word + 1, (size_t)(close - word - 1), parts, reterr);
    if (r == 0 && strchr(parts->host, ':') == NULL)
        r = host_refuse(reterr, "not an IPv6 address in brackets", word);
    return r;
}

/* The colon in front of the services; NULL = there are none. An address with several colons is
 * never split, but behind its zone: the name of an interface holds none (net/core/dev.c of the
 * kernel, dev_valid_name()). */
static const char *find_colon(const char *word)
{
    const char *zone = strchr(word, '%');
    const char *colon = strchr(zone != NULL ? zone : word, ':');
    bool several = zone == NULL && colon != NULL && strchr(colon + 1, ':') != NULL;
    return several ? NULL : colon;
}

int host_split(const char *word, struct host_parts *parts, struct text *reterr)
{
    const char *colon = find_colon(word);
    if (word[0] == '[')
        return split_brackets(word, parts, reterr);
    if (colon == NULL)
        return take_host(word, strlen(word), parts, reterr);
    parts->services = colon + 1;
    return take_host(word, (size_t)(colon - word), parts, reterr);
}
