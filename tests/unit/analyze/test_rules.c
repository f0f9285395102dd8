/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules, each with what it needs before it speaks, and with the cases in which the tempting
 * verdict is wrong. Routers are 192.0.2.1 at hop 1, and so on; the target, 192.0.2.9, is at hop 6.
 */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>

enum { DISTANCE = 6, FLOOR = DISTANCE - 1 };

static struct case_file file;

static void open_file(void)
{
    case_open(&file, TARGET);
}

static void close_file(void)
{
    case_close(&file);
}

TestSuite(rules, .init = open_file, .fini = close_file);

/* A service that the target answers, with its whole path, so many times. */
static void add_answering(uint32_t service, enum sonde_outcome outcome, uint32_t times)
{
    case_add_routers(&file, service, 1, FLOOR, times);
    case_add_hop(&file, service, DISTANCE, 1, outcome, TARGET);
    case_add_full(&file, service, times, outcome, TARGET);
}

/* A service that is seen up to a hop, and then never again, though asked so many times. */
static void add_silent(uint32_t service, uint8_t seen, uint32_t times)
{
    if (seen > 0)
        case_add_routers(&file, service, 1, seen, times);
    for (uint8_t ttl = (uint8_t)(seen + 1); ttl <= DISTANCE; ttl++)
        case_add_hop(&file, service, ttl, times, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, service, times, SONDE_OUTCOME_NO_REPLY, NULL);
}

static const struct finding *find_code(const struct analysis *analysis, enum sonde_code code)
{
    for (uint32_t i = 0; i < analysis->finding_count; i++) {
        if (analysis->findings[i].code == code)
            return &analysis->findings[i];
    }
    return NULL;
}

static void expect_place(const struct sonde_place *place, uint8_t ttl, const char *addr)
{
    struct sonde_addr wanted = record_addr(addr);
    cr_expect_eq(place->ttl, ttl, "hop %u, not %u", place->ttl, ttl);
    cr_expect(sonde_addr_equal(&place->address, &wanted));
}

Test(rules, wilson_intervals_are_those_of_the_textbook)
{
    static const struct {
        uint64_t hits;
        uint64_t count;
        double low;
        double high;
    } cases[] = {
        {0, 0, 0, 1},
        {0, 10, 0, 0.27753}, /* z² / (n + z²) = 3.84146 / 13.84146 */
        {10, 10, 0.72247, 1},
        {5, 10, 0.23659, 0.76341}, /* 0.5 ± 1.95996 / 1.384146 × √(0.025 + 0.0096037) */
        {2, 100, 0.00550, 0.07001},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct interval interval = evidence_wilson(cases[i].hits, cases[i].count);
        cr_expect_float_eq(interval.low, cases[i].low, 1e-4, "%zu: %f", i, interval.low);
        cr_expect_float_eq(interval.high, cases[i].high, 1e-4, "%zu: %f", i, interval.high);
    }
}

Test(rules, a_filtered_port_is_lost_between_where_it_is_seen_and_what_only_a_control_sees)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(WEB, 2, 3);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.first_lost, 3, "192.0.2.3");
    cr_expect_str_eq(analysis.verdict.text,
                     "answered up to hop 2 (192.0.2.2), silent from hop 3 (192.0.2.3); "
                     "icmp passes");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_MEDIUM);
    cr_expect_str_eq(analysis.verdict.evidence.control, "icmp");
    cr_expect_eq(analysis.verdict.evidence.control_received, 3);
}

Test(rules, a_hop_that_is_silent_to_both_only_widens_the_bracket)
{
    case_add_routers(&file, ICMP, 1, 2, 3);
    case_add_hop(&file, ICMP, 3, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_routers(&file, ICMP, 4, FLOOR, 3);
    case_add_hop(&file, ICMP, DISTANCE, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    add_silent(WEB, 2, 3);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
}

/* Never name a hop on one lost probe, nor on one answer. */
Test(rules, a_hop_is_named_only_if_it_was_asked_and_answered_repeatedly)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    case_add_routers(&file, WEB, 1, 2, 1);
    case_add_hop(&file, WEB, 3, 1, SONDE_OUTCOME_NO_REPLY, NULL); /* once is not enough */
    case_add_hop(&file, WEB, 4, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
    close_file();
    open_file();
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 1);
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    add_silent(WEB, 2, 3);
    analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.first_lost, DISTANCE, TARGET);
}

/* Half of the control's probes are lost: two in a row are silent in one of four tries, five in one
 * of thirty-two, which is below one of twenty. */
