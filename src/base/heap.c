/* SPDX-License-Identifier: BSD-2-Clause */
/* The indexed min-heap of base/heap.h. */
#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

enum { CHILDREN = 4 }; /* of an entry: they fill one cache line, and the tree is half as high */

static const uint32_t ABSENT = UINT32_MAX; /* the place of an id that is not in the heap */

static bool entry_before(struct heap_entry a, struct heap_entry b)
{
    return a.time < b.time || (a.time == b.time && a.id < b.id);
}

static void heap_put(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    heap->entries[at] = entry;
    heap->place[entry.id] = at;
}

static void heap_up(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (!entry_before(entry, heap->entries[parent]))
            break;
        heap_put(heap, at, heap->entries[parent]);
        at = parent;
    }
    heap_put(heap, at, entry);
}

/* The child that comes first; there is one. */
static uint32_t first_child(const struct heap *heap, uint32_t at)
{
    uint32_t first = CHILDREN * at + 1;
    for (uint32_t i = first + 1; i < heap->len && i <= CHILDREN * at + CHILDREN; i++) {
        if (entry_before(heap->entries[i], heap->entries[first]))
            first = i;
    }
    return first;
}

static void heap_down(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    while (heap->len > 1 && at <= (heap->len - 2) / CHILDREN) {
        uint32_t child = first_child(heap, at);
        if (!entry_before(heap->entries[child], entry))
            break;
        heap_put(heap, at, heap->entries[child]);
        at = child;
    }
    heap_put(heap, at, entry);
}

static void heap_remove(struct heap *heap, uint32_t at)
{
    struct heap_entry last = heap->entries[--heap->len];
    heap->place[heap->entries[at].id] = ABSENT;
    if (at == heap->len)
        return;
    if (at > 0 && entry_before(last, heap->entries[(at - 1) / CHILDREN]))
        heap_up(heap, at, last);
    else
        heap_down(heap, at, last);
}

int heap_init(struct heap *heap, uint32_t cap)
{
    *heap = (struct heap){.cap = cap};
    heap->entries = calloc(cap > 0 ? cap : 1, sizeof *heap->entries);
    heap->place = calloc(cap > 0 ? cap : 1, sizeof *heap->place);
    if (heap->entries == NULL || heap->place == NULL) {
        heap_deinit(heap);
        return -ENOMEM;
    }
    for (uint32_t id = 0; id < cap; id++)
        heap->place[id] = ABSENT;
    return 0;
}

int heap_grow(struct heap *heap, uint32_t cap)
{
    if (cap <= heap->cap)
        return 0;
    struct heap_entry *entries = realloc(heap->entries, cap * sizeof *entries);
    if (entries == NULL)
        return -ENOMEM;
    heap->entries = entries;
    uint32_t *place = realloc(heap->place, cap * sizeof *place);
    if (place == NULL)
        return -ENOMEM;
    heap->place = place;
    for (uint32_t id = heap->cap; id < cap; id++)
        place[id] = ABSENT;
    heap->cap = cap;
    return 0;
}

void heap_deinit(struct heap *heap)
{
    free(heap->entries);
    free(heap->place);
    *heap = (struct heap){0};
}

void heap_set(struct heap *heap, uint32_t id, sonde_ns time)
{
    uint32_t at = heap->place[id];
    struct heap_entry entry = {time, id};
    if (time == heap_time_of(heap, id))
        return;
    if (time == SONDE_NS_NEVER) {
        heap_remove(heap, at);
    } else if (at == ABSENT) {
        heap_up(heap, heap->len++, entry);
    } else if (entry_before(entry, heap->entries[at])) {
        heap_up(heap, at, entry);
    } else {
        heap_down(heap, at, entry);
    }
}

sonde_ns heap_time_of(const struct heap *heap, uint32_t id)
{
    uint32_t at = heap->place[id];
    return at != ABSENT ? heap->entries[at].time : SONDE_NS_NEVER;
}

sonde_ns heap_time(const struct heap *heap)
{
    return heap->len > 0 ? heap->entries[0].time : SONDE_NS_NEVER;
}

uint32_t heap_top(const struct heap *heap)
{
    return heap->len > 0 ? heap->entries[0].id : UINT32_MAX;
}
