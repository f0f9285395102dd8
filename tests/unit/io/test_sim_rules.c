/* SPDX-License-Identifier: BSD-2-Clause */
/* What nodes do to packets that pass. */
#include "tests/unit/io/small_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>

Test(sim_rules, a_copy_made_before_the_ttl_check_is_checked_too)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1 delay=1ms\n"
                                           "host h 203.0.113.1 delay=1ms udp:7=echo\n"
                                           "path h r\n"
                                           "rule r duplicate udp hook=prerouting\n");
    small_net_ask(&net, 0, 5, 7, 1, "?");
    for (int i = 0; i < 2; i++) { /* both expire at the router, none reaches the host */
        cr_assert(small_net_recv(&net, 100 * MS, &arrival));
        cr_expect_eq(arrival.rx.icmp_type, ICMP4_TIME_EXCEEDED);
        cr_expect_eq(arrival.time_ns, 2 * MS + i); /* a copy is made one nanosecond later */
    }
    cr_expect_not(small_net_recv(&net, 100 * MS, &arrival));
    small_net_ask(&net, 100 * MS, 5, 7, 9, "?");
    for (int i = 0; i < 2; i++) { /* both arrive, both having passed one router */
        cr_assert(small_net_recv(&net, 200 * MS, &arrival));
        cr_expect_eq(arrival.time_ns, 104 * MS + i);
        cr_expect_eq(arrival.rx.reply_ttl, 63);
    }
    cr_expect_not(small_net_recv(&net, 200 * MS, &arrival));
    small_net_close(&net);
}

Test(sim_rules, a_copy_meets_the_rules_behind_the_one_that_made_it_and_no_other)
{
    struct small_net net;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1\n"
                                           "host h 203.0.113.1 udp:7=echo\n"
                                           "path h r\n"
                                           "rule r drop udp mask=01\n"
                                           "rule r duplicate udp\n"
                                           "rule r duplicate udp\n"
                                           "rule r drop udp mask=1000\n");
    /* two rules make four of it; the last drops one of them, the first only counts the original */
    small_net_ask(&net, 0, 5, 7, 9, "?");
    cr_expect_eq(small_net_count(&net, 100 * MS), 3);
    /* the first rule drops its second packet */
    small_net_ask(&net, 100 * MS, 5, 7, 9, "?");
    cr_expect_eq(small_net_count(&net, 200 * MS), 0);
    small_net_close(&net);
}

Test(sim_rules, what_is_held_before_the_ttl_check_is_checked_when_it_goes_on)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1\n"
                                           "host h 203.0.113.1 udp:7=echo\n"
                                           "path h r\n"
                                           "rule r hold=30ms udp hook=prerouting\n");
    small_net_ask(&net, 0, 5, 7, 1, "?");
    cr_assert(small_net_recv(&net, 100 * MS, &arrival));
    cr_expect_eq(arrival.rx.icmp_type, ICMP4_TIME_EXCEEDED);
    cr_expect_eq(arrival.time_ns, 30 * MS);
    small_net_close(&net);
}

Test(sim_rules, a_host_may_take_its_time_and_get_things_twice)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "host h 203.0.113.1 delay=1ms udp:7=echo\n"
                                           "rule h hold=30ms udp:7\n"
                                           "rule h duplicate udp:7\n");
    small_net_ask(&net, 0, 5, 7, 9, "?");
    cr_assert(small_net_recv(&net, 100 * MS, &arrival));
    cr_expect_eq(arrival.time_ns, 32 * MS);
    cr_expect_eq(arrival.rx.reply_ttl, 64); /* a host does not count the TTL down */
    cr_expect_eq(small_net_count(&net, 100 * MS), 1);
    small_net_close(&net);
}
