/* SPDX-License-Identifier: BSD-2-Clause */
/* What networks of a kind have besides; see tests/property/kinds.h. */
#include "tests/property/maker.h"

#include <string.h>

enum { SERVICES_MAX = 16, BACK_MAX = 8 /* routers of a way back */ };

static bool has(const struct maker *maker, enum kind kind)
{
    return network_has(maker->network, kind);
}

void besides_services(struct maker *maker)
{
    static const uint16_t tcp[] = {21,  22,  25,   53,   80,   110,  143,  443,
                                   587, 993, 3306, 3389, 5432, 6379, 8080, 9999};
    static const uint16_t udp[] = {53, 4000, 4001, 4430, 33434, 40001};
    enum { TCP = sizeof tcp / sizeof *tcp, PORTS = TCP + sizeof udp / sizeof *udp };
    struct network *network = maker->network;
    unsigned wanted = 1 + below(maker, SERVICES_MAX);
    bool chosen[PORTS] = {false};
    while (wanted > 0) {
        unsigned i = below(maker, PORTS);
        if (chosen[i])
            continue;
        chosen[i] = true;
        network->services[network->service_count++] = (struct sonde_service){
            .protocol = i < TCP ? "tcp" : "udp",
            .port = i < TCP ? tcp[i] : udp[i - TCP],
        };
        wanted--;
    }
}

const char *besides_state(struct maker *maker, const char *protocol, uint16_t port)
{
    unsigned number = below(maker, 100);
    const char *open = strcmp(protocol, "tcp") == 0 ? "open" : port == 53 ? "dns" : "echo";
    return number < 50 ? open : number < 80 ? "closed" : "silent";
}

void besides_host(struct maker *maker, struct text *host)
{
    if (has(maker, KIND_STATELESS))
        text_add(host, " stateless");
    if (has(maker, KIND_DEAD) &&
        !has(maker, KIND_FORWARDED)) /* nobody is there to pass a port on */
        text_add(host, " dead");
}

/* The routers of the way there from some on, backwards, and others before them. */
static void add_back(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    unsigned known = maker->router_count;
    unsigned others = below(maker, BACK_MAX / 2);
    unsigned first = known + 1;
    for (unsigned i = 0; i < others; i++)
        (void)maker_router(maker);
    text_add(text, "back h");
    for (unsigned i = 0; i < others; i++)
        text_addf(text, " r%u", first + i);
    unsigned most = known < BACK_MAX / 2 ? known : BACK_MAX / 2;
    for (unsigned i = below(maker, most + 1); i > 0; i--)
        text_addf(text, " r%u", i);
    text_add(text, "\n");
}

/* How many routers there are on the shortest way. */
static unsigned shortest(const struct maker *maker)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < maker->piece_count; i++) {
        const struct piece *piece = &maker->pieces[i];
        unsigned least = piece->lengths[0];
        for (unsigned k = 1; k < piece->width; k++)
            least = piece->lengths[k] < least ? piece->lengths[k] : least;
        sum += least;
    }
    return sum;
}

void besides_path(struct maker *maker)
{
    if (has(maker, KIND_BACK_WAY))
        add_back(maker);
    if (has(maker, KIND_FAR))
        maker->network->options.plan.max_ttl = (uint8_t)(1 + below(maker, shortest(maker)));
}

/* One of the services, as a rule speaks of it. */
static void add_service(struct maker *maker, bool tcp)
{
    const struct network *network = maker->network;
    struct text *text = &maker->network->scenario;
    for (unsigned i = below(maker, network->service_count), tries = 0;
         tries < network->service_count; tries++) {
        const struct sonde_service *service =
            &network->services[(i + tries) % network->service_count];
        if (service->port != 0 && (!tcp || strcmp(service->protocol, "tcp") == 0)) {
            text_addf(text, "%s:%u", service->protocol, service->port);
            return;
        }
    }
    text_add(text, tcp ? "tcp" : "icmp");
}

static void add_router_rule(struct maker *maker, const char *action)
{
    text_addf(&maker->network->scenario, "rule r%u %s ", 1 + below(maker, maker->router_count),
              action);
}

/* Somebody who answers in the target's name. */
static void add_interceptor(struct maker *maker)
{
    unsigned router = 1 + below(maker, maker->router_count);
    const char *action = happens(maker, 60) ? "reset" : "answer";
    text_addf(&maker->network->scenario, "rule r%u %s ", router,
              maker_is_spread(maker, router) ? "drop" : action);
}

/* A server that answers so many questions, or a firewall that lets so many connections begin. */
static void add_ration(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    if (happens(maker, 50)) {
        text_add(text, "rule h drop ");
        add_service(maker, false);
        text_addf(text, " limit=%u burst=%u\n", PICK(maker, 1, 2, 5), PICK(maker, 2, 5, 10));
    } else {
        add_router_rule(maker, "drop");
        text_addf(text, "syn limit=%u/%us burst=%u\n", PICK(maker, 1, 5, 10), PICK(maker, 1, 10),
                  PICK(maker, 10, 20));
    }
}

void besides_rules(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    if (has(maker, KIND_MANY)) {
        for (unsigned refused = below(maker, 4); refused > 0; refused--) {
            add_router_rule(maker, "reject");
            add_service(maker, false);
            text_add(text, "\n");
        }
    }
    if (has(maker, KIND_BACK_DROP)) {
        add_router_rule(maker, "drop");
        add_service(maker, false);
        text_add(text, " dir=back\n");
    }
    if (has(maker, KIND_RATIONING))
        add_ration(maker);
    if (has(maker, KIND_SAME_TTL)) {
        add_interceptor(maker);
        add_service(maker, true);
        text_addf(text, "%s ttl=%u\n", happens(maker, 40) ? " hook=prerouting" : "",
                  maker->host_ttl);
    }
    if (has(maker, KIND_BURSTS)) {
        maker->network->loss = NETWORK_CHANCE;
        add_router_rule(maker, "drop");
        text_addf(text, "any bursts=%ums/%ums%s\n", PICK(maker, 50, 200, 1000),
                  PICK(maker, 1000, 5000, 20000), happens(maker, 50) ? " chance=60%" : "");
    }
}
