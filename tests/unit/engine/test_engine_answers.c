/* SPDX-License-Identifier: BSD-2-Clause */
/* Which probe an arrival is credited to, and what comes of those that answer none. */
#include "tests/support/answers.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <string.h>

static struct net *run_net(const struct engine_plan *plan, const char *services,
                           void (*rule)(struct net *, const struct sonde_tx *))
{
    struct net *net = net_new(plan);
    net->on_probe = rule;
    net_add(net, services);
    engine_start(net->run, 0);
    net_run(net);
    return net;
}

/* Whatever is sent later is answered sooner, as long as that is possible. */
static sonde_ns overtaking_ns(sonde_ns sent_ns)
{
    return sent_ns < 100 * MS ? 500 * MS - 3 * sent_ns : 20 * MS;
}

static void overtaking(struct net *net, const struct sonde_tx *tx)
{
    sonde_ns delay = overtaking_ns(net->now);
    if (tx->ttl < net->distance)
        net_error(net, tx, delay, tx->ttl, ICMP4_TIME_EXCEEDED, 0);
    else if (!net_is_blind(tx))
        net_reply(net, tx, delay);
}

Test(answers, answers_that_overtake_each_other_are_those_of_their_own_probes)
{
    struct engine_plan plan = net_plan();
    struct net *net = run_net(&plan, "icmp tcp udp", overtaking);
    cr_assert_geq(net->probe_count, 30);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool is_dropped = probe->is_blind && probe->ttl >= net->distance;
        cr_expect_eq(probe->unawaited, is_dropped);
        cr_expect(is_dropped || probe->rtt_ns == overtaking_ns(probe->sent_ns),
                  "service %u, TTL %u, sent at %f ms: %f ms", probe->service, probe->ttl,
                  (double)probe->sent_ns / 1e6, (double)probe->rtt_ns / 1e6);
    }
    cr_expect_eq(net_discards(net), 0);
    net_free(net);
}

/* What the target says to everything that reaches it: type and code of net->seen. */
static void target_says(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_error(net, tx, net_rtt(net), 0, (uint8_t)(net->seen >> 8), (uint8_t)net->seen);
}

Test(answers, errors_end_probes_by_what_they_say)
{
    static const struct {
        uint8_t type;
        uint8_t code;
        enum sonde_outcome outcome;
    } cases[] = {
        {3, 3, SONDE_OUTCOME_PORT_UNREACHABLE},   {3, 13, SONDE_OUTCOME_ADMIN_PROHIBITED},
        {3, 1, SONDE_OUTCOME_HOST_UNREACHABLE},   {3, 0, SONDE_OUTCOME_NET_UNREACHABLE},
        {3, 2, SONDE_OUTCOME_OTHER_UNREACHABLE},  {3, 200, SONDE_OUTCOME_OTHER_UNREACHABLE},
        {12, 0, SONDE_OUTCOME_OTHER_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_plan plan = net_plan();
        struct net *net = net_new(&plan);
        net->on_probe = target_says;
        net->seen = (uint64_t)cases[i].type << 8 | cases[i].code;
        net_add(net, "icmp tcp udp");
        engine_start(net->run, 0);
        net_run(net);
        for (size_t k = 0; k < net->probe_count; k++) {
            if (net->probes[k].ttl >= net->distance && !net->probes[k].unawaited)
                cr_expect_eq(net->probes[k].outcome, cases[i].outcome, "%u/%u", cases[i].type,
                             cases[i].code);
        }
        net_free(net);
    }
}

/* Everything takes longer than the timeout. */
static void late_path(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_reply(net, tx, 2500 * MS);
}

Test(answers, an_answer_after_the_timeout_is_late_and_no_success)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 10;
    struct net *net = run_net(&plan, "icmp tcp udp", late_path);
    size_t late = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->ttl < net->distance)
            continue;
        cr_expect_eq(probe->unawaited, probe->is_blind);
        if (probe->is_blind)
            continue; /* the host drops it */
        cr_expect_eq(probe->outcome, SONDE_OUTCOME_NO_REPLY);
        if (probe->cycle + 1 < plan.cycles)
            cr_expect_eq(probe->ended_ns, probe->sent_ns + 2 * S);
        else
            cr_expect_leq(probe->ended_ns, probe->sent_ns + 2 * S, "the last wait adapts");
        cr_expect_eq(probe->duplicates, 0);
        /* 2.5 s after the sending, if the run was still on */
        cr_expect_eq(probe->late, probe->sent_ns + 2500 * MS <= net->now);
        late += probe->late;
    }
    cr_expect_gt(late, 10);
    net_free(net);
}

