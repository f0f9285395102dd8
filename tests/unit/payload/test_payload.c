/* SPDX-License-Identifier: BSD-2-Clause */
/* What every payload module keeps to, and the table. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

/* Questions of which something tells which they are: all but the user's own. NULL beyond the last.
 */
static const struct payload_ops *question_at(size_t index)
{
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = payload_at(i)) != NULL && ops != &payload_own; i++) {
        for (; ops != NULL; ops = ops->next) {
            if (index-- == 0)
                return ops;
        }
    }
    return NULL;
}

static struct sonde_span span_of(const struct sample_question *question)
{
    return (struct sonde_span){question->bytes, question->len};
}

Test(payload, ports_and_names_lead_to_their_modules)
{
    cr_expect_eq(payload_by_port(53), &payload_dns);
    cr_expect_eq(payload_by_name("dns"), &payload_dns);
    cr_expect_null(payload_by_port(1));
    cr_expect_null(payload_by_port(0));
    cr_expect_null(payload_by_name("no such"));
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = payload_at(i)) != NULL; i++) {
        cr_expect_eq(payload_by_name(ops->name), ops);
        cr_expect_not_null(ops->asks);
        for (size_t k = 0; payload_port(i, k) != 0; k++)
            cr_expect_eq(payload_by_port(payload_port(i, k)), ops);
    }
}

/* What is linked is found by the name of the first, and has words to be told apart by. */
Test(payload, further_questions_are_of_the_same_protocol)
{
    const struct payload_ops *first;
    for (size_t i = 0; (first = payload_at(i)) != NULL; i++) {
        size_t count = 1;
        for (const struct payload_ops *ops = first->next; ops != NULL; ops = ops->next, count++) {
            cr_expect_str_eq(ops->name, first->name);
            cr_expect_not_null(ops->topic, "%s", ops->asks);
            cr_expect_not_null(ops->asks);
            cr_expect_eq(ops->repeats, first->repeats, "%s", ops->asks);
            cr_expect_not(ops->other_port || ops->nameless, "%s", ops->asks);
        }
        cr_expect(count <= SONDE_QUESTIONS_MAX, "%s: %zu", first->name, count);
        cr_expect(count == 1 || first->topic != NULL, "%s", first->name);
    }
}

Test(payload, questions_that_need_a_name_are_left_out_where_there_is_none)
{
    const struct payload_ops *asked[SONDE_QUESTIONS_MAX];
    cr_expect_eq(payload_questions(NULL, "a.example", asked), 0);
    cr_expect_eq(payload_questions(&payload_ntp, "a.example", asked), 1);
    cr_expect_eq(asked[0], &payload_ntp);
    cr_assert_eq(payload_questions(&payload_sip, "pbx", asked), 2);
    cr_expect_eq(asked[0], &payload_sip);
    cr_expect_eq(asked[1], &payload_sip_address);
    cr_assert_eq(payload_questions(&payload_sip, NULL, asked), 1);
    cr_expect_eq(asked[0], &payload_sip_address);
    /* the domain of a name of one label is none */
    cr_expect_eq(payload_questions(&payload_kerberos, "kdc.example", asked), 3);
    cr_assert_eq(payload_questions(&payload_kerberos, "kdc", asked), 2);
    cr_expect_eq(asked[1], &payload_kerberos_host);
    cr_expect_eq(payload_questions(&payload_kerberos, NULL, asked), 1);
}

Test(payload, only_some_protocols_say_the_name_that_was_typed)
{
    cr_expect(payload_says_host(&payload_sip));
    cr_expect(payload_says_host(&payload_kerberos), "in a further question");
    cr_expect(payload_says_host(&payload_llmnr));
    cr_expect_not(payload_says_host(&payload_dns));
    cr_expect_not(payload_says_host(NULL));
}

/* Of one flow: what a router quotes of one question must not pass for another. */
Test(payload, a_question_is_never_another_of_its_protocol)
{
    const struct payload_ops *first;
    for (size_t i = 0; (first = payload_at(i)) != NULL; i++) {
        for (const struct payload_ops *ops = first; ops != NULL; ops = ops->next) {
            struct sample_question question = sample_ask(ops, 0);
            for (const struct payload_ops *other = first; other != NULL; other = other->next) {
                struct payload_match match;
                int r = other->recognize(&sample_trace, span_of(&question), &match);
                cr_expect(other == ops || r == SONDE_DISCARD_BAD_TOKEN, "%s for %s: %d", ops->asks,
                          other->asks, r);
            }
        }
    }
}

