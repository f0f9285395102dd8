/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks from a seed; see tests/property/network.h. */
#include "tests/property/maker.h"

#include <inttypes.h>
#include <string.h>

/* The link to a node: delay, and jitter that is mostly smaller. */
void maker_link(struct maker *maker, struct text *text)
{
    unsigned delay = 20 + below(maker, maker->link_max_us / 2);
    text_addf(text, " delay=%uus", delay);
    if (happens(maker, 60)) {
        unsigned most = happens(maker, 85) ? delay : maker->link_max_us / 2;
        text_addf(text, " jitter=%uus", 1 + below(maker, most));
    }
}

/* How a router's errors look. */
static void add_looks(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    if (happens(maker, 30))
        text_addf(text, " ttl=%u", PICK(maker, 64, 128, 255));
    /* who quotes little adds no extension (RFC 4884 §5.1), and is no IPv6 router (RFC 4443 §2.4) */
    if (happens(maker, 20) && !maker->ipv6)
        text_addf(text, " quote=%u", PICK(maker, 8, 20, 64));
    else if (happens(maker, 15))
        text_addf(text, " mpls=%u/%u/%u", 16 + below(maker, 1000), below(maker, 8), 1U);
    if (happens(maker, 10))
        text_add(text, " legacy");
}

unsigned maker_router(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    unsigned number = ++maker->router_count;
    text_addf(text, maker->ipv6 ? "router r%u 2001:db8:%x::1" : "router r%u 10.0.%u.1", number,
              number);
    maker_link(maker, text);
    add_looks(maker);
    if (happens(maker, maker->silent_pct))
        text_add(text, " silent");
    else if (happens(maker, maker->limit_pct))
        text_addf(text, " limit=%u burst=%u", PICK(maker, 1, 1, 1, 2, 10), PICK(maker, 6, 6, 3, 1));
    if (network_has(maker->network, KIND_STATELESS))
        text_add(text, " stateless");
    text_add(text, "\n");
    return number;
}

static struct piece make_piece(struct maker *maker, bool group)
{
    struct piece piece = {.width = group ? 2 + below(maker, WIDTH_MAX - 1) : 1};
    unsigned length = 1 + (group ? below(maker, LENGTH_MAX) : 0);
    bool even = happens(maker, 60);
    piece.per_packet = group && maker->spread < SPREAD_MAX && happens(maker, 25);
    maker->spread += piece.per_packet;
    for (unsigned i = 0; i < piece.width; i++) {
        piece.lengths[i] = even ? length : group ? 1 + below(maker, LENGTH_MAX) : 1;
        for (unsigned k = 0; k < piece.lengths[i]; k++)
            piece.routers[i][k] = maker_router(maker);
        bool nested = group && !piece.per_packet && network_has(maker->network, KIND_NESTED);
        if (nested && happens(maker, 60))
            piece.beside[i] = maker_router(maker);
    }
    return piece;
}

static void add_piece(struct maker *maker, const struct piece *piece)
{
    struct text *text = &maker->network->scenario;
    if (piece->width > 1)
        text_add(text, " {");
    for (unsigned i = 0; i < piece->width; i++) {
        if (i > 0)
            text_add(text, " |");
        if (piece->beside[i] != 0)
            text_addf(text, " { r%u | r%u }", piece->routers[i][0], piece->beside[i]);
        for (unsigned k = piece->beside[i] != 0; k < piece->lengths[i]; k++)
            text_addf(text, " r%u", piece->routers[i][k]);
    }
    if (piece->width > 1)
        text_add(text, piece->per_packet ? " }!" : " }");
}

static void make_routers(struct maker *maker)
{
    bool balanced = happens(maker, 40);
    unsigned hops = 1 + below(maker, happens(maker, 50) ? 6 : HOPS_MAX);
    unsigned longest = 0;
    maker->silent_pct = PICK(maker, 0, 0, 10, 30, 80);
    maker->limit_pct = PICK(maker, 0, 0, 30, 100);
    maker->link_max_us = PICK(maker, 100, 5000, LINK_MAX_US);
    if (maker->link_max_us * (hops + 8) > WAY_MAX_US)
        maker->link_max_us = WAY_MAX_US / (hops + 8);
    while (longest < hops) {
        bool group = balanced && longest + LENGTH_MAX < hops && happens(maker, 30);
        struct piece piece = make_piece(maker, group);
        maker->pieces[maker->piece_count++] = piece;
        longest += piece.width > 1 ? LENGTH_MAX : 1;
    }
}

