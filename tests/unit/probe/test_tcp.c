/* SPDX-License-Identifier: BSD-2-Clause */
/* The TCP SYN module: its bytes, and what it takes for an answer. RFC 9293, RFC 7323. */
#include "tests/support/answers.h"
#include "tests/unit/probe/samples.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Offsets in a probe's segment, and the sequence number that an answer acknowledges. */
enum { AT_SRC_PORT = 0, AT_SEQ = 4, AT_OFFSET = 12, ACK_OF_SYN = SAMPLE_ISN + 1 };

static struct sonde_spec spec_of(enum sonde_family family)
{
    return sample_spec(&probe_tcp, family);
}

Test(tcp, a_probe_is_a_syn_as_a_linux_host_would_send_it)
{
    static const uint8_t header[] = {
        0x9c, 0x41, 0x01, 0xbb,             /* 40001 to 443 */
        0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, /* ISN; nothing acknowledged */
        0xa0, 0x02, 0xfa, 0xf0,             /* 40 bytes, SYN, window 64240 */
    };
    static const uint8_t options[] = {
        0x00, 0x00,                               /* urgent pointer */
        2,    4,    0x05, 0xb4,                   /* MSS 1460 */
        4,    2,                                  /* SACK permitted */
        8,    10,   0xff, 0xff, 0xff, 0xf3, 0, 0, /* TSval 0xfffffff0 + 3 */
        0,    0,                                  /* TSecr */
        1,    3,    3,    7,                      /* NOP, window scale 7 */
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    sample_build(&probe, &probe_tcp, &spec, 3);
    cr_expect_arr_eq(probe.bytes, header, sizeof header);
    cr_expect_arr_eq(probe.bytes + 18, options, sizeof options);
    cr_expect_eq(probe.tx.header_len, 40);
}

Test(tcp, over_ipv6_the_segment_size_is_smaller)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV6);
    static struct sample_probe probe;
    sample_build(&probe, &probe_tcp, &spec, 0);
    cr_expect_eq(probe.bytes[22] << 8 | probe.bytes[23], 1440); /* 1500 - 40 - 20 */
}

/* One connection attempt and its retransmissions, to whoever keeps state of it. */
Test(tcp, every_syn_of_an_attempt_has_the_same_sequence_number_and_a_later_timestamp)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    struct tcp_header last = {0};
    for (uint32_t token = 0; token < 40; token++) { /* TSval wraps at 16 */
        static struct sample_probe probe;
        struct tcp_header tcp;
        sample_build(&probe, &probe_tcp, &spec, token);
        cr_assert_eq(tcp_decode(probe.tx.segment, &tcp), 0);
        cr_expect_eq(tcp.seq, SAMPLE_ISN);
        cr_expect_eq(tcp.flags, TCP_SYN);
        cr_expect(tcp.options.has_timestamps);
        if (token > 0)
            cr_expect_eq(tcp.options.ts_value - last.options.ts_value, 1);
        last = tcp;
    }
}

/* Let the module judge an answer to the probe with token 3. */
static int match_answer(const struct sonde_spec *spec, const struct tcp_header *tcp,
                        struct sonde_match *match)
{
    static struct sample_probe probe;
    static uint8_t bytes[200];
    struct wr wr = wr_init(bytes, sizeof bytes);
    sample_build(&probe, &probe_tcp, spec, 3);
    answer_tcp(&wr, &probe.tx, NULL, tcp);
    return sample_match(&probe_tcp, spec, &wr, match);
}

static const struct tcp_header syn_ack = {
    .seq = 0xabcd1234,
    .ack = ACK_OF_SYN,
    .flags = TCP_SYN | TCP_ACK,
    .options = {.has_timestamps = true, .ts_value = 77, .ts_echo = SAMPLE_TS_BASE + 3},
};

Test(tcp, a_syn_ack_names_its_probe_by_the_echoed_timestamp)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
            struct tcp_header tcp = syn_ack;
            struct sonde_match match = sample_untouched;
            tcp.options.ts_echo = SAMPLE_TS_BASE + sample_tokens[k];
            if (tcp.options.ts_echo == 0)
                continue; /* says nothing: a case of its own, below */
            cr_assert_eq(match_answer(&spec, &tcp, &match), 0);
            cr_expect_eq(match.outcome, SONDE_OUTCOME_OPEN);
            cr_expect(match.has_token && match.has_full_token);
            cr_expect_eq(match.token, sample_tokens[k]);
            cr_expect(match.has_attempt);
            cr_expect_eq(match.attempt, 0);
        }
    }
}

