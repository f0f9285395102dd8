/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was learned long ago yields to what is seen now: runs without end over a network that
 * changes.
 *
 * The path has five hops of 2 ms each, unless a test says otherwise.
 */
#include "base/time.h"
#include "engine/trace.h"
#include "tests/support/answers.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>

static struct net *start_net(const char *services)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    struct net *net = net_new(&plan);
    net_add(net, services);
    engine_start(net->run, 0);
    return net;
}

static void stop_net(struct net *net)
{
    engine_stop(net->run);
    net_free(net);
}

/* Full-TTL probes of a service that left in a stretch of time, its end excluded, and ended so. */
static size_t count_ended(const struct net *net, uint32_t service, sonde_ns from, sonde_ns to,
                          enum sonde_outcome outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        count += probe->ended && !probe->unawaited && probe->to_target &&
                 probe->service == service && probe->sent_ns >= from && probe->sent_ns < to &&
                 probe->outcome == outcome;
    }
    return count;
}

/* Probes of a service to a hop that left then. */
static size_t count_asked(const struct net *net, uint32_t service, uint8_t ttl, sonde_ns from,
                          sonde_ns to)
{
    size_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        count += probe->service == service && probe->ttl == ttl && probe->sent_ns >= from &&
                 probe->sent_ns < to;
    }
    return count;
}

static void slow_host_from_100s(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_reply(net, tx, net->now < 100 * S ? net_rtt(net) : 1300 * MS);
}

/* The host's round trip of 20 ms becomes one of 1.3 s, and nothing but the port is asked. A SYN-ACK
 * that comes a second later than others did is a repetition once, and not eight times in a row. */
Test(age, a_path_that_has_become_slow_is_believed)
{
    struct net *net = start_net("tcp");
    net->on_probe = slow_host_from_100s;
    net_run_until(net, 200 * S);
    size_t lost = count_ended(net, 0, 100 * S, 198 * S, SONDE_OUTCOME_NO_REPLY);
    cr_expect_leq(lost, 8, "%zu", lost);
    /* a SYN waits for the answer to the one before */
    cr_expect_geq(count_ended(net, 0, 120 * S, 198 * S, SONDE_OUTCOME_OPEN), 50);
    cr_expect_eq(count_ended(net, 0, 120 * S, 198 * S, SONDE_OUTCOME_NO_REPLY), 0);
    stop_net(net);
}

/* The last router is silent for ten minutes, and then is not. */
static void last_silent_at_first(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl != 4 || net->now > 600 * S)
        net_open_path(net, tx);
}

/* What is asked there may be a question to the target, so it is not asked in each cycle; but from
 * time to time. */
Test(age, a_router_that_was_silent_for_long_is_met_when_it_answers)
{
    struct net *net = start_net("tcp");
    const struct reach *reach = &net->tally->targets[0]->services[0]->reach;
    net->on_probe = last_silent_at_first;
    net_run_until(net, 600 * S);
    cr_expect(reach->dest_ttl == 5 && reach->top_ttl == 3);
    /* twice, and twice more when the distance is found; 600 / 64 times */
    cr_expect_leq(count_asked(net, 0, 4, 0, 600 * S), 4 + 10);
    net_run_until(net, 900 * S);
    cr_expect(ttl_set_has(&reach->expired, 4));
    stop_net(net);
}

/* Send this machine's own word that a neighbour does not answer. */
static void say_no_neighbour(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_error(&wr, tx, &tx->flow->src, ICMP4_UNREACHABLE, 1, net->quote_len);
    net_arrive(net, &wr, delay_ns);
}

/* The neighbour is gone from 100 s on, and this machine itself says so after two seconds; from 400
 * s on it is there again. */
static void neighbour_gone(struct net *net, const struct sonde_tx *tx)
{
    if (net->now < 100 * S || net->now > 400 * S)
        net_open_path(net, tx);
    else
        say_no_neighbour(net, tx, 1800 * MS);
}

Test(age, hops_are_not_asked_while_the_neighbour_that_was_there_is_gone)
{
    struct net *net = start_net("icmp tcp");
    net->on_probe = neighbour_gone;
    net_run_until(net, 400 * S);
    size_t asked = 0;
    for (uint8_t ttl = 1; ttl <= 30; ttl++)
        asked += count_asked(net, 0, ttl, 110 * S, 400 * S);
    cr_expect_eq(asked, 0, "%zu", asked);
    net_run_until(net, 500 * S);
    for (uint8_t ttl = 1; ttl < net->distance; ttl++)
        cr_expect_gt(count_asked(net, 0, ttl, 402 * S, 500 * S), 5, "hop %u", ttl);
    stop_net(net);
}

/* Routers quote too little to name a probe, up to 100 s; from then on they do not. */
Test(age, quotes_that_name_their_probes_again_are_believed)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 0;
    struct net *net = net_new(&plan);
    net->family = SONDE_FAMILY_IPV6;
    net->quote_len = 8;
    net_add(net, "tcp");
    engine_start(net->run, 0);
    const struct engine_trace *trace = net->run->targets[0]->traces[0];
    net_run_until(net, 100 * S);
    cr_expect(trace->quotes_name_nothing);
    net->quote_len = 60;
    net_run_until(net, 150 * S);
    cr_expect(trace->quotes_name_nothing, "not at once: another may be seen");
    net_run_until(net, 170 * S);
    cr_expect_not(trace->quotes_name_nothing, "after 64 cycles without any");
    stop_net(net);
}

