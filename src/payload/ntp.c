/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NTP, RFC 5905: a client's request, which says nothing but its version. Its transmit timestamp
 * names the probe; a server gives it back as the origin timestamp (§7.3, §8), also in the kiss
 * with which it sends somebody away (§7.4).
 */
#include "payload/payload.h"

enum {
    VERSION_4 = 4 << 3, /* no leap warning; §7.3 */
    MODE_MASK = 7,
    MODE_CLIENT = 3,
    MODE_SERVER = 4,
    BEFORE_ORIGIN_BYTES = 23,   /* between the first byte and the origin timestamp; figure 8 */
    BEFORE_TRANSMIT_BYTES = 39, /* and the transmit timestamp */
    AFTER_ORIGIN_BYTES = 16,
};

static void ntp_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    (void)len;
    wr_u8(wr, VERSION_4 | MODE_CLIENT);
    wr_fill(wr, 0, BEFORE_TRANSMIT_BYTES);
    payload_write_name8(wr, trace, name);
}

static int ntp_recognize(const struct payload_trace *trace, struct sonde_span question,
                         struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, 1 + BEFORE_TRANSMIT_BYTES);
    return payload_read_name8(&rd, trace, ret_match);
}

static int ntp_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    uint8_t first = rd_u8(&rd);
    rd_skip(&rd, BEFORE_ORIGIN_BYTES);
    int r = payload_read_name8(&rd, trace, ret_match);
    if (r != 0)
        return r;
    rd_skip(&rd, AFTER_ORIGIN_BYTES);
    return payload_verdict(&rd, (first & MODE_MASK) == MODE_SERVER);
}

const struct payload_ops payload_ntp = {
    .name = "ntp",
    .asks = "the time",
    .ask = ntp_ask,
    .recognize = ntp_recognize,
    .fits = ntp_fits,
};
