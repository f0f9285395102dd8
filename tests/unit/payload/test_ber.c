/* SPDX-License-Identifier: BSD-2-Clause */
/* Elements of the Basic Encoding Rules, by X.690 §8. */
#include "payload/ber.h"
#include "tests/unit/payload/sample.h"

#include <criterion/criterion.h>

static struct rd reader(const char *bytes, size_t len)
{
    return rd_init((struct sonde_span){(const uint8_t *)bytes, len});
}

Test(ber, lengths_have_a_short_and_a_long_form)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x04\x02hi", 4},
        {"\x04\x81\x02hi", 5},
        {"\x04\x84\0\0\0\x02hi", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rd rd = reader(cases[i].bytes, cases[i].len);
        struct ber text = ber_take(&rd);
        cr_expect(rd_ok(&rd) && rd.rest.len == 0, "case %zu", i);
        cr_expect_eq(text.tag, BER_OCTET_STRING);
        cr_expect(text.content.rest.len == 2 && memcmp(text.content.rest.data, "hi", 2) == 0);
        rd = reader(cases[i].bytes, cases[i].len);
        cr_expect(ber_enter(&rd, BER_OCTET_STRING));
        cr_expect_eq(rd.rest.len, 2);
        rd = reader(cases[i].bytes, cases[i].len);
        cr_expect_not(ber_skip(&rd, BER_INTEGER));
    }
}

Test(ber, what_an_element_is_cut_short_of_is_not_read)
{
    static const char bytes[] = "\x30\x82\x00\x03\x02\x01\x05";
    for (size_t len = 0; len < sizeof bytes - 1; len++) {
        struct rd rd = reader(bytes, len);
        cr_expect_eq(ber_take(&rd).tag, 0, "%zu bytes", len);
        cr_expect_not(rd_ok(&rd), "%zu bytes", len);
        rd = reader(bytes, len);
        cr_expect_eq(ber_enter(&rd, BER_SEQUENCE), len >= 4, "%zu bytes", len);
    }
}

Test(ber, lengths_that_are_indefinite_or_huge_are_refused)
{
    struct rd rd = reader("\x30\x80\x02\x01\x05\0\0", 7);
    cr_expect_eq(ber_take(&rd).tag, 0);
    rd = reader("\x30\x85\0\0\0\0\0", 7);
    cr_expect_eq(ber_take(&rd).tag, 0);
    rd = reader("\x30\xff\0\0\0\0\0", 7);
    cr_expect_not(ber_enter(&rd, BER_SEQUENCE));
    rd = reader("\x04\x84\xff\xff\xff\xff"
                "data",
                10);
    cr_expect_eq(ber_take(&rd).tag, 0);
    cr_expect_not(rd_ok(&rd));
}

Test(ber, an_integer_is_compared_with_a_small_number)
{
    struct rd rd = reader("\x02\x01\x03\x02\x02\x00\x03\x04\x01\x03\x02\x01\x04\x02\x00", 15);
    cr_expect(ber_is(&rd, 3));
    cr_expect_not(ber_is(&rd, 3), "not in its shortest form");
    cr_expect_not(ber_is(&rd, 3), "an octet string");
    cr_expect_not(ber_is(&rd, 3), "4");
    cr_expect_not(ber_is(&rd, 0), "empty");
    cr_expect(rd_ok(&rd));
}

/* 0x40000000, 14 bits of the cookie's 0506 before its last 0708, and the field. */
Test(ber, a_name_is_an_integer_of_31_bits)
{
    uint8_t bytes[6];
    struct wr wr = wr_init(bytes, sizeof bytes);
    ber_write_name(&wr, &sample_trace, &sample_name);
    cr_expect(wr_ok(&wr));
    cr_expect_arr_eq(bytes, "\x02\x04\x45\x06\xb1\xb2", 6);

    static const struct {
        const char *bytes;
        size_t len;
        int reason;
    } cases[] = {
        {"\x02\x04\x45\x06\xb1\xb2", 6, 0},
        {"\x02\x81\x04\x45\x06\xb1\xb2", 7, 0},
        {"\x02\x04\x45\x06\xb1", 5, SONDE_DISCARD_TRUNCATED},
        {"\x02\x04\x45\x06\x00\x00", 6, SONDE_DISCARD_BAD_TOKEN},
        {"\x02\x04\x05\x06\xb1\xb2", 6, SONDE_DISCARD_BAD_TOKEN},
        {"\x02\x04\x45\x07\xb1\xb2", 6, SONDE_DISCARD_BAD_TOKEN},
        {"\x02\x05\x00\x45\x06\xb1\xb2", 7, SONDE_DISCARD_BAD_TOKEN},
        {"\x02\x01\x45", 3, SONDE_DISCARD_BAD_TOKEN},
        {"\x04\x04\x45\x06\xb1\xb2", 6, SONDE_DISCARD_NOT_A_RESULT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rd rd = reader(cases[i].bytes, cases[i].len);
        struct payload_match match = {PAYLOAD_NAMES_NONE, 0};
        cr_expect_eq(ber_read_name(&rd, &sample_trace, &match), cases[i].reason, "case %zu", i);
        if (cases[i].reason == 0)
            cr_expect(match.named == PAYLOAD_NAMES_FIELD16 && match.value == 0xb1b2);
    }
}
