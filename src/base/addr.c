/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as text and back. The C library's inet_ntop() writes the canonical form of RFC 5952,
 * and its inet_pton() refuses the legacy forms of IPv4.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool sonde_addr_equal(const struct sonde_addr *a, const struct sonde_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0 &&
           (a->scope == b->scope || a->scope == 0 || b->scope == 0);
}

/* The name of a scope; NULL if there is none, or none that is safe to show. */
static const char *zone_name(const struct sonde_zones *zones, uint32_t scope)
{
    for (size_t i = 0; i < zones->count; i++) {
        const char *name = zones->items[i].name;
        size_t len = strnlen(name, SONDE_ZONE_BYTES);
        bool clean = len > 0 && len < SONDE_ZONE_BYTES;
        for (size_t k = 0; k < len; k++)
            clean &= name[k] > 0x20 && name[k] < 0x7f;
        if (zones->items[i].scope == scope)
            return clean ? name : NULL;
    }
    return NULL;
}

const char *sonde_addr_text_zoned(const struct sonde_addr *addr, const struct sonde_zones *zones,
                                  char buf[SONDE_ADDR_TEXT_BYTES])
{
    const char *name = addr->scope != 0 ? zone_name(zones, addr->scope) : NULL;
    if (name == NULL)
        return sonde_addr_text(addr, buf);
    struct sonde_addr bare = *addr;
    bare.scope = 0;
    size_t len = strlen(sonde_addr_text(&bare, buf));
    (void)snprintf(buf + len, SONDE_ADDR_TEXT_BYTES - len, "%%%s", name);
    return buf;
}

const char *sonde_addr_text(const struct sonde_addr *addr, char buf[SONDE_ADDR_TEXT_BYTES])
{
    int family = addr->family == SONDE_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    if (addr->family == SONDE_FAMILY_NONE ||
        inet_ntop(family, addr->bytes, buf, SONDE_ADDR_TEXT_BYTES) == NULL) {
        memcpy(buf, "-", 2);
        return buf;
    }
    if (addr->scope != 0) {
        size_t len = strlen(buf);
        (void)snprintf(buf + len, SONDE_ADDR_TEXT_BYTES - len, "%%%" PRIu32, addr->scope);
    }
    return buf;
}

int sonde_addr_parse(const char *text, struct sonde_addr *ret_addr)
{
    struct sonde_addr addr = {0};
    if (inet_pton(AF_INET, text, addr.bytes) == 1)
        addr.family = SONDE_FAMILY_IPV4;
    else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
        addr.family = SONDE_FAMILY_IPV6;
    else
        return -EINVAL;
    addr_unmap(&addr);
    *ret_addr = addr;
    return 0;
}

void addr_unmap(struct sonde_addr *addr)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    if (addr->family != SONDE_FAMILY_IPV6 || memcmp(addr->bytes, prefix, sizeof prefix) != 0)
        return;
    struct sonde_addr plain = {.family = SONDE_FAMILY_IPV4};
    memcpy(plain.bytes, addr->bytes + sizeof prefix, 4);
    *addr = plain;
}

bool addr_is_link_local(const struct sonde_addr *addr)
{
    return addr->family == SONDE_FAMILY_IPV6 && addr->bytes[0] == 0xfe &&
           (addr->bytes[1] & 0xc0) == 0x80;
}
