/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that are numbers; see app/numbers.h. */
#include "app/numbers.h"

#include "base/number.h"

#include <errno.h>

static bool is_duration(enum sonde_option option)
{
    return sonde_option_bounds(option)->unit == SONDE_UNIT_NS;
}

int numbers_read(const char *value, enum sonde_option option, struct sonde_options *options)
{
    sonde_ns ns = 0;
    uint64_t whole = 0;
    int r = is_duration(option) ? number_parse_ns(value, SONDE_NS_PER_S, &ns)
                                : number_parse(value, INT64_MAX, &whole);
    if (r == 0)
        r = sonde_option_set(options, option, is_duration(option) ? ns : (int64_t)whole);
    return r < 0 ? -EINVAL : 0;
}

void numbers_add(struct text *text, enum sonde_option option, int64_t value)
{
    char written[NUMBER_TEXT_BYTES];
    number_write(value, is_duration(option) ? SONDE_NS_PER_S : 1, written);
    text_add(text, written);
}

void numbers_add_bounds(struct text *text, enum sonde_option option)
{
    const struct sonde_bounds *bounds = sonde_option_bounds(option);
    const char *unit = sonde_unit_name(bounds->unit);
    text_addf(text, unit[0] != '\0' ? "%s, " : "%s", unit);
    numbers_add(text, option, bounds->least);
    text_add(text, " to ");
    numbers_add(text, option, bounds->most);
}
