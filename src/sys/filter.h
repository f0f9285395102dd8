/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of system calls that the sandbox puts in force; make_filter.c has its rules. */
#ifndef SYS_FILTER_H
#define SYS_FILTER_H

#include <linux/filter.h>

/** The program, which make_filter.c has written while sonde was built. It is there on machines
 * whose system calls are known: where SONDE_FILTER is 1. */
extern const struct sock_fprog filter_program;

#endif
