/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that an enemy has written. */
#include "record/record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RUN_ID "\"run_id\":\"01a20459-0e78-7896-a1fe-c08aa83b63f1\""
#define TIME "\"time\":\"2026-11-22T17:41:15.000000000Z\""
#define HEAD(TYPE) "{\"schema\":\"sonde.event/1\",\"type\":\"" TYPE "\"," TIME "," RUN_ID ",\"n\":0"
#define PROBE_BUT_TTL                                                                              \
    HEAD("probe")                                                                                  \
    ",\"target\":0,\"address\":null,\"service\":\"icmp\",\"service_index\":0,\"flow\":0,"          \
    "\"cycle\":0,\"size_bytes\":64,\"outcome\":\"no_reply\",\"sent\":\"1970-01-01T00:00:00Z\","    \
    "\"sent_clock\":\"user\",\"received_clock\":\"user\""
#define PROBE PROBE_BUT_TTL ",\"ttl\":1"

static int read_text(const char *line)
{
    struct record_reader *reader = record_reader_new();
    const struct sonde_record *record = NULL;
    const char *why = NULL;
    int r = record_read(reader, (struct sonde_span){(const uint8_t *)line, strlen(line)}, &record,
                        &why);
    cr_expect(r != -EINVAL || (why != NULL && why[0] != '\0'), "%s", line);
    record_reader_free(reader);
    return r;
}

Test(read, a_line_that_is_right_is_taken)
{
    cr_expect_eq(read_text(PROBE "}"), 0);
    cr_expect_eq(read_text(HEAD("begin") "}"), 0);
    cr_expect_eq(read_text(HEAD("begin") ",\"a member of tomorrow\":[{}]}"), 0);
    cr_expect_eq(read_text(HEAD("a type of tomorrow") "}"), 1);
    cr_expect_eq(read_text(HEAD("verdict") "}"), 1); /* it follows from others */
}

Test(read, a_line_that_is_wrong_is_refused_with_a_reason)
{
    static const char *const lines[] = {
        "",
        " ",
        "null",
        "[]",
        "{}",
        "\"\"",
        "{\"schema\":\"sonde.event/2\"}",
        HEAD("begin"),
        HEAD("begin") "} ",
        HEAD("begin") "}{}",
        "{\"schema\":1,\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":0}",
        "{\"schema\":\"sonde.event/1\",\"type\":7," TIME "," RUN_ID ",\"n\":0}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\",\"time\":1," RUN_ID ",\"n\":0}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME ",\"run_id\":\"x\",\"n\":0}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME
        ",\"run_id\":\"01a20459-0e78-7896-a1fe-c08aa83b63f\\\"\",\"n\":0}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME
        ",\"run_id\":\"01a20459-0e78-7896-a1fe-c08aa83b63f11\",\"n\":0}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":-1}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":0.5}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":1e308}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":1e999}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":NaN}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":\"NaN\"}",
        "{\"schema\":\"sonde.event/1\",\"type\":\"begin\"," TIME "," RUN_ID ",\"n\":[0]}",
        PROBE_BUT_TTL "}",
        PROBE_BUT_TTL ",\"ttl\":0}",
        PROBE_BUT_TTL ",\"ttl\":256}",
        PROBE_BUT_TTL ",\"ttl\":-1}",
        PROBE_BUT_TTL ",\"ttl\":\"1\"}",
        PROBE ",\"question\":3}",
        PROBE ",\"rtt_ms\":-0.000002}",
        PROBE ",\"rtt_ms\":1e15}",
        PROBE ",\"rtt_ms\":\"1\"}",
        PROBE ",\"reply_ttl\":256}",
        PROBE ",\"from\":\"example.com\"}",
        PROBE ",\"from\":\"192.0.2.1%1\"}",
        PROBE ",\"from\":\"fe80::1%eth0\"}",
        PROBE ",\"from\":\"fe80::1%4294967296\"}",
        PROBE ",\"from\":\"1111111111111111111111111111111111111111111111111111111111111111111\"}",
        PROBE ",\"error\":\"E\"}",
        PROBE ",\"error\":5}",
        PROBE ",\"to_target\":1}",
        PROBE ",\"extensions\":{}}",
        PROBE ",\"extensions\":[1]}",
        PROBE ",\"extensions\":[{\"class\":1,\"c_type\":1,\"mpls\":[{\"label\":1048576,\"tc\":0,"
              "\"bos\":0,\"ttl\":0}]}]}",
        PROBE ",\"extensions\":[{\"class\":9,\"c_type\":1,\"length_bytes\":4,\"bytes\":\"0\"}]}",
        PROBE ",\"extensions\":[{\"class\":9,\"c_type\":1,\"length_bytes\":4,\"bytes\":"
              "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\"}]}", /* 33 */
        PROBE ",\"quoted\":{\"ecn\":4}}",
        HEAD("name") ",\"address\":\"10.0.0.1\",\"name\":null}",
        HEAD("name") ",\"address\":\"10.0.0.1\",\"name\":\"\\\\\"}",
        HEAD("name") ",\"address\":\"10.0.0.1\",\"name\":\"\\\\12\"}",
        HEAD("name") ",\"address\":\"10.0.0.1\",\"name\":\"\\\\256\"}",
        HEAD("name") ",\"address\":\"10.0.0.1\",\"name\":\"\\\\000\"}",
        HEAD("next_hop") ",\"target\":0,\"next_hop\":\"10.0.0.1\",\"interface\":\"e\","
                         "\"user_mode\":\"\\\\027\"}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\",\"services\":"
                       "[{\"service\":\"a\\\\155\",\"protocol\":\"icmp\"}]}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\","
                       "\"problem\":{\"code\":\"no_route\",\"text\":\"\\\\010\"}}",
        HEAD("zone") ",\"scope\":1,\"name\":\"0123456789abcdef\"}",
        HEAD("counters") ",\"discarded\":{\"foreign\":-1},\"own_losses\":{\"receive_queue\":0}}",
        HEAD("run_end") ",\"status\":\"complete\",\"exit_code\":5,\"ended\":\"1970-01-01T00:00:"
                        "00Z\"}",
        HEAD("target") ",\"target\":4294967295,\"first\":0,\"input\":\"a\",\"name\":\"a\"}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\",\"services\":"
                       "[{\"service\":\"icmp\",\"protocol\":\"icmp\",\"flows\":33}]}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\",\"services\":"
                       "[{\"service\":\"icmp\",\"protocol\":\"icmp\",\"source_ports\":[1,2]}]}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\",\"services\":"
                       "[{\"service\":\"icmp\",\"protocol\":\"icmp\",\"source_ports\":[65536]}]}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\",\"services\":"
                       "[{\"service\":\"icmp\",\"protocol\":\"icmp\",\"expect\":\"ajar\"}]}",
        HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\",\"addresses\":"
                       "[{\"asked\":true,\"address\":null}]}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_eq(read_text(lines[i]), -EINVAL, "%s", lines[i]);
}