static void answer_thrice(struct net *net, const struct sonde_tx *tx)
{
    for (int i = 0; i < 3; i++)
        net_open_path(net, tx);
}

Test(answers, more_answers_to_one_probe_are_duplicates)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    struct net *net = run_net(&plan, "icmp udp", answer_thrice);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        cr_expect_neq(probe->outcome, SONDE_OUTCOME_NO_REPLY);
        cr_expect(probe->duplicates == 2 || probe->ended_ns == net->now);
        cr_expect_eq(probe->late, 0);
    }
    net_free(net);
}

/* RFC 2661 §5.8, say: a message is repeated until it is acknowledged. */
Test(answers, more_answers_are_none_where_the_protocol_has_it_so)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    struct net *net = net_new(&plan);
    net->repeats = true;
    net->on_probe = answer_thrice;
    net_add(net, "udp");
    engine_start(net->run, 0);
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        cr_expect_neq(probe->outcome, SONDE_OUTCOME_NO_REPLY);
        bool is_routers = probe->outcome == SONDE_OUTCOME_TTL_EXCEEDED;
        cr_expect_eq(probe->duplicates, is_routers ? 2 : 0);
        cr_expect_eq(probe->late, 0);
    }
    net_free(net);
}

static void late_thrice(struct net *net, const struct sonde_tx *tx)
{
    for (int i = 0; i < 3; i++)
        net_reply(net, tx, 2500 * MS);
}

Test(answers, after_a_late_answer_further_ones_are_duplicates)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = run_net(&plan, "icmp", late_thrice);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->sent_ns + 2500 * MS < net->now) {
            cr_expect_eq(probe->late, 1);
            cr_expect_eq(probe->duplicates, 2);
        }
    }
    cr_expect_eq(net->probes[0].late, 1);
    net_free(net);
}

static void earlier_than_sent(struct net *net, const struct sonde_tx *tx)
{
    net->now -= 5 * MS; /* two clocks that disagree */
    net_reply(net, tx, 0);
    net->now += 5 * MS;
}

Test(answers, an_answer_stamped_before_its_probe_counts_but_its_time_does_not)
{
    struct engine_plan plan = net_plan();
    plan.max_ttl = 1;
    struct net *net = run_net(&plan, "icmp udp", earlier_than_sent);
    cr_expect_eq(net->probe_count, 4);
    for (size_t i = 0; i < net->probe_count; i++) {
        cr_expect_neq(net->probes[i].outcome, SONDE_OUTCOME_NO_REPLY);
        cr_expect_eq(net->probes[i].rtt_ns, -1);
    }
    net_free(net);
}

/* A falsified echo of a probe, some milliseconds before the true answer. */
static void echo_with(struct net *net, const struct sonde_tx *tx, size_t at, uint8_t flip,
                      const struct sonde_addr *from)
{
    uint8_t segment[64];
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sonde_tx copy = *tx;
    cr_assert_leq(tx->segment.len, sizeof segment);
    memcpy(segment, tx->segment.data, tx->segment.len);
    segment[at] ^= flip;
    copy.segment.data = segment;
    answer_echo(&wr, &copy, from);
    net_arrive(net, &wr, net->hop_ns);
}

enum {
    JUNK_OTHER_SENDER,
    JUNK_OTHER_ID,
    JUNK_COOKIE,
    JUNK_SEQUENCE,
    JUNK_TOKEN,
    JUNK_QUOTED_COOKIE,
    JUNK_QUOTED_DESTINATION,
    JUNK_COUNT,
};

static void send_junk(struct net *net, const struct sonde_tx *tx, unsigned kind)
{
    struct sonde_addr stranger = net_router_addr(net, 99);
    uint8_t segment[64];
    struct sonde_tx copy = *tx;
    struct sonde_flow flow = *tx->flow;
    memcpy(segment, tx->segment.data, tx->segment.len);
    copy.segment.data = segment;
    switch (kind) {
    case JUNK_OTHER_SENDER:
        echo_with(net, tx, 4, 0, &stranger);
        break;
    case JUNK_OTHER_ID:
        echo_with(net, tx, 4, 0x80, NULL);
        break;
    case JUNK_COOKIE:
        echo_with(net, tx, 9, 0x01, NULL);
        break;
    case JUNK_SEQUENCE:
        echo_with(net, tx, 7, 0x01, NULL);
        break;
    case JUNK_TOKEN: /* does not fit the sequence */
        echo_with(net, tx, 19, 0x01, NULL);
        break;
    case JUNK_QUOTED_COOKIE:
        segment[10] ^= 0x10;
        net_error(net, &copy, net->hop_ns, 9, ICMP4_UNREACHABLE, 1);
        break;
    default: /* somebody else's packet is quoted */
        flow.dst = stranger;
        copy.flow = &flow;
        net_error(net, &copy, net->hop_ns, 9, ICMP4_UNREACHABLE, 1);
        break;
    }
}

