/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of kinds; see tests/property/kinds.h. */
#include "tests/property/kinds.h"

#include "base/prng.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned share_pct; /* of the networks, where it is on */
} kinds[KIND_COUNT] = {
    [KIND_MANY] = {"many", 30},           [KIND_FORWARDED] = {"forwarded", 25},
    [KIND_BACK_DROP] = {"back-drop", 25}, [KIND_BACK_WAY] = {"back-way", 25},
    [KIND_DEAD] = {"dead", 15},           [KIND_FAR] = {"far", 25},
    [KIND_RATIONING] = {"rationing", 25}, [KIND_SAME_TTL] = {"same-ttl", 25},
    [KIND_STATELESS] = {"stateless", 25}, [KIND_NESTED] = {"nested", 50},
    [KIND_BURSTS] = {"bursts", 15},       [KIND_FLOWS] = {"flows", 15},
    [KIND_CAUGHT] = {"caught", 100},
};

const char *kind_name(enum kind kind)
{
    return kinds[kind].name;
}

bool kinds_parse(const char *list, uint32_t *ret_kinds)
{
    uint32_t on = 0;
    while (*list != '\0') {
        size_t len = strcspn(list, ",");
        uint32_t kind = 0;
        while (kind < KIND_COUNT &&
               (strlen(kinds[kind].name) != len || strncmp(kinds[kind].name, list, len) != 0))
            kind++;
        if (len == 3 && strncmp(list, "all", len) == 0)
            on |= KINDS_ALL;
        else if (kind < KIND_COUNT)
            on |= UINT32_C(1) << kind;
        else if (len != 4 || strncmp(list, "none", len) != 0)
            return false;
        list += len + (list[len] == ',');
    }
    *ret_kinds = on;
    return true;
}

/* Each kind throws dice of its own: whether another is on does not matter. */
uint32_t kinds_of(uint64_t seed, uint32_t on)
{
    uint32_t chosen = 0;
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        struct prng prng = {mix64(seed) ^ mix64(kind + 1)};
        bool has = prng_below(&prng, 100) < kinds[kind].share_pct;
        chosen |= (uint32_t)has << kind;
    }
    return chosen & on;
}
