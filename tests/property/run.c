/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs; see tests/property/run.h. A transport is put between the run and the simulated network
 * that keeps a copy of the first probe of each flow, for the truth to be found with.
 */
#include "tests/property/run.h"

#include "probe/probe.h"
#include "run/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A transport that takes notes. */
struct watcher {
    struct sonde_transport transport;
    struct sonde_transport *inner;
    struct truth_flow flows[RUN_FLOWS_MAX];
    uint32_t count;
    sonde_ns last_ns; /* when the last probe left */
};

static struct watcher *watcher_of(struct sonde_transport *transport)
{
    return (struct watcher *)transport; /* it is the first member */
}

static bool is_known(const struct watcher *watcher, const struct sonde_flow *flow)
{
    for (uint32_t i = 0; i < watcher->count; i++) {
        const struct sonde_flow *known = &watcher->flows[i].flow;
        if (known->protocol == flow->protocol && known->dst_port == flow->dst_port &&
            known->src_port == flow->src_port)
            return true;
    }
    return false;
}

static void take_note(struct watcher *watcher, const struct sonde_tx *tx)
{
    if (is_known(watcher, tx->flow))
        return;
    if (watcher->count == RUN_FLOWS_MAX)
        abort();
    struct truth_flow *flow = &watcher->flows[watcher->count++];
    flow->flow = *tx->flow;
    flow->len = tx->segment.len < sizeof flow->bytes ? tx->segment.len : sizeof flow->bytes;
    memcpy(flow->bytes, tx->segment.data, flow->len);
}

static int watcher_bind(struct sonde_transport *transport, struct sonde_flow *flow, uint32_t nth)
{
    struct sonde_transport *inner = watcher_of(transport)->inner;
    return inner->ops->bind(inner, flow, nth);
}

static uint32_t watcher_send(struct sonde_transport *transport, const struct sonde_tx *txs,
                             uint32_t count, struct sonde_sent *ret_sents)
{
    struct watcher *watcher = watcher_of(transport);
    uint32_t tried = watcher->inner->ops->send(watcher->inner, txs, count, ret_sents);
    for (uint32_t i = 0; i < tried; i++)
        take_note(watcher, &txs[i]);
    watcher->last_ns = ret_sents[0].stamp.time_ns;
    return tried;
}

static int watcher_recv(struct sonde_transport *transport, sonde_ns now_ns, struct sonde_rx *ret_rx)
{
    struct sonde_transport *inner = watcher_of(transport)->inner;
    return inner->ops->recv(inner, now_ns, ret_rx);
}

static int watcher_wait(struct sonde_transport *transport, sonde_ns until_ns, sonde_ns *ret_now_ns)
{
    struct sonde_transport *inner = watcher_of(transport)->inner;
    return inner->ops->wait(inner, until_ns, ret_now_ns);
}

static uint64_t watcher_lost_here(struct sonde_transport *transport)
{
    struct sonde_transport *inner = watcher_of(transport)->inner;
    return inner->ops->lost_here(inner);
}

static sonde_ns watcher_slept_ns(struct sonde_transport *transport)
{
    struct sonde_transport *inner = watcher_of(transport)->inner;
    return inner->ops->slept_ns(inner);
}

static struct sonde_transport *watcher_free(struct sonde_transport *transport)
{
    struct sonde_transport *inner = watcher_of(transport)->inner;
    return inner->ops->free(inner);
}

static const struct sonde_transport_ops watcher_ops = {
    .bind = watcher_bind,
    .send = watcher_send,
    .recv = watcher_recv,
    .wait = watcher_wait,
    .lost_here = watcher_lost_here,
    .slept_ns = watcher_slept_ns,
    .free = watcher_free,
};

static void must(bool holds, const struct network *network, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "%s\n%s\n", network->scenario.data, what);
    abort();
}

static struct sim_scenario *parse(const struct network *network)
{
    struct sonde_span text = {(const uint8_t *)network->scenario.data, network->scenario.len};
    struct sim_scenario *scenario = NULL;
    struct sim_error error = {0};
    must(scenario_parse(text, &scenario, &error) == 0, network, error.text);
    return scenario;
}

static struct sonde_snapshot *measure(const struct network *network, struct watcher *watcher)
{
    const struct sonde_options *options = &network->options;
    struct sonde_vantage *vantage = NULL;
    struct sonde_run *run = NULL;
    struct sonde_snapshot *snapshot = NULL;
    struct sonde_error error;
    must(sonde_vantage_new(&options->vantage, &options->simulation, &vantage, &error) == 0, network,
         error.text);
    must(sonde_run_new(vantage, &options->plan, &options->format, &options->judgement, &run,
                       &error) == 0,
         network, error.text);
    *watcher = (struct watcher){.transport.ops = &watcher_ops, .inner = vantage->transport};
    vantage->transport = &watcher->transport;
    int r = sonde_run_add(run, network->host, network->host, network->services,
                          network->service_count, NULL);
    must(r == 0, network, "it cannot be added");
    must(sonde_run_start(run) == 0, network, "it cannot be started");
    while (r == 0 && !sonde_run_is_over(run)) {
        r = sonde_vantage_step(vantage);
        if (r == 0 && !sonde_run_is_over(run))
            r = sonde_vantage_wait(vantage, SONDE_NS_NEVER);
    }
    must(r == 0, network, "the run breaks off");
    must(sonde_run_snapshot(run, &snapshot) == 0, network, "there is no snapshot");
    sonde_vantage_free(vantage);
    return snapshot;
}

void run_make(const struct network *network, struct run *ret_run)
{
    static struct sim_network clean; /* large, and made anew for each run */
    struct watcher watcher;
    ret_run->scenario = parse(network);
    ret_run->snapshot = measure(network, &watcher);
    struct sim_scenario *copy = parse(network);
    truth_clean(copy);
    must(network_init(&clean, copy) == 0, network, "out of memory");
    const struct sonde_target_result *target = &ret_run->snapshot->targets[0];
    for (size_t i = 0; i < target->service_count; i++) {
        uint8_t protocol = probe_by_name(target->services[i].protocol)->protocol;
        struct truth *truth = &ret_run->truths[i];
        truth->count = 0;
        for (uint32_t k = 0; k < watcher.count; k++) {
            const struct truth_flow *flow = &watcher.flows[k];
            if (flow->flow.protocol == protocol && flow->flow.dst_port == target->services[i].port)
                truth_find(ret_run->scenario, &clean, flow, watcher.last_ns, truth);
        }
        must(truth->count > 0, network, "a service of the snapshot was never probed");
    }
    network_deinit(&clean);
    scenario_free(copy);
}

void run_free(struct run *run)
{
    sonde_snapshot_free(run->snapshot);
    scenario_free(run->scenario);
}
