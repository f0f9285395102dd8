/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tally: what all probe records so far add up to, for each trace and each of its hops.
 *
 * A trace is one flow. A service has one, and then what its trace adds up to is what the service
 * does; or it has several, and then every record counts twice: for its flow, and for its service.
 *
 * A pure fold: the same records give the same tally, whether they come from a running engine or
 * from a recording. Figures may begin anew at any time. Then records of probes that left before
 * count no more, whenever they come; what they show of the path is learned all the same, and
 * nothing of that is forgotten: the engine goes by it. Hops, responders and histograms are made
 * when first needed, within fixed bounds; if memory runs out, the tally counts what it could not
 * keep and carries on.
 *
 * Figures are of all the time since they began. What a service shows *now* is in its epochs: what
 * full-TTL probes came to since the last change. The newest of these are kept one by one, so that a
 * change may be told some probes later; the older ones are counted together, and forgotten in time.
 * tally_stretch_new() adds up such a stretch of time as if there had been no other.
 */
#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

#include "base/ids.h"
#include "engine/answered.h"
#include "engine/change.h"
#include "engine/hop.h"
#include "engine/reach.h"

#include <sonde/event.h>

enum {
    TALLY_ERRORS_MAX = 4,          /* kinds of errors kept of one service; more are only counted */
    TALLY_CHANGES_MAX = 64,        /* of a path that are kept; older ones are only counted */
    TALLY_EPOCHS_MAX = 64,         /* full-TTL probes of a service that are kept one by one */
    TALLY_EPOCHS_MIXED_MAX = 1024, /* likewise, where not all of them end alike */
    TALLY_EPOCHS_TOGETHER = 1024, /* that are counted together before they begin to be forgotten: as
                                     many again later they are */
};

