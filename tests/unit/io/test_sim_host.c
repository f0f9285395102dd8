/* SPDX-License-Identifier: BSD-2-Clause */
/* What simulated hosts say, and what is said of hosts that are not there. */
#include "tests/unit/io/small_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Is a question answered, and by how many bytes? @return 0 if it is not. */
static size_t answer_len(const char *ports, const char *question)
{
    struct small_net net;
    struct arrival arrival;
    char text[512];
    (void)snprintf(text, sizeof text, "%shost h 203.0.113.1 %s\n", SMALL_NET_VANTAGE, ports);
    small_net_open(&net, text);
    small_net_ask(&net, 0, 5, 7, 9, question);
    size_t len = small_net_recv(&net, SONDE_NS_PER_S, &arrival) ? arrival.ip.payload.len - 8 : 0;
    small_net_close(&net);
    return len;
}

Test(sim_host, a_service_may_answer_only_some_questions)
{
    static const struct {
        const char *ports;
        const char *question;
        size_t len; /* of the answer; 0 = silence */
    } cases[] = {
        {"udp:7=echo?0:61", "abc", 3}, /* 61 is "a" */
        {"udp:7=echo?0:61", "bca", 0},
        {"udp:7=echo?2:61", "bca", 3},
        {"udp:7=echo?2:61", "bc", 0}, /* it ends before */
        {"udp:7=echo?0:61..63", "axc", 3},
        {"udp:7=echo?0:61..63", "axd", 0},
        {"udp:7=echo?*:6263", "abc", 3},
        {"udp:7=echo?*:6263", "abbc", 4},
        {"udp:7=echo?*:6263", "abd", 0},
        {"udp:7=echo?*:6263", "", 0},
        {"udp:7=echo?0:61?2:63", "abc", 3},
        {"udp:7=echo?0:61?2:63", "abd", 0},
        /* the first that fits answers; where the port is named, no other port does */
        {"udp:7=reply:ff?0:61 udp:7=echo", "abc", 1},
        {"udp:7=reply:ff?0:61 udp:7=echo", "bbc", 3},
        {"udp:7=echo?0:61 udp:*=reply:ff", "bbc", 0},
        {"udp:*=echo?0:61", "abc", 3},
        {"udp:*=echo?0:61", "bbc", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(answer_len(cases[i].ports, cases[i].question), cases[i].len, "%s: %s",
                     cases[i].ports, cases[i].question);
}

static const char forwards[] =
    SMALL_NET_VANTAGE "router r 10.0.0.1 delay=1ms\n"
                      "host b 192.168.0.2 delay=4ms udp:7=echo udp:8=closed tcp:80=open ttl=128\n"
                      "host h 203.0.113.1 delay=2ms udp:7=to:b udp:8=to:b tcp:80=to:b udp:9=echo\n"
                      "path h r\n";

/* Seen of a Linux router with a DNAT rule, from outside: the answers, and the errors of the machine
 * behind, come from the router's address; what expires at the router is said by the same. */
Test(sim_host, a_forwarded_port_is_answered_a_hop_farther_in_the_same_name)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, forwards);
    static const struct {
        uint16_t port;
        uint8_t ttl;
        sonde_ns rtt;
        int reply_ttl;
        int error; /* ICMP type; -1 = an answer */
    } cases[] = {
        {9, 2, 6 * MS, 63, -1}, /* the host itself: 2 × (1 + 2), one router */
        {7, 1, 2 * MS, 255, ICMP4_TIME_EXCEEDED},
        {7, 2, 6 * MS, 63, ICMP4_TIME_EXCEEDED},
        {7, 3, 14 * MS, 126, -1}, /* 2 × (1 + 2 + 4), two hops */
        {8, 3, 14 * MS, 126, ICMP4_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sonde_ns now = (sonde_ns)i * SONDE_NS_PER_S;
        small_net_ask(&net, now, 5, cases[i].port, cases[i].ttl, "?");
        cr_assert(small_net_recv(&net, now + 900 * MS, &arrival), "case %zu", i);
        cr_expect_eq(arrival.time_ns - now, cases[i].rtt, "case %zu", i);
        cr_expect_eq(arrival.rx.reply_ttl, cases[i].reply_ttl, "case %zu", i);
        cr_expect_eq(arrival.rx.kind, cases[i].error < 0 ? SONDE_RX_ANSWER : SONDE_RX_ERROR);
        if (cases[i].error >= 0)
            cr_expect_eq(arrival.rx.icmp_type, cases[i].error, "case %zu", i);
        uint8_t from = cases[i].ttl == 1 ? 10 : 203;
        cr_expect_eq(arrival.rx.from.bytes[0], from, "case %zu", i);
    }
    small_net_close(&net);
}

/* The reset gets there, too: so the SYN-ACK is not repeated. */
Test(sim_host, a_connection_to_a_forwarded_port_is_reset_where_it_is)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, forwards);
    small_net_syn(&net, 0, 80, 1, 1);
    cr_assert(small_net_recv(&net, SONDE_NS_PER_S, &arrival));
    cr_expect_eq(arrival.tcp.flags, TCP_SYN | TCP_ACK);
    cr_expect_eq(arrival.time_ns, 14 * MS);
    cr_expect_eq(small_net_count(&net, 100 * SONDE_NS_PER_S), 0);
    small_net_close(&net);
}