/* A line with something many times in it. */
static int read_repeated(const char *before, const char *what, size_t count, const char *behind)
{
    struct text line = {0};
    text_add(&line, before);
    for (size_t i = 0; i < count; i++)
        text_add(&line, what);
    text_add(&line, behind);
    int r = read_text(line.data);
    text_deinit(&line);
    return r;
}

Test(read, what_is_too_many_is_refused)
{
    const char *target = HEAD("target") ",\"target\":0,\"first\":0,\"input\":\"a\",\"name\":\"a\"";
    struct text start = {0};
    text_addf(&start, "%s,\"addresses\":[{\"asked\":true,\"address\":\"10.0.0.1\"}", target);
    cr_expect_eq(read_repeated(start.data, ",{\"address\":\"10.0.0.1\"}", 63, "]}"), 0);
    cr_expect_eq(read_repeated(start.data, ",{\"address\":\"10.0.0.1\"}", 64, "]}"), -EINVAL);
    text_deinit(&start);
    text_addf(&start, "%s,\"services\":[{\"service\":\"icmp\",\"protocol\":\"icmp\"}", target);
    const char *service = ",{\"service\":\"icmp\",\"protocol\":\"icmp\"}";
    cr_expect_eq(read_repeated(start.data, service, 66, "]}"), 0);
    cr_expect_eq(read_repeated(start.data, service, 67, "]}"), -EINVAL);
    text_deinit(&start);
    const char *many = ",{\"service\":\"icmp\",\"protocol\":\"icmp\",\"flows\":32,\"source_ports\":"
                       "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}";
    text_addf(&start, "%s,\"services\":[{\"service\":\"icmp\",\"protocol\":\"icmp\"}", target);
    cr_expect_eq(read_repeated(start.data, many, 2, "]}"), 0);       /* 64 of 67 ports */
    cr_expect_eq(read_repeated(start.data, many, 3, "]}"), -EINVAL); /* 96 */
    text_deinit(&start);
    const char *raw = ",{\"class\":9,\"c_type\":1,\"length_bytes\":0,\"bytes\":\"\"}";
    text_addf(&start, "%s,\"extensions\":[%s", PROBE, raw + 1);
    cr_expect_eq(read_repeated(start.data, raw, 5, "]}"), 0);
    cr_expect_eq(read_repeated(start.data, raw, 6, "]}"), -EINVAL);
    text_deinit(&start);
}

Test(read, a_line_of_64_kib_is_refused_and_a_deep_one_is_no_trouble)
{
    cr_expect_eq(read_repeated(HEAD("begin") ",\"a\":\"", "a", 65000, "\"}"), 0);
    cr_expect_eq(read_repeated(HEAD("begin") ",\"a\":\"", "a", 65536, "\"}"), -EINVAL);
    cr_expect_eq(read_repeated(HEAD("begin") ",\"a\":", "[", 60000, ""), -EINVAL);
    cr_expect_eq(read_repeated(HEAD("begin") ",\"a\":", "{\"a\":", 10000, ""), -EINVAL);
}
