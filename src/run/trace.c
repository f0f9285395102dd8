/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows and traces: what every service of every target will be probed with. */
#include "base/time.h"
#include "run/internal.h"
#include "wire/udp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The secrets of a trace, as they come from the random source. */
struct secrets {
    uint64_t cookie;
    uint32_t isn;
    uint32_t ts_base;
    uint32_t flow_label;
    uint16_t id_base;
};

/* What the user typed, if it is a name that a question may carry; NULL if not. */
static const char *usable_host(struct arena *arena, const char *host)
{
    char *name = arena_string(arena, host);
    size_t len = name != NULL ? strlen(name) : 0;
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0'; /* the root's own label, with which a name is complete */
    return len > 0 && payload_host_is_usable(name) ? name : NULL;
}

/* Do its answers come from another port? The user's own question is in the protocol of its port. */
static bool answers_from_elsewhere(const struct run_service *service)
{
    const struct payload_ops *protocol = service->payload;
    if (protocol == &payload_own)
        protocol = payload_by_port(service->port);
    return protocol != NULL && protocol->other_port;
}

/* Is there a probe that nothing in it tells from others? The identification of IPv4 does, if it is
 * told of; without raw sockets neither it nor a checksum is. */
static bool is_nameless(const struct sonde_run *run, const struct sonde_spec *spec)
{
    bool unprivileged = run->vantage->kind == SONDE_TRANSPORT_UNPRIVILEGED;
    size_t needed = unprivileged ? PROBE_PAYLOAD_BYTES : PROBE_COMPENSATION_BYTES;
    if (spec->flow.protocol != IP_PROTO_UDP ||
        (spec->flow.dst.family == SONDE_FAMILY_IPV4 && !unprivileged))
        return false;
    bool nameless = spec->question_count == 0 &&
                    probe_payload_len(spec, &spec->format, UDP_HEADER_BYTES) < needed;
    for (unsigned i = 0; i < spec->question_count; i++)
        nameless |= spec->questions[i]->nameless;
    return nameless;
}

/* What answers say of the probe that drew them: what all of its questions let them say, or what
 * they say in its protocol. Without raw sockets the kernel knows more: each attempt has a socket.
 */
static enum probe_naming naming_of(const struct sonde_run *run, const struct sonde_probe_ops *ops,
                                   const struct sonde_spec *spec)
{
    bool known =
        run->vantage->kind == SONDE_TRANSPORT_UNPRIVILEGED && ops->naming == PROBE_NAMING_ATTEMPT;
    bool names = spec->question_count > 0;
    for (unsigned i = 0; i < spec->question_count; i++)
        names &= !spec->questions[i]->unnamed;
    return known || names ? PROBE_NAMING_PROBE : ops->naming;
}

size_t run_questions(const struct run_target *target, const struct run_service *service,
                     const struct payload_ops *ret_questions[SONDE_QUESTIONS_MAX])
{
    return payload_questions(service->payload, target->question_host, ret_questions);
}

/* What the questions of a service have in common. */
static void fill_questions(const struct sonde_run *run, const struct run_target *target,
                           const struct run_service *service, struct sonde_spec *spec)
{
    spec->host = target->question_host;
    spec->bytes = service->question;
    spec->expects = service->expects;
    spec->question_count = (uint8_t)run_questions(target, service, spec->questions);
    for (unsigned i = 0; i < spec->question_count; i++)
        spec->repeats |= spec->questions[i]->repeats;
    spec->nameless = is_nameless(run, spec);
    spec->naming = naming_of(run, service->ops, spec);
    spec->other_port = answers_from_elsewhere(service);
}

