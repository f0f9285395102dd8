/* SPDX-License-Identifier: BSD-2-Clause */
/* The distance of a trace: what is believed at once, and what only when it comes again. */
#include "engine/reach.h"

#include <criterion/criterion.h>

/* An answer, and what is believed after it. */
struct step {
    uint8_t ttl;
    enum reach_answer answer;
    uint8_t dest_ttl;
    uint8_t top_ttl;
    uint8_t refused_ttl;
    uint32_t changes;
};

static const enum reach_answer R = REACH_ROUTER;
static const enum reach_answer T = REACH_TARGET;
static const enum reach_answer X = REACH_REFUSED;

static void walk(const struct step *steps, size_t count)
{
    struct reach reach = {0};
    for (size_t i = 0; i < count; i++) {
        reach_on_answer(&reach, steps[i].ttl, (uint32_t)i, steps[i].answer);
        cr_expect_eq(reach.dest_ttl, steps[i].dest_ttl, "step %zu: target at %u", i,
                     reach.dest_ttl);
        cr_expect_eq(reach.top_ttl, steps[i].top_ttl, "step %zu: routers up to %u", i,
                     reach.top_ttl);
        cr_expect_eq(reach.refused_ttl, steps[i].refused_ttl, "step %zu: refused at %u", i,
                     reach.refused_ttl);
        cr_expect_eq(reach.changes, steps[i].changes, "step %zu: %u changes", i, reach.changes);
    }
}

#define WALK(...)                                                                                  \
    do {                                                                                           \
        const struct step steps[] = {__VA_ARGS__};                                                 \
        walk(steps, sizeof steps / sizeof *steps);                                                 \
    } while (0)

Test(reach, a_walk_up_the_path_ends_at_the_target)
{
    WALK({1, R, 0, 1, 0, 0}, {2, R, 0, 2, 0, 0}, {3, R, 0, 3, 0, 0}, {4, T, 4, 3, 0, 0});
}

Test(reach, answers_in_any_order_lead_to_the_smallest_ttl_that_arrived)
{
    WALK({6, T, 6, 0, 0, 0}, {5, T, 5, 0, 0, 0}, {1, R, 5, 1, 0, 0}, {7, T, 5, 1, 0, 0},
         {4, T, 4, 1, 0, 0}, {3, R, 4, 3, 0, 0}, {2, R, 4, 3, 0, 0});
}

Test(reach, both_ends_of_the_ttl_are_distances)
{
    WALK({1, T, 1, 0, 0, 0}, {255, T, 1, 0, 0, 0});
    WALK({254, R, 0, 254, 0, 0}, {255, T, 255, 254, 0, 0});
}

Test(reach, a_router_where_the_target_was_is_believed_when_it_comes_again)
{
    WALK({2, R, 0, 2, 0, 0}, {3, T, 3, 2, 0, 0}, {3, R, 3, 2, 0, 0}, {3, R, 0, 3, 0, 1},
         {4, R, 0, 4, 0, 1}, {5, T, 5, 4, 0, 1});
}

Test(reach, a_target_where_a_router_was_is_believed_when_it_comes_again)
{
    WALK({3, R, 0, 3, 0, 0}, {4, T, 4, 3, 0, 0}, {3, T, 4, 3, 0, 0}, {3, T, 3, 0, 0, 1});
}

/* After the change each cycle shows TTLs 1 to 4: what still arrives is no word for the old way. */
Test(reach, a_path_one_hop_shorter_is_noticed_though_larger_ttls_arrive_as_ever)
{
    WALK({1, R, 0, 1, 0, 0}, {2, R, 0, 2, 0, 0}, {3, R, 0, 3, 0, 0}, {4, T, 4, 3, 0, 0},
         {1, R, 4, 3, 0, 0}, {2, R, 4, 3, 0, 0}, {3, T, 4, 3, 0, 0}, {4, T, 4, 3, 0, 0},
         {1, R, 4, 3, 0, 0}, {2, R, 4, 3, 0, 0}, {3, T, 3, 2, 0, 1});
}

