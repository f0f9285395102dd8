/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces: what every service of every target will be probed with. */
#include "base/time.h"
#include "run/history.h"
#include "run/recorder.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the user typed, if it is a name that a question may carry; NULL if not. */
static const char *usable_host(struct arena *arena, const char *host)
{
    char *name = arena_string(arena, host);
    size_t len = name != NULL ? strlen(name) : 0;
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0'; /* the root's own label, with which a name is complete */
    return len > 0 && payload_host_is_usable(name) ? name : NULL;
}

void run_problem(struct sonde_run *run, struct run_target *target, enum sonde_code code,
                 const char *text)
{
    target->problem = code;
    target->problem_text = text;
    recorder_note_target(run, (uint32_t)(target - run->targets));
}

enum sonde_code run_problem_code(int error)
{
    switch (error) {
    case -EPERM:
    case -EPROTONOSUPPORT:
    case -EOPNOTSUPP:
    case -ESOCKTNOSUPPORT:
    case -EMLINK:
        return SONDE_CODE_NO_PERMISSION;
    case -EADDRINUSE:
    case -ENOMEM:
    case -ENOSPC:
        return SONDE_CODE_INCONCLUSIVE;
    default:
        return SONDE_CODE_NO_ROUTE;
    }
}

const char *run_problem_text(int error)
{
    switch (error) {
    case -EOPNOTSUPP:
        return "to choose the source port of TCP probes takes raw sockets";
    case -ESOCKTNOSUPPORT:
        return "SCTP takes raw sockets (see sonde --doctor)";
    case -EMLINK:
        return "several flows of a TCP port take raw sockets (see sonde --doctor)";
    case -ENOMEM:
        return "too little memory to probe it";
    case -ENOSPC:
        return "too many targets";
    case -EADDRINUSE:
        return "two questions to one port take two source ports";
    case -EPROTONOSUPPORT:
        return "this system has no sockets for that protocol";
    case -EDESTADDRREQ:
        return "a link-local address needs a zone, as in fe80::1%eth0";
    case -ENOTUNIQ:
        return "not the address of a single host";
    default:
        return analyze_error_text(-error);
    }
}

/* Why a service cannot be probed, in words. */
static const char *service_problem_text(const struct sonde_run *run,
                                        const struct run_service *service, int error)
{
    return run->vantage->lacks_icmp && !service->ops->has_ports
               ? "ICMP is not permitted; allow it with: " SONDE_ALLOW_ICMP
               : run_problem_text(error);
}

static int add_to_engine(struct sonde_run *run, const struct run_service *service,
                         const struct sonde_spec *spec)
{
    return service->standby ? engine_add_standby(run->engine_run, service->ops, spec)
                            : engine_add_trace(run->engine_run, service->ops, spec);
}

/* Begin the cycles of a target. Before the first one nothing could leave. */
static void begin(struct sonde_run *run, uint32_t nth)
{
    if (!run->begun) {
        run->begun = true;
        run_note_time(run);
    }
    engine_begin_target(run->engine_run, nth, run->vantage->now_ns);
}

void run_begin(struct sonde_run *run)
{
    run->running = true;
    for (uint32_t nth = 0; nth < run->tally->target_count; nth++) {
        if (run->tally->targets[nth] != NULL)
            begin(run, nth);
    }
}

void run_note_vantage(struct sonde_run *run, uint32_t index)
{
    if (run->seen_from == NO_TARGET || run->seen_from > index)
        run->seen_from = index;
}

/* Flows for the services of a target: a spec for each, in their order, but for those of services
 * that are measured elsewhere. */
struct flows {
    struct sonde_spec specs[TARGET_FLOWS_MAX];
    uint32_t count;
    bool own[TARGET_SERVICES_MAX]; /* by service: it has its flows here */
};

/* Can a service be done without? What stands by can, and so can what this transport has not. */
static bool can_do_without(const struct run_service *service, int error)
{
    return error != -ENOMEM && (service->standby || error == -ESOCKTNOSUPPORT || error == -EMLINK);
}

/* Find a flow for every service that cannot be done without. @return 0; a negative errno that makes
 * the target untraceable, and in @p ret_failed for which service. */