Test(payload, a_quoted_question_leads_back_to_its_probe)
{
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = question_at(i)) != NULL; i++) {
        struct sample_question question = sample_ask(ops, 0);
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        int r = ops->recognize(&sample_trace, span_of(&question), &match);
        if (r == SONDE_DISCARD_TRUNCATED && ops->silence != NULL)
            continue; /* it has no room for a name */
        cr_expect_eq(r, 0, "%s", ops->name);
        if (match.named != PAYLOAD_NAMES_NONE)
            cr_expect_eq(match.value,
                         match.named == PAYLOAD_NAMES_TOKEN ? sample_name.token
                                                            : sample_name.field16,
                         "%s", ops->name);
    }
}

Test(payload, a_question_that_is_cut_short_is_never_another_ones)
{
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = question_at(i)) != NULL; i++) {
        struct sample_question question = sample_ask(ops, 0);
        for (size_t len = 0; len < question.len; len++) {
            struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
            int r = ops->recognize(&sample_trace, (struct sonde_span){question.bytes, len}, &match);
            cr_expect(r == 0 || r == SONDE_DISCARD_TRUNCATED, "%s: %zu bytes: %d", ops->name, len,
                      r);
            if (r == 0 && match.named != PAYLOAD_NAMES_NONE)
                cr_expect(match.value == sample_name.token || match.value == sample_name.field16,
                          "%s: %zu bytes", ops->name, len);
        }
    }
}

Test(payload, a_name_rests_on_the_cookie_where_there_is_room_for_both)
{
    struct payload_trace stranger = sample_trace;
    stranger.cookie = ~sample_trace.cookie;
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = question_at(i)) != NULL; i++) {
        struct sample_question question = sample_ask(ops, 0);
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        int r = ops->recognize(&sample_trace, span_of(&question), &match);
        bool has_both = match.named == PAYLOAD_NAMES_TOKEN || ops == &payload_radius ||
                        ops == &payload_radius_acct || ops == &payload_radius_access ||
                        ops == &payload_rdpeudp;
        if (r == 0 && has_both)
            cr_expect_eq(ops->recognize(&stranger, span_of(&question), &match),
                         SONDE_DISCARD_BAD_TOKEN, "%s", ops->name);
    }
}

Test(payload, a_question_is_no_answer_to_itself)
{
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = question_at(i)) != NULL; i++) {
        struct sample_question question = sample_ask(ops, 0);
        struct payload_match match;
        cr_expect_neq(ops->fits(&sample_trace, span_of(&question), &match), 0, "%s", ops->name);
    }
}

/* Load balancers may hash nothing but what is the same in all; routers time longer packets longer.
 */
Test(payload, all_questions_of_a_trace_are_equally_long)
{
    static const uint32_t tokens[] = {0, 1, 9, 10, 99999, 0x7fffffff, 0x80000000, UINT32_MAX};
    static const size_t wanted[] = {0, 16, 36, 200, 1372};
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = question_at(i)) != NULL; i++) {
        for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
            size_t len = sample_ask(ops, wanted[w]).len;
            cr_expect(len <= 1400, "%s: %zu", ops->name, len);
            cr_expect(len > 0 || ops == &payload_syslog, "%s: %zu", ops->name, len);
            for (size_t k = 0; k < sizeof tokens / sizeof *tokens; k++) {
                const struct payload_name name = {tokens[k], (uint16_t)(tokens[k] % 65535 + 1)};
                uint8_t bytes[SAMPLE_BYTES];
                struct wr wr = wr_init(bytes, sizeof bytes);
                ops->ask(&sample_trace, &name, wanted[w], &wr);
                cr_expect_eq(wr.len, len, "%s: token %u", ops->name, tokens[k]);
            }
        }
    }
}

Test(payload, a_buffer_that_is_too_small_fails_the_writer)
{
    const struct payload_ops *ops;
    for (size_t i = 0; (ops = question_at(i)) != NULL; i++) {
        size_t len = sample_ask(ops, 0).len;
        uint8_t bytes[SAMPLE_BYTES];
        if (len == 0)
            continue;
        struct wr wr = wr_init(bytes, len - 1);
        ops->ask(&sample_trace, &sample_name, 0, &wr);
        cr_expect_not(wr_ok(&wr), "%s", ops->name);
    }
}
