/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that take their time. */
#include "app/files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sonde/run.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Make standard input a pipe. @return its other end. */
static int pipe_in(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    cr_assert_eq(close(ends[0]), 0);
    return ends[1];
}

Test(files, who_writes_into_a_pipe_and_does_not_end_is_waited_for_until_the_deadline)
{
    int writer = pipe_in();
    char *bytes = NULL;
    size_t len = 0;
    struct text error = {0};
    cr_assert_eq(write(writer, "a.example\n", 10), 10);
    sonde_ns until = sonde_clock_ns() + 50 * SONDE_NS_PER_MS;
    cr_expect_eq(file_read("-", until, &bytes, &len, &error), -ETIME);
    cr_expect_geq(sonde_clock_ns(), until);
    cr_expect_lt(sonde_clock_ns(), until + 5 * SONDE_NS_PER_S);
    cr_expect_null(bytes);
    cr_expect_str_eq(error.data, "cannot read -: the deadline came first");
    text_deinit(&error);
}

/* open(2) of a named pipe waits for a writer, too; see fifo(7). */
Test(files, a_named_pipe_without_a_writer_is_waited_for_until_the_deadline, .timeout = 20)
{
    char directory[] = "/tmp/sonde-files-XXXXXX";
    char path[64];
    char *bytes = NULL;
    size_t len = 0;
    struct text error = {0};
    cr_assert_not_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/pipe", directory);
    cr_assert_eq(mkfifo(path, 0600), 0);
    sonde_ns until = sonde_clock_ns() + 50 * SONDE_NS_PER_MS;
    cr_expect_eq(file_read(path, until, &bytes, &len, &error), -ETIME);
    cr_expect_geq(sonde_clock_ns(), until);
    cr_expect_null(bytes);
    text_deinit(&error);
    (void)unlink(path);
    (void)rmdir(directory);
}

/* Who opens it later, and writes slowly, is read to the end. */
Test(files, a_named_pipe_is_read_whenever_its_writer_comes, .timeout = 20)
{
    char directory[] = "/tmp/sonde-files-XXXXXX";
    char path[64];
    char *bytes = NULL;
    size_t len = 0;
    struct text error = {0};
    cr_assert_not_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/pipe", directory);
    cr_assert_eq(mkfifo(path, 0600), 0);
    pid_t writer = fork();
    cr_assert_geq(writer, 0);
    if (writer == 0) {
        (void)usleep(50000);
        int fd = open(path, O_WRONLY);
        (void)!write(fd, "a.exa", 5);
        (void)usleep(50000);
        (void)!write(fd, "mple\n", 5);
        _exit(0);
    }
    cr_expect_eq(file_read(path, 0, &bytes, &len, &error), 0);
    cr_expect(len == 10 && memcmp(bytes, "a.example\n", 10) == 0);
    free(bytes);
    text_deinit(&error);
    (void)waitpid(writer, NULL, 0);
    (void)unlink(path);
    (void)rmdir(directory);
}

Test(files, what_is_there_before_the_deadline_is_read)
{
    int writer = pipe_in();
    const sonde_ns limits[] = {0, sonde_clock_ns() + 20 * SONDE_NS_PER_S};
    cr_assert_eq(write(writer, "a.example\n", 10), 10);
    cr_assert_eq(close(writer), 0);
    for (size_t i = 0; i < 2; i++) {
        char *bytes = NULL;
        size_t len = 0;
        struct text error = {0};
        cr_assert_eq(file_read("-", limits[i], &bytes, &len, &error), 0);
        cr_expect_eq(len, i == 0 ? 10 : 0, "the second time it has ended");
        free(bytes);
    }
}
