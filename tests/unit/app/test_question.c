/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's own question: --payload and --expect-reply. */
#include "app/question.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct service services[] = {
    {.protocol = "icmp"},
    {.protocol = "tcp", .port = 53},
    {.protocol = "udp", .port = 9000},
};
static struct target target = {.services = {services, 3}};
static const struct target_list targets = {.items = &target, .count = 1};

static struct question question;

/* Read what a command line says. @return The error; NULL if there is none. Valid until next time.
 */
static const char *read_question(const char *payload, const char *expect_reply)
{
    static char line[256];
    struct text error = {0};
    const struct command command = {.payload = payload, .expect_reply = expect_reply};
    int r = question_read(&command, &targets, &question, &error);
    cr_expect(r == 0 || r == -EINVAL);
    (void)snprintf(line, sizeof line, "%s", error.data != NULL ? error.data : "");
    text_deinit(&error);
    return r < 0 ? line : NULL;
}

static void expect_refused(const char *payload, const char *expect_reply, const char *line)
{
    const char *error = read_question(payload, expect_reply);
    cr_assert_not_null(error, "%s", line);
    cr_expect_str_eq(error, line);
}

Test(question, is_bytes_in_digits)
{
    static const uint8_t bytes[] = {0x70, 0x69, 0x0a, 0xff};
    cr_expect_null(read_question("7069:0A fF", "00"));
    cr_expect_eq(question.asks.len, sizeof bytes);
    cr_expect_arr_eq(question.asks.bytes, bytes, sizeof bytes);
    cr_expect_eq(question.expects.len, 1);
    cr_expect_null(read_question(NULL, NULL));
    cr_expect_eq(question.asks.len + question.expects.len, 0);
}

Test(question, that_is_none_is_refused)
{
    static const char wanted[] = "not bytes in hexadecimal digits, such as 01ff20, or @FILE";
    static const char *const words[] = {"0", "0g", "hello", " ", "0x70"};
    char line[128];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        (void)snprintf(line, sizeof line, "--payload: %s", wanted);
        expect_refused(words[i], NULL, line);
        (void)snprintf(line, sizeof line, "--expect-reply: %s", wanted);
        expect_refused("00", words[i], line);
    }
    expect_refused(NULL, "00", "--expect-reply: needs --payload, the question");
}

Test(question, is_a_file_as_it_is)
{
    char path[] = "/tmp/question-XXXXXX";
    char word[sizeof path + 1];
    static uint8_t bytes[SONDE_QUESTION_BYTES + 1];
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)snprintf(word, sizeof word, "@%s", path);
    expect_refused(word, NULL, "--payload: the file is empty");
    memset(bytes, 0xa5, sizeof bytes);
    cr_assert_eq(write(fd, bytes, SONDE_QUESTION_BYTES), SONDE_QUESTION_BYTES);
    cr_expect_null(read_question(word, NULL));
    cr_expect_eq(question.asks.len, SONDE_QUESTION_BYTES);
    cr_expect_arr_eq(question.asks.bytes, bytes, SONDE_QUESTION_BYTES);
    cr_assert_eq(write(fd, bytes, 1), 1);
    expect_refused(word, NULL, "--payload: the file holds more than 1400 bytes");
    cr_assert_eq(close(fd) + unlink(path), 0);
    cr_expect_not_null(read_question(word, NULL), "there is no such file");
}

Test(question, of_1400_digit_pairs_is_the_longest)
{
    static char digits[2 * SONDE_QUESTION_BYTES + 3];
    memset(digits, '0', sizeof digits - 1);
    expect_refused(digits, NULL, "--payload: more than 1400 bytes");
    digits[2 * SONDE_QUESTION_BYTES] = '\0';
    cr_expect_null(read_question(digits, NULL));
    cr_expect_eq(question.asks.len, SONDE_QUESTION_BYTES);
}

/* An option that changes nothing is a mistake. */
Test(question, for_nobody_is_refused)
{
    target.services.count = 2;
    expect_refused("00", NULL, "--payload: none of the services is a UDP port");
    cr_expect_null(read_question(NULL, NULL));
    target.services.count = 3;
}
