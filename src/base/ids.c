/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for things that come and go; see base/ids.h. */
#include "base/ids.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int ids_grow(struct ids *ids, uint32_t cap)
{
    if (cap <= ids->cap)
        return 0;
    uint32_t *given_back = realloc(ids->given_back, cap * sizeof *given_back);
    if (given_back == NULL)
        return -ENOMEM;
    ids->given_back = given_back;
    ids->cap = cap;
    return 0;
}

void ids_deinit(struct ids *ids)
{
    free(ids->given_back);
    *ids = (struct ids){0};
}

uint32_t ids_take(struct ids *ids)
{
    assert(ids_available(ids));
    return ids->given_back_count > 0 ? ids->given_back[--ids->given_back_count] : ids->next++;
}

void ids_give_back(struct ids *ids, uint32_t id)
{
    assert(ids->given_back_count < ids->next);
    ids->given_back[ids->given_back_count++] = id;
}