/* From 6 hops to 3: two answers say that it is at most 5, and in the next cycle that it is 3. */
Test(reach, a_path_several_hops_shorter_is_noticed_in_two_cycles)
{
    WALK({1, R, 0, 1, 0, 0}, {2, R, 0, 2, 0, 0}, {3, R, 0, 3, 0, 0}, {4, R, 0, 4, 0, 0},
         {5, R, 0, 5, 0, 0}, {6, T, 6, 5, 0, 0}, {3, T, 6, 5, 0, 0}, {4, T, 4, 3, 0, 1},
         {5, T, 4, 3, 0, 1}, {3, T, 3, 2, 0, 2});
}

Test(reach, a_target_that_alternates_with_a_router_does_not_move)
{
    WALK({3, T, 3, 0, 0, 0}, {3, R, 3, 0, 0, 0}, {3, T, 3, 0, 0, 0}, {3, R, 3, 0, 0, 0},
         {3, T, 3, 0, 0, 0});
    WALK({3, R, 0, 3, 0, 0}, {4, R, 0, 4, 0, 0}, {5, T, 5, 4, 0, 0}, {3, T, 5, 4, 0, 0},
         {3, R, 5, 4, 0, 0}, {3, T, 5, 4, 0, 0}, {4, R, 5, 4, 0, 0}, {3, T, 5, 4, 0, 0});
}

Test(reach, what_speaks_neither_for_nor_against_a_change_does_not_hinder_it)
{
    /* routers before the target, and the target from farther away */
    WALK({2, R, 0, 2, 0, 0}, {3, T, 3, 2, 0, 0}, {3, R, 3, 2, 0, 0}, {1, R, 3, 2, 0, 0},
         {5, T, 3, 2, 0, 0}, {3, R, 0, 3, 0, 1});
    /* routers before the place in question */
    WALK({4, R, 0, 4, 0, 0}, {5, T, 5, 4, 0, 0}, {4, T, 5, 4, 0, 0}, {1, R, 5, 4, 0, 0},
         {3, R, 5, 4, 0, 0}, {4, T, 4, 3, 0, 1});
}

Test(reach, a_doubt_that_was_answered_does_not_count_for_a_later_one)
{
    WALK({8, T, 8, 0, 0, 0}, {8, R, 8, 0, 0, 0}, {6, T, 6, 0, 0, 0}, {6, R, 6, 0, 0, 0},
         {6, R, 0, 6, 0, 1});
}

Test(reach, a_refusal_is_known_by_the_smallest_ttl_that_drew_it)
{
    WALK({5, X, 0, 0, 5, 0}, {7, X, 0, 0, 5, 0}, {4, X, 0, 0, 4, 0}, {3, R, 0, 3, 4, 0});
}

Test(reach, a_refusal_is_over_when_something_gets_that_far)
{
    WALK({4, X, 0, 0, 4, 0}, {3, R, 0, 3, 4, 0}, {4, R, 0, 4, 0, 0});
    WALK({4, X, 0, 0, 4, 0}, {9, T, 9, 0, 0, 0});
}

/* What came of the probes of one cycle: at the place of each TTL R, T or X, or "." for silence. */
static void fold_cycle(struct reach *reach, uint32_t cycle, const char *answers)
{
    for (uint8_t ttl = 1; answers[ttl - 1] != '\0'; ttl++) {
        switch (answers[ttl - 1]) {
        case 'R':
            reach_on_answer(reach, ttl, cycle, REACH_ROUTER);
            break;
        case 'T':
            reach_on_answer(reach, ttl, cycle, REACH_TARGET);
            break;
        case 'X':
            reach_on_answer(reach, ttl, cycle, REACH_REFUSED);
            break;
        case '.':
            reach_on_silence(reach, ttl, cycle);
            break;
        default: /* not asked */
            break;
        }
    }
}

