/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stamp is whose. The kernel numbers the packets of a socket from 0 on, and a stamp carries
 * its packet's number (SOF_TIMESTAMPING_OPT_ID). The numbers are never begun anew: a stamp may come
 * late, when its packet has waited for its neighbour's address, and must find no other with its
 * number. What has to be found out instead is whether a packet that could not be sent took one;
 * that depends on how far it got, and is not documented. Until the next packets' stamps tell it,
 * nobody is given a stamp. Should one that comes late be taken for theirs then, all of which are
 * missing, it still has to lie between their handing over and the return from it: see stamp_of().
 */
#include "io/linux/internal.h"

/* How far a number is beyond another; negative if it is behind. They wrap around. */
static int32_t number_beyond(uint32_t number, uint32_t from)
{
    return (int32_t)(number - from);
}

void numbers_note(struct numbers *numbers, uint32_t number, sonde_ns wall_ns)
{
    if (number_beyond(number, numbers->next) < 0)
        return; /* it comes late: its packet was given another time */
    struct numbered *kept = &numbers->kept[number % IO_BATCH];
    kept->number = number;
    kept->wall_ns = wall_ns;
    if (number_beyond(number + 1, numbers->end) > 0)
        numbers->end = number + 1;
}

static sonde_ns wall_of(const struct numbers *numbers, uint32_t number)
{
    const struct numbered *kept = &numbers->kept[number % IO_BATCH];
    return kept->number == number ? kept->wall_ns : 0;
}

/* The numbers are not certain: was every packet stamped, and does the last stamp tell them? */
static bool numbers_are_told(const struct numbers *numbers, uint32_t count, bool failed)
{
    bool all = !failed && number_beyond(numbers->end, numbers->next) >= (int32_t)count;
    for (uint32_t i = 1; all && i <= count; i++)
        all = wall_of(numbers, numbers->end - i) != 0;
    return all;
}

void numbers_take(struct numbers *numbers, uint32_t count, bool failed, sonde_ns *ret_walls_ns)
{
    bool certain = numbers->unsure == 0;
    if (!certain && numbers_are_told(numbers, count, failed)) {
        numbers->next = numbers->end - count;
        numbers->unsure = 0;
        certain = true;
    }
    for (uint32_t i = 0; i < count; i++)
        ret_walls_ns[i] = certain ? wall_of(numbers, numbers->next + i) : 0;
    numbers->next += count;
    numbers->unsure += failed;
    int32_t taken = number_beyond(numbers->end, numbers->next);
    if (taken > 0) { /* by failures: their stamps say so, or those of packets behind them */
        numbers->next = numbers->end;
        numbers->unsure -= (uint32_t)taken < numbers->unsure ? (uint32_t)taken : numbers->unsure;
    } else {
        numbers->end = numbers->next;
    }
}
