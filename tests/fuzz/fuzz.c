/* SPDX-License-Identifier: BSD-2-Clause */
/* The invariants that several fuzz targets check; see fuzz.h. */
#include "fuzz.h"

#include "wire/csum.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
    abort();
}

/* Bytes of the UTF-8 sequence at the start, by the table of RFC 3629 §4; 0 if it is malformed. */
static size_t utf8_len(const uint8_t *at, size_t len)
{
    static const struct {
        uint8_t first, last;               /* first byte */
        uint8_t second_first, second_last; /* second byte; all others are 80 to bf */
        size_t len;
    } rows[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (at[0] < rows[i].first || at[0] > rows[i].last)
            continue;
        if (rows[i].len > len)
            return 0;
        if (rows[i].len > 1 && (at[1] < rows[i].second_first || at[1] > rows[i].second_last))
            return 0;
        for (size_t k = 2; k < rows[i].len; k++) {
            if (at[k] < 0x80 || at[k] > 0xbf)
                return 0;
        }
        return rows[i].len;
    }
    return 0;
}

void fuzz_check_shown(const char *bytes, size_t len, bool newlines_allowed)
{
    const uint8_t *at = (const uint8_t *)bytes;
    while (len > 0) {
        size_t taken = utf8_len(at, len);
        FUZZ_CHECK(taken > 0);
        FUZZ_CHECK(*at >= 0x20 || (newlines_allowed && *at == '\n'));
        FUZZ_CHECK(*at != 0x7f);
        FUZZ_CHECK(at[0] != 0xc2 || at[1] >= 0xa0); /* U+0080 to U+009F are controls too */
        at += taken;
        len -= taken;
    }
}

void fuzz_check_error(int result, const struct text *error)
{
    FUZZ_CHECK(result == 0 || result == -EINVAL); /* memory does not run out here */
    FUZZ_CHECK(text_ok(error));
    FUZZ_CHECK((result == 0) == (error->len == 0));
    fuzz_check_shown(error->data, error->len, false);
}

static bool lies_within(struct sonde_span part, struct sonde_span whole)
{
    if (part.len == 0)
        return true;
    return part.data >= whole.data && part.len <= whole.len &&
           (size_t)(part.data - whole.data) <= whole.len - part.len;
}

/* Addresses are compared and hashed as 16 bytes, so what IPv4 does not use must be zero. */
static void check_address(const struct sonde_addr *addr, uint8_t family)
{
    static const uint8_t zero[12];
    FUZZ_CHECK(addr->family == family);
    FUZZ_CHECK(addr->scope == 0);
    FUZZ_CHECK(family != SONDE_FAMILY_IPV4 || memcmp(addr->bytes + 4, zero, sizeof zero) == 0);
}

static void check_extension(const struct sonde_extension *item)
{
    switch (item->kind) {
    case SONDE_EXTENSION_MPLS:
        FUZZ_CHECK(item->u.mpls.count <= SONDE_MPLS_LABELS_MAX);
        for (unsigned i = 0; i < item->u.mpls.count; i++) {
            const struct sonde_mpls_label *label = &item->u.mpls.labels[i];
            FUZZ_CHECK(label->label < 1U << 20 && label->tc < 8 && label->bos < 2);
        }
        break;
    case SONDE_EXTENSION_INTERFACE:
        FUZZ_CHECK(item->u.interface.role <= SONDE_INTERFACE_NEXT_HOP);
        FUZZ_CHECK(memchr(item->u.interface.name, '\0', SONDE_INTERFACE_NAME_BYTES) != NULL);
        if (item->u.interface.addr.family != SONDE_FAMILY_NONE)
            check_address(&item->u.interface.addr, item->u.interface.addr.family);
        break;
    case SONDE_EXTENSION_RAW:
        FUZZ_CHECK(item->u.raw.kept <= SONDE_EXTENSION_RAW_MAX);
        FUZZ_CHECK(item->u.raw.kept <= item->u.raw.len);
        break;
    }
}

void fuzz_check_extensions(const struct sonde_extensions *ext)
{
    FUZZ_CHECK(ext->count <= SONDE_EXTENSIONS_MAX);
    FUZZ_CHECK(!ext->bad_checksum || ext->count == 0);
    for (unsigned i = 0; i < ext->count; i++)
        check_extension(&ext->items[i]);
}

void fuzz_check_rx(int result, struct sonde_span packet, const struct sonde_rx *rx)
{
    FUZZ_CHECK(result >= 0 && result < SONDE_DISCARD_COUNT);
    if (result != 0)
        return;
    uint8_t family = rx->from.family;
    FUZZ_CHECK(family == SONDE_FAMILY_IPV4 || family == SONDE_FAMILY_IPV6);
    check_address(&rx->from, family);
    check_address(&rx->remote, family);
    FUZZ_CHECK(rx->reply_ttl >= 0 && rx->reply_ttl <= 255);
    FUZZ_CHECK(rx->protocol != IP_PROTO_ICMP || rx->remote_port == 0);
    FUZZ_CHECK(lies_within(rx->segment, packet));
    if (rx->kind == SONDE_RX_ANSWER) {
        FUZZ_CHECK(memcmp(rx->remote.bytes, rx->from.bytes, 16) == 0);
        FUZZ_CHECK(rx->segment.len >= 4);
        FUZZ_CHECK(rx->ext.count == 0);
        return;
    }
    FUZZ_CHECK(rx->kind == SONDE_RX_ERROR);
    FUZZ_CHECK(rx->segment.len == 0);
    FUZZ_CHECK(rx->quote.segment.len >= 8 && lies_within(rx->quote.segment, packet));
    FUZZ_CHECK(rx->quote.has_id == (family == SONDE_FAMILY_IPV4));
    check_address(&rx->quote.src, family);
    fuzz_check_extensions(&rx->ext);
}

bool fuzz_repair_icmp(uint8_t *packet, size_t len)
{
    struct ip_header ip;
    if (ip_decode((struct sonde_span){packet, len}, IP_WHOLE, &ip) < 0 ||
        ip.protocol != IP_PROTO_ICMP || ip.payload.len < 4)
        return false;
    uint8_t *checksum = packet + (ip.payload.data - packet) + 2;
    memset(checksum, 0, 2);
    uint16_t value = csum_finish(csum_add(0, ip.payload));
    checksum[0] = (uint8_t)(value >> 8);
    checksum[1] = (uint8_t)value;
    return true;
}
