/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP headers, as wire/tcp.h describes them. RFC 9293, RFC 7323, RFC 2018. */
#include "wire/tcp.h"

#include <errno.h>

/* Option kinds; RFC 9293 §3.2, RFC 7323 §2.2 and §3.2, RFC 2018 §2 */
enum {
    OPT_END = 0,
    OPT_NOP = 1,
    OPT_MSS = 2,
    OPT_WINDOW_SCALE = 3,
    OPT_SACK_PERMITTED = 4,
    OPT_TIMESTAMPS = 8,
};

static void option_decode(uint8_t kind, struct sonde_span body, struct tcp_options *options)
{
    struct rd rd = rd_init(body);
    if (kind == OPT_MSS && body.len == 2) {
        options->mss = rd_u16(&rd);
    } else if (kind == OPT_WINDOW_SCALE && body.len == 1) {
        uint8_t shift = rd_u8(&rd);
        options->window_scale = (int8_t)(shift > 14 ? 14 : shift); /* RFC 7323 §2.3 */
    } else if (kind == OPT_SACK_PERMITTED && body.len == 0) {
        options->sack_permitted = true;
    } else if (kind == OPT_TIMESTAMPS && body.len == 8) {
        options->has_timestamps = true;
        options->ts_value = rd_u32(&rd);
        options->ts_echo = rd_u32(&rd);
    }
}

/* Every turn takes at least one byte, so this ends; a bad length ends it early (RFC 9293 §3.1). */
static void options_decode(struct sonde_span bytes, struct tcp_options *options)
{
    struct rd rd = rd_init(bytes);
    while (rd.rest.len > 0) {
        uint8_t kind = rd_u8(&rd);
        if (kind == OPT_END)
            return;
        if (kind == OPT_NOP)
            continue;
        uint8_t len = rd_u8(&rd);
        if (!rd_ok(&rd) || len < 2)
            return;
        struct sonde_span body = rd_span(&rd, len - 2U);
        if (!rd_ok(&rd))
            return;
        option_decode(kind, body, options);
    }
}

int tcp_decode(struct sonde_span segment, struct tcp_header *ret_tcp)
{
    struct tcp_header tcp = {.options.window_scale = -1};
    struct rd rd = rd_init(segment);
    tcp.src_port = rd_u16(&rd);
    tcp.dst_port = rd_u16(&rd);
    tcp.seq = rd_u32(&rd);
    if (!rd_ok(&rd))
        return -EBADMSG;
    if (segment.len < TCP_HEADER_BYTES) {
        tcp.cut = true;
        *ret_tcp = tcp;
        return 0;
    }
    tcp.ack = rd_u32(&rd);
    size_t header_len = (rd_u8(&rd) >> 4) * 4U;
    tcp.flags = rd_u8(&rd) & 0x3f;
    tcp.window = rd_u16(&rd);
    tcp.checksum = rd_u16(&rd);
    if (header_len < TCP_HEADER_BYTES)
        return -EBADMSG;
    tcp.cut = header_len > segment.len;
    options_decode(span_sub(segment, TCP_HEADER_BYTES, header_len - TCP_HEADER_BYTES),
                   &tcp.options);
    tcp.payload = span_sub(segment, header_len, segment.len);
    *ret_tcp = tcp;
    return 0;
}

static void options_encode(struct wr *wr, const struct tcp_options *options)
{
    if (options->mss != 0) {
        wr_u8(wr, OPT_MSS);
        wr_u8(wr, 4);
        wr_u16(wr, options->mss);
    }
    if (options->sack_permitted) {
        wr_u8(wr, OPT_SACK_PERMITTED);
        wr_u8(wr, 2);
    }
    if (options->has_timestamps) {
        wr_u8(wr, OPT_TIMESTAMPS);
        wr_u8(wr, 10);
        wr_u32(wr, options->ts_value);
        wr_u32(wr, options->ts_echo);
    }
    if (options->window_scale >= 0) {
        wr_u8(wr, OPT_NOP);
        wr_u8(wr, OPT_WINDOW_SCALE);
        wr_u8(wr, 3);
        wr_u8(wr, (uint8_t)options->window_scale);
    }
}

void tcp_encode(struct wr *wr, const struct tcp_header *tcp)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    struct wr options = wr_init(bytes, sizeof bytes);
    options_encode(&options, &tcp->options);
    while (options.len % 4 != 0)
        wr_u8(&options, OPT_NOP);
    if (!wr_ok(&options)) {
        wr->failed = true;
        return;
    }
    wr_u16(wr, tcp->src_port);
    wr_u16(wr, tcp->dst_port);
    wr_u32(wr, tcp->seq);
    wr_u32(wr, tcp->ack);
    wr_u8(wr, (uint8_t)((TCP_HEADER_BYTES + options.len) / 4 << 4));
    wr_u8(wr, tcp->flags);
    wr_u16(wr, tcp->window);
    wr_u16(wr, 0);
    wr_u16(wr, 0); /* urgent pointer */
    wr_bytes(wr, bytes, options.len);
}