Test(rules, silence_that_the_loss_of_others_explains_is_no_filter)
{
    const struct {
        uint32_t silent;
        enum sonde_code code;
        enum sonde_state state;
    } cases[] = {
        {2, SONDE_CODE_INCONCLUSIVE, SONDE_STATE_UNKNOWN},
        {5, SONDE_CODE_PORT_FILTERED, SONDE_STATE_FILTERED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        case_add_full(&file, ICMP, 10, SONDE_OUTCOME_ECHO_REPLY, TARGET);
        case_add_full(&file, ICMP, 10, SONDE_OUTCOME_NO_REPLY, NULL);
        case_add_full(&file, WEB, cases[i].silent, SONDE_OUTCOME_NO_REPLY, NULL);
        struct analysis analysis = case_judge(&file, WEB);
        cr_expect_eq(analysis.verdict.code, cases[i].code);
        cr_expect_eq(analysis.state, cases[i].state);
        close_file();
        open_file();
    }
}

/* The router at hop 3 rations its answers: it leaves others unanswered, too. */
Test(rules, silence_of_a_hop_that_rations_its_answers_names_no_hop)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    case_add_hop(&file, ICMP, 3, 9, SONDE_OUTCOME_NO_REPLY, NULL);
    add_silent(WEB, 2, 3);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
}

Test(rules, a_port_lost_at_the_last_hop_or_at_the_host_is_lost_before_the_target)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(WEB, FLOOR, 3);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, FLOOR, "192.0.2.5");
    expect_place(&analysis.verdict.blame.first_lost, DISTANCE, TARGET);
    cr_expect_str_eq(analysis.verdict.text,
                     "answered up to hop 5 (192.0.2.5), not by the target: lost behind it, at the "
                     "target or on the way back; icmp passes");
}

/* That a router's word about an expired probe comes back says nothing of the target's own answer.
 */
Test(rules, what_only_the_target_does_not_answer_may_be_lost_on_its_way_back)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_answering(SSH, SONDE_OUTCOME_OPEN, 3);
    add_silent(WEB, FLOOR, 3);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.blame.way, SONDE_WAY_THERE_OR_BACK);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_MEDIUM, "in spite of two controls");
    close_file();
    open_file();
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(WEB, FLOOR - 1, 3);
    analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.first_lost, FLOOR, "192.0.2.5");
    cr_expect_eq(analysis.verdict.blame.way, SONDE_WAY_THERE, "a router that answers others");
}

Test(rules, two_controls_and_three_cycles_make_a_filtered_port_certain)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_answering(SSH, SONDE_OUTCOME_OPEN, 3);
    add_silent(WEB, 2, 3);
    cr_expect_eq(case_judge(&file, WEB).verdict.confidence, SONDE_CONFIDENCE_HIGH);
}

Test(rules, a_control_of_the_same_protocol_is_preferred)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 4);
    add_answering(SSH, SONDE_OUTCOME_OPEN, 3);
    add_silent(WEB, 2, 3);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_str_eq(analysis.verdict.evidence.control, "22/tcp");
}

/* Another way to hop 2: what stands behind it on that way says nothing of this one. */
Test(rules, a_control_that_took_another_way_names_no_hop_and_lowers_the_confidence)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    case_add_hop(&file, WEB, 1, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.1");
    case_add_hop(&file, WEB, 2, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    for (uint8_t ttl = 3; ttl <= DISTANCE; ttl++)
        case_add_hop(&file, WEB, ttl, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, 2, "198.51.100.2");
    expect_place(&analysis.verdict.blame.first_lost, DISTANCE, TARGET);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
}

Test(rules, where_controls_part_only_a_hop_that_they_share_again_is_named)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    case_add_routers(&file, SSH, 1, 2, 3);
    case_add_hop(&file, SSH, 3, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.3");
    case_add_routers(&file, SSH, 4, FLOOR, 3);
    case_add_hop(&file, SSH, DISTANCE, 1, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_OPEN, TARGET);
    add_silent(WEB, 2, 3);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
}

/* The host answers no ping and the port is dropped on the way: the ping still gets further. */
Test(rules, a_port_is_filtered_if_a_control_only_gets_further_on_the_way)
{
    add_silent(ICMP, FLOOR, 3);
    add_silent(WEB, 2, 3);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_FILTERED);
    expect_place(&analysis.verdict.blame.first_lost, 3, "192.0.2.3");
    cr_expect_eq(case_judge(&file, ICMP).state, SONDE_STATE_UNREACHABLE);
}

