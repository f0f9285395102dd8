/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes for what an outsider must not guess. */
#ifndef SYS_ENTROPY_H
#define SYS_ENTROPY_H

#include <sonde/types.h>

/** Fill @p len bytes at @p bytes. @return 0; a negative errno if the kernel gives none. */
SONDE_MUST_CHECK int entropy_fill(void *bytes, size_t len);

#endif
