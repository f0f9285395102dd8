/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often a router may be asked. All times follow from two numbers of engine/budget.h: six asks
 * at once, and then one a second. A bucket that is charged n times at T is full again at T + n s,
 * and allows another ask that leaves k of the burst when at most 5 - k charges are open: at
 * T + n - 5 + k.
 */
#include "engine/budget.h"
#include "tests/support/failing_alloc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const sonde_ns S = SONDE_NS_PER_S;
static const sonde_ns T = 77 * SONDE_NS_PER_S; /* some time */

static struct budget budget;

static void make_budget(void)
{
    cr_assert_eq(budget_init(&budget, 1024), 0);
}

static void free_budget(void)
{
    budget_deinit(&budget);
}

TestSuite(budget, .init = make_budget, .fini = free_budget);

/* 10.x.y.1 */
static struct sonde_addr numbered_addr(unsigned number)
{
    return (struct sonde_addr){
        .family = SONDE_FAMILY_IPV4,
        .bytes = {10, (uint8_t)(number / 256), (uint8_t)(number % 256), 1},
    };
}

static budget_key router_key(unsigned number)
{
    struct sonde_addr addr = numbered_addr(number);
    return budget_router(&addr);
}

/* What stands at a TTL, of which nothing before is known. */
static struct budget_place place_at(unsigned ttl)
{
    struct sonde_addr source = numbered_addr(0);
    return budget_place(&source, 0, ttl);
}

/* And behind a router that is known. */
static struct budget_place place_behind(unsigned router, unsigned ttl)
{
    struct sonde_addr source = numbered_addr(0);
    return budget_place(&source, router_key(router), ttl);
}

static void charge_times(budget_key key, unsigned count, sonde_ns now)
{
    for (unsigned i = 0; i < count; i++)
        budget_charge(&budget, key, now);
}

/* After so many asks at T, another may be made that leaves some of the burst. A bucket that is full
 * is as good as none. */
static void expect_ready(sonde_ns ready, unsigned count, unsigned keep, const char *what)
{
    sonde_ns expected = T + ((int)count - 5 + (int)keep) * S;
    bool as_expected = count > 0 ? ready == expected : ready <= expected;
    cr_expect(as_expected, "%s, %u kept: %f s after T", what, keep, (double)(ready - T) / 1e9);
}

/* A bucket has been charged for so many asks at T, or is as if it had. */
static void expect_charges(budget_key key, unsigned count, const char *what)
{
    for (unsigned keep = 0; keep < BUDGET_BURST; keep++)
        expect_ready(budget_ready_ns(&budget, key, keep), count, keep, what);
}

/* Likewise whoever stands at a place. */
static void expect_place(struct budget_place place, unsigned count, const char *what)
{
    for (unsigned keep = 0; keep < BUDGET_BURST; keep++)
        expect_ready(budget_place_ready_ns(&budget, place, keep), count, keep, what);
}

static struct budget_charge charge_place(struct budget_place place)
{
    return budget_place_charge(&budget, place, T);
}

/* A router answers what was charged. */
static void answer(struct budget_charge charge, unsigned router, struct budget_place place)
{
    budget_answered(&budget, &charge, router_key(router), place, T);
    cr_expect_eq(charge.key, 0, "nothing is left to give back");
    cr_expect_eq(charge.at_ttl, 0);
}

Test(budget, who_was_never_asked_may_be_asked_at_once)
{
    expect_charges(router_key(1), 0, "a router");
    expect_place(place_at(1), 0, "a place");
}

Test(budget, each_ask_takes_one_of_six_and_one_comes_back_each_second)
{
    for (unsigned count = 1; count <= 8; count++) {
        charge_times(router_key(count), count, T);
        expect_charges(router_key(count), count, "a router");
    }
    /* in words, for the six at once */
    cr_expect_leq(budget_ready_ns(&budget, router_key(5), 0), T, "the sixth goes at once");
    cr_expect_eq(budget_ready_ns(&budget, router_key(6), 0), T + S, "the seventh a second later");
    cr_expect_eq(budget_ready_ns(&budget, router_key(7), 0), T + 2 * S, "and so on");
    cr_expect_leq(budget_ready_ns(&budget, router_key(3), 2), T, "the fourth leaves two");
    cr_expect_eq(budget_ready_ns(&budget, router_key(4), 2), T + S, "the fifth would not");
}

