/* SPDX-License-Identifier: BSD-2-Clause */
/* The members that JSON is made of; see report/members.h. */
#include "report/members.h"

#include "base/text.h"
#include "base/wall.h"

#include <string.h>

static cJSON *keep(struct json_writer *writer, cJSON *item)
{
    writer->failed |= item == NULL;
    return item;
}

cJSON *json_start(struct json_writer *writer)
{
    return keep(writer, cJSON_CreateObject());
}

static void put(struct json_writer *writer, cJSON *object, const char *name, cJSON *item)
{
    if (item == NULL || !cJSON_AddItemToObject(object, name, item)) {
        cJSON_Delete(item);
        writer->failed = true;
    }
}

cJSON *json_object(struct json_writer *writer, cJSON *object, const char *name)
{
    return keep(writer, cJSON_AddObjectToObject(object, name));
}

cJSON *json_array(struct json_writer *writer, cJSON *object, const char *name)
{
    return keep(writer, cJSON_AddArrayToObject(object, name));
}

cJSON *json_append(struct json_writer *writer, cJSON *array)
{
    cJSON *object = json_start(writer);
    if (object != NULL && !cJSON_AddItemToArray(array, object))
        writer->failed = true;
    return object;
}

void json_append_word(struct json_writer *writer, cJSON *array, const char *word)
{
    cJSON *string = cJSON_CreateString(word);
    if (!cJSON_AddItemToArray(array, string)) {
        cJSON_Delete(string);
        writer->failed = true;
    }
}

void json_null(struct json_writer *writer, cJSON *object, const char *name)
{
    put(writer, object, name, cJSON_CreateNull());
}

void json_number(struct json_writer *writer, cJSON *object, const char *name, double value)
{
    put(writer, object, name, cJSON_CreateNumber(value));
}

void json_bool(struct json_writer *writer, cJSON *object, const char *name, bool value)
{
    put(writer, object, name, cJSON_CreateBool(value));
}

void json_string(struct json_writer *writer, cJSON *object, const char *name, const char *value)
{
    struct text safe = {0};
    if (value == NULL) {
        json_null(writer, object, name);
        return;
    }
    text_add(&safe, "");
    text_add_untrusted(&safe, value, strlen(value));
    put(writer, object, name, text_ok(&safe) ? cJSON_CreateString(safe.data) : NULL);
    text_deinit(&safe);
}

void json_address(struct json_writer *writer, cJSON *object, const char *name,
                  const struct sonde_addr *addr)
{
    char buf[SONDE_ADDR_TEXT_BYTES];
    bool known = addr->family != SONDE_FAMILY_NONE;
    json_string(writer, object, name,
                known ? sonde_addr_text_zoned(addr, &writer->zones, buf) : NULL);
}

void json_ms(struct json_writer *writer, cJSON *object, const char *name, sonde_ns ns)
{
    if (ns < 0)
        json_null(writer, object, name);
    else
        json_number(writer, object, name, (double)ns / (double)SONDE_NS_PER_MS);
}

void json_known(struct json_writer *writer, cJSON *object, const char *name, int64_t value)
{
    if (value < 0)
        json_null(writer, object, name);
    else
        json_number(writer, object, name, (double)value);
}

void json_ttl(struct json_writer *writer, cJSON *object, const char *name, uint8_t ttl)
{
    json_known(writer, object, name, ttl == 0 ? -1 : ttl);
}

void json_time(struct json_writer *writer, cJSON *object, const char *name, sonde_ns wall_ns)
{
    struct text text = {0};
    wall_add(&text, wall_ns, 6);
    json_string(writer, object, name, text.data);
    text_deinit(&text);
}
