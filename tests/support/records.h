/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probe records for tests of what folds them: as the engine would make them, in one line each.
 *
 * All are of target 0 and over the family of the sender's address; an answered probe took 10 ms.
 * Tests change members of what they get as they need.
 */
#ifndef TESTS_RECORDS_H
#define TESTS_RECORDS_H

#include <sonde/event.h>

/** @return An address from its text; none if @p text is NULL. The test fails if it is none. */
struct sonde_addr record_addr(const char *text);

/** The record of a probe that was to reach the target, with TTL 30. @param from  NULL = nobody. */
struct sonde_event record_full(uint32_t service, uint32_t cycle, enum sonde_outcome outcome,
                               const char *from);

/** The record of a TTL-limited probe. */
struct sonde_event record_hop(uint32_t service, uint32_t cycle, uint8_t ttl,
                              enum sonde_outcome outcome, const char *from);

/** Give an ICMP answer another type and code; its outcome stays. */
struct sonde_event record_with_code(struct sonde_event event, int16_t type, int16_t code);

#endif
