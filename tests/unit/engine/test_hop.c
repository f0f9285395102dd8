/* SPDX-License-Identifier: BSD-2-Clause */
/* What probes drew at a hop, and which router the path goes through there. */
#include "engine/hop.h"

#include "tests/support/records.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct tally_hop *hop;

static void make_hop(void)
{
    hop = hop_new();
    cr_assert_not_null(hop);
}

static void free_hop(void)
{
    hop_free(hop);
}

TestSuite(hop, .init = make_hop, .fini = free_hop);

/* Router 10.a.b.1 answers a probe of a cycle. @return true if that changes the path. */
static bool answer(unsigned router, uint32_t cycle)
{
    char text[32];
    (void)snprintf(text, sizeof text, "10.%u.%u.1", router / 256, router % 256);
    struct sonde_event event = record_hop(0, cycle, 2, SONDE_OUTCOME_TTL_EXCEEDED, text);
    return hop_on_answer(hop, &event, true);
}

/* One answer a cycle, from the router that each letter of a text names. A number behind it says how
 * often: "A3B" is "AAAB". @return How often the path changed. */
static uint32_t answer_letters(const char *letters)
{
    uint32_t cycle = 0;
    uint32_t changes = 0;
    while (*letters != '\0') {
        unsigned router = (unsigned)(*letters - 'A');
        char *end;
        unsigned long times = strtoul(letters + 1, &end, 10);
        for (unsigned long i = 0; i < (end == letters + 1 ? 1 : times); i++)
            changes += answer(router, cycle++);
        letters = end;
    }
    return changes;
}

/* By hand. A run is trusted from three on; after a run of one or two from twice as many, to 24, and
 * after one that was long enough from half as many again. Besides, the run and the one before it
 * have to be sixteen together. */
Test(hop, the_more_routers_take_turns_the_longer_must_one_answer_alone)
{
    static const struct {
        const char *letters;
        uint32_t changes;
    } cases[] = {
        {"A13B3", 1},
        {"A14B2", 0},                 /* two are not enough */
        {"A12B3", 0},                 /* fifteen together */
        {"A12B4", 1},                 /* sixteen */
        {"A3B12", 0},                 /* fifteen */
        {"A3B13", 1},                 /* sixteen */
        {"A2B13", 0},                 /* A is short: 6, but fifteen together */
        {"A2B14", 1},                 /* sixteen */
        {"A13BA13", 0},               /* one stray answer */
        {"ABA5B11", 0},               /* A and B are short: 12 */
        {"ABA5B12", 1},               /* and here they are */
        {"ABA12B5", 0},               /* 12, and A was long enough: 6 */
        {"ABA12B6", 1},               /* and here they are */
        {"ABA11B6", 0},               /* A was not long enough: still 12 */
        {"A13BA20B3", 1},             /* 6, and A was long enough: 3 */
        {"A16B16A16B16", 3},          /* there and back and there */
        {"A7B7A7B7A7B7", 0},          /* turns of seven: fourteen together */
        {"ABABABABABABABAB", 0},      /* turns */
        {"ABBABABBAABABBBA", 0},      /* turns by chance */
        {"A16BCBCBCBCBCBCBC", 0},     /* a path that splits now: none of its branches is the path */
        {"ABABABABA2B23", 0},         /* 23 times B */
        {"ABABABABA2B24", 1},         /* 24 */
        {"ABABABABABABABABA2B24", 1}, /* never more */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        free_hop();
        make_hop();
        uint32_t changes = answer_letters(cases[i].letters);
        cr_expect_eq(changes, cases[i].changes, "%s: %u", cases[i].letters, changes);
    }
}

/* The run of the new router begins in cycle 14: the one before it answered last in cycle 13. */
Test(hop, a_change_is_after_the_last_answer_of_the_router_before)
{
    for (uint32_t cycle = 0; cycle < 14; cycle++)
        cr_expect_not(answer(1, cycle));
    cr_expect_not(answer(2, 14));
    cr_expect_not(answer(2, 15));
    cr_expect_eq(hop->current, 0, "the first");
    cr_expect(answer(2, 18));
    cr_expect_eq(hop->current, 1, "the second");
    cr_expect_eq(hop->run_after, 13);
    cr_expect_eq(hop->last_cycle, 18);
    cr_expect_not(answer(2, 19), "it is known");
}

Test(hop, who_refuses_is_listed_and_is_no_router_of_the_path)
{
    struct sonde_event refused = record_hop(0, 0, 2, SONDE_OUTCOME_ADMIN_PROHIBITED, "10.0.1.1");
    for (unsigned i = 0; i < 20; i++)
        cr_expect_not(hop_on_answer(hop, &refused, true));
    cr_expect_eq(hop->current, TALLY_NOBODY);
    cr_expect_eq(hop->last, TALLY_NOBODY);
    cr_expect_eq(hop->received, 20);
    cr_assert_eq(hop->responder_count, 1);
    cr_expect_eq(hop->responders[0].kind, SONDE_OUTCOME_ADMIN_PROHIBITED);
}

