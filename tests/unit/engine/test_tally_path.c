/* SPDX-License-Identifier: BSD-2-Clause */
/* The path that the tally follows: which router stands where now, and when that has changed. */
#include "engine/tally.h"

#include "tests/unit/engine/tally_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(tally_path, routers_that_take_turns_are_all_kept_and_are_no_change_of_path)
{
    static const char *const routers[] = {"10.3.0.1", "10.3.0.2", "10.3.0.3", "10.3.0.4"};
    for (size_t ways = 2; ways <= 4; ways++) {
        struct tally *tally = case_tally();
        case_router(tally, 0, 3, routers[0]);
        uint64_t id = tally_path_id(tally, case_service(tally, 0));
        for (uint32_t cycle = 1; cycle < 10 * ways; cycle++)
            case_router(tally, cycle, 3, routers[cycle % ways]);
        const struct tally_hop *hop = case_service(tally, 0)->hops[3];
        cr_expect_eq(hop->responder_count, ways);
        for (size_t i = 0; i < ways; i++) {
            struct sonde_addr addr = record_addr(routers[i]);
            cr_expect(sonde_addr_equal(&hop->responders[i].addr, &addr), "in the order first seen");
            cr_expect_eq(hop->responders[i].received, 10);
        }
        cr_expect_eq(case_service(tally, 0)->path_changes, 0, "%zu ways", ways);
        cr_expect_eq(tally_path_id(tally, case_service(tally, 0)), id, "%zu ways", ways);
        tally_free(tally);
    }
}

/* Three in a row, and together with those of the router before sixteen in a row. */
Test(tally_path, a_new_router_that_answers_three_times_in_a_row_is_a_change_of_path)
{
    struct tally *tally = case_tally();
    const struct tally_service *service = case_service(tally, 0);
    for (uint32_t cycle = 0; cycle < 20; cycle++)
        case_router(tally, cycle, 2, "10.2.0.1");
    uint64_t id = tally_path_id(tally, service);
    for (uint32_t cycle = 20; cycle < 22; cycle++) {
        case_router(tally, cycle, 2, "10.2.0.9");
        cr_expect_eq(service->path_changes, 0);
        cr_expect_eq(tally_path_id(tally, service), id);
    }
    case_router(tally, 22, 2, "10.2.0.9");
    cr_expect_eq(service->path_changes, 1);
    cr_expect_eq(service->changed_cycle, 22);
    cr_expect_neq(tally_path_id(tally, service), id);
    tally_free(tally);
}

Test(tally_path, a_path_that_comes_back_has_changed_twice_and_has_its_old_name)
{
    static const uint32_t lengths[] = {8, 10, 100}; /* cycles of each phase: two are 16 */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct tally *tally = case_tally();
        const struct tally_service *service = case_service(tally, 0);
        uint64_t ids[4];
        for (uint32_t phase = 0; phase < 4; phase++) {
            for (uint32_t cycle = 0; cycle < lengths[i]; cycle++)
                case_router(tally, phase * lengths[i] + cycle, 2,
                            phase % 2 == 0 ? "10.2.0.1" : "10.2.0.9");
            ids[phase] = tally_path_id(tally, service);
            cr_expect_eq(service->path_changes, phase, "%u cycles: %u changes in phase %u",
                         lengths[i], service->path_changes, phase);
        }
        cr_expect_neq(ids[0], ids[1]);
        cr_expect_eq(ids[2], ids[0]);
        cr_expect_eq(ids[3], ids[1]);
        tally_free(tally);
    }
}

Test(tally_path, hops_that_change_together_are_one_change)
{
    struct tally *tally = case_tally();
    for (uint32_t cycle = 0; cycle < 10; cycle++) {
        bool moved = cycle >= 5;
        case_router(tally, cycle, 2, moved ? "10.2.0.9" : "10.2.0.1");
        case_router(tally, cycle, 3, moved ? "10.3.0.9" : "10.3.0.1");
        case_fold(tally, record_hop(0, cycle, moved ? 5 : 4, SONDE_OUTCOME_OPEN, CASE_TARGET));
        if (moved)
            case_router(tally, cycle, 4, "10.4.0.9");
    }
    cr_expect_eq(case_service(tally, 0)->path_changes, 1);
    cr_expect_eq(case_service(tally, 0)->reach.dest_ttl, 5);
    tally_free(tally);
}

/* Four services take turns, so each is asked every fourth cycle; hop 3 loses an answer. What shows
 * first in cycle 64 at hop 2 (after 16 answers of the old router) is believed with the third new
 * one, in 72, and at hop 3 in 76; but there, too, the old one was seen last in 60. */