Test(tcp, a_syn_ack_without_a_timestamp_to_go_by_names_no_probe)
{
    static const struct tcp_options options[] = {
        {.mss = 1460},                         /* a server that does without */
        {.has_timestamps = true},              /* RFC 7323 §3.2: 0 is no echo */
        {.mss = 536, .sack_permitted = false}, /* a SYN cookie's */
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct tcp_header tcp = syn_ack;
        struct sonde_match match = {0};
        tcp.options = options[i];
        cr_expect_eq(match_answer(&spec, &tcp, &match), 0, "options %zu", i);
        cr_expect_eq(match.outcome, SONDE_OUTCOME_OPEN);
        cr_expect_not(match.has_token || match.has_full_token, "options %zu", i);
        cr_expect(match.has_attempt);
        cr_expect_eq(match.attempt, 0);
    }
}

Test(tcp, answers_are_judged_by_flags_and_acknowledgment)
{
    static const struct {
        const char *what;
        uint8_t flags;
        uint32_t ack;
        int result;
        enum sonde_outcome outcome;
    } cases[] = {
        {"RST ACK", TCP_RST | TCP_ACK, ACK_OF_SYN, 0, SONDE_OUTCOME_CLOSED},
        {"SYN ACK with PSH", TCP_SYN | TCP_ACK | TCP_PSH, ACK_OF_SYN, 0, SONDE_OUTCOME_OPEN},
        {"RST wins over SYN", TCP_RST | TCP_SYN | TCP_ACK, ACK_OF_SYN, 0, SONDE_OUTCOME_CLOSED},
        {"RST without ACK", TCP_RST, ACK_OF_SYN, SONDE_DISCARD_BAD_TOKEN, 0},
        {"RST that acknowledges the ISN", TCP_RST | TCP_ACK, SAMPLE_ISN, SONDE_DISCARD_BAD_TOKEN,
         0},
        {"RST that acknowledges too much", TCP_RST | TCP_ACK, SAMPLE_ISN + 2,
         SONDE_DISCARD_BAD_TOKEN, 0},
        {"RST that acknowledges nothing", TCP_RST | TCP_ACK, 0, SONDE_DISCARD_BAD_TOKEN, 0},
        {"SYN ACK of something else", TCP_SYN | TCP_ACK, 0xdeadbeef, SONDE_DISCARD_BAD_TOKEN, 0},
        {"ACK of a handshake that was not ended", TCP_ACK, ACK_OF_SYN, 0, SONDE_OUTCOME_OPEN},
        {"stray ACK", TCP_ACK, 5, SONDE_DISCARD_BAD_TOKEN, 0},
        {"ACK with data", TCP_ACK | TCP_PSH, ACK_OF_SYN, SONDE_DISCARD_NOT_A_RESULT, 0},
        {"SYN of its own", TCP_SYN, 0, SONDE_DISCARD_NOT_A_RESULT, 0}, /* RFC 9293 §3.5 */
        {"FIN ACK", TCP_FIN | TCP_ACK, ACK_OF_SYN, SONDE_DISCARD_NOT_A_RESULT, 0},
        {"no flag at all", 0, ACK_OF_SYN, SONDE_DISCARD_NOT_A_RESULT, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sonde_spec spec = spec_of(sample_families[k]);
            struct sonde_match match = sample_untouched;
            const struct tcp_header tcp = {
                .seq = 1,
                .ack = cases[i].ack,
                .flags = cases[i].flags,
                .options.window_scale = -1,
            };
            cr_expect_eq(match_answer(&spec, &tcp, &match), cases[i].result, "%s", cases[i].what);
            if (cases[i].result == 0)
                cr_expect_eq(match.outcome, cases[i].outcome, "%s", cases[i].what);
            else
                sample_expect_untouched(&match, cases[i].what);
        }
    }
}

