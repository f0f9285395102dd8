/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multicast DNS, RFC 6762: which kinds of service it offers (RFC 6763 §9), asked by unicast from a
 * port that is not its own. So it answers as a DNS server does, with identification and question
 * (§6.7).
 */
#include "payload/dnsmsg.h"

static const char kinds[] = "\x09_services\x07_dns-sd\x04_udp\x05local";

static const struct dnsmsg_question question = {
    .name = kinds,
    .name_bytes = sizeof kinds,
    .type = DNSMSG_TYPE_PTR,
    .qclass = DNSMSG_CLASS_IN,
};

static void mdns_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    (void)trace;
    (void)len;
    dnsmsg_ask(&question, name, 0, wr);
}

static int mdns_recognize(const struct payload_trace *trace, struct sonde_span quoted,
                          struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_recognize(&question, quoted, ret_match);
}

static int mdns_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&question, answer, ret_match);
}

const struct payload_ops payload_mdns = {
    .name = "mdns",
    .asks = "which kinds of service it offers",
    /* RFC 6762 §5.5, §6 */
    .silence = "a responder ignores other links than its own, and is silent if it offers nothing",
    .ask = mdns_ask,
    .recognize = mdns_recognize,
    .fits = mdns_fits,
};
