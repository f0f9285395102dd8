/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as lines, and read again. Lines are worked out by hand from the schema. */
#include "record/record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ID "01a20459-0e78-7896-a1fe-c08aa83b63f1"
#define HEAD(TYPE)                                                                                 \
    "{\"schema\":\"sonde.event/1\",\"type\":\"" TYPE                                               \
    "\",\"time\":\"1970-01-01T00:00:01.000000002Z\","                                              \
    "\"run_id\":\"" RUN_ID "\",\"n\":7"

static struct sonde_record record_of(enum sonde_record_type type)
{
    struct sonde_record record = {.type = type, .time_ns = SONDE_NS_PER_S + 2, .n = 7};
    memcpy(record.run_id, RUN_ID, sizeof record.run_id);
    return record;
}

/* Write a record, look whether it is the line, and read it again. */
static const struct sonde_record *
write_and_read(struct record_reader *reader, const struct sonde_record *record, const char *line)
{
    struct text text = {0};
    const struct sonde_record *read = NULL;
    const char *why = "";
    cr_assert_eq(record_write(record, &text), 0);
    cr_expect_str_eq(text.data, line);
    const struct sonde_span span = {(const uint8_t *)text.data, text.len - 1};
    cr_assert_eq(record_read(reader, span, &read, &why), 0, "%s", why);
    text_deinit(&text);
    return read;
}

Test(write, a_probe_loses_nothing)
{
    struct record_reader *reader = record_reader_new();
    struct sonde_record record = record_of(SONDE_RECORD_PROBE);
    struct sonde_event *event = &record.u.probe.event;
    *event = (struct sonde_event){
        .type = SONDE_EVENT_PROBE,
        .target = 3,
        .service = 1,
        .flow = 2,
        .cycle = 4294967294,
        .ttl = 255,
        .question = 2,
        .to_target = true,
        .spaced = true,
        .rationed = true,
        .uncertain = true,
        .outcome = SONDE_OUTCOME_TTL_EXCEEDED,
        .sent_ns = 999999999,
        .rtt_ns = 1000001,
        .sent_clock = SONDE_CLOCK_KERNEL,
        .received_clock = SONDE_CLOCK_USER,
        .from = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 1}},
        .reply_ttl = 0,
        .icmp_type = 11,
        .icmp_code = 0,
        .error = ENETUNREACH,
        .size_bytes = 65535,
        .ecn = 3,
        .dont_fragment = true,
        .has_quoted = true,
        .quoted_ecn = 1,
        .quoted_dont_fragment = true,
        .mtu_bytes = 4294967295,
        .ext = {.count = 3,
                .legacy = true,
                .truncated = true,
                .items = {{.kind = SONDE_EXTENSION_MPLS,
                           .class_num = 1,
                           .c_type = 1,
                           .u.mpls = {.count = 1, .labels = {{1048575, 7, 1, 254}}}},
                          {.kind = SONDE_EXTENSION_INTERFACE,
                           .class_num = 2,
                           .c_type = 0x4a,
                           .u.interface = {.role = SONDE_INTERFACE_OUTGOING,
                                           .index = 4294967295,
                                           .name = "e\"th\\0\033"}},
                          {.kind = SONDE_EXTENSION_RAW,
                           .class_num = 255,
                           .c_type = 9,
                           .u.raw = {.len = 40, .kept = 2, .bytes = {0x00, 0xff}}}}},
    };
    record.u.probe.address = (struct sonde_addr){
        .family = SONDE_FAMILY_IPV6, .bytes = {0xfe, 0x80, [15] = 1}, .scope = 4294967295};
    record.u.probe.service = "443/tcp";
    const struct sonde_record *read = write_and_read(
        reader, &record,
        HEAD("probe") ",\"target\":3,\"address\":\"fe80::1%4294967295\",\"service\":\"443/tcp\","
                      "\"service_index\":1,\"flow\":2,\"cycle\":4294967294,\"ttl\":255,"
                      "\"outcome\":\"ttl_exceeded\",\"from\":\"192.0.2.1\",\"rtt_ms\":1.000001,"
                      "\"reply_ttl\":0,\"icmp_type\":11,\"icmp_code\":0,\"size_bytes\":65535,"
                      "\"extensions\":[{\"class\":1,\"c_type\":1,\"mpls\":[{\"label\":1048575,"
                      "\"tc\":7,\"bos\":1,\"ttl\":254}]},{\"class\":2,\"c_type\":74,"
                      "\"interface\":{\"role\":\"outgoing\",\"index\":4294967295,"
                      "\"address\":null,\"name\":\"e\\\"th\\\\0920\\\\027\",\"mtu_bytes\":null}},"
                      "{\"class\":255,\"c_type\":9,\"length_bytes\":40,\"bytes\":\"00ff\"}],"
                      "\"extensions_legacy\":true,\"extensions_truncated\":true,"
                      "\"sent\":\"1970-01-01T00:00:00.999999999Z\",\"sent_clock\":\"kernel\","
                      "\"received_clock\":\"user\",\"to_target\":true,\"question\":2,"
                      "\"spaced\":true,\"rationed\":true,\"uncertain\":true,"
                      "\"error\":\"ENETUNREACH\",\"ecn\":3,\"dont_fragment\":true,"
                      "\"quoted\":{\"ecn\":1,\"dont_fragment\":true},\"mtu_bytes\":4294967295}\n");
    cr_expect_eq(read->type, SONDE_RECORD_PROBE);
    cr_expect_eq(read->time_ns, record.time_ns);
    cr_expect_eq(read->n, 7);
    cr_expect_str_eq(read->run_id, RUN_ID);
    cr_expect_str_eq(read->u.probe.service, "443/tcp");
    cr_expect(memcmp(&read->u.probe.address, &record.u.probe.address,
                     sizeof record.u.probe.address) == 0);
    /* no member has padding that matters: both were made from {0} */
    cr_expect(memcmp(&read->u.probe.event, event, sizeof *event) == 0);
    record_reader_free(reader);
}

