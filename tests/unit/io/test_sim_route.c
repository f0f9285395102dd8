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
