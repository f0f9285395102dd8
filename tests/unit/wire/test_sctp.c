/* SPDX-License-Identifier: BSD-2-Clause */
/* SCTP's common header, the chunks of its first exchange, and its checksum. */
#include "spell.h"
#include "wire/crc32c.h"
#include "wire/sctp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* 49374 > 3868, verification tag 01020304, checksum abcdef01 */
#define HEADER "c0de 0f1c 01020304 abcdef01"
/* initiate tag, window 65536, 10 streams out, 2048 in, initial TSN */
#define INIT_BODY "a1a2a3a4 00010000 000a 0800 b1b2b3b4"
/* a State Cookie of 6 bytes, and its padding */
#define COOKIE "0007 000a c00c1ec00c1e"

/* RFC 3720 appendix B.4: the bytes of each checksum in the order in which they go out. */
Test(sctp, the_checksums_of_rfc_3720_come_out)
{
    static const struct {
        const char *hex;
        const char *crc;
    } cases[] = {
        {"0000000000000000 0000000000000000 0000000000000000 0000000000000000", "aa36918a"},
        {"ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff", "43aba862"},
        {"0001020304050607 08090a0b0c0d0e0f 1011121314151617 18191a1b1c1d1e1f", "4e79dd46"},
        {"1f1e1d1c1b1a1918 1716151413121110 0f0e0d0c0b0a0908 0706050403020100", "5cdb3f11"},
        {"01c0000000000000 0000000000000000 1400000000000400 0000001400000018"
         "2800000000000000 0200000000000000",
         "563a96d9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sonde_span bytes = tail_hex(&tail, cases[i].hex);
        uint32_t crc = crc32c_add(0, bytes);
        const uint8_t sent[] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                                (uint8_t)(crc >> 24)};
        expect_hex((struct sonde_span){sent, sizeof sent}, cases[i].crc, cases[i].hex);
        for (size_t at = 0; at <= bytes.len; at++) {
            uint32_t part = crc32c_add(0, span_sub(bytes, 0, at));
            cr_expect_eq(crc32c_add(part, span_sub(bytes, at, bytes.len)), crc, "in two parts, %zu",
                         at);
        }
    }
    cr_expect_eq(crc32c_add(0, (struct sonde_span){NULL, 0}), 0);
}

/* The checksum of 32 zeros, as above: so many bytes has an INIT. */
Test(sctp, the_checksum_in_a_packet_counts_as_zero)
{
    uint8_t bytes[32] = {0};
    struct wr wr = {bytes, sizeof bytes, sizeof bytes, false};
    cr_expect_eq(sctp_checksum((struct sonde_span){bytes, sizeof bytes}), 0xaa36918a);
    sctp_patch_checksum(&wr, sctp_checksum((struct sonde_span){bytes, sizeof bytes}));
    expect_hex(span_sub(written(&wr), 0, 14), "0000000000000000 aa36918a 0000", "patched");
    cr_expect_eq(sctp_checksum((struct sonde_span){bytes, sizeof bytes}), 0xaa36918a);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i >= 8 && i < 12)
            continue;
        bytes[i] ^= 1;
        cr_expect_neq(sctp_checksum((struct sonde_span){bytes, sizeof bytes}), 0xaa36918a, "%zu",
                      i);
        bytes[i] ^= 1;
    }
}

Test(sctp, every_field_of_an_init_and_of_its_answer_is_read)
{
    static const struct {
        const char *hex;
        uint8_t chunk;
    } cases[] = {
        {HEADER "01 00 0014" INIT_BODY, SCTP_INIT},
        {HEADER "02 00 001e" INIT_BODY COOKIE "0000", SCTP_INIT_ACK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sctp_packet packet;
        memset(&packet, 0xee, sizeof packet);
        cr_assert_eq(sctp_decode(tail_hex(&tail, cases[i].hex), &packet), 0);
        cr_expect_eq(packet.src_port, 49374);
        cr_expect_eq(packet.dst_port, 3868);
        cr_expect_eq(packet.tag, 0x01020304);
        cr_expect(packet.has_chunk && packet.has_initiate_tag && packet.has_init);
        cr_expect_not(packet.cut);
        cr_expect_eq(packet.chunk, cases[i].chunk);
        cr_expect_eq(packet.flags, 0);
        cr_expect_eq(packet.initiate_tag, 0xa1a2a3a4);
        cr_expect_eq(packet.window_bytes, 65536);
        cr_expect_eq(packet.out_streams, 10);
        cr_expect_eq(packet.in_streams, 2048);
        cr_expect_eq(packet.tsn, 0xb1b2b3b4);
    }
}

Test(sctp, an_abort_has_flags_and_perhaps_causes)
{
    static const struct {
        const char *hex;
        uint8_t flags;
    } cases[] = {
        {HEADER "06 00 0004", 0},
        {HEADER "06 01 0004", SCTP_ABORT_T},
        {HEADER "06 01 0008 000d 0004", SCTP_ABORT_T}, /* a cause: protocol violation */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        struct sctp_packet packet;
        cr_assert_eq(sctp_decode(tail_hex(&tail, cases[i].hex), &packet), 0);
        cr_expect_eq(packet.chunk, SCTP_ABORT);
        cr_expect_eq(packet.flags, cases[i].flags);
        cr_expect_not(packet.cut || packet.has_initiate_tag || packet.has_init);
    }
}

Test(sctp, a_quote_cut_anywhere_has_what_is_whole)
{
    uint8_t room[32];
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, HEADER "01 00 0014" INIT_BODY);
    for (size_t len = 0; len <= sizeof room; len++) {
        struct tail tail;
        struct sctp_packet packet = {.src_port = 7};
        int r = sctp_decode(tail_copy(&tail, (struct sonde_span){room, len}), &packet);
        cr_expect_eq(r, len < 8 ? -EBADMSG : 0, "%zu", len);
        if (r < 0) {
            cr_expect_eq(packet.src_port, 7, "%zu: untouched", len);
            continue;
        }
        cr_expect_eq(packet.src_port, 49374, "%zu", len);
        cr_expect_eq(packet.dst_port, 3868, "%zu", len);
        cr_expect_eq(packet.tag, 0x01020304, "%zu", len);
        cr_expect_eq(packet.has_chunk, len >= 16, "%zu", len);
        cr_expect_eq(packet.has_initiate_tag, len >= 20, "%zu", len);
        cr_expect_eq(packet.initiate_tag, len >= 20 ? 0xa1a2a3a4 : 0, "%zu", len);
        cr_expect_eq(packet.has_init, len == 32, "%zu", len);
        cr_expect_eq(packet.tsn, len == 32 ? 0xb1b2b3b4 : 0, "%zu", len);
        cr_expect_eq(packet.cut, len < 32, "%zu", len);
    }
}

