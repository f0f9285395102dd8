/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers that name no probe: resets, servers without timestamps or with SYN-ACKs that repeat
 * themselves, datagrams of a server's own, and errors that quote too little.
 */
#include "tests/support/answers.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <errno.h>

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

static void closed_port(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_refuse(net, tx, net_rtt(net));
}

/* Every SYN that gets there draws one RST, so each has to end as closed, and none twice. What went
 * ahead blindly, in the first cycle, gets there as nothing that a host reads. */
Test(tokenless, every_probe_that_reaches_a_closed_port_ends_as_closed)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = run_net(&plan, "tcp", closed_port);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool hop = probe->ttl < net->distance;
        cr_expect_eq(probe->late + probe->duplicates, 0);
        cr_expect_eq(probe->unawaited, probe->is_blind && !hop);
        cr_expect(probe->cycle == 0 || !probe->is_blind);
        if (!probe->unawaited)
            cr_expect_eq(probe->outcome, hop ? SONDE_OUTCOME_TTL_EXCEEDED : SONDE_OUTCOME_CLOSED);
    }
    cr_expect_geq(net_count(net, 0, net->distance, false), 1, "its distance is confirmed");
    net_free(net);
}

Test(tokenless, with_several_candidates_the_time_is_unknown_and_with_one_it_is_known)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = run_net(&plan, "tcp", closed_port);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->outcome != SONDE_OUTCOME_CLOSED)
            continue;
        if (probe->uncertain)
            cr_expect_eq(probe->rtt_ns, -1);
        else
            cr_expect_eq(probe->rtt_ns, net_rtt(net), "cycle %u, TTL %u", probe->cycle, probe->ttl);
        if (probe->cycle > 0)
            cr_expect_not(probe->uncertain, "once it is known, one is asked at a time");
    }
    net_free(net);
}

/* A reset that acknowledges the attempt of that number arrives now. */
static void reset_attempt(struct net *net, uint32_t attempt)
{
    struct sonde_flow flow = {
        .src = net_router_addr(net, 0),
        .dst = net_target_addr(net, 0),
        .protocol = IP_PROTO_TCP,
        .src_port = NET_OWN_PORT,
        .dst_port = NET_PORT,
    };
    const struct sonde_tx tx = {.flow = &flow};
    /* the ISN of the first target's first service is 0x01020304 * 1001 = 0xf0ddcaa4 in attempt 0,
     * and 2^20 more in each that follows */
    const struct tcp_header rst = {
        .ack = UINT32_C(0xf0ddcaa4) + (attempt << 20) + 1,
        .flags = TCP_RST | TCP_ACK,
        .options.window_scale = -1,
    };
    net_tcp(net, &tx, 0, &rst);
    net_turn(net);
}

/* Send to TTLs 28, 29, 30 and the full one: all reach the target. */
static struct net *run_far_until(sonde_ns until)
{
    struct engine_plan plan = net_plan();
    plan.first_ttl = 28;
    plan.cycles = 2;
    struct net *net = net_new(&plan);
    net->on_probe = net_silent;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run_until(net, until);
    return net;
}

Test(tokenless, one_reset_is_not_to_probes_that_a_host_drops)
{
    struct net *net = run_far_until(10 * MS);
    cr_assert_eq(net->sent, 4);
    for (size_t i = 1; i < 4; i++)
        cr_expect(net->probes[i].is_blind);
    reset_attempt(net, 0);
    cr_expect_eq(net->ended, 1);
    cr_expect(net->probes[0].ended && net->probes[0].to_target && !net->probes[0].uncertain);
    cr_expect_eq(net->probes[0].rtt_ns, 10 * MS);
    engine_stop(net->run);
    net_free(net);
}

/* After a second of silence, probes to hops are real SYNs, of the attempt that the second cycle
 * began. */
