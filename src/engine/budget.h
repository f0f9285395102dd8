/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The budget: how often a router may be asked, over everything that probes from here.
 *
 * A Linux router answers six expired packets of one source at once, and then one a second
 * (net.ipv4.icmp_ratelimit, xrlim_allow() in net/ipv4/icmp.c). Whoever asks more sees loss that the
 * network does not have. So each router has a bucket: a few asks at once, and then one a second.
 *
 * A trace that does not know yet which router stands at a TTL cannot know whose bucket its probe
 * will use up. It is charged to a place instead: what all traces share that know the same router
 * before it. When the answer comes, the charge moves to the router that sent it. A place never has
 * more left than any router that was met there: the next probe may meet the same one.
 *
 *        ask: router known                  charged to the router
 *        ask: router not known              charged to the place, until
 *               answered by a router             the charge moves to it
 *               answered by the target           the charge is given back
 *               not answered                     the charge stays, and is forgotten with time
 *
 * Whoever knows the router asks it BUDGET_BURST times at once and then once a second, all
 * together. While traces get to know it, those that do not are charged to places, and what they
 * have in flight is not known to those that do. At TTL t a router may be met in t places, one for
 * each number of routers known before it: so until all know it, it may be asked 1 + t times as
 * often, from each place as often as from its own bucket. A Linux router gives six answers at once,
 * so some may be missing then; what a closer look compares is therefore asked in such an order that
 * this cannot mislead it (engine/look.h).
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

struct budget_bucket {
    budget_key key;
    sonde_ns full_ns; /* when it will be full again: the theoretical arrival time of a GCRA */
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

/**
 * @param source  Address that probes are sent from: who sends from another may leave by another
 * way.
 * @param behind  The bucket of the nearest router before it that is known; 0 = none is.
 * @param ttl     Of the probes.
 * @return The bucket of a place of which the router is not known.
 */
budget_key budget_place(const struct sonde_addr *source, budget_key behind, unsigned ttl);

/**
 * @param keep  Of the burst, what has to be left, 0 to BUDGET_BURST - 1.
 * @return When a bucket allows another ask, if nothing else is asked until then.
 */
sonde_ns budget_ready_ns(const struct budget *budget, budget_key key, unsigned keep);

/** Charge a bucket for an ask. */
void budget_charge(struct budget *budget, budget_key key, sonde_ns now);

/** A probe that was charged turns out to have asked nobody. */
void budget_give_back(struct budget *budget, budget_key key);

/**
 * Say who answered a probe.
 * @param charged  The bucket that was charged for it.
 * @param router   The bucket of the router that answered; 0 = the target did.
 * @param place    The place where the trace met it, as far as it is known now.
 */
void budget_answered(struct budget *budget, budget_key charged, budget_key router, budget_key place,
                     sonde_ns now);

#endif
