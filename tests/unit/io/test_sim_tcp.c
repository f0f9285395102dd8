/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a simulated host does with SYNs, held against Linux.
 *
 * What is expected here was seen of Linux 6.18, and read in its tcp_check_req() and
 * reqsk_timer_handler(). To see it: two network namespaces and a veth pair. In one a program
 * listens, with the usual settings. The other end has no address, so that no kernel resets
 * anything; there a program writes whole frames with a packet socket, and reads what comes back.
 * "Seen:" says what it read; "SA" is a SYN-ACK.
 */
#include "tests/unit/io/small_net.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum {
    PORT = 80,
    ISN = 1000,
    WINDOW = 65160, /* which the SYN-ACKs offered */
    TS = 700,
};

/* A round trip of 2 ms. The rule is on but while a SYN passes: so resets get lost, as if there was
 * no kernel to send any. */
static const char without_resets[] = SMALL_NET_VANTAGE "router r 10.0.0.1\n"
                                                       "host h 203.0.113.1 delay=1ms tcp:*=open\n"
                                                       "path h r\n"
                                                       "rule r drop tcp\n";

/* A round trip of 20 ms. */
static const char with_resets[] = SMALL_NET_VANTAGE "host h 203.0.113.1 delay=10ms tcp:80=open\n";

static void syn_past_rule(struct small_net *net, sonde_ns now, uint32_t isn, uint32_t ts)
{
    struct arrival arrival;
    cr_assert_not(small_net_recv(net, now - 1, &arrival)); /* until then it is on */
    net->scenario->rules[0].until_ns = 0;
    small_net_syn(net, now, PORT, isn, ts);
    cr_assert_not(small_net_recv(net, now, &arrival));
    net->scenario->rules[0].until_ns = SONDE_NS_NEVER;
}

static void expect(struct small_net *net, sonde_ns time, uint8_t flags, struct arrival *ret_arrival)
{
    cr_assert(small_net_recv(net, time, ret_arrival), "nothing comes at %g ms",
              (double)time / (double)MS);
    cr_expect_eq(ret_arrival->time_ns, time, "at %g ms, not %g",
                 (double)ret_arrival->time_ns / (double)MS, (double)time / (double)MS);
    cr_expect_eq(ret_arrival->tcp.flags, flags, "flags %x", ret_arrival->tcp.flags);
}

static void expect_nothing(struct small_net *net, sonde_ns until)
{
    struct arrival arrival;
    cr_expect_not(small_net_recv(net, until, &arrival), "flags %x at %g ms", arrival.tcp.flags,
                  (double)arrival.time_ns / (double)MS);
}

/* Seen: SYNs with TSval 1000, 1001, … every 100 ms were answered at 0, 100, 600 and 1110 ms, by the
 * same sequence number and TSecr 1000 each time; with every 500 ms, or every second, each was. */
Test(sim_tcp, a_repeated_syn_is_answered_once_and_then_every_half_second)
{
    static const bool is_answered[] = {true, true,  false, false, false, false,
                                       true, false, false, false, false, true};
    struct small_net net;
    struct arrival arrival;
    uint32_t seq = 0;
    small_net_open(&net, without_resets);
    for (int i = 0; i < 12; i++) {
        syn_past_rule(&net, i * 100 * MS, ISN, TS + (uint32_t)i);
        if (is_answered[i]) {
            expect(&net, i * 100 * MS + 2 * MS, TCP_SYN | TCP_ACK, &arrival);
            seq = i == 0 ? arrival.tcp.seq : seq;
            cr_expect_eq(arrival.tcp.seq, seq);
            cr_expect_eq(arrival.tcp.ack, ISN + 1);
            cr_expect_eq(arrival.tcp.options.ts_echo, TS);
        }
        expect_nothing(&net, i * 100 * MS + 99 * MS);
    }
    small_net_close(&net);
}

/* Seen: SA at 0, 1.03, 3.04, 7.08, 15.27 and 31.40 s, and the connection in SYN-RECV until then;
 * a SYN at 34 s was answered as a repetition. */
