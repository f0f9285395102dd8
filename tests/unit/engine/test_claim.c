/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a claim on answers that name only their attempt, or nothing. */
#include "engine/claim.h"

#include <criterion/criterion.h>

enum { KEPT = 8 /* attempts that are remembered */ };
static const sonde_ns MS = SONDE_NS_PER_MS;

/* Attempts 0 to count - 1 were begun, each by the probe with this token. */
static uint32_t token_of(uint32_t number)
{
    return 1000 + 10 * number;
}

static struct claims claims_of(uint32_t count)
{
    struct claims claims = {0};
    for (uint32_t number = 0; number < count; number++)
        claims_begin(&claims, token_of(number), number * MS);
    return claims;
}

static void expect_owner(const struct claims *claims, uint32_t number, unsigned bits,
                         enum claim_owner owner, uint32_t whose)
{
    uint32_t token = UINT32_MAX;
    enum claim_owner found = claims_owner(claims, number, bits, &token);
    cr_expect_eq(found, owner, "number %u of %u, %u bits: %d", number, claims->begun, bits, found);
    if (owner != CLAIM_NOBODY)
        cr_expect_eq(token, token_of(whose), "number %u of %u, %u bits", number, claims->begun,
                     bits);
}

Test(claim, where_no_attempt_was_begun_nobody_has_one)
{
    const struct claims claims = {0};
    cr_expect_eq(claims_newest(&claims), 0);
    expect_owner(&claims, 0, 12, CLAIM_NOBODY, 0);
    expect_owner(&claims, 0, 32, CLAIM_NOBODY, 0);
    expect_owner(&claims, 4095, 12, CLAIM_NOBODY, 0);
    cr_expect_not(claims_is_newest(&claims, 0), "not even who has token 0");
    cr_expect_not(claims_is_older(&claims, 0, 12));
    cr_expect_not(claims_is_shared(&claims, 0));
    cr_expect_not(claims_is_unclear(&claims, 0));
}

Test(claim, the_probe_that_begins_an_attempt_has_the_claim)
{
    struct claims claims = {0};
    claims_begin(&claims, 7, 90 * MS);
    cr_expect_eq(claims_newest(&claims), 0);
    cr_expect_eq(claims.free_ns, 90 * MS, "until then no other is begun");
    cr_expect_not(claims.answered);
    cr_expect(claims_is_newest(&claims, 7));
    cr_expect_not(claims_is_newest(&claims, 0));
    claims_begin(&claims, 9, 190 * MS);
    cr_expect_eq(claims_newest(&claims), 1);
    cr_expect_eq(claims.free_ns, 190 * MS);
    cr_expect(claims_is_newest(&claims, 9));
    cr_expect_not(claims_is_newest(&claims, 7));
}

Test(claim, a_probe_has_begun_the_attempt_with_its_token_and_no_other)
{
    const struct claims none = {0};
    struct claims claims = claims_of(10);
    cr_expect_not(claims_has_begun(&none, 0, 0), "not even who has token 0");
    for (uint32_t number = 0; number < 12; number++) {
        for (uint32_t other = 0; other < 12; other++) {
            bool begun = number == other && number >= 10 - KEPT && number < 10;
            cr_expect_eq(claims_has_begun(&claims, number, token_of(other)), begun, "%u: %u",
                         number, other);
        }
    }
}

Test(claim, an_answer_ends_the_wait_for_the_newest_attempt_only)
{
    struct claims claims = claims_of(2);
    claims_answered(&claims, 50 * MS);
    cr_expect(claims.answered);
    cr_expect_eq(claims.free_ns, 50 * MS, "quiet until then");
    cr_expect_eq(claims_newest(&claims), 1);
    claims_begin(&claims, 1020, 60 * MS);
    cr_expect_not(claims.answered, "the next is not yet");
    cr_expect_eq(claims.free_ns, 60 * MS);
}

/* Of so many attempts the last eight are known, and none that was never begun: for every number
 * near. */
Test(claim, the_last_eight_attempts_are_remembered)
{
    for (uint32_t begun = 0; begun <= 20; begun++) {
        struct claims claims = claims_of(begun);
        for (int32_t number = -30; number <= 30; number++) {
            bool known = number >= 0 && number < (int32_t)begun && number + KEPT >= (int32_t)begun;
            enum claim_owner owner = known ? CLAIM_ONE : CLAIM_NOBODY;
            uint32_t whose = (uint32_t)number;
            bool older = known && number + 1 < (int32_t)begun;
            expect_owner(&claims, whose, 32, owner, whose);
            expect_owner(&claims, whose & 0xfff, 12, owner, whose);
            cr_expect_eq(claims_is_older(&claims, whose, 32), older, "%d of %u", number, begun);
            cr_expect_eq(claims_is_older(&claims, whose & 0xfff, 12), older, "%d of %u", number,
                         begun);
        }
    }
}

