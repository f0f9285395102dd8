/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, and the name of each as far as it is known. */
#ifndef RUN_NAME_TABLE_H
#define RUN_NAME_TABLE_H

#include <sonde/types.h>

/** An address of the table. */
struct name_entry {
    struct sonde_addr addr; /* no address: the slot is free */
    char *name;             /* NULL = not known; owned */
};

/** {0} is empty. */
struct name_table {
    struct name_entry *slots; /* [cap], a power of two */
    uint32_t cap;
    uint32_t count;
};

/** Free what the table holds. */
void name_table_deinit(struct name_table *table);

/** @return The entry of an address; NULL if it is not there. Valid until another is added. */
struct name_entry *name_table_find(const struct name_table *table, const struct sonde_addr *addr);

/** Add an address that is not there. @return Its entry, valid until another is added; NULL if
 *  memory ran out. */
struct name_entry *name_table_add(struct name_table *table, const struct sonde_addr *addr);

#endif
