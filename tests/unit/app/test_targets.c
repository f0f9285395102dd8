/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets as people write them, and as people should not. */
#include "app/targets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sonde/run.h>
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
        {"fe80::1%eth0:22", "fe80::1%eth0: icmp* 22/tcp"},
        {"fe80::1%eth0:ssh,53/udp", "fe80::1%eth0: icmp* 22/tcp 53/udp"},
        {"fe80::1%2 :22", "fe80::1%2: icmp* 22/tcp"},
        {"[::ffff:192.0.2.1]:22", "::ffff:192.0.2.1: icmp* 22/tcp"},
        {"a.b.c.", "a.b.c.: icmp"},
        {"ntp", "ntp: icmp"}, /* a bare word is a host */
        {"my_host-1", "my_host-1: icmp"},
        {"b\xc3\xbc"
         "cher.example",
         "b\xc3\xbc"
         "cher.example: icmp"},
        {"a b", "a: icmp; b: icmp"},
        {"a 443/tcp 53/udp 5353/dns", "a: icmp* 443/tcp 53/udp 5353/udp"},
        {"a @web b @remote,443", "a: icmp* 80/tcp 443/tcp 443/udp; "
                                 "b: icmp* 22/tcp 3389/tcp 5900/tcp 443/tcp"},
        {"a :@web :SSH", "a: icmp* 80/tcp 443/tcp 443/udp 22/tcp"},
        {"gw :5353/dns :443/openvpn", "gw: icmp* 5353/udp 443/udp"},
        /* hosts have the names of services, too */
        {"redis :6379 postgres :5432", "redis: icmp* 6379/tcp; postgres: icmp* 5432/tcp"},
        {"a ssh:icmp", "a: icmp; ssh: icmp"},
        {"12-34", "12-34: icmp"},
        /* and addresses end in the number of a port */
        {"[fd90::2:443]", "fd90::2:443: icmp"},
        {"fd90::2:443 :80", "fd90::2:443: icmp* 80/tcp"},
        {"2001:db8::25", "2001:db8::25: icmp"},
        {"2001:db8::1:9999", "2001:db8::1:9999: icmp"},
        {"2001:db8:1:2:3:4:5:443", "2001:db8:1:2:3:4:5:443: icmp"},
    };
    char shown[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_as_text(cases[i].words, &rules, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].list, "%s: %s", cases[i].words, shown);
    }
}

Test(targets, an_address_of_another_family_than_the_source_is_refused)
{
    static const struct {
        const char *words;
        enum sonde_family source;
        const char *shown;
    } cases[] = {
        {"192.0.2.1", SONDE_FAMILY_IPV4, "192.0.2.1: icmp"},
        {"2001:db8::1", SONDE_FAMILY_IPV6, "2001:db8::1: icmp"},
        {"fe80::1%eth0", SONDE_FAMILY_IPV6, "fe80::1%eth0: icmp"},
        {"example.com", SONDE_FAMILY_IPV6, "example.com: icmp"}, /* its address is chosen so */
        {"192.0.2.1", SONDE_FAMILY_IPV6,
         "[an address of another family than that of -a: 192.0.2.1]"},
        {"example.com [2001:db8::1]:443", SONDE_FAMILY_IPV4,
         "[an address of another family than that of -a: [2001:db8::1]:443]"},
        {"fe80::1%eth0", SONDE_FAMILY_IPV4,
         "[an address of another family than that of -a: fe80::1%eth0]"},
    };
    char shown[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct target_rules how = rules;
        how.source = cases[i].source;
        read_as_text(cases[i].words, &how, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].shown, "%s: %s", cases[i].words, shown);
    }
}

