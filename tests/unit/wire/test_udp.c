/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP headers, whole and quoted. */
#include "spell.h"
#include "wire/udp.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(udp, every_field_is_read)
{
    struct tail tail;
    struct udp_header udp;
    /* 49374 > 53, 11 bytes, checksum 1234, payload abc */
    cr_assert_eq(udp_decode(tail_hex(&tail, "c0de 0035 000b 1234 616263"), &udp), 0);
    cr_expect_eq(udp.src_port, 49374);
    cr_expect_eq(udp.dst_port, 53);
    cr_expect_eq(udp.length, 11);
    cr_expect_eq(udp.checksum, 0x1234);
    expect_hex(udp.payload, "616263", "payload");
}

Test(udp, a_header_cut_anywhere_is_refused)
{
    struct tail whole;
    struct sonde_span bytes = tail_hex(&whole, "c0de 0035 000b 1234");
    for (size_t len = 0; len <= 8; len++) {
        struct tail tail;
        struct udp_header udp = {.src_port = 7};
        int r = udp_decode(tail_copy(&tail, span_sub(bytes, 0, len)), &udp);
        cr_expect_eq(r, len < 8 ? -EBADMSG : 0, "%zu", len);
        cr_expect_eq(udp.src_port, len < 8 ? 7 : 49374, "%zu", len);
    }
}

Test(udp, the_payload_is_what_is_there_of_what_was_stated)
{
    static const struct {
        uint16_t length;
        int payload; /* of the 4 bytes that follow the header; -1 = refused */
    } cases[] = {{0, -1}, {7, -1}, {8, 0}, {9, 1}, {12, 4}, {13, 4}, {UINT16_MAX, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[12];
        struct tail tail;
        struct udp_header udp;
        struct wr wr = wr_init(room, sizeof room);
        wr_u32(&wr, 0xc0de0035);
        wr_u16(&wr, cases[i].length);
        wr_hex(&wr, "0000 61626364");
        int r = udp_decode(tail_copy(&tail, written(&wr)), &udp);
        cr_expect_eq(r, cases[i].payload < 0 ? -EBADMSG : 0, "length %u", cases[i].length);
        if (r == 0)
            cr_expect_eq((int)udp.payload.len, cases[i].payload, "length %u", cases[i].length);
    }
}

Test(udp, a_header_is_written_for_the_payload_behind_it)
{
    uint8_t room[8];
    struct wr wr = wr_init(room, sizeof room);
    udp_encode(&wr, 49374, 53, 0x0100);
    expect_hex(written(&wr), "c0de 0035 0108 0000", "header");
}

Test(udp, what_does_not_fit_is_not_written)
{
    static const struct {
        size_t payload_len;
        size_t cap;
        bool ok;
    } cases[] = {
        {65527, 8, true}, /* 65535 less the header */
        {65528, 8, false}, {SIZE_MAX, 8, false}, {0, 8, true}, {0, 7, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t room[8];
        struct wr wr = wr_init(room, cases[i].cap);
        udp_encode(&wr, 1, 2, cases[i].payload_len);
        cr_expect_eq(wr_ok(&wr), cases[i].ok, "case %zu", i);
    }
}
