/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server that is alive but deaf to a question: what it is asked, when, and until when a run
 * waits.
 *
 * The path has five hops of 2 ms one way, so the target is 20 ms away. Its answer is waited for so
 * long and 50 ms (engine/patience.h), and a program may think for half a second: a question is
 * given up after 570 ms. DNS has three questions:
 * for ". NS", for "version.bind", and nothing with a cookie.
 */
#include "tests/support/answers.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"
#include "wire/udp.h"

#include <criterion/criterion.h>
#include <errno.h>

enum {
    DNS = 1, /* service 1, behind icmp */
    HEADER_BYTES = 12,
    FLAG_RESPONSE = 0x80, /* of the third byte; RFC 1035 §4.1.1 */
};
static const sonde_ns PATIENCE = 570 * SONDE_NS_PER_MS;

/* Which question is it? By its count of questions, and the first byte of the name. */
static unsigned question_of(const struct sonde_tx *tx)
{
    const uint8_t *payload = tx->segment.data + UDP_HEADER_BYTES;
    return payload[5] == 0 ? 2 : payload[HEADER_BYTES] == 0 ? 0 : 1;
}

static void answer(struct net *net, const struct sonde_tx *tx)
{
    uint8_t payload[64];
    uint8_t bytes[NET_PACKET_BYTES];
    size_t len = tx->segment.len - UDP_HEADER_BYTES;
    struct wr wr = wr_init(bytes, sizeof bytes);
    memcpy(payload, tx->segment.data + UDP_HEADER_BYTES, len);
    payload[2] |= FLAG_RESPONSE;
    answer_udp(&wr, tx, NULL, (struct sonde_span){payload, len});
    net_arrive(net, &wr, net_rtt(net));
}

/* A server that answers the questions of which net->seen has a bit. */
static void hears_some(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) != DNS)
        net_open_path(net, tx);
    else if (!net_expires(net, tx) && (net->seen >> question_of(tx) & 1) != 0)
        answer(net, tx);
}

/* The host answers pings, its server these questions. */
static struct net *start_net(uint32_t cycles, uint64_t heard)
{
    struct engine_plan plan = net_plan();
    plan.cycles = cycles;
    struct net *net = net_new(&plan);
    net->payload = &payload_dns;
    net->on_probe = hears_some;
    net->seen = heard;
    net_add(net, "icmp udp");
    engine_start(net->run, 0);
    return net;
}

/* The probes that were to reach the server carried these questions, as digits, in this order. */
static void expect_asked(const struct net *net, const char *questions)
{
    char asked[64] = "";
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service == DNS && probe->to_target && count < sizeof asked - 1)
            asked[count++] = (char)('0' + probe->question);
    }
    cr_expect_str_eq(asked, questions);
}

/* The nth of them left at a time. */
static void expect_left(const struct net *net, size_t nth, sonde_ns time)
{
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service == DNS && probe->to_target && nth-- == 0)
            cr_expect_eq(probe->sent_ns, time, "%ld us", (long)(probe->sent_ns / 1000));
    }
}

Test(asking, a_server_that_answers_the_first_question_never_sees_another)
{
    struct net *net = start_net(4, 1);
    net_run(net);
    expect_asked(net, "0000");
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect_eq(net->probes[i].question, 0);
    net_free(net);
}

Test(asking, one_that_is_deaf_to_it_is_asked_the_next_after_a_silence_even_in_a_single_cycle)
{
    struct net *net = start_net(1, 2);
    net_run(net);
    expect_asked(net, "01");
    expect_left(net, 1, PATIENCE);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_UDP_REPLY), 1 + 1); /* one at its distance */
    cr_expect_lt(net->now, 2 * PATIENCE + 200 * MS);
    net_free(net);
}

Test(asking, a_run_ends_when_every_question_was_asked_and_waited_for)
{
    struct net *net = start_net(1, 0);
    net_run(net);
    expect_asked(net, "012");
    expect_left(net, 1, PATIENCE);
    expect_left(net, 2, 2 * PATIENCE);
    cr_expect_eq(net->now, 3 * PATIENCE);
    net_free(net);
}

/* Nothing is known of the round trip: half of the timeout, which is 2 s. */
Test(asking, where_nothing_answers_the_questions_are_a_half_timeout_apart)
{
    struct net *net = start_net(1, 0);
    net->on_probe = net_silent;
    net_run(net);
    expect_asked(net, "012");
    expect_left(net, 1, S);
    expect_left(net, 2, 2 * S);
    cr_expect_eq(net->now, 4 * S);
    net_free(net);
}

/*
 * Cycles are a second apart. 0 at 0 s, 1 when that was silent at 0.57 s, still 1 in the cycle at 1
 * s, 2 at 1.14 s, which is answered. 0 was asked once, so that its silence may have been chance: it
 * has the cycle at 2 s. From then on 2 is kept to.
 */