Test(rules, a_fault_of_the_path_is_no_fault_of_the_port)
{
    add_silent(ICMP, 3, 3);
    add_silent(WEB, 3, 3);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_UNREACHABLE);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_HOST_UNREACHABLE);
    expect_place(&analysis.verdict.blame.last_seen, 3, "192.0.2.3");
    cr_expect_eq(analysis.verdict.blame.first_lost.address.family, SONDE_FAMILY_NONE);
}

Test(rules, a_udp_port_that_others_get_further_than_is_filtered)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(DNS, 2, 3);
    struct analysis analysis = case_judge(&file, DNS);
    cr_expect_eq(analysis.state, SONDE_STATE_FILTERED);
    expect_place(&analysis.verdict.blame.first_lost, 3, "192.0.2.3");
}

Test(rules, a_udp_port_that_gets_as_far_as_the_host_may_be_open)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(DNS, FLOOR, 3);
    struct analysis analysis = case_judge(&file, DNS);
    cr_expect_eq(analysis.state, SONDE_STATE_OPEN_OR_FILTERED);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_UDP_UNCONFIRMED);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED);
}

/* Interception. */

/* The control shows the target at hop 6, behind a router at hop 5. */
static void add_control(void)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
}

static void add_intercepted(enum sonde_outcome outcome, uint8_t ttl, uint32_t times)
{
    if (ttl > 1)
        case_add_routers(&file, WEB, 1, (uint8_t)(ttl - 1), times);
    case_add_hop(&file, WEB, ttl, times, outcome, TARGET);
    case_add_full(&file, WEB, times, outcome, TARGET);
}

Test(rules, an_answer_that_comes_too_soon_is_a_proxys)
{
    add_control();
    add_intercepted(SONDE_OUTCOME_OPEN, 3, 2);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_OPEN, "that is what the port shows");
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_INTERCEPTED);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_HIGH);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.reporter, 3, "192.0.2.3");
    cr_expect_str_eq(analysis.verdict.text,
                     "answered in the target's name by hop 2 (192.0.2.2) or hop 3 (192.0.2.3), "
                     "though the target is at hop 6, as icmp shows");
    cr_expect(analysis.met);
}

Test(rules, a_reset_that_comes_too_soon_is_a_firewalls_and_a_rejection)
{
    add_control();
    add_intercepted(SONDE_OUTCOME_CLOSED, 3, 2);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_REJECTED);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_INTERCEPTED);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_FAILED);
}

Test(rules, one_answer_that_comes_too_soon_is_not_enough)
{
    add_control();
    add_intercepted(SONDE_OUTCOME_OPEN, 5, 1); /* TTL 5, and nothing with another */
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OK);
}

Test(rules, a_device_at_the_first_hop_is_found_too)
{
    add_control();
    add_intercepted(SONDE_OUTCOME_OPEN, 1, 2);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.reporter, 1, "192.0.2.1");
    cr_expect_eq(analysis.verdict.blame.last_seen.ttl, 0);
}

Test(rules, without_a_router_right_before_the_target_its_distance_proves_nothing)
{
    case_add_routers(&file, ICMP, 1, 4, 3); /* hop 5 is silent */
    case_add_hop(&file, ICMP, 5, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&file, ICMP, DISTANCE, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    add_intercepted(SONDE_OUTCOME_OPEN, 5, 3);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_OK);
}

