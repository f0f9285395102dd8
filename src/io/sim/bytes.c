/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes to the bytes of a travelling packet, checksums kept right; see io/sim/network.h. */
#include "io/sim/network.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/sctp.h"

#include <string.h>

bool bytes_decode(const struct sim_packet *packet, struct ip_header *ret_ip)
{
    return ip_decode((struct sonde_span){packet->bytes, packet->len}, IP_WHOLE, ret_ip) == 0;
}

/* Where the Internet checksum stands in a segment; SIZE_MAX if the protocol has none. */
static size_t checksum_offset(uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        return 2;
    case IP_PROTO_UDP:
        return 6;
    case IP_PROTO_TCP:
        return 16;
    default:
        return SIZE_MAX;
    }
}

static void store_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t load_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

bool bytes_is_intact(const struct sonde_tx *tx)
{
    const struct sonde_flow *flow = tx->flow;
    if (flow->protocol == IP_PROTO_SCTP) {
        struct rd rd = rd_init(span_sub(tx->segment, SCTP_CHECKSUM_AT, sizeof(uint32_t)));
        return rd_u32(&rd) == sctp_checksum(tx->segment) && rd_ok(&rd);
    }
    uint64_t sum = csum_add(0, tx->segment);
    sum += csum_pseudo(&flow->src, &flow->dst, flow->protocol, (uint32_t)tx->segment.len);
    return flow->protocol != IP_PROTO_TCP || csum_finish(sum) == 0; /* RFC 1071 §1 */
}

void bytes_checksum(uint8_t *segment, size_t len, uint8_t protocol, const struct sonde_addr *src,
                    const struct sonde_addr *dst)
{
    size_t offset = checksum_offset(protocol);
    if (protocol == IP_PROTO_SCTP) {
        struct wr wr = {segment, len, len, false};
        sctp_patch_checksum(&wr, sctp_checksum((struct sonde_span){segment, len}));
        return;
    }
    if (offset == SIZE_MAX || offset + 2 > len)
        return;
    store_u16(segment + offset, 0);
    uint64_t sum = csum_add(0, (struct sonde_span){segment, len});
    if (protocol != IP_PROTO_ICMP)
        sum += csum_pseudo(src, dst, protocol, (uint32_t)len);
    uint16_t checksum = csum_finish(sum);
    if (protocol == IP_PROTO_UDP && checksum == 0)
        checksum = 0xffff; /* RFC 768 */
    store_u16(segment + offset, checksum);
}

static size_t header_len(const struct sim_packet *packet, const struct ip_header *ip)
{
    return (size_t)(ip->payload.data - packet->bytes);
}

/* Put length and both checksums right after a change. */
static void refresh(struct sim_packet *packet, size_t headers)
{
    bool ipv4 = packet->bytes[0] >> 4 == 4;
    if (ipv4) {
        store_u16(packet->bytes + 2, (uint16_t)packet->len);
        store_u16(packet->bytes + 10, 0);
        uint64_t sum = csum_add(0, (struct sonde_span){packet->bytes, headers});
        store_u16(packet->bytes + 10, csum_finish(sum));
    } else {
        store_u16(packet->bytes + 4, (uint16_t)(packet->len - IP6_HEADER_BYTES));
    }
    struct ip_header ip;
    if (bytes_decode(packet, &ip))
        bytes_checksum(packet->bytes + headers, packet->len - headers, ip.protocol, &ip.src,
                       &ip.dst);
}

void bytes_decrement_ttl(struct sim_packet *packet)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip))
        return;
    if (packet->bytes[0] >> 4 == 6) {
        packet->bytes[7]--;
        return;
    }
    size_t headers = header_len(packet, &ip);
    packet->bytes[8]--;
    store_u16(packet->bytes + 10, 0);
    store_u16(packet->bytes + 10,
              csum_finish(csum_add(0, (struct sonde_span){packet->bytes, headers})));
}

void bytes_translate(struct sim_packet *packet, const struct sonde_addr *addr, uint16_t port_shift)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip))
        return;
    size_t headers = header_len(packet, &ip);
    bool ipv4 = addr->family == SONDE_FAMILY_IPV4;
    size_t offset = (ipv4 ? 12U : 8U) + (packet->back ? (ipv4 ? 4U : 16U) : 0U);
    memcpy(packet->bytes + offset, addr->bytes, ipv4 ? 4 : 16);
    bool icmp = ip.protocol == IP_PROTO_ICMP || ip.protocol == IP_PROTO_ICMPV6;
    /* ports: source first; an echo's identifier stands at 4 both ways, an error has none */
    size_t port = headers + (icmp ? 4U : packet->back ? 2U : 0U);
    bool has_port = !icmp || icmp_classify(addr->family, packet->bytes[headers]) != ICMP_ERROR;
    if (has_port && port + 2 <= packet->len) {
        uint16_t value = load_u16(packet->bytes + port);
        value = (uint16_t)(packet->back ? value - port_shift : value + port_shift);
        store_u16(packet->bytes + port, value);
    }
    refresh(packet, headers);
}

void bytes_truncate(struct sim_packet *packet, size_t keep)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip) || keep >= ip.payload.len)
        return;
    size_t headers = header_len(packet, &ip);
    packet->len = headers + keep;
    refresh(packet, headers);
}

static void flip(struct sim_packet *packet, size_t from, size_t len)
{
    for (size_t i = from; i < from + len && i < packet->len; i++)
        packet->bytes[i] ^= 0xff;
}

void bytes_forge(struct sim_packet *packet)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip))
        return;
    size_t headers = header_len(packet, &ip);
    enum sonde_family family = ip.src.family;
    bool icmp = ip.protocol == IP_PROTO_ICMP || ip.protocol == IP_PROTO_ICMPV6;
    struct ip_header quoted;
    if (ip.protocol == IP_PROTO_TCP) {
        flip(packet, headers + 8, 4); /* the acknowledgment number */
    } else if (ip.protocol == IP_PROTO_SCTP) {
        flip(packet, headers + 4, 4); /* the verification tag */
    } else if (!icmp) {
        flip(packet, headers + 2, 2); /* the port that it is sent to */
    } else if (icmp_classify(family, packet->bytes[headers]) != ICMP_ERROR) {
        flip(packet, headers + ICMP_HEADER_BYTES, 8); /* the cookie in the payload */
    } else if (ip_decode(span_sub(ip.payload, ICMP_HEADER_BYTES, ip.payload.len), IP_QUOTED,
                         &quoted) == 0) {
        size_t segment = (size_t)(quoted.payload.data - packet->bytes);
        flip(packet, segment + 4, 12); /* sequence, identifier, cookie: all behind the ports */
    }
    refresh(packet, headers);
}
