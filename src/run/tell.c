/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the records of a run; see run/recorder.h. */
#include "base/time.h"
#include "run/recorder.h"

#include <errno.h>
#include <string.h>

void tell_run_start(const struct sonde_run *run, struct sonde_record_run_start *to)
{
    const struct sonde_vantage *vantage = run->vantage;
    *to = (struct sonde_record_run_start){
        .version = run_version(run),
        .settings = run_settings(run),
        .judgement = run->judgement,
        .hostname = vantage->hostname,
        .transport = vantage->kind,
        .lacks_icmp = vantage->lacks_icmp,
        .no_names = vantage->options.no_names,
        .family = vantage->options.family,
        .source = vantage->source,
    };
}

/* Find of which service the figures of another are. @return NO_TARGET; if that cannot be told yet:
 * of which target it is. */
static uint32_t find_measured(const struct sonde_run *run, uint32_t index, uint32_t service,
                              struct sonde_record_service *to)
{
    const struct run_target *target = &run->targets[index];
    uint32_t flow;
    to->measured_target = SONDE_RECORD_UNMEASURED;
    if (!run_is_placed(target, service))
        return NO_TARGET;
    const struct engine_place *place = &target->places[service];
    uint32_t owner = run->traced[place->target];
    if (owner == index) {
        to->measured_service = service;
    } else if (!run_find_service(&run->targets[owner], place, &to->measured_service, &flow) ||
               !members_has(&run->recorder->targets[owner].placed, to->measured_service)) {
        return owner;
    }
    to->measured_target = owner;
    return NO_TARGET;
}

/* The source ports of a service that is measured for itself. */
static const uint16_t *take_ports(const struct sonde_run *run, const struct run_target *target,
                                  uint32_t service)
{
    uint32_t flows = target->services[service].flows;
    uint16_t *ports = arena_alloc(&run->recorder->arena, flows, sizeof *ports);
    struct engine_place place = target->places[service];
    for (uint32_t i = 0; ports != NULL && i < flows; i++, place.trace++)
        ports[i] = run_source_port(run, &place);
    return ports;
}

/* @return As tell_target(). */
static uint32_t tell_service(const struct sonde_run *run, uint32_t index, uint32_t nth,
                             struct sonde_record_service *to)
{
    const struct run_target *target = &run->targets[index];
    const struct run_service *service = &target->services[nth];
    const struct payload_ops *asked[SONDE_QUESTIONS_MAX];
    *to = (struct sonde_record_service){
        .service = service->text,
        .protocol = service->ops->name,
        .port = service->port,
        .name = service->name,
        .control = service->control,
        .standby = service->standby,
        .removed = service->removed,
        .expect = service->expect,
        .payload = service->payload != NULL ? service->payload->name : NULL,
        .flows = service->flows,
        .error = target->errors != NULL ? -target->errors[nth] : 0,
    };
    to->asks_count = run_questions(target, service, asked);
    for (size_t i = 0; i < to->asks_count; i++)
        to->asks[i] = asked[i]->name;
    uint32_t missing = find_measured(run, index, nth, to);
    if (to->measured_target == index) {
        members_add(&run->recorder->targets[index].placed, nth);
        to->source_ports = take_ports(run, target, nth);
    }
    return missing;
}

static void tell_addresses(const struct sonde_run *run, const struct run_target *target,
                           struct sonde_record_target *to)
{
    struct sonde_record_address *addresses =
        arena_alloc(&run->recorder->arena, target->known_count, sizeof *addresses);
    for (uint32_t i = 0; addresses != NULL && i < target->known_count; i++)
        addresses[i] =
            (struct sonde_record_address){target->known[i], (target->asked >> i & 1) != 0};
    to->addresses = addresses;
    to->address_count = addresses != NULL ? target->known_count : 0;
}

uint32_t tell_target(struct sonde_run *run, uint32_t index, struct sonde_record_target *to)
{
    const struct run_target *target = &run->targets[index];
    struct sonde_record_service *services =
        arena_alloc(&run->recorder->arena, target->service_count, sizeof *services);
    uint32_t missing = NO_TARGET;
    *to = (struct sonde_record_target){
        .target = index,
        .first = target->eldest,
        .input = target->input,
        .host = target->host,
        .address = target->addr,
        .source = target->source,
        .problem = target->problem,
        .problem_text = target->problem_text,
        .services = services,
        .service_count = services != NULL ? target->service_count : 0,
    };
    tell_addresses(run, target, to);
    for (uint32_t i = 0; services != NULL && i < target->service_count; i++) {
        uint32_t other = tell_service(run, index, i, &services[i]);
        missing = other != NO_TARGET ? other : missing;
    }
    run->recorder->targets[index].is_told = true;
    return missing;
}

void tell_probe(const struct sonde_run *run, const struct sonde_event *event,
                struct sonde_record_probe *to)
{
    const struct run_target *target = &run->targets[event->target];
    *to = (struct sonde_record_probe){
        .event = *event,
        .address = target->addr,
        .service = target->services[event->service].text,
    };
    to->event.sent_ns = ns_add(run->wall_start_ns, ns_sub(event->sent_ns, run->start_ns));
}

int tell_run_end(struct sonde_run *run, struct sonde_record_run_end *to)
{
    struct sonde_snapshot *snapshot;
    int r = sonde_run_snapshot(run, &snapshot);
    if (r < 0)
        return r;
    const struct run_facts facts = run_facts(run);
    *to = (struct sonde_record_run_end){
        .status = snapshot->status,
        .exit_code = sonde_snapshot_exit(snapshot),
        .ended_ns = snapshot->started_wall_ns + snapshot->duration_ns,
        .complete = facts.complete,
        .interrupted = run->interrupted,
        .failure = -facts.failure,
    };
    sonde_snapshot_free(snapshot);
    return 0;
}