static void junk_and_truth(struct net *net, const struct sonde_tx *tx)
{
    send_junk(net, tx, (unsigned)net->seen);
    net_open_path(net, tx);
}

Test(answers, what_is_foreign_or_forged_counts_only_itself)
{
    static const enum sonde_discard reasons[JUNK_COUNT] = {
        [JUNK_OTHER_SENDER] = SONDE_DISCARD_DIFFERENT_ADDRESS,
        [JUNK_OTHER_ID] = SONDE_DISCARD_FOREIGN,
        [JUNK_COOKIE] = SONDE_DISCARD_BAD_TOKEN,
        [JUNK_SEQUENCE] = SONDE_DISCARD_BAD_TOKEN,
        [JUNK_TOKEN] = SONDE_DISCARD_BAD_TOKEN,
        [JUNK_QUOTED_COOKIE] = SONDE_DISCARD_BAD_TOKEN,
        /* our identifier in the name of another address */
        [JUNK_QUOTED_DESTINATION] = SONDE_DISCARD_DIFFERENT_ADDRESS,
    };
    struct engine_plan plan = net_plan();
    struct net *clean = run_net(&plan, "icmp", net_open_path);
    for (unsigned kind = 0; kind < JUNK_COUNT; kind++) {
        struct net *net = net_new(&plan);
        net->seen = kind;
        net->on_probe = junk_and_truth;
        net_add(net, "icmp");
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(net_discard_counts(net).count[reasons[kind]], net->sent, "kind %u", kind);
        cr_expect_eq(net_discards(net), net->sent, "kind %u", kind);
        cr_assert_eq(net->probe_count, clean->probe_count, "kind %u", kind);
        for (size_t i = 0; i < net->probe_count; i++) {
            const struct net_probe *probe = &net->probes[i];
            cr_expect_eq(probe->outcome, clean->probes[i].outcome, "kind %u", kind);
            cr_expect_eq(probe->rtt_ns, clean->probes[i].rtt_ns, "kind %u", kind);
            cr_expect_eq(probe->late + probe->duplicates, 0, "kind %u", kind);
        }
        net_free(net);
    }
    net_free(clean);
}

/* A TCP segment of a server or a forger, before the true answer. */
static void tcp_junk(struct net *net, const struct sonde_tx *tx)
{
    static const struct {
        uint8_t flags;
        uint32_t ack_offset;
    } segments[] = {
        {TCP_RST, 1},           {TCP_RST | TCP_ACK, 0}, {TCP_RST | TCP_ACK, 2},
        {TCP_SYN | TCP_ACK, 9}, {TCP_ACK, 1},           {TCP_SYN, 1},
    };
    struct tcp_header syn;
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    for (size_t i = 0; i < sizeof segments / sizeof *segments; i++) {
        const struct tcp_header tcp = {
            .seq = 1,
            .ack = syn.seq + segments[i].ack_offset,
            .flags = segments[i].flags,
            .options.window_scale = -1,
        };
        net_tcp(net, tx, net->hop_ns, &tcp);
    }
    net_open_path(net, tx);
}

Test(answers, segments_that_answer_no_syn_of_ours_end_nothing)
{
    struct engine_plan plan = net_plan();
    struct net *net = run_net(&plan, "tcp", tcp_junk);
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect(net->probes[i].unawaited || net->probes[i].outcome == SONDE_OUTCOME_OPEN ||
                  net->probes[i].outcome == SONDE_OUTCOME_TTL_EXCEEDED);
    const struct engine_discards counts = net_discard_counts(net);
    cr_expect_eq(counts.count[SONDE_DISCARD_BAD_TOKEN], 4 * net->sent);
    cr_expect_eq(counts.count[SONDE_DISCARD_NOT_A_RESULT], net->sent);
    /* a plain ACK reminds of an attempt that was never ended: there is none before the newest */
    cr_expect_eq(counts.count[SONDE_DISCARD_UNKNOWN_PROBE], net->sent);
    net_free(net);
}