/* 5000 attempts: the newest is number 4999 = 0x1387, of which an answer says 0x387 or 0x7. */
Test(claim, the_lower_bits_of_a_number_are_enough)
{
    struct claims claims = claims_of(5000);
    cr_expect_eq(claims_newest(&claims), 4999);
    expect_owner(&claims, 0x387, 12, CLAIM_ONE, 4999);
    expect_owner(&claims, 0x380, 12, CLAIM_ONE, 4992);
    expect_owner(&claims, 0x37f, 12, CLAIM_NOBODY, 0); /* the ninth from behind */
    expect_owner(&claims, 0x388, 12, CLAIM_NOBODY, 0); /* the next one */
    expect_owner(&claims, 0x7, 4, CLAIM_ONE, 4999);
    expect_owner(&claims, 0x0, 4, CLAIM_ONE, 4992);
    expect_owner(&claims, 0xf, 4, CLAIM_NOBODY, 0);
    expect_owner(&claims, 0x8, 4, CLAIM_NOBODY, 0);
    expect_owner(&claims, 0x1387, 32, CLAIM_ONE, 4999);
    expect_owner(&claims, 0x387, 32, CLAIM_NOBODY, 0); /* that is another attempt */
    expect_owner(&claims, 0x9387, 31, CLAIM_NOBODY, 0);
}

/* 4096 attempts and more: the numbers begin anew, and the newest are 0, 1, 2. */
Test(claim, numbers_go_on_where_their_lower_bits_begin_anew)
{
    struct claims claims = claims_of(4099);
    expect_owner(&claims, 2, 12, CLAIM_ONE, 4098);
    expect_owner(&claims, 0, 12, CLAIM_ONE, 4096);
    expect_owner(&claims, 0xfff, 12, CLAIM_ONE, 4095);
    expect_owner(&claims, 0xffb, 12, CLAIM_ONE, 4091);
    expect_owner(&claims, 0xffa, 12, CLAIM_NOBODY, 0);
    expect_owner(&claims, 3, 12, CLAIM_NOBODY, 0);
}

Test(claim, other_probes_that_may_arrive_share_the_newest_claim)
{
    struct claims claims = claims_of(3);
    claims_share(&claims, 2);
    expect_owner(&claims, 2, 12, CLAIM_SHARED, 2);
    expect_owner(&claims, 1, 12, CLAIM_ONE, 1);
    expect_owner(&claims, 0, 12, CLAIM_ONE, 0);
    cr_expect(claims_is_shared(&claims, 2));
    cr_expect_not(claims_is_shared(&claims, 1));
    claims_begin(&claims, token_of(3), 0);
    expect_owner(&claims, 3, 12, CLAIM_ONE, 3);
    expect_owner(&claims, 2, 12, CLAIM_SHARED, 2);
    cr_expect(claims_is_shared(&claims, 2), "it stays what it was");
    cr_expect_not(claims_is_shared(&claims, 3));
}

/* Attempt number n takes the place of number n - 8: for each of the places. */
Test(claim, what_was_shared_and_heard_is_forgotten_with_the_attempt)
{
    for (uint32_t old = 0; old < KEPT; old++) {
        struct claims claims = claims_of(old);
        claims_begin(&claims, token_of(old), 0);
        claims_share(&claims, old);
        claims_hear(&claims, old);
        for (uint32_t number = old + 1; number < old + KEPT; number++)
            claims_begin(&claims, token_of(number), 0);
        cr_expect(claims_is_shared(&claims, old), "the eighth from behind");
        cr_expect(claims_is_unclear(&claims, old));
        claims_begin(&claims, token_of(old + KEPT), 0);
        cr_expect_not(claims_is_shared(&claims, old));
        cr_expect_not(claims_is_unclear(&claims, old));
        cr_expect_not(claims_is_shared(&claims, old + KEPT));
        claims_share(&claims, old + KEPT);
        cr_expect_not(claims_is_unclear(&claims, old + KEPT), "nothing of this one was heard");
    }
}

/* A router answers one of two that may have arrived, then the other. */
Test(claim, who_turns_out_to_have_expired_on_the_way_shares_it_no_more)
{
    struct claims claims = {0};
    claims_begin(&claims, token_of(0), 0);
    claims_unshare(&claims, 0);
    claims_share(&claims, 0);
    claims_share(&claims, 0);
    claims_unshare(&claims, 0);
    cr_expect(claims_is_shared(&claims, 0), "there is the other");
    claims_unshare(&claims, 0);
    cr_expect_not(claims_is_shared(&claims, 0));
    claims_share(&claims, 0);
    claims_begin(&claims, token_of(1), 0);
    claims_unshare(&claims, 1);
    cr_expect(claims_is_shared(&claims, 0), "each attempt has its own");
}