Test(tokenless, one_reset_for_several_probes_ends_only_one_of_them)
{
    struct net *net = run_far_until(1010 * MS);
    cr_assert_geq(net->sent, 4 + 4);
    cr_expect_eq(net->ended, 0);
    for (size_t i = 4; i < net->probe_count; i++)
        cr_expect(!net->probes[i].is_blind);
    reset_attempt(net, 1);
    cr_expect_eq(net->ended, 1);
    cr_expect(net->probes[4].ended && net->probes[4].to_target, "of all, the one that began it");
    cr_expect(net->probes[4].uncertain, "and not for sure");
    cr_expect_eq(net->probes[4].rtt_ns, -1);
    net_run(net);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_CLOSED), 1);
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect(i == 4 ||
                  (net->probes[i].is_blind ? net->probes[i].unawaited
                                           : net->probes[i].outcome == SONDE_OUTCOME_NO_REPLY));
    net_free(net);
}

/* As on a closed port, but router 4 is silent. */
static void closed_behind_a_silent_router(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl == 4)
        return;
    if (tx->flow->protocol == IP_PROTO_ICMP)
        net_open_path(net, tx);
    else
        closed_port(net, tx);
}

Test(tokenless, a_control_tells_which_probes_can_have_arrived)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = run_net(&plan, "icmp tcp", closed_behind_a_silent_router);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != 1 || probe->ttl < net->distance || probe->cycle == 0)
            continue;
        cr_expect_eq(probe->outcome, SONDE_OUTCOME_CLOSED);
        cr_expect_eq(probe->rtt_ns, net_rtt(net), "cycle %u, TTL %u", probe->cycle, probe->ttl);
    }
    net_free(net);
}

/* A server without timestamps: each SYN-ACK is new, none says which SYN it answers. */
static void without_timestamps(struct net *net, const struct sonde_tx *tx)
{
    struct tcp_header syn;
    if (net_expires(net, tx))
        return;
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    const struct tcp_header tcp = {
        .seq = net->serial,
        .ack = syn.seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .options = {.mss = 1460, .window_scale = -1},
    };
    net->serial += 64000;
    net_tcp(net, tx, net_rtt(net), &tcp);
}

/* A SYN proxy: it makes up the timestamp that it echoes. */
static void with_made_up_timestamps(struct net *net, const struct sonde_tx *tx)
{
    struct tcp_header syn;
    if (net_expires(net, tx))
        return;
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    const struct tcp_header tcp = {
        .seq = net->serial,
        .ack = syn.seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .options = {.has_timestamps = true, .ts_value = 1, .ts_echo = 0x70000000},
    };
    net->serial += 64000;
    net_tcp(net, tx, net_rtt(net), &tcp);
}

static void own_words(struct net *net, const struct sonde_tx *tx)
{
    static const uint8_t words[] = "an answer of the server's own";
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    if (net_expires(net, tx))
        return;
    answer_udp(&wr, tx, NULL, (struct sonde_span){words, sizeof words});
    net_arrive(net, &wr, net_rtt(net));
}