Test(tcp, a_rst_names_its_attempt_but_no_probe)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    struct tcp_header tcp = syn_ack;
    struct sonde_match match = {0};
    tcp.flags = TCP_RST | TCP_ACK; /* its timestamp echo is nothing that RFC 7323 promises */
    cr_expect_eq(match_answer(&spec, &tcp, &match), 0);
    cr_expect_not(match.has_token || match.has_full_token);
    cr_expect(match.has_attempt);
}

/* 0x00100000 more from attempt to attempt, so that the twelve upper bits count them modulo 4096. */
static const struct {
    uint32_t attempt;
    uint32_t isn;
} attempts[] = {
    {0, 0x11223344},    {1, 0x11323344},    {5, 0x11723344},
    {3822, 0x00023344}, {4095, 0x11123344}, {4096, 0x11223344},
};

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

static const struct sonde_format usual = {.ttl = 7};

Test(tcp, each_attempt_has_its_own_sequence_number)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        static struct sample_probe probe;
        struct tcp_header tcp;
        const struct probe_name name = {.token = 3, .attempt = attempts[i].attempt};
        sample_build_as(&probe, &probe_tcp, &spec, &usual, &name);
        cr_assert_eq(tcp_decode(probe.tx.segment, &tcp), 0);
        cr_expect_eq(tcp.seq, attempts[i].isn, "attempt %u", attempts[i].attempt);
    }
}

Test(tcp, what_acknowledges_the_sequence_number_of_an_attempt_names_it)
{
    static const uint8_t flags[] = {TCP_SYN | TCP_ACK, TCP_RST | TCP_ACK, TCP_ACK};
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV6);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        for (size_t k = 0; k < sizeof flags; k++) {
            struct tcp_header tcp = {.flags = flags[k], .options.window_scale = -1};
            struct sonde_match match = sample_untouched;
            tcp.ack = attempts[i].isn + 1;
            cr_assert_eq(match_answer(&spec, &tcp, &match), 0);
            cr_expect(match.has_attempt);
            cr_expect_eq(match.attempt, attempts[i].attempt % 4096);
            cr_expect_eq(match.is_reminder, flags[k] == TCP_ACK);
        }
    }
}

Test(tcp, a_quote_names_its_attempt_by_the_sequence_number)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV6);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        const struct probe_name name = {.token = 3, .attempt = attempts[i].attempt};
        sample_build_as(&probe, &probe_tcp, &spec, &usual, &name);
        cr_assert_eq(sample_match_error(&probe_tcp, &probe, 8, &match), 0);
        cr_expect(match.has_attempt);
        cr_expect_eq(match.attempt, attempts[i].attempt % 4096);
    }
}

/* Whatever is said of a reset is said of no probe. */
Test(tcp, a_quote_of_what_took_an_attempt_back_is_told_from_that_of_a_probe)
{
    for (size_t i = 0; i < ATTEMPTS; i++) {
        struct sonde_spec spec = spec_of(sample_families[i % 2]);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_tcp, &spec, 3);
        cr_assert_eq(sample_match_error(&probe_tcp, &probe, 8, &match), 0);
        cr_expect(!match.is_release);
        cr_assert_eq(probe_tcp.release(&spec, attempts[i].attempt, probe.bytes, sizeof probe.bytes,
                                       &probe.tx),
                     0);
        cr_assert_eq(sample_match_error(&probe_tcp, &probe, 8, &match), 0);
        cr_expect(match.is_release);
    }
}

/* RFC 9293 §3.1: who gets a wrong checksum drops the segment; who forwards it does not look. */
Test(tcp, a_blind_probe_differs_from_others_in_a_checksum_that_is_wrong)
{
    for (size_t i = 0; i < 2; i++) {
        static struct sample_probe probe;
        static struct sample_probe blind;
        struct sonde_spec spec = spec_of(sample_families[i]);
        sample_build(&probe, &probe_tcp, &spec, 3);
        sample_build_as(&blind, &probe_tcp, &spec,
                        &(struct sonde_format){.ttl = 7, .is_blind = true},
                        &(struct probe_name){.token = 3});
        cr_expect_eq(sample_sum(&probe.tx, IP_PROTO_TCP), 0xffff);
        cr_expect_neq(sample_sum(&blind.tx, IP_PROTO_TCP), 0xffff);
        cr_assert_eq(blind.tx.segment.len, probe.tx.segment.len);
        cr_expect_arr_eq(blind.bytes, probe.bytes, 16);
        cr_expect_arr_eq(blind.bytes + 18, probe.bytes + 18, probe.tx.segment.len - 18);
    }
}

