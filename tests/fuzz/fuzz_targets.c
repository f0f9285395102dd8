/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * targets_read(), targets_read_file(), services_read() and expect_read(). The first byte holds the
 * rules; the rest is read as one word, as a list of services, as a file, and as what is expected of
 * some targets.
 */
#include "app/expect.h"
#include "app/url.h"
#include "base/states.h"
#include "fuzz.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = 8192,
    HOST_MAX = 255, /* bytes of a name: RFC 1035 §2.3.4 */
};

/* In the place of the C library's: a file read for every unknown name would be most of the work,
 * and what it holds differs from system to system. */
int getservbyname_r(const char *name, const char *proto, struct servent *result_buf, char *buf,
                    size_t buflen, struct servent **result)
{
    (void)name, (void)proto, (void)result_buf, (void)buf, (void)buflen;
    *result = NULL;
    return 0;
}

static void check_services(const struct service_list *list, size_t max)
{
    FUZZ_CHECK(list->count <= max);
    for (size_t i = 0; i < list->count; i++) {
        const struct service *service = &list->items[i];
        bool icmp = strcmp(service->protocol, "icmp") == 0;
        FUZZ_CHECK(icmp || strcmp(service->protocol, "tcp") == 0 ||
                   strcmp(service->protocol, "udp") == 0);
        FUZZ_CHECK(icmp == (service->port == 0));
        FUZZ_CHECK(memchr(service->name, '\0', sizeof service->name) != NULL);
        FUZZ_CHECK((service->expect & ~STATES_ALL) == 0);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(list->items[k].port != service->port ||
                       strcmp(list->items[k].protocol, service->protocol) != 0);
    }
}

static void check_targets(const struct target_list *list, size_t max)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct target *target = &list->items[i];
        size_t len = strlen(target->host);
        FUZZ_CHECK(len > 0 && len <= HOST_MAX);
        FUZZ_CHECK(target->host[0] != '-'); /* it never looks like an option */
        for (size_t k = 0; k < len; k++)
            FUZZ_CHECK((uint8_t)target->host[k] > ' ' && target->host[k] != 0x7f);
        check_services(&target->services, max);
    }
}

/* User information of a URL: what stands between the slashes and the last "@" of it. Of few letters
 * it may stand in any error by chance. */
static bool holds_secret(const char *text, const char *word)
{
    const char *start = strstr(word, "://");
    const char *end = start != NULL ? strrchr(start, '@') : NULL;
    size_t len = end != NULL ? (size_t)(end - start) - 3 : 0;
    return len >= 12 && memmem(text, strlen(text), start + 3, len) != NULL;
}

/* A URL as a word: what is kept or said of it holds no user information. */
static void read_url(const char *text, const struct target_rules *rules)
{
    struct target_list list = {0};
    struct text error = {0};
    if (!url_is(text))
        return;
    fuzz_check_error(targets_read(text, rules, &list, &error), &error);
    FUZZ_CHECK(error.data == NULL || !holds_secret(error.data, text));
    for (size_t i = 0; i < list.count; i++) {
        FUZZ_CHECK(strchr(strstr(list.items[i].input, "://"), '@') == NULL);
        FUZZ_CHECK(!holds_secret(list.items[i].host, text));
    }
    text_deinit(&error);
    targets_deinit(&list);
}

/* As a list of --expect, for two targets with services. */
static void read_expected(const char *text, const struct target_rules *rules)
{
    static const char *const words[] = {"web1", ":22,443,53/udp", "[2001:db8::1]:22", "@dns"};
    struct target_list list = {0};
    struct text error = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof words / sizeof *words; i++)
        r = targets_read(words[i], rules, &list, &error);
    FUZZ_CHECK(r == 0);
    r = expect_read(text, &rules->services, &list, &error);
    fuzz_check_error(r, &error);
    check_targets(&list, rules->services.max);
    bool noted = false;
    for (size_t i = 0; i < list.count; i++) {
        for (size_t k = 0; k < list.items[i].services.count; k++)
            noted |= list.items[i].services.items[k].expect != 0;
    }
    FUZZ_CHECK(r < 0 || noted);
    text_deinit(&error);
    targets_deinit(&list);
}

static void read_all(const char *text, size_t len, const struct target_rules *rules, bool as_file)
{
    struct target_list list = {0};
    struct text error = {0};
    int r = as_file ? targets_read_file(text, len, "a\033file", rules, &list, &error)
                    : targets_read(text, rules, &list, &error);
    fuzz_check_error(r, &error);
    check_targets(&list, rules->services.max);
    if (r == 0) {
        r = targets_finish(&list, rules, &error);
        fuzz_check_error(r, &error);
        FUZZ_CHECK(r < 0 || list.count > 0);
        check_targets(&list, rules->services.max + 1);
    }
    for (size_t i = 0; r == 0 && i < list.count; i++)
        FUZZ_CHECK(list.items[i].services.count > 0);
    text_deinit(&error);
    targets_deinit(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[INPUT_MAX + 1];
    if (size == 0 || size > INPUT_MAX)
        return 0;
    const struct target_rules rules = {
        .services = {.protocol = (data[0] & 1) != 0 ? "udp" : "tcp",
                     .max = (data[0] & 2) != 0 ? SERVICES_MANY : SERVICES_USUAL},
        .ports = (data[0] & 4) != 0 ? "53/udp,@web" : NULL,
        .no_icmp = (data[0] & 8) != 0,
        .tcp = (data[0] & 16) != 0,
        .udp = (data[0] & 32) != 0,
    };
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    read_all(text, size - 1, &rules, true);
    read_all(text, size - 1, &rules, false);
    read_url(text, &rules);
    read_expected(text, &rules);

    struct service_list services = {.count = 0};
    struct text error = {0};
    fuzz_check_error(services_read(text, &rules.services, &services, &error), &error);
    check_services(&services, rules.services.max);
    services_deinit(&services);
    text_deinit(&error);
    return 0;
}
