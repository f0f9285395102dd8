/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the engine share: its state, and who works on which part of it. */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/heap.h"
#include "base/time.h"
#include "engine/asking.h"
#include "engine/engine.h"
#include "engine/flight.h"
#include "engine/reach.h"

/*
 * Politeness. A Linux router answers a burst of 6 expired packets from one source and then one a
 * second (net.ipv4.icmp_ratelimit); what is asked beyond that shows as loss that is not there.
 */
enum {
    HOP_BURST = 5,         /* TTL-limited probes to one hop at once, all services together */
    DISCOVERY_WINDOW = 16, /* TTLs probed before anything is known of the path */
    DISCOVERY_MARGIN = 3,  /* an answer this close to its end makes the window grow at once */
    ASKS_ENOUGH = 2,       /* probes to a hop that make its silence a finding */
};
static const sonde_ns HOP_INTERVAL_NS = SONDE_NS_PER_S; /* and then one in this time */
static const sonde_ns STEP_NS = SONDE_NS_PER_MS / 4;    /* from one TTL to the next */
static const sonde_ns SETTLE_NS = 50 * SONDE_NS_PER_MS; /* waited beyond twice the longest RTT */
/* Waited beyond three times the longest RTT while nothing of the target has answered. */
static const sonde_ns SETTLE_SILENT_NS = 500 * SONDE_NS_PER_MS;
/* Whoever stands before a host asks for its link address three times, a second apart, and says only
 * then that it cannot be reached: arp(7); RFC 4861 §10; RFC 1812 §3.3.2. */
static const sonde_ns RESOLUTION_NS = 3200 * SONDE_NS_PER_MS;
/* Waited at least beyond the longest RTT for an answer that could only contradict what is known. */
static const sonde_ns RECHECK_SLACK_NS = 5 * SONDE_NS_PER_MS;

/* Waited after an answer that names no probe before the next one is drawn: a network that doubles
 * packets delivers both at about the same time, and the second must not pass for a new answer. */
static const sonde_ns QUIET_NS = 20 * SONDE_NS_PER_MS;

/** What is known of one TTL of a target, over all its traces. */
struct hop_turn {
    sonde_ns earned_ns; /* GCRA: when the hop's budget will be full again */
    uint8_t next;       /* the trace, within its target, whose turn it is */
};

struct engine_trace {
    const struct sonde_probe_ops *ops;
    struct sonde_spec spec;
    uint32_t target;
    uint32_t hash_next; /* next trace in its flow bucket */
    struct flight_line line;
    struct reach reach;
    struct asking asking;
    struct ttl_set asked;  /* TTLs probed, or passed over, in this cycle */
    bool standby;          /* not begun: it waits until a service of its protocol is a suspect */
    bool suspect;          /* silent for longer than any answer takes */
    bool needy;            /* a suspect, or a control of one, that is served first */
    uint8_t contested_ttl; /* where others meet a router and this one, though it is answered, never
                              did: there somebody may answer in the target's name; 0 = nowhere */
    uint8_t alone;         /* probes that went there with nothing else of the trace in flight */
    bool full_due;         /* its full-TTL probe of this cycle has not been chosen */
    sonde_ns silent_ns;    /* when its first full-TTL probe left; never: none has */
    bool answered;         /* the target, or who refuses in its place, has answered */
    sonde_ns quiet_ns;     /* until when a duplicate of the last answer may still come in */
    sonde_ns
        refused_ns;     /* when this machine's firewall refused the last probe; never: it has not */
    bool nameless;      /* nothing in an error tells which probe it is about */
    bool one_at_a_time; /* the target's answers can be told apart only if one is due at a time */
    bool has_serial;    /* serial is that of the answer last taken */
    uint32_t serial;
    uint32_t echoes;     /* repetitions of that answer which ended no probe yet */
    int16_t echo_ttl;    /* reply TTL of the last of them */
    uint32_t last_token; /* of the full-TTL probe that ended last */
};

struct engine_target {
    struct sonde_addr addr;
    uint32_t first_trace;
    uint32_t trace_count;
    uint32_t cycle;         /* cycles begun */
    sonde_ns start_ns;      /* when the first began */
    sonde_ns next_cycle_ns; /* when the next begins; never after the last */
    uint32_t fulls_due;     /* full-TTL probes of this cycle that were not chosen yet */
    uint8_t step_ttl;       /* the TTL being walked */
    sonde_ns step_ns;       /* when the walk may go on to another TTL */
    bool stepped;           /* the walk went on in this cycle */
    bool stale;             /* something has changed what the walk may do */
    sonde_ns walk_ns;       /* unless stale: when it goes on; never: there is nothing to walk to */
    sonde_ns walk_until_ns; /* and until when that holds */
    sonde_ns turn_ns;       /* when a question has its first turn; never: all had theirs */
    bool in_doubt;         /* somebody is not answered, or not known to be answered by the target */
    uint8_t doubt_ttl;     /* the hop that the first suspect was seen up to */
    uint8_t distance;      /* smallest TTL known to reach it on any trace; 0 = none is */
    uint8_t top_ttl;       /* the farthest that any trace got without arriving */
    uint32_t flying_count; /* of all traces */
    uint32_t unsent_count; /* of these, chosen and not known to have left */
    uint32_t echoes;       /* of all traces */
    sonde_ns rtt_max_ns;   /* longest round trip seen; 0 = none */
    bool reached;          /* something of the target has answered */
    bool told;             /* somebody has said that it cannot be reached */
    bool done;
};

