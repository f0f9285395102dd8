/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts: level, code, confidence, who is to blame, and the sentence an admin reads. */
#include "tests/unit/analyze/case.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct case_file file;

static void open_file(void)
{
    case_open(&file, TARGET);
}

static void close_file(void)
{
    case_close(&file);
}

TestSuite(verdict, .init = open_file, .fini = close_file);

static void expect_verdict(const struct analysis *analysis, enum sonde_level level,
                           enum sonde_code code, const char *words)
{
    cr_expect_str_eq(sonde_level_name(analysis->verdict.level), sonde_level_name(level));
    cr_expect_str_eq(sonde_code_name(analysis->verdict.code), sonde_code_name(code));
    cr_expect_str_eq(analysis->verdict.text, words);
}

Test(verdict, an_open_port_is_ok_with_its_round_trip)
{
    case_add_full(&file, WEB, 4, SONDE_OUTCOME_OPEN, TARGET);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK, "10.0 ms, no loss");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_HIGH);
    cr_expect_not(analysis.verdict.has_blame);
}

Test(verdict, loss_of_an_open_port_is_told)
{
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    case_add(&file, record_full(WEB, 4, SONDE_OUTCOME_NO_REPLY, NULL));
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK, "10.0 ms, 1 of 4 lost");
}

Test(verdict, a_port_that_only_answered_late_is_open_without_a_round_trip)
{
    struct sonde_event late = record_full(WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    late.type = SONDE_EVENT_LATE;
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add(&file, late);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK,
                   "1 of 1 lost; 1 of 1 answers came late, or in place of a lost one");
}

Test(verdict, a_closed_port_has_failed)
{
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_CLOSED, TARGET);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_CLOSED, "10.0 ms, no loss");
}

/* RFC 1812 §5.2.7.1: code 13. */
Test(verdict, a_rejected_port_names_the_reporter_its_hop_and_its_words)
{
    case_add_router(&file, ICMP, 3);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "192.0.2.3");
    struct analysis analysis = case_judge(&file, WEB);
    struct sonde_addr reporter = record_addr("192.0.2.3");
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_REJECTED,
                   "by hop 3 (192.0.2.3): administratively prohibited");
    cr_assert(analysis.verdict.has_blame);
    cr_expect(sonde_addr_equal(&analysis.verdict.blame.reporter.address, &reporter));
    cr_expect_eq(analysis.verdict.blame.reporter.ttl, 3);
    cr_expect_eq(analysis.deciding, SONDE_OUTCOME_ADMIN_PROHIBITED);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_HIGH,
                 "it is the culprit's own word");
}

Test(verdict, a_reporter_that_is_no_known_hop_is_named_by_its_address_alone)
{
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, "203.0.113.1");
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_REJECTED,
                   "by 203.0.113.1: administratively prohibited");
    cr_expect_eq(analysis.verdict.blame.reporter.ttl, 0);
}

Test(verdict, a_target_that_rejects_is_named_as_the_target)
{
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_ADMIN_PROHIBITED, TARGET);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_REJECTED,
                   "by the target itself: administratively prohibited");
}

Test(verdict, a_filtered_port_names_what_passes)
{
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, SSH, 3, SONDE_OUTCOME_OPEN, TARGET);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_FILTERED,
                   "no answer to 3 probes; the hops on the way were not looked at closer; icmp "
                   "and 22/tcp pass");
}

/* The rules: three silent probes and two controls for high, two and one for medium. */
Test(verdict, trusts_silence_by_how_often_it_was_and_how_much_answered_beside_it)
{
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    cr_expect_eq(case_judge(&file, WEB).verdict.confidence, SONDE_CONFIDENCE_MEDIUM);
    case_add(&file, record_full(WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_eq(case_judge(&file, WEB).verdict.confidence, SONDE_CONFIDENCE_MEDIUM, "one control");
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_OPEN, TARGET);
    cr_expect_eq(case_judge(&file, WEB).verdict.confidence, SONDE_CONFIDENCE_HIGH);
}

/* Probes of one cycle go out within milliseconds: all of them may have met one moment of loss. */
Test(verdict, trusts_silence_by_the_cycles_that_it_lasted_and_not_by_its_probes)
{
    case_add_hop(&file, ICMP, 2, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_OPEN, TARGET);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&file, WEB, 2, 5, SONDE_OUTCOME_NO_REPLY, NULL); /* far enough to arrive */
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_PORT_FILTERED);
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
    /* what was sent to a hop is not counted with it: the table has 1 of 1 */
    cr_expect_not_null(strstr(analysis.verdict.text, "no answer to 1 probe;"), "%s",
                       analysis.verdict.text);
    case_add(&file, record_full(WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL));
    cr_expect_eq(case_judge(&file, WEB).verdict.confidence, SONDE_CONFIDENCE_MEDIUM);
}

