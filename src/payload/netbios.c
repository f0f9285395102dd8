/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBIOS name service, RFC 1002: a node status request (§4.2.17) for the name "*", which every
 * node takes for its own. NAME_TRN_ID names the probe. The response (§4.2.18) leaves the question
 * out, but its record is of the same name.
 */
#include "payload/dnsmsg.h"

/* "*" and 15 zeros, each half of a byte added to "A"; RFC 1001 §14.1 */
static const char any_name[] = " CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; /* 32 in a label, " " = 32 */

static const struct dnsmsg_question question = {
    .name = any_name,
    .name_bytes = sizeof any_name,
    .type = DNSMSG_TYPE_NBSTAT,
    .qclass = DNSMSG_CLASS_IN,
};

static void netbios_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    (void)trace;
    (void)len;
    dnsmsg_ask(&question, name, 0, wr);
}

static int netbios_recognize(const struct payload_trace *trace, struct sonde_span quoted,
                             struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_recognize(&question, quoted, ret_match);
}

static int netbios_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&question, answer, ret_match);
}

const struct payload_ops payload_netbios = {
    .name = "netbios",
    .asks = "its names",
    .ask = netbios_ask,
    .recognize = netbios_recognize,
    .fits = netbios_fits,
};