Test(tokenless, servers_that_name_no_probe_are_open_all_the_same)
{
    static const struct {
        const char *what;
        const char *service;
        void (*rule)(struct net *, const struct sonde_tx *);
        enum sonde_outcome outcome;
    } cases[] = {
        {"no timestamps", "tcp", without_timestamps, SONDE_OUTCOME_OPEN},
        {"made-up timestamps", "tcp", with_made_up_timestamps, SONDE_OUTCOME_OPEN},
        {"a protocol's own answer", "udp", own_words, SONDE_OUTCOME_UDP_REPLY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_plan plan = net_plan();
        plan.cycles = 6;
        struct net *net = net_new(&plan);
        net->naming[0] = PROBE_NAMING_NOTHING;
        net->on_probe = cases[i].rule;
        net_add(net, cases[i].service);
        engine_start(net->run, 0);
        net_run(net);
        for (size_t k = 0; k < net->probe_count; k++) {
            const struct net_probe *probe = &net->probes[k];
            bool hop = probe->ttl < net->distance;
            cr_expect_eq(probe->late + probe->duplicates, 0, "%s", cases[i].what);
            cr_expect_eq(probe->unawaited, probe->is_blind && !hop, "%s", cases[i].what);
            if (probe->unawaited)
                continue;
            cr_expect_eq(probe->outcome, hop ? SONDE_OUTCOME_TTL_EXCEEDED : cases[i].outcome, "%s",
                         cases[i].what);
            if (!hop && !probe->uncertain)
                cr_expect_eq(probe->rtt_ns, net_rtt(net), "%s", cases[i].what);
            if (!hop && probe->cycle > 0)
                cr_expect_not(probe->uncertain, "%s, cycle %u", cases[i].what, probe->cycle);
        }
        net_free(net);
    }
}

/* This machine lets out pings, and of all else what has a full TTL. */
static int full_ttl_only(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    return net_service_of(tx) == 0 || net_is_full(tx) ? 0 : -EPERM;
}

static void pings_and_own_words(struct net *net, const struct sonde_tx *tx)
{
    if (net_service_of(tx) == 0)
        net_open_path(net, tx);
    else
        own_words(net, tx);
}

/* Answers take longer than the interval. That a probe to a hop could not leave says nothing of the
 * attempt that is open: the next one waits for its answer all the same. */
Test(tokenless, what_could_not_leave_ends_no_attempt_of_another_probe)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    plan.interval_ns = 100 * MS;
    struct net *net = net_new(&plan);
    net->naming[0] = PROBE_NAMING_NOTHING;
    net->hop_ns = 60 * MS;
    net->on_probe = pings_and_own_words;
    net->on_send = full_ttl_only;
    net_add(net, "icmp udp");
    engine_start(net->run, 0);
    net_run(net);
    sonde_ns free = 0;
    cr_expect_eq(net_count(net, 1, 0, true), 3);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != 1 || !probe->to_target)
            continue;
        cr_expect_geq(probe->sent_ns, free, "%ld us", (long)(probe->sent_ns / 1000));
        free = probe->sent_ns + net_rtt(net);
    }
    net_free(net);
}

/* A device that has kept the first timestamp that it saw, and echoes it for ever. net->seen holds
 * it. */
static void with_an_old_timestamp(struct net *net, const struct sonde_tx *tx)
{
    struct tcp_header syn;
    if (net_expires(net, tx))
        return;
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    if (net->seen == 0)
        net->seen = syn.options.ts_value;
    const struct tcp_header tcp = {
        .seq = net->serial,
        .ack = syn.seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .options = {.has_timestamps = true, .ts_value = 1, .ts_echo = (uint32_t)net->seen},
    };
    net_tcp(net, tx, net_rtt(net), &tcp);
}

/* What is acknowledged is proof of the attempt; a timestamp of another proves nothing against it.
 */
Test(tokenless, a_syn_ack_is_to_the_attempt_that_it_acknowledges_whatever_it_echoes)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = run_net(&plan, "tcp", with_an_old_timestamp);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->ttl < net->distance || probe->is_blind)
            continue;
        cr_expect_eq(probe->outcome, SONDE_OUTCOME_OPEN);
        cr_expect_eq(probe->late + probe->duplicates, 0);
        cr_expect_not(probe->uncertain);
        cr_expect_eq(probe->rtt_ns, net_rtt(net));
    }
    cr_expect_eq(net_count(net, 0, 0, true), 6);
    net_free(net);
}

/*
 * RFC 9293 §3.10.7.4, RFC 7323 §4.3: in SYN-RECEIVED a server answers each SYN of an attempt again
 * with the same SYN-ACK, and the timestamp that it saw first. net->seen holds the ISN and that
 * timestamp.
 */
static void one_connection(struct net *net, const struct sonde_tx *tx)
{
    struct tcp_header syn;
    if (net->now >= 2 * S)
        net->distance = 3; /* the way becomes shorter, so that probes to hops arrive */
    if (net_expires(net, tx))
        return;
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    if (net->seen >> 32 != syn.seq)
        net->seen = (uint64_t)syn.seq << 32 | syn.options.ts_value;
    const struct tcp_header tcp = {
        .seq = net->serial,
        .ack = syn.seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .options = {.has_timestamps = true, .ts_value = 1, .ts_echo = (uint32_t)net->seen},
    };
    net_tcp(net, tx, 20 * MS, &tcp);
}

