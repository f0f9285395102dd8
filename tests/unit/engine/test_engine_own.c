/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine itself says of its probes, by its firewall or for want of a neighbour. */
#include "tests/support/answers.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

#include <criterion/criterion.h>
#include <errno.h>

enum { TCP_SERVICE = 1 };

/* Send an ICMP error of this machine's own. */
static void speak(struct net *net, const struct sonde_tx *tx, sonde_ns delay_ns, uint8_t code)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_error(&wr, tx, &tx->flow->src, ICMP4_UNREACHABLE, code, net->quote_len);
    net_arrive(net, &wr, delay_ns);
}

/* The firewall refuses TCP by the code of net->seen. */
static void refuse_tcp(struct net *net, const struct sonde_tx *tx)
{
    if (tx->flow->protocol == IP_PROTO_TCP)
        speak(net, tx, 0, (uint8_t)net->seen);
    else
        net_open_path(net, tx);
}

static struct net *run_services(void (*rule)(struct net *, const struct sonde_tx *), uint64_t seen,
                                const char *services)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = rule;
    net->seen = seen;
    net_add(net, services);
    engine_start(net->run, 0);
    net_run(net);
    return net;
}

static struct net *run(void (*rule)(struct net *, const struct sonde_tx *), uint64_t seen)
{
    return run_services(rule, seen, "icmp tcp +tcp");
}

/* Codes of RFC 792 and RFC 1812 that a firewall may choose; 1 is also said of a neighbour. */
Test(own, what_the_own_firewall_says_is_an_error_of_sending)
{
    static const uint8_t codes[] = {0, 2, 3, 9, 10, 13};
    for (size_t i = 0; i < sizeof codes; i++) {
        struct net *net = run(refuse_tcp, codes[i]);
        for (size_t k = 0; k < net->probe_count; k++) {
            const struct net_probe *probe = &net->probes[k];
            bool tcp = probe->service == TCP_SERVICE;
            cr_expect_eq(probe->outcome == SONDE_OUTCOME_SEND_ERROR, tcp, "code %u", codes[i]);
            cr_expect_eq(probe->error, tcp ? EPERM : 0);
            cr_expect_eq(probe->duplicates + probe->late, 0);
        }
        /* what cannot be sent to is no silence that needs something to compare with */
        cr_expect_eq(net_count(net, 2, 0, true), 0);
        cr_expect_eq(net_discards(net), 0);
        net_free(net);
    }
}

/* The kernel has said so in sending, and the firewall says it again. */
static int no_tcp(struct net *net, const struct sonde_tx *tx)
{
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    struct tcp_header syn;
    if (tx->flow->protocol != IP_PROTO_TCP)
        return 0;
    if (net->seen != UINT64_MAX) {
        speak(net, tx, 0, (uint8_t)net->seen);
        return -EPERM;
    }
    cr_assert_eq(tcp_decode(tx->segment, &syn), 0);
    const struct tcp_header rst = {
        .ack = syn.seq + 1, .flags = TCP_RST | TCP_ACK, .options.window_scale = -1};
    answer_tcp(&wr, tx, NULL, &rst);
    net_arrive(net, &wr, 0);
    return -EPERM;
}

static void open_but_tcp(struct net *net, const struct sonde_tx *tx)
{
    if (tx->flow->protocol != IP_PROTO_TCP)
        net_open_path(net, tx);
}

Test(own, what_is_said_of_a_probe_that_never_left_is_not_counted)
{
    static const uint64_t said[] = {1, 3, 13, UINT64_MAX /* a reset in the target's name */};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct engine_plan plan = net_plan();
        struct net *net = net_new(&plan);
        net->on_probe = open_but_tcp;
        net->on_send = no_tcp;
        net->seen = said[i];
        net_add(net, "icmp tcp");
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_gt(net_outcomes(net, SONDE_OUTCOME_SEND_ERROR), 0);
        for (size_t k = 0; k < net->probe_count; k++) {
            const struct net_probe *probe = &net->probes[k];
            cr_expect_eq(probe->outcome == SONDE_OUTCOME_SEND_ERROR, probe->service == TCP_SERVICE);
            cr_expect_eq(probe->duplicates + probe->late, 0, "%zu", i);
        }
        cr_expect_eq(net_discards(net), 0, "%zu", i);
        net_free(net);
    }
}

/* A neighbour does not answer: that this machine finds out itself, and it was sent all the same.
 * What an interface of a tunnel does not take, it says itself, too. */