Test(write, every_round_trip_up_to_an_hour_is_read_to_the_nanosecond)
{
    struct record_reader *reader = record_reader_new();
    /* around powers of two and of ten, where doubles and decimals change their last digit */
    for (sonde_ns base = 1; base < 3600 * SONDE_NS_PER_S; base *= 10) {
        for (sonde_ns rtt_ns = base - 1; rtt_ns < base + 40; rtt_ns++) {
            struct sonde_record record = record_of(SONDE_RECORD_LATE);
            struct text text = {0};
            const struct sonde_record *read = NULL;
            const char *why = "";
            record.u.probe.event =
                (struct sonde_event){.type = SONDE_EVENT_LATE, .ttl = 1, .rtt_ns = rtt_ns};
            record.u.probe.service = "icmp";
            cr_assert_eq(record_write(&record, &text), 0);
            const struct sonde_span span = {(const uint8_t *)text.data, text.len - 1};
            cr_assert_eq(record_read(reader, span, &read, &why), 0, "%s", why);
            cr_assert_eq(read->u.probe.event.rtt_ns, rtt_ns, "%s", text.data);
            text_deinit(&text);
        }
    }
    record_reader_free(reader);
}

Test(write, a_text_from_outside_comes_back_byte_by_byte)
{
    struct record_reader *reader = record_reader_new();
    char name[256];
    for (unsigned i = 0; i < 255; i++)
        name[i] = (char)(i + 1); /* every byte, in no order that is UTF-8 */
    name[255] = '\0';
    struct sonde_record record = record_of(SONDE_RECORD_NAME);
    struct text text = {0};
    const struct sonde_record *read = NULL;
    const char *why = "";
    record.u.name.address = (struct sonde_addr){.family = SONDE_FAMILY_IPV4, .bytes = {10}};
    record.u.name.name = name;
    cr_assert_eq(record_write(&record, &text), 0);
    for (size_t i = 0; i + 1 < text.len; i++)
        cr_assert((unsigned char)text.data[i] >= ' ', "no control is in a line");
    const struct sonde_span span = {(const uint8_t *)text.data, text.len - 1};
    cr_assert_eq(record_read(reader, span, &read, &why), 0, "%s", why);
    cr_expect_str_eq(read->u.name.name, name);
    text_deinit(&text);
    record_reader_free(reader);
}

Test(write, a_line_that_would_be_too_long_is_not_written)
{
    struct sonde_record record = record_of(SONDE_RECORD_ERROR);
    struct text text = {0};
    char *input = malloc(70000);
    memset(input, 'a', 69999);
    input[69999] = '\0';
    record.u.error = (struct sonde_record_error){0, input, SONDE_CODE_NO_ROUTE, "no route"};
    text_add(&text, "before");
    cr_expect_eq(record_write(&record, &text), -EMSGSIZE);
    cr_expect_str_eq(text.data, "before");
    text_deinit(&text);
    free(input);
}

Test(write, a_long_command_line_is_cut_at_its_end)
{
    struct record_reader *reader = record_reader_new();
    struct sonde_record record = record_of(SONDE_RECORD_RUN_START);
    struct text text = {0};
    const struct sonde_record *read = NULL;
    const char *why = "";
    const char *arguments[2000];
    for (size_t i = 0; i < 2000; i++)
        arguments[i] = "a-target-of-many.example";
    record.u.run_start =
        (struct sonde_record_run_start){.version = "1",
                                        .command = arguments,
                                        .command_count = 2000,
                                        .hostname = "here",
                                        .settings = {.cycles = SONDE_CYCLES_ENDLESS,
                                                     .interval_ns = 1,
                                                     .timeout_ns = 1,
                                                     .first_ttl = 1,
                                                     .max_ttl = 30}};
    cr_assert_eq(record_write(&record, &text), 0);
    cr_expect_lt(text.len, 20000);
    const struct sonde_span span = {(const uint8_t *)text.data, text.len - 1};
    cr_assert_eq(record_read(reader, span, &read, &why), 0, "%s", why);
    cr_expect_gt(read->u.run_start.command_count, 500);
    cr_expect_str_eq(read->u.run_start.command[500], arguments[0]);
    cr_expect_eq(read->u.run_start.settings.cycles, SONDE_CYCLES_ENDLESS);
    text_deinit(&text);
    record_reader_free(reader);
}
