/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as JSON Lines, schema sonde.event/1: a record is one object on one line.
 *
 * Nothing is lost on the way. Numbers of JSON are doubles to many readers, so that every number
 * here is whole and below 2^53, or has a fraction that a double holds: round trips are milliseconds
 * with six decimals, which are whole nanoseconds, and times are texts with nine. Texts from outside
 * are written as in every format (text_add_untrusted()), which can be undone. Members that are at
 * their usual value may be left out.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "base/span.h"
#include "base/text.h"

#include <sonde/record.h>

enum { RECORD_LINE_MAX = 64 * 1024 - 1 }; /* bytes of a line, with its end */

/** Add a record as one line, with its end.
 *  @return 0; -EMSGSIZE: it would be longer than RECORD_LINE_MAX, and nothing was added; -ENOMEM.
 */
SONDE_MUST_CHECK int record_write(const struct sonde_record *record, struct text *text);

struct record_reader;

/** @return A reader of lines; NULL if memory ran out. Ownership: record_reader_free() frees it. */
struct record_reader *record_reader_new(void);

/** Free a reader; NULL is fine. @return NULL. */
struct record_reader *record_reader_free(struct record_reader *reader);

/**
 * Read a line. Whatever it holds, what is read is within the bounds of its members.
 * @param line        Without its end.
 * @param ret_record  On 0, the record; it borrows the reader, until the next line.
 * @param reterr      On -EINVAL, why, in a few words; static.
 * @return 0; 1: it is of a type that is not known, or that says nothing new, and is passed over;
 *         -EINVAL: it is no record; -ENOMEM.
 */
SONDE_MUST_CHECK int record_read(struct record_reader *reader, struct sonde_span line,
                                 const struct sonde_record **ret_record, const char **reterr);

/** The JSON Schema (2020-12) of a line. */
extern const struct sonde_span record_schema;

#endif
