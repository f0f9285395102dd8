/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program may choose, by concern: a struct each. In every member 0 means the default, so {0}
 * is a valid set of each.
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
    uint32_t rate_pps;        /**< packets a second over everything; 0 = 1000, after a burst */
    uint16_t source_port;     /**< for TCP and UDP; 0 = any */
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

/** Cycles without end: until sonde_session_stop(). */
#define SONDE_CYCLES_ENDLESS UINT32_MAX

/** The plan: how targets are measured. */
struct sonde_plan {
    uint32_t cycles;      /**< 0 = 3; SONDE_CYCLES_ENDLESS */
    sonde_ns interval_ns; /**< from cycle to cycle; 0 = 1 s */
    sonde_ns timeout_ns;  /**< until a probe is lost at the latest; 0 = 2 s */
    sonde_ns deadline_ns; /**< from sonde_session_new() to the end of the run; 0 = none */
    uint8_t first_ttl;    /**< 0 = 1 */
    uint8_t max_ttl;      /**< 0 = 30 */
    uint8_t gap_limit;    /**< silent hops until a path is given up; 0 = 12 */
    bool no_controls;     /**< probe nothing for comparison but what was added */
    bool all_addresses;   /**< every address of a name becomes a target of its own */
    bool want_events;     /**< keep events for sonde_session_pop_event(). It is here because events
                             number the targets of one run, and hold up that run until they are
                             taken */
};

/** The format: what probes look like. */
struct sonde_packet_format {
    uint16_t size_bytes; /**< whole packet, 28 to 9000; 0 = 64; a SYN has its own size */
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

#ifdef __cplusplus
}
#endif
#endif
