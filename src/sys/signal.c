/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals as a descriptor; see sys/signal.h. signal-safety(7). */
#include "sys/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* All that a handler can reach; the only mutable file-scope state there is. */
/* NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables) */
static volatile sig_atomic_t last_signal;
static volatile sig_atomic_t quit_came;
static int wake_pipe[2] = {-1, -1};
/* NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables) */

static void on_signal(int number)
{
    int saved = errno;
    const char byte = 0;
    if (number == SIGQUIT)
        quit_came = 1;
    else
        last_signal = number;
    if (write(wake_pipe[1], &byte, 1) < 0)
        errno = 0; /* the pipe is full: it is readable already */
    errno = saved;
}

int signal_catch(int *ret_fd)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction hangup;
    if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(SIGHUP, NULL, &hangup) < 0)
        return -errno;
    bool is_nohup = hangup.sa_handler == SIG_IGN;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!(is_nohup && numbers[i] == SIGHUP) && sigaction(numbers[i], &action, NULL) < 0)
            return -errno;
    }
    action.sa_handler = SIG_IGN;
    if (sigaction(SIGPIPE, &action, NULL) < 0)
        return -errno;
    *ret_fd = wake_pipe[0];
    return 0;
}

int signal_caught(void)
{
    return last_signal;
}

int signal_catch_quit(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    if (sigaction(SIGQUIT, NULL, &before) < 0)
        return -errno;
    return before.sa_handler == SIG_IGN || sigaction(SIGQUIT, &action, NULL) == 0 ? 0 : -errno;
}

bool signal_take_quit(void)
{
    char bytes[64];
    if (quit_came == 0)
        return false;
    quit_came = 0;
    while (last_signal == 0 && read(wake_pipe[0], bytes, sizeof bytes) > 0)
        ; /* one that comes between the two is seen when it is asked for next, before any wait */
    return true;
}
