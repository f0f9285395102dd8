/* SPDX-License-Identifier: BSD-2-Clause */
/* Names to addresses by the system's resolver; the first half of names_system_new(). */
#ifndef IO_SYSTEM_FORWARD_H
#define IO_SYSTEM_FORWARD_H

#include "io/names.h"

struct forward;

/** @return 0; -ENOMEM; -EMFILE, -ENFILE. Ownership: the caller frees it with forward_free(). */
SONDE_MUST_CHECK int forward_new(struct forward **ret_forward);

/** Leave what is under way to itself and free everything else; NULL is fine. @return NULL. */
struct forward *forward_free(struct forward *forward);

/* begin(), take(), step() and watch() of struct names_ops, as far as they are about forward's. */

SONDE_MUST_CHECK int forward_begin(struct forward *forward, const struct names_question *question);

SONDE_MUST_CHECK int forward_take(struct forward *forward, struct names_answer *ret_answer);

void forward_step(struct forward *forward);

sonde_ns forward_watch(struct forward *forward, struct io_watch *watch);

#endif
