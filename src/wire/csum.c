/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum of wire/csum.h. */
#include "wire/csum.h"

uint64_t csum_add(uint64_t sum, struct sonde_span bytes)
{
    for (size_t i = 0; i + 1 < bytes.len; i += 2)
        sum += (uint32_t)bytes.data[i] << 8 | bytes.data[i + 1];
    if (bytes.len % 2 == 1)
        sum += (uint32_t)bytes.data[bytes.len - 1] << 8;
    return sum;
}

uint64_t csum_pseudo(const struct sonde_addr *src, const struct sonde_addr *dst, uint8_t protocol,
                     uint32_t len)
{
    size_t addr_len = src->family == SONDE_FAMILY_IPV6 ? 16 : 4;
    uint64_t sum = csum_add(0, (struct sonde_span){src->bytes, addr_len});
    sum = csum_add(sum, (struct sonde_span){dst->bytes, addr_len});
    return sum + protocol + (len >> 16) + (len & 0xffff);
}

uint16_t csum_fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

uint16_t csum_compensate(uint64_t sum, uint16_t wanted)
{
    /* sum + word must fold to ~wanted, so word = ~wanted - sum = ~wanted + ~sum */
    return csum_fold((uint64_t)(uint16_t)~wanted + (uint16_t)~csum_fold(sum));
}
