/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run remembers of the records that it has given, so that it gives what is new, in order:
 *
 *     run_start, then whenever there is one of them, in this order of precedence:
 *     zone        before an address with that scope is in any record
 *     target      before anything else of it; and again, when more is known of it
 *     begin       before the first probe
 *     name
 *     paused, resumed, reset, removed    behind the events, and the targets, that were there then
 *     probe, late, duplicate, unawaited    in the order in which they were folded into the tally
 *     next_hop, counters, path_change, verdict, cycle    of a target, between its cycles
 *     all of these once more for each target, interface, run_end
 *
 * Where nothing has been taken for long, the vantage waits (SONDE_EVENTS_KEPT), so that the memory
 * of this is bounded by the number of targets and of addresses that have answered.
 */
#ifndef RUN_RECORDER_H
#define RUN_RECORDER_H

#include "run/internal.h"
#include "run/name_table.h"

#include <sonde/record.h>

/** What was told of a service. */
struct told_service {
    bool known;
    enum sonde_state state;
    enum sonde_code code;
    bool has_blame;
    struct sonde_blame blame;
    uint64_t path_changes[SONDE_FLOWS_MAX]; /* by flow */
    uint64_t episodes;                      /* that have ended */
};

/** What was told of a target. */
struct told_target {
    bool is_queued;                /* more is known of it than was told */
    bool is_told;                  /* there was a record of it */
    struct members placed;         /* its services of which was told that it measures them itself */
    bool has_error;                /* it was told why it is not */
    bool is_seen;                  /* so was something of its probes */
    bool has_hop;                  /* so was its next hop, after its first cycle */
    uint32_t cycle;                /* the last that it has begun, as far as records show */
    struct told_service *services; /* [service_count]; NULL before its first review */
    uint32_t service_count;
};

/** Parts of a review, in their order. */
enum review_part {
    REVIEW_NONE,
    REVIEW_HOP,
    REVIEW_COUNTERS,
    REVIEW_SERVICES,
    REVIEW_CYCLE,
};

/** A look at one target, between two of its cycles or at the end. */
struct review {
    enum review_part part;
    uint32_t target;
    uint32_t cycle; /* that is over */
    struct arena arena;
    struct sonde_target_result result;
    size_t service; /* the next one to look at */
    size_t path;    /* and of its paths */
};

/** Something that was done to services, and is told behind the events that were there before. */
struct told_action {
    enum sonde_record_type type;
    uint32_t target;
    uint32_t service;
    uint64_t behind;         /* so many events, since the start */
    uint64_t behind_targets; /* and records of targets */
    sonde_ns *since;         /* [since_count]; owned; as in the record, but on the run's clock */
    size_t since_count;
};

struct recorder {
    uint64_t n;
    struct arena arena; /* what the last record points at */
    struct told_target *targets;
    uint32_t target_cap;
    uint32_t *queue; /* [queue_cap] a ring: targets of which more is known, each once */
    uint32_t queue_cap;
    uint32_t queue_first;
    uint32_t queue_count;
    uint64_t taken; /* targets from the queue, since the start */
    uint32_t wrong; /* a target whose problem is told next; NO_TARGET: none is */
    bool has_started;
    bool has_begun;
    bool has_ended;
    bool failed; /* memory ran out: what follows would have gaps */
    uint32_t zone_count;
    bool is_held;                /* an event waits for a review */
    uint64_t given;              /* events that were told, or are held */
    struct told_action *actions; /* [action_cap], from action_first to action_count */
    size_t action_cap;
    size_t action_first;
    size_t action_count;
    struct sonde_event held;
    struct review review;
    struct sonde_record_counters counters;
    struct name_table names;    /* addresses that have answered */
    struct sonde_addr *unnamed; /* [unnamed_cap], the first so many: of these, without a name yet */
    uint32_t unnamed_cap;
    uint32_t unnamed_count;
    uint32_t unnamed_at;    /* the next one to ask for */
    uint32_t asked_count;   /* how many there were when they all were asked for */
    uint32_t asked_pending; /* and how many names were being looked up */
    uint32_t final_target;  /* at the end: the next one to look at */
    bool has_interface;
};

/** @return A recorder; NULL if memory ran out. */
struct recorder *recorder_new(void);

/** Free a recorder; NULL is fine. */
void recorder_free(struct recorder *recorder);

/** Note that there is a target, which may have a number that another one had before. Nothing is
 * done where no records are wanted. */
void recorder_new_target(struct sonde_run *run, uint32_t index);

/** Tell nothing more of what a target comes to: it is removed, or a service of it. Where something
 * is measured for it still, which others share, it is told nevertheless if it was not: they refer
 * to it. Likewise. */
void recorder_forget(struct sonde_run *run, uint32_t index);

/** @return true if there was a record of a target; false where no records are wanted. */
bool recorder_has_told(const struct sonde_run *run, uint32_t index);

/** Note that a target is there no more: nothing is told of it, nor of what was done to it if it was
 *  not told. Nothing is done where no records are wanted. */
void recorder_release(struct sonde_run *run, uint32_t index);

/** Note that more is known of a target. Likewise. */
void recorder_note_target(struct sonde_run *run, uint32_t index);

/** Note that an address has answered, whose name may become known. Likewise. */
void recorder_note_address(struct sonde_run *run, const struct sonde_addr *addr);

/** Note that something was done to services. @param target  SONDE_ALL: to the whole run. Likewise.
 */
void recorder_note_action(struct sonde_run *run, enum sonde_record_type type, uint32_t target,
                          uint32_t service);

/* tell.c: what is in a record. What it points at is in the recorder's arena, or the run's. */

void tell_run_start(const struct sonde_run *run, struct sonde_record_run_start *to);

/** @return NO_TARGET; if not all could be told yet: another target, for which is measured what this
 *  one shares, and of which that was not told. */
uint32_t tell_target(struct sonde_run *run, uint32_t index, struct sonde_record_target *to);

void tell_probe(const struct sonde_run *run, const struct sonde_event *event,
                struct sonde_record_probe *to);

/** @return 0; -ENOMEM. */
SONDE_MUST_CHECK int tell_run_end(struct sonde_run *run, struct sonde_record_run_end *to);

/* actions.c */

/** Free what was not told. */
void actions_deinit(struct recorder *recorder);

/** @return true if more that is known of targets may be told: nothing was done before that. */
bool actions_let_targets(const struct recorder *recorder);

/** An event is forgotten, which was the @p nth from 0 of those that wait: actions behind it are
 *  behind one less. */
void actions_forget_event(struct recorder *recorder, uint32_t nth);

/** A target leaves the queue untold, which was the @p nth from 0: actions behind it are behind one
 *  less. */
void actions_forget_queued(struct recorder *recorder, uint32_t nth);

/** A target was put into the queue as the @p nth from 0: actions behind the one before it are
 * behind one more. */
void actions_note_queued(struct recorder *recorder, uint32_t nth);

/** A target that was never told of is there no more: forget what was done to it. */
void actions_forget_target(struct recorder *recorder, uint32_t index);

/** @return true, and the next thing that was done, if the events before it were told. */
bool actions_next(struct sonde_run *run, struct sonde_record *to);

/* review.c */

/** Begin to look at a target. @return 0; -ENOMEM. */
SONDE_MUST_CHECK int review_begin(struct sonde_run *run, uint32_t index, bool is_final);

/** Go on with a review that has begun. @return true, and the next record of it, which borrows its
 *  memory; false: it is over. */
bool review_next(struct sonde_run *run, struct sonde_record *to);

#endif
