/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict numbers: what is taken, and above all what is not. */
#include "base/number.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(number, whole_numbers_are_read_up_to_the_bound)
{
    static const struct {
        const char *text;
        uint64_t max;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"65535", 65535, 65535},
        {"007", 10, 7},
        {"18446744073709551615", UINT64_MAX, UINT64_MAX}, /* 2^64 - 1 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 99;
        cr_expect_eq(number_parse(cases[i].text, cases[i].max, &value), 0, "%s", cases[i].text);
        cr_expect_eq(value, cases[i].value, "%s", cases[i].text);
    }
}

Test(number, what_is_not_a_number_is_refused_and_changes_nothing)
{
    static const char *const words[] = {
        "",    " ",   "-1",  "+5",  "5x",  "x5",  "0x10",     "1e3", "5 ",  " 5",
        "1.0", "nan", "inf", "1,0", "\t7", "7\n", "\xd9\xa3", "--1", "1_0",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        uint64_t value = 99;
        cr_expect_eq(number_parse(words[i], UINT64_MAX, &value), -EINVAL, "%s", words[i]);
        cr_expect_eq(value, 99, "%s", words[i]);
    }
}

Test(number, what_is_too_large_is_told_apart_from_what_is_no_number)
{
    uint64_t value = 99;
    cr_expect_eq(number_parse("65536", 65535, &value), -ERANGE);
    cr_expect_eq(number_parse("18446744073709551616", UINT64_MAX, &value), -ERANGE); /* 2^64 */
    cr_expect_eq(number_parse("99999999999999999999999999", UINT64_MAX, &value), -ERANGE);
    cr_expect_eq(value, 99);
}

Test(number, durations_are_exact)
{
    static const struct {
        const char *text;
        sonde_ns unit;
        sonde_ns ns;
    } cases[] = {
        {"2", SONDE_NS_PER_S, 2000000000},
        {"0.1", SONDE_NS_PER_S, 100000000}, /* a double would give 100000000.00000001 */
        {".5", SONDE_NS_PER_MS, 500000},
        {"1.", SONDE_NS_PER_S, 1000000000},
        {"0.000000001", SONDE_NS_PER_S, 1},
        {"0.000000001", SONDE_NS_PER_MS, 0}, /* a millionth of a nanosecond: rounded down */
        {"1.5", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sonde_ns ns = -1;
        cr_expect_eq(number_parse_ns(cases[i].text, cases[i].unit, &ns), 0, "%s", cases[i].text);
        cr_expect_eq(ns, cases[i].ns, "%s", cases[i].text);
    }
}

Test(number, durations_that_are_none_are_refused)
{
    static const char *const words[] = {"", ".", "1..2", "1.0000000001", "-1", "1s", "nan", "1e9"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        sonde_ns ns = 99;
        cr_expect_eq(number_parse_ns(words[i], SONDE_NS_PER_S, &ns), -EINVAL, "%s", words[i]);
        cr_expect_eq(ns, 99, "%s", words[i]);
    }
    sonde_ns ns = 99;
    /* 2^63 ns are 9223372036.85 s */
    cr_expect_eq(number_parse_ns("9223372037", SONDE_NS_PER_S, &ns), -ERANGE);
    cr_expect_eq(ns, 99);
}

Test(number, a_number_is_written_as_it_would_be_read)
{
    static const struct {
        int64_t value;
        int64_t unit;
        const char *text;
    } cases[] = {
        {0, 1, "0"},
        {0, 1000000000, "0"},
        {255, 1, "255"},
        {1000000000, 1000000000, "1"},
        {86400000000000, 1000000000, "86400"},
        {500000000, 1000000000, "0.5"},
        {1000000, 1000000000, "0.001"},
        {1, 1000000000, "0.000000001"},
        {1050, 1000, "1.05"},
        {INT64_MAX, 1, "9223372036854775807"},
        {INT64_MAX, 1000000000, "9223372036.854775807"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_TEXT_BYTES];
        number_write(cases[i].value, cases[i].unit, text);
        cr_expect_str_eq(text, cases[i].text);
    }
}
