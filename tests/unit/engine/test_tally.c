/* SPDX-License-Identifier: BSD-2-Clause */
/* The tally: what records add up to. */
#include "engine/tally.h"

#include "tests/support/failing_alloc.h"
#include "tests/unit/engine/tally_case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

Test(tally, full_ttl_probes_count_for_the_service)
{
    struct tally *tally = case_tally();
    const struct tally_service *service = case_service(tally, 1);
    case_fold(tally, record_full(1, 0, SONDE_OUTCOME_OPEN, CASE_TARGET));
    case_fold(tally, record_full(1, 1, SONDE_OUTCOME_NO_REPLY, NULL));
    case_fold(tally, record_full(1, 2, SONDE_OUTCOME_OPEN, CASE_TARGET));
    cr_expect_eq(service->sent, 3);
    cr_expect_eq(service->received, 2);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].ended, 2);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_NO_REPLY].ended, 1);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].shown, 2);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_NO_REPLY].shown, 0,
                 "silence shows nothing by itself");
    cr_expect_eq(service->rtt.samples, 2);
    cr_expect_eq(rtt_mean(&service->rtt), 10 * SONDE_NS_PER_MS);
    cr_expect_eq(case_service(tally, 0)->sent, 0);
    cr_expect_eq(case_service(tally, 2)->sent, 0);
    tally_free(tally);
}

Test(tally, who_answers_and_who_refuses_are_told_apart)
{
    static const struct {
        enum sonde_outcome outcome;
        bool answered;
        bool refused;
    } cases[] = {
        {SONDE_OUTCOME_NO_REPLY, false, false},
        {SONDE_OUTCOME_ECHO_REPLY, true, false},
        {SONDE_OUTCOME_OPEN, true, false},
        {SONDE_OUTCOME_CLOSED, true, false},
        {SONDE_OUTCOME_UDP_REPLY, true, false},
        {SONDE_OUTCOME_PORT_UNREACHABLE, true, false},
        {SONDE_OUTCOME_TTL_EXCEEDED, false, false},
        {SONDE_OUTCOME_PACKET_TOO_BIG, false, false},
        {SONDE_OUTCOME_ADMIN_PROHIBITED, false, true},
        {SONDE_OUTCOME_HOST_UNREACHABLE, false, true},
        {SONDE_OUTCOME_NET_UNREACHABLE, false, true},
        {SONDE_OUTCOME_OTHER_UNREACHABLE, false, true},
        {SONDE_OUTCOME_SEND_ERROR, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tally *tally = case_tally();
        const struct tally_service *service = case_service(tally, 1);
        bool silent = cases[i].outcome == SONDE_OUTCOME_NO_REPLY ||
                      cases[i].outcome == SONDE_OUTCOME_SEND_ERROR;
        const char *from = silent ? NULL : cases[i].refused ? "192.0.2.1" : CASE_TARGET;
        case_fold(tally, record_full(1, 0, cases[i].outcome, from));
        const struct sonde_addr *refuser = tally_refuser(service);
        cr_expect_eq(tally_is_answered(service), cases[i].answered, "%zu", i);
        cr_expect_eq(refuser != NULL, cases[i].refused, "%zu", i);
        cr_expect(refuser == NULL || refuser->bytes[0] == 192);
        tally_free(tally);
    }
}

Test(tally, only_answers_of_the_target_itself_are_received)
{
    static const struct {
        enum sonde_outcome outcome;
        const char *from;
        uint64_t received;
    } cases[] = {
        {SONDE_OUTCOME_ECHO_REPLY, "198.51.100.7", 1},
        {SONDE_OUTCOME_CLOSED, "198.51.100.7", 1},
        {SONDE_OUTCOME_UDP_REPLY, "198.51.100.7", 1},
        {SONDE_OUTCOME_PORT_UNREACHABLE, "198.51.100.7", 1},
        {SONDE_OUTCOME_ADMIN_PROHIBITED, "198.51.100.7", 1}, /* its own firewall */
        {SONDE_OUTCOME_PORT_UNREACHABLE, "10.4.0.1", 0},
        {SONDE_OUTCOME_ADMIN_PROHIBITED, "10.4.0.1", 0},
        {SONDE_OUTCOME_HOST_UNREACHABLE, "10.4.0.1", 0},
        {SONDE_OUTCOME_TTL_EXCEEDED, "10.4.0.1", 0},
        {SONDE_OUTCOME_TTL_EXCEEDED, "198.51.100.7", 0}, /* a hop with the target's address */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tally *tally = case_tally();
        case_fold(tally, record_full(0, 0, cases[i].outcome, cases[i].from));
        cr_expect_eq(case_service(tally, 0)->sent, 1, "case %zu", i);
        cr_expect_eq(case_service(tally, 0)->received, cases[i].received, "case %zu", i);
        cr_expect_eq(case_service(tally, 0)->rtt.samples, cases[i].received, "case %zu", i);
        tally_free(tally);
    }
}

Test(tally, what_this_machine_refused_to_send_is_neither_sent_nor_lost)
{
    struct tally *tally = case_tally();
    struct sonde_event event = record_full(0, 0, SONDE_OUTCOME_SEND_ERROR, NULL);
    event.error = EPERM;
    case_fold(tally, event);
    event = record_hop(0, 0, 3, SONDE_OUTCOME_SEND_ERROR, NULL);
    event.error = ENETUNREACH;
    case_fold(tally, event);
    const struct tally_service *service = case_service(tally, 0);
    cr_expect_eq(service->sent, 0);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_SEND_ERROR].ended, 1);
    cr_expect_eq(service->errors[0].error, EPERM, "that of a probe that was meant to arrive");
    cr_expect_eq(service->errors[0].count, 1);
    cr_expect_eq(service->errors[1].error, 0);
    cr_expect(service->hops == NULL || service->hops[3] == NULL || service->hops[3]->sent == 0);
    tally_free(tally);
}

