/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is freed together; see base/arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_MIN = 512, BLOCK_BYTES_MAX = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) unsigned char bytes[];
};

void arena_deinit(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    *arena = (struct arena){0};
}

bool arena_ok(const struct arena *arena)
{
    return !arena->failed;
}

static struct arena_block *add_block(struct arena *arena, size_t cap)
{
    struct arena_block *block = calloc(1, sizeof *block + cap);
    if (block == NULL)
        return NULL;
    block->cap = cap;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

static struct arena_block *block_with(struct arena *arena, size_t bytes)
{
    struct arena_block *block = arena->blocks;
    if (block != NULL && bytes <= block->cap - block->used)
        return block;
    size_t cap = block != NULL ? 2 * block->cap : BLOCK_BYTES_MIN; /* most arenas stay small */
    cap = cap < BLOCK_BYTES_MAX ? cap : BLOCK_BYTES_MAX;
    return add_block(arena, bytes > cap ? bytes : cap);
}

void arena_expect(struct arena *arena, size_t bytes)
{
    if (arena->blocks == NULL && add_block(arena, bytes) == NULL)
        arena->failed = true;
}

void *arena_alloc(struct arena *arena, size_t count, size_t bytes)
{
    enum { ALIGN = alignof(max_align_t) };
    size_t total;
    if (count == 0)
        return NULL;
    if (__builtin_mul_overflow(count, bytes, &total) || total > SIZE_MAX / 4) {
        arena->failed = true;
        return NULL;
    }
    total = (total + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *block = block_with(arena, total);
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    void *at = block->bytes + block->used;
    block->used += total;
    return at;
}

char *arena_string(struct arena *arena, const char *string)
{
    if (string == NULL)
        return NULL;
    size_t bytes = strlen(string) + 1;
    char *copy = arena_alloc(arena, 1, bytes);
    if (copy != NULL)
        memcpy(copy, string, bytes);
    return copy;
}
