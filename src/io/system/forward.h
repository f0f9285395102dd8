/* SPDX-License-Identifier: BSD-2-Clause */
/* Names to addresses by the system's resolver; the first half of names_system_new(). */
#ifndef IO_SYSTEM_FORWARD_H
#define IO_SYSTEM_FORWARD_H

#include "io/names.h"

/** The forward operation of struct names_ops. */
int forward_resolve(struct names *names, struct names_query *queries, uint32_t count,
                    struct io_watch *watch);

#endif
