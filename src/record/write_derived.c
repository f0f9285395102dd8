/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from other records, as the members of a line: cycles, changes of a path, verdicts
 * and episodes. */
#include "record/put.h"
#include "record/write.h"

static void write_place(struct text *line, const char *name, const struct sonde_place *place)
{
    if (place->address.family == SONDE_FAMILY_NONE && place->ttl == 0) {
        put_string(line, name, NULL);
        return;
    }
    text_addf(line, ",\"%s\":{\"ttl\":", name);
    text_addf(line, place->ttl == 0 ? "null" : "%u", place->ttl);
    put_address(line, "address", &place->address);
    text_add(line, "}");
}

static void write_blame(struct text *line, const struct sonde_blame *blame)
{
    if (blame == NULL) {
        put_string(line, "blame", NULL);
        return;
    }
    text_addf(line, ",\"blame\":{\"way\":\"%s\"", sonde_way_name(blame->way));
    write_place(line, "last_seen", &blame->last_seen);
    write_place(line, "first_lost", &blame->first_lost);
    write_place(line, "reporter", &blame->reporter);
    text_add(line, "}");
}

static void write_verdict_words(struct text *line, const struct sonde_verdict *verdict)
{
    put_word(line, "level", sonde_level_name(verdict->level));
    put_word(line, "code", sonde_code_name(verdict->code));
    put_string(line, "text", verdict->text);
}

static void write_verdict(struct text *line, const struct sonde_record_verdict *verdict)
{
    put_number(line, "target", verdict->target);
    put_address(line, "address", &verdict->address);
    put_string(line, "service", verdict->service->service);
    put_number(line, "service_index", verdict->service->index);
    put_word(line, "state", sonde_state_name(verdict->service->state));
    text_add(line, verdict->service->met ? ",\"met\":true" : ",\"met\":false");
    write_verdict_words(line, &verdict->service->verdict);
    put_word(line, "confidence", sonde_confidence_name(verdict->service->confidence));
    write_blame(line, verdict->service->blame);
    put_time(line, "since", verdict->since_ns);
}

static void write_rtt(struct text *line, const struct sonde_rtt *rtt)
{
    if (rtt->samples == 0) {
        put_string(line, "rtt_ms", NULL);
        return;
    }
    text_addf(line, ",\"rtt_ms\":{\"samples\":%llu", (unsigned long long)rtt->samples);
    put_ms(line, "last", rtt->last_ns);
    put_ms(line, "min", rtt->min_ns);
    put_ms(line, "avg", rtt->avg_ns);
    put_ms(line, "max", rtt->max_ns);
    text_add(line, "}");
}

static void write_cycle(struct text *line, const struct sonde_record_cycle *cycle)
{
    const struct sonde_target_result *target = cycle->target;
    put_number(line, "target", target->index);
    put_address(line, "address", &target->address);
    put_number(line, "cycle", cycle->cycle);
    text_add(line, ",\"services\":[");
    for (size_t i = 0; i < target->service_count; i++) {
        const struct sonde_service_result *service = &target->services[i];
        text_add(line, i > 0 ? ",{\"service\":" : "{\"service\":");
        put_value(line, service->service);
        put_number(line, "service_index", service->index);
        put_word(line, "state", sonde_state_name(service->state));
        put_number(line, "sent", service->sent);
        put_number(line, "received", service->received);
        put_number(line, "late", service->late);
        put_number(line, "duplicates", service->duplicates);
        write_rtt(line, &service->rtt);
        text_add(line, "}");
    }
    text_add(line, "]");
}

static void write_addresses(struct text *line, const char *name, const struct sonde_addr *addrs,
                            size_t count)
{
    char buf[SONDE_ADDR_TEXT_BYTES];
    text_addf(line, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        text_addf(line, "%s\"%s\"", i > 0 ? "," : "", sonde_addr_text(&addrs[i], buf));
    text_add(line, "]");
}

static void write_path_change(struct text *line, const struct sonde_record_path_change *change)
{
    put_number(line, "target", change->target);
    put_string(line, "service", change->service->service);
    put_number(line, "service_index", change->service->index);
    put_number(line, "flow", change->path->flow);
    put_known(line, "ttl", change->ttl == 0 ? -1 : change->ttl);
    write_addresses(line, "from", change->from, change->from_count);
    write_addresses(line, "to", change->to, change->to_count);
    put_number(line, "changes", change->path->change_count + change->path->changes_omitted);
    put_known(line, "dest_ttl", change->path->dest_ttl == 0 ? -1 : change->path->dest_ttl);
    put_known(line, "path_id", change->path->path_id == 0 ? -1 : (int64_t)change->path->path_id);
}

static void write_episode(struct text *line, const struct sonde_record_episode *episode)
{
    put_number(line, "target", episode->target);
    put_address(line, "address", &episode->address);
    put_string(line, "service", episode->service);
    put_number(line, "service_index", episode->index);
    put_time(line, "from", episode->from_ns);
    put_time(line, "to", episode->to_ns);
    put_word(line, "state", sonde_state_name(episode->state));
    write_verdict_words(line, &episode->verdict);
    write_blame(line, episode->blame);
    put_number(line, "sent", episode->sent);
    put_number(line, "received", episode->received);
    write_rtt(line, &episode->rtt);
}

void record_write_derived(struct text *line, const struct sonde_record *record)
{
    if (record->type == SONDE_RECORD_CYCLE)
        write_cycle(line, &record->u.cycle);
    else if (record->type == SONDE_RECORD_PATH_CHANGE)
        write_path_change(line, &record->u.path_change);
    else if (record->type == SONDE_RECORD_VERDICT)
        write_verdict(line, &record->u.verdict);
    else
        write_episode(line, &record->u.episode);
}