Test(sim_tcp, without_a_reset_the_syn_ack_is_repeated_later_and_later)
{
    static const sonde_ns seconds[] = {0, 1, 3, 7, 15, 31};
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, without_resets);
    syn_past_rule(&net, 0, ISN, TS);
    for (int i = 0; i < 6; i++) {
        sonde_ns late = i * 10 * MS; /* each wait is 10 ms longer here */
        expect(&net, seconds[i] * SONDE_NS_PER_S + late + 2 * MS, TCP_SYN | TCP_ACK, &arrival);
        cr_expect_eq(arrival.tcp.options.ts_echo, TS);
    }
    uint32_t seq = arrival.tcp.seq;
    expect_nothing(&net, 34 * SONDE_NS_PER_S - 1);
    syn_past_rule(&net, 34 * SONDE_NS_PER_S, ISN, TS + 1);
    expect(&net, 34 * SONDE_NS_PER_S + 2 * MS, TCP_SYN | TCP_ACK, &arrival);
    cr_expect(arrival.tcp.seq == seq && arrival.tcp.options.ts_echo == TS);
    /* 32 s from there on it ends without another word: what comes then begins anew */
    expect_nothing(&net, 67 * SONDE_NS_PER_S - 1);
    syn_past_rule(&net, 67 * SONDE_NS_PER_S, ISN, TS + 2);
    expect(&net, 67 * SONDE_NS_PER_S + 2 * MS, TCP_SYN | TCP_ACK, &arrival);
    cr_expect(arrival.tcp.seq != seq && arrival.tcp.options.ts_echo == TS + 2);
    small_net_close(&net);
}

/* Seen: a SYN repeated at 0.60 s: SA at 0, 0.60, 1.62, 3.63, 7.76 s. */
Test(sim_tcp, a_repeated_syn_begins_the_wait_anew)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, without_resets);
    syn_past_rule(&net, 0, ISN, TS);
    expect(&net, 2 * MS, TCP_SYN | TCP_ACK, &arrival);
    expect_nothing(&net, 600 * MS - 1);
    syn_past_rule(&net, 600 * MS, ISN, TS + 1);
    expect(&net, 602 * MS, TCP_SYN | TCP_ACK, &arrival);
    expect(&net, 1612 * MS, TCP_SYN | TCP_ACK, &arrival);
    expect(&net, 3622 * MS, TCP_SYN | TCP_ACK, &arrival);
    small_net_close(&net);
}

/* Seen: a SYN of TSval 1000 and, 100 ms later, the same with 999: an ACK of the first, with the
 * sequence number behind the SYN-ACK's and TSecr 1000. 100 ms later 998 and then 1005: nothing. */
Test(sim_tcp, a_repeated_syn_that_is_older_draws_an_ack_of_the_first)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, without_resets);
    syn_past_rule(&net, 0, ISN, TS);
    expect(&net, 2 * MS, TCP_SYN | TCP_ACK, &arrival);
    uint32_t seq = arrival.tcp.seq;
    syn_past_rule(&net, 100 * MS, ISN, TS - 1);
    expect(&net, 102 * MS, TCP_ACK, &arrival);
    cr_expect_eq(arrival.tcp.seq, seq + 1);
    cr_expect_eq(arrival.tcp.ack, ISN + 1);
    cr_expect_eq(arrival.tcp.options.ts_echo, TS);
    syn_past_rule(&net, 200 * MS, ISN, TS - 2);
    expect_nothing(&net, 300 * MS - 1);
    syn_past_rule(&net, 300 * MS, ISN, TS + 5);
    expect_nothing(&net, 400 * MS);
    small_net_close(&net);
}

/* Seen, 100 ms after the first SYN: with a sequence number that is 1, 100, 65000 or 65160 larger:
 * RST and ACK of the new one; the same SYN again was answered by SA, of another sequence number.
 * With 65161, 70000, 2^30, 2^31 - 5 larger, or 1 or 100 smaller: an ACK of the first SYN. */
