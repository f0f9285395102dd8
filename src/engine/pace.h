/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pace: how many packets a second leave this machine.
 *
 * Packets have a timetable, one every gap. A loop that wakes late may catch up, and one that is
 * early may send ahead, both by the credit; so packets can leave in batches, and still there are in
 * no span of time more than the rate allows for it and for twice the credit.
 */
#ifndef ENGINE_PACE_H
#define ENGINE_PACE_H

#include "base/time.h"

/** {0} is "no limit". */
struct pace {
    sonde_ns gap_ns; /* from packet to packet; 0 = no limit */
    sonde_ns credit_ns;
    sonde_ns next_ns; /* when the next packet is due by the timetable */
};

/**
 * @param rate_pps   Packets a second, 1 to 1,000,000; 0 = no limit.
 * @param credit_ns  At least 0.
 * @param now        When the timetable begins.
 */
struct pace pace_init(uint32_t rate_pps, sonde_ns credit_ns, sonde_ns now);

/** @return When the next packet may leave; INT64_MIN if there is no limit. */
sonde_ns pace_ready_ns(const struct pace *pace);

/** A packet leaves. */
void pace_take(struct pace *pace, sonde_ns now);

#endif