Test(targets, they_have_a_family_if_all_are_addresses_of_it)
{
    static const struct {
        const char *words[2];
        enum sonde_family family;
    } cases[] = {
        {{"192.0.2.1", "192.0.2.2:443"}, SONDE_FAMILY_IPV4},
        {{"[2001:db8::1]:443", "fe80::1%eth0"}, SONDE_FAMILY_IPV6},
        {{"192.0.2.1", "2001:db8::1"}, SONDE_FAMILY_NONE},
        {{"192.0.2.1", "example.com"}, SONDE_FAMILY_NONE},
        {{"example.com", "192.0.2.1"}, SONDE_FAMILY_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct target_list list = {0};
        struct text error = {0};
        for (size_t k = 0; k < 2; k++)
            cr_assert_eq(targets_read(cases[i].words[k], &rules, &list, &error), 0);
        cr_expect_eq(targets_family(&list), cases[i].family, "%zu", i);
        targets_deinit(&list);
    }
}

/* -I says which link it is. */
Test(targets, with_an_interface_a_link_local_address_needs_no_zone)
{
    struct target_rules bound = rules;
    char shown[512];
    bound.has_interface = true;
    read_as_text("fe80::1 443", &bound, shown, sizeof shown);
    cr_expect_str_eq(shown, "fe80::1: icmp* 443/tcp");
    read_as_text("[fe80::1]:22", &bound, shown, sizeof shown);
    cr_expect_str_eq(shown, "fe80::1: icmp* 22/tcp");
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
        "@nosuch",
        "a,b",
        "a 22,443",
        "a 22=closed",
        "a:22=closed",
        "443/tcp",
        "@web",
        "a 10/8",
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
        "fe80::1%:22",
        "fe80::1%eth0:",
        "fe80::1%eth0:22:23",
        "[fe80::1%eth0:22]",
        "::ffff:192.0.2.1%eth0",
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

/* What was probably meant, in one line. */
Test(targets, near_misses_are_told_what_to_write)
{
    static const struct {
        const char *words;
        const char *error;
    } cases[] = {
        {"a ssh", "[a service takes a colon: :ssh (a host of that name: ssh:icmp)]"},
        {"a:443 HTTPS", "[a service takes a colon: :https (a host of that name: https:icmp)]"},
        {"a ikev2", "[a service takes a colon: :ikev2 (a host of that name: ikev2:icmp)]"},
        {"a ICMP", "[a service takes a colon: :icmp (a host of that name: icmp:icmp)]"},
        {"a 8000-8003",
         "[a service takes a colon: :8000-8003 (a host of that name: 8000-8003:icmp)]"},
        {"fe80::1%eth0/64", "[a network is no target, only a host is: fe80::1%eth0/64]"},
        {"fe80::1:2%:22", "[not a host name or address: fe80::1:2%]"},
        {"cafe/ab", "[a path belongs to a URL, as in https://example.com/x: cafe/ab]"},
        {"fd90::2:443", "[a port behind an IPv6 address takes brackets: [fd90::2]:443 "
                        "(that address as a whole: [fd90::2:443])]"},
        {"fd90::2:https", "[a service behind an IPv6 address takes brackets: [fd90::2]:https]"},
        {"2001:db8::1:22,80",
         "[a service behind an IPv6 address takes brackets: [2001:db8::1]:22,80]"},
        {"example.com/x", "[a path belongs to a URL, as in https://example.com/x: example.com/x]"},
        {"192.0.2.0/24", "[a network is no target, only a host is: 192.0.2.0/24]"},
        {"192.0.2.10-20", "[a range of addresses is no target, only a host is: 192.0.2.10-20]"},
        {"a icmp", "[a service takes a colon: :icmp (a host of that name: icmp:icmp)]"},
        {"a tcp/443", "[a protocol stands behind its port, as in 443/tcp: tcp/443]"},
        {"a sctp/9", "[a protocol stands behind its port, as in 443/tcp: sctp/9]"},
        {"a dccp/9", "[a path belongs to a URL, as in https://example.com/x: dccp/9]"},
        {"a UDP/53", "[a protocol stands behind its port, as in 443/tcp: UDP/53]"},
        {"a,b", "[several targets are several words: a,b]"},
        {"a 22,443", "[a list of ports takes a colon, as in :22,443: 22,443]"},
        {"a :U:53,T:80", "[the protocol stands behind the port: U:53 (53/udp)]"},
        {"a :t:8000-8003", "[the protocol stands behind the port: t:8000-8003 (8000-8003/tcp)]"},
        {"443", "[a service needs a target before it, as in example.com:443: 443]"},
        {"a 22=closed", "[a state goes into --expect, as in --expect 22=closed: 22=closed]"},
        {"a :22=closed", "[a state has no place here: 22=closed (it goes into --expect, or into a "
                         "file of -F)]"},
        {"root@example.com", "[a target has no user: leave out the @ and what stands before it]"},
        {"me:secret@example.com:22",
         "[a target has no user: leave out the @ and what stands before it]"},
    };
    char shown[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_as_text(cases[i].words, &rules, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].error, "%s", shown);
    }
}

/* A variable of a script that is not set. */
Test(targets, an_empty_word_is_named)
{
    static const char *const words[] = {"", " ", "\t"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct target_list list = {.count = 0};
        struct text error = {0};
        cr_expect_eq(targets_read(words[i], &rules, &list, &error), -EINVAL, "%s", words[i]);
        cr_expect_str_eq(error.data != NULL ? error.data : "", "an empty word is no target");
        text_deinit(&error);
        targets_deinit(&list);
    }
}

/* With -P the words are hosts, and every one of them has its services. */
Test(targets, with_common_services_a_word_is_a_host)
{
    struct target_rules how = rules;
    char shown[512];
    how.ports = "443";
    read_as_text("a ssh fd90::2:443", &how, shown, sizeof shown);
    cr_expect_str_eq(shown, "a: icmp* 443/tcp; ssh: icmp* 443/tcp; fd90::2:443: icmp* 443/tcp");
}

/* RFC 3986 §3. */
Test(targets, a_scheme_stands_for_its_service)
{
    static const struct {
        const char *word;
        const char *list;
    } cases[] = {
        {"postgres://db1/x", "db1: icmp* 5432/tcp"},
        {"postgres://db1:5433/x", "db1: icmp* 5433/tcp"},
        {"http://[fe80::1%eth0]/", "fe80::1%eth0: icmp* 80/tcp"},
        {"http://[fe80::1%25eth0]:81/", "fe80::1%eth0: icmp* 81/tcp"}, /* RFC 6874 §2 */
        {"postgresql+psycopg2://db1/x", "db1: icmp* 5432/tcp"},
        {"MySQL://db1", "db1: icmp* 3306/tcp"},
        {"redis://cache/0", "cache: icmp* 6379/tcp"},
        {"rediss://cache:6380/0", "cache: icmp* 6380/tcp"},
        {"mongodb://m1/x?replicaSet=rs0", "m1: icmp* 27017/tcp"},
        {"amqp://mq", "mq: icmp* 5672/tcp"},
        {"amqps://mq", "mq: icmp* 5671/tcp"},
        {"ldap://dc1", "dc1: icmp* 389/tcp"},
        {"ldaps://dc1", "dc1: icmp* 636/tcp"},
        {"mssql://sql1", "sql1: icmp* 1433/tcp"},
        {"HTTPS://[2001:DB8::1]:8443/", "2001:DB8::1: icmp* 8443/tcp"},
        {"wss://a/socket", "a: icmp* 443/tcp"},
        {"git+ssh://git.example/x", "git.example: icmp* 22/tcp"},
        {"ntp://t1", "t1: icmp* 123/udp"},
        {"coap://t1:5999", "t1: icmp* 5999/udp"}, /* over UDP, and asked in CoAP */
        {"tcp://docker:2375", "docker: icmp* 2375/tcp"},
        {"udp://log:5140", "log: icmp* 5140/udp"},
        {"sctp://hss:3868", "hss: icmp* 3868/sctp"},
        {"diameter://hss", "hss: icmp* 3868/tcp"},
        {"ngap://amf:38413", "amf: icmp* 38413/sctp"},
        {"https://a:/x", "a: icmp* 443/tcp"}, /* §3.2.3: an empty port is the scheme's */
        {"https://medium.example/@somebody", "medium.example: icmp* 443/tcp"},
    };
    static const char *const wrong[] = {
        "tcp://docker",
        "https://a:443,80/",
        "sctp://hss",
        "https://a:x/",
        "https://a:99999/",
        "443://a",
        "@web://a",
        "https://a:1:2",
        "https://[2001:db8::1/",
        "https://[a]/",
        "https:///",
        "https://",
        "https://2001:db8::1/",
        "nosuch://a",
        "://a",
        "ht tp://a",
        "mongodb+srv://cluster.example/",
        "postgres://a,b/x",
    };
    struct target_rules udp = rules;
    char shown[512];
    udp.services.protocol = "udp"; /* -u is about ports without a protocol; a scheme has one */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        read_as_text(cases[i].word, &rules, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].list, "%s: %s", cases[i].word, shown);
        read_as_text(cases[i].word, &udp, shown, sizeof shown);
        cr_expect_str_eq(shown, cases[i].list, "-u %s: %s", cases[i].word, shown);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        read_as_text(wrong[i], &rules, shown, sizeof shown);
        cr_expect_eq(shown[0], '[', "%s was taken: %s", wrong[i], shown);
    }
}

