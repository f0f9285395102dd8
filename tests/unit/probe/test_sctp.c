/* SPDX-License-Identifier: BSD-2-Clause */
/* The SCTP INIT module: its bytes, and what it takes for an answer. RFC 9260. */
#include "tests/support/answers.h"
#include "tests/unit/probe/samples.h"
#include "wire/icmp.h"
#include "wire/sctp.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Offsets in a probe's segment. */
enum { AT_SRC_PORT = 0, AT_TAG = 4, AT_CHUNK = 12, AT_INITIATE_TAG = 16 };

static struct sonde_spec spec_of(enum sonde_family family)
{
    return sample_spec(&probe_sctp, family);
}

Test(sctp, a_probe_is_an_init_as_a_linux_host_would_send_it)
{
    static const uint8_t header[] = {
        0x9c, 0x41, 0x01, 0xbb, 0, 0, 0, 0, /* 40001 to 443; no verification tag yet */
    };
    static const uint8_t init[] = {
        1,    0,    0,    20,   /* INIT, 20 bytes */
        0x11, 0x22, 0x33, 0x44, /* initiate tag */
        0,    1,    0xa0, 0,    /* window 106496 */
        0,    10,   0xff, 0xff, /* 10 streams out, as many in as there can be */
        0xff, 0xff, 0xff, 0xf3, /* initial TSN 0xfffffff0 + 3 */
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    sample_build(&probe, &probe_sctp, &spec, 3);
    cr_assert_eq(probe.tx.segment.len, 32);
    cr_expect_arr_eq(probe.bytes, header, sizeof header);
    cr_expect_arr_eq(probe.bytes + 12, init, sizeof init);
    cr_expect_eq(probe.tx.header_len, 32);
}

static const struct sonde_format usual = {.ttl = 7};

/* 0x00100000 more from attempt to attempt, so that the twelve upper bits count them modulo 4096. */
static const struct {
    uint32_t isn;
    uint32_t attempt;
    uint32_t tag;
} attempts[] = {
    {SAMPLE_ISN, 0, 0x11223344},
    {SAMPLE_ISN, 1, 0x11323344},
    {SAMPLE_ISN, 3822, 0x00023344},
    {SAMPLE_ISN, 4095, 0x11123344},
    {0, 0, 1}, /* 0 is no tag: RFC 9260 §3.3.2 */
    {0xfff00000, 1, 1},
};

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

Test(sctp, each_attempt_has_its_own_initiate_tag_which_is_never_0)
{
    for (size_t i = 0; i < ATTEMPTS; i++) {
        static struct sample_probe probe;
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        struct sctp_packet packet;
        const struct probe_name name = {.token = 3, .attempt = attempts[i].attempt};
        spec.isn = attempts[i].isn;
        sample_build_as(&probe, &probe_sctp, &spec, &usual, &name);
        cr_assert_eq(sctp_decode(probe.tx.segment, &packet), 0);
        cr_expect_eq(packet.initiate_tag, attempts[i].tag, "attempt %u", attempts[i].attempt);
    }
    for (uint32_t attempt = 0; attempt < 4096; attempt++) {
        static struct sample_probe probe;
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        struct sctp_packet packet;
        spec.isn = 0x12300000; /* nothing but zeros in its lower bits */
        sample_build_as(&probe, &probe_sctp, &spec, &usual,
                        &(struct probe_name){.attempt = attempt});
        cr_assert_eq(sctp_decode(probe.tx.segment, &packet), 0);
        cr_assert_neq(packet.initiate_tag, 0, "attempt %u", attempt);
    }
}

/* One attempt and its retransmissions, to a firewall that keeps state of tags. */
Test(sctp, every_init_of_an_attempt_has_the_same_tag_and_another_tsn)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (uint32_t token = 0; token < 40; token++) { /* the TSN wraps at 16 */
        static struct sample_probe probe;
        struct sctp_packet packet;
        sample_build(&probe, &probe_sctp, &spec, token);
        cr_assert_eq(sctp_decode(probe.tx.segment, &packet), 0);
        cr_expect_eq(packet.initiate_tag, SAMPLE_ISN);
        cr_expect_eq(packet.tsn, SAMPLE_TS_BASE + token);
    }
}

