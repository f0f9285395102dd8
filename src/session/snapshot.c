/* SPDX-License-Identifier: BSD-2-Clause */
/* From the tally and its analysis to a snapshot that stands on its own. */
#include "base/time.h"
#include "session/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The snapshot as it is allocated: with the memory that all of it lies in. */
struct owned_snapshot {
    struct sonde_snapshot snapshot;
    struct arena arena;
};

/* What the copying of one target needs. */
struct copy {
    struct sonde_session *session;
    struct arena *arena;
    struct analyze_target target;
};

static struct sonde_rtt copy_rtt(const struct rtt_stats *stats)
{
    if (stats->samples == 0)
        return (struct sonde_rtt){0};
    return (struct sonde_rtt){
        .samples = stats->samples,
        .last_ns = stats->last_ns,
        .min_ns = stats->min_ns,
        .avg_ns = rtt_mean(stats),
        .max_ns = stats->max_ns,
        .stddev_ns = rtt_stddev(stats),
        .p50_ns = rtt_percentile(stats, 50),
        .p95_ns = rtt_percentile(stats, 95),
        .p99_ns = rtt_percentile(stats, 99),
        .jitter_ns = rtt_jitter(stats),
    };
}

static const char *name_of(const struct copy *copy, const struct sonde_addr *addr)
{
    struct names *names = copy->session->names;
    if (copy->session->options.no_names)
        return NULL;
    return arena_string(copy->arena, names->ops->get(names, addr));
}

static void copy_responders(const struct copy *copy, const struct tally_hop *from,
                            struct sonde_hop *to)
{
    struct sonde_responder *responders =
        arena_alloc(copy->arena, from->responder_count, sizeof *responders);
    if (responders == NULL)
        return;
    for (uint32_t i = 0; i < from->responder_count; i++) {
        const struct tally_responder *responder = &from->responders[i];
        responders[i] = (struct sonde_responder){
            .address = responder->addr,
            .hostname = name_of(copy, &responder->addr),
            .received = responder->received,
            .kind = responder->kind,
            .reply_ttl = responder->reply_ttl,
            .icmp_type = responder->icmp_type,
            .icmp_code = responder->icmp_code,
        };
        if (responder->ext != NULL) {
            struct sonde_extensions *ext = arena_alloc(copy->arena, 1, sizeof *ext);
            if (ext != NULL)
                *ext = *responder->ext;
            responders[i].extensions = ext;
        }
    }
    to->responders = responders;
    to->responder_count = from->responder_count;
}

static void copy_router_hop(const struct copy *copy, const struct tally_service *service,
                            uint8_t ttl, struct sonde_hop *to)
{
    const struct tally_hop *from = service->hops[ttl];
    to->ttl = ttl;
    to->sent = from->sent;
    to->received = from->received;
    to->loss_kind = analyze_loss(service, ttl, copy->session->options.max_ttl);
    to->rtt = copy_rtt(&from->rtt);
    to->unlisted = from->unlisted;
    copy_responders(copy, from, to);
}

/* The hop that the target is: its figures are the service's own. */
static void copy_target_hop(const struct copy *copy, const struct tally_service *service,
                            uint8_t ttl, struct sonde_hop *to)
{
    struct sonde_responder *responder = arena_alloc(copy->arena, 1, sizeof *responder);
    to->ttl = ttl;
    to->is_target = true;
    to->sent = service->sent;
    to->received = service->received;
    to->loss_kind = service->received == service->sent ? SONDE_LOSS_NONE : SONDE_LOSS_UNKNOWN;
    to->rtt = copy_rtt(&service->rtt);
    if (responder == NULL)
        return;
    const struct sonde_addr *addr = &copy->target.tally->addr;
    *responder = (struct sonde_responder){
        .address = *addr,
        .hostname = name_of(copy, addr),
        .received = service->received,
        .reply_ttl = -1,
        .icmp_type = -1,
        .icmp_code = -1,
    };
    for (int outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++) {
        const struct tally_evidence *evidence = &service->outcomes[outcome].evidence;
        if (evidence->valid && sonde_addr_equal(&evidence->from, addr)) {
            responder->kind = (enum sonde_outcome)outcome;
            responder->reply_ttl = evidence->reply_ttl;
            responder->icmp_type = evidence->icmp_type;
            responder->icmp_code = evidence->icmp_code;
        }
    }
    to->responders = responder;
    to->responder_count = 1;
}

