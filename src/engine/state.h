/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's state, which its files share: traces, targets and what they have in common.
 *
 * Who does what: plan.c says what a target sends next and how long it waits; walk.c which TTL is
 * asked next and for whom; look.c what a silent or odd service asks for; extent.c how far probes
 * go; send.c makes packets of that; receive.c finds the trace that an arrival answers, attribute.c
 * the probe, and credit.c says what follows; finish.c how a probe ends. run.c is a run's life;
 * add.c and remove.c let runs, targets and traces come and go. The machines that they are made of
 * (answered, asking, budget, claim, flight, hop, pace, patience, reach, rtt, standing, tally) know
 * nothing of this file.
 */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "base/heap.h"
#include "base/ids.h"
#include "engine/asking.h"
#include "engine/budget.h"
#include "engine/claim.h"
#include "engine/engine.h"
#include "engine/flight.h"
#include "engine/least.h"
#include "engine/members.h"
#include "engine/pace.h"
#include "engine/patience.h"
#include "engine/ration.h"
#include "engine/reach.h"
#include "engine/shown.h"
#include "engine/standing.h"
#include "engine/tally.h"

#include <assert.h>

static_assert((int)ENGINE_TRACES_PER_TARGET <= (int)MEMBERS_MAX, "a target's traces fit a set");

struct engine_trace {
    const struct sonde_probe_ops *ops;
    struct sonde_spec spec;
    struct engine_target *target; /* NULL: it was removed, and only its flow is not free yet */
    uint32_t index;               /* among the traces of its target */
    uint32_t id;                  /* among all, by which its flights name it */
    uint32_t hash_next;           /* next trace in its flow bucket */
    enum standing standing;
    enum standing beneath; /* where it stands but for a pause */
    uint64_t cycle;        /* full-TTL probes that were chosen */
    struct flight_line line;
    struct claims claims;
    uint8_t full_ttl;      /* what they leave with */
    uint8_t limit_ttl;     /* the largest TTL that is asked for now; 0 = none */
    uint8_t arrivals;      /* TTL-limited probes that were sent to arrive */
    uint8_t blind_ttl;     /* the farthest router that answered what went ahead blindly */
    uint8_t odd_ttl;       /* where it is asked by itself, being odd; 0 = nowhere */
    uint8_t odd_asks;      /* how often it was asked there */
    uint8_t explained_ttl; /* where that was done, and nothing is left to be asked; 0 = nowhere */
    uint8_t doubted;       /* answers to its full-TTL probes that may be to another one */
    uint8_t repetitions;   /* of its last answers, how many seemed to be a server's repetitions */
    struct shown shown;
    struct asking asking;
    uint64_t doubt_cycle; /* in which its other questions were asked again last; 0: they were not */
    bool keeps_silent; /* a full-TTL probe was not answered, though the host had a refusal left; and
                          none was ever refused */
    bool is_excused;   /* one silence since it was answered last did not count: it was asked before
                          who refuses had a refusal left */
    bool asks_on;      /* another question has its first turn: a probe beside those of the cycles */
    bool is_standby;   /* a control that is begun only while somebody needs it */
    bool is_removed;   /* for good, though its target is not: paused, and nothing is owed */
    bool scout;        /* it goes ahead while nobody knows how far the target is */
    bool is_astray;    /* nobody answered where the target seemed to be */
    bool quotes_name_nothing;  /* nothing in an error tells which probe it is about */
    uint64_t nameless_cycle;   /* in which that was seen last */
    sonde_ns quote_free_ns;    /* and until when one about an earlier probe may come */
    sonde_ns unanswered_ns[2]; /* when the first and the second full-TTL probe left since it was
                                  answered last; never: there was none */
    struct ration ration;
    uint64_t lost_cycle; /* in which a full-TTL probe was not answered, last; 0 = none was */
    bool
        is_walled; /* what was heard of it last is that somebody on the way lets it go no farther */
    sonde_ns full_ns; /* when its last probe was chosen that was to arrive; INT64_MIN: none was */
    sonde_ns refused_ns;  /* when this machine's firewall refused a probe last; never: it has not */
    sonde_ns left_ns;     /* when its last probe left; INT64_MIN: none has */
    struct least soonest; /* of the target's answers to its full-TTL probes */
    uint8_t asks[];       /* [max_ttl + 1], probes to each TTL, as far as 255 */
};

