/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that the command line names, read as a whole. */
#ifndef APP_FILES_H
#define APP_FILES_H

#include "base/text.h"

/**
 * Read a file.
 * @param path       "-" is standard input.
 * @param until_ns   When to give up, by sonde_clock_ns(): whoever writes into a pipe, or is to
 * open a named one, may take as long as it likes. 0 = never.
 * @param ret_bytes  On 0, its bytes; to be freed with free().
 * @param ret_len    On 0, how many.
 * @param reterr     On failure, one line; safe to print.
 * @return 0; -EINVAL: it cannot be read, or is longer than 64 MiB; -ETIME: it was not there in
 * time; -ENOMEM.
 */
SONDE_MUST_CHECK int file_read(const char *path, sonde_ns until_ns, char **ret_bytes,
                               size_t *ret_len, struct text *reterr);

#endif
