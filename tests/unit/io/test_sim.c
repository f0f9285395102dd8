/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated network as a transport. What runs over it looks like is tested in tests/sim; here
 * is the contract of struct sonde_transport_ops, and that the packets are well-formed.
 */
#include "base/time.h"
#include "io/sim/network.h"
#include "io/sim/sim.h"
#include "wire/csum.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char network[] = "vantage v 192.0.2.1 2001:db8::1\n"
                              "router r 10.0.0.1 2001:db8::a delay=3ms mpls=7\n"
                              "host h 203.0.113.1 2001:db8::b delay=4ms udp:7=echo\n"
                              "host four 203.0.113.2\n"
                              "path h r\n";

static struct sim_scenario *read_network(void)
{
    struct sim_scenario *scenario = NULL;
    struct sim_error error;
    const struct sonde_span text = {(const uint8_t *)network, sizeof network - 1};
    cr_assert_eq(scenario_parse(text, &scenario, &error), 0, "%s", error.text);
    return scenario;
}

static struct sonde_transport *new_sim(void)
{
    struct sonde_transport *transport = NULL;
    const struct sim_config config = {.virtual_time = true};
    cr_assert_eq(sim_new(read_network(), &config, &transport), 0);
    return transport;
}

static struct sonde_flow flow_to(const char *address, uint8_t protocol, uint16_t port)
{
    struct sonde_flow flow = {.protocol = protocol, .dst_port = port};
    cr_assert_eq(sonde_addr_parse(address, &flow.dst), 0);
    return flow;
}

Test(sim, bind_fills_in_what_is_open_and_tells_flows_apart)
{
    struct sonde_transport *transport = new_sim();
    struct sonde_flow first = flow_to("203.0.113.1", IP_PROTO_UDP, 7);
    struct sonde_flow second = first;
    cr_expect_eq(transport->ops->bind(transport, &first, 0), 0);
    cr_expect_eq(transport->ops->bind(transport, &second, 1), 0);
    cr_expect_eq(first.src.bytes[0], 192);
    cr_expect_neq(first.src_port, 0);
    cr_expect_neq(first.src_port, second.src_port);
    transport->ops->free(transport);
}

Test(sim, bind_says_why_a_flow_cannot_be)
{
    struct sonde_transport *transport = new_sim();
    struct sonde_flow nobody = flow_to("203.0.113.99", IP_PROTO_UDP, 7);
    struct sonde_flow strange = flow_to("203.0.113.1", IP_PROTO_UDP, 7);
    cr_expect_eq(transport->ops->bind(transport, &nobody, 0), -EHOSTUNREACH);
    cr_assert_eq(sonde_addr_parse("198.51.100.7", &strange.src), 0);
    cr_expect_eq(transport->ops->bind(transport, &strange, 0), -EADDRNOTAVAIL);
    transport->ops->free(transport);
}

Test(sim, an_answer_arrives_after_twice_the_way_and_not_before)
{
    static const uint8_t datagram[] = {0x9c, 0x40, 0, 7, 0, 10, 0, 0, 'h', 'i'}; /* port 40000 */
    struct sonde_transport *transport = new_sim();
    struct sonde_flow flow = flow_to("203.0.113.1", IP_PROTO_UDP, 7);
    struct sonde_rx rx;
    struct sonde_sent sent = {.stamp = {-1, SONDE_CLOCK_USER}, .error = -1};
    sonde_ns now = 0;
    cr_assert_eq(transport->ops->bind(transport, &flow, 0), 0);
    const struct sonde_tx tx = {.flow = &flow, .segment = {datagram, sizeof datagram}, .ttl = 64};
    cr_assert_eq(transport->ops->send(transport, &tx, 1, &sent), 1);
    cr_expect_eq(sent.error, 0);
    cr_expect_eq(sent.stamp.time_ns, 0);
    cr_expect_eq(sent.stamp.clock, SONDE_CLOCK_SIMULATED);
    cr_expect_eq(transport->ops->recv(transport, 14 * SONDE_NS_PER_MS - 1, &rx), -EAGAIN);
    while (now < 14 * SONDE_NS_PER_MS)
        cr_assert_eq(transport->ops->wait(transport, SONDE_NS_NEVER, &now), 0);
    cr_expect_eq(now, 14 * SONDE_NS_PER_MS); /* 2 × (3 + 4) */
    cr_assert_eq(transport->ops->recv(transport, now, &rx), 0);
    cr_expect_eq(rx.stamp.time_ns, 14 * SONDE_NS_PER_MS);
    cr_expect_eq(rx.stamp.clock, SONDE_CLOCK_SIMULATED);
    cr_expect_eq(rx.reply_ttl, 63);
    cr_expect_eq(transport->ops->recv(transport, now, &rx), -EAGAIN);
    cr_expect_eq(transport->ops->wait(transport, SONDE_NS_NEVER, &now), -EDEADLK);
    transport->ops->free(transport);
}

/* Send a datagram to port 7 of a network's host at a time. */
static int send_to_port_7(struct sim_network *sim, sonde_ns now)
{
    static const uint8_t datagram[] = {0x9c, 0x40, 0, 7, 0, 10, 0, 0, 'h', 'i'};
    struct sonde_flow flow = flow_to("203.0.113.1", IP_PROTO_UDP, 7);
    flow.src = sim->scenario->vantage4;
    const struct sonde_tx tx = {.flow = &flow, .segment = {datagram, sizeof datagram}, .ttl = 64};
    return network_send(sim, &tx, now);
}

