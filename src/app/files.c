/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files; see app/files.h. */
#include "app/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 64 * 1024,
    FILE_MAX = 64 << 20,
};

static int read_all(int fd, struct text *content)
{
    char chunk[CHUNK_BYTES];
    while (true) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
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

int file_read(const char *path, char **ret_bytes, size_t *ret_len, struct text *reterr)
{
    struct text content = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : read_all(fd, &content);
    if (fd >= 0 && !is_stdin)
        (void)close(fd);
    if (r < 0) {
        const char *reason = strerrordesc_np(-r);
        text_add(reterr, "cannot read ");
        text_add_untrusted(reterr, path, strlen(path));
        if (r == -EFBIG)
            text_add(reterr, ": it is larger than 64 MiB, the most that is read");
        else
            text_addf(reterr, ": %s", reason != NULL ? reason : "?");
        text_deinit(&content);
        return r == -ENOMEM ? r : -EINVAL;
    }
    text_add(&content, ""); /* an empty file has an address, too */
    *ret_bytes = content.data;
    *ret_len = content.len;
    return content.data != NULL ? 0 : -ENOMEM;
}