/* The last TTL below the target that anything is known of on any trace. */
static uint8_t target_last_ttl(const struct copy *copy)
{
    uint8_t last = 0;
    for (uint32_t i = 0; i < copy->target.tally->service_count; i++) {
        const struct reach *reach = &copy->target.tally->services[i].reach;
        uint8_t own = reach->dest_ttl != 0 ? (uint8_t)(reach->dest_ttl - 1) : reach->top_ttl;
        last = own > last ? own : last;
    }
    return last;
}

/* The last TTL below the target that a trace has something to say of. Where it was silent, that is
 * worth saying as far as the other traces answer. */
static uint8_t last_router_ttl(const struct copy *copy, const struct reach *reach, uint8_t distance)
{
    if (distance != 0)
        return (uint8_t)(distance - 1);
    if (reach->refused_ttl != 0)
        return reach->refused_ttl > reach->top_ttl ? reach->refused_ttl : reach->top_ttl;
    return target_last_ttl(copy);
}

/* Is a distance exact? Not if probing began so far out that it may be less. */
static bool is_exact(const struct sonde_session *session, struct analyze_distance distance)
{
    return distance.confirmed &&
           (distance.ttl > session->options.first_ttl || session->options.first_ttl == 1);
}

static const struct sonde_path *copy_path(const struct copy *copy, uint32_t index)
{
    struct sonde_session *session = copy->session;
    const struct tally_service *service = &copy->target.tally->services[index];
    uint8_t max_ttl = session->options.max_ttl;
    struct analyze_distance distance = analyze_distance(&copy->target, index);
    uint8_t last = last_router_ttl(copy, &service->reach, distance.ttl);
    if (service->hops == NULL && service->sent == 0)
        return NULL;
    struct sonde_path *path = arena_alloc(copy->arena, 1, sizeof *path);
    struct sonde_hop *hops = arena_alloc(copy->arena, last + 1U, sizeof *hops);
    if (path == NULL || hops == NULL)
        return NULL;
    bool ended = engine_ended(session->engine) == ENGINE_COMPLETE;
    path->reached = analyze_reached(&copy->target, index);
    path->dest_ttl = is_exact(session, distance) ? distance.ttl : 0;
    path->stop_reason = analyze_stop(&copy->target, index, max_ttl, !ended);
    path->path_id = tally_path_id(session->tally, service);
    path->path_changes = service->path_changes;
    path->hops = hops;
    for (unsigned ttl = 1; ttl <= last; ttl++) {
        if (service->hops != NULL && service->hops[ttl] != NULL)
            copy_router_hop(copy, service, (uint8_t)ttl, &hops[path->hop_count++]);
    }
    if (distance.ttl != 0)
        copy_target_hop(copy, service, distance.ttl, &hops[path->hop_count++]);
    return path;
}

static const struct sonde_evidence *
copy_evidence(const struct copy *copy, const struct tally_service *service, enum sonde_outcome kind)
{
    const struct tally_evidence *from = &service->outcomes[kind].evidence;
    if (!from->valid)
        return NULL;
    struct sonde_evidence *to = arena_alloc(copy->arena, 1, sizeof *to);
    if (to != NULL)
        *to = (struct sonde_evidence){
            .from = from->from,
            .kind = kind,
            .icmp_type = from->icmp_type,
            .icmp_code = from->icmp_code,
            .reply_ttl = from->reply_ttl,
            .probe_ttl = from->probe_ttl,
        };
    return to;
}