/** What there is of each TTL of a target. */
struct engine_turn {
    struct members want;  /* traces that want to ask in this pass */
    struct members fresh; /* traces that never asked */
};

struct engine_target {
    struct sonde_addr addr;
    struct sonde_addr source; /* of its probes */
    struct engine_run *run;
    uint32_t index;               /* within its run, as in the tally */
    uint32_t id;                  /* among all, by which the heaps name it */
    struct engine_trace **traces; /* [trace_cap]; owned, and each of them */
    uint32_t trace_cap;
    uint32_t trace_count;
    struct engine_turn *turns; /* [max_ttl + 1]; owned */
    const struct tally_target *tally;
    struct patience patience;
    sonde_ns begun_ns;      /* when its first full-TTL probe left; never: none has */
    sonde_ns turn_ns;       /* when a question has its first turn; never: all had theirs */
    sonde_ns settle_ns;     /* since when what was in flight then is given up; never: it is not */
    sonde_ns unresolved_ns; /* until when the last router may say that it does not find the target,
                         since nothing has answered */
    bool has_scout;         /* one of its traces goes ahead; see engine/extent.h */
    bool is_begun;          /* its first cycle has a time */
    bool done;

    /* cycles */
    uint64_t cycle;         /* cycles begun */
    sonde_ns cycle_ns;      /* when the last of these did */
    sonde_ns next_cycle_ns; /* when the next begins; never after the last */
    struct members fulls;   /* traces whose full-TTL probe is due */
    uint32_t flying_count;  /* of all traces */
    uint32_t unsent_count;  /* of these, chosen and not known to have left */

    /* what is known of the way, made anew by a review */
    sonde_ns review_ns; /* when time alone makes one necessary */
    bool is_paused;     /* it has traces to ask, and all are paused: no cycle of it begins */
    bool changed;       /* something has happened that it has to look at */
    bool in_doubt;      /* somebody is not answered, or not known to be answered by the target */
    uint8_t distance;   /* the smallest TTL known to reach it on any trace; 0 = none is */
    uint8_t distance_guess; /* what the TTL of the answers from there lets it seem; 0 = unknown */
    uint8_t farthest; /* the largest distance that a trace found just behind a router; 0 = none */
    uint8_t top_ttl;  /* the farthest router that any trace met */
    uint8_t passing_ttl; /* where the target itself is a router to a trace, since it passes the port
                            on to another machine; 0 = it is not */
    uint8_t limit_ttl;   /* the largest that any trace asks for now */
    budget_key refuser;  /* who refused full-TTL probes on the way, last; 0 = nobody did */
    uint32_t refused_cycle; /* in which that was, last */
    uint8_t refused_count;  /* how many of it, as far as 255 */
    uint64_t many_cycle; /* in which these were so many last that it may have had no more; 0: they
                            never were */
    sonde_ns heard_ns; /* when the last of the probes left that somebody else than this machine has
                          answered; INT64_MIN: none has */
    bool is_stuck; /* nobody has since, and this machine finds no neighbour to send its probes to */
    struct members standbys;  /* controls that are begun only while somebody needs them */
    struct members looked_at; /* silent and odd traces that are served first */
    struct members unserved;  /* silent ones that this, the last, cycle has no look for */
    struct members favoured;  /* the silent ones of them and their controls: what they show is worth
                                 more than what others do */

    /* the walk */
    uint8_t walk_ttl;       /* where it is */
    uint8_t walk_left;      /* TTLs that are left of this pass, this one included */
    uint8_t walk_asked;     /* the TTL that was asked last in this pass; 0 = none was */
    bool walk_open;         /* it has not come to its end in this pass */
    bool walk_again;        /* and another one is to follow */
    bool starves;           /* the cycle before ended before it had come to its end */
    uint8_t step_ttl;       /* the TTL that was asked last */
    uint32_t walk_asks;     /* what it has asked since the cycle began */
    uint64_t settled_cycle; /* since when nothing about the way has changed */
    sonde_ns step_ns;       /* when it may go on to another */
    sonde_ns walk_ns;       /* when it is worth beginning a pass anew; never: for nothing */
    struct ttl_set owed;    /* TTLs at which a control has to be asked after a silent trace was */
    sonde_ns owed_ns;       /* and from when on */
    uint8_t next_turn[];    /* [max_ttl + 1], whose turn it is at each TTL */
};