/* Also where a password is written with letters in it that end an authority (RFC 3986 §3.2.1). */
Test(targets, user_information_of_a_url_is_in_nothing_that_is_kept_or_said)
{
    static const struct {
        const char *word;
        const char *input; /* NULL = it is refused */
    } cases[] = {
        {"https://user@example.com/x", "https://example.com/x"},
        {"https://user:hunter2@example.com:8443/x?y#z", "https://example.com:8443/x?y#z"},
        {"postgres://user:hunter2@db1:5432/x", "postgres://db1:5432/x"},
        {"postgres://user:hunter2@hunter2@[2001:db8::1]/x", "postgres://[2001:db8::1]/x"},
        {"postgres://:hunter2@db1/x@hunter2", "postgres://db1"},
        {"https://medium.example/@hunter2", "https://medium.example"},
        {"postgres://user:hunter2@db1:hunter2/x", NULL},
        {"postgres://user:hunter2@", NULL},
        {"postgres://user:hunter2@a_b c/", NULL},
        {"postgres://user:hunter2/x@db1/x", NULL},
        {"postgres://us_hunter2!:/@db1/x", NULL},
        {"nosuch://user:hunter2@db1", NULL},
        {"postgres://user:hunter2@db1:99999/x", NULL},
        {"hunter2@db1", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct target_list list = {.count = 0};
        struct text error = {0};
        int r = targets_read(cases[i].word, &rules, &list, &error);
        cr_expect_eq(r, cases[i].input != NULL ? 0 : -EINVAL, "%s", cases[i].word);
        if (r == 0)
            cr_expect_str_eq(list.items[0].input, cases[i].input);
        for (size_t k = 0; k < list.count; k++) {
            cr_expect_null(strstr(list.items[k].input, "hunter2"), "%s", cases[i].word);
            cr_expect_null(strstr(list.items[k].host, "hunter2"), "%s", cases[i].word);
        }
        cr_expect(error.data == NULL || strstr(error.data, "hunter2") == NULL, "%s", error.data);
        text_deinit(&error);
        targets_deinit(&list);
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
    static const char marked[] = "\xef\xbb\xbf" /* of UTF-8, RFC 3629 §6; editors put it there */
                                 "a:443\r\n";
    cr_expect_eq(read_file(marked, sizeof marked - 1, shown, sizeof shown), 0);
    cr_expect_str_eq(shown, "a: 443/tcp");
}

static uint32_t expected_of(const struct target *target, uint16_t port)
{
    for (size_t i = 0; i < target->services.count; i++) {
        if (target->services.items[i].port == port)
            return target->services.items[i].expect;
    }
    cr_assert_fail("no port %u", port);
    return 0;
}

Test(targets, a_file_says_what_is_wanted_of_a_target_s_services)
{
    static const char file[] = "web1 443=open 25=!open 80 :ssh=closed|filtered @remote=filtered\n"
                               "web2:25=closed :80\n"
                               "https://web3/?a=b 443=open\n"
                               "redis\n" /* the first word is a host, whatever its name */
                               "fd90::2:443\n"
                               "icmp-only :icmp=up\n";
    const uint32_t open = SONDE_STATE_BIT(SONDE_STATE_OPEN);
    const uint32_t closed = SONDE_STATE_BIT(SONDE_STATE_CLOSED);
    const uint32_t filtered = SONDE_STATE_BIT(SONDE_STATE_FILTERED);
    struct target_list list = {.count = 0};
    struct text error = {0};
    cr_assert_eq(targets_read_file(file, sizeof file - 1, "hosts", &rules, &list, &error), 0, "%s",
                 error.data);
    cr_assert_eq(targets_finish(&list, &rules, &error), 0, "%s", error.data);
    cr_assert_eq(list.count, 6);
    cr_expect_eq(expected_of(&list.items[0], 443), open);
    cr_expect_eq(expected_of(&list.items[0], 25) & open, 0);
    cr_expect_eq(expected_of(&list.items[0], 25) & closed, closed);
    cr_expect_eq(expected_of(&list.items[0], 80), 0);
    cr_expect_eq(expected_of(&list.items[0], 22), filtered, "the preset says it again");
    cr_expect_eq(expected_of(&list.items[0], 5900), filtered);
    cr_expect_eq(expected_of(&list.items[1], 25), closed);
    cr_expect_eq(expected_of(&list.items[1], 80), 0);
    cr_expect_eq(expected_of(&list.items[2], 443), open);
    cr_expect_eq(expected_of(&list.items[5], 0), open);
    cr_expect_not(list.items[5].services.items[0].control);
    text_deinit(&error);
    targets_deinit(&list);
}

/* Of a control that was only added there is one: 8 times 8 and 1 are 65, 9 times 8 and 1 are 73. */
Test(targets, a_target_has_places_for_so_many_flows)
{
    struct target_rules many = rules;
    many.flows = 8;
    for (int count = 8; count <= 9; count++) {
        struct target_list list = {.count = 0};
        struct text error = {0};
        cr_assert_eq(
            targets_read(count == 8 ? "web1:1000-1007" : "web1:1000-1008", &many, &list, &error),
            0);
        cr_expect_eq(targets_finish(&list, &many, &error), count == 8 ? 0 : -EINVAL);
        if (count == 9)
            cr_expect_str_eq(error.data, "--flows 8 of each service of web1:1000-1008 are 73 with "
                                         "its control: a target has at most 65");
        text_deinit(&error);
        targets_deinit(&list);
    }
}

Test(targets, no_more_are_taken_than_a_run_can_have)
{
    struct target_list full = {.count = SONDE_TARGETS_MAX}; /* nobody looks at what is in it */
    struct text error = {0};
    cr_expect_eq(targets_read("a", &rules, &full, &error), -EINVAL);
    cr_expect_str_eq(error.data, "more than 1000000 targets, which is as many as a run takes");
    cr_expect_eq(full.count, SONDE_TARGETS_MAX);
    text_deinit(&error);
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
        {"a 22=ajar\n", 10, "hosts:1: not a state"},
        {"a\nb 22=\n", 8, "hosts:2: not a state"},
        {"a=open\n", 7, "hosts:1: a state belongs to a service"},
        {"https://u:secret@a:x/\n", 22, "hosts:1: not a URL of a service: https://..."},
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
