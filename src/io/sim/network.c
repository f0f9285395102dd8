/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets from node to node; see io/sim/network.h. */
#include "io/sim/network.h"

#include "base/time.h"
#include "wire/icmp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ICMP4_CODE_HOST = 1,    /* RFC 792: host unreachable */
    ICMP6_CODE_ADDRESS = 3, /* RFC 4443 §3.1: address unreachable */
};

/* How long a router looks for a neighbour: three times a second (net/core/neighbour.c,
 * mcast_solicit and retrans_time). */
static const sonde_ns SEEK_NS = 3 * SONDE_NS_PER_S;

int network_init(struct sim_network *network, struct sim_scenario *scenario)
{
    *network = (struct sim_network){
        .scenario = scenario,
        .prng = {scenario->seed},
        .aside_prng = {mix64(scenario->seed + 1)},
    };
    network->packets = calloc(SIM_PACKETS_MAX, sizeof *network->packets);
    network->free_ids = calloc(SIM_PACKETS_MAX, sizeof *network->free_ids);
    int r = heap_init(&network->heap, SIM_PACKETS_MAX);
    if (r < 0 || network->packets == NULL || network->free_ids == NULL) {
        network_deinit(network);
        return -ENOMEM;
    }
    return 0;
}

void network_deinit(struct sim_network *network)
{
    /* there are none where network_init() found no memory for them */
    for (uint32_t id = 0; network->packets != NULL && id < network->ids_used; id++)
        free(network->packets[id]);
    tcp_forget(network);
    free(network->packets);
    free(network->free_ids);
    heap_deinit(&network->heap);
}

sonde_ns network_next_ns(const struct sim_network *network)
{
    return heap_time(&network->heap);
}

uint32_t network_find_host(const struct sim_scenario *scenario, const struct sonde_addr *addr)
{
    for (uint32_t i = 0; i < scenario->node_count; i++) {
        const struct sim_node *node = &scenario->nodes[i];
        if (node->is_host &&
            (sonde_addr_equal(&node->addr4, addr) || sonde_addr_equal(&node->addr6, addr)))
            return i;
    }
    return UINT32_MAX;
}

struct prng *network_prng(struct sim_network *network, const struct sim_packet *packet)
{
    return packet->aside ? &network->aside_prng : &network->prng;
}

uint32_t network_wait(struct sim_network *network, struct sim_packet *packet, sonde_ns time)
{
    if (network->free_count == 0 && network->ids_used == SIM_PACKETS_MAX) {
        free(packet);
        return UINT32_MAX;
    }
    uint32_t id =
        network->free_count > 0 ? network->free_ids[--network->free_count] : network->ids_used++;
    network->packets[id] = packet;
    heap_set(&network->heap, id, time);
    return id;
}

void network_defer(struct sim_network *network, uint32_t id, sonde_ns time)
{
    heap_set(&network->heap, id, time);
}

struct sim_packet *network_take(struct sim_network *network, uint32_t id)
{
    struct sim_packet *packet = network->packets[id];
    network->packets[id] = NULL;
    network->free_ids[network->free_count++] = id;
    heap_set(&network->heap, id, SONDE_NS_NEVER);
    return packet;
}

struct sim_packet *network_dup(const struct sim_packet *packet)
{
    struct sim_packet *copy = malloc(sizeof *copy + packet->len);
    if (copy != NULL)
        memcpy(copy, packet, sizeof *copy + packet->len);
    return copy;
}

/* Let a packet cross the link between a node and the one before it; there is none to the vantage.
 */
static int cross(struct sim_network *network, struct sim_packet *packet, uint32_t node,
                 sonde_ns now)
{
    if (node == SIM_NODE_VANTAGE)
        return network_wait(network, packet, now) == UINT32_MAX ? -ENOBUFS : 0;
    const struct sim_node *to = &network->scenario->nodes[node];
    sonde_ns jitter = 0;
    if (to->jitter_ns > 0) {
        uint64_t bound = (uint64_t)to->jitter_ns;
        jitter = (sonde_ns)(prng_next(network_prng(network, packet)) % bound);
    }
    sonde_ns time = ns_add(now, ns_add(to->delay_ns, jitter));
    return network_wait(network, packet, time) == UINT32_MAX ? -ENOBUFS : 0;
}

/* Let a packet wait until its sender has given up looking for the node that is next on its way. */
static int seek(struct sim_network *network, struct sim_packet *packet, uint32_t node, sonde_ns now)
{
    struct sim_node *dead = &network->scenario->nodes[node];
    if (dead->given_up_ns <= now)
        dead->given_up_ns = ns_add(now, SEEK_NS);
    packet->errand = SIM_UNFOUND;
    uint32_t id = network_wait(network, packet, dead->given_up_ns);
    dead->given_up_ns = ns_add(dead->given_up_ns, 1); /* who waits longer is served first */
    return id == UINT32_MAX ? -ENOBUFS : 0;
}

