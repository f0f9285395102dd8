/* SPDX-License-Identifier: BSD-2-Clause */
/* Services by name; see app/services.h. Ports are those of the IANA registry. */
#include "app/services.h"

#include "base/number.h"

#include <sonde/session.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TCP = 1,
    UDP = 2,
    WORD_BYTES = 64,
};

/* What a name means where no protocol is written with it. */
static const struct known_service {
    const char *name;
    uint16_t port;
    unsigned protocols;
    const char *payload; /* what it is asked in, if not as its port says */
} known_services[] = {
    {"ftp-data", 20, TCP, NULL},
    {"ftp", 21, TCP, NULL},
    {"ssh", 22, TCP, NULL},
    {"telnet", 23, TCP, NULL},
    {"smtp", 25, TCP, NULL},
    {"dns", 53, TCP | UDP, NULL},
    {"domain", 53, TCP | UDP, NULL},
    {"tftp", 69, UDP, NULL},
    {"http", 80, TCP, NULL},
    {"kerberos", 88, TCP | UDP, NULL},
    {"pop3", 110, TCP, NULL},
    {"ntp", 123, UDP, NULL},
    {"netbios-ns", 137, UDP, NULL},
    {"imap", 143, TCP, NULL},
    {"snmp", 161, UDP, NULL},
    {"bgp", 179, TCP, NULL},
    {"ldap", 389, TCP, NULL},
    {"https", 443, TCP, NULL},
    {"quic", 443, UDP, NULL},
    {"smb", 445, TCP, NULL},
    {"smtps", 465, TCP, NULL},
    {"isakmp", 500, UDP, NULL},
    {"ike", 500, UDP, NULL},
    {"syslog", 514, UDP, NULL},
    {"rtsp", 554, TCP, NULL},
    {"submission", 587, TCP, NULL},
    {"ldaps", 636, TCP, NULL},
    {"domain-s", 853, TCP, NULL},
    {"dot", 853, TCP, NULL},
    {"imaps", 993, TCP, NULL},
    {"pop3s", 995, TCP, NULL},
    {"openvpn", 1194, UDP, NULL},
    {"mssql", 1433, TCP, NULL},
    {"l2tp", 1701, UDP, NULL},
    {"radius", 1812, UDP, NULL},
    {"radius-acct", 1813, UDP, NULL},
    {"mqtt", 1883, TCP, NULL},
    {"nfs", 2049, TCP, NULL},
    {"mysql", 3306, TCP, NULL},
    {"rdp", 3389, TCP, NULL},
    {"rdp-udp", 3389, UDP, NULL},
    {"rdgw", 3391, UDP, NULL},
    {"stun", 3478, UDP, NULL},
    {"dtls", 4433, UDP, NULL},
    {"ike-nat", 4500, UDP, NULL},
    {"sip", 5060, UDP, NULL},
    {"sips", 5061, TCP, NULL},
    {"mdns", 5353, UDP, NULL},
    {"llmnr", 5355, UDP, NULL},
    {"postgres", 5432, TCP, NULL},
    {"postgresql", 5432, TCP, NULL},
    {"coap", 5683, UDP, NULL},
    {"coaps", 5684, UDP, NULL},
    {"vnc", 5900, TCP, NULL},
    {"redis", 6379, TCP, NULL},
    {"http-alt", 8080, TCP, NULL},
    {"memcached", 11211, TCP | UDP, NULL},
    {"mongodb", 27017, TCP, NULL},
    {"wireguard", 51820, UDP, NULL},
    {"snmp2c", 161, UDP, "snmp2c"},
    {"anyconnect", 443, UDP, "anyconnect"},
};

static const struct preset {
    const char *name;
    const char *services;
} presets[] = {
    {"common", "20,21,22,25,53/tcp,53/udp,80,123/udp,179,443,500/udp,587,3389"},
    {"web", "80,443,443/udp"},
    {"mail", "25,465,587,993"},
    {"db", "1433,3306,5432,6379,27017"},
    {"remote", "22,3389,5900"},
};

/* One word of a list, taken apart. */
struct word {
    char text[WORD_BYTES];
    const char *protocol; /* "tcp" or "udp" if written; NULL if not */
};

static int refuse(struct text *reterr, const char *what, const char *word, const char *advice)
{
    text_addf(reterr, "%s: ", what);
    text_add_untrusted(reterr, word, strlen(word));
    text_addf(reterr, " (%s)", advice);
    return -EINVAL;
}

