/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets as people write them, and as people should not. */
#include "app/targets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct target_rules rules = {.services = {.protocol = "tcp", .max = SERVICES_USUAL}};

/* The list as "host: icmp 443/tcp; host: …", or the error in brackets. */
static void show(const struct target_list *list, char *shown, size_t cap)
{
    shown[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        size_t len = strlen(shown);
        (void)snprintf(shown + len, cap - len, "%s%s:", i > 0 ? "; " : "", list->items[i].host);
        for (size_t k = 0; k < list->items[i].services.count; k++) {
            const struct service *service = &list->items[i].services.items[k];
            len = strlen(shown);
            if (service->port == 0)
                (void)snprintf(shown + len, cap - len, " %s%s", service->protocol,
                               service->control ? "*" : "");
            else
                (void)snprintf(shown + len, cap - len, " %u/%s", service->port, service->protocol);
        }
    }
}

/* Read words separated by blanks. */
static void read_as_text(const char *words, const struct target_rules *how, char *shown, size_t cap)
{
    struct target_list list = {.count = 0};
    struct text error = {0};
    char copy[512];
    char *save;
    int r = 0;
    (void)snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &save); r == 0 && word != NULL;
         word = strtok_r(NULL, " ", &save))
        r = targets_read(word, how, &list, &error);
    if (r == 0)
        r = targets_finish(&list, how, &error);
    if (r == 0)
        show(&list, shown, cap);
    else
        (void)snprintf(shown, cap, "[%s]", error.data != NULL ? error.data : "no reason");
    text_deinit(&error);
    targets_deinit(&list);
}

Test(targets, every_form_of_the_interface_is_read)
{
    static const struct {
        const char *words;
        const char *list;
    } cases[] = {
        {"example.com", "example.com: icmp"},
        {"example.com:443", "example.com: icmp* 443/tcp"},
        {"example.com 443 :ssh :53/udp", "example.com: icmp* 443/tcp 22/tcp 53/udp"},
        {"db1 :5432 22 web1 :@web",
         "db1: icmp* 5432/tcp 22/tcp; web1: icmp* 80/tcp 443/tcp 443/udp"},
        {"[2001:db8::1]:443", "2001:db8::1: icmp* 443/tcp"},
        {"[2001:db8::1]", "2001:db8::1: icmp"},
        {"2001:db8::1", "2001:db8::1: icmp"},
        {"2001:db8::1 443", "2001:db8::1: icmp* 443/tcp"},
        {"::1", "::1: icmp"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1: icmp"},
        {"https://example.com/x", "example.com: icmp* 443/tcp"},
        {"http://example.com", "example.com: icmp* 80/tcp"},
        {"https://example.com:8443/x?y#z", "example.com: icmp* 8443/tcp"},
        {"https://[2001:db8::1]/", "2001:db8::1: icmp* 443/tcp"},
        {"example.com:https,ssh,icmp", "example.com: 443/tcp 22/tcp icmp"},
        {"example.com:8000-8002", "example.com: icmp* 8000/tcp 8001/tcp 8002/tcp"},
        {"192.0.2.1:80", "192.0.2.1: icmp* 80/tcp"},
        {"fe80::1%eth0", "fe80::1%eth0: icmp"},
        {"[fe80::1%eth0]:22", "fe80::1%eth0: icmp* 22/tcp"},
        {"a.b.c.", "a.b.c.: icmp"},
        {"ntp", "ntp: icmp"}, /* a bare word is a host */
        {"my_host-1", "my_host-1: icmp"},
        {"b\xc3\xbc"
         "cher.example",
         "b\xc3\xbc"
         "cher.example: icmp"},
        {"a b", "a: icmp; b: icmp"},
    };
    char shown[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_as_text(cases[i].words, &rules, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].list, "%s: %s", cases[i].words, shown);
    }
}

