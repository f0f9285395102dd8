/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: what to ask when, and which answer belongs to which question.
 *
 * It is sans-I/O. It reads no clock and touches no socket: it is told the time, told what arrived,
 * asked what to send and when to wake. The same engine therefore runs over raw sockets, and over a
 * simulated network in virtual time, where it does the same each time.
 *
 * An engine has runs: targets that are measured by one plan, and what they add up to. Runs share
 * the pace, the budget of every router, and the room for what is in flight; they come and go, and
 * so do their targets.
 *
 * Driving it, in this order, because a slow host must not report loss that it caused itself:
 *
 *     while anything runs:
 *         for everything that arrived:        engine_on_rx()
 *         while engine_on_time() says so:     take the events, then call it again
 *         while engine_next_tx() gives one:   send it, engine_on_sent()
 *         take all events with engine_pop_event()
 *         wait for an arrival or engine_deadline_ns()
 *
 * Events must be taken after every engine_on_rx(), engine_on_sent() and engine_on_time(): at most
 * ENGINE_EVENTS are held.
 *
 * A run is made, gets targets, and starts. A cycle asks every service of a target once, at full TTL
 * (is it there?), and walks the path below it with TTL-limited probes, services taking turns at
 * each hop. The first cycle discovers the distance: probes go out up to a window beyond what has
 * answered, until the target does. A target is done after its last cycle, as soon as every answer
 * is in or can no longer be expected.
 *
 * Targets are added before engine_start(), or while the run goes on: then each is begun by itself,
 * and its cycles count from there. They are removed at any time, and so is a run; what comes in for
 * them later belongs to nobody. Traces are paused and resumed at any time, and figures begin anew.
 * Only adding allocates, and the tally, when it meets a router for
 * the first time.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/tally.h"
#include "probe/probe.h"

#include <sonde/event.h>

enum {
    ENGINE_EVENTS = 4,             /* events held at most */
    ENGINE_TRACES_PER_TARGET = 67, /* 64 services, the control, and two that stand by */
    ENGINE_TARGETS_MAX = 1 << 20,
    ENGINE_FULL_TTL = 64,      /* that full-TTL probes leave with: what systems use */
    ENGINE_FULL_TTL_MAX = 255, /* and where that draws no answer, as for neighbours of a router that
                                  asks for it (RFC 5082) */
    ENGINE_POLITE_PPS = 1000,  /* packets a second, where nobody asked for a rate */
};

/** In place of the number of a target: of each of its run. */
#define ENGINE_ALL UINT32_MAX

/** In place of the engine's name for a probe: what is to be sent is none, and has no outcome. It
 *  goes before a probe, and "later" means later for it, too. */
#define ENGINE_NO_PROBE UINT32_MAX

struct engine;
struct engine_run;

/** What all runs of an engine have in common. */
struct engine_config {
    uint32_t rate_pps; /* packets a second over everything; 0 = ENGINE_POLITE_PPS, after a burst */
};

/** How the targets of a run are measured. */
struct engine_plan {
    uint32_t targets; /* that will be added, about: there is room for them from the beginning, and
                         they begin as much apart as that allows */
    uint32_t cycles;  /* 0 = endless */
    sonde_ns interval_ns; /* from cycle to cycle, above 0 */
    sonde_ns timeout_ns;  /* a probe is lost at the latest after this, above 0 */
    sonde_ns duration_ns; /* the whole run ends at the latest after this; 0 = no limit */
    uint8_t first_ttl;    /* 1 to max_ttl */
    uint8_t max_ttl;      /* 1 to 255 */
    uint8_t gap_limit;    /* silent hops beyond the last that answered, 1 to 255 */
    bool open; /* targets may be added while it goes on: it is not complete before engine_set_open()
                  says otherwise */
};

/** Why a run ended, or that it has not. */
enum engine_end {
    ENGINE_RUNNING,
    ENGINE_COMPLETE, /* every target is done, and no other can be added */
    ENGINE_STOPPED,  /* engine_stop() was called */
    ENGINE_DEADLINE, /* duration_ns was up */
};

