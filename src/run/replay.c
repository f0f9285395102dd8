/* SPDX-License-Identifier: BSD-2-Clause */
/* A run that is made of records; see sonde/replay.h. */
#include "run/replay.h"
#include "run/history.h"

#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *names_get(struct names *names, const struct sonde_addr *addr)
{
    const struct replay_names *own =
        (const struct replay_names *)names; /* it is the first member */
    const struct name_entry *entry = name_table_find(&own->known, addr);
    return entry != NULL ? entry->name : NULL;
}

static struct names *names_free(struct names *names)
{
    struct replay_names *own = (struct replay_names *)names;
    name_table_deinit(&own->known);
    return NULL;
}

/* Nothing is looked up: only what is asked of known names is there. */
static const struct names_ops names_ops = {.get = names_get, .free = names_free};

int sonde_replay_new(const struct sonde_replay_options *options, struct sonde_replay **ret_replay)
{
    struct sonde_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL)
        return -ENOMEM;
    replay->options = *options;
    replay->names.names.ops = &names_ops;
    *ret_replay = replay;
    return 0;
}

struct sonde_replay *sonde_replay_free(struct sonde_replay *replay)
{
    if (replay == NULL)
        return NULL;
    sonde_vantage_free(replay->vantage);
    arena_deinit(&replay->arena);
    free(replay->ports);
    free(replay);
    return NULL;
}

bool sonde_replay_has_ended(const struct sonde_replay *replay)
{
    return replay->has_ended;
}

struct sonde_run *sonde_replay_run(const struct sonde_replay *replay)
{
    return replay->run;
}

struct run_facts replay_facts(const struct sonde_replay *replay)
{
    struct run_facts facts = replay->facts;
    if (!replay->has_ended)
        facts.end_ns = ns_max(replay->last_ns, replay->run->start_ns);
    return facts;
}

static int take_run(struct sonde_replay *replay, const struct sonde_record *record)
{
    const struct sonde_record_run_start *start = &record->u.run_start;
    struct sonde_vantage *vantage = replay->vantage = calloc(1, sizeof *vantage);
    struct sonde_run *run = calloc(1, sizeof *run);
    if (vantage == NULL || run == NULL) {
        free(run);
        return -ENOMEM;
    }
    vantage->names = &replay->names.names;
    vantage->options.family = start->family;
    vantage->options.no_names = start->no_names || replay->options.no_names;
    vantage->options.targets_max = SONDE_TARGETS_MAX;
    vantage->source = start->source;
    vantage->kind = start->transport;
    vantage->lacks_icmp = start->lacks_icmp;
    vantage->hostname = arena_string(&replay->arena, start->hostname);
    vantage->runs = run;
    run->vantage = vantage;
    run->replay = replay;
    run->plan.cycles = start->settings.cycles;
    run->plan.interval_ns = start->settings.interval_ns;
    run->plan.timeout_ns = start->settings.timeout_ns;
    run->plan.first_ttl = start->settings.first_ttl;
    run->plan.max_ttl = start->settings.max_ttl;
    run->format.size_bytes = start->settings.size_bytes;
    run->format.tos = start->settings.tos;
    run->judgement = start->judgement;
    run->seen_from = NO_TARGET;
    run->started = run->interrupted = run->has_interface = true;
    run->start_ns = run->wall_start_ns = record->time_ns;
    memcpy(run->run_id, record->run_id, sizeof run->run_id);
    replay->version = arena_string(&replay->arena, start->version);
    int r = tally_new(run->plan.max_ttl, &run->tally);
    if (r == 0)
        run_follow_changes(run);
    if (r == 0 && arena_ok(&replay->arena))
        replay->run = run;
    return replay->run != NULL ? 0 : -ENOMEM;
}

static int take_begin(struct sonde_run *run, sonde_ns time_ns)
{
    run->begun = true;
    run->start_ns = run->wall_start_ns = time_ns;
    return 0;
}

static int take_zone(struct sonde_vantage *vantage, const struct sonde_zone *zone,
                     const char **ret_why)
{
    if (vantage->zone_count == ZONES_MAX) {
        *ret_why = "there are too many zones";
        return -EINVAL;
    }
    vantage->zones[vantage->zone_count++] = *zone;
    return 0;
}

static int take_name(struct name_table *known, const struct sonde_record_name *record,
                     const char **ret_why)
{
    if (record->address.family == SONDE_FAMILY_NONE || strlen(record->name) >= NAMES_BYTES_MAX) {
        *ret_why = "a name has no address, or is too long";
        return -EINVAL;
    }
    struct name_entry *entry = name_table_find(known, &record->address);
    if (entry == NULL)
        entry = name_table_add(known, &record->address);
    size_t bytes = strlen(record->name) + 1;
    char *name = entry != NULL ? malloc(bytes) : NULL;
    if (name == NULL)
        return -ENOMEM;
    memcpy(name, record->name, bytes);
    free(entry->name);
    entry->name = name;
    return 0;
}

