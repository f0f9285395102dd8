/* SPDX-License-Identifier: BSD-2-Clause */
/* Syslog, RFC 5426 §3: no answers, and nothing that is worth a line in a log. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

Test(syslog, says_nothing_and_expects_nothing)
{
    cr_expect_eq(sample_ask(&payload_syslog, 0).len, 0);
    cr_expect_eq(sample_ask(&payload_syslog, 1200).len, 0);
    cr_expect_not_null(payload_syslog.silence);
    struct payload_match match;
    const struct sonde_span nothing = {NULL, 0};
    cr_expect_eq(payload_syslog.fits(&sample_trace, nothing, &match), SONDE_DISCARD_NOT_A_RESULT);
    cr_expect_eq(payload_syslog.recognize(&sample_trace, nothing, &match), SONDE_DISCARD_TRUNCATED);
    sample_expect_refusal(&payload_syslog, "3c31333e31202d", SONDE_DISCARD_NOT_A_RESULT);
}