/* The service of a list with the same protocol and port; NULL if there is none. */
static const struct service *find_service(const struct service_list *list,
                                          const struct service *service)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].port == service->port &&
            strcmp(list->items[i].protocol, service->protocol) == 0)
            return &list->items[i];
    }
    return NULL;
}

/* Make room for one more: lists are short. */
static int grow(struct service_list *list)
{
    struct service *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    list->count++;
    return 0;
}

int services_put_first(struct service_list *list, const struct service *service)
{
    if (grow(list) < 0)
        return -ENOMEM;
    memmove(list->items + 1, list->items, (list->count - 1) * sizeof *list->items);
    list->items[0] = *service;
    return 0;
}

void services_deinit(struct service_list *list)
{
    free(list->items);
    *list = (struct service_list){0};
}

/* What a service of this name is asked in, if not as its port says; NULL = so. */
static const char *payload_of(const char *name)
{
    for (size_t i = 0; i < sizeof known_services / sizeof *known_services; i++) {
        if (strcmp(known_services[i].name, name) == 0)
            return known_services[i].payload;
    }
    return NULL;
}

/* Add a service unless it is there already. */
static int add(struct service_list *list, const struct service_rules *rules, const char *protocol,
               uint16_t port, const char *name, struct text *reterr)
{
    struct service service = {.port = port, .payload = payload_of(name)};
    (void)snprintf(service.protocol, sizeof service.protocol, "%s", protocol);
    (void)snprintf(service.name, sizeof service.name, "%s", name);
    const struct service *other = find_service(list, &service);
    if (other != NULL && other->payload != service.payload)
        return refuse(reterr, "one port with two questions", name,
                      "ask one target after the other");
    if (other != NULL)
        return 0;
    if (list->count >= rules->max) {
        text_addf(reterr, "more than %zu services for one target", rules->max);
        if (rules->max < SERVICES_MANY)
            text_addf(reterr, " (--many allows %d)", SERVICES_MANY);
        return -EINVAL;
    }
    if (grow(list) < 0)
        return -ENOMEM;
    list->items[list->count - 1] = service;
    return 0;
}

/* The name that a port is known by; "" if it has none. */
static const char *name_of(uint16_t port, const char *protocol)
{
    unsigned wanted = strcmp(protocol, "udp") == 0 ? UDP : TCP;
    for (size_t i = 0; i < sizeof known_services / sizeof *known_services; i++) {
        if (known_services[i].port == port && (known_services[i].protocols & wanted) != 0)
            return known_services[i].name;
    }
    return "";
}

/* "443", "8000-8003" */
static int read_ports(const struct word *word, const struct service_rules *rules,
                      struct service_list *list, struct text *reterr)
{
    static const char advice[] = "ports are 1 to 65535, ranges are FIRST-LAST";
    const char *protocol = word->protocol != NULL ? word->protocol : rules->protocol;
    char first_text[WORD_BYTES];
    (void)snprintf(first_text, sizeof first_text, "%s", word->text);
    char *dash = strchr(first_text, '-');
    if (dash != NULL)
        *dash = '\0';
    uint64_t first = 0;
    uint64_t last = 0;
    int r = number_parse(first_text, 65535, &first);
    if (r == 0)
        r = number_parse(dash != NULL ? dash + 1 : first_text, 65535, &last);
    if (r < 0 || first == 0)
        return refuse(reterr, "not a port", word->text, advice);
    if (last < first)
        return refuse(reterr, "an empty range of ports", word->text, advice);
    for (uint64_t port = first; port <= last; port++) {
        r = add(list, rules, protocol, (uint16_t)port, name_of((uint16_t)port, protocol), reterr);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A name from the system's list, usually /etc/services. */
static int read_system_name(const struct word *word, const struct service_rules *rules,
                            struct service_list *list, struct text *reterr)
{
    static const char *const protocols[] = {"tcp", "udp"};
    for (size_t i = 0; i < 2; i++) {
        if (word->protocol != NULL && strcmp(word->protocol, protocols[i]) != 0)
            continue;
        struct servent found;
        struct servent *result = NULL;
        char buf[1024];
        if (getservbyname_r(word->text, protocols[i], &found, buf, sizeof buf, &result) != 0 ||
            result == NULL)
            continue;
        return add(list, rules, protocols[i], ntohs((uint16_t)found.s_port), word->text, reterr);
    }
    return refuse(reterr, "unknown service", word->text,
                  "a port number, or a name that --services or /etc/services lists");
}

static int read_name(const struct word *word, const struct service_rules *rules,
                     struct service_list *list, struct text *reterr)
{
    if (strcmp(word->text, "icmp") == 0 && word->protocol == NULL)
        return add(list, rules, "icmp", 0, "", reterr);
    for (size_t i = 0; i < sizeof known_services / sizeof *known_services; i++) {
        const struct known_service *known = &known_services[i];
        if (strcmp(word->text, known->name) != 0)
            continue;
        int r = 0;
        if (word->protocol != NULL && known->payload != NULL && strcmp(word->protocol, "udp") != 0)
            return refuse(reterr, "a question that only UDP ports are asked", word->text, "/udp");
        if (word->protocol != NULL)
            return add(list, rules, word->protocol, known->port, known->name, reterr);
        if ((known->protocols & UDP) != 0)
            r = add(list, rules, "udp", known->port, known->name, reterr);
        if (r == 0 && (known->protocols & TCP) != 0)
            r = add(list, rules, "tcp", known->port, known->name, reterr);
        return r;
    }
    return read_system_name(word, rules, list, reterr);
}

static int read_preset(const char *name, const struct service_rules *rules,
                       struct service_list *list, struct text *reterr)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(name, presets[i].name) == 0) {
            struct service_rules own = {.protocol = "tcp", .max = rules->max};
            return services_read(presets[i].services, &own, list, reterr);
        }
    }
    return refuse(reterr, "unknown preset", name, "--services lists them");
}

