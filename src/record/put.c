/* SPDX-License-Identifier: BSD-2-Clause */
/* The members that a line is made of; see record/put.h. */
#include "record/put.h"

#include "base/wall.h"

#include <inttypes.h>
#include <string.h>

static void put_name(struct text *line, const char *name)
{
    text_add(line, ",\"");
    text_add(line, name);
    text_add(line, "\":");
}

void put_value(struct text *line, const char *value)
{
    struct text safe = {0};
    if (value == NULL) {
        text_add(line, "null");
        return;
    }
    text_add_untrusted(&safe, value, strlen(value));
    text_add(line, "\"");
    for (const char *at = safe.data; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "\"\\");
        text_add_bytes(line, at, len);
        at += len;
        if (*at != '\0') {
            text_add_bytes(line, "\\", 1);
            text_add_bytes(line, at++, 1);
        }
    }
    text_add(line, "\"");
    line->failed |= safe.failed;
    text_deinit(&safe);
}

void put_string(struct text *line, const char *name, const char *value)
{
    put_name(line, name);
    put_value(line, value);
}

void put_word(struct text *line, const char *name, const char *word)
{
    put_name(line, name);
    text_add(line, "\"");
    text_add(line, word);
    text_add(line, "\"");
}

void put_number(struct text *line, const char *name, uint64_t value)
{
    put_name(line, name);
    text_addf(line, "%" PRIu64, value);
}

void put_known(struct text *line, const char *name, int64_t value)
{
    put_name(line, name);
    if (value < 0)
        text_add(line, "null");
    else
        text_addf(line, "%" PRId64, value);
}

void put_flag(struct text *line, const char *name, bool value)
{
    if (!value)
        return;
    put_name(line, name);
    text_add(line, "true");
}

void put_time(struct text *line, const char *name, sonde_ns wall_ns)
{
    put_name(line, name);
    if (wall_ns < 0) {
        text_add(line, "null");
        return;
    }
    text_add(line, "\"");
    wall_add(line, wall_ns, 9);
    text_add(line, "\"");
}

void put_ms(struct text *line, const char *name, sonde_ns ns)
{
    put_name(line, name);
    if (ns < 0)
        text_add(line, "null");
    else
        text_addf(line, "%" PRId64 ".%06" PRId64, ns / SONDE_NS_PER_MS, ns % SONDE_NS_PER_MS);
}

void put_address(struct text *line, const char *name, const struct sonde_addr *addr)
{
    char buf[SONDE_ADDR_TEXT_BYTES];
    if (addr->family == SONDE_FAMILY_NONE)
        put_string(line, name, NULL);
    else
        put_word(line, name, sonde_addr_text(addr, buf));
}

void put_errno(struct text *line, const char *name, int error)
{
    const char *word = error != 0 ? strerrorname_np(error) : NULL;
    if (error != 0)
        put_word(line, name, word != NULL ? word : "EIO");
}
