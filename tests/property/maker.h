/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that make networks up share. */
#ifndef TESTS_PROPERTY_MAKER_H
#define TESTS_PROPERTY_MAKER_H

#include "base/prng.h"
#include "tests/property/network.h"

enum {
    HOPS_MAX = 20,
    WIDTH_MAX = 3,  /* alternatives of a group */
    LENGTH_MAX = 3, /* nodes of an alternative */
    ROUTERS_MAX = HOPS_MAX * WIDTH_MAX * LENGTH_MAX,
    SPREAD_MAX = 2, /* groups that split packet by packet: each multiplies the ways */
    LINK_MAX_US = 80000,
    WAY_MAX_US = 800000, /* one way, jitter included: round trips stay below the timeout of 2 s */
};

/* A piece of the path: one router, or a group of alternatives. */
struct piece {
    unsigned width; /* 1 = one router */
    bool per_packet;
    unsigned lengths[WIDTH_MAX];
    unsigned routers[WIDTH_MAX][LENGTH_MAX];
    unsigned beside[WIDTH_MAX]; /* parallel to the first of an alternative; 0 = none */
};

struct maker {
    struct prng prng;
    struct network *network;
    bool ipv6;
    unsigned router_count;
    unsigned link_max_us;
    unsigned silent_pct; /* of the routers */
    unsigned limit_pct;
    struct piece pieces[HOPS_MAX];
    unsigned piece_count;
    unsigned spread; /* groups that split packet by packet */
    unsigned host_ttl;
};

static inline unsigned below(struct maker *maker, unsigned bound)
{
    return prng_below(&maker->prng, bound);
}

static inline bool happens(struct maker *maker, unsigned pct)
{
    return below(maker, 100) < pct;
}

static inline unsigned pick(struct maker *maker, const unsigned *choices, size_t count)
{
    return choices[below(maker, (unsigned)count)];
}

#define PICK(maker, ...)                                                                           \
    pick((maker), (const unsigned[]){__VA_ARGS__},                                                 \
         sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

/* network.c */

/** Add a delay, and perhaps jitter, to the node that is being written. */
void maker_link(struct maker *maker, struct text *text);

/** Add a router. @return Its number. */
unsigned maker_router(struct maker *maker);

/** @return true if a router meets only some packets of a flow. What keeps state does not stand
 *  there: a translator would break every connection, and whoever resets some packets of an attempt
 *  gives answers to it that nobody can tell apart. */
bool maker_is_spread(const struct maker *maker, unsigned router);

/* besides.c: what networks of a kind have besides */

/** Choose the services of a host of many. */
void besides_services(struct maker *maker);

/** @return What a port of a host of many does. */
const char *besides_state(struct maker *maker, const char *protocol, uint16_t port);

/** Add what a host is like. */
void besides_host(struct maker *maker, struct text *host);

/** Add another way back, and look at fewer hops than the way has. */
void besides_path(struct maker *maker);

/** Add rules. */
void besides_rules(struct maker *maker);

#endif
