/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a trace reaches: at which TTL the target answers, and how far routers do.
 *
 * The engine bounds its probing by this, and the tally its report, both from the same records, so
 * there is one fold for both. A first answer is believed at once. An answer that contradicts what
 * an earlier one showed (a router where the target was, the target where a router was) is believed
 * when it comes twice without anything to the contrary in between: once may be a path that splits
 * per packet, twice is a path that changed.
 *
 * Of a silent target only the routers tell how long the path is. One that was the farthest, and
 * then answers nothing, is believed to be gone when it has missed REACH_SILENCES probes in a row
 * while routers before it answered; more if it has missed several before and came back: a router
 * that rations its answers stays. If a router before it has been replaced, or somebody
 * refuses to pass the probes on, REACH_SILENCES_MOVED are enough. Everything behind the farthest
 * that did answer goes with it.
 */
#ifndef ENGINE_REACH_H
#define ENGINE_REACH_H

#include "engine/ttl_set.h"

#include <sonde/event.h>

enum {
    REACH_SILENCES = 5,       /* probes in a row that the farthest router has to miss to be gone */
    REACH_SILENCES_MOVED = 2, /* likewise, where there is another sign of a change */
    REACH_SILENCES_MAX = 32,  /* likewise, however seldom it answers */
};

/** Who answered a TTL-limited probe. */
enum reach_answer {
    REACH_ROUTER,  /* its TTL ran out there */
    REACH_TARGET,  /* it arrived */
    REACH_REFUSED, /* a device on the way would not pass it on */
};

/** {0} is "nothing known". */
struct reach {
    uint8_t dest_ttl;       /* smallest TTL that reaches the target; 0 = unknown */
    uint8_t top_ttl;        /* largest TTL that expired on the way; 0 = none */
    uint8_t refused_ttl;    /* smallest TTL that was refused; 0 = none */
    uint8_t doubt_ttl;      /* of an unsettled answer against what is believed; 0 = none */
    bool doubt_is_target;   /* who gave it: the target where a router was, or the reverse */
    bool dest_exact;        /* a router answered just before dest_ttl: no smaller one reaches it */
    bool moved;             /* there is another sign that the router at top_ttl is gone */
    uint8_t silences;       /* probes that it has missed in a row */
    uint8_t longest;        /* silences in a row before an answer, at most, that were not the end */
    uint32_t dest_cycle;    /* in which the target answered at dest_ttl the last time */
    uint32_t top_cycle;     /* of the last probe that it answered */
    uint32_t heard_cycle;   /* likewise of those before it; not below top_cycle */
    uint32_t doubt_after;   /* the last cycle, as far as is known, before the first answer against
                               what was believed */
    uint32_t changes;       /* times that the distance changed; the last time, after doubt_after */
    struct ttl_set expired; /* TTLs that expired on the way, on the present path */
    struct ttl_set heard;   /* of these, below top_ttl, in cycles after top_cycle */
};

/**
 * Fold one answer in.
 * @param ttl     What the probe was sent with, 1 to 255.
 * @param cycle   In which cycle.
 * @param answer  Who answered it.
 */
void reach_on_answer(struct reach *reach, uint8_t ttl, uint32_t cycle, enum reach_answer answer);

/** Fold in that nobody answered a TTL-limited probe. @param cycle  In which it was sent. */
void reach_on_silence(struct reach *reach, uint8_t ttl, uint32_t cycle);

/** Fold in that another router stands at a TTL. @param cycle  Of its first answer. */
void reach_on_replaced(struct reach *reach, uint8_t ttl, uint32_t cycle);

/**
 * Fold one record in, if it says anything about the distance: a full-TTL probe does not, nor does
 * an answer that may be to another probe.
 * @param event      A probe that ended.
 * @param is_target  From sonde_event_is_target().
 */
void reach_on_event(struct reach *reach, const struct sonde_event *event, bool is_target);

/**
 * Nobody answers any more as before: forget routers that were not heard since. Where the target was
 * stays known.
 * @param heard  The TTLs at which routers have answered since. @param cycle  The present one.
 */
void reach_forget(struct reach *reach, const struct ttl_set *heard, uint32_t cycle);

/**
 * Add what is known of another flow of the same service. Together they reach as far as the one that
 * goes farthest, and are refused as soon as the one that is refused first.
 * @param reach  What is known of the others; {0} of the first. Records that are folded into it
 * later mean nothing: it is joined anew after each.
 */
void reach_join(struct reach *reach, const struct reach *other);

#endif
