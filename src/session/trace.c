/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows and traces: what every service of every target will be probed with. */
#include "base/time.h"
#include "session/internal.h"
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
static const char *usable_host(struct sonde_session *session, const char *host)
{
    char *name = arena_string(&session->arena, host);
    size_t len = name != NULL ? strlen(name) : 0;
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0'; /* the root's own label, with which a name is complete */
    return len > 0 && payload_host_is_usable(name) ? name : NULL;
}

/* Do its answers come from another port? The user's own question is in the protocol of its port. */
static bool answers_from_elsewhere(const struct session_service *service)
{
    const struct payload_ops *protocol = service->payload;
    if (protocol == &payload_own)
        protocol = payload_by_port(service->port);
    return protocol != NULL && protocol->other_port;
}

/* Is there a probe that nothing in it tells from others? The identification of IPv4 does, if it is
 * told of; without raw sockets neither it nor a checksum is. */
static bool is_nameless(const struct sonde_session *session, const struct sonde_spec *spec)
{
    bool unprivileged = session->kind == SONDE_TRANSPORT_UNPRIVILEGED;
    size_t needed = unprivileged ? PROBE_PAYLOAD_BYTES : PROBE_COMPENSATION_BYTES;
    if (spec->flow.protocol != IP_PROTO_UDP ||
        (spec->flow.dst.family == SONDE_FAMILY_IPV4 && !unprivileged))
        return false;
    bool nameless = spec->question_count == 0 && probe_payload_len(spec, UDP_HEADER_BYTES) < needed;
    for (unsigned i = 0; i < spec->question_count; i++)
        nameless |= spec->questions[i]->nameless;
    return nameless;
}

/* What answers say of the probe that drew them: what all of its questions let them say, or what
 * they say in its protocol. Without raw sockets the kernel knows more: each attempt has a socket.
 */
static enum probe_naming naming_of(const struct sonde_session *session,
                                   const struct sonde_probe_ops *ops, const struct sonde_spec *spec)
{
    bool known =
        session->kind == SONDE_TRANSPORT_UNPRIVILEGED && ops->naming == PROBE_NAMING_ATTEMPT;
    bool names = spec->question_count > 0;
    for (unsigned i = 0; i < spec->question_count; i++)
        names &= !spec->questions[i]->unnamed;
    return known || names ? PROBE_NAMING_PROBE : ops->naming;
}

size_t session_questions(const struct session_target *target, const struct session_service *service,
                         const struct payload_ops *ret_questions[SONDE_QUESTIONS_MAX])
{
    return payload_questions(service->payload, target->question_host, ret_questions);
}

/* What the questions of a service have in common. */
static void fill_questions(const struct sonde_session *session, const struct session_target *target,
                           const struct session_service *service, struct sonde_spec *spec)
{
    spec->host = target->question_host;
    spec->bytes = service->question;
    spec->expects = service->expects;
    spec->question_count = (uint8_t)session_questions(target, service, spec->questions);
    for (unsigned i = 0; i < spec->question_count; i++)
        spec->repeats |= spec->questions[i]->repeats;
    spec->nameless = is_nameless(session, spec);
    spec->naming = naming_of(session, service->ops, spec);
    spec->other_port = answers_from_elsewhere(service);
}

static int fill_spec(struct sonde_session *session, const struct session_target *target,
                     const struct session_service *service, struct sonde_spec *spec)
{
    struct secrets secrets = {0};
    int r = session_random(session, &secrets, sizeof secrets);
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
        .size_bytes = session->options.size_bytes,
        .fill = session->options.fill,
        .tos = session->options.tos,
    };
    fill_questions(session, target, service, spec);
    if (session->source.family == target->addr.family)
        spec->flow.src = session->source;
    spec->flow.src_port = session->options.source_port;
    return 0;
}

enum sonde_code session_problem_code(int error)
{
    switch (error) {
    case -EPERM:
    case -EPROTONOSUPPORT:
    case -EOPNOTSUPP:
    case -ESOCKTNOSUPPORT:
        return SONDE_CODE_NO_PERMISSION;
    case -EADDRINUSE:
        return SONDE_CODE_INCONCLUSIVE;
    default:
        return SONDE_CODE_NO_ROUTE;
    }
}