Test(sim, a_rule_at_the_vantage_makes_sending_fail)
{
    static const char text[] = "vantage v 192.0.2.1\n"
                               "host h 203.0.113.1 udp:7=echo\n"
                               "rule v fail=EPERM udp:7 until=1s\n"
                               "rule v fail=ENOBUFS udp:9\n";
    struct sim_network sim;
    struct sim_scenario *scenario = NULL;
    struct sim_error error;
    cr_assert_eq(
        scenario_parse((struct sonde_span){(const uint8_t *)text, strlen(text)}, &scenario, &error),
        0, "%s", error.text);
    cr_assert_eq(network_init(&sim, scenario), 0);
    cr_expect_eq(send_to_port_7(&sim, 0), -EPERM);
    cr_expect_eq(network_next_ns(&sim), SONDE_NS_NEVER); /* nothing travels */
    cr_expect_eq(send_to_port_7(&sim, SONDE_NS_PER_S), 0);
    network_deinit(&sim);
    scenario_free(scenario);
}

Test(sim, a_port_may_begin_with_another_ttl_than_its_host)
{
    static const char text[] = "vantage v 192.0.2.1\n"
                               "host h 203.0.113.1 ttl=60 udp:7=echo/255\n";
    struct sim_network sim;
    struct sim_scenario *scenario = NULL;
    struct sim_error error;
    sonde_ns time = 0;
    cr_assert_eq(
        scenario_parse((struct sonde_span){(const uint8_t *)text, strlen(text)}, &scenario, &error),
        0, "%s", error.text);
    cr_assert_eq(network_init(&sim, scenario), 0);
    cr_assert_eq(send_to_port_7(&sim, 0), 0);
    struct sim_packet *packet = network_run(&sim, SONDE_NS_PER_S, &time);
    cr_assert(packet != NULL);
    cr_expect_eq(packet->bytes[8], 255); /* RFC 791 §3.1: Time to Live */
    free(packet);
    network_deinit(&sim);
    scenario_free(scenario);
}

Test(sim, time_does_not_go_back)
{
    struct sonde_transport *transport = new_sim();
    sonde_ns now = 0;
    cr_assert_eq(transport->ops->wait(transport, 5, &now), 0);
    cr_expect_eq(now, 5);
    cr_assert_eq(transport->ops->wait(transport, INT64_MIN, &now), 0);
    cr_expect_eq(now, 5);
    transport->ops->free(transport);
}

/* Does every checksum of a packet add up? RFC 1071: over all of it the sum is all ones. */
static bool adds_up(const struct sim_packet *packet)
{
    struct ip_header ip;
    if (!bytes_decode(packet, &ip))
        return false;
    if (ip.src.family == SONDE_FAMILY_IPV4 &&
        csum_fold(csum_add(0, (struct sonde_span){packet->bytes, 20})) != 0xffff)
        return false;
    uint64_t sum = csum_add(0, ip.payload);
    if (ip.protocol != IP_PROTO_ICMP)
        sum += csum_pseudo(&ip.src, &ip.dst, ip.protocol, (uint32_t)ip.payload.len);
    return csum_fold(sum) == 0xffff;
}

Test(sim, whatever_is_done_to_a_packet_its_checksums_are_right)
{
    static const char *const rules[] = {
        "",
        "rule r truncate=9 any dir=back\n",
        "rule r forge any dir=back\n",
        "nat r 198.51.100.1 port=+7\n",
        "rule r reject any\n",
    };
    static const char *const addresses[] = {"203.0.113.1", "2001:db8::b"};
    static const uint8_t datagram[] = {0x9c, 0x40, 0, 7, 0, 12, 0, 0, 'q', 'u', 'i', 'z'};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        for (size_t k = 0; k < 2; k++) {
            char text[512];
            struct sim_network sim;
            struct sim_scenario *scenario = NULL;
            struct sim_error error;
            sonde_ns time = 0;
            (void)snprintf(text, sizeof text, "%s%s", network, rules[i]);
            cr_assert_eq(scenario_parse((struct sonde_span){(uint8_t *)text, strlen(text)},
                                        &scenario, &error),
                         0, "%s", error.text);
            cr_assert_eq(network_init(&sim, scenario), 0);
            struct sonde_flow flow = flow_to(addresses[k], IP_PROTO_UDP, 7);
            flow.src = k == 0 ? scenario->vantage4 : scenario->vantage6;
            const struct sonde_tx tx = {
                .flow = &flow, .segment = {datagram, sizeof datagram}, .ttl = 9, .id = 1};
            cr_assert_eq(network_send(&sim, &tx, 0), 0);
            struct sim_packet *packet = network_run(&sim, SONDE_NS_PER_S, &time);
            cr_assert_not_null(packet, "rule %zu", i);
            cr_expect(adds_up(packet), "rule %zu, family %zu", i, k);
            free(packet);
            network_deinit(&sim);
            scenario_free(scenario);
        }
    }
}
