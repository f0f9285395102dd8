/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets as they are written; see app/targets.h. */
#include "app/targets.h"

#include "app/hints.h"
#include "app/url.h"
#include "base/addr.h"
#include "base/states.h"

#include <sonde/session.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_BYTES = 256 };

static const char digits[] = "0123456789";

static int refuse(struct text *reterr, const char *what, const char *word)
{
    text_add(reterr, what);
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

/* A link-local address with its zone, "fe80::1%eth0". RFC 4007 §11. */
static bool is_zoned_address(const char *host)
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

static int check_host(const char *host, const struct target_rules *rules, struct text *reterr)
{
    struct sonde_addr addr;
    if (sonde_addr_parse(host, &addr) == 0) {
        return addr_is_link_local(&addr) && !rules->has_interface
                   ? refuse(reterr, "a link-local address needs its interface, as in fe80::1%eth0",
                            host)
                   : 0;
    }
    if (is_zoned_address(host))
        return 0;
    if (is_legacy_address(host))
        return refuse(reterr, "not an IPv4 address (four numbers from 0 to 255)", host);
    return is_name(host) ? 0 : hint_host(host, reterr);
}

/* The parts of a target as it is written. */
struct parts {
    char host[HOST_BYTES];
    const char *services; /* behind the colon; NULL = none */
};

static int take_host(const char *at, size_t len, struct parts *parts, struct text *reterr)
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
static int split_brackets(const char *word, struct parts *parts, struct text *reterr)
{
    const char *close = strchr(word, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != ':'))
        return refuse(reterr, "brackets go around an IPv6 address, as in [2001:db8::1]:443", word);
    if (close[1] == ':')
        parts->services = close + 2;
    int r = take_host(word + 1, (size_t)(close - word - 1), parts, reterr);
    if (r == 0 && strchr(parts->host, ':') == NULL)
        r = refuse(reterr, "not an IPv6 address in brackets", word);
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

/* "host", "host:443", "fe80::1%eth0:443" */
static int split_colon(const char *word, struct parts *parts, struct text *reterr)
{
    const char *colon = find_colon(word);
    if (word[0] == '[')
        return split_brackets(word, parts, reterr);
    if (colon == NULL)
        return take_host(word, strlen(word), parts, reterr);
    parts->services = colon + 1;
    return take_host(word, (size_t)(colon - word), parts, reterr);
}

/* Make room for one more: twice as much each time that all is taken. */
static int grow(struct target_list *list)
{
    bool is_full = (list->count & (list->count - 1)) == 0; /* of a power of two, or of nothing */
    size_t room = list->count > 0 ? 2 * list->count : 1;
    struct target *items = is_full ? realloc(list->items, room * sizeof *items) : list->items;
    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    list->count++;
    return 0;
}

static int add_target(struct target_list *list, const char *input, const char *host,
                      struct text *reterr)
{
    if (list->count >= SONDE_TARGETS_MAX) {
        text_addf(reterr, "more than %d targets, which is as many as a run takes",
                  SONDE_TARGETS_MAX);
        return -EINVAL;
    }
    if (grow(list) < 0)
        return -ENOMEM;
    struct target *target = &list->items[list->count - 1];
    *target = (struct target){.input = strdup(input), .host = strdup(host)};
    return target->input != NULL && target->host != NULL ? 0 : -ENOMEM;
}

/* Read services of the last target. @param states  What is wanted of them; 0 = nothing is said. */
static int read_services(const char *words, uint32_t states, const struct target_rules *rules,
                         struct target_list *list, struct text *reterr)
{
    struct target *target = &list->items[list->count - 1];
    struct service_list named = {.count = 0};
    int r = services_read(words, &rules->services, &target->services, reterr);
    if (r == 0 && states != 0)
        r = services_read(words, &rules->services, &named, reterr);
    for (size_t i = 0; r == 0 && i < named.count; i++)
        (void)services_expect(&target->services, &named.items[i], states, true);
    services_deinit(&named);
    return r;
}

static int read_parts_of_url(const struct url *url, const struct target_rules *rules,
                             struct target_list *list, struct text *reterr)
{
    int r = check_host(url->host, rules, reterr);
    if (r == 0)
        r = add_target(list, url->shown, url->host, reterr);
    return r < 0 ? r : read_services(url->service, 0, rules, list, reterr);
}

/* "https://example.com:8443/path". What is wrong with one that may hold a password is said in
 * general words. */
static int read_url(const char *word, const struct target_rules *rules, struct target_list *list,
                    struct text *reterr)
{
    struct url url;
    struct text reason = {0};
    int r = url_read(word, &url, reterr);
    if (r < 0)
        return r;
    r = read_parts_of_url(&url, rules, list, &reason);
    if (r == -EINVAL && url_is_private(word))
        (void)url_refuse(word, reterr);
    else if (r < 0 && reason.data != NULL)
        text_add(reterr, reason.data);
    text_deinit(&reason);
    url_deinit(&url);
    return r;
}

/* Is it one or several services of the target before: ":ssh", "443", "53/udp", "@web"? */
static bool is_services(const char *word)
{
    size_t number = strspn(word, digits);
    return (word[0] == ':' && word[1] != ':') || word[0] == '@' ||
           (number > 0 && (word[number] == '\0' || word[number] == '/'));
}

/* "example.com", "example.com:443" */
static int read_host(const char *word, uint32_t states, const struct target_rules *rules,
                     struct target_list *list, struct text *reterr)
{
    struct parts parts = {.services = NULL};
    int r = split_colon(word, &parts, reterr);
    if (r == 0)
        r = check_host(parts.host, rules, reterr);
    if (r == 0)
        r = add_target(list, word, parts.host, reterr);
    if (r == 0 && parts.services != NULL)
        r = read_services(parts.services, states, rules, list, reterr);
    else if (r == 0 && states != 0)
        r = refuse(reterr, "a state belongs to a service, as in web1 22=open, not to", word);
    return r;
}

/* Read a word; what it says of a state was cut off. */
static int read_word(const char *word, uint32_t states, const struct target_rules *rules,
                     struct target_list *list, struct text *reterr)
{
    if (url_is(word))
        return read_url(word, rules, list, reterr);
    if (!is_services(word))
        return read_host(word, states, rules, list, reterr);
    if (list->count == 0)
        return refuse(reterr, "a service needs a target before it, as in example.com:443", word);
    return read_services(word[0] == ':' ? word + 1 : word, states, rules, list, reterr);
}

int targets_read(const char *word, const struct target_rules *rules, struct target_list *list,
                 struct text *reterr)
{
    size_t before = list->count;
    int r = read_word(word, 0, rules, list, reterr);
    if (r == 0 && list->count > before && list->items[before].services.count == 0)
        r = hint_doubt(word, before > 0, &list->items[before].doubt);
    return r;
}

/* A word of a file: "web1", ":443", "25=!open". */
static int read_file_word(char *word, bool first, const struct target_rules *rules,
                          struct target_list *list, struct text *reterr)
{
    uint32_t states = 0;
    char *equals = url_is(word) ? NULL : strchr(word, '=');
    if (equals != NULL && states_read(equals + 1, &states) < 0)
        return refuse(reterr, "not a state, or several, as in 22=closed|filtered or 25=!open",
                      word);
    if (equals != NULL)
        *equals = '\0';
    if (first && is_services(word))
        return refuse(reterr, "the line begins with a service", word);
    if (!first && !is_services(word))
        return refuse(reterr, "a service takes a colon, as in :ssh", word);
    return read_word(word, states, rules, list, reterr);
}

/* One line of a file. The first word is a target, the others are services of it. */
static int read_line(char *line, const struct target_rules *rules, struct target_list *list,
                     struct text *reterr)
{
    char *save;
    bool first = true;
    line[strcspn(line, "#")] = '\0';
    for (char *word = strtok_r(line, " \t\r", &save); word != NULL;
         word = strtok_r(NULL, " \t\r", &save)) {
        int r = read_file_word(word, first, rules, list, reterr);
        if (r < 0)
            return r;
        first = false;
    }
    return 0;
}

int targets_read_file(const char *bytes, size_t len, const char *name,
                      const struct target_rules *rules, struct target_list *list,
                      struct text *reterr)
{
    unsigned number = 0;
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t line_len = newline != NULL ? (size_t)(newline - bytes) : len;
        char *line = strndup(bytes, line_len);
        struct text reason = {0};
        number++;
        int r = line != NULL ? 0 : -ENOMEM;
        if (r == 0 && strlen(line) != line_len)
            r = refuse(&reason, "there is a NUL byte behind", line);
        if (r == 0)
            r = read_line(line, rules, list, &reason);
        free(line);
        if (r < 0 && reason.data != NULL) {
            text_add_untrusted(reterr, name, strlen(name));
            text_addf(reterr, ":%u: %s", number, reason.data);
        }
        text_deinit(&reason);
        if (r < 0)
            return r;
        if (newline == NULL)
            break;
        bytes = newline + 1;
        len -= line_len + 1;
    }
    return 0;
}