const char *session_problem_text(int error)
{
    switch (error) {
    case -EOPNOTSUPP:
        return "to choose the source port of TCP probes takes raw sockets";
    case -ESOCKTNOSUPPORT:
        return "SCTP takes raw sockets (see sonde --doctor)";
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
static const char *service_problem_text(const struct sonde_session *session,
                                        const struct session_service *service, int error)
{
    return session->lacks_icmp && !service->ops->has_ports
               ? "ICMP is not permitted; allow it with: " SONDE_ALLOW_ICMP
               : session_problem_text(error);
}

/* How many UDP services a target has before one. */
static uint32_t count_udp_before(const struct session_target *target,
                                 const struct session_service *service)
{
    uint32_t count = 0;
    for (const struct session_service *other = target->services; other < service; other++)
        count += other->ops->protocol == IP_PROTO_UDP;
    return count;
}

/* The first UDP services of a target have source ports of their own, the others share those: a
 * program that plays a network (libslirp, udp.c) has one socket for each source port, and an error
 * quotes what was sent last from that, to whichever port. */
enum { OWN_PORTS = 16 };

/* Prepare one service. @return 0; a negative errno that makes the target untraceable. */
static int add_trace(struct sonde_session *session, const struct session_target *target,
                     const struct session_service *service, struct sonde_spec *spec)
{
    int r = fill_spec(session, target, service, spec);
    if (r < 0)
        return r;
    const struct sonde_transport_ops *ops = session->transport->ops;
    uint32_t nth = engine_count_flows(session->engine, &spec->flow);
    if (!service->ops->has_ports)
        spec->flow.src_port = (uint16_t)(session->echo_id + nth);
    if (service->ops->protocol != IP_PROTO_UDP)
        return ops->bind(session->transport, &spec->flow, nth);
    if (nth > 0)
        return ops->bind(session->transport, &spec->flow, OWN_PORTS - 1 + nth);
    const struct sonde_flow asked = spec->flow;
    r = ops->bind(session->transport, &spec->flow, count_udp_before(target, service) % OWN_PORTS);
    if (r != -EADDRINUSE)
        return r;
    spec->flow = asked; /* what was chosen of it before that failed is no wish */
    return ops->bind(session->transport, &spec->flow, 0);
}

static int add_to_engine(struct sonde_session *session, const struct session_service *service,
                         const struct sonde_spec *spec)
{
    return service->standby ? engine_add_standby(session->engine, service->ops, spec)
                            : engine_add_trace(session->engine, service->ops, spec);
}

/* Begin the cycles of a target. Before the first one nothing could leave. */
static void begin(struct sonde_session *session, uint32_t nth)
{
    if (!session->begun) {
        session->begun = true;
        session_note_time(session);
    }
    engine_begin_target(session->engine, nth, session->now_ns);
}

void session_begin(struct sonde_session *session)
{
    session->running = true;
    for (uint32_t nth = 0; nth < session->tally->target_count; nth++)
        begin(session, nth);
}

/* The run looks from where its first target is reached from: in the order in which targets were
 * added, whichever was ready first. */
static void note_vantage(struct sonde_session *session, uint32_t index)
{
    if (session->vantage == NO_TARGET || session->vantage > index)
        session->vantage = index;
}

/* Flows for the services of a target: a spec for each, in their order, but for those that are
 * measured elsewhere. */
struct flows {
    struct sonde_spec specs[TARGET_SERVICES_MAX];
    bool own[TARGET_SERVICES_MAX]; /* by service: it has a flow here */
    uint32_t count;
};

/* Can a service be done without? What stands by can, and so can what this transport has not. */
static bool can_do_without(const struct session_service *service, int error)
{
    return error != -ENOMEM && (service->standby || error == -ESOCKTNOSUPPORT);
}

/* Find a flow for every service that cannot be done without. @return 0; a negative errno that makes
 * the target untraceable, and in @p ret_failed for which service. */
static int bind_flows(struct sonde_session *session, struct session_target *target,
                      struct flows *flows, uint32_t *ret_failed)
{
    bool any = false; /* of those that do not stand by */
    int last = 0;
    flows->count = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        const struct session_service *service = &target->services[i];
        int r = add_trace(session, target, service, &flows->specs[flows->count]);
        flows->own[i] = r == 0;
        flows->count += r == 0;
        if (r == 0 || (r == -EADDRINUSE && session_share_one(session, target, i))) {
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

/* Put a target into engine and tally. */
static int add_target(struct sonde_session *session, uint32_t index, const struct flows *flows)
{
    struct session_target *target = &session->targets[index];
    uint32_t nth = session->tally->target_count;
    uint32_t *traced = realloc(session->traced, (nth + 1) * sizeof *traced);
    if (traced == NULL)
        return -ENOMEM;
    session->traced = traced;
    traced[nth] = index;
    int r = engine_reserve(session->engine, 1, flows->count);
    if (r == 0)
        r = engine_add_target(session->engine, &target->addr, flows->count);
    uint32_t trace = 0;
    for (uint32_t i = 0; r == 0 && i < target->service_count; i++) {
        if (!flows->own[i])
            continue;
        target->places[i] = (struct engine_place){nth, trace};
        r = add_to_engine(session, &target->services[i], &flows->specs[trace++]);
    }
    if (r < 0)
        return r;
    target->source = flows->specs[0].flow.src;
    if (session->running)
        begin(session, nth);
    return 0;
}

/* A target that is measured by another one: it has the other's source. */
static void take_source(struct sonde_session *session, struct session_target *target)
{
    const struct engine_place *place = target->places;
    while (place->target == NOT_TRACED) /* it has a service that does not stand by */
        place++;
    target->source = session->targets[session->traced[place->target]].source;
}

int session_trace(struct sonde_session *session, uint32_t index)
{
    struct session_target *target = &session->targets[index];
    struct flows flows = {.count = 0};
    uint32_t failed = 0;
    target->places = arena_alloc(&session->arena, target->service_count, sizeof *target->places);
    target->errors = arena_alloc(&session->arena, target->service_count, sizeof *target->errors);
    if (target->places == NULL || target->errors == NULL)
        return -ENOMEM;
    target->question_host = usable_host(session, target->host);
    int r = session_share_all(session, target) ? 0 : bind_flows(session, target, &flows, &failed);
    if (r < 0) {
        target->places = NULL;
        target->errors = NULL;
        session_problem(session, target, session_problem_code(r),
                        service_problem_text(session, &target->services[failed], r));
        return 0;
    }
    if (flows.count == 0)
        take_source(session, target);
    else
        r = add_target(session, index, &flows);
    if (r < 0)
        return r;
    note_vantage(session, index);
    return 0;
}

int session_make_engine(struct sonde_session *session)
{
    static_assert((int)SONDE_TARGETS_MAX < (int)ENGINE_TARGETS_MAX, "the engine takes as many");
    const struct sonde_options *options = &session->options;
    bool endless = options->cycles == SONDE_CYCLES_ENDLESS;
    struct engine_config config = {
        .targets = 1,
        .traces = 1,
        .cycles = endless ? 0 : options->cycles,
        .interval_ns = options->interval_ns,
        .timeout_ns = options->timeout_ns,
        .open = true,
        .rate_pps = options->rate_pps,
        .first_ttl = options->first_ttl,
        .max_ttl = options->max_ttl,
        .gap_limit = options->gap_limit,
    };
    for (uint32_t i = 0; i < session->target_count; i++) {
        config.targets++;
        config.traces += session->targets[i].service_count;
    }
    int r = tally_new(options->max_ttl, &session->tally);
    if (r == 0 && session->until_ns != SONDE_NS_NEVER)
        config.duration_ns = ns_max(ns_sub(session->until_ns, session->now_ns), 1);
    if (r == 0)
        r = engine_new(&config, session->tally, &session->engine);
    return r == 0 ? session_random(session, &session->echo_id, sizeof session->echo_id) : r;
}