/* What comes back is no more than the burst, however long nobody asks. */
Test(budget, a_long_pause_is_worth_six_asks_and_no_more)
{
    charge_times(router_key(1), 3, T - 1000 * S);
    charge_times(router_key(1), 6, T);
    expect_charges(router_key(1), 6, "after a pause");
}

Test(budget, a_short_pause_is_worth_what_came_back_in_it)
{
    charge_times(router_key(1), 4, T - 3 * S); /* at T there is one charge left */
    expect_charges(router_key(1), 1, "before the next ask");
    budget_charge(&budget, router_key(1), T);
    expect_charges(router_key(1), 2, "after it");
}

/* Ask whenever it is allowed, for a minute: so many at once, and one at each second after. */
static void expect_at_once(budget_key key, unsigned keep, unsigned at_once)
{
    sonde_ns now = T;
    for (unsigned count = 0; count < 65; count++) {
        sonde_ns ready = budget_ready_ns(&budget, key, keep);
        now = ready > now ? ready : now;
        sonde_ns expected = count < at_once ? T : T + (count + 1 - at_once) * S;
        cr_expect_eq(now, expected, "ask %u, %u kept", count, keep);
        budget_charge(&budget, key, now);
    }
}

Test(budget, who_asks_whenever_it_may_asks_six_times_and_then_each_second)
{
    expect_at_once(router_key(1), 0, 6);
}

Test(budget, who_leaves_the_spare_asks_five_times_and_then_each_second)
{
    expect_at_once(router_key(1), BUDGET_SPARE, 5);
}

/* A charge touches the bucket of that key and no other. */
static void expect_own_buckets(const budget_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        charge_times(keys[i], (unsigned)i + 1, T);
    for (size_t i = 0; i < count; i++) {
        cr_expect_neq(keys[i], 0, "key %zu names a bucket", i);
        expect_charges(keys[i], (unsigned)i + 1, "each its own");
    }
}

Test(budget, each_router_has_a_bucket_of_its_own)
{
    struct sonde_addr addr = {.family = SONDE_FAMILY_IPV6, .bytes = {0xfe, 0x80, [15] = 1}};
    budget_key keys[6];
    keys[0] = router_key(1);
    keys[1] = router_key(2);
    keys[2] = budget_router(&addr);
    addr.scope = 2; /* the same link-local address on another link */
    keys[3] = budget_router(&addr);
    addr.bytes[15] = 2; /* in the last byte only */
    keys[4] = budget_router(&addr);
    addr.bytes[7] = 1; /* in the first half only */
    keys[5] = budget_router(&addr);
    expect_own_buckets(keys, sizeof keys / sizeof *keys);
}

Test(budget, places_differ_by_where_from_behind_whom_and_how_far)
{
    struct sonde_addr source = numbered_addr(0);
    struct sonde_addr other = numbered_addr(1);
    const budget_key keys[] = {
        budget_place(&source, 0, 1).behind,
        budget_place(&source, 0, 2).behind,
        budget_place(&other, 0, 1).behind,
        budget_place(&source, router_key(1), 2).behind,
        budget_place(&source, router_key(2), 2).behind,
        budget_router(&source), /* and from the router that has the address */
    };
    expect_own_buckets(keys, sizeof keys / sizeof *keys);
    cr_expect_eq(budget_place(&source, router_key(1), 2).behind, keys[3], "for all traces");
    cr_expect_eq(budget_place(&source, router_key(1), 2).at_ttl, keys[1], "at its TTL");
}

/* Behind different routers there may be the same one at a TTL, as long as nobody was met there. */
Test(budget, until_somebody_was_met_at_a_ttl_its_places_share_what_it_may_be_asked)
{
    for (unsigned i = 0; i < 3; i++)
        (void)charge_place(place_behind(1, 3));
    expect_place(place_behind(1, 3), 3, "where it was asked");
    expect_place(place_behind(2, 3), 3, "behind another");
    expect_place(place_at(3), 3, "behind nobody");
    expect_place(place_behind(2, 4), 0, "farther away");
    (void)charge_place(place_behind(2, 3));
    expect_place(place_behind(1, 3), 4, "all together");
}

