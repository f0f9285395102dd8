/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP of simulated hosts, as far as a SYN gets, and the resets of the vantage's kernel: as Linux
 * does it (net/ipv4/tcp_minisocks.c, tcp_check_req(); net/ipv4/inet_connection_sock.c,
 * reqsk_timer_handler()). tests/unit/io/test_sim_tcp.c says how each was seen.
 *
 * The vantage's kernel has no connection that a SYN-ACK could belong to, so it resets each. That
 * reset travels the path like any other packet. Until it arrives the connection is half-open, and
 * the host takes another SYN of the same addresses and ports for a part of it:
 *
 * - The same SYN again is answered with the same SYN-ACK, and echoes the first SYN's timestamp; but
 *   a host does so only once in half a second, and what it also sends counts.
 * - A SYN of another sequence number, or one with an older timestamp, is answered by an ACK of the
 *   first; the kernel at the vantage resets that, too. If it is within the window, it is reset.
 * - Without a reset, the SYN-ACK is repeated 1, 3, 7, 15 and 31 s after the first; after 63 s the
 *   connection is forgotten. A SYN that is answered again begins the present wait anew.
 */
#include "base/time.h"
#include "io/sim/network.h"

#include <stdlib.h>

enum {
    WINDOW = 65160,      /* what a SYN-ACK offers over Ethernet */
    REPETITIONS_MAX = 5, /* net.ipv4.tcp_synack_retries */
    KERNEL_TTL = 64,     /* net.ipv4.ip_default_ttl, at the vantage */
};
/* Kernel timers are never early: a SYN that comes again after exactly a second is there before. */
static const sonde_ns LATE_NS = 10 * SONDE_NS_PER_MS;
static const sonde_ns PAUSE_NS = 500 * SONDE_NS_PER_MS; /* net.ipv4.tcp_invalid_ratelimit */

/** A connection attempt that a node has answered and that has not been reset yet. */
struct sim_half_open {
    struct sim_half_open *next; /* of the same list */
    uint32_t node;
    struct sonde_addr src; /* of the SYN, as are the ports */
    struct sonde_addr dst;
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t isn; /* the SYN's */
    bool has_timestamps;
    uint32_t ts_value;  /* the SYN's */
    uint32_t seq;       /* of the SYN-ACK */
    uint8_t ttl;        /* that it begins with */
    bool repeated;      /* something else than the first SYN has been answered */
    sonde_ns repeat_ns; /* when, the last time */
    uint32_t timeouts;  /* how often the SYN-ACK was repeated because time had passed */
    uint32_t unopened;  /* the SYN, which waits in the network for the next of these */
};

/** A segment at a node, and what it needs for an answer. */
struct segment {
    struct sim_network *network;
    uint32_t node;
    const struct sim_packet *packet;
    sonde_ns now;
    uint8_t ttl; /* that an answer begins with */
    struct ip_header ip;
    struct tcp_header tcp;
};

static bool segment_read(struct sim_network *network, uint32_t node,
                         const struct sim_packet *packet, sonde_ns now, struct segment *ret_segment)
{
    *ret_segment = (struct segment){.network = network, .node = node, .packet = packet, .now = now};
    return bytes_decode(packet, &ret_segment->ip) && ret_segment->ip.protocol == IP_PROTO_TCP &&
           tcp_decode(ret_segment->ip.payload, &ret_segment->tcp) == 0 && !ret_segment->tcp.cut;
}

static uint64_t hash_of(const struct segment *segment)
{
    uint64_t ports = (uint64_t)segment->tcp.src_port << 16 | segment->tcp.dst_port;
    return mix64((uint64_t)segment->node << 32 ^ ports);
}

/* Where a connection stands in its list, or the end of that. */
static struct sim_half_open **find(const struct segment *segment)
{
    struct sim_half_open **at =
        &segment->network->half_open[hash_of(segment) % SIM_HALF_OPEN_LISTS];
    while (*at != NULL &&
           ((*at)->node != segment->node || (*at)->src_port != segment->tcp.src_port ||
            (*at)->dst_port != segment->tcp.dst_port ||
            !sonde_addr_equal(&(*at)->src, &segment->ip.src) ||
            !sonde_addr_equal(&(*at)->dst, &segment->ip.dst)))
        at = &(*at)->next;
    return at;
}

static void forget(struct sim_half_open **at)
{
    struct sim_half_open *known = *at;
    *at = known->next;
    free(known);
}

