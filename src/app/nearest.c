/* SPDX-License-Identifier: BSD-2-Clause */
/* The word that was meant; see app/nearest.h. */
#include "app/nearest.h"

#include <string.h>

enum {
    CHANGES_MAX = 2, /* letters; further is no help */
    PREFIX_MIN = 3,  /* letters by which the beginning of a word stands for it */
};

struct nearest nearest_init(const char *word)
{
    size_t len = strlen(word);
    /* of a word of three letters, one has to be left to go by */
    return (struct nearest){.word = word, .changes = (len > 3 ? CHANGES_MAX : len / 2) + 1};
}

/* How many letters have to be changed, added, removed, or swapped with their neighbour (optimal
 * string alignment). */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_BYTES + 1]; /* of the letter at hand, the one before, and before that */
    size_t a_len = strnlen(a, NEAREST_BYTES);
    size_t b_len = strnlen(b, NEAREST_BYTES);
    for (size_t k = 0; k <= b_len; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            size_t best = before[k - 1] + (a[i - 1] != b[k - 1]);
            best = before[k] + 1 < best ? before[k] + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                rows[(i + 1) % 3][k - 2] + 1 < best)
                best = rows[(i + 1) % 3][k - 2] + 1;
            row[k] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

void nearest_consider(struct nearest *nearest, const char *candidate)
{
    size_t len = strlen(nearest->word);
    bool begins = len >= PREFIX_MIN && strncmp(candidate, nearest->word, len) == 0;
    size_t changes = begins ? 0 : distance(nearest->word, candidate);
    if (changes < nearest->changes) {
        nearest->changes = changes;
        nearest->best = candidate;
    }
}