/* RFC 9260 §6.8: who gets a wrong checksum drops the packet; who forwards it does not look. */
Test(sctp, a_blind_probe_differs_from_others_in_a_checksum_that_is_wrong)
{
    for (size_t i = 0; i < 2; i++) {
        static struct sample_probe probe;
        static struct sample_probe blind;
        struct sonde_spec spec = spec_of(sample_families[i]);
        sample_build(&probe, &probe_sctp, &spec, 3);
        sample_build_as(&blind, &probe_sctp, &spec,
                        &(struct sonde_format){.ttl = 7, .is_blind = true},
                        &(struct probe_name){.token = 3});
        cr_assert_eq(blind.tx.segment.len, probe.tx.segment.len);
        cr_expect_arr_eq(blind.bytes, probe.bytes, 8);
        cr_expect_arr_neq(blind.bytes + 8, probe.bytes + 8, 4);
        cr_expect_arr_eq(blind.bytes + 12, probe.bytes + 12, 20);
    }
}

/* Let the module judge an answer to the probe with token 3. */
static int match_answer(const struct sonde_spec *spec, const struct sctp_packet *packet,
                        struct sonde_match *match)
{
    static struct sample_probe probe;
    static uint8_t bytes[200];
    struct wr wr = wr_init(bytes, sizeof bytes);
    sample_build(&probe, &probe_sctp, spec, 3);
    answer_sctp(&wr, &probe.tx, NULL, packet);
    return sample_match(&probe_sctp, spec, &wr, match);
}

Test(sctp, answers_are_judged_by_chunk_and_verification_tag)
{
    static const struct {
        const char *what;
        uint8_t chunk;
        uint8_t flags;
        uint32_t tag;
        uint32_t initiate_tag;
        int result;
        enum sonde_outcome outcome;
    } cases[] = {
        {"INIT ACK", SCTP_INIT_ACK, 0, SAMPLE_ISN, 9, 0, SONDE_OUTCOME_OPEN},
        {"ABORT", SCTP_ABORT, 0, SAMPLE_ISN, 0, 0, SONDE_OUTCOME_CLOSED},
        /* §8.5.1 (B): with the T bit it would have to be the peer's tag, which nobody knows yet */
        {"ABORT that reflects", SCTP_ABORT, SCTP_ABORT_T, 0, 0, SONDE_DISCARD_BAD_TOKEN, 0},
        {"ABORT that says so", SCTP_ABORT, SCTP_ABORT_T, SAMPLE_ISN, 0, SONDE_DISCARD_BAD_TOKEN, 0},
        {"ABORT of nobody", SCTP_ABORT, 0, 0, 0, SONDE_DISCARD_BAD_TOKEN, 0},
        {"ABORT with the next tag", SCTP_ABORT, 0, SAMPLE_ISN + 1, 0, SONDE_DISCARD_BAD_TOKEN, 0},
        {"INIT ACK of another", SCTP_INIT_ACK, 0, 0xdeadbeef, 9, SONDE_DISCARD_BAD_TOKEN, 0},
        {"INIT ACK with tag 0", SCTP_INIT_ACK, 0, 0, 9, SONDE_DISCARD_BAD_TOKEN, 0},
        {"INIT ACK that nobody could use", SCTP_INIT_ACK, 0, SAMPLE_ISN, 0, SONDE_DISCARD_MALFORMED,
         0}, /* §3.3.3 */
        {"INIT of its own", SCTP_INIT, 0, 0, 9, SONDE_DISCARD_NOT_A_RESULT, 0},
        {"DATA", 0, 0, SAMPLE_ISN, 0, SONDE_DISCARD_NOT_A_RESULT, 0},
        {"SHUTDOWN COMPLETE", 14, 0, SAMPLE_ISN, 0, SONDE_DISCARD_NOT_A_RESULT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sonde_spec spec = spec_of(sample_families[k]);
            struct sonde_match match = sample_untouched;
            const struct sctp_packet packet = {
                .tag = cases[i].tag,
                .chunk = cases[i].chunk,
                .flags = cases[i].flags,
                .initiate_tag = cases[i].initiate_tag,
            };
            cr_expect_eq(match_answer(&spec, &packet, &match), cases[i].result, "%s",
                         cases[i].what);
            if (cases[i].result != 0) {
                sample_expect_untouched(&match, cases[i].what);
                continue;
            }
            cr_expect_eq(match.outcome, cases[i].outcome, "%s", cases[i].what);
            cr_expect(match.has_attempt);
            cr_expect_eq(match.attempt, 0);
            cr_expect_not(match.has_token || match.has_full_token || match.is_reminder);
        }
    }
}

