/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options that are numbers: how they are read, and what is told of them. Defaults and bounds come
 * from the library's table, see sonde_option_bounds(). A duration is in seconds.
 */
#ifndef APP_NUMBERS_H
#define APP_NUMBERS_H

#include "base/text.h"

#include <sonde/options.h>

/**
 * Read the value of an option.
 * @param value    As the user wrote it.
 * @param options  Where it is set; unchanged on failure.
 * @return 0; -EINVAL: it is no such number, or not within its bounds.
 */
SONDE_MUST_CHECK int numbers_read(const char *value, enum sonde_option option,
                                  struct sonde_options *options);

/** Add a value, as the user would write it. */
void numbers_add(struct text *text, enum sonde_option option, int64_t value);

/** Add what is allowed: "1 to 255", "seconds, 0.001 to 86400". */
void numbers_add_bounds(struct text *text, enum sonde_option option);

#endif
