/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Claims: to which probe does an answer belong that does not name it?
 *
 * Answers name their probe, or at least the attempt that it was part of, or nothing. An attempt is
 * begun by a probe that is meant to draw an answer of the target; over TCP every attempt has an
 * initial sequence number of its own, which a SYN-ACK and a RST acknowledge. The probe that begins
 * an attempt has a claim on what answers it. There is only one claim at a time where answers do not
 * name their probe: the next attempt is not begun before the answer to this one is in, or cannot
 * come any more. So an answer goes to the probe with the claim, or to nobody.
 *
 * One exception is known when it happens: probes of the same attempt that were meant to expire on
 * the way, and may have arrived. Then the claim is shared: there is an answer, and nobody can tell
 * which of the probes it is to.
 *
 *             begin                      answered
 *     FREE ----------> OPEN (until a time) ------> ANSWERED (quiet for a while) ----> FREE
 *                        |                                                             ^
 *                        +---------------------- time is up ---------------------------+
 */
#ifndef ENGINE_CLAIM_H
#define ENGINE_CLAIM_H

#include "base/time.h"

#include <stdbool.h>

enum {
    CLAIMS_KEPT = 8, /* attempts that are remembered; a power of two */
};

/** The attempts of one trace. {0} is "none was made". */
struct claims {
    uint32_t begun; /* attempts begun; the newest is number begun - 1 */
    uint32_t
        tokens[CLAIMS_KEPT]; /* of the probe that began each, by its number modulo CLAIMS_KEPT */
    uint8_t sharers[CLAIMS_KEPT]; /* other probes of it that may have arrived, too */
    uint32_t heard;               /* a bit for each: the target has answered some probe of it */
    sonde_ns free_ns;             /* when the next one may begin */
    bool answered;                /* the newest one was */
    uint32_t open;                /* the attempt, by number, that the target has named last */
};

/** Whose an answer is. */
enum claim_owner {
    CLAIM_NOBODY, /* there was no such attempt, or nobody remembers it */
    CLAIM_ONE,
    CLAIM_SHARED, /* it may be that probe's, or another's of the same attempt */
};

/**
 * Begin an attempt.
 * @param token     Of the probe that begins it.
 * @param until_ns  When its answer cannot come any more; where answers name their probe, now.
 */
void claims_begin(struct claims *claims, uint32_t token, sonde_ns until_ns);

/** The probe that began the newest attempt has left. @param until_ns  As for claims_begin(). */
void claims_left(struct claims *claims, sonde_ns until_ns);

/** Another probe of an attempt may arrive, or has. @param number  Of it, exactly. */
void claims_share(struct claims *claims, uint32_t number);

/** A router answered such a probe, so it has not. @param number  Of its attempt, exactly. */
void claims_unshare(struct claims *claims, uint32_t number);

/** The target has answered some probe of an attempt. @param number  Of it, exactly. */
void claims_hear(struct claims *claims, uint32_t number);

/** @return true if another probe of an attempt may have arrived. @param number  Of it, exactly. */
bool claims_is_shared(const struct claims *claims, uint32_t number);

/** @return true if some remembered attempts were answered, and others not. */
bool claims_has_gaps(const struct claims *claims);

/** @return true if the silence of the probe that began an attempt says nothing: the target has
 * answered another one of it, and may have taken this one for the same. @param number  Of it,
 * exactly. */
bool claims_is_unclear(const struct claims *claims, uint32_t number);

/** @return true if a probe has begun this attempt. @param number  Of it, exactly. */
bool claims_has_begun(const struct claims *claims, uint32_t number, uint32_t token);

/** @return true if a probe has begun the newest attempt. */
bool claims_is_newest(const struct claims *claims, uint32_t token);

/** The newest attempt was answered. @param quiet_ns  Until when the same answer may come again and
 *  would be taken for that to the next attempt; where answers name their attempt, now. */
void claims_answered(struct claims *claims, sonde_ns quiet_ns);

/**
 * The target reminds of an older attempt that it still waits for the end of; the newest has drawn
 * that. It does not do so again for a while, whatever comes.
 * @param number,bits  As for claims_owner(); claims_is_older().
 * @param quiet_ns     Until when.
 */
void claims_remind(struct claims *claims, uint32_t number, unsigned bits, sonde_ns quiet_ns);

/** @return The number of the newest attempt; 0 if none was begun. */
uint32_t claims_newest(const struct claims *claims);

/**
 * @param number     Of the attempt that an answer names; only the lower @p bits of it are known.
 * @param bits       4 to 32.
 * @param ret_token  On CLAIM_ONE and CLAIM_SHARED, the probe that began it.
 */
enum claim_owner claims_owner(const struct claims *claims, uint32_t number, unsigned bits,
                              uint32_t *ret_token);

/** @return true if an attempt of that number was begun before the newest, and is remembered.
 *  @param number,bits  As for claims_owner(). */
bool claims_is_older(const struct claims *claims, uint32_t number, unsigned bits);

#endif
