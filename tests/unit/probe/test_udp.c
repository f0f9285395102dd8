/* SPDX-License-Identifier: BSD-2-Clause */
/* The UDP module: its bytes, and what it takes for an answer. RFC 768. */
#include "tests/support/answers.h"
#include "tests/unit/probe/samples.h"

#include <criterion/criterion.h>

/* Offsets in a probe's segment. */
enum { AT_SRC_PORT = 0, AT_CHECKSUM = 6, AT_COOKIE = 8, AT_TOKEN = 16 };

static struct sonde_spec spec_of(enum sonde_family family)
{
    return sample_spec(&probe_udp, family);
}

static uint16_t checksum_of(const struct sample_probe *probe)
{
    return (uint16_t)(probe->bytes[AT_CHECKSUM] << 8 | probe->bytes[AT_CHECKSUM + 1]);
}

Test(udp, a_probe_has_our_ports_and_its_own_length)
{
    static const uint8_t lengths[] = {44, 24}; /* 64 - 20; 64 - 40 */
    for (size_t i = 0; i < 2; i++) {
        static struct sample_probe probe;
        struct sonde_spec spec = spec_of(sample_families[i]);
        const uint8_t expected[] = {0x9c, 0x41, 0x01, 0xbb, 0, lengths[i]}; /* 40001 to 443 */
        sample_build(&probe, &probe_udp, &spec, 3);
        cr_expect_arr_eq(probe.bytes, expected, sizeof expected);
        cr_expect_eq(probe.tx.header_len, 8);
    }
}

Test(udp, the_checksum_carries_the_token_and_is_never_zero)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        unsigned wrong = 0;
        for (uint32_t token = 0; token <= 65535; token++) {
            static struct sample_probe probe;
            sample_build(&probe, &probe_udp, &spec, token);
            /* (token mod 65535 + 1000) mod 65535 + 1 */
            uint16_t expected = (uint16_t)((token % 65535 + 1000) % 65535 + 1);
            wrong += checksum_of(&probe) != expected;
            wrong += sample_sum(&probe.tx, IP_PROTO_UDP) != 0xffff;
        }
        cr_expect_eq(wrong, 0);
    }
}

/* 28 bytes over IPv4, 48 over IPv6 are headers alone; two more, and the checksum names the probe.
 */
Test(udp, a_probe_without_room_for_its_proof_is_named_by_the_identification_or_its_checksum)
{
    static const struct {
        enum sonde_family family;
        uint16_t size_bytes;
        size_t len;
        bool named; /* by its segment alone */
    } cases[] = {
        {SONDE_FAMILY_IPV4, 28, 8, false}, {SONDE_FAMILY_IPV4, 29, 9, false},
        {SONDE_FAMILY_IPV4, 30, 10, true}, {SONDE_FAMILY_IPV4, 41, 21, true},
        {SONDE_FAMILY_IPV6, 28, 8, false}, {SONDE_FAMILY_IPV6, 48, 8, false},
        {SONDE_FAMILY_IPV6, 50, 10, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = {0};
        struct sonde_spec spec = spec_of(cases[i].family);
        spec.format.size_bytes = cases[i].size_bytes;
        sample_build(&probe, &probe_udp, &spec, 3);
        cr_expect_eq(probe.tx.segment.len, cases[i].len, "case %zu", i);
        cr_expect_eq(sample_sum(&probe.tx, IP_PROTO_UDP), 0xffff, "case %zu", i);
        cr_expect_eq(sample_match_error(&probe_udp, &probe, 8, &match), 0, "case %zu", i);
        bool by_id = cases[i].family == SONDE_FAMILY_IPV4;
        cr_expect_eq(match.has_token, by_id || cases[i].named, "case %zu", i);
        cr_expect_eq(match.token, match.has_token ? 3 : 0, "case %zu", i);
        cr_expect_not(match.has_full_token);
        probe.tx.id = 0; /* a router that zeroes what it quotes of the IP header */
        match = (struct sonde_match){0};
        cr_expect_eq(sample_match_error(&probe_udp, &probe, 8, &match), 0, "case %zu", i);
        cr_expect_eq(match.has_token, cases[i].named, "case %zu", i);
    }
}

/* Let the module judge a datagram from the probed port with this payload. */
static int match_reply(struct sample_probe *probe, struct sonde_span payload,
                       struct sonde_match *match)
{
    static uint8_t bytes[PROBE_SIZE_MAX + PACKET_HEADER_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_udp(&wr, &probe->tx, NULL, payload);
    return sample_match(&probe_udp, &probe->spec, &wr, match);
}

Test(udp, an_echoing_server_gives_the_whole_token_back)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            sample_build(&probe, &probe_udp, &spec, sample_tokens[k]);
            struct sonde_span payload = span_sub(probe.tx.segment, 8, SIZE_MAX);
            cr_assert_eq(match_reply(&probe, payload, &match), 0);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_UDP_REPLY);
            cr_expect(match.has_token && match.has_full_token);
            cr_expect_eq(match.token, sample_tokens[k]);
            cr_expect_not(match.has_attempt);
        }
    }
}

Test(udp, any_datagram_from_the_port_is_an_answer_though_it_names_no_probe)
{
    static const uint8_t other[] = "\x12\x34\x81\x80 an answer of the server's own";
    static struct sample_probe probe;
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    sample_build(&probe, &probe_udp, &spec, 3);
    const struct sonde_span payloads[] = {
        {other, 0},
        {other, 1},
        {other, sizeof other},
        span_sub(probe.tx.segment, 8, 11), /* an echo cut short of the token's end */
    };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        struct sonde_match match = {0};
        cr_expect_eq(match_reply(&probe, payloads[i], &match), 0, "payload %zu", i);
        cr_expect_eq(match.outcome, SONDE_OUTCOME_UDP_REPLY, "payload %zu", i);
        cr_expect_not(match.has_token || match.has_full_token || match.has_attempt, "payload %zu",
                      i);
    }
}

