/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tally means: the state of each service, what is wrong with it, and where.
 *
 * Pure functions of the tally. First the state, from what was answered. Then the rules, each a
 * small function of its own (analyze/rules.h), look for one thing that may be wrong: each needs a
 * minimum of evidence, and says "inconclusive" below it. What they find are findings; the worst of
 * them is the verdict.
 *
 * Three principles. Silence counts only when it is repeated, and only against the background of
 * something else of the target that answers. No hop is named on one lost probe. And a hop is named
 * only as an end of a bracket in which the culprit is, unless it says itself that it is the one.
 */
#ifndef ANALYZE_ANALYZE_H
#define ANALYZE_ANALYZE_H

#include "analyze/history.h"

#include <sonde/snapshot.h>

enum {
    ANALYZE_TEXT_BYTES = 512, /* two hops with the longest addresses, and what else a rule says */
    ANALYZE_FINDINGS_MAX = 6, /* of one service; more would be no help */
};

/** One of the questions that a UDP service is asked. */
struct analyze_question {
    const char *topic; /* in a word or two; NULL: there is no other */
    const char *like;  /* a server that answers it and none before it, in words; NULL = no words */
};

/** What the analysis has to know of a service beyond its tally. */
struct analyze_service {
    const struct analyze_question *questions; /* in their order; NULL = none */
    uint32_t question_count;
    uint8_t protocol;     /* IP_PROTO_* */
    bool control;         /* nothing is expected of it */
    const char *name;     /* "443/tcp", for sentences */
    uint32_t expect;      /* the states that are wanted, a bit each; 0: that it answers */
    const char *silence;  /* why a healthy one does not answer, in words; NULL: it does */
    uint32_t first_trace; /* of its flows, in the target's traces; the others stand behind it */
    uint32_t flow_count;  /* 0 and 1: it has no others */
    const struct history *history; /* what it showed before; NULL: nothing has changed */
};

/** Limits that a user sets. */
struct analyze_limits {
    sonde_ns rtt_ns; /* the mean round trip may not be above this; 0 = no limit */
    double loss;     /* nor the loss, from 0 to 1, above this; negative = no limit */
};

/** Who packets to a target are given to by this machine, as its kernel knows it. */
struct analyze_next_hop {
    struct sonde_addr addr; /* the gateway, or the target itself; no address: nothing is known */
    const char *interface;  /* that they leave by */
    bool silent;           /* it does not say its link address though the kernel has asked for it */
    const char *user_mode; /* it is a program that stands for a network, of this name; NULL = it
                              is not */
};

/** A target as the analysis sees it. */
struct analyze_target {
    const struct tally_target *tally;
    const struct analyze_service *services; /* [tally->service_count] */
    const struct analyze_target *traces;    /* the same by trace, where services have several; NULL:
                                               nothing is known of them */
    const struct tally_target *known; /* the same as tally, of all the time: what is known of the
                                         path; NULL: no more than tally shows */
    struct analyze_limits warn;       /* above it a service is degraded */
    struct analyze_limits crit;       /* above it, it has failed */
    struct sonde_zones zones;         /* for sentences */
    uint8_t max_ttl;                  /* of the run */
    sonde_ns timeout_ns;              /* until a probe is lost */
    sonde_ns start_ns;                /* when the run began */
    sonde_ns now_ns;
    sonde_ns wall_ns; /* to be added to a time for the time of day, since 1970 */
    bool only_now;    /* what a service showed before is of no account */
    bool lost_here;   /* this machine lost packets that came in: loss may be its own */
    bool is_own;      /* the target is this machine itself */
    bool is_deaf;     /* it is not told of a SYN that a firewall of this machine drops */
    struct analyze_next_hop next_hop;
};

/** What a finding rests on. */
struct analyze_evidence {
    enum sonde_outcome outcome; /* whose reply decided; NO_REPLY = silence did */
    uint64_t sent;              /* probes that were meant to reach the target */
    uint64_t received;          /* and answers of the target to them */
    const char *control;        /* the service that it was compared with; NULL = none */
    uint64_t control_sent;      /* of the control, at the hop where the two part */
    uint64_t control_received;
};

/** One rule that fired. */
struct finding {
    const char *rule; /* its id: "filtered" */
    enum sonde_code code;
    enum sonde_level level;
    enum sonde_confidence confidence;
    bool has_blame;
    struct sonde_blame blame;
    struct analyze_evidence evidence;
    char text[ANALYZE_TEXT_BYTES];
};

/** What one service comes to. */
struct analysis {
    enum sonde_state state;
    enum sonde_outcome deciding; /* the outcome whose evidence decided; NO_REPLY = none did */
    bool met;                    /* the state is what is wanted */
    struct finding verdict;      /* the worst finding, or that nothing is wrong */
    struct finding findings[ANALYZE_FINDINGS_MAX]; /* worst first */
    uint32_t finding_count;
};

/** @return Why a probe cannot leave, by a positive errno of sending it or of finding its way, in
 *  words. */
const char *analyze_error_text(int error);

/** @return The state of a service, and in @p ret_deciding the outcome that shows it. */
enum sonde_state analyze_state(const struct analyze_target *target, uint32_t service,
                               enum sonde_outcome *ret_deciding);

/** Judge a service. */
void analyze_service(const struct analyze_target *target, uint32_t service,
                     struct analysis *ret_analysis);

/** The distance of a service in hops. */
struct analyze_distance {
    uint8_t ttl;    /* 0 = nothing is known of it */
    bool confirmed; /* nothing speaks for less: the hop before is a router's, or silent repeatedly
                     */
};

/** @return How far away a service is: by its own trace, or, where that arrived but leaves it open,
 *  by the other traces of the target. */
struct analyze_distance analyze_distance(const struct analyze_target *target, uint32_t service);

enum { ANALYZE_TTLS = 256 };

/**
 * Find out which services show hops that a service was not asked at: they meet the same router
 * behind such a hop, and all of them agree.
 * @param ret_donors  Receives for each TTL which service shows the hop; itself where no other does.
 */
void analyze_share(const struct analyze_target *target, uint32_t service,
                   uint32_t ret_donors[ANALYZE_TTLS]);

/** @return true if what a hop did not answer may have reached the target, which is silent to it: it
 *  answers some service at this TTL, so it is nearer on another way, or has been. */
bool analyze_may_arrive(const struct analyze_target *target, uint32_t service, uint8_t ttl);

/** @return What it means that the target has not answered all that a service was asked. */
enum sonde_loss_kind analyze_own_loss(const struct tally_service *tally);

/** @return What the loss at a hop means, given what is seen behind it. */
enum sonde_loss_kind analyze_loss(const struct analyze_target *target, uint32_t service,
                                  uint8_t ttl);

/** @return true if any probe of the trace was answered by the target itself, since the figures
 * began. */
bool analyze_reached(const struct analyze_target *target, uint32_t service);

/** @param interrupted  The run was ended before it was done.
 *  @return Why the path of a service ends where it does. */
enum sonde_stop_reason analyze_stop(const struct analyze_target *target, uint32_t service,
                                    bool interrupted);

#endif