/* The way there; some end in a loop. */
static void add_path(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    unsigned end = maker->piece_count;
    unsigned loop = happens(maker, 6) ? 2 + below(maker, 2) : 0;
    text_add(text, "path h");
    if (loop > end)
        loop = 0;
    for (unsigned i = 0; loop != 0 && i < loop; i++) {
        if (maker->pieces[end - 1 - i].width > 1)
            loop = 0;
    }
    for (unsigned i = 0; i < end; i++) {
        if (loop != 0 && i == end - loop)
            text_add(text, " loop");
        add_piece(maker, &maker->pieces[i]);
    }
    text_add(text, "\n");
}

/* Another way from some time on: one piece of it changes, goes or comes. */
static void add_change(struct maker *maker)
{
    unsigned at = below(maker, maker->piece_count);
    unsigned kind = below(maker, 3);
    struct piece other = make_piece(maker, false);
    text_addf(&maker->network->scenario, "at %ums path h", 50 + below(maker, 2500));
    for (unsigned i = 0; i < maker->piece_count; i++) {
        if (i == at && kind != 1)
            add_piece(maker, &other);
        if (i != at || kind == 2)
            add_piece(maker, &maker->pieces[i]);
    }
    text_add(&maker->network->scenario, "\n");
}

/* The ports that are asked for, and the control. */
static void make_services(struct maker *maker)
{
    static const struct sonde_service ports[] = {
        {.protocol = "tcp", .port = 22},   {.protocol = "tcp", .port = 25},
        {.protocol = "tcp", .port = 80},   {.protocol = "tcp", .port = 443},
        {.protocol = "tcp", .port = 3389}, {.protocol = "tcp", .port = 8080},
        {.protocol = "udp", .port = 53},   {.protocol = "udp", .port = 4000},
        {.protocol = "udp", .port = 4430}, {.protocol = "udp", .port = 33434},
    };
    enum { PORTS = sizeof ports / sizeof *ports };
    struct network *network = maker->network;
    unsigned wanted = happens(maker, 5) ? 0 : 1 + below(maker, happens(maker, 60) ? 3 : 8);
    bool chosen[PORTS] = {false};
    if (wanted == 0 || happens(maker, 85))
        network->services[network->service_count++] =
            (struct sonde_service){.protocol = "icmp", .control = wanted > 0};
    if (network_has(network, KIND_MANY)) {
        besides_services(maker);
        return;
    }
    while (wanted > 0) {
        unsigned port = below(maker, PORTS);
        if (chosen[port])
            continue;
        chosen[port] = true;
        network->services[network->service_count++] = ports[port];
        wanted--;
    }
}

/* What a port does; 53/udp is asked for a name, the others for nothing in particular. */
static const char *port_state(struct maker *maker, const char *protocol, uint16_t port)
{
    unsigned number = below(maker, 100);
    if (strcmp(protocol, "udp") != 0)
        return number < 65 ? "open" : number < 85 ? "closed" : "silent";
    if (number >= 65)
        return number < 85 ? "closed" : "silent";
    return port == 53 ? "dns" : number < 45 ? "echo" : "answer";
}

/* The host, and the machine behind it that answers some of its ports. */
static void add_host(struct maker *maker)
{
    struct network *network = maker->network;
    bool many = network_has(network, KIND_MANY);
    struct text inner = {0};
    struct text host = {0};
    network->host = maker->ipv6 ? "2001:db8:ffff::10" : "203.0.113.10";
    text_addf(&host, "host h %s", network->host);
    maker_link(maker, &host);
    maker->host_ttl = PICK(maker, 64, 64, 128, 255);
    text_addf(&host, " ttl=%u", maker->host_ttl);
    if (happens(maker, 15))
        text_add(&host, " silent");
    if (happens(maker, 10))
        text_addf(&host, " limit=1 burst=%u", PICK(maker, 6, 3, 1));
    if (happens(maker, 10))
        text_add(&host, " no-timestamps");
    text_addf(&host, " tcp:*=%s udp:*=%s", port_state(maker, "tcp", 0),
              port_state(maker, "udp", 0));
    for (uint32_t i = 0; i < network->service_count; i++) {
        const struct sonde_service *service = &network->services[i];
        if (service->port == 0)
            continue;
        const char *state = many ? besides_state(maker, service->protocol, service->port)
                                 : port_state(maker, service->protocol, service->port);
        bool forwarded = network_has(network, KIND_FORWARDED) && happens(maker, 40);
        text_addf(&host, " %s:%u=%s", service->protocol, service->port,
                  forwarded ? "to:inner" : state);
        if (forwarded)
            text_addf(&inner, " %s:%u=%s", service->protocol, service->port, state);
    }
    besides_host(maker, &host);
    if (network_has(network, KIND_FORWARDED)) {
        text_addf(&network->scenario, "host inner %s ttl=%u",
                  maker->ipv6 ? "fd00::2" : "192.168.0.2", PICK(maker, 64, 128, 255));
        maker_link(maker, &inner);
        text_addf(&network->scenario, "%s\n", inner.data);
    }
    text_addf(&network->scenario, "%s\n", host.data);
    text_deinit(&inner);
    text_deinit(&host);
}