static int fill_spec(struct sonde_run *run, const struct run_target *target,
                     const struct run_service *service, struct sonde_spec *spec)
{
    struct secrets secrets = {0};
    int r = vantage_random(run->vantage, &secrets, sizeof secrets);
    if (r < 0)
        return r;
    *spec = (struct sonde_spec){
        .flow =
            {
                .src = {0},
                .dst = target->addr,
                .protocol = service->ops->protocol,
                .dst_port = service->port,
            },
        .cookie = secrets.cookie,
        .isn = secrets.isn,
        .ts_base = secrets.ts_base,
        .flow_label = secrets.flow_label & 0xfffff,
        .id_base = secrets.id_base,
        .dscp = run->format.tos >> IP_DSCP_SHIFT,
        .format = {.size_bytes = run->format.size_bytes, .ecn = run->format.tos & IP_ECN_MASK},
        .fill = run->format.fill,
    };
    fill_questions(run, target, service, spec);
    if (run->vantage->source.family == target->addr.family)
        spec->flow.src = run->vantage->source;
    spec->flow.src_port = run->vantage->options.source_port;
    return 0;
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

/* How many UDP services a target has before one. */
static uint32_t count_udp_before(const struct run_target *target, const struct run_service *service)
{
    uint32_t count = 0;
    for (const struct run_service *other = target->services; other < service; other++)
        count += other->ops->protocol == IP_PROTO_UDP;
    return count;
}

/* The first UDP services of a target have source ports of their own, the others share those: a
 * program that plays a network (libslirp, udp.c) has one socket for each source port, and an error
 * quotes what was sent last from that, to whichever port. */
enum { OWN_PORTS = 16 };

/* Prepare one flow of a service. @param least  It is numbered behind those before it. @return 0; a
 * negative errno: it cannot be had. */
static int bind_flow(struct sonde_run *run, const struct run_target *target,
                     const struct run_service *service, uint32_t least, struct sonde_spec *spec)
{
    int r = fill_spec(run, target, service, spec);
    if (r < 0)
        return r;
    const struct sonde_transport_ops *ops = run->vantage->transport->ops;
    uint32_t nth = engine_free_flow(run->vantage->engine, &spec->flow, least);
    spec->nth = nth;
    if (!service->ops->has_ports)
        spec->flow.src_port = (uint16_t)(run->vantage->echo_id + nth);
    if (service->ops->protocol != IP_PROTO_UDP)
        return ops->bind(run->vantage->transport, &spec->flow, nth);
    if (nth > 0)
        return ops->bind(run->vantage->transport, &spec->flow, OWN_PORTS - 1 + nth);
    const struct sonde_flow asked = spec->flow;
    r = ops->bind(run->vantage->transport, &spec->flow,
                  count_udp_before(target, service) % OWN_PORTS);
    if (r != -EADDRINUSE)
        return r;
    spec->flow = asked; /* what was chosen of it before that failed is no wish */
    return ops->bind(run->vantage->transport, &spec->flow, 0);
}

/* Prepare all flows of a service. @return 0; a negative errno: one of them cannot be had. */
static int bind_service(struct sonde_run *run, const struct run_target *target,
                        const struct run_service *service, struct sonde_spec *specs)
{
    uint32_t least = 0;
    for (uint32_t i = 0; i < service->flows; i++) {
        int r = bind_flow(run, target, service, least, &specs[i]);
        if (r < 0)
            return r;
        if (service->flows > 1 && specs[i].flow.src_port == 0)
            return -EMLINK; /* each probe has a source port of its own: there are no flows */
        least = specs[i].nth + 1;
    }
    return 0;
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

/* The run looks from where its first target is reached from: in the order in which targets were
 * added, whichever was ready first. */
static void note_vantage(struct sonde_run *run, uint32_t index)
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
        int r = bind_service(run, target, service, &flows->specs[flows->count]);
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

/* Note for which target something is measured that is added to the engine next. */
static int note_traced(struct sonde_run *run, uint32_t nth, uint32_t index)
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
    }
    run->traced[nth] = index;
    return 0;
}

/* Put a target into engine and tally. */
static int add_target(struct sonde_run *run, uint32_t index, const struct flows *flows)
{
    struct run_target *target = &run->targets[index];
    uint32_t nth = tally_next_target(run->tally);
    int r = note_traced(run, nth, index);
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

/* Make room for the places of a target's services. @return false if memory ran out. */
static bool prepare(struct sonde_run *run, struct run_target *target)
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
    if (!prepare(run, target))
        return -ENOMEM;
    int r = run_share_all(run, target) ? 0 : bind_flows(run, target, &flows, &failed);
    if (r < 0) {
        unprepare(target);
        run_problem(target, run_problem_code(r),
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
    note_vantage(run, index);
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
        r = engine_add_run(run->vantage->engine, &plan, run->tally, &run->engine_run);
    return r;
}