Test(tally, the_most_frequent_error_stands_first)
{
    /* the fifth kind has no place */
    static const int errors[] = {ENETUNREACH, EPERM,  EPERM,   EMSGSIZE, EMSGSIZE,
                                 EMSGSIZE,    EINVAL, ENOBUFS, EPERM,    EPERM};
    struct tally *tally = case_tally();
    for (uint32_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct sonde_event event = record_full(0, i, SONDE_OUTCOME_SEND_ERROR, NULL);
        event.error = errors[i];
        event.size_bytes = (uint16_t)(1000 + i);
        event.mtu_bytes = errors[i] == EMSGSIZE ? 900 : 0;
        case_fold(tally, event);
    }
    const struct tally_error *kept = case_service(tally, 0)->errors;
    cr_expect_eq(kept[0].error, EPERM);
    cr_expect_eq(kept[0].count, 4);
    cr_expect_eq(kept[1].error, EMSGSIZE);
    cr_expect_eq(kept[1].count, 3);
    cr_expect_eq(kept[1].size_bytes, 1005, "of the last");
    cr_expect_eq(kept[1].mtu_bytes, 900);
    cr_expect_eq(kept[2].error, ENETUNREACH);
    cr_expect_eq(kept[3].error, EINVAL);
    cr_expect_eq(case_service(tally, 0)->outcomes[SONDE_OUTCOME_SEND_ERROR].ended, 10);
    tally_free(tally);
}

static void fold_question(struct tally *tally, uint8_t question, enum sonde_outcome outcome,
                          const char *from)
{
    struct sonde_event event = record_full(0, 0, outcome, from);
    event.question = question;
    case_fold(tally, event);
}

/* Sent, received and silent probes of a service, as its loss is computed from. */
static void expect_sums(const struct tally *tally, uint64_t sent, uint64_t received,
                        uint64_t silent)
{
    const struct tally_service *service = case_service(tally, 0);
    cr_expect_eq(service->sent, sent, "%lu sent", (unsigned long)service->sent);
    cr_expect_eq(service->received, received, "%lu received", (unsigned long)service->received);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_NO_REPLY].ended, silent);
}