static int bind_flows(struct sonde_run *run, struct run_target *target, struct flows *flows,
                      uint32_t *ret_failed)
{
    bool any = false; /* of those that do not stand by */
    int last = 0;
    flows->count = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct run_service *service = &target->services[i];
        flows->own[i] = false;
        if (service->removed)
            continue;
        int r = run_bind_service(run, target, service, &flows->specs[flows->count]);
        flows->own[i] = r == 0;
        flows->count += r == 0 ? service->flows : 0;
        if (r == 0 || (r == -EADDRINUSE && run_share_one(run, target, i))) {
            any |= !service->standby;
            continue;
        }
        target->places[i].target = NOT_TRACED;
        if (!can_do_without(service, r)) {
            *ret_failed = i;
            return r;
        }
        if (!service->standby) {
            target->errors[i] = last = r;
            *ret_failed = i;
        }
    }
    return any ? 0 : last;
}

int run_note_traced(struct sonde_run *run, uint32_t nth, uint32_t index)
{
    if (nth == run->tally->target_count) {
        uint32_t *traced = realloc(run->traced, (nth + 1) * sizeof *traced);
        if (traced == NULL)
            return -ENOMEM;
        run->traced = traced;
        struct members *wanted = realloc(run->wanted, (nth + 1) * sizeof *wanted);
        if (wanted == NULL)
            return -ENOMEM;
        run->wanted = wanted;
        struct run_histories *histories = realloc(run->histories, (nth + 1) * sizeof *histories);
        if (histories == NULL)
            return -ENOMEM;
        run->histories = histories;
        histories[nth] = (struct run_histories){.count = 0};
    }
    run->traced[nth] = index;
    return 0;
}

/* Put a target into engine and tally. */
static int add_target(struct sonde_run *run, uint32_t index, const struct flows *flows)
{
    struct run_target *target = &run->targets[index];
    uint32_t nth = tally_next_target(run->tally);
    int r = run_note_traced(run, nth, index);
    if (r == 0)
        r = engine_add_target(run->engine_run, &target->addr, flows->count);
    if (r < 0)
        return r;
    uint32_t trace = 0;
    uint32_t counts[TARGET_SERVICES_MAX]; /* flows of each service that is measured here */
    uint32_t count = 0;
    for (uint32_t i = 0; r == 0 && i < target->service_count; i++) {
        const struct run_service *service = &target->services[i];
        if (!flows->own[i])
            continue;
        target->places[i] = (struct engine_place){nth, trace};
        counts[count++] = service->flows;
        for (uint32_t flow = 0; r == 0 && flow < service->flows; flow++)
            r = add_to_engine(run, service, &flows->specs[trace++]);
    }
    if (r == 0)
        r = tally_set_flows(run->tally, nth, counts, count);
    if (r < 0) {
        engine_remove_target(run->engine_run, nth, run->vantage->now_ns);
        return r;
    }
    target->source = flows->specs[0].flow.src;
    if (run->running)
        begin(run, nth);
    return 0;
}

/* Where a service that a target gets is measured beside its others: where they are measured for
 * nobody else before it. @return NOT_TRACED if that is nowhere. */
static uint32_t find_own(const struct sonde_run *run, uint32_t index)
{
    const struct run_target *target = &run->targets[index];
    for (uint32_t i = 0; i < target->service_count; i++) {
        uint32_t measured = target->places[i].target;
        if (measured != NOT_TRACED && run->traced[measured] == index)
            return measured;
    }
    return NOT_TRACED;
}