Test(budget, the_charge_of_a_place_moves_to_the_router_that_answered)
{
    struct budget_charge first = charge_place(place_behind(9, 3));
    struct budget_charge second = charge_place(place_behind(9, 3));
    answer(first, 1, place_behind(9, 3));
    expect_charges(router_key(1), 1, "the router");
    expect_charges(second.key, 1, "what is still out");
    expect_charges(second.at_ttl, 1, "at the TTL, too");
    answer(second, 1, place_behind(9, 3));
    expect_charges(router_key(1), 2, "the router");
}

/* All traces that come to a place meet the same router, as far as is known. */
Test(budget, the_router_that_was_met_at_a_place_is_expected_there)
{
    answer(charge_place(place_behind(9, 3)), 1, place_behind(9, 3));
    expect_place(place_behind(9, 3), 1, "at the place");
    struct budget_charge charge = charge_place(place_behind(9, 3));
    cr_expect_eq(charge.key, router_key(1));
    cr_expect_eq(charge.at_ttl, 0, "it is known who is asked");
    budget_charge(&budget, router_key(1), T); /* by who knows it */
    expect_place(place_behind(9, 3), 3, "all together");
}

/* The trace has learned meanwhile who stands before it: others that know him, too, are at another
 * place. */
Test(budget, where_the_place_has_got_another_name_the_router_is_expected_at_both)
{
    struct budget_charge charge = charge_place(place_at(3));
    budget_charge(&budget, router_key(1), T); /* by somebody else */
    answer(charge, 1, place_behind(9, 3));
    expect_charges(router_key(1), 2, "the router");
    cr_expect_eq(charge_place(place_at(3)).key, router_key(1), "the place that was charged");
    cr_expect_eq(charge_place(place_behind(9, 3)).key, router_key(1), "as it is known now");
}

Test(budget, the_only_router_that_was_met_at_a_ttl_is_expected_everywhere_there)
{
    answer(charge_place(place_behind(8, 3)), 1, place_behind(8, 3));
    cr_expect_eq(charge_place(place_behind(9, 3)).key, router_key(1));
    cr_expect_eq(charge_place(place_behind(9, 4)).key, place_behind(9, 4).behind, "farther away");
}

Test(budget, once_two_were_met_at_a_ttl_its_places_go_their_own_ways)
{
    answer(charge_place(place_behind(8, 3)), 1, place_behind(8, 3));
    answer(charge_place(place_behind(9, 3)), 2, place_behind(9, 3));
    cr_expect_eq(charge_place(place_behind(8, 3)).key, router_key(1));
    cr_expect_eq(charge_place(place_behind(9, 3)).key, router_key(2));
    for (unsigned i = 0; i < 4; i++)
        (void)charge_place(place_behind(7, 3));
    expect_place(place_behind(7, 3), 4, "where nobody was met");
    expect_place(place_behind(6, 3), 0, "elsewhere");
}

/* Flows that part behind a router meet several at the same place: whoever asks there may ask either
 * of the last two. */
Test(budget, where_several_were_met_the_last_two_are_charged_until_one_answers)
{
    struct budget_place place = place_behind(9, 3);
    answer(charge_place(place), 1, place);
    answer(charge_place(place), 2, place);
    expect_charges(router_key(1), 1, "the first; that of the second was moved");
    expect_charges(router_key(2), 1, "the second");
    struct budget_charge charge = charge_place(place);
    expect_charges(router_key(1), 2, "it may be this one");
    expect_charges(router_key(2), 2, "or that");
    answer(charge, 2, place);
    expect_charges(router_key(1), 1, "it was not");
    expect_charges(router_key(2), 2, "it was");
    charge_times(router_key(1), 4, T);
    expect_place(place, 5, "the place has no more left than either");
    charge = charge_place(place);
    answer(charge, 3, place);
    expect_charges(router_key(1), 5, "a third has answered");
    expect_charges(router_key(2), 2, "a third has answered");
    expect_charges(router_key(3), 1, "a third has answered");
    charge = charge_place(place);
    budget_unanswered(&budget, &charge);
    expect_charges(router_key(2), 3,
                   "the last two are 3 and 2: one of them may have had none left");
    expect_charges(router_key(3), 2,
                   "the last two are 3 and 2: one of them may have had none left");
    budget_give_back(&budget, &charge);
    expect_charges(router_key(2), 2, "nobody was asked");
    expect_charges(router_key(3), 1, "nobody was asked");
}

