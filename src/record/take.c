/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking members out of a line; see record/take.h. */
#include "record/take.h"

#include "base/number.h"
#include "base/wall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static const double WHOLE_MAX = 9007199254740992.0; /* 2^53: doubles hold all whole numbers below */
static const double NS_MAX = 1125899906842624.0;    /* 2^50: 13 days */

enum { ERRNO_MAX = 4095 }; /* MAX_ERRNO of the kernel's include/linux/err.h */

void take_fail(struct record_reader *reader, const char *why)
{
    if (reader->why == NULL)
        reader->why = why;
}

const cJSON *take_member(const cJSON *object, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        /* most names differ in their first letter, and there are many to look at */
        if (item->string != NULL && item->string[0] == name[0] && strcmp(item->string, name) == 0)
            return cJSON_IsNull(item) ? NULL : item;
    }
    return NULL;
}

const cJSON *take_object(struct record_reader *reader, const cJSON *object, const char *name)
{
    const cJSON *item = take_member(object, name);
    if (item != NULL && cJSON_IsObject(item))
        return item;
    take_fail(reader, "an object is missing");
    return NULL;
}

const cJSON *take_array(struct record_reader *reader, const cJSON *object, const char *name)
{
    const cJSON *item = take_member(object, name);
    if (item == NULL || cJSON_IsArray(item))
        return item;
    take_fail(reader, "something else stands where an array does");
    return NULL;
}

int64_t take_number(struct record_reader *reader, const cJSON *object, const char *name,
                    const int64_t bounds[2], int64_t standard)
{
    const cJSON *item = take_member(object, name);
    if (item == NULL)
        return standard;
    double value = cJSON_IsNumber(item) ? item->valuedouble : -WHOLE_MAX;
    bool is_valid = value > -WHOLE_MAX && value <= WHOLE_MAX && value == floor(value);
    if (is_valid && (int64_t)value >= bounds[0] && (int64_t)value <= bounds[1])
        return (int64_t)value;
    take_fail(reader, "a number is out of its bounds");
    return standard;
}

uint64_t take_count(struct record_reader *reader, const cJSON *object, const char *name,
                    uint64_t max)
{
    const int64_t bounds[2] = {0, (int64_t)max};
    int64_t value = take_number(reader, object, name, bounds, -1);
    if (value < 0)
        take_fail(reader, "a number is missing");
    return value < 0 ? 0 : (uint64_t)value;
}

bool take_flag(struct record_reader *reader, const cJSON *object, const char *name)
{
    const cJSON *item = take_member(object, name);
    if (item != NULL && !cJSON_IsBool(item))
        take_fail(reader, "something else stands where true or false does");
    return item != NULL && cJSON_IsTrue(item);
}

/* The byte that "\ddd" stands for; -1: it stands for none. */
static int unescape(const char *at)
{
    int value = 0;
    for (int i = 1; i <= 3; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = 10 * value + (at[i] - '0');
    }
    return value > 0 && value < 256 ? value : -1;
}

/* Undo what text_add_untrusted() does, in place. */
const char *take_text(struct record_reader *reader, const cJSON *item)
{
    if (item == NULL)
        return NULL;
    if (!cJSON_IsString(item)) {
        take_fail(reader, "something else stands where a text does");
        return NULL;
    }
    char *to = item->valuestring;
    for (const char *at = item->valuestring; *at != '\0';) {
        int byte = *at == '\\' ? unescape(at) : (uint8_t)*at;
        if (byte < 0)
            take_fail(reader, "a text has an escape that there is not");
        at += *at == '\\' && byte >= 0 ? 4 : 1;
        *to++ = (char)byte;
    }
    *to = '\0';
    return item->valuestring;
}

const char *take_string(struct record_reader *reader, const cJSON *object, const char *name)
{
    return take_text(reader, take_member(object, name));
}

const char *take_needed(struct record_reader *reader, const cJSON *object, const char *name)
{
    const char *text = take_string(reader, object, name);
    if (text == NULL)
        take_fail(reader, "a text is missing");
    return text != NULL ? text : "";
}

