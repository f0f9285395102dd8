/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every question of every payload module, shown arbitrary answers and quotes. The first byte of the
 * input chooses the question. What names a probe with 32 bits must rest on the cookie.
 */
#include "fuzz.h"
#include "payload/payload.h"

static void check(const struct payload_ops *ops,
                  int (*look)(const struct payload_trace *, struct sonde_span,
                              struct payload_match *),
                  struct sonde_span bytes)
{
    static const uint8_t expects[] = {'o', 'k'};
    const struct payload_trace trace = {
        .cookie = 0x0102030405060708,
        .expects = {expects, 2},
        .host = "kdc1.example",
        .addr = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 77}},
        .port = 5060,
    };
    struct payload_trace stranger = trace;
    stranger.cookie = ~trace.cookie;
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    int r = look(&trace, bytes, &match);
    FUZZ_CHECK(r >= 0 && r < SONDE_DISCARD_COUNT);
    if (r != 0)
        return;
    FUZZ_CHECK(match.named != PAYLOAD_NAMES_FIELD16 ||
               (match.value > 0 && match.value <= UINT16_MAX));
    FUZZ_CHECK(match.named != PAYLOAD_NAMES_TOKEN || look(&stranger, bytes, &match) != 0);
    FUZZ_CHECK(ops == &payload_own || bytes.len > 0);
}

/* The question at an index, of all that there are; NULL beyond the last. */
static const struct payload_ops *question_at(size_t index)
{
    const struct payload_ops *ops = NULL;
    for (size_t i = 0; (ops = payload_at(i)) != NULL; i++) {
        for (; ops != NULL; ops = ops->next) {
            if (index-- == 0)
                return ops;
        }
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t questions = 0;
    while (question_at(questions) != NULL)
        questions++;
    if (size == 0)
        return 0;
    const struct payload_ops *ops = question_at(data[0] % questions);
    struct sonde_span bytes = {data + 1, size - 1};
    check(ops, ops->fits, bytes);
    check(ops, ops->recognize, bytes);
    return 0;
}
