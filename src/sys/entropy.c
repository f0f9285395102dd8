/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes from the kernel; getrandom(2). */
#include "sys/entropy.h"

#include <errno.h>
#include <sys/random.h>

int entropy_fill(void *bytes, size_t len)
{
    unsigned char *at = bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
    return 0;
}
