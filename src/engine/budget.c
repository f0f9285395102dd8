/* SPDX-License-Identifier: BSD-2-Clause */
/* Buckets for routers and places; see engine/budget.h. */
#include "engine/budget.h"

#include "base/prng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SET = 8 /* neighbours among which a bucket has its room */ };

/* Keys of places have this bit set, and those of routers have not. */
static const budget_key IS_PLACE = UINT64_C(1) << 63;

/* Room for so many buckets, in whole sets. */
static uint32_t cap_for(uint32_t buckets)
{
    uint32_t cap = SET;
    while (cap < buckets && cap < UINT32_C(1) << 31)
        cap *= 2;
    return cap;
}

int budget_init(struct budget *budget, uint32_t buckets)
{
    uint32_t cap = cap_for(buckets);
    budget->buckets = calloc(cap, sizeof *budget->buckets);
    budget->cap = cap;
    return budget->buckets != NULL ? 0 : -ENOMEM;
}

void budget_deinit(struct budget *budget)
{
    free(budget->buckets);
    *budget = (struct budget){0};
}

static uint64_t mix_address(const struct sonde_addr *addr)
{
    uint64_t words[2];
    memcpy(words, addr->bytes, sizeof words);
    return mix64(words[0] ^ mix64(words[1] ^ mix64(addr->scope + 1U)));
}

/* Never 0, which names no bucket. */
static budget_key key_of(uint64_t mixed, budget_key kind)
{
    return (mixed & ~IS_PLACE) | kind | 1;
}

budget_key budget_router(const struct sonde_addr *router)
{
    return key_of(mix_address(router), 0);
}

static budget_key place_key(const struct sonde_addr *source, budget_key behind, unsigned ttl)
{
    return key_of(mix64(mix_address(source) ^ mix64(behind + ttl)), IS_PLACE);
}

struct budget_place budget_place(const struct sonde_addr *source, budget_key behind, unsigned ttl)
{
    return (struct budget_place){place_key(source, behind, ttl), place_key(source, 0, ttl)};
}

/* The buckets among which one with this key has its room. */
static struct budget_bucket *set_of(const struct budget *budget, budget_key key)
{
    uint32_t set = (uint32_t)(key >> 1) & (budget->cap / SET - 1);
    return &budget->buckets[(size_t)set * SET];
}

/* NULL if it is full, and therefore not kept. */
static struct budget_bucket *find(const struct budget *budget, budget_key key)
{
    struct budget_bucket *set = set_of(budget, key);
    for (unsigned i = 0; i < SET; i++) {
        if (set[i].key == key)
            return &set[i];
    }
    return NULL;
}

/* Find a bucket, or take the room of the one that is full again first. */
static struct budget_bucket *take(struct budget *budget, budget_key key)
{
    struct budget_bucket *found = find(budget, key);
    if (found != NULL)
        return found;
    struct budget_bucket *set = set_of(budget, key);
    found = set;
    for (unsigned i = 1; i < SET && found->key != 0; i++) {
        if (set[i].key == 0 || set[i].full_ns < found->full_ns)
            found = &set[i];
    }
    *found = (struct budget_bucket){.key = key, .full_ns = INT64_MIN};
    return found;
}

int budget_grow(struct budget *budget, uint32_t buckets)
{
    struct budget larger;
    if (cap_for(buckets) <= budget->cap)
        return 0;
    int r = budget_init(&larger, buckets);
    for (uint32_t i = 0; r == 0 && i < budget->cap; i++) {
        const struct budget_bucket *bucket = &budget->buckets[i];
        if (bucket->key != 0)
            *take(&larger, bucket->key) = *bucket;
    }
    if (r == 0) {
        budget_deinit(budget);
        *budget = larger;
    }
    return r;
}

sonde_ns budget_ready_ns(const struct budget *budget, budget_key key, unsigned keep)
{
    const struct budget_bucket *bucket = find(budget, key);
    if (bucket == NULL)
        return INT64_MIN;
    return ns_sub(bucket->full_ns, (BUDGET_BURST - 1 - (int64_t)keep) * BUDGET_INTERVAL_NS);
}

void budget_charge(struct budget *budget, budget_key key, sonde_ns now)
{
    struct budget_bucket *bucket = take(budget, key);
    bucket->full_ns = ns_add(ns_max(bucket->full_ns, now), BUDGET_INTERVAL_NS);
}

