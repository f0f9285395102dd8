/* SPDX-License-Identifier: BSD-2-Clause */
/* Wall-clock times as text. RFC 3339. */
#include "report/report.h"

#include <criterion/criterion.h>

Test(time, is_utc_with_the_decimals_asked_for)
{
    static const struct {
        sonde_ns wall_ns;
        int decimals;
        const char *text;
    } cases[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        /* RFC 3339 §5.8: 1985-04-12T23:20:50.52Z; 5580 days and 84050.52 s after the epoch */
        {(5580 * INT64_C(86400) + 84050) * SONDE_NS_PER_S + 520 * SONDE_NS_PER_MS, 2,
         "1985-04-12T23:20:50.52Z"},
        {1 * SONDE_NS_PER_US, 6, "1970-01-01T00:00:00.000001Z"},
        {999, 6, "1970-01-01T00:00:00.000000Z"}, /* cut, not rounded into the future */
        {SONDE_NS_PER_S - 1, 9, "1970-01-01T00:00:00.999999999Z"},
        /* 2000 is a leap year: day 11016 is 29 February */
        {11016 * INT64_C(86400) * SONDE_NS_PER_S, 0, "2000-02-29T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        report_add_time(&text, cases[i].wall_ns, cases[i].decimals);
        cr_expect_str_eq(text.data, cases[i].text);
        text_deinit(&text);
    }
}
