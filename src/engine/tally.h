/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tally: what all probe records so far add up to, for each service and each of its hops.
 *
 * A pure fold: the same records give the same tally, whether they come from a running engine or
 * from a recording. Hops, responders and histograms are made when first needed, within fixed
 * bounds; if memory runs out, the tally counts what it could not keep and carries on.
 */
#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

#include "engine/reach.h"
#include "engine/rtt.h"

#include <sonde/event.h>

enum {
    TALLY_RESPONDERS_MAX = 64, /* kept of one hop; more are only counted */
    TALLY_ERRORS_MAX = 4,      /* kinds of errors kept of one service, likewise */
    TALLY_ASKED = 16,          /* answered probes of which it is kept when they left */
};

static const uint32_t TALLY_NOBODY = UINT32_MAX; /* in place of the index of a responder */

/** Somebody who answered at a hop. */
struct tally_responder {
    struct sonde_addr addr;
    uint64_t received;
    int16_t reply_ttl; /* of the last answer; -1 = unknown */
    int16_t icmp_type; /* likewise; -1 = none */
    int16_t icmp_code;
    enum sonde_outcome kind;      /* likewise */
    struct sonde_extensions *ext; /* of the last answer that had any; NULL if none had; owned */
};

/** What TTL-limited probes of one TTL drew. */
struct tally_hop {
    uint64_t sent; /* that left this machine */
    uint64_t received;
    uint64_t passed_over; /* of those that nobody answered: the router here answered another
                             service, which asked just after */
    struct rtt_stats rtt;
    struct tally_responder *responders; /* in the order they were first seen */
    uint32_t responder_count;
    uint64_t unlisted;    /* answers from further responders */
    uint32_t current;     /* index of the router that the path goes through, or TALLY_NOBODY */
    uint32_t last;        /* index of the router that answered last, likewise */
    uint32_t last_cycle;  /* the cycle of that answer */
    uint32_t run;         /* answers of it in a row */
    uint32_t run_before;  /* answers in a row of the one before */
    uint32_t run_after;   /* the cycle in which another still answered */
    uint32_t run_trusted; /* answers in a row that show a change of path */
};

/** A reply that shows something. */
struct tally_evidence {
    bool valid;
    struct sonde_addr from;
    int16_t icmp_type;
    int16_t icmp_code;
    int16_t reply_ttl;
    uint8_t probe_ttl;
    uint16_t size_bytes; /* of the probe */
    uint32_t mtu_bytes;  /* that the reply speaks of; 0 = it does not */
};

/** One kind of error that kept probes from leaving. */
struct tally_error {
    int error; /* positive errno; 0 = none */
    uint64_t count;
    uint16_t size_bytes; /* of the last probe */
    uint32_t mtu_bytes;  /* of the interface, if that was too big for it; 0 = not known */
};

/** What full-TTL probes that carried one question of a service add up to. */
struct tally_question {
    uint64_t sent;     /* that left this machine, and ended */
    uint64_t received; /* of these, answered by the target itself */
    uint64_t silent;   /* of these, answered by nobody */
};

/** What one outcome adds up to. Together, because a record touches one of them. */
struct tally_outcome {
    uint64_t ended; /* full-TTL probes that ended so */
    uint64_t shown; /* answers of the target, or of who refused in its place, to any probe, late
                       ones too */
    sonde_ns longest_ns;            /* round trip of any such answer */
    struct tally_evidence evidence; /* the last reply */
};

/** Silence of a server to a question that it never answered is no loss, if it answered another: in
 *  what a service adds up to, such probes are left out. */
struct tally_service {
    uint64_t sent;     /* full-TTL probes that left this machine */
    uint64_t received; /* of these, answered by the target itself */
    struct tally_question questions[SONDE_QUESTIONS_MAX];
    uint64_t uncertain; /* answered, but which of several probes cannot be told: neither sent nor
                           received, as far as these figures go */
    uint64_t late;
    uint64_t duplicates;
    struct tally_outcome outcomes[SONDE_OUTCOME_COUNT];
    struct tally_error errors[TALLY_ERRORS_MAX]; /* of full-TTL probes, the most frequent first */
    struct rtt_stats rtt;                        /* answers of the target to full-TTL probes */
    struct reach reach;
    struct tally_hop **hops; /* [max_ttl + 1]; NULL where nothing was sent; owned */
    uint32_t path_changes;
    uint32_t changed_cycle; /* in which the last change was believed */
};

/** When the last probes left that routers at one TTL have answered. */
struct tally_asked {
    uint32_t sent[TALLY_ASKED]; /* a ring; in units of 0.1 ms, modulo 2^32 */
    uint32_t next;
};

struct tally_target {
    struct sonde_addr addr;
    struct tally_service *services;
    uint32_t service_count;
    struct tally_asked **answered; /* [max_ttl + 1], over all services; NULL where no router
                                      answered, or memory ran out; owned */
};

struct tally {
    struct tally_target *targets;
    uint32_t target_count;
    uint8_t max_ttl;
    uint64_t unrecorded;                         /* records that memory did not suffice for */
    uint64_t sent_clocks[SONDE_CLOCK_COUNT];     /* probes that left, by who stamped them */
    uint64_t received_clocks[SONDE_CLOCK_COUNT]; /* timed answers, likewise */
    uint64_t send_errors;                        /* probes that did not leave */
};

/**
 * Make a tally.
 * @param max_ttl    Largest TTL of any record, 1 to 255.
 * @param ret_tally  On 0, the tally.
 * @return 0; -ENOMEM.
 * Ownership: the caller frees it with tally_free().
 */
SONDE_MUST_CHECK int tally_new(uint8_t max_ttl, struct tally **ret_tally);

/** Free a tally; NULL is fine. @return NULL. */
struct tally *tally_free(struct tally *tally);

/**
 * Add a target with its services; targets are numbered in the order added.
 * @return 0; -ENOMEM with nothing changed.
 */
SONDE_MUST_CHECK int tally_add_target(struct tally *tally, const struct sonde_addr *addr,
                                      uint32_t service_count);

/** Fold one record in. Records of targets and services that do not exist are ignored. */
void tally_on_event(struct tally *tally, const struct sonde_event *event);

/** @return The router at a TTL that the service's path goes through now, as far as is known; NULL
 *  if none is. Ownership: the tally's, and valid until the next record. */
const struct tally_responder *tally_router(const struct tally_service *service, unsigned ttl);

/** @return A 48-bit name of the path that the service takes now: equal paths, equal names. 0 if
 *  nothing of it is known. */
uint64_t tally_path_id(const struct tally *tally, const struct tally_service *service);

#endif
