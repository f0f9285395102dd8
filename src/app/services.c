/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of services; see app/services.h. */
#include "app/services.h"

#include "app/known.h"
#include "base/number.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 64 };

/* One word of a list, taken apart. */
struct word {
    char typed[WORD_BYTES]; /* without what stands behind the slash */
    char text[WORD_BYTES];  /* the same, in small letters */
    const char *protocol;   /* one of transports if that is said; NULL if not */
    const char *payload;    /* the protocol of a UDP port's question if that is said; NULL if not */
};

/* What may stand behind a port, in the order in which the system's names are looked up. */
static const struct transport {
    const char *name;
    unsigned known; /* KNOWN_* */
} transports[] = {
    {"tcp", KNOWN_TCP},
    {"udp", KNOWN_UDP},
    {"sctp", KNOWN_SCTP},
};
enum { TRANSPORTS = sizeof transports / sizeof *transports };

/* @return The transport of that name; NULL if there is none. */
static const struct transport *find_transport(const char *name)
{
    size_t i = 0;
    while (i < TRANSPORTS && strcmp(transports[i].name, name) != 0)
        i++;
    return i < TRANSPORTS ? &transports[i] : NULL;
}

/* What words are read with, and into. */
struct reader {
    const struct service_rules *rules;
    struct service_list *list;
    struct text *reterr;
};

static int refuse(const struct reader *reader, const char *what, const char *word,
                  const char *advice)
{
    text_addf(reader->reterr, "%s: ", what);
    text_add_untrusted(reader->reterr, word, strlen(word));
    text_addf(reader->reterr, " (%s)", advice);
    return -EINVAL;
}

/* Refuse a word, with the nearest that is known, if one is near. */
static int refuse_unknown(const struct reader *reader, const char *what, const char *word,
                          const struct nearest *nearest, const char *advice)
{
    struct text meant = {0};
    if (nearest->best != NULL)
        text_addf(&meant, "did you mean %s?", nearest->best);
    int r = refuse(reader, what, word, meant.data != NULL ? meant.data : advice);
    text_deinit(&meant);
    return r;
}

/* The service of a list with the same protocol and port; NULL if there is none. */
static struct service *find_service(const struct service_list *list, const struct service *service)
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

bool services_expect(struct service_list *list, const struct service *which, uint32_t states,
                     bool own)
{
    struct service *service = find_service(list, which);
    if (service == NULL)
        return false;
    if (own || !service->expect_own) {
        service->expect = states;
        service->expect_own = own;
    }
    service->control = false;
    return true;
}

void services_deinit(struct service_list *list)
{
    free(list->items);
    *list = (struct service_list){0};
}

