/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened to a probe, from its line. */
#include "base/number.h"
#include "record/take.h"
#include "record/words.h"

#include <errno.h>
#include <string.h>

enum { LABEL_MAX = (1 << 20) - 1 };

static const char *outcome_word(int value)
{
    return sonde_outcome_name((enum sonde_outcome)value);
}

static const char *clock_word(int value)
{
    return sonde_clock_name((enum sonde_clock)value);
}

static const char *role_word(int value)
{
    return words_role[value];
}

static void take_labels(struct record_reader *reader, const cJSON *labels, struct sonde_mpls *to)
{
    const cJSON *label;
    cJSON_ArrayForEach(label, labels)
    {
        if (to->count == SONDE_MPLS_LABELS_MAX) {
            take_fail(reader, "there are too many labels");
            return;
        }
        to->labels[to->count++] = (struct sonde_mpls_label){
            .label = (uint32_t)take_count(reader, label, "label", LABEL_MAX),
            .tc = (uint8_t)take_count(reader, label, "tc", 7),
            .bos = (uint8_t)take_count(reader, label, "bos", 1),
            .ttl = (uint8_t)take_count(reader, label, "ttl", UINT8_MAX),
        };
    }
}

static void take_interface(struct record_reader *reader, const cJSON *object,
                           struct sonde_interface *to)
{
    static const int64_t bounds[2] = {0, UINT32_MAX};
    const char *name = take_string(reader, object, "name");
    to->role = (uint8_t)take_word(reader, object, "role", role_word, WORDS_ROLE_COUNT);
    to->index = (uint32_t)take_number(reader, object, "index", bounds, 0);
    to->mtu = (uint32_t)take_number(reader, object, "mtu_bytes", bounds, 0);
    to->addr = take_address(reader, object, "address");
    if (name != NULL && strlen(name) >= sizeof to->name)
        take_fail(reader, "the name of an interface is too long");
    else if (name != NULL)
        memcpy(to->name, name, strlen(name));
}

static void take_raw(struct record_reader *reader, const cJSON *object,
                     struct sonde_extension_raw *to)
{
    const char *hex = take_needed(reader, object, "bytes");
    size_t kept = 0;
    to->len = (uint16_t)take_count(reader, object, "length_bytes", UINT16_MAX);
    if (hex[0] != '\0' && number_parse_hex(hex, to->bytes, sizeof to->bytes, &kept) < 0)
        take_fail(reader, "an extension has bytes that are none");
    else
        to->kept = (uint8_t)kept;
}

static void take_extension(struct record_reader *reader, const cJSON *object,
                           struct sonde_extension *to)
{
    const cJSON *labels = take_array(reader, object, "mpls");
    const cJSON *interface = take_member(object, "interface");
    *to = (struct sonde_extension){
        .class_num = (uint8_t)take_count(reader, object, "class", UINT8_MAX),
        .c_type = (uint8_t)take_count(reader, object, "c_type", UINT8_MAX),
    };
    if (labels != NULL) {
        to->kind = SONDE_EXTENSION_MPLS;
        take_labels(reader, labels, &to->u.mpls);
    } else if (interface != NULL) {
        to->kind = SONDE_EXTENSION_INTERFACE;
        take_interface(reader, interface, &to->u.interface);
    } else {
        to->kind = SONDE_EXTENSION_RAW;
        take_raw(reader, object, &to->u.raw);
    }
}

static void take_extensions(struct record_reader *reader, const cJSON *line,
                            struct sonde_extensions *to)
{
    const cJSON *object;
    cJSON_ArrayForEach(object, take_array(reader, line, "extensions"))
    {
        if (to->count == SONDE_EXTENSIONS_MAX) {
            take_fail(reader, "there are too many extensions");
            return;
        }
        take_extension(reader, object, &to->items[to->count++]);
    }
    to->legacy = take_flag(reader, line, "extensions_legacy");
    to->bad_checksum = take_flag(reader, line, "extensions_bad_checksum");
    to->malformed = take_flag(reader, line, "extensions_malformed");
    to->truncated = take_flag(reader, line, "extensions_truncated");
}

static void take_headers(struct record_reader *reader, const cJSON *line, struct sonde_event *to)
{
    static const int64_t ecn[2] = {0, 3};
    static const int64_t mtu[2] = {1, UINT32_MAX};
    const cJSON *quoted = take_member(line, "quoted");
    to->size_bytes = (uint16_t)take_count(reader, line, "size_bytes", UINT16_MAX);
    to->ecn = (uint8_t)take_number(reader, line, "ecn", ecn, 0);
    to->dont_fragment = take_flag(reader, line, "dont_fragment");
    to->has_quoted = quoted != NULL;
    if (quoted != NULL) {
        to->quoted_ecn = (uint8_t)take_count(reader, quoted, "ecn", 3);
        to->quoted_dont_fragment = take_flag(reader, quoted, "dont_fragment");
    }
    to->mtu_bytes = (uint32_t)take_number(reader, line, "mtu_bytes", mtu, 0);
}

static void take_answer(struct record_reader *reader, const cJSON *line, struct sonde_event *to)
{
    static const int64_t octet[2] = {0, UINT8_MAX};
    to->outcome =
        (enum sonde_outcome)take_word(reader, line, "outcome", outcome_word, SONDE_OUTCOME_COUNT);
    to->rtt_ns = take_ms(reader, line, "rtt_ms");
    to->from = take_address(reader, line, "from");
    to->reply_ttl = (int16_t)take_number(reader, line, "reply_ttl", octet, -1);
    to->icmp_type = (int16_t)take_number(reader, line, "icmp_type", octet, -1);
    to->icmp_code = (int16_t)take_number(reader, line, "icmp_code", octet, -1);
    to->received_clock =
        (enum sonde_clock)take_word(reader, line, "received_clock", clock_word, SONDE_CLOCK_COUNT);
    to->uncertain = take_flag(reader, line, "uncertain");
    to->error = take_errno(reader, line, "error");
    take_extensions(reader, line, &to->ext);
}

void take_probe(struct record_reader *reader, const cJSON *line, enum sonde_event_type type,
                struct sonde_record_probe *to)
{
    static const int64_t questions[2] = {0, SONDE_QUESTIONS_MAX - 1};
    static const int64_t ttls[2] = {1, UINT8_MAX};
    struct sonde_event *event = &to->event;
    *to = (struct sonde_record_probe){.service = take_needed(reader, line, "service")};
    to->address = take_address(reader, line, "address");
    event->type = type;
    event->target = (uint32_t)take_count(reader, line, "target", UINT32_MAX);
    event->service =
        (uint32_t)take_count(reader, line, "service_index", SONDE_RECORD_SERVICES_MAX - 1);
    event->flow = (uint32_t)take_count(reader, line, "flow", SONDE_RECORD_PORTS_MAX - 1);
    event->cycle = (uint32_t)take_count(reader, line, "cycle", UINT32_MAX - 1);
    event->ttl = (uint8_t)take_number(reader, line, "ttl", ttls, 0);
    if (event->ttl == 0)
        take_fail(reader, "a TTL is missing");
    event->question = (uint8_t)take_number(reader, line, "question", questions, 0);
    event->to_target = take_flag(reader, line, "to_target");
    event->spaced = take_flag(reader, line, "spaced");
    event->rationed = take_flag(reader, line, "rationed");
    event->sent_ns = take_time(reader, line, "sent");
    event->sent_clock =
        (enum sonde_clock)take_word(reader, line, "sent_clock", clock_word, SONDE_CLOCK_COUNT);
    take_headers(reader, line, event);
    take_answer(reader, line, event);
}
