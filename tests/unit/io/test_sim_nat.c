/* SPDX-License-Identifier: BSD-2-Clause */
/* Translators on a simulated path. */
#include "tests/unit/io/small_net.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char behind[] = "router a 10.0.0.1\nrouter b 10.0.0.2\nrouter c 10.0.0.3\n"
                             "host h 203.0.113.1 udp:7=echo\n"
                             "path h a b c\n";

/* Does the answer to a datagram from port 5 come back to it, as if nothing had been translated? */
static bool comes_back(const char *nats)
{
    struct small_net net;
    struct arrival arrival;
    char text[512];
    (void)snprintf(text, sizeof text, "%s%s%s", SMALL_NET_VANTAGE, behind, nats);
    small_net_open(&net, text);
    small_net_ask(&net, 0, 5, 7, 64, "?");
    bool came = small_net_recv(&net, 100 * MS, &arrival);
    if (came) {
        cr_expect(sonde_addr_equal(&arrival.ip.dst, &net.scenario->vantage4), "%s", nats);
        cr_expect_eq(arrival.rx.local_port, 5, "%s", nats);
        cr_expect_eq(arrival.rx.remote_port, 7, "%s", nats);
    }
    small_net_close(&net);
    return came;
}

Test(sim_nat, what_translators_did_is_undone_by_each_of_them)
{
    cr_expect(comes_back("nat a 198.51.100.1 port=+7\n"));
    cr_expect(comes_back("nat a 198.51.100.1 port=+7\nnat b 198.51.100.2 port=+100\n"));
    cr_expect(comes_back("nat b 198.51.100.1 port=+7\nnat c 198.51.100.1 port=+100\n"));
    cr_expect(comes_back("nat a 198.51.100.1\nnat b 198.51.100.2\nnat c 198.51.100.1 port=+1\n"));
}

Test(sim_nat, an_error_from_between_two_translators_passes_the_first_only)
{
    struct small_net net;
    struct arrival arrival;
    char text[512];
    (void)snprintf(text, sizeof text, "%s%snat a 198.51.100.1 port=+7\nnat b 198.51.100.1\n",
                   SMALL_NET_VANTAGE, behind);
    small_net_open(&net, text);
    small_net_ask(&net, 0, 5, 7, 2, "?");
    cr_assert(small_net_recv(&net, 100 * MS, &arrival));
    cr_expect(sonde_addr_equal(&arrival.ip.dst, &net.scenario->vantage4));
    cr_expect_eq(arrival.rx.from.bytes[3], 2);
    cr_expect_eq(arrival.rx.local_port, 12); /* quotes are not translated back: 5 + 7 */
    small_net_close(&net);
}

Test(sim_nat, who_is_asked_in_a_loop_behind_a_translator_answers_the_vantage)
{
    static const char text[] = SMALL_NET_VANTAGE "router a 10.0.0.1\nrouter b 10.0.0.2\n"
                                                 "host h 203.0.113.1\n"
                                                 "path h loop a b\n"
                                                 "nat b 198.51.100.1\n";
    struct small_net net;
    struct arrival arrival;
    small_net_open(&net, text);
    for (uint8_t ttl = 1; ttl <= 6; ttl++) {
        small_net_ask(&net, 0, 5, 7, ttl, "?");
        cr_assert(small_net_recv(&net, 100 * MS, &arrival), "TTL %u", ttl);
        cr_expect_eq(arrival.rx.from.bytes[3], ttl % 2 == 1 ? 1 : 2);
        cr_expect(sonde_addr_equal(&arrival.ip.dst, &net.scenario->vantage4));
    }
    small_net_close(&net);
}
