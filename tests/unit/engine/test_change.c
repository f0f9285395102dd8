/* SPDX-License-Identifier: BSD-2-Clause */
/* When probes show something else than those before. Of n answers and then k lost probes, two rates
 * are likelier than one by (n + k)^(n + k) / (n^n k^k). After n probes that has to be more than
 * 1200 + 220 n below 20, and from there on more than 0.7 n^3; change.h says why it grows. */
#include "engine/change.h"

#include "base/time.h"

#include <criterion/criterion.h>

enum { MS = 1000000, MOST = 256 };

static struct epoch epochs[MOST];
static uint32_t count;
static sonde_ns interval_ns;

static void begin(sonde_ns each_ns)
{
    count = 0;
    interval_ns = each_ns;
}

/* So many more probes that end so, after the same round trip. */
static void add(uint32_t more, enum sonde_outcome outcome, sonde_ns rtt_ns)
{
    bool is_target = outcome >= SONDE_OUTCOME_ECHO_REPLY && outcome <= SONDE_OUTCOME_UDP_REPLY;
    for (; more > 0; more--, count++)
        epochs[count] = (struct epoch){.sent_ns = (sonde_ns)count * interval_ns,
                                       .cycle = count,
                                       .outcome = (uint8_t)outcome,
                                       .is_target = is_target,
                                       .rtt_ns = is_target ? rtt_ns : -1,
                                       .spaced = interval_ns >= SONDE_NS_PER_S};
}

static struct change find(void)
{
    const struct change_past past = {.probes = count};
    return change_find(epochs, count, count, &past);
}

static void expect(enum change_kind kind, uint32_t first, const char *what)
{
    struct change change = find();
    cr_expect_eq(change.kind, kind, "%s: kind %d", what, (int)change.kind);
    if (kind != CHANGE_NONE)
        cr_expect_eq(change.first, first, "%s: first %u", what, (unsigned)change.first);
}

/* 20 and 3: 23^23 / (20^20 3^3) = 7,384 > 5,600. 10 and 3: 1,121, and 4: 4,336 > 3,400. 5 and 6:
 * 1,957, and 7: 3,464 > 2,300. */