/* What a rule speaks of: everything, a protocol, or one of the services. */
static void add_what(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    unsigned number = below(maker, 10);
    const struct network *network = maker->network;
    const struct sonde_service *service = &network->services[below(maker, network->service_count)];
    if (number < 2)
        text_add(text, "any");
    else if (number < 4)
        text_add(text, service->protocol);
    else if (service->port == 0)
        text_add(text, "icmp");
    else
        text_addf(text, "%s:%u", service->protocol, service->port);
}

/* The piece that a router is part of; NULL: it is parallel to one of a group, or on no way. */
static const struct piece *find_piece(const struct maker *maker, unsigned router)
{
    for (unsigned i = 0; i < maker->piece_count; i++) {
        const struct piece *piece = &maker->pieces[i];
        for (unsigned k = 0; k < piece->width; k++) {
            for (unsigned n = 0; n < piece->lengths[k]; n++) {
                if (piece->routers[k][n] == router)
                    return piece;
            }
        }
    }
    return NULL;
}

bool maker_is_spread(const struct maker *maker, unsigned router)
{
    const struct piece *piece = find_piece(maker, router);
    return piece != NULL && piece->per_packet;
}

/* Do all flows to the host go through a router? What is not heard of some because of what drops
 * errors on their way alone is like what is lost on it. */
static bool is_on_all_ways(const struct maker *maker, unsigned router)
{
    const struct piece *piece = find_piece(maker, router);
    return piece != NULL && piece->width == 1;
}

/* @return The router; 0: it is the host. */
static unsigned add_node(struct maker *maker, bool or_host)
{
    struct text *text = &maker->network->scenario;
    unsigned router = 0;
    if (or_host && happens(maker, 12))
        text_add(text, "rule h ");
    else
        text_addf(text, "rule r%u ", router = 1 + below(maker, maker->router_count));
    return router;
}

static void add_fault(struct maker *maker)
{
    struct text *text = &maker->network->scenario;
    unsigned number = below(maker, 100);
    bool back = number >= 82;
    unsigned router = add_node(maker, !back);
    text_add(text, number < 48   ? "drop "
                   : number < 66 ? "reject "
                   : number < 76 ? maker_is_spread(maker, router) ? "reject " : "reset "
                   : number < 82 ? "answer "
                                 : "drop ");
    if (number >= 94 && is_on_all_ways(maker, router))
        text_add(text, "error"); /* routers behind seem silent, nothing else is touched */
    else
        add_what(maker);
    text_add(text, back ? " dir=back" : happens(maker, 40) ? " hook=prerouting" : "");
    if (number >= 48 && number < 66 && happens(maker, 60))
        text_addf(text, " code=%u",
                  maker->ipv6 ? PICK(maker, 0, 1, 3, 4, 5, 6) : PICK(maker, 0, 1, 3, 9, 10, 13));
    text_add(text, "\n");
}

static void add_loss(struct maker *maker)
{
    static const char *const masks[] = {"01", "0001", "0010110", "10", "011", "0000000001"};
    struct text *text = &maker->network->scenario;
    add_node(maker, false);
    text_add(text, "drop ");
    add_what(maker);
    if (maker->network->loss == NETWORK_CHANCE)
        text_addf(text, " chance=%u%%", PICK(maker, 1, 5, 10, 20, 40, 60));
    else
        text_addf(text, " mask=%s", masks[below(maker, sizeof masks / sizeof *masks)]);
    if (happens(maker, 40))
        text_add(text, " dir=back");
    else if (happens(maker, 40))
        text_add(text, " hook=prerouting");
    text_add(text, "\n");
}

