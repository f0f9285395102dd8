/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hop of one service: what TTL-limited probes of one TTL drew, and through which router the path
 * goes there.
 *
 * The router of the path is the one that answered first, until another takes over:
 *
 *     answers of a router in a row       a run; the answer of another router begins the next one
 *     a run shorter than RUN_TRUSTED     what a path looks like that splits per packet: from now on
 *                                        a run has to be twice as long to be trusted, up to
 *                                        RUN_TRUSTED_MAX
 *     a run that is long enough          half as long is enough from now on, down to RUN_TRUSTED
 *     one that is long enough, and has   its router takes over: the path has changed
 *     RUN_TOGETHER answers together with
 *     the run before it
 */
#ifndef ENGINE_HOP_H
#define ENGINE_HOP_H

#include "engine/rtt.h"

#include <sonde/event.h>

enum {
    TALLY_RESPONDERS_MAX = 64, /* kept of one hop; more are only counted */
    HOP_ASKS_MAX = 32,         /* the newest probes to a hop that are kept one by one */
    HOP_ASKS_TOGETHER = 1024,  /* that are counted together before they begin to be forgotten */
};

static const uint32_t TALLY_NOBODY = UINT32_MAX; /* in place of the index of a responder */

/** Somebody who answered at a hop. */
struct tally_responder {
    struct sonde_addr addr;
    uint64_t received;
    sonde_ns sent_ns;  /* when the last probe left that it answered */
    int16_t reply_ttl; /* of the last answer; -1 = unknown */
    int16_t icmp_type; /* likewise; -1 = none */
    int16_t icmp_code;
    enum sonde_outcome kind;      /* likewise */
    struct sonde_extensions *ext; /* of the last answer that had any; NULL if none had; owned */
};

/** How many probes were sent to a hop, and what they drew. */
struct hop_counts {
    uint32_t sent;
    uint32_t received;
    uint32_t expired; /* of these, answered by a router where they expired */
    uint32_t passed_over;
};

/** What probes drew since the stretch of time began that counts as now; see engine/tally.h. */
struct hop_asks {
    uint32_t newest[HOP_ASKS_MAX]; /* [count] in the order in which they ended; see hop.c */
    uint32_t count;
    struct hop_counts settled;  /* those before */
    struct hop_counts settling; /* the younger of these; {0}: they are few */
};

/** What TTL-limited probes of one TTL drew. */
struct tally_hop {
    uint64_t sent; /* that left this machine */
    uint64_t received;
    uint64_t passed_over; /* of those that nobody answered: the router here answered another
                             service, which asked just after */
    struct rtt_stats rtt;
    struct tally_responder *responders; /* in the order they were first seen */
    uint64_t unlisted;                  /* answers from further responders */
    uint32_t responder_count;
    uint32_t current;     /* index of the router that the path goes through, or TALLY_NOBODY */
    uint32_t last;        /* index of the router that answered last, likewise */
    uint32_t last_cycle;  /* the cycle of that answer */
    sonde_ns run_from_ns; /* when the probe left that it answered first since another did */
    uint32_t run;         /* answers of it in a row */
    uint32_t run_before;  /* answers in a row of the one before */
    uint32_t run_after;   /* the cycle in which another still answered */
    uint32_t run_trusted; /* answers in a row that show a change of path */
    bool was_passed_over; /* a probe was since the last change, whatever figures began anew since */
    struct hop_asks asks;
};

/** @return A hop that drew nothing yet; NULL if memory ran out. Ownership: hop_free() frees it. */
struct tally_hop *hop_new(void);

/** Free a hop; NULL is fine. */
void hop_free(struct tally_hop *hop);

/** Begin the figures of a hop anew. Which router is the path's stays known, and so does who
 * answered last; of the other responders nothing is kept. */
void hop_reset(struct tally_hop *hop);

/**
 * Fold in that a probe was answered.
 * @param counts  It was counted as sent; or else it left before the figures began, and only shows
 *                which router stands there.
 * @return true if the path goes through another router now: it changed after hop->run_after, and
 *         @p event makes that believed.
 */
bool hop_on_answer(struct tally_hop *hop, const struct sonde_event *event, bool counts);

/** What became of a probe to a hop: some of these. */
enum hop_ask {
    HOP_ANSWERED = 1,
    HOP_EXPIRED = 2,     /* and it was: there */
    HOP_PASSED_OVER = 4, /* nobody answered it; the router there answered another just after */
};

/** Note that a probe which left then has ended. @param what  Of enum hop_ask. */
void hop_note_ask(struct tally_hop *hop, sonde_ns sent_ns, unsigned what);

/** @return What the probes drew that are noted, and left before @p until_ns. */
struct hop_counts hop_count_until(const struct tally_hop *hop, sonde_ns until_ns);

/** Forget what was noted of probes that left before a time: what counts as now begins then. */
void hop_begin_at(struct tally_hop *hop, sonde_ns from_ns);

/** Say which router the path goes through, where that is known otherwise. @param addr  Its address;
 *  NULL: of several, nobody can tell. */
void hop_set_router(struct tally_hop *hop, const struct sonde_addr *addr);

#endif
