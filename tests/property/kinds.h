/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kinds of things that a network may have besides what all may have, and claims that may be made of
 * all. Each can be switched on and off, so that what is wrong with one can be looked at alone.
 */
#ifndef TESTS_PROPERTY_KINDS_H
#define TESTS_PROPERTY_KINDS_H

#include <stdbool.h>
#include <stdint.h>

enum kind {
    KIND_MANY,      /* up to 16 services, in any order: open, closed, silent, refused */
    KIND_FORWARDED, /* some ports are answered by a machine behind the host, in its name */
    KIND_BACK_DROP, /* what a service answers is dropped on the way back */
    KIND_BACK_WAY,  /* the way back is another than the way there */
    KIND_DEAD,      /* nobody has the address */
    KIND_FAR,       /* the host is farther than hops are looked at */
    KIND_RATIONING, /* a server or a firewall lets only so much pass */
    KIND_SAME_TTL,  /* a device answers in the target's name, with the target's initial TTL */
    KIND_STATELESS, /* who answers a SYN remembers none: SYN cookies, SYN proxies */
    KIND_NESTED,    /* parallel paths within parallel paths */
    KIND_BURSTS,    /* loss that comes in bursts */
    KIND_FLOWS,     /* each service is probed with several flows */
    KIND_CAUGHT, /* no network, but a claim: devices that answer in the target\'s name are found */
    KIND_COUNT
};

/** @return The name of a kind. */
const char *kind_name(enum kind kind);

/** All kinds, a bit each: they are on if nobody says anything. */
static const uint32_t KINDS_ALL = (UINT32_C(1) << KIND_COUNT) - 1;

/**
 * Read which kinds are to be on.
 * @param list       Names with commas between them; "all", "none".
 * @param ret_kinds  Receives a bit for each, on success.
 * @return false if there is no such kind.
 */
bool kinds_parse(const char *list, uint32_t *ret_kinds);

/** @return Which kinds of @p on the network of a seed has. */
uint32_t kinds_of(uint64_t seed, uint32_t on);

#endif
