/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a probe that a router answered left a little later than another: 1 to 50 ms, in steps of
 * a tenth of a millisecond. */
#include "engine/answered.h"

#include <criterion/criterion.h>

static const sonde_ns MS = SONDE_NS_PER_MS;
static const sonde_ns T = 4711 * SONDE_NS_PER_MS; /* some time */

/* Is a probe that left at @p sent_ns followed by the one that was answered? */
static bool is_followed(sonde_ns answered_ns, sonde_ns sent_ns)
{
    struct answered answered = {0};
    answered_note(&answered, answered_ns);
    return answered_after(&answered, sent_ns);
}

Test(answered, where_nobody_was_nobody_was_passed_over)
{
    struct answered answered = {0};
    cr_expect_not(answered_after(&answered, 0));
    cr_expect_not(answered_after(&answered, UINT32_MAX * (MS / 10) - 20 * MS),
                  "empty places are no times");
}

Test(answered, a_little_later_is_one_to_fifty_milliseconds)
{
    cr_expect_not(is_followed(T, T), "the probe itself");
    cr_expect_not(is_followed(T + MS - MS / 10, T), "it may have overtaken the other");
    cr_expect(is_followed(T + MS, T));
    cr_expect(is_followed(T + 50 * MS, T));
    cr_expect_not(is_followed(T + 50 * MS + MS / 10, T), "the router may answer again by then");
    cr_expect_not(is_followed(T - 5 * MS, T), "it left before");
}

/* Times are counted modulo 2^32 tenths of a millisecond, which are five days. */
Test(answered, the_count_of_times_begins_anew_without_being_noticed)
{
    const sonde_ns end = (INT64_C(1) << 32) * (MS / 10);
    cr_expect(is_followed(end + 3 * MS, end - 2 * MS));
    cr_expect_not(is_followed(end - 2 * MS, end + 3 * MS));
}

Test(answered, the_last_sixteen_are_remembered)
{
    for (unsigned others = 0; others <= 17; others++) {
        struct answered answered = {0};
        answered_note(&answered, T + 5 * MS);
        for (unsigned i = 0; i < others; i++)
            answered_note(&answered, T + (100 + i) * MS);
        cr_expect_eq(answered_after(&answered, T), others < 16, "%u others", others);
    }
}
