/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QUIC, RFC 8999 and RFC 9000: a packet of a version that is reserved so that nobody ever speaks it
 * (RFC 9000 §15). A server answers it with the versions that it does speak, and forgets it (RFC
 * 9000 §6.1). The connection ids come back exchanged (RFC 8999 §6): the source's names the probe,
 * the destination's is the cookie, so that all packets of a trace reach the same server behind a
 * load balancer.
 */
#include "payload/payload.h"

enum {
    LONG_HEADER = 0x80, /* RFC 8999 §5.1 */
    FIXED_BIT = 0x40,   /* of the versions so far; RFC 9000 §17.2 */
    VERSION_RESERVED = 0x1a2a3a4a,
    VERSION_NEGOTIATION = 0,
    VERSION_BYTES = 4,
    ID_BYTES = 8,    /* a client's first destination id is at least that long; RFC 9000 §7.2 */
    DATAGRAM = 1200, /* what a client sends first is at least that long; RFC 9000 §14.1 */
};

static void quic_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    size_t start = wr->len;
    wr_u8(wr, LONG_HEADER | FIXED_BIT);
    wr_u32(wr, VERSION_RESERVED);
    wr_u8(wr, ID_BYTES);
    wr_u64(wr, trace->cookie);
    wr_u8(wr, ID_BYTES);
    payload_write_name8(wr, trace, name);
    payload_pad(wr, start, len > DATAGRAM ? len : DATAGRAM);
}

static int quic_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, 1 + VERSION_BYTES + 1 + ID_BYTES + 1);
    return payload_read_name8(&rd, trace, ret_match);
}

static int quic_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = (rd_u8(&rd) & LONG_HEADER) != 0;
    fits &= rd_u32(&rd) == VERSION_NEGOTIATION;
    fits &= rd_u8(&rd) == ID_BYTES;
    if (!rd_ok(&rd) || !fits)
        return payload_verdict(&rd, fits);
    int r = payload_read_name8(&rd, trace, ret_match);
    if (r != 0)
        return r;
    fits = rd_u8(&rd) == ID_BYTES;
    bool is_ours = rd_u64(&rd) == trace->cookie;
    if (rd_ok(&rd) && fits && !is_ours)
        return SONDE_DISCARD_BAD_TOKEN;
    do /* at least one version, and none cut short; RFC 8999 §6 */
        rd_skip(&rd, VERSION_BYTES);
    while (rd_ok(&rd) && rd.rest.len > 0);
    return payload_verdict(&rd, fits);
}

const struct payload_ops payload_quic = {
    .name = "quic",
    .asks = "which versions it speaks, by one that nobody does",
    .dont_fragment = true, /* RFC 9000 §14 */
    .ask = quic_ask,
    .recognize = quic_recognize,
    .fits = quic_fits,
};
