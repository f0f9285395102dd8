/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of the path, in words. */
#ifndef REPORT_WAYS_H
#define REPORT_WAYS_H

#include "report/style.h"

/** @return true if the path to any service of a target has changed. */
bool ways_has_changes(const struct sonde_target_result *target);

/** Write when and where the path to each service changed last, and how often there were others;
 *  services that show the same are one line. */
void ways_write(struct text_report *report, const struct sonde_target_result *target);

#endif