Test(hop, a_round_trip_that_is_not_known_is_no_sample)
{
    struct sonde_event event = record_hop(0, 0, 2, SONDE_OUTCOME_TTL_EXCEEDED, "10.0.1.1");
    (void)hop_on_answer(hop, &event, true);
    event.rtt_ns = -1;
    (void)hop_on_answer(hop, &event, true);
    cr_expect_eq(hop->received, 2);
    cr_expect_eq(hop->rtt.samples, 1);
    event.rtt_ns = 0;
    (void)hop_on_answer(hop, &event, true);
    cr_expect_eq(hop->rtt.samples, 2, "0 is one");
}

Test(hop, responders_beyond_sixty_four_are_only_counted)
{
    for (unsigned i = 0; i < 1000; i++)
        (void)answer(i, i);
    (void)answer(63, 1000); /* the 64th */
    (void)answer(64, 1001); /* the 65th */
    cr_expect_eq(hop->responder_count, 64);
    cr_expect_eq(hop->received, 1002);
    cr_expect_eq(hop->unlisted, 937); /* 1000 - 64 + 1 */
    cr_expect_eq(hop->responders[63].received, 2);
}

/* Beyond the sixty-fourth there is no place for a router; it ends a run all the same. */
Test(hop, who_is_not_listed_takes_turns_like_any_other)
{
    for (unsigned i = 0; i < 200; i++)
        cr_expect_not(answer(i % 100, i));
    cr_expect_eq(hop->current, 0);
    for (unsigned i = 0; i < 100; i++)
        cr_expect_not(answer(99, 200 + i), "nobody knows whether that is one router");
}

Test(hop, extensions_are_those_of_the_last_answer_that_had_any)
{
    struct sonde_event event = record_hop(0, 0, 2, SONDE_OUTCOME_TTL_EXCEEDED, "10.2.0.1");
    event.ext.count = 1;
    event.ext.items[0].class_num = 1;
    event.ext.items[0].u.mpls.count = 1;
    event.ext.items[0].u.mpls.labels[0].label = 16001;
    (void)hop_on_answer(hop, &event, true);
    event.ext.items[0].u.mpls.labels[0].label = 16002;
    (void)hop_on_answer(hop, &event, true);
    event.ext = (struct sonde_extensions){0};
    (void)hop_on_answer(hop, &event, true);
    const struct tally_responder *responder = &hop->responders[0];
    cr_assert_not_null(responder->ext);
    cr_expect_eq(responder->ext->count, 1);
    cr_expect_eq(responder->ext->items[0].u.mpls.labels[0].label, 16002);
    cr_expect_eq(responder->received, 3);
}

/* In letters: the path's router A, then B, C, and D last, once; or A last. */
Test(hop, figures_begin_anew_with_the_router_of_the_path_and_who_answered_last)
{
    static const struct {
        const char *letters;
        uint32_t kept;
    } cases[] = {{"A", 1},    {"AB", 2},     {"ABCD", 2},  {"ABCDA", 1},
                 {"BACB", 1}, {"A2B16C", 2}, {"A2B16A", 2}};
    free_hop();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_hop();
        (void)answer_letters(cases[i].letters);
        const struct tally_hop before = *hop;
        const struct sonde_addr current = hop->responders[hop->current].addr;
        const struct sonde_addr last = hop->responders[hop->last].addr;
        hop_reset(hop);
        cr_expect_eq(hop->sent + hop->received + hop->unlisted + hop->rtt.samples, 0);
        cr_assert_eq(hop->responder_count, cases[i].kept, "%s", cases[i].letters);
        cr_expect(sonde_addr_equal(&hop->responders[hop->current].addr, &current), "%s",
                  cases[i].letters);
        cr_expect(sonde_addr_equal(&hop->responders[hop->last].addr, &last), "%s",
                  cases[i].letters);
        cr_expect_eq(hop->run, before.run);
        cr_expect_eq(hop->run_trusted, before.run_trusted);
        for (uint32_t k = 0; k < hop->responder_count; k++)
            cr_expect_eq(hop->responders[k].received, 0);
        for (unsigned router = 0; router < 70; router++)
            (void)answer(router, 100 + router); /* there is place for more again */
        cr_expect_eq(hop->responder_count, 64);
        free_hop();
    }
    make_hop();
}

Test(hop, an_answer_that_does_not_count_shows_only_who_stands_there)
{
    struct sonde_event event = record_hop(0, 0, 2, SONDE_OUTCOME_TTL_EXCEEDED, "10.0.1.1");
    (void)hop_on_answer(hop, &event, false);
    cr_expect_eq(hop->received + hop->rtt.samples + hop->responders[0].received, 0);
    cr_expect_eq(hop->current, 0);
    cr_expect_eq(hop->run, 1);
}