/* Paths may differ in length: the flow of the port goes by 198.51.100.2, which is a short cut. */
Test(rules, a_shorter_way_is_no_interception)
{
    add_control();
    case_add_hop(&file, WEB, 1, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.1");
    case_add_hop(&file, WEB, 2, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    case_add_hop(&file, WEB, 3, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_OK);
    close_file();
    open_file();
    add_control();
    case_add_hop(&file, WEB, 1, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.1");
    case_add_hop(&file, WEB, 2, 3, SONDE_OUTCOME_NO_REPLY, NULL); /* and it is silent */
    case_add_hop(&file, WEB, 3, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_OK);
}

/* Both found the target at hop 5. Then the path got longer, and only the control was asked since.
 */
Test(rules, a_path_that_got_longer_is_no_interception)
{
    case_add_routers(&file, ICMP, 1, 4, 2);
    case_add_hop(&file, ICMP, 5, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_routers(&file, WEB, 1, 4, 2);
    case_add_hop(&file, WEB, 5, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_hop(&file, ICMP, 5, 3, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.5");
    case_add_hop(&file, ICMP, 6, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    cr_expect_eq(evidence_tally(&file.target, ICMP)->reach.dest_ttl, 6);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_null(find_code(&analysis, SONDE_CODE_PORT_INTERCEPTED));
}

/* BGP speakers send with a TTL of 255 (RFC 5082), whatever their echo replies begin with. */
Test(rules, another_initial_ttl_is_no_interception)
{
    add_control();
    case_add_routers(&file, WEB, 1, FLOOR, 3);
    struct sonde_event answer = record_hop(WEB, 1, DISTANCE, SONDE_OUTCOME_OPEN, TARGET);
    answer.reply_ttl = 250;
    case_add(&file, answer);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_OK);
}

/* Loops. */

static void add_loop(uint32_t service, uint32_t rounds)
{
    case_add_routers(&file, service, 1, 2, 1);
    for (uint32_t i = 0; i < 2 * rounds; i++)
        case_add_hop(&file, service, (uint8_t)(3 + i), 1, SONDE_OUTCOME_TTL_EXCEEDED,
                     i % 2 == 0 ? "192.0.2.3" : "192.0.2.4");
}

Test(rules, a_path_that_comes_round_twice_is_a_loop)
{
    add_loop(WEB, 2);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    expect_place(&analysis.verdict.blame.last_seen, 3, "192.0.2.3");
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
    cr_expect_str_eq(analysis.verdict.text, "the path comes round again: it loops between hop 3 "
                                            "(192.0.2.3) and hop 4 (192.0.2.4)");
}

/* Nothing of it came back to this machine until its TTL ran out: the same routers again may then be
 * those of another way, if there are several, be it at the first hop only. */
Test(rules, what_may_be_several_ways_is_no_loop_without_a_ttl_that_ran_out)
{
    add_loop(WEB, 3);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_ROUTING_LOOP);
    case_add_hop(&file, WEB, 1, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.77");
    case_add_hop(&file, WEB, 1, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.1");
    cr_expect_neq(case_judge(&file, WEB).verdict.code, SONDE_CODE_ROUTING_LOOP);
}

/* 192.0.2.2 and a router that never answers send it to each other; 192.0.2.1 passed it on to them.
 */
Test(rules, a_loop_begins_with_a_router_that_is_met_again)
{
    case_add_routers(&file, WEB, 1, 1, 2);
    for (uint8_t ttl = 2; ttl <= 8; ttl += 2) {
        case_add_hop(&file, WEB, ttl, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2");
        case_add_hop(&file, WEB, (uint8_t)(ttl + 1), 2, SONDE_OUTCOME_NO_REPLY, NULL);
    }
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2");
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    cr_expect_eq(analysis.verdict.blame.first_lost.address.family, SONDE_FAMILY_NONE);
}

/* The path is 192.0.2.1, then 192.0.2.2 and 192.0.2.3 in turns. Each answers few of the TTLs at
 * which it is met, so a trace has gaps: these hops were asked in vain. */
static void add_rationed_loop(uint32_t service, const uint8_t *answered, size_t count)
{
    case_add_routers(&file, service, 1, 1, 2);
    for (uint8_t ttl = 2; ttl <= 20; ttl++) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= answered[i] == ttl;
        const char *router = ttl % 2 == 0 ? "192.0.2.2" : "192.0.2.3";
        case_add_hop(&file, service, ttl, 1,
                     found ? SONDE_OUTCOME_TTL_EXCEEDED : SONDE_OUTCOME_NO_REPLY,
                     found ? router : NULL);
    }
    case_add_full(&file, service, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2");
}

/* Alone, the trace shows one router again, and who stands behind that in another round. */
Test(rules, the_second_router_of_a_loop_is_found_in_any_round)
{
    add_rationed_loop(WEB, (const uint8_t[]){2, 4, 6, 8, 11}, 5);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.first_lost, 3, "192.0.2.3");
}

/* Together, two traces show all of it; alone, one shows a router late, and none behind it. */
Test(rules, a_loop_begins_where_all_that_go_the_same_way_show_it)
{
    add_rationed_loop(WEB, (const uint8_t[]){14, 16, 18, 20}, 4);
    add_rationed_loop(ICMP, (const uint8_t[]){2, 3, 5, 7}, 4);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.first_lost, 3, "192.0.2.3");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_MEDIUM);
}

/* Neither shows a round by itself. */
Test(rules, a_loop_is_seen_of_several_that_go_the_same_way)
{
    add_rationed_loop(WEB, (const uint8_t[]){2, 5}, 2);
    add_rationed_loop(ICMP, (const uint8_t[]){3, 4}, 2);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    expect_place(&analysis.verdict.blame.last_seen, 2, "192.0.2.2");
    expect_place(&analysis.verdict.blame.first_lost, 3, "192.0.2.3");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_MEDIUM);
}

/* ICMP takes another way, which loops elsewhere: what is seen of it names nobody here. */
Test(rules, a_loop_on_another_way_fills_no_gaps)
{
    add_rationed_loop(WEB, (const uint8_t[]){14, 16, 18, 20}, 4);
    case_add_hop(&file, ICMP, 1, 2, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.1");
    for (uint8_t ttl = 2; ttl <= 9; ttl++)
        case_add_hop(&file, ICMP, ttl, 1, SONDE_OUTCOME_TTL_EXCEEDED,
                     ttl % 2 == 0 ? "198.51.100.2" : "198.51.100.3");
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_ROUTING_LOOP);
    expect_place(&analysis.verdict.blame.last_seen, 14, "192.0.2.2");
    cr_expect_eq(analysis.verdict.blame.first_lost.address.family, SONDE_FAMILY_NONE);
}

Test(rules, an_address_that_comes_again_once_is_no_loop)
{
    case_add_routers(&file, WEB, 1, 4, 2);
    case_add_hop(&file, WEB, 5, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_HOST_UNREACHABLE);
}

/* A router that passes on what should have expired at it answers at two TTLs in a row. */
Test(rules, a_router_that_answers_twice_in_a_row_is_no_loop)
{
    case_add_routers(&file, WEB, 1, 3, 2);
    for (uint8_t ttl = 4; ttl <= 8; ttl++)
        case_add_hop(&file, WEB, ttl, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.3");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_null(find_code(&analysis, SONDE_CODE_ROUTING_LOOP));
}

/* The target answers with a TTL of 2, and then twice a router does there: it is farther, or half of
 * the packets go another way. */
Test(rules, a_distance_that_changes_may_be_that_of_two_ways)
{
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_hop(&file, WEB, 2, 1, SONDE_OUTCOME_OPEN, TARGET);
    for (uint32_t cycle = 2; cycle <= 3; cycle++)
        case_add(&file, record_hop(WEB, cycle, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2"));
    struct analysis analysis = case_judge(&file, WEB);
    const struct finding *found = find_code(&analysis, SONDE_CODE_PATH_CHANGED);
    cr_assert_not_null(found);
    cr_expect_str_eq(found->text, "10.0 ms, no loss; the path changed, or packets take ways of "
                                  "different lengths, seen last at 00:00:02 at hop 2: 192.0.2.9 -> "
                                  "192.0.2.2");
}

/* Loss. */

static void add_lossy_hop(uint32_t service, uint8_t ttl, uint32_t answered, uint32_t lost)
{
    case_add_routers(&file, service, ttl, ttl, answered);
    case_add_hop(&file, service, ttl, lost, SONDE_OUTCOME_NO_REPLY, NULL);
}

static void add_lossy_target(uint32_t service, uint32_t answered, uint32_t lost)
{
    case_add_hop(&file, service, DISTANCE, 1, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, service, answered, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, service, lost, SONDE_OUTCOME_NO_REPLY, NULL);
}

Test(rules, loss_that_goes_on_to_the_target_is_found_where_it_begins)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        add_lossy_hop(WEB, ttl, 40, 0);
    add_lossy_hop(WEB, 4, 28, 12);
    add_lossy_hop(WEB, 5, 28, 12);
    add_lossy_target(WEB, 28, 12);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED);
    expect_place(&analysis.verdict.blame.last_seen, 3, "192.0.2.3");
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
    cr_expect_str_eq(analysis.verdict.text,
                     "10.0 ms, 30.0% loss; it begins behind hop 3 (192.0.2.3), and is seen from "
                     "hop 4 (192.0.2.4) on, there or on the way back");
    cr_expect_eq(analysis.verdict.blame.way, SONDE_WAY_THERE_OR_BACK);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_MEDIUM);
    cr_expect_eq(analyze_loss(&file.target, WEB, 3), SONDE_LOSS_NONE);
    cr_expect_eq(analyze_loss(&file.target, WEB, 4), SONDE_LOSS_FORWARDING);
    cr_expect(analysis.met, "it is open all the same");
}

Test(rules, loss_that_later_hops_do_not_show_is_a_routers_own)
{
    add_lossy_hop(WEB, 1, 40, 0);
    add_lossy_hop(WEB, 2, 10, 30);
    add_lossy_hop(WEB, 3, 40, 0);
    add_lossy_target(WEB, 40, 0);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OK, "it never raises a verdict");
    cr_expect_eq(analyze_loss(&file.target, WEB, 2), SONDE_LOSS_RATE_LIMITED);
    cr_expect_eq(analyze_loss(&file.target, WEB, 1), SONDE_LOSS_NONE);
}

/* As above; but the target answers pings with this TTL: the path was shorter for a time, and the
 * target is silent to this port. */
Test(rules, what_may_have_reached_a_silent_target_is_no_routers_loss)
{
    add_lossy_hop(WEB, 1, 40, 0);
    add_lossy_hop(WEB, 2, 10, 30);
    add_lossy_hop(WEB, 3, 40, 0);
    case_add_full(&file, WEB, 40, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(analyze_loss(&file.target, WEB, 2), SONDE_LOSS_RATE_LIMITED);
    case_add_hop(&file, ICMP, 2, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    cr_expect_eq(analyze_loss(&file.target, WEB, 2), SONDE_LOSS_UNKNOWN);
    /* a host that passes a port on is a router to it */
    case_add_hop(&file, WEB, 2, 1, SONDE_OUTCOME_TTL_EXCEEDED, TARGET);
    cr_expect_eq(analyze_loss(&file.target, WEB, 2), SONDE_LOSS_RATE_LIMITED);
}

Test(rules, a_rate_limited_router_is_not_taken_for_where_loss_begins)
{
    add_lossy_hop(WEB, 1, 40, 0);
    add_lossy_hop(WEB, 2, 10, 30); /* its own */
    add_lossy_hop(WEB, 3, 40, 0);
    add_lossy_hop(WEB, 4, 28, 12);
    add_lossy_target(WEB, 28, 12);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, 3, "192.0.2.3");
    expect_place(&analysis.verdict.blame.first_lost, 4, "192.0.2.4");
    cr_expect_eq(analyze_loss(&file.target, WEB, 2), SONDE_LOSS_RATE_LIMITED);
}

/* Hops 4 and 5 are silent, to this trace as to any other. */
Test(rules, a_hop_that_never_answers_is_not_where_loss_is_seen)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        add_lossy_hop(WEB, ttl, 40, 0);
    for (uint8_t ttl = 4; ttl <= 5; ttl++)
        case_add_hop(&file, WEB, ttl, 12, SONDE_OUTCOME_NO_REPLY, NULL);
    add_lossy_target(WEB, 28, 12);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, 3, "192.0.2.3");
    expect_place(&analysis.verdict.blame.first_lost, 0, TARGET);
    cr_expect_str_eq(analysis.verdict.text,
                     "10.0 ms, 30.0% loss; it begins behind hop 3 (192.0.2.3), there or on the way "
                     "back");
    cr_expect_eq(analyze_loss(&file.target, WEB, 4), SONDE_LOSS_SILENT);
}

/* One probe with TTL 5 was lost: whether that TTL reaches the target is not known. */
Test(rules, loss_behind_the_last_router_names_the_target_without_a_distance_that_is_uncertain)
{
    for (uint8_t ttl = 1; ttl <= 4; ttl++)
        add_lossy_hop(WEB, ttl, 40, 0);
    case_add_hop(&file, WEB, 5, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    add_lossy_target(WEB, 28, 12);
    struct analysis analysis = case_judge(&file, WEB);
    expect_place(&analysis.verdict.blame.last_seen, 4, "192.0.2.4");
    expect_place(&analysis.verdict.blame.first_lost, 0, TARGET);
}

Test(rules, too_few_probes_name_no_hop_for_loss)
{
    add_lossy_hop(WEB, 1, 3, 0);
    add_lossy_hop(WEB, 2, 2, 1);
    add_lossy_target(WEB, 1, 2);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
    cr_expect_not(analysis.verdict.has_blame);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
    cr_expect_eq(analyze_loss(&file.target, WEB, 2), SONDE_LOSS_UNKNOWN);
}

/* Something may be wrong, but there is too little to say so: then that all is fine is as uncertain.
 */
Test(rules, what_is_inconclusive_leaves_no_certainty_that_all_is_fine)
{
    add_answering(WEB, SONDE_OUTCOME_OPEN, 3);
    cr_expect_eq(case_judge(&file, WEB).verdict.confidence, SONDE_CONFIDENCE_HIGH);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OK);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
}

/* Late answers of one service and of its hops. */
static void add_late(uint32_t service, uint32_t count, enum sonde_outcome outcome)
{
    for (uint32_t cycle = 1; cycle <= count; cycle++) {
        struct sonde_event event = record_full(service, cycle, outcome, TARGET);
        event.type = SONDE_EVENT_LATE;
        event.rtt_ns = 2500 * SONDE_NS_PER_MS;
        case_add(&file, event);
    }
}

/* Nobody refuses what a router cannot deliver, or what runs out on the way: it does not arrive. */
Test(rules, what_could_not_be_delivered_is_lost)
{
    static const enum sonde_outcome failures[] = {SONDE_OUTCOME_HOST_UNREACHABLE,
                                                  SONDE_OUTCOME_TTL_EXCEEDED};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        case_add_full(&file, WEB, 25, SONDE_OUTCOME_OPEN, TARGET);
        case_add_full(&file, WEB, 15, failures[i], "192.0.2.2");
        struct analysis analysis = case_judge(&file, WEB);
        cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
        cr_expect_neq(strstr(analysis.verdict.text, "37.5% loss"), NULL, "%s",
                      analysis.verdict.text);
        cr_expect_eq(strstr(analysis.verdict.text, "refused"), NULL);
    }
}

/* 12 of 40 pings are not answered within the two seconds of the case, but 12 are later: no hop is
 * to blame. A good part of 12 are 3, a quarter; 2 are not. */
Test(rules, loss_that_came_late_is_told_and_no_hop_is_blamed_for_it)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        add_lossy_hop(ICMP, ttl, 40, 0);
    case_add_full(&file, ICMP, 28, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 12, SONDE_OUTCOME_NO_REPLY, NULL);
    add_late(ICMP, 2, SONDE_OUTCOME_ECHO_REPLY);
    struct analysis analysis = case_judge(&file, ICMP);
    cr_expect_str_eq(analysis.verdict.text,
                     "10.0 ms, 30.0% loss; it begins behind hop 3 (192.0.2.3), there or on the way "
                     "back");
    add_late(ICMP, 10, SONDE_OUTCOME_ECHO_REPLY);
    analysis = case_judge(&file, ICMP);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, 30.0% loss; 12 of 40 answers came "
                                            "later than 2 s (-Z)");
    cr_expect_not(analysis.verdict.has_blame);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
}