/* Put the control in front, unless icmp is there already. */
static int add_control(struct service_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].port == 0)
            return 0;
    }
    return services_put_first(list,
                              &(struct service){.protocol = "icmp", .control = list->count > 0});
}

/* Can a target be asked from the source address? Of a name the session takes an address that can.
 */
static int check_source(const struct target *target, enum sonde_family source, struct text *reterr)
{
    struct sonde_addr addr = {.family = SONDE_FAMILY_NONE};
    if (is_zoned_address(target->host))
        addr.family = SONDE_FAMILY_IPV6;
    else if (sonde_addr_parse(target->host, &addr) < 0)
        return 0;
    if (source == SONDE_FAMILY_NONE || addr.family == (uint8_t)source)
        return 0;
    return refuse(reterr, "an address of another family than that of -a", target->input);
}

/* A target without a service that is perhaps none. */
static int check_doubt(const struct target *target, struct text *reterr)
{
    if (target->doubt == NULL || target->services.count > 0)
        return 0;
    text_add(reterr, target->doubt);
    return -EINVAL;
}

int targets_finish(struct target_list *list, const struct target_rules *rules, struct text *reterr)
{
    if (list->count == 0) {
        text_add(reterr, "no target");
        return -EINVAL;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct target *target = &list->items[i];
        int r = check_source(target, rules->source, reterr);
        if (r == 0 && rules->ports == NULL)
            r = check_doubt(target, reterr);
        if (r == 0 && rules->ports != NULL)
            r = services_read(rules->ports, &rules->services, &target->services, reterr);
        if (r == 0 && target->services.count == 0 && rules->tcp)
            r = services_read("80", &rules->services, &target->services, reterr);
        if (r < 0)
            return r;
        if (target->services.count == 0 && rules->udp)
            return refuse(reterr, "-u needs a port, as in -u example.com:53, not only",
                          target->input);
        if (!rules->no_icmp)
            r = add_control(&target->services);
        else if (target->services.count == 0)
            return refuse(reterr, "--no-icmp leaves nothing to probe at", target->input);
        if (r < 0)
            return r;
    }
    return 0;
}

void targets_deinit(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].input);
        free(list->items[i].host);
        free(list->items[i].doubt);
        services_deinit(&list->items[i].services);
    }
    free(list->items);
    *list = (struct target_list){0};
}
