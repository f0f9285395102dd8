/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP headers and the options of a SYN. Source: RFC 9293 §3.1, RFC 7323 §2 and §3, RFC 2018 §2. */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include "base/bytes.h"

#include <sonde/types.h>

enum {
    TCP_HEADER_BYTES = 20, /* without options */
    TCP_OPTIONS_MAX = 40,  /* bytes; the data offset has 4 bits */
};

/** Control bits. */
enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
};

struct tcp_options {
    uint16_t mss;        /* 0 = absent */
    int8_t window_scale; /* -1 = absent */
    bool sack_permitted;
    bool has_timestamps;
    uint32_t ts_value; /* TSval */
    uint32_t ts_echo;  /* TSecr */
};

struct tcp_header {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t seq;
    uint32_t ack; /* valid only with TCP_ACK */
    uint8_t flags;
    uint16_t window;
    uint16_t checksum;
    bool cut;                   /* a quote that ends before the options do: seq is all it has */
    struct tcp_options options; /* what was readable of them */
    struct sonde_span payload;  /* borrowed */
};

/**
 * Decode a TCP header.
 * @param segment  The header and what follows. With fewer than 20 bytes, or options cut short, it
 *                 can only be a quote: what is there is decoded and @p ret_tcp->cut set.
 * @param ret_tcp  On 0, the header; members that are not there are 0 (window_scale -1).
 * @return 0; -EBADMSG if fewer than 8 bytes are there or the data offset is below 5.
 */
SONDE_MUST_CHECK int tcp_decode(struct sonde_span segment, struct tcp_header *ret_tcp);

/**
 * Write a header with options and checksum 0.
 * @param wr   Receives it; options are written in the order MSS, SACK permitted, timestamps, NOP
 *             and window scale, padded to a multiple of 4, as Linux writes those of a SYN.
 * @param tcp  Ports, seq, ack, flags, window and options; other members are ignored.
 */
void tcp_encode(struct wr *wr, const struct tcp_header *tcp);

#endif
