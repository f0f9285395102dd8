/* SPDX-License-Identifier: BSD-2-Clause */
/* What a snapshot says that is known neither from the tally nor from the targets. */
#include "base/time.h"
#include "io/linux/linux.h"
#include "run/replay.h"

#include <stdio.h>

void run_find_interface(const struct sonde_run *run, char name[INTERFACE_BYTES])
{
    const struct sonde_vantage *vantage = run->vantage;
    const char *known = vantage->options.interface;
    if (vantage->kind == SONDE_TRANSPORT_SIMULATED || run->seen_from == NO_TARGET)
        known = vantage->interface; /* a scenario names its own */
    if (run->has_interface)
        known = run->interface;
    if (known != NULL)
        (void)snprintf(name, INTERFACE_BYTES, "%s", known);
    else
        linux_interface_of(&run->targets[run->seen_from].source, name, INTERFACE_BYTES);
}

struct sonde_settings run_settings(const struct sonde_run *run)
{
    return (struct sonde_settings){
        .cycles = run->plan.cycles,
        .interval_ns = run->plan.interval_ns,
        .timeout_ns = run->plan.timeout_ns,
        .first_ttl = run->plan.first_ttl,
        .max_ttl = run->plan.max_ttl,
        .size_bytes = run->format.size_bytes,
        .tos = run->format.tos,
    };
}

struct run_facts run_facts(const struct sonde_run *run)
{
    const struct sonde_vantage *vantage = run->vantage;
    if (run->replay != NULL)
        return replay_facts(run->replay);
    struct run_facts facts = {
        .end_ns = ns_min(run->end_ns, vantage->now_ns),
        .complete = engine_ended(run->engine_run) == ENGINE_COMPLETE,
        .failure = vantage->failure,
        .receive_queue = vantage->transport->ops->lost_here(vantage->transport) - run->lost_before,
    };
    for (int reason = 0; reason < SONDE_DISCARD_COUNT; reason++)
        facts.discards[reason] = engine_discards(vantage->engine)->count[reason] -
                                 run->discards_before.count[reason] +
                                 engine_run_discards(run->engine_run)->count[reason];
    return facts;
}

struct run_next_hop run_next_hop(const struct sonde_run *run, const struct run_target *target)
{
    return run->next_hops != NULL ? run->next_hops[target - run->targets]
                                  : run_ask_next_hop(run, target);
}

uint16_t run_source_port(const struct sonde_run *run, const struct engine_place *place)
{
    if (run->replay != NULL)
        return run->replay->ports[place->target][place->trace];
    return engine_flow_at(run->engine_run, place)->src_port;
}

const char *run_version(const struct sonde_run *run)
{
    return run->replay != NULL ? run->replay->version : sonde_version();
}