static int take_next_hop(struct sonde_replay *replay, const struct sonde_record_next_hop *record,
                         const char **ret_why)
{
    struct sonde_run *run = replay->run;
    if (record->target >= run->target_count || run->targets[record->target].removed ||
        strlen(record->interface) >= IF_NAMESIZE) {
        *ret_why = "there is no such target, or its interface is too long";
        return -EINVAL;
    }
    struct run_next_hop *hop = &run->next_hops[record->target];
    *hop = (struct run_next_hop){
        .addr = record->address,
        .silent = record->silent,
        .user_mode = arena_string(&replay->arena, record->user_mode),
    };
    memcpy(hop->interface, record->interface, strlen(record->interface));
    return arena_ok(&replay->arena) ? 0 : -ENOMEM;
}

static int take_interface(struct sonde_run *run, const char *interface, const char **ret_why)
{
    const char *name = interface != NULL ? interface : "";
    if (strlen(name) >= sizeof run->interface) {
        *ret_why = "the name of an interface is too long";
        return -EINVAL;
    }
    memcpy(run->interface, name, strlen(name) + 1);
    return 0;
}

static int take_counters(struct sonde_replay *replay, const struct sonde_record *record)
{
    const struct sonde_record_counters *counters = &record->u.counters;
    struct run_facts *facts = &replay->facts;
    memcpy(facts->discards, counters->discards, sizeof facts->discards);
    if (counters->receive_queue > facts->receive_queue) {
        replay->vantage->lost = counters->receive_queue;
        replay->vantage->lost_ns = record->time_ns;
    }
    facts->receive_queue = counters->receive_queue;
    return 0;
}

/* Fold in what happened to a probe. */
static int take_probe(struct sonde_run *run, const struct sonde_record_probe *probe,
                      const char **ret_why)
{
    struct sonde_event event = probe->event;
    const struct run_target *target =
        event.target < run->target_count ? &run->targets[event.target] : NULL;
    if (target == NULL || event.service >= target->service_count ||
        target->services[event.service].removed || !run_is_placed(target, event.service) ||
        event.flow >= target->services[event.service].flows) {
        *ret_why = "a probe is of a service that is not measured";
        return -EINVAL;
    }
    const struct engine_place *place = &target->places[event.service];
    event.target = place->target;
    event.service = place->trace + event.flow;
    tally_on_event(run->tally, &event);
    if (event.cycle + 1 > run->cycles_begun)
        run->cycles_begun = event.cycle + 1;
    return 0;
}

/* Is a service of a target meant by what was done? */
static bool is_meant(const struct sonde_record_action *action, uint32_t index)
{
    return action->service == SONDE_RECORD_ALL || action->service == index;
}

static void take_pause(struct run_target *target, const struct sonde_record *record)
{
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (!is_meant(&record->u.action, i) || target->services[i].standby)
            continue;
        if (record->type == SONDE_RECORD_PAUSED)
            members_add(&target->paused, i);
        else
            members_remove(&target->paused, i);
    }
}

/* Let the figures of a target begin anew, each flow's from its own time on. */
static int take_reset(struct sonde_run *run, const struct run_target *target,
                      const struct sonde_record_action *action, const char **ret_why)
{
    size_t count = 0;
    for (uint32_t i = 0; i < target->service_count; i++) {
        if (!is_meant(action, i) || !run_is_placed(target, i))
            continue;
        const struct engine_place *place = &target->places[i];
        for (uint32_t flow = 0; flow < target->services[i].flows; flow++, count++) {
            if (count < action->since_count)
                tally_reset(run->tally, place->target, place->trace + flow,
                            action->since_ns[count]);
        }
        run_forget_history(run, place->target,
                           tally_service_of(run->tally->targets[place->target], place->trace));
    }
    if (count == action->since_count)
        return 0;
    *ret_why = "figures begin anew of other flows than there are";
    return -EINVAL;
}

static int take_removal(struct sonde_run *run, const struct sonde_record_action *action,
                        const char **ret_why)
{
    int r = action->service == SONDE_RECORD_ALL
                ? sonde_run_remove(run, action->target)
                : sonde_run_remove_service(run, action->target, action->service);
    if (r < 0)
        *ret_why = "what is removed is not there, or is the last of its target";
    return r < 0 ? -EINVAL : 0;
}

static int take_action(struct sonde_run *run, const struct sonde_record *record,
                       const char **ret_why)
{
    const struct sonde_record_action *action = &record->u.action;
    if (action->target == SONDE_RECORD_ALL && record->type == SONDE_RECORD_RESET &&
        action->since_count == 1) {
        tally_reset_common(run->tally, action->since_ns[0]);
        return 0;
    }
    if (action->target >= run->target_count || run->targets[action->target].removed) {
        *ret_why = "there is no such target";
        return -EINVAL;
    }
    struct run_target *target = &run->targets[action->target];
    if (record->type == SONDE_RECORD_REMOVED)
        return take_removal(run, action, ret_why);
    if (record->type == SONDE_RECORD_RESET)
        return take_reset(run, target, action, ret_why);
    take_pause(target, record);
    return 0;
}