/* By hand, after each cycle. Five probes in a row have to be missed, and two more for each of the
 * longest run before that was not the end. */
Test(reach, a_router_that_falls_silent_is_gone_from_a_silent_path_and_all_behind_the_last_heard)
{
    static const struct {
        const char *what;
        struct {
            const char *answers;
            uint32_t times;
            uint8_t top_ttl;  /* after all but the last of these times */
            uint8_t last_ttl; /* after that */
        } steps[6];
    } cases[] = {
        {"shorter", {{"RRRR..", 3, 4, 4}, {"RR....", 4, 4, 4}, {"RR....", 1, 4, 2}}},
        {"longer", {{"RR....", 9, 2, 2}, {"RRRR..", 1, 4, 4}}},
        {"one hop", {{"RRRR..", 1, 4, 4}, {"RRR...", 5, 4, 3}}},
        {"a silent router on the new way",
         {{"RRRRRR", 1, 6, 6}, {"R.R...", 5, 6, 3}, {"R.R...", 20, 3, 3}}},
        {"silent in the middle", {{"RRRR..", 3, 4, 4}, {"R..R..", 50, 4, 4}}},
        {"the first hop too", {{"RRRR..", 3, 4, 4}, {"......", 50, 4, 4}}},
        {"a few misses", {{"RRRR..", 3, 4, 4}, {"RRR...", 4, 4, 4}, {"RRRR..", 1, 4, 4}}},
        {"seldom",
         {{"RRRR..", 1, 4, 4},
          {"RRR...", 4, 4, 4},
          {"RRRR..", 1, 4, 4},
          {"RRR...", 12, 4, 4}, /* 5 + 2 * 4 = 13 */
          {"RRRR..", 1, 4, 4},
          {"RRR...", 29, 4, 3}}}, /* 5 + 2 * 12 */
        {"it comes back, and is given more time",
         {{"RRRR..", 1, 4, 4},
          {"RRR...", 5, 4, 3},
          {"RRRR..", 1, 4, 4},
          {"RRR...", 14, 4, 4}, /* 5 + 2 * 5 = 15 */
          {"RRR...", 1, 4, 3}}},
        {"not for ever",
         {{"RRRR..", 1, 4, 4},
          {"RRR...", 5, 4, 3},
          {"RRRR..", 1, 4, 4},
          {"RRR...", 15, 4, 3},
          {"RRRR..", 1, 4, 4},
          {"RRR...", 32, 4, 3}}}, /* not 5 + 2 * 15 */
        {"refused nearer", {{"RRRR..", 3, 4, 4}, {"RRX", 2, 4, 2}}},
        {"refused nearer, or not",
         {{"RRRR..", 3, 4, 4}, {"RRX", 1, 4, 4}, {"RRRR..", 1, 4, 4}, {"RRX", 1, 4, 4}}},
        {"the target is known", {{"RRRT", 3, 3, 3}, {"RR..", 50, 3, 3}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reach reach = {0};
        uint32_t cycle = 0;
        for (size_t k = 0; k < 6 && cases[i].steps[k].answers != NULL; k++) {
            for (uint32_t n = 1; n <= cases[i].steps[k].times; n++) {
                bool last = n == cases[i].steps[k].times;
                uint8_t top = last ? cases[i].steps[k].last_ttl : cases[i].steps[k].top_ttl;
                fold_cycle(&reach, cycle++, cases[i].steps[k].answers);
                cr_expect_eq(reach.top_ttl, top, "%s, step %zu, %u times: %u", cases[i].what, k, n,
                             reach.top_ttl);
                cr_expect_eq(ttl_set_highest(&reach.expired), top, "%s", cases[i].what);
            }
        }
        cr_expect_eq(reach.changes, 0, "%s: silence is no proof of a change", cases[i].what);
    }
}

/* A probe is known to be lost long after later ones were answered. */
Test(reach, silence_that_is_known_late_says_nothing_of_what_was_answered_since)
{
    struct reach reach = {0};
    fold_cycle(&reach, 0, "RRRR");
    fold_cycle(&reach, 9, "RRRR");
    for (uint32_t cycle = 1; cycle <= 8; cycle++)
        reach_on_silence(&reach, 4, cycle);
    cr_expect_eq(reach.top_ttl, 4);
    for (uint32_t cycle = 10; cycle <= 14; cycle++)
        fold_cycle(&reach, cycle, "RRR");
    for (uint32_t cycle = 10; cycle <= 13; cycle++)
        reach_on_silence(&reach, 4, cycle);
    cr_expect_eq(reach.top_ttl, 4);
    reach_on_silence(&reach, 4, 14);
    cr_expect_eq(reach.top_ttl, 3);
}

/* A full-TTL probe is silent as ever, and a router that is not the farthest may be. */
Test(reach, only_silence_at_the_farthest_router_counts)
{
    struct reach reach = {0};
    struct sonde_event event = {.ttl = 4, .to_target = true, .outcome = SONDE_OUTCOME_NO_REPLY};
    fold_cycle(&reach, 0, "RRRR");
    for (event.cycle = 1; event.cycle < 20; event.cycle++) {
        fold_cycle(&reach, event.cycle, "RR.");
        reach_on_event(&reach, &event, false);
        cr_expect_eq(reach.top_ttl, 4);
    }
    event.to_target = false;
    for (uint32_t n = 0; n < 5; n++, event.cycle++) {
        cr_expect_eq(reach.top_ttl, 4);
        fold_cycle(&reach, event.cycle, "RR.");
        reach_on_event(&reach, &event, false);
    }
    cr_expect_eq(reach.top_ttl, 2);
}

Test(reach, where_a_router_was_replaced_two_silences_are_enough)
{
    struct reach reach = {0};
    for (uint32_t cycle = 0; cycle < 3; cycle++)
        fold_cycle(&reach, cycle, "RRRR");
    for (uint32_t cycle = 3; cycle < 6; cycle++)
        fold_cycle(&reach, cycle, "RR..");
    reach_on_replaced(&reach, 2, 3);
    cr_expect_eq(reach.top_ttl, 4, "what it missed before that is forgotten");
    fold_cycle(&reach, 6, "RR..");
    cr_expect_eq(reach.top_ttl, 4);
    fold_cycle(&reach, 7, "RR..");
    cr_expect_eq(reach.top_ttl, 2);
}

Test(reach, who_has_answered_since_a_router_was_replaced_is_on_the_new_path)
{
    struct reach reach = {0};
    for (uint32_t cycle = 0; cycle < 4; cycle++)
        fold_cycle(&reach, cycle, "RRRR");
    reach_on_replaced(&reach, 2, 3); /* the answer of TTL 4 in cycle 3 was on the new one */
    for (uint32_t cycle = 4; cycle < 8; cycle++)
        fold_cycle(&reach, cycle, "RR..");
    cr_expect_eq(reach.top_ttl, 4, "four of five");
    reach_on_replaced(&reach, 4, 8); /* the farthest itself: nothing is behind it */
    cr_expect_not(reach.moved);
}

Test(reach, only_records_that_show_a_distance_are_folded_in)
{
    static const struct {
        const char *what;
        enum sonde_outcome outcome;
        bool to_target;
        bool is_target;
        bool uncertain;
        uint8_t dest_ttl;
        uint8_t top_ttl;
        uint8_t refused_ttl;
    } cases[] = {
        {"a hop", SONDE_OUTCOME_TTL_EXCEEDED, false, false, false, 0, 9, 0},
        {"the target", SONDE_OUTCOME_ECHO_REPLY, false, true, false, 9, 0, 0},
        {"the target's refusal", SONDE_OUTCOME_PORT_UNREACHABLE, false, true, false, 9, 0, 0},
        {"a router's refusal", SONDE_OUTCOME_ADMIN_PROHIBITED, false, false, false, 0, 0, 9},
        {"a loop, at full TTL", SONDE_OUTCOME_TTL_EXCEEDED, true, false, false, 0, 0, 0},
        {"an arrival at full TTL", SONDE_OUTCOME_OPEN, true, true, false, 0, 0, 0},
        {"a refusal at full TTL", SONDE_OUTCOME_HOST_UNREACHABLE, true, false, false, 0, 0, 0},
        {"silence", SONDE_OUTCOME_NO_REPLY, false, false, false, 0, 0, 0},
        {"nothing sent", SONDE_OUTCOME_SEND_ERROR, false, false, false, 0, 0, 0},
        {"perhaps another probe's", SONDE_OUTCOME_CLOSED, false, true, true, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reach reach = {0};
        const struct sonde_event event = {
            .ttl = 9,
            .outcome = cases[i].outcome,
            .to_target = cases[i].to_target,
            .uncertain = cases[i].uncertain,
        };
        reach_on_event(&reach, &event, cases[i].is_target);
        cr_expect_eq(reach.dest_ttl, cases[i].dest_ttl, "%s", cases[i].what);
        cr_expect_eq(reach.top_ttl, cases[i].top_ttl, "%s", cases[i].what);
        cr_expect_eq(reach.refused_ttl, cases[i].refused_ttl, "%s", cases[i].what);
    }
}

/* The target answered at 5 in cycles 3 and 10, and beyond in 12; in 20 a router is there, in 21 it
 * is believed. Nothing between 10 and 20 speaks of TTL 5. */
Test(reach, a_change_of_distance_began_after_the_target_answered_there_last)
{
    struct reach reach = {0};
    reach_on_answer(&reach, 5, 3, T);
    reach_on_answer(&reach, 5, 10, T);
    reach_on_answer(&reach, 7, 12, T);
    reach_on_answer(&reach, 5, 20, R);
    cr_expect_eq(reach.changes, 0);
    reach_on_answer(&reach, 5, 21, R);
    cr_expect_eq(reach.changes, 1);
    cr_expect_eq(reach.doubt_after, 10);
    cr_expect_eq(reach.dest_ttl, 0);
    /* the target is found behind it, and answered there once: in cycle 22 */
    reach_on_answer(&reach, 6, 22, T);
    reach_on_answer(&reach, 6, 30, R);
    reach_on_answer(&reach, 6, 31, R);
    cr_expect_eq(reach.changes, 2);
    cr_expect_eq(reach.doubt_after, 22);
}

/* Of a router that the target has taken the place of, only the cycle before is known. */
Test(reach, a_change_to_a_nearer_target_began_in_the_cycle_before_its_first_answer)
{
    struct reach reach = {0};
    reach_on_answer(&reach, 4, 2, R);
    reach_on_answer(&reach, 4, 9, T);
    reach_on_answer(&reach, 4, 11, T);
    cr_expect_eq(reach.changes, 1);
    cr_expect_eq(reach.dest_ttl, 4);
    cr_expect_eq(reach.doubt_after, 8);
}

/* Routers at 1 and 3, the target at 5: it may stand at 4. Then one answers there. When nobody
 * answers any more, the target still stands where it stood; a nearer answer of it is another
 * matter. */
Test(reach, how_exactly_a_distance_is_known_stays_known)
{
    struct reach reach = {0};
    const struct ttl_set nobody = {0};
    reach_on_answer(&reach, 1, 0, R);
    reach_on_answer(&reach, 3, 0, R);
    reach_on_answer(&reach, 5, 0, T);
    cr_expect_not(reach.dest_exact);
    reach_on_answer(&reach, 4, 1, R);
    cr_expect(reach.dest_exact);
    reach_forget(&reach, &nobody, 2);
    cr_expect_eq(reach.top_ttl, 0);
    cr_expect(reach.dest_exact);
    reach_on_answer(&reach, 3, 3, T);
    cr_expect_eq(reach.dest_ttl, 3);
    cr_expect_not(reach.dest_exact);
}
