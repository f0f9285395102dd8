/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded readers and writers of network-order bytes: the only way packets are taken apart or put
 * together.
 *
 * Both keep a sticky failure flag. A decoder reads all its fields, asks rd_ok() once, and only
 * then believes any of them; an encoder does the same with wr_ok(). After a failure every read
 * gives 0 and every write does nothing, so no intermediate check is needed for memory safety.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/span.h"

#include <stdbool.h>
#include <string.h>

struct rd {
    struct sonde_span rest; /* what is still unread */
    bool failed;            /* something was read beyond the end */
};

struct wr {
    uint8_t *data;
    size_t cap; /* bytes that fit */
    size_t len; /* bytes written */
    bool failed;
};

/** @return A reader at the start of @p span, which it borrows. */
static inline struct rd rd_init(struct sonde_span span)
{
    return (struct rd){span, false};
}

/** @return true if every read so far lay within the span. */
static inline bool rd_ok(const struct rd *rd)
{
    return !rd->failed;
}

/** Take @p len bytes. @return Them, borrowed; an empty span after a failure. */
static inline struct sonde_span rd_span(struct rd *rd, size_t len)
{
    if (rd->failed || len > rd->rest.len) {
        rd->failed = true;
        return (struct sonde_span){NULL, 0};
    }
    struct sonde_span taken = {rd->rest.data, len};
    if (len > 0) { /* an empty span may have no address to add to */
        rd->rest.data += len;
        rd->rest.len -= len;
    }
    return taken;
}

/** Take everything that is left. @return It, borrowed. */
static inline struct sonde_span rd_rest(struct rd *rd)
{
    return rd_span(rd, rd->rest.len);
}

/** Pass over @p len bytes. */
static inline void rd_skip(struct rd *rd, size_t len)
{
    (void)rd_span(rd, len);
}

/** Copy @p len bytes into @p to, which stays untouched after a failure. */
static inline void rd_copy(struct rd *rd, uint8_t *to, size_t len)
{
    struct sonde_span bytes = rd_span(rd, len);
    if (bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
}

static inline uint8_t rd_u8(struct rd *rd)
{
    struct sonde_span b = rd_span(rd, 1);
    return b.len == 1 ? b.data[0] : 0;
}

static inline uint16_t rd_u16(struct rd *rd)
{
    struct sonde_span b = rd_span(rd, 2);
    return (uint16_t)(b.len == 2 ? b.data[0] << 8 | b.data[1] : 0);
}

static inline uint32_t rd_u32(struct rd *rd)
{
    uint32_t high = rd_u16(rd);
    uint32_t low = rd_u16(rd);
    return rd_ok(rd) ? high << 16 | low : 0;
}

static inline uint64_t rd_u64(struct rd *rd)
{
    uint64_t high = rd_u32(rd);
    uint64_t low = rd_u32(rd);
    return rd_ok(rd) ? high << 32 | low : 0;
}

/** @return A writer into @p cap bytes at @p data, which it borrows. */
static inline struct wr wr_init(uint8_t *data, size_t cap)
{
    return (struct wr){data, cap, 0, false};
}

/** @return true if everything written so far fitted. */
static inline bool wr_ok(const struct wr *wr)
{
    return !wr->failed;
}

/** Make room for @p len bytes. @return Where they go; NULL after a failure. */
static inline uint8_t *wr_reserve(struct wr *wr, size_t len)
{
    if (wr->failed || len > wr->cap - wr->len) {
        wr->failed = true;
        return NULL;
    }
    uint8_t *at = wr->data + wr->len;
    wr->len += len;
    return at;
}

static inline void wr_bytes(struct wr *wr, const void *bytes, size_t len)
{
    uint8_t *at = wr_reserve(wr, len);
    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

static inline void wr_fill(struct wr *wr, uint8_t value, size_t len)
{
    uint8_t *at = wr_reserve(wr, len);
    if (at != NULL && len > 0)
        memset(at, value, len);
}

static inline void wr_u8(struct wr *wr, uint8_t value)
{
    wr_bytes(wr, &value, 1);
}

static inline void wr_u16(struct wr *wr, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    wr_bytes(wr, bytes, sizeof bytes);
}

static inline void wr_u32(struct wr *wr, uint32_t value)
{
    wr_u16(wr, (uint16_t)(value >> 16));
    wr_u16(wr, (uint16_t)value);
}

static inline void wr_u64(struct wr *wr, uint64_t value)
{
    wr_u32(wr, (uint32_t)(value >> 32));
    wr_u32(wr, (uint32_t)value);
}

/** Overwrite two bytes that were written before, at offset @p at. */
static inline void wr_patch_u16(struct wr *wr, size_t at, uint16_t value)
{
    if (wr->failed || wr->len < 2 || at > wr->len - 2) {
        wr->failed = true;
        return;
    }
    wr->data[at] = (uint8_t)(value >> 8);
    wr->data[at + 1] = (uint8_t)value;
}

#endif