static int send_packet(struct sim_network *network, const struct sonde_tx *tx, bool aside,
                       sonde_ns now)
{
    uint32_t host = network_find_host(network->scenario, &tx->flow->dst);
    network->refused_mtu_bytes = 0;
    if (host == UINT32_MAX)
        return -EHOSTUNREACH;
    size_t cap = tx->segment.len + PACKET_HEADER_MAX;
    struct sim_packet *packet = calloc(1, sizeof *packet + cap);
    if (packet == NULL)
        return -ENOMEM;
    packet->len = packet_encode(tx, packet->bytes, cap);
    packet->aside = aside;
    packet->damaged = !bytes_is_intact(tx);
    int r = packet->len == 0 || packet->len > SIM_PACKET_BYTES ? -EMSGSIZE
                                                               : rules_fail(network, packet, now);
    if (r < 0) {
        free(packet);
        return r;
    }
    packet->host = (uint16_t)host;
    route_there(network, packet, now);
    uint32_t first = packet->route.nodes[0];
    uint16_t mtu = network->scenario->nodes[first].mtu_bytes;
    if (mtu > 0 && packet->len > mtu) {
        free(packet);
        network->refused_mtu_bytes = mtu;
        return -EMSGSIZE;
    }
    if (network->scenario->nodes[first].dead) {
        packet->at = SIM_AT_VANTAGE;
        return seek(network, packet, first, now);
    }
    return cross(network, packet, first, now);
}

int network_send(struct sim_network *network, const struct sonde_tx *tx, sonde_ns now)
{
    return send_packet(network, tx, false, now);
}

int network_send_aside(struct sim_network *network, const struct sonde_tx *tx, sonde_ns now)
{
    return send_packet(network, tx, true, now);
}

void network_copy(struct sim_network *network, const struct sim_packet *packet, sonde_ns time)
{
    struct sim_packet *copy = network_dup(packet);
    if (copy != NULL)
        (void)network_wait(network, copy, time);
}

/* An error goes to whom the packet comes from, by the last translation. In a loop that may be a
 * translator farther on, who has it: the detour is left out, what it undoes is undone at once. */
static void undo_detour(struct sim_packet *reply, uint32_t node, struct sonde_addr *dst)
{
    int place = route_place(reply, node);
    while (reply->nat_count > 0) {
        const struct sim_translation *last = &reply->nats[reply->nat_count - 1];
        if (route_place(reply, last->node) < place)
            return;
        *dst = last->src;
        reply->nat_count--;
    }
}

void network_reply(struct sim_network *network, uint32_t node, const struct sim_packet *packet,
                   struct ip_header *ip, struct sonde_span segment, sonde_ns now)
{
    struct ip_header request;
    size_t cap = segment.len + PACKET_HEADER_MAX;
    struct sim_packet *reply = bytes_decode(packet, &request) ? malloc(sizeof *reply + cap) : NULL;
    if (reply == NULL)
        return;
    memcpy(reply, packet, sizeof *reply);
    reply->errand = SIM_TRAVELS;
    reply->back = true;
    reply->routed = false;
    reply->next_rule = 0;
    ip->dst = request.src;
    undo_detour(reply, node, &ip->dst);
    struct wr wr = wr_init(reply->bytes, cap);
    ip_encode(&wr, ip, segment.len);
    size_t headers = wr.len;
    wr_bytes(&wr, segment.data, segment.len);
    if (!wr_ok(&wr)) {
        free(reply);
        return;
    }
    bytes_checksum(reply->bytes + headers, segment.len, ip->protocol, &ip->src, &ip->dst);
    reply->len = wr.len;
    route_back(network, node, reply, now);
    (void)cross(network, reply, node, now);
}

/* Count the TTL of a packet down. @return false if it runs out, about which an error is sent: but
 * to the vantage only, so not about what is on its way there. */
static bool check_ttl(struct sim_network *network, uint32_t index, struct sim_packet *packet,
                      sonde_ns now)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip))
        return false;
    if (ip.ttl > 1) {
        bytes_decrement_ttl(packet);
        return true;
    }
    bool ipv6 = ip.src.family == SONDE_FAMILY_IPV6;
    if (!packet->back)
        network_error(network, index, packet, ipv6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED, 0,
                      now);
    return false;
}

/* Has a packet been translated by a node? Whoever has done so knows it as his own. */
static bool is_translated(const struct sim_packet *packet, uint32_t index)
{
    for (uint16_t i = 0; i < packet->nat_count; i++) {
        if (packet->nats[i].node == index)
            return true;
    }
    return false;
}

/* Translate what passes a node that does: there its source, on the way back its destination, if it
 * is the last translation that is not undone. */
