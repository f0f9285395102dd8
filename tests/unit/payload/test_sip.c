/* SPDX-License-Identifier: BSD-2-Clause */
/* SIP messages, by RFC 3261 §7, §8.1.1 and §8.2.6. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define NAME "0102030405060708a1a2a3a4"
#define OTHERS                                                                                     \
    "Via: SIP/2.0/UDP s.invalid;branch=z9hG4bK" NAME ";rport=40000;received=192.0.2.1\r\n"         \
    "From: <sip:sonde@s.invalid>;tag=" NAME "\r\n"                                                 \
    "To: <sip:s.invalid>;tag=1\r\n"

static int fits(const char *answer)
{
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    struct sonde_span bytes = {(const uint8_t *)answer, strlen(answer)};
    int r = payload_sip.fits(&sample_trace, bytes, &match);
    if (r == 0) {
        cr_expect_eq(match.named, PAYLOAD_NAMES_TOKEN);
        cr_expect_eq(match.value, sample_name.token);
    }
    return r;
}

#define OPTIONS_FOR(domain)                                                                        \
    "OPTIONS sip:" domain " SIP/2.0\r\n"                                                           \
    "Via: SIP/2.0/UDP s.invalid;branch=z9hG4bK" NAME ";rport\r\n"                                  \
    "Max-Forwards: 0\r\n"                                                                          \
    "From: <sip:sonde@" domain ">;tag=" NAME "\r\n"                                                \
    "To: <sip:" domain ">\r\n"                                                                     \
    "Call-ID: " NAME "\r\n"                                                                        \
    "CSeq: 1 OPTIONS\r\n"                                                                          \
    "Content-Length: 0\r\n"                                                                        \
    "\r\n"

static void expect_text(const struct sample_question *question, const char *text)
{
    cr_assert_eq(question->len, strlen(text), "%.*s", (int)question->len, question->bytes);
    cr_expect_arr_eq(question->bytes, text, question->len, "%.*s", (int)question->len,
                     question->bytes);
}

Test(sip, asks_for_options_by_the_name_that_was_typed)
{
    struct sample_question question = sample_ask(&payload_sip, 0);
    expect_text(&question, OPTIONS_FOR("Kdc1.example"));
}

Test(sip, then_asks_by_the_address)
{
    struct sample_question question = sample_ask(&payload_sip_address, 0);
    cr_expect_eq(payload_sip.next, &payload_sip_address);
    expect_text(&question, OPTIONS_FOR("192.0.2.77"));
}

/* RFC 3261 §19.1.4: without a port, it is another server's. */
Test(sip, says_the_port_if_it_is_not_the_usual_one)
{
    struct payload_trace trace = sample_trace;
    trace.port = 65535;
    struct sample_question question = sample_ask_of(&trace, &payload_sip, 0);
    expect_text(&question, OPTIONS_FOR("Kdc1.example:65535"));
    question = sample_ask_of(&sample_trace_of_address, &payload_sip_address, 0);
    expect_text(&question, OPTIONS_FOR("[2001:db8::a1]:5070"));
}

/* What is behind the message, by its Content-Length, is passed over; §18.3. */
Test(sip, pads_behind_the_message)
{
    size_t least = sample_ask(&payload_sip, 0).len;
    struct sample_question question = sample_ask(&payload_sip, least + 3);
    cr_assert_eq(question.len, least + 3);
    cr_expect_arr_eq(question.bytes + least - 4, "\r\n\r\n\0\0\0", 7);
    cr_expect_eq(sample_ask(&payload_sip, least - 1).len, least);
}

/* 12 of the method, 12 of the name, 51 up to the branch, 24 of it. */
Test(sip, a_quote_that_ends_before_the_name_is_cut_short_and_no_strangers)
{
    struct sample_question question = sample_ask(&payload_sip, 0);
    struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
    for (size_t len = 0; len <= question.len; len++) {
        int r =
            payload_sip.recognize(&sample_trace, (struct sonde_span){question.bytes, len}, &match);
        cr_expect_eq(r, len < 99 ? SONDE_DISCARD_TRUNCATED : 0, "%zu bytes: %d", len, r);
    }
    cr_expect_eq(match.value, sample_name.token);
    question.bytes[0] = 'X';
    cr_expect_eq(
        payload_sip.recognize(&sample_trace, (struct sonde_span){question.bytes, 100}, &match),
        SONDE_DISCARD_BAD_TOKEN);
}