/* How it is looked at: as a report does by default, or otherwise. */
static void make_options(struct maker *maker)
{
    struct sonde_options *options = &maker->network->options;
    options->simulation.virtual_time = true;
    options->vantage.no_names = true;
    options->plan.interval_ns = 500 * SONDE_NS_PER_MS; /* as the program's */
    if (happens(maker, 60)) {
        options->plan.cycles = 1 + below(maker, 10);
        options->plan.interval_ns = (sonde_ns)(1 + below(maker, 10)) * 100 * SONDE_NS_PER_MS;
    }
    if (maker->network->loss != NETWORK_LOSSLESS && happens(maker, 15)) {
        options->plan.cycles = 50 + below(maker, 100); /* enough to tell where loss begins */
        options->plan.interval_ns = 100 * SONDE_NS_PER_MS;
    }
    options->plan.no_controls = happens(maker, 15);
    if (happens(maker, 10))
        options->format.size_bytes = (uint16_t)PICK(maker, 100, 500, 1400);
    if (network_has(maker->network, KIND_FLOWS))
        options->plan.flows = NETWORK_FLOWS_MAX;
}

bool network_has(const struct network *network, enum kind kind)
{
    return (network->kinds >> kind & 1) != 0;
}

void network_make(uint64_t seed, uint32_t kinds, struct network *ret_network)
{
    *ret_network = (struct network){.kinds = kinds_of(seed, kinds), .loss = NETWORK_LOSSLESS};
    struct maker maker = {.prng = {seed}, .network = ret_network};
    struct text *text = &ret_network->scenario;
    maker.ipv6 = happens(&maker, 30);
    if (happens(&maker, 25))
        ret_network->loss = happens(&maker, 70) ? NETWORK_CHANCE : NETWORK_MASK;
    make_options(&maker);
    make_services(&maker);
    text_addf(text, "seed %" PRIu64 "\n", seed & UINT32_MAX);
    text_addf(text, "vantage here %s\n", maker.ipv6 ? "2001:db8::1" : "192.0.2.1");
    make_routers(&maker);
    add_host(&maker);
    add_path(&maker);
    if (happens(&maker, 12))
        add_change(&maker);
    besides_path(&maker);
    /* a way back without the translator would lose everything */
    unsigned translator = 1 + below(&maker, maker.router_count);
    if (happens(&maker, 10) && !network_has(ret_network, KIND_BACK_WAY) &&
        !maker_is_spread(&maker, translator))
        text_addf(text, "nat r%u %s%s\n", translator,
                  maker.ipv6 ? "2001:db8:eeee::1" : "198.51.100.1",
                  !maker.ipv6 && happens(&maker, 50) ? " port=+1000" : "");
    for (unsigned faults = PICK(&maker, 0, 0, 1, 1, 1, 2); faults > 0; faults--)
        add_fault(&maker);
    unsigned losses = ret_network->loss == NETWORK_LOSSLESS ? 0 : 1 + below(&maker, 2);
    for (; losses > 0; losses--)
        add_loss(&maker);
    besides_rules(&maker);
    ret_network->options.simulation.scenario = text->data;
    ret_network->options.simulation.scenario_bytes = text->len;
}

void network_free(struct network *network)
{
    text_deinit(&network->scenario);
}

void network_command(const struct network *network, struct text *text)
{
    const struct sonde_options *options = &network->options;
    bool icmp = network->services[0].port == 0;
    text_add(text, "sonde --virtual-time -n");
    if (options->plan.cycles != 0)
        text_addf(text, " -c %" PRIu32, options->plan.cycles);
    if (options->vantage.source_port != 0)
        text_addf(text, " -L %" PRIu16, options->vantage.source_port);
    text_addf(text, " -i %.1f", (double)options->plan.interval_ns / SONDE_NS_PER_S);
    if (options->format.size_bytes != 0)
        text_addf(text, " -s %u", options->format.size_bytes);
    if (options->plan.max_ttl != 0)
        text_addf(text, " -m %u", options->plan.max_ttl);
    if (options->plan.flows != 0)
        text_addf(text, " --flows %" PRIu32, options->plan.flows);
    text_addf(text, "%s%s %s", icmp ? "" : " --no-icmp",
              options->plan.no_controls ? " --no-control" : "", network->host);
    for (uint32_t i = icmp ? 1 : 0; i < network->service_count; i++)
        text_addf(text, " :%u/%s", network->services[i].port, network->services[i].protocol);
    text_add(text, " --simulate FILE");
}
