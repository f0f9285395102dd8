/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How simulated hosts answer echo requests and UDP, modelled on Linux. TCP is in tcp.c, SCTP in
 * sctp.c.
 */
#include "base/time.h"
#include "io/sim/network.h"
#include "wire/icmp.h"
#include "wire/udp.h"

const struct sim_port *host_find_port(const struct sim_node *node, uint8_t protocol, uint16_t port,
                                      struct sonde_span question)
{
    const struct sim_port *other = NULL;
    bool named = false;
    for (uint32_t i = 0; i < node->port_count; i++) {
        const struct sim_port *candidate = &node->ports[i];
        if (candidate->protocol != protocol || (candidate->port != port && candidate->port != 0))
            continue;
        named |= candidate->port == port;
        if (!question_fits(candidate->only, question))
            continue;
        if (candidate->port == port)
            return candidate;
        other = candidate;
    }
    return named ? NULL : other;
}

uint32_t host_passes_on(const struct sim_node *node, const struct sim_packet *packet)
{
    struct ip_header ip;
    struct udp_header udp = {0};
    if (!bytes_decode(packet, &ip) || ip.payload.len < 4)
        return UINT32_MAX;
    if (ip.protocol == IP_PROTO_ICMP || ip.protocol == IP_PROTO_ICMPV6)
        return UINT32_MAX; /* no port stands there */
    uint16_t number = (uint16_t)(ip.payload.data[2] << 8 | ip.payload.data[3]);
    if (ip.protocol == IP_PROTO_UDP && udp_decode(ip.payload, &udp) < 0)
        return UINT32_MAX;
    const struct sim_port *port = host_find_port(node, ip.protocol, number, udp.payload);
    return port != NULL && port->state == SIM_PORT_TO ? port->to : UINT32_MAX;
}

uint8_t host_initial_ttl(const struct sim_node *node, const struct sim_port *port)
{
    return port != NULL && port->initial_ttl != 0 ? port->initial_ttl : node->initial_ttl;
}

struct sonde_addr host_source(const struct sim_node *node, const struct sonde_addr *asked)
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
        .src = host_source(node, &request->dst),
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
    case SIM_PORT_ABSENT:
    case SIM_PORT_TO:
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
    const struct sim_port *port = host_find_port(node, IP_PROTO_UDP, udp.dst_port, udp.payload);
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
        .src = host_source(node, &request->dst),
        .protocol = IP_PROTO_UDP,
        .ttl = host_initial_ttl(node, port),
    };
    if (wr_ok(&wr))
        network_reply(network, index, packet, &ip, (struct sonde_span){bytes, wr.len}, now);
}

void host_receive(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip) || packet->damaged)
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
        tcp_receive(network, index, packet, now);
        break;
    case IP_PROTO_SCTP:
        sctp_receive(network, index, packet, now);
        break;
    default:
        break;
    }
}
