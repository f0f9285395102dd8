/* SPDX-License-Identifier: BSD-2-Clause */
/* The growing text of base/text.h. */
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_deinit(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

bool text_ok(const struct text *text)
{
    return !text->failed;
}

/* Make room for len more bytes and the NUL. */
static bool text_grow(struct text *text, size_t len)
{
    if (text->failed || len > SIZE_MAX / 4 - text->len) {
        text->failed = true;
        return false;
    }
    size_t need = text->len + len + 1;
    if (need <= text->cap)
        return true;
    size_t cap = need > 2 * text->cap ? need : 2 * text->cap;
    char *data = realloc(text->data, cap);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->cap = cap;
    return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t len)
{
    if (!text_grow(text, len))
        return;
    if (len > 0)
        memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0 || !text_grow(text, (size_t)len)) {
        text->failed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
    va_end(args);
    text->len += (size_t)len;
}

void text_add_repeated(struct text *text, char byte, long count)
{
    for (long i = 0; i < count; i++)
        text_add_bytes(text, &byte, 1);
}

/* A code point and the bytes it took; 0 bytes if what stands there is not well-formed UTF-8. */
struct utf8 {
    uint32_t point;
    size_t len;
};

/* RFC 3629 §4: the shortest form only, no surrogates, nothing above U+10FFFF */
static struct utf8 utf8_decode(const uint8_t *bytes, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes[0];
    if (first < 0x80)
        return (struct utf8){first, 1};
    size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || need > len)
        return (struct utf8){0, 0};
    uint32_t point = first & (0x7fU >> need);
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return (struct utf8){0, 0};
        point = point << 6 | (bytes[i] & 0x3fU);
    }
    if (point < smallest[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return (struct utf8){0, 0};
    return (struct utf8){point, need};
}

/* Would this code point do something to a terminal rather than show itself? */
static bool point_is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) /* C0, DEL, C1 */
           || point == 0x61c                               /* Arabic letter mark */
           || (point >= 0x200b && point <= 0x200f)         /* zero width, direction marks */
           || (point >= 0x2028 && point <= 0x202e)         /* separators, embeddings, overrides */
           || (point >= 0x2060 && point <= 0x206f)         /* invisible operators, isolates */
           || point == 0xfeff                              /* byte order mark */
           || (point >= 0xfff9 && point <= 0xfffb)         /* interlinear annotation */
           || (point >= 0xe0000 && point <= 0xe007f);      /* tags */
}

void text_add_untrusted(struct text *text, const char *bytes, size_t len)
{
    const uint8_t *at = (const uint8_t *)bytes;
    while (len > 0) {
        struct utf8 next = utf8_decode(at, len);
        if (next.len == 0 || point_is_harmful(next.point) || next.point == '\\') {
            size_t escaped = next.len == 0 ? 1 : next.len;
            for (size_t i = 0; i < escaped; i++)
                text_addf(text, "\\%03u", (unsigned)at[i]);
            next.len = escaped;
        } else {
            text_add_bytes(text, (const char *)at, next.len);
        }
        at += next.len;
        len -= next.len;
    }
}

/* A letter made small: tolower() of some locale has a small I without a dot. */
static char fold(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
}

