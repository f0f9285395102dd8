/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The budget: how often a router may be asked, over everything that probes from here.
 *
 * A Linux router answers six expired packets of one source at once, and then one a second
 * (net.ipv4.icmp_ratelimit, xrlim_allow() in net/ipv4/icmp.c). Whoever asks more sees loss that the
 * network does not have. So each router has a bucket: a few asks at once, and then one a second.
 *
 * A trace that does not know yet which router stands at a TTL asks at a place: behind the nearest
 * router that it knows. If others have met a router at that place, or else one alone was met at
 * this TTL from here, it is expected there, and charged. If nobody has, the place is charged, and
 * so are all places at that TTL together, for it may be the same router everywhere: nothing is
 * known of it yet. Once two were met at a TTL, its places go their own ways.
 *
 *        ask: router known, or expected     charged to the router
 *        ask: two or more were met there    charged to the place, and to the last two, until
 *               answered by one of them          the others' charge is given back
 *        ask: nobody was met there          charged to the place, and to the TTL, until
 *               answered by a router             the charge moves to it
 *               answered by the target           the charge is given back
 *               not answered in time             that of the TTL is given back; that of the place
 *                                                stays, and is forgotten with time
 *
 * Whoever is answered by another than was charged moves the charge, too. So a router is asked as
 * often as it is charged. Where flows part behind the same router, several are met at a place: the
 * last two of them are charged until it is known which was asked. Where they part three ways and
 * more, one may be asked too much; what a closer look compares is therefore asked in such an order
 * that this cannot mislead it (engine/look.h).
 *
 * A bucket that is full again is as good as none, and its room is used for another.
 */
#ifndef ENGINE_BUDGET_H
#define ENGINE_BUDGET_H

#include "base/time.h"

enum {
    BUDGET_BURST = 6, /* asks at once */
    BUDGET_SPARE = 1, /* of these, left to whoever asks beside us, unless a closer look needs it */
};
static const sonde_ns BUDGET_INTERVAL_NS = SONDE_NS_PER_S; /* and then one in this time */

/** Names a bucket: a router's or a place's. 0 names none. */
typedef uint64_t budget_key;

enum { BUDGET_MET = 2 /* routers that are remembered of a place */ };

struct budget_bucket {
    budget_key key;
    sonde_ns full_ns; /* when it will be full again: the theoretical arrival time of a GCRA */
    budget_key met[BUDGET_MET]; /* of a place: the routers that were met there last; 0 = no more */
};

/** {0} is not valid; see budget_init(). */
struct budget {
    struct budget_bucket *buckets; /* [cap], in sets of neighbours */
    uint32_t cap;                  /* a power of two */
};

/**
 * Make a budget in which every bucket is full.
 * @param buckets  That may be in use at once, roughly; at least 1. If more are, a router may be
 * asked sooner than it should.
 * @return 0; -ENOMEM with nothing allocated.
 * Ownership: budget_deinit() frees what this allocates.
 */
SONDE_MUST_CHECK int budget_init(struct budget *budget, uint32_t buckets);

/** Make room for more buckets; none is forgotten. @return 0; -ENOMEM with nothing changed. */
SONDE_MUST_CHECK int budget_grow(struct budget *budget, uint32_t buckets);

/** Free what budget_init() allocated; a zeroed budget is fine. */
void budget_deinit(struct budget *budget);

/** @return The bucket of a router with this address. */
budget_key budget_router(const struct sonde_addr *router);

/** Where a router stands that is not known. */
struct budget_place {
    budget_key behind; /* this TTL, behind the nearest router before it that is known */
    budget_key at_ttl; /* this TTL, wherever */
};

/**
 * @param source  Address that probes are sent from: who sends from another may leave by another
 * way.
 * @param behind  The bucket of the nearest router before it that is known; 0 = none is.
 * @param ttl     Of the probes.
 * @return A place of which the router is not known.
 */
struct budget_place budget_place(const struct sonde_addr *source, budget_key behind, unsigned ttl);

/**
 * @param keep  Of the burst, what has to be left, 0 to BUDGET_BURST - 1.
 * @return When a bucket allows another ask, if nothing else is asked until then.
 */
sonde_ns budget_ready_ns(const struct budget *budget, budget_key key, unsigned keep);

/** Charge a bucket for an ask. */
void budget_charge(struct budget *budget, budget_key key, sonde_ns now);

/** @return Likewise for whoever stands at a place. */
sonde_ns budget_place_ready_ns(const struct budget *budget, struct budget_place place,
                               unsigned keep);

/** What was charged for a probe. {0} is "nothing". */
struct budget_charge {
    budget_key key;             /* the router that is expected to answer, or a place; 0 = none */
    budget_key at_ttl;          /* of a place: its TTL; 0 = that is not, or not any more */
    budget_key met[BUDGET_MET]; /* of a place where several were met: these, for it may be either */
};

/** Charge whoever stands at a place. */
struct budget_charge budget_place_charge(struct budget *budget, struct budget_place place,
                                         sonde_ns now);

/** A probe that was charged turns out to have asked nobody: give back what it was charged. */
void budget_give_back(struct budget *budget, struct budget_charge *charge);

/** Nobody has answered a probe for as long as an answer takes. Whoever was asked may have had none
 *  left: the place stays charged; but not all others at that TTL. */
void budget_unanswered(struct budget *budget, struct budget_charge *charge);

/**
 * Say which router answered a probe whose TTL ran out there.
 * @param charge   What was charged for it; nothing is left of it.
 * @param router   Its bucket.
 * @param place    The place where the trace met it, as far as it is known now.
 */
void budget_answered(struct budget *budget, struct budget_charge *charge, budget_key router,
                     struct budget_place place, sonde_ns now);

#endif
