/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines on standard input; see app/lines.h. */
#include "app/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 4096 };

/* Take what there is to read. */
static int take(struct lines *lines, struct sonde_run *run)
{
    char chunk[CHUNK_BYTES];
    ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (got <= 0) {
        lines->have_ended = true;
        sonde_run_stop(run);
        return 0;
    }
    return memchr(chunk, '\n', (size_t)got) != NULL ? sonde_run_begin_cycle(run) : 0;
}

int lines_wait(struct lines *lines, struct sonde_vantage *vantage, struct sonde_run *run)
{
    struct pollfd fds[SONDE_FDS_MAX + 1];
    sonde_ns left = sonde_vantage_timeout_ns(vantage);
    size_t count = sonde_vantage_fds(vantage, fds, SONDE_FDS_MAX);
    struct timespec timeout = {left / SONDE_NS_PER_S, (long)(left % SONDE_NS_PER_S)};
    fds[count] = (struct pollfd){.fd = lines->have_ended ? -1 : STDIN_FILENO, .events = POLLIN};
    int ready = ppoll(fds, count + 1, left != SONDE_NS_NEVER ? &timeout : NULL, NULL);
    return ready > 0 && fds[count].revents != 0 ? take(lines, run) : 0;
}
