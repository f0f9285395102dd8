/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run a command and write down what it took, from a process so small that nothing of it is measured
 * along: a child's largest memory is at least that of who forked it. bench-run FILE COMMAND...
 *
 * FILE gets: nanoseconds, microseconds of CPU time, KiB of memory, exit code (-1: by a signal), and
 * the time of day at which it began, in nanoseconds.
 */
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t in_us(struct timeval time)
{
    return time.tv_sec * INT64_C(1000000) + time.tv_usec;
}

int main(int argc, char **argv)
{
    pid_t pid;
    int status;
    struct rusage usage;
    if (argc < 3)
        return 2;
    FILE *file = fopen(argv[1], "we");
    if (file == NULL)
        return 3;
    int64_t began_wall = now_ns(CLOCK_REALTIME);
    int64_t began = now_ns(CLOCK_MONOTONIC);
    if (posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
        wait4(pid, &status, 0, &usage) != pid)
        return 3;
    int64_t took = now_ns(CLOCK_MONOTONIC) - began;
    fprintf(file, "%" PRId64 " %" PRId64 " %ld %d %" PRId64 "\n", took,
            in_us(usage.ru_utime) + in_us(usage.ru_stime), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : -1, began_wall);
    return fclose(file) == 0 ? 0 : 3;
}
