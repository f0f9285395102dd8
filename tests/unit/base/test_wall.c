/* SPDX-License-Identifier: BSD-2-Clause */
/* Wall-clock times as text. RFC 3339. */
#include "base/wall.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(wall, is_utc_with_the_decimals_asked_for)
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
        wall_add(&text, cases[i].wall_ns, cases[i].decimals);
        cr_expect_str_eq(text.data, cases[i].text);
        text_deinit(&text);
    }
}

Test(wall, a_time_is_read_to_the_nanosecond)
{
    static const struct {
        const char *text;
        sonde_ns wall_ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000000001Z", 1},
        {"1970-01-01T00:00:00.5Z", 500 * SONDE_NS_PER_MS},
        /* as above: RFC 3339 §5.8 */
        {"1985-04-12T23:20:50.52Z",
         (5580 * INT64_C(86400) + 84050) * SONDE_NS_PER_S + 520 * SONDE_NS_PER_MS},
        {"2000-02-29T00:00:00Z", 11016 * INT64_C(86400) * SONDE_NS_PER_S},
        /* 2100 is none: 1 March is the 47540th day, 28 February the one before. 130 years have
         * 130 * 365 + 32 days, of which 1972, 1976, … 2096 have one more; then 31 + 28 */
        {"2100-03-01T00:00:00Z", (130 * 365 + 32 + 59) * INT64_C(86400) * SONDE_NS_PER_S},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sonde_ns wall_ns = -1;
        cr_expect_eq(wall_read(cases[i].text, &wall_ns), 0, "%s", cases[i].text);
        cr_expect_eq(wall_ns, cases[i].wall_ns, "%s", cases[i].text);
    }
}

Test(wall, what_is_no_time_is_refused)
{
    static const char *const cases[] = {
        "",
        "2026-11-22",
        "2026-11-22T17:41:15",
        "2026-11-22T17:41:15+00:00",
        "2026-11-22T17:41:15ZZ",
        "2026-11-22T17:41:15.Z",
        "2026-11-22T17:41:15.0000000001Z",
        "2026-11-22 17:41:15Z",
        "2026-13-22T17:41:15Z",
        "2026-00-22T17:41:15Z",
        "2026-11-31T17:41:15Z",
        "2026-11-00T17:41:15Z",
        "2026-02-29T17:41:15Z", /* no leap year */
        "2100-02-29T17:41:15Z", /* nor this */
        "2026-11-22T24:00:00Z",
        "2026-11-22T17:60:00Z",
        "2026-12-31T23:59:60Z", /* a leap second has no number of its own */
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "-026-11-22T17:41:15Z",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sonde_ns wall_ns = 7;
        cr_expect_eq(wall_read(cases[i], &wall_ns), -EINVAL, "%s", cases[i]);
        cr_expect_eq(wall_ns, 7);
    }
}

Test(wall, every_day_is_read_as_it_is_written)
{
    for (int64_t day = 0; day < 106000; day++) { /* to 2260 */
        struct text text = {0};
        sonde_ns wall_ns = day * 86400 * SONDE_NS_PER_S + day;
        sonde_ns read = -1;
        wall_add(&text, wall_ns, 9);
        cr_assert_eq(wall_read(text.data, &read), 0, "%s", text.data);
        cr_assert_eq(read, wall_ns, "%s", text.data);
        text_deinit(&text);
    }
}

/* The day is left out only where no reader can take it for another. */
Test(wall, a_moment_has_its_day_unless_run_and_report_are_of_it)
{
    static const sonde_ns day = 86400 * SONDE_NS_PER_S;
    static const struct {
        sonde_ns wall_ns;
        sonde_ns started_ns;
        sonde_ns now_ns;
        const char *text;
    } cases[] = {
        {50700 * SONDE_NS_PER_S, 0, day - 1, "14:05:00"},
        {50700 * SONDE_NS_PER_S + 999999999, 0, day - 1, "14:05:00"}, /* cut, as all times are */
        {50700 * SONDE_NS_PER_S, 0, day, "1970-01-01 14:05:00"},      /* of the first day */
        {day, 0, day + 1, "1970-01-02 00:00:00"},                     /* of the second */
        {day, day, day, "00:00:00"},
        {day - 1, day, day, "1970-01-01 23:59:59"}, /* before the run */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        wall_add_moment(&text, cases[i].wall_ns, cases[i].started_ns, cases[i].now_ns);
        cr_expect_str_eq(text.data, cases[i].text);
        text_deinit(&text);
    }
}