bool text_is_same(const char *a, const char *b)
{
    while (*a != '\0' && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool text_fold(const char *word, size_t len, char *folded, size_t cap)
{
    if (len >= cap)
        return false;
    for (size_t i = 0; i < len; i++)
        folded[i] = fold(word[i]);
    folded[len] = '\0';
    return true;
}

void text_add_ms(struct text *text, sonde_ns ns)
{
    double ms = (double)ns / (double)SONDE_NS_PER_MS;
    int decimals = ms >= 99.95 ? 0 : ms >= 9.995 ? 1 : ms >= 0.9995 ? 2 : 3;
    text_addf(text, "%.*f", decimals, ms);
}

/* Decimals that percent are written with: one, or more where that would be 0.0 or 100.0, and it is
 * neither. */
static int share_decimals(uint64_t part, uint64_t whole)
{
    enum { DECIMALS_MAX = 9 };
    uint64_t rest = whole - part;
    double nearest = 100.0 * (double)(part < rest ? part : rest) / (double)whole; /* to 0 or 100 */
    int decimals = 1;
    for (double rounded_off = 0.05; nearest > 0 && nearest <= rounded_off; rounded_off /= 10)
        decimals++;
    return decimals < DECIMALS_MAX ? decimals : DECIMALS_MAX;
}

void text_add_span(struct text *text, sonde_ns ns)
{
    double seconds = (double)ns / (double)SONDE_NS_PER_S;
    if (seconds < 9.95)
        text_addf(text, "%.1f s", seconds);
    else if (seconds < 119.5)
        text_addf(text, "%.0f s", seconds);
    else if (seconds < 119.5 * 60)
        text_addf(text, "%.0f min", seconds / 60);
    else if (seconds < 48 * 3600)
        text_addf(text, "%.1f h", seconds / 3600);
    else
        text_addf(text, "%.0f days", seconds / 86400);
}

void text_add_share(struct text *text, uint64_t part, uint64_t whole)
{
    if (whole < TEXT_COUNTED_BELOW)
        text_addf(text, "%" PRIu64 " of %" PRIu64, part, whole);
    else
        text_addf(text, "%.*f", share_decimals(part, whole), 100.0 * (double)part / (double)whole);
}

void text_add_loss(struct text *text, uint64_t lost, uint64_t sent)
{
    if (lost == 0) {
        text_add(text, "no loss");
        return;
    }
    text_add_share(text, lost, sent);
    text_add(text, sent < TEXT_COUNTED_BELOW ? " lost" : "% loss");
}

void text_add_way(struct text *text, uint8_t ttl, const struct sonde_addr *from,
                  const struct sonde_addr *to, const struct sonde_zones *zones)
{
    char addr[SONDE_ADDR_TEXT_BYTES];
    text_addf(text, "hop %u: ", ttl);
    if (from->family != SONDE_FAMILY_NONE)
        text_addf(text, "%s -> ", sonde_addr_text_zoned(from, zones, addr));
    if (to->family == SONDE_FAMILY_NONE)
        text_add(text, "no reply");
    else
        text_addf(text, "%s%s", from->family == SONDE_FAMILY_NONE ? "now " : "",
                  sonde_addr_text_zoned(to, zones, addr));
}

/* What of a text is never cut: a code point, or an escape. */
struct piece {
    size_t bytes;
    size_t columns;
};

/* The first piece of @p len bytes, which are at least one. */
static struct piece piece_at(const char *bytes, size_t len)
{
    static const char digits[] = "0123456789";
    static const struct piece escape = {4, 4};
    struct utf8 next = utf8_decode((const uint8_t *)bytes, len);
    bool combines = next.point >= 0x300 && next.point <= 0x36f; /* diacritical marks */
    if (bytes[0] == '\\' && len >= escape.bytes && strspn(bytes + 1, digits) >= 3)
        return escape;
    return (struct piece){next.len == 0 ? 1 : next.len, combines ? 0 : 1};
}

/* The bytes of a string that fit into so many columns, and in @p ret_columns what they take. */
static size_t bytes_in(const char *string, size_t columns, size_t *ret_columns)
{
    size_t used = 0;
    size_t len = strlen(string);
    const char *at = string;
    while (len > 0) {
        struct piece next = piece_at(at, len);
        if (next.columns > columns - used)
            break;
        used += next.columns;
        at += next.bytes;
        len -= next.bytes;
    }
    *ret_columns = used;
    return (size_t)(at - string);
}

size_t text_columns(const char *string)
{
    size_t columns;
    (void)bytes_in(string, SIZE_MAX, &columns);
    return columns;
}

void text_cut(struct text *text, size_t columns, const char *mark)
{
    size_t used;
    if (text->data == NULL || text_columns(text->data) <= columns)
        return;
    text->len = bytes_in(text->data, columns - text_columns(mark), &used);
    text->data[text->len] = '\0';
    text_add(text, mark);
}

size_t text_whole(const char *string, size_t bytes)
{
    size_t whole = 0;
    size_t len = strlen(string);
    while (whole < len) {
        struct piece next = piece_at(string + whole, len - whole);
        if (next.bytes > bytes - whole)
            break;
        whole += next.bytes;
    }
    return whole;
}
