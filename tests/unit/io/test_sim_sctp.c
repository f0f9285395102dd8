/* SPDX-License-Identifier: BSD-2-Clause */
/* What simulated hosts and devices answer to an INIT: RFC 9260 §5.1 (B), §8.4, §8.5.1. */
#include "tests/unit/io/small_net.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>

static const char network[] =
    SMALL_NET_VANTAGE "router r 10.0.0.1 delay=1ms\n"
                      "host b 192.168.0.2 delay=4ms sctp:*=open\n"
                      "host h 203.0.113.1 delay=2ms sctp:1=open sctp:2=closed sctp:3=silent "
                      "sctp:4=absent sctp:5=open/255 sctp:6=open sctp:7=open sctp:8=open "
                      "sctp:9=to:b tcp:99=open\n"
                      "path h r\n"
                      "rule r drop sctp:6\n"
                      "rule r reject sctp:7\n"
                      "rule r reset sctp:8\n";

static const struct sctp_packet init = {
    .chunk = SCTP_INIT,
    .initiate_tag = 0xa1a2a3a4,
    .window_bytes = 1500,
    .out_streams = 1,
    .in_streams = 1,
    .tsn = 7,
};

/* What comes back for one packet; false: nothing does. */
static bool ask(uint16_t port, uint8_t ttl, const struct sctp_packet *packet, bool damaged,
                struct small_net *net, struct arrival *arrival)
{
    small_net_open(net, network);
    small_net_sctp(net, 0, port, ttl, packet, damaged);
    return small_net_recv(net, 10 * SONDE_NS_PER_S, arrival);
}

Test(sim_sctp, an_init_is_answered_as_its_port_does)
{
    static const struct {
        uint16_t port;
        uint8_t chunk; /* of the answer; 0 = none */
        int reply_ttl;
        sonde_ns rtt; /* 2 × (1 + 2) to the host, 2 × (1 + 2 + 4) to the one behind */
    } cases[] = {
        {1, SCTP_INIT_ACK, 63, 6 * MS},
        {2, SCTP_ABORT, 63, 6 * MS},
        {3, 0, 0, 0},
        {5, SCTP_INIT_ACK, 254, 6 * MS},
        {6, 0, 0, 0},
        {8, SCTP_ABORT, 255, 2 * MS}, /* by the router, in the host's name */
        {9, SCTP_INIT_ACK, 62, 14 * MS},
        {99, 0, 0, 0}, /* a port of another protocol is none */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct small_net net;
        struct arrival arrival;
        bool answered = ask(cases[i].port, 64, &init, false, &net, &arrival);
        cr_assert_eq(answered, cases[i].chunk != 0, "port %u", cases[i].port);
        if (answered) {
            cr_expect_eq(arrival.sctp.chunk, cases[i].chunk, "port %u", cases[i].port);
            cr_expect_eq(arrival.sctp.flags, 0);
            cr_expect_eq(arrival.sctp.tag, init.initiate_tag, "port %u", cases[i].port);
            cr_expect_eq(arrival.sctp.src_port, cases[i].port);
            cr_expect_eq(arrival.sctp.dst_port, 40000);
            cr_expect_eq(arrival.sctp.initiate_tag != 0, cases[i].chunk == SCTP_INIT_ACK);
            cr_expect_not(arrival.sctp.cut);
            cr_expect_eq(arrival.rx.reply_ttl, cases[i].reply_ttl, "port %u", cases[i].port);
            cr_expect_eq(arrival.time_ns, cases[i].rtt, "port %u", cases[i].port);
            uint32_t sent = sctp_checksum(arrival.ip.payload);
            struct rd rd = rd_init(span_sub(arrival.ip.payload, SCTP_CHECKSUM_AT, 4));
            cr_expect_eq(rd_u32(&rd), sent, "port %u", cases[i].port);
        }
        small_net_close(&net);
    }
}

Test(sim_sctp, every_init_is_the_first_one)
{
    struct small_net net;
    small_net_open(&net, network);
    for (uint32_t i = 0; i < 5; i++) {
        struct sctp_packet again = init;
        again.initiate_tag += i / 2;
        small_net_sctp(&net, i, 1, 64, &again, false);
    }
    cr_expect_eq(small_net_count(&net, 100 * SONDE_NS_PER_S), 5);
    small_net_close(&net);
}

Test(sim_sctp, who_passes_an_init_on_says_when_it_expires_or_is_refused)
{
    static const struct {
        uint16_t port;
        uint8_t ttl;
        bool damaged;
        uint8_t type;
        uint8_t code;
    } cases[] = {
        {1, 1, false, ICMP4_TIME_EXCEEDED, 0},
        {1, 1, true, ICMP4_TIME_EXCEEDED, 0}, /* routers look at no checksum but IP's */
        {4, 64, false, ICMP4_UNREACHABLE, ICMP4_CODE_PROTOCOL},
        {7, 64, false, ICMP4_UNREACHABLE, 13},
        /* nf_reject_verify_csum() verifies no CRC32c: refused all the same */
        {7, 64, true, ICMP4_UNREACHABLE, 13},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct small_net net;
        struct arrival arrival;
        cr_assert(ask(cases[i].port, cases[i].ttl, &init, cases[i].damaged, &net, &arrival));
        cr_expect_eq(arrival.rx.kind, SONDE_RX_ERROR);
        cr_expect_eq(arrival.rx.icmp_type, cases[i].type, "case %zu", i);
        cr_expect_eq(arrival.rx.icmp_code, cases[i].code, "case %zu", i);
        cr_expect_eq(arrival.rx.protocol, IP_PROTO_SCTP);
        cr_expect_eq(arrival.rx.local_port, 40000);
        small_net_close(&net);
    }
}

/* RFC 9260 §6.8: a host drops what has a wrong checksum; §8.4: what is no INIT is another matter.
 */
Test(sim_sctp, a_host_answers_nothing_else)
{
    static const uint8_t chunks[] = {0 /* DATA */, SCTP_INIT_ACK, SCTP_ABORT};
    struct small_net net;
    struct arrival arrival;
    for (uint16_t port = 1; port <= 4; port++) {
        cr_expect_not(ask(port, 64, &init, true, &net, &arrival), "port %u", port);
        small_net_close(&net);
        for (size_t i = 0; i < sizeof chunks; i++) {
            struct sctp_packet other = init;
            other.chunk = chunks[i];
            cr_expect_not(ask(port, 64, &other, false, &net, &arrival), "port %u", port);
            small_net_close(&net);
        }
    }
}

Test(sim_sctp, what_a_forger_changes_is_the_tag_that_proves_the_answer)
{
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, SMALL_NET_VANTAGE "router r 10.0.0.1\n"
                                           "host h 203.0.113.1 sctp:1=open\n"
                                           "path h r\n"
                                           "rule r forge sctp dir=back\n");
    small_net_sctp(&net, 0, 1, 64, &init, false);
    cr_assert(small_net_recv(&net, SONDE_NS_PER_S, &arrival));
    cr_expect_eq(arrival.sctp.tag, ~init.initiate_tag);
    cr_expect_eq(arrival.sctp.dst_port, 40000);
    small_net_close(&net);
}