/* RFC 9260 §3.2: the length counts type, flags and itself; §3.3.2: and 16 bytes more of an INIT. */
Test(sctp, a_chunk_is_as_long_as_it_has_to_be_or_it_is_refused)
{
    static const struct {
        uint8_t chunk;
        uint16_t least;
    } cases[] = {{SCTP_INIT, 20}, {SCTP_INIT_ACK, 20}, {SCTP_ABORT, 4}, {0, 4}, {255, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned length = 0; length <= 40; length++) {
            uint8_t bytes[32] = {[12] = cases[i].chunk, [15] = (uint8_t)length};
            struct tail tail;
            struct sctp_packet packet;
            int r = sctp_decode(tail_copy(&tail, (struct sonde_span){bytes, 32}), &packet);
            cr_expect_eq(r, length < cases[i].least ? -EBADMSG : 0, "type %u, length %u",
                         cases[i].chunk, length);
            if (r == 0)
                cr_expect_eq(packet.cut, length > 20, "type %u, length %u", cases[i].chunk, length);
        }
    }
}

Test(sctp, packets_are_written_as_the_rfc_draws_them)
{
    static const struct sctp_packet packet = {
        .src_port = 49374,
        .dst_port = 3868,
        .tag = 0x01020304,
        .initiate_tag = 0xa1a2a3a4,
        .window_bytes = 65536,
        .out_streams = 10,
        .in_streams = 2048,
        .tsn = 0xb1b2b3b4,
    };
    static const struct {
        uint8_t chunk;
        uint8_t flags;
        const char *parameters;
        const char *hex;
    } cases[] = {
        {SCTP_INIT, 0, "", "c0de 0f1c 01020304 00000000 01 00 0014" INIT_BODY},
        /* padded to four bytes, which the length does not count */
        {SCTP_INIT_ACK, 0, COOKIE,
         "c0de 0f1c 01020304 00000000 02 00 001e" INIT_BODY COOKIE "0000"},
        {SCTP_ABORT, SCTP_ABORT_T, "", "c0de 0f1c 01020304 00000000 06 01 0004"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tail tail;
        uint8_t room[64];
        struct sctp_packet written_packet = packet;
        struct sonde_span parameters = tail_hex(&tail, cases[i].parameters);
        written_packet.chunk = cases[i].chunk;
        written_packet.flags = cases[i].flags;
        struct wr wr = wr_init(room, sizeof room);
        sctp_encode(&wr, &written_packet, parameters);
        expect_hex(written(&wr), cases[i].hex, cases[i].hex);
        size_t len = wr.len;
        for (size_t cap = 0; cap < len; cap++) {
            wr = wr_init(room, cap);
            sctp_encode(&wr, &written_packet, parameters);
            cr_expect_not(wr_ok(&wr), "%zu bytes", cap);
        }
    }
}

Test(sctp, a_chunk_longer_than_its_length_can_say_is_not_written)
{
    static uint8_t room[70000];
    static const uint8_t much[65536];
    static const struct sctp_packet packet = {.chunk = SCTP_INIT_ACK};
    struct wr wr = wr_init(room, sizeof room);
    sctp_encode(&wr, &packet, (struct sonde_span){much, 65516}); /* 20 + 65516 = 65536 */
    cr_expect_not(wr_ok(&wr));
    wr = wr_init(room, sizeof room);
    sctp_encode(&wr, &packet, (struct sonde_span){much, 65515});
    cr_expect(wr_ok(&wr));
    wr = wr_init(room, 11);
    wr_fill(&wr, 0, 11);
    sctp_patch_checksum(&wr, 1);
    cr_expect_not(wr_ok(&wr), "no room for a checksum");
}
