/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace to test payload modules with; see sample.h. */
#include "tests/unit/payload/sample.h"

#include "base/number.h"

#include <criterion/criterion.h>

const struct payload_trace sample_trace = {
    .cookie = 0x0102030405060708,
    .host = "Kdc1.example",
    .addr = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 77}},
    .port = 5060,
};
const struct payload_trace sample_trace_of_address = {
    .cookie = 0x0102030405060708,
    .addr = {.family = SONDE_FAMILY_IPV6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0xa1}},
    .port = 5070,
};
const struct payload_name sample_name = {.token = 0xa1a2a3a4, .field16 = 0xb1b2};

/* The bytes that hexadecimal digits stand for. */
static struct sample_question from_hex(const char *hex)
{
    struct sample_question read = {.len = 0};
    cr_assert_eq(number_parse_hex(hex, read.bytes, sizeof read.bytes, &read.len), 0, "%s", hex);
    return read;
}

struct sample_question sample_ask(const struct payload_ops *ops, size_t len)
{
    return sample_ask_of(&sample_trace, ops, len);
}

struct sample_question sample_ask_of(const struct payload_trace *trace,
                                     const struct payload_ops *ops, size_t len)
{
    struct sample_question question = {.len = 0};
    struct wr wr = wr_init(question.bytes, sizeof question.bytes);
    ops->ask(trace, &sample_name, len, &wr);
    cr_assert(wr_ok(&wr), "%s", ops->name);
    question.len = wr.len;
    return question;
}

void sample_expect_question(const struct sample_question *question, const char *hex)
{
    struct sample_question expected = from_hex(hex);
    cr_expect_eq(question->len, expected.len, "%zu bytes, not %zu", question->len, expected.len);
    for (size_t i = 0; i < question->len && i < expected.len; i++)
        cr_expect_eq(question->bytes[i], expected.bytes[i], "byte %zu is %02x, not %02x", i,
                     question->bytes[i], expected.bytes[i]);
}

int sample_fits(const struct payload_ops *ops, const char *hex, struct payload_match *ret_match)
{
    struct sample_question answer = from_hex(hex);
    return ops->fits(&sample_trace, (struct sonde_span){answer.bytes, answer.len}, ret_match);
}

void sample_expect_answer(const struct payload_ops *ops, const char *hex)
{
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    cr_expect_eq(sample_fits(ops, hex, &match), 0, "%s: %s", ops->name, hex);
    if (match.named == PAYLOAD_NAMES_TOKEN)
        cr_expect_eq(match.value, sample_name.token);
    if (match.named == PAYLOAD_NAMES_FIELD16)
        cr_expect_eq(match.value, sample_name.field16);
}

void sample_expect_refusal(const struct payload_ops *ops, const char *hex, int reason)
{
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    int r = sample_fits(ops, hex, &match);
    cr_expect_eq(r, reason, "%s: %s: %s", ops->name, hex,
                 sonde_discard_name((enum sonde_discard)r));
}

void sample_expect_truncation(const struct payload_ops *ops, const char *hex, size_t needed)
{
    struct sample_question answer = from_hex(hex);
    for (size_t len = 0; len <= answer.len; len++) {
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        int r = ops->fits(&sample_trace, (struct sonde_span){answer.bytes, len}, &match);
        cr_expect_eq(r, len < needed ? SONDE_DISCARD_TRUNCATED : 0, "%s: %zu bytes: %s", ops->name,
                     len, sonde_discard_name((enum sonde_discard)r));
    }
}