Test(own, of_a_neighbour_and_of_a_size_this_machine_speaks_for_the_network)
{
    static const struct {
        uint8_t code;
        enum sonde_outcome outcome;
    } cases[] = {{1, SONDE_OUTCOME_HOST_UNREACHABLE}, {4, SONDE_OUTCOME_PACKET_TOO_BIG}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net *net = run(refuse_tcp, cases[i].code);
        for (size_t k = 0; k < net->probe_count; k++) {
            if (net->probes[k].service == TCP_SERVICE)
                cr_expect_eq(net->probes[k].outcome, cases[i].outcome);
        }
        net_free(net);
    }
}

Test(own, a_target_that_is_this_machine_speaks_for_itself)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    struct sonde_addr addr = net_target_addr(net, 0);
    const struct sonde_spec spec = {
        .flow = {.src = addr,
                 .dst = addr,
                 .protocol = IP_PROTO_UDP,
                 .src_port = 40000,
                 .dst_port = 40001},
        .cookie = 1,
        .format = {.size_bytes = 64},
    };
    struct engine_event popped;
    uint8_t buf[PROBE_SIZE_MAX];
    struct sonde_tx tx;
    cr_assert_eq(engine_add_target(net->run, &addr, 1), 0);
    cr_assert_eq(engine_add_trace(net->run, &probe_udp, &spec), 0);
    engine_start(net->run, 0);
    cr_assert_eq(engine_next_tx(net->engine, 0, buf, &tx), 0);
    engine_on_sent(net->engine, tx.handle, &(struct sonde_sent){.error = 0});
    uint8_t bytes[NET_PACKET_BYTES];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_error(&wr, &tx, &addr, ICMP4_UNREACHABLE, ICMP4_CODE_PORT, 64);
    struct sonde_rx rx;
    answer_decode(&wr, &rx);
    rx.stamp = (struct sonde_stamp){SONDE_NS_PER_MS, SONDE_CLOCK_USER};
    engine_on_rx(net->engine, &rx);
    cr_assert_eq(engine_pop_event(net->engine, &popped), 0);
    cr_expect_eq(popped.event.outcome, SONDE_OUTCOME_PORT_UNREACHABLE);
    cr_expect_eq(popped.event.rtt_ns, SONDE_NS_PER_MS);
    engine_stop(net->run);
    net_free(net);
}

/* The kernel has asked for its neighbour since the first packet, and gives up after 2.9 seconds:
 * then it says so of UDP that waits, and of what follows nothing before it has asked anew. */
static void no_neighbour(struct net *net, const struct sonde_tx *tx)
{
    static const sonde_ns gives_up = 2900 * MS;
    if (net->now < gives_up && tx->flow->protocol == IP_PROTO_UDP)
        speak(net, tx, gives_up - net->now, 1);
}

/* Nothing leaves this machine, so no hop can answer: then to ask one for the control, which has
 * only this answer, is in vain, and so is waiting for that. What ends the run is the ping that
 * nothing was said of: somebody might for 3.25 s. */
Test(own, where_this_machine_finds_no_neighbour_no_hop_is_asked)
{
    struct net *net = run_services(no_neighbour, 0, "icmp udp +udp");
    cr_expect_gt(net_count(net, 2, 0, true), 0);
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect_lt(net->probes[i].sent_ns, 2900 * MS, "TTL %u", net->probes[i].ttl);
    cr_expect_eq(net->now, 3250 * MS, "%ld ms", (long)(net->now / MS));
    net_free(net);
}

/* Router 4 has no way to the host, and says so at once; all routers before it are silent. */
static void no_host_behind_4(struct net *net, const struct sonde_tx *tx)
{
    if (tx->ttl > 4)
        net_error(net, tx, 8 * net->hop_ns, 4, ICMP4_UNREACHABLE, 1);
}

/* A router that is heard shows that the probes leave: the first may answer the next. */
Test(own, where_a_router_finds_no_host_the_first_hop_is_asked_in_the_next_cycle)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 3;
    struct net *net = net_new(&plan);
    net->on_probe = no_host_behind_4;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run(net);
    bool asked = false; /* in the second cycle, which lasts from 1 s to 2 s */
    for (size_t i = 0; i < net->probe_count; i++)
        asked |= net->probes[i].ttl == 1 && net->probes[i].sent_ns / S == 1;
    cr_expect(asked);
    net_free(net);
}
