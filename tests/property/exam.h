/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that check a run share: one service of it under examination. */
#ifndef TESTS_PROPERTY_EXAM_H
#define TESTS_PROPERTY_EXAM_H

#include "tests/property/check.h"

/** One service under examination. */
struct exam {
    const struct network *network;
    const struct run *run;
    const struct sonde_service_result *service;
    const struct truth *truth;
    struct totals *totals;
    struct text *broken;
    bool is_changing;  /* the path changes */
    bool is_faked;     /* a device answers in the target's name */
    bool is_chancy;    /* chance has a part in what is answered */
    bool is_reached;   /* some service of the target is answered by it all the time */
    uint32_t farthest; /* the target's largest distance on any way of any service */
};

/** Note what does not hold, in words; nothing if it holds. */
void exam_expect(const struct exam *exam, bool holds, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** @return true if the answers of this service may leave it open which probe they answer: a SYN-ACK
 *  to a repeated SYN does, a RST, and a UDP answer without our bytes. The engine does what it can.
 */
bool exam_is_tokenless(const struct exam *exam);

/** @return true if somebody is at this distance on some way of some service. */
bool exam_is_at(const struct exam *exam, const struct sonde_place *place);

/** @return true if somebody is at this distance for this service: on some way of its own, or, where
 *  nobody passes a port on, of another service. */
bool exam_is_own(const struct exam *exam, const struct sonde_place *place);

/** Check that a finding has a cause, and names it if it names anybody. */
void exam_finding(const struct exam *exam, const struct sonde_finding *finding);

/** Check that what everything shows is found: an address that nobody has, a device that answers in
 *  the target's name. */
void exam_found(const struct exam *exam);

#endif
