/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets and addresses as text; see spell.h. */
#include "spell.h"

#include <criterion/criterion.h>
#include <stdio.h>

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, c, 16);
    cr_assert_not_null(at, "'%c' is no hex digit", c);
    return (int)(at - digits);
}

void wr_hex(struct wr *wr, const char *text)
{
    while (*text != '\0') {
        if (*text == ' ') {
            text++;
            continue;
        }
        wr_u8(wr, (uint8_t)(digit(text[0]) << 4 | digit(text[1])));
        text += 2;
    }
}

struct sonde_span tail_copy(struct tail *tail, struct sonde_span bytes)
{
    cr_assert_leq(bytes.len, sizeof tail->bytes);
    uint8_t *at = tail->bytes + sizeof tail->bytes - bytes.len;
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return (struct sonde_span){at, bytes.len};
}

struct sonde_span tail_hex(struct tail *tail, const char *text)
{
    uint8_t room[TAIL_BYTES];
    struct wr wr = wr_init(room, sizeof room);
    wr_hex(&wr, text);
    return tail_copy(tail, written(&wr));
}

struct sonde_span written(const struct wr *wr)
{
    cr_assert(wr_ok(wr), "the test's own packet does not fit its room");
    return (struct sonde_span){wr->data, wr->len};
}

void expect_hex(struct sonde_span bytes, const char *text, const char *what)
{
    struct tail tail;
    struct sonde_span expected = tail_hex(&tail, text);
    if (bytes.len == expected.len && memcmp(bytes.data, expected.data, bytes.len) == 0)
        return;
    for (size_t i = 0; i < bytes.len; i++)
        (void)fprintf(stderr, "%02x%s", bytes.data[i], i % 4 == 3 ? " " : "");
    cr_expect_fail("%s: got %zu bytes, as above, not %s", what, bytes.len, text);
}

struct sonde_addr addr_of(const char *text)
{
    struct sonde_addr addr = {0};
    cr_assert_eq(sonde_addr_parse(text, &addr), 0, "%s", text);
    return addr;
}

void expect_addr(const struct sonde_addr *addr, const char *text)
{
    char written_text[SONDE_ADDR_TEXT_BYTES];
    (void)sonde_addr_text(addr, written_text);
    cr_expect_str_eq(written_text, text, "%s instead of %s", written_text, text);
    cr_expect_eq(addr->scope, 0, "%s", text);
}
