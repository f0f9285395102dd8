/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RDP over UDP, [MS-RDPEUDP]: the SYN by which a client begins (its §3.1.5.1.1), in the first
 * version of the protocol, which knows no cookie. A server answers with SYN and ACK (§3.1.5.1.3),
 * says so again a few times since nobody goes on (§3.1.6.1), and forgets it. The first sequence
 * number is half a secret, and half the name of the probe: it is what the answer acknowledges.
 */
#include "payload/payload.h"

enum {
    FLAG_SYN = 0x0001, /* §2.2.2.1 */
    FLAG_ACK = 0x0004,
    WINDOW = 64, /* packets that we could take in */
    MTU_MIN = 1132,
    MTU_MAX = 1232, /* and the length of a SYN; §2.2.2.5, §4.1 */
};

static const uint32_t NOTHING_RECEIVED = UINT32_MAX; /* §3.1.5.1.1 */

static uint16_t secret(const struct payload_trace *trace)
{
    return (uint16_t)(trace->cookie >> 48);
}

static void rdpeudp_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    size_t start = wr->len;
    (void)len;
    wr_u32(wr, NOTHING_RECEIVED);
    wr_u16(wr, WINDOW);
    wr_u16(wr, FLAG_SYN);
    wr_u16(wr, secret(trace));
    wr_u16(wr, name->field16);
    wr_u16(wr, MTU_MAX); /* up, and down */
    wr_u16(wr, MTU_MAX);
    payload_pad(wr, start, MTU_MAX);
}

/* Read a sequence number of ours. */
static int read_sequence(struct rd *rd, const struct payload_trace *trace,
                         struct payload_match *ret_match)
{
    bool is_ours = rd_u16(rd) == secret(trace);
    int r = payload_read_name2(rd, ret_match);
    return r == 0 && !is_ours ? SONDE_DISCARD_BAD_TOKEN : r;
}

static int rdpeudp_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, 8);
    return read_sequence(&rd, trace, ret_match);
}

static bool is_mtu(uint16_t mtu)
{
    return mtu >= MTU_MIN && mtu <= MTU_MAX;
}

static int rdpeudp_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    int r = read_sequence(&rd, trace, ret_match);
    if (r != 0)
        return r;
    rd_skip(&rd, 2); /* its window */
    bool fits = (rd_u16(&rd) & (FLAG_SYN | FLAG_ACK)) == (FLAG_SYN | FLAG_ACK);
    rd_skip(&rd, 4); /* its own sequence number */
    fits &= is_mtu(rd_u16(&rd));
    fits &= is_mtu(rd_u16(&rd));
    return payload_verdict(&rd, fits);
}

const struct payload_ops payload_rdpeudp = {
    .name = "rdpeudp",
    .asks = "for a connection",
    .silence = "a server may offer RDP over TCP only, or answer only in sessions that began there",
    .repeats = true,
    .ask = rdpeudp_ask,
    .recognize = rdpeudp_recognize,
    .fits = rdpeudp_fits,
};
