/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that are numbers: as a user writes them, and as they are told of. */
#include "app/numbers.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(numbers, durations_are_in_seconds_and_all_else_is_whole)
{
    static const struct {
        enum sonde_option option;
        const char *value;
        int64_t read;
    } cases[] = {
        {SONDE_OPTION_INTERVAL, "0.25", 250 * SONDE_NS_PER_MS},
        {SONDE_OPTION_INTERVAL, "0.001", SONDE_NS_PER_MS},
        {SONDE_OPTION_TIMEOUT, "3600", 3600 * SONDE_NS_PER_S},
        {SONDE_OPTION_MAX_TTL, "255", 255},
        {SONDE_OPTION_CYCLES, "4294967294", 4294967294},
        {SONDE_OPTION_FILL, "0", 0},
    };
    static const struct {
        enum sonde_option option;
        const char *value;
    } wrong[] = {
        {SONDE_OPTION_INTERVAL, "0.000999999"},
        {SONDE_OPTION_INTERVAL, "1s"},
        {SONDE_OPTION_TIMEOUT, "3600.000000001"},
        {SONDE_OPTION_TIMEOUT, "9223372036854775807"},
        {SONDE_OPTION_MAX_TTL, "256"},
        {SONDE_OPTION_MAX_TTL, "1.5"},
        {SONDE_OPTION_MAX_TTL, "18446744073709551617"},
        {SONDE_OPTION_CYCLES, "4294967295"},
        {SONDE_OPTION_FILL, ""},
        {SONDE_OPTION_FILL, "-1"},
    };
    struct sonde_options options = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(numbers_read(cases[i].value, cases[i].option, &options), 0);
        cr_expect_eq(sonde_option_get(&options, cases[i].option), cases[i].read, "%s",
                     cases[i].value);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t before = sonde_option_get(&options, wrong[i].option);
        cr_expect_eq(numbers_read(wrong[i].value, wrong[i].option, &options), -EINVAL, "%s",
                     wrong[i].value);
        cr_expect_eq(sonde_option_get(&options, wrong[i].option), before, "%s", wrong[i].value);
    }
}

Test(numbers, what_is_allowed_is_told_with_its_unit)
{
    static const struct {
        enum sonde_option option;
        const char *bounds;
    } cases[] = {
        {SONDE_OPTION_FIRST_TTL, "1 to 255"},
        {SONDE_OPTION_SIZE, "bytes, 28 to 9000"},
        {SONDE_OPTION_INTERVAL, "seconds, 0.001 to 86400"},
        {SONDE_OPTION_RATE, "packets a second, 1 to 1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        numbers_add_bounds(&text, cases[i].option);
        cr_expect_str_eq(text.data, cases[i].bounds);
        text_deinit(&text);
    }
}
