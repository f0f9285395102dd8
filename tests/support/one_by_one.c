/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the tests of a Criterion program one after another, in one process.
 *
 *     PROGRAM [BEGINNING...]      all but those whose SUITE/NAME begins so
 *
 * Criterion executes the program anew for every test. That takes longer than most tests do, and
 * more than a second under valgrind. This file stands in for the library: it is linked with the
 * same objects and defines what they use of it. So here, a test finds static data as the one before
 * has left it, and a crash ends all.
 *
 * The functions are those that the headers of Criterion 2.4 declare. Their names are part of these
 * headers, not of the documented interface.
 */
#include <criterion/criterion.h>
#include <criterion/options.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the linker puts the tests and suites of all objects. Not every program has suites. */
extern struct criterion_test *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak));
extern struct criterion_suite *__stop_cr_sts[] __attribute__((weak));

struct criterion_options criterion_options;

/* The test that runs, and what is known of its suite; NULL: nothing. */
static const struct criterion_test *test;
static const struct criterion_test_extra_data *suite;
static unsigned failures;
static jmp_buf end_of_test;

void criterion_internal_test_setup(void)
{
    if (suite != NULL && suite->init != NULL)
        suite->init();
    if (test->data->init != NULL)
        test->data->init();
}

void criterion_internal_test_main(void (*fn)(void))
{
    if (setjmp(end_of_test) == 0)
        fn();
}

void criterion_internal_test_teardown(void)
{
    if (test->data->fini != NULL)
        test->data->fini();
    if (suite != NULL && suite->fini != NULL)
        suite->fini();
}

/* After a cr_assert that failed. */
void criterion_abort_test(void)
{
    longjmp(end_of_test, 1);
}

/* After a cr_expect that failed. */
void criterion_continue_test(void)
{
}

void cri_asserts_passed_incr(void)
{
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed)
        return;
    failures++;
    printf("%s:%u: %s: %s\n", stats->file, stats->line, test->data->identifier_, stats->message);
}

int cr_asprintf(char **strp, const char *fmt, ...)
{
    va_list values;
    va_start(values, fmt);
    int r = vasprintf(strp, fmt, values);
    va_end(values);
    return r;
}

void cr_asprintf_free(char *str)
{
    free(str);
}

/* The words for a comparison that failed. File and line tell enough here. */
char *cr_translate_assert_msg(int msg_index, ...)
{
    (void)msg_index;
    return strdup("does not hold");
}

static void find_suite(void)
{
    suite = NULL;
    for (struct criterion_suite **at = __start_cr_sts; at < __stop_cr_sts; at++) {
        if (*at != NULL && strcmp((*at)->name, test->category) == 0)
            suite = (*at)->data;
    }
}

static bool is_left_out(char **beginnings)
{
    while (*beginnings != NULL) {
        size_t len = strlen(*beginnings);
        if (strncmp(test->data->identifier_, *beginnings++, len) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    unsigned run = 0;
    unsigned failed = 0;
    for (struct criterion_test **at = __start_cr_tst; at < __stop_cr_tst; at++) {
        test = *at; /* NULL where objects leave a gap */
        if (test == NULL || (argc > 1 && is_left_out(argv + 1)))
            continue;
        unsigned before = failures;
        find_suite();
        test->test();
        run++;
        failed += failures > before;
    }
    printf("%u passed, %u failed\n", run - failed, failed);
    return failed > 0 || run == 0;
}