struct engine {
    struct engine_config config;   /* targets and traces: as many as there is room for */
    struct engine_target *targets; /* [config.targets] */
    uint32_t target_count;
    uint32_t targets_left;       /* not done yet */
    struct engine_trace *traces; /* [config.traces] */
    uint32_t trace_count;
    struct hop_turn *turns; /* [config.targets][max_ttl + 1] */
    uint8_t *asks;          /* [config.traces][max_ttl + 1], probes to each TTL, as far as 255 */
    uint32_t *flow_buckets; /* [flow_bucket_count], a power of two */
    uint32_t flow_bucket_count;
    uint16_t left_ports[ENGINE_TRACES_PER_TARGET]; /* asked, but answered from another port */
    uint32_t left_port_count;
    struct flight_table flights;
    struct heap sending; /* targets by when they have something to send */
    struct heap waiting; /* targets by when something of theirs is overdue, or they are done, at the
                            latest: an answer in time leaves them where they are */
    uint32_t unsent[ENGINE_BATCH]; /* flights chosen and not known to be sent, oldest first */
    uint32_t unsent_count;
    uint32_t handed;        /* of these, how many are handed out; the others will be again */
    sonde_ns not_before_ns; /* rate cap, or back-off after the kernel said "later" */
    sonde_ns backoff_ns;
    sonde_ns stop_ns; /* when the run's duration is up */
    enum engine_end end;
    struct engine_discards discards;
    struct sonde_event events[ENGINE_EVENTS]; /* a ring */
    uint32_t event_first;
    uint32_t event_count;
};

/** What a target wants to send next. */
struct plan_choice {
    uint32_t trace;
    uint8_t ttl;
    bool to_target;
};

/* room.c: how much room there is */

/** Room in the in-flight table. */
struct flight_room {
    uint32_t cap;
    uint32_t share; /* of one trace */
};

/** @return Room for all that is in flight if nobody answers, within bounds: for each trace the
 *  full-TTL probes of one timeout, and at each hop those of as many cycles, or what its budget
 *  allows. */
struct flight_room room_for_flights(const struct engine_config *config);

/* extent.c: how far it is */

/** @return The smallest TTL with which a probe of the trace may reach the target. */
unsigned extent_floor(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace);

/** Sum up what the traces of a target know of its distance, after an answer. */
void extent_learn(const struct engine *engine, struct engine_target *target);

/** @return How long an answer may take, judged by the round trips seen; never: none was. */
sonde_ns extent_settle_ns(const struct engine_target *target);

/** @return How old a probe may be that an answer which names none is taken to be for. */
sonde_ns extent_plausible_ns(const struct engine_target *target);

/** @return When the first window of a discovery is given up for too small. */
sonde_ns extent_grow_ns(const struct engine_target *target);

/** @return The TTL at which a trace ends: at the target, or at who refuses in its place; 0 = not
 *  known. */
unsigned extent_end(const struct engine_target *target, const struct engine_trace *trace);

/** @return The largest TTL that is worth probing on a trace. */
unsigned extent_limit(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace, sonde_ns now);

/** @return The largest TTL that is worth probing on any trace of the target. */
unsigned extent_target_limit(const struct engine *engine, const struct engine_target *target,
                             sonde_ns now);

/** @return true if the end of a trace is not known yet. */
bool extent_is_open(const struct engine *engine, const struct engine_target *target);

/** @return true if a flying probe will get no answer of its own: it reached the target, which has
 *  only repeated its answer to an earlier one. */
bool extent_is_echoed(const struct engine *engine, const struct engine_target *target,
                      const struct flight *flight);

/* suspect.c: what silence changes */

/** Find out who is a suspect at @p now, and who is served first because of that. */
void suspect_look(struct engine *engine, struct engine_target *target, sonde_ns now);

/** @return When the next of the questions of a service has its first turn, unless one is answered;
 *  never: all had theirs. */
sonde_ns suspect_turn_ns(const struct engine *engine, const struct engine_target *target);

/** @return When silence changes something next: a trace becomes a suspect, or is contested, or a
 *  question has its turn. */
sonde_ns suspect_next_ns(const struct engine *engine, const struct engine_target *target);

/** @return true if a trace has to be asked at a TTL alone, because somebody may answer there in the
 *  target's name. */
bool suspect_contests(const struct engine_trace *trace, unsigned ttl);