static int take_end(struct sonde_replay *replay, const struct sonde_record_run_end *end,
                    const char **ret_why)
{
    if (end->ended_ns < replay->run->start_ns) {
        *ret_why = "it ends before it begins";
        return -EINVAL;
    }
    replay->facts.end_ns = end->ended_ns;
    replay->facts.complete = end->complete;
    replay->facts.failure = -end->failure;
    replay->run->interrupted = end->interrupted;
    replay->has_ended = true;
    return 0;
}

static int take(struct sonde_replay *replay, const struct sonde_record *record,
                const char **ret_why)
{
    switch (record->type) {
    case SONDE_RECORD_TARGET:
        return replay_target(replay, &record->u.target, ret_why);
    case SONDE_RECORD_BEGIN:
        return take_begin(replay->run, record->time_ns);
    case SONDE_RECORD_ZONE:
        return take_zone(replay->vantage, &record->u.zone, ret_why);
    case SONDE_RECORD_PROBE:
    case SONDE_RECORD_UNAWAITED:
    case SONDE_RECORD_LATE:
    case SONDE_RECORD_DUPLICATE:
        return take_probe(replay->run, &record->u.probe, ret_why);
    case SONDE_RECORD_NAME:
        return take_name(&replay->names.known, &record->u.name, ret_why);
    case SONDE_RECORD_NEXT_HOP:
        return take_next_hop(replay, &record->u.next_hop, ret_why);
    case SONDE_RECORD_INTERFACE:
        return take_interface(replay->run, record->u.interface, ret_why);
    case SONDE_RECORD_COUNTERS:
        return take_counters(replay, record);
    case SONDE_RECORD_PAUSED:
    case SONDE_RECORD_RESUMED:
    case SONDE_RECORD_RESET:
    case SONDE_RECORD_REMOVED:
        return take_action(replay->run, record, ret_why);
    case SONDE_RECORD_RUN_END:
        return take_end(replay, &record->u.run_end, ret_why);
    case SONDE_RECORD_RUN_START:
    case SONDE_RECORD_ERROR:
    case SONDE_RECORD_CYCLE:
    case SONDE_RECORD_PATH_CHANGE:
    case SONDE_RECORD_VERDICT:
    case SONDE_RECORD_EPISODE:
    case SONDE_RECORD_TYPE_COUNT:
        break;
    }
    return 0;
}

/* Why a record cannot come next; NULL: it can. */
static const char *find_fault(const struct sonde_replay *replay, const struct sonde_record *record)
{
    bool is_first = replay->run == NULL;
    if (record->n != replay->next_n)
        return is_first ? "it does not begin with the first record"
                        : "a record is missing before it (--stream=changes leaves out what a "
                          "replay needs)";
    if (is_first != (record->type == SONDE_RECORD_RUN_START))
        return is_first ? "it does not begin with a run_start" : "there is another run_start";
    if (!is_first && strcmp(replay->run->run_id, record->run_id) != 0)
        return "it is of another run";
    return replay->has_ended ? "it comes after the end" : NULL;
}

/* Does a record belong to a cycle behind those that were asked for? */
static bool is_beyond(const struct sonde_replay *replay, const struct sonde_record *record)
{
    bool is_probe = record->type == SONDE_RECORD_PROBE || record->type == SONDE_RECORD_UNAWAITED ||
                    record->type == SONDE_RECORD_LATE || record->type == SONDE_RECORD_DUPLICATE;
    return replay->options.cycles > 0 && is_probe &&
           record->u.probe.event.cycle >= replay->options.cycles;
}

int sonde_replay_add(struct sonde_replay *replay, const struct sonde_record *record,
                     struct sonde_error *reterr)
{
    if (replay->is_enough)
        return 1;
    const char *why = find_fault(replay, record);
    replay->is_enough = why == NULL && is_beyond(replay, record);
    if (replay->is_enough) {
        replay->run->interrupted = false; /* it is the replay that goes no further */
        return 1;
    }
    int r = why != NULL                              ? -EINVAL
            : record->type == SONDE_RECORD_RUN_START ? take_run(replay, record)
                                                     : take(replay, record, &why);
    if (r < 0 && reterr != NULL)
        (void)snprintf(reterr->text, sizeof reterr->text, "%s",
                       r == -ENOMEM || why == NULL ? "out of memory" : why);
    if (r < 0)
        return r;
    replay->next_n++;
    replay->last_ns = ns_max(replay->last_ns, record->time_ns);
    return 0;
}
