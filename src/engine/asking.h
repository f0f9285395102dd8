/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of its questions a service is asked.
 *
 * A server that is alive may be deaf to one question and answer another. So the questions take
 * turns, in their order and round again, until one is answered: a turn ends when its question has
 * been silent for as long as an answer may take. The first turn of each is worth a probe of its
 * own; from then on the probe of each cycle carries the question whose turn it is.
 *
 *     the first --silence--> the second --silence--> the last --silence--> the first ...
 *         |                      |                      |
 *         +----------------------+----------------------+--answer--> that one is kept to
 *
 * Once a question is answered it is kept to. But a single silence may have been chance: those
 * before it are asked once more, if they were not asked twice, and the first that is answered is
 * kept to. Nor is it kept to for ever: when it has become silent, the others are each asked once
 * more, from time to time, and if one of these is answered first, that is kept to instead. Who
 * refuses on the way would refuse the others as well: that ends the turns, and shows nothing of
 * which question the server answers.
 *
 * Nothing here knows of probes, traces or the time but what it is told.
 */
#ifndef ENGINE_ASKING_H
#define ENGINE_ASKING_H

#include "base/time.h"

#include <sonde/event.h>

struct asking {
    uint8_t count;                      /* questions that the service has */
    uint8_t begun;                      /* of these, how many have had a turn */
    uint8_t at;                         /* the one whose turn it is */
    uint8_t answered;                   /* bit n: question n was answered */
    bool is_doubted;                    /* no more is: the next answer tells which */
    uint8_t asks[SONDE_QUESTIONS_MAX];  /* probes to the target with each, as far as 255 */
    uint8_t again[SONDE_QUESTIONS_MAX]; /* probes with each that are to be sent again */
    sonde_ns since_ns; /* when the first probe of this turn left; never: none has */
};

/** @return A service that was asked nothing yet. @param count  Its questions; 0 is like 1. */
struct asking asking_of(unsigned count);

/** @return When the next question has its turn; never: this one is kept to, is the only one, or its
 *  probe has not left. @param wait_ns  How long an answer to the present one may take. */
sonde_ns asking_turn_ns(const struct asking *asking, sonde_ns wait_ns);

/** @return true if a question has not had a turn yet, and its turn will come without an answer: the
 *  run has to wait for it. */
bool asking_is_open(const struct asking *asking);

/** Let the next question have its turn. @return true if it is its first: it is worth a probe. */
bool asking_turn(struct asking *asking);

/** @return The question that the next probe to the target carries, which is counted as asked. */
uint8_t asking_take(struct asking *asking);

/** @return The question that a probe carries which is to expire on the way. */
uint8_t asking_on_the_way(const struct asking *asking);

/** A probe to the target has left. @return true if a silence begins with it. */
bool asking_on_sent(struct asking *asking, uint8_t question, sonde_ns now);

/** A probe to the target, which left at @p sent_ns, may have been answered without anybody hearing
 * it: no silence has begun with it. */
void asking_forget(struct asking *asking, sonde_ns sent_ns);

/** The silence to a probe with this question says nothing: the next probe carries it again. */
void asking_again(struct asking *asking, uint8_t question);

/** The question that is kept to has become silent: let each other one be asked once more.
 *  @return How many probes that takes, beside those of the cycles. */
unsigned asking_doubt(struct asking *asking);

/** @return true if the next probe takes the place of one whose silence said nothing. */
bool asking_takes_again(const struct asking *asking);

/** The target answered a question. */
void asking_on_answer(struct asking *asking, uint8_t question);

/** Somebody on the way refused a probe: so he does whatever it asks. If no question was answered
 *  yet, this one is kept to for now. */
void asking_on_refusal(struct asking *asking, uint8_t question);

#endif