Test(verdict, a_silent_udp_port_is_degraded_not_failed)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, DNS, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, DNS);
    expect_verdict(&analysis, SONDE_LEVEL_DEGRADED, SONDE_CODE_UDP_UNCONFIRMED,
                   "no answer to 2 probes: open or filtered, which cannot be told apart; icmp "
                   "passes");
}

/* Two routers with addresses as long as they get; the second shows the loss of 12 of 40. */
static void add_long_hops(void)
{
    static const char *const routers[] = {"2001:db8:1111:2222:3333:4444:5555:6613",
                                          "2001:db8:1111:2222:3333:4444:5555:6614"};
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t answered = i == 0 ? 40 : 28;
        for (uint32_t cycle = 1; cycle <= 40; cycle++) {
            bool heard = cycle <= answered;
            case_add(&file, record_hop(DNS, cycle, (uint8_t)(13 + i),
                                       heard ? SONDE_OUTCOME_TTL_EXCEEDED : SONDE_OUTCOME_NO_REPLY,
                                       heard ? routers[i] : NULL));
        }
    }
}

Test(verdict, the_longest_sentence_is_told_to_its_end)
{
    static const struct analyze_question asked[] = {
        {"Status-Server", NULL},
        {"Access-Request",
         "a server without Status-Server, or with another secret for this client"},
    };
    close_file();
    case_open(&file, TARGET6);
    file.services[DNS].questions = asked;
    file.services[DNS].question_count = 2;
    add_long_hops();
    case_add_full(&file, DNS, 2, SONDE_OUTCOME_NO_REPLY, NULL); /* the first question */
    for (uint32_t cycle = 1; cycle <= 40; cycle++) {
        struct sonde_event event = record_full(DNS, cycle,
                                               cycle <= 27   ? SONDE_OUTCOME_UDP_REPLY
                                               : cycle <= 28 ? SONDE_OUTCOME_ADMIN_PROHIBITED
                                                             : SONDE_OUTCOME_NO_REPLY,
                                               cycle <= 27   ? TARGET6
                                               : cycle <= 28 ? "2001:db8::1"
                                                             : NULL);
        event.question = 1;
        case_add(&file, event);
    }
    cr_expect_str_eq(
        case_judge(&file, DNS).verdict.text,
        "10.0 ms, 30.0% loss, 1 of 40 refused; answered Access-Request, but not Status-Server "
        "(0 of 2), like a server without Status-Server, or with another secret for this client; "
        "it begins behind hop 13 (2001:db8:1111:2222:3333:4444:5555:6613), and is seen from hop 14 "
        "(2001:db8:1111:2222:3333:4444:5555:6614) on, there or on the way back");
}

/* Three questions of 53/udp. */
static const struct analyze_question questions[] = {
    {". NS", NULL},
    {"version.bind", "a resolver whose upstream is dead"},
    {"an empty query", NULL},
};

static void add_question(uint8_t question, uint32_t count, enum sonde_outcome outcome)
{
    bool answered = outcome != SONDE_OUTCOME_NO_REPLY;
    for (uint32_t cycle = 1; cycle <= count; cycle++) {
        struct sonde_event event = record_full(DNS, cycle, outcome, answered ? TARGET : NULL);
        event.question = question;
        case_add(&file, event);
    }
}

static struct analysis judge_questions(void)
{
    file.services[DNS].questions = questions;
    file.services[DNS].question_count = 3;
    return case_judge(&file, DNS);
}

Test(verdict, a_server_that_is_deaf_to_a_question_is_open_and_the_words_say_which_it_answers)
{
    add_question(0, 2, SONDE_OUTCOME_NO_REPLY);
    add_question(1, 3, SONDE_OUTCOME_UDP_REPLY);
    struct analysis analysis = judge_questions();
    cr_expect_eq(analysis.state, SONDE_STATE_OPEN);
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK,
                   "10.0 ms, no loss; answered version.bind, but not . NS (0 of 2), like a "
                   "resolver whose upstream is dead");
}

/* One silence may be chance: then there is nothing to compare it with. */
Test(verdict, one_silence_is_said_and_not_explained)
{
    add_question(0, 1, SONDE_OUTCOME_NO_REPLY);
    add_question(1, 1, SONDE_OUTCOME_UDP_REPLY);
    struct analysis analysis = judge_questions();
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK,
                   "10.0 ms, no loss; answered version.bind, but not . NS (0 of 1)");
}