Test(budget, a_probe_that_asked_nobody_is_given_back)
{
    struct budget_charge charge = charge_place(place_behind(9, 3));
    (void)charge_place(place_behind(9, 3));
    budget_give_back(&budget, &charge);
    expect_place(place_behind(9, 3), 1, "the place");
    expect_place(place_behind(8, 3), 1, "its TTL");
    budget_give_back(&budget, &charge);
    expect_place(place_behind(9, 3), 1, "only once");
    charge = (struct budget_charge){.key = router_key(1)};
    charge_times(router_key(1), 3, T);
    budget_give_back(&budget, &charge);
    expect_charges(router_key(1), 2, "a router");
}

/* It may be of a router that had no answer left: who stands there must not be asked more. But that
 * it is the same that others would meet is less likely the longer nobody was met. */
Test(budget, a_probe_that_nobody_answered_stays_charged_to_its_place_and_not_to_its_ttl)
{
    struct budget_charge charge = charge_place(place_behind(9, 3));
    budget_unanswered(&budget, &charge);
    expect_place(place_behind(9, 3), 1, "the place");
    expect_place(place_behind(8, 3), 0, "elsewhere");
    cr_expect_eq(charge.at_ttl, 0);
    budget_give_back(&budget, &charge);
    expect_place(place_behind(9, 3), 0, "nothing is given back twice");
    charge = charge_place(place_at(4));
    budget_unanswered(&budget, &charge);
    expect_place(place_at(4), 1, "behind nobody it is the same");
}

Test(budget, a_charge_is_forgotten_with_time)
{
    for (unsigned i = 0; i < 6; i++)
        (void)charge_place(place_at(3));
    cr_expect_eq(budget_place_ready_ns(&budget, place_at(3), 0), T + S);
    cr_expect_eq(budget_place_ready_ns(&budget, place_at(3), 5), T + 6 * S, "as good as new");
}

Test(budget, a_router_that_answers_in_place_of_the_one_charged_is_charged_instead)
{
    charge_times(router_key(1), 2, T);
    answer((struct budget_charge){.key = router_key(1)}, 2, place_at(3));
    expect_charges(router_key(1), 1, "the one that was expected");
    expect_charges(router_key(2), 1, "the one that answered");
    cr_expect_eq(charge_place(place_at(3)).key, router_key(2));
}

Test(budget, the_router_that_was_charged_is_not_charged_twice)
{
    charge_times(router_key(1), 2, T);
    answer((struct budget_charge){.key = router_key(1)}, 1, place_at(3));
    expect_charges(router_key(1), 2, "the router");
}

Test(budget, a_router_that_answers_what_was_not_charged_is_charged)
{
    answer((struct budget_charge){0}, 1, place_at(3));
    expect_charges(router_key(1), 1, "the router");
}

/* An answer arrives two seconds after its probe: it is then that the router gave one away. */
Test(budget, a_router_is_charged_when_it_answers)
{
    struct budget_charge charge = budget_place_charge(&budget, place_at(3), T - 2 * S);
    answer(charge, 1, place_at(3));
    expect_charges(router_key(1), 1, "the router");
}

Test(budget, buckets_are_a_power_of_two_and_enough)
{
    static const uint32_t wanted[] = {1, 8, 9, 1024, 1025, 100000};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct budget other;
        cr_assert_eq(budget_init(&other, wanted[i]), 0);
        cr_expect_geq(other.cap, wanted[i]);
        cr_expect_lt(other.cap / 2, wanted[i] < 8 ? 8 : wanted[i], "and not much more");
        cr_expect_eq(other.cap & (other.cap - 1), 0);
        budget_deinit(&other);
        cr_expect_null(other.buckets);
        cr_expect_eq(other.cap, 0);
    }
    struct budget zeroed = {0};
    budget_deinit(&zeroed);
}

Test(budget, without_memory_there_is_none)
{
    struct budget other;
    alloc_fail(0, 1);
    cr_expect_eq(budget_init(&other, 1), -ENOMEM);
    alloc_fail(0, 1);
    cr_expect_eq(budget_init(&other, UINT32_MAX), -ENOMEM, "whatever is asked for");
    alloc_heal();
}

/* 256 routers in room for 1024, in sets of 8: with 2 in each on average, more than 8 are in one
 * with a probability of 0.02 % (Poisson), and there are 128 sets. */