Test(asking, the_question_that_is_answered_is_kept_to)
{
    struct net *net = start_net(6, 4);
    net_run(net);
    expect_asked(net, "01120222");
    net_free(net);
}

Test(asking, a_first_question_that_was_only_lost_is_come_back_to)
{
    struct net *net = start_net(5, 2);
    net_run_until(net, 700 * MS);
    net->seen = 3; /* it heard both all the time, but the first probe was lost */
    net_run(net);
    expect_asked(net, "010000"); /* 5 cycles, and the second question */
    net_free(net);
}

Test(asking, silent_ones_go_round_with_the_cycles)
{
    struct net *net = start_net(6, 0);
    net_run(net);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_UDP_REPLY), 0);
    size_t asked[3] = {0};
    for (size_t i = 0; i < net->probe_count; i++) {
        if (net->probes[i].service == DNS && net->probes[i].to_target)
            asked[net->probes[i].question]++;
    }
    cr_expect_eq(asked[0] + asked[1] + asked[2], 6 + 2, "one a cycle, and two first turns");
    cr_expect(asked[0] >= 2 && asked[1] >= 2 && asked[2] >= 2, "%zu %zu %zu", asked[0], asked[1],
              asked[2]);
    net_free(net);
}

/* Routers have to be asked anything; but the target's own hop is seen only by what it answers. */
Test(asking, once_another_question_is_answered_its_distance_is_found_with_that)
{
    struct net *net = start_net(1, 2);
    net_run(net);
    size_t at_target = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != DNS || probe->to_target)
            continue;
        cr_expect(probe->ttl >= net->distance || probe->question == 0);
        at_target += probe->ttl == net->distance && probe->question == 1 &&
                     probe->outcome == SONDE_OUTCOME_UDP_REPLY;
    }
    cr_expect_eq(at_target, 1);
    net_free(net);
}

static void has_nothing(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) != DNS)
        net_open_path(net, tx);
    else if (!net_expires(net, tx))
        net_refuse(net, tx, net_rtt(net));
}

Test(asking, a_port_that_is_refused_is_not_asked_on)
{
    struct net *net = start_net(3, 0);
    net->on_probe = has_nothing;
    net_run(net);
    expect_asked(net, "000");
    net_free(net);
}

/* Service 1 keeps silent; the other UDP port, which stands by, is refused by the host. */
static void is_deaf_beside_a_closed_one(struct net *net, const struct sonde_tx *tx)
{
    if (net_expires(net, tx) || net_service_of(tx) == DNS)
        return;
    if (tx->flow->protocol == IP_PROTO_UDP)
        net_refuse(net, tx, net_rtt(net));
    else
        net_reply(net, tx, net_rtt(net));
}

/*
 * What a host rations are its refusals, and to whom it gave none when it had some left, it gives
 * none: the silence is that of the port. So one silence is excused, and asked for once more; the
 * others are what they are. The run keeps to its cycles, the last of which is at 3.8 s. The control
 * is refused and has to wait for its ration, but not until it has made up for all cycles: one
 * refusal is there again after a second.
 */
Test(asking, a_silent_port_waits_for_no_refusals_that_others_get)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 20;
    plan.interval_ns = 200 * MS;
    struct net *net = net_new(&plan);
    net->on_probe = is_deaf_beside_a_closed_one;
    net_add(net, "icmp udp +udp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_count(net, DNS, 0, true), 20);
    expect_asked(net, "000000000000000000000"); /* 20, and the one that was excused */
    cr_expect_gt(net_outcomes(net, SONDE_OUTCOME_PORT_UNREACHABLE), 3); /* somebody was refused */
    cr_expect_leq(net->now, 19 * plan.interval_ns + S + PATIENCE, "%ld ms", (long)(net->now / MS));
    net_free(net);
}

static int refuses_dns(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    return net_service_of(tx) == DNS ? -EPERM : 0;
}

Test(asking, what_this_machine_does_not_send_is_not_waited_for)
{
    struct net *net = start_net(1, 7);
    net->on_send = refuses_dns;
    net_run(net);
    expect_asked(net, "0");
    cr_expect_lt(net->now, PATIENCE);
    net_free(net);
}

/* Right port, right identification, and the answer is to a question that this probe did not carry.
 */
static void answers_another(struct net *net, const struct sonde_tx *tx)
{
    static const uint8_t version[] = "\0\0\x84\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3";
    uint8_t payload[sizeof version - 1];
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    if (net_service_of(tx) != DNS || net_expires(net, tx)) {
        if (net_service_of(tx) != DNS)
            net_open_path(net, tx);
        return;
    }
    memcpy(payload, version, sizeof payload);
    memcpy(payload, tx->segment.data + UDP_HEADER_BYTES, 2);
    answer_udp(&wr, tx, NULL, (struct sonde_span){payload, sizeof payload});
    net_arrive(net, &wr, net_rtt(net));
}

