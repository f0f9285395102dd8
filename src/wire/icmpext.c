/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP extensions, as wire/icmpext.h describes them. RFC 4884, RFC 4950, RFC 5837. */
#include "wire/icmpext.h"

#include "wire/csum.h"

#include <string.h>

/* C-Type of an interface information object; RFC 5837 §4.1 */
enum {
    IF_ROLE_SHIFT = 6,
    IF_HAS_INDEX = 0x08,
    IF_HAS_ADDR = 0x04,
    IF_HAS_NAME = 0x02,
    IF_HAS_MTU = 0x01,
};

/* Address family numbers in the address sub-object; RFC 5837 §4.2, the IANA registry */
enum {
    AFI_IPV4 = 1,
    AFI_IPV6 = 2,
};

/* Does a structure stand here? Version 2, reserved bits not looked at. */
static bool has_version(struct sonde_span structure)
{
    return structure.len >= ICMPEXT_HEADER_BYTES && structure.data[0] >> 4 == ICMPEXT_VERSION;
}

static bool checksum_is_absent(struct sonde_span structure)
{
    return structure.data[2] == 0 && structure.data[3] == 0;
}

/* Over the whole structure, the field included, the sum is all ones (RFC 1071 §1). */
static bool checksum_is_right(struct sonde_span structure)
{
    return csum_fold(csum_add(0, structure)) == 0xffff;
}

struct icmpext_parts icmpext_divide(struct sonde_span body, size_t quoted_bytes)
{
    struct icmpext_parts parts = {.quote = body};
    bool stated = quoted_bytes != 0;
    if (stated && (quoted_bytes < ICMPEXT_QUOTE_MIN || quoted_bytes > body.len)) {
        parts.bad_length = true;
        return parts;
    }
    size_t offset = stated ? quoted_bytes : ICMPEXT_LEGACY_OFFSET;
    struct sonde_span structure = span_sub(body, offset, body.len);
    if (!has_version(structure))
        return parts;
    if (!stated && (checksum_is_absent(structure) || !checksum_is_right(structure)))
        return parts;
    parts.quote = span_sub(body, 0, offset);
    parts.structure = structure;
    parts.legacy = !stated;
    return parts;
}

struct sonde_span icmpext_quoted_segment(struct sonde_span quote, size_t header_len)
{
    struct sonde_span segment = span_sub(quote, header_len, quote.len);
    bool may_be_padded = quote.len >= ICMPEXT_QUOTE_MIN;
    while (may_be_padded && segment.len > ICMPEXT_SEGMENT_MIN && segment.data[segment.len - 1] == 0)
        segment.len--;
    return segment;
}

static void mpls_decode(struct sonde_span payload, struct sonde_extensions *ext,
                        struct sonde_mpls *mpls)
{
    struct rd rd = rd_init(payload);
    while (rd.rest.len >= 4) {
        uint32_t entry = rd_u32(&rd);
        if (mpls->count == SONDE_MPLS_LABELS_MAX) {
            ext->truncated = true;
            return;
        }
        mpls->labels[mpls->count++] = (struct sonde_mpls_label){
            .label = entry >> 12,
            .tc = entry >> 9 & 7,
            .bos = entry >> 8 & 1,
            .ttl = (uint8_t)entry,
        };
    }
    if (rd.rest.len > 0)
        ext->malformed = true;
}

/* The address sub-object: family, two reserved bytes, address. */
static bool interface_addr_decode(struct rd *rd, struct sonde_addr *ret_addr)
{
    struct sonde_addr addr = {0};
    uint16_t afi = rd_u16(rd);
    rd_skip(rd, 2);
    if (afi != AFI_IPV4 && afi != AFI_IPV6)
        return false;
    addr.family = afi == AFI_IPV4 ? SONDE_FAMILY_IPV4 : SONDE_FAMILY_IPV6;
    rd_copy(rd, addr.bytes, afi == AFI_IPV4 ? 4 : 16);
    if (!rd_ok(rd))
        return false;
    *ret_addr = addr;
    return true;
}

/* The name sub-object: its own length (this byte included, a multiple of 4, at most 64), name. */
static bool interface_name_decode(struct rd *rd, char name[SONDE_INTERFACE_NAME_BYTES])
{
    size_t len = rd_u8(rd);
    if (len < 4 || len > SONDE_INTERFACE_NAME_BYTES || len % 4 != 0)
        return false;
    struct sonde_span bytes = rd_span(rd, len - 1);
    if (!rd_ok(rd))
        return false;
    memcpy(name, bytes.data, bytes.len);
    name[bytes.len] = '\0'; /* padding is NUL already; a name of 63 octets has none */
    return true;
}

/* Sub-objects come in the order of their bits; what is whole before a bad one stays. */
static bool interface_decode(uint8_t c_type, struct sonde_span payload,
                             struct sonde_interface *interface)
{
    struct rd rd = rd_init(payload);
    interface->role = c_type >> IF_ROLE_SHIFT;
    if (c_type & IF_HAS_INDEX)
        interface->index = rd_u32(&rd);
    if ((c_type & IF_HAS_ADDR) && !interface_addr_decode(&rd, &interface->addr))
        return false;
    if ((c_type & IF_HAS_NAME) && !interface_name_decode(&rd, interface->name))
        return false;
    if (c_type & IF_HAS_MTU)
        interface->mtu = rd_u32(&rd);
    return rd_ok(&rd);
}

