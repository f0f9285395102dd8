/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run has shown so far. The report formats are written from this alone.
 *
 * Everything a snapshot points at belongs to it. Times of -1 were not measured. Texts that came
 * from outside (names, interface names) are as they came: escape them before showing them.
 */
#ifndef SONDE_SNAPSHOT_H
#define SONDE_SNAPSHOT_H

#include <sonde/extension.h>
#include <sonde/vocabulary.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Round-trip times. Percentiles are exact up to 16 samples, then within 0.8 %. */
struct sonde_rtt {
    uint64_t samples; /**< 0: nothing else is valid */
    sonde_ns last_ns;
    sonde_ns min_ns;
    sonde_ns avg_ns;
    sonde_ns max_ns;
    sonde_ns stddev_ns; /**< of the sample; -1 with one sample */
    sonde_ns p50_ns;
    sonde_ns p95_ns;
    sonde_ns p99_ns;
    sonde_ns jitter_ns; /**< RFC 3550; -1 with one sample */
};

/** Somebody who answered at a hop. */
struct sonde_responder {
    struct sonde_addr address;
    const char *hostname; /**< NULL = none, or not known */
    uint64_t received;
    enum sonde_outcome kind; /**< of the last answer: a router's is SONDE_OUTCOME_TTL_EXCEEDED */
    int16_t reply_ttl;       /**< of the last answer as it arrived; -1 = unknown */
    int16_t icmp_type;       /**< of the last answer; -1 = it was no ICMP error */
    int16_t icmp_code;
    const struct sonde_extensions *extensions; /**< NULL = none */
};

/** One TTL of a path. */
struct sonde_hop {
    uint8_t ttl;
    bool is_target; /**< the target itself: figures are those of the service */
    bool shared;    /**< not asked itself: figures are those of another service on the same way */
    uint64_t sent;
    uint64_t received;
    enum sonde_loss_kind loss_kind;
    bool may_arrive; /**< what was not answered may have reached the target, which is silent */
    struct sonde_rtt rtt;
    const struct sonde_responder *responders; /**< in the order they were first seen */
    size_t responder_count;
    uint64_t unlisted; /**< answers from responders beyond the 64 that are kept */
};

/** A change of a path. */
struct sonde_path_change {
    sonde_ns wall_ns; /**< when the first probe left that shows it, since 1970-01-01 UTC */
    uint8_t ttl;
    struct sonde_addr from; /**< who answered there before; no address: nobody, or not known */
    struct sonde_addr to;   /**< and since; the target itself, where it is nearer now */
};

/** The way to a service. */
struct sonde_path {
    uint32_t flow;        /**< which flow of its service goes there; 0 is the first */
    uint16_t source_port; /**< of its probes; 0 = they have none, or each another */
    uint64_t sent;        /**< probes of it that were meant to reach the target; as of a service */
    uint64_t received;    /**< of these, answered by the target itself */
    struct sonde_rtt rtt;
    bool reached;
    uint8_t dest_ttl; /**< distance of the target in hops; 0 = unknown */
    enum sonde_stop_reason stop_reason;
    uint64_t path_id; /**< 48 bits: equal paths, equal names; 0 = nothing is known of it */
    const struct sonde_path_change *changes; /**< the last of those that were seen, the oldest
                                                  first; there may have been more, or, where packets
                                                  take ways of different lengths, fewer */
    size_t change_count;
    uint64_t changes_omitted;     /**< older ones */
    const struct sonde_hop *hops; /**< by rising TTL */
    size_t hop_count;
};

/** The reply that decided the state. */
struct sonde_evidence {
    struct sonde_addr from;
    enum sonde_outcome kind;
    int16_t icmp_type; /**< -1 = it was no ICMP error */
    int16_t icmp_code;
    int16_t reply_ttl; /**< -1 = unknown */
    uint8_t probe_ttl;
    uint32_t mtu_bytes; /**< of a packet too big: what fits, as it says; 0 = it does not say */
};

/** A place on the path. */
struct sonde_place {
    uint8_t ttl; /**< 0 = not known */
    struct sonde_addr address;
};

/** Between which hops it stops, or who stops it. A place without address is not known. */
struct sonde_blame {
    struct sonde_place last_seen;
    struct sonde_place first_lost;
    struct sonde_place reporter;
    enum sonde_way way; /**< of probes alone, or of answers on their way back, too */
};

/** What a finding rests on. */
struct sonde_finding_evidence {
    enum sonde_outcome kind; /**< of the reply that decided; SONDE_OUTCOME_NO_REPLY: silence did */
    uint64_t sent;           /**< probes that were meant to reach the target */
    uint64_t received;       /**< answers of the target to them */
    const char *control;     /**< the service it was compared with; NULL = none */
    uint64_t control_sent;   /**< of the control, where the two part */
    uint64_t control_received;
};