/* May a text be shown as it is? A backslash may, which text_add_untrusted() takes for its own. */
static bool is_shown(const char *text)
{
    struct text safe = {0};
    text_add_untrusted(&safe, text, strlen(text));
    const char *at = safe.data;
    for (; at != NULL && *at != '\0' && *text != '\0'; text++) {
        const char *escape = *text == '\\' ? "\\092" : NULL;
        if (escape != NULL ? strncmp(at, escape, 4) != 0 : *at != *text)
            break;
        at += escape != NULL ? 4 : 1;
    }
    bool shown = !safe.failed && *text == '\0';
    text_deinit(&safe);
    return shown;
}

const char *take_own(struct record_reader *reader, const cJSON *object, const char *name)
{
    const char *text = take_needed(reader, object, name);
    if (is_shown(text))
        return text;
    take_fail(reader, "a text has bytes that cannot be shown");
    return "";
}

int take_word(struct record_reader *reader, const cJSON *object, const char *name,
              const char *(*word_of)(int), int count)
{
    const cJSON *item = take_member(object, name);
    for (int i = 0; item != NULL && cJSON_IsString(item) && i < count; i++) {
        if (strcmp(item->valuestring, word_of(i)) == 0)
            return i;
    }
    take_fail(reader, "a word is missing, or there is no such one");
    return 0;
}

sonde_ns take_time(struct record_reader *reader, const cJSON *object, const char *name)
{
    const cJSON *item = take_member(object, name);
    sonde_ns wall_ns = 0;
    if (item == NULL || !cJSON_IsString(item) || wall_read(item->valuestring, &wall_ns) < 0)
        take_fail(reader, "a time is missing, or is none");
    return wall_ns;
}

sonde_ns take_ms(struct record_reader *reader, const cJSON *object, const char *name)
{
    const cJSON *item = take_member(object, name);
    if (item == NULL)
        return -1;
    double ns = cJSON_IsNumber(item) ? round(item->valuedouble * (double)SONDE_NS_PER_MS) : -1;
    if (ns >= 0 && ns <= NS_MAX)
        return (sonde_ns)ns;
    take_fail(reader, "a duration is out of its bounds");
    return -1;
}

/* Read an address as it is written here. Another than sonde_addr_parse() reads, an IPv4-mapped one
 * stays what it is: a router may have answered from it. */
static bool parse_address(const char *text, struct sonde_addr *to)
{
    bool is_ipv6 = strchr(text, ':') != NULL;
    to->family = is_ipv6 ? SONDE_FAMILY_IPV6 : SONDE_FAMILY_IPV4;
    return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, to->bytes) == 1;
}

struct sonde_addr take_address(struct record_reader *reader, const cJSON *object, const char *name)
{
    struct sonde_addr addr = {.family = SONDE_FAMILY_NONE};
    const cJSON *item = take_member(object, name);
    char bare[SONDE_ADDR_TEXT_BYTES];
    uint64_t scope = 0;
    if (item == NULL)
        return addr;
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    size_t len = strcspn(text, "%");
    bool is_valid = len < sizeof bare;
    if (is_valid) {
        memcpy(bare, text, len);
        bare[len] = '\0';
        is_valid = parse_address(bare, &addr) &&
                   (text[len] == '\0' || (addr.family == SONDE_FAMILY_IPV6 &&
                                          number_parse(text + len + 1, UINT32_MAX, &scope) == 0));
    }
    if (!is_valid) {
        take_fail(reader, "an address is none");
        return (struct sonde_addr){.family = SONDE_FAMILY_NONE};
    }
    addr.scope = (uint32_t)scope;
    return addr;
}

int take_errno(struct record_reader *reader, const cJSON *object, const char *name)
{
    const cJSON *item = take_member(object, name);
    if (item == NULL)
        return 0;
    for (int error = 1; cJSON_IsString(item) && error < ERRNO_MAX; error++) {
        const char *word = strerrorname_np(error);
        if (word != NULL && strcmp(word, item->valuestring) == 0)
            return error;
    }
    take_fail(reader, "there is no such error");
    return 0;
}