Test(tally_path, a_change_that_one_hop_shows_later_than_another_is_one)
{
    struct tally *tally = case_tally();
    for (uint32_t cycle = 0; cycle < 160; cycle += 4) {
        bool moved = cycle >= 64;
        case_router(tally, cycle, 2, moved ? "10.2.0.9" : "10.2.0.1");
        if (cycle == 64)
            case_fold(tally, record_hop(0, cycle, 3, SONDE_OUTCOME_NO_REPLY, NULL));
        else
            case_router(tally, cycle, 3, moved ? "10.3.0.9" : "10.3.0.1");
        uint32_t changes = case_service(tally, 0)->path_changes;
        cr_expect_eq(changes, cycle >= 72, "cycle %u: %u", cycle, changes);
    }
    cr_expect_eq(case_service(tally, 0)->changed_cycle, 76);
    tally_free(tally);
}

/* Hop 2 is asked every cycle and hop 3 every fourth. What is believed at hop 2 in cycle 63 began in
 * 61; hop 3 shows the old router in cycle 60 (16 answers), the new one first in 64, and is believed
 * with the third, in 72. */
Test(tally_path, a_change_that_one_hop_is_asked_about_later_than_another_is_one)
{
    struct tally *tally = case_tally();
    for (uint32_t cycle = 0; cycle < 100; cycle++) {
        bool moved = cycle >= 61;
        case_router(tally, cycle, 2, moved ? "10.2.0.9" : "10.2.0.1");
        if (cycle % 4 == 0)
            case_router(tally, cycle, 3, moved ? "10.3.0.9" : "10.3.0.1");
        uint32_t changes = case_service(tally, 0)->path_changes;
        cr_expect_eq(changes, cycle >= 63, "cycle %u: %u", cycle, changes);
    }
    cr_expect_eq(case_service(tally, 0)->changed_cycle, 72);
    tally_free(tally);
}

/* Both began in cycle 20: the distance is believed to have changed in 21, the router in 22.
 * Likewise back again, from cycle 40 on. */
Test(tally_path, a_distance_and_a_router_that_change_together_are_one_change)
{
    struct tally *tally = case_tally();
    for (uint32_t cycle = 0; cycle < 60; cycle++) {
        bool moved = cycle >= 20 && cycle < 40;
        case_router(tally, cycle, 1, moved ? "10.1.0.9" : "10.1.0.1");
        if (!moved)
            case_router(tally, cycle, 2, "10.2.0.1");
        case_fold(tally, record_hop(0, cycle, moved ? 2 : 3, SONDE_OUTCOME_OPEN, CASE_TARGET));
        uint32_t changes = case_service(tally, 0)->path_changes;
        cr_expect_eq(changes, cycle < 21 ? 0 : cycle < 41 ? 1 : 2, "cycle %u: %u", cycle, changes);
    }
    cr_expect_eq(case_service(tally, 0)->changed_cycle, 42);
    tally_free(tally);
}

/* Where the target answers now, a router did last in cycle 8, and was not asked in 12 and 16:
 * believed in 24, long after hop 1 has shown the same change, it is no other. */
Test(tally_path, a_nearer_target_may_be_known_late_and_is_the_same_change)
{
    struct tally *tally = case_tally();
    for (uint32_t cycle = 0; cycle < 30; cycle++) {
        bool moved = cycle >= 17;
        case_router(tally, cycle, 1, moved ? "10.1.0.9" : "10.1.0.1");
        if (cycle <= 8)
            case_router(tally, cycle, 2, "10.2.0.1");
        if (cycle == 21 || cycle == 24)
            case_fold(tally, record_hop(0, cycle, 2, SONDE_OUTCOME_OPEN, CASE_TARGET));
        uint32_t changes = case_service(tally, 0)->path_changes;
        cr_expect_eq(changes, cycle >= 19, "cycle %u: %u", cycle, changes);
    }
    cr_expect_eq(case_service(tally, 0)->reach.dest_ttl, 2);
    tally_free(tally);
}

/* The target was seen first at the TTL where routers stand now. */
Test(tally_path, the_path_goes_through_routers_only)
{
    struct tally *tally = case_tally();
    const struct tally_service *service = case_service(tally, 0);
    struct sonde_addr router = record_addr("10.2.0.1");
    case_router(tally, 0, 1, "10.1.0.1");
    case_fold(tally, record_hop(0, 0, 2, SONDE_OUTCOME_OPEN, CASE_TARGET));
    cr_expect_null(tally_router(service, 2));
    cr_expect_null(tally_router(service, 3));
    case_router(tally, 1, 2, "10.2.0.1");
    cr_expect_null(tally_router(service, 2), "one answer against the distance");
    case_router(tally, 2, 2, "10.2.0.1");
    cr_assert_not_null(tally_router(service, 2));
    cr_expect(sonde_addr_equal(&tally_router(service, 2)->addr, &router));
    tally_free(tally);
}

/* From cycle 13 on, hop 2 is another and hops 3 and 4 are silent. By hand: 10.2.0.9 is believed
 * with its third answer, in cycle 15 (thirteen and three); two more silences, of cycles 15 and 16,
 * which are known after that, and the two hops are gone. */
