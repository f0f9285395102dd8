/* SPDX-License-Identifier: BSD-2-Clause */
/* Room: what waits long for answers, or cannot be sent, does not hold up the others. */
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>

/* The host answers pings, and nothing but pings; its routers answer as they should. */
static void only_echo(struct net *net, const struct sonde_tx *tx)
{
    if (tx->flow->protocol == IP_PROTO_ICMP || tx->ttl < net->distance)
        net_open_path(net, tx);
}

/* Every cycle of a service began at its time. */
static void expect_on_time(const struct net *net, uint32_t service)
{
    uint32_t count = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != service || !probe->to_target)
            continue;
        cr_expect_eq(probe->cycle, count);
        cr_expect_eq(probe->sent_ns, count * net->plan.interval_ns, "cycle %u", count);
        count++;
    }
    cr_expect_eq(count, net->plan.cycles);
}

Test(room, probes_that_are_waited_for_long_do_not_hold_up_who_answers)
{
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 60 * S;
    plan.interval_ns = 50 * MS;
    plan.cycles = 1000; /* 7 times 1000 are waited for in the end */
    struct net *net = net_new(&plan);
    net->naming[1] = PROBE_NAMING_PROBE; /* else SYNs wait for the answer to the one before */
    net->on_probe = only_echo;
    net_add(net, "icmp tcp tcp tcp tcp tcp tcp tcp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = 0; service < 8; service++)
        expect_on_time(net, service);
    net_free(net);
}

/* How many probes of a service were in flight just after this one was sent, itself among them. */
static uint32_t count_flying(const struct net *net, size_t at)
{
    uint32_t count = 0;
    for (size_t i = 0; i <= at; i++)
        count += net->probes[i].service == net->probes[at].service &&
                 net->probes[i].ended_ns > net->probes[at].sent_ns;
    return count;
}

static struct tally *waiting; /* of the other run */

enum {
    SHARE = 64 /* probes of one trace in flight at most, where there may be very many traces */
};

/* A net in which so many traces of another run wait to be begun that each has no more than that. */
static struct net *net_of_many(const struct engine_plan *plan)
{
    struct net *net = net_new(plan);
    struct engine_run *others;
    cr_assert_eq(tally_new(plan->max_ttl, &waiting), 0);
    cr_assert_eq(engine_add_run(net->engine, plan, waiting, &others), 0);
    for (uint8_t target = 0; target < 100; target++) {
        struct sonde_spec spec = {.flow = {.protocol = IP_PROTO_TCP, .dst_port = 443}};
        spec.flow.dst = (struct sonde_addr){SONDE_FAMILY_IPV4, {203, 0, 113, target}, 0};
        cr_assert_eq(engine_add_target(others, &spec.flow.dst, ENGINE_TRACES_PER_TARGET), 0);
        for (uint16_t i = 0; i < ENGINE_TRACES_PER_TARGET; i++) {
            spec.flow.src_port = i;
            cr_assert_eq(engine_add_trace(others, &probe_tcp, &spec), 0);
        }
    }
    return net;
}

static void free_many(struct net *net)
{
    net_free(net);
    waiting = tally_free(waiting);
}

/* 200 cycles of 50 ms: after 3.2 s, 64 probes to each silent service are in flight, and wait a
 * minute. The last 8 of 200 follow three minutes later. */
Test(room, where_not_all_can_be_waited_for_each_service_has_its_share)
{
    enum { SERVICES = 5, CYCLES = 200 };
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 60 * S;
    plan.interval_ns = 50 * MS;
    plan.cycles = CYCLES;
    struct net *net = net_of_many(&plan);
    net->on_probe = only_echo;
    net_add(net, "icmp tcp tcp tcp tcp");
    engine_start(net->run, 0);
    net_run(net);
    expect_on_time(net, 0);
    uint32_t most = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        uint32_t flying = count_flying(net, i);
        most = flying > most ? flying : most;
    }
    cr_expect_eq(most, SHARE);
    for (uint32_t service = 1; service < SERVICES; service++) {
        cr_expect_eq(net_count(net, service, 0, true), CYCLES, "room is waited for");
        for (uint8_t ttl = 1; ttl <= 5; ttl++)
            cr_expect_geq(net_count(net, service, ttl, false), 1, "TTL %u", ttl);
    }
    cr_expect_geq(net->now, 3 * 60 * S);
    cr_expect_leq(net->now, 4 * 60 * S + 10 * S);
    free_many(net);
}

/* The 65th waits until the first is given up, after its whole minute. */
Test(room, nothing_is_given_up_early_while_more_waits_for_its_room)
{
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 60 * S;
    plan.interval_ns = 200 * MS;
    plan.cycles = 70;
    struct net *net = net_of_many(&plan);
    net->on_probe = only_echo;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    size_t waited = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service != 1 || !probe->to_target || probe->cycle >= 6)
            continue;
        cr_expect_eq(probe->ended_ns - probe->sent_ns, plan.timeout_ns);
        waited++;
    }
    cr_expect_eq(waited, 6, "those whose rooms the last six are given");
    cr_expect_eq(net_count(net, 1, 0, true), 70);
    free_many(net);
}

