/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TFTP, RFC 1350: a request to read a file that no server has, because its name is the probe's.
 * The refusal comes from another port (§4) and names nothing. Whoever sends data instead has
 * answered as well.
 */
#include "payload/payload.h"

/* §5 */
enum {
    OPCODE_RRQ = 1,
    OPCODE_DATA = 3,
    OPCODE_ERROR = 5,
    FIRST_BLOCK = 1,
};

static const char file[] = "sonde-";
static const char mode[] = "octet";

static void tftp_ask(const struct payload_trace *trace, const struct payload_name *name, size_t len,
                     struct wr *wr)
{
    (void)len;
    wr_u16(wr, OPCODE_RRQ);
    wr_bytes(wr, file, sizeof file - 1);
    payload_write_hex(wr, trace, name, PAYLOAD_NAME8_BYTES);
    wr_u8(wr, 0);
    wr_bytes(wr, mode, sizeof mode); /* with its 0 */
}

static int tftp_recognize(const struct payload_trace *trace, struct sonde_span question,
                          struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    bool fits = rd_u16(&rd) == OPCODE_RRQ && payload_take(&rd, file, sizeof file - 1);
    if (fits)
        return payload_read_hex(&rd, trace, PAYLOAD_NAME8_BYTES, ret_match);
    return rd_ok(&rd) ? SONDE_DISCARD_BAD_TOKEN : SONDE_DISCARD_TRUNCATED;
}

static int tftp_fits(const struct payload_trace *trace, struct sonde_span answer,
                     struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(answer);
    uint16_t opcode = rd_u16(&rd);
    uint16_t block = rd_u16(&rd); /* or the code of an error */
    int r = payload_verdict(&rd, opcode == OPCODE_ERROR ||
                                     (opcode == OPCODE_DATA && block == FIRST_BLOCK));
    if (r == 0)
        *ret_match = (struct payload_match){PAYLOAD_NAMES_NONE, 0};
    return r;
}

const struct payload_ops payload_tftp = {
    .name = "tftp",
    .unnamed = true,
    .asks = "a file that does not exist",
    .silence = "its answers come from another port, which firewalls drop that do not know TFTP",
    .other_port = true,
    .ask = tftp_ask,
    .recognize = tftp_recognize,
    .fits = tftp_fits,
};