Test(sim_tcp, a_syn_of_another_number_is_reset_within_the_window_and_else_acked)
{
    static const struct {
        uint32_t ahead;
        bool is_reset;
    } cases[] = {
        {1, true},
        {WINDOW, true},
        {WINDOW + 1, false},
        {1 << 30, false},
        {UINT32_MAX / 2 - 4, false},
        {UINT32_MAX, false}, /* one smaller */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct small_net net;
        struct arrival arrival;
        uint32_t other = ISN + cases[i].ahead;
        small_net_open(&net, without_resets);
        syn_past_rule(&net, 0, ISN, TS);
        expect(&net, 2 * MS, TCP_SYN | TCP_ACK, &arrival);
        uint32_t seq = arrival.tcp.seq;
        syn_past_rule(&net, 100 * MS, other, TS + 1);
        expect(&net, 102 * MS, cases[i].is_reset ? TCP_RST | TCP_ACK : TCP_ACK, &arrival);
        cr_expect_eq(arrival.tcp.seq, cases[i].is_reset ? 0 : seq + 1);
        cr_expect_eq(arrival.tcp.ack, cases[i].is_reset ? other + 1 : ISN + 1);
        syn_past_rule(&net, 200 * MS, other, TS + 2);
        if (cases[i].is_reset) { /* it has ended the attempt: this begins one */
            expect(&net, 202 * MS, TCP_SYN | TCP_ACK, &arrival);
            cr_expect(arrival.tcp.ack == other + 1 && arrival.tcp.seq != seq);
        }
        expect_nothing(&net, 300 * MS);
        small_net_close(&net);
    }
}

/* Seen: SYN, SA, RST with the number that the SA acknowledges: the next SYN, be it the same or
 * another, was answered by SA of a new number that echoed its own TSval. No connection of any state
 * was left (ss -tan): without an established connection there is no TIME_WAIT. Seen also: the
 * kernel resets a SYN-ACK to a port that has no connection at once. */
Test(sim_tcp, the_vantage_resets_what_is_answered_and_the_next_syn_begins_anew)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, with_resets);
    small_net_syn(&net, 0, PORT, ISN, TS);
    expect(&net, 20 * MS, TCP_SYN | TCP_ACK, &arrival);
    uint32_t seq = arrival.tcp.seq;
    small_net_syn(&net, 20 * MS, PORT, ISN, TS + 1); /* right behind the reset */
    expect(&net, 40 * MS, TCP_SYN | TCP_ACK, &arrival);
    cr_expect_neq(arrival.tcp.seq, seq);
    cr_expect_eq(arrival.tcp.options.ts_echo, TS + 1);
    expect_nothing(&net, 100 * SONDE_NS_PER_S); /* nothing is repeated */
    small_net_close(&net);
}

/* Until the reset arrives, 30 ms after the SYN left, the attempt is half-open. */
Test(sim_tcp, a_syn_that_arrives_before_the_reset_is_a_repetition)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, with_resets);
    small_net_syn(&net, 0, PORT, ISN, TS);
    small_net_syn(&net, 19 * MS, PORT, ISN, TS + 1); /* arrives at 29 ms */
    small_net_syn(&net, 19 * MS, PORT, ISN, TS + 2);
    expect(&net, 20 * MS, TCP_SYN | TCP_ACK, &arrival);
    uint32_t seq = arrival.tcp.seq;
    expect(&net, 39 * MS, TCP_SYN | TCP_ACK, &arrival);
    cr_expect(arrival.tcp.seq == seq && arrival.tcp.options.ts_echo == TS);
    expect_nothing(&net, SONDE_NS_PER_S);
    small_net_close(&net);
}

/* Seen: the ACK that answers a SYN of another number is reset with the number that it acknowledges,
 * which ends the first attempt: the same SYN again was answered by SA. */
Test(sim_tcp, the_reset_of_an_ack_ends_the_attempt_too)
{
    struct small_net net;
    struct arrival arrival;
    char text[256];
    (void)snprintf(text, sizeof text, "%srule h drop tcp mask=1\n", with_resets);
    small_net_open(&net, text);
    net.scenario->rules[0].until_ns = 0;
    small_net_syn(&net, 0, PORT, ISN, TS);
    expect(&net, 20 * MS, TCP_SYN | TCP_ACK, &arrival);
    net.scenario->rules[0].until_ns = 100 * MS; /* its reset is lost */
    small_net_syn(&net, 100 * MS, PORT, ISN - 9, TS + 1);
    expect(&net, 120 * MS, TCP_ACK, &arrival);
    small_net_syn(&net, 120 * MS, PORT, ISN - 9, TS + 2);
    expect(&net, 140 * MS, TCP_SYN | TCP_ACK, &arrival);
    cr_expect_eq(arrival.tcp.ack, ISN - 8);
    small_net_close(&net);
}

/* Seen: each SYN to a port where nobody listens: RST and ACK, number 0, no timestamp; not limited.
 */
