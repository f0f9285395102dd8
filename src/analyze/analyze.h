/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tally means: the state of each service, and the verdict on it.
 *
 * Pure functions of the tally. A state needs evidence: silence counts only when it is repeated,
 * and only against the background of something else of the target that answers.
 */
#ifndef ANALYZE_ANALYZE_H
#define ANALYZE_ANALYZE_H

#include "engine/tally.h"

#include <sonde/snapshot.h>

enum { ANALYZE_TEXT_BYTES = 256 };

/** What the analysis has to know of a service beyond its tally. */
struct analyze_service {
    uint8_t protocol; /* IP_PROTO_* */
    bool control;     /* nothing is expected of it */
    const char *name; /* "443/tcp", for sentences */
};

/** A target as the analysis sees it. */
struct analyze_target {
    const struct tally_target *tally;
    const struct analyze_service *services; /* [tally->service_count] */
};

/** What one service comes to. */
struct analysis {
    enum sonde_state state;
    enum sonde_level level;
    enum sonde_code code;
    enum sonde_confidence confidence;
    enum sonde_outcome deciding; /* the outcome whose evidence decided; NO_REPLY = none did */
    bool has_blame;
    struct sonde_blame blame;
    char text[ANALYZE_TEXT_BYTES];
};

/** @return The state of a service, and in @p ret_deciding the outcome that shows it. */
enum sonde_state analyze_state(const struct analyze_target *target, uint32_t service,
                               enum sonde_outcome *ret_deciding);

/** Judge a service. */
void analyze_service(const struct analyze_target *target, uint32_t service,
                     struct analysis *ret_analysis);

/** @return The TTL at which a router with this address answered any trace of the target; 0 if it
 *  is no known hop. */
uint8_t analyze_find_hop(const struct analyze_target *target, const struct sonde_addr *addr);

/** The distance of a service in hops. */
struct analyze_distance {
    uint8_t ttl; /* 0 = nothing is known of it */
    bool
        confirmed; /* nothing speaks for less: the hop before is a router's, or silent repeatedly */
};

/** @return How far away a service is: by its own trace, or, where that arrived but leaves it open,
 *  by the other traces of the target. */
struct analyze_distance analyze_distance(const struct analyze_target *target, uint32_t service);

/** @return What the loss at a hop means, given what is seen behind it. */
enum sonde_loss_kind analyze_loss(const struct tally_service *service, uint8_t ttl,
                                  uint8_t max_ttl);

/** @return true if any probe of the trace was answered by the target itself. */
bool analyze_reached(const struct analyze_target *target, uint32_t service);

/** @return Why the path of a service ends where it does; the run was over. */
enum sonde_stop_reason analyze_stop(const struct analyze_target *target, uint32_t service,
                                    uint8_t max_ttl, bool interrupted);

#endif
