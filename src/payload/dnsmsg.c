/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages in the format of DNS; see payload/dnsmsg.h. */
#include "payload/dnsmsg.h"

/* RFC 1035 §4.1.1, §3.2.4 */
enum {
    FLAG_RESPONSE = 0x8000,
    OPCODE_MASK = 0x7800,
    CLASS_IN = 1,
};

void dnsmsg_ask(const struct dnsmsg_question *question, const struct payload_name *name,
                uint16_t additional, struct wr *wr)
{
    wr_u16(wr, name->field16);
    wr_u16(wr, question->flags);
    wr_u16(wr, 1); /* questions */
    wr_u16(wr, 0); /* answers */
    wr_u16(wr, 0); /* authorities */
    wr_u16(wr, additional);
    wr_bytes(wr, question->name, question->name_bytes);
    wr_u16(wr, question->type);
    wr_u16(wr, CLASS_IN);
}

int dnsmsg_fits(const struct dnsmsg_question *question, struct sonde_span answer,
                struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    int r = payload_read_name2(&rd, ret_match);
    if (r != 0)
        return r;
    uint16_t flags = rd_u16(&rd);
    uint16_t questions = rd_u16(&rd);
    uint16_t answers = rd_u16(&rd);
    rd_skip(&rd, 4); /* how many authorities and additional records */
    bool fits = (flags & FLAG_RESPONSE) != 0 && (flags & OPCODE_MASK) == 0 && questions <= 1;
    /* Without the question, an answer begins with the same three. */
    if (fits && (questions == 1 || answers > 0))
        fits = payload_take(&rd, question->name, question->name_bytes) &&
               rd_u16(&rd) == question->type && rd_u16(&rd) == CLASS_IN;
    return payload_verdict(&rd, fits);
}