static void reply(const struct segment *segment, struct tcp_header *tcp)
{
    const struct sim_node *node = &segment->network->scenario->nodes[segment->node];
    uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    tcp->src_port = segment->tcp.dst_port;
    tcp->dst_port = segment->tcp.src_port;
    tcp_encode(&wr, tcp);
    struct ip_header ip = {
        .src = node->is_host ? host_source(node, &segment->ip.dst) : segment->ip.dst,
        .protocol = IP_PROTO_TCP,
        .ttl = segment->ttl,
    };
    network_reply(segment->network, segment->node, segment->packet, &ip,
                  (struct sonde_span){bytes, wr.len}, segment->now);
}

/* RFC 9293 §3.10.7.1: a SYN to a closed port. */
static void reply_reset(const struct segment *segment)
{
    struct tcp_header tcp = {
        .ack = segment->tcp.seq + 1,
        .flags = TCP_RST | TCP_ACK,
        .options.window_scale = -1,
    };
    reply(segment, &tcp);
}

/* Send a SYN-ACK, or the ACK of an attempt that has been answered so. */
static void reply_ack(const struct segment *segment, const struct sim_half_open *known, bool syn)
{
    const struct sim_node *node = &segment->network->scenario->nodes[segment->node];
    struct tcp_header tcp = {
        .seq = syn ? known->seq : known->seq + 1,
        .ack = known->isn + 1,
        .flags = (uint8_t)(syn ? TCP_SYN | TCP_ACK : TCP_ACK),
        .window = WINDOW,
        .options =
            {
                .mss = syn ? 1460 : 0,
                .has_timestamps = known->has_timestamps && !node->no_timestamps,
                .ts_value = (uint32_t)(segment->now / SONDE_NS_PER_MS),
                .ts_echo = known->ts_value,
                .window_scale = -1,
            },
    };
    reply(segment, &tcp);
}

static struct sim_half_open attempt_of(const struct segment *segment, uint32_t seq)
{
    return (struct sim_half_open){
        .node = segment->node,
        .src = segment->ip.src,
        .dst = segment->ip.dst,
        .src_port = segment->tcp.src_port,
        .dst_port = segment->tcp.dst_port,
        .isn = segment->tcp.seq,
        .has_timestamps = segment->tcp.options.has_timestamps,
        .ts_value = segment->tcp.options.ts_value,
        .seq = seq,
        .ttl = segment->ttl,
    };
}

/* When the SYN-ACK is repeated that is sent now. */
static sonde_ns repetition_ns(const struct sim_half_open *attempt, sonde_ns now)
{
    return ns_add(now, (SONDE_NS_PER_S << attempt->timeouts) + LATE_NS);
}

/* A SYN that belongs to nothing that is known. Without memory it is answered and forgotten. */
static void open_connection(const struct segment *segment, struct sim_half_open **end)
{
    struct sim_network *network = segment->network;
    struct sim_half_open attempt =
        attempt_of(segment, (uint32_t)prng_next(network_prng(network, segment->packet)));
    reply_ack(segment, &attempt, true);
    struct sim_half_open *known = malloc(sizeof *known);
    struct sim_packet *unopened = known != NULL ? network_dup(segment->packet) : NULL;
    if (unopened == NULL) {
        free(known);
        return;
    }
    *known = attempt;
    unopened->errand = SIM_UNOPENED;
    unopened->aside = true; /* what it will draw is the kernel's own doing */
    known->unopened = network_wait(network, unopened, repetition_ns(known, segment->now));
    if (known->unopened != UINT32_MAX)
        *end = known;
    else
        free(known);
}

/* May an attempt be answered once more now? */
static bool may_repeat(struct sim_half_open *known, sonde_ns now)
{
    if (known->repeated && ns_sub(now, known->repeat_ns) < PAUSE_NS)
        return false;
    known->repeated = true;
    known->repeat_ns = now;
    return true;
}

static void end_connection(struct sim_network *network, struct sim_half_open **at)
{
    free(network_take(network, (*at)->unopened));
    forget(at);
}

/* Something comes to an attempt that is half-open. */
static void meet_attempt(const struct segment *segment, struct sim_half_open **at)
{
    struct sim_half_open *known = *at;
    const struct tcp_header *tcp = &segment->tcp;
    uint32_t ahead = tcp->seq - (known->isn + 1);
    if (tcp->flags & TCP_RST) {
        if (ahead == 0)
            end_connection(segment->network, at);
        return;
    }
    if (tcp->flags != TCP_SYN)
        return;
    bool older = known->has_timestamps && tcp->options.has_timestamps && known->ts_value != 0 &&
                 (int32_t)(known->ts_value - tcp->options.ts_value) > 0;
    if (!older && tcp->seq == known->isn) {
        if (!may_repeat(known, segment->now))
            return;
        reply_ack(segment, known, true);
        network_defer(segment->network, known->unopened, repetition_ns(known, segment->now));
    } else if (older || ahead >= WINDOW) {
        if (may_repeat(known, segment->now))
            reply_ack(segment, known, false);
    } else {
        reply_reset(segment);
        end_connection(segment->network, at);
    }
}