/* A host repeats a SYN-ACK after a second if it hears nothing more (RFC 6298): the first may have
 * been lost, and then loss begins somewhere. */
Test(rules, a_late_syn_ack_may_be_a_repetition)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        add_lossy_hop(WEB, ttl, 40, 0);
    add_lossy_target(WEB, 28, 12);
    add_late(WEB, 12, SONDE_OUTCOME_OPEN);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_str_eq(analysis.verdict.text,
                     "10.0 ms, 30.0% loss; 12 of 40 answers came late, or in "
                     "place of a lost one; it begins behind hop 3 (192.0.2.3), there or on the way "
                     "back");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
}

/* A router refuses 12 of 40 probes: it says so, and nothing is lost. */
Test(rules, what_is_refused_is_not_lost)
{
    for (uint8_t ttl = 1; ttl <= 3; ttl++)
        add_lossy_hop(WEB, ttl, 40, 0);
    case_add_full(&file, WEB, 28, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 12, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.2");
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_REJECTED);
    cr_expect_eq(analysis.finding_count, 1);
}

/* One refusal is no finding, and no loss either. */
Test(rules, a_single_refusal_is_told_and_not_as_loss)
{
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.2");
    cr_expect_str_eq(case_judge(&file, WEB).verdict.text, "10.0 ms, no loss, 1 of 4 refused");
}

