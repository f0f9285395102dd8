/* SPDX-License-Identifier: BSD-2-Clause */
/* The type of service; see app/tos.h. */
#include "app/tos.h"

#include "base/number.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

static int read_hex(const char *digits, uint8_t *ret_tos)
{
    unsigned value = 0;
    size_t len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        int digit = number_hex_digit(digits[i]);
        if (digit < 0)
            return -EINVAL;
        value = value << 4 | (unsigned)digit;
    }
    if (len < 1 || len > 2)
        return -EINVAL;
    *ret_tos = (uint8_t)value;
    return 0;
}

static bool is_digit_within(char digit, char first, char last)
{
    return digit >= first && digit <= last;
}

/* Find the DSCP of a name in small letters. -1: there is none of that name. */
static int find_dscp(const char *name)
{
    static const struct {
        const char *name;
        int dscp;
    } single[] = {{"ef", 46}, {"le", 1}, {"va", 44}};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (strcmp(name, single[i].name) == 0)
            return single[i].dscp;
    }
    if (len == 3 && strncmp(name, "cs", 2) == 0 && is_digit_within(name[2], '0', '7'))
        return 8 * (name[2] - '0'); /* the precedence of old */
    if (len == 4 && strncmp(name, "af", 2) == 0 && is_digit_within(name[2], '1', '4') &&
        is_digit_within(name[3], '1', '3'))
        return 8 * (name[2] - '0') + 2 * (name[3] - '0'); /* class and drop precedence */
    return -1;
}

int tos_read(const char *word, uint8_t *ret_tos)
{
    char name[8];
    uint64_t number = 0;
    if (!text_fold(word, strlen(word), name, sizeof name))
        return -EINVAL;
    int dscp = find_dscp(name);
    if (dscp >= 0) {
        *ret_tos = (uint8_t)(dscp << 2);
        return 0;
    }
    if (strncmp(name, "0x", 2) == 0)
        return read_hex(name + 2, ret_tos);
    if (number_parse(name, UINT8_MAX, &number) < 0)
        return -EINVAL;
    *ret_tos = (uint8_t)number;
    return 0;
}
