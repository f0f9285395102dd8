/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS, RFC 1035, asked in three ways.
 *
 * First for the name servers of the root, which a resolver has at hand and every other server
 * refuses. A resolver that has them not, and cannot fetch them because nobody answers it, is
 * silent. So is one that is set up to drop what it has no data of its own for.
 *
 * Then for version.bind (RFC 4892 §2.1). Servers answer or refuse it by themselves, without asking
 * anybody.
 *
 * Then nothing at all, with a cookie (RFC 7873 §5.4), which names the probe. Whoever balances
 * queries over other servers refuses it even when none of them is there.
 *
 * Padding is the EDNS(0) option of that name (RFC 6891, RFC 7830).
 */
#include "payload/dnsmsg.h"

enum {
    OPTION_COOKIE = 10,
    OPTION_PADDING = 12,
    UDP_SIZE = 1232, /* that we take; RFC 9715 */
    HEADER_BYTES = 12,
    OPT_BYTES = 11, /* an OPT record without options */
    OPTION_BYTES = 4,
    COOKIE_BYTES = OPTION_BYTES + PAYLOAD_NAME8_BYTES,
};

static const struct dnsmsg_question root_servers = {
    .name = "", /* with its 0, the root */
    .name_bytes = 1,
    .type = DNSMSG_TYPE_NS,
    .qclass = DNSMSG_CLASS_IN,
    .flags = 0x0100, /* recursion desired */
};

static const char version_name[] = "\x07version\x04"
                                   "bind";
static const struct dnsmsg_question server_version = {
    .name = version_name,
    .name_bytes = sizeof version_name,
    .type = DNSMSG_TYPE_TXT,
    .qclass = DNSMSG_CLASS_CH,
};

/* An OPT record with options of so many bytes. */
static void write_opt(struct wr *wr, size_t options)
{
    wr_u8(wr, 0); /* the root */
    wr_u16(wr, DNSMSG_TYPE_OPT);
    wr_u16(wr, UDP_SIZE);
    wr_u32(wr, 0); /* extended RCODE, version 0, no flags */
    wr_u16(wr, (uint16_t)options);
}

static void write_padding(struct wr *wr, size_t padding)
{
    wr_u16(wr, OPTION_PADDING);
    wr_u16(wr, (uint16_t)padding);
    wr_fill(wr, 0, padding);
}

/* Write a question, padded if it is to be long enough for that. */
static void ask(const struct dnsmsg_question *question, const struct payload_name *name, size_t len,
                struct wr *wr)
{
    size_t least = HEADER_BYTES + question->name_bytes + 4 + OPT_BYTES + OPTION_BYTES;
    bool pads = len >= least;
    dnsmsg_ask(question, name, pads, wr);
    if (pads) {
        write_opt(wr, OPTION_BYTES + len - least);
        write_padding(wr, len - least);
    }
}

static void root_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    (void)trace;
    ask(&root_servers, name, len, wr);
}

static int root_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_recognize(&root_servers, question, ret_match);
}

static int root_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&root_servers, answer, ret_match);
}

static void version_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    (void)trace;
    ask(&server_version, name, len, wr);
}

static int version_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_recognize(&server_version, question, ret_match);
}

static int version_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    (void)trace;
    return dnsmsg_fits(&server_version, answer, ret_match);
}

static void cookie_ask(const struct payload_trace *trace, const struct payload_name *name,
                       size_t len, struct wr *wr)
{
    size_t least = HEADER_BYTES + OPT_BYTES + COOKIE_BYTES;
    size_t padding = len >= least + OPTION_BYTES ? len - least : 0;
    wr_u16(wr, name->field16);
    wr_u16(wr, 0);             /* a query */
    wr_fill(wr, 0, 2 + 2 + 2); /* no question, no answers, no authorities */
    wr_u16(wr, 1);             /* an additional record */
    write_opt(wr, COOKIE_BYTES + padding);
    wr_u16(wr, OPTION_COOKIE);
    wr_u16(wr, PAYLOAD_NAME8_BYTES);
    payload_write_name8(wr, trace, name);
    if (padding > 0)
        write_padding(wr, padding - OPTION_BYTES);
}

static int cookie_recognize(const struct payload_trace *trace, struct sonde_span question,
                            struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    struct payload_match identification;
    int r = payload_read_name2(&rd, &identification);
    if (r != 0)
        return r;
    bool is_empty = rd_u16(&rd) == 0; /* its flags */
    is_empty &= rd_u16(&rd) == 0;     /* how many questions */
    if (rd_ok(&rd) && !is_empty)
        return SONDE_DISCARD_BAD_TOKEN;
    rd_skip(&rd, 6 + OPT_BYTES + OPTION_BYTES);
    r = payload_read_name8(&rd, trace, ret_match);
    if (r == SONDE_DISCARD_TRUNCATED) {
        *ret_match = identification;
        r = 0;
    }
    return r;
}

/* Find the cookie among the options of an OPT record, and read the name in it. Whoever does not
 * know cookies leaves it out. */
static int read_cookie(struct rd *rd, const struct payload_trace *trace,
                       struct payload_match *ret_match)
{
    bool is_opt = rd_u8(rd) == 0 && rd_u16(rd) == DNSMSG_TYPE_OPT;
    rd_skip(rd, 2 + 4);
    uint16_t options_bytes = rd_u16(rd);
    struct rd options = rd_init(rd_span(rd, options_bytes));
    while (rd_ok(rd) && is_opt && options.rest.len > 0) {
        uint16_t option = rd_u16(&options);
        uint16_t len = rd_u16(&options);
        struct rd value = rd_init(rd_span(&options, len));
        if (!rd_ok(&options))
            return SONDE_DISCARD_NOT_A_RESULT;
        if (option == OPTION_COOKIE)
            return payload_read_name8(&value, trace, ret_match) == 0 ? 0 : SONDE_DISCARD_BAD_TOKEN;
    }
    return payload_verdict(rd, true);
}

static int cookie_fits(const struct payload_trace *trace, struct sonde_span answer,
                       struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    struct dnsmsg_counts counts;
    int r = dnsmsg_read_header(&rd, &counts, ret_match);
    if (r != 0)
        return r;
    if (counts.questions > 0 || counts.answers > 0)
        return SONDE_DISCARD_NOT_A_RESULT;
    if (counts.authorities > 0 || counts.additional == 0)
        return 0;
    return read_cookie(&rd, trace, ret_match);
}

const struct payload_ops payload_dns = {
    .name = "dns",
    .topic = ". NS",
    .asks = "the name servers of the root",
    .next = &payload_dns_version,
    .ask = root_ask,
    .recognize = root_recognize,
    .fits = root_fits,
};

const struct payload_ops payload_dns_version = {
    .name = "dns",
    .topic = "version.bind",
    .asks = "its version (version.bind)",
    .like = "a resolver whose upstream is dead",
    .next = &payload_dns_cookie,
    .ask = version_ask,
    .recognize = version_recognize,
    .fits = version_fits,
};

const struct payload_ops payload_dns_cookie = {
    .name = "dns",
    .topic = "an empty query",
    .asks = "nothing, with a cookie",
    .like = "a balancer whose backends are dead",
    .ask = cookie_ask,
    .recognize = cookie_recognize,
    .fits = cookie_fits,
};