Test(udp, a_datagram_to_another_port_of_ours_is_foreign)
{
    static struct sample_probe probe;
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    struct sonde_match match = sample_untouched;
    sample_build(&probe, &probe_udp, &spec, 3);
    struct sonde_flow flow = spec.flow;
    flow.src_port++;
    probe.tx.flow = &flow;
    struct sonde_span payload = span_sub(probe.tx.segment, 8, SIZE_MAX);
    cr_expect_eq(match_reply(&probe, payload, &match), SONDE_DISCARD_FOREIGN);
    sample_expect_untouched(&match, "another port");
}

Test(udp, a_stated_length_below_the_header_is_malformed)
{
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } cases[] = {
        {{0x01, 0xbb, 0x9c, 0x41, 0, 7, 0, 0}, 8}, /* says 7 */
        {{0x01, 0xbb, 0x9c, 0x41, 0, 0, 0, 0}, 8},
        {{0x01, 0xbb, 0x9c, 0x41, 0, 8, 0, 0}, 7}, /* one byte missing */
        {{0x01, 0xbb, 0x9c, 0x41, 0, 8, 0, 0}, 0},
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_match match = sample_untouched;
        struct sonde_rx rx = {.kind = SONDE_RX_ANSWER, .segment = {cases[i].bytes, cases[i].len}};
        cr_expect_eq(probe_udp.match(&spec, &rx, &match), SONDE_DISCARD_MALFORMED, "case %zu", i);
        rx.kind = SONDE_RX_ERROR;
        rx.quote.segment = rx.segment;
        cr_expect_eq(probe_udp.match(&spec, &rx, &match), SONDE_DISCARD_MALFORMED, "case %zu", i);
        sample_expect_untouched(&match, "malformed");
    }
}

Test(udp, an_error_with_the_shortest_quote_names_the_token_modulo_65535)
{
    for (size_t i = 0; i < 2; i++) { /* by the identification of IPv4, by the checksum of IPv6 */
        struct sonde_spec spec = spec_of(sample_families[i]);
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            sample_build(&probe, &probe_udp, &spec, sample_tokens[k]);
            cr_assert_eq(sample_match_error(&probe_udp, &probe, 8, &match), 0);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_TTL_EXCEEDED);
            cr_expect(match.has_token);
            cr_expect_not(match.has_full_token);
            cr_expect_eq(match.token, sample_tokens[k] % 65535);
        }
    }
}

Test(udp, an_error_names_the_whole_token_once_the_quote_holds_it)
{
    static const struct {
        size_t quote_len;
        bool full;
    } cases[] = {{8, false}, {19, false}, {20, true}, {44, true}};
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_udp, &spec, 0x12345678);
        cr_assert_eq(sample_match_error(&probe_udp, &probe, cases[i].quote_len, &match), 0);
        cr_expect_eq(match.has_full_token, cases[i].full, "%zu bytes", cases[i].quote_len);
        /* 0x12345678 = 305419896 = 65535 * 4660 + 26796 */
        cr_expect_eq(match.token, cases[i].full ? 0x12345678 : 26796, "%zu bytes",
                     cases[i].quote_len);
    }
}

Test(udp, a_quote_is_judged_by_what_proves_it)
{
    static const struct {
        const char *what;
        size_t at;
        size_t quote_len;
        int result;
    } cases[] = {
        {"a source port that a NAT changed, with proof", AT_SRC_PORT, 44, 0},
        {"a source port that a NAT changed, without", AT_SRC_PORT, 8, SONDE_DISCARD_FOREIGN},
        {"a checksum that a NAT changed, with proof", AT_CHECKSUM, 44, 0},
        {"a checksum that a NAT changed, the identification quoted", AT_CHECKSUM, 8, 0},
        {"another cookie", AT_COOKIE, 44, SONDE_DISCARD_BAD_TOKEN},
        {"another cookie that is not quoted whole", AT_COOKIE, 15, SONDE_DISCARD_BAD_TOKEN},
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_udp, &spec, 3);
        probe.bytes[cases[i].at] ^= 0xff;
        int r = sample_match_error(&probe_udp, &probe, cases[i].quote_len, &match);
        cr_expect_eq(r, cases[i].result, "%s", cases[i].what);
        if (r == 0)
            cr_expect_eq(match.token, 3, "%s", cases[i].what);
        else
            sample_expect_untouched(&match, cases[i].what);
    }
}

Test(udp, a_short_quote_without_identification_is_known_by_its_checksum_if_it_has_one)
{
    static const struct {
        uint16_t id;
        bool checksum;
        bool found;
    } cases[] = {
        {0, true, true}, /* a router that zeroes what it quotes of the IP header */
        {0, false, false},
        {1004, false, true}, /* 3 + 1000 + 1 */
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = {0};
        sample_build(&probe, &probe_udp, &spec, 3);
        probe.tx.id = cases[i].id;
        if (!cases[i].checksum)
            probe.bytes[AT_CHECKSUM] = probe.bytes[AT_CHECKSUM + 1] = 0;
        cr_expect_eq(sample_match_error(&probe_udp, &probe, 8, &match), 0, "case %zu", i);
        cr_expect_eq(match.has_token, cases[i].found, "case %zu", i);
        cr_expect_eq(match.token, cases[i].found ? 3 : 0, "case %zu", i);
    }
}
