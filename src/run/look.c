/* SPDX-License-Identifier: BSD-2-Clause */
/* What the analysis has to know of a target; see run/look.h. */
#include "run/look.h"
#include "run/history.h"

#include "base/time.h"

static struct analyze_limits limits_of(const struct sonde_limits *limits)
{
    if (!limits->set)
        return (struct analyze_limits){0, -1};
    return (struct analyze_limits){limits->rtt_ns, limits->loss_ratio};
}

/* What a service is asked, in words of the analysis. */
static const struct analyze_question *take_questions(struct arena *arena,
                                                     const struct run_target *target,
                                                     const struct run_service *service,
                                                     uint32_t *ret_count)
{
    const struct payload_ops *asked[SONDE_QUESTIONS_MAX];
    size_t count = run_questions(target, service, asked);
    struct analyze_question *questions = arena_alloc(arena, count, sizeof *questions);
    for (size_t i = 0; questions != NULL && i < count; i++)
        questions[i] = (struct analyze_question){asked[i]->topic, asked[i]->like};
    *ret_count = questions != NULL ? (uint32_t)count : 0;
    return questions;
}

/* Fill in what is known of a trace, as a target sees it. @return Which flow of its service it is.
 */
static uint32_t know_trace(const struct sonde_run *run, const struct run_target *from,
                           struct engine_place place, struct arena *arena,
                           struct analyze_service *known)
{
    const struct run_target *owner = &run->targets[run->traced[place.target]];
    uint32_t flow;
    uint32_t index;
    uint32_t same;
    const struct run_service *service = run_service_at(run, &place, &flow);
    *known = (struct analyze_service){
        .protocol = service->ops->protocol,
        .control = true,
        .name = service->text,
        .silence = service->payload != NULL ? service->payload->silence : NULL,
        .first_trace = place.trace,
        .flow_count = 1,
    };
    known->questions = take_questions(arena, owner, service, &known->question_count);
    if (run_find_service(from, &place, &index, &same)) {
        known->control = from->services[index].control;
        known->expect = from->services[index].expect;
    }
    return flow;
}

/* Does nothing answer from behind the next hop, as far as is known? */
static bool is_cut_off(const struct tally_target *target)
{
    bool reached = false;
    bool next_door = false;
    for (uint32_t i = 0; i < target->service_count; i++) {
        reached |= target->services[i]->received > 0;
        next_door |= target->services[i]->reach.dest_ttl == 1;
    }
    return !reached || next_door;
}

/* May this machine have lost answers to the probes that tell what a target shows now? */
static bool has_lost(const struct sonde_run *run, const struct tally_target *tally, sonde_ns end_ns)
{
    sonde_ns since_ns = SONDE_NS_NEVER;
    for (uint32_t i = 0; i < tally->service_count; i++) {
        const struct tally_service *service = tally->services[i];
        sonde_ns own_ns =
            service->epochs.begins_later ? service->epochs.from_ns : service->since_ns;
        if (service->epochs.count > 0)
            since_ns = ns_min(since_ns, own_ns);
    }
    return vantage_has_lost(run->vantage, ns_max(since_ns, run->start_ns), end_ns,
                            run->plan.timeout_ns);
}

void target_look_at(const struct sonde_run *run, const struct run_target *from, uint32_t measured,
                    const struct run_facts *facts, struct arena *arena, struct run_look *look)
{
    const struct tally_target *tally = run->tally->targets[measured];
    for (uint32_t i = 0; i < tally->service_count; i++) {
        uint32_t index = tally_service_of(tally, i);
        struct analyze_service *service = &look->services[index];
        uint32_t flow =
            know_trace(run, from, (struct engine_place){measured, i}, arena, &look->traces[i]);
        look->traces[i].history = run_history(run, measured, index);
        if (flow == 0)
            *service = look->traces[i];
        else
            service->flow_count++;
    }
    look->measured = measured;
    look->traced = tally;
    look->next_hop = run_next_hop(run, from);
    look->common = (struct analyze_target){
        .services = look->services,
        .known = tally_by_service(tally),
        .warn = limits_of(&run->judgement.warn),
        .crit = limits_of(&run->judgement.crit),
        .zones = {run->vantage->zones, run->vantage->zone_count},
        .max_ttl = run->plan.max_ttl,
        .timeout_ns = run->plan.timeout_ns,
        .start_ns = run->start_ns,
        .now_ns = facts->end_ns,
        .wall_ns = ns_sub(run->wall_start_ns, run->start_ns),
        .lost_here = has_lost(run, tally, facts->end_ns),
        .is_own = sonde_addr_equal(&from->source, &from->addr),
        .is_deaf = run->vantage->kind == SONDE_TRANSPORT_UNPRIVILEGED,
        .next_hop = {.addr = look->next_hop.addr,
                     .interface = look->next_hop.interface,
                     .silent = look->next_hop.silent,
                     .user_mode = look->next_hop.user_mode},
    };
}

void target_see(const struct run_look *look, const struct tally_target *services,
                const struct tally_target *traces, struct run_seen *seen)
{
    seen->services = look->common;
    seen->services.next_hop.silent &= is_cut_off(services);
    seen->services.tally = services;
    seen->traces = seen->services;
    seen->traces.tally = traces;
    seen->traces.services = look->traces;
    seen->traces.known = look->traced;
    seen->services.traces = &seen->traces;
}
