/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files; see app/files.h. */
#include "app/files.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sonde/run.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 64 * 1024,
    FILE_MAX = 64 << 20,
};

/* Wait until there is something to read. A named pipe that nobody has opened for writing yet has
 * nothing; one that was left has its end (pipe_poll() in fs/pipe.c of the kernel).
 * @return 0; -ETIME; another negative errno. */
static int wait_for(int fd, sonde_ns until_ns)
{
    struct pollfd poll = {.fd = fd, .events = POLLIN};
    int ready;
    do {
        sonde_ns left = ns_max(ns_sub(until_ns, sonde_clock_ns()), 0);
        struct timespec timeout = {left / SONDE_NS_PER_S, (long)(left % SONDE_NS_PER_S)};
        ready = ppoll(&poll, 1, until_ns != 0 ? &timeout : NULL, NULL);
    } while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : ready == 0 ? -ETIME : -errno;
}

static int read_all(int fd, sonde_ns until_ns, struct text *content)
{
    char chunk[CHUNK_BYTES];
    while (true) {
        int r = wait_for(fd, until_ns);
        if (r < 0)
            return r;
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return text_ok(content) ? 0 : -ENOMEM;
        text_add_bytes(content, chunk, (size_t)got);
        if (content->len > FILE_MAX)
            return -EFBIG;
    }
}

int file_read(const char *path, sonde_ns until_ns, char **ret_bytes, size_t *ret_len,
              struct text *reterr)
{
    struct text content = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int r = fd < 0 ? -errno : read_all(fd, until_ns, &content);
    if (fd >= 0 && !is_stdin)
        (void)close(fd);
    if (r < 0) {
        const char *reason = r == -ETIME ? "the deadline came first" : strerrordesc_np(-r);
        text_add(reterr, "cannot read ");
        text_add_untrusted(reterr, path, strlen(path));
        if (r == -EFBIG)
            text_add(reterr, ": it is larger than 64 MiB, the most that is read");
        else
            text_addf(reterr, ": %s", reason != NULL ? reason : "?");
        text_deinit(&content);
        return r == -ENOMEM || r == -ETIME ? r : -EINVAL;
    }
    text_add(&content, ""); /* an empty file has an address, too */
    *ret_bytes = content.data;
    *ret_len = content.len;
    return content.data != NULL ? 0 : -ENOMEM;
}
