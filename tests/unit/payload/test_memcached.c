/* SPDX-License-Identifier: BSD-2-Clause */
/* memcached over UDP, by the section "UDP protocol" of its protocol.txt. */
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

#define VERSION "56455253494f4e20312e362e3138 0d0a" /* VERSION 1.6.18 */

Test(memcached, asks_for_the_version)
{
    struct sample_question question = sample_ask(&payload_memcached, 0);
    sample_expect_question(&question, "b1b2 0000 0001 0000 76657273696f6e 0d0a");
    cr_expect_eq(sample_ask(&payload_memcached, 1200).len, 17);
}

Test(memcached, takes_the_version_and_errors)
{
    sample_expect_answer(&payload_memcached, "b1b2 0000 0001 0000" VERSION);
    sample_expect_answer(&payload_memcached, "b1b2 0000 0001 0000 4552524f52 0d0a");
    sample_expect_answer(&payload_memcached, "b1b2 0000 0001 0000 434c49454e545f4552524f5220");
    sample_expect_answer(&payload_memcached, "b1b2 0000 0002 0000 5345525645525f4552524f5220");
    sample_expect_truncation(&payload_memcached, "b1b2 0000 0001 0000" VERSION, 13);
}

Test(memcached, refuses_what_is_no_answer_to_it)
{
    /* the question, a later datagram, another request's */
    sample_expect_refusal(&payload_memcached, "b1b2 0000 0001 0000 76657273696f6e 0d0a",
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_memcached, "b1b2 0001 0002 0000" VERSION,
                          SONDE_DISCARD_NOT_A_RESULT);
    sample_expect_refusal(&payload_memcached, "0000 0000 0001 0000" VERSION,
                          SONDE_DISCARD_BAD_TOKEN);
}
