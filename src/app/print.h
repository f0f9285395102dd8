/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed, and how: results on standard output, complaints on standard error. */
#ifndef APP_PRINT_H
#define APP_PRINT_H

#include "app/options.h"
#include "report/report.h"

/** Say why on standard error, in one line. @param what  NULL: memory ran out. @return code. */
enum sonde_exit complain(enum sonde_exit code, const char *what);

/**
 * Write to standard output. A reader that has gone away is no error: nobody wants the rest.
 * @return 0; a negative errno, after saying why on standard error.
 */
SONDE_MUST_CHECK int print_bytes(const char *bytes, size_t len);

/** @return How a text report looks here. */
struct report_style print_style(const struct command *command);

/** Print a report in the format that was asked for. @return SONDE_EXIT_MET; SONDE_EXIT_INTERNAL,
 *  after saying why. */
enum sonde_exit print_report(const struct command *command, const struct sonde_snapshot *snapshot);

#endif
