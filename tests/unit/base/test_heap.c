/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap of times, by hand and against a model too simple to be wrong. */
#include "base/heap.h"
#include "base/prng.h"

#include <criterion/criterion.h>

/* Take everything out and compare the order. */
static void expect_order(struct heap *heap, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t top = heap_top(heap);
        cr_assert_eq(top, ids[i], "%zu: %u instead of %u", i, top, ids[i]);
        heap_set(heap, top, SONDE_NS_NEVER);
    }
    cr_expect_eq(heap_top(heap), UINT32_MAX);
    cr_expect_eq(heap_time(heap), SONDE_NS_NEVER);
}

Test(heap, an_empty_heap_has_no_time_and_no_id)
{
    struct heap heap;
    cr_assert_eq(heap_init(&heap, 4), 0);
    expect_order(&heap, NULL, 0);
    heap_set(&heap, 2, SONDE_NS_NEVER); /* what is not in it can leave, too */
    expect_order(&heap, NULL, 0);
    heap_deinit(&heap);
}

Test(heap, room_is_made_around_what_is_there)
{
    struct heap heap;
    cr_assert_eq(heap_init(&heap, 2), 0);
    heap_set(&heap, 0, 30);
    heap_set(&heap, 1, 10);
    cr_assert_eq(heap_grow(&heap, 5), 0);
    cr_expect_eq(heap_time_of(&heap, 4), SONDE_NS_NEVER);
    heap_set(&heap, 4, 20);
    heap_set(&heap, 3, 40);
    cr_assert_eq(heap_grow(&heap, 3), 0, "there is more than that");
    expect_order(&heap, (const uint32_t[]){1, 4, 0, 3}, 4);
    heap_deinit(&heap);
}

Test(heap, a_heap_for_nothing_and_a_zeroed_one_are_fine)
{
    struct heap heap;
    struct heap zeroed = {0};
    cr_assert_eq(heap_init(&heap, 0), 0);
    expect_order(&heap, NULL, 0);
    heap_deinit(&heap);
    heap_deinit(&heap);
    heap_deinit(&zeroed);
}

Test(heap, the_earliest_comes_first_and_equal_times_by_id)
{
    static const uint32_t order[] = {3, 0, 2, 4, 5, 1};
    struct heap heap;
    cr_assert_eq(heap_init(&heap, 6), 0);
    heap_set(&heap, 5, 20);
    heap_set(&heap, 4, 20);
    heap_set(&heap, 1, INT64_MAX - 1);
    heap_set(&heap, 2, 20);
    heap_set(&heap, 0, 10);
    heap_set(&heap, 3, -10);
    cr_expect_eq(heap_time(&heap), -10);
    expect_order(&heap, order, 6);
    heap_deinit(&heap);
}

Test(heap, a_new_time_replaces_the_old_one)
{
    static const uint32_t order[] = {2, 1, 3, 0};
    struct heap heap;
    cr_assert_eq(heap_init(&heap, 4), 0);
    for (uint32_t id = 0; id < 4; id++)
        heap_set(&heap, id, 10 + (sonde_ns)id);
    heap_set(&heap, 0, 30); /* later */
    heap_set(&heap, 2, 5);  /* earlier */
    heap_set(&heap, 1, 11); /* the same */
    cr_expect_eq(heap_time(&heap), 5);
    expect_order(&heap, order, 4);
    heap_deinit(&heap);
}

Test(heap, what_leaves_can_come_back)
{
    static const uint32_t order[] = {1, 0, 2};
    struct heap heap;
    cr_assert_eq(heap_init(&heap, 3), 0);
    for (uint32_t id = 0; id < 3; id++)
        heap_set(&heap, id, 10);
    heap_set(&heap, 0, SONDE_NS_NEVER);
    cr_expect_eq(heap_top(&heap), 1);
    heap_set(&heap, 0, SONDE_NS_NEVER);
    heap_set(&heap, 2, SONDE_NS_NEVER);
    heap_set(&heap, 0, 11);
    heap_set(&heap, 2, 12);
    expect_order(&heap, order, 3);
    heap_deinit(&heap);
}

enum { MODEL_IDS = 48 };

/* The model: look at all of them. */
static uint32_t model_top(const sonde_ns time[MODEL_IDS])
{
    uint32_t top = UINT32_MAX;
    for (uint32_t id = 0; id < MODEL_IDS; id++) {
        if (time[id] != SONDE_NS_NEVER && (top == UINT32_MAX || time[id] < time[top]))
            top = id;
    }
    return top;
}

Test(heap, any_sequence_of_changes_agrees_with_the_model)
{
    struct heap heap;
    struct prng prng = {20261122};
    sonde_ns time[MODEL_IDS];
    cr_assert_eq(heap_init(&heap, MODEL_IDS), 0);
    for (uint32_t id = 0; id < MODEL_IDS; id++)
        time[id] = SONDE_NS_NEVER;
    for (int step = 0; step < 100000; step++) {
        uint32_t id = prng_below(&prng, MODEL_IDS);
        /* few different times, so that many are equal; every sixth change is a removal */
        sonde_ns new_time = prng_below(&prng, 6) == 0 ? SONDE_NS_NEVER : prng_below(&prng, 20);
        heap_set(&heap, id, new_time);
        time[id] = new_time;
        uint32_t top = model_top(time);
        sonde_ns top_time = top == UINT32_MAX ? SONDE_NS_NEVER : time[top];
        /* an assertion that holds costs time, too: here there are many */
        if (heap_top(&heap) != top || heap_time(&heap) != top_time)
            cr_assert_fail("step %d: %u instead of %u", step, heap_top(&heap), top);
    }
    for (uint32_t top = model_top(time); top != UINT32_MAX; top = model_top(time)) {
        cr_assert_eq(heap_top(&heap), top);
        heap_set(&heap, top, SONDE_NS_NEVER);
        time[top] = SONDE_NS_NEVER;
    }
    expect_order(&heap, NULL, 0);
    heap_deinit(&heap);
}
