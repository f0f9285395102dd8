/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An indexed min-heap of times: which of n things comes first?
 *
 * Things are numbered 0 to capacity - 1; each is in the heap at most once. Things with equal times
 * come out in the order of their numbers, so that a run is the same every time.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <sonde/types.h>

struct heap_entry {
    sonde_ns time;
    uint32_t id;
};

struct heap {
    struct heap_entry *entries; /* [len], a tree */
    uint32_t *place;            /* [cap], position of an id in entries; UINT32_MAX: absent */
    uint32_t len;
    uint32_t cap;
};

/**
 * Make an empty heap for ids below @p cap.
 * @return 0; -ENOMEM with nothing allocated.
 * Ownership: heap_deinit() frees what this allocates.
 */
SONDE_MUST_CHECK int heap_init(struct heap *heap, uint32_t cap);

/** Make room for ids below @p cap. @return 0; -ENOMEM with nothing changed. */
SONDE_MUST_CHECK int heap_grow(struct heap *heap, uint32_t cap);

/** Free what heap_init() allocated; a zeroed heap is fine. */
void heap_deinit(struct heap *heap);

/** Put @p id at @p time, whether or not it is in the heap already; at SONDE_NS_NEVER it leaves. */
void heap_set(struct heap *heap, uint32_t id, sonde_ns time);

/** @return When @p id is due; SONDE_NS_NEVER if it is not in the heap. */
sonde_ns heap_time_of(const struct heap *heap, uint32_t id);

/** @return The earliest time in the heap; SONDE_NS_NEVER if it is empty. */
sonde_ns heap_time(const struct heap *heap);

/** @return The id with the earliest time; UINT32_MAX if the heap is empty. */
uint32_t heap_top(const struct heap *heap);

#endif