static void from_another_port(struct net *net, const struct sonde_tx *tx)
{
    struct sonde_flow flow = *tx->flow;
    struct sonde_tx copy = *tx;
    flow.dst_port = 53;
    copy.flow = &flow;
    net_reply(net, &copy, net->hop_ns);
}

Test(answers, a_datagram_from_another_port_is_no_answer)
{
    struct engine_plan plan = net_plan();
    struct net *net = run_net(&plan, "udp", from_another_port);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), net->probe_count);
    cr_expect_eq(net_discards(net), net->sent);
    net_free(net);
}

/* The reply to a probe that was never sent: the next token, with the right cookie. */
static void reply_to_the_next(struct net *net, const struct sonde_tx *tx)
{
    uint8_t segment[64];
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct sonde_tx copy = *tx;
    memcpy(segment, tx->segment.data, tx->segment.len);
    copy.segment.data = segment;
    /* token and sequence both 20 more: far from where fields end */
    segment[19] = (uint8_t)(segment[19] + 20);
    unsigned sequence = ((unsigned)segment[6] << 8 | segment[7]) + 20;
    segment[6] = (uint8_t)(sequence >> 8);
    segment[7] = (uint8_t)sequence;
    answer_echo(&wr, &copy, NULL);
    net_arrive(net, &wr, net->hop_ns);
}

Test(answers, an_answer_to_a_probe_that_was_never_sent_is_refused)
{
    struct engine_plan plan = net_plan();
    plan.max_ttl = 3;
    struct net *net = run_net(&plan, "icmp", reply_to_the_next);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), net->probe_count);
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_BAD_TOKEN], net->sent);
    net_free(net);
}

Test(answers, a_decoders_refusals_are_counted_by_reason)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    static const int nonsense[] = {0, -1, -22, SONDE_DISCARD_COUNT, 1000, INT32_MIN};
    for (int reason = 1; reason < SONDE_DISCARD_COUNT; reason++) {
        for (int i = 0; i < reason; i++)
            engine_on_discard(net->engine, reason);
    }
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        engine_on_discard(net->engine, nonsense[i]);
    for (int reason = 1; reason < SONDE_DISCARD_COUNT; reason++)
        cr_expect_eq(net_discard_counts(net).count[reason], (uint64_t)reason);
    net_free(net);
}

Test(answers, nothing_that_arrives_after_the_end_is_looked_at)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = answer_thrice;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_turn(net);
    engine_stop(net->run);
    uint64_t events = net->events;
    net->now += 60 * S;
    net_turn(net); /* delivers all that was under way */
    cr_expect_eq(net->events, events);
    cr_expect_eq(net_discards(net), 0);
    net_free(net);
}

/*
 * Sixteen-bit fields come round after 65,535 probes. Each probe here is answered by an error that
 * quotes no more than such a field; every 1000th answer is delayed until the next probe is out. It
 * is a router that refuses: a host would not be asked so often for what it rations.
 */
static void short_quotes_only(struct net *net, const struct sonde_tx *tx)
{
    bool delayed = ++net->seen % 1000 == 0;
    net_error(net, tx, delayed ? 1500 * SONDE_NS_PER_US : 10 * SONDE_NS_PER_US, 1,
              ICMP4_UNREACHABLE, 13);
}

static void expect_answered(struct net *net, const struct sonde_event *event)
{
    (void)net;
    cr_assert_eq(event->type, SONDE_EVENT_PROBE);
    cr_assert_eq(event->outcome, SONDE_OUTCOME_ADMIN_PROHIBITED);
    cr_assert(event->rtt_ns == 10 * SONDE_NS_PER_US || event->rtt_ns == 1500 * SONDE_NS_PER_US);
}

Test(answers, tokens_may_come_round_in_sixteen_bits)
{
    static const char *const services[] = {"icmp", "udp", "tcp"};
    for (size_t i = 0; i < 3; i++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 140000; /* twice round */
        plan.interval_ns = MS;
        plan.max_ttl = 1;
        struct net *net = net_new(&plan);
        net->forgetful = true;
        net->quote_len = 8;
        net->on_probe = short_quotes_only;
        net->on_event = expect_answered;
        net_add(net, services[i]);
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_geq(net->sent, 140000, "%s", services[i]);
        cr_expect_eq(net_discards(net), 0, "%s", services[i]);
        net_free(net);
    }
}