/* Who was met at a place: a router; 0 = nobody was; the place's own key = several were. */
static budget_key met_at(const struct budget *budget, budget_key place)
{
    const struct budget_bucket *bucket = find(budget, place);
    if (bucket == NULL)
        return 0;
    return bucket->met[1] != 0 ? place : bucket->met[0];
}

/* Which router is expected at a place; place.behind: nobody knows. */
static budget_key expected_at(const struct budget *budget, struct budget_place place)
{
    budget_key met = met_at(budget, place.behind);
    if (met == 0 && met_at(budget, place.at_ttl) != place.at_ttl)
        met = met_at(budget, place.at_ttl);
    return met != 0 ? met : place.behind;
}

sonde_ns budget_place_ready_ns(const struct budget *budget, struct budget_place place,
                               unsigned keep)
{
    budget_key key = expected_at(budget, place);
    sonde_ns ready = budget_ready_ns(budget, key, keep);
    bool alone = key == place.behind && met_at(budget, place.at_ttl) == 0;
    const struct budget_bucket *bucket = key == place.behind ? find(budget, key) : NULL;
    for (unsigned i = 0; bucket != NULL && i < BUDGET_MET; i++) {
        if (bucket->met[i] != 0)
            ready = ns_max(ready, budget_ready_ns(budget, bucket->met[i], keep));
    }
    return alone ? ns_max(ready, budget_ready_ns(budget, place.at_ttl, keep)) : ready;
}

struct budget_charge budget_place_charge(struct budget *budget, struct budget_place place,
                                         sonde_ns now)
{
    struct budget_charge charge = {.key = expected_at(budget, place)};
    const struct budget_bucket *bucket =
        charge.key == place.behind ? find(budget, place.behind) : NULL;
    if (bucket != NULL)
        memcpy(charge.met, bucket->met, sizeof charge.met);
    for (unsigned i = 0; i < BUDGET_MET; i++) {
        if (charge.met[i] != 0)
            budget_charge(budget, charge.met[i], now);
    }
    budget_charge(budget, charge.key, now);
    if (charge.key == place.behind && charge.key != place.at_ttl) {
        budget_charge(budget, place.at_ttl, now);
        charge.at_ttl = place.at_ttl;
    }
    return charge;
}

static void give_back(struct budget *budget, budget_key key)
{
    struct budget_bucket *bucket = find(budget, key);
    if (bucket != NULL)
        bucket->full_ns = ns_sub(bucket->full_ns, BUDGET_INTERVAL_NS);
}

void budget_unanswered(struct budget *budget, struct budget_charge *charge)
{
    if (charge->at_ttl != 0)
        give_back(budget, charge->at_ttl);
    charge->at_ttl = 0;
}

void budget_give_back(struct budget *budget, struct budget_charge *charge)
{
    budget_unanswered(budget, charge);
    if (charge->key != 0)
        give_back(budget, charge->key);
    charge->key = 0;
    for (unsigned i = 0; i < BUDGET_MET; i++) {
        if (charge->met[i] != 0)
            give_back(budget, charge->met[i]);
        charge->met[i] = 0;
    }
}

/* A place has no more left than a router that was met there. */
static void meet(struct budget *budget, budget_key place, budget_key router, sonde_ns full_ns)
{
    struct budget_bucket *bucket = take(budget, place);
    bucket->full_ns = ns_max(bucket->full_ns, full_ns);
    for (unsigned i = 0; i < BUDGET_MET; i++) {
        if (bucket->met[i] == router)
            return;
    }
    memmove(bucket->met + 1, bucket->met, (BUDGET_MET - 1) * sizeof *bucket->met);
    bucket->met[0] = router;
}

void budget_answered(struct budget *budget, struct budget_charge *charge, budget_key router,
                     struct budget_place place, sonde_ns now)
{
    budget_key charged = charge->key;
    if (charged != router) {
        budget_charge(budget, router, now);
        budget_give_back(budget, charge);
    }
    *charge = (struct budget_charge){0};
    sonde_ns full_ns = take(budget, router)->full_ns;
    if ((charged & IS_PLACE) != 0)
        meet(budget, charged, router, full_ns);
    if (place.behind != charged)
        meet(budget, place.behind, router, full_ns);
    if (place.at_ttl != place.behind && place.at_ttl != charged)
        meet(budget, place.at_ttl, router, full_ns);
}
