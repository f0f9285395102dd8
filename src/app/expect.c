/* SPDX-License-Identifier: BSD-2-Clause */
/* Expectations and limits; see app/expect.h. */
#include "app/expect.h"

#include "base/number.h"
#include "base/states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 96 };

/* What an entry says: "22=closed", "web1:25=!open". It is taken apart in place. */
struct entry {
    const char *target; /* its name or address; NULL = all */
    const char *services;
    uint32_t states;
};

/* What a list is read with. */
struct reader {
    const struct service_rules *rules;
    struct target_list *targets;
    struct text *reterr;
};

static int refuse(const struct reader *reader, const char *what, const char *word,
                  const char *advice)
{
    text_addf(reader->reterr, "--expect: %s: ", what);
    text_add_untrusted(reader->reterr, word, strlen(word));
    text_addf(reader->reterr, " (%s)", advice);
    return -EINVAL;
}

/* Take "web1:25" apart, also "[2001:db8::1]:25" and ":25". @return false if it is none of these. */
static bool split_target(char *word, struct entry *entry)
{
    char *colon = strchr(word, ':');
    entry->target = NULL;
    entry->services = word;
    if (word[0] == '[') {
        char *close = strchr(word, ']');
        if (close == NULL || close[1] != ':')
            return false;
        *close = '\0';
        entry->target = word + 1;
        entry->services = close + 2;
        return true;
    }
    if (colon == NULL)
        return true;
    if (strchr(colon + 1, ':') != NULL)
        return false;
    *colon = '\0';
    entry->target = colon != word ? word : NULL;
    entry->services = colon + 1;
    return true;
}

static int read_entry(const struct reader *reader, char *word, struct entry *ret_entry)
{
    char *equals = strchr(word, '=');
    if (equals == NULL)
        return refuse(reader, "not a service and a state", word, "as in 22=closed, web1:25=!open");
    if (states_read(equals + 1, &ret_entry->states) < 0)
        return refuse(reader, "not a state", equals + 1,
                      "open, closed, filtered, rejected, open_or_filtered or unreachable; "
                      "alternatives are closed|filtered, the opposite is !open");
    *equals = '\0';
    if (!split_target(word, ret_entry))
        return refuse(reader, "not a target and a service", word,
                      "as in web1:25=!open, [2001:db8::1]:25=!open");
    return 0;
}

/* Is it the target that an entry is for? Names are the same in any case (RFC 4343), addresses
 * however they are written. */
static bool is_for(const struct entry *entry, const struct target *target)
{
    struct sonde_addr wanted;
    struct sonde_addr own;
    if (entry->target == NULL || text_is_same(entry->target, target->host))
        return true;
    return sonde_addr_parse(entry->target, &wanted) == 0 &&
           sonde_addr_parse(target->host, &own) == 0 && sonde_addr_equal(&wanted, &own);
}

static bool has_target(const struct reader *reader, const struct entry *entry)
{
    bool has = false;
    for (size_t i = 0; i < reader->targets->count; i++)
        has |= is_for(entry, &reader->targets->items[i]);
    return has;
}

/* Note what an entry says of a service. @return how many targets have it. */
static size_t note(const struct reader *reader, const struct entry *entry,
                   const struct service *which)
{
    size_t count = 0;
    for (size_t i = 0; i < reader->targets->count; i++) {
        struct target *target = &reader->targets->items[i];
        if (is_for(entry, target))
            count +=
                services_expect(&target->services, which, entry->states, entry->target != NULL);
    }
    return count;
}

/* Of a name that stands for two protocols, such as dns, one is enough. */
static bool is_noted_otherwise(const struct service_list *named, const bool *noted, size_t index)
{
    for (size_t i = 0; i < named->count; i++) {
        if (noted[i] && named->items[i].port == named->items[index].port &&
            strcmp(named->items[i].name, named->items[index].name) == 0)
            return true;
    }
    return false;
}

/* Read the services of an entry. */
static int read_services(const struct reader *reader, const struct entry *entry,
                         struct service_list *named)
{
    const struct service_rules rules = {.protocol = reader->rules->protocol, .max = SERVICES_MANY};
    struct text reason = {0};
    int r = services_read(entry->services, &rules, named, &reason);
    if (reason.data != NULL)
        text_addf(reader->reterr, "--expect: %s", reason.data);
    text_deinit(&reason);
    return r;
}

