/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages in the format of DNS; see payload/dnsmsg.h. */
#include "payload/dnsmsg.h"

/* RFC 1035 §4.1.1, §3.2.4 */
enum {
    FLAG_RESPONSE = 0x8000,
    OPCODE_MASK = 0x7800,
};

static void write_question(const struct dnsmsg_question *question, struct wr *wr)
{
    wr_bytes(wr, question->name, question->name_bytes);
    wr_u16(wr, question->type);
    wr_u16(wr, question->qclass);
}

void dnsmsg_ask(const struct dnsmsg_question *question, const struct payload_name *name,
                uint16_t additional, struct wr *wr)
{
    wr_u16(wr, name->field16);
    wr_u16(wr, question->flags);
    wr_u16(wr, 1); /* questions */
    wr_u16(wr, 0); /* answers */
    wr_u16(wr, 0); /* authorities */
    wr_u16(wr, additional);
    write_question(question, wr);
}

/* Read the question itself. @return true if it is this one; false also if it ends early. */
static bool take_question(struct rd *rd, const struct dnsmsg_question *question)
{
    return payload_take(rd, question->name, question->name_bytes) && rd_u16(rd) == question->type &&
           rd_u16(rd) == question->qclass;
}

int dnsmsg_read_header(struct rd *rd, struct dnsmsg_counts *ret_counts,
                       struct payload_match *ret_match)
{
    int r = payload_read_name2(rd, ret_match);
    if (r != 0)
        return r;
    uint16_t flags = rd_u16(rd);
    ret_counts->questions = rd_u16(rd);
    ret_counts->answers = rd_u16(rd);
    ret_counts->authorities = rd_u16(rd);
    ret_counts->additional = rd_u16(rd);
    return payload_verdict(rd, (flags & FLAG_RESPONSE) != 0 && (flags & OPCODE_MASK) == 0);
}

int dnsmsg_fits(const struct dnsmsg_question *question, struct sonde_span answer,
                struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    struct dnsmsg_counts counts;
    int r = dnsmsg_read_header(&rd, &counts, ret_match);
    if (r != 0)
        return r;
    bool fits = counts.questions <= 1;
    /* Without the question, an answer begins with the same three. */
    if (fits && (counts.questions == 1 || counts.answers > 0))
        fits = take_question(&rd, question);
    return payload_verdict(&rd, fits);
}

/* Are these bytes the question, as far as they go? */
static bool begins(struct sonde_span bytes, const struct dnsmsg_question *question)
{
    uint8_t whole[DNSMSG_NAME_BYTES + 4];
    struct wr wr = wr_init(whole, sizeof whole);
    write_question(question, &wr);
    size_t len = bytes.len < wr.len ? bytes.len : wr.len;
    return len == 0 || memcmp(bytes.data, whole, len) == 0;
}

int dnsmsg_recognize(const struct dnsmsg_question *question, struct sonde_span quoted,
                     struct payload_match *ret_match)
{
    struct rd rd = rd_init(quoted);
    struct payload_match match;
    int r = payload_read_name2(&rd, &match);
    if (r != 0)
        return r;
    uint16_t flags = rd_u16(&rd);
    rd_skip(&rd, 8); /* how many of each kind */
    if (rd_ok(&rd) && (flags != question->flags || !begins(rd.rest, question)))
        return SONDE_DISCARD_BAD_TOKEN;
    *ret_match = match;
    return 0;
}
