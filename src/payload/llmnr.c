/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LLMNR, RFC 4795: a name is asked for that nobody bears. A responder answers for its own name only
 * (§2.3), and by unicast only over TCP (§2.4), so that silence is what is to be expected. The
 * question is there to be carried to the port.
 */
#include "payload/dnsmsg.h"

static const char nobody[] = "\x05sonde";

static const struct dnsmsg_question question = {
    .name = nobody,
    .name_bytes = sizeof nobody,
    .type = DNSMSG_TYPE_A,
    .qclass = DNSMSG_CLASS_IN,
};

static void llmnr_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    (void)trace;
    (void)len;
    dnsmsg_ask(&question, name, 0, wr);
}

static int llmnr_recognize(const struct payload_trace *trace, struct sonde_span quoted,
                           struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_recognize(&question, quoted, ret_match);
}

static int llmnr_fits(const struct payload_trace *trace, struct sonde_span answer,
                      struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&question, answer, ret_match);
}

const struct payload_ops payload_llmnr = {
    .name = "llmnr",
    .asks = "for a name that nobody bears",
    .silence = "a responder answers unicast over TCP only, and for its own name only",
    .ask = llmnr_ask,
    .recognize = llmnr_recognize,
    .fits = llmnr_fits,
};