Test(change, silence_after_answers_is_one_when_chance_does_not_explain_it)
{
    static const struct {
        uint32_t answers;
        uint32_t lost;
        bool changes;
    } cases[] = {{20, 2, false}, {20, 3, true}, {100, 3, true}, {10, 3, false},
                 {10, 4, true},  {5, 6, false}, {5, 7, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(SONDE_NS_PER_S);
        add(cases[i].answers, SONDE_OUTCOME_OPEN, 10 * MS);
        add(cases[i].lost, SONDE_OUTCOME_NO_REPLY, 0);
        expect(cases[i].changes ? CHANGE_MIXTURE : CHANGE_NONE, cases[i].answers, "silence");
    }
}

/* Ten times a second, three lost probes last 0.2 s: who answers once a second would be silent as
 * long. 20 of them last 1.9 s. */
Test(change, silence_has_to_last_longer_than_a_ration_of_answers)
{
    begin(100 * MS);
    add(40, SONDE_OUTCOME_OPEN, 10 * MS);
    add(19, SONDE_OUTCOME_NO_REPLY, 0);
    expect(CHANGE_NONE, 0, "1.8 s");
    add(1, SONDE_OUTCOME_NO_REPLY, 0);
    expect(CHANGE_MIXTURE, 40, "1.9 s");
    begin(SONDE_NS_PER_S);
    add(40, SONDE_OUTCOME_PORT_UNREACHABLE, 10 * MS);
    add(5, SONDE_OUTCOME_NO_REPLY, 0);
    expect(CHANGE_NONE, 0, "ICMP errors, 4 s");
    add(1, SONDE_OUTCOME_NO_REPLY, 0);
    expect(CHANGE_MIXTURE, 40, "ICMP errors, 5 s");
}

/* Two of eight and two can come in 45 orders. */
Test(change, an_answer_of_another_kind_is_one_twice_in_a_row)
{
    begin(SONDE_NS_PER_S);
    add(8, SONDE_OUTCOME_OPEN, 10 * MS);
    add(1, SONDE_OUTCOME_CLOSED, 10 * MS);
    expect(CHANGE_NONE, 0, "once");
    add(1, SONDE_OUTCOME_CLOSED, 10 * MS);
    expect(CHANGE_ANSWER, 8, "twice");
    begin(SONDE_NS_PER_S);
    add(7, SONDE_OUTCOME_OPEN, 10 * MS);
    add(2, SONDE_OUTCOME_CLOSED, 10 * MS);
    expect(CHANGE_NONE, 0, "of seven and two there are 36");
    begin(SONDE_NS_PER_S);
    for (int i = 0; i < 20; i++) {
        add(1, SONDE_OUTCOME_OPEN, 10 * MS);
        add(1, SONDE_OUTCOME_CLOSED, 10 * MS);
    }
    add(2, SONDE_OUTCOME_CLOSED, 10 * MS);
    expect(CHANGE_NONE, 0, "both were there before");
}

Test(change, answers_after_silence_begin_with_the_first)
{
    begin(SONDE_NS_PER_S);
    add(8, SONDE_OUTCOME_NO_REPLY, 0);
    add(2, SONDE_OUTCOME_OPEN, 10 * MS);
    expect(CHANGE_ANSWER, 8, "it answers");
    begin(SONDE_NS_PER_S);
    add(2, SONDE_OUTCOME_NO_REPLY, 0);
    add(9, SONDE_OUTCOME_OPEN, 10 * MS);
    expect(CHANGE_NONE, 0, "two lost at the start are an accident");
}

/* Rows of three lost in every 20: so many in a row are no chance at 15 %, so they are bursts. */
Test(change, a_burst_is_none_where_there_were_as_long_ones)
{
    begin(SONDE_NS_PER_S);
    for (int i = 0; i < 6; i++) {
        add(17, SONDE_OUTCOME_OPEN, 10 * MS);
        add(5, SONDE_OUTCOME_NO_REPLY, 0);
    }
    const struct change_past past = {.probes = count, .ended[SONDE_OUTCOME_OPEN] = 10};
    add(17, SONDE_OUTCOME_OPEN, 10 * MS);
    add(10, SONDE_OUTCOME_NO_REPLY, 0);
    cr_expect_neq(change_find(epochs, count, count, &past).first, 149,
                  "ten are twice as long as five");
    begin(SONDE_NS_PER_S);
    add(150, SONDE_OUTCOME_OPEN, 10 * MS);
    add(5, SONDE_OUTCOME_NO_REPLY, 0);
    expect(CHANGE_MIXTURE, 150, "but for the first one");
}

/* Seven of 27 come in 888,030 orders. */
Test(change, a_round_trip_that_stays_longer_is_one)
{
    begin(SONDE_NS_PER_S);
    add(20, SONDE_OUTCOME_OPEN, 10 * MS);
    add(6, SONDE_OUTCOME_OPEN, 50 * MS);
    expect(CHANGE_NONE, 0, "six");
    add(1, SONDE_OUTCOME_OPEN, 50 * MS);
    expect(CHANGE_LATENCY, 20, "seven");
    begin(SONDE_NS_PER_S);
    add(20, SONDE_OUTCOME_OPEN, 10 * MS);
    add(20, SONDE_OUTCOME_OPEN, 12 * MS);
    expect(CHANGE_NONE, 0, "2 ms are not much");
}

/* Two lost first of all, and none of 200 since: two probes are no stretch of their own. Of three
 * the ratio 203^203 / (3^3 200^200) is a million and more. */
Test(change, what_was_before_takes_three_probes_as_well)
{
    for (uint32_t lost = 2; lost <= 3; lost++) {
        begin(SONDE_NS_PER_S);
        add(lost, SONDE_OUTCOME_NO_REPLY, 0);
        add(200, SONDE_OUTCOME_OPEN, 10 * MS);
        expect(lost < 3 ? CHANGE_NONE : CHANGE_MIXTURE, lost, "lost at first");
    }
}

/* An answer of another kind, once: it shows nothing yet, unless little was there before. */
Test(change, one_answer_of_another_kind_is_a_first_sign)
{
    static const struct {
        uint32_t before;
        enum sonde_outcome was;
        bool is_sign;
    } cases[] = {{11, SONDE_OUTCOME_NO_REPLY, false},
                 {12, SONDE_OUTCOME_NO_REPLY, true},
                 {1, SONDE_OUTCOME_CLOSED, false},
                 {2, SONDE_OUTCOME_CLOSED, true},
                 {30, SONDE_OUTCOME_OPEN, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct change_past past = {.probes = cases[i].before + 1};
        begin(SONDE_NS_PER_S);
        add(cases[i].before, cases[i].was, 10 * MS);
        add(1, SONDE_OUTCOME_OPEN, 10 * MS);
        cr_expect_eq(change_first_sign(epochs, count, &past),
                     cases[i].is_sign ? cases[i].before : count, "case %zu", i);
    }
}

/* Twenty times a second, half is lost; of the last 2 s only what was answered is known. Of 40 that
 * is no chance: 0.5^40. */
Test(change, what_is_answered_sooner_than_lost_is_no_change)
{
    const struct change_past past = {.probes = 140};
    begin(50 * MS);
    for (uint32_t i = 0; i < 50; i++) {
        add(1, SONDE_OUTCOME_OPEN, 10 * MS);
        add(1, SONDE_OUTCOME_NO_REPLY, 0);
    }
    uint32_t whole = count;
    add(40, SONDE_OUTCOME_OPEN, 10 * MS);
    cr_expect_eq(change_find(epochs, count, count, &past).kind, CHANGE_MIXTURE);
    cr_expect_eq(change_find(epochs, count, whole, &past).kind, CHANGE_NONE);
}

/* A router that looks for a host says that it is not there after three seconds, so what left before
 * was silent. Where that is all there was, it is one thing; after ten seconds it is another. */
Test(change, who_refuses_a_little_late_has_done_so_from_the_beginning)
{
    static const struct {
        sonde_ns interval_ns;
        bool changes;
    } cases[] = {{200 * MS, false}, {SONDE_NS_PER_S, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(cases[i].interval_ns);
        add(10, SONDE_OUTCOME_NO_REPLY, 0);
        add(10, SONDE_OUTCOME_HOST_UNREACHABLE, 0);
        expect(cases[i].changes ? CHANGE_ANSWER : CHANGE_NONE, 10, "refused late");
    }
}