static void raw_keep(struct sonde_span payload, struct sonde_extension_raw *raw)
{
    raw->len = (uint16_t)payload.len;
    raw->kept =
        (uint8_t)(payload.len < SONDE_EXTENSION_RAW_MAX ? payload.len : SONDE_EXTENSION_RAW_MAX);
    if (raw->kept > 0)
        memcpy(raw->bytes, payload.data, raw->kept);
}

static void object_decode(struct sonde_extension *item, struct sonde_span payload,
                          struct sonde_extensions *ext)
{
    if (item->class_num == ICMPEXT_CLASS_MPLS && item->c_type == 1) {
        item->kind = SONDE_EXTENSION_MPLS;
        mpls_decode(payload, ext, &item->u.mpls);
    } else if (item->class_num == ICMPEXT_CLASS_INTERFACE) {
        item->kind = SONDE_EXTENSION_INTERFACE;
        if (!interface_decode(item->c_type, payload, &item->u.interface))
            ext->malformed = true;
    } else {
        item->kind = SONDE_EXTENSION_RAW;
        raw_keep(payload, &item->u.raw);
    }
}

void icmpext_decode(const struct icmpext_parts *parts, struct sonde_extensions *ret_ext)
{
    struct sonde_extensions *ext = ret_ext;
    *ext = (struct sonde_extensions){.malformed = parts->bad_length, .legacy = parts->legacy};
    if (parts->structure.len == 0)
        return;
    if (!checksum_is_absent(parts->structure) && !checksum_is_right(parts->structure)) {
        ext->bad_checksum = true;
        return;
    }
    struct rd rd = rd_init(parts->structure);
    rd_skip(&rd, ICMPEXT_HEADER_BYTES);
    while (rd.rest.len > 0) {
        size_t len = rd_u16(&rd); /* header and payload; RFC 4884 §8 */
        uint8_t class_num = rd_u8(&rd);
        uint8_t c_type = rd_u8(&rd);
        if (!rd_ok(&rd) || len < ICMPEXT_OBJECT_HEADER_BYTES || len % 4 != 0 ||
            len - ICMPEXT_OBJECT_HEADER_BYTES > rd.rest.len) {
            ext->malformed = true;
            return;
        }
        if (ext->count == SONDE_EXTENSIONS_MAX) {
            ext->truncated = true;
            return;
        }
        struct sonde_extension *item = &ext->items[ext->count++];
        item->class_num = class_num;
        item->c_type = c_type;
        object_decode(item, rd_span(&rd, len - ICMPEXT_OBJECT_HEADER_BYTES), ext);
    }
}

static void mpls_encode(struct wr *wr, const struct sonde_mpls *mpls)
{
    for (unsigned i = 0; i < mpls->count; i++) {
        const struct sonde_mpls_label *label = &mpls->labels[i];
        wr_u32(wr, label->label << 12 | (uint32_t)(label->tc & 7) << 9 |
                       (uint32_t)(label->bos & 1) << 8 | label->ttl);
    }
}

static void interface_encode(struct wr *wr, uint8_t c_type, const struct sonde_interface *interface)
{
    if (c_type & IF_HAS_INDEX)
        wr_u32(wr, interface->index);
    if (c_type & IF_HAS_ADDR) {
        bool ipv4 = interface->addr.family == SONDE_FAMILY_IPV4;
        wr_u16(wr, ipv4 ? AFI_IPV4 : AFI_IPV6);
        wr_u16(wr, 0);
        wr_bytes(wr, interface->addr.bytes, ipv4 ? 4 : 16);
    }
    if (c_type & IF_HAS_NAME) {
        size_t name_len = strnlen(interface->name, SONDE_INTERFACE_NAME_BYTES - 1);
        size_t len = (1 + name_len + 3) / 4 * 4;
        wr_u8(wr, (uint8_t)len);
        wr_bytes(wr, interface->name, name_len);
        wr_fill(wr, 0, len - 1 - name_len);
    }
    if (c_type & IF_HAS_MTU)
        wr_u32(wr, interface->mtu);
}

void icmpext_encode(struct wr *wr, const struct sonde_extensions *ext)
{
    size_t start = wr->len;
    wr_u8(wr, ICMPEXT_VERSION << 4);
    wr_u8(wr, 0);
    wr_u16(wr, 0);
    for (unsigned i = 0; i < ext->count; i++) {
        const struct sonde_extension *item = &ext->items[i];
        size_t object = wr->len;
        wr_u16(wr, 0);
        wr_u8(wr, item->class_num);
        wr_u8(wr, item->c_type);
        if (item->kind == SONDE_EXTENSION_MPLS)
            mpls_encode(wr, &item->u.mpls);
        else if (item->kind == SONDE_EXTENSION_INTERFACE)
            interface_encode(wr, item->c_type, &item->u.interface);
        else
            wr_bytes(wr, item->u.raw.bytes, item->u.raw.kept);
        wr_patch_u16(wr, object, (uint16_t)(wr->len - object));
    }
    if (wr_ok(wr)) {
        struct sonde_span structure = {wr->data + start, wr->len - start};
        wr_patch_u16(wr, start + 2, csum_finish(csum_add(0, structure)));
    }
}