/** Targets that are measured by one plan. */
struct engine_run {
    struct engine *engine;
    struct engine_plan plan;
    struct tally *tally; /* borrowed; every event is folded into it at once */
    struct engine_target *
        *targets; /* [target_count], as in the tally; NULL: nobody has this number */
    uint32_t target_count;
    uint32_t last_added;   /* the target whose traces are being added */
    uint32_t targets_left; /* begun, and not done yet */
    bool is_started;
    sonde_ns begin_ns;        /* when another target may begin */
    sonde_ns stop_ns;         /* when the run's duration is up */
    bool is_stopping;         /* it is to end before that */
    uint32_t stopped_targets; /* of which nothing is awaited any more */
    enum engine_end end;
    struct engine_discards discards;
    struct flight_queue sent; /* its probes that are in flight, in the order in which they left */
    struct engine_run *next;
};

struct engine {
    struct engine_run *runs;        /* the newest first */
    struct engine_target **targets; /* [target_ids.cap]; NULL: nobody has this number */
    struct ids target_ids;
    uint32_t target_count;
    struct engine_trace **traces; /* [trace_ids.cap]; likewise */
    struct ids trace_ids;
    uint32_t trace_count;   /* those that were removed lately included */
    struct heap removed;    /* these, by when no answer to them can come any more */
    uint32_t *flow_buckets; /* [flow_bucket_count], a power of two */
    uint32_t flow_bucket_count;
    uint16_t other_ports[ENGINE_TRACES_PER_TARGET]; /* that are answered from another port */
    uint32_t other_port_count;
    struct flight_table flights;
    int64_t flights_wanted; /* for all traces, if nobody answers */
    struct budget budget;
    struct pace pace;
    struct heap sending;           /* targets by when they have something to send */
    struct heap waiting;           /* targets by when engine_on_time() has to look at them */
    uint32_t unsent[ENGINE_BATCH]; /* flights chosen and not known to be sent, oldest first */
    uint32_t unsent_count;
    uint32_t handed;        /* of these, how many are handed out; the others will be again */
    sonde_ns gap_ns;        /* until when nobody looked for arrivals, last; INT64_MIN: never */
    sonde_ns not_before_ns; /* back-off after the kernel said "later" */
    sonde_ns backoff_ns;
    struct engine_discards discards;           /* of what belongs to no run */
    struct engine_event events[ENGINE_EVENTS]; /* a ring */
    uint32_t event_first;
    uint32_t event_count;
};

/** What a target wants to send next. */
struct plan_choice {
    struct engine_trace *trace;
    uint8_t ttl;
    bool to_target; /* a full-TTL probe */
};

/** @return The bucket of a flow, as seen from here, in flow_buckets. */
uint32_t *flow_bucket(const struct engine *engine, uint8_t protocol,
                      const struct sonde_addr *remote, uint16_t remote_port);

/** Put a trace into the bucket of its flow. */
void flow_add(const struct engine *engine, struct engine_trace *trace);

/** Take a trace out of the bucket of its flow. */
void flow_remove(const struct engine *engine, const struct engine_trace *trace);

/** Count a packet that ended no probe, though it is about the flow of a trace. */
static inline void trace_on_discard(const struct engine_trace *trace, enum sonde_discard reason)
{
    trace->target->run->discards.count[reason]++;
}

/** @return The plan that a target is measured by. */
static inline const struct engine_plan *plan_of(const struct engine_target *target)
{
    return &target->run->plan;
}

/** @return What is tallied of a trace. */
static inline const struct tally_service *trace_tally(const struct engine_trace *trace)
{
    return trace->target->tally->services[trace->index];
}

/** @return How far a trace reaches. */
static inline const struct reach *trace_reach(const struct engine_trace *trace)
{
    return &trace_tally(trace)->reach;
}

/** @return true if the trace is under way, and not paused. */
static inline bool trace_is_begun(const struct engine_trace *trace)
{
    return trace->standing != STANDING_BY && trace->standing != STANDING_PAUSED;
}

/** @return true if the trace was answered, by whomever. */
static inline bool trace_is_answered(const struct engine_trace *trace)
{
    return trace->standing == STANDING_ANSWERED || trace->standing == STANDING_ODD;
}

#endif