/** Packets that arrived and ended no probe, by reason. Index 0 is not used. */
struct engine_discards {
    uint64_t count[SONDE_DISCARD_COUNT];
};

/**
 * Make an engine without any run.
 * @param config      Copied.
 * @param now         When packets may begin to leave.
 * @param ret_engine  On 0, the engine.
 * @return 0; -ENOMEM.
 * Ownership: the caller frees it with engine_free().
 */
SONDE_MUST_CHECK int engine_new(const struct engine_config *config, sonde_ns now,
                                struct engine **ret_engine);

/** Free an engine and its runs; NULL is fine. @return NULL. */
struct engine *engine_free(struct engine *engine);

/**
 * Make a run without any target.
 * @param plan     Copied.
 * @param tally    Empty; every event is folded into it as it happens, and the engine goes by what
 * it says of the path. Borrowed until the run is removed.
 * @param ret_run  On 0, the run.
 * @return 0; -ENOMEM; -EINVAL if a value of the plan is out of its range, or the tally is not
 * empty. Ownership: engine_remove_run() frees it, or engine_free().
 */
SONDE_MUST_CHECK int engine_add_run(struct engine *engine, const struct engine_plan *plan,
                                    struct tally *tally, struct engine_run **ret_run);

/** Remove a run, whatever it has in flight. Its events that were not taken are forgotten, and every
 *  answer that is still to come. Not between engine_next_tx() and engine_on_sent(). */
void engine_remove_run(struct engine_run *run, sonde_ns now);

/**
 * Add a target, to the tally, too; its traces are added next. Its number in its run is that of
 * tally_next_target(): 0, 1, … in the order in which targets are added, but that of one that was
 * removed is given first.
 * @param traces  How many it will have, 0 to ENGINE_TRACES_PER_TARGET.
 * @return 0; -ENOSPC: more than ENGINE_TARGETS_MAX, or that many traces; -ENOMEM.
 */
SONDE_MUST_CHECK int engine_add_target(struct engine_run *run, const struct sonde_addr *addr,
                                       uint32_t traces);

/**
 * Add a trace to the target of a run that was added, or given places, last. The first trace of a
 * target is its first choice as control.
 * @param ops   A module of spec->flow.protocol; other traces of that may have another.
 * @param spec  Copied. No two traces may have the same flow, whatever their modules.
 * @return 0; -ENOSPC if the target has all its traces already; -ENOMEM.
 */
SONDE_MUST_CHECK int engine_add_trace(struct engine_run *run, const struct sonde_probe_ops *ops,
                                      const struct sonde_spec *spec);

/**
 * Add a trace that is probed only if a service of its protocol stays silent, and no other trace of
 * that protocol is answered: for comparison.
 * @return As engine_add_trace().
 */
SONDE_MUST_CHECK int engine_add_standby(struct engine_run *run, const struct sonde_probe_ops *ops,
                                        const struct sonde_spec *spec);

/** Where a trace is: the number of its target, and its place among the traces of that.
 * Records of it have that place in place of the number of a service. */
struct engine_place {
    uint32_t target;
    uint32_t trace;
};

/**
 * Give a target that is not done places for the flows of one more service, in the tally, too. Its
 * traces are added next, with engine_add_trace(), and then begun.
 * @param flows  1 or more.
 * @return 0; -ENOSPC: more than ENGINE_TRACES_PER_TARGET, those included that were removed; -EBUSY:
 *         the target has no cycle to come; -ENOMEM. Then nothing has changed.
 */
SONDE_MUST_CHECK int engine_add_places(struct engine_run *run, uint32_t index, uint32_t flows);

/** Begin the traces of a target from @p first on, which were added after engine_add_places(): they
 *  are asked at once, if the target has begun, and in the cycles that it has left. */
void engine_begin_traces(struct engine_run *run, uint32_t index, uint32_t first, sonde_ns now);

