/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a trace reaches; see engine/reach.h. */
#include "engine/reach.h"

#include <stddef.h>

/* The farthest router is the one at a TTL, as of a cycle. */
static void begin_top(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    reach->top_ttl = ttl;
    reach->top_cycle = cycle;
    reach->heard_cycle = cycle;
    reach->silences = 0;
    reach->moved = false;
    reach->heard = (struct ttl_set){0};
}

/* A run of silences has ended. */
static void note_longest(struct reach *reach)
{
    if (reach->longest < reach->silences)
        reach->longest = reach->silences;
}

/* The router at top_ttl has missed a probe. Is it gone, with all behind the last that was heard
 * since? Where nobody answered in the same cycle or later, that says nothing of the path. */
static void top_missed(struct reach *reach, uint32_t cycle)
{
    unsigned enough = REACH_SILENCES + 2U * reach->longest;
    if (enough > REACH_SILENCES_MAX)
        enough = REACH_SILENCES_MAX;
    if (reach->moved)
        enough = REACH_SILENCES_MOVED;
    if (cycle <= reach->top_cycle || cycle > reach->heard_cycle)
        return; /* it was known late, or says nothing */
    if (++reach->silences < enough)
        return;
    uint8_t last = ttl_set_highest(&reach->heard);
    note_longest(reach);
    ttl_set_cut(&reach->expired, last + 1U);
    begin_top(reach, last, cycle);
}

/* A router has answered that is no farther than all others. */
static void keep_heard(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    if (ttl == reach->top_ttl && cycle >= reach->top_cycle) {
        note_longest(reach);
        begin_top(reach, ttl, cycle);
    } else if (cycle > reach->top_cycle) {
        ttl_set_add(&reach->heard, ttl);
        reach->heard_cycle = cycle > reach->heard_cycle ? cycle : reach->heard_cycle;
    }
}

/* The target answered where a router did. Being there, it is also at every TTL beyond, so of two
 * such answers both speak for the larger TTL. @return it; 0 if this is the first. */
static uint8_t doubt_router(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    uint8_t before = reach->doubt_is_target ? reach->doubt_ttl : 0;
    reach->doubt_is_target = true;
    reach->doubt_ttl = before != 0 && before < ttl ? before : ttl;
    if (before == 0) {
        reach->doubt_after = cycle > 0 ? cycle - 1 : 0;
        return 0;
    }
    reach->changes++;
    return before < ttl ? ttl : before;
}

static void target_at(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    reach->refused_ttl = 0;
    if (!reach->doubt_is_target && ttl <= reach->doubt_ttl)
        reach->doubt_ttl = 0; /* a router there was an exception */
    if (reach->dest_ttl == ttl)
        reach->dest_cycle = cycle;
    if (reach->dest_ttl != 0 && reach->dest_ttl <= ttl)
        return; /* known, or overshot */
    if (reach->top_ttl >= ttl)
        ttl = doubt_router(reach, ttl, cycle);
    if (ttl == 0)
        return;
    reach->dest_ttl = ttl;
    reach->dest_cycle = cycle;
    if (reach->doubt_ttl >= ttl)
        reach->doubt_ttl = 0;
    ttl_set_cut(&reach->expired, ttl);
    begin_top(reach, ttl_set_highest(&reach->expired), cycle);
}

/* A router answered where the target did. @return true if it is not the first to do so. */
static bool doubt_target(struct reach *reach, uint8_t ttl)
{
    bool again = !reach->doubt_is_target && reach->doubt_ttl != 0;
    if (!again)
        reach->doubt_after = reach->dest_cycle;
    reach->doubt_is_target = false;
    reach->doubt_ttl = again ? 0 : ttl;
    reach->changes += again;
    return again;
}

static void router_at(struct reach *reach, uint8_t ttl, uint32_t cycle)
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
        begin_top(reach, ttl, cycle);
    else
        keep_heard(reach, ttl, cycle);
}

static void refused_at(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    if (reach->refused_ttl == 0 || reach->refused_ttl > ttl)
        reach->refused_ttl = ttl;
    if (reach->dest_ttl != 0 || ttl > reach->top_ttl || cycle <= reach->top_cycle)
        return;
    reach->moved = true; /* nobody asks beyond */
    top_missed(reach, cycle);
}

void reach_on_answer(struct reach *reach, uint8_t ttl, uint32_t cycle, enum reach_answer answer)
{
    uint8_t dest_before = reach->dest_ttl;
    switch (answer) {
    case REACH_ROUTER:
        router_at(reach, ttl, cycle);
        break;
    case REACH_TARGET:
        target_at(reach, ttl, cycle);
        break;
    case REACH_REFUSED:
        refused_at(reach, ttl, cycle);
        break;
    }
    reach->dest_exact &= reach->dest_ttl == dest_before;
    reach->dest_exact |= reach->dest_ttl != 0 && reach->dest_ttl == reach->top_ttl + 1;
}

void reach_on_silence(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    /* where the target is known to be, it bounds the path */
    if (reach->dest_ttl == 0 && ttl == reach->top_ttl)
        top_missed(reach, cycle);
}

void reach_on_replaced(struct reach *reach, uint8_t ttl, uint32_t cycle)
{
    if (reach->dest_ttl != 0 || ttl >= reach->top_ttl || cycle <= reach->top_cycle)
        return;
    /* what was missed before says nothing of the new path */
    reach->moved = true;
    reach->silences = 0;
    reach->top_cycle = cycle - 1;
}

void reach_on_event(struct reach *reach, const struct sonde_event *event, bool is_target)
{
    if (event->uncertain || event->to_target || event->outcome == SONDE_OUTCOME_SEND_ERROR)
        return;
    if (event->outcome == SONDE_OUTCOME_NO_REPLY)
        reach_on_silence(reach, event->ttl, event->cycle);
    else if (is_target)
        reach_on_answer(reach, event->ttl, event->cycle, REACH_TARGET);
    else if (event->outcome == SONDE_OUTCOME_TTL_EXCEEDED)
        reach_on_answer(reach, event->ttl, event->cycle, REACH_ROUTER);
    else
        reach_on_answer(reach, event->ttl, event->cycle, REACH_REFUSED);
}

void reach_forget(struct reach *reach, const struct ttl_set *heard, uint32_t cycle)
{
    for (size_t i = 0; i < sizeof heard->words / sizeof *heard->words; i++)
        reach->expired.words[i] &= heard->words[i];
    begin_top(reach, ttl_set_highest(&reach->expired), cycle);
}

void reach_join(struct reach *reach, const struct reach *other)
{
    if (reach->dest_ttl < other->dest_ttl) {
        reach->dest_ttl = other->dest_ttl;
        reach->dest_cycle = other->dest_cycle;
        reach->dest_exact = other->dest_exact;
    }
    if (reach->top_ttl < other->top_ttl) {
        reach->top_ttl = other->top_ttl;
        reach->top_cycle = other->top_cycle;
    }
    if (reach->refused_ttl == 0 ||
        (other->refused_ttl != 0 && other->refused_ttl < reach->refused_ttl))
        reach->refused_ttl = other->refused_ttl;
    reach->changes += other->changes;
    for (unsigned ttl = 1; ttl <= other->top_ttl; ttl++) {
        if (ttl_set_has(&other->expired, ttl))
            ttl_set_add(&reach->expired, ttl);
    }
}