Test(asking, an_answer_to_another_question_than_the_probe_carried_is_none)
{
    struct net *net = start_net(1, 0);
    net->on_probe = answers_another;
    net_run(net);
    expect_asked(net, "01");
    cr_expect_eq(net_count(net, DNS, 0, true), 2);
    const struct net_probe *first = NULL;
    for (size_t i = 0; i < net->probe_count && first == NULL; i++) {
        if (net->probes[i].service == DNS && net->probes[i].to_target)
            first = &net->probes[i];
    }
    cr_assert_not_null(first);
    cr_expect_eq(first->outcome, SONDE_OUTCOME_NO_REPLY);
    cr_expect_gt(net_discard_counts(net).count[SONDE_DISCARD_BAD_TOKEN], 0);
    net_free(net);
}

/* An error that repeats no question has only the identification, which is the probe's. */
static void refuses_without_the_question(struct net *net, const struct sonde_tx *tx)
{
    uint8_t payload[HEADER_BYTES] = {0, 0, 0x80, 0x05};
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    if (net_service_of(tx) != DNS) {
        net_open_path(net, tx);
        return;
    }
    if (net_expires(net, tx) || question_of(tx) == 0)
        return;
    memcpy(payload, tx->segment.data + UDP_HEADER_BYTES, 2);
    answer_udp(&wr, tx, NULL, (struct sonde_span){payload, sizeof payload});
    net_arrive(net, &wr, net_rtt(net));
}

Test(asking, an_answer_that_repeats_no_question_is_to_the_one_that_its_probe_carried)
{
    struct net *net = start_net(1, 0);
    net->on_probe = refuses_without_the_question;
    net_run(net);
    expect_asked(net, "01");
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_BAD_TOKEN], 0);
    net_free(net);
}

/* The host refuses six ports at once, so that the silence of the seventh may be its ration's. */
static void refuses_six(struct net *net, const struct sonde_tx *tx)
{
    uint32_t service = net_service_of(tx);
    if (service == 0)
        net_open_path(net, tx);
    else if (!net_expires(net, tx) && service < 7)
        net_refuse(net, tx, net_rtt(net));
}

/* What is asked again takes the place of what it repeats, and what asks on is beside the cycles: so
 * all are of a cycle that there is. */
Test(asking, asks_again_and_on_within_its_cycles)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 2;
    plan.timeout_ns = 100 * MS;
    struct net *net = net_new(&plan);
    net->payload = &payload_dns;
    net->on_probe = refuses_six;
    net_add(net, "icmp udp udp udp udp udp udp udp");
    engine_start(net->run, 0);
    net_run(net);
    size_t asked = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != 7 || !probe->to_target || !probe->ended)
            continue;
        cr_expect_lt(probe->cycle, 2, "%u", probe->cycle);
        asked++;
    }
    cr_expect_geq(asked, 4);
    net_free(net);
}

/* A resolver answers ". NS", until the servers that it would ask are gone; "version.bind" it
 * answers still. That its question is not answered any more is no reason to call it silent for
 * ever. */
Test(asking, a_server_that_has_become_deaf_to_its_question_is_asked_the_others)
{
    struct net *net = start_net(0, 1U << 0);
    net_run_until(net, 100 * S);
    net->seen = 1U << 1;
    net_run_until(net, 200 * S);
    size_t lost = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service == DNS && probe->to_target && probe->ended && probe->sent_ns > 110 * S) {
            cr_expect_eq(probe->question, 1);
            cr_expect_eq(probe->outcome, SONDE_OUTCOME_UDP_REPLY);
        }
        lost += probe->ended && probe->outcome == SONDE_OUTCOME_NO_REPLY && !probe->unawaited;
    }
    cr_expect_leq(lost, 3 + 2, "%zu: until the second question is asked", lost);
    engine_stop(net->run);
    net_free(net);
}

/* In an outage the others are asked beside, seldom: of the 200 cycles of silence no one loses its
 * probe with the question that was answered. */
Test(asking, a_silent_server_is_asked_what_it_answered_in_every_cycle)
{
    struct net *net = start_net(0, 1U << 0);
    net_run_until(net, 100 * S);
    net->seen = 0;
    net_run_until(net, 300 * S);
    net->seen = 1U << 0;
    net_run_until(net, 310 * S + 500 * MS);
    size_t asked[3] = {0};
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service == DNS && probe->to_target && probe->sent_ns > 100 * S &&
            probe->sent_ns < 300 * S)
            asked[probe->question]++;
        if (probe->service == DNS && probe->to_target && probe->sent_ns > 301 * S)
            cr_expect(probe->question == 0 && probe->outcome == SONDE_OUTCOME_UDP_REPLY);
    }
    cr_expect_geq(asked[0], 198, "%zu", asked[0]);
    cr_expect(asked[1] >= 3 && asked[1] <= 5, "%zu", asked[1]);
    cr_expect(asked[2] >= 3 && asked[2] <= 5, "%zu", asked[2]);
    engine_stop(net->run);
    net_free(net);
}
