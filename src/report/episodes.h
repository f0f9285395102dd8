/* SPDX-License-Identifier: BSD-2-Clause */
/* What services showed from when to when, in words. */
#ifndef REPORT_EPISODES_H
#define REPORT_EPISODES_H

#include "report/style.h"

/** Add since when a service shows what it shows now: "since 14:05:00 (100 s): ", or nothing if it
 *  has been so all along. */
void episodes_add_since(const struct text_report *report, struct text *sentence,
                        const struct sonde_service_result *service);

/** Add what a service showed before: "; before that open, 36.8 ms"; nothing if it has shown the
 *  same all along, or if its verdict tells that. */
void episodes_add_before(struct text *sentence, const struct sonde_service_result *service);

/** @return true if episodes_add_before() tells what round trips took before. */
bool episodes_tells_time(const struct sonde_service_result *service);

/** Write what was wrong before, the newest first, and where the path changed last. What several
 *  services suffered at the same time in the same way is one line. */
void episodes_write(struct text_report *report, const struct sonde_target_result *target);

#endif
