/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service that stays silent changes in the probing: suspects, controls and standbys. */
#include "tests/unit/engine/fake_net.h"

#include <criterion/criterion.h>

/* Service 1 is dropped by the last router. */
static void drop_service_1(struct net *net, const struct sonde_tx *tx)
{
    if (!net_expires(net, tx) && net_service_of(tx) != 1)
        net_reply(net, tx, net_rtt(net));
}

Test(suspect, a_standby_that_is_begun_just_as_a_cycle_begins_is_asked_once_in_it)
{
    struct engine_config config = net_config();
    config.cycles = 4;
    /* A round trip takes 2 * 5 * 2 ms. What is silent for two of them and 50 ms is a suspect, and
     * then a cycle begins. */
    config.interval_ns = 2 * 20 * MS + 50 * MS;
    struct net *net = net_new(&config);
    net->on_probe = drop_service_1;
    net_add(net, "icmp tcp +tcp");
    engine_start(net->engine, 0);
    net_run(net);
    cr_expect_eq(net_count(net, 0, 0, true), 4);
    cr_expect_eq(net_count(net, 1, 0, true), 4);
    cr_expect_eq(net_count(net, 2, 0, true), 3); /* in all but the first */
    net_free(net);
}

Test(suspect, a_standby_is_not_asked_while_its_protocol_is_answered)
{
    struct engine_config config = net_config();
    config.cycles = 4;
    struct net *net = net_new(&config);
    net->on_probe = drop_service_1;
    net_add(net, "icmp tcp tcp +tcp +udp");
    engine_start(net->engine, 0);
    net_run(net);
    cr_expect_eq(net_count(net, 2, 0, true), 4);
    cr_expect_eq(net_count(net, 3, 0, true), 0);
    cr_expect_eq(net_count(net, 4, 0, true), 0);
    net_free(net);
}
