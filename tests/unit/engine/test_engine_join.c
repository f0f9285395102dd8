/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets that join a run which is under way. */
#include "tests/support/failing_alloc.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>
#include <errno.h>

enum { MANY = 40, SERVICES = 3 };

/* A network for MANY targets, over a run that may get more of them. */
static struct net *open_net(uint32_t cycles)
{
    struct engine_plan plan = net_plan();
    plan.targets = MANY;
    plan.cycles = cycles;
    plan.open = true;
    struct net *net = net_new(&plan);
    net->open = true;
    return net;
}

/* Let a target join now. */
static void join(struct net *net)
{
    net_add(net, "icmp tcp udp");
    engine_begin_target(net->run, net->target_count - 1, net->now);
}

Test(join, an_open_run_is_not_complete_before_it_is_closed)
{
    struct net *net = open_net(1);
    engine_start(net->run, 0);
    cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING, "there may be a target yet");
    join(net);
    net_run_until(net, S);
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), SERVICES);
    cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING, "there may be another");
    cr_expect_eq(engine_deadline_ns(net->engine), SONDE_NS_NEVER, "but nothing is due");
    engine_set_open(net->run, false);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    net_free(net);
}

Test(join, a_closed_run_goes_on_until_its_last_target_is_done)
{
    struct net *net = open_net(1);
    engine_start(net->run, 0);
    join(net);
    engine_set_open(net->run, false);
    cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    net_free(net);
}

Test(join, an_open_run_ends_when_its_time_is_up)
{
    struct engine_plan plan = net_plan();
    plan.open = true;
    plan.duration_ns = S;
    struct net *net = net_new(&plan);
    engine_start(net->run, 0);
    cr_expect_eq(engine_deadline_ns(net->engine), S);
    net_run(net);
    cr_expect_eq(engine_ended(net->run), ENGINE_DEADLINE);
    cr_expect_eq(net->now, S);
    net_free(net);
}

/* Three cycles a second apart each, whenever it came. */
Test(join, the_cycles_of_a_target_count_from_its_own_beginning)
{
    static const sonde_ns joins_ns[] = {0, 700 * MS, 10 * S};
    struct net *net = open_net(3);
    engine_start(net->run, 0);
    for (size_t i = 0; i < 3; i++) {
        net_run_until(net, joins_ns[i] - 1);
        net->now = joins_ns[i];
        join(net);
    }
    engine_set_open(net->run, false);
    net_run(net);
    unsigned asked[3] = {0};
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (!probe->to_target || probe->service != 1)
            continue;
        sonde_ns begin = joins_ns[probe->target] + probe->cycle * S;
        cr_expect_eq(probe->sent_ns, begin, "target %u, cycle %u", probe->target, probe->cycle);
        cr_expect_eq(probe->outcome, SONDE_OUTCOME_OPEN);
        asked[probe->target]++;
    }
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(asked[i], 3, "target %zu", i);
    net_free(net);
}

/* Room is made forty times, while probes of the others are in flight: every probe still has the
 * answer that is its own, after the time that it takes. */
Test(join, room_is_made_under_probes_in_flight)
{
    struct net *net = open_net(2);
    engine_start(net->run, 0);
    for (sonde_ns i = 0; i < MANY; i++) {
        net_run_until(net, i * 3 * MS);
        net->now = i * 3 * MS; /* a round trip takes 20 */
        join(net);
    }
    engine_set_open(net->run, false);
    net_run(net);
    cr_expect_eq(net_count(net, UINT32_MAX, 0, true), 2 * MANY * SERVICES);
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        unsigned hops = probe->ttl < net->distance ? probe->ttl : net->distance;
        cr_expect(probe->unawaited || probe->rtt_ns == 2 * hops * net->hop_ns);
        cr_expect_eq(probe->late + probe->duplicates, 0);
    }
    for (int reason = 0; reason < SONDE_DISCARD_COUNT; reason++)
        cr_expect_eq(net_discard_counts(net).count[reason], 0);
    net_free(net);
}

/* At each allocation in turn: the run goes on with the room that it had. */
Test(join, without_memory_for_more_a_run_goes_on_as_it_was)
{
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct net *net = open_net(1);
        engine_start(net->run, 0);
        join(net);
        net_run_until(net, 5 * MS); /* some are in flight, some have answered */
        alloc_fail(n, 1);
        int r = 0;
        for (uint32_t i = 0; r == 0 && i < 10; i++) { /* more than there is room for */
            const struct sonde_addr addr = net_target_addr(net, 1 + i);
            r = engine_add_target(net->run, &addr, 4);
        }
        failed = alloc_heal();
        cr_expect_eq(r, failed ? -ENOMEM : 0, "allocation %u", n);
        engine_set_open(net->run, false);
        net_run(net);
        cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
        cr_expect_eq(net_count(net, UINT32_MAX, 0, true), SERVICES);
        cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
        net_free(net);
        cr_assert_lt(n, 250);
    }
}