Test(sim_tcp, a_closed_port_resets_every_syn)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "host h 203.0.113.1 delay=10ms tcp:80=closed\n");
    for (int i = 0; i < 4; i++) {
        small_net_syn(&net, i * MS, PORT, ISN, TS);
        cr_expect_eq(small_net_count(&net, 19 * MS), 0);
    }
    for (int i = 0; i < 4; i++) {
        expect(&net, 20 * MS + i * MS, TCP_RST | TCP_ACK, &arrival);
        cr_expect(arrival.tcp.seq == 0 && arrival.tcp.ack == ISN + 1);
        cr_expect_not(arrival.tcp.options.has_timestamps);
    }
    expect_nothing(&net, SONDE_NS_PER_S); /* nobody resets a reset */
    small_net_close(&net);
}

/* Seen with net.ipv4.tcp_syncookies=2: the same SYN every 50 ms was answered each time, by the same
 * number and with TSecr 1000, 1001, …; a SYN of another number at once, by another number; nothing
 * was repeated within 3.5 s. A SYN proxy does the same with the same cookies. */
Test(sim_tcp, who_keeps_no_state_answers_every_syn_for_itself)
{
    static const char *const texts[] = {
        SMALL_NET_VANTAGE "router r 10.0.0.1\nhost h 203.0.113.1 tcp:*=open stateless\npath h r\n"
                          "rule r drop tcp:81\n",
        SMALL_NET_VANTAGE "router r 10.0.0.1 stateless\nhost h 203.0.113.1\npath h r\n"
                          "rule r answer tcp:80\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct small_net net;
        struct arrival arrival;
        uint32_t seq = 0;
        small_net_open(&net, texts[i]);
        for (int k = 0; k < 4; k++) {
            small_net_syn(&net, k * 50 * MS, PORT, ISN, TS + (uint32_t)k);
            expect(&net, k * 50 * MS, TCP_SYN | TCP_ACK, &arrival);
            seq = k == 0 ? arrival.tcp.seq : seq;
            cr_expect_eq(arrival.tcp.seq, seq);
            cr_expect_eq(arrival.tcp.options.ts_echo, TS + (uint32_t)k);
        }
        small_net_syn(&net, 200 * MS, PORT, ISN + 100000, TS + 9);
        expect(&net, 200 * MS, TCP_SYN | TCP_ACK, &arrival);
        cr_expect(arrival.tcp.seq != seq && arrival.tcp.options.ts_echo == TS + 9);
        expect_nothing(&net, 100 * SONDE_NS_PER_S);
        small_net_close(&net);
    }
}

/* A device that answers in the target's name is a TCP of its own, if it is not stateless. */
Test(sim_tcp, a_device_that_answers_remembers_what_it_has_answered)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1 delay=10ms\n"
                                           "host h 203.0.113.1 delay=10ms\npath h r\n"
                                           "rule r answer tcp:80\n");
    for (int i = 0; i < 3; i++)
        small_net_syn(&net, i, PORT, ISN, TS + (uint32_t)i);
    expect(&net, 20 * MS, TCP_SYN | TCP_ACK, &arrival);
    expect(&net, 20 * MS + 1, TCP_SYN | TCP_ACK, &arrival);
    cr_expect_eq(arrival.tcp.options.ts_echo, TS);
    expect_nothing(&net, 30 * MS);
    small_net_syn(&net, 30 * MS, PORT, ISN, TS + 9); /* the reset was there at 30 ms */
    expect(&net, 50 * MS, TCP_SYN | TCP_ACK, &arrival);
    cr_expect_eq(arrival.tcp.options.ts_echo, TS + 9);
    small_net_close(&net);
}

/* What the vantage's kernel sends by itself leaves the patterns of others as they were: every
 * second SYN is lost. */
Test(sim_tcp, resets_are_not_counted_by_masks)
{
    struct small_net net;
    struct arrival arrival;
    char text[256];
    (void)snprintf(text, sizeof text, "%srule h drop tcp:80 mask=01\n", with_resets);
    small_net_open(&net, text);
    for (uint32_t i = 0; i < 8; i++) {
        sonde_ns now = i * 100 * SONDE_NS_PER_S; /* by then, what is not reset is forgotten */
        bool came = false;
        small_net_syn(&net, now, PORT, ISN + i, TS);
        while (small_net_recv(&net, now + 99 * SONDE_NS_PER_S, &arrival))
            came |= arrival.tcp.ack == ISN + i + 1;
        cr_expect_eq(came, i % 2 == 0, "SYN %u", i);
    }
    small_net_close(&net);
}