/* Put a service into engine and tally: to others of its target, or else as the only one of one. */
static int add_service(struct sonde_run *run, uint32_t index, uint32_t service,
                       const struct sonde_spec *specs)
{
    struct run_target *target = &run->targets[index];
    uint32_t flows = target->services[service].flows;
    uint32_t nth = find_own(run, index);
    bool is_new = nth == NOT_TRACED;
    int r = 0;
    if (is_new) {
        nth = tally_next_target(run->tally);
        r = run_note_traced(run, nth, index);
        if (r == 0)
            r = engine_add_target(run->engine_run, &target->addr, 0);
    }
    if (r < 0)
        return r;
    uint32_t first = run->tally->targets[nth]->service_count;
    r = engine_add_places(run->engine_run, nth, flows);
    if (r < 0) {
        if (is_new)
            engine_remove_target(run->engine_run, nth, run->vantage->now_ns);
        return r == -ENOSPC ? -E2BIG : r;
    }
    for (uint32_t flow = 0; r == 0 && flow < flows; flow++)
        r = add_to_engine(run, &target->services[service], &specs[flow]);
    target->places[service] = (struct engine_place){nth, first};
    if (r == 0 && run->running && is_new)
        begin(run, nth);
    else if (r == 0 && run->running)
        engine_begin_traces(run->engine_run, nth, first, run->vantage->now_ns);
    return r;
}

int run_trace_service(struct sonde_run *run, uint32_t index, uint32_t service)
{
    struct run_target *target = &run->targets[index];
    struct sonde_spec specs[SONDE_FLOWS_MAX];
    if (target->places == NULL)
        return 0;
    int r = run_bind_service(run, target, &target->services[service], specs);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        target->errors[service] = r;
        return 0;
    }
    return add_service(run, index, service, specs);
}

/* A target that is measured by another one: it has the other's source. */
static void take_source(struct sonde_run *run, struct run_target *target)
{
    const struct engine_place *place = target->places;
    while (place->target == NOT_TRACED) /* it has a service that does not stand by */
        place++;
    target->source = run->targets[run->traced[place->target]].source;
}

/* Let no service of a target have a place. */
static void unprepare(struct run_target *target)
{
    target->places = NULL;
    target->errors = NULL;
}

bool run_prepare(struct sonde_run *run, struct run_target *target)
{
    struct arena *arena = run_arena(run, target);
    target->places = arena_alloc(arena, target->service_count, sizeof *target->places);
    target->errors = arena_alloc(arena, target->service_count, sizeof *target->errors);
    target->question_host = usable_host(arena, target->host);
    if (!arena_ok(arena)) {
        unprepare(target);
        return false;
    }
    for (uint32_t i = 0; i < target->service_count; i++)
        target->places[i].target = NOT_TRACED;
    return true;
}

int run_trace(struct sonde_run *run, uint32_t index)
{
    struct run_target *target = &run->targets[index];
    struct flows flows = {.count = 0};
    uint32_t failed = 0;
    if (!run_prepare(run, target))
        return -ENOMEM;
    int r = run_share_all(run, target) ? 0 : bind_flows(run, target, &flows, &failed);
    if (r < 0) {
        unprepare(target);
        run_problem(run, target, run_problem_code(r),
                    service_problem_text(run, &target->services[failed], r));
        return 0;
    }
    if (flows.count == 0)
        take_source(run, target);
    else
        r = add_target(run, index, &flows);
    if (r < 0) {
        unprepare(target);
        return r;
    }
    run_pause_new(run, index);
    run_note_vantage(run, index);
    recorder_note_target(run, index);
    return 0;
}

int run_make_engine(struct sonde_run *run)
{
    static_assert((int)SONDE_TARGETS_MAX < (int)ENGINE_TARGETS_MAX, "the engine takes as many");
    const struct sonde_plan *asked = &run->plan;
    struct engine_plan plan = {
        .targets = run->target_count,
        .cycles = asked->cycles == SONDE_CYCLES_ENDLESS ? 0 : asked->cycles,
        .interval_ns = asked->interval_ns,
        .timeout_ns = asked->timeout_ns,
        .open = true,
        .first_ttl = asked->first_ttl,
        .max_ttl = asked->max_ttl,
        .gap_limit = asked->gap_limit,
    };
    if (run->until_ns != SONDE_NS_NEVER)
        plan.duration_ns = ns_max(ns_sub(run->until_ns, run->vantage->now_ns), 1);
    int r = tally_new(asked->max_ttl, &run->tally);
    if (r == 0)
        run_follow_changes(run);
    if (r == 0)
        r = engine_add_run(run->vantage->engine, &plan, run->tally, &run->engine_run);
    return r;
}
