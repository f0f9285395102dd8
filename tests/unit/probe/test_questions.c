/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A UDP service with several questions: the probe says which one it carries, and what arrives says
 * which it may be about. DNS is asked for ". NS", for "version.bind", and nothing with a cookie.
 */
#include "tests/support/answers.h"
#include "tests/unit/probe/samples.h"

#include <criterion/criterion.h>

enum {
    ROOT = 1 << 0, /* in sonde_match.questions */
    VERSION = 1 << 1,
    EMPTY = 1 << 2,
    FLAG_RESPONSE = 0x80, /* of the third byte; RFC 1035 §4.1.1 */
};

static struct sonde_spec dns_spec(void)
{
    struct sonde_spec spec = sample_spec(&probe_udp, SONDE_FAMILY_IPV4);
    spec.question_count = (uint8_t)payload_questions(&payload_dns, NULL, spec.questions);
    cr_assert_eq(spec.question_count, 3);
    return spec;
}

/* Let the module judge a datagram from the probed port. */
static int match_reply(struct sample_probe *probe, const uint8_t *payload, size_t len,
                       struct sonde_match *ret_match)
{
    static uint8_t bytes[PROBE_SIZE_MAX + PACKET_HEADER_MAX];
    struct wr wr = wr_init(bytes, sizeof bytes);
    answer_udp(&wr, &probe->tx, NULL, (struct sonde_span){payload, len});
    return sample_match(&probe_udp, &probe->spec, &wr, ret_match);
}

Test(questions, a_probe_carries_the_one_that_its_format_says)
{
    static struct sample_probe probe;
    static const size_t lengths[] = {8 + 17, 8 + 30, 8 + 35}; /* with the header of UDP */
    struct sonde_spec spec = dns_spec();
    for (uint8_t i = 0; i < 3; i++) {
        sample_ask(&probe, &probe_udp, &spec, 9, i);
        cr_expect_eq(probe.tx.segment.len, lengths[i], "question %u", i);
        cr_expect_eq(sample_sum(&probe.tx, IP_PROTO_UDP), 0xffff);
    }
}

Test(questions, an_answer_that_repeats_its_question_is_about_that_one)
{
    static struct sample_probe probe;
    struct sonde_spec spec = dns_spec();
    for (uint8_t i = 0; i < 2; i++) {
        struct sonde_match match = sample_untouched;
        sample_ask(&probe, &probe_udp, &spec, 70000, i);
        probe.bytes[8 + 2] |= FLAG_RESPONSE; /* its own answer */
        size_t len = probe.tx.segment.len - 8;
        cr_assert_eq(match_reply(&probe, probe.bytes + 8, len, &match), 0);
        cr_expect_eq(match.questions, 1U << i, "question %u: %x", i, match.questions);
        cr_expect(match.has_token && !match.has_full_token);
        cr_expect_eq(match.token, 70000 % PROBE_TOKEN_MODULUS);
    }
}

/* RFC 1035 allows an error without the question; its identification is all that it has. */
Test(questions, an_answer_that_leaves_the_question_out_may_be_about_each)
{
    static struct sample_probe probe;
    struct sonde_spec spec = dns_spec();
    sample_ask(&probe, &probe_udp, &spec, 70000, 1);
    uint8_t refused[12] = {probe.bytes[8], probe.bytes[9], 0x80, 0x05};
    struct sonde_match match = sample_untouched;
    cr_assert_eq(match_reply(&probe, refused, sizeof refused, &match), 0);
    cr_expect_eq(match.questions, ROOT | VERSION | EMPTY);
    cr_expect_eq(match.token, 70000 % PROBE_TOKEN_MODULUS);
}

Test(questions, an_answer_with_the_cookie_names_the_whole_token)
{
    static struct sample_probe probe;
    struct sonde_spec spec = dns_spec();
    struct sonde_match match = sample_untouched;
    sample_ask(&probe, &probe_udp, &spec, 70000, 2);
    probe.bytes[8 + 2] |= FLAG_RESPONSE;
    size_t len = probe.tx.segment.len - 8;
    cr_assert_eq(match_reply(&probe, probe.bytes + 8, len, &match), 0);
    cr_expect_eq(match.questions, EMPTY);
    cr_expect(match.has_full_token);
    cr_expect_eq(match.token, 70000);
}

Test(questions, a_quote_is_about_the_question_in_it_or_about_all_that_it_is_too_short_for)
{
    static struct sample_probe probe;
    struct sonde_spec spec = dns_spec();
    for (uint8_t i = 0; i < 3; i++) {
        struct sonde_match match = sample_untouched;
        sample_ask(&probe, &probe_udp, &spec, 70000, i);
        cr_assert_eq(sample_match_error(&probe_udp, &probe, probe.tx.segment.len, &match), 0);
        cr_expect_eq(match.questions, 1U << i, "question %u: %x", i, match.questions);
        cr_expect(match.has_token);
        cr_assert_eq(sample_match_error(&probe_udp, &probe, 8, &match), 0);
        cr_expect_eq(match.questions, ROOT | VERSION | EMPTY, "question %u: %x", i,
                     match.questions);
        cr_expect_eq(match.token, 70000 % PROBE_TOKEN_MODULUS); /* from the identification */
    }
}

Test(questions, what_no_question_takes_is_refused)
{
    static struct sample_probe probe;
    struct sonde_spec spec = dns_spec();
    struct sonde_match match = sample_untouched;
    sample_ask(&probe, &probe_udp, &spec, 3, 0);
    size_t len = probe.tx.segment.len - 8;
    cr_expect_eq(match_reply(&probe, probe.bytes + 8, len, &match), SONDE_DISCARD_NOT_A_RESULT,
                 "a question");
    sample_expect_untouched(&match, "a question");
    probe.bytes[8 + 15] = 1; /* asks for an address, which nobody of us does */
    cr_expect_eq(sample_match_error(&probe_udp, &probe, probe.tx.segment.len, &match),
                 SONDE_DISCARD_BAD_TOKEN);
    sample_expect_untouched(&match, "a stranger's question");
}

Test(questions, a_server_that_thinks_long_over_one_is_given_its_time)
{
    struct sonde_spec spec = sample_spec(&probe_udp, SONDE_FAMILY_IPV4);
    spec.question_count = (uint8_t)payload_questions(&payload_radius, NULL, spec.questions);
    cr_assert_eq(spec.question_count, 2);
    cr_expect_eq(probe_think_ns(&probe_udp, &spec, 0), 500 * SONDE_NS_PER_MS);
    cr_expect_eq(probe_think_ns(&probe_udp, &spec, 1), 1500 * SONDE_NS_PER_MS);
    cr_expect_eq(probe_think_ns(&probe_tcp, &spec, 7), 0); /* of a spec without questions */
}

/* An interface of this machine means nothing to the server. */
Test(questions, a_link_local_server_is_asked_by_its_address_without_a_zone)
{
    static struct sample_probe probe;
    static const char uri[] = "OPTIONS sip:[fe80::1] SIP/2.0\r\n";
    struct sonde_spec spec = sample_spec(&probe_udp, SONDE_FAMILY_IPV6);
    spec.question_count = (uint8_t)payload_questions(&payload_sip, NULL, spec.questions);
    cr_assert_eq(spec.question_count, 1);
    cr_assert_eq(sonde_addr_parse("fe80::1", &spec.flow.dst), 0);
    spec.flow.dst.scope = 3;
    spec.flow.dst_port = 5060;
    sample_build(&probe, &probe_udp, &spec, 3);
    cr_expect_arr_eq(probe.bytes + 8, uri, sizeof uri - 1);
}