Test(targets, what_is_no_target_is_refused_with_a_reason)
{
    static const char *const words[] = {
        "443", /* a service without a target */
        ":443",
        ".",
        "..",
        "a..b",
        ".a",
        "a.b..",
        "-x",
        "-",
        "a/24",
        "a/b",
        "@file",
        "$(id)",
        "a;b",
        "a'b",
        "a\"b",
        "%s%n",
        "a%b",
        "a\\b",
        "127.1",
        "1",
        "010.1.1.1",
        "0x7f000001",
        "0x7f.1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.999",
        "192.0.2.1.",
        "192.0.2.1/24",
        "[2001:db8::1",
        "2001:db8::1]:443",
        "[192.0.2.1]:443",
        "[]",
        "[]:443",
        "[::1]443",
        "[example.com]:443",
        "2001:db8:::1",
        "2001:db8::g",
        "1:2:3:4:5:6:7:8:9",
        "fe80::1",
        "[fe80::1]:22",
        "fe80::1%",
        "fe80::1%a/b",
        "192.0.2.1%eth0",
        "host%eth0",
        "host:",
        "host:0",
        "host:65536",
        "host:5x",
        "host:80-70",
        "host:nosuchservice",
        "://x",
        "https://",
        "https://user@host/",
        "nosuchscheme://host",
        "https:///x",
        "\033[31m",
        "a\tb",
        "a\nb",
        "a\x7f",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl.example", /* label of 64
                                                                                     */
    };
    char shown[512];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        read_as_text(words[i], &rules, shown, sizeof shown);
        cr_expect_eq(shown[0], '[', "%s was taken: %s", words[i], shown);
        for (const char *at = shown; *at != '\0'; at++)
            cr_expect_geq((unsigned char)*at, 0x20, "%s", words[i]);
    }
}

Test(targets, names_of_254_bytes_and_more_are_refused)
{
    char name[400];
    char shown[800];
    memset(name, 'a', sizeof name);
    for (size_t i = 50; i < sizeof name; i += 50)
        name[i] = '.';
    name[300] = '\0';
    read_as_text(name, &rules, shown, sizeof shown);
    cr_expect_eq(shown[0], '[');
    name[253] = '\0';
    read_as_text(name, &rules, shown, sizeof shown);
    cr_expect_neq(shown[0], '[', "%s", shown);
}

Test(targets, common_services_and_controls_are_added_to_every_target)
{
    struct target_rules how = rules;
    char shown[512];
    how.ports = "22,53/udp";
    read_as_text("a b:80", &how, shown, sizeof shown);
    cr_expect_str_eq(shown, "a: icmp* 22/tcp 53/udp; b: icmp* 80/tcp 22/tcp 53/udp");
    how.no_icmp = true;
    read_as_text("a", &how, shown, sizeof shown);
    cr_expect_str_eq(shown, "a: 22/tcp 53/udp");
    how.ports = NULL;
    read_as_text("a", &how, shown, sizeof shown);
    cr_expect_eq(shown[0], '[');
    how = rules;
    how.tcp = true;
    read_as_text("a b:icmp", &how, shown, sizeof shown);
    cr_expect_str_eq(shown, "a: icmp* 80/tcp; b: icmp");
    how = rules;
    how.udp = true;
    read_as_text("a", &how, shown, sizeof shown);
    cr_expect_eq(shown[0], '[');
}

static int read_file(const char *bytes, size_t len, char *shown, size_t cap)
{
    struct target_list list = {.count = 0};
    struct text error = {0};
    int r = targets_read_file(bytes, len, "hosts", &rules, &list, &error);
    if (r == 0)
        show(&list, shown, cap);
    else
        (void)snprintf(shown, cap, "%s", error.data);
    text_deinit(&error);
    targets_deinit(&list);
    return r;
}

Test(targets, a_file_has_a_target_a_line_with_services_behind_it)
{
    static const char file[] = "# comment\n"
                               "\n"
                               "  a\t:443 22   # more\r\n"
                               "b:80\n"
                               "#c\n"
                               "2001:db8::1 :dns";
    char shown[512];
    cr_expect_eq(read_file(file, sizeof file - 1, shown, sizeof shown), 0);
    cr_expect_str_eq(shown, "a: 443/tcp 22/tcp; b: 80/tcp; 2001:db8::1: 53/udp 53/tcp");
    cr_expect_eq(read_file("", 0, shown, sizeof shown), 0);
}

Test(targets, an_error_in_a_file_names_its_line)
{
    static const struct {
        const char *file;
        size_t len;
        const char *begins;
    } cases[] = {
        {"a\nb :nosuch\n", 12, "hosts:2: "},
        {"a\n\n443\n", 7, "hosts:3: "},
        {"a b\n", 4, "hosts:1: "},
        {"a\0b\n", 4, "hosts:1: "},
        {"\xff\xfe\n", 3, ""}, /* bytes beyond ASCII are the resolver's to judge */
    };
    char shown[512];
    for (size_t i = 0; i + 1 < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(read_file(cases[i].file, cases[i].len, shown, sizeof shown), -EINVAL);
        cr_expect_eq(strncmp(shown, cases[i].begins, strlen(cases[i].begins)), 0, "%s", shown);
    }
}