/** One thing that is wrong. */
struct sonde_finding {
    const char *rule; /**< the id of the rule that found it */
    enum sonde_code code;
    enum sonde_level level;
    const char *text; /**< one sentence, or a few words */
    enum sonde_confidence confidence;
    const struct sonde_blame *blame; /**< NULL = nobody is to blame, or it is not known who */
    struct sonde_finding_evidence evidence;
};

/** What it comes to. */
struct sonde_verdict {
    enum sonde_level level;
    enum sonde_code code;
    const char *text; /**< one sentence, or a few words */
};

/** What a service showed from when to when. */
struct sonde_episode {
    sonde_ns from_wall_ns; /**< when the first probe left that shows it, since 1970-01-01 UTC; of
                              the first, when its figures began */
    sonde_ns to_wall_ns; /**< when the first left that shows something else; SONDE_NS_NEVER: it goes
                              on */
    enum sonde_state state;
    struct sonde_verdict verdict;    /**< what it came to, by what it showed itself */
    const struct sonde_blame *blame; /**< NULL = nobody is to blame, or it is not known who */
    uint64_t sent;                   /**< as of a service */
    uint64_t received;
    struct sonde_rtt rtt; /**< of a long one, of its last 1,000 to 2,000 probes; of an unstable one,
                               none */
};

/** What a service shows now: since it last changed, or of that the last 1,000 to 2,000 probes. */
struct sonde_present {
    sonde_ns asked_wall_ns; /**< when the last of its probes left that have ended, since 1970-01-01
                               UTC; 0: none has */
    uint32_t cycles;
    uint64_t sent; /**< as of a service */
    uint64_t received;
    struct sonde_rtt rtt;
};

/** One of the questions that a UDP service is asked. Its server may be deaf to some of them. */
struct sonde_question_result {
    const char *payload; /**< the protocol: "dns" */
    const char *asks;    /**< what is asked, in words */
    uint64_t sent;       /**< probes with it that were meant to reach the target and left */
    uint64_t received;   /**< of these, answered by the target itself */
};

/** One service of a target. */
struct sonde_service_result {
    uint32_t index;         /**< what events call it */
    const char *service;    /**< "443/tcp", "icmp" */
    const char *protocol;   /**< "tcp", "udp", "sctp", "icmp" */
    uint16_t port;          /**< 0 for icmp */
    const char *name;       /**< "https"; NULL = none */
    const char *payload;    /**< what a UDP port is asked in: "dns"; NULL = bytes without meaning */
    bool control;           /**< there for comparison only */
    bool paused;            /**< by sonde_run_pause() */
    enum sonde_state state; /**< now, as all that is judged of it */
    sonde_ns
        since_wall_ns; /**< when that began, since 1970-01-01 UTC; 0: it has been so all along */
    struct sonde_present present;
    const struct sonde_episode *episodes; /**< what it showed, the oldest first; the last goes on */
    size_t episode_count;
    uint64_t episodes_omitted;                     /**< older ones */
    const struct sonde_question_result *questions; /**< what it is asked, in this order */
    size_t question_count;                         /**< 0: no question in a protocol */
    uint64_t sent;     /**< probes that were meant to reach the target and left this machine; those
                          with questions to which the server is deaf do not count, if it answered
                          another */
    uint64_t received; /**< of these, answered by the target itself */
    double loss_low;   /**< what is not answered of all that could be sent lies between this and
                            loss_high, from 0 to 1, with 95 % confidence */
    double loss_high;
    uint64_t uncertain; /**< answered, but which of several probes was cannot be told: these count
                             neither as sent nor as received */
    uint64_t late;
    uint64_t duplicates;
    uint64_t outcomes[SONDE_OUTCOME_COUNT];
    struct sonde_rtt rtt;
    const struct sonde_evidence *evidence; /**< NULL = nothing answered */
    uint32_t expect;              /**< states that are wanted, a bit each; 0: that it answers */
    bool met;                     /**< and the state is one of them */
    struct sonde_verdict verdict; /**< the worst finding, or that nothing is wrong */
    enum sonde_confidence confidence;
    const struct sonde_blame *blame;      /**< NULL = nobody is to blame, or it is not known who */
    const struct sonde_finding *findings; /**< all, worst first */
    size_t finding_count;
    const struct sonde_path *path;  /**< the way of its flow; of several, what they show together,
                                         and the farthest distance; NULL = nothing was probed */
    const struct sonde_path *paths; /**< one for each flow that was probed */
    size_t path_count;
};

