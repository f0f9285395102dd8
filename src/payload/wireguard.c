/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WireGuard, which answers only to keys that it knows, and whose silence is meant: a message of a
 * type that there is not, too short for any, so that it is dropped before anything is computed. No
 * RFC: types and sizes are those of the WireGuard paper (§5.4). The name stands behind the type,
 * for errors that quote the question. Nothing is an answer.
 */
#include "payload/payload.h"

enum {
    TYPE_NONE = 0, /* 1 to 4 are messages */
    TYPE_BYTES = 4,
};

static void wireguard_ask(const struct payload_trace *trace, const struct payload_name *name,
                          size_t len, struct wr *wr)
{
    (void)len;
    wr_u32(wr, TYPE_NONE);
    payload_write_name12(wr, trace, name);
}

static int wireguard_recognize(const struct payload_trace *trace, struct sonde_span question,
                               struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, TYPE_BYTES);
    return payload_read_name12(&rd, trace, ret_match);
}

static int wireguard_fits(const struct payload_trace *trace, struct sonde_span answer,
                          struct payload_match *ret_match)
{
    (void)trace;
    (void)answer;
    (void)ret_match;
    return SONDE_DISCARD_NOT_A_RESULT;
}

const struct payload_ops payload_wireguard = {
    .name = "wireguard",
    .unnamed = true,
    .asks = "nothing that it answers; errors on the way tell",
    .silence = "it answers only to keys that it knows",
    .ask = wireguard_ask,
    .recognize = wireguard_recognize,
    .fits = wireguard_fits,
};
