/* SPDX-License-Identifier: BSD-2-Clause */
/* --doctor: what this system lets sonde do, and how to allow the rest. */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "base/text.h"

#include <sonde/snapshot.h>

/**
 * Print a line for everything that a run makes use of, "yes" or "no", and below a "no" how to
 * change that. Nothing is sent; the sandbox is closed afterwards, as in a run.
 * @return SONDE_EXIT_MET if a run can do all that it is made for; SONDE_EXIT_UNMET if not.
 */
enum sonde_exit doctor(void);

/** Say what is wrong with a setuid or setgid bit. @return The exit code. */
enum sonde_exit doctor_refuse_lent(void);

/** Write the command that lets this very program open raw sockets. */
void doctor_add_setcap(struct text *text);

#endif
