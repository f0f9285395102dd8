/* SPDX-License-Identifier: BSD-2-Clause */
/* How long to wait; see engine/patience.h. */
#include "engine/patience.h"

static const sonde_ns SPAN_NS = 60 * SONDE_NS_PER_S;
static const sonde_ns ROUTER_SLACK_NS = 10 * SONDE_NS_PER_MS;
static const sonde_ns TARGET_SLACK_NS = 50 * SONDE_NS_PER_MS;
/* While nothing of the target has answered, it may be much farther than all that has. */
static const sonde_ns UNKNOWN_NS = 500 * SONDE_NS_PER_MS;
static const sonde_ns CLAIM_MIN_NS = 100 * SONDE_NS_PER_MS;
/* It may be a host behind a geostationary satellite, and busy. */
static const sonde_ns CLAIM_UNKNOWN_NS = SONDE_NS_PER_S;

/* The shorter of two round trips; 0 is none. */
static sonde_ns shorter(sonde_ns a, sonde_ns b)
{
    if (a == 0 || b == 0)
        return a + b;
    return ns_min(a, b);
}

void patience_note(struct patience *patience, sonde_ns rtt_ns, bool of_target, sonde_ns now)
{
    sonde_ns passed = ns_sub(now, patience->since_ns);
    if (passed > SPAN_NS) {
        bool is_next = passed <= 2 * SPAN_NS; /* otherwise nothing came in the span before */
        patience->longest_ns[1] = is_next ? patience->longest_ns[0] : 0;
        patience->nearest_ns[1] = is_next ? patience->nearest_ns[0] : 0;
        patience->longest_ns[0] = patience->nearest_ns[0] = 0;
        patience->since_ns = now;
    }
    patience->longest_ns[0] = ns_max(patience->longest_ns[0], rtt_ns);
    if (of_target)
        patience->nearest_ns[0] = shorter(patience->nearest_ns[0], rtt_ns);
}

void patience_reached(struct patience *patience, bool sure)
{
    patience->reached = true;
    patience->sure |= sure;
}

sonde_ns patience_longest_ns(const struct patience *patience)
{
    return ns_max(patience->longest_ns[0], patience->longest_ns[1]);
}

sonde_ns patience_nearest_ns(const struct patience *patience)
{
    return shorter(patience->nearest_ns[0], patience->nearest_ns[1]);
}

/* While the target is silent: twice what has answered, and something for what is farther. */
static sonde_ns unknown_ns(const struct patience *patience)
{
    sonde_ns longest = patience_longest_ns(patience);
    return longest > 0 ? ns_add(ns_mul(longest, 2), UNKNOWN_NS) : SONDE_NS_NEVER;
}

sonde_ns patience_router_ns(const struct patience *patience)
{
    sonde_ns longest = patience_longest_ns(patience);
    if (!patience->reached)
        return unknown_ns(patience);
    return ns_add(longest, ns_max(longest / 6, ROUTER_SLACK_NS));
}

sonde_ns patience_target_ns(const struct patience *patience)
{
    sonde_ns longest = patience_longest_ns(patience);
    if (!patience->reached)
        return unknown_ns(patience);
    sonde_ns slack = ns_max(ns_mul(longest, 5) / 4, TARGET_SLACK_NS);
    return ns_add(longest, patience->sure ? slack : ns_max(slack, UNKNOWN_NS));
}

sonde_ns patience_claim_ns(const struct patience *patience)
{
    sonde_ns longest = patience_longest_ns(patience);
    if (!patience->reached)
        return ns_max(ns_mul(longest, 3), CLAIM_UNKNOWN_NS);
    return ns_max(ns_mul(longest, 4), CLAIM_MIN_NS);
}
