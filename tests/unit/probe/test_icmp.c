/* SPDX-License-Identifier: BSD-2-Clause */
/* The ICMP echo module: its bytes, and what it takes for an answer. RFC 792, RFC 4443 §4. */
#include "tests/support/answers.h"
#include "tests/unit/probe/samples.h"
#include "wire/icmp.h"

#include <criterion/criterion.h>

/* Offsets in a probe's segment. */
enum { AT_ID = 4, AT_SEQUENCE = 6, AT_COOKIE = 8, AT_TOKEN = 16 };

static struct sonde_spec spec_of(enum sonde_family family)
{
    return sample_spec(&probe_icmp, family);
}

Test(icmp, a_probe_is_an_echo_request_with_a_fixed_identifier)
{
    static const uint8_t types[] = {8, 128}; /* RFC 792; RFC 4443 §4.1 */
    static const uint8_t expected[] = {
        0x9c, 0x41, 0x03, 0xec,                         /* id 40001; sequence 3 + 1000 + 1 */
        0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, /* cookie */
        0x00, 0x00, 0x00, 0x03,                         /* token */
    };
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        static struct sample_probe probe;
        sample_build(&probe, &probe_icmp, &spec, 3);
        cr_expect_eq(probe.bytes[0], types[i]);
        cr_expect_eq(probe.bytes[1], 0);
        cr_expect_arr_eq(probe.bytes + AT_ID, expected, sizeof expected);
        cr_expect_eq(probe.tx.header_len, 8);
    }
}

/* Falsify a probe's bytes, echo them back, and let the module judge the reply. */
static int match_reply(struct sample_probe *probe, struct sonde_match *match)
{
    static uint8_t bytes[PROBE_SIZE_MAX + PACKET_HEADER_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_echo(&wr, &probe->tx, NULL);
    return sample_match(&probe_icmp, &probe->spec, &wr, match);
}

Test(icmp, a_reply_names_its_probe_with_all_bits_of_the_token)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            sample_build(&probe, &probe_icmp, &spec, sample_tokens[k]);
            cr_assert_eq(match_reply(&probe, &match), 0);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_ECHO_REPLY);
            cr_expect(match.has_token && match.has_full_token);
            cr_expect_eq(match.token, sample_tokens[k]);
            cr_expect_not(match.has_attempt);
        }
    }
}

Test(icmp, a_reply_that_differs_from_what_was_sent_is_refused)
{
    static const struct {
        const char *what;
        size_t at; /* the byte that differs */
        size_t len;
        int reason;
    } cases[] = {
        {"identifier", AT_ID, 44, SONDE_DISCARD_FOREIGN},
        {"identifier, low byte", AT_ID + 1, 44, SONDE_DISCARD_FOREIGN},
        {"sequence", AT_SEQUENCE, 44, SONDE_DISCARD_BAD_TOKEN},
        {"sequence, low byte", AT_SEQUENCE + 1, 44, SONDE_DISCARD_BAD_TOKEN},
        {"cookie, first byte", AT_COOKIE, 44, SONDE_DISCARD_BAD_TOKEN},
        {"cookie, last byte", AT_COOKIE + 7, 44, SONDE_DISCARD_BAD_TOKEN},
        {"token", AT_TOKEN + 3, 44, SONDE_DISCARD_BAD_TOKEN}, /* does not fit the sequence */
        {"identifier, and no data", AT_ID, 8, SONDE_DISCARD_FOREIGN},
        {"the last byte of a cookie cut short", AT_COOKIE + 6, 15, SONDE_DISCARD_BAD_TOKEN},
        {"the third and last byte of the cookie", AT_COOKIE + 2, 11, SONDE_DISCARD_BAD_TOKEN},
        {"cookie, and no token", AT_COOKIE + 7, 16, SONDE_DISCARD_BAD_TOKEN},
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_icmp, &spec, 3);
        if (cases[i].at != SIZE_MAX)
            probe.bytes[cases[i].at] ^= 0x01;
        probe.tx.segment.len = cases[i].len;
        cr_expect_eq(match_reply(&probe, &match), cases[i].reason, "%s", cases[i].what);
        sample_expect_untouched(&match, cases[i].what);
    }
}

/* The headers alone, with a word for the checksum, with a part of the cookie, with all of it but
 * the token. */
static const uint16_t short_sizes[] = {28, 29, 30, 31, 34, 38, 41};

Test(icmp, a_reply_to_a_short_probe_is_known_by_identifier_and_sequence)
{
    for (size_t i = 0; i < sizeof short_sizes / sizeof *short_sizes; i++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        spec.format.size_bytes = short_sizes[i];
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            sample_build(&probe, &probe_icmp, &spec, sample_tokens[k]);
            cr_assert_eq(probe.tx.segment.len, short_sizes[i] - 20U);
            cr_assert_eq(match_reply(&probe, &match), 0, "%u bytes", short_sizes[i]);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_ECHO_REPLY);
            cr_expect(match.has_token && !match.has_full_token);
            cr_expect_eq(match.token, sample_tokens[k] % 65535);
        }
    }
}

