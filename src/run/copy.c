/* SPDX-License-Identifier: BSD-2-Clause */
/* From the tally of one service to its part of a snapshot; see run/copy.h. */
#include "run/copy.h"
#include "run/history.h"

#include "analyze/evidence.h"
#include "base/time.h"

void copy_look_at(struct copy *copy, const struct run_target *from, uint32_t measured)
{
    const struct tally_target *tally = copy->run->tally->targets[measured];
    copy->stretch = tally_stretch_free(copy->stretch);
    target_look_at(copy->run, from, measured, copy->facts, copy->arena, &copy->look);
    target_see(&copy->look, tally_by_service(tally), tally, &copy->all);
    copy->now = copy->all;
    if (tally_stretch_new(copy->run->tally, measured, SONDE_NS_NEVER, &copy->stretch) < 0)
        copy->arena->failed = true;
    else
        target_see(&copy->look, copy->stretch->services, copy->stretch->traces, &copy->now);
}

static const char *name_of(const struct copy *copy, const struct sonde_addr *addr)
{
    struct names *names = copy->run->vantage->names;
    if (copy->run->vantage->options.no_names)
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

/* What the loss of a hop is. While a service is out, its hops are asked more often: what is lost of
 * them then is no comparison with what the service loses in the whole run. Where something has
 * changed, what there is now tells. */
static enum sonde_loss_kind loss_kind(const struct copy *copy, const struct analyze_target *seen,
                                      uint32_t index, uint8_t ttl)
{
    enum sonde_loss_kind whole = analyze_loss(seen, index, ttl);
    bool compares = whole == SONDE_LOSS_RATE_LIMITED || whole == SONDE_LOSS_FORWARDING;
    if (!compares || !seen->tally->services[index]->epochs.begins_later)
        return whole;
    bool by_trace = seen == &copy->all.traces;
    enum sonde_loss_kind now =
        analyze_loss(by_trace ? &copy->now.traces : &copy->now.services, index, ttl);
    return now == SONDE_LOSS_NONE ? SONDE_LOSS_UNKNOWN : now;
}

static void copy_router_hop(const struct copy *copy, const struct analyze_target *seen,
                            uint32_t index, uint8_t ttl, struct sonde_hop *to)
{
    const struct tally_hop *from = seen->tally->services[index]->hops[ttl];
    to->ttl = ttl;
    to->sent = from->sent;
    to->received = from->received;
    to->loss_kind = loss_kind(copy, seen, index, ttl);
    to->may_arrive = analyze_may_arrive(seen, index, ttl);
    to->rtt = rtt_numbers(&from->rtt);
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
    to->loss_kind = analyze_own_loss(service);
    to->rtt = rtt_numbers(&service->rtt);
    if (responder == NULL)
        return;
    const struct sonde_addr *addr = &copy->all.services.tally->addr;
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
        if (evidence->known && sonde_addr_equal(&evidence->from, addr)) {
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
    for (uint32_t i = 0; i < copy->all.traces.tally->service_count; i++) {
        const struct reach *reach = &copy->all.traces.tally->services[i]->reach;
        const struct engine_place place = {copy->look.measured, i};
        uint32_t flow;
        if (run_service_at(copy->run, &place, &flow)->standby)
            continue; /* what it saw may be long ago */
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
static bool is_exact(const struct sonde_run *run, struct analyze_distance distance)
{
    return distance.confirmed && (distance.ttl > run->plan.first_ttl || run->plan.first_ttl == 1);
}

static sonde_ns wall_of(const struct copy *copy, sonde_ns time_ns)
{
    return ns_add(time_ns, copy->look.common.wall_ns);
}

static void copy_changes(const struct copy *copy, const struct tally_service *service,
                         struct sonde_path *path)
{
    const struct tally_way_changes *from = &service->way_changes;
    struct sonde_path_change *changes = arena_alloc(copy->arena, from->count, sizeof *changes);
    path->changes_omitted = from->omitted;
    if (changes == NULL)
        return;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct tally_way_change *change = &from->items[i];
        changes[i] = (struct sonde_path_change){
            .wall_ns = wall_of(copy, change->time_ns),
            .ttl = change->ttl,
            .from = change->from,
            .to = change->to,
        };
    }
    path->changes = changes;
    path->change_count = from->count;
}

/* Copy a path. @param seen  What shows it: the traces of the target, or its services.
 * @return false if nothing was probed. */
static bool copy_path(const struct copy *copy, const struct analyze_target *seen, uint32_t index,
                      struct sonde_path *path)
{
    struct sonde_run *run = copy->run;
    const struct tally_service *service = seen->tally->services[index];
    struct analyze_distance distance = analyze_distance(seen, index);
    uint8_t last = last_router_ttl(copy, &service->reach, distance.ttl);
    uint32_t donors[ANALYZE_TTLS];
    if (service->hops == NULL && service->sent == 0)
        return false;
    struct sonde_hop *hops = arena_alloc(copy->arena, last + 1U, sizeof *hops);
    if (hops == NULL)
        return false;
    path->sent = service->sent;
    path->received = service->received;
    path->rtt = rtt_numbers(&service->rtt);
    path->reached = analyze_reached(seen, index);
    path->dest_ttl = is_exact(run, distance) ? distance.ttl : 0;
    path->stop_reason = analyze_stop(seen, index, !copy->facts->complete);
    path->path_id = tally_path_id(run->tally, service);
    copy_changes(copy, service, path);
    path->hops = hops;
    analyze_share(seen, index, donors);
    for (unsigned ttl = 1; ttl <= last; ttl++) {
        const struct tally_service *shows = seen->tally->services[donors[ttl]];
        if (shows->hops == NULL || shows->hops[ttl] == NULL)
            continue;
        hops[path->hop_count].shared = donors[ttl] != index;
        copy_router_hop(copy, seen, donors[ttl], (uint8_t)ttl, &hops[path->hop_count++]);
    }
    if (distance.ttl != 0)
        copy_target_hop(copy, service, distance.ttl, &hops[path->hop_count++]);
    return true;
}

/* The path of each flow of a service, and what they show together.
 * @param index  The service. @param first  The trace that is its first flow. */
static void copy_paths(const struct copy *copy, uint32_t index, uint32_t first, uint32_t flows,
                       struct sonde_service_result *to)
{
    struct sonde_path *paths = arena_alloc(copy->arena, flows, sizeof *paths);
    struct sonde_path *path = paths;
    if (paths == NULL)
        return;
    for (uint32_t flow = 0; flow < flows; flow++) {
        const struct engine_place place = {copy->look.measured, first + flow};
        if (!copy_path(copy, &copy->all.traces, first + flow, path))
            continue;
        path->flow = flow;
        if (to->port != 0)
            path->source_port = run_source_port(copy->run, &place);
        path++;
    }
    to->paths = paths;
    to->path_count = (size_t)(path - paths);
    if (flows == 1) {
        to->path = to->path_count > 0 ? paths : NULL;
        return;
    }
    struct sonde_path *together = arena_alloc(copy->arena, 1, sizeof *together);
    if (together != NULL && copy_path(copy, &copy->all.services, index, together))
        to->path = together;
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
            .mtu_bytes = from->mtu_bytes,
        };
    return to;
}

static const struct sonde_blame *copy_blame(const struct copy *copy, const struct finding *from)
{
    struct sonde_blame *blame = arena_alloc(copy->arena, from->has_blame, sizeof *blame);
    if (blame != NULL)
        *blame = from->blame;
    return blame;
}

static void copy_episode(const struct copy *copy, const struct episode *from, sonde_ns since_ns,
                         struct sonde_episode *to)
{
    struct sonde_blame *blame = arena_alloc(copy->arena, from->has_blame, sizeof *blame);
    sonde_ns from_ns = from->from_start ? since_ns : from->from_ns;
    *to = (struct sonde_episode){
        .from_wall_ns = wall_of(copy, from_ns),
        .to_wall_ns = wall_of(copy, from->to_ns),
        .state = from->state,
        .verdict = {.level = from->level,
                    .code = episode_code(from),
                    .text = from->text != NULL ? arena_string(copy->arena, from->text) : ""},
        .blame = blame,
        .sent = from->sent,
        .received = from->received,
        .rtt = from->rtt,
    };
    if (blame != NULL)
        *blame = from->blame;
}

/* What the service showed, and what it shows now. */
static void copy_episodes(const struct copy *copy, uint32_t index, struct sonde_service_result *to)
{
    static const struct history nothing = {.count = 0};
    const struct tally_service *all = copy->all.services.tally->services[index];
    const struct tally_service *now = copy->now.services.tally->services[index];
    const struct history *history = copy->look.services[index].history;
    sonde_ns now_ns = copy->look.common.now_ns;
    sonde_ns since_ns = ns_max(copy->run->start_ns, all->since_ns);
    struct analyze_target target = copy->now.services;
    struct analysis analysis;
    if (history == NULL)
        history = &nothing;
    target.only_now = true;
    analyze_service(&target, index, &analysis);
    struct episode open = run_episode(&analysis, now);
    open.sent = all->sent;
    open.received = all->received;
    uint32_t count = history_open(history, now_ns, &open);
    struct sonde_episode *episodes = arena_alloc(copy->arena, count + 1U, sizeof *episodes);
    if (episodes == NULL)
        return;
    for (uint32_t i = 0; i < count; i++)
        copy_episode(copy, history_at(history, i), since_ns, &episodes[i]);
    copy_episode(copy, &open, since_ns, &episodes[count]);
    to->since_wall_ns = open.from_start ? 0 : episodes[count].from_wall_ns;
    to->episodes = episodes;
    to->episode_count = count + 1U;
    to->episodes_omitted = history->omitted;
    const struct tally_epochs *epochs = &all->epochs;
    to->present = (struct sonde_present){
        .asked_wall_ns =
            epochs->count > 0 ? wall_of(copy, epochs->newest[epochs->count - 1].sent_ns) : 0,
        .cycles = tally_cycles(all),
        .sent = now->sent,
        .received = now->received,
        .rtt = rtt_numbers(&now->rtt),
    };
}

static void copy_findings(const struct copy *copy, const struct analysis *analysis,
                          struct sonde_service_result *to)
{
    struct sonde_finding *findings =
        arena_alloc(copy->arena, analysis->finding_count, sizeof *findings);
    if (findings == NULL)
        return;
    for (uint32_t i = 0; i < analysis->finding_count; i++) {
        const struct finding *from = &analysis->findings[i];
        findings[i] = (struct sonde_finding){
            .rule = from->rule,
            .code = from->code,
            .level = from->level,
            .text = arena_string(copy->arena, from->text),
            .confidence = from->confidence,
            .blame = copy_blame(copy, from),
            .evidence =
                {
                    .kind = from->evidence.outcome,
                    .sent = from->evidence.sent,
                    .received = from->evidence.received,
                    .control = arena_string(copy->arena, from->evidence.control),
                    .control_sent = from->evidence.control_sent,
                    .control_received = from->evidence.control_received,
                },
        };
    }
    to->findings = findings;
    to->finding_count = analysis->finding_count;
}

void copy_service_figures(const struct copy *copy, uint32_t first, uint32_t flows,
                          struct sonde_service_result *to)
{
    uint32_t index = tally_service_of(copy->all.traces.tally, first);
    const struct tally_service *tally = copy->all.services.tally->services[index];
    struct analysis analysis;
    analyze_service(&copy->now.services, index, &analysis);
    to->state = analysis.state;
    to->met = analysis.met;
    to->sent = tally->sent;
    to->received = tally->received;
    const struct interval loss = evidence_wilson(tally->sent - tally->received, tally->sent);
    to->loss_low = loss.low;
    to->loss_high = loss.high;
    to->uncertain = tally->uncertain;
    to->late = tally->late;
    to->duplicates = tally->duplicates;
    for (int outcome = 0; outcome < SONDE_OUTCOME_COUNT; outcome++)
        to->outcomes[outcome] = tally->outcomes[outcome].ended;
    to->rtt = rtt_numbers(&tally->rtt);
    to->evidence =
        copy_evidence(copy, copy->now.services.tally->services[index], analysis.deciding);
    to->verdict.level = analysis.verdict.level;
    to->verdict.code = analysis.verdict.code;
    to->verdict.text = arena_string(copy->arena, analysis.verdict.text);
    to->confidence = analysis.verdict.confidence;
    to->blame = copy_blame(copy, &analysis.verdict);
    copy_findings(copy, &analysis, to);
    copy_episodes(copy, index, to);
    copy_paths(copy, index, first, flows, to);
}
