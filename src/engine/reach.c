/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a trace reaches; see engine/reach.h. */
#include "engine/reach.h"

/* The target answered where a router did. Being there, it is also at every TTL beyond, so of two
 * such answers both speak for the larger TTL. @return it; 0 if this is the first. */
static uint8_t doubt_router(struct reach *reach, uint8_t ttl)
{
    uint8_t before = reach->doubt_is_target ? reach->doubt_ttl : 0;
    reach->doubt_is_target = true;
    reach->doubt_ttl = before != 0 && before < ttl ? before : ttl;
    if (before == 0)
        return 0;
    reach->changes++;
    return before < ttl ? ttl : before;
}

static void target_at(struct reach *reach, uint8_t ttl)
{
    reach->refused_ttl = 0;
    if (!reach->doubt_is_target && ttl <= reach->doubt_ttl)
        reach->doubt_ttl = 0; /* a router there was an exception */
    if (reach->dest_ttl != 0 && reach->dest_ttl <= ttl)
        return; /* known, or overshot */
    if (reach->top_ttl >= ttl)
        ttl = doubt_router(reach, ttl);
    if (ttl == 0)
        return;
    reach->dest_ttl = ttl;
    if (reach->doubt_ttl >= ttl)
        reach->doubt_ttl = 0;
    ttl_set_cut(&reach->expired, ttl);
    reach->top_ttl = ttl_set_highest(&reach->expired);
}

/* A router answered where the target did. @return true if it is not the first to do so. */
static bool doubt_target(struct reach *reach, uint8_t ttl)
{
    bool again = !reach->doubt_is_target && reach->doubt_ttl != 0;
    reach->doubt_is_target = false;
    reach->doubt_ttl = again ? 0 : ttl;
    reach->changes += again;
    return again;
}

static void router_at(struct reach *reach, uint8_t ttl)
{
    if (reach->refused_ttl != 0 && reach->refused_ttl <= ttl)
        reach->refused_ttl = 0; /* it gets that far after all */
    if (reach->doubt_is_target && ttl >= reach->doubt_ttl)
        reach->doubt_ttl = 0; /* the target there was an exception */
    if (reach->dest_ttl != 0 && reach->dest_ttl <= ttl) {
        if (!doubt_target(reach, ttl))
            return;
        reach->dest_ttl = 0;
    }
    ttl_set_add(&reach->expired, ttl);
    if (reach->top_ttl < ttl)
        reach->top_ttl = ttl;
}

void reach_on_answer(struct reach *reach, uint8_t ttl, enum reach_answer answer)
{
    switch (answer) {
    case REACH_ROUTER:
        router_at(reach, ttl);
        break;
    case REACH_TARGET:
        target_at(reach, ttl);
        break;
    case REACH_REFUSED:
        if (reach->refused_ttl == 0 || reach->refused_ttl > ttl)
            reach->refused_ttl = ttl;
        break;
    }
}

void reach_on_event(struct reach *reach, const struct sonde_event *event, bool is_target)
{
    if (event->uncertain || event->outcome == SONDE_OUTCOME_NO_REPLY ||
        event->outcome == SONDE_OUTCOME_SEND_ERROR || (event->to_target && is_target))
        return;
    if (is_target)
        reach_on_answer(reach, event->ttl, REACH_TARGET);
    else if (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
        reach_on_answer(reach, event->ttl, REACH_ROUTER);
    else if (!event->to_target)
        reach_on_answer(reach, event->ttl, REACH_REFUSED);
}
