/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every payload module, shown arbitrary answers and quoted questions. The first byte of the input
 * chooses the module. What names a probe with 32 bits must rest on the cookie.
 */
#include "fuzz.h"
#include "payload/payload.h"

static void check(const struct payload_ops *ops,
                  int (*look)(const struct payload_trace *, struct sonde_span,
                              struct payload_match *),
                  struct sonde_span bytes)
{
    static const uint8_t expects[] = {'o', 'k'};
    const struct payload_trace trace = {.cookie = 0x0102030405060708, .expects = {expects, 2}};
    const struct payload_trace stranger = {.cookie = ~trace.cookie, .expects = {expects, 2}};
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t modules = 0;
    while (payload_at(modules) != NULL)
        modules++;
    if (size == 0)
        return 0;
    const struct payload_ops *ops = payload_at(data[0] % modules);
    struct sonde_span bytes = {data + 1, size - 1};
    check(ops, ops->fits, bytes);
    check(ops, ops->recognize, bytes);
    return 0;
}
