/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of a run: everything that happened, in its order.
 *
 * A run that is asked to keep records (struct sonde_plan) gives them one by one, each as soon as it
 * is known: sonde_run_next_record(). A run that is made of such records, and measures nothing,
 * shows what the first one showed: sonde_replay_new(), sonde_replay_add().
 *
 * A snapshot has no other source than these records. Some say again what follows from the others,
 * for readers who only follow what a run comes to: SONDE_RECORD_CYCLE, _PATH_CHANGE, _VERDICT,
 * _EPISODE and _ERROR. A replay takes nothing from them.
 *
 * All times in a record are times of day: nanoseconds since 1970-01-01 UTC. They never step during
 * a run, even if this machine's clock does.
 */
#ifndef SONDE_RECORD_H
#define SONDE_RECORD_H

#include <sonde/event.h>
#include <sonde/options.h>
#include <sonde/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sonde_record_type {
    SONDE_RECORD_RUN_START,   /**< the first: what is measured with, and from where */
    SONDE_RECORD_TARGET,      /**< a target, whole; again when more is known of it */
    SONDE_RECORD_ERROR,       /**< a target cannot be measured */
    SONDE_RECORD_BEGIN,       /**< from now on probes may leave: durations count from here */
    SONDE_RECORD_ZONE,        /**< the name of the interface that a scope of addresses stands for */
    SONDE_RECORD_PROBE,       /**< as struct sonde_event has it */
    SONDE_RECORD_UNAWAITED,   /**< likewise */
    SONDE_RECORD_LATE,        /**< likewise */
    SONDE_RECORD_DUPLICATE,   /**< likewise */
    SONDE_RECORD_NAME,        /**< the name of an address has become known */
    SONDE_RECORD_NEXT_HOP,    /**< who packets to a target are given to */
    SONDE_RECORD_INTERFACE,   /**< which interface the run looks through */
    SONDE_RECORD_COUNTERS,    /**< packets that were discarded, and lost by this machine */
    SONDE_RECORD_CYCLE,       /**< a cycle of a target is over, and another has begun */
    SONDE_RECORD_PATH_CHANGE, /**< the path of a flow has changed */
    SONDE_RECORD_VERDICT,     /**< what a service comes to is something else than before */
    SONDE_RECORD_EPISODE,     /**< what a service had come to is over */
    SONDE_RECORD_PAUSED,      /**< services are paused */
    SONDE_RECORD_RESUMED,     /**< and go on */
    SONDE_RECORD_RESET,       /**< figures begin anew */
    SONDE_RECORD_REMOVED,     /**< a target, with the further addresses of its name, or a service */
    SONDE_RECORD_RUN_END,     /**< the last */
    SONDE_RECORD_TYPE_COUNT
};

enum {
    SONDE_RUN_ID_BYTES = 37,           /**< of a UUID with its NUL */
    SONDE_KNOWN_ADDRESSES_MAX = 64,    /**< of one name */
    SONDE_RECORD_SERVICES_MAX = 67,    /**< of one target: its own, icmp, and two that stand by */
    SONDE_RECORD_PORTS_MAX = 67,       /**< of all services of one target */
    SONDE_RECORD_ARGUMENTS_MAX = 1024, /**< of a command line; the others are left out */
};

/** A run and its vantage. */
struct sonde_record_run_start {
    const char *version;        /**< of the sonde that measures */
    const char *const *command; /**< [command_count], of the program; a run leaves it to its program
                                     to fill this in, without anything that is secret */
    size_t command_count;
    struct sonde_settings settings;
    struct sonde_judgement judgement;
    const char *hostname;
    enum sonde_transport_kind transport;
    bool lacks_icmp;
    bool no_names;            /**< names of addresses are not looked up */
    enum sonde_family family; /**< the only one that was asked for; SONDE_FAMILY_NONE: both */
    struct sonde_addr source; /**< that was asked for; no address: none was */
};

/** No target is measured for a service. */
#define SONDE_RECORD_UNMEASURED UINT32_MAX

/** A service of a target. */
struct sonde_record_service {
    const char *service;  /**< "443/tcp" */
    const char *protocol; /**< "tcp" */
    uint16_t port;
    const char *name;
    bool control;
    bool removed; /**< nobody asks for it any more; others keep their indexes */
    bool standby; /**< a control that is asked only if it is needed, and reported only if it was */
    uint32_t expect;
    const char *payload;                   /**< NULL = bytes without meaning */
    const char *asks[SONDE_QUESTIONS_MAX]; /**< the protocols of its questions, in their order */
    size_t asks_count;
    uint32_t flows;
    uint32_t measured_target;     /**< of which target's service its figures are: usually its own;
                                       SONDE_RECORD_UNMEASURED: it has none yet */
    uint32_t measured_service;    /**< likewise, the index of that service */
    const uint16_t *source_ports; /**< [flows], if it is measured for itself; 0: each probe has
                                       another, or none has any */
    int error;                    /**< why it cannot be measured, a positive errno; 0 = it can */
};

/** An address that the name of a target has. */
struct sonde_record_address {
    struct sonde_addr address;
    bool asked; /**< it is that of a target */
};