/**
 * Remove a trace, whatever it has in flight: nothing of it is sent any more, nothing counts that
 * still comes, and its figures are gone. Its place is not given to another. Not between
 * engine_next_tx() and engine_on_sent().
 */
void engine_remove_trace(struct engine_run *run, const struct engine_place *place, sonde_ns now);

/**
 * Remove a target, whatever it has in flight; from the tally, too. Its number may be given again.
 * Its events that were not taken are forgotten. Its flows are not free before every answer that is
 * still to come has come. Not between engine_next_tx() and engine_on_sent().
 */
void engine_remove_target(struct engine_run *run, uint32_t index, sonde_ns now);

/** @return How many traces there are with the same destination, protocol and destination port, over
 *  all runs; those that were removed lately count. */
uint32_t engine_count_flows(const struct engine *engine, const struct sonde_flow *flow);

/** @return The least number, from @p least on, that a trace to the same destination, protocol and
 *  destination port may have as its spec's nth; those that were removed lately keep theirs. */
uint32_t engine_free_flow(const struct engine *engine, const struct sonde_flow *flow,
                          uint32_t least);

/**
 * Find a trace of a run with the same destination, protocol and destination port.
 * @param nth        0, 1, …, so that all can be visited; the one that was added last comes first.
 * @param ret_place  On true, where it is.
 * @return false if there are no more.
 */
bool engine_find_flow(const struct engine_run *run, const struct sonde_flow *flow, uint32_t nth,
                      struct engine_place *ret_place);

/** @return The flow of a trace; its source port is 0 where each probe has another. Borrowed. */
const struct sonde_flow *engine_flow_at(const struct engine_run *run,
                                        const struct engine_place *place);

/**
 * Probe a trace that stands by like any other: at once, and in the cycles that its target has left.
 * One that does not stand by stays as it is.
 * @return false if its target has no other cycle to come.
 */
SONDE_MUST_CHECK bool engine_begin_standby(struct engine_run *run, const struct engine_place *place,
                                           sonde_ns now);

/**
 * Pause a trace: nothing more of it is chosen to be sent until engine_resume(). What was chosen
 * before is in flight; it is waited for as usual, and is answered or lost. The other traces of the
 * target are asked as if this one was not there.
 *
 * Cycles that begin meanwhile are not made up for, except the present one. If all traces of a
 * target are paused, none of its cycles begins. A target that was not done is not done before all
 * its traces are resumed, and neither is its run complete. A control that stands by is not paused:
 * nothing of it is sent unless a trace that is not paused needs it.
 */
void engine_pause(struct engine_run *run, const struct engine_place *place, sonde_ns now);

/**
 * Resume a trace where it stood; one that is not paused stays as it is. It is asked at once, unless
 * it was asked in the present cycle already. If all traces of its target were paused, the next
 * cycle begins at @p now, or when it would have without the pause, if that is later.
 */
void engine_resume(struct engine_run *run, const struct engine_place *place, sonde_ns now);

/** Begin the figures of a trace anew at @p now: only its probes that leave afterwards count in the
 *  tally. What is known of the path stays, so no probe is sent otherwise for it. */
void engine_reset(struct engine_run *run, const struct engine_place *place, sonde_ns now);

/** Begin the figures of a run anew that are of no trace: discards, which count by when they arrive,
 *  and in the tally clocks and what did not leave. */
void engine_reset_common(struct engine_run *run, sonde_ns now);

/** Begin a run at @p now, and the first cycle of every target that was added a little after one
 *  another. */
void engine_start(struct engine_run *run, sonde_ns now);

/** Begin the first cycle of a target that was added after engine_start(), at @p now.
 *  @param index  Its number; once for each. */
void engine_begin_target(struct engine_run *run, uint32_t index, sonde_ns now);

/** Begin the next cycle of every target that has begun, has one left and is not paused: now, or, if
 *  its last one began less than @p least_ns ago, when that is over. Those that follow do so in the
 *  interval of the plan from there. */
void engine_begin_cycle(struct engine_run *run, sonde_ns least_ns, sonde_ns now);

