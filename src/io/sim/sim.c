/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated network as a transport; see io/sim/sim.h. */
#include "io/sim/sim.h"

#include "base/time.h"
#include "io/clock.h"
#include "io/sim/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_PORT = 40000 /* source ports are handed out from here on */ };

struct sim {
    struct sonde_transport transport;
    struct sim_config config;
    struct sim_scenario *scenario;
    struct sim_network network;
    sonde_ns start_ns;          /* real time: what the clock said when the scenario's time was 0 */
    sonde_ns now_ns;            /* the scenario's time, as last told or reached */
    struct sim_packet *arrived; /* the packet that the last recv() lent out */
};

static struct sim *sim_of(struct sonde_transport *transport)
{
    return (struct sim *)transport; /* it is the first member */
}

const struct sim_scenario *sim_scenario_of(const struct sonde_transport *transport)
{
    return ((const struct sim *)transport)->scenario;
}

static int sim_bind(struct sonde_transport *transport, struct sonde_flow *flow, uint32_t nth)
{
    struct sim *sim = sim_of(transport);
    const struct sonde_addr *vantage =
        flow->dst.family == SONDE_FAMILY_IPV6 ? &sim->scenario->vantage6 : &sim->scenario->vantage4;
    if (vantage->family == SONDE_FAMILY_NONE)
        return -ENETUNREACH;
    if (network_find_host(sim->scenario, &flow->dst) == UINT32_MAX)
        return -EHOSTUNREACH;
    if (flow->src.family != SONDE_FAMILY_NONE && !sonde_addr_equal(&flow->src, vantage))
        return -EADDRNOTAVAIL;
    flow->src = *vantage;
    if (flow->src_port == 0)
        flow->src_port = (uint16_t)(SOURCE_PORT + nth % 1024);
    else if (nth > 0 && flow->protocol != IP_PROTO_ICMP)
        return -EADDRINUSE;
    return 0;
}

static sonde_ns sim_now(struct sim *sim)
{
    if (!sim->config.virtual_time)
        sim->now_ns = ns_max(sim->now_ns, ns_sub(clock_monotonic_ns(), sim->start_ns));
    return sim->now_ns;
}

static uint32_t sim_send(struct sonde_transport *transport, const struct sonde_tx *txs,
                         uint32_t count, struct sonde_sent *ret_sents)
{
    (void)count; /* one at a time is as fast */
    struct sim *sim = sim_of(transport);
    sonde_ns now = sim_now(sim);
    *ret_sents = (struct sonde_sent){.stamp = {now, SONDE_CLOCK_SIMULATED}};
    ret_sents->error = network_send(&sim->network, txs, now);
    if (ret_sents->error == -EMSGSIZE)
        ret_sents->mtu_bytes = sim->network.refused_mtu_bytes;
    return 1;
}

static int sim_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx)
{
    struct sim *sim = sim_of(transport);
    sonde_ns time = 0;
    free(sim->arrived);
    sim->arrived = network_run(&sim->network, now_ns, &time);
    if (sim->arrived == NULL)
        return -EAGAIN;
    ret_rx->stamp = (struct sonde_stamp){time, SONDE_CLOCK_SIMULATED};
    return packet_decode((struct sonde_span){sim->arrived->bytes, sim->arrived->len}, ret_rx);
}

static int sim_wait(struct sonde_transport *transport, sonde_ns until_ns, sonde_ns *ret_now_ns)
{
    struct sim *sim = sim_of(transport);
    sonde_ns next = ns_min(until_ns, network_next_ns(&sim->network));
    if (sim->config.virtual_time) {
        if (next == SONDE_NS_NEVER)
            return -EDEADLK; /* nothing will ever happen again */
        sim->now_ns = ns_max(sim->now_ns, next);
        *ret_now_ns = sim->now_ns;
        return 0;
    }
    int r = 0;
    if (next > sim_now(sim))
        r = clock_poll(NULL, 0, sim->config.watch, ns_add(sim->start_ns, next));
    *ret_now_ns = sim_now(sim);
    return r;
}

static sonde_ns sim_watch(struct sonde_transport *transport, struct io_watch *watch)
{
    (void)watch;
    return network_next_ns(&sim_of(transport)->network);
}

static uint64_t sim_lost_here(struct sonde_transport *transport)
{
    (void)transport;
    return 0;
}

/* While the machine sleeps, so does the network that it makes up. */
static sonde_ns sim_slept_ns(struct sonde_transport *transport)
{
    (void)transport;
    return 0;
}

static struct sonde_transport *sim_free(struct sonde_transport *transport)
{
    struct sim *sim = sim_of(transport);
    free(sim->arrived);
    network_deinit(&sim->network);
    scenario_free(sim->scenario);
    free(sim);
    return NULL;
}

static const struct sonde_transport_ops sim_ops = {
    .bind = sim_bind,
    .send = sim_send,
    .recv = sim_recv,
    .wait = sim_wait,
    .watch = sim_watch,
    .lost_here = sim_lost_here,
    .slept_ns = sim_slept_ns,
    .free = sim_free,
};

int sim_new(struct sim_scenario *scenario, const struct sim_config *config,
            struct sonde_transport **ret_transport)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL || network_init(&sim->network, scenario) < 0) {
        free(sim);
        scenario_free(scenario);
        return -ENOMEM;
    }
    sim->transport.ops = &sim_ops;
    sim->config = *config;
    sim->scenario = scenario;
    sim->start_ns = config->virtual_time ? 0 : clock_monotonic_ns();
    *ret_transport = &sim->transport;
    return 0;
}