Test(verdict, of_questions_behind_the_one_that_is_answered_nothing_is_said)
{
    add_question(0, 1, SONDE_OUTCOME_NO_REPLY);
    add_question(1, 1, SONDE_OUTCOME_NO_REPLY);
    add_question(0, 1, SONDE_OUTCOME_UDP_REPLY);
    struct analysis analysis = judge_questions();
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK, "10.0 ms, 1 of 2 lost");
}

Test(verdict, all_that_are_unanswered_before_it_are_named)
{
    add_question(0, 2, SONDE_OUTCOME_NO_REPLY);
    add_question(1, 2, SONDE_OUTCOME_NO_REPLY);
    add_question(2, 2, SONDE_OUTCOME_UDP_REPLY);
    struct analysis analysis = judge_questions();
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK,
                   "10.0 ms, no loss; answered an empty query, but not . NS (0 of 2) and "
                   "version.bind (0 of 2)");
}

Test(verdict, a_udp_port_is_not_called_silent_before_every_question_was_asked)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    add_question(0, 2, SONDE_OUTCOME_NO_REPLY);
    add_question(1, 1, SONDE_OUTCOME_NO_REPLY);
    struct analysis analysis = judge_questions();
    cr_expect_eq(analysis.state, SONDE_STATE_UNKNOWN);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE,
                   "no answer to 3 probes, but not every question was asked; icmp passes");
    add_question(2, 1, SONDE_OUTCOME_NO_REPLY);
    analysis = judge_questions();
    cr_expect_eq(analysis.state, SONDE_STATE_OPEN_OR_FILTERED);
    expect_verdict(&analysis, SONDE_LEVEL_DEGRADED, SONDE_CODE_UDP_UNCONFIRMED,
                   "no answer to 4 probes (. NS, version.bind, an empty query): open or filtered, "
                   "which cannot be told apart; icmp passes");
}

Test(verdict, an_unreachable_host_says_how_far_the_path_is_seen)
{
    case_add_router(&file, WEB, 1);
    case_add_router(&file, WEB, 2);
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "no answer; the path is seen up to hop 2 (192.0.2.2); the hops behind were not "
                   "looked at closer");
    /* once they were, there is nothing to add */
    case_add_hop(&file, WEB, 3, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "no answer; the path is seen up to hop 2 (192.0.2.2)");
    /* nobody has looked where pings get to */
    analysis = case_judge(&file, ICMP);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "no answer; the hops on the way were not looked at closer");
    cr_expect_not(analysis.verdict.has_blame);
    case_add_hop(&file, ICMP, 3, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    analysis = case_judge(&file, ICMP);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "no answer; the path is seen up to hop 2 (192.0.2.2); the hops on the way were "
                   "not looked at closer");
    cr_expect_eq(analysis.verdict.blame.last_seen.ttl, 2);
}

Test(verdict, of_a_host_that_nothing_is_seen_of_that_is_said)
{
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "no answer; the hops on the way were not looked at closer");
    case_add_hop(&file, WEB, 1, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "no answer, not even from the first hop");
    cr_expect_not(analysis.verdict.has_blame);
}

Test(verdict, a_next_hop_that_is_silent_on_the_own_link_is_named)
{
    static const struct {
        const char *next_hop;
        const char *words;
    } cases[] = {
        {TARGET, "nobody on eth0 answers for 192.0.2.9: no reply to ARP"},
        {"192.0.2.1", "the gateway 192.0.2.1 does not answer on eth0: no reply to ARP"},
    };
    case_add_full(&file, ICMP, 2, SONDE_OUTCOME_HOST_UNREACHABLE, "198.51.100.1");
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_NO_REPLY,
                  NULL); /* one is enough where that is known */
    for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
        file.target.next_hop = (struct analyze_next_hop){
            .addr = record_addr(cases[i / 3].next_hop), .interface = "eth0", .silent = true};
        struct analysis analysis = case_judge(&file, (const uint32_t[]){ICMP, WEB, SSH}[i % 3]);
        expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                       cases[i / 3].words);
        cr_expect_eq(analysis.finding_count, 1);
        cr_expect_eq(analysis.verdict.blame.first_lost.ttl, 1);
        cr_expect_eq(analysis.verdict.blame.last_seen.address.family, SONDE_FAMILY_NONE);
    }
    /* something of it was heard all the same */
    case_add_full(&file, SSH, 1, SONDE_OUTCOME_OPEN, TARGET);
    struct analysis analysis = case_judge(&file, SSH);
    cr_expect_eq(analysis.verdict.code, SONDE_CODE_OK);
}