Test(tally_path, with_a_new_router_goes_what_is_silent_behind_it)
{
    struct tally *tally = case_tally();
    const struct tally_service *service = case_service(tally, 0);
    for (uint32_t cycle = 0; cycle < 17; cycle++) {
        bool moved = cycle >= 13;
        cr_expect_eq(service->reach.top_ttl, cycle == 0 ? 0 : 4);
        case_router(tally, cycle, 1, "10.1.0.1");
        case_router(tally, cycle, 2, moved ? "10.2.0.9" : "10.2.0.1");
        for (uint8_t ttl = 3; ttl <= 4; ttl++) {
            if (moved)
                case_fold(tally, record_hop(0, cycle, ttl, SONDE_OUTCOME_NO_REPLY, NULL));
            else
                case_router(tally, cycle, ttl, ttl == 3 ? "10.3.0.1" : "10.4.0.1");
        }
    }
    cr_expect_eq(service->reach.top_ttl, 2);
    cr_expect_null(tally_router(service, 3));
    cr_expect_null(tally_router(service, 4));
    cr_expect_eq(service->path_changes, 1);
    tally_free(tally);
}

Test(tally_path, changes_far_apart_are_several)
{
    static const char *const routers[] = {"10.2.0.1", "10.2.0.2", "10.2.0.3"};
    struct tally *tally = case_tally();
    for (uint32_t cycle = 0; cycle < 30; cycle++)
        case_router(tally, cycle, 2, routers[cycle / 10]);
    cr_expect_eq(case_service(tally, 0)->path_changes, 2);
    tally_free(tally);
}

Test(tally_path, equal_paths_have_equal_names_and_others_have_not)
{
    struct tally *tally = case_tally();
    cr_expect_eq(tally_path_id(tally, case_service(tally, 0)), 0, "nothing is known");
    static const struct {
        uint8_t ttl;
        const char *routers[3]; /* as each service sees it */
    } hops[] = {
        {1, {"10.1.0.1", "10.1.0.1", "10.2.0.1"}},
        {2, {"10.2.0.1", "10.2.0.1", "10.1.0.1"}}, /* the third in another order */
    };
    for (uint32_t service = 0; service < 3; service++) {
        for (size_t i = 0; i < 2; i++)
            case_fold(tally, record_hop(service, 0, hops[i].ttl, SONDE_OUTCOME_TTL_EXCEEDED,
                                        hops[i].routers[service]));
        case_fold(tally, record_hop(service, 0, 3, SONDE_OUTCOME_OPEN, CASE_TARGET));
    }
    uint64_t id = tally_path_id(tally, case_service(tally, 0));
    cr_expect_neq(id, 0);
    cr_expect_eq(id >> 48, 0);
    cr_expect_eq(tally_path_id(tally, case_service(tally, 1)), id);
    cr_expect_neq(tally_path_id(tally, case_service(tally, 2)), id);
    case_fold(tally, record_hop(0, 1, 2, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_eq(tally_path_id(tally, case_service(tally, 0)), id, "a lost probe is no other path");
    tally_free(tally);
}

/* Another router has answered two times of three when figures begin anew, in cycles 20 and 21; a
 * probe of cycle 22 or 23 makes the change believed. It is known in both cases, and counts if that
 * probe left afterwards. */
Test(tally_path, a_change_counts_if_what_shows_it_left_since_figures_began)
{
    for (uint32_t counts = 0; counts < 2; counts++) {
        struct tally *tally = case_tally();
        const struct tally_service *service = case_service(tally, 0);
        for (uint32_t cycle = 0; cycle < 22; cycle++)
            case_router(tally, cycle, 2, cycle < 20 ? "10.2.0.1" : "10.2.0.9");
        tally_reset(tally, 0, 0, 23 * SONDE_NS_PER_S);
        case_router(tally, 22 + counts, 2, "10.2.0.9");
        cr_expect_eq(service->changes, 1);
        cr_expect_eq(service->path_changes, counts);
        tally_reset(tally, 0, 0, 30 * SONDE_NS_PER_S);
        cr_expect_eq(service->changes, 1);
        cr_expect_eq(service->path_changes, 0);
        tally_free(tally);
    }
}

/* A router answers in cycles 10 and 12 where the target did; in between, figures begin anew. The
 * path is longer since the first of these. */
Test(tally_path, a_change_of_length_is_as_old_as_the_first_answer_that_shows_it)
{
    for (int anew = 0; anew < 2; anew++) {
        struct tally *tally = case_tally();
        const struct tally_service *service = case_service(tally, 0);
        case_router(tally, 0, 2, "10.2.0.1");
        case_fold(tally, record_hop(0, 0, 3, SONDE_OUTCOME_ECHO_REPLY, CASE_TARGET));
        case_router(tally, 10, 3, "10.3.0.1");
        if (anew != 0)
            tally_reset(tally, 0, 0, 11 * SONDE_NS_PER_S);
        case_router(tally, 12, 3, "10.3.0.1");
        cr_assert_eq(service->way_changes.count, 1);
        cr_expect_eq(service->way_changes.items[0].time_ns, 10 * SONDE_NS_PER_S);
        tally_free(tally);
    }
}
