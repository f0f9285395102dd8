/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to and from the records of wire/packet.h.
 *
 * Ports stand in the first four bytes of every transport protocol that has any (RFC 768, RFC 9293,
 * RFC 9260), so nothing here has to know a protocol other than ICMP; the probe modules interpret
 * the rest.
 */
#include "wire/packet.h"

#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/icmpext.h"

#include <string.h>

size_t packet_size(const struct sonde_tx *tx)
{
    bool ipv6 = tx->flow->dst.family == SONDE_FAMILY_IPV6;
    return (ipv6 ? (size_t)IP6_HEADER_BYTES : IP4_HEADER_BYTES) + tx->segment.len;
}

size_t packet_encode_header(const struct sonde_tx *tx, uint8_t *buf, size_t cap)
{
    bool icmp6 = tx->flow->dst.family == SONDE_FAMILY_IPV6 && tx->flow->protocol == IP_PROTO_ICMP;
    const struct ip_header ip = {
        .src = tx->flow->src,
        .dst = tx->flow->dst,
        .protocol = icmp6 ? IP_PROTO_ICMPV6 : tx->flow->protocol,
        .ttl = tx->ttl,
        .tos = tx->tos,
        .dont_fragment = tx->dont_fragment,
        .id = tx->id,
        .flow_label = tx->flow_label,
    };
    struct wr wr = wr_init(buf, cap);
    ip_encode(&wr, &ip, tx->segment.len);
    return wr_ok(&wr) ? wr.len : 0;
}

size_t packet_encode(const struct sonde_tx *tx, uint8_t *buf, size_t cap)
{
    size_t header_len = packet_encode_header(tx, buf, cap);
    if (header_len == 0 || tx->segment.len > cap - header_len)
        return 0;
    memcpy(buf + header_len, tx->segment.data, tx->segment.len);
    return header_len + tx->segment.len;
}

/*
 * Fold ICMPv6 into ICMP: from here on a flow's family tells them apart. The ICMP of the other
 * family, which no host sends, becomes a protocol that no flow has.
 */
static uint8_t fold_protocol(enum sonde_family family, uint8_t protocol)
{
    uint8_t own = family == SONDE_FAMILY_IPV6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
    if (protocol == own)
        return IP_PROTO_ICMP;
    return protocol == IP_PROTO_ICMP ? IP_PROTO_ICMPV6 : protocol;
}

/* Which echo request does a quoted ICMP segment belong to? */
static int quoted_echo_decode(enum sonde_family family, struct sonde_span segment,
                              struct sonde_rx *rx)
{
    struct icmp_header icmp;
    if (icmp_decode(segment, &icmp) < 0)
        return SONDE_DISCARD_SHORT_QUOTE;
    uint8_t request = family == SONDE_FAMILY_IPV6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST;
    if (icmp.type != request)
        return SONDE_DISCARD_FOREIGN; /* an error about an error, or about somebody's answer */
    rx->local_port = (uint16_t)(icmp.info >> 16);
    rx->remote_port = 0;
    return 0;
}

static int quote_decode(enum sonde_family family, struct sonde_span quote, struct sonde_rx *rx)
{
    struct ip_header ip;
    size_t header_min = family == SONDE_FAMILY_IPV6 ? IP6_HEADER_BYTES : IP4_HEADER_BYTES;
    if (quote.len > 0 && quote.data[0] >> 4 != (int)family)
        return SONDE_DISCARD_MALFORMED;
    if (ip_decode(quote, IP_QUOTED, &ip) < 0)
        return quote.len < header_min ? SONDE_DISCARD_SHORT_QUOTE : SONDE_DISCARD_MALFORMED;
    if (ip.payload.len < ICMPEXT_SEGMENT_MIN || ip.fragment)
        return SONDE_DISCARD_SHORT_QUOTE;
    struct sonde_span segment = icmpext_quoted_segment(quote, quote.len - ip.payload.len);
    rx->protocol = fold_protocol(family, ip.protocol);
    rx->remote = ip.dst;
    rx->quote = (struct sonde_quote){
        .has_header = true,
        .has_id = family == SONDE_FAMILY_IPV4,
        .id = ip.id,
        .ttl = ip.ttl,
        .tos = ip.tos,
        .dont_fragment = ip.dont_fragment,
        .src = ip.src,
        .segment = segment,
    };
    if (rx->protocol == IP_PROTO_ICMP)
        return quoted_echo_decode(family, segment, rx);
    struct rd rd = rd_init(segment);
    rx->local_port = rd_u16(&rd);
    rx->remote_port = rd_u16(&rd);
    return 0;
}

static int error_decode(enum sonde_family family, const struct icmp_header *icmp,
                        struct sonde_rx *rx)
{
    struct icmpext_parts parts = icmpext_divide(icmp->body, icmp_quoted_bytes(family, icmp));
    rx->kind = SONDE_RX_ERROR;
    rx->icmp_type = icmp->type;
    rx->icmp_code = icmp->code;
    rx->icmp_info = icmp->info;
    rx->segment = (struct sonde_span){NULL, 0};
    int r = quote_decode(family, parts.quote, rx);
    if (r == 0)
        icmpext_decode(&parts, &rx->ext);
    return r;
}

static int icmp_message_decode(const struct ip_header *ip, struct sonde_rx *rx)
{
    enum sonde_family family = ip->src.family;
    struct icmp_header icmp;
    if (icmp_decode(ip->payload, &icmp) < 0)
        return SONDE_DISCARD_MALFORMED;
    switch (icmp_classify(family, icmp.type)) {
    case ICMP_ERROR:
        return error_decode(family, &icmp, rx);
    case ICMP_ECHO_ANSWER:
        rx->local_port = (uint16_t)(icmp.info >> 16);
        rx->remote_port = 0;
        return 0;
    case ICMP_OTHER:
        break;
    }
    return SONDE_DISCARD_NOT_A_RESULT;
}

int packet_decode_payload(const struct ip_header *ip, struct sonde_rx *ret_rx)
{
    ret_rx->kind = SONDE_RX_ANSWER;
    ret_rx->from = ip->src;
    ret_rx->remote = ip->src;
    ret_rx->reply_ttl = ip->ttl;
    ret_rx->protocol = fold_protocol(ip->src.family, ip->protocol);
    ret_rx->segment = ip->payload;
    ret_rx->ext.count = 0;
    ret_rx->attributed = false;
    if (ip->fragment)
        return SONDE_DISCARD_NOT_A_RESULT;
    if (ret_rx->protocol == IP_PROTO_ICMP)
        return icmp_message_decode(ip, ret_rx);
    struct rd rd = rd_init(ip->payload);
    ret_rx->remote_port = rd_u16(&rd);
    ret_rx->local_port = rd_u16(&rd);
    return rd_ok(&rd) ? 0 : SONDE_DISCARD_MALFORMED;
}

int packet_decode(struct sonde_span packet, struct sonde_rx *ret_rx)
{
    struct ip_header ip;
    if (ip_decode(packet, IP_WHOLE, &ip) < 0)
        return SONDE_DISCARD_MALFORMED;
    /*
     * A raw IPv4 socket hands over ICMP messages whose checksum nobody has looked at. TCP and UDP
     * checksums cannot be checked here: between hosts on one machine they are left to hardware
     * that is not there, and never computed.
     */
    if (ip.protocol == IP_PROTO_ICMP && !ip.fragment &&
        csum_fold(csum_add(0, ip.payload)) != 0xffff)
        return SONDE_DISCARD_BAD_CHECKSUM;
    return packet_decode_payload(&ip, ret_rx);
}