Test(sctp, the_verification_tag_of_an_answer_names_the_attempt)
{
    static const uint8_t chunks[] = {SCTP_INIT_ACK, SCTP_ABORT};
    for (size_t i = 0; i < ATTEMPTS; i++) {
        for (size_t k = 0; k < sizeof chunks; k++) {
            struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV6);
            struct sonde_match match = sample_untouched;
            spec.isn = attempts[i].isn;
            const struct sctp_packet packet = {
                .tag = attempts[i].tag, .chunk = chunks[k], .initiate_tag = 9};
            cr_assert_eq(match_answer(&spec, &packet, &match), 0);
            cr_expect(match.has_attempt);
            cr_expect_eq(match.attempt, attempts[i].attempt);
        }
    }
}

Test(sctp, an_answer_to_another_port_of_ours_is_foreign)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    struct sonde_spec other = spec;
    struct sonde_match match = sample_untouched;
    static struct sample_probe probe;
    static uint8_t bytes[200];
    struct wr wr = wr_init(bytes, sizeof bytes);
    other.flow.src_port++;
    sample_build(&probe, &probe_sctp, &other, 3);
    answer_sctp(&wr, &probe.tx, NULL,
                &(struct sctp_packet){.tag = SAMPLE_ISN, .chunk = SCTP_ABORT});
    cr_expect_eq(sample_match(&probe_sctp, &spec, &wr, &match), SONDE_DISCARD_FOREIGN);
    sample_expect_untouched(&match, "another port");
}

/* An INIT ACK of 20 bytes and a cookie of 8: 12 + 28 bytes. */
Test(sctp, an_answer_cut_short_is_told_apart_from_a_malformed_one)
{
    static const struct {
        size_t len;
        int reason;
    } cases[] = {
        {0, SONDE_DISCARD_MALFORMED},
        {7, SONDE_DISCARD_MALFORMED},
        {8, SONDE_DISCARD_TRUNCATED},
        {15, SONDE_DISCARD_TRUNCATED},
        {16, SONDE_DISCARD_TRUNCATED},
        {39, SONDE_DISCARD_TRUNCATED},
        {40, 0},
    };
    static const uint8_t cookie[] = {0, 7, 0, 8, 1, 2, 3, 4};
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    uint8_t bytes[60];
    struct wr wr = wr_init(bytes, sizeof bytes);
    const struct sctp_packet packet = {
        .src_port = SAMPLE_DST_PORT,
        .dst_port = SAMPLE_SRC_PORT,
        .tag = SAMPLE_ISN,
        .chunk = SCTP_INIT_ACK,
        .initiate_tag = 9,
    };
    sctp_encode(&wr, &packet, (struct sonde_span){cookie, sizeof cookie});
    cr_assert_eq(wr.len, 40);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_match match = sample_untouched;
        const struct sonde_rx rx = {.kind = SONDE_RX_ANSWER, .segment = {bytes, cases[i].len}};
        cr_expect_eq(probe_sctp.match(&spec, &rx, &match), cases[i].reason, "%zu bytes",
                     cases[i].len);
        if (cases[i].reason != 0)
            sample_expect_untouched(&match, "cut short");
    }
    bytes[15] = 19; /* the length of an INIT ACK that has no room for an INIT ACK */
    struct sonde_match match = sample_untouched;
    const struct sonde_rx rx = {.kind = SONDE_RX_ANSWER, .segment = {bytes, 40}};
    cr_expect_eq(probe_sctp.match(&spec, &rx, &match), SONDE_DISCARD_MALFORMED);
}

Test(sctp, an_error_with_the_shortest_quote_is_known_by_the_identification)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_sctp, &spec, sample_tokens[k]);
        cr_assert_eq(sample_match_error(&probe_sctp, &probe, 8, &match), 0);
        cr_expect_eq(match.outcome, SONDE_OUTCOME_TTL_EXCEEDED);
        cr_expect(match.has_token);
        cr_expect_not(match.has_full_token || match.has_attempt);
        cr_expect_eq(match.token, sample_tokens[k] % 65535);
    }
}