Test(tally, silence_to_a_question_that_is_never_answered_is_no_loss_if_another_is)
{
    struct tally *tally = case_tally();
    fold_question(tally, 0, SONDE_OUTCOME_NO_REPLY, NULL);
    fold_question(tally, 0, SONDE_OUTCOME_NO_REPLY, NULL);
    fold_question(tally, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    expect_sums(tally, 3, 0, 3); /* none is answered: all count */
    fold_question(tally, 1, SONDE_OUTCOME_UDP_REPLY, CASE_TARGET);
    expect_sums(tally, 2, 1, 1); /* of the second question one of two is lost */
    fold_question(tally, 0, SONDE_OUTCOME_UDP_REPLY, CASE_TARGET);
    expect_sums(tally, 5, 2, 3); /* the first is answered after all: its silence was loss */
    const struct tally_service *service = case_service(tally, 0);
    cr_expect_eq(service->questions[0].sent, 3);
    cr_expect_eq(service->questions[0].received, 1);
    cr_expect_eq(service->questions[1].sent, 2);
    cr_expect_eq(service->questions[1].received, 1);
    cr_expect_eq(service->questions[2].sent, 0);
    tally_free(tally);
}

Test(tally, what_somebody_said_about_a_question_counts_though_another_is_answered)
{
    struct tally *tally = case_tally();
    fold_question(tally, 0, SONDE_OUTCOME_ADMIN_PROHIBITED, "10.4.0.1");
    fold_question(tally, 0, SONDE_OUTCOME_NO_REPLY, NULL);
    fold_question(tally, 2, SONDE_OUTCOME_UDP_REPLY, CASE_TARGET);
    expect_sums(tally, 2, 1, 0);
    cr_expect_eq(case_service(tally, 0)->outcomes[SONDE_OUTCOME_ADMIN_PROHIBITED].ended, 1);
    tally_free(tally);
}

Test(tally, a_record_of_a_question_that_cannot_be_is_ignored)
{
    struct tally *tally = case_tally();
    fold_question(tally, SONDE_QUESTIONS_MAX, SONDE_OUTCOME_UDP_REPLY, CASE_TARGET);
    expect_sums(tally, 0, 0, 0);
    tally_free(tally);
}

Test(tally, ttl_limited_probes_count_for_their_hop_and_not_for_the_service)
{
    struct tally *tally = case_tally();
    case_router(tally, 0, 2, "10.2.0.1");
    case_fold(tally, record_hop(0, 1, 2, SONDE_OUTCOME_NO_REPLY, NULL));
    case_fold(tally, record_hop(0, 0, 4, SONDE_OUTCOME_OPEN, CASE_TARGET));
    const struct tally_service *service = case_service(tally, 0);
    cr_assert_not_null(service->hops);
    cr_expect_null(service->hops[1], "nothing was sent there");
    const struct tally_hop *hop = service->hops[2];
    cr_assert_not_null(hop);
    cr_expect_eq(hop->sent, 2);
    cr_expect_eq(hop->received, 1);
    cr_expect_eq(hop->rtt.samples, 1);
    cr_assert_eq(hop->responder_count, 1);
    struct sonde_addr addr = record_addr("10.2.0.1");
    cr_expect(sonde_addr_equal(&hop->responders[0].addr, &addr));
    cr_expect_eq(hop->responders[0].received, 1);
    cr_expect_eq(hop->responders[0].kind, SONDE_OUTCOME_TTL_EXCEEDED);
    cr_expect_eq(hop->responders[0].icmp_type, 11);
    cr_expect_eq(hop->responders[0].icmp_code, 0);
    cr_expect_eq(hop->responders[0].reply_ttl, 60);
    cr_expect_eq(service->sent, 0);
    cr_expect_eq(service->received, 0);
    cr_expect_eq(service->rtt.samples, 0);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].shown, 1,
                 "what it shows counts all the same");
    cr_expect_eq(service->reach.dest_ttl, 4);
    cr_expect_eq(service->reach.top_ttl, 2);
    tally_free(tally);
}

