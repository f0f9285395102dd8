/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS, RFC 1035: a query for the name servers of the root, which a resolver has at hand and every
 * other server refuses. The identification names the probe (§4.1.1). Padding is the EDNS(0) option
 * of that name (RFC 6891, RFC 7830).
 */
#include "payload/payload.h"

enum {
    FLAG_RESPONSE = 0x8000,
    FLAG_RECURSION_DESIRED = 0x0100,
    OPCODE_MASK = 0x7800,
    TYPE_NS = 2,
    TYPE_OPT = 41,
    CLASS_IN = 1,
    OPTION_PADDING = 12,
    UDP_SIZE = 1232, /* that we take; RFC 9715 */
    QUERY_BYTES = 17,
    OPT_BYTES = 11, /* an OPT record without options */
    OPTION_BYTES = 4,
};

static void write_padding(struct wr *wr, size_t len)
{
    size_t padding = len - QUERY_BYTES - OPT_BYTES - OPTION_BYTES;
    wr_u8(wr, 0); /* the root */
    wr_u16(wr, TYPE_OPT);
    wr_u16(wr, UDP_SIZE);
    wr_u32(wr, 0); /* extended RCODE, version 0, no flags */
    wr_u16(wr, (uint16_t)(OPTION_BYTES + padding));
    wr_u16(wr, OPTION_PADDING);
    wr_u16(wr, (uint16_t)padding);
    wr_fill(wr, 0, padding);
}

static void dns_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                    struct wr *wr)
{
    (void)trace;
    bool pads = len >= QUERY_BYTES + OPT_BYTES + OPTION_BYTES;
    wr_u16(wr, name->field16);
    wr_u16(wr, FLAG_RECURSION_DESIRED);
    wr_u16(wr, 1); /* questions */
    wr_u16(wr, 0);
    wr_u16(wr, 0);
    wr_u16(wr, pads); /* additional records */
    wr_u8(wr, 0);     /* the root */
    wr_u16(wr, TYPE_NS);
    wr_u16(wr, CLASS_IN);
    if (pads)
        write_padding(wr, len);
}

static int dns_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(answer);
    int r = payload_read_name2(&rd, ret_match);
    if (r != 0)
        return r;
    uint16_t flags = rd_u16(&rd);
    uint16_t questions = rd_u16(&rd);
    rd_skip(&rd, 6); /* how many records */
    bool fits = (flags & FLAG_RESPONSE) != 0 && (flags & OPCODE_MASK) == 0 && questions <= 1;
    if (questions == 1) /* a server that does not understand may leave it out */
        fits &= rd_u8(&rd) == 0 && rd_u16(&rd) == TYPE_NS && rd_u16(&rd) == CLASS_IN;
    return payload_verdict(&rd, fits);
}

const struct payload_ops payload_dns = {
    .name = "dns",
    .asks = "the name servers of the root",
    .ask = dns_ask,
    .recognize = payload_recognize_name2,
    .fits = dns_fits,
};
