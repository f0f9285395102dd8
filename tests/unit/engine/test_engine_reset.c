/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures that begin anew while probes are in flight.
 *
 * The path has five hops. Where one takes 1 ms one way, a round trip takes 10 ms; where one takes
 * 60 ms, 600 ms.
 */
#include "base/prng.h"
#include "base/time.h"
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>

static const sonde_ns hops_ns[] = {1000000, 60000000};
enum { PACES = 2, CYCLES = 6 };

/* Of eight probes one is lost, one answered twice; the fourth service is silent behind router 3. */
static void mixed(struct net *net, const struct sonde_tx *tx)
{
    uint64_t fate = mix64(net->seen++) % 8;
    if (fate == 0 || (net_service_of(tx) == 3 && tx->ttl > 3))
        return;
    net_open_path(net, tx);
    if (fate == 1)
        net_open_path(net, tx);
}

static struct net *start_net(sonde_ns hop_ns, void (*rule)(struct net *, const struct sonde_tx *))
{
    struct engine_plan plan = net_plan();
    plan.cycles = CYCLES;
    struct net *net = net_new(&plan);
    net->hop_ns = hop_ns;
    net->on_probe = rule;
    net_add(net, "icmp tcp udp tcp +tcp");
    engine_start(net->run, 0);
    return net;
}

static void reset_service(struct net *net, uint32_t service)
{
    engine_reset(net->run, &(struct engine_place){0, service}, net->now);
}

/* What the probes of a service that left at a time or later add up to. */
struct sums {
    uint64_t sent;
    uint64_t received;
    uint64_t uncertain;
    uint64_t late;
    uint64_t duplicates;
    uint64_t hops_sent;
    uint64_t hops_received;
};

static struct sums sums_since(const struct net *net, uint32_t service, sonde_ns since_ns)
{
    struct sums sums = {0};
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        bool answered = probe->outcome != SONDE_OUTCOME_NO_REPLY;
        if (probe->service != service || probe->sent_ns < since_ns)
            continue;
        sums.late += probe->late;
        sums.duplicates += probe->duplicates;
        if (!probe->ended || probe->unawaited)
            continue;
        sums.uncertain += probe->to_target && probe->uncertain;
        if (probe->uncertain)
            continue;
        *(probe->to_target ? &sums.sent : &sums.hops_sent) += 1;
        *(probe->to_target ? &sums.received : &sums.hops_received) += answered;
    }
    return sums;
}

static struct sums sums_of(const struct net *net, uint32_t service)
{
    const struct tally_service *tally = net->tally->targets[0]->services[service];
    struct sums sums = {.sent = tally->sent,
                        .received = tally->received,
                        .uncertain = tally->uncertain,
                        .late = tally->late,
                        .duplicates = tally->duplicates};
    for (unsigned ttl = 1; tally->hops != NULL && ttl <= net->tally->max_ttl; ttl++) {
        sums.hops_sent += tally->hops[ttl] != NULL ? tally->hops[ttl]->sent : 0;
        sums.hops_received += tally->hops[ttl] != NULL ? tally->hops[ttl]->received : 0;
    }
    return sums;
}

static void expect_since(const struct net *net, uint32_t service, sonde_ns since_ns)
{
    const struct sums wanted = sums_since(net, service, since_ns);
    const struct sums found = sums_of(net, service);
    cr_expect_eq(found.sent, wanted.sent, "service %u: %u", service, (unsigned)found.sent);
    cr_expect_eq(found.received, wanted.received, "service %u", service);
    cr_expect_eq(found.uncertain, wanted.uncertain, "service %u", service);
    cr_expect_eq(found.late, wanted.late, "service %u", service);
    cr_expect_eq(found.duplicates, wanted.duplicates, "service %u", service);
    cr_expect_eq(found.hops_sent, wanted.hops_sent, "service %u", service);
    cr_expect_eq(found.hops_received, wanted.hops_received, "service %u", service);
}

/* At 2.3 s the probes of the cycle at 2 s are in flight where a round trip takes 600 ms: only those
 * at 3, 4 and 5 s count. */
