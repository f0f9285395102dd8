/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS, RFC 1035: a query for the name servers of the root, which a resolver has at hand and every
 * other server refuses. Padding is the EDNS(0) option of that name (RFC 6891, RFC 7830).
 */
#include "payload/dnsmsg.h"

enum {
    OPTION_PADDING = 12,
    UDP_SIZE = 1232, /* that we take; RFC 9715 */
    QUERY_BYTES = 17,
    OPT_BYTES = 11, /* an OPT record without options */
    OPTION_BYTES = 4,
};

static const struct dnsmsg_question root_servers = {
    .name = "", /* with its 0, the root */
    .name_bytes = 1,
    .type = DNSMSG_TYPE_NS,
    .flags = 0x0100, /* recursion desired */
};

static void write_padding(struct wr *wr, size_t len)
{
    size_t padding = len - QUERY_BYTES - OPT_BYTES - OPTION_BYTES;
    wr_u8(wr, 0); /* the root */
    wr_u16(wr, DNSMSG_TYPE_OPT);
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
    dnsmsg_ask(&root_servers, name, pads, wr);
    if (pads)
        write_padding(wr, len);
}

static int dns_fits(const struct payload_trace *trace, struct sonde_span answer,
                    struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&root_servers, answer, ret_match);
}

const struct payload_ops payload_dns = {
    .name = "dns",
    .asks = "the name servers of the root",
    .ask = dns_ask,
    .recognize = payload_recognize_name2,
    .fits = dns_fits,
};