Test(rules, a_limit_of_loss_counts_refusals_and_says_so)
{
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.2");
    file.target.crit.loss = 0.1;
    cr_expect_str_eq(case_judge(&file, WEB).verdict.text,
                     "2 of 4 not answered by the host, above the limit of 10%");
}

Test(rules, one_lost_probe_is_no_loss)
{
    add_lossy_target(WEB, 2, 1);
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_OK);
}

Test(rules, loss_is_not_the_networks_while_this_machine_loses_packets)
{
    add_lossy_target(WEB, 20, 20);
    file.target.lost_here = true;
    cr_expect_eq(case_judge(&file, WEB).verdict.code, SONDE_CODE_OK);
}

/* Limits. */

Test(rules, limits_that_a_user_sets_degrade_or_fail)
{
    add_lossy_target(WEB, 9, 1); /* 10 ms each */
    file.target.warn = (struct analyze_limits){9 * SONDE_NS_PER_MS, -1};
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LATENCY_OVER_LIMIT);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms on average is above the limit of 9.00 ms");
    file.target.crit = (struct analyze_limits){9500 * SONDE_NS_PER_US, -1};
    analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_FAILED);
    file.target.warn = (struct analyze_limits){0, 0.05};
    file.target.crit = (struct analyze_limits){0, 0.1};
    analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED, "10 is not above 10");
    cr_expect_str_eq(analysis.verdict.text, "1 of 10 lost, above the limit of 5%");
}

