/* SPDX-License-Identifier: BSD-2-Clause */
/* Which question a service is asked; see engine/asking.h. */
#include "engine/asking.h"

enum { ASKS_ENOUGH_TO_LEAVE = 2 /* of a question: more silences than that are no chance */ };

struct asking asking_of(unsigned count)
{
    return (struct asking){
        .count = (uint8_t)(count > 0 ? count : 1),
        .begun = 1,
        .since_ns = SONDE_NS_NEVER,
    };
}

sonde_ns asking_turn_ns(const struct asking *asking, sonde_ns wait_ns)
{
    if (asking->count < 2 || asking->answered != 0)
        return SONDE_NS_NEVER;
    return ns_add(asking->since_ns, wait_ns);
}

bool asking_is_open(const struct asking *asking)
{
    return asking->begun < asking->count && asking_turn_ns(asking, 0) != SONDE_NS_NEVER;
}

bool asking_turn(struct asking *asking)
{
    asking->at = (uint8_t)((asking->at + 1) % asking->count);
    asking->since_ns = SONDE_NS_NEVER;
    bool is_first = asking->at == asking->begun;
    asking->begun = (uint8_t)(asking->begun + is_first);
    return is_first;
}

/* The first question that was answered; one of them was. */
static uint8_t first_answered(const struct asking *asking)
{
    uint8_t question = 0;
    while ((asking->answered >> question & 1) == 0)
        question++;
    return question;
}

/* The first question that is to be asked again; the count of all if none is. */
static uint8_t first_again(const struct asking *asking)
{
    uint8_t question = 0;
    while (question < asking->count && asking->again[question] == 0)
        question++;
    return question;
}

bool asking_takes_again(const struct asking *asking)
{
    return first_again(asking) < asking->count;
}

uint8_t asking_take(struct asking *asking)
{
    uint8_t question = asking->at;
    if (asking_takes_again(asking)) {
        question = first_again(asking);
        asking->again[question]--;
    } else if (asking->answered != 0) {
        uint8_t kept = first_answered(asking);
        question = 0;
        while (question < kept && asking->asks[question] >= ASKS_ENOUGH_TO_LEAVE)
            question++;
    }
    asking->asks[question] =
        (uint8_t)(asking->asks[question] + (asking->asks[question] < UINT8_MAX));
    return question;
}

uint8_t asking_on_the_way(const struct asking *asking)
{
    return asking->answered != 0 ? first_answered(asking) : 0;
}

bool asking_on_sent(struct asking *asking, uint8_t question, sonde_ns now)
{
    if (question != asking->at || asking->since_ns != SONDE_NS_NEVER)
        return false;
    asking->since_ns = now;
    return true;
}

void asking_forget(struct asking *asking, sonde_ns sent_ns)
{
    if (asking->since_ns == sent_ns)
        asking->since_ns = SONDE_NS_NEVER;
}

void asking_again(struct asking *asking, uint8_t question)
{
    asking->asks[question] = (uint8_t)(asking->asks[question] - (asking->asks[question] > 0));
    asking->again[question] =
        (uint8_t)(asking->again[question] + (asking->again[question] < UINT8_MAX));
}

unsigned asking_doubt(struct asking *asking)
{
    unsigned count = 0;
    if (asking->answered == 0)
        return 0;
    uint8_t kept = first_answered(asking);
    for (uint8_t question = 0; question < asking->count; question++) {
        if (question == kept || asking->again[question] > 0)
            continue;
        asking->again[question] = 1;
        count++;
    }
    asking->is_doubted = true;
    return count;
}

void asking_on_answer(struct asking *asking, uint8_t question)
{
    if (asking->is_doubted)
        asking->answered = 0;
    asking->is_doubted = false;
    asking->answered |= (uint8_t)(1U << question);
}

void asking_on_refusal(struct asking *asking, uint8_t question)
{
    if (asking->answered == 0)
        asking->answered = (uint8_t)(1U << question);
}