/* Every cycle is answered, and has the right time or none. */
Test(tokenless, a_syn_ack_that_repeats_itself_never_times_another_syn_than_the_first)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 6;
    struct net *net = run_net(&plan, "tcp", one_connection);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->outcome == SONDE_OUTCOME_OPEN)
            cr_expect(probe->rtt_ns == 20 * MS || (probe->rtt_ns == -1 && probe->uncertain));
        cr_expect_eq(probe->late + probe->duplicates, 0);
        if (probe->to_target)
            cr_expect_eq(probe->outcome, SONDE_OUTCOME_OPEN);
        if (probe->to_target && probe->cycle < 2)
            cr_expect_eq(probe->rtt_ns, 20 * MS);
    }
    cr_expect_eq(net_count(net, 0, 0, true), 6);
    net_free(net);
}

static void repeated_by_the_server(struct net *net, const struct sonde_tx *tx)
{
    uint32_t serial = net->serial;
    net_open_path(net, tx);
    if (tx->ttl < net->distance || net_is_blind(tx))
        return;
    net->serial = serial; /* the same again, one second later: RFC 6298 §2 (2.1) */
    net_reply(net, tx, net_rtt(net) + S);
}

/* It repeats what it has heard no answer to: no duplicate that the network has made. */
Test(tokenless, a_syn_ack_that_the_server_sends_again_is_no_duplicate)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    plan.interval_ns = 5 * S;
    struct net *net = run_net(&plan, "tcp", repeated_by_the_server);
    uint64_t again = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        cr_expect_eq(probe->late + probe->duplicates, 0);
        if (probe->ttl < net->distance || probe->is_blind)
            continue;
        cr_expect_eq(probe->outcome, SONDE_OUTCOME_OPEN);
        cr_expect_eq(probe->rtt_ns, net_rtt(net));
        again += probe->cycle < 2; /* the last cycle ends before */
    }
    cr_expect_geq(again, 2);
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_NOT_A_RESULT], again);
    net_free(net);
}

static void twice_and_slow_routers(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl < net->distance) {
        net_error(net, tx, 4 * net_rtt(net), tx->ttl, ICMP4_TIME_EXCEEDED, 0);
        return;
    }
    if (net_is_blind(tx))
        return;
    uint32_t serial = net->serial;
    net_reply(net, tx, net_rtt(net));
    net->serial = serial; /* the same packet again */
    net_reply(net, tx, net_rtt(net) + S / 10000);
}

/* In the first cycle routers are given up before their 80 ms, since nobody knows how slow they are.
 */
Test(tokenless, a_syn_ack_that_the_network_doubles_takes_no_hop_s_answer_away)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 2;
    struct net *net = run_net(&plan, "tcp", twice_and_slow_routers);
    unsigned answered = 0;
    unsigned duplicates = 0;
    unsigned hops = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool arrives = probe->ttl >= net->distance && !probe->is_blind;
        answered += arrives;
        duplicates += probe->duplicates;
        if (probe->cycle == 0 && !arrives)
            continue;
        cr_expect_eq(probe->outcome, arrives ? SONDE_OUTCOME_OPEN : SONDE_OUTCOME_TTL_EXCEEDED);
        cr_expect_eq(probe->rtt_ns, arrives ? net_rtt(net) : 4 * net_rtt(net));
        hops += !arrives;
    }
    /* where probes to hops are in flight, it may as well be theirs */
    uint64_t ambiguous = net_discard_counts(net).count[SONDE_DISCARD_AMBIGUOUS];
    cr_expect_eq(duplicates + ambiguous, answered);
    cr_expect_eq(hops, net->distance - 1U);
    net_free(net);
}

/* Eight bytes quoted and no identification: an error proves the trace, not the probe. From the
 * first one on, hops are asked one by one, and each router's answer is known to be that to the only
 * question. */
