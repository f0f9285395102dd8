/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that the user typed: which of them may stand in a question. RFC 1123 §2.1, RFC 1035 §2.3.4.
 */
#include "payload/payload.h"

#include <criterion/criterion.h>

#define LABEL_63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"
#define HOST_253                                                                                   \
    LABEL_63 "." LABEL_63 "." LABEL_63 "."                                                         \
             "a23456789b123456789c123456789d123456789e"                                            \
             "123456789f123456789g1"

Test(host, names_of_hosts_are_usable)
{
    static const char *const names[] = {
        "pbx",     "pbx.example", "PBX-1.Example",     "3com.example", "xn--bcher-kva.example",
        "a.b.c.d", "1.2.3.d4",    LABEL_63 ".example", HOST_253,
    };
    cr_assert_eq(strlen(LABEL_63), 63);
    cr_assert_eq(strlen(HOST_253), 253);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect(payload_host_is_usable(names[i]), "%s", names[i]);
}

/* Whatever could end a line, a header, a string or a label of a protocol is among these. */
Test(host, what_else_the_user_may_type_is_not)
{
    static const char *const texts[] = {
        "",
        ".",
        "pbx.",
        ".pbx",
        "pbx..example",
        "-pbx",
        "pbx-",
        "pbx.-a",
        "192.0.2.1",
        "1",
        "pbx.1",
        "2001:db8::1",
        "fe80::1%eth0",
        "[::1]",
        "a b",
        "a_b",
        "a@b",
        "a;b",
        "a>b",
        "a/b",
        "a:5060",
        "a\r\nTo: b",
        "a\tb",
        "b\xc3\xbc"
        "cher.example",
        "a\x01",
        "*",
        "a\\b",
        "a%62",
        LABEL_63 "4.example",
        HOST_253 "2",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_not(payload_host_is_usable(texts[i]), "%s", texts[i]);
}

Test(host, has_labels_and_a_parent)
{
    cr_expect_eq(payload_host_labels(NULL), 0);
    cr_expect_eq(payload_host_labels("pbx"), 1);
    cr_expect_eq(payload_host_labels("pbx.sip.example"), 3);
    cr_expect_str_eq(payload_host_parent("pbx"), "");
    cr_expect_str_eq(payload_host_parent("pbx.sip.example"), "sip.example");
}

/* The longest name is in the longest question three times. */
Test(host, the_longest_one_fits_into_every_question_that_carries_it)
{
    const struct payload_trace trace = {
        .cookie = 1,
        .host = HOST_253,
        .addr = {.family = SONDE_FAMILY_IPV4, .bytes = {192, 0, 2, 1}},
        .port = 65535,
    };
    const struct payload_name name = {.token = 1, .field16 = 1};
    const struct payload_ops *first;
    for (size_t i = 0; (first = payload_at(i)) != NULL; i++) {
        for (const struct payload_ops *ops = first; ops != NULL; ops = ops->next) {
            uint8_t bytes[1400];
            struct payload_match match;
            struct wr wr = wr_init(bytes, sizeof bytes);
            ops->ask(&trace, &name, 0, &wr);
            cr_assert(wr_ok(&wr), "%s", ops->asks);
            struct sonde_span written = {wr.data, wr.len};
            int r = ops->recognize(&trace, written, &match);
            cr_expect(r == 0 || first == &payload_own || first == &payload_syslog, "%s: %d",
                      ops->asks, r);
        }
    }
}