Test(tally, a_late_answer_is_evidence_but_no_success)
{
    struct tally *tally = case_tally();
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_NO_REPLY, NULL));
    struct sonde_event late = record_full(0, 0, SONDE_OUTCOME_OPEN, CASE_TARGET);
    late.type = SONDE_EVENT_LATE;
    case_fold(tally, late);
    const struct tally_service *service = case_service(tally, 0);
    cr_expect_eq(service->late, 1);
    cr_expect_eq(service->sent, 1);
    cr_expect_eq(service->received, 0);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].ended, 0);
    cr_expect_eq(service->rtt.samples, 0);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].shown, 1);
    cr_expect(service->outcomes[SONDE_OUTCOME_OPEN].evidence.valid);
    tally_free(tally);
}

Test(tally, a_duplicate_changes_nothing_but_its_own_count)
{
    struct tally *tally = case_tally();
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_OPEN, CASE_TARGET));
    struct sonde_event duplicate = record_full(0, 0, SONDE_OUTCOME_CLOSED, CASE_TARGET);
    duplicate.type = SONDE_EVENT_DUPLICATE;
    for (int i = 0; i < 1000; i++)
        case_fold(tally, duplicate);
    const struct tally_service *service = case_service(tally, 0);
    cr_expect_eq(service->duplicates, 1000);
    cr_expect_eq(service->sent, 1);
    cr_expect_eq(service->received, 1);
    cr_expect_eq(service->rtt.samples, 1);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_CLOSED].shown, 0);
    cr_expect_not(service->outcomes[SONDE_OUTCOME_CLOSED].evidence.valid);
    tally_free(tally);
}

Test(tally, an_answer_that_may_be_another_probes_has_no_time_and_no_place)
{
    struct tally *tally = case_tally();
    struct sonde_event event = record_full(0, 0, SONDE_OUTCOME_CLOSED, CASE_TARGET);
    event.uncertain = true;
    event.rtt_ns = -1;
    case_fold(tally, event);
    event = record_hop(0, 0, 5, SONDE_OUTCOME_CLOSED, CASE_TARGET);
    event.uncertain = true;
    event.rtt_ns = -1;
    case_fold(tally, event);
    const struct tally_service *service = case_service(tally, 0);
    cr_expect_eq(service->sent, 0, "whether it was lost is not known");
    cr_expect_eq(service->received, 0);
    cr_expect_eq(service->uncertain, 1, "of the full-TTL probes");
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_CLOSED].ended, 1);
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_CLOSED].shown, 2);
    cr_expect_eq(service->rtt.samples, 0);
    cr_expect_eq(service->reach.dest_ttl, 0);
    cr_expect(service->hops == NULL || service->hops[5] == NULL || service->hops[5]->sent == 0);
    tally_free(tally);
}

Test(tally, evidence_is_the_last_reply_of_each_outcome)
{
    struct tally *tally = case_tally();
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_ADMIN_PROHIBITED, "10.4.0.1"));
    struct sonde_event last = record_hop(0, 1, 7, SONDE_OUTCOME_ADMIN_PROHIBITED, "10.4.0.2");
    last = record_with_code(last, 3, 10);
    last.reply_ttl = 251;
    case_fold(tally, last);
    case_fold(tally, record_full(0, 2, SONDE_OUTCOME_OPEN, CASE_TARGET));
    const struct tally_service *service = case_service(tally, 0);
    const struct tally_evidence *evidence =
        &service->outcomes[SONDE_OUTCOME_ADMIN_PROHIBITED].evidence;
    struct sonde_addr addr = record_addr("10.4.0.2");
    cr_assert(evidence->valid);
    cr_expect(sonde_addr_equal(&evidence->from, &addr));
    cr_expect_eq(evidence->icmp_type, 3);
    cr_expect_eq(evidence->icmp_code, 10);
    cr_expect_eq(evidence->reply_ttl, 251);
    cr_expect_eq(evidence->probe_ttl, 7);
    cr_expect(service->outcomes[SONDE_OUTCOME_OPEN].evidence.valid);
    cr_expect_not(service->outcomes[SONDE_OUTCOME_CLOSED].evidence.valid);
    tally_free(tally);
}

