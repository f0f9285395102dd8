/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict numbers; see base/number.h. */
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int number_parse(const char *text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool overflow = false;
    if (*text == '\0')
        return -EINVAL;
    for (const char *at = text; *at != '\0'; at++) {
        if (!is_digit(*at))
            return -EINVAL;
        overflow |= __builtin_mul_overflow(value, 10, &value);
        overflow |= __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value);
    }
    if (overflow || value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int number_parse_ns(const char *text, sonde_ns unit, sonde_ns *ret_ns)
{
    enum { FRACTION_DIGITS = 9 };
    int64_t digits = 0; /* the number without its point */
    int64_t scale = 1;  /* what it is to be divided by */
    bool overflow = false;
    bool point = false;
    bool any = false;
    int fraction = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(*at) || (point && ++fraction > FRACTION_DIGITS))
            return -EINVAL;
        any = true;
        overflow |= __builtin_mul_overflow(digits, 10, &digits);
        overflow |= __builtin_add_overflow(digits, *at - '0', &digits);
        scale *= point ? 10 : 1;
    }
    if (!any)
        return -EINVAL;
    int64_t whole;
    int64_t part;
    overflow |= __builtin_mul_overflow(digits / scale, unit, &whole);
    overflow |= __builtin_mul_overflow(digits % scale, unit, &part);
    if (overflow || __builtin_add_overflow(whole, part / scale, &whole))
        return -ERANGE;
    *ret_ns = whole;
    return 0;
}

int number_hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

int number_parse_hex(const char *text, uint8_t *buf, size_t cap, size_t *ret_len)
{
    size_t len = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == ' ' || *at == '\n' || *at == '\t' || *at == ':')
            continue;
        int high = number_hex_digit(at[0]);
        int low = high < 0 ? -1 : number_hex_digit(at[1]);
        if (low < 0)
            return -EINVAL;
        if (len == cap)
            return -ERANGE;
        buf[len++] = (uint8_t)(high << 4 | low);
        at++;
    }
    *ret_len = len;
    return len > 0 ? 0 : -EINVAL;
}

void number_write(int64_t value, int64_t unit, char text[NUMBER_TEXT_BYTES])
{
    int64_t rest = value % unit;
    int len = snprintf(text, NUMBER_TEXT_BYTES, "%" PRId64 "%s", value / unit, rest > 0 ? "." : "");
    for (; rest > 0; rest %= unit) {
        unit /= 10;
        text[len++] = (char)('0' + rest / unit);
    }
    text[len] = '\0';
}
