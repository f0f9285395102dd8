/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network made up from a seed, in the simulator's language, and what is asked of it.
 */
#ifndef TESTS_PROPERTY_NETWORK_H
#define TESTS_PROPERTY_NETWORK_H

#include "base/text.h"
#include "tests/property/kinds.h"

#include <sonde/run.h>

enum {
    NETWORK_SERVICES_MAX = 17, /* sixteen and the control */
    NETWORK_FLOWS_MAX = 3,     /* of one service */
};

/** What loses packets in a network by chance. */
enum network_loss {
    NETWORK_LOSSLESS, /* nothing does */
    NETWORK_CHANCE,   /* some devices do, packet by packet, independently */
    NETWORK_MASK,     /* some devices do, in patterns */
    NETWORK_LOSS_COUNT
};

/** A network, and how it is looked at. */
struct network {
    struct text scenario;
    uint32_t kinds; /* of things that it has; see tests/property/kinds.h */
    enum network_loss loss;
    const char *host; /* the target's address */
    struct sonde_options options;
    struct sonde_service services[NETWORK_SERVICES_MAX];
    uint32_t service_count;
};

/**
 * Make a network up: the same seed and kinds, the same network. End it with network_free().
 * @param kinds  Those that it may have, a bit each.
 */
void network_make(uint64_t seed, uint32_t kinds, struct network *ret_network);

/** @return true if a network has things of a kind. */
bool network_has(const struct network *network, enum kind kind);

/** Free what network_make() made. */
void network_free(struct network *network);

/** Add the command line that looks at it so, for whoever wants to see it for himself. */
void network_command(const struct network *network, struct text *text);

#endif
