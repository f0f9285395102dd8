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

/* A server that answers five questions a second, and two at once. */
Test(sim_rules, a_limit_acts_on_what_exceeds_it)
{
    struct small_net net;
    small_net_open(&net, SMALL_NET_VANTAGE "host h 203.0.113.1 udp:7=echo\n"
                                           "rule h drop udp:7 limit=5 burst=2\n");
    for (int i = 0; i < 10; i++)
        small_net_ask(&net, 0, 5, 7, 9, "?");
    cr_expect_eq(small_net_count(&net, 199 * MS), 2);
    for (int i = 1; i <= 10; i++) { /* one every 200 ms is what it allows */
        small_net_ask(&net, i * 200 * MS, 5, 7, 9, "?");
        cr_expect_eq(small_net_count(&net, i * 200 * MS + 199 * MS), 1, "at %d ms", i * 200);
    }
    small_net_close(&net);
}

/* A firewall that lets three new connections pass in ten seconds; closed ports show what passes. */
Test(sim_rules, a_limit_of_new_connections_counts_syns_only)
{
    struct small_net net;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1\n"
                                           "host h 203.0.113.1 tcp:80=closed udp:7=echo\n"
                                           "path h r\n"
                                           "rule r drop syn limit=3/10s burst=3\n");
    for (uint32_t i = 0; i < 8; i++) {
        small_net_ask(&net, 0, 5, 7, 9, "?");
        small_net_syn(&net, 0, 80, i, 1);
    }
    cr_expect_eq(small_net_count(&net, 3 * SONDE_NS_PER_S), 8 + 3);
    small_net_syn(&net, 3 * SONDE_NS_PER_S, 80, 9, 1); /* a third of ten seconds is not over */
    cr_expect_eq(small_net_count(&net, 3 * SONDE_NS_PER_S), 0);
    small_net_syn(&net, 4 * SONDE_NS_PER_S, 80, 10, 1);
    cr_expect_eq(small_net_count(&net, 5 * SONDE_NS_PER_S), 1);
    small_net_close(&net);
}

Test(sim_rules, syn_speaks_of_what_begins_a_connection_and_of_its_port)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1\n"
                                           "host h 203.0.113.1 delay=1ms tcp:*=open\npath h r\n"
                                           "rule r drop syn:81\n"
                                           "rule r drop syn:82 from=1ms\n");
    small_net_syn(&net, 0, 81, 1, 1);
    small_net_syn(&net, 0, 82, 1, 1);
    cr_assert(small_net_recv(&net, 2 * MS, &arrival));
    cr_expect_eq(arrival.tcp.src_port, 82);
    /* the reset passes at 2 ms, so nothing is repeated */
    cr_expect_not(small_net_recv(&net, 100 * SONDE_NS_PER_S, &arrival));
    small_net_close(&net);
}

/* What answers in the target's name may begin with the target's own TTL: 64, less one router. */
Test(sim_rules, an_answer_or_a_reset_may_begin_with_another_ttl)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1\nrouter d 10.0.0.2\n"
                                           "host h 203.0.113.1\npath h r d\n"
                                           "rule d reset tcp:21 ttl=64\n"
                                           "rule d answer tcp:22 ttl=64\n"
                                           "rule d answer tcp:23\n");
    static const int ttls[] = {63, 63, 254};
    for (int i = 0; i < 3; i++) {
        small_net_syn(&net, i * SONDE_NS_PER_S, (uint16_t)(21 + i), 1, 1);
        cr_assert(small_net_recv(&net, (i + 1) * SONDE_NS_PER_S - 1, &arrival));
        cr_expect_eq(arrival.rx.reply_ttl, ttls[i]);
    }
    small_net_close(&net);
}

/* Is each of so many questions answered, one every @p gap? */
static void ask_often(const char *text, sonde_ns gap, unsigned count, bool *ret_answered)
{
    struct small_net net;
    small_net_open(&net, text);
    for (unsigned i = 0; i < count; i++) {
        sonde_ns now = i * gap;
        small_net_ask(&net, now, 5, 7, 9, "?");
        ret_answered[i] = small_net_count(&net, now) > 0;
    }
    small_net_close(&net);
}

/*
 * Bursts of 200 ms on average, 1.8 s apart: a tenth of the time. In 2000 s the time within bursts
 * has a variance of 2000 s × 2 × 0.2² × 1.8² / 2³ s = 65 s², so five standard deviations are 40 s:
 * 8 to 12 % of the questions. There are about 1000 bursts; of their number five standard deviations
 * are below 160. Those shorter than the 10 ms between two questions are not seen: exp(-10/200) =
 * 95 % are; and so are pauses, 99 % of them.
 */
Test(sim_rules, bursts_come_and_go_with_time_whoever_looks)
{
    enum { COUNT = 200000 };
    static const char text[] = SMALL_NET_VANTAGE "seed 7\nhost h 203.0.113.1 udp:7=echo\n"
                                                 "rule h drop udp:7 bursts=200ms/1800ms\n";
    static bool every_10_ms[COUNT];
    static bool every_second[COUNT / 100];
    unsigned lost = 0;
    unsigned bursts = 0;
    ask_often(text, 10 * MS, COUNT, every_10_ms);
    ask_often(text, SONDE_NS_PER_S, COUNT / 100, every_second);
    for (unsigned i = 0; i < COUNT; i++) {
        lost += !every_10_ms[i];
        bursts += !every_10_ms[i] && i > 0 && every_10_ms[i - 1];
    }
    cr_expect(lost > COUNT / 100 * 8 && lost < COUNT / 100 * 12, "%u lost", lost);
    cr_expect(bursts > 780 && bursts < 1160, "%u bursts", bursts);
    for (unsigned i = 0; i < COUNT / 100; i++)
        cr_expect_eq(every_second[i], every_10_ms[i * 100]);
}
