/* SPDX-License-Identifier: BSD-2-Clause */
/* SCTP over the engine's test network: answers name their attempt, and nothing keeps state. */
#include "tests/unit/engine/fake_net.h"
#include "wire/icmp.h"
#include "wire/sctp.h"

#include <criterion/criterion.h>

static const enum sonde_family families[] = {SONDE_FAMILY_IPV4, SONDE_FAMILY_IPV6};

static struct net *new_net(const char *services, enum sonde_family family)
{
    struct engine_plan plan = net_plan();
    plan.cycles = 5;
    struct net *net = net_new(&plan);
    net->family = family;
    net->quote_len = 32;
    net_add(net, services);
    return net;
}

static void refuse(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_refuse(net, tx, net_rtt(net));
}

/* A host without SCTP: RFC 1122 §3.2.2.1. */
static void lack(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx))
        net_error(net, tx, net_rtt(net), 0, ICMP4_UNREACHABLE, ICMP4_CODE_PROTOCOL);
}

/* How many full-TTL probes of a service ended so, for certain. */
static size_t count(const struct net *net, uint32_t service, enum sonde_outcome outcome)
{
    size_t found = 0;
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        found += probe->ended && !probe->unawaited && probe->to_target && !probe->uncertain &&
                 probe->service == service && probe->outcome == outcome;
    }
    return found;
}

/* Alone nothing shows how far the target is: INITs go ahead that it drops. */
Test(engine_sctp, every_full_probe_has_its_answer_and_every_hop_is_known)
{
    static const struct {
        void (*rule)(struct net *net, const struct sonde_tx *tx);
        enum sonde_outcome outcome;
    } cases[] = {
        {net_open_path, SONDE_OUTCOME_OPEN},
        {refuse, SONDE_OUTCOME_CLOSED},
        {lack, SONDE_OUTCOME_OTHER_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net *net = new_net("sctp", SONDE_FAMILY_IPV4);
        net->on_probe = cases[i].rule;
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(count(net, 0, cases[i].outcome), 5, "case %zu", i);
        cr_expect_eq(net_discards(net), 0, "case %zu", i);
        cr_expect_eq(net->releases, 0, "there is nothing to take back");
        for (uint8_t ttl = 1; ttl < 5; ttl++) {
            const struct tally_hop *hop = net->tally->targets[0]->services[0]->hops[ttl];
            cr_assert_not_null(hop, "case %zu, TTL %u", i, ttl);
            cr_expect_eq(hop->responder_count, 1, "case %zu, TTL %u", i, ttl);
        }
        for (size_t k = 0; k < net->probe_count; k++)
            cr_expect_eq(net->probes[k].duplicates, 0);
        net_free(net);
    }
}

Test(engine_sctp, quotes_of_any_length_lead_to_their_hops)
{
    static const size_t quotes[] = {8, 20, 32};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct net *net = new_net("icmp sctp", families[k]);
            net->quote_len = quotes[i];
            engine_start(net->run, 0);
            net_run(net);
            const struct tally_service *service = net->tally->targets[0]->services[1];
            cr_expect_eq(service->reach.dest_ttl, 5, "%zu bytes", quotes[i]);
            cr_expect_eq(count(net, 1, SONDE_OUTCOME_OPEN), 5, "%zu bytes", quotes[i]);
            for (uint8_t ttl = 1; ttl < 5; ttl++) {
                struct sonde_addr router = net_router_addr(net, ttl);
                const struct tally_hop *hop = service->hops[ttl];
                for (uint32_t n = 0; hop != NULL && n < hop->responder_count; n++)
                    cr_expect(sonde_addr_equal(&hop->responders[n].addr, &router),
                              "%zu bytes, TTL %u", quotes[i], ttl);
            }
            net_free(net);
        }
    }
}

/* The network doubles what the host sends: the second one is known for a double. */
static void answer_twice(struct net *net, const struct sonde_tx *tx)
{
    if (net_expires(net, tx))
        return;
    net_reply(net, tx, net_rtt(net));
    if (net_is_full(tx))
        net_reply(net, tx, net_rtt(net) + 700 * MS);
}

Test(engine_sctp, a_doubled_answer_is_not_that_to_the_next_probe)
{
    struct net *net = new_net("icmp sctp", SONDE_FAMILY_IPV4);
    net->plan.interval_ns = S / 2;
    net->on_probe = answer_twice;
    engine_start(net->run, 0);
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++) {
        const struct net_probe *probe = &net->probes[i];
        if (probe->service == 1 && probe->to_target && probe->ended && !probe->unawaited)
            cr_expect_eq(probe->rtt_ns, net_rtt(net), "probe %zu", i);
    }
    net_free(net);
}

/* Every second answer is lost. */
static void lose_answers(struct net *net, const struct sonde_tx *tx)
{
    if (net_expires(net, tx))
        return;
    if (!net_is_full(tx) || net->seen++ % 2 == 0)
        net_reply(net, tx, net_rtt(net));
}

Test(engine_sctp, what_is_lost_is_counted_as_it_was)
{
    for (size_t k = 0; k < 2; k++) {
        struct net *net = new_net("sctp", families[k]);
        net->on_probe = lose_answers;
        engine_start(net->run, 0);
        net_run(net);
        cr_expect_eq(count(net, 0, SONDE_OUTCOME_OPEN), 3);
        cr_expect_eq(count(net, 0, SONDE_OUTCOME_NO_REPLY), 2);
        net_free(net);
    }
}

/* A host without SCTP that says so only so often: six times at once, and then once a second. */
static void lack_at_times(struct net *net, const struct sonde_tx *tx)
{
    if (net_expires(net, tx) || net_service_of(tx) == 0)
        return;
    if (net->seen < 6 || net->now >= (sonde_ns)(net->seen - 5) * S) {
        net->seen++;
        net_error(net, tx, net_rtt(net), 0, ICMP4_UNREACHABLE, ICMP4_CODE_PROTOCOL);
    }
}

Test(engine_sctp, a_host_that_lacks_it_is_asked_no_more_often_than_it_says_so)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = lack_at_times;
    net_add(net, "icmp sctp sctp sctp sctp sctp sctp sctp sctp sctp sctp");
    engine_start(net->run, 0);
    net_run(net);
    for (uint32_t service = 1; service <= 10; service++)
        cr_expect_eq(count(net, service, SONDE_OUTCOME_OTHER_UNREACHABLE), 1, "service %u",
                     service);
    net_free(net);
}

Test(engine_sctp, a_host_that_has_it_is_asked_everything_at_once)
{
    struct engine_plan plan = net_plan();
    struct net *net = net_new(&plan);
    net->on_probe = refuse;
    net_add(net, "sctp sctp sctp sctp sctp sctp sctp sctp sctp sctp");
    engine_start(net->run, 0);
    net_run(net);
    for (size_t i = 0; i < net->probe_count; i++)
        cr_expect_leq(net->probes[i].to_target ? net->probes[i].sent_ns : 0, 2 * net_rtt(net));
    cr_expect_eq(net_outcomes(net, SONDE_OUTCOME_NO_REPLY), 0);
    net_free(net);
}