Test(tally, records_of_what_does_not_exist_are_ignored)
{
    static const struct {
        uint32_t target;
        uint32_t service;
        uint8_t ttl;
        enum sonde_outcome outcome;
    } cases[] = {
        {1, 0, 5, SONDE_OUTCOME_OPEN},  {UINT32_MAX, 0, 5, SONDE_OUTCOME_OPEN},
        {0, 3, 5, SONDE_OUTCOME_OPEN},  {0, UINT32_MAX, 5, SONDE_OUTCOME_OPEN},
        {0, 0, 5, SONDE_OUTCOME_COUNT}, {0, 0, 0, SONDE_OUTCOME_OPEN},
    };
    struct tally *tally = case_tally();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_event event = record_hop(0, 0, cases[i].ttl, SONDE_OUTCOME_OPEN, CASE_TARGET);
        event.target = cases[i].target;
        event.service = cases[i].service;
        event.outcome = cases[i].outcome;
        case_fold(tally, event);
        event.to_target = true;
        case_fold(tally, event);
    }
    case_fold(tally, record_hop(0, 0, CASE_MAX_TTL + 1, SONDE_OUTCOME_OPEN, CASE_TARGET));
    case_fold(tally, record_hop(0, 0, 255, SONDE_OUTCOME_OPEN, CASE_TARGET));
    for (uint32_t service = 0; service < 3; service++) {
        cr_expect_eq(case_service(tally, service)->sent, 0);
        cr_expect_null(case_service(tally, service)->hops);
        cr_expect_eq(case_service(tally, service)->outcomes[SONDE_OUTCOME_OPEN].shown, 0);
    }
    tally_free(tally);
}

Test(tally, a_full_ttl_probe_may_have_left_with_a_ttl_beyond_all_hops)
{
    struct tally *tally = case_tally();
    static const uint8_t ttls[] = {CASE_MAX_TTL + 1, 64, 255};
    for (uint32_t i = 0; i < 3; i++) {
        struct sonde_event event = record_full(0, i, SONDE_OUTCOME_OPEN, CASE_TARGET);
        event.ttl = ttls[i];
        case_fold(tally, event);
        cr_expect_eq(case_service(tally, 0)->received, i + 1);
    }
    cr_expect_null(case_service(tally, 0)->hops);
    cr_expect_eq(case_service(tally, 0)->reach.dest_ttl, 0);
    tally_free(tally);
}

/* A probe to a hop that nobody answered, and how many another's was answered that left later. */
static uint64_t passed_over_by(sonde_ns later, uint8_t ttl, enum sonde_outcome outcome)
{
    struct tally *tally = case_tally();
    struct sonde_event answered = record_hop(1, 0, ttl, outcome, "10.4.0.1");
    answered.sent_ns += later;
    case_fold(tally, answered);
    case_fold(tally, record_hop(0, 0, 4, SONDE_OUTCOME_NO_REPLY, NULL));
    const struct tally_hop *hop = case_service(tally, 0)->hops[4];
    uint64_t count = hop->passed_over;
    cr_expect_eq(hop->sent, 1);
    cr_expect_eq(hop->received, 0);
    tally_free(tally);
    return count;
}

/* Another's probe that left 1 to 50 ms later was answered: the router did not ration its answers
 * then. Times are kept in tenths of a millisecond. */