/* RFC 5961 §3.2: a RST ends a connection only with the sequence number that is expected next, and
 * that is one more than the SYN's. */
Test(tcp, an_attempt_is_taken_back_by_a_reset_that_its_server_believes)
{
    for (size_t i = 0; i < ATTEMPTS; i++) {
        struct sonde_spec spec = spec_of(sample_families[i % 2]);
        uint8_t bytes[PROBE_SIZE_MIN];
        struct sonde_tx tx = {0};
        struct tcp_header tcp;
        cr_assert_eq(probe_tcp.release(&spec, attempts[i].attempt, bytes, sizeof bytes, &tx), 0);
        cr_assert_eq(tcp_decode(tx.segment, &tcp), 0);
        cr_expect_eq(tcp.flags, TCP_RST);
        cr_expect_eq(tcp.seq, attempts[i].isn + 1);
        cr_expect_eq(tcp.src_port, SAMPLE_SRC_PORT);
        cr_expect_eq(tcp.dst_port, SAMPLE_DST_PORT);
        cr_expect_eq(sample_sum(&tx, IP_PROTO_TCP), 0xffff);
        cr_expect_eq(tx.flow, &spec.flow);
        cr_expect_eq(probe_tcp.release(&spec, 0, bytes, 19, &tx), -ENOBUFS);
    }
}

Test(tcp, an_answer_to_another_port_of_ours_is_foreign)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    struct sonde_spec other = spec;
    struct sonde_match match = sample_untouched;
    static struct sample_probe probe;
    static uint8_t bytes[200];
    struct wr wr = wr_init(bytes, sizeof bytes);
    other.flow.src_port++;
    sample_build(&probe, &probe_tcp, &other, 3);
    answer_tcp(&wr, &probe.tx, NULL, &syn_ack);
    cr_expect_eq(sample_match(&probe_tcp, &spec, &wr, &match), SONDE_DISCARD_FOREIGN);
    sample_expect_untouched(&match, "another port");
}

Test(tcp, an_answer_cut_short_is_told_apart_from_a_malformed_one)
{
    static const struct {
        size_t len;
        int reason;
    } cases[] = {
        {0, SONDE_DISCARD_MALFORMED},  {7, SONDE_DISCARD_MALFORMED},  {8, SONDE_DISCARD_TRUNCATED},
        {19, SONDE_DISCARD_TRUNCATED}, {20, SONDE_DISCARD_TRUNCATED}, {39, SONDE_DISCARD_TRUNCATED},
    };
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    struct tcp_header tcp = syn_ack;
    uint8_t bytes[60];
    struct wr wr = wr_init(bytes, sizeof bytes);
    tcp.src_port = SAMPLE_DST_PORT;
    tcp.dst_port = SAMPLE_SRC_PORT;
    tcp.options.mss = 1460;
    tcp.options.sack_permitted = true;
    tcp_encode(&wr, &tcp);
    cr_assert_eq(wr.len, 40);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_match match = sample_untouched;
        const struct sonde_rx rx = {.kind = SONDE_RX_ANSWER, .segment = {bytes, cases[i].len}};
        cr_expect_eq(probe_tcp.match(&spec, &rx, &match), cases[i].reason, "%zu bytes",
                     cases[i].len);
        sample_expect_untouched(&match, "cut short");
    }
}

Test(tcp, a_data_offset_below_the_header_is_malformed)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    struct sonde_match match = sample_untouched;
    sample_build(&probe, &probe_tcp, &spec, 3);
    probe.bytes[AT_OFFSET] = 0x40; /* 16 bytes */
    cr_expect_eq(sample_match_error(&probe_tcp, &probe, 40, &match), SONDE_DISCARD_MALFORMED);
    sample_expect_untouched(&match, "data offset 4");
}

