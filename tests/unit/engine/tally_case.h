/* SPDX-License-Identifier: BSD-2-Clause */
/* A tally of one target, 198.51.100.7, with three services, for tests to fold records into. */
#ifndef TESTS_ENGINE_TALLY_CASE_H
#define TESTS_ENGINE_TALLY_CASE_H

#include "engine/tally.h"

#include "tests/support/records.h"

#define CASE_TARGET "198.51.100.7"
enum { CASE_MAX_TTL = 30 };

/** @return The tally; freed by tally_free(). */
struct tally *case_tally(void);

/** @return A service of its target. */
const struct tally_service *case_service(const struct tally *tally, uint32_t service);

/** Fold a record in. */
void case_fold(struct tally *tally, struct sonde_event event);

/** Fold in that a router answers a TTL-limited probe of service 0. */
void case_router(struct tally *tally, uint32_t cycle, uint8_t ttl, const char *from);

#endif
