/* SPDX-License-Identifier: BSD-2-Clause */
/* Which nodes a packet passes: paths, and who is taken of alternatives. */
#include "io/sim/network.h"

#include <string.h>

/* What a load balancer hashes: addresses, protocol, and the first 4 bytes behind the IP header. */
static uint64_t flow_hash(const struct sim_packet *packet, uint64_t seed)
{
    struct ip_header ip;
    uint64_t words[4];
    uint32_t first = 0;
    if (!bytes_decode(packet, &ip))
        return 0;
    memcpy(words, ip.src.bytes, 16);
    memcpy(words + 2, ip.dst.bytes, 16);
    if (ip.payload.len >= 4)
        memcpy(&first, ip.payload.data, 4);
    uint8_t protocol = ip.protocol == IP_PROTO_ICMPV6 ? (uint8_t)IP_PROTO_ICMP : ip.protocol;
    uint64_t hash = mix64(seed ^ protocol);
    for (int i = 0; i < 4; i++)
        hash = mix64(hash ^ words[i]);
    return mix64(hash ^ first);
}

/* The path that leads to a host at a time; NULL if none is given: it is next door. */
static const struct sim_path *path_to(const struct sim_scenario *scenario, uint32_t host,
                                      sonde_ns now)
{
    const struct sim_path *found = NULL;
    for (uint32_t i = 0; i < scenario->path_count; i++) {
        const struct sim_path *path = &scenario->paths[i];
        if (path->host == host && path->from_ns <= now)
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
static uint32_t lay(struct prng *prng, const struct sim_path *path, uint64_t hash,
                    struct sim_route *route)
{
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

void route_there(struct sim_network *network, uint32_t host, sonde_ns now,
                 struct sim_packet *packet)
{
    const struct sim_path *path = path_to(network->scenario, host, now);
    uint32_t loop_at = UINT32_MAX;
    if (path != NULL)
        loop_at = lay(network_prng(network, packet), path,
                      flow_hash(packet, network->scenario->seed), &packet->route);
    if (loop_at == UINT32_MAX) {
        append(&packet->route, host);
        return;
    }
    for (uint32_t at = loop_at; packet->route.len < SIM_ROUTE_MAX; at++)
        append(&packet->route, packet->route.nodes[at]);
}