Test(budget, routers_of_a_plan_do_not_crowd_each_other_out)
{
    unsigned forgotten = 0;
    for (unsigned i = 0; i < 256; i++)
        charge_times(router_key(i), 6, T);
    for (unsigned i = 0; i < 256; i++)
        forgotten += budget_ready_ns(&budget, router_key(i), 0) != T + S;
    cr_expect_leq(forgotten, 1);
}

/* Eight have room. Of these the first is charged least, so it is full again first. */
Test(budget, the_room_of_the_bucket_that_is_full_first_is_used_for_another)
{
    free_budget();
    cr_assert_eq(budget_init(&budget, 1), 0);
    cr_assert_eq(budget.cap, 8);
    for (unsigned i = 0; i < 8; i++)
        charge_times(router_key(i), (i + 3) % 8 + 1, T); /* 4 5 6 7 8 1 2 3 */
    budget_charge(&budget, router_key(8), T + S);
    expect_charges(router_key(5), 0, "the one that was full");
    cr_expect_eq(budget_ready_ns(&budget, router_key(8), 5), T + 2 * S);
    for (unsigned i = 0; i < 8; i++) {
        if (i != 5)
            expect_charges(router_key(i), (i + 3) % 8 + 1, "the others");
    }
    budget_charge(&budget, router_key(9), T + 2 * S); /* now 6 is full, and 8, which was charged */
    cr_expect_eq(budget_ready_ns(&budget, router_key(9), 5), T + 3 * S);
    expect_charges(router_key(7), 3, "one that is not full");
}

/* Too much is out for all to be remembered: what comes back is then for a place that nobody
 * remembers. */
Test(budget, a_place_that_was_forgotten_has_nothing_to_give_back)
{
    free_budget();
    cr_assert_eq(budget_init(&budget, 1), 0);
    struct budget_charge charge = budget_place_charge(&budget, place_at(1), T - S);
    for (unsigned i = 0; i < 8; i++)
        charge_times(router_key(i), 2, T);
    expect_place(place_at(1), 0, "forgotten");
    budget_give_back(&budget, &charge);
    expect_place(place_at(1), 0, "still");
    for (unsigned i = 0; i < 8; i++)
        expect_charges(router_key(i), 2, "and nobody else is given anything");
}

/* An empty room is taken before that of a bucket, be it full again. */
Test(budget, nobody_is_forgotten_while_there_is_room)
{
    free_budget();
    cr_assert_eq(budget_init(&budget, 1), 0);
    answer(budget_place_charge(&budget, place_at(1), T - 9 * S), 1, place_at(1));
    for (unsigned i = 2; i < 8; i++)
        budget_charge(&budget, router_key(i), T);
    cr_expect_eq(charge_place(place_at(1)).key, router_key(1), "two and six have room");
}

Test(budget, growing_forgets_nothing)
{
    free_budget();
    cr_assert_eq(budget_init(&budget, 8), 0);
    for (unsigned i = 0; i < 6; i++)
        charge_times(router_key(i), i + 1, T);
    answer(charge_place(place_at(3)), 6, place_at(3));
    cr_assert_eq(budget_grow(&budget, 5000), 0);
    cr_expect_eq(charge_place(place_at(3)).key, router_key(6), "who was met");
    cr_expect_geq(budget.cap, 5000);
    for (unsigned i = 0; i < 6; i++)
        expect_charges(router_key(i), i + 1, "after growing");
    const struct budget_bucket *before = budget.buckets;
    cr_assert_eq(budget_grow(&budget, 100), 0);
    cr_expect_eq(budget.buckets, before, "it is large enough");
    cr_expect_geq(budget.cap, 5000);
    alloc_fail(0, 1);
    cr_expect_eq(budget_grow(&budget, 100000), -ENOMEM);
    alloc_heal();
    for (unsigned i = 0; i < 6; i++)
        expect_charges(router_key(i), i + 1, "memory ran out");
}

/* A bucket is found by its key, not by its room: empty rooms have key 0. */
Test(budget, empty_rooms_are_nobodys)
{
    struct budget grown = {0};
    cr_assert_eq(budget_init(&grown, 8), 0);
    cr_assert_eq(budget_grow(&grown, 64), 0);
    for (uint32_t i = 0; i < grown.cap; i++)
        cr_expect_eq(grown.buckets[i].key, 0);
    budget_deinit(&grown);
}
