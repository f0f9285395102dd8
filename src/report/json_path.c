/* SPDX-License-Identifier: BSD-2-Clause */
/* What was measured of a service and of the hops on its way, as JSON; see report/json_path.h. */
#include "report/json_path.h"

#include "base/text.h"

#include <math.h>

void json_ratio(struct json_writer *writer, cJSON *object, const char *name, double ratio)
{
    if (ratio < 0)
        json_null(writer, object, name);
    else
        json_number(writer, object, name, round(1e6 * ratio) / 1e6);
}

void json_loss(struct json_writer *writer, cJSON *object, uint64_t sent, uint64_t received)
{
    json_number(writer, object, "sent", (double)sent);
    json_number(writer, object, "received", (double)received);
    json_ratio(writer, object, "loss_ratio",
               sent > 0 ? (double)(sent - received) / (double)sent : -1);
}

void json_rtt(struct json_writer *writer, cJSON *object, const struct sonde_rtt *rtt)
{
    if (rtt->samples == 0) {
        json_null(writer, object, "rtt_ms");
        return;
    }
    cJSON *ms = json_object(writer, object, "rtt_ms");
    json_ms(writer, ms, "last", rtt->last_ns);
    json_ms(writer, ms, "min", rtt->min_ns);
    json_ms(writer, ms, "avg", rtt->avg_ns);
    json_ms(writer, ms, "max", rtt->max_ns);
    json_ms(writer, ms, "stddev", rtt->stddev_ns);
    json_ms(writer, ms, "p50", rtt->p50_ns);
    json_ms(writer, ms, "p95", rtt->p95_ns);
    json_ms(writer, ms, "p99", rtt->p99_ns);
    json_ms(writer, ms, "jitter", rtt->jitter_ns);
    json_number(writer, ms, "samples", (double)rtt->samples);
}

static void put_labels(struct json_writer *writer, cJSON *object, const struct sonde_mpls *mpls)
{
    cJSON *labels = json_array(writer, object, "mpls");
    for (unsigned i = 0; i < mpls->count; i++) {
        cJSON *label = json_append(writer, labels);
        json_number(writer, label, "label", mpls->labels[i].label);
        json_number(writer, label, "tc", mpls->labels[i].tc);
        json_number(writer, label, "bos", mpls->labels[i].bos);
        json_number(writer, label, "ttl", mpls->labels[i].ttl);
    }
}

static void put_interface(struct json_writer *writer, cJSON *object,
                          const struct sonde_interface *interface)
{
    static const char *const roles[] = {
        [SONDE_INTERFACE_INCOMING] = "incoming",
        [SONDE_INTERFACE_SUB_IP] = "sub_ip",
        [SONDE_INTERFACE_OUTGOING] = "outgoing",
        [SONDE_INTERFACE_NEXT_HOP] = "next_hop",
    };
    cJSON *to = json_object(writer, object, "interface");
    json_string(writer, to, "role", roles[interface->role & 3]);
    json_known(writer, to, "index", interface->index == 0 ? -1 : (int64_t)interface->index);
    json_address(writer, to, "address", &interface->addr);
    json_string(writer, to, "name", interface->name[0] != '\0' ? interface->name : NULL);
    json_known(writer, to, "mtu_bytes", interface->mtu == 0 ? -1 : (int64_t)interface->mtu);
}

static void put_raw(struct json_writer *writer, cJSON *object,
                    const struct sonde_extension_raw *raw)
{
    struct text hex = {0};
    text_add(&hex, "");
    for (unsigned i = 0; i < raw->kept; i++)
        text_addf(&hex, "%02x", raw->bytes[i]);
    json_number(writer, object, "length_bytes", raw->len);
    json_string(writer, object, "hex", hex.data);
    text_deinit(&hex);
}