static void translate(const struct sim_scenario *scenario, uint32_t index,
                      struct sim_packet *packet)
{
    const struct sim_node *node = &scenario->nodes[index];
    const struct sonde_addr *nat = packet->bytes[0] >> 4 == 6 ? &node->nat6 : &node->nat4;
    struct ip_header ip;
    if (nat->family == SONDE_FAMILY_NONE || !bytes_decode(packet, &ip))
        return;
    if (!packet->back) {
        if (packet->nat_count == SIM_NATS_MAX || is_translated(packet, index))
            return;
        packet->nats[packet->nat_count++] = (struct sim_translation){(uint16_t)index, ip.src};
        bytes_translate(packet, nat, node->nat_port_shift);
        return;
    }
    const struct sim_translation *last =
        packet->nat_count > 0 ? &packet->nats[packet->nat_count - 1] : NULL;
    if (last == NULL || last->node != index || !sonde_addr_equal(nat, &ip.dst))
        return;
    bytes_translate(packet, &last->src, node->nat_port_shift);
    packet->nat_count--;
}

/* Is a packet at a host that it is for? A host may pass it on to another. */
static bool is_for(const struct sim_network *network, uint32_t index, struct sim_packet *packet)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    if (packet->back || packet->at != packet->route.len - 1 || !node->is_host)
        return false;
    uint32_t behind = host_passes_on(node, packet);
    return behind == UINT32_MAX || !route_extend(packet, behind);
}

/* A packet is at a node. @return true if it goes on to the next. */
static bool pass(struct sim_network *network, uint32_t index, struct sim_packet *packet,
                 sonde_ns now)
{
    if (!packet->routed && rules_apply(network, index, true, packet, now) == SIM_GONE)
        return false;
    bool ends = is_for(network, index, packet);
    if (!packet->routed && !ends && !check_ttl(network, index, packet, now))
        return false;
    packet->routed = true;
    if (rules_apply(network, index, false, packet, now) == SIM_GONE)
        return false;
    if (ends)
        host_receive(network, index, packet, now);
    if (ends || (!packet->back && packet->at == packet->route.len - 1))
        return false; /* or it has gone round a loop for too long */
    if (!packet->back && !network_fits(network, index, packet, now))
        return false;
    translate(network->scenario, index, packet);
    packet->routed = false;
    packet->at += packet->back ? -1 : 1;
    return true;
}

/* A packet reaches the next node, or goes on there: let it pass, or end it. */
static void arrive(struct sim_network *network, struct sim_packet *packet, sonde_ns now)
{
    uint32_t index = packet->route.nodes[packet->at];
    if (!pass(network, index, packet, now)) {
        free(packet);
        return;
    }
    uint32_t next = packet->back ? index : packet->route.nodes[packet->at];
    if (!packet->back && network->scenario->nodes[next].dead) {
        packet->at--;
        (void)seek(network, packet, next, now);
    } else {
        (void)cross(network, packet, next, now);
    }
}

/* Who looks for the next node on a packet's way gives up. */
static void give_up(struct sim_network *network, const struct sim_packet *packet, sonde_ns now)
{
    bool ipv6 = packet->bytes[0] >> 4 == 6;
    uint32_t index =
        packet->at == SIM_AT_VANTAGE ? SIM_NODE_VANTAGE : packet->route.nodes[packet->at];
    network_error(network, index, packet, ipv6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE,
                  ipv6 ? ICMP6_CODE_ADDRESS : ICMP4_CODE_HOST, now);
}

/* Is a packet that has come back meant for the vantage? One that was translated, and came by a way
 * without the translator, is not. */
static bool is_ours(const struct sim_scenario *scenario, const struct sim_packet *packet)
{
    struct ip_header ip;
    return bytes_decode(packet, &ip) && (sonde_addr_equal(&ip.dst, &scenario->vantage4) ||
                                         sonde_addr_equal(&ip.dst, &scenario->vantage6));
}

/* The time of a packet has come. @return The packet, if it has come back to the vantage. */
static struct sim_packet *attend(struct sim_network *network, struct sim_packet *packet,
                                 sonde_ns now)
{
    switch (packet->errand) {
    case SIM_TRAVELS:
        if (packet->at != SIM_AT_VANTAGE) {
            arrive(network, packet, now);
            return NULL;
        }
        if (!is_ours(network->scenario, packet)) {
            free(packet);
            return NULL;
        }
        tcp_reset(network, packet, now);
        return packet;
    case SIM_UNOPENED:
        tcp_timeout(network, packet, now);
        break;
    case SIM_UNFOUND:
        give_up(network, packet, now);
        free(packet);
        break;
    }
    return NULL;
}

struct sim_packet *network_run(struct sim_network *network, sonde_ns now, sonde_ns *ret_time)
{
    while (ns_due(heap_time(&network->heap), now)) {
        sonde_ns time = heap_time(&network->heap);
        struct sim_packet *packet = network_take(network, heap_top(&network->heap));
        packet = attend(network, packet, time);
        if (packet == NULL)
            continue;
        *ret_time = time;
        return packet;
    }
    return NULL;
}