/* Take an error that says host unreachable about a packet from a port. */
static void expect_unreachable(struct small_net *net, sonde_ns time, uint16_t port, uint8_t from,
                               uint8_t quoted_ttl)
{
    struct arrival arrival;
    cr_assert(small_net_recv(net, time, &arrival), "nothing about port %u", port);
    cr_expect_eq(arrival.time_ns, time);
    cr_expect(arrival.rx.icmp_type == ICMP4_UNREACHABLE && arrival.rx.icmp_code == 1);
    cr_expect_eq(arrival.rx.from.bytes[0], from);
    cr_expect_eq(arrival.rx.local_port, port);
    cr_expect_eq(arrival.rx.quote.ttl, quoted_ttl);
}

/* Seen of Linux 6.18, a router with the usual settings, datagrams to an address that nobody has on
 * its last network: those sent in the first 3 s are answered at 3.07 s all together, six at most,
 * quoting a TTL that is counted down; what comes next begins another 3 s. */
Test(sim_host, a_router_says_that_a_host_is_not_there_when_it_has_looked_for_it)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1 limit=1 burst=6\n"
                                           "host h 203.0.113.1 dead\npath h r\n");
    for (uint16_t i = 0; i < 3; i++)
        small_net_ask(&net, i * SONDE_NS_PER_S, (uint16_t)(100 + i), 7, 64, "?");
    cr_expect_not(small_net_recv(&net, 3 * SONDE_NS_PER_S - 1, &arrival));
    for (uint16_t i = 0; i < 3; i++)
        expect_unreachable(&net, 3 * SONDE_NS_PER_S + i, (uint16_t)(100 + i), 10, 63);
    small_net_ask(&net, 3001 * MS, 9, 7, 1, "?"); /* expires at the router */
    cr_assert(small_net_recv(&net, 3001 * MS, &arrival));
    cr_expect_eq(arrival.rx.icmp_type, ICMP4_TIME_EXCEEDED);
    for (uint16_t i = 0; i < 10; i++)
        small_net_ask(&net, 3500 * MS + i, (uint16_t)(200 + i), 7, 64, "?");
    /* 3 and 1 of six are used, 3.5 s later there is room for five */
    for (uint16_t i = 0; i < 5; i++)
        expect_unreachable(&net, 6500 * MS + i, (uint16_t)(200 + i), 10, 63);
    cr_expect_not(small_net_recv(&net, 20 * SONDE_NS_PER_S, &arrival));
    small_net_close(&net);
}

/* Seen of Linux 6.18 where nobody on the own link has the address: at 3.06 s host unreachable comes
 * from this machine's own address, quoting the TTL as it was sent, about each that waited. */
Test(sim_host, on_the_own_link_the_own_kernel_says_that_nobody_is_there)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "host h 203.0.113.1 delay=5ms dead\n");
    small_net_ask(&net, 0, 100, 7, 64, "?");
    small_net_ask(&net, SONDE_NS_PER_S, 101, 7, 1, "?");
    expect_unreachable(&net, 3 * SONDE_NS_PER_S, 100, 192, 64);
    expect_unreachable(&net, 3 * SONDE_NS_PER_S + 1, 101, 192, 1);
    cr_expect_not(small_net_recv(&net, 20 * SONDE_NS_PER_S, &arrival));
    small_net_close(&net);
}
