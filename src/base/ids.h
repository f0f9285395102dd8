/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for things that come and go, as small as can be: one that was given back is taken again
 * before a new one is.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <sonde/types.h>

/** {0} is valid: no number is taken, and there is room for none. */
struct ids {
    uint32_t *given_back; /* [cap], the first so many */
    uint32_t given_back_count;
    uint32_t next; /* no number from this one on was ever taken */
    uint32_t cap;  /* numbers there may be */
};

/** Make room for the numbers below @p cap, if there is less. @return 0; -ENOMEM with nothing
 *  changed. Ownership: ids_deinit() frees what this allocates. */
SONDE_MUST_CHECK int ids_grow(struct ids *ids, uint32_t cap);

/** Free what ids_grow() allocated; every number is free then, and there is room for none. */
void ids_deinit(struct ids *ids);

/** @return true if there is room for another number. */
static inline bool ids_available(const struct ids *ids)
{
    return ids->given_back_count > 0 || ids->next < ids->cap;
}

/** @return The number that ids_take() gives next. */
static inline uint32_t ids_next(const struct ids *ids)
{
    return ids->given_back_count > 0 ? ids->given_back[ids->given_back_count - 1] : ids->next;
}

/** @return A number that nobody has; there has to be room for it. */
uint32_t ids_take(struct ids *ids);

/** Give back a number that was taken. */
void ids_give_back(struct ids *ids, uint32_t id);

#endif
