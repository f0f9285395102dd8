/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether an answer is the target's own word. */
#include <criterion/criterion.h>
#include <sonde/event.h>

static const struct sonde_addr target = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 1}};
static const struct sonde_addr router = {.family = SONDE_FAMILY_IPV4, .bytes = {198, 51, 100, 9}};

static bool is_target(enum sonde_outcome outcome, struct sonde_addr from)
{
    const struct sonde_event event = {.outcome = outcome, .from = from};
    return sonde_event_is_target(&event, &target);
}

Test(event, each_outcome_says_whether_the_target_or_the_path_spoke)
{
    /* what it means if the target's address sent it, and if another one did */
    static const struct {
        bool from_target;
        bool from_router;
    } expected[] = {
        [SONDE_OUTCOME_NO_REPLY] = {false, false},
        [SONDE_OUTCOME_ECHO_REPLY] = {true, true}, /* counts only from the probed address */
        [SONDE_OUTCOME_OPEN] = {true, true},
        [SONDE_OUTCOME_CLOSED] = {true, true},
        [SONDE_OUTCOME_UDP_REPLY] = {true, true},
        [SONDE_OUTCOME_PORT_UNREACHABLE] = {true, false},
        [SONDE_OUTCOME_TTL_EXCEEDED] = {false, false}, /* whoever forwards is not the end */
        [SONDE_OUTCOME_PACKET_TOO_BIG] = {true, false},
        [SONDE_OUTCOME_ADMIN_PROHIBITED] = {true, false},
        [SONDE_OUTCOME_HOST_UNREACHABLE] = {true, false},
        [SONDE_OUTCOME_NET_UNREACHABLE] = {true, false},
        [SONDE_OUTCOME_OTHER_UNREACHABLE] = {true, false},
        [SONDE_OUTCOME_SEND_ERROR] = {false, false},
    };
    cr_assert_eq(sizeof expected / sizeof *expected, SONDE_OUTCOME_COUNT);
    for (unsigned i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        const enum sonde_outcome outcome = (enum sonde_outcome)i;
        cr_expect_eq(is_target(outcome, target), expected[i].from_target, "%s",
                     sonde_outcome_name(outcome));
        cr_expect_eq(is_target(outcome, router), expected[i].from_router, "%s",
                     sonde_outcome_name(outcome));
    }
    cr_expect_not(is_target(SONDE_OUTCOME_COUNT, target), "no outcome at all");
}

Test(event, a_refusal_from_nobody_is_not_the_targets)
{
    cr_expect_not(is_target(SONDE_OUTCOME_PORT_UNREACHABLE, (struct sonde_addr){0}));
}