/* RFC 8200 §3, RFC 4443 §4.1: 40 and 8 bytes of headers. */
Test(icmp, over_ipv6_the_least_probe_has_48_bytes)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV6);
    static struct sample_probe probe;
    struct sonde_match match = sample_untouched;
    spec.format.size_bytes = 28;
    sample_build(&probe, &probe_icmp, &spec, 3);
    cr_expect_eq(probe.tx.segment.len, 8);
    cr_expect_eq(sample_sum(&probe.tx, IP_PROTO_ICMPV6), 0xffff);
    cr_expect_eq(match_reply(&probe, &match), 0);
    cr_expect_eq(match.token, 3);
}

Test(icmp, a_reply_to_a_short_probe_that_differs_from_what_was_sent_is_refused)
{
    static const struct {
        const char *what;
        uint16_t size_bytes;
        size_t at; /* the byte that differs; SIZE_MAX: the sequence is 0 */
        size_t len;
        int reason;
    } cases[] = {
        {"identifier", 28, AT_ID, 8, SONDE_DISCARD_FOREIGN},
        {"sequence of 0", 28, SIZE_MAX, 8, SONDE_DISCARD_BAD_TOKEN},
        {"first byte of the cookie", 31, 10, 11, SONDE_DISCARD_BAD_TOKEN},
        {"last byte of the cookie", 38, 17, 18, SONDE_DISCARD_BAD_TOKEN},
        {"fill", 41, 20, 21, SONDE_DISCARD_BAD_TOKEN},
        {"the byte of the cookie before the last, cut short", 38, 16, 17, SONDE_DISCARD_BAD_TOKEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        spec.format.size_bytes = cases[i].size_bytes;
        sample_build(&probe, &probe_icmp, &spec, 3);
        if (cases[i].at == SIZE_MAX)
            probe.bytes[AT_SEQUENCE] = probe.bytes[AT_SEQUENCE + 1] = 0;
        else
            probe.bytes[cases[i].at] ^= 0x10; /* and is no 0, as padding has */
        probe.tx.segment.len = cases[i].len;
        cr_expect_eq(match_reply(&probe, &match), cases[i].reason, "%s", cases[i].what);
        sample_expect_untouched(&match, cases[i].what);
    }
}

Test(icmp, an_error_about_a_short_probe_names_the_token_modulo_65535)
{
    for (size_t i = 0; i < sizeof short_sizes / sizeof *short_sizes; i++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        spec.format.size_bytes = short_sizes[i];
        sample_build(&probe, &probe_icmp, &spec, 65535 + 7);
        cr_expect_eq(sample_match_error(&probe_icmp, &probe, SIZE_MAX, &match), 0);
        cr_expect(match.has_token && !match.has_full_token);
        cr_expect_eq(match.token, 7);
        probe.bytes[AT_ID] ^= 0x01; /* by a NAT, or another program's */
        cr_expect_eq(sample_match_error(&probe_icmp, &probe, SIZE_MAX, &match),
                     SONDE_DISCARD_FOREIGN);
    }
}

/* Some devices answer without the data (RFC 792 asks for it back); ping counts such answers. */
Test(icmp, a_reply_without_its_data_names_the_token_by_its_sequence)
{
    /* nothing but the header; a byte of the cookie; all of it; all but the last byte of the token
     */
    static const size_t lens[] = {8, 9, 16, 19};
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        for (size_t k = 0; k < sizeof lens / sizeof *lens; k++) {
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            sample_build(&probe, &probe_icmp, &spec, 0x12345678);
            probe.tx.segment.len = lens[k];
            cr_assert_eq(match_reply(&probe, &match), 0, "%zu bytes", lens[k]);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_ECHO_REPLY);
            cr_expect(match.has_token);
            cr_expect_not(match.has_full_token);
            /* 0x12345678 = 305419896 = 65535 * 4660 + 26796 */
            cr_expect_eq(match.token, 26796, "%zu bytes", lens[k]);
        }
    }
}

/* Of a probe that is that short they are a word for the checksum. */
Test(icmp, two_bytes_of_data_prove_no_more_than_none)
{
    for (size_t len = 9; len <= 10; len++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_icmp, &spec, 3);
        probe.bytes[AT_COOKIE] ^= 0x01;
        probe.tx.segment.len = len;
        cr_assert_eq(match_reply(&probe, &match), 0);
        cr_expect(match.has_token && !match.has_full_token);
        cr_expect_eq(match.token, 3);
        probe.bytes[AT_SEQUENCE] = probe.bytes[AT_SEQUENCE + 1] = 0;
        cr_expect_eq(match_reply(&probe, &match), SONDE_DISCARD_BAD_TOKEN);
    }
}

Test(icmp, a_reply_to_a_short_probe_without_its_data_is_known_as_well)
{
    /* a word for the checksum; that and a byte of the cookie; all but the token */
    static const struct {
        uint16_t size_bytes;
        size_t len; /* of what comes back */
    } cases[] = {{30, 8}, {31, 8}, {31, 10}, {41, 17}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        spec.format.size_bytes = cases[i].size_bytes;
        sample_build(&probe, &probe_icmp, &spec, 3);
        probe.tx.segment.len = cases[i].len;
        cr_assert_eq(match_reply(&probe, &match), 0, "%zu bytes", cases[i].len);
        cr_expect(match.has_token && !match.has_full_token);
        cr_expect_eq(match.token, 3);
    }
}

