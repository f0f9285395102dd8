/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP headers and their options, whole and quoted. */
#include "spell.h"
#include "wire/tcp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 49374 > 443, seq 01020304, ack 05060708; then come data offset and flags */
#define PORTS_SEQ_ACK "c0de 01bb 01020304 05060708"
/* window 64240, checksum abcd, urgent pointer 0 */
#define WINDOW_CHECKSUM "faf0 abcd 0000"

#define MSS "02 04 05b4"
#define SACK_PERMITTED "04 02"
#define TIMESTAMPS "08 0a 11223344 55667788"
#define WINDOW_SCALE "03 03 07"
#define NOP "01"
#define END "00"

Test(tcp, every_field_is_read)
{
    struct tail tail;
    struct tcp_header tcp;
    memset(&tcp, 0xee, sizeof tcp);
    cr_assert_eq(tcp_decode(tail_hex(&tail, PORTS_SEQ_ACK "5012" WINDOW_CHECKSUM "616263"), &tcp),
                 0);
    cr_expect_eq(tcp.src_port, 49374);
    cr_expect_eq(tcp.dst_port, 443);
    cr_expect_eq(tcp.seq, 0x01020304);
    cr_expect_eq(tcp.ack, 0x05060708);
    cr_expect_eq(tcp.flags, TCP_SYN | TCP_ACK);
    cr_expect_eq(tcp.window, 64240);
    cr_expect_eq(tcp.checksum, 0xabcd);
    cr_expect_not(tcp.cut);
    cr_expect_eq(tcp.options.mss, 0);
    cr_expect_eq(tcp.options.window_scale, -1);
    cr_expect_not(tcp.options.sack_permitted);
    cr_expect_not(tcp.options.has_timestamps);
    expect_hex(tcp.payload, "616263", "payload");
}

Test(tcp, each_control_bit_is_read_by_itself)
{
    static const uint8_t bits[] = {TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH, TCP_ACK, 0x20 /* URG */};
    for (size_t i = 0; i < sizeof bits; i++) {
        uint8_t segment[20] = {[12] = 0x50};
        struct tcp_header tcp;
        segment[13] = bits[i];
        cr_assert_eq(tcp_decode((struct sonde_span){segment, 20}, &tcp), 0);
        cr_expect_eq(tcp.flags, bits[i], "%02x", bits[i]);
        segment[12] |= 0x0f; /* reserved bits, and those of ECN (RFC 3168), change nothing */
        segment[13] |= 0xc0;
        cr_assert_eq(tcp_decode((struct sonde_span){segment, 20}, &tcp), 0);
        cr_expect_eq(tcp.flags, bits[i], "%02x with others", bits[i]);
    }
}

Test(tcp, a_data_offset_below_5_is_refused_and_one_beyond_the_end_is_a_cut)
{
    for (unsigned offset = 0; offset <= 15; offset++) {
        uint8_t segment[40] = {0};
        struct tail tail;
        struct tcp_header tcp = {.src_port = 7};
        segment[12] = (uint8_t)(offset << 4);
        memset(segment + 20, 1, 20); /* NOP */
        int r = tcp_decode(tail_copy(&tail, (struct sonde_span){segment, 40}), &tcp);
        cr_expect_eq(r, offset < 5 ? -EBADMSG : 0, "%u", offset);
        if (r < 0) {
            cr_expect_eq(tcp.src_port, 7, "%u: untouched", offset);
            continue;
        }
        cr_expect_eq(tcp.cut, offset > 10, "%u", offset);
        cr_expect_eq(tcp.payload.len, offset < 10 ? 40 - 4 * offset : 0, "%u", offset);
    }
}

/* Decode a header with these option bytes, filled up with ends of options. */
static struct tcp_options decode_options(const char *hex)
{
    uint8_t room[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    struct tail tail;
    struct tcp_header tcp;
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, PORTS_SEQ_ACK "0002" WINDOW_CHECKSUM);
    wr_hex(&wr, hex);
    wr_fill(&wr, 0, (4 - wr.len % 4) % 4);
    cr_assert(wr_ok(&wr), "%s", hex);
    room[12] = (uint8_t)(wr.len / 4 << 4);
    cr_assert_eq(tcp_decode(tail_copy(&tail, written(&wr)), &tcp), 0, "%s", hex);
    cr_expect_not(tcp.cut, "%s", hex);
    return tcp.options;
}

