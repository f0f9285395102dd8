/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memcached over UDP, as its protocol.txt lays down: a frame header of four words, then the text
 * protocol. The request ID names the probe, and every answer carries it.
 */
#include "payload/payload.h"

static const char command[] = "version\r\n";

enum { BEGIN_BYTES = 5 };

/* How answers begin: VERSION, ERROR, CLIENT_ERROR, SERVER_ERROR. */
static const char *const begins[] = {"VERSI", "ERROR", "CLIEN", "SERVE"};

static void memcached_ask(const struct payload_trace *trace, const struct payload_name *name,
                          size_t len, struct wr *wr)
{
    (void)trace;
    (void)len;
    wr_u16(wr, name->field16);
    wr_u16(wr, 0); /* number of this datagram */
    wr_u16(wr, 1); /* of so many */
    wr_u16(wr, 0); /* reserved */
    wr_bytes(wr, command, sizeof command - 1);
}

static int memcached_recognize(const struct payload_trace *trace, struct sonde_span question,
                               struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(question);
    return payload_read_name2(&rd, ret_match);
}

static int memcached_fits(const struct payload_trace *trace, struct sonde_span answer,
                          struct payload_match *ret_match)
{
    (void)trace;
    struct rd rd = rd_init(answer);
    int r = payload_read_name2(&rd, ret_match);
    if (r != 0)
        return r;
    bool is_first = rd_u16(&rd) == 0;
    rd_skip(&rd, 4);
    struct sonde_span begin = rd_span(&rd, BEGIN_BYTES);
    bool is_known = false;
    for (size_t i = 0; rd_ok(&rd) && i < sizeof begins / sizeof *begins; i++)
        is_known |= memcmp(begin.data, begins[i], BEGIN_BYTES) == 0;
    return payload_verdict(&rd, is_first && is_known);
}

const struct payload_ops payload_memcached = {
    .name = "memcached",
    .asks = "its version",
    .ask = memcached_ask,
    .recognize = memcached_recognize,
    .fits = memcached_fits,
};
