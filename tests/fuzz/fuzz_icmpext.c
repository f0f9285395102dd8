/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP extensions: divide, decode, encode and decode again. The first byte is the length attribute
 * in words of 4 bytes; the second says whether the structure's checksum is put right; the rest is
 * the body of the error.
 */
#include "fuzz.h"
#include "wire/csum.h"
#include "wire/icmpext.h"

#include <string.h>

enum { BODY_MAX = 2048 };

/* The largest structure that can be written: header, and objects of 4 bytes of header each and at
 * most 4 + 20 + 64 + 4 bytes of interface information. */
enum { ENCODED_MAX = 4 + SONDE_EXTENSIONS_MAX * (4 + 92) };

static bool same_item(const struct sonde_extension *a, const struct sonde_extension *b)
{
    if (a->kind != b->kind || a->class_num != b->class_num || a->c_type != b->c_type)
        return false;
    const struct sonde_interface *x = &a->u.interface;
    const struct sonde_interface *y = &b->u.interface;
    switch (a->kind) {
    case SONDE_EXTENSION_MPLS:
        return a->u.mpls.count == b->u.mpls.count &&
               memcmp(a->u.mpls.labels, b->u.mpls.labels,
                      a->u.mpls.count * sizeof *a->u.mpls.labels) == 0;
    case SONDE_EXTENSION_INTERFACE:
        return x->role == y->role && x->index == y->index && x->mtu == y->mtu &&
               x->addr.family == y->addr.family &&
               memcmp(x->addr.bytes, y->addr.bytes, sizeof x->addr.bytes) == 0 &&
               strcmp(x->name, y->name) == 0;
    case SONDE_EXTENSION_RAW:
        return a->u.raw.kept == b->u.raw.kept &&
               memcmp(a->u.raw.bytes, b->u.raw.bytes, a->u.raw.kept) == 0;
    }
    return false;
}

static bool same(const struct sonde_extensions *a, const struct sonde_extensions *b)
{
    bool equal = a->count == b->count;
    for (unsigned i = 0; equal && i < a->count; i++)
        equal = same_item(&a->items[i], &b->items[i]);
    return equal;
}

/* Write extensions and read them back. */
static void round_trip(const struct sonde_extensions *ext, struct sonde_extensions *ret_ext)
{
    uint8_t bytes[ENCODED_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    icmpext_encode(&wr, ext);
    FUZZ_CHECK(wr_ok(&wr));
    const struct icmpext_parts parts = {.structure = {bytes, wr.len}};
    icmpext_decode(&parts, ret_ext);
    fuzz_check_extensions(ret_ext);
    FUZZ_CHECK(!ret_ext->bad_checksum && !ret_ext->truncated);
}

static void repair(uint8_t *structure, size_t len)
{
    if (len < ICMPEXT_HEADER_BYTES)
        return;
    memset(structure + 2, 0, 2);
    uint16_t checksum = csum_finish(csum_add(0, (struct sonde_span){structure, len}));
    structure[2] = (uint8_t)(checksum >> 8);
    structure[3] = (uint8_t)checksum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t body[BODY_MAX];
    struct rd in = rd_init((struct sonde_span){data, size});
    size_t quoted_bytes = rd_u8(&in) * 4U;
    bool repaired = (rd_u8(&in) & 1) != 0;
    if (in.rest.len > sizeof body)
        return 0;
    size_t len = in.rest.len;
    rd_copy(&in, body, len);
    size_t offset = quoted_bytes != 0 ? quoted_bytes : (size_t)ICMPEXT_LEGACY_OFFSET;
    if (repaired && len > offset)
        repair(body + offset, len - offset);

    struct icmpext_parts parts = icmpext_divide((struct sonde_span){body, len}, quoted_bytes);
    FUZZ_CHECK(parts.quote.len == 0 || parts.quote.data == body);
    FUZZ_CHECK(parts.quote.len + parts.structure.len == len);
    FUZZ_CHECK(parts.structure.len == 0 || parts.structure.data == body + parts.quote.len);
    FUZZ_CHECK(!parts.legacy || parts.quote.len == ICMPEXT_LEGACY_OFFSET);

    struct sonde_extensions first;
    struct sonde_extensions second;
    struct sonde_extensions third;
    icmpext_decode(&parts, &first);
    fuzz_check_extensions(&first);
    round_trip(&first, &second);
    FUZZ_CHECK(first.malformed || same(&first, &second)); /* what was cut short comes back whole */
    round_trip(&second, &third);
    FUZZ_CHECK(same(&second, &third) && !third.malformed);
    return 0;
}