/* RFC 792, p. 4: type 3 code 1. */
Test(verdict, a_router_that_knows_no_way_is_named)
{
    case_add_router(&file, ICMP, 2);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_HOST_UNREACHABLE, "192.0.2.2");
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "host unreachable, says hop 2 (192.0.2.2)");
    cr_expect(analysis.verdict.has_blame);
}

Test(verdict, a_path_that_eats_the_whole_ttl_is_told)
{
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_TTL_EXCEEDED, "192.0.2.2");
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_HOST_UNREACHABLE,
                   "a TTL of 30 runs out on the way: the path loops or is longer");
}

static void expect_local(int error, enum sonde_code code, const char *words)
{
    struct sonde_event unsent = record_full(WEB, 1, SONDE_OUTCOME_SEND_ERROR, NULL);
    unsent.error = error;
    case_add(&file, unsent);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, code, words);
}

Test(verdict, an_error_of_this_machine_is_never_the_networks)
{
    expect_local(EPERM, SONDE_CODE_LOCAL_BLOCKED, "refused by this machine's firewall");
}

/* ip-route(8): what the types of routes that lead nowhere say to a sender; io/transport.h. */
Test(verdict, a_route_that_leads_nowhere_is_named)
{
    static const struct {
        int error;
        const char *words;
    } cases[] = {
        {ENETUNREACH, "this machine has no route there"},
        {EHOSTUNREACH, "this machine has an unreachable route there"},
        {EINVAL, "this machine has a blackhole route there"},
        {EACCES, "this machine has a prohibit route there"},
        {EADDRNOTAVAIL, "the source address is not one of this machine's"},
        {ENETDOWN, "the interface of this machine is down"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        case_close(&file);
        case_open(&file, TARGET);
        expect_local(cases[i].error, SONDE_CODE_NO_ROUTE, cases[i].words);
    }
}

Test(verdict, an_error_of_this_machine_without_a_name_of_ours_has_the_systems)
{
    expect_local(ENOMEM, SONDE_CODE_INCONCLUSIVE, "Cannot allocate memory");
}

Test(verdict, a_format_that_the_transport_cannot_give_a_probe_is_said)
{
    expect_local(EOPNOTSUPP, SONDE_CODE_INCONCLUSIVE, "to set ECN in TCP probes takes raw sockets");
}

static void add_unsent(uint32_t count, int error)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sonde_event unsent = record_full(WEB, i, SONDE_OUTCOME_SEND_ERROR, NULL);
        unsent.error = error;
        case_add(&file, unsent);
    }
}

/* Of ten errors nine were a firewall's: that is what the verdict is about, and it tells the tenth.
 */
Test(verdict, of_several_errors_all_are_told_and_the_most_frequent_counts)
{
    add_unsent(1, ENETUNREACH);
    add_unsent(9, EPERM);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(
        &analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_LOCAL_BLOCKED,
        "9 of 10 probes did not leave: refused by this machine's firewall; 1 of 10: this "
        "machine has no route there");
    cr_expect_eq(analysis.finding_count, 1);
    add_unsent(9, ENETUNREACH);
    analysis = case_judge(&file, WEB);
    expect_verdict(
        &analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_NO_ROUTE,
        "10 of 19 probes did not leave: this machine has no route there; 9 of 19: refused "
        "by this machine's firewall");
}

Test(verdict, errors_beside_answers_degrade)
{
    add_unsent(1, EPERM);
    case_add_full(&file, WEB, 2, SONDE_OUTCOME_OPEN, TARGET);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_DEGRADED, SONDE_CODE_LOCAL_BLOCKED,
                   "1 of 3 probes did not leave: refused by this machine's firewall");
}

Test(verdict, what_is_too_big_for_the_own_interface_is_told_with_both_sizes)
{
    struct sonde_event unsent = record_full(WEB, 1, SONDE_OUTCOME_SEND_ERROR, NULL);
    unsent.error = EMSGSIZE;
    unsent.size_bytes = 2000;
    unsent.mtu_bytes = 1500;
    case_add(&file, unsent);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_PACKET_TOO_BIG,
                   "packet too big for this machine's interface: MTU 1500, 2000 bytes");
}

static void add_too_big(uint32_t count, uint32_t mtu_bytes)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sonde_event event = record_full(WEB, i, SONDE_OUTCOME_PACKET_TOO_BIG, "192.0.2.2");
        event.size_bytes = 1400;
        event.mtu_bytes = mtu_bytes;
        case_add(&file, event);
    }
}