Test(tally, who_is_passed_over_at_a_hop_is_counted)
{
    static const sonde_ns MS = SONDE_NS_PER_MS;
    static const enum sonde_outcome EXPIRED = SONDE_OUTCOME_TTL_EXCEEDED;
    cr_expect_eq(passed_over_by(MS - 1, 4, EXPIRED), 0, "it may have overtaken the other");
    cr_expect_eq(passed_over_by(MS, 4, EXPIRED), 1);
    cr_expect_eq(passed_over_by(50 * MS, 4, EXPIRED), 1);
    cr_expect_eq(passed_over_by(50 * MS + MS / 10, 4, EXPIRED), 0,
                 "the router may answer again by then");
    cr_expect_eq(passed_over_by(-5 * MS, 4, EXPIRED), 0, "it left before");
    cr_expect_eq(passed_over_by(5 * MS, 3, EXPIRED), 0, "at another hop");
    cr_expect_eq(passed_over_by(5 * MS, 4, SONDE_OUTCOME_ADMIN_PROHIBITED), 0, "a refusal");
}

Test(tally, a_target_without_services_is_possible)
{
    struct tally *tally = NULL;
    struct sonde_addr addr = record_addr("2001:db8::7");
    cr_assert_eq(tally_new(255, &tally), 0);
    cr_expect_eq(tally_add_target(tally, &addr, 0), 0);
    cr_expect_eq(tally->target_count, 1);
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_null(tally_free(tally));
    cr_expect_null(tally_free(NULL));
}

Test(tally, packets_are_counted_by_the_clock_that_stamped_them)
{
    struct tally *tally = case_tally();
    struct sonde_event answered = record_full(1, 0, SONDE_OUTCOME_OPEN, CASE_TARGET);
    struct sonde_event unanswered = record_full(1, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    struct sonde_event unawaited = record_hop(1, 1, 9, SONDE_OUTCOME_NO_REPLY, NULL);
    struct sonde_event unsent = record_full(1, 2, SONDE_OUTCOME_SEND_ERROR, NULL);
    answered.sent_clock = answered.received_clock = SONDE_CLOCK_KERNEL;
    unanswered.sent_clock = SONDE_CLOCK_KERNEL;
    unawaited.type = SONDE_EVENT_UNAWAITED;
    unsent.error = 1;
    case_fold(tally, answered);
    case_fold(tally, unanswered);
    case_fold(tally, unawaited);
    case_fold(tally, unsent);
    cr_expect_eq(tally->sent_clocks[SONDE_CLOCK_KERNEL], 2);
    cr_expect_eq(tally->sent_clocks[SONDE_CLOCK_USER], 1);
    cr_expect_eq(tally->received_clocks[SONDE_CLOCK_KERNEL], 1);
    cr_expect_eq(tally->received_clocks[SONDE_CLOCK_USER], 0);
    cr_expect_eq(tally->send_errors, 1);
    tally_free(tally);
}

Test(tally, a_probe_that_was_not_awaited_is_neither_answered_nor_lost)
{
    struct tally *tally = case_tally();
    struct sonde_event unawaited = record_hop(0, 0, 9, SONDE_OUTCOME_NO_REPLY, NULL);
    unawaited.type = SONDE_EVENT_UNAWAITED;
    case_fold(tally, unawaited);
    cr_expect_null(case_service(tally, 0)->hops);
    tally_free(tally);
}

/* Probes left at 0, 1, … 4 s; figures begin at 2 s. */
Test(tally, only_probes_count_that_left_since_its_figures_began)
{
    struct tally *tally = case_tally();
    const struct tally_service *service = case_service(tally, 0);
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_OPEN, CASE_TARGET));
    case_router(tally, 0, 1, "10.1.0.1");
    tally_reset(tally, 0, 0, 2 * SONDE_NS_PER_S);
    cr_expect_eq(service->sent + service->received + service->rtt.samples, 0);
    for (uint32_t cycle = 1; cycle < 5; cycle++) {
        struct sonde_event late = record_full(0, cycle, SONDE_OUTCOME_OPEN, CASE_TARGET);
        struct sonde_event again = late;
        late.type = SONDE_EVENT_LATE;
        again.type = SONDE_EVENT_DUPLICATE;
        case_fold(tally, record_full(0, cycle, SONDE_OUTCOME_OPEN, CASE_TARGET));
        case_fold(tally, late);
        case_fold(tally, again);
        case_router(tally, cycle, 1, "10.1.0.1");
        uint64_t count = cycle - 1; /* that at 1 s left before */
        cr_expect_eq(service->sent, count, "cycle %u: %u", cycle, (unsigned)service->sent);
        cr_expect_eq(service->received, count);
        cr_expect_eq(service->rtt.samples, count);
        cr_expect_eq(service->late, count);
        cr_expect_eq(service->late_own, count);
        cr_expect_eq(service->duplicates, count);
        cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].ended, count);
        cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].shown, 2 * count);
        cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].evidence.valid, count > 0);
        cr_expect_eq(service->hops[1]->sent, count);
        cr_expect_eq(service->hops[1]->received, count);
    }
    tally_free(tally);
}

