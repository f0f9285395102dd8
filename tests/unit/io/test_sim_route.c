/* SPDX-License-Identifier: BSD-2-Clause */
/* Which nodes a simulated packet passes. */
#include "tests/unit/io/small_net.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* The last byte of the address of who answers at a TTL, on the way of a source port; 0 = nobody. */
static uint8_t who_answers(struct small_net *net, uint16_t from, uint8_t ttl)
{
    struct arrival arrival;
    small_net_ask(net, 0, from, 7, ttl, "?");
    if (!small_net_recv(net, SONDE_NS_PER_S, &arrival))
        return 0;
    return arrival.rx.from.bytes[3];
}

Test(sim_route, a_flow_takes_one_alternative_of_a_group_and_of_the_groups_within)
{
    struct small_net net;
    unsigned seen[5] = {0};
    small_net_open(&net, SMALL_NET_VANTAGE "router a 10.0.0.1\nrouter b 10.0.0.2\n"
                                           "router c 10.0.0.3\nrouter d 10.0.0.4\n"
                                           "host h 203.0.113.1 udp:7=echo\n"
                                           "path h { a | b { c | d } }\n");
    for (uint16_t port = 1; port <= 200; port++) {
        uint8_t first = who_answers(&net, port, 1);
        uint8_t second = who_answers(&net, port, 2);
        cr_assert(first == 1 || first == 2, "port %u: %u", port, first);
        seen[first]++;
        if (first == 2)
            seen[second]++;
        /* who takes a meets the host behind it, 203.0.113.1; who takes b meets c or d */
        cr_expect(first == 1 ? second == 1 : second == 3 || second == 4, "port %u", port);
        cr_expect_eq(who_answers(&net, port, 1), first); /* every time */
    }
    /* 200 flows: each share has a standard deviation of at most 7.1, so 35 is five of them */
    cr_expect(seen[1] > 65 && seen[2] > 65 && seen[3] > 15 && seen[4] > 15, "%u %u %u %u", seen[1],
              seen[2], seen[3], seen[4]);
    small_net_close(&net);
}

Test(sim_route, an_alternative_may_be_empty_be_it_the_first_or_the_last)
{
    static const char *const paths[] = {"path h { | a } b\n", "path h { a | } b\n"};
    for (size_t i = 0; i < 2; i++) {
        struct small_net net;
        char text[256];
        unsigned seen[3] = {0};
        (void)snprintf(text, sizeof text,
                       SMALL_NET_VANTAGE
                       "router a 10.0.0.1\nrouter b 10.0.0.2\nhost h 203.0.113.1\n%s",
                       paths[i]);
        small_net_open(&net, text);
        for (uint16_t port = 1; port <= 50; port++)
            seen[who_answers(&net, port, 1)]++;
        cr_expect(seen[1] > 0 && seen[2] > 0, "%s", paths[i]);
        small_net_close(&net);
    }
}

Test(sim_route, packets_that_are_spread_within_a_group_take_each_way)
{
    struct small_net net;
    unsigned seen[5] = {0};
    small_net_open(&net, SMALL_NET_VANTAGE "router a 10.0.0.1\nrouter b 10.0.0.2\n"
                                           "router c 10.0.0.3\n"
                                           "host h 203.0.113.1 udp:7=echo\n"
                                           "path h { a { b | c }! | a { b | c }! }\n");
    for (int i = 0; i < 50; i++)
        seen[who_answers(&net, 5, 2)]++;
    cr_expect(seen[2] > 0 && seen[3] > 0);
    small_net_close(&net);
}

static const char triangle[] = SMALL_NET_VANTAGE "router a 10.0.0.1 delay=1ms\n"
                                                 "router b 10.0.0.2 delay=2ms\n"
                                                 "router x 10.0.0.3 delay=10ms\n"
                                                 "router y 10.0.0.4 delay=20ms\n"
                                                 "host h 203.0.113.1 delay=3ms udp:7=echo\n"
                                                 "path h a b\n"
                                                 "back h y x a\n";

static void expect_from(struct small_net *net, sonde_ns sent, uint8_t ttl, uint8_t from,
                        sonde_ns rtt, int reply_ttl)
{
    struct arrival arrival;
    small_net_ask(net, sent, 5, 7, ttl, "?");
    cr_assert(small_net_recv(net, sent + SONDE_NS_PER_S, &arrival), "TTL %u", ttl);
    cr_expect_eq(arrival.rx.from.bytes[3], from, "TTL %u", ttl);
    cr_expect_eq(arrival.time_ns - sent, rtt, "TTL %u: %g ms", ttl,
                 (double)(arrival.time_ns - sent) / (double)MS);
    cr_expect_eq(arrival.rx.reply_ttl, reply_ttl, "TTL %u: %d", ttl, arrival.rx.reply_ttl);
}

Test(sim_route, answers_take_the_way_back_and_errors_what_is_left_of_it)
{
    struct small_net net;
    small_net_open(&net, triangle);
    expect_from(&net, 0, 1, 1, 2 * MS, 255); /* a is on it: a, vantage */
    expect_from(&net, 0, 2, 2, 6 * MS, 254); /* b is not: b, a, vantage, as the probe came */
    /* there 1 + 2 + 3; back h, y, x, a, vantage: 3 + 20 + 10 + 1; and three routers count down 64
     */
    expect_from(&net, 0, 3, 1, 40 * MS, 61);
    small_net_close(&net);
}

Test(sim_route, what_is_dropped_on_the_way_back_only_spares_the_way_there)
{
    struct small_net net;
    char text[512];
    (void)snprintf(text, sizeof text, "%srule y drop udp dir=back\nrule b drop udp dir=back\n",
                   triangle);
    small_net_open(&net, text);
    expect_from(&net, 0, 2, 2, 6 * MS, 254);
    small_net_ask(&net, 0, 5, 7, 3, "?");
    cr_expect_eq(small_net_count(&net, SONDE_NS_PER_S), 0);
    net.scenario->rules[0].until_ns = 0; /* y does no longer; b never sees it */
    expect_from(&net, SONDE_NS_PER_S, 3, 1, 40 * MS, 61);
    small_net_close(&net);
}

Test(sim_route, the_way_back_may_change_and_be_spread)
{
    struct small_net net;
    struct arrival arrival;
    bool seen[2] = {false};
    char text[512];
    (void)snprintf(text, sizeof text, "%sat 1s back h { x | y }!\n", triangle);
    small_net_open(&net, text);
    expect_from(&net, 0, 3, 1, 40 * MS, 61);
    for (int i = 0; i < 50; i++) {
        small_net_ask(&net, SONDE_NS_PER_S, 5, 7, 3, "?");
        cr_assert(small_net_recv(&net, 2 * SONDE_NS_PER_S, &arrival));
        sonde_ns rtt = arrival.time_ns - SONDE_NS_PER_S;
        cr_assert(rtt == 19 * MS || rtt == 29 * MS); /* 6 + 3 + 10 or 20 */
        seen[rtt == 29 * MS] = true;
    }
    cr_expect(seen[0] && seen[1]);
    small_net_close(&net);
}

Test(sim_route, a_way_back_without_the_translator_loses_what_was_translated)
{
    struct small_net net;
    struct arrival arrival;
    char text[512];
    (void)snprintf(text, sizeof text, "%snat b 198.51.100.1\n", triangle);
    small_net_open(&net, text);
    small_net_ask(&net, 0, 5, 7, 3, "?");
    cr_expect_not(small_net_recv(&net, SONDE_NS_PER_S, &arrival));
    small_net_close(&net);
}
