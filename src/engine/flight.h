/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-flight table: every probe that was sent, until nothing can be said of it any more.
 *
 * A flight is free, flying, or kept: ended, but remembered, so that a late or a second answer is
 * known for what it is and never credited to another probe. Kept flights are given to new probes
 * oldest first, and only when none is free; flying ones never.
 *
 * A flight is found by its trace and its token modulo PROBE_TOKEN_MODULUS. Two probes of one trace
 * with the same value would have to be 65,535 probes apart; the older one is forgotten when the
 * newer one starts.
 */
#ifndef ENGINE_FLIGHT_H
#define ENGINE_FLIGHT_H

#include "base/time.h"

#include <sonde/vocabulary.h>

#define FLIGHT_NONE UINT32_MAX

enum flight_state {
    FLIGHT_FREE,
    FLIGHT_FLYING, /* from the moment it is chosen to be sent */
    FLIGHT_KEPT,
};

/** A doubly linked list of flights, by index. */
struct flight_list {
    uint32_t first;
    uint32_t last;
};

struct flight {
    uint32_t trace;
    uint32_t token;
    uint32_t cycle;
    uint8_t ttl;
    bool to_target;
    bool sent; /* of a flying one: it left */
    enum flight_state state;
    enum sonde_outcome outcome; /* of a kept flight */
    enum sonde_clock sent_clock;
    sonde_ns sent_ns;
    uint32_t hash_next; /* next in its hash chain */
    uint32_t prev;      /* neighbours in the list it is in: free, kept, or its target's */
    uint32_t next;
};

struct flight_table {
    struct flight *flights; /* [cap] */
    uint32_t *buckets;      /* [bucket_count], a power of two */
    uint32_t bucket_count;
    uint32_t cap;
    uint32_t used; /* flights from this one on were never taken: their memory is untouched */
    struct flight_list free;
    struct flight_list kept; /* oldest first */
};

static const struct flight_list flight_list_empty = {FLIGHT_NONE, FLIGHT_NONE};

/**
 * Make a table of free flights.
 * @param cap  1 to 2^24.
 * @return 0; -ENOMEM with nothing allocated.
 * Ownership: flight_deinit() frees what this allocates.
 */
SONDE_MUST_CHECK int flight_init(struct flight_table *table, uint32_t cap);

/** Free what flight_init() allocated; a zeroed table is fine. */
void flight_deinit(struct flight_table *table);

/** @return true if flight_take() would find one. */
bool flight_available(const struct flight_table *table);

/**
 * Take a flight for a new probe and make it flying.
 * @param list   The target's flying probes; the new one becomes its last.
 * @param trace  The trace.
 * @param token  The probe's whole token.
 * @return Its index, with all members but those of the table itself to be set by the caller;
 *         FLIGHT_NONE if all are flying (wait until one ends).
 */
uint32_t flight_take(struct flight_table *table, struct flight_list *list, uint32_t trace,
                     uint32_t token);

/** A flying probe ended: move it from its target's list to the kept ones. */
void flight_keep(struct flight_table *table, struct flight_list *list, uint32_t index,
                 enum sonde_outcome outcome);

/** A flying probe never was: take it from its target's list and free it. */
void flight_drop(struct flight_table *table, struct flight_list *list, uint32_t index);

/** @return The flying or kept flight of @p trace whose token is @p token modulo
 *  PROBE_TOKEN_MODULUS; FLIGHT_NONE if there is none. */
uint32_t flight_find(const struct flight_table *table, uint32_t trace, uint32_t token);

#endif