Test(sctp, an_error_names_more_the_more_it_quotes)
{
    static const struct {
        size_t quote_len;
        bool attempt;
        bool full;
    } cases[] = {{8, false, false}, {12, false, false}, {19, false, false},
                 {20, true, false}, {31, true, false},  {32, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sonde_spec spec = spec_of(sample_families[k]);
            static struct sample_probe probe;
            struct sonde_match match = {0};
            const struct probe_name name = {.token = 0x12345678, .attempt = 5};
            sample_build_as(&probe, &probe_sctp, &spec, &usual, &name);
            cr_assert_eq(sample_match_error(&probe_sctp, &probe, cases[i].quote_len, &match), 0);
            cr_expect_eq(match.has_attempt, cases[i].attempt, "%zu bytes", cases[i].quote_len);
            cr_expect_eq(match.attempt, cases[i].attempt ? 5 : 0, "%zu bytes", cases[i].quote_len);
            cr_expect_eq(match.has_full_token, cases[i].full, "%zu bytes", cases[i].quote_len);
            bool ipv4 = sample_families[k] == SONDE_FAMILY_IPV4;
            cr_expect_eq(match.has_token, ipv4 || cases[i].full);
            /* 0x12345678 = 305419896 = 65535 * 4660 + 26796 */
            uint32_t short_token = ipv4 ? 26796 : 0;
            cr_expect_eq(match.token, cases[i].full ? 0x12345678 : short_token, "%zu bytes",
                         cases[i].quote_len);
        }
    }
}

Test(sctp, a_quote_is_judged_by_the_secret_tag_or_else_by_the_port)
{
    static const struct {
        const char *what;
        size_t at;
        size_t and_at; /* SIZE_MAX: nothing more */
        size_t quote_len;
        int result;
    } cases[] = {
        {"a source port that a NAT changed", AT_SRC_PORT, SIZE_MAX, 8, SONDE_DISCARD_FOREIGN},
        {"the same, with the tag", AT_SRC_PORT, SIZE_MAX, 20, 0},
        {"the same, with all of it", AT_SRC_PORT, SIZE_MAX, 32, 0},
        {"another tag", AT_INITIATE_TAG + 1, SIZE_MAX, 20, SONDE_DISCARD_BAD_TOKEN},
        {"another tag, last byte", AT_INITIATE_TAG + 3, SIZE_MAX, 32, SONDE_DISCARD_BAD_TOKEN},
        {"another attempt", AT_INITIATE_TAG, SIZE_MAX, 32, 0},
        {"another port and tag", AT_SRC_PORT, AT_INITIATE_TAG + 3, 32, SONDE_DISCARD_FOREIGN},
        /* what this machine's kernel sends about an INIT ACK that it does not know */
        {"a packet with a tag", AT_TAG, SIZE_MAX, 8, SONDE_DISCARD_NOT_A_RESULT},
        {"another chunk", AT_CHUNK, SIZE_MAX, 32, SONDE_DISCARD_NOT_A_RESULT},
        {"another chunk and port", AT_CHUNK, AT_SRC_PORT, 32, SONDE_DISCARD_FOREIGN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_sctp, &spec, 3);
        probe.bytes[cases[i].at] ^= 0xff;
        if (cases[i].and_at != SIZE_MAX)
            probe.bytes[cases[i].and_at] ^= 0xff;
        int r = sample_match_error(&probe_sctp, &probe, cases[i].quote_len, &match);
        cr_expect_eq(r, cases[i].result, "%s", cases[i].what);
        if (r == 0)
            cr_expect_eq(match.token, 3, "%s", cases[i].what);
        else
            sample_expect_untouched(&match, cases[i].what);
    }
}

/* A host without SCTP says that it has no such protocol: over IPv4 by an unreachable of code 2 (RFC
 * 1122 §3.2.2.1), over IPv6 by a parameter problem of code 1 (RFC 8200 §4). */
Test(sctp, a_host_without_sctp_makes_it_unreachable)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        static struct sample_probe probe;
        static uint8_t bytes[200];
        struct wr wr = wr_init(bytes, sizeof bytes);
        struct sonde_match match = {0};
        bool ipv6 = sample_families[i] == SONDE_FAMILY_IPV6;
        sample_build(&probe, &probe_sctp, &spec, 3);
        answer_error(&wr, &probe.tx, NULL, ipv6 ? ICMP6_PARAMETER_PROBLEM : ICMP4_UNREACHABLE,
                     ipv6 ? 1 : 2, 32);
        cr_assert_eq(sample_match(&probe_sctp, &spec, &wr, &match), 0);
        cr_expect_eq(match.outcome, SONDE_OUTCOME_OTHER_UNREACHABLE);
        cr_expect_eq(match.token, 3);
    }
}