Test(rules, limits_are_neither_for_controls_nor_for_what_this_machine_lost)
{
    add_lossy_target(WEB, 9, 1); /* 10 ms each */
    file.target.warn = (struct analyze_limits){9 * SONDE_NS_PER_MS, 0.05};
    cr_expect_eq(case_judge(&file, WEB).verdict.level, SONDE_LEVEL_DEGRADED);
    file.services[WEB].control = true;
    cr_expect_eq(case_judge(&file, WEB).verdict.level, SONDE_LEVEL_OK);
    file.services[WEB].control = false;
    file.target.lost_here = true;
    cr_expect_eq(case_judge(&file, WEB).verdict.level, SONDE_LEVEL_OK);
}

/* Expectations. */

Test(rules, a_closed_port_that_is_to_be_closed_is_fine)
{
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_CLOSED, TARGET);
    file.services[SSH].expect = SONDE_STATE_BIT(SONDE_STATE_CLOSED);
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect(analysis.met);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OK);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, no loss, as expected");
}

Test(rules, an_open_port_that_is_to_be_closed_has_failed)
{
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_OPEN, TARGET);
    file.services[SSH].expect = SONDE_STATE_BIT(SONDE_STATE_CLOSED);
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect_not(analysis.met);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_UNEXPECTEDLY_OPEN);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_FAILED);
    cr_expect_str_eq(analysis.verdict.text, "10.0 ms, no loss; expected to be closed");
}

