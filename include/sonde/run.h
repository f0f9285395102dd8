/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run: targets that are measured by one plan, and what came of it.
 *
 *     sonde_run_new()          on a vantage (sonde/vantage.h), beside others
 *     sonde_run_add()          for each target, then or at any later time
 *     sonde_run_start()        begins: names are looked up while it goes on
 *     sonde_run_is_over()      after each step of the vantage
 *     sonde_run_pause(), sonde_run_resume(), sonde_run_reset()    at any time
 *     sonde_run_snapshot()     at any time: everything known so far
 *     sonde_run_free()
 */
#ifndef SONDE_RUN_H
#define SONDE_RUN_H

#include <sonde/event.h>
#include <sonde/options.h>
#include <sonde/record.h>
#include <sonde/snapshot.h>
#include <sonde/vantage.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SONDE_TARGETS_MAX = 1000000, /**< of a vantage, at a time; its options may say less */
    SONDE_SERVICES_MAX = 64,     /**< of one target, the control not counted */
    SONDE_FLOWS_MAX = 32,        /**< of one service */
    SONDE_TARGET_FLOWS_MAX = 65, /**< of all services of one target together */
    SONDE_QUESTION_BYTES = 1400, /**< of a user's own question */
    SONDE_PAYLOAD_PORTS = 4,     /**< that one payload is the usual one for */
};

/** A service to probe. */
struct sonde_service {
    const char *protocol; /**< "icmp", "tcp", "udp", or where the vantage is open for it "sctp" */
    uint16_t port;        /**< 1 to 65535; 0 for icmp */
    const char *name;     /**< of the service, for the report; copied; NULL = none */
    bool control;         /**< there for comparison only: nothing is expected of it */
    uint32_t flows;       /**< that it is probed with side by side, each of which load balancers may
                               send another way: 1 to SONDE_FLOWS_MAX; 0: as many as the plan
                               says, of a control one */
    uint32_t expect;      /**< the states that are wanted, SONDE_STATE_BIT() of each, but of
                               SONDE_STATE_UNKNOWN; 0: that it answers */
    const char *payload;  /**< the protocol that a UDP port is asked in: the name of a payload;
                               "none" = bytes without meaning; NULL = what its port is for */
    const uint8_t *question; /**< ask a UDP port this instead; copied; NULL = no */
    size_t question_bytes;   /**< its length, at most SONDE_QUESTION_BYTES */
    const uint8_t *expects;  /**< what an answer to that begins with; copied; NULL = anything */
    size_t expects_bytes;    /**< its length, likewise */
};

/** A protocol that UDP ports are asked in. */
struct sonde_payload {
    const char *name;                      /**< "dns" */
    const char *asks[SONDE_QUESTIONS_MAX]; /**< what a server is asked, in words, and what then, if
                                              it is silent to that; NULL = no more */
    const char *silence; /**< why a healthy service stays silent, in words; NULL: it answers */
    uint16_t ports[SONDE_PAYLOAD_PORTS]; /**< whose usual one it is; 0 = no more */
};

struct sonde_run;

/** @return true, and the payload at @p index; false beyond the last, so that all can be visited. */
SONDE_API bool sonde_payload_at(size_t index, struct sonde_payload *ret_payload);

/**
 * Make a run on a vantage.
 * @param plan, format, judgement  Copied; NULL = the defaults.
 * @param ret_run       On 0, the run.
 * @param reterr_error  On failure, why; may be NULL.
 * @return 0; -EINVAL: a value is out of its bounds; -ENOMEM.
 * Ownership: the caller frees it with sonde_run_free(), or with its vantage.
 */
SONDE_API SONDE_MUST_CHECK int
sonde_run_new(struct sonde_vantage *vantage, const struct sonde_plan *plan,
              const struct sonde_packet_format *format, const struct sonde_judgement *judgement,
              struct sonde_run **ret_run, struct sonde_error *reterr_error);