/** A target. */
struct sonde_record_target {
    uint32_t target; /**< its number */
    uint32_t first;  /**< the target of the first address of the same name: itself, if it is that */
    const char *input;
    const char *host;
    struct sonde_addr address;                    /**< no address: it has none, or none yet */
    struct sonde_addr source;                     /**< likewise */
    const struct sonde_record_address *addresses; /**< of its name, if it is the first */
    size_t address_count;
    enum sonde_code
        problem; /**< why it is not measured; SONDE_CODE_OK: nothing speaks against it */
    const char *problem_text; /**< in words; NULL without a problem */
    const struct sonde_record_service *services;
    size_t service_count;
};

/** A target cannot be measured. */
struct sonde_record_error {
    uint32_t target;
    const char *input;
    enum sonde_code code;
    const char *text;
};

/** What happened to a probe. */
struct sonde_record_probe {
    struct sonde_event event; /**< its sent_ns is a time of day, as all times here */
    struct sonde_addr address;
    const char *service;
};

/** The name of an address. */
struct sonde_record_name {
    struct sonde_addr address;
    const char *name;
};

/** Who packets to a target are given to by this machine. */
struct sonde_record_next_hop {
    uint32_t target;
    struct sonde_addr address; /**< no address: it is not known */
    const char *interface;
    bool silent;           /**< it has not said its link address though it was asked */
    const char *user_mode; /**< it is a program that stands for a network; NULL = it is none */
};

/** Counters of the whole run, as they are now. */
struct sonde_record_counters {
    uint64_t discards[SONDE_DISCARD_COUNT];
    uint64_t receive_queue; /**< as in struct sonde_own_losses */
};

/** A cycle of a target. */
struct sonde_record_cycle {
    uint32_t cycle;                           /**< 0, 1, 2, … */
    const struct sonde_target_result *target; /**< as it is at its end; probes of it may still be in
                                                   flight */
};

/** The path of a flow has changed. */
struct sonde_record_path_change {
    uint32_t target;
    const struct sonde_service_result *service;
    const struct sonde_path *path; /**< as it is now */
    uint8_t ttl;                   /**< where; 0 = at several, or it is not known */
    const struct sonde_addr *from; /**< who answered there before */
    size_t from_count;
    const struct sonde_addr *to; /**< and who does now */
    size_t to_count;
};

/** What a service comes to. */
struct sonde_record_verdict {
    uint32_t target;
    struct sonde_addr address;
    const struct sonde_service_result *service;
    sonde_ns
        since_ns; /**< when that began; -1: it is not known, or it has been so from the start */
};

/** What a service came to from when to when. */
struct sonde_record_episode {
    uint32_t target;
    struct sonde_addr address;
    uint32_t index; /**< of the service */
    const char *service;
    sonde_ns from_ns;
    sonde_ns to_ns;
    enum sonde_state state;
    struct sonde_verdict verdict;
    const struct sonde_blame *blame; /**< NULL = nobody is to blame, or it is not known who */
    uint64_t sent;
    uint64_t received;
    struct sonde_rtt rtt;
};

/** In place of the number of a target, or of a service: all of them. */
#define SONDE_RECORD_ALL UINT32_MAX

/** Services are paused, go on, have figures that begin anew, or are removed. */
struct sonde_record_action {
    uint32_t target;          /**< SONDE_RECORD_ALL: the figures of the whole run begin anew */
    uint32_t service;         /**< its index; SONDE_RECORD_ALL: each, those that stand by too */
    const sonde_ns *since_ns; /**< [since_count]; of a reset: from when on probes count that leave,
                                   of each flow of each service that is measured, in their order */
    size_t since_count;
};

/** The end of a run. */
struct sonde_record_run_end {
    enum sonde_status status;
    enum sonde_exit exit_code;
    sonde_ns
        ended_ns;     /**< when the measuring was over; names may have been waited for after that */
    bool complete;    /**< every target was done, and none was cut short */
    bool interrupted; /**< from outside */
    int failure;      /**< why the measuring broke off, a positive errno; 0 = it did not */
};

/** One record. */
struct sonde_record {
    enum sonde_record_type type;
    sonde_ns time_ns;                /**< when it was known; of counters whose receive_queue has
                                          grown, when that was noticed: records before it may be
                                          of later */
    char run_id[SONDE_RUN_ID_BYTES]; /**< a UUID, version 7 */
    uint64_t n;                      /**< 0, 1, 2, …: gaps show */
    union {
        struct sonde_record_run_start run_start;
        struct sonde_record_target target;
        struct sonde_record_error error;
        struct sonde_zone zone;
        struct sonde_record_probe probe; /**< and late, duplicate, unawaited */
        struct sonde_record_name name;
        struct sonde_record_next_hop next_hop;
        const char *interface; /**< NULL: it is not known */
        struct sonde_record_counters counters;
        struct sonde_record_cycle cycle;
        struct sonde_record_path_change path_change;
        struct sonde_record_verdict verdict;
        struct sonde_record_episode episode;
        struct sonde_record_action action;
        struct sonde_record_run_end run_end;
    } u;
};

/** @return The stable word for @p value ("run_start"); never NULL. */
SONDE_API const char *sonde_record_type_name(enum sonde_record_type value);

#ifdef __cplusplus
}
#endif
#endif
