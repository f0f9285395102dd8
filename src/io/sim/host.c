/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How simulated hosts answer, modelled on Linux.
 *
 * Of TCP only what a SYN can meet is there. An open port remembers the attempt until the RST that
 * the prober's kernel sends would be back; a SYN repeated before that is answered once more with
 * the first SYN's timestamp, and then not at all (tcp_check_req() and its rate limit).
 */
#include "base/time.h"
#include "io/sim/network.h"
#include "wire/icmp.h"
#include "wire/udp.h"

static const struct sim_port *find_port(const struct sim_node *node, uint8_t protocol,
                                        uint16_t port)
{
    const struct sim_port *other = NULL;
    for (uint32_t i = 0; i < node->port_count; i++) {
        const struct sim_port *candidate = &node->ports[i];
        if (candidate->protocol != protocol)
            continue;
        if (candidate->port == port)
            return candidate;
        if (candidate->port == 0)
            other = candidate;
    }
    return other;
}

/* What the answers of a port begin with. @param port  NULL = the node has no such port. */
static uint8_t initial_ttl(const struct sim_node *node, const struct sim_port *port)
{
    return port != NULL && port->initial_ttl != 0 ? port->initial_ttl : node->initial_ttl;
}

/* The source address of what a node sends in a family. */
static struct sonde_addr source_of(const struct sim_node *node, const struct sonde_addr *asked)
{
    const struct sonde_addr *from =
        asked->family == SONDE_FAMILY_IPV6 ? &node->from6 : &node->from4;
    return from->family != SONDE_FAMILY_NONE ? *from : *asked;
}

static void receive_echo(struct sim_network *network, uint32_t index,
                         const struct sim_packet *packet, const struct ip_header *request,
                         sonde_ns now)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    bool ipv6 = request->src.family == SONDE_FAMILY_IPV6;
    struct icmp_header icmp;
    uint8_t bytes[SIM_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    if (node->silent || icmp_decode(request->payload, &icmp) < 0 ||
        icmp.type != (ipv6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST))
        return;
    icmp_encode(&wr, ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY, 0, icmp.info);
    wr_bytes(&wr, icmp.body.data, icmp.body.len);
    struct ip_header ip = {
        .src = source_of(node, &request->dst),
        .protocol = request->protocol,
        .ttl = node->initial_ttl,
    };
    if (wr_ok(&wr))
        network_reply(network, index, packet, &ip, (struct sonde_span){bytes, wr.len}, now);
}

/* Write what a UDP service answers. @return false if it does not. */
static bool write_answer(const struct sim_port *port, struct sonde_span question, struct wr *wr)
{
    static const uint8_t hello[] = {'h', 'e', 'l', 'l', 'o', '\n'};
    switch (port != NULL ? port->state : SIM_PORT_SILENT) {
    case SIM_PORT_ECHO:
        wr_bytes(wr, question.data, question.len);
        return true;
    case SIM_PORT_ANSWER:
        wr_bytes(wr, hello, sizeof hello);
        return true;
    case SIM_PORT_REPLY:
        return reply_write(port->reply, question, wr) == 0;
    case SIM_PORT_SILENT:
    case SIM_PORT_CLOSED:
    case SIM_PORT_OPEN:
        break;
    }
    return false;
}

static void receive_udp(struct sim_network *network, uint32_t index,
                        const struct sim_packet *packet, const struct ip_header *request,
                        sonde_ns now)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    bool ipv6 = request->src.family == SONDE_FAMILY_IPV6;
    struct udp_header udp;
    if (udp_decode(request->payload, &udp) < 0)
        return;
    const struct sim_port *port = find_port(node, IP_PROTO_UDP, udp.dst_port);
    enum sim_port_state state = port != NULL ? port->state : SIM_PORT_SILENT;
    if (state == SIM_PORT_CLOSED) {
        network_error(network, index, packet, ipv6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE,
                      ipv6 ? ICMP6_CODE_PORT : ICMP4_CODE_PORT, now);
        return;
    }
    uint8_t bytes[SIM_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    udp_encode(&wr, udp.dst_port, udp.src_port, 0);
    if (!write_answer(port, udp.payload, &wr))
        return;
    wr_patch_u16(&wr, 4, (uint16_t)wr.len); /* the length: RFC 768 */
    struct ip_header ip = {
        .src = source_of(node, &request->dst),
        .protocol = IP_PROTO_UDP,
        .ttl = initial_ttl(node, port),
    };
    if (wr_ok(&wr))
        network_reply(network, index, packet, &ip, (struct sonde_span){bytes, wr.len}, now);
}

