/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking members out of a line that anybody may have written.
 *
 * A reader remembers the first thing that was wrong: whoever uses what was taken looks there once,
 * at the end. Members that are wrong, or missing though they are needed, are taken as 0, NULL or
 * what the function says.
 */
#ifndef RECORD_TAKE_H
#define RECORD_TAKE_H

#include "record/record.h"

#include <cjson/cJSON.h>

struct record_reader {
    cJSON *line;
    const char *why; /* what is wrong with it; NULL: nothing so far */
    struct sonde_record record;
    const char *command[SONDE_RECORD_ARGUMENTS_MAX];
    struct sonde_record_address addresses[SONDE_KNOWN_ADDRESSES_MAX];
    struct sonde_record_service services[SONDE_RECORD_SERVICES_MAX];
    uint16_t ports[SONDE_RECORD_PORTS_MAX];
    uint32_t port_count; /* of these, that are taken */
    sonde_ns since[SONDE_RECORD_PORTS_MAX];
};

/** Say what is wrong, unless something was before. */
void take_fail(struct record_reader *reader, const char *why);

/** @return A member; NULL if it is missing, or null. */
const cJSON *take_member(const cJSON *object, const char *name);

/** @return A member that is an object, and has to be there; NULL if it is not. */
const cJSON *take_object(struct record_reader *reader, const cJSON *object, const char *name);

/** @return A member that is an array; NULL if it is missing. */
const cJSON *take_array(struct record_reader *reader, const cJSON *object, const char *name);

/** @return A whole number from @p min to @p max, at most 2^53; @p standard if it is missing. */
int64_t take_number(struct record_reader *reader, const cJSON *object, const char *name,
                    const int64_t bounds[2], int64_t standard);

/** @return A whole number from 0 to @p max, which has to be there. */
uint64_t take_count(struct record_reader *reader, const cJSON *object, const char *name,
                    uint64_t max);

/** @return Whether a member is true; false if it is missing. */
bool take_flag(struct record_reader *reader, const cJSON *object, const char *name);

/** @return A string as it was before it was made safe; NULL if it is missing. It borrows the line,
 *  and is taken once. */
const char *take_string(struct record_reader *reader, const cJSON *object, const char *name);

/** Likewise for an element. */
const char *take_text(struct record_reader *reader, const cJSON *item);

/** @return A string that has to be there; "" if it is not. */
const char *take_needed(struct record_reader *reader, const cJSON *object, const char *name);

/** @return A text that has to be there and is of sonde's own words: it may be shown as it is. "" if
 *  it is none. */
const char *take_own(struct record_reader *reader, const cJSON *object, const char *name);

/** @return The value of @p count for which a function has the word that a member is; that has to be
 *  there. */
int take_word(struct record_reader *reader, const cJSON *object, const char *name,
              const char *(*word_of)(int), int count);

/** @return A time of day, which has to be there. */
sonde_ns take_time(struct record_reader *reader, const cJSON *object, const char *name);

/** @return A duration in milliseconds, to the nanosecond, of at most 2^50 ns; -1 if it is missing.
 */
sonde_ns take_ms(struct record_reader *reader, const cJSON *object, const char *name);

/** @return An address; no address if it is missing. */
struct sonde_addr take_address(struct record_reader *reader, const cJSON *object, const char *name);

/** @return A positive errno; 0 if it is missing. */
int take_errno(struct record_reader *reader, const cJSON *object, const char *name);

/** Take what happened to a probe. @param type  Of the event. */
void take_probe(struct record_reader *reader, const cJSON *line, enum sonde_event_type type,
                struct sonde_record_probe *to);

#endif