Test(sip, takes_every_status)
{
    cr_expect_eq(fits("SIP/2.0 200 OK\r\n" OTHERS "Call-ID: " NAME "\r\n\r\n"), 0);
    cr_expect_eq(fits("SIP/2.0 483 Too Many Hops\r\n" OTHERS "Call-ID: " NAME "\r\n\r\n"), 0);
    cr_expect_eq(fits("SIP/2.0 100 Trying\r\n" OTHERS "Call-ID: " NAME "\r\n\r\n"), 0);
    cr_expect_eq(fits("SIP/2.0 603 \r\n" OTHERS "Call-ID: " NAME "\r\n\r\nbody"), 0);
}

/* §7.3.1 and §7.3.3: names in any case, blanks around the colon, the compact form. */
Test(sip, takes_the_call_id_as_it_may_be_written)
{
    cr_expect_eq(fits("SIP/2.0 200 OK\r\ncall-id:" NAME "\r\n\r\n"), 0);
    cr_expect_eq(fits("sip/2.0 200 OK\r\nCALL-ID \t: \t" NAME " \r\n\r\n"), 0);
    cr_expect_eq(fits("SIP/2.0 200 OK\r\ni: " NAME "\r\n\r\n"), 0);
    cr_expect_eq(fits("SIP/2.0 200 OK\r\nI:" NAME "\r\n\r\n"), 0);
    cr_expect_eq(fits("SIP/2.0 200 OK\nCall-ID: " NAME "\n\n"), 0);
}

Test(sip, refuses_what_is_no_response)
{
    static const char *const others[] = {
        "OPTIONS sip:s.invalid SIP/2.0\r\nCall-ID: " NAME "\r\n\r\n",
        "SIP/3.0 200 OK\r\nCall-ID: " NAME "\r\n\r\n",
        "SIP/2.0 700 OK\r\nCall-ID: " NAME "\r\n\r\n",
        "SIP/2.0 099 OK\r\nCall-ID: " NAME "\r\n\r\n",
        "SIP/2.0 20x OK\r\nCall-ID: " NAME "\r\n\r\n",
        "SIP/2.0 2000 OK\r\nCall-ID: " NAME "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nCall-ID: " NAME "\r\n\r\n",
        "SIP/2.0 200 OK\r\n" OTHERS "\r\nCall-ID: " NAME "\r\n", /* in the body */
        "SIP/2.0 200 OK\r\nCall-IDs: " NAME "\r\n\r\n",
        "SIP/2.0 200 OK\r\nX-Call-ID: " NAME "\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_eq(fits(others[i]), SONDE_DISCARD_NOT_A_RESULT, "%s", others[i]);
}

Test(sip, the_call_id_is_ours)
{
    static const char *const others[] = {
        "SIP/2.0 200 OK\r\nCall-ID: 0102030405060709a1a2a3a4\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: " NAME "0\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: 0102030405060708a1a2a3\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: 0102030405060708a1a2a3g4\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID:\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_eq(fits(others[i]), SONDE_DISCARD_BAD_TOKEN, "%s", others[i]);
}

Test(sip, needs_the_line_with_the_call_id)
{
    static const char answer[] = "SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nCall-ID: " NAME "\r\n\r\n";
    size_t needed = strlen(answer) - 2;
    for (size_t len = 0; len <= strlen(answer); len++) {
        struct payload_match match;
        int r = payload_sip.fits(&sample_trace, (struct sonde_span){(const uint8_t *)answer, len},
                                 &match);
        cr_expect_eq(r, len < needed ? SONDE_DISCARD_TRUNCATED : 0, "%zu bytes: %d", len, r);
    }
}
