/* SPDX-License-Identifier: BSD-2-Clause */
/* The members that a line is made of. Each begins with a comma: none is the first of its object but
 * put_first(). */
#ifndef RECORD_PUT_H
#define RECORD_PUT_H

#include "base/text.h"

/** Write a string, or null for NULL. It may come from outside. */
void put_value(struct text *line, const char *value);

/** A member that is a string, or null for NULL. It may come from outside. */
void put_string(struct text *line, const char *name, const char *value);

/** A member that is a word of ours: nothing in it needs an escape. */
void put_word(struct text *line, const char *name, const char *word);

/** A member that is a whole number. */
void put_number(struct text *line, const char *name, uint64_t value);

/** A member that is a number, or null below 0. */
void put_known(struct text *line, const char *name, int64_t value);

/** A member that is true. Nothing if it is false. */
void put_flag(struct text *line, const char *name, bool value);

/** A member that is a time of day, or null below 0. */
void put_time(struct text *line, const char *name, sonde_ns wall_ns);

/** A member in milliseconds, exact to the nanosecond; null below 0. */
void put_ms(struct text *line, const char *name, sonde_ns ns);

/** A member that is an address, or null. */
void put_address(struct text *line, const char *name, const struct sonde_addr *addr);

/** A member that is an errno, by its name; nothing for 0. @param error  Positive. */
void put_errno(struct text *line, const char *name, int error);

#endif
