/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and their names; see run/name_table.h. A hash table in which an address stands in the
 * first free slot from its own on; half of the slots are free at least. */
#include "run/name_table.h"

#include <stdlib.h>

enum { CAP_MIN = 64 };

/* FNV-1a, 64 bits: draft-eastlake-fnv. The scope is none of it: an unknown one is equal to any. */
static uint32_t hash(const struct sonde_addr *addr)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof addr->bytes; i++)
        value = (value ^ addr->bytes[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(value >> 32);
}

/* The slot of an address, or the one that it would get. */
static struct name_entry *slot_of(const struct name_table *table, const struct sonde_addr *addr)
{
    uint32_t at = hash(addr) & (table->cap - 1);
    while (table->slots[at].addr.family != SONDE_FAMILY_NONE &&
           !sonde_addr_equal(&table->slots[at].addr, addr))
        at = (at + 1) & (table->cap - 1);
    return &table->slots[at];
}

void name_table_deinit(struct name_table *table)
{
    for (uint32_t i = 0; i < table->cap; i++)
        free(table->slots[i].name);
    free(table->slots);
    *table = (struct name_table){0};
}

struct name_entry *name_table_find(const struct name_table *table, const struct sonde_addr *addr)
{
    struct name_entry *slot = table->cap > 0 ? slot_of(table, addr) : NULL;
    return slot != NULL && slot->addr.family != SONDE_FAMILY_NONE ? slot : NULL;
}

static bool grow(struct name_table *table)
{
    struct name_table larger = {.cap = table->cap > 0 ? 2 * table->cap : CAP_MIN,
                                .count = table->count};
    larger.slots = calloc(larger.cap, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < table->cap; i++) {
        if (table->slots[i].addr.family != SONDE_FAMILY_NONE)
            *slot_of(&larger, &table->slots[i].addr) = table->slots[i];
    }
    free(table->slots);
    *table = larger;
    return true;
}

struct name_entry *name_table_add(struct name_table *table, const struct sonde_addr *addr)
{
    if (2 * table->count >= table->cap && !grow(table))
        return NULL;
    struct name_entry *slot = slot_of(table, addr);
    *slot = (struct name_entry){.addr = *addr};
    table->count++;
    return slot;
}
