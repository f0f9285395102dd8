/* SPDX-License-Identifier: BSD-2-Clause */
/* Which nodes a packet passes: paths, and who is taken of alternatives. */
#include "io/sim/network.h"
#include "wire/icmp.h"

#include <string.h>

/* What a load balancer hashes: addresses, protocol, and the first 4 bytes behind the IP header. Of
 * an ICMP error these are different each time, and belong to no flow. */
static uint64_t flow_hash(const struct sim_packet *packet, uint64_t seed)
{
    struct ip_header ip;
    uint64_t words[4];
    uint32_t first = 0;
    if (!bytes_decode(packet, &ip))
        return 0;
    memcpy(words, ip.src.bytes, 16);
    memcpy(words + 2, ip.dst.bytes, 16);
    uint8_t protocol = ip.protocol == IP_PROTO_ICMPV6 ? (uint8_t)IP_PROTO_ICMP : ip.protocol;
    bool is_flow =
        ip.payload.len >= 4 && (protocol != IP_PROTO_ICMP ||
                                icmp_classify(ip.src.family, ip.payload.data[0]) != ICMP_ERROR);
    if (is_flow)
        memcpy(&first, ip.payload.data, 4);
    uint64_t hash = mix64(seed ^ protocol);
    for (int i = 0; i < 4; i++)
        hash = mix64(hash ^ words[i]);
    return mix64(hash ^ first);
}

/* The path that leads to a host, or back from there, at a time; NULL if none is given. */
static const struct sim_path *find_path(const struct sim_scenario *scenario, uint32_t host,
                                        bool back, sonde_ns now)
{
    const struct sim_path *found = NULL;
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        const struct sim_path *path = &scenario->paths[i];
        if (path->host == host && path->back == back && path->from_ns <= now)
            found = path;
    }
    return found;
}

/* The first step of the alternative that is taken of a group. */
static uint32_t choose_alternative(struct prng *prng, const struct sim_path *path, uint32_t open,
                                   uint64_t hash)
{
    const struct sim_step *group = &path->steps[open];
    uint64_t number = group->per_packet ? prng_next(prng) : mix64(hash ^ group->group);
    uint32_t begin = open;
    for (uint64_t i = number % group->alternatives; i > 0; i--)
        begin = path->steps[begin].next;
    return begin + 1;
}

static void append(struct sim_route *route, uint32_t node)
{
    if (route->len < SIM_ROUTE_MAX)
        route->nodes[route->len++] = (uint16_t)node;
}

/* Lay out the nodes of a path.
 * @return The place from which on they repeat for ever; UINT32_MAX if they do not. */
static uint32_t lay(struct sim_network *network, const struct sim_path *path,
                    const struct sim_packet *packet, struct sim_route *route)
{
    struct prng *prng = network_prng(network, packet);
    uint64_t hash = flow_hash(packet, network->scenario->seed);
    uint32_t loop_at = UINT32_MAX;
    uint32_t at = 0;
    while (at < path->step_count) {
        const struct sim_step *step = &path->steps[at];
        switch (step->kind) {
        case SIM_STEP_NODE:
            if (step->loop_start)
                loop_at = route->len;
            append(route, step->node);
            at++;
            break;
        case SIM_STEP_OPEN:
            at = choose_alternative(prng, path, at, hash);
            break;
        case SIM_STEP_OR: /* here ends the one that was taken */
            at = step->next;
            break;
        case SIM_STEP_CLOSE:
            at++;
            break;
        }
    }
    return loop_at;
}

void route_there(struct sim_network *network, struct sim_packet *packet, sonde_ns now)
{
    /* without a path the host is next door */
    const struct sim_path *path = find_path(network->scenario, packet->host, false, now);
    uint32_t loop_at = UINT32_MAX;
    if (path != NULL)
        loop_at = lay(network, path, packet, &packet->route);
    if (loop_at == UINT32_MAX) {
        append(&packet->route, packet->host);
        return;
    }
    for (uint32_t at = loop_at; packet->route.len < SIM_ROUTE_MAX; at++)
        append(&packet->route, packet->route.nodes[at]);
}

int route_place(const struct sim_packet *packet, uint32_t node)
{
    int at = 0;
    while (at < packet->route.len - 1 && packet->route.nodes[at] != node)
        at++;
    return at;
}

bool route_is_behind(const struct sim_packet *packet, uint32_t node)
{
    int host = route_place(packet, packet->host);
    return packet->route.nodes[host] == packet->host && route_place(packet, node) > host;
}

bool route_extend(struct sim_packet *packet, uint32_t node)
{
    if (packet->route.len == SIM_ROUTE_MAX)
        return false;
    append(&packet->route, node);
    return true;
}

/* Add the nodes of a way back from one of its places on, the last one first. */
static void append_reversed(struct sim_route *route, const struct sim_route *back, uint16_t from)
{
    for (uint16_t i = back->len; i > from; i--)
        append(route, back->nodes[i - 1]);
}

void route_back(struct sim_network *network, uint32_t node, struct sim_packet *reply, sonde_ns now)
{
    const struct sim_path *path = find_path(network->scenario, reply->host, true, now);
    int place = node == SIM_NODE_VANTAGE ? 0 : route_place(reply, node);
    reply->at = place - 1;
    if (path == NULL || node == SIM_NODE_VANTAGE)
        return;
    struct sim_route back = {0};
    struct sim_route route = {0};
    uint16_t from = 0;
    (void)lay(network, path, reply, &back);
    while (from < back.len && back.nodes[from] != node)
        from++;
    if (node == reply->host || route_is_behind(reply, node)) {
        append_reversed(&route, &back, 0);
        for (int at = route_place(reply, reply->host); at <= place; at++)
            append(&route, reply->route.nodes[at]);
    } else if (from < back.len) {
        append_reversed(&route, &back, from);
    } else {
        return; /* the way that the probe came */
    }
    reply->route = route;
    reply->at = route.len - 2;
}
