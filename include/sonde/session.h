/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session: targets to trace, and what came of it. This is all of libsonde that a program needs.
 *
 *     sonde_session_new()          opens the sockets: the only call that needs privilege
 *     sonde_session_add()          for each target
 *     sonde_session_start()        begins: names are looked up while the run goes on
 *     sonde_session_step()         until it says that the run is over
 *     sonde_session_snapshot()     at any time: everything known so far
 *     sonde_session_free()
 *
 * Nothing calls back into the program, and nothing is printed. A session and what it returns
 * belong to one thread at a time; different sessions are independent.
 */
#ifndef SONDE_SESSION_H
#define SONDE_SESSION_H

#include <sonde/event.h>
#include <sonde/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Cycles without end: until sonde_session_stop(). */
#define SONDE_CYCLES_ENDLESS UINT32_MAX

enum {
    SONDE_TARGETS_MAX = 1000000, /**< of a session */
    SONDE_SERVICES_MAX = 64,     /**< of one target, the control not counted */
    SONDE_ERROR_BYTES = 256,
    SONDE_QUESTION_BYTES = 1400, /**< of a user's own question */
    SONDE_PAYLOAD_PORTS = 4,     /**< that one payload is the usual one for */
};

/** Limits for services. {0} is none. */
struct sonde_limits {
    bool set;
    sonde_ns rtt_ns;   /**< the mean round trip may not be above this; 0 = no limit */
    double loss_ratio; /**< nor the loss above this, from 0 to 1; at 1 it cannot be */
};

/** What a run does. In every member 0 means the default, so {0} is a valid set of options. */
struct sonde_options {
    uint32_t cycles;          /**< 0 = 3; SONDE_CYCLES_ENDLESS */
    sonde_ns interval_ns;     /**< from cycle to cycle; 0 = 1 s */
    sonde_ns timeout_ns;      /**< until a probe is lost at the latest; 0 = 2 s */
    sonde_ns deadline_ns;     /**< from sonde_session_new() to the end of the run; 0 = none */
    uint32_t rate_pps;        /**< packets a second over everything; 0 = 1000, after a burst */
    uint8_t first_ttl;        /**< 0 = 1 */
    uint8_t max_ttl;          /**< 0 = 30 */
    uint8_t gap_limit;        /**< silent hops until a path is given up; 0 = 12 */
    uint16_t size_bytes;      /**< whole packet, 28 to 9000; 0 = 64; SYN and INIT have their own */
    uint8_t fill;             /**< value of payload bytes that carry nothing */
    uint8_t tos;              /**< type of service, traffic class */
    uint16_t source_port;     /**< for TCP, UDP and SCTP; 0 = any */
    uint32_t mark;            /**< firewall mark; 0 = none */
    enum sonde_family family; /**< SONDE_FAMILY_NONE = both */
    const char *source;       /**< numeric source address, whose family names are looked up in;
                                 NULL = the system's choice */
    const char *interface;    /**< name; NULL = the system's choice */
    struct sonde_limits warn; /**< above these a service is degraded */
    struct sonde_limits crit; /**< above these it has failed */
    bool no_controls;         /**< probe nothing for comparison but what was added */
    bool no_names;            /**< do not look up the names of hops */
    bool all_addresses;       /**< every address of a name becomes a target of its own */
    bool sctp;                /**< SCTP ports may be added: what receives their answers is opened */
    bool unprivileged;        /**< use no raw sockets, even if they are allowed */
    bool want_events;         /**< keep events for sonde_session_pop_event() */
    bool simulate_demo;       /**< run on the built-in simulated network */
    const char *scenario;     /**< run on this one: the text of a scenario; NULL = not */
    size_t scenario_bytes;    /**< its length */
    bool virtual_time;        /**< simulate as fast as the machine can */
    int wake_fd; /**< a descriptor that ends a wait when readable; borrowed; 0 = none */
};

