/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenVPN: the reset by which a client begins (P_CONTROL_HARD_RESET_CLIENT_V2). The server answers
 * with its own, which acknowledges ours and repeats our session id; before version 2.6 it says so
 * again until it is itself acknowledged, from then on it keeps nothing until it is. A server with
 * tls-auth or tls-crypt drops what is not signed with its key. No RFC: the layout is that of
 * OpenVPN's doc/doxygen/doc_protocol_overview.h.
 */
#include "payload/payload.h"

enum {
    /* The upper five bits of the first byte; the other three are the number of the key, 0. */
    HARD_RESET_CLIENT_V2 = 7 << 3,
    HARD_RESET_SERVER_V2 = 8 << 3,
    SESSION_BYTES = 8,
    PACKET_ID_BYTES = 4,
    ACKNOWLEDGED_MAX = 8,
};

static void openvpn_ask(const struct payload_trace *trace, const struct payload_name *name,
                        size_t len, struct wr *wr)
{
    (void)len;
    wr_u8(wr, HARD_RESET_CLIENT_V2);
    payload_write_name8(wr, trace, name); /* our session id */
    wr_u8(wr, 0);                         /* packets that are acknowledged */
    wr_u32(wr, 0);                        /* packet id */
}

static int openvpn_recognize(const struct payload_trace *trace, struct sonde_span question,
                             struct payload_match *ret_match)
{
    struct rd rd = rd_init(question);
    rd_skip(&rd, 1);
    return payload_read_name8(&rd, trace, ret_match);
}

static int openvpn_fits(const struct payload_trace *trace, struct sonde_span answer,
                        struct payload_match *ret_match)
{
    struct rd rd = rd_init(answer);
    bool fits = rd_u8(&rd) == HARD_RESET_SERVER_V2;
    if (!rd_ok(&rd) || !fits)
        return payload_verdict(&rd, fits);
    rd_skip(&rd, SESSION_BYTES); /* the server's */
    uint8_t acknowledged = rd_u8(&rd);
    fits = acknowledged >= 1 && acknowledged <= ACKNOWLEDGED_MAX;
    if (!rd_ok(&rd) || !fits)
        return payload_verdict(&rd, fits);
    rd_skip(&rd, (size_t)acknowledged * PACKET_ID_BYTES);
    int r = payload_read_name8(&rd, trace, ret_match);
    if (r != 0)
        return r;
    rd_skip(&rd, PACKET_ID_BYTES); /* the server's own */
    return payload_verdict(&rd, true);
}

const struct payload_ops payload_openvpn = {
    .name = "openvpn",
    .asks = "for a session, without a key",
    .silence = "a server with tls-auth or tls-crypt answers only to its key",
    .repeats = true,
    .ask = openvpn_ask,
    .recognize = openvpn_recognize,
    .fits = openvpn_fits,
};
