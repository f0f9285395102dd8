/* SPDX-License-Identifier: BSD-2-Clause */
/* What is removed while something of it is under way. */
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>

static struct net *two_targets(uint32_t cycles)
{
    struct engine_plan plan = net_plan();
    plan.targets = 4;
    plan.cycles = cycles;
    plan.open = true;
    struct net *net = net_new(&plan);
    net->open = true;
    net_add(net, "icmp");
    net_add(net, "icmp");
    engine_start(net->run, 0);
    return net;
}

/* Give up everything that is in flight, as far as there is place for the events. */
static void give_up(struct net *net)
{
    net->on_probe = net_silent;
    net_run_until(net, 30 * MS);
    cr_assert(engine_on_time(net->engine, 10 * S), "there is no place for all");
}

/* What fills the place for events is all of the first target, which began first. */
Test(remove, events_that_were_not_taken_belong_to_nobody_any_more)
{
    for (uint32_t removed = 0; removed < 2; removed++) {
        struct net *net = two_targets(1);
        struct engine_event popped;
        unsigned count = 0;
        give_up(net);
        engine_remove_target(net->run, removed, 10 * S);
        for (; engine_pop_event(net->engine, &popped) == 0; count++)
            cr_expect_eq(popped.run, removed == 0 ? NULL : net->run);
        cr_expect_eq(count, ENGINE_EVENTS);
        engine_stop(net->run);
        net_free(net);
    }
}

Test(remove, a_flow_is_free_when_no_answer_can_come_any_more)
{
    struct net *net = two_targets(1);
    const struct sonde_flow flow = {.dst = net_target_addr(net, 0), .protocol = IP_PROTO_ICMP};
    net->on_probe = net_silent;
    net_turn(net);
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 1, "the target has the first");
    engine_remove_target(net->run, 0, 0);
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 1);
    net_run_until(net, 12 * S - 1); /* a timeout of 2 s, and 10 s more */
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 1);
    cr_expect_not(engine_on_time(net->engine, 12 * S));
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 0);
    engine_stop(net->run);
    net_free(net);
}

/* Its answers may come for a minute and 10 s; those of the other, for 2 s and 10 s. */
Test(remove, a_flow_does_not_wait_for_one_that_was_removed_before)
{
    struct net *net = two_targets(1);
    struct engine_plan slow = net->plan;
    struct tally *tally;
    struct engine_run *other;
    slow.timeout_ns = 60 * S;
    const struct sonde_spec spec = {
        .flow = {.dst = net_target_addr(net, 3), .protocol = IP_PROTO_TCP, .dst_port = 443}};
    cr_assert_eq(tally_new(slow.max_ttl, &tally), 0);
    cr_assert_eq(engine_add_run(net->engine, &slow, tally, &other), 0);
    cr_assert_eq(engine_add_target(other, &spec.flow.dst, 1), 0);
    cr_assert_eq(engine_add_trace(other, &probe_tcp, &spec), 0);
    engine_start(other, 0);
    const struct sonde_flow flow = {.dst = net_target_addr(net, 0), .protocol = IP_PROTO_ICMP};
    net->on_probe = net_silent;
    net_turn(net);
    engine_remove_run(other, 0);
    tally_free(tally);
    engine_remove_target(net->run, 0, 0);
    cr_expect_eq(engine_deadline_ns(net->engine) <= 12 * S, true);
    cr_expect_not(engine_on_time(net->engine, 12 * S));
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 0);
    cr_expect_eq(engine_free_flow(net->engine, &spec.flow, 0), 1, "the other's is not free yet");
    cr_expect_not(engine_on_time(net->engine, 70 * S));
    cr_expect_eq(engine_free_flow(net->engine, &spec.flow, 0), 0);
    engine_stop(net->run);
    net_free(net);
}

Test(remove, the_flow_of_what_never_sent_anything_is_free_at_once)
{
    struct net *net = two_targets(1);
    net_add(net, "icmp");
    const struct sonde_flow flow = {.dst = net_target_addr(net, 2), .protocol = IP_PROTO_ICMP};
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 1);
    engine_remove_target(net->run, 2, 0);
    cr_expect_eq(engine_free_flow(net->engine, &flow, 0), 0);
    engine_stop(net->run);
    net_free(net);
}

/* The other target is done with its only cycle; then nothing is left to be done. */
Test(remove, a_closed_run_is_complete_without_the_target_that_was_not_done)
{
    struct net *net = two_targets(1);
    net_run_until(net, S);
    net_add(net, "icmp");
    engine_begin_target(net->run, 2, S);
    engine_set_open(net->run, false);
    cr_expect_eq(engine_ended(net->run), ENGINE_RUNNING);
    engine_remove_target(net->run, 2, S);
    cr_expect_eq(engine_ended(net->run), ENGINE_COMPLETE);
    net_free(net);
}
