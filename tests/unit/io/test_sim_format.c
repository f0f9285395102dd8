/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes of one flow with different sizes, DF and ECN in the simulated network: what does not fit a
 * link is refused only where it may not be divided, and an error quotes each as it was sent.
 */
#include "base/time.h"
#include "io/sim/network.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 100, BIG = 700, MTU = 600 };

static const char text[] = "vantage v 192.0.2.1 2001:db8::1\n"
                           "router r 10.0.0.1 2001:db8::a\n"
                           "host h 203.0.113.1 2001:db8::b mtu=600 udp:7=silent\n"
                           "path h r\n";

/* What comes back of a datagram, and what of it an error quotes. */
struct word {
    int outcome; /* ICMP type << 8 | code; -1: nothing */
    uint32_t mtu_bytes;
    struct sonde_quote quote;
};

static struct word ask(bool ipv6, size_t size, uint8_t ttl, uint8_t tos, bool dont_fragment)
{
    static uint8_t segment[BIG];
    struct sim_scenario *scenario = NULL;
    struct sim_error error;
    struct sim_network network;
    const struct sonde_span scenario_text = {(const uint8_t *)text, strlen(text)};
    cr_assert_eq(scenario_parse(scenario_text, &scenario, &error), 0, "%s", error.text);
    cr_assert_eq(network_init(&network, scenario), 0);
    struct sonde_flow flow = {.protocol = IP_PROTO_UDP, .src_port = 40000, .dst_port = 7};
    flow.src = ipv6 ? scenario->vantage6 : scenario->vantage4;
    cr_assert_eq(sonde_addr_parse(ipv6 ? "2001:db8::b" : "203.0.113.1", &flow.dst), 0);
    size_t len = size - (ipv6 ? 40 : 20);
    const uint8_t header[] = {40000 >> 8, 40000 & 0xff, 0, 7, (uint8_t)(len >> 8), (uint8_t)len};
    memset(segment, 0, sizeof segment);
    memcpy(segment, header, sizeof header);
    const struct sonde_tx tx = {
        .flow = &flow,
        .segment = {segment, len},
        .ttl = ttl,
        .tos = tos,
        .dont_fragment = dont_fragment,
        .id = 1,
    };
    sonde_ns time = 0;
    struct word word = {.outcome = -1};
    struct sonde_rx rx;
    cr_assert_eq(network_send(&network, &tx, 0), 0);
    struct sim_packet *packet = network_run(&network, SONDE_NS_PER_S, &time);
    if (packet != NULL) {
        cr_assert_eq(packet_decode((struct sonde_span){packet->bytes, packet->len}, &rx), 0);
        word = (struct word){rx.icmp_type << 8 | rx.icmp_code, rx.icmp_info, rx.quote};
    }
    free(packet);
    network_deinit(&network);
    scenario_free(scenario);
    return word;
}

Test(sim_format, what_is_too_big_is_refused_only_if_it_may_not_be_divided)
{
    cr_expect_eq(ask(false, BIG, 64, 0, false).outcome, -1);
    cr_expect_eq(ask(false, SMALL, 64, 0, true).outcome, -1);
    cr_expect_eq(ask(true, SMALL, 64, 0, false).outcome, -1);
    struct word word = ask(false, BIG, 64, 0, true);
    cr_expect_eq(word.outcome, 3 << 8 | 4); /* fragmentation needed and DF set: RFC 792 */
    cr_expect_eq(word.mtu_bytes, MTU);      /* RFC 1191 §4 */
    word = ask(true, BIG, 64, 0, false);
    cr_expect_eq(word.outcome, 2 << 8); /* packet too big: RFC 4443 §3.2 */
    cr_expect_eq(word.mtu_bytes, MTU);
}

Test(sim_format, an_error_quotes_ecn_and_df_of_each_probe)
{
    for (unsigned k = 0; k < 16; k++) {
        bool ipv6 = k >= 8;
        uint8_t tos = (uint8_t)(10 << 2 | (k & 3));
        struct word word = ask(ipv6, SMALL, 1, tos, (k & 4) != 0);
        cr_expect_eq(word.outcome, ipv6 ? 3 << 8 : 11 << 8); /* time exceeded */
        cr_expect(word.quote.has_header);
        cr_expect_eq(word.quote.tos, tos);
        cr_expect_eq(word.quote.dont_fragment, ipv6 || (k & 4) != 0);
        cr_expect_eq(word.quote.ttl, 1);
    }
}