Test(claim, what_is_shared_before_any_attempt_is_none)
{
    struct claims claims = {0};
    claims_share(&claims, 0);
    claims_begin(&claims, token_of(0), 0);
    cr_expect_not(claims_is_shared(&claims, 0));
    claims_share(&claims, 0);
    claims_begin(&claims, token_of(1), 0);
    cr_expect(claims_is_shared(&claims, 0));
    cr_expect_not(claims_is_unclear(&claims, 0), "nobody was heard");
}

/* The target answers one SYN of an attempt and takes the others for repetitions of it. */
Test(claim, silence_says_nothing_where_others_share_the_attempt_and_one_was_answered)
{
    struct claims claims = claims_of(4);
    claims_hear(&claims, 3);
    cr_expect_not(claims_is_unclear(&claims, 3), "nobody else could have been answered");
    claims_share(&claims, 3);
    cr_expect(claims_is_unclear(&claims, 3));
    cr_expect_not(claims_is_unclear(&claims, 2));
    claims_hear(&claims, 2);
    cr_expect_not(claims_is_unclear(&claims, 2), "not shared");
    claims_begin(&claims, token_of(4), 0);
    claims_share(&claims, 4);
    cr_expect_not(claims_is_unclear(&claims, 4), "not heard");
    cr_expect(claims_is_unclear(&claims, 3), "still");
}

/* Numbers 1 and 9 have the same place. */
Test(claim, what_is_heard_of_forgotten_attempts_is_no_word_about_others)
{
    struct claims claims = claims_of(10);
    claims_share(&claims, 9);
    claims_hear(&claims, 1);
    cr_expect_not(claims_is_unclear(&claims, 9));
    claims_hear(&claims, 17); /* not begun yet */
    cr_expect_not(claims_is_unclear(&claims, 9));
    cr_expect_not(claims_is_shared(&claims, 1));
    cr_expect_not(claims_is_shared(&claims, 17));
    claims_hear(&claims, 9);
    cr_expect(claims_is_unclear(&claims, 9));
    cr_expect_not(claims_is_unclear(&claims, 1));
    cr_expect_not(claims_is_unclear(&claims, 17));
}

/* The target reminds of attempt 2 while the newest is 3: it is 2 that has to be ended. */
Test(claim, a_reminder_says_which_attempt_is_open_and_when_the_next_may_begin)
{
    struct claims claims = claims_of(4);
    claims_answered(&claims, 100);
    cr_expect_eq(claims.open, 3);
    claims_remind(&claims, 2, 12, 550);
    cr_expect_eq(claims.open, 2);
    cr_expect_eq(claims.free_ns, 550);
    claims_remind(&claims, 1, 12, 300);
    cr_expect_eq(claims.free_ns, 550, "no sooner");
    claims_begin(&claims, token_of(4), 0);
    claims_answered(&claims, 0);
    cr_expect_eq(claims.open, 4);
}

Test(claim, gaps_are_attempts_without_an_answer_among_others)
{
    struct claims claims = {0};
    cr_expect_not(claims_has_gaps(&claims));
    claims_begin(&claims, token_of(0), 0);
    cr_expect_not(claims_has_gaps(&claims), "none was answered");
    claims_hear(&claims, 0);
    cr_expect_not(claims_has_gaps(&claims));
    claims_begin(&claims, token_of(1), 0);
    cr_expect(claims_has_gaps(&claims));
    claims_hear(&claims, 1);
    cr_expect_not(claims_has_gaps(&claims));
    claims_begin(&claims, token_of(2), 0); /* unanswered, until it is forgotten */
    for (uint32_t i = 3; i < 3 + CLAIMS_KEPT; i++) {
        cr_expect(claims_has_gaps(&claims));
        claims_begin(&claims, token_of(i), 0);
        claims_hear(&claims, i);
    }
    cr_expect_not(claims_has_gaps(&claims));
}

/* What began without an answer, and keeps so, has nothing to tell apart. */
Test(claim, there_is_no_gap_where_nothing_is_answered)
{
    struct claims claims = claims_of(20);
    cr_expect_not(claims_has_gaps(&claims));
}

/* Attempts are counted for ever, whether or not a number has place for all of them. What answers
 * name is the lower part, which goes on. */
Test(claim, the_number_of_attempts_comes_round_to_none_at_no_time)
{
    struct claims claims = {.begun = UINT32_MAX - 20};
    uint32_t last = claims_newest(&claims);
    for (uint32_t token = 1; token <= 40; token++) {
        uint32_t owner = 0;
        claims_begin(&claims, token, SONDE_NS_NEVER);
        cr_expect(claims_is_newest(&claims, token), "%u", token);
        cr_expect_eq(claims_newest(&claims) & 0xfffffff, (last + 1) & 0xfffffff, "%u", token);
        last = claims_newest(&claims);
        cr_expect_eq(claims_owner(&claims, last, 16, &owner), CLAIM_ONE);
        cr_expect_eq(owner, token);
    }
}