/* One word: port, range, name or preset, perhaps with "/tcp" or "/udp". */
static int read_word(const char *at, size_t len, const struct service_rules *rules,
                     struct service_list *list, struct text *reterr)
{
    struct word word = {.protocol = NULL};
    if (len == 0 || len >= sizeof word.text) {
        text_add(reterr, "a service that is empty or too long");
        return -EINVAL;
    }
    memcpy(word.text, at, len);
    char *slash = strchr(word.text, '/');
    if (slash != NULL) {
        if (strcmp(slash, "/tcp") == 0)
            word.protocol = "tcp";
        else if (strcmp(slash, "/udp") == 0)
            word.protocol = "udp";
        else
            return refuse(reterr, "unknown protocol", word.text, "/tcp or /udp");
        *slash = '\0';
    }
    if (word.text[0] == '@' && slash == NULL)
        return read_preset(word.text + 1, rules, list, reterr);
    if (word.text[0] >= '0' && word.text[0] <= '9')
        return read_ports(&word, rules, list, reterr);
    return read_name(&word, rules, list, reterr);
}

int services_read(const char *words, const struct service_rules *rules, struct service_list *list,
                  struct text *reterr)
{
    const char *at = words;
    while (true) {
        size_t len = strcspn(at, ",");
        int r = read_word(at, len, rules, list, reterr);
        if (r < 0 || at[len] == '\0')
            return r;
        at += len + 1;
    }
}

/* What UDP ports are asked. */
static void print_payloads(struct text *text)
{
    struct sonde_payload payload;
    text_add(text, "\nUDP ports are asked:\n");
    for (size_t i = 0; sonde_payload_at(i, &payload); i++) {
        struct text ports = {0};
        for (size_t k = 0; k < sizeof payload.ports / sizeof *payload.ports; k++) {
            if (payload.ports[k] != 0)
                text_addf(&ports, k == 0 ? "%u" : ",%u", payload.ports[k]);
        }
        text_addf(text, "  %-11s %-15s %s\n", payload.name, ports.data != NULL ? ports.data : "",
                  payload.asks);
        if (payload.silence != NULL)
            text_addf(text, "  %-11s %-15s (%s)\n", "", "", payload.silence);
        text->failed |= ports.failed;
        text_deinit(&ports);
    }
}

void services_print(struct text *text)
{
    text_add(text, "Presets:\n");
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        text_addf(text, "  @%-10s %s\n", presets[i].name, presets[i].services);
    text_add(text, "\nNames:\n");
    for (size_t i = 0; i < sizeof known_services / sizeof *known_services; i++) {
        const struct known_service *known = &known_services[i];
        text_addf(text, "  %-11s", known->name);
        if ((known->protocols & UDP) != 0)
            text_addf(text, " %u/udp", known->port);
        if ((known->protocols & TCP) != 0)
            text_addf(text, " %u/tcp", known->port);
        text_add(text, "\n");
    }
    text_add(text, "\nOther names are looked up in /etc/services.\n");
    print_payloads(text);
}