/**
 * Add a target. If the run has started, it is probed at once, or as soon as its name is known.
 * Targets are numbered 0, 1, … in the order in which they are added, but numbers of targets that
 * were removed are given first. The further addresses of a name are targets, too, and get numbers
 * when they are known; those that there is no place for are not asked.
 * @param input       What the user wrote, for the report; copied.
 * @param host        A name or a numeric address, with zone if need be ("fe80::1%eth0"); copied.
 * @param services    What to probe, in the order of the report; copied.
 * @param count       1 to SONDE_SERVICES_MAX + 1.
 * @param ret_target  On 0, its number; may be NULL.
 * @return 0; -EINVAL: no such protocol, or SCTP on a vantage without it, or a port where there is
 * none or none where there is one, no such state, no such payload, or one for something else than
 * UDP, or a question that is too long, or too many flows of a service; -E2BIG: too many services,
 * or flows; -ENOSPC: the vantage has as many targets as its options allow, and takes others when
 * some were removed; -ENOMEM; -EBUSY: the run is over; another negative errno: the network cannot
 * be used any more. Then nothing was added.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_add(struct sonde_run *run, const char *input,
                                             const char *host, const struct sonde_service *services,
                                             size_t count, uint32_t *ret_target);

/**
 * Add a service to a target, at all addresses of its name. If the run has started, it is asked at
 * once, and then in the cycles that its target has left.
 * @param service      Copied.
 * @param ret_service  On 0, its index, which events have; may be NULL.
 * @return 0; -ENOENT: there is no such target, or it is a further address of a name, which has the
 *         services of its first; -EEXIST: it has a service at that port; -E2BIG: too many services
 *         or flows, those included that were removed; -EBUSY: the run is over, or its target has no
 *         cycle to come; -EINVAL, -ENOMEM or another negative errno, as of sonde_run_add(). Then
 *         nothing was added.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_add_service(struct sonde_run *run, uint32_t target,
                                                     const struct sonde_service *service,
                                                     uint32_t *ret_service);

/**
 * Remove a service from a target, at all addresses of its name, whatever is in flight. It is in no
 * snapshot any more, and its events that were not taken are forgotten, unless another target
 * reports them, too: then they are told of that one. Its index is not given to another service of
 * the target.
 * @return 0; -ENOENT: there is no such target, or service; -EINVAL: it is the only one of its
 *         target, which can be removed instead.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_remove_service(struct sonde_run *run, uint32_t target,
                                                        uint32_t service);

/**
 * Remove a target, and the further addresses of its name, whatever is in flight. It is in no
 * snapshot any more, its events that were not taken are forgotten, unless another target reports
 * them, too: then they are told of that one. Its memory is given back, once nobody shares what is
 * measured for it. Its number may then be given to another target, as that of a closed file is.
 * What else is measured goes on as if it had never been there.
 * @return 0; -ENOENT: there is no such target, it was removed before, or it is a further address of
 *         a name, which goes with its first.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_remove(struct sonde_run *run, uint32_t target);

/** In place of a target, or of a service: all of them. */
#define SONDE_ALL UINT32_MAX

/**
 * Pause services: nothing more of them is asked until sonde_run_resume(); but what the kernel had
 * no room for just before may still leave.
 *
 * Probes that are in flight are waited for as usual, and are answered or lost. After that a pause
 * counts as nothing, neither as answers nor as loss. Other services are asked as if the paused ones
 * were not there. A paused service is no control.
 *
 * Cycles that begin while a service is paused are not made up for: once it is resumed, it is asked
 * in the present cycle and in those that follow. While all services of a target are paused, none of
 * its cycles begins, and it has as many left as before. A run with a number of cycles is not over
 * while something is paused that was not done. That has to be resumed or removed, or the run is
 * stopped, or its deadline comes.
 *
 * What several targets share is asked until all of them have paused it. Pausing twice is the same
 * as pausing once. A pause before the start, or while a name is being looked up, holds from when
 * probing would begin, and for the further addresses of the name, too.
 * @param target   Its number, each address of a name having its own; SONDE_ALL: every target that
 *                 there is now.
 * @param service  Its index, in the order added; SONDE_ALL: every service of the target. Controls
 *                 that stand by have no index: they are only asked for services that are not
 *                 paused.
 * @return 0; -ENOENT: there is no such target or service, or it was removed; another negative
 *         errno: the clock cannot be read. Then nothing was done.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_pause(struct sonde_run *run, uint32_t target,
                                               uint32_t service);

/**
 * Resume services that are paused; others go on as they do. A service is asked at once, unless it
 * was asked in the present cycle already. If all services of a target were paused, its next cycle
 * begins now, or when it would have without the pause, if that is later. A service that was paused
 * by itself is resumed with its target, too.
 * @param target, service  As for sonde_run_pause().
 * @return Likewise.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_resume(struct sonde_run *run, uint32_t target,
                                                uint32_t service);

/**
 * Begin the figures of services anew: counters, outcomes, round trips, those of hops, and how often
 * the path changed. Only probes count that leave from now on; what comes for earlier ones is in no
 * figure. States and verdicts follow from the new figures, so they are unknown at first. What is
 * known of the path stays: distance, the routers on it, names. So no probe is sent otherwise for
 * it, and a router that a verdict names as the last one seen may be one that answered before.
 *
 * What several targets share begins anew for all of them. Discarded packets, losses of this machine
 * and clocks are of the whole run: they begin anew if both numbers are SONDE_ALL. Duration and
 * cycles of the run go on.
 * @param target, service  As for sonde_run_pause().
 * @return Likewise.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_reset(struct sonde_run *run, uint32_t target,
                                               uint32_t service);

/**
 * Begin: numeric targets are probed from the next step of the vantage on, and each name from when
 * it is looked up. Does not block. A target that cannot be traced is an entry with an error; the
 * others still run.
 * @return 0; -EBUSY: the run has started; -ENOMEM, or another negative errno: it cannot, and no
 *         other call but sonde_run_free() makes sense any more.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_start(struct sonde_run *run);

/**
 * Begin the next cycle of every target now, and not when its interval is over; those that follow do
 * so in the interval from there. Two cycles do not begin closer than the least interval that there
 * is. Targets that have not begun, are paused, or have no cycle left, stay as they are.
 * @return 0; a negative errno: the clock cannot be read.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_begin_cycle(struct sonde_run *run);

/** @return Is the run over, as of the last step of its vantage? Unless its plan says that it stays
 *  open, it is when every target is done. */