/* SYN cookies: what the SYN-ACK needs to know stands in it. */
static void answer_by_cookie(const struct segment *segment)
{
    uint64_t cookie = mix64(hash_of(segment) ^ segment->tcp.seq);
    struct sim_half_open attempt = attempt_of(segment, (uint32_t)cookie);
    reply_ack(segment, &attempt, true);
}

/* A segment comes to a port. */
static void answer(const struct segment *segment, bool open)
{
    bool is_syn = segment->tcp.flags == TCP_SYN;
    if (!open) {
        if (is_syn)
            reply_reset(segment);
        return;
    }
    if (segment->network->scenario->nodes[segment->node].stateless) {
        if (is_syn)
            answer_by_cookie(segment);
        return;
    }
    struct sim_half_open **at = find(segment);
    if (*at != NULL)
        meet_attempt(segment, at);
    else if (is_syn)
        open_connection(segment, at);
}

void tcp_answer(struct sim_network *network, const struct sim_rule *rule,
                const struct sim_packet *packet, sonde_ns now)
{
    struct segment segment;
    if (!segment_read(network, rule->node, packet, now, &segment))
        return;
    segment.ttl = rule->ttl != 0 ? rule->ttl : network->scenario->nodes[rule->node].initial_ttl;
    answer(&segment, rule->action == SIM_ANSWER);
}

void tcp_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                 sonde_ns now)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    struct segment segment;
    if (!segment_read(network, index, packet, now, &segment))
        return;
    const struct sim_port *port =
        host_find_port(node, IP_PROTO_TCP, segment.tcp.dst_port, (struct sonde_span){NULL, 0});
    if (port == NULL || port->state == SIM_PORT_SILENT)
        return;
    segment.ttl = host_initial_ttl(node, port);
    answer(&segment, port->state == SIM_PORT_OPEN);
}

void tcp_timeout(struct sim_network *network, struct sim_packet *packet, sonde_ns now)
{
    struct segment segment;
    uint32_t index = packet->route.nodes[packet->at];
    struct sim_half_open **at = NULL;
    if (segment_read(network, index, packet, now, &segment))
        at = find(&segment);
    if (at == NULL || *at == NULL) {
        free(packet);
        return;
    }
    struct sim_half_open *known = *at;
    if (known->timeouts == REPETITIONS_MAX) {
        forget(at);
        free(packet);
        return;
    }
    segment.ttl = known->ttl;
    reply_ack(&segment, known, true);
    known->timeouts++;
    known->unopened = network_wait(network, packet, repetition_ns(known, now));
    if (known->unopened == UINT32_MAX)
        forget(at);
}

void tcp_reset(struct sim_network *network, const struct sim_packet *packet, sonde_ns now)
{
    struct segment segment;
    if (!segment_read(network, 0, packet, now, &segment) || (segment.tcp.flags & TCP_RST) ||
        !(segment.tcp.flags & TCP_ACK))
        return;
    const struct tcp_header reset = {
        .src_port = segment.tcp.dst_port,
        .dst_port = segment.tcp.src_port,
        .seq = segment.tcp.ack,
        .flags = TCP_RST,
        .options.window_scale = -1,
    };
    uint8_t bytes[TCP_HEADER_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    tcp_encode(&wr, &reset);
    bytes_checksum(bytes, wr.len, IP_PROTO_TCP, &segment.ip.dst, &segment.ip.src);
    const struct sonde_flow flow = {
        .src = segment.ip.dst,
        .dst = segment.ip.src,
        .protocol = IP_PROTO_TCP,
        .src_port = reset.src_port,
        .dst_port = reset.dst_port,
    };
    const struct sonde_tx tx = {
        .flow = &flow,
        .segment = {bytes, wr.len},
        .header_len = wr.len,
        .ttl = KERNEL_TTL,
    };
    /* The kernel does so before whoever waits for the packet can do anything. It fails where the
     * packet came from an address that is no host's. */
    (void)!network_send_aside(network, &tx, ns_sub(now, 1));
}

void tcp_forget(struct sim_network *network)
{
    for (uint32_t i = 0; i < SIM_HALF_OPEN_LISTS; i++) {
        while (network->half_open[i] != NULL)
            forget(&network->half_open[i]);
    }
}
