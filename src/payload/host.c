/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name that the user typed, where a protocol carries names: some servers answer only what they
 * are asked by a name of theirs. It comes from outside, so only a plain host name is put into a
 * question: letters, digits, hyphens and dots cannot break out of any of the formats.
 */
#include "payload/payload.h"

/* RFC 1035 §2.3.4, less the length octet and the root's label of the form on the wire. */
enum {
    LABEL_MAX = 63,
    HOST_MAX = 253,
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_letter_or_digit(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX || !is_letter_or_digit(label[0]) ||
        !is_letter_or_digit(label[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_letter_or_digit(label[i]) && label[i] != '-')
            return false;
    }
    return true;
}

bool payload_host_is_usable(const char *text)
{
    const char *label = text;
    if (strlen(text) > HOST_MAX)
        return false;
    while (true) {
        size_t len = strcspn(label, ".");
        if (!is_label(label, len))
            return false;
        if (label[len] == '\0')
            return is_letter(label[0]); /* the last one of an address is a number; RFC 3261 §25.1 */
        label += len + 1;
    }
}

unsigned payload_host_labels(const char *host)
{
    unsigned labels = host != NULL;
    for (size_t i = 0; host != NULL && host[i] != '\0'; i++)
        labels += host[i] == '.';
    return labels;
}

const char *payload_host_parent(const char *host)
{
    const char *dot = strchr(host, '.');
    return dot != NULL ? dot + 1 : "";
}

void payload_write_text(struct wr *wr, const char *text)
{
    wr_bytes(wr, text, strlen(text));
}