Test(tcp, an_error_with_the_shortest_quote_is_known_by_the_identification)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t k = 0; k < SAMPLE_TOKENS; k++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_tcp, &spec, sample_tokens[k]);
        cr_assert_eq(sample_match_error(&probe_tcp, &probe, 8, &match), 0);
        cr_expect_eq(match.outcome, SONDE_OUTCOME_TTL_EXCEEDED);
        cr_expect(match.has_token);
        cr_expect_not(match.has_full_token);
        cr_expect_eq(match.token, sample_tokens[k] % 65535);
        cr_expect(match.has_attempt);
    }
}

Test(tcp, without_an_identification_a_short_quote_proves_only_the_trace)
{
    for (size_t i = 0; i < 2; i++) {
        struct sonde_spec spec = spec_of(sample_families[i]);
        static struct sample_probe probe;
        struct sonde_match match = {0};
        sample_build(&probe, &probe_tcp, &spec, 3);
        probe.tx.id = 0;
        cr_expect_eq(sample_match_error(&probe_tcp, &probe, 8, &match), 0);
        cr_expect_eq(match.outcome, SONDE_OUTCOME_TTL_EXCEEDED);
        cr_expect_not(match.has_token || match.has_full_token);
    }
}

Test(tcp, an_error_names_the_whole_token_once_the_options_are_quoted)
{
    static const struct {
        size_t quote_len;
        bool full;
    } cases[] = {{8, false}, {20, false}, {39, false}, {40, true}};
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_tcp, &spec, 0x12345678);
        cr_assert_eq(sample_match_error(&probe_tcp, &probe, cases[i].quote_len, &match), 0);
        cr_expect_eq(match.has_full_token, cases[i].full, "%zu bytes", cases[i].quote_len);
        /* 0x12345678 = 305419896 = 65535 * 4660 + 26796 */
        cr_expect_eq(match.token, cases[i].full ? 0x12345678 : 26796, "%zu bytes",
                     cases[i].quote_len);
    }
}

Test(tcp, a_quote_is_judged_by_the_secret_sequence_number)
{
    static const struct {
        const char *what;
        size_t at;
        size_t and_at; /* SIZE_MAX: nothing more */
        size_t quote_len;
        int result;
    } cases[] = {
        {"a source port that a NAT changed", AT_SRC_PORT, SIZE_MAX, 8, 0},
        {"the same, with all of the header", AT_SRC_PORT, SIZE_MAX, 40, 0},
        /* the upper 12 bits name the attempt, the lower 20 are secret: those of bytes 1 (half) to 3
         */
        {"another ISN", AT_SEQ + 1, SIZE_MAX, 8, SONDE_DISCARD_BAD_TOKEN},
        {"another ISN, next byte", AT_SEQ + 2, SIZE_MAX, 8, SONDE_DISCARD_BAD_TOKEN},
        {"another ISN, all quoted", AT_SEQ + 3, SIZE_MAX, 40, SONDE_DISCARD_BAD_TOKEN},
        {"another port and ISN", AT_SRC_PORT, AT_SEQ + 3, 40, SONDE_DISCARD_FOREIGN},
        {"another attempt", AT_SEQ, SIZE_MAX, 40, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
        static struct sample_probe probe;
        struct sonde_match match = sample_untouched;
        sample_build(&probe, &probe_tcp, &spec, 3);
        probe.bytes[cases[i].at] ^= 0xff;
        if (cases[i].and_at != SIZE_MAX)
            probe.bytes[cases[i].and_at] ^= 0xff;
        int r = sample_match_error(&probe_tcp, &probe, cases[i].quote_len, &match);
        cr_expect_eq(r, cases[i].result, "%s", cases[i].what);
        if (r == 0)
            cr_expect_eq(match.token, 3, "%s", cases[i].what);
        else
            sample_expect_untouched(&match, cases[i].what);
    }
}

/* The TSval of another probe of the trace leads to that probe: nothing else in the quote does. */
Test(tcp, a_quoted_timestamp_decides_over_the_identification)
{
    struct sonde_spec spec = spec_of(SONDE_FAMILY_IPV4);
    static struct sample_probe probe;
    struct sonde_match match = {0};
    sample_build(&probe, &probe_tcp, &spec, 3);
    probe.tx.id = 9; /* rewritten on the way, as some NATs do */
    cr_expect_eq(sample_match_error(&probe_tcp, &probe, 40, &match), 0);
    cr_expect_eq(match.token, 3);
}
