/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growing texts, and what becomes of text from outside.
 *
 * Escapes are written as the bytes are: decimal, so "\\027" is what ESC (27) must become.
 */
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Compare with a C string; the text always ends where its length says. */
static void expect_text(const struct text *text, const char *expected)
{
    cr_assert(text_ok(text));
    cr_assert_not_null(text->data);
    cr_expect_eq(text->len, strlen(expected));
    cr_expect_str_eq(text->data, expected);
}

Test(text, only_the_letters_of_ascii_have_a_case)
{
    char folded[8];
    for (unsigned byte = 1; byte < 256; byte++) {
        const char one[] = {(char)byte, '\0'};
        bool capital = byte >= 'A' && byte <= 'Z';
        cr_assert(text_fold(one, 1, folded, sizeof folded));
        cr_expect_eq((unsigned char)folded[0], capital ? byte + 32 : byte);
        cr_expect_eq(text_is_same(one, folded), true);
    }
    cr_expect(text_is_same("", "") && text_is_same("MAIL.Example", "mail.eXAMPLE"));
    cr_expect_not(text_is_same("mail", "mai") || text_is_same("mai", "mail"));
    cr_expect_not(text_is_same("mail", "mall") || text_is_same("@", "`"));
    cr_expect(text_fold("1234567", 7, folded, sizeof folded));
    cr_expect_not(text_fold("12345678", 8, folded, sizeof folded), "there has to be an end");
}

/* Below twenty probes one more or less is more than five percent: a share says too much. */
Test(text, loss_is_counted_below_twenty_probes)
{
    static const struct {
        uint64_t lost;
        uint64_t sent;
        const char *words;
    } cases[] = {
        {0, 0, "no loss"},         {0, 3, "no loss"},          {1, 3, "1 of 3 lost"},
        {19, 19, "19 of 19 lost"}, {1, 20, "5.0% loss"},       {20, 20, "100.0% loss"},
        {1, 3000, "0.03% loss"},   {1, 100000, "0.001% loss"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        text_add_loss(&text, cases[i].lost, cases[i].sent);
        cr_expect_str_eq(text.data, cases[i].words);
        text_deinit(&text);
    }
}

Test(text, an_empty_text_holds_nothing)
{
    struct text text = {0};
    cr_expect(text_ok(&text));
    cr_expect_eq(text.len, 0);
    cr_expect_null(text.data);
    text_deinit(&text);
}

Test(text, what_is_added_is_terminated_even_if_it_is_nothing)
{
    struct text text = {0};
    text_add_bytes(&text, NULL, 0);
    expect_text(&text, "");
    text_add(&text, "");
    text_addf(&text, "%s", "");
    text_add_untrusted(&text, NULL, 0);
    expect_text(&text, "");
    text_deinit(&text);
}

Test(text, pieces_stand_in_the_order_in_which_they_were_added)
{
    struct text text = {0};
    text_add(&text, "ab");
    text_add_bytes(&text, "cdX", 2);
    text_addf(&text, "%d-%s", -5, "ef");
    text_add_repeated(&text, '.', 3);
    text_add_repeated(&text, '!', 0);
    text_add_repeated(&text, '!', -7);
    expect_text(&text, "abcd-5-ef...");
    text_deinit(&text);
}

Test(text, a_text_grows_as_far_as_needed)
{
    struct text text = {0};
    for (int i = 0; i < 10000; i++)
        text_addf(&text, "%04d", i);
    cr_assert(text_ok(&text));
    cr_assert_eq(text.len, 40000);
    cr_expect_eq(strlen(text.data), 40000);
    cr_expect_eq(strncmp(text.data, "000000010002", 12), 0);
    cr_expect_eq(strncmp(text.data + 4 * 5678, "5678", 4), 0);
    cr_expect_str_eq(text.data + 4 * 9999, "9999");
    text_deinit(&text);
}

Test(text, a_format_may_be_longer_than_all_before_it)
{
    struct text text = {0};
    text_add(&text, "<");
    text_addf(&text, "%3000d", 7);
    text_add(&text, ">");
    cr_assert(text_ok(&text));
    cr_assert_eq(text.len, 3002);
    cr_expect_str_eq(text.data + 2998, "  7>");
    text_deinit(&text);
}

Test(text, nul_bytes_are_kept)
{
    struct text text = {0};
    text_add_bytes(&text, "a\0b", 3);
    cr_assert_eq(text.len, 3);
    cr_expect_arr_eq(text.data, "a\0b", 4);
    text_deinit(&text);
}

Test(text, what_cannot_be_held_fails_for_good_and_leaves_the_rest)
{
    struct text text = {0};
    text_add(&text, "before");
    text_add_bytes(&text, "x", SIZE_MAX); /* refused before a byte is looked at */
    cr_expect_not(text_ok(&text));
    text_add(&text, "after");
    text_addf(&text, "%d", 1);
    text_add_untrusted(&text, "\n", 1);
    cr_expect_not(text_ok(&text));
    cr_expect_str_eq(text.data, "before");
    text_deinit(&text);
}

Test(text, deinit_leaves_an_empty_text_that_can_be_used_again)
{
    struct text text = {0};
    text_add_bytes(&text, "x", SIZE_MAX);
    text_add(&text, "lost");
    text_deinit(&text);
    cr_expect(text_ok(&text));
    cr_expect_null(text.data);
    text_add(&text, "new");
    expect_text(&text, "new");
    text_deinit(&text);
}

struct untrusted {
    const char *bytes;
    const char *shown;
};

static void expect_shown(const struct untrusted *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct text text = {0};
        text_add_untrusted(&text, cases[i].bytes, strlen(cases[i].bytes));
        cr_assert(text_ok(&text));
        cr_expect_str_eq(text.data, cases[i].shown, "case %zu: %s", i, text.data);
        text_deinit(&text);
    }
}