/** A service to probe. */
struct sonde_service {
    const char *protocol;    /**< "icmp", "tcp", "udp", or with options.sctp "sctp" */
    uint16_t port;           /**< 1 to 65535; 0 for icmp */
    const char *name;        /**< of the service, for the report; copied; NULL = none */
    bool control;            /**< there for comparison only: nothing is expected of it */
    uint32_t expect;         /**< the states that are wanted, SONDE_STATE_BIT() of each, but of
                                  SONDE_STATE_UNKNOWN; 0: that it answers */
    const char *payload;     /**< the protocol that a UDP port is asked in: the name of a payload;
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

/** Why a call failed, in words. */
struct sonde_error {
    char text[SONDE_ERROR_BYTES]; /**< one line without newline; safe to print */
};

struct sonde_session;

/** @return true, and the payload at @p index; false beyond the last, so that all can be visited. */
SONDE_API bool sonde_payload_at(size_t index, struct sonde_payload *ret_payload);

/**
 * Make a session and open its sockets.
 * @param options       Copied; its strings need not live on.
 * @param ret_session   On 0, the session.
 * @param reterr_error  On failure, why; may be NULL.
 * @return 0; -EPERM: no socket at all is permitted; -EINVAL: an option or the scenario is wrong;
 *         -ENODEV: no such interface; -EADDRINUSE, -EACCES: the source port, or a mark, cannot be
 *         had; -ENOMEM; another negative errno: the system refuses a socket.
 * Ownership: the caller frees it with sonde_session_free().
 */
SONDE_API SONDE_MUST_CHECK int sonde_session_new(const struct sonde_options *options,
                                                 struct sonde_session **ret_session,
                                                 struct sonde_error *reterr_error);

/**
 * Add a target, before sonde_session_start().
 * @param input     What the user wrote, for the report; copied.
 * @param host      A name or a numeric address, with zone if need be ("fe80::1%eth0"); copied.
 * @param services  What to probe, in the order of the report; copied.
 * @param count     1 to SONDE_SERVICES_MAX + 1.
 * @return 0; -EINVAL: no such protocol, or SCTP without options.sctp, or a port where there is none
 * or none where there is one, no such state, no such payload, or one for something else than UDP,
 * or a question that is too long; -E2BIG: too many services, or targets; -ENOMEM; -EBUSY: the
 * session has started.
 */
SONDE_API SONDE_MUST_CHECK int sonde_session_add(struct sonde_session *session, const char *input,
                                                 const char *host,
                                                 const struct sonde_service *services,
                                                 size_t count);

/**
 * Begin: numeric targets are probed at once, and each name from when on it is looked up, in
 * sonde_session_step(). Does not block. A target that cannot be traced is an entry with an error;
 * the others still run.
 * @return 0; -EBUSY: the session has started; -ENOMEM, or another negative errno: it cannot, and
 *         no other call but sonde_session_free() makes sense any more.
 */
SONDE_API SONDE_MUST_CHECK int sonde_session_start(struct sonde_session *session);

/**
 * Do what is due, then wait for something to happen, at most @p max_wait_ns (0 = do not wait,
 * SONDE_NS_NEVER = until something does).
 * @return 0: call again; 1: the run is over; a negative errno: the network cannot be used any more,
 *         or memory ran out (the snapshot still holds what was measured).
 * With want_events set, nothing more is done while SONDE_EVENTS_KEPT events wait to be taken.
 */
SONDE_API SONDE_MUST_CHECK int sonde_session_step(struct sonde_session *session,
                                                  sonde_ns max_wait_ns);

/** Events that are kept for the program to take. */
enum { SONDE_EVENTS_KEPT = 1024 };

/** Take the oldest event. @return 0; 1 if there is none. */
SONDE_API SONDE_MUST_CHECK int sonde_session_pop_event(struct sonde_session *session,
                                                       struct sonde_event *ret_event);

/** How far a run is. */
struct sonde_progress {
    sonde_ns elapsed_ns;   /**< since sonde_session_start() */
    uint32_t cycles_begun; /**< by the target that is furthest */
    uint32_t cycles;       /**< of the run; SONDE_CYCLES_ENDLESS */
};

/** Ask how far the run is, as of the last step. */
SONDE_API void sonde_session_progress(const struct sonde_session *session,
                                      struct sonde_progress *ret_progress);

/** End the run as it is. Probes in flight are neither answered nor lost. */
SONDE_API void sonde_session_stop(struct sonde_session *session);

/**
 * Everything known so far.
 * @param ret_snapshot  On 0, a copy that does not change any more and needs no session.
 * @return 0; -ENOMEM.
 * Ownership: the caller frees it with sonde_snapshot_free().
 */
SONDE_API SONDE_MUST_CHECK int sonde_session_snapshot(struct sonde_session *session,
                                                      struct sonde_snapshot **ret_snapshot);

/** Free a snapshot; NULL is fine. @return NULL. */
SONDE_API struct sonde_snapshot *sonde_snapshot_free(struct sonde_snapshot *snapshot);

/** Free a session; NULL is fine. @return NULL. */
SONDE_API struct sonde_session *sonde_session_free(struct sonde_session *session);

/** @return The time that deadlines are counted in: CLOCK_MONOTONIC. */
SONDE_API sonde_ns sonde_clock_ns(void);

/** @return The version of libsonde, "MAJOR.MINOR.PATCH". */
SONDE_API const char *sonde_version(void);

#ifdef __cplusplus
}
#endif
#endif