static void copy_service_figures(const struct copy *copy, uint32_t index,
                                 struct sonde_service_result *to)
{
    const struct tally_service *tally = &copy->target.tally->services[index];
    struct analysis analysis;
    analyze_service(&copy->target, index, &analysis);
    to->state = analysis.state;
    to->sent = tally->sent;
    to->received = tally->received;
    to->late = tally->late;
    to->duplicates = tally->duplicates;
    for (int outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++)
        to->outcomes[outcome] = tally->outcomes[outcome].ended;
    to->rtt = copy_rtt(&tally->rtt);
    to->evidence = copy_evidence(copy, tally, analysis.deciding);
    to->verdict.level = analysis.level;
    to->verdict.code = analysis.code;
    to->verdict.text = arena_string(copy->arena, analysis.text);
    to->confidence = analysis.confidence;
    to->path = copy_path(copy, index);
    struct sonde_blame *blame = arena_alloc(copy->arena, analysis.has_blame, sizeof *blame);
    if (blame != NULL)
        *blame = analysis.blame;
    to->blame = blame;
}

static void copy_service(const struct copy *copy, const struct session_target *target,
                         uint32_t index, struct sonde_service_result *to)
{
    const struct session_service *service = &target->services[index];
    to->service = arena_string(copy->arena, service->text);
    to->protocol = service->ops->name;
    to->port = service->port;
    to->name = arena_string(copy->arena, service->name);
    to->control = service->control;
    if (copy->target.tally != NULL) {
        copy_service_figures(copy, index, to);
        return;
    }
    bool nameless = target->problem == SONDE_CODE_OK; /* interrupted before its turn came */
    to->verdict.level = SONDE_LEVEL_UNKNOWN;
    to->verdict.code = nameless ? SONDE_CODE_INCONCLUSIVE : target->problem;
    to->verdict.text = nameless ? "not probed" : arena_string(copy->arena, target->problem_text);
}

/* The worst of the services that something is expected of: codes are ordered, worst first. */
static struct sonde_verdict worst_service(const struct sonde_service_result *services, size_t count)
{
    struct sonde_verdict worst = {SONDE_LEVEL_OK, SONDE_CODE_OK, ""};
    for (size_t i = 0; i < count; i++) {
        const struct sonde_verdict *verdict = &services[i].verdict;
        if (!services[i].control && (verdict->code < worst.code || worst.text[0] == '\0'))
            worst = *verdict;
    }
    return worst;
}

static void copy_target(struct sonde_session *session, struct arena *arena,
                        const struct session_target *from, struct sonde_target_result *to)
{
    struct analyze_service known[SONDE_SERVICES_MAX + 1];
    struct copy copy = {.session = session, .arena = arena};
    if (from->index != NOT_TRACED) {
        for (uint32_t i = 0; i < from->service_count; i++)
            known[i] = (struct analyze_service){
                .protocol = from->services[i].ops->protocol,
                .control = from->services[i].control,
                .name = from->services[i].text,
            };
        copy.target.tally = &session->tally->targets[from->index];
        copy.target.services = known;
    }
    struct sonde_service_result *services =
        arena_alloc(arena, from->service_count, sizeof *services);
    to->input = arena_string(arena, from->input);
    to->name = arena_string(arena, from->host);
    to->address = from->addr;
    to->source = from->source;
    to->verdict.text = "";
    if (services == NULL)
        return;
    for (uint32_t i = 0; i < from->service_count; i++)
        copy_service(&copy, from, i, &services[i]);
    to->services = services;
    to->service_count = from->service_count;
    to->verdict = worst_service(services, from->service_count);
}