Test(text, of_ascii_all_but_controls_and_the_backslash_is_shown)
{
    for (int byte = 0; byte < 0x80; byte++) {
        const char in = (char)byte;
        char shown[8];
        if (byte < 0x20 || byte == 0x7f || byte == '\\')
            (void)snprintf(shown, sizeof shown, "\\%03d", byte);
        else
            (void)snprintf(shown, sizeof shown, "%c", byte);
        struct text text = {0};
        text_add_untrusted(&text, &in, 1);
        expect_text(&text, shown);
        text_deinit(&text);
    }
}

Test(text, escape_sequences_reach_no_terminal)
{
    static const struct untrusted cases[] = {
        {"\033]0;title\007", "\\027]0;title\\007"}, /* OSC: sets the window's title */
        {"\033[2J", "\\027[2J"},                    /* CSI: clears the screen */
        {"\302\2332J", "\\194\\1552J"},             /* the same by C1: U+009B */
        {"\2332J", "\\1552J"},                      /* the same by a bare C1 byte */
        {"a\r\nb\tc", "a\\013\\010b\\009c"},
        {"\\027", "\\092027"}, /* an escape cannot be forged */
        {"%s%n", "%s%n"},      /* nor is any of it a format */
    };
    expect_shown(cases, sizeof cases / sizeof *cases);
}

Test(text, well_formed_utf8_stays)
{
    static const struct untrusted cases[] = {
        {"B\303\274cher", "B\303\274cher"},       /* U+00FC */
        {"\302\240", "\302\240"},                 /* U+00A0, the first after C1 */
        {"\337\277", "\337\277"},                 /* U+07FF, the last of two bytes */
        {"\340\240\200", "\340\240\200"},         /* U+0800, the first of three */
        {"\346\227\245", "\346\227\245"},         /* U+65E5 */
        {"\355\237\277", "\355\237\277"},         /* U+D7FF, the last before surrogates */
        {"\356\200\200", "\356\200\200"},         /* U+E000, the first after them */
        {"\357\277\275", "\357\277\275"},         /* U+FFFD */
        {"\360\220\200\200", "\360\220\200\200"}, /* U+10000, the first of four bytes */
        {"\364\217\277\277", "\364\217\277\277"}, /* U+10FFFF, the last of all */
        {"e\314\201", "e\314\201"},               /* U+0301, a combining mark */
        {"a\303\274b\346\227\245c", "a\303\274b\346\227\245c"},
    };
    expect_shown(cases, sizeof cases / sizeof *cases);
}