static bool is_same_payload(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Add a service unless it is there already. */
static int add(const struct reader *reader, const struct service *service, const char *word)
{
    const struct service *other = find_service(reader->list, service);
    if (other != NULL && !is_same_payload(other->payload, service->payload))
        return refuse(reader, "one port with two questions", word,
                      "ask one target after the other");
    if (other != NULL)
        return 0;
    size_t max = reader->rules->max;
    if (reader->list->count >= max) {
        text_addf(reader->reterr, "more than %zu services for one target (", max);
        if (max < SERVICES_MANY)
            text_addf(reader->reterr, "--many allows %d)", SERVICES_MANY);
        else
            text_add(reader->reterr, "there cannot be more)");
        return -EINVAL;
    }
    if (grow(reader->list) < 0)
        return -ENOMEM;
    reader->list->items[reader->list->count - 1] = *service;
    return 0;
}

/* Add a port. @param name  "" = none. */
static int add_port(const struct reader *reader, const struct word *word, const char *protocol,
                    uint16_t port, const char *name)
{
    struct service service = {.port = port};
    const char *usual = strcmp(protocol, "udp") == 0 ? known_payload_of(port) : NULL;
    if (word->payload != NULL && !is_same_payload(word->payload, usual)) {
        service.payload = word->payload;
        name = word->payload;
    }
    (void)snprintf(service.protocol, sizeof service.protocol, "%s", protocol);
    (void)snprintf(service.name, sizeof service.name, "%s", name);
    return add(reader, &service, word->typed);
}

/* "443", "8000-8003" */
static int read_ports(const struct reader *reader, const struct word *word)
{
    static const char advice[] = "ports are 1 to 65535, ranges are FIRST-LAST";
    const char *protocol = word->protocol != NULL ? word->protocol : reader->rules->protocol;
    const struct transport *transport = find_transport(protocol);
    unsigned known = transport != NULL ? transport->known : 0;
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
        return refuse(reader, "not a port", word->typed, advice);
    if (last < first)
        return refuse(reader, "an empty range of ports", word->typed, advice);
    for (uint64_t port = first; port <= last; port++) {
        r = add_port(reader, word, protocol, (uint16_t)port, known_name((uint16_t)port, known));
        if (r < 0)
            return r;
    }
    return 0;
}

/* A name from the system's list, usually /etc/services; it is read as it was typed, and then in
 * small letters, as nearly all there are. */
static int read_system_name(const struct reader *reader, const struct word *word)
{
    const char *const spellings[] = {word->typed, word->text};
    for (size_t i = 0; i < 2 * (size_t)TRANSPORTS; i++) {
        const char *protocol = transports[i % TRANSPORTS].name;
        if (word->protocol != NULL && strcmp(word->protocol, protocol) != 0)
            continue;
        struct servent found;
        struct servent *result = NULL;
        char buf[1024];
        if (getservbyname_r(spellings[i / TRANSPORTS], protocol, &found, buf, sizeof buf,
                            &result) == 0 &&
            result != NULL)
            return add_port(reader, word, protocol, ntohs((uint16_t)found.s_port), word->text);
    }
    struct nearest nearest = nearest_init(word->text);
    known_consider_services(&nearest);
    return refuse_unknown(reader, "unknown service", word->typed, &nearest,
                          "a port number, or a name that --services or /etc/services lists");
}

static int read_name(const struct reader *reader, const struct word *word)
{
    struct known_service known;
    if (strcmp(word->text, "icmp") == 0 && word->protocol == NULL)
        return add(reader, &(struct service){.protocol = "icmp"}, word->typed);
    if (find_transport(word->text) != NULL && word->protocol == NULL)
        return refuse(reader, "a protocol without a port", word->typed,
                      "it stands behind one, as in 443/tcp");
    if (!known_find(word->text, &known))
        return read_system_name(reader, word);
    struct word asked = *word;
    if (word->payload == NULL)
        asked.payload = known.payload;
    if (asked.payload != NULL && word->protocol != NULL && strcmp(word->protocol, "udp") != 0)
        return refuse(reader, "a question that only UDP ports are asked", word->typed, "/udp");
    if (word->protocol != NULL)
        return add_port(reader, &asked, word->protocol, known.port, known.name);
    int r = 0;
    if ((known.protocols & KNOWN_UDP) != 0)
        r = add_port(reader, &asked, "udp", known.port, known.name);
    if (r == 0 && (known.protocols & KNOWN_TCP) != 0)
        r = add_port(reader, &asked, "tcp", known.port, known.name);
    if (r == 0 && (known.protocols & KNOWN_SCTP) != 0)
        r = add_port(reader, &asked, "sctp", known.port, known.name);
    return r;
}

static int read_preset(const struct reader *reader, const struct word *word)
{
    const char *services = known_preset(word->text + 1);
    if (services == NULL) {
        struct nearest nearest = nearest_init(word->text + 1);
        known_consider_presets(&nearest);
        return refuse_unknown(reader, "unknown preset", word->typed + 1, &nearest,
                              "--services lists them");
    }
    const struct service_rules own = {.protocol = "tcp", .max = reader->rules->max};
    return services_read(services, &own, reader->list, reader->reterr);
}

/* What stands behind a slash: "tcp", "udp", "sctp", or the protocol of a question, which is over
 * UDP.
 */
static int read_protocol(const struct reader *reader, const char *typed, struct word *word)
{
    char text[WORD_BYTES];
    (void)text_fold(typed, strlen(typed), text, sizeof text); /* it is a part of a word */
    const struct transport *transport = find_transport(text);
    if (transport != NULL) {
        word->protocol = transport->name;
        return 0;
    }
    word->protocol = "udp";
    word->payload = known_payload(text);
    if (word->payload != NULL)
        return 0;
    struct nearest nearest = nearest_init(text);
    for (size_t i = 0; i < TRANSPORTS; i++)
        nearest_consider(&nearest, transports[i].name);
    known_consider_payloads(&nearest);
    return refuse_unknown(reader, "unknown protocol", typed, &nearest,
                          "tcp, udp, sctp, or what --services says that UDP ports are asked");
}

/* "T:80", "U:53", "S:3868": so nmap has it. @return The transport; NULL if the word is no such. */
static const struct transport *find_order(const struct word *word)
{
    size_t i = 0;
    while (i < TRANSPORTS && (word->text[0] != transports[i].name[0] || word->text[1] != ':'))
        i++;
    return i < TRANSPORTS ? &transports[i] : NULL;
}

static int refuse_order(const struct reader *reader, const struct word *word,
                        const struct transport *transport)
{
    struct text right = {0};
    text_add_untrusted(&right, word->text + 2, strlen(word->text + 2));
    text_addf(&right, "/%s", transport->name);
    int r = refuse(reader, "the protocol stands behind the port", word->typed,
                   right.data != NULL ? right.data : "53/udp");
    text_deinit(&right);
    return r;
}

/* One word: port, range, name or preset, perhaps with a protocol behind it. */
static int read_word(const struct reader *reader, const char *at, size_t len)
{
    struct word word = {.protocol = NULL};
    if (len == 0 || len >= sizeof word.typed) {
        text_add(reader->reterr, len == 0 ? "a service is missing (as in :443 or :ssh)"
                                          : "a service of more than 63 letters");
        return -EINVAL;
    }
    memcpy(word.typed, at, len);
    if (strchr(word.typed, '=') != NULL)
        return refuse(reader, "a state has no place here", word.typed,
                      "it goes into --expect, or into a file of -F");
    char *slash = strchr(word.typed, '/');
    if (slash != NULL) {
        int r = read_protocol(reader, slash + 1, &word);
        if (r < 0)
            return r;
        *slash = '\0';
    }
    (void)text_fold(word.typed, strlen(word.typed), word.text, sizeof word.text);
    if (word.text[0] == '@' && slash == NULL)
        return read_preset(reader, &word);
    if (word.text[0] >= '0' && word.text[0] <= '9')
        return read_ports(reader, &word);
    const struct transport *order = find_order(&word);
    if (order != NULL)
        return refuse_order(reader, &word, order);
    return read_name(reader, &word);
}

int services_read(const char *words, const struct service_rules *rules, struct service_list *list,
                  struct text *reterr)
{
    const struct reader reader = {rules, list, reterr};
    const char *at = words;
    while (true) {
        size_t len = strcspn(at, ",");
        int r = read_word(&reader, at, len);
        if (r < 0 || at[len] == '\0')
            return r;
        at += len + 1;
    }
}