Test(verdict, a_packet_too_big_is_told_with_size_and_hop)
{
    case_add_routers(&file, WEB, 1, 2, 1);
    add_too_big(3, 1300);
    struct analysis analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_UNKNOWN);
    cr_expect_eq(analysis.deciding, SONDE_OUTCOME_PACKET_TOO_BIG);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_PACKET_TOO_BIG,
                   "packet too big, hop 2 (192.0.2.2): MTU 1300, sent 1400 bytes");
    cr_expect(analysis.verdict.has_blame);
    cr_expect_eq(analysis.verdict.blame.reporter.ttl, 2);
    /* one that gets through shows the port, and what does not is still told */
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_OPEN, TARGET);
    analysis = case_judge(&file, WEB);
    cr_expect_eq(analysis.state, SONDE_STATE_OPEN);
    expect_verdict(&analysis, SONDE_LEVEL_DEGRADED, SONDE_CODE_PACKET_TOO_BIG,
                   "3 of 4 probes: packet too big, hop 2 (192.0.2.2): MTU 1300, sent 1400 bytes");
}

/* RFC 1191 §3: routers from before it say 0. */
Test(verdict, a_packet_too_big_need_not_say_what_fits)
{
    case_add_routers(&file, WEB, 1, 2, 1);
    add_too_big(3, 0);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_PACKET_TOO_BIG,
                   "packet too big, hop 2 (192.0.2.2): sent 1400 bytes");
}

Test(verdict, too_little_evidence_is_inconclusive)
{
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE,
                   "too few probes to tell");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
}

/* The table has one probe, of one. */
Test(verdict, one_probe_in_vain_is_told_with_what_it_shows)
{
    case_add_routers(&file, WEB, 1, 2, 1);
    case_add_full(&file, WEB, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE,
                   "no answer to 1 probe, too few to tell; the path is seen up to hop 2 "
                   "(192.0.2.2); nothing else of the host answers");
    cr_expect_not(analysis.verdict.has_blame);
    case_add_full(&file, ICMP, 1, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_UNKNOWN, SONDE_CODE_INCONCLUSIVE,
                   "no answer to 1 probe, too few to tell; the path is seen up to hop 2 "
                   "(192.0.2.2); icmp passes");
}

/* The host is five hops away, as pings show. The port is seen up to hop 2, and nobody was asked at
 * hops 3 and 4: there are routers, and one of them may drop it. */
Test(verdict, hops_that_nobody_was_asked_at_are_not_taken_for_looked_at)
{
    case_add_routers(&file, WEB, 1, 2, 2);
    case_add_hop(&file, ICMP, 5, 2, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    struct analysis analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_FILTERED,
                   "answered up to hop 2 (192.0.2.2), not by the target: lost behind it, at the "
                   "target or on the way back; the hops behind were not looked at closer; icmp "
                   "passes");
    cr_expect_eq(analysis.verdict.confidence, SONDE_CONFIDENCE_LOW);
    /* asked twice in vain, they are */
    case_add_hop(&file, WEB, 3, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_hop(&file, WEB, 4, 2, SONDE_OUTCOME_NO_REPLY, NULL);
    analysis = case_judge(&file, WEB);
    expect_verdict(&analysis, SONDE_LEVEL_FAILED, SONDE_CODE_PORT_FILTERED,
                   "answered up to hop 2 (192.0.2.2), not by the target: lost behind it, at the "
                   "target or on the way back; icmp passes");
}

/* Behind a program that stands for a network there are none. */
Test(verdict, where_ttls_do_not_count_no_hop_is_missed)
{
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_ECHO_REPLY, TARGET);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    file.target.next_hop.user_mode = "slirp4netns";
    cr_expect_null(strstr(case_judge(&file, WEB).verdict.text, "not looked at"));
}

Test(verdict, nothing_is_expected_of_a_control)
{
    case_add_full(&file, ICMP, 3, SONDE_OUTCOME_NO_REPLY, NULL);
    case_add_full(&file, WEB, 3, SONDE_OUTCOME_OPEN, TARGET);
    struct analysis analysis = case_judge(&file, ICMP);
    cr_expect_eq(analysis.state, SONDE_STATE_FILTERED);
    expect_verdict(&analysis, SONDE_LEVEL_OK, SONDE_CODE_OK,
                   "no answer to 3 probes; the hops on the way were not looked at closer; "
                   "443/tcp passes");
}