static void put_extensions(struct json_writer *writer, cJSON *responder,
                           const struct sonde_extensions *extensions)
{
    cJSON *array = json_array(writer, responder, "extensions");
    for (unsigned i = 0; extensions != NULL && i < extensions->count; i++) {
        const struct sonde_extension *item = &extensions->items[i];
        cJSON *object = json_append(writer, array);
        json_number(writer, object, "class", item->class_num);
        json_number(writer, object, "c_type", item->c_type);
        switch (item->kind) {
        case SONDE_EXTENSION_MPLS:
            put_labels(writer, object, &item->u.mpls);
            break;
        case SONDE_EXTENSION_INTERFACE:
            put_interface(writer, object, &item->u.interface);
            break;
        case SONDE_EXTENSION_RAW:
            put_raw(writer, object, &item->u.raw);
            break;
        }
    }
}

static void put_hop(struct json_writer *writer, cJSON *hops, const struct sonde_hop *hop)
{
    cJSON *object = json_append(writer, hops);
    json_number(writer, object, "ttl", hop->ttl);
    json_loss(writer, object, hop->sent, hop->received);
    json_string(writer, object, "loss_kind", sonde_loss_kind_name(hop->loss_kind));
    json_rtt(writer, object, &hop->rtt);
    json_bool(writer, object, "shared", hop->shared);
    cJSON *responders = json_array(writer, object, "responders");
    for (size_t i = 0; i < hop->responder_count; i++) {
        const struct sonde_responder *responder = &hop->responders[i];
        cJSON *to = json_append(writer, responders);
        json_address(writer, to, "address", &responder->address);
        json_string(writer, to, "hostname", responder->hostname);
        json_null(writer, to, "asn");
        json_number(writer, to, "received", (double)responder->received);
        json_string(writer, to, "kind", sonde_outcome_name(responder->kind));
        json_known(writer, to, "reply_ttl", responder->reply_ttl);
        json_known(writer, to, "icmp_type", responder->icmp_type);
        json_known(writer, to, "icmp_code", responder->icmp_code);
        put_extensions(writer, to, responder->extensions);
    }
    if (hop->unlisted > 0)
        json_number(writer, object, "unlisted", (double)hop->unlisted);
}

/* Who stood there, as an array. */
static void put_side(struct json_writer *writer, cJSON *change, const char *name,
                     const struct sonde_addr *addr)
{
    char text[SONDE_ADDR_TEXT_BYTES];
    cJSON *side = json_array(writer, change, name);
    if (addr->family == SONDE_FAMILY_NONE)
        return;
    json_append_word(writer, side, sonde_addr_text_zoned(addr, &writer->zones, text));
}

static void put_changes(struct json_writer *writer, cJSON *path, const struct sonde_path *from)
{
    cJSON *changes = json_array(writer, path, "changes");
    for (size_t i = 0; i < from->change_count; i++) {
        const struct sonde_path_change *change = &from->changes[i];
        cJSON *object = json_append(writer, changes);
        json_time(writer, object, "time", change->wall_ns);
        json_number(writer, object, "ttl", change->ttl);
        put_side(writer, object, "from", &change->from);
        put_side(writer, object, "to", &change->to);
    }
    json_number(writer, path, "changes_omitted", (double)from->changes_omitted);
}

static void put_path(struct json_writer *writer, cJSON *paths, const struct sonde_path *path)
{
    cJSON *object = json_append(writer, paths);
    json_number(writer, object, "flow", path->flow);
    json_known(writer, object, "source_port", path->source_port == 0 ? -1 : path->source_port);
    json_bool(writer, object, "reached", path->reached);
    json_ttl(writer, object, "dest_ttl", path->dest_ttl);
    json_string(writer, object, "stop_reason", sonde_stop_reason_name(path->stop_reason));
    if (path->path_id == 0)
        json_null(writer, object, "path_id");
    else
        json_number(writer, object, "path_id", (double)path->path_id);
    json_loss(writer, object, path->sent, path->received);
    json_rtt(writer, object, &path->rtt);
    put_changes(writer, object, path);
    cJSON *hops = json_array(writer, object, "hops");
    for (size_t i = 0; i < path->hop_count; i++)
        put_hop(writer, hops, &path->hops[i]);
}

void json_paths(struct json_writer *writer, cJSON *service,
                const struct sonde_service_result *result)
{
    cJSON *paths = json_array(writer, service, "paths");
    for (size_t i = 0; i < result->path_count; i++)
        put_path(writer, paths, &result->paths[i]);
}
