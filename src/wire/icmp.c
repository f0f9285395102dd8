/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP and ICMPv6 headers, as wire/icmp.h describes them. RFC 792, RFC 4443, RFC 4884. */
#include "wire/icmp.h"

#include <errno.h>

int icmp_decode(struct sonde_span message, struct icmp_header *ret_icmp)
{
    struct icmp_header icmp;
    struct rd rd = rd_init(message);
    icmp.type = rd_u8(&rd);
    icmp.code = rd_u8(&rd);
    icmp.checksum = rd_u16(&rd);
    icmp.info = rd_u32(&rd);
    icmp.body = rd_rest(&rd);
    if (!rd_ok(&rd))
        return -EBADMSG;
    *ret_icmp = icmp;
    return 0;
}

void icmp_encode(struct wr *wr, uint8_t type, uint8_t code, uint32_t info)
{
    wr_u8(wr, type);
    wr_u8(wr, code);
    wr_u16(wr, 0);
    wr_u32(wr, info);
}

static enum icmp_class icmp4_classify(uint8_t type)
{
    switch (type) {
    case ICMP4_ECHO_REPLY:
        return ICMP_ECHO_ANSWER;
    case ICMP4_UNREACHABLE:
    case ICMP4_TIME_EXCEEDED:
    case ICMP4_PARAMETER_PROBLEM:
        return ICMP_ERROR;
    default:
        return ICMP_OTHER;
    }
}

static enum icmp_class icmp6_classify(uint8_t type)
{
    switch (type) {
    case ICMP6_ECHO_REPLY:
        return ICMP_ECHO_ANSWER;
    case ICMP6_UNREACHABLE:
    case ICMP6_PACKET_TOO_BIG:
    case ICMP6_TIME_EXCEEDED:
    case ICMP6_PARAMETER_PROBLEM:
        return ICMP_ERROR;
    default:
        return ICMP_OTHER;
    }
}

enum icmp_class icmp_classify(enum sonde_family family, uint8_t type)
{
    return family == SONDE_FAMILY_IPV6 ? icmp6_classify(type) : icmp4_classify(type);
}

bool icmp_is_ttl_exceeded(enum sonde_family family, uint8_t type, uint8_t code)
{
    uint8_t exceeded = family == SONDE_FAMILY_IPV6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED;
    return type == exceeded && code == 0;
}

bool icmp_is_too_big(enum sonde_family family, uint8_t type, uint8_t code)
{
    return family == SONDE_FAMILY_IPV6
               ? type == ICMP6_PACKET_TOO_BIG
               : type == ICMP4_UNREACHABLE && code == ICMP4_CODE_FRAG_NEEDED;
}

uint32_t icmp_mtu_bytes(enum sonde_family family, uint32_t info)
{
    return family == SONDE_FAMILY_IPV6 ? info : info & 0xffff;
}

bool icmp_is_unreachable(enum sonde_family family, uint8_t type)
{
    return type == (family == SONDE_FAMILY_IPV6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE);
}

bool icmp_is_unknown_protocol(enum sonde_family family, uint8_t type, uint8_t code)
{
    return family == SONDE_FAMILY_IPV6
               ? type == ICMP6_PARAMETER_PROBLEM && code == ICMP6_CODE_NEXT_HEADER
               : type == ICMP4_UNREACHABLE && code == ICMP4_CODE_PROTOCOL;
}

size_t icmp_quoted_bytes(enum sonde_family family, const struct icmp_header *icmp)
{
    if (family == SONDE_FAMILY_IPV6) {
        bool extended = icmp->type == ICMP6_UNREACHABLE || icmp->type == ICMP6_TIME_EXCEEDED;
        return extended ? (size_t)(icmp->info >> 24) * 8 : 0;
    }
    return icmp4_classify(icmp->type) == ICMP_ERROR ? (size_t)(icmp->info >> 16 & 0xff) * 4 : 0;
}

uint32_t icmp_quoted_info(enum sonde_family family, size_t bytes)
{
    if (family == SONDE_FAMILY_IPV6)
        return (uint32_t)(bytes / 8 & 0xff) << 24;
    return (uint32_t)(bytes / 4 & 0xff) << 16;
}
