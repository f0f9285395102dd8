/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets as they are written; see app/targets.h. */
#include "app/targets.h"

#include "app/hints.h"
#include "app/host.h"
#include "app/url.h"
#include "base/states.h"

#include <sonde/run.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789";

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
    int r = host_check(url->host, rules->has_interface, reterr);
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
    struct host_parts parts = {.services = NULL};
    int r = host_split(word, &parts, reterr);
    if (r == 0)
        r = host_check(parts.host, rules->has_interface, reterr);
    if (r == 0)
        r = add_target(list, word, parts.host, reterr);
    if (r == 0 && parts.services != NULL)
        r = read_services(parts.services, states, rules, list, reterr);
    else if (r == 0 && states != 0)
        r = host_refuse(reterr, "a state belongs to a service, as in web1 22=open, not to", word);
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
        return host_refuse(reterr, "a service needs a target before it, as in example.com:443",
                           word);
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
        return host_refuse(reterr, "not a state, or several, as in 22=closed|filtered or 25=!open",
                           word);
    if (equals != NULL)
        *equals = '\0';
    if (first && is_services(word))
        return host_refuse(reterr, "the line begins with a service", word);
    if (!first && !is_services(word))
        return host_refuse(reterr, "a service takes a colon, as in :ssh", word);
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
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a file of UTF-8 so */
    unsigned number = 0;
    if (len >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0) {
        bytes += strlen(mark);
        len -= strlen(mark);
    }
    while (len > 0) {
        const char *newline = memchr(bytes, '\n', len);
        size_t line_len = newline != NULL ? (size_t)(newline - bytes) : len;
        char *line = strndup(bytes, line_len);
        struct text reason = {0};
        number++;
        int r = line != NULL ? 0 : -ENOMEM;
        if (r == 0 && strlen(line) != line_len)
            r = host_refuse(&reason, "there is a NUL byte behind", line);
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

/* The family of a target that is an address; SONDE_FAMILY_NONE: it is a name. */
static enum sonde_family family_of(const struct target *target)
{
    struct sonde_addr addr;
    if (host_is_zoned(target->host))
        return SONDE_FAMILY_IPV6;
    return sonde_addr_parse(target->host, &addr) < 0 ? SONDE_FAMILY_NONE
                                                     : (enum sonde_family)addr.family;
}

enum sonde_family targets_family(const struct target_list *list)
{
    enum sonde_family family = list->count > 0 ? family_of(&list->items[0]) : SONDE_FAMILY_NONE;
    for (size_t i = 1; i < list->count; i++) {
        if (family_of(&list->items[i]) != family)
            return SONDE_FAMILY_NONE;
    }
    return family;
}

bool targets_speak(const struct target_list *list, const char *protocol)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct service_list *services = &list->items[i].services;
        for (size_t k = 0; k < services->count; k++) {
            if (strcmp(services->items[k].protocol, protocol) == 0)
                return true;
        }
    }
    return false;
}

/* Can a target be asked from the source address? Of a name the run takes an address that can.
 */
static int check_source(const struct target *target, enum sonde_family source, struct text *reterr)
{
    enum sonde_family family = family_of(target);
    if (source == SONDE_FAMILY_NONE || family == SONDE_FAMILY_NONE || family == source)
        return 0;
    return host_refuse(reterr, "an address of another family than that of -a", target->input);
}

/* A target without a service that is perhaps none. */
static int check_doubt(const struct target *target, struct text *reterr)
{
    if (target->doubt == NULL || target->services.count > 0)
        return 0;
    text_add(reterr, target->doubt);
    return -EINVAL;
}

/* Has a target places for all its flows? */
static int check_flows(const struct target *target, uint32_t flows, struct text *reterr)
{
    size_t count = 0;
    for (size_t i = 0; i < target->services.count; i++)
        count += target->services.items[i].control ? 1 : flows;
    if (count <= SONDE_TARGET_FLOWS_MAX)
        return 0;
    text_addf(reterr, "--flows %" PRIu32 " of each service of ", flows);
    text_add_untrusted(reterr, target->input, strlen(target->input));
    text_addf(reterr, " are %zu with its control: a target has at most %d", count,
              SONDE_TARGET_FLOWS_MAX);
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
            return host_refuse(reterr, "-u needs a port, as in -u example.com:53, not only",
                               target->input);
        if (!rules->no_icmp)
            r = add_control(&target->services);
        else if (target->services.count == 0)
            return host_refuse(reterr, "--no-icmp leaves nothing to probe at", target->input);
        if (r == 0)
            r = check_flows(target, rules->flows, reterr);
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