Test(reset, only_probes_count_that_leave_afterwards)
{
    for (size_t i = 0; i < PACES; i++) {
        struct net *net = start_net(hops_ns[i], net_open_path);
        net_run_until(net, 2300 * MS);
        reset_service(net, 0);
        reset_service(net, 2);
        cr_expect_eq(sums_of(net, 0).sent + sums_of(net, 0).hops_sent, 0);
        net_run(net);
        expect_since(net, 0, 2300 * MS);
        expect_since(net, 1, 0);
        expect_since(net, 2, 2300 * MS);
        cr_expect_eq(sums_of(net, 0).sent, 3);
        cr_expect_eq(sums_of(net, 0).received, 3);
        cr_expect_eq(sums_of(net, 1).sent + sums_of(net, 1).uncertain, CYCLES);
        cr_expect_eq(net->tally->targets[0]->services[0]->rtt.samples, 3);
        cr_expect_eq(net->tally->targets[0]->services[0]->rtt.max_ns, net_rtt(net));
        net_free(net);
    }
}

/* Likewise where probes are lost and doubled, at any time. */
Test(reset, nothing_is_asked_otherwise_for_it_and_every_figure_is_of_what_left_since)
{
    struct prng prng = {4};
    for (size_t i = 0; i < PACES; i++) {
        struct net *plain = start_net(hops_ns[i], mixed);
        net_run(plain);
        for (int k = 0; k < 30; k++) {
            sonde_ns at = prng_below(&prng, 6000) * MS + 1;
            struct net *net = start_net(hops_ns[i], mixed);
            net_run_until(net, at);
            for (uint32_t service = 0; service < net->service_count; service++)
                reset_service(net, service);
            net_run(net);
            cr_assert_eq(net->probe_count, plain->probe_count);
            for (size_t n = 0; n < net->probe_count; n++) {
                cr_assert_eq(net->probes[n].sent_ns, plain->probes[n].sent_ns);
                cr_assert_eq(net->probes[n].service, plain->probes[n].service);
                cr_assert_eq(net->probes[n].ttl, plain->probes[n].ttl);
            }
            for (uint32_t service = 0; service < net->service_count; service++)
                expect_since(net, service, at);
            net_free(net);
        }
        net_free(plain);
    }
}

/* The answers take 2.5 s, and are waited for for 2. */
static void late(struct net *net, const struct sonde_tx *tx)
{
    if (net_is_full(tx))
        net_reply(net, tx, 2500 * MS);
}

Test(reset, a_late_answer_to_a_probe_from_before_is_in_no_figure)
{
    for (int resets = 0; resets < 2; resets++) {
        struct engine_plan plan = net_plan();
        struct net *net = net_new(&plan);
        net->on_probe = late;
        net_add(net, "icmp");
        engine_start(net->run, 0);
        net_run_until(net, 2200 * MS);
        if (resets != 0)
            reset_service(net, 0);
        net_run(net);
        const struct tally_service *tally = net->tally->targets[0]->services[0];
        cr_expect_eq(net->probes[0].late, 1, "it has come");
        cr_expect_eq(tally->late, resets != 0 ? 0 : 1);
        cr_expect_eq(tally->outcomes[SONDE_OUTCOME_ECHO_REPLY].shown, resets != 0 ? 0 : 1);
        net_free(net);
    }
}

/* What leaves at the very time is after it, if something left then before it as well. */
Test(reset, of_probes_that_left_at_the_same_time_none_from_before_counts)
{
    struct net *net = start_net(hops_ns[0], net_open_path);
    net_run_until(net, 2 * S);
    cr_assert_eq(net->probes[net->probe_count - 1].sent_ns, 2 * S);
    reset_service(net, 0);
    net_run(net);
    cr_expect_eq(sums_of(net, 0).sent, 3, "those at 3, 4 and 5 s");
    net_free(net);
}

static int refused_here(struct net *net, const struct sonde_tx *tx)
{
    (void)tx;
    return net->now < 1500 * MS ? -1 /* EPERM */ : 0;
}

Test(reset, what_is_of_the_whole_run_begins_anew_by_itself)
{
    struct net *net = start_net(hops_ns[1], net_open_path);
    net->on_send = refused_here;
    net_run_until(net, 2300 * MS);
    cr_expect_gt(net->tally->send_errors, 0);
    for (uint32_t service = 0; service < net->service_count; service++)
        reset_service(net, service);
    cr_expect_gt(net->tally->send_errors, 0, "they say nothing of a service");
    engine_reset_common(net->run, net->now);
    cr_expect_eq(net->tally->send_errors, 0);
    net_run(net);
    uint64_t stamped = 0;
    uint64_t left = 0;
    for (int clock = 0; clock < SONDE_CLOCK_COUNT; clock++)
        stamped += net->tally->sent_clocks[clock];
    for (size_t i = 0; i < net->probe_count; i++)
        left += net->probes[i].sent_ns >= 2300 * MS;
    cr_expect_eq(stamped, left);
    cr_expect_eq(net->tally->send_errors, 0);
    net_free(net);
}
