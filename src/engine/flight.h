/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The in-flight table: every probe that was sent, until nothing can be said of it any more.
 *
 * A flight is free, flying, or kept: ended, but remembered, so that a late or a second answer is
 * known for what it is and never credited to another probe. A new probe takes a place that was
 * never used, or else that of the one that ended longest ago. Of each trace only so many fly as is
 * its share: whoever waits long for answers that do not come takes no place from the others.
 *
 * The probes of one trace form a line, their tokens counting up one by one. In it the flying ones
 * are linked, and every flight knows the one before it, so that kept ones are found as far back as
 * none of them was overwritten. What comes back of a token may be its remainder only, modulo
 * PROBE_TOKEN_MODULUS: therefore no probe is taken while one with the same remainder flies.
 */
#ifndef ENGINE_FLIGHT_H
#define ENGINE_FLIGHT_H

#include "engine/budget.h"

#include <sonde/vocabulary.h>

#define FLIGHT_NONE UINT32_MAX

/** Tokens that a line has, a multiple of PROBE_TOKEN_MODULUS: behind the last comes 0 again. */
#define FLIGHT_TOKENS UINT32_MAX

enum { FLIGHT_STALE_MAX = 2 };

enum flight_state {
    FLIGHT_FREE,
    FLIGHT_FLYING, /* from the moment it is chosen to be sent */
    FLIGHT_KEPT,
};

/* There are many, so that one has to be small: enums are kept in bytes. */
struct flight {
    sonde_ns sent_ns;            /* when it left; until then, since when it is due */
    struct budget_charge charge; /* for the answer of a router, or of a host that rations it */
    uint32_t trace;
    uint32_t token;
    uint32_t attempt; /* of the trace, that it is part of */
    uint32_t cycle;
    uint32_t older;     /* the flight of the token before, if it has not been overwritten */
    uint32_t prev;      /* of a flying one: its neighbours among those of its line */
    uint32_t next;      /* of one that ended: the one that ended after it */
    uint32_t earlier;   /* of one that left and flies: the one that left before it */
    uint32_t later;     /* and the one that left after it */
    uint8_t state;      /* an enum flight_state */
    uint8_t outcome;    /* of a kept flight: an enum sonde_outcome */
    uint8_t sent_clock; /* an enum sonde_clock */
    uint8_t ttl;
    uint8_t ecn;
    bool dont_fragment;
    uint16_t wanted_bytes; /* the size that its format asks for */
    uint16_t size_bytes;   /* of the whole packet, as it was written */
    uint8_t question;      /* of its service's, that it carries */
    bool to_target;
    bool sent;     /* of a flying one: it left */
    bool is_blind; /* see struct sonde_format */
    bool shares;   /* its attempt, as long as it may have arrived */
    bool arrives;  /* a TTL-limited one: it was sent to where its trace seemed to end */
    bool spaced;   /* a full-TTL one: RATION_NS or longer after the one before */
    bool is_mute;  /* its silence says nothing */
    bool is_cut;   /* nor does it, since this machine may have missed the answer */
    /* attempts that are to be taken back before it leaves, and how many of them were handed out */
    uint8_t stale_count;
    uint8_t releases;
    uint32_t stale[FLIGHT_STALE_MAX];
};

/** Probes that left and fly, in the order in which they left. */
struct flight_queue {
    uint32_t first; /* FLIGHT_NONE: there are none */
    uint32_t last;
};

static inline struct flight_queue flight_queue_empty(void)
{
    return (struct flight_queue){FLIGHT_NONE, FLIGHT_NONE};
}

/** The probes of one trace. */
struct flight_line {
    struct flight_queue *queue; /* where those that left go; several lines may share one */
    uint32_t trace;             /* its number */
    uint32_t next_token;        /* of the next probe */
    uint32_t first;             /* the oldest that flies; FLIGHT_NONE if none does */
    uint32_t last;              /* the youngest that flies */
    uint32_t newest; /* the flight taken last, whatever became of it; FLIGHT_NONE at first */
    uint32_t flying; /* flights that are */
};

struct flight_table {
    struct flight *flights; /* [cap] */
    uint32_t cap;
    uint32_t share;       /* flying probes of one line, at most */
    uint32_t flying;      /* flights that are */
    uint32_t used;        /* flights that were ever taken, from the first on */
    uint32_t first_ended; /* of those that ended, the first; FLIGHT_NONE: none has */
    uint32_t last_ended;
};

/**
 * Make a table of free flights.
 * @param cap    1 to 2^24.
 * @param share  Probes of one line that may fly at once, 1 to @p cap. If all shares together are no
 *               more than @p cap, there is always a place for a line that may take one.
 * @return 0; -ENOMEM with nothing allocated.
 * Ownership: flight_deinit() frees what this allocates.
 */
SONDE_MUST_CHECK int flight_init(struct flight_table *table, uint32_t cap, uint32_t share);

/**
 * Give a table another size, whatever flies.
 * @param cap    As for flight_init(); a smaller one than it has changes nothing.
 * @param share  Likewise; lines that have more in flight take no more until they are below it.
 * @return 0; -ENOMEM with nothing changed.
 */
SONDE_MUST_CHECK int flight_resize(struct flight_table *table, uint32_t cap, uint32_t share);

/** Free what flight_init() allocated; a zeroed table is fine. */
void flight_deinit(struct flight_table *table);

/** @return The line of a trace that has sent nothing yet. @param queue  Borrowed. */
static inline struct flight_line flight_line_of(uint32_t trace, struct flight_queue *queue)
{
    return (struct flight_line){
        .trace = trace,
        .queue = queue,
        .first = FLIGHT_NONE,
        .last = FLIGHT_NONE,
        .newest = FLIGHT_NONE,
    };
}

/** @return How many probes ago a token was used: 1 = by the newest; FLIGHT_TOKENS at most. */
static inline uint32_t flight_age(const struct flight_line *line, uint32_t token)
{
    uint32_t next = line->next_token;
    return next > token ? next - token : next - token + FLIGHT_TOKENS;
}

/** @return true if there is a place in the table. */
static inline bool flight_available(const struct flight_table *table)
{
    return table->flying < table->cap;
}

/** @return true if a line may take another flight, given that there is a place; otherwise it has to
 *  wait until one of its own ends. */
bool flight_may_take(const struct flight_table *table, const struct flight_line *line);

/**
 * Take a flight for a new probe and make it flying; there has to be a place, and the line has to be
 * allowed to take it.
 * @param line  Of its trace; the probe gets its next token.
 * @return Its index, with cycle, ttl, to_target and the time to be set by the caller.
 */
uint32_t flight_take(struct flight_table *table, struct flight_line *line);

/** A flying probe of a line has left: its sent_ns is set, and not before that of the one told of
 *  last. */
void flight_sent(struct flight_table *table, struct flight_line *line, uint32_t index);

/** A flying probe ended: remember it. */
void flight_keep(struct flight_table *table, struct flight_line *line, uint32_t index,
                 enum sonde_outcome outcome);

/** A flying probe never was: free it. Its token is not used again. */
void flight_drop(struct flight_table *table, struct flight_line *line, uint32_t index);

/** @return The flying or kept flight of a line whose token is @p token modulo
 *  PROBE_TOKEN_MODULUS; FLIGHT_NONE if there is none. */
uint32_t flight_find(const struct flight_table *table, const struct flight_line *line,
                     uint32_t token);

#endif
