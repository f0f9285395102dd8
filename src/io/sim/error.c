/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP errors of simulated nodes: what they quote, and how many there are. */
#include "base/time.h"
#include "io/sim/network.h"
#include "wire/icmp.h"
#include "wire/icmpext.h"

enum {
    ERROR_BYTES4 = 576,  /* an error is never longer: RFC 1812 §4.3.2.3 */
    ERROR_BYTES6 = 1280, /* RFC 4443 §2.4 (c) */
    NEXT_HEADER_AT = 6,  /* of an IPv6 header: what a pointer to it says */
};

bool limit_allows(struct sim_limit *limit, sonde_ns now)
{
    if (limit->interval_ns == 0)
        return true;
    sonde_ns tolerance = ns_mul(limit->interval_ns, (int64_t)limit->burst - 1);
    if (ns_sub(limit->earned_ns, tolerance) > now)
        return false;
    limit->earned_ns = ns_add(ns_max(limit->earned_ns, now), limit->interval_ns);
    return true;
}

/* How much of a packet an error of this node quotes. */
static size_t quote_len(const struct sim_node *node, const struct sim_packet *packet,
                        const struct ip_header *ip)
{
    bool ipv6 = ip->src.family == SONDE_FAMILY_IPV6;
    size_t room =
        ipv6 ? (size_t)ERROR_BYTES6 - IP6_HEADER_BYTES : (size_t)ERROR_BYTES4 - IP4_HEADER_BYTES;
    room -= ICMP_HEADER_BYTES;
    size_t headers = (size_t)(ip->payload.data - packet->bytes);
    size_t len = packet->len;
    if (node->quote_bytes > 0 && len > headers + node->quote_bytes)
        len = headers + node->quote_bytes;
    if (node->ext.count > 0 && len > ICMPEXT_QUOTE_MIN)
        len = ICMPEXT_QUOTE_MIN;
    return len < room ? len : room;
}

/* The vantage, as far as it sends errors. */
static struct sim_node node_of_vantage(const struct sim_scenario *scenario)
{
    return (struct sim_node){
        .addr4 = scenario->vantage4,
        .addr6 = scenario->vantage6,
        .initial_ttl = 64, /* net.ipv4.ip_default_ttl */
    };
}

/* Send an error. @param icmp  Its header; info is the second word, but for the length attribute. */
static void send_error(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                       const struct icmp_header *icmp, sonde_ns now)
{
    struct sim_node here = node_of_vantage(network->scenario);
    struct sim_node *node = index == SIM_NODE_VANTAGE ? &here : &network->scenario->nodes[index];
    struct ip_header quoted;
    if (node->silent || !bytes_decode(packet, &quoted))
        return;
    bool ipv6 = quoted.src.family == SONDE_FAMILY_IPV6;
    const struct sonde_addr *from = ipv6 ? &node->from6 : &node->from4;
    if (from->family == SONDE_FAMILY_NONE)
        from = ipv6 ? &node->addr6 : &node->addr4;
    if (index != SIM_NODE_VANTAGE && route_is_behind(packet, index))
        from = &quoted.dst; /* a translator translates errors, too */
    if (from->family == SONDE_FAMILY_NONE || !limit_allows(&node->limit, now))
        return;

    uint8_t bytes[ERROR_BYTES6 + sizeof(struct sonde_extensions)];
    struct wr wr = wr_init(bytes, sizeof bytes);
    size_t len = quote_len(node, packet, &quoted);
    bool extended = node->ext.count > 0 && !(ipv6 && icmp->type == ICMP6_PACKET_TOO_BIG);
    uint32_t info = icmp->info;
    if (extended && !node->legacy)
        info |= icmp_quoted_info(quoted.src.family, ICMPEXT_QUOTE_MIN);
    icmp_encode(&wr, icmp->type, icmp->code, info);
    wr_bytes(&wr, packet->bytes, len);
    if (extended) {
        wr_fill(&wr, 0, ICMPEXT_QUOTE_MIN - len);
        icmpext_encode(&wr, &node->ext);
    }
    struct ip_header ip = {
        .src = *from,
        .protocol = ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP,
        .ttl = node->initial_ttl,
    };
    if (wr_ok(&wr))
        network_reply(network, index, packet, &ip, (struct sonde_span){bytes, wr.len}, now);
}

void network_error(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                   uint8_t type, uint8_t code, sonde_ns now)
{
    send_error(network, index, packet, &(struct icmp_header){.type = type, .code = code}, now);
}

bool network_fits(struct sim_network *network, uint32_t index, const struct sim_packet *packet,
                  sonde_ns now)
{
    uint16_t mtu = network->scenario->nodes[packet->route.nodes[packet->at + 1]].mtu_bytes;
    struct ip_header ip;
    if (mtu == 0 || packet->len <= mtu || !bytes_decode(packet, &ip) || !ip.dont_fragment)
        return true;
    bool ipv6 = ip.src.family == SONDE_FAMILY_IPV6;
    send_error(network, index, packet,
               &(struct icmp_header){
                   .type = ipv6 ? ICMP6_PACKET_TOO_BIG : ICMP4_UNREACHABLE,
                   .code = ipv6 ? 0 : ICMP4_CODE_FRAG_NEEDED,
                   .info = mtu,
               },
               now);
    return false;
}

void network_lacks_protocol(struct sim_network *network, uint32_t index,
                            const struct sim_packet *packet, sonde_ns now)
{
    bool ipv6 = packet->bytes[0] >> 4 == 6;
    send_error(network, index, packet,
               &(struct icmp_header){
                   .type = ipv6 ? ICMP6_PARAMETER_PROBLEM : ICMP4_UNREACHABLE,
                   .code = ipv6 ? ICMP6_CODE_NEXT_HEADER : ICMP4_CODE_PROTOCOL,
                   .info = ipv6 ? NEXT_HEADER_AT : 0,
               },
               now);
}

uint8_t network_reject_code(const struct sim_packet *packet, int code)
{
    if (code >= 0)
        return (uint8_t)code;
    return packet->bytes[0] >> 4 == 6 ? 1 : 13; /* administratively prohibited */
}
