/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's own bytes, for a port whose protocol no module knows. They name no probe. */
#include "payload/payload.h"

static void own_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    (void)name;
    (void)len;
    wr_bytes(wr, trace->bytes.data, trace->bytes.len);
}

static int own_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    (void)trace;
    (void)question;
    (void)ret_match;
    return SONDE_DISCARD_TRUNCATED;
}

static int own_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    const struct sonde_span *expects = &trace->expects;
    size_t common = answer.len < expects->len ? answer.len : expects->len;
    if (common > 0 && memcmp(answer.data, expects->data, common) != 0)
        return SONDE_DISCARD_NOT_A_RESULT;
    if (common < expects->len)
        return SONDE_DISCARD_TRUNCATED;
    *ret_match = (struct payload_match){PAYLOAD_NAMES_NONE, 0};
    return 0;
}

const struct payload_ops payload_own = {
    .name = "own",
    .unnamed = true,
    .asks = "the bytes given with --payload",
    .nameless = true,
    .ask = own_ask,
    .recognize = own_recognize,
    .fits = own_fits,
};