/* The first probe is lost. */
static void first_lost(struct net *net, const struct sonde_tx *tx)
{
    if (net->seen++ > 0)
        net_open_path(net, tx);
}

/* The 16-bit fields that carry a token have 65535 values, and the first is taken for a minute. */
Test(room, a_probe_that_has_to_wait_for_its_token_does_not_lose_its_turn)
{
    enum { CYCLES = 68000 }; /* the last of them begins after 6.8 s */
    struct engine_plan plan = net_plan();
    plan.timeout_ns = 60 * S;
    plan.interval_ns = S / 10000;
    plan.cycles = CYCLES;
    struct net *net = net_new_at(&plan, 1000000);
    net->on_probe = first_lost;
    net->distance = 3;
    net->hop_ns = 10 * SONDE_NS_PER_US;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    cr_expect_leq(net->now, 61 * S);
    size_t last = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        last += probe->to_target && probe->cycle == CYCLES - 1;
        if (i > 0)
            cr_assert_neq(probe->outcome, SONDE_OUTCOME_NO_REPLY);
        if (i >= 65535)
            cr_expect_geq(probe->sent_ns, 60 * S);
    }
    cr_expect_eq(last, 1, "the last cycle was not left out");
    net_free(net);
}

/* The kernel never has room. */
static int always_later(struct net *net, const struct sonde_tx *tx)
{
    static const int errors[] = {-EAGAIN, -ENOBUFS, -ENOMEM};
    (void)tx;
    return errors[net->seen++ % 3];
}

Test(room, what_can_never_be_sent_is_given_up_after_the_timeout)
{
    for (uint32_t rate = 0; rate <= 100; rate += 100) {
        struct engine_plan plan = net_plan();
        struct net *net = net_new_at(&plan, rate);
        net->on_send = always_later;
        net_add(net, "icmp tcp udp");
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
        cr_expect_geq(net->now, plan.timeout_ns);
        cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 3);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_SEND_ERROR), net->probe_count);
        for (size_t i = 0; i < net->probe_count; i++) {
            int error = net->probes[i].error;
            cr_expect(error == EAGAIN || error == ENOBUFS || error == ENOMEM);
        }
        net_free(net);
    }
}

/* The queue is full for so long that the first probes are given up, and no longer. */
static int later_for_three_seconds(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    return net->now < 3 * S ? -ENOBUFS : 0;
}

Test(room, after_some_were_given_up_the_next_are_sent)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    struct net *net = net_new(&plan);
    net->on_send = later_for_three_seconds;
    net_add(net, "icmp tcp");
    engine_start(net->run, 0);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool unsent = probe->outcome == SONDE_OUTCOME_SEND_ERROR;
        cr_expect_eq(unsent, probe->sent_ns < 3 * S);
        if (unsent)
            cr_expect_geq(probe->sent_ns, 2 * S, "given up early");
        cr_expect(probe->unawaited ? probe->is_blind : probe->outcome != SONDE_OUTCOME_NO_REPLY);
    }
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 10);
    cr_expect_gt(net_outcomes(net, SONDE_OUTCOME_SEND_ERROR), 0);
    net_free(net);
}

/* Take what is under way as if it had arrived just now, with stamps that are ahead of the loop. */
static void arrive_ahead(struct net *net, sonde_ns ahead)
{
    struct engine_event popped;
    while (heap_time(&net->queue) != SONDE_NS_NEVER) {
        const struct net_arrival *arrival = &net->arrivals[heap_top(&net->queue)];
        struct sonde_rx rx;
        cr_assert_eq(packet_decode((struct sonde_span){arrival->bytes, arrival->len}, &rx), 0);
        rx.stamp = (struct sonde_stamp){net->now + ahead, SONDE_CLOCK_KERNEL};
        engine_on_rx(net->engine, &rx);
        while (engine_pop_event(net->engine, &popped) == 0)
            net->ended++;
        heap_set(&net->queue, heap_top(&net->queue), SONDE_NS_NEVER);
    }
}

/* The kernel stamps what comes in after the loop has looked at the clock. */
Test(room, what_is_over_by_the_stamp_of_an_arrival_is_over_at_once)
{
    struct engine_plan plan = net_plan();
    plan.max_ttl = 1;
    struct net *net = net_new(&plan);
    net->distance = 1;
    net_add(net, "icmp");
    engine_start(net->run, 0);
    net_run_until(net, MS);
    cr_assert_eq(net->sent, 2);
    arrive_ahead(net, 50 * MS);
    sonde_ns now = net->now;
    for (int turn = 0; turn < 2; turn++) { /* in the first, nothing more is found to be asked */
        cr_expect_leq(engine_deadline_ns(net->engine), now);
        net_turn(net);
    }
    cr_expect_eq(net->now, now);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    net_free(net);
}