/* The answer to a probe from before is the first since, and then comes behind another. */
Test(tally, what_was_known_stays_known_when_figures_begin_anew)
{
    struct tally *tally = case_tally();
    const struct tally_service *service = case_service(tally, 0);
    const struct tally_evidence *evidence = &service->outcomes[SONDE_OUTCOME_CLOSED].evidence;
    case_router(tally, 0, 1, "10.1.0.1");
    case_fold(tally, record_hop(0, 0, 2, SONDE_OUTCOME_OPEN, CASE_TARGET));
    case_fold(tally, record_full(0, 0, SONDE_OUTCOME_ADMIN_PROHIBITED, "10.1.0.1"));
    tally_reset(tally, 0, 0, 2 * SONDE_NS_PER_S);
    cr_expect_eq(service->reach.dest_ttl, 2);
    cr_expect_eq(service->reach.top_ttl, 1);
    cr_assert_not_null(tally_router(service, 1));
    cr_expect(tally_is_answered(service));
    cr_expect_not_null(tally_refuser(service));
    cr_expect(tally_has_shown(service, SONDE_OUTCOME_OPEN));
    cr_expect_not(tally_has_shown(service, SONDE_OUTCOME_CLOSED));
    cr_expect_eq(service->outcomes[SONDE_OUTCOME_OPEN].shown, 0);
    cr_expect_not(service->outcomes[SONDE_OUTCOME_OPEN].evidence.valid);
    case_fold(tally, record_full(0, 1, SONDE_OUTCOME_CLOSED, CASE_TARGET));
    cr_expect(evidence->known && !evidence->valid);
    case_fold(tally, record_full(0, 3, SONDE_OUTCOME_CLOSED, CASE_TARGET));
    cr_expect(evidence->known && evidence->valid);
    struct sonde_event old = record_full(0, 1, SONDE_OUTCOME_CLOSED, CASE_TARGET);
    old.reply_ttl = 7;
    case_fold(tally, old);
    cr_expect_eq(evidence->reply_ttl, 60, "the newer one");
    tally_free(tally);
}

Test(tally, what_is_of_no_service_begins_anew_by_itself)
{
    struct tally *tally = case_tally();
    const struct sonde_event unsent = record_full(0, 0, SONDE_OUTCOME_SEND_ERROR, NULL);
    case_fold(tally, unsent);
    tally_reset(tally, 0, 0, SONDE_NS_PER_S);
    cr_expect_eq(tally->send_errors, 1);
    tally_reset_common(tally, SONDE_NS_PER_S);
    cr_expect_eq(tally->send_errors, 0);
    case_fold(tally, unsent);
    cr_expect_eq(tally->send_errors, 0);
    case_fold(tally, record_full(0, 1, SONDE_OUTCOME_SEND_ERROR, NULL));
    cr_expect_eq(tally->send_errors, 1);
    tally_free(tally);
}