Test(text, malformed_utf8_is_escaped_byte_by_byte)
{
    static const struct untrusted cases[] = {
        {"\200", "\\128"}, /* a continuation without a start */
        {"\277", "\\191"},
        {"\300\257", "\\192\\175"},                            /* '/' in two bytes: overlong */
        {"\301\277", "\\193\\191"},                            /* DEL in two bytes: overlong */
        {"\340\200\257", "\\224\\128\\175"},                   /* '/' in three: overlong */
        {"\340\237\277", "\\224\\159\\191"},                   /* U+07FF in three: overlong */
        {"\360\200\200\257", "\\240\\128\\128\\175"},          /* '/' in four: overlong */
        {"\360\217\277\277", "\\240\\143\\191\\191"},          /* U+FFFF in four: overlong */
        {"\355\240\200", "\\237\\160\\128"},                   /* U+D800, a surrogate */
        {"\355\277\277", "\\237\\191\\191"},                   /* U+DFFF, a surrogate */
        {"\364\220\200\200", "\\244\\144\\128\\128"},          /* U+110000, beyond the last */
        {"\365\200\200\200", "\\245\\128\\128\\128"},          /* F5 starts nothing */
        {"\370\210\200\200\200", "\\248\\136\\128\\128\\128"}, /* five bytes, RFC 2279 only */
        {"\376\377", "\\254\\255"},
        {"\303", "\\195"}, /* ends within a character */
        {"\346\227", "\\230\\151"},
        {"\360\237\230", "\\240\\159\\152"},
        {"\303x", "\\195x"}, /* what follows is not swallowed */
        {"\346\227\303\274", "\\230\\151\303\274"},
        {"\346x\245", "\\230x\\165"},
    };
    expect_shown(cases, sizeof cases / sizeof *cases);
}

Test(text, characters_that_act_instead_of_being_seen_are_escaped)
{
    static const struct untrusted cases[] = {
        {"\302\200", "\\194\\128"},                   /* U+0080, the first of C1 */
        {"\302\205", "\\194\\133"},                   /* U+0085, next line */
        {"\302\237", "\\194\\159"},                   /* U+009F, the last of C1 */
        {"\330\234", "\\216\\156"},                   /* U+061C, Arabic letter mark */
        {"\342\200\213", "\\226\\128\\139"},          /* U+200B, zero width space */
        {"\342\200\216", "\\226\\128\\142"},          /* U+200E, left-to-right mark */
        {"\342\200\217", "\\226\\128\\143"},          /* U+200F, right-to-left mark */
        {"\342\200\250", "\\226\\128\\168"},          /* U+2028, line separator */
        {"\342\200\252", "\\226\\128\\170"},          /* U+202A, embedding */
        {"\342\200\256", "\\226\\128\\174"},          /* U+202E, override */
        {"\342\201\246", "\\226\\129\\166"},          /* U+2066, isolate */
        {"\342\201\251", "\\226\\129\\169"},          /* U+2069, end of isolate */
        {"\357\273\277", "\\239\\187\\191"},          /* U+FEFF, byte order mark */
        {"\363\240\201\201", "\\243\\160\\129\\129"}, /* U+E0041, a tag letter */
        {"\342\200\220", "\342\200\220"},             /* U+2010, a hyphen: harmless */
        {"\342\200\257", "\342\200\257"},             /* U+202F, a space: harmless */
    };
    expect_shown(cases, sizeof cases / sizeof *cases);
}

Test(text, untrusted_bytes_need_no_terminator_and_may_hold_nul)
{
    struct text text = {0};
    text_add_untrusted(&text, "a\0b\303\274", 4); /* ends within the last character */
    expect_text(&text, "a\\000b\\195");
    text_deinit(&text);
}