/* Refuse an entry for a service that nobody has. @param count  How many of the entry's somebody
 * has: if it is none, they are all named, as they are written. */
static int refuse_missing(const struct reader *reader, const struct entry *entry,
                          const struct service *missing, size_t count)
{
    char port[16];
    (void)snprintf(port, sizeof port, "%u/%s", missing->port, missing->protocol);
    return refuse(reader,
                  entry->target != NULL ? "that target has no such service"
                                        : "no target has the service",
                  count > 0 ? port : entry->services, "name it there too");
}

/* What is expected of a service that nobody has would never be looked at. */
static int note_all(const struct reader *reader, const struct entry *entry)
{
    bool noted[SERVICES_MANY] = {false};
    size_t count = 0;
    struct service_list named = {0};
    int r = read_services(reader, entry, &named);
    for (size_t i = 0; r == 0 && i < named.count; i++) {
        noted[i] = note(reader, entry, &named.items[i]) > 0;
        count += noted[i];
    }
    for (size_t i = 0; r == 0 && i < named.count; i++) {
        if (!noted[i] && !is_noted_otherwise(&named, noted, i))
            r = refuse_missing(reader, entry, &named.items[i], count);
    }
    services_deinit(&named);
    return r;
}

/* An entry, in its turn: those for a single target come after those for all. */
static int read_one(const struct reader *reader, char *word, bool own)
{
    struct entry entry;
    int r = read_entry(reader, word, &entry);
    if (r < 0 || own != (entry.target != NULL))
        return r;
    if (own && !has_target(reader, &entry))
        return refuse(reader, "there is no target", entry.target,
                      "write it as the target is written");
    return note_all(reader, &entry);
}

static int read_list(const struct reader *reader, const char *words, bool own)
{
    const char *at = words;
    while (true) {
        size_t len = strcspn(at, ",");
        char *word = strndup(at, len);
        int r = word != NULL ? read_one(reader, word, own) : -ENOMEM;
        free(word);
        if (r < 0 || at[len] == '\0')
            return r;
        at += len + 1;
    }
}

int expect_read(const char *words, const struct service_rules *rules, struct target_list *targets,
                struct text *reterr)
{
    const struct reader reader = {rules, targets, reterr};
    int r = read_list(&reader, words, false);
    return r < 0 ? r : read_list(&reader, words, true);
}

/* "5%", "0.5" */
static int read_percent(const char *word, double *ret_ratio)
{
    char number[WORD_BYTES];
    sonde_ns billionths;
    size_t len = strlen(word);
    if (len > 0 && word[len - 1] == '%')
        len--;
    if (len == 0 || len >= sizeof number)
        return -EINVAL;
    memcpy(number, word, len);
    number[len] = '\0';
    if (number_parse_ns(number, SONDE_NS_PER_S / 100, &billionths) < 0 ||
        billionths > SONDE_NS_PER_S)
        return -EINVAL;
    *ret_ratio = (double)billionths / (double)SONDE_NS_PER_S;
    return 0;
}

int expect_read_limits(const char *words, struct sonde_limits *ret_limits)
{
    /* those of the other limit, too */
    const struct sonde_bounds *bounds = sonde_option_bounds(SONDE_OPTION_WARN_RTT);
    struct sonde_limits limits = {.set = true, .loss_ratio = 1};
    char rtt[WORD_BYTES];
    size_t len = strcspn(words, ",");
    if (words[0] == '\0' || len >= sizeof rtt)
        return -EINVAL;
    memcpy(rtt, words, len);
    rtt[len] = '\0';
    if (len > 0 && (number_parse_ns(rtt, SONDE_NS_PER_MS, &limits.rtt_ns) < 0 ||
                    limits.rtt_ns < bounds->least || limits.rtt_ns > bounds->most))
        return -EINVAL;
    if (words[len] == ',' && read_percent(words + len + 1, &limits.loss_ratio) < 0)
        return -EINVAL;
    *ret_limits = limits;
    return 0;
}