/* What the host remembers of this attempt, or the place to remember it. */
static struct sim_half_open *half_open_of(struct sim_network *network, uint64_t key)
{
    return &network->half_open[key % SIM_HALF_OPEN_MAX];
}

static uint64_t attempt_key(uint32_t node, const struct ip_header *request,
                            const struct tcp_header *syn)
{
    uint64_t ports = (uint64_t)syn->src_port << 16 | syn->dst_port;
    uint64_t key = mix64((uint64_t)node << 40 ^ ports << 8 ^ request->src.bytes[3]);
    return key | 1;
}

/* Prepare the SYN-ACK. @return false if this repetition is not answered. */
static bool accept_syn(struct sim_network *network, uint64_t key, const struct sim_packet *packet,
                       sonde_ns now, struct tcp_header *reply)
{
    struct sim_half_open *known = half_open_of(network, key);
    if (known->key == key && now < known->until_ns) {
        if (known->repeated)
            return false;
        known->repeated = true;
    } else {
        sonde_ns one_way = ns_sub(now, packet->sent_ns);
        *known = (struct sim_half_open){
            .key = key,
            .until_ns = ns_add(now, ns_mul(one_way, 2)),
            .ts_value = reply->options.ts_echo,
            .seq = (uint32_t)prng_next(&network->prng),
        };
    }
    reply->options.ts_echo = known->ts_value;
    reply->seq = known->seq;
    return true;
}

void host_answer_syn(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                     bool open, sonde_ns now)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    struct ip_header request;
    struct tcp_header syn;
    if (!bytes_decode(packet, &request) || request.protocol != IP_PROTO_TCP ||
        tcp_decode(request.payload, &syn) < 0 || syn.flags != TCP_SYN)
        return;
    struct tcp_header reply = {
        .src_port = syn.dst_port,
        .dst_port = syn.src_port,
        .ack = syn.seq + 1,
        .flags = open ? TCP_SYN | TCP_ACK : TCP_RST | TCP_ACK,
        .options.window_scale = -1,
    };
    if (open) {
        reply.window = 65160;
        reply.options.mss = 1460;
        reply.options.has_timestamps = syn.options.has_timestamps && !node->no_timestamps;
        reply.options.ts_value = (uint32_t)(now / SONDE_NS_PER_MS);
        reply.options.ts_echo = syn.options.ts_value;
        if (!accept_syn(network, attempt_key(index, &request, &syn), packet, now, &reply))
            return;
    }
    uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    tcp_encode(&wr, &reply);
    struct ip_header ip = {
        .src = node->is_host ? source_of(node, &request.dst) : request.dst,
        .protocol = IP_PROTO_TCP,
        .ttl = initial_ttl(node, find_port(node, IP_PROTO_TCP, syn.dst_port)),
    };
    network_reply(network, index, packet, &ip, (struct sonde_span){bytes, wr.len}, now);
}

void host_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now)
{
    const struct sim_node *node = &network->scenario->nodes[index];
    struct ip_header ip;
    struct tcp_header syn;
    if (!bytes_decode(packet, &ip))
        return;
    switch (ip.protocol) {
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        receive_echo(network, index, packet, &ip, now);
        break;
    case IP_PROTO_UDP:
        receive_udp(network, index, packet, &ip, now);
        break;
    case IP_PROTO_TCP:
        if (tcp_decode(ip.payload, &syn) == 0) {
            const struct sim_port *port = find_port(node, IP_PROTO_TCP, syn.dst_port);
            if (port != NULL && port->state != SIM_PORT_SILENT)
                host_answer_syn(network, index, packet, port->state == SIM_PORT_OPEN, now);
        }
        break;
    default:
        break;
    }
}