Test(tcp, options_are_read_in_every_order_and_between_paddings)
{
    static const char *const options[] = {MSS, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE};
    static const char *const paddings[] = {"", NOP, NOP NOP NOP};
    for (unsigned order = 0; order < 4 * 4 * 4 * 4; order++) {
        const unsigned at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
        if (((1U << at[0]) | (1U << at[1]) | (1U << at[2]) | (1U << at[3])) != 0xf)
            continue; /* one of them twice */
        for (size_t padding = 0; padding < 3; padding++) {
            const char *pad = paddings[padding];
            char hex[200];
            (void)snprintf(hex, sizeof hex, "%s%s%s%s%s%s%s%s", pad, options[at[0]], pad,
                           options[at[1]], pad, options[at[2]], pad, options[at[3]]);
            struct tcp_options read = decode_options(hex);
            cr_expect_eq(read.mss, 1460, "%s", hex);
            cr_expect(read.sack_permitted, "%s", hex);
            cr_expect(read.has_timestamps, "%s", hex);
            cr_expect_eq(read.ts_value, 0x11223344, "%s", hex);
            cr_expect_eq(read.ts_echo, 0x55667788, "%s", hex);
            cr_expect_eq(read.window_scale, 7, "%s", hex);
        }
    }
}

Test(tcp, odd_options_cost_no_more_than_themselves)
{
    /* the MSS behind them is read, or, where they end the options, is not */
    static const struct {
        const char *hex;
        uint16_t mss;
    } cases[] = {
        {"fe 04 0000" MSS, 1460},             /* an unknown kind */
        {"fe 02" MSS, 1460},                  /* with nothing in it */
        {"05 0a 0000000000000000" MSS, 1460}, /* SACK itself: of no use to us */
        {END MSS, 0},                         /* the end is the end */
        {NOP END MSS, 0},
        {"fe 00" MSS, 0}, /* a length that counts not even itself */
        {"fe 01" MSS, 0},
        {"02 00" MSS, 0},
        {"02 01" MSS, 0},
        {"fe ff 0000" MSS, 0}, /* a length beyond the end */
        {"02 04 05", 0x0500},  /* the padding behind it is its second byte */
        {MSS "fe", 1460},      /* what came before a bad one stays */
        {MSS "fe 00", 1460},
        {MSS "fe ff", 1460},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(decode_options(cases[i].hex).mss, cases[i].mss, "%s", cases[i].hex);
    }
}

Test(tcp, an_option_of_the_wrong_length_is_passed_over)
{
    struct tcp_options read = decode_options("02 03 05"
                                             "02 05 05b400"
                                             "04 03 00"
                                             "03 02"
                                             "03 04 0707"
                                             "08 08 112233445566"
                                             "08 02" NOP);
    cr_expect_eq(read.mss, 0);
    cr_expect_not(read.sack_permitted);
    cr_expect_eq(read.window_scale, -1);
    cr_expect_not(read.has_timestamps);
    cr_expect_eq(decode_options("08 0b 112233445566778899" WINDOW_SCALE).window_scale, 7);
    cr_expect_not(decode_options("08 0b 112233445566778899" WINDOW_SCALE).has_timestamps);
}

Test(tcp, a_window_scale_above_14_means_14)
{
    static const struct {
        const char *hex;
        int8_t shift;
    } cases[] = {
        {"03 03 00", 0},  {"03 03 0d", 13}, {"03 03 0e", 14},
        {"03 03 0f", 14}, {"03 03 80", 14}, {"03 03 ff", 14}, /* RFC 7323 §2.3 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(decode_options(cases[i].hex).window_scale, cases[i].shift, "case %zu", i);
}

Test(tcp, a_quote_cut_anywhere_has_ports_and_seq_and_the_options_that_are_whole)
{
    /* data offset 15: MSS in bytes 20 to 23, timestamps in 24 to 33, window scale in 56 to 58 */
    uint8_t room[60];
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, PORTS_SEQ_ACK "f002" WINDOW_CHECKSUM MSS TIMESTAMPS);
    wr_fill(&wr, 1, 22); /* NOP */
    wr_hex(&wr, WINDOW_SCALE NOP);
    cr_assert_eq(written(&wr).len, 60);
    for (size_t len = 0; len <= 60; len++) {
        struct tail tail;
        struct tcp_header tcp = {.src_port = 7};
        int r = tcp_decode(tail_copy(&tail, (struct sonde_span){room, len}), &tcp);
        cr_expect_eq(r, len < 8 ? -EBADMSG : 0, "%zu", len);
        if (r < 0) {
            cr_expect_eq(tcp.src_port, 7, "%zu: untouched", len);
            continue;
        }
        cr_expect_eq(tcp.src_port, 49374, "%zu", len);
        cr_expect_eq(tcp.dst_port, 443, "%zu", len);
        cr_expect_eq(tcp.seq, 0x01020304, "%zu", len);
        cr_expect_eq(tcp.cut, len < 60, "%zu", len);
        cr_expect_eq(tcp.ack, len < 20 ? 0 : 0x05060708, "%zu", len);
        cr_expect_eq(tcp.flags, len < 20 ? 0 : TCP_SYN, "%zu", len);
        cr_expect_eq(tcp.options.mss, len < 24 ? 0 : 1460, "%zu", len);
        cr_expect_eq(tcp.options.has_timestamps, len >= 34, "%zu", len);
        cr_expect_eq(tcp.options.window_scale, len < 59 ? -1 : 7, "%zu", len);
        cr_expect_eq(tcp.payload.len, 0, "%zu", len);
    }
}

