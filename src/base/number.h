/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers from arguments and files, read strictly: no signs, no blanks, no exponents, nothing
 * behind, the same in every locale.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <sonde/types.h>

/**
 * Read a whole decimal number.
 * @param text       "0" to the largest that is allowed; NUL-terminated.
 * @param max        The largest that is allowed.
 * @param ret_value  On 0, the number.
 * @return 0; -EINVAL if it is not such a number; -ERANGE if it is larger than @p max.
 */
SONDE_MUST_CHECK int number_parse(const char *text, uint64_t max, uint64_t *ret_value);

/** @return The value of a hexadecimal digit, 0 to 15; -1 if it is none. */
int number_hex_digit(char digit);

/**
 * Read pairs of hexadecimal digits as bytes; blanks and colons between pairs are passed over.
 * @param buf      Receives them.
 * @param cap      Bytes at @p buf.
 * @param ret_len  On 0, how many there are; at least 1.
 * @return 0; -EINVAL if it is not that; -ERANGE if there are more than @p cap.
 */
SONDE_MUST_CHECK int number_parse_hex(const char *text, uint8_t *buf, size_t cap, size_t *ret_len);

/**
 * Read a decimal number with a fraction as a duration, exactly.
 * @param text    "2", "0.25", ".5"; at most 9 digits behind the point.
 * @param unit    What 1 means, at least 1 ns.
 * @param ret_ns  On 0, the duration, rounded down to a nanosecond.
 * @return 0; -EINVAL if it is not such a number; -ERANGE if it is beyond 292 years.
 */
SONDE_MUST_CHECK int number_parse_ns(const char *text, sonde_ns unit, sonde_ns *ret_ns);

enum { NUMBER_TEXT_BYTES = 32 };

/**
 * Write a number in decimal, exactly and without a zero at its end: 86400, 0.001.
 * @param value  At least 0.
 * @param unit   What 1 means, in what @p value counts: a power of ten.
 * @param text   Receives it, NUL-terminated.
 */
void number_write(int64_t value, int64_t unit, char text[NUMBER_TEXT_BYTES]);

#endif
