/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks gone mad, each from a seed: whatever arrives, whenever the loop wakes, whatever the
 * kernel says, every probe ends once, no time is negative and the counts add up. Most of this is
 * checked by the fake network at every step.
 */
#include "base/prng.h"
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* The test's own randomness, one sequence for each seed. */
static struct prng chaos;

static uint32_t below(uint32_t bound)
{
    return prng_below(&chaos, bound);
}

/* Falsify what is under way: a byte, or the end. */
static void damage_an_arrival(struct net *net)
{
    if (heap_time(&net->queue) == SONDE_NS_NEVER)
        return;
    struct net_arrival *arrival = &net->arrivals[heap_top(&net->queue)];
    if (below(3) == 0)
        arrival->len = below((uint32_t)arrival->len + 1);
    else if (arrival->len > 0)
        arrival->bytes[below((uint32_t)arrival->len)] ^= (uint8_t)(1U << below(8));
}

static void mad_answer(struct net *net, const struct sonde_tx *tx)
{
    static const uint8_t types[] = {ICMP4_UNREACHABLE, ICMP4_TIME_EXCEEDED, ICMP4_PARAMETER_PROBLEM,
                                    ICMP4_REDIRECT};
    sonde_ns delay = below(3) == 0 ? (sonde_ns)below(3000) * MS : (sonde_ns)below(50) * MS;
    net->quote_len = below(2) == 0 ? 8 : below(80) + 8;
    switch (below(6)) {
    case 0:
        break;
    case 1:
        net_refuse(net, tx, delay);
        break;
    case 2:
        net_error(net, tx, delay, below(40), types[below(4)], (uint8_t)below(16));
        break;
    case 3: /* the same SYN-ACK again */
        net->serial -= 64000 * below(2);
        net_reply(net, tx, delay);
        net_reply(net, tx, delay + below(20) * MS);
        break;
    default:
        net_open_path(net, tx);
        break;
    }
    if (below(5) == 0)
        damage_an_arrival(net);
}

static int mad_kernel(struct net *net, const struct sonde_tx *tx)
{
    static const int errors[] = {-EAGAIN, -EAGAIN, -ENOBUFS, -EPERM, -ENETUNREACH};
    (void)net;
    (void)tx;
    return below(8) == 0 ? errors[below(5)] : 0;
}

/* A record that no decoder made: right flow or nearly so, any content. */
static void inject_record(struct net *net)
{
    static const uint8_t protocols[] = {IP_PROTO_ICMP, IP_PROTO_TCP, IP_PROTO_UDP, 255};
    static struct sonde_rx rx;
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)prng_next(&chaos);
    struct sonde_span segment = {bytes, below(sizeof bytes + 1)};
    uint32_t service = below(4);
    rx.kind = below(2) == 0 ? SONDE_RX_ANSWER : SONDE_RX_ERROR;
    rx.stamp.time_ns = net->now - below(3) * MS;
    rx.from = net_router_addr(net, below(10));
    rx.protocol = protocols[below(4)];
    rx.remote = net_target_addr(net, below(4));
    rx.local_port = (uint16_t)(NET_OWN_PORT + service);
    rx.remote_port = rx.protocol == IP_PROTO_ICMP ? 0 : (uint16_t)(NET_PORT + service);
    rx.segment = rx.quote.segment = segment;
    rx.quote.has_id = below(2) == 0;
    rx.quote.id = (uint16_t)prng_next(&chaos);
    rx.icmp_type = (uint8_t)prng_next(&chaos);
    rx.icmp_code = (uint8_t)prng_next(&chaos);
    engine_on_rx(net->engine, &rx);
}

static struct engine_plan mad_plan(uint32_t *ret_rate_pps)
{
    struct engine_plan plan = net_plan();
    plan.targets = 1 + below(3);
    plan.cycles = 1 + below(4);
    plan.interval_ns = (1 + below(500)) * MS;
    plan.timeout_ns = (1 + below(1000)) * MS;
    plan.duration_ns = below(4) == 0 ? (1 + below(2000)) * MS : 0;
    *ret_rate_pps = below(3) == 0 ? 100 + below(1000) : 0;
    plan.max_ttl = (uint8_t)(1 + below(40));
    plan.first_ttl = (uint8_t)(1 + below(plan.max_ttl));
    plan.gap_limit = (uint8_t)(1 + below(20));
    return plan;
}

/* Each probe that was sent has ended once, or is in flight for no longer than its timeout. */
static void expect_sum(const struct net *net, sonde_ns now)
{
    uint64_t flying = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        flying += !probe->ended;
        cr_assert(probe->ended || probe->sent_ns + net->plan.timeout_ns > now);
    }
    cr_assert_eq(net->sent, net->ended + flying);
}

static void run_mad(uint64_t seed)
{
    static const char *const services[] = {"icmp", "tcp", "udp tcp", "icmp tcp udp tcp"};
    chaos.state = seed;
    uint32_t rate_pps;
    struct engine_plan plan = mad_plan(&rate_pps);
    struct net *net = net_new_at(&plan, rate_pps);
    net->family = below(2) == 0 ? SONDE_FAMILY_IPV4 : SONDE_FAMILY_IPV6;
    net->distance = (uint8_t)(1 + below(30));
    net->hop_ns = (1 + below(3000)) * SONDE_NS_PER_US;
    net->on_probe = mad_answer;
    net->on_send = mad_kernel;
    net->batch = 1 + below(ENGINE_BATCH);
    for (uint32_t i = 0; i < plan.targets; i++)
        net_add(net, services[below(4)]);
    engine_start(net->run, net->now);
    while (engine_ended(net->run) == ENGINE_RUNNING && net->now < 600 * S) {
        uint32_t ahead = below(4) == 0 ? below(400) : below(3);
        net_run_until(net, net->now + ahead * MS);
        expect_sum(net, net->now);
        net->now += below(20) == 0 ? (sonde_ns)below(5000) * MS : (sonde_ns)below(2) * MS;
        inject_record(net);
        if (below(500) == 0)
            engine_stop(net->run);
    }
    cr_expect_neq(engine_ended(net->run), ENGINE_RUNNING, "seed %u does not end", (unsigned)seed);
    uint64_t events = net->events;
    net->now += 10 * S;
    net_turn(net); /* all that was under way arrives */
    cr_expect_leq(net->events, events + ENGINE_EVENTS, "only what was held already");
    net_free(net);
}

Test(random, whatever_arrives_every_probe_ends_once_and_the_counts_add_up)
{
    for (uint64_t seed = 1; seed <= 150; seed++)
        run_mad(seed);
}
