/* SPDX-License-Identifier: BSD-2-Clause */
/* NTP requests and replies, by the header of RFC 5905 §7.3, figure 8. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* Behind the first byte: stratum, poll, precision, root delay and dispersion, reference. */
#define ATOMIC_CLOCK "01 06 e9 00000000 00000010 47505300 e8000000 00000000"
#define KISS "00 06 e9 00000000 00000000 52415445 00000000 00000000" /* RATE; §7.4 */
#define TIMES "e8000001 00000000 e8000001 80000000"                  /* receive, transmit */
#define NAME "01020305 a1a2a3a4"

Test(ntp, asks_as_a_client_of_version_4)
{
    struct sample_question question = sample_ask(&payload_ntp, 0);
    sample_expect_question(&question, "23 00 00 00 00000000 00000000 00000000"
                                      "00000000 00000000 00000000 00000000"
                                      "00000000 00000000" NAME);
    cr_expect_eq(sample_ask(&payload_ntp, 1200).len, 48);
}

Test(ntp, takes_the_time_and_a_kiss)
{
    sample_expect_answer(&payload_ntp, "24" ATOMIC_CLOCK NAME TIMES);
    sample_expect_answer(&payload_ntp, "1c" ATOMIC_CLOCK NAME TIMES); /* an old server, version 3 */
    sample_expect_answer(&payload_ntp, "e4" KISS NAME TIMES);         /* unsynchronized */
    sample_expect_answer(&payload_ntp, "24" ATOMIC_CLOCK NAME TIMES "0104 0008 00000000");
}

Test(ntp, refuses_other_modes)
{
    /* symmetric active and passive, client, broadcast, control, private */
    static const char *const firsts[] = {"21", "22", "23", "25", "26", "27"};
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        char answer[200];
        (void)snprintf(answer, sizeof answer, "%s%s", firsts[i], ATOMIC_CLOCK NAME TIMES);
        sample_expect_refusal(&payload_ntp, answer, SONDE_DISCARD_NOT_A_RESULT);
    }
}

Test(ntp, refuses_an_answer_to_somebody_else)
{
    sample_expect_refusal(&payload_ntp, "24" ATOMIC_CLOCK "01020304 a1a2a3a4" TIMES,
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_refusal(&payload_ntp, "24" ATOMIC_CLOCK "00000000 00000000" TIMES,
                          SONDE_DISCARD_BAD_TOKEN);
    sample_expect_truncation(&payload_ntp, "24" ATOMIC_CLOCK NAME TIMES, 48);
}