/** @return true if a trace has to be asked at a TTL for a suspect to be judged. */
bool suspect_needs(const struct engine *engine, const struct engine_target *target,
                   const struct engine_trace *trace, unsigned ttl);

/* walk.c: the walk up the path */

/** Choose a TTL-limited probe to send now, and spend the budget for it. @return false if none is
 *  due. */
bool walk_step(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice);

/** @return When the walk goes on; never: there is nothing to walk to. */
sonde_ns walk_ns(struct engine *engine, struct engine_target *target, sonde_ns now);

/* plan.c: what a target sends, and when. */

/** Choose what to send now, and spend the budget for it. @return false if nothing is due. */
bool plan_next(struct engine *engine, struct engine_target *target, sonde_ns now,
               struct plan_choice *ret_choice);

/** Put a target where it belongs in the heap of those that send; after a probe was chosen. */
void plan_chosen(struct engine *engine, struct engine_target *target, sonde_ns now);

/** Put a target where it belongs in both heaps; after every other change to it. */
void plan_update(struct engine *engine, struct engine_target *target, sonde_ns now);

/** @return When a trace may send again, as far as its share of the flights goes: 0 for now, or, at
 *  the latest, when its oldest is lost. Source: flight_may_take(). */
sonde_ns plan_room_ns(const struct engine *engine, const struct engine_trace *trace, sonde_ns now);

/** @return How long the answer of a server may take, judged by the round trips seen. */
sonde_ns plan_patience_ns(const struct engine *engine, const struct engine_target *target,
                          const struct engine_trace *trace, unsigned question);

/** @return How long a question stays silent before the next one has its turn. */
sonde_ns plan_turn_ns(const struct engine *engine, const struct engine_target *target,
                      const struct engine_trace *trace);

/** @return When a flying probe counts as lost, once its target has nothing more to send. */
sonde_ns plan_lost_ns(const struct engine *engine, const struct flight *flight);

/** @return When a target that has nothing more to send stops waiting for answers; 0 if nothing is
 *  in flight. */
sonde_ns plan_settled_ns(const struct engine *engine, const struct engine_target *target);

/** @return Until when somebody may say that the target cannot be reached, of which nothing has
 *  answered; 0: it is not waited for. */
sonde_ns plan_word_ns(const struct engine *engine, const struct engine_target *target);

/** @return true if a target has begun its last cycle and sent all of it. */
bool plan_all_sent(struct engine *engine, struct engine_target *target, sonde_ns now);

/* receive.c: which question an arrival answers. */

/** @return The full-TTL probe of the trace that ended last, if it had left and is still remembered;
 *  FLIGHT_NONE otherwise. */
uint32_t last_kept(const struct engine *engine, uint32_t trace_index);

/* finish.c: how a probe ends. */

/** End a flying probe and hold the event. @param event  Its members outcome, from, rtt_ns,
 *  reply_ttl, icmp_type, icmp_code, mtu_bytes, error, ext and uncertain; the rest is filled in
 * here. */
void finish_flight(struct engine *engine, uint32_t index, struct sonde_event *event);

/** End a probe that could not be sent, and hold the event. */
void finish_unsent(struct engine *engine, uint32_t index, const struct sonde_sent *sent);

/** End a flying probe that is waited for no longer, and hold the event. */
void finish_unanswered(struct engine *engine, uint32_t index);

/** Forget a flying probe of which nobody knows whether it would have been answered: the run ends,
 *  and its answer would have told nothing new. */
void finish_unawaited(struct engine *engine, uint32_t index);

/** Of the echoes that explain no probe, report one as a duplicate, or count it as a discard if it
 *  can be of no probe that is remembered.
 *  @return false if none is left. */
bool finish_echo(struct engine *engine, struct engine_target *target);

/** Hold an event about a probe that ended before. */
void finish_again(struct engine *engine, uint32_t index, enum sonde_event_type type,
                  struct sonde_event *event);

/** @return Places for events that are free. */
static inline uint32_t events_free(const struct engine *engine)
{
    return ENGINE_EVENTS - engine->event_count;
}

static inline struct engine_target *target_of(struct engine *engine, uint32_t trace)
{
    return &engine->targets[engine->traces[trace].target];
}

static inline struct engine_trace *trace_at(const struct engine *engine,
                                            const struct engine_target *target, uint32_t index)
{
    return &engine->traces[target->first_trace + index];
}

/** @return How often a trace was asked at a TTL, as far as 255. */
static inline uint8_t *asks_at(const struct engine *engine, const struct engine_trace *trace,
                               unsigned ttl)
{
    size_t row = (size_t)(trace - engine->traces) * (engine->config.max_ttl + 1U);
    return &engine->asks[row + ttl];
}

static inline uint32_t target_index(const struct engine *engine, const struct engine_target *target)
{
    return (uint32_t)(target - engine->targets);
}

/** @return The bucket of a flow, as seen from here, in flow_buckets. */
uint32_t *flow_bucket(const struct engine *engine, uint8_t protocol,
                      const struct sonde_addr *remote, uint16_t remote_port);

#endif
