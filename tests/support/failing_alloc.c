/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that runs out on demand; see failing_alloc.h. */
#include "tests/support/failing_alloc.h"

#include <malloc.h>
#include <stddef.h>

/* The names that the linker gives to what it wraps (ld: --wrap=symbol). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static struct {
    uint64_t asked;
    int64_t live;
    int64_t bytes;
    uint64_t fail_from; /* numbers of the allocations that fail */
    uint64_t fail_to;
    bool failed;
} state;

void alloc_fail(uint64_t before, uint64_t failures)
{
    state.fail_from = state.asked + before;
    state.fail_to =
        failures < UINT64_MAX - state.fail_from ? state.fail_from + failures : UINT64_MAX;
    state.failed = false;
}

bool alloc_heal(void)
{
    state.fail_from = state.fail_to = 0;
    return state.failed;
}

uint64_t alloc_count(void)
{
    return state.asked;
}

int64_t alloc_live(void)
{
    return state.live;
}

int64_t alloc_bytes(void)
{
    return state.bytes;
}

static bool is_to_fail(void)
{
    uint64_t number = state.asked++;
    bool fails = number >= state.fail_from && number < state.fail_to;
    state.failed |= fails;
    return fails;
}

static void *count_live(void *block)
{
    state.live += block != NULL;
    state.bytes += (int64_t)malloc_usable_size(block);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return is_to_fail() ? NULL : count_live(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_to_fail() ? NULL : count_live(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (is_to_fail())
        return NULL;
    int64_t before = (int64_t)malloc_usable_size(block);
    void *moved = __real_realloc(block, size);
    if (moved == NULL)
        return NULL;
    state.live += block == NULL;
    state.bytes += (int64_t)malloc_usable_size(moved) - before;
    return moved;
}

void __wrap_free(void *block)
{
    state.live -= block != NULL;
    state.bytes -= (int64_t)malloc_usable_size(block);
    __real_free(block);
}
