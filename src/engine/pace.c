/* SPDX-License-Identifier: BSD-2-Clause */
/* The timetable of packets; see engine/pace.h. */
#include "engine/pace.h"

struct pace pace_init(uint32_t rate_pps, sonde_ns credit_ns, sonde_ns now)
{
    sonde_ns gap = rate_pps > 0 ? SONDE_NS_PER_S / rate_pps : 0;
    return (struct pace){gap, credit_ns, now};
}

sonde_ns pace_ready_ns(const struct pace *pace)
{
    return pace->gap_ns > 0 ? ns_sub(pace->next_ns, pace->credit_ns) : INT64_MIN;
}

void pace_take(struct pace *pace, sonde_ns now)
{
    if (pace->gap_ns > 0)
        pace->next_ns = ns_add(ns_max(pace->next_ns, ns_sub(now, pace->credit_ns)), pace->gap_ns);
}