Test(rules, a_filtered_port_that_is_to_be_closed_has_failed)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(SSH, 2, 3);
    file.services[SSH].expect = SONDE_STATE_BIT(SONDE_STATE_CLOSED);
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect_not(analysis.met);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
}

/* A path that changed is told, but hides nothing worse. It is believed after three answers in a
 * row, if they are 16 with those in a row before (engine/tally.c): 13 and 3. */
enum { BEFORE = 13 };

Test(rules, a_path_that_changed_is_told)
{
    add_answering(WEB, SONDE_OUTCOME_OPEN, BEFORE);
    case_add_hop(&file, WEB, 2, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PATH_CHANGED);
    cr_expect_eq(analysis.verdict.level, SONDE_LEVEL_DEGRADED);
    case_add_full(&file, WEB, 10, SONDE_OUTCOME_NO_REPLY, NULL);
    analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_LOSS_AT_DESTINATION);
    cr_expect_not_null(find_code(&analysis, SONDE_CODE_PATH_CHANGED));
}

/* There is no round trip to tell of where the target never answered. */
Test(rules, a_path_that_changed_of_a_silent_port_is_told_without_a_round_trip)
{
    add_answering(ICMP, SONDE_OUTCOME_ECHO_REPLY, 3);
    add_silent(WEB, 2, BEFORE);
    case_add_hop(&file, WEB, 2, 3, SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.2");
    struct analysis analysis = case_judge(&file, WEB);
    const struct finding *found = find_code(&analysis, SONDE_CODE_PATH_CHANGED);
    cr_assert_not_null(found);
    static const char begin[] = "the path changed at 00:00:0";
    cr_expect_eq(strncmp(found->text, begin, sizeof begin - 1), 0, "%s", found->text);
    cr_expect_not_null(strstr(found->text, " at hop 2: 192.0.2.2 -> 198.51.100.2"));
}

/* A firewall on this link answers from its link-local address. */
Test(rules, a_sentence_names_the_zone_of_an_address)
{
    static const struct sonde_zone zones[] = {{2, "eth0"}};
    file.target.zones = (struct sonde_zones){zones, 1};
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    for (uint32_t cycle = 0; cycle < 3; cycle++) {
        struct sonde_event event =
            record_full(SSH, cycle, SONDE_OUTCOME_ADMIN_PROHIBITED, "fe80::1");
        event.from.scope = 2;
        case_add(&file, event);
    }
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect_eq(analysis.state, SONDE_STATE_REJECTED);
    cr_expect_not_null(strstr(analysis.verdict.text, "fe80::1%eth0"), "%s", analysis.verdict.text);
}