/*
 * IP 192.0.2.1.49374 > 198.51.100.2.443: Flags [S], seq 16909060, win 64240,
 * options [mss 1460,sackOK,TS val 287454020 ecr 0,nop,wscale 7], length 0
 * The order, with the NOP before the window scale, is the one that Linux 6 sends.
 */
Test(tcp, a_syn_is_written_as_linux_writes_it)
{
    uint8_t room[40];
    const struct tcp_header syn = {
        .src_port = 49374,
        .dst_port = 443,
        .seq = 0x01020304,
        .flags = TCP_SYN,
        .window = 64240,
        .options = {.mss = 1460,
                    .sack_permitted = true,
                    .has_timestamps = true,
                    .ts_value = 0x11223344,
                    .window_scale = 7},
    };
    struct wr wr = wr_init(room, sizeof room);
    tcp_encode(&wr, &syn);
    expect_hex(written(&wr),
               "c0de 01bb 01020304 00000000"
               "a0 02 faf0 0000 0000" /* 10 words, SYN, window, no checksum, no urgent pointer */
               "02 04 05b4"
               "04 02 08 0a 11223344 00000000"
               "01 03 03 07",
               "SYN");
}

Test(tcp, a_header_without_options_has_20_bytes)
{
    uint8_t room[20];
    const struct tcp_header rst = {
        .src_port = 443,
        .dst_port = 49374,
        .seq = 0,
        .ack = 0x01020305,
        .flags = TCP_RST | TCP_ACK,
        .options.window_scale = -1,
    };
    struct wr wr = wr_init(room, sizeof room);
    tcp_encode(&wr, &rst);
    expect_hex(written(&wr), "01bb c0de 00000000 01020305 50 14 0000 0000 0000", "RST");
    wr = wr_init(room, 19);
    tcp_encode(&wr, &rst);
    cr_expect_not(wr_ok(&wr));
}

Test(tcp, any_choice_of_options_is_read_again)
{
    for (unsigned choice = 0; choice < 16; choice++) {
        uint8_t room[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
        struct tcp_header read;
        const struct tcp_header tcp = {
            .seq = 1,
            .flags = TCP_SYN | TCP_ACK,
            .options = {.mss = choice & 1 ? 9000 : 0,
                        .sack_permitted = choice & 2,
                        .has_timestamps = choice & 4,
                        .ts_value = choice & 4 ? 0xfffffffe : 0,
                        .ts_echo = choice & 4 ? 0x80000001 : 0,
                        .window_scale = choice & 8 ? 0 : -1},
        };
        struct wr wr = wr_init(room, sizeof room);
        tcp_encode(&wr, &tcp);
        cr_expect_eq(wr.len % 4, 0, "choice %u", choice);
        cr_assert_eq(tcp_decode(written(&wr), &read), 0, "choice %u", choice);
        cr_expect_not(read.cut, "choice %u", choice);
        cr_expect_eq(read.payload.len, 0, "choice %u", choice);
        cr_expect_eq(read.options.mss, tcp.options.mss, "choice %u", choice);
        cr_expect_eq(read.options.sack_permitted, tcp.options.sack_permitted, "choice %u", choice);
        cr_expect_eq(read.options.has_timestamps, tcp.options.has_timestamps, "choice %u", choice);
        cr_expect_eq(read.options.ts_value, tcp.options.ts_value, "choice %u", choice);
        cr_expect_eq(read.options.ts_echo, tcp.options.ts_echo, "choice %u", choice);
        cr_expect_eq(read.options.window_scale, tcp.options.window_scale, "choice %u", choice);
    }
}
