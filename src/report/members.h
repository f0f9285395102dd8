/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members that JSON is made of, through cJSON.
 *
 * A writer remembers that memory ran out; whoever prints looks there first, so that no half
 * document ever leaves. All functions take it, and what they make belongs to the object or array
 * that it is put into; objects and arrays that could not be made are NULL, and may be put into.
 */
#ifndef REPORT_MEMBERS_H
#define REPORT_MEMBERS_H

#include <cjson/cJSON.h>
#include <sonde/types.h>

/** {0} is a writer that has not failed. */
struct json_writer {
    bool failed;
    struct sonde_zones zones; /* names of the zones of addresses */
};

/** @return An object of its own, which the caller deletes. */
cJSON *json_start(struct json_writer *writer);

/** @return An empty object, put in as a member. */
cJSON *json_object(struct json_writer *writer, cJSON *object, const char *name);

/** @return An empty array, put in as a member. */
cJSON *json_array(struct json_writer *writer, cJSON *object, const char *name);

/** @return An empty object, put at the end of an array. */
cJSON *json_append(struct json_writer *writer, cJSON *array);

/** Put a word of our own at the end of an array. */
void json_append_word(struct json_writer *writer, cJSON *array, const char *word);

void json_null(struct json_writer *writer, cJSON *object, const char *name);

void json_number(struct json_writer *writer, cJSON *object, const char *name, double value);

void json_bool(struct json_writer *writer, cJSON *object, const char *name, bool value);

/** Put a string that may come from outside; NULL becomes null. */
void json_string(struct json_writer *writer, cJSON *object, const char *name, const char *value);

/** Put an address; no address becomes null. */
void json_address(struct json_writer *writer, cJSON *object, const char *name,
                  const struct sonde_addr *addr);

/** Put milliseconds with nanoseconds in them; a negative time becomes null. */
void json_ms(struct json_writer *writer, cJSON *object, const char *name, sonde_ns ns);

/** Put a number of which a negative one means unknown, null. */
void json_known(struct json_writer *writer, cJSON *object, const char *name, int64_t value);

/** Put a TTL of which 0 means unknown, null. */
void json_ttl(struct json_writer *writer, cJSON *object, const char *name, uint8_t ttl);

/** Put a time since 1970 as RFC 3339 with 6 decimals. */
void json_time(struct json_writer *writer, cJSON *object, const char *name, sonde_ns wall_ns);

#endif
