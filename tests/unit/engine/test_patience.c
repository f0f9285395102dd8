/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long answers are worth waiting for. Where something of the target has answered, with L the
 * longest round trip of late: a router's L + L/4, at least L + 10 ms; the target's L + 5L/4, at
 * least L + 50 ms, and at least L + 500 ms while it may be a device on the way that answered in its
 * name; an answer that names nothing may be as old as 4L, at least 100 ms. While nothing of it has:
 * 2L + 500 ms for both, and 3L, at least 1 s.
 */
#include "engine/patience.h"

#include <criterion/criterion.h>

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns S = SONDE_NS_PER_S;

Test(patience, without_any_answer_there_is_nothing_to_judge_by)
{
    const struct patience patience = {0};
    cr_expect_eq(patience_longest_ns(&patience), 0);
    cr_expect_eq(patience_router_ns(&patience), SONDE_NS_NEVER);
    cr_expect_eq(patience_target_ns(&patience), SONDE_NS_NEVER);
    cr_expect_eq(patience_claim_ns(&patience), S, "it may be far away");
}

Test(patience, while_only_routers_answer_the_target_may_be_much_farther)
{
    static const struct {
        sonde_ns longest;
        sonde_ns wait;
        sonde_ns claim;
    } cases[] = {
        {1, 2 + 500 * SONDE_NS_PER_MS, SONDE_NS_PER_S},
        {12 * SONDE_NS_PER_MS, 524 * SONDE_NS_PER_MS, SONDE_NS_PER_S},
        {333 * SONDE_NS_PER_MS, 1166 * SONDE_NS_PER_MS, SONDE_NS_PER_S},
        {334 * SONDE_NS_PER_MS, 1168 * SONDE_NS_PER_MS, 1002 * SONDE_NS_PER_MS},
        {600 * SONDE_NS_PER_MS, 1700 * SONDE_NS_PER_MS, 1800 * SONDE_NS_PER_MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct patience patience = {0};
        patience_note(&patience, cases[i].longest, false, 0);
        cr_expect_not(patience.reached);
        cr_expect_eq(patience_router_ns(&patience), cases[i].wait);
        cr_expect_eq(patience_target_ns(&patience), cases[i].wait);
        cr_expect_eq(patience_claim_ns(&patience), cases[i].claim);
    }
}

Test(patience, once_the_target_answers_a_part_of_the_longest_round_trip_is_enough)
{
    static const struct {
        sonde_ns longest;
        sonde_ns router;
        sonde_ns target;
        sonde_ns claim;
    } cases[] = {
        /* in ms; the least slack of a router up to 60, of the target up to 40, the least claim to
           25 */
        {1, 11, 51, 100},   {20, 30, 70, 100},    {24, 34, 74, 100},
        {28, 38, 78, 112},  {40, 50, 90, 160},    {60, 70, 135, 240},
        {72, 84, 162, 288}, {240, 280, 540, 960}, {1200, 1400, 2700, 4800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct patience patience = {0};
        patience_note(&patience, cases[i].longest * MS, true, 0);
        patience_reached(&patience, true);
        cr_expect(patience.reached && patience.sure);
        cr_expect_eq(patience_router_ns(&patience), cases[i].router * MS, "case %zu", i);
        cr_expect_eq(patience_target_ns(&patience), cases[i].target * MS, "case %zu", i);
        cr_expect_eq(patience_claim_ns(&patience), cases[i].claim * MS, "case %zu", i);
    }
}

/* L + 5L/4 is more than L + 500 ms from 400 ms on. What else is waited for is nearer than whoever
 * answered, be it the target or not. */
Test(patience, who_only_may_be_the_target_leaves_it_half_a_second_to_answer_itself)
{
    static const struct {
        sonde_ns longest;
        sonde_ns router;
        sonde_ns target;
        sonde_ns claim;
    } cases[] = {
        {1, 11, 501, 100}, {240, 280, 740, 960}, {420, 490, 945, 1680}, {600, 700, 1350, 2400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct patience patience = {0};
        patience_note(&patience, cases[i].longest * MS, true, 0);
        patience_reached(&patience, false);
        cr_expect(patience.reached && !patience.sure);
        cr_expect_eq(patience_router_ns(&patience), cases[i].router * MS, "case %zu", i);
        cr_expect_eq(patience_target_ns(&patience), cases[i].target * MS, "case %zu", i);
        cr_expect_eq(patience_claim_ns(&patience), cases[i].claim * MS, "case %zu", i);
    }
}

Test(patience, once_it_is_sure_it_stays_so)
{
    struct patience patience = {0};
    patience_reached(&patience, false);
    cr_expect(patience.reached && !patience.sure);
    patience_reached(&patience, true);
    cr_expect(patience.reached && patience.sure);
    patience_reached(&patience, false);
    cr_expect(patience.reached && patience.sure);
    cr_expect_eq(patience_target_ns(&patience), 50 * MS,
                 "of an unknown round trip: no more than that");
}

/* A router that is slow to answer counts as well, before and after the target has. */
Test(patience, the_longest_counts_whoever_took_it)
{
    struct patience patience = {0};
    patience_note(&patience, 90 * MS, false, 0);
    patience_note(&patience, 20 * MS, true, 0);
    patience_reached(&patience, true);
    cr_expect_eq(patience_longest_ns(&patience), 90 * MS);
    cr_expect_eq(patience_router_ns(&patience), 105 * MS);
    patience_note(&patience, 120 * MS, false, 0);
    cr_expect_eq(patience_longest_ns(&patience), 120 * MS);
    cr_expect(patience.reached, "it stays so");
}

Test(patience, the_nearest_is_the_shortest_of_the_target_itself)
{
    struct patience patience = {0};
    patience_note(&patience, 5 * MS, false, 0);
    cr_expect_eq(patience_nearest_ns(&patience), 0);
    patience_note(&patience, 30 * MS, true, 0);
    cr_expect_eq(patience_nearest_ns(&patience), 30 * MS);
    patience_note(&patience, 40 * MS, true, 0);
    cr_expect_eq(patience_nearest_ns(&patience), 30 * MS);
    patience_note(&patience, 29 * MS, true, 0);
    cr_expect_eq(patience_nearest_ns(&patience), 29 * MS);
    patience_note(&patience, 1 * MS, false, 0);
    cr_expect_eq(patience_nearest_ns(&patience), 29 * MS);
}

/* Spans last a minute. What was longest in the one before counts, and in no other. */
Test(patience, a_long_round_trip_is_forgotten_after_the_next_minute)
{
    struct patience patience = {0};
    patience_note(&patience, 300 * MS, true, 100 * S); /* begins a span, since it is the first */
    patience_note(&patience, 20 * MS, true, 160 * S);  /* the last moment of it */
    cr_expect_eq(patience_longest_ns(&patience), 300 * MS);
    patience_note(&patience, 40 * MS, true, 160 * S + 1);
    cr_expect_eq(patience_longest_ns(&patience), 300 * MS, "the span before");
    patience_note(&patience, 30 * MS, true, 220 * S + 1);
    cr_expect_eq(patience_longest_ns(&patience), 300 * MS, "still");
    patience_note(&patience, 10 * MS, true, 220 * S + 2);
    cr_expect_eq(patience_longest_ns(&patience), 40 * MS, "the longest of the second");
    patience_note(&patience, 10 * MS, true, 280 * S + 3);
    cr_expect_eq(patience_longest_ns(&patience), 10 * MS);
    cr_expect_eq(patience_nearest_ns(&patience), 10 * MS);
}

/* The present one is compared as well, or a path that becomes slow would be known a minute late. */
Test(patience, the_present_minute_counts_where_it_is_the_slower_one)
{
    struct patience patience = {0};
    patience_note(&patience, 10 * MS, true, 100 * S);
    patience_note(&patience, 90 * MS, true, 161 * S);
    cr_expect_eq(patience_longest_ns(&patience), 90 * MS);
}

/* What was longest, and what was nearest, before a silence of an hour, is forgotten with the first
 * answer. */
Test(patience, after_a_long_silence_the_first_answer_is_all_that_is_known)
{
    struct patience patience = {0};
    patience_note(&patience, 600 * MS, true, 100 * S);
    cr_expect_eq(patience_longest_ns(&patience), 600 * MS);
    patience_note(&patience, 700 * MS, false, 3700 * S);
    cr_expect_eq(patience_longest_ns(&patience), 700 * MS);
    cr_expect_eq(patience_nearest_ns(&patience), 0);
    patience_note(&patience, 10 * MS, true, 7300 * S);
    cr_expect_eq(patience_longest_ns(&patience), 10 * MS);
    cr_expect_eq(patience_nearest_ns(&patience), 10 * MS);
}

/* A host that moves away is not near for ever. */
Test(patience, what_was_near_is_forgotten_after_the_next_minute)
{
    struct patience patience = {0};
    patience_note(&patience, 10 * MS, true, 100 * S);
    patience_note(&patience, 80 * MS, true, 161 * S);
    cr_expect_eq(patience_nearest_ns(&patience), 10 * MS);
    patience_note(&patience, 90 * MS, true, 222 * S);
    cr_expect_eq(patience_nearest_ns(&patience), 80 * MS);
}
