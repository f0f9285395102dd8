/* SPDX-License-Identifier: BSD-2-Clause */
/* A user's own question for UDP ports: --payload and --expect-reply. */
#ifndef APP_QUESTION_H
#define APP_QUESTION_H

#include "app/options.h"

/** Bytes as given: hexadecimal digits, or the contents of a file. */
struct question_bytes {
    uint8_t bytes[SONDE_QUESTION_BYTES];
    size_t len; /* 0 = none were given */
};

struct question {
    struct question_bytes asks;
    struct question_bytes expects;
};

/**
 * Read what the command line says.
 * @param targets       What is to be probed.
 * @param ret_question  On 0, the question; empty if none is given.
 * @param reterr        On -EINVAL, one line; safe to print.
 * @return 0; -EINVAL: no such bytes, no such file, too many, an answer without a question, or
 *         a question without a UDP port;
 *         -ENOMEM.
 */
SONDE_MUST_CHECK int question_read(const struct command *command, const struct target_list *targets,
                                   struct question *ret_question, struct text *reterr);

#endif
