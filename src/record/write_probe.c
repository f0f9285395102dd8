/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened to a probe, as the members of a line. */
#include "record/put.h"
#include "record/words.h"
#include "record/write.h"

static void write_labels(struct text *line, const struct sonde_mpls *mpls)
{
    text_add(line, ",\"mpls\":[");
    for (unsigned i = 0; i < mpls->count; i++) {
        const struct sonde_mpls_label *label = &mpls->labels[i];
        text_addf(line, "%s{\"label\":%u,\"tc\":%u,\"bos\":%u,\"ttl\":%u}", i > 0 ? "," : "",
                  label->label, label->tc, label->bos, label->ttl);
    }
    text_add(line, "]");
}

static void write_interface(struct text *line, const struct sonde_interface *interface)
{
    text_addf(line, ",\"interface\":{\"role\":\"%s\"", words_role[interface->role & 3]);
    put_known(line, "index", interface->index == 0 ? -1 : (int64_t)interface->index);
    put_address(line, "address", &interface->addr);
    put_string(line, "name", interface->name[0] != '\0' ? interface->name : NULL);
    put_known(line, "mtu_bytes", interface->mtu == 0 ? -1 : (int64_t)interface->mtu);
    text_add(line, "}");
}

static void write_raw(struct text *line, const struct sonde_extension_raw *raw)
{
    put_number(line, "length_bytes", raw->len);
    text_add(line, ",\"bytes\":\"");
    for (unsigned i = 0; i < raw->kept; i++)
        text_addf(line, "%02x", raw->bytes[i]);
    text_add(line, "\"");
}

static void write_extension(struct text *line, const struct sonde_extension *item)
{
    text_addf(line, "{\"class\":%u,\"c_type\":%u", item->class_num, item->c_type);
    switch (item->kind) {
    case SONDE_EXTENSION_MPLS:
        write_labels(line, &item->u.mpls);
        break;
    case SONDE_EXTENSION_INTERFACE:
        write_interface(line, &item->u.interface);
        break;
    case SONDE_EXTENSION_RAW:
        write_raw(line, &item->u.raw);
        break;
    }
    text_add(line, "}");
}

static void write_extensions(struct text *line, const struct sonde_extensions *ext)
{
    text_add(line, ",\"extensions\":[");
    for (unsigned i = 0; i < ext->count; i++) {
        text_add(line, i > 0 ? "," : "");
        write_extension(line, &ext->items[i]);
    }
    text_add(line, "]");
    put_flag(line, "extensions_legacy", ext->legacy);
    put_flag(line, "extensions_bad_checksum", ext->bad_checksum);
    put_flag(line, "extensions_malformed", ext->malformed);
    put_flag(line, "extensions_truncated", ext->truncated);
}

void record_write_probe(struct text *line, const struct sonde_record_probe *probe)
{
    const struct sonde_event *event = &probe->event;
    put_number(line, "target", event->target);
    put_address(line, "address", &probe->address);
    put_string(line, "service", probe->service);
    put_number(line, "service_index", event->service);
    put_number(line, "flow", event->flow);
    put_number(line, "cycle", event->cycle);
    put_number(line, "ttl", event->ttl);
    put_word(line, "outcome", sonde_outcome_name(event->outcome));
    put_address(line, "from", &event->from);
    put_ms(line, "rtt_ms", event->rtt_ns);
    put_known(line, "reply_ttl", event->reply_ttl);
    put_known(line, "icmp_type", event->icmp_type);
    put_known(line, "icmp_code", event->icmp_code);
    put_number(line, "size_bytes", event->size_bytes);
    write_extensions(line, &event->ext);
    put_time(line, "sent", event->sent_ns);
    put_word(line, "sent_clock", sonde_clock_name(event->sent_clock));
    put_word(line, "received_clock", sonde_clock_name(event->received_clock));
    put_flag(line, "to_target", event->to_target);
    if (event->question != 0)
        put_number(line, "question", event->question);
    put_flag(line, "spaced", event->spaced);
    put_flag(line, "rationed", event->rationed);
    put_flag(line, "uncertain", event->uncertain);
    put_errno(line, "error", event->error);
    if (event->ecn != 0)
        put_number(line, "ecn", event->ecn);
    put_flag(line, "dont_fragment", event->dont_fragment);
    if (event->has_quoted) {
        text_addf(line, ",\"quoted\":{\"ecn\":%u", event->quoted_ecn);
        text_add(line, event->quoted_dont_fragment ? ",\"dont_fragment\":true}" : "}");
    }
    if (event->mtu_bytes != 0)
        put_number(line, "mtu_bytes", event->mtu_bytes);
}
