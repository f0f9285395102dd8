/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case to judge: one target, 192.0.2.9 or 2001:db8::9, with a control and three services, and the
 * probe records of it so far.
 */
#ifndef TESTS_ANALYZE_CASE_H
#define TESTS_ANALYZE_CASE_H

#include "analyze/evidence.h"

#include "tests/support/records.h"

/* The services, by their index. */
enum { ICMP, WEB, SSH, DNS, SERVICES };

#define TARGET "192.0.2.9"
#define TARGET6 "2001:db8::9"

struct case_file {
    struct tally *tally;
    struct analyze_service services[SERVICES];
    struct analyze_target target;
};

/** Open a case on a target with this address. End it with case_close(). */
void case_open(struct case_file *file, const char *addr);

void case_close(struct case_file *file);

/** Fold a record in. */
void case_add(struct case_file *file, struct sonde_event event);

/** Fold in the records of one full-TTL probe a cycle, for @p count cycles.
 *  @param from  Who answered; NULL = nobody. */
void case_add_full(struct case_file *file, uint32_t service, uint32_t count,
                   enum sonde_outcome outcome, const char *from);

/** Fold in one answer of a router with this address, 192.0.2.N for hop N. */
void case_add_router(struct case_file *file, uint32_t service, uint8_t ttl);

/** Fold in answers of the routers from hop @p first to @p last, so many times. */
void case_add_routers(struct case_file *file, uint32_t service, uint8_t first, uint8_t last,
                      uint32_t times);

/** Fold in the records of so many probes with a TTL. Those that nobody answered were sent 5 ms
 * before the others of their cycle, so that a router that answers these has passed them over, if
 * its answers were folded in before. @param from  NULL = nobody answered. */
void case_add_hop(struct case_file *file, uint32_t service, uint8_t ttl, uint32_t times,
                  enum sonde_outcome outcome, const char *from);

/** @return The state of a service. */
enum sonde_state case_state(const struct case_file *file, uint32_t service);

/** @return The analysis of a service. */
struct analysis case_judge(const struct case_file *file, uint32_t service);

#endif
