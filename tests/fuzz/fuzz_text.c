/* SPDX-License-Identifier: BSD-2-Clause */
/* text_add_untrusted(): whatever comes in, what goes out is harmless and means the same. */
#include "fuzz.h"

/* Read a text without its escapes, and compare it with what it was made from. */
static void check_meaning(const struct text *shown, const uint8_t *data, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < shown->len; at++) {
        unsigned value = (uint8_t)shown->data[i++];
        if (value == '\\') {
            FUZZ_CHECK(shown->len - i >= 3);
            value = 0;
            for (int k = 0; k < 3; k++) {
                FUZZ_CHECK(shown->data[i] >= '0' && shown->data[i] <= '9');
                value = value * 10 + (unsigned)(shown->data[i++] - '0');
            }
        }
        FUZZ_CHECK(at < size && value == data[at]);
    }
    FUZZ_CHECK(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text shown = {0};
    text_add_untrusted(&shown, (const char *)data, size);
    FUZZ_CHECK(text_ok(&shown));
    fuzz_check_shown(shown.data, shown.len, false);
    check_meaning(&shown, data, size);
    FUZZ_CHECK(shown.data == NULL || text_columns(shown.data) <= shown.len);
    text_deinit(&shown);
    return 0;
}
