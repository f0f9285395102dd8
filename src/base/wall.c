/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of day; see base/wall.h. RFC 3339 §5.6. The calendar is the Gregorian one, in which 400
 * years are 146,097 days; years are taken to begin in March, so that a leap day is their last. */
#include "base/wall.h"

#include <errno.h>
#include <inttypes.h>

enum {
    DAY_S = 86400,
    YEAR_DAYS = 365,
    YEARS_4_DAYS = 4 * YEAR_DAYS + 1,
    YEARS_100_DAYS = 25 * YEARS_4_DAYS - 1,
    YEARS_400_DAYS = 4 * YEARS_100_DAYS + 1,
    EPOCH_DAY = 719468,  /* days from 1 March of the year 0 to 1970-01-01 */
    MONTHS_5_DAYS = 153, /* of five months from March or August on: 31 30 31 30 31 */
    YEAR_LAST = 2261,    /* of which all nanoseconds have a number */
};

struct date {
    int64_t year;
    int64_t month;
    int64_t day;
};

/* Days from 1 March of the year 0 to the first day of a year that begins in March. */
static int64_t first_day(int64_t year)
{
    return year * YEAR_DAYS + year / 4 - year / 100 + year / 400;
}

static int64_t day_of(const struct date *date)
{
    int64_t months = (date->month + 9) % 12; /* since March */
    int64_t year = date->year - (date->month <= 2);
    return first_day(year) + (months * MONTHS_5_DAYS + 2) / 5 + date->day - 1 - EPOCH_DAY;
}

static struct date date_of(int64_t day)
{
    int64_t days = day + EPOCH_DAY;
    int64_t year = days * 400 / YEARS_400_DAYS + 1; /* or up to two less */
    while (first_day(year) > days)
        year--;
    int64_t rest = days - first_day(year);
    int64_t months = (rest * 5 + 2) / MONTHS_5_DAYS;
    int64_t month = (months + 2) % 12 + 1;
    return (struct date){year + (month <= 2), month, rest - (months * MONTHS_5_DAYS + 2) / 5 + 1};
}

void wall_add(struct text *text, sonde_ns wall_ns, int decimals)
{
    int64_t seconds = wall_ns / SONDE_NS_PER_S;
    int64_t rest = wall_ns % SONDE_NS_PER_S;
    const struct date date = date_of(seconds / DAY_S);
    seconds %= DAY_S;
    text_addf(text,
              "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64,
              date.year, date.month, date.day, seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (decimals > 0) {
        for (int i = decimals; i < 9; i++)
            rest /= 10;
        text_addf(text, ".%0*" PRId64, decimals, rest);
    }
    text_add(text, "Z");
}

static int64_t day_number(sonde_ns wall_ns)
{
    return wall_ns / SONDE_NS_PER_S / DAY_S;
}

void wall_add_moment(struct text *text, sonde_ns wall_ns, sonde_ns started_ns, sonde_ns now_ns)
{
    int64_t day = day_number(wall_ns);
    int64_t seconds = wall_ns / SONDE_NS_PER_S % DAY_S;
    if (day != day_number(started_ns) || day != day_number(now_ns)) {
        const struct date date = date_of(day);
        text_addf(text, "%04" PRId64 "-%02" PRId64 "-%02" PRId64 " ", date.year, date.month,
                  date.day);
    }
    text_addf(text, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60,
              seconds % 60);
}

/* Read a number of just so many digits, and what stands behind it. @return -1: it is none. */
static int64_t read_digits(const char **at, int digits, char behind)
{
    int64_t value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    if (behind != '\0' && *(*at)++ != behind)
        return -1;
    return value;
}

/* Read what stands behind the seconds. @return Nanoseconds; -1: it is no fraction. */
static int64_t read_fraction(const char **at)
{
    int64_t value = 0;
    int digits = 0;
    if (**at != '.')
        return 0;
    (*at)++;
    for (; **at >= '0' && **at <= '9' && digits < 9; digits++, (*at)++)
        value = value * 10 + (**at - '0');
    if (digits == 0)
        return -1;
    for (; digits < 9; digits++)
        value *= 10;
    return value;
}

int wall_read(const char *text, sonde_ns *ret_wall)
{
    struct date date;
    const char *at = text;
    if ((date.year = read_digits(&at, 4, '-')) < 1970 || date.year > YEAR_LAST ||
        (date.month = read_digits(&at, 2, '-')) < 1 || date.month > 12 ||
        (date.day = read_digits(&at, 2, 'T')) < 1)
        return -EINVAL;
    int64_t day = day_of(&date);
    const struct date same = date_of(day);
    if (same.month != date.month || same.day != date.day)
        return -EINVAL; /* there is no such day */
    int64_t hour = read_digits(&at, 2, ':');
    int64_t minute = hour < 0 ? -1 : read_digits(&at, 2, ':');
    int64_t second = minute < 0 ? -1 : read_digits(&at, 2, '\0');
    int64_t fraction = second < 0 ? -1 : read_fraction(&at);
    if (hour > 23 || minute > 59 || second > 59 || fraction < 0 || at[0] != 'Z' || at[1] != '\0')
        return -EINVAL;
    *ret_wall = (day * DAY_S + hour * 3600 + minute * 60 + second) * SONDE_NS_PER_S + fraction;
    return 0;
}
