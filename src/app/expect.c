/* SPDX-License-Identifier: BSD-2-Clause */
/* Expectations and limits; see app/expect.h. */
#include "app/expect.h"

#include "base/number.h"
#include "base/states.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 96 };

static int refuse(struct text *reterr, const char *what, const char *word, const char *advice)
{
    text_add(reterr, what);
    text_add_untrusted(reterr, word, strlen(word));
    text_addf(reterr, " (%s)", advice);
    return -EINVAL;
}

/* Note a state at every target that has the service. @return how many have. */
static size_t note(struct target_list *targets, const struct service *wanted, uint32_t states)
{
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++) {
        struct service_list *services = &targets->items[i].services;
        for (size_t k = 0; k < services->count; k++) {
            struct service *service = &services->items[k];
            if (service->port != wanted->port || strcmp(service->protocol, wanted->protocol) != 0)
                continue;
            service->expect = states;
            service->control = false;
            count++;
        }
    }
    return count;
}

/* "22=closed" */
static int read_one(char *word, const struct service_rules *rules, struct target_list *targets,
                    struct text *reterr)
{
    static const char advice[] = "as in 22=closed, 25=!open; states are open, closed, filtered, "
                                 "rejected, open_or_filtered and unreachable";
    struct service_list services = {0};
    uint32_t states = 0;
    char *equals = strchr(word, '=');
    if (equals == NULL || states_read(equals + 1, &states) < 0)
        return refuse(reterr, "--expect: not a service and a state: ", word, advice);
    *equals = '\0';
    int r = services_read(word, rules, &services, reterr);
    for (size_t i = 0; r == 0 && i < services.count; i++) {
        if (note(targets, &services.items[i], states) == 0)
            r = refuse(reterr, "--expect: no target has the service ", word, "name it there too");
    }
    services_deinit(&services);
    return r;
}

int expect_read(const char *words, const struct service_rules *rules, struct target_list *targets,
                struct text *reterr)
{
    const char *at = words;
    while (true) {
        char word[WORD_BYTES];
        size_t len = strcspn(at, ",");
        if (len == 0 || len >= sizeof word) {
            text_add(reterr, "--expect: an entry that is empty or too long");
            return -EINVAL;
        }
        memcpy(word, at, len);
        word[len] = '\0';
        int r = read_one(word, rules, targets, reterr);
        if (r < 0 || at[len] == '\0')
            return r;
        at += len + 1;
    }
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
    struct sonde_limits limits = {.set = true, .loss_ratio = 1};
    char rtt[WORD_BYTES];
    size_t len = strcspn(words, ",");
    if (words[0] == '\0' || len >= sizeof rtt)
        return -EINVAL;
    memcpy(rtt, words, len);
    rtt[len] = '\0';
    if (len > 0 && (number_parse_ns(rtt, SONDE_NS_PER_MS, &limits.rtt_ns) < 0 ||
                    limits.rtt_ns == 0 || limits.rtt_ns > 3600 * SONDE_NS_PER_S))
        return -EINVAL;
    if (words[len] == ',' && read_percent(words + len + 1, &limits.loss_ratio) < 0)
        return -EINVAL;
    *ret_limits = limits;
    return 0;
}