Test(tokenless, an_error_about_one_of_several_probes_is_credited_to_none)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->family = SONDE_FAMILY_IPV6;
    net->quote_len = 8;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    const struct engine_discards counts = net_discard_counts(net);
    cr_expect_eq(counts.count[SONDE_DISCARD_AMBIGUOUS], 4, "the routers before the target");
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool hop = probe->ttl < net->distance;
        cr_expect_eq(probe->unawaited, i > 0 && probe->sent_ns <= 4 * MS, "one of the first");
        if (probe->unawaited)
            continue;
        cr_expect_eq(probe->outcome, hop ? SONDE_OUTCOME_TTL_EXCEEDED : SONDE_OUTCOME_OPEN);
        cr_expect_eq(probe->rtt_ns, (hop ? 2 * probe->ttl : 10) * net->hop_ns);
    }
    for (uint8_t ttl = 1; ttl <= net->distance; ttl++)
        cr_expect_eq(net_count(net, 0, ttl, false), 1, "TTL %u", ttl);
    net_free(net);
}

static void first_hop_only(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl == 1)
        net_error(net, tx, net->hop_ns, 1, ICMP4_TIME_EXCEEDED, 0);
}

static int full_ttl_fails(struct net *net, const struct sonde_tx *tx)
{
    (void)net;
    return net_is_full(tx) ? -EPERM : 0;
}

/* Run SYNs over IPv6, of which routers quote too little to name one; those at full TTL do not
 * leave.
 */
static struct net *run_short_quotes(uint8_t max_ttl, bool nameless,
                                    void (*rule)(struct net *, const struct sonde_tx *))
{
    struct engine_plan plan = net_plan();
    plan.max_ttl = max_ttl;
    struct net *net = net_new(&plan);
    net->family = SONDE_FAMILY_IPV6;
    net->quote_len = 8;
    net->hop_ns = 100 * SONDE_NS_PER_US; /* errors are back before the next step */
    net->nameless = nameless;
    net->on_probe = rule;
    net->on_send = full_ttl_fails;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    return net;
}

Test(tokenless, an_error_about_the_only_probe_in_flight_is_that_probes)
{
    struct net *net = run_short_quotes(1, false, first_hop_only);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_TTL_EXCEEDED), 1);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_SEND_ERROR), net->probe_count - 1);
    cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_AMBIGUOUS], 0);
    net_free(net);
}

static void first_hop_twice(struct net *net, const struct sonde_tx *tx)
{
    first_hop_only(net, tx);
    if (tx->ttl == 1)
        net_error(net, tx, 2 * net->hop_ns, 1, ICMP4_TIME_EXCEEDED, 0);
}

Test(tokenless, an_error_while_nothing_is_in_flight_says_nothing_of_the_next)
{
    for (unsigned nameless = 0; nameless < 2; nameless++) {
        struct net *net = run_short_quotes(4, nameless == 1, first_hop_twice);
        const struct engine_discards counts = net_discard_counts(net);
        cr_expect_eq(counts.count[SONDE_DISCARD_UNKNOWN_PROBE], 1);
        cr_expect_eq(counts.count[SONDE_DISCARD_AMBIGUOUS], 0);
        for (size_t i = 0; i < net->probe_count && nameless == 0; i++)
            cr_expect_lt(net->probes[i].sent_ns, 5 * MS, "they wait for none before them");
        net_free(net);
    }
}

static int full_syns_fail(struct net *net, const struct sonde_tx *tx)
{
    return tx->flow->protocol == IP_PROTO_TCP ? full_ttl_fails(net, tx) : 0;
}

/* The SYN at full TTL never leaves; the one that confirms the distance is an attempt of its own,
 * and its doubled answer is that to no other. */
Test(tokenless, a_doubled_syn_ack_is_to_no_probe_that_did_not_leave)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = twice_and_slow_routers;
    net->on_send = full_syns_fail;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    size_t answered = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != 1 || probe->unawaited)
            continue;
        bool arrived = probe->outcome == SONDE_OUTCOME_OPEN;
        cr_expect_eq(probe->duplicates, arrived ? 1 : 0);
        cr_expect_eq(probe->outcome == SONDE_OUTCOME_SEND_ERROR, probe->to_target);
        if (arrived)
            cr_expect_eq(probe->rtt_ns, net_rtt(net));
        answered += arrived;
    }
    cr_expect_eq(answered, 1);
    net_free(net);
}

/* A reset that comes after its probe was given up must not end one that has not left yet. */
static void late_reset(struct net *net, const struct sonde_tx *tx)
{
    if (net->seen++ == 0)
        net_refuse(net, tx, 3010 * MS);
}

