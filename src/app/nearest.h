/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the words that are known did somebody mean who wrote another one? */
#ifndef APP_NEAREST_H
#define APP_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

enum { NEAREST_BYTES = 32 /* of a word; what is behind is not looked at */ };

/** A search: first nearest_init(), then nearest_consider() for each word that is known. */
struct nearest {
    const char *word;
    const char *best; /* NULL = none is near enough to be of help */
    size_t changes;   /* letters between the two; those that are no less are no better */
};

/** @return A search for what is near @p word, which has to live as long. */
struct nearest nearest_init(const char *word);

/** Look at a word that is known; borrowed. */
void nearest_consider(struct nearest *nearest, const char *candidate);

#endif
