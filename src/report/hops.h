/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hops of a target say, one by one and those of all its services together. */
#ifndef REPORT_HOPS_H
#define REPORT_HOPS_H

#include <sonde/snapshot.h>

/** @return The hop of a service at a TTL; NULL if nothing is known of it. Ownership: the
 *  snapshot's. */
const struct sonde_hop *hops_at(const struct sonde_service_result *service, uint8_t ttl);

/** @return true if a responder stands at this hop: a device that refuses probes stands before it.
 */
bool hops_is_here(const struct sonde_hop *hop, const struct sonde_responder *responder);

/** @return The responder that most of a hop's answers came from; NULL if nobody there answered, or
 *  @p hop is NULL. Ownership: the snapshot's. */
const struct sonde_responder *hops_main(const struct sonde_hop *hop);

/** @return true if any service of a target was asked at a TTL. */
bool hops_is_asked(const struct sonde_target_result *target, uint8_t ttl);

/** @return true if it is known of any service that the target is at a TTL, and not nearer. */
bool hops_is_distance(const struct sonde_target_result *target, uint8_t ttl);

/** @return true if the round trips of a hop are those of its routers alone: who refuses, or the
 *  target on a shorter way, may answer from anywhere. */
bool hops_is_timed(const struct sonde_hop *hop);

#endif