/* Router 3 refuses what goes to ports: six of them at first, and from 10 s on only one. */
static void refused_by_3(struct net *net, const struct sonde_tx *tx)
{
    bool refused = net_service_of(tx) > 0 && (net->now < 10 * S || net_service_of(tx) == 1);
    if (tx->ttl > 3 && refused)
        net_error(net, tx, 6 * net->hop_ns, 3, ICMP4_UNREACHABLE, 13);
    else if (tx->ttl <= 3 || net_service_of(tx) == 0)
        net_open_path(net, tx);
}

/* So many at once may have been all that it had, so what is silent may be refused, too. But that it
 * was asked too much long ago says nothing of silence now. */
Test(age, who_has_refused_many_at_once_is_not_supposed_to_for_ever)
{
    struct net *net = start_net("icmp tcp tcp tcp tcp tcp tcp");
    net->on_probe = refused_by_3;
    const struct engine_target *target = net->run->targets[0];
    net_run_until(net, 9 * S);
    cr_expect_neq(trace_refuser(target, target->traces[2]), 0);
    net_run_until(net, 60 * S);
    cr_expect_neq(trace_refuser(target, target->traces[2]), 0, "it was a minute ago");
    net_run_until(net, 200 * S);
    cr_expect_eq(trace_refuser(target, target->traces[2]), 0, "one is refused in each cycle");
    stop_net(net);
}

/* The host has one refusal a second, and six at once; net->seen is when it will have six again. */
static bool has_refusal(struct net *net)
{
    uint64_t now = (uint64_t)net->now;
    if (net->seen > now + 5 * (uint64_t)S)
        return false;
    net->seen = (net->seen > now ? net->seen : now) + (uint64_t)S;
    return true;
}

static void closed_from_100s(struct net *net, const struct sonde_tx *tx)
{
    if (net->now < 100 * S || net_service_of(tx) == 0 || tx->ttl < net->distance)
        net_open_path(net, tx);
    else if (has_refusal(net))
        net_refuse(net, tx, net_rtt(net));
}

/* Ten services that answered are gone. A host rations its refusals, so each has to wait for its
 * turn: that it was open once is no reason to ask it out of turn, and see loss. */
Test(age, ports_that_were_open_and_are_closed_wait_for_their_refusals)
{
    struct net *net = start_net("icmp udp udp udp udp udp udp udp udp udp udp");
    net->on_probe = closed_from_100s;
    net_run_until(net, 300 * S);
    size_t lost = 0;
    size_t closed = 0;
    for (uint32_t service = 1; service <= 10; service++) {
        lost += count_ended(net, service, 120 * S, 298 * S, SONDE_OUTCOME_NO_REPLY);
        closed += count_ended(net, service, 120 * S, 298 * S, SONDE_OUTCOME_PORT_UNREACHABLE);
    }
    cr_expect_eq(lost, 0, "%zu", lost);
    cr_expect_geq(closed, 160, "%zu: about one a second", closed);
    stop_net(net);
}

/* The host is gone from 6.5 s on. The router before it asks for it three times, and says so at 10 s
 * of all that it holds. */
static void gone_in_the_end(struct net *net, const struct sonde_tx *tx)
{
    if (net->now < 6500 * MS)
        net_open_path(net, tx);
    else if (!net_expires(net, tx))
        net_error(net, tx, 10 * S - net->now, net->distance - 1U, ICMP4_UNREACHABLE, 1);
}

/* That it was found before is no reason not to wait for that: the last probes leave at 9 s. */
Test(age, a_target_that_was_found_once_may_be_looked_for_in_vain)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 10;
    struct net *net = net_new(&plan);
    net->on_probe = gone_in_the_end;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_geq(net->now, 10 * S);
    cr_expect_gt(
        net->tally->targets[0]->services[0]->outcomes[SONDE_OUTCOME_HOST_UNREACHABLE].shown, 0);
    net_free(net);
}

/* A thousand cycles a second are 2^32 after 49 days. */
Test(age, cycles_are_counted_for_ever)
{
    struct net *net = start_net("icmp tcp");
    net_run_until(net, 4500 * MS);
    struct engine_target *target = net->run->targets[0];
    uint32_t more = UINT32_MAX - 10; /* so many cycles later */
    target->cycle += more;
    target->settled_cycle += more;
    for (uint32_t i = 0; i < 2; i++)
        target->traces[i]->cycle += more;
    net_run_until(net, 60500 * MS);
    for (uint32_t i = 0; i < 2; i++)
        cr_expect_eq(count_ended(net, i, 5 * S, 61 * S,
                                 i == 0 ? SONDE_OUTCOME_ECHO_REPLY : SONDE_OUTCOME_OPEN),
                     56);
    stop_net(net);
}
