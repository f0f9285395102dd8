/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A borrowed run of bytes. A span never owns what it points at; whoever hands one out says how
 * long it lives.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stddef.h>
#include <stdint.h>

struct sonde_span {
    const uint8_t *data; /* may be NULL when len is 0 */
    size_t len;          /* bytes */
};

/** @return The part of @p span from @p from on, at most @p len bytes; empty beyond the end. */
static inline struct sonde_span span_sub(struct sonde_span span, size_t from, size_t len)
{
    if (from >= span.len)
        return (struct sonde_span){NULL, 0};
    size_t rest = span.len - from;
    return (struct sonde_span){span.data + from, len < rest ? len : rest};
}

#endif
