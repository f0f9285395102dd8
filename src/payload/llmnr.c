/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LLMNR, RFC 4795: the address of the first label of the name that the user typed, or of one that
 * nobody bears. A responder answers for its own name only (§2.3), and most answer by unicast only
 * over TCP (§2.4), so that silence is what is to be expected.
 */
#include "payload/dnsmsg.h"

/* The question, its name in @p name. */
static struct dnsmsg_question question_of(const struct payload_trace *trace,
                                          uint8_t name[static DNSMSG_NAME_BYTES])
{
    const char *host = trace->host != NULL ? trace->host : "sonde";
    size_t len = strcspn(host, ".");
    struct wr wr = wr_init(name, DNSMSG_NAME_BYTES);
    wr_u8(&wr, (uint8_t)len);
    wr_bytes(&wr, host, len);
    wr_u8(&wr, 0);
    return (struct dnsmsg_question){
        .name = (const char *)name,
        .name_bytes = wr.len,
        .type = DNSMSG_TYPE_A,
        .qclass = DNSMSG_CLASS_IN,
    };
}

static void llmnr_ask(const struct payload_trace *trace, const struct payload_name *name,
                      size_t len, struct wr *wr)
{
    uint8_t bytes[DNSMSG_NAME_BYTES];
    const struct dnsmsg_question question = question_of(trace, bytes);
    (void)len;
    dnsmsg_ask(&question, name, 0, wr);
}

static int llmnr_recognize(const struct payload_trace *trace, struct sonde_span quoted,
                           struct payload_match *ret_match)
{
    uint8_t bytes[DNSMSG_NAME_BYTES];
    const struct dnsmsg_question question = question_of(trace, bytes);
    return dnsmsg_recognize(&question, quoted, ret_match);
}

static int llmnr_fits(const struct payload_trace *trace, struct sonde_span answer,
                      struct payload_match *ret_match)
{
    uint8_t bytes[DNSMSG_NAME_BYTES];
    const struct dnsmsg_question question = question_of(trace, bytes);
    return dnsmsg_fits(&question, answer, ret_match);
}

const struct payload_ops payload_llmnr = {
    .name = "llmnr",
    .asks = "for the name that you typed, or one that nobody bears",
    .silence = "a responder answers for its own name only, and most answer unicast over TCP only",
    .says_host = true,
    .ask = llmnr_ask,
    .recognize = llmnr_recognize,
    .fits = llmnr_fits,
};