static int held_back(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    return net->now > 2500 * MS && net->now < 3500 * MS ? -EAGAIN : 0;
}

Test(tokenless, a_probe_that_has_not_left_yet_has_no_answer)
{
    struct engine_plan plan = net_plan();
    plan.max_ttl = 1;
    plan.cycles = 5;
    plan.timeout_ns = S - MS; /* what left at 2 s is given up before 3 s */
    struct net *net = net_new(&plan);
    net->on_probe = late_reset;
    net->on_send = held_back;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_CLOSED), 0);
    size_t late = 0;
    for (size_t i = 0; i < net->probe_count; i++)
        late += net->probes[i].late;
    cr_expect_eq(late, 1);
    net_free(net);
}

/* An answer to what is not there yet: somebody has guessed the next token. */
static int foreseen(struct net *net, const struct sonde_tx *tx)
{
    if (net->now >= 5 * MS)
        return 0;
    if (net->seen++ == 0)
        net_reply(net, tx, SONDE_NS_PER_US);
    return -EAGAIN;
}

Test(tokenless, a_probe_that_has_not_left_yet_has_no_answer_even_with_its_token)
{
    static const char *const services[] = {"icmp", "tcp", "udp"};
    for (size_t i = 0; i < 3; i++) {
        struct engine_plan plan = net_plan();
        struct net *net = net_new(&plan);
        net->on_send = foreseen;
        net_add(net, services[i]);
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_geq(net->probes[0].sent_ns, 5 * MS);
        cr_expect_eq(net->probes[0].rtt_ns, net_rtt(net), "%s", services[i]);
        cr_expect_eq(net_discard_counts(net).count[SONDE_DISCARD_UNKNOWN_PROBE], 1);
        net_free(net);
    }
}

/* As TFTP does: every answer comes from a port that was never seen before. */
static void own_words_from_elsewhere(struct net *net, const struct sonde_tx *tx)
{
    struct sonde_flow flow = *tx->flow;
    struct sonde_tx copy = *tx;
    flow.dst_port = (uint16_t)(40000 + net->seen++);
    copy.flow = &flow;
    own_words(net, &copy);
}

Test(tokenless, an_answer_from_another_port_counts_where_the_protocol_has_it_so)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    for (unsigned other_port = 0; other_port < 2; other_port++) {
        struct net *net = net_new(&plan);
        net->naming[0] = PROBE_NAMING_NOTHING;
        net->other_port = other_port == 1;
        net->on_probe = own_words_from_elsewhere;
        net_add(net, "udp");
        engine_start(net->run, 0);
        net_run(net);
        size_t answered = net_outcomes(net, SONDE_OUTCOME_UDP_REPLY);
        uint64_t strange = net_discard_counts(net).count[SONDE_DISCARD_DIFFERENT_ADDRESS];
        if (other_port == 1)
            cr_expect(answered >= plan.cycles && strange == 0, "%zu answered", answered);
        else
            cr_expect(answered == 0 && strange > 0, "%zu answered", answered);
        net_free(net);
    }
}

/* A full queue takes nothing to the target from 0.1 to 0.4 s. */
static int queue_is_full(struct net *net, const struct sonde_tx *tx)
{
    return net_is_full(tx) && net->now >= 100 * MS && net->now < 400 * MS ? -ENOBUFS : 0;
}

/* What waits here was not sent yet: its answer is waited for from when it left. In its queue
 * another attempt behind it would overtake the reset that ends it. */
Test(tokenless, no_attempt_is_begun_while_the_one_before_waits_to_be_sent)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    plan.interval_ns = 100 * MS;
    struct net *net = net_new(&plan);
    net->on_send = queue_is_full;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    net_run(net);
    sonde_ns before = -S;
    for (size_t i = 0; i < net->probe_count; i++) {
        if (!net->probes[i].to_target)
            continue;
        cr_expect_geq(net->probes[i].sent_ns - before, net_rtt(net), "cycle %u",
                      net->probes[i].cycle);
        before = net->probes[i].sent_ns;
    }
    cr_expect_eq(net_count(net, 0, 0, true), 5);
    net_free(net);
}