static void copy_targets(struct sonde_session *session, struct owned_snapshot *owned)
{
    struct sonde_snapshot *snapshot = &owned->snapshot;
    struct arena *arena = &owned->arena;
    struct sonde_target_result *targets =
        arena_alloc(arena, session->target_count, sizeof *targets);
    struct sonde_problem *problems = arena_alloc(arena, session->target_count, sizeof *problems);
    if (targets == NULL || problems == NULL)
        return;
    snapshot->verdict = (struct sonde_verdict){SONDE_LEVEL_OK, SONDE_CODE_OK, ""};
    for (uint32_t i = 0; i < session->target_count; i++) {
        const struct session_target *target = &session->targets[i];
        copy_target(session, arena, target, &targets[i]);
        if (targets[i].verdict.code < snapshot->verdict.code)
            snapshot->verdict = targets[i].verdict;
        if (snapshot->vantage.source.family == SONDE_FAMILY_NONE)
            snapshot->vantage.source = target->source;
        if (target->problem != SONDE_CODE_OK)
            problems[snapshot->problem_count++] = (struct sonde_problem){
                .target = targets[i].input,
                .code = target->problem,
                .text = arena_string(arena, target->problem_text),
            };
    }
    snapshot->targets = targets;
    snapshot->target_count = session->target_count;
    snapshot->problems = problems;
}

static enum sonde_status status_of(const struct sonde_session *session,
                                   const struct sonde_snapshot *snapshot)
{
    if (session->interrupted)
        return SONDE_STATUS_INTERRUPTED;
    if (snapshot->problem_count == snapshot->target_count)
        return SONDE_STATUS_ERROR;
    if (session->failure < 0 || snapshot->problem_count > 0 ||
        engine_ended(session->engine) != ENGINE_COMPLETE)
        return SONDE_STATUS_PARTIAL;
    return SONDE_STATUS_COMPLETE;
}

static void copy_run(struct sonde_session *session, struct owned_snapshot *owned)
{
    struct sonde_snapshot *snapshot = &owned->snapshot;
    const struct sonde_options *options = &session->options;
    sonde_ns end = ns_min(session->end_ns, session->now_ns);
    snapshot->version = sonde_version();
    memcpy(snapshot->run_id, session->run_id, sizeof snapshot->run_id);
    snapshot->started_wall_ns = session->wall_start_ns;
    snapshot->duration_ns = ns_sub(end, session->start_ns);
    snapshot->cycles_done = session->cycles_begun;
    snapshot->vantage.hostname = arena_string(&owned->arena, session->hostname);
    if (session->interface[0] != '\0')
        snapshot->vantage.interface = arena_string(&owned->arena, session->interface);
    snapshot->vantage.transport = session->kind;
    snapshot->settings = (struct sonde_settings){
        .cycles = options->cycles,
        .interval_ns = options->interval_ns,
        .timeout_ns = options->timeout_ns,
        .first_ttl = options->first_ttl,
        .max_ttl = options->max_ttl,
        .size_bytes = options->size_bytes,
        .tos = options->tos,
    };
    memcpy(snapshot->discards, engine_discards(session->engine)->count, sizeof snapshot->discards);
    struct sonde_vantage *vantage = &snapshot->vantage;
    const struct tally *tally = session->tally;
    memcpy(vantage->sent_clocks, tally->sent_clocks, sizeof vantage->sent_clocks);
    memcpy(vantage->received_clocks, tally->received_clocks, sizeof vantage->received_clocks);
    snapshot->own_losses.send = tally->send_errors;
    snapshot->own_losses.receive_queue = session->transport->ops->lost_here(session->transport);
}

int sonde_session_snapshot(struct sonde_session *session, struct sonde_snapshot **ret_snapshot)
{
    if (session->engine == NULL)
        return -EINVAL;
    struct owned_snapshot *owned = calloc(1, sizeof *owned);
    if (owned == NULL)
        return -ENOMEM;
    copy_run(session, owned);
    copy_targets(session, owned);
    owned->snapshot.status = status_of(session, &owned->snapshot);
    if (!arena_ok(&owned->arena)) {
        sonde_snapshot_free(&owned->snapshot);
        return -ENOMEM;
    }
    *ret_snapshot = &owned->snapshot;
    return 0;
}

struct sonde_snapshot *sonde_snapshot_free(struct sonde_snapshot *snapshot)
{
    struct owned_snapshot *owned = (struct owned_snapshot *)snapshot; /* it is the first member */
    if (owned != NULL) {
        arena_deinit(&owned->arena);
        free(owned);
    }
    return NULL;
}