/* A sequence of 0 is of no probe: probe_field16() never gives it. */
Test(icmp, a_reply_without_its_data_and_with_sequence_0_is_refused)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    struct sonde_match match = sample_untouched;
    sample_build(&probe, &probe_icmp, &spec, 3);
    probe.bytes[AT_SEQUENCE] = probe.bytes[AT_SEQUENCE + 1] = 0;
    probe.tx.segment.len = 8;
    cr_expect_eq(match_reply(&probe, &match), SONDE_DISCARD_BAD_TOKEN);
    sample_expect_untouched(&match, "sequence 0");
}

Test(icmp, a_reply_that_keeps_cookie_and_token_is_enough)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    struct sonde_match match = {0};
    sample_build(&probe, &probe_icmp, &spec, 3);
    probe.tx.segment.len = AT_TOKEN + 4; /* the fill is lost */
    cr_expect_eq(match_reply(&probe, &match), 0);
    cr_expect_eq(match.token, 3);
}

Test(icmp, an_error_with_the_shortest_quote_names_the_token_modulo_65535)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            static struct sample_probe probe;
            struct sonde_match match = sample_untouched;
            sample_build(&probe, &probe_icmp, &spec, sample_tokens[k]);
            cr_assert_eq(sample_match_error(&probe_icmp, &probe, 8, &match), 0);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_TTL_EXCEEDED);
            cr_expect(match.has_token);
            cr_expect_not(match.has_full_token);
            cr_expect_eq(match.token, sample_tokens[k] % 65535);
            cr_expect_not(match.has_attempt);
        }
    }
}

Test(icmp, an_error_names_the_whole_token_once_the_quote_holds_it)
{
    static const struct {
        size_t quote_len;
        bool full;
    } cases[] = {
        {8, false},  {16, false}, /* the cookie alone */
        {19, false},              /* all but the last byte of the token */
        {20, true},  {44, true},
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_icmp, &spec, 0x12345678);
        cr_assert_eq(sample_match_error(&probe_icmp, &probe, cases[i].quote_len, &match), 0);
        cr_expect_eq(match.has_full_token, cases[i].full, "%zu bytes", cases[i].quote_len);
        /* 0x12345678 = 305419896 = 65535 * 4660 + 26796 */
        cr_expect_eq(match.token, cases[i].full ? 0x12345678 : 26796, "%zu bytes",
                     cases[i].quote_len);
    }
}

Test(icmp, a_quote_is_judged_by_what_proves_it)
{
    static const struct {
        const char *what;
        size_t at;
        size_t quote_len;
        int result;
    } cases[] = {
        {"an identifier that a NAT changed, with proof", AT_ID, 44, 0},
        {"an identifier that a NAT changed, without", AT_ID, 8, SONDE_DISCARD_FOREIGN},
        {"another cookie", AT_COOKIE + 3, 44, SONDE_DISCARD_BAD_TOKEN},
        {"another cookie that is not quoted whole", AT_COOKIE + 3, 16, SONDE_DISCARD_BAD_TOKEN},
        {"a checksum that was rewritten", 2, 8, 0},
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_icmp, &spec, 3);
        probe.bytes[cases[i].at] ^= 0xff;
        int r = sample_match_error(&probe_icmp, &probe, cases[i].quote_len, &match);
        cr_expect_eq(r, cases[i].result, "%s", cases[i].what);
        if (r == 0)
            cr_expect_eq(match.token, 3, "%s", cases[i].what);
        else
            sample_expect_untouched(&match, cases[i].what);
    }
}

Test(icmp, a_quoted_sequence_of_zero_is_none_of_ours)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    struct sonde_match match = sample_untouched;
    sample_build(&probe, &probe_icmp, &spec, 3);
    probe.bytes[AT_SEQUENCE] = probe.bytes[AT_SEQUENCE + 1] = 0;
    cr_expect_neq(sample_match_error(&probe_icmp, &probe, 8, &match), 0);
    sample_expect_untouched(&match, "sequence 0");
}

Test(icmp, messages_without_a_whole_header_are_malformed)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static const uint8_t bytes[8] = {0};
    for (size_t len = 0; len < ICMP_HEADER_BYTES; len++) {
        struct sonde_match match = sample_untouched;
        struct sonde_rx rx = {.kind = SONDE_RX_ANSWER, .segment = {bytes, len}};
        cr_expect_eq(probe_icmp.match(&spec, &rx, &match), SONDE_DISCARD_MALFORMED);
        rx.kind = SONDE_RX_ERROR;
        rx.quote.segment = rx.segment;
        cr_expect_eq(probe_icmp.match(&spec, &rx, &match), SONDE_DISCARD_MALFORMED);
        sample_expect_untouched(&match, "short");
    }
}