SONDE_API bool sonde_run_is_over(const struct sonde_run *run);

/** Events that are kept for the program to take, if the plan wants them. While there are about so
 *  many that were not taken, the vantage does nothing more, and does not wait. Once the run was
 *  stopped it goes on, and events that have no place are dropped. */
enum { SONDE_EVENTS_KEPT = 1024 };

/** Take the oldest event. @return 0; 1 if there is none. */
SONDE_API SONDE_MUST_CHECK int sonde_run_pop_event(struct sonde_run *run,
                                                   struct sonde_event *ret_event);

/**
 * Take the next record (sonde/record.h) of a run that has started, if its plan wants records. Take
 * them until there is none, after each step of the vantage: what is not taken holds it up, as
 * events do. The last one is that of the end, once the run is over.
 * @param ret_record  On 0, the record, whose command line is for the program to fill in. What it
 *                    points at is valid until the next call for the run or its vantage.
 * @return 0; 1: there is none now; -ENOMEM: there will be none any more.
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_next_record(struct sonde_run *run,
                                                     struct sonde_record *ret_record);

/** How far a run is. */
struct sonde_progress {
    sonde_ns elapsed_ns;   /**< since sonde_run_start() */
    uint32_t cycles_begun; /**< by the target that is furthest */
    uint32_t cycles;       /**< of the run; SONDE_CYCLES_ENDLESS */
};

/** Ask how far the run is, as of the last step. */
SONDE_API void sonde_run_progress(const struct sonde_run *run, struct sonde_progress *ret_progress);

/** End the run as it is. Probes in flight are neither answered nor lost. */
SONDE_API void sonde_run_stop(struct sonde_run *run);

/**
 * Everything known so far.
 * @param ret_snapshot  On 0, a copy that does not change any more and needs no run.
 * @return 0; -ENOMEM; -EINVAL: the run has not started.
 * Ownership: the caller frees it with sonde_snapshot_free().
 */
SONDE_API SONDE_MUST_CHECK int sonde_run_snapshot(struct sonde_run *run,
                                                  struct sonde_snapshot **ret_snapshot);

/** Free a snapshot; NULL is fine. @return NULL. */
SONDE_API struct sonde_snapshot *sonde_snapshot_free(struct sonde_snapshot *snapshot);

/** Free a run, whatever it is doing; NULL is fine. @return NULL. */
SONDE_API struct sonde_run *sonde_run_free(struct sonde_run *run);

/** @return The time that deadlines are counted in: CLOCK_MONOTONIC. */
SONDE_API sonde_ns sonde_clock_ns(void);

/** @return The version of libsonde, "MAJOR.MINOR.PATCH". */
SONDE_API const char *sonde_version(void);

#ifdef __cplusplus
}
#endif
#endif