/** A reply that shows something. There are many, so that they have to be small. */
struct tally_evidence {
    struct sonde_addr from;
    uint32_t mtu_bytes;  /* that the reply speaks of; 0 = it does not */
    uint16_t size_bytes; /* of the probe */
    int16_t icmp_type;
    int16_t icmp_code;
    int16_t reply_ttl;
    uint8_t probe_ttl;
    sonde_ns sent_ns; /* when its probe left */
    bool known;       /* there ever was one: all this is of the last */
    bool valid;       /* there is one since the figures began */
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

/** Another router at a hop, or the target where a router was, or the reverse. */
struct tally_way_change {
    sonde_ns time_ns;       /* when the first probe left that shows it */
    struct sonde_addr from; /* no address: not known */
    struct sonde_addr to;   /* no address: nobody answers there any more */
    uint8_t ttl;
    bool is_new;    /* the first that shows a change, and not another hop of the same */
    bool is_length; /* the distance changed */
};

/** What changed on the way of a trace, one hop at a time. */
struct tally_way_changes {
    struct tally_way_change *items; /* [count], the oldest first; owned */
    uint32_t count;
    uint64_t omitted; /* older ones */
};

/** What a service shows now: what its full-TTL probes came to since the last change. */
struct tally_epochs {
    struct epoch *newest; /* [count], in the order in which they left; owned */
    uint32_t count;
    uint32_t cap;
    struct tally_service *settled;  /* what those before add up to; NULL: there were none; owned */
    struct tally_service *settling; /* the younger half of these, if settles; owned */
    bool settles;
    bool begins_later; /* than the figures do: at from_ns, with a change, or because what was before
                          is forgotten */
    sonde_ns from_ns;
    sonde_ns limited_from_ns;   /* likewise, for what probes drew that were to expire on the way: of
                                   who   is silent, the first probe may have been lost by chance */
    sonde_ns settling_from_ns;  /* when the first left of what is settling */
    uint32_t first_cycle;       /* of all of these */
    uint32_t settling_cycle;    /* of what is settling */
    uint64_t probes;            /* since the last change, forgotten ones, too */
    struct change_rows row;     /* the last of settled in a row */
    struct change_rows longest; /* and the most in a row, of what is counted together */
    struct change_rows settling_longest; /* likewise of its newer half */
    enum change_kind change;             /* that was found, and not begun yet */
    sonde_ns change_ns;                  /* when the first probe left that shows it */
};

/** What the probes of one trace add up to, or of all traces of a service.
 *  Silence of a server to a question that it never answered is no loss, if it answered another: in
 *  what a service adds up to, such probes are left out. */
struct tally_service {
    uint64_t sent;     /* full-TTL probes that left this machine */
    uint64_t received; /* of these, answered by the target itself */
    struct tally_question questions[SONDE_QUESTIONS_MAX];
    uint64_t spaced_sent; /* of those that left, a second or longer after the one before */
    uint64_t spaced_lost; /* of these, answered by nobody */
    uint64_t uncertain;   /* answered, but which of several probes cannot be told: neither sent nor
                             received, as far as these figures go */
    uint64_t late;
    uint64_t late_own;        /* of these, answers of the target to full-TTL probes */
    sonde_ns late_longest_ns; /* the longest round trip of these */
    uint64_t duplicates;
    struct tally_outcome outcomes[SONDE_OUTCOME_COUNT];
    struct tally_error errors[TALLY_ERRORS_MAX]; /* of full-TTL probes, the most frequent first */
    struct rtt_stats rtt;                        /* answers of the target to full-TTL probes */
    struct reach reach;
    struct tally_hop **hops; /* [max_ttl + 1]; NULL where nothing was sent; owned */
    uint32_t path_changes;
    struct tally_way_changes
        way_changes;        /* where; of a service with several flows, each has its own
                             */
    sonde_ns doubt_ns;      /* when the probe left that drew the answer reach doubts */
    uint32_t changes;       /* of the path, ever */
    uint32_t changed_cycle; /* in which the last change was believed */
    bool rationed;          /* as of its last probe, it is answered only so often */
    bool reached;           /* the target itself has answered a probe, of whatever TTL */
    sonde_ns since_ns;      /* when its figures began: only probes that left then or later count */
    struct tally_epochs epochs;
};

struct tally_target {
    struct sonde_addr addr;
    struct tally_service *
        *services; /* [service_count], one for each trace; owned, and each of them */
    uint32_t service_count;
    struct answered **answered; /* [max_ttl + 1], of the routers there, over all services; NULL
                                   where none answered, or memory ran out; owned */
    struct tally_target *whole; /* the same by service, without answered, if any has several flows;
                                   NULL: none has; owned. Of its services it owns those that do */
    uint32_t
        *service_of; /* [service_count], of a trace: its service in whole; NULL as that; owned */
};

/** Somebody who goes by what records add up to. @param event  Of a full-TTL probe that ended, and
 * was just folded in. He may let what a service shows now begin anew. */
typedef void tally_observe(void *observer, const struct sonde_event *event);

struct tally {
    tally_observe *observe; /* NULL: nobody does */
    void *observer;
    sonde_ns timeout_ns; /* until a probe is lost: so long one that left earlier may be in flight */
    struct tally_target **targets; /* [target_count]; NULL: nobody has this number; owned */
    uint32_t target_count;
    struct ids target_ids;
    uint8_t max_ttl;
    uint64_t unrecorded;                         /* records that memory did not suffice for */
    uint64_t left_out;                           /* likewise, of full-TTL probes: not in epochs */
    uint64_t sent_clocks[SONDE_CLOCK_COUNT];     /* probes that left, by who stamped them */
    uint64_t received_clocks[SONDE_CLOCK_COUNT]; /* timed answers, likewise */
    uint64_t send_errors;                        /* probes that did not leave */
    sonde_ns since_ns;                           /* when the last two began, as for a service */
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

/** @return The number of the target that is added next: that of one that was removed, or one more
 *  than there ever were. */
static inline uint32_t tally_next_target(const struct tally *tally)
{
    return ids_next(&tally->target_ids);
}

/**
 * Add a target with its services; its number is that of tally_next_target().
 * @return 0; -ENOMEM with nothing changed.
 */
SONDE_MUST_CHECK int tally_add_target(struct tally *tally, const struct sonde_addr *addr,
                                      uint32_t service_count);

/**
 * Say which traces of a target are flows of one service, before any record of it.
 * @param flows  [count] How many traces each service has, one after the other; all of them.
 * @return 0; -ENOMEM with nothing changed.
 */
SONDE_MUST_CHECK int tally_set_flows(struct tally *tally, uint32_t index, const uint32_t *flows,
                                     uint32_t count);

/**
 * Add a service with so many flows to a target, behind those that it has.
 * @return 0; -ENOMEM with nothing changed that shows.
 */
SONDE_MUST_CHECK int tally_add_service(struct tally *tally, uint32_t index, uint32_t flows);

/** Forget everything of a trace, and of the service whose flow it is: that is removed. */
void tally_clear(struct tally *tally, uint32_t index, uint32_t trace);

/** @return A target by service: each is what all of its flows add up to; which questions a server
 * is deaf to, each flow tells for itself. Its distance is that of the farthest flow. Ownership: the
 *  tally's. */
const struct tally_target *tally_by_service(const struct tally_target *target);

/** @return The service of a trace among tally_by_service(). */
uint32_t tally_service_of(const struct tally_target *target, uint32_t trace);

/** What a target showed in a stretch of time, of each service since its last change. */
struct tally_stretch {
    const struct tally_target *traces;   /* by trace */
    const struct tally_target *services; /* by service; the same as traces, if each has one flow */
};

/** A time behind all probes: what left before it is all that there is, and nothing is left out of
 * it because it may be the first of a change. */
static const sonde_ns TALLY_ALL_NS = SONDE_NS_NEVER - 1;

/**
 * Add up what a target shows now, or what it showed before a time, as if there had been nothing
 * else. The last answer is left out if it may be the first of a change (engine/change.h). What is
 * known of the path stays: the distance, and of routers the ones that answered in that time.
 * @param until_ns     Only probes that left before count; SONDE_NS_NEVER: what is shown now.
 * @param ret_stretch  On 0, the stretch. It borrows from the tally until the next record.
 * @return 0; -ENOMEM.
 * Ownership: the caller frees it with tally_stretch_free().
 */
SONDE_MUST_CHECK int tally_stretch_new(const struct tally *tally, uint32_t index, sonde_ns until_ns,
                                       struct tally_stretch **ret_stretch);

/** Free a stretch; NULL is fine. @return NULL. */
struct tally_stretch *tally_stretch_free(struct tally_stretch *stretch);

/** @return The first change of a service, by its number in tally_by_service(), or of one of its
 *  flows, that was found and not begun yet; its first probe left at @p ret_ns. CHANGE_NONE: there
 * is none. */
enum change_kind tally_change(const struct tally_target *target, uint32_t service,
                              sonde_ns *ret_ns);

/** @return From which cycle to which a service shows what it shows now, both counted. */
uint32_t tally_cycles(const struct tally_service *service);

/** Let what a service shows now, and each of its flows, begin at a time. */
void tally_begin_at(struct tally *tally, uint32_t index, uint32_t service, sonde_ns from_ns);

/** Remove a target. Its number may be given to another; those of the others stay as they are. */
void tally_remove_target(struct tally *tally, uint32_t index);

/**
 * Begin the figures of a trace anew. Those of its service do, too: a service with several flows is
 * to be reset with all of them.
 * @param since_ns  Only probes that left then or later count.
 */
void tally_reset(struct tally *tally, uint32_t index, uint32_t trace, sonde_ns since_ns);

/** Likewise those that are of no service: by whom probes and answers were stamped, and what did not
 *  leave. */
void tally_reset_common(struct tally *tally, sonde_ns since_ns);

/** Fold one record in; its "service" is the number of its trace. Records of targets and traces that
 *  do not exist are ignored. */
void tally_on_event(struct tally *tally, const struct sonde_event *event);

/** @return true if an answer with this outcome ever came to any probe of the service, whatever
 * began anew since. Not for SONDE_OUTCOME_TTL_EXCEEDED, which shows nothing of a service. */
static inline bool tally_has_shown(const struct tally_service *service, enum sonde_outcome outcome)
{
    return service->outcomes[outcome].evidence.known;
}

/** @return true if something in the target's name has ever answered the service, and not only
 * somebody who refuses on the way. */
bool tally_is_answered(const struct tally_service *service);

/** @return Who refused the service, last, with an ICMP error other than that of a closed port: a
 *  device on the way, or the target's own firewall; NULL: nobody has. Ownership: the tally's. */
const struct sonde_addr *tally_refuser(const struct tally_service *service);

/** @return The router at a TTL that the service's path goes through now, as far as is known; NULL
 *  if none is. Ownership: the tally's, and valid until the next record. */
const struct tally_responder *tally_router(const struct tally_service *service, unsigned ttl);

/** @return A 48-bit name of the path that the service takes now: equal paths, equal names. 0 if
 *  nothing of it is known. */
uint64_t tally_path_id(const struct tally *tally, const struct tally_service *service);

#endif