/* Three significant digits, at most three decimals, and never fewer digits than the whole part. */
Test(text, milliseconds_have_three_significant_digits)
{
    static const struct {
        sonde_ns ns;
        const char *shown;
    } cases[] = {
        {0, "0.000"},
        {400, "0.000"},
        {600, "0.001"},
        {63000, "0.063"},
        {630400, "0.630"},
        {999499, "0.999"},
        {999500, "1.00"}, /* 0.9995: rounded, it has a digit before the point */
        {1000000, "1.00"},
        {1236000, "1.24"},
        {9994999, "9.99"},
        {9995000, "10.0"}, /* not 10.00, which has four */
        {10040000, "10.0"},
        {50349999, "50.3"},
        {99949999, "99.9"},
        {99950000, "100"}, /* not 100.0 */
        {237400000, "237"},
        {999499999, "999"},
        {999600000, "1000"},
        {12345600000, "12346"}, /* digits before the point are never dropped */
        {INT64_C(3600000000000), "3600000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        text_add_ms(&text, cases[i].ns);
        cr_assert(text_ok(&text));
        cr_expect_str_eq(text.data, cases[i].shown, "case %zu: %s", i, text.data);
        text_deinit(&text);
    }
}

Test(text, a_code_point_takes_one_column_and_a_combining_mark_none)
{
    static const struct {
        const char *string;
        size_t columns;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"B\303\274cher", 6},
        {"\342\234\227 3389", 6}, /* U+2717, the report's cross */
        {"e\314\201", 1},         /* e and U+0301 */
        {"\314\200\315\257", 0},  /* U+0300 and U+036F, the first and last of the marks */
        {"\313\277\315\260", 2},  /* U+02FF and U+0370, their neighbours */
        {"\360\237\230\200", 1},  /* U+1F600: four bytes */
        {"\377\300", 2},          /* malformed: a column a byte */
        {"\303", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(text_columns(cases[i].string), cases[i].columns, "case %zu", i);
}

Test(text, a_cut_keeps_whole_code_points_and_escapes_and_ends_in_the_mark)
{
    static const struct {
        const char *string;
        const char *cut; /* to 5 columns */
    } cases[] = {
        {"", ""},
        {"abcde", "abcde"},
        {"abcdef", "abc.."},
        {"B\303\274cher", "B\303\274c.."},
        {"abce\314\201fgh", "abc.."},          /* the mark goes where its letter goes */
        {"ae\314\201cdefgh", "ae\314\201c.."}, /* and stays where it stays */
        {"\\0279", "\\0279"},                  /* an escape, four columns, and one more */
        {"\\02799", ".."},                     /* it would not fit beside the mark */
        {"ab\\0279", "ab.."},
        {"a\\02cdef", "a\\0.."}, /* with two digits it is none */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text text = {0};
        text_add(&text, cases[i].string);
        text_cut(&text, 5, "..");
        cr_expect_str_eq(text.data != NULL ? text.data : "", cases[i].cut, "case %zu", i);
        text_deinit(&text);
    }
}

Test(text, the_whole_beginning_of_a_text_ends_in_no_code_point_and_no_escape)
{
    static const struct {
        const char *string;
        size_t bytes;
        size_t whole;
    } cases[] = {
        {"", 0, 0},
        {"", 9, 0},
        {"abc", 2, 2},
        {"abc", 3, 3},
        {"abc", 9, 3},
        {"a\342\202\254b", 3, 1}, /* U+20AC, three bytes */
        {"a\342\202\254b", 4, 4},
        {"a\\027b", 1, 1},
        {"a\\027b", 4, 1},
        {"a\\027b", 5, 5},
        {"a\\0b7c", 3, 3},  /* no escape */
        {"a\\02", 3, 3},    /* nor that */
        {"\303\303", 1, 1}, /* malformed: byte by byte */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(text_whole(cases[i].string, cases[i].bytes), cases[i].whole, "case %zu", i);
}
