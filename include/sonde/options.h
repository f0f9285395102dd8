/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program may choose, by concern: a struct each. In every member 0 means the default, so {0}
 * is a valid set of each. What the defaults of numbers are, and what else they may be, is told by
 * sonde_option_bounds(), from the one table that there is of it.
 */
#ifndef SONDE_OPTIONS_H
#define SONDE_OPTIONS_H

#include <sonde/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The vantage: where it is looked from. This is fixed once the sockets are open, and everything
 * that is sent through them has it in common.
 */
struct sonde_vantage_options {
    enum sonde_family family; /**< SONDE_FAMILY_NONE = both */
    const char *source;       /**< numeric source address, whose family names are looked up in;
                                 NULL = the system's choice */
    const char *interface;    /**< name; NULL = the system's choice */
    uint32_t mark;            /**< firewall mark; 0 = none */
    uint32_t rate_pps;        /**< packets a second over everything; 0 = the default, after a
                                 burst */
    uint32_t targets_max;     /**< that there may be at a time, over all runs */
    uint16_t source_port;     /**< for TCP, UDP and SCTP; 0 = any */
    bool sctp;                /**< SCTP ports may be added: what receives their answers is opened */
    bool unprivileged;        /**< use no raw sockets, even if they are allowed */
    bool no_names;            /**< do not look up the names of hops */
    int wake_fd; /**< a descriptor that ends a wait when readable; borrowed; 0 = none. It is here
                    because one wait serves all that is measured from a vantage */
};

/** A network to look at in place of the real one. {0} is the real one. */
struct sonde_simulation {
    bool demo;             /**< the built-in network */
    const char *scenario;  /**< or this one: the text of a scenario; NULL = not */
    size_t scenario_bytes; /**< its length */
    bool virtual_time;     /**< simulate as fast as the machine can */
};

/** Cycles without end: until sonde_run_stop(). */
#define SONDE_CYCLES_ENDLESS UINT32_MAX

/** The plan: how targets are measured. */
struct sonde_plan {
    uint32_t cycles;      /**< or SONDE_CYCLES_ENDLESS */
    sonde_ns interval_ns; /**< from cycle to cycle */
    sonde_ns timeout_ns;  /**< until a probe is lost at the latest */
    sonde_ns deadline_ns; /**< until the run ends at the latest; 0 = none */
    sonde_ns began_ns;    /**< what the deadline is counted from, by sonde_clock_ns(); 0 = from
                             sonde_run_new(), and so in virtual time */
    uint32_t flows;       /**< of each service, side by side; but of a control one, and of a service
                             that says another number */
    uint8_t first_ttl;    /**< where a path begins */
    uint8_t max_ttl;      /**< where it ends */
    uint8_t gap_limit;    /**< silent hops until it is given up */
    bool no_controls;     /**< probe nothing for comparison but what was added */
    bool all_addresses;   /**< every address of a name becomes a target of its own */
    bool stays_open;      /**< it is not over when all targets are done: others may be added */
    bool want_records;    /**< keep records for sonde_run_next_record(), in place of events */
    bool want_events;     /**< keep events for sonde_run_pop_event(). It is here because events
                             number the targets of one run, and hold up the vantage until they are
                             taken */
};

/** The format: what probes look like. */
struct sonde_packet_format {
    uint16_t size_bytes; /**< whole packet; SYN and INIT have their own size */
    uint8_t fill;        /**< value of payload bytes that carry nothing */
    uint8_t tos;         /**< type of service, traffic class */
};

/** Limits for services. {0} is none. */
struct sonde_limits {
    bool set;
    sonde_ns rtt_ns;   /**< the mean round trip may not be above this; 0 = no limit */
    double loss_ratio; /**< nor the loss above this, from 0 to 1; at 1 it cannot be */
};

/** The judgement: what is good enough. */
struct sonde_judgement {
    struct sonde_limits warn; /**< above these a service is degraded */
    struct sonde_limits crit; /**< above these it has failed */
};

/** All of it. */
struct sonde_options {
    struct sonde_vantage_options vantage;
    struct sonde_simulation simulation;
    struct sonde_plan plan;
    struct sonde_packet_format format;
    struct sonde_judgement judgement;
};

/** The options that are numbers. */
enum sonde_option {
    SONDE_OPTION_NONE,
    SONDE_OPTION_MARK,
    SONDE_OPTION_RATE,
    SONDE_OPTION_SOURCE_PORT,
    SONDE_OPTION_TARGETS,
    SONDE_OPTION_CYCLES, /**< but SONDE_CYCLES_ENDLESS, which is no number */
    SONDE_OPTION_INTERVAL,
    SONDE_OPTION_TIMEOUT,
    SONDE_OPTION_DEADLINE,
    SONDE_OPTION_FLOWS,
    SONDE_OPTION_FIRST_TTL,
    SONDE_OPTION_MAX_TTL,
    SONDE_OPTION_GAP_LIMIT,
    SONDE_OPTION_SIZE,
    SONDE_OPTION_FILL,
    SONDE_OPTION_TOS,
    SONDE_OPTION_WARN_RTT,
    SONDE_OPTION_CRIT_RTT,
    SONDE_OPTION_COUNT
};

/** What a number counts, beside things. */
enum sonde_unit {
    SONDE_UNIT_NONE,
    SONDE_UNIT_NS, /**< nanoseconds; where people read or write it, seconds */
    SONDE_UNIT_BYTES,
    SONDE_UNIT_PPS, /**< packets a second */
    SONDE_UNIT_COUNT
};

/** What is known of a number. */
struct sonde_bounds {
    const char *name; /**< in words: "interval" */
    enum sonde_unit unit;
    int64_t standard; /**< what a member of 0 stands for; 0 if that is itself, or nothing */
    int64_t least;    /**< that it may be, beside 0 */
    int64_t most;
};

/** @return What is known of an option; NULL if there is no such one, as SONDE_OPTION_NONE. */
SONDE_API const struct sonde_bounds *sonde_option_bounds(enum sonde_option option);

/** @return The value of an option, its default if it is 0. There has to be such an option. */
SONDE_API int64_t sonde_option_get(const struct sonde_options *options, enum sonde_option option);

/**
 * Set an option.
 * @return 0; -ERANGE: the value is not within its bounds; -EINVAL: there is no such option. Then
 *         nothing has changed.
 */
SONDE_API SONDE_MUST_CHECK int sonde_option_set(struct sonde_options *options,
                                                enum sonde_option option, int64_t value);

/** @return The unit that people read: "seconds", "bytes", "packets a second"; "" for none. */
SONDE_API const char *sonde_unit_name(enum sonde_unit unit);

#ifdef __cplusplus
}
#endif
#endif
