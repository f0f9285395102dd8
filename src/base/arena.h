/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for many small things that are freed together.
 *
 * An arena remembers that it ran out; whoever uses what it gave asks arena_ok() once at the end.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <sonde/types.h>

struct arena_block;

/** {0} is an empty arena. */
struct arena {
    struct arena_block *blocks; /* the newest first */
    bool failed;
};

/** Free everything that came from the arena. */
void arena_deinit(struct arena *arena);

/** Let an arena that has given nothing yet begin with a block of so many bytes, where it is known
 *  about how many are needed: then few are left over. What does not fit comes from other blocks.
 *  @param bytes  At most SIZE_MAX / 4. */
void arena_expect(struct arena *arena, size_t bytes);

/** @return true if nothing was refused. */
bool arena_ok(const struct arena *arena);

/** @return @p count zeroed elements of @p bytes each, aligned for anything; NULL if memory ran out
 *  or @p count is 0. */
void *arena_alloc(struct arena *arena, size_t count, size_t bytes);

/** @return A copy of a string; NULL if it is NULL or memory ran out. */
char *arena_string(struct arena *arena, const char *string);

#endif
