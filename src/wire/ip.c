/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 and IPv6 headers, as wire/ip.h describes them. RFC 791, RFC 8200, RFC 4302 (AH). */
#include "wire/ip.h"

#include "wire/csum.h"

#include <errno.h>

/* Flags and offset of IPv4; RFC 791 §3.1 */
enum {
    IP4_DONT_FRAGMENT = 0x4000,
    IP4_OFFSET = 0x1fff,
};

/* IPv6 extension headers by number; RFC 8200 §4, RFC 4302 §2, RFC 6275, RFC 7401, RFC 5533 */
enum {
    EXT_HOP_BY_HOP = 0,
    EXT_ROUTING = 43,
    EXT_FRAGMENT = 44,
    EXT_AUTHENTICATION = 51,
    EXT_DESTINATION = 60,
    EXT_MOBILITY = 135,
    EXT_HIP = 139,
    EXT_SHIM6 = 140,
};

static int ip4_decode(struct sonde_span bytes, enum ip_source source, struct ip_header *ret_ip)
{
    struct ip_header ip = {.src.family = SONDE_FAMILY_IPV4, .dst.family = SONDE_FAMILY_IPV4};
    struct rd rd = rd_init(bytes);
    size_t header_len = (rd_u8(&rd) & 0x0fU) * 4;
    ip.tos = rd_u8(&rd);
    size_t total_len = rd_u16(&rd);
    ip.id = rd_u16(&rd);
    uint16_t fragment = rd_u16(&rd);
    ip.ttl = rd_u8(&rd);
    ip.protocol = rd_u8(&rd);
    rd_skip(&rd, 2); /* checksum: the kernel has checked it, and in a quote it is stale */
    rd_copy(&rd, ip.src.bytes, 4);
    rd_copy(&rd, ip.dst.bytes, 4);
    if (!rd_ok(&rd) || header_len < IP4_HEADER_BYTES || header_len > bytes.len)
        return -EBADMSG;
    if (source == IP_WHOLE) {
        if (total_len < header_len || total_len > bytes.len)
            return -EBADMSG;
        bytes.len = total_len;
    }
    ip.fragment = (fragment & IP4_OFFSET) != 0;
    ip.dont_fragment = (fragment & IP4_DONT_FRAGMENT) != 0;
    ip.options = span_sub(bytes, IP4_HEADER_BYTES, header_len - IP4_HEADER_BYTES);
    ip.payload = span_sub(bytes, header_len, bytes.len - header_len);
    *ret_ip = ip;
    return 0;
}

/* The length of the extension header at the start of rest; 0 if protocol is not one. */
static size_t ext_len(uint8_t protocol, struct sonde_span rest)
{
    switch (protocol) {
    case EXT_HOP_BY_HOP:
    case EXT_ROUTING:
    case EXT_DESTINATION:
    case EXT_MOBILITY:
    case EXT_HIP:
    case EXT_SHIM6:
        return rest.len < 2 ? 8 : ((size_t)rest.data[1] + 1) * 8;
    case EXT_FRAGMENT:
        return 8;
    case EXT_AUTHENTICATION:
        return rest.len < 2 ? 8 : ((size_t)rest.data[1] + 2) * 4;
    default:
        return 0;
    }
}

/* Walk the extension headers in rest and set the members of ip that depend on them. */
static int ip6_walk(struct ip_header *ip, uint8_t next, struct sonde_span rest)
{
    struct sonde_span start = rest;
    size_t walked = 0;
    ip->first_extension = next;
    for (int i = 0; i <= IP6_EXTENSIONS_MAX; i++) {
        size_t len = ip->fragment ? 0 : ext_len(next, rest); /* the rest of a fragment is data */
        if (len == 0) {
            ip->protocol = next;
            ip->options = span_sub(start, 0, walked);
            ip->payload = rest;
            return 0;
        }
        walked += len;
        if (len > rest.len || walked > IP6_EXTENSION_BYTES)
            return -EBADMSG;
        if (next == EXT_FRAGMENT && ((rest.data[2] << 8 | rest.data[3]) & 0xfff8) != 0)
            ip->fragment = true;
        next = rest.data[0];
        rest = span_sub(rest, len, rest.len - len);
    }
    return -EBADMSG;
}

