/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates of UDP answers: pairs of hexadecimal digits are bytes, [N+M] are M bytes of the
 * question from offset N on, as many of them as there are. And patterns of questions: "?N:" and
 * bytes that stand at offset N, "?*:" and bytes that stand anywhere; ".." is any byte.
 */
#include "base/number.h"
#include "io/sim/network.h"

#include <errno.h>

/* Read a small decimal number. @return What is behind it; NULL if there is none. */
static const char *read_count(const char *at, size_t *ret_count)
{
    size_t count = 0;
    const char *begin = at;
    for (; *at >= '0' && *at <= '9' && count < SIM_PACKET_BYTES; at++)
        count = 10 * count + (size_t)(*at - '0');
    *ret_count = count;
    return at > begin ? at : NULL;
}

/* Write "[N+M]". @return What is behind it; NULL if it is not that. */
static const char *write_copy(const char *at, struct sonde_span question, struct wr *wr)
{
    size_t offset;
    size_t len;
    at = read_count(at + 1, &offset);
    if (at == NULL || *at != '+')
        return NULL;
    at = read_count(at + 1, &len);
    if (at == NULL || *at != ']')
        return NULL;
    if (offset < question.len) {
        size_t rest = question.len - offset;
        wr_bytes(wr, question.data + offset, len < rest ? len : rest);
    }
    return at + 1;
}

/* Write a byte from two digits. @return What is behind them; NULL if they are not that. */
static const char *write_byte(const char *at, struct wr *wr)
{
    int high = number_hex_digit(at[0]);
    int low = high < 0 ? -1 : number_hex_digit(at[1]);
    if (low < 0)
        return NULL;
    wr_u8(wr, (uint8_t)(high << 4 | low));
    return at + 2;
}

int reply_write(const char *reply, struct sonde_span question, struct wr *wr)
{
    const char *at = reply;
    while (at != NULL && *at != '\0')
        at = *at == '[' ? write_copy(at, question, wr) : write_byte(at, wr);
    return at != NULL ? 0 : -EINVAL;
}

/* Do the bytes of a pattern stand at an offset? @return What is behind them; NULL if they do not.
 */
static const char *match_bytes(const char *at, struct sonde_span question, size_t offset)
{
    for (; *at != '\0' && *at != '?'; at += 2) {
        bool any = at[0] == '.';
        int byte = any ? 0 : number_hex_digit(at[0]) << 4 | number_hex_digit(at[1]);
        if (offset >= question.len || (!any && question.data[offset] != byte))
            return NULL;
        offset++;
    }
    return at;
}

bool question_fits(const char *only, struct sonde_span question)
{
    const char *at = only;
    while (*at != '\0') {
        size_t offset = 0;
        bool anywhere = at[1] == '*';
        const char *bytes = anywhere ? at + 2 : read_count(at + 1, &offset);
        at = match_bytes(bytes + 1, question, offset);
        while (at == NULL && anywhere && offset++ < question.len)
            at = match_bytes(bytes + 1, question, offset);
        if (at == NULL)
            return false;
    }
    return true;
}

bool question_is_pattern(const char *only)
{
    const char *at = only;
    while (*at == '?') {
        size_t offset;
        at = at[1] == '*' ? at + 2 : read_count(at + 1, &offset);
        if (at == NULL || *at++ != ':')
            return false;
        const char *begin = at;
        while ((at[0] == '.' && at[1] == '.') ||
               (number_hex_digit(at[0]) >= 0 && number_hex_digit(at[1]) >= 0))
            at += 2;
        if (at == begin)
            return false;
    }
    return *at == '\0';
}