/** An address that the name of a target has, and that was not asked. */
struct sonde_other_address {
    struct sonde_addr address;
    const char *option; /**< of the program, with which it would be: "-6", "--all-addresses" */
};

/** One target. */
struct sonde_target_result {
    uint32_t index;            /**< what events call it */
    const char *input;         /**< what it was added with: as a user wrote it */
    const char *name;          /**< the name or address in it */
    struct sonde_addr address; /**< no address if the name has none, or none yet */
    struct sonde_addr source;  /**< what is sent from; no address if nothing is */
    bool paused;               /**< all its services are, but for controls that stand by */
    const struct sonde_other_address *not_asked; /**< in the order the system prefers */
    size_t not_asked_count;
    const struct sonde_service_result *services;
    size_t service_count;
    struct sonde_verdict verdict;
};

/** Something that could not be measured. */
struct sonde_problem {
    const char *target; /**< the input of the target */
    enum sonde_code code;
    const char *text;
};

/** The settings of the run, defaults filled in. */
struct sonde_settings {
    uint32_t cycles; /**< SONDE_CYCLES_ENDLESS = no end */
    sonde_ns interval_ns;
    sonde_ns timeout_ns;
    uint8_t first_ttl;
    uint8_t max_ttl;
    uint16_t size_bytes;
    uint8_t tos;
};

/** What an administrator does so that every user may ping without raw sockets; icmp(7). */
#define SONDE_ALLOW_ICMP "sudo sysctl net.ipv4.ping_group_range=\"0 2147483647\""

/** Where the run looks from. */
struct sonde_vantage_result {
    const char *hostname;
    struct sonde_addr source; /**< of the first target that has one */
    const char *interface;    /**< that has this address; NULL = not known */
    enum sonde_transport_kind transport;
    bool lacks_icmp; /**< ICMP is not permitted, so targets have no icmp control */
    uint64_t sent_clocks[SONDE_CLOCK_COUNT];     /**< probes, by the clock that stamped them */
    uint64_t received_clocks[SONDE_CLOCK_COUNT]; /**< timed answers, likewise */
};

/** Losses that are this machine's own, and not the network's. */
struct sonde_own_losses {
    uint64_t receive_queue; /**< packets that found no room in a receive queue; some of them may
                               have been answers, which then count as lost */
    uint64_t send; /**< probes that could not be sent; they count neither as sent nor lost */
};

/** Everything known at one moment. */
struct sonde_snapshot {
    const char *version; /**< of the sonde that measured */
    char run_id[37];     /**< a UUID, version 7 */
    enum sonde_status status;
    int failure; /**< why the measuring broke off, a negative errno: the network could not be used
                    any more, or memory ran out; 0 = it did not */
    sonde_ns started_wall_ns; /**< since 1970-01-01 UTC */
    sonde_ns duration_ns;
    uint32_t cycles_done; /**< begun by the target that is furthest */
    struct sonde_vantage_result vantage;
    struct sonde_settings settings;
    const struct sonde_target_result *targets;
    size_t target_count;
    struct sonde_verdict verdict;
    const struct sonde_problem *problems;
    size_t problem_count;
    uint64_t discards[SONDE_DISCARD_COUNT]; /**< arrivals that answered nothing, by reason */
    struct sonde_own_losses own_losses;
    struct sonde_zones zones; /**< names for the scopes of the addresses in it */
};

/** What a run comes to, in one number: the exit codes of the program. Scripts depend on them. */
enum sonde_exit {
    SONDE_EXIT_MET = 0,   /**< every service is as expected, and none has failed */
    SONDE_EXIT_UNMET = 1, /**< at least one is not, or has */
    SONDE_EXIT_USAGE = 2, /**< usage or configuration: nothing was sent, so no snapshot says it */
    SONDE_EXIT_UNMEASURED = 3, /**< none has failed, but something could not be measured */
    SONDE_EXIT_INTERNAL = 4,   /**< the measuring broke off */
};

/**
 * Judge a whole run. Controls do not count. A service of which too little is known is unmeasured,
 * and so is a target that is not traced, and a run without a target; a service that is not as
 * expected outweighs these, and a failure of this machine outweighs everything.
 * @param snapshot  Of a run that has ended or of one that goes on.
 * @return One of the above, but SONDE_EXIT_USAGE.
 */
SONDE_API enum sonde_exit sonde_snapshot_exit(const struct sonde_snapshot *snapshot);

#ifdef __cplusplus
}
#endif
#endif