/** Say whether other targets may be added yet. If none may be, the run is complete once all are
 * done.
 */
void engine_set_open(struct engine_run *run, bool open);

/** Probes that may be taken from engine_next_tx() before engine_on_sent() is told of the first. */
enum { ENGINE_BATCH = 64 };

/**
 * Ask for a probe to send.
 * @param buf     Receives the segment; PROBE_SIZE_MAX bytes.
 * @param ret_tx  On 0, the probe; borrows @p buf and the engine.
 * @return 0: send it, or take more first; 1: nothing more can be taken at @p now. Then tell
 *         engine_on_sent() of each, in the order in which they were taken.
 */
SONDE_MUST_CHECK int engine_next_tx(struct engine *engine, sonde_ns now,
                                    uint8_t buf[PROBE_SIZE_MAX], struct sonde_tx *ret_tx);

/**
 * Tell how sending went.
 * @param handle   From the sonde_tx: of the first that was not told of yet.
 * @param sent     How it went. The errors -EAGAIN, -ENOBUFS and -ENOMEM mean "later": this probe,
 *                 and all that were taken behind it, will be handed out again, and nothing is to be
 *                 told of them now. Any other is the probe's outcome, and so is "later" once the
 *                 probe has been due for the timeout of its run.
 */
void engine_on_sent(struct engine *engine, uint32_t handle, const struct sonde_sent *sent);

/**
 * Tell that nobody looked for arrivals until @p now, though somebody should have: this machine
 * slept, or the program was held up. To be told before what has arrived meanwhile. An answer to a
 * probe that left before then has no round trip if only this process stamped it.
 * @param is_deaf  Answers may have been missed, and the clock may have stood still: what is in
 *                 flight and is not answered is not lost, but unawaited. The round trip of an
 * answer to it is known only if it came before @p now.
 */
void engine_on_gap(struct engine *engine, sonde_ns now, bool is_deaf);

/** Tell of an arrival. */
void engine_on_rx(struct engine *engine, const struct sonde_rx *rx);

/** Count a packet that belongs to no run, for a reason of enum sonde_discard: a decoder refused it,
 *  say. */
void engine_on_discard(struct engine *engine, int reason);

/**
 * Tell the time: give up what is overdue, finish what is done.
 * @return true if there is more to do: take the events and call again.
 */
SONDE_MUST_CHECK bool engine_on_time(struct engine *engine, sonde_ns now);

/** @return When to call engine_on_time() and engine_next_tx() next if nothing arrives. */
sonde_ns engine_deadline_ns(const struct engine *engine);

/** An event, and of which run. */
struct engine_event {
    struct engine_run *run; /* NULL: of one that was removed meanwhile */
    struct sonde_event event;
};

/** Take an event. @return 0; 1 if there is none. */
SONDE_MUST_CHECK int engine_pop_event(struct engine *engine, struct engine_event *ret_event);

/** End a run now. Probes in flight are neither answered nor lost: nothing is said of them. */
void engine_stop(struct engine_run *run);

/** End a run with the next engine_on_time(), as at the end of its duration: probes that were in
 *  flight for longer than their answers take are lost, and nothing is said of the others. */
void engine_stop_soon(struct engine_run *run);

/** @return Has a target, which was not removed, any cycle to come? */
bool engine_has_cycles(const struct engine_run *run, uint32_t index);

/** @return Has a target, which was not removed, had its last cycle, and all that came of it? */
bool engine_is_done(const struct engine_run *run, uint32_t index);

/** @return Is every target of a run done that was begun? */
bool engine_is_idle(const struct engine_run *run);

/** @return Why a run ended; ENGINE_RUNNING while it has not. */
enum engine_end engine_ended(const struct engine_run *run);

/** @return Packets that ended no probe of a run, though they answer one of its flows; borrowed. */
const struct engine_discards *engine_run_discards(const struct engine_run *run);

/** @return Packets that belong to no run; borrowed. */
const struct engine_discards *engine_discards(const struct engine *engine);

#endif