static int ip6_decode(struct sonde_span bytes, enum ip_source source, struct ip_header *ret_ip)
{
    struct ip_header ip = {
        .src.family = SONDE_FAMILY_IPV6, .dst.family = SONDE_FAMILY_IPV6, .dont_fragment = true};
    struct rd rd = rd_init(bytes);
    uint32_t first = rd_u32(&rd);
    size_t payload_len = rd_u16(&rd);
    uint8_t next = rd_u8(&rd);
    ip.tos = (uint8_t)(first >> 20);
    ip.flow_label = first & 0xfffff;
    ip.ttl = rd_u8(&rd);
    rd_copy(&rd, ip.src.bytes, 16);
    rd_copy(&rd, ip.dst.bytes, 16);
    struct sonde_span rest = rd_rest(&rd);
    if (!rd_ok(&rd))
        return -EBADMSG;
    if (source == IP_WHOLE) {
        if (payload_len > rest.len)
            return -EBADMSG;
        rest.len = payload_len;
    }
    int r = ip6_walk(&ip, next, rest);
    if (r == 0)
        *ret_ip = ip;
    return r;
}

int ip_decode(struct sonde_span bytes, enum ip_source source, struct ip_header *ret_ip)
{
    if (bytes.len == 0)
        return -EBADMSG;
    switch (bytes.data[0] >> 4) {
    case 4:
        return ip4_decode(bytes, source, ret_ip);
    case 6:
        return ip6_decode(bytes, source, ret_ip);
    default:
        return -EBADMSG;
    }
}

static void ip4_encode(struct wr *wr, const struct ip_header *ip, size_t payload_len)
{
    size_t start = wr->len;
    size_t header_len = IP4_HEADER_BYTES + ip->options.len;
    if (ip->options.len > 40 || ip->options.len % 4 != 0 || payload_len > 65535 - header_len) {
        wr->failed = true;
        return;
    }
    wr_u8(wr, (uint8_t)(0x40 | header_len / 4));
    wr_u8(wr, ip->tos);
    wr_u16(wr, (uint16_t)(header_len + payload_len));
    wr_u16(wr, ip->id);
    wr_u16(wr, ip->dont_fragment ? IP4_DONT_FRAGMENT : 0);
    wr_u8(wr, ip->ttl);
    wr_u8(wr, ip->protocol);
    wr_u16(wr, 0);
    wr_bytes(wr, ip->src.bytes, 4);
    wr_bytes(wr, ip->dst.bytes, 4);
    wr_bytes(wr, ip->options.data, ip->options.len);
    if (wr_ok(wr)) {
        struct sonde_span header = {wr->data + start, header_len};
        wr_patch_u16(wr, start + 10, csum_finish(csum_add(0, header)));
    }
}

static void ip6_encode(struct wr *wr, const struct ip_header *ip, size_t payload_len)
{
    if (ip->options.len > IP6_EXTENSION_BYTES || payload_len > 65535 - ip->options.len) {
        wr->failed = true;
        return;
    }
    wr_u32(wr, 6U << 28 | (uint32_t)ip->tos << 20 | (ip->flow_label & 0xfffff));
    wr_u16(wr, (uint16_t)(ip->options.len + payload_len));
    wr_u8(wr, ip->options.len > 0 ? ip->first_extension : ip->protocol);
    wr_u8(wr, ip->ttl);
    wr_bytes(wr, ip->src.bytes, 16);
    wr_bytes(wr, ip->dst.bytes, 16);
    wr_bytes(wr, ip->options.data, ip->options.len);
}

void ip_encode(struct wr *wr, const struct ip_header *ip, size_t payload_len)
{
    if (ip->dst.family == SONDE_FAMILY_IPV6)
        ip6_encode(wr, ip, payload_len);
    else
        ip4_encode(wr, ip, payload_len);
}
