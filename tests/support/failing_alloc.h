/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out on demand, and is counted.
 *
 * An executable that wants this is linked with FAILING_ALLOC of tests/support/meson.build: the
 * linker then leads the calls of our own code through here. Those of the C library and of
 * Criterion do not come by.
 */
#ifndef TESTS_FAILING_ALLOC_H
#define TESTS_FAILING_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

/** Let the next @p before allocations succeed and then @p failures fail; after that all is well. */
void alloc_fail(uint64_t before, uint64_t failures);

/** Let every allocation succeed again. @return true if one failed since alloc_fail(). */
bool alloc_heal(void);

/** @return Allocations asked for so far. */
uint64_t alloc_count(void);

/** @return Blocks that were allocated and not freed. */
int64_t alloc_live(void);

/** @return The bytes of these. */
int64_t alloc_bytes(void);

#endif
